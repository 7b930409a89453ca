"""Cases of the OCTT in which a person asks: what is asked goes out, its answer comes back, what follows is answered."""

import asyncio
from typing import Any

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE
from octt_rig import ACCEPTED, booted

from chargerd.contract import OperatorRequest, Responded
from chargerd_drivers.ocpp.wire import Version, fault_in

T0 = "2026-01-14T16:00:00Z"
REJECTED = {"status": "Rejected"}
Payload = dict[str, Any]
Said = tuple[str, Payload]
Case = tuple[str, Payload, Payload, tuple[Said, ...]]
"""Action, payload, the charger's answer, and what it says afterwards."""


def news(action: str, *words: str, **more: Any) -> tuple[Said, ...]:
    return tuple((action, {"status": word, **more}) for word in words)


STOPPED = {"transactionId": 17, "meterStop": 1, "timestamp": T0}
UPDATE_16 = {"location": "https://nas/fw", "retrieveDate": T0}
SIGNED_16 = {"location": "https://nas/fw", "retrieveDateTime": T0, "signingCertificate": "C", "signature": "S"}
SIGNED_UPDATE: Payload = {"requestId": 1, "firmware": SIGNED_16}
LOG: Payload = {"log": {"remoteLocation": "ftp://nas/log"}, "requestId": 1}
LIST: Payload = {"listVersion": 2, "updateType": "Full", "localAuthorizationList": []}
COMPOSED = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
TX_PROFILE = {
    "chargingProfileId": 2,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": COMPOSED,
}
HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}
ROOT: Payload = {"certificateType": "CentralSystemRootCertificate"}

CASES_16: dict[str, Case] = {
    "TC_013": (
        "Reset", {"type": "Hard"}, ACCEPTED,
        (("StopTransaction", STOPPED | {"reason": "HardReset"}), ("BootNotification", BOOT_16)),
    ),
    "TC_014": (
        "Reset", {"type": "Soft"}, ACCEPTED,
        (("StopTransaction", STOPPED | {"reason": "SoftReset"}), ("BootNotification", BOOT_16)),
    ),
    "TC_017": ("UnlockConnector", {"connectorId": 1}, {"status": "Unlocked"}, ()),
    "TC_018": ("UnlockConnector", {"connectorId": 1}, {"status": "UnlockFailed"}, ()),
    "TC_031": ("UnlockConnector", {"connectorId": 9}, {"status": "NotSupported"}, ()),
    "TC_019_1": (
        "GetConfiguration", {}, {"configurationKey": [{"key": "K", "readonly": True, "value": "V"}]}, (),
    ),
    "TC_042_1": ("GetLocalListVersion", {}, {"listVersion": -1}, ()),
    "TC_042_2": ("GetLocalListVersion", {}, {"listVersion": 0}, ()),
    "TC_043_1": ("SendLocalList", LIST, {"status": "NotSupported"}, ()),
    "TC_043_3": ("SendLocalList", LIST, {"status": "Failed"}, ()),
    "TC_043_4": ("SendLocalList", LIST, ACCEPTED, ()),
    "TC_043_5": ("SendLocalList", LIST | {"updateType": "Differential"}, {"status": "VersionMismatch"}, ()),
    "TC_044_1": (
        "UpdateFirmware", UPDATE_16, {},
        news("FirmwareStatusNotification", "Downloading", "Downloaded", "Installing", "Installed"),
    ),
    "TC_044_2": ("UpdateFirmware", UPDATE_16, {}, news("FirmwareStatusNotification", "Downloading", "DownloadFailed")),
    "TC_044_3": (
        "UpdateFirmware", UPDATE_16, {}, news("FirmwareStatusNotification", "Installing", "InstallationFailed"),
    ),
    "TC_045_1": (
        "GetDiagnostics", {"location": "ftp://nas"}, {"fileName": "d.zip"},
        news("DiagnosticsStatusNotification", "Uploading", "Uploaded"),
    ),
    "TC_045_2": (
        "GetDiagnostics", {"location": "ftp://nas"}, {"fileName": "d.zip"},
        news("DiagnosticsStatusNotification", "Uploading", "UploadFailed"),
    ),
    "TC_059": (
        "RemoteStartTransaction", {"idTag": "t", "connectorId": 1, "chargingProfile": TX_PROFILE}, ACCEPTED, (),
    ),
    "TC_061": ("ClearCache", {}, ACCEPTED, ()),
    "TC_066": (
        "GetCompositeSchedule", {"connectorId": 1, "duration": 300},
        ACCEPTED | {"connectorId": 1, "scheduleStart": T0, "chargingSchedule": COMPOSED}, (),
    ),
    "TC_067": ("ClearChargingProfile", {"id": 1}, ACCEPTED, ()),
    "TC_075_1": ("InstallCertificate", ROOT | {"certificate": "C"}, ACCEPTED, ()),
    "TC_075_2": ("InstallCertificate", ROOT | {"certificate": "C"}, REJECTED, ()),
    "TC_076": ("DeleteCertificate", {"certificateHashData": HASH}, ACCEPTED, ()),
    "TC_079": (
        "GetLog", LOG | {"logType": "SecurityLog"}, ACCEPTED | {"filename": "l"},
        news("LogStatusNotification", "Uploading", "Uploaded", requestId=1),
    ),
    "TC_080": (
        "SignedUpdateFirmware", SIGNED_UPDATE, ACCEPTED,
        news("SignedFirmwareStatusNotification", "SignatureVerified", "Installing", "Installed", requestId=1),
    ),
    "TC_081": (
        "SignedUpdateFirmware", SIGNED_UPDATE, ACCEPTED,
        (
            *news("SignedFirmwareStatusNotification", "InvalidSignature", requestId=1),
            ("SecurityEventNotification", {"type": "InvalidFirmwareSignature", "timestamp": T0}),
        ),
    ),
}  # fmt: skip

NAMED = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
KNOWN = {"getVariableResult": [{**NAMED, "attributeStatus": "Accepted", "attributeValue": "60"}]}
WRITTEN = {"setVariableResult": [{**NAMED, "attributeStatus": "Accepted"}] * 2}
REPORT: Payload = {"requestId": 1, "generatedAt": T0, "reportData": [{**NAMED, "variableAttribute": [{"value": "60"}]}]}
PROFILE: Payload = {
    "configurationSlot": 1,
    "connectionData": {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "ws://x",
        "messageTimeout": 30,
        "securityProfile": 1,
        "ocppInterface": "Wired0",
    },
}
EVSE: Payload = {"evse": {"id": 1}}
OFF: Payload = {"operationalStatus": "Inoperative"}
ON: Payload = {"operationalStatus": "Operative"}
PLUG: Payload = {"evse": {"id": 1, "connectorId": 1}}
SCHEDULED = {"status": "Scheduled"}
ROOTS: Payload = {"certificateType": ["ManufacturerRootCertificate"]}
CUSTOMER: Payload = {"requestId": 1, "report": True, "clear": False, "customerIdentifier": "me"}
ABOUT_CUSTOMER: tuple[Said, ...] = (
    ("NotifyCustomerInformation", {"data": "none", "seqNo": 0, "generatedAt": T0, "requestId": 1}),
)


def boots(reason: str) -> tuple[Said, ...]:
    return (("BootNotification", BOOT_201 | {"reason": reason}),)


def status(word: str) -> tuple[Said, ...]:
    return (
        ("StatusNotification", {"timestamp": T0, "connectorStatus": word, "evseId": 1, "connectorId": 1}),
    )  # fmt: skip


def firmware(*words: str) -> tuple[Said, ...]:
    return news("FirmwareStatusNotification", *words, requestId=1)


def parts(count: int) -> tuple[Said, ...]:
    return tuple(
        ("NotifyReport", REPORT | {"seqNo": number, "tbc": number < count - 1}) for number in range(count)
    )  # fmt: skip


def installed(kind: str) -> Case:
    return "InstallCertificate", {"certificateType": kind, "certificate": "C"}, ACCEPTED, ()


def asked(message: str, *said: Said, **more: Any) -> Case:
    return "TriggerMessage", {"requestedMessage": message, **more}, ACCEPTED, said


METER: Payload = {
    "evseId": 1,
    "meterValue": [{"timestamp": T0, "sampledValue": [{"value": 1.0, "context": "Trigger"}]}],
}
EVENT: Payload = {
    "eventType": "Updated",
    "timestamp": T0,
    "triggerReason": "Trigger",
    "seqNo": 3,
    "transactionInfo": {"transactionId": "tx"},
}
UPLOADING = news("LogStatusNotification", "Uploading", "Uploaded", requestId=1)
DIAGNOSTICS: Payload = LOG | {"logType": "DiagnosticsLog"}
CHAIN = {"certificateHashDataChain": [{"certificateType": "CSMSRootCertificate", "certificateHashData": HASH}]}

CASES_201: dict[str, Case] = {
    "TC_B_06": ("GetVariables", {"getVariableData": [NAMED]}, KNOWN, ()),
    "TC_B_10": ("SetVariables", {"setVariableData": [{**NAMED, "attributeValue": "60"}] * 2}, WRITTEN, ()),
    "TC_B_12": ("GetBaseReport", {"requestId": 1, "reportBase": "ConfigurationInventory"}, ACCEPTED, parts(1)),
    "TC_B_13": ("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}, ACCEPTED, parts(3)),
    "TC_B_20": ("Reset", {"type": "OnIdle"}, ACCEPTED, boots("RemoteReset")),
    "TC_B_21": ("Reset", {"type": "OnIdle"}, SCHEDULED, boots("ScheduledReset")),
    "TC_B_22": ("Reset", {"type": "Immediate"}, ACCEPTED, boots("RemoteReset")),
    "TC_B_25": ("Reset", {"type": "OnIdle", "evseId": 1}, ACCEPTED, ()),
    "TC_B_26": ("Reset", {"type": "OnIdle", "evseId": 1}, SCHEDULED, ()),
    "TC_B_27": ("Reset", {"type": "Immediate", "evseId": 1}, ACCEPTED, ()),
    "TC_B_42": ("SetNetworkProfile", PROFILE, ACCEPTED, ()),
    "TC_B_44": ("SetNetworkProfile", PROFILE, {"status": "Failed"}, ()),
    "TC_C_37": ("ClearCache", {}, ACCEPTED, ()),
    "TC_C_38": ("ClearCache", {}, REJECTED, ()),
    "TC_E_29": (
        "GetTransactionStatus", {"transactionId": "tx"}, {"ongoingIndicator": True, "messagesInQueue": True}, (),
    ),
    "TC_E_30": (
        "GetTransactionStatus", {"transactionId": "tx"}, {"ongoingIndicator": True, "messagesInQueue": False}, (),
    ),
    "TC_E_31": (
        "GetTransactionStatus", {"transactionId": "tx"}, {"ongoingIndicator": False, "messagesInQueue": True}, (),
    ),
    "TC_E_33": ("GetTransactionStatus", {}, {"messagesInQueue": True}, ()),
    "TC_E_34": ("GetTransactionStatus", {}, {"messagesInQueue": False}, ()),
    "TC_F_06": ("UnlockConnector", {"evseId": 1, "connectorId": 1}, {"status": "Unlocked"}, ()),
    "TC_F_12": asked("MeterValues", ("MeterValues", METER)),
    "TC_F_14": asked("TransactionEvent", ("TransactionEvent", EVENT)),
    "TC_F_15": asked("LogStatusNotification", *news("LogStatusNotification", "Idle")),
    "TC_F_18": asked("FirmwareStatusNotification", *news("FirmwareStatusNotification", "Idle")),
    "TC_F_20": asked("Heartbeat", ("Heartbeat", {})),
    "TC_G_03": ("ChangeAvailability", OFF | EVSE, ACCEPTED, status("Unavailable")),
    "TC_G_04": ("ChangeAvailability", ON | EVSE, ACCEPTED, status("Available")),
    "TC_G_05": ("ChangeAvailability", OFF, ACCEPTED, status("Unavailable")),
    "TC_G_06": ("ChangeAvailability", ON, ACCEPTED, status("Available")),
    "TC_G_07": ("ChangeAvailability", OFF | PLUG, ACCEPTED, status("Unavailable")),
    "TC_G_08": ("ChangeAvailability", ON | PLUG, ACCEPTED, status("Available")),
    "TC_G_11": ("ChangeAvailability", OFF | EVSE, SCHEDULED, ()),
    "TC_G_14": ("ChangeAvailability", OFF, SCHEDULED, ()),
    "TC_G_17": ("ChangeAvailability", OFF | PLUG, SCHEDULED, ()),
    "TC_L_01": ("UpdateFirmware", SIGNED_UPDATE, ACCEPTED, firmware("Downloading", "SignatureVerified", "Installed")),
    "TC_L_02": ("UpdateFirmware", SIGNED_UPDATE, ACCEPTED, firmware("Downloaded", "InstallScheduled", "Installed")),
    "TC_L_03": ("UpdateFirmware", SIGNED_UPDATE, ACCEPTED, firmware("DownloadScheduled", "Downloading")),
    "TC_L_04": ("UpdateFirmware", SIGNED_UPDATE, {"status": "RevokedCertificate"}, ()),
    "TC_L_05": ("UpdateFirmware", SIGNED_UPDATE, {"status": "InvalidCertificate"}, ()),
    "TC_L_06": ("UpdateFirmware", SIGNED_UPDATE, ACCEPTED, firmware("InvalidSignature")),
    "TC_L_07": ("UpdateFirmware", SIGNED_UPDATE, ACCEPTED, firmware("DownloadFailed")),
    "TC_L_08": ("UpdateFirmware", SIGNED_UPDATE, ACCEPTED, firmware("InstallVerificationFailed")),
    "TC_L_09": ("UpdateFirmware", SIGNED_UPDATE, ACCEPTED, firmware("InstallationFailed")),
    "TC_L_10": ("UpdateFirmware", SIGNED_UPDATE, {"status": "AcceptedCanceled"}, firmware("Downloading")),
    "TC_L_11": ("UpdateFirmware", SIGNED_UPDATE, REJECTED, ()),
    "TC_L_13": ("UpdateFirmware", SIGNED_UPDATE, ACCEPTED, firmware("Downloaded")),
    "TC_M_01": installed("CSMSRootCertificate"),
    "TC_M_02": installed("ManufacturerRootCertificate"),
    "TC_M_05": ("InstallCertificate", {"certificateType": "CSMSRootCertificate", "certificate": "C"}, REJECTED, ()),
    "TC_M_13": ("GetInstalledCertificateIds", ROOTS, ACCEPTED | CHAIN, ()),
    "TC_M_18": ("GetInstalledCertificateIds", {}, ACCEPTED | CHAIN, ()),
    "TC_M_19": ("GetInstalledCertificateIds", ROOTS, {"status": "NotFound"}, ()),
    "TC_M_20": ("DeleteCertificate", {"certificateHashData": HASH}, ACCEPTED, ()),
    "TC_M_21": ("DeleteCertificate", {"certificateHashData": HASH}, {"status": "Failed"}, ()),
    "TC_N_25": ("GetLog", DIAGNOSTICS, ACCEPTED, UPLOADING),
    "TC_N_34": ("GetLog", DIAGNOSTICS, REJECTED, ()),
    "TC_N_35": ("GetLog", LOG | {"logType": "SecurityLog"}, ACCEPTED, UPLOADING),
    "TC_N_36": ("GetLog", DIAGNOSTICS, {"status": "AcceptedCanceled"}, UPLOADING),
    "TC_N_27": ("CustomerInformation", CUSTOMER, ACCEPTED, ABOUT_CUSTOMER),
    "TC_N_28": ("CustomerInformation", CUSTOMER, ACCEPTED, ABOUT_CUSTOMER),
    "TC_N_29": ("CustomerInformation", CUSTOMER, REJECTED, ()),
    "TC_N_30": ("CustomerInformation", CUSTOMER | {"clear": True}, ACCEPTED, ABOUT_CUSTOMER),
    "TC_N_31": ("CustomerInformation", CUSTOMER | {"clear": True}, ACCEPTED, ABOUT_CUSTOMER),
    "TC_N_32": ("CustomerInformation", CUSTOMER | {"clear": True, "report": False}, ACCEPTED, ()),
    "TC_N_62": ("CustomerInformation", CUSTOMER | {"clear": True}, ACCEPTED, ABOUT_CUSTOMER),
}  # fmt: skip


async def _play(version: Version, case: Case) -> None:
    action, payload, answer, said = case
    assert fault_in(answer, action, "answer", version) is None
    async with booted(version) as (rig, charger):
        request = OperatorRequest(
            charger_id=GARAGE, action=action, payload=payload, asked_by="me", has_visit=False, is_forced=False
        )
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(rig.driver.ask(request))
            message_id, *sent = await charger.request()
            await charger.reply(message_id, answer)
        assert (sent, asking.result()) == ([action, payload], Responded(answer))
        for told, news_of_it in said:
            assert fault_in(news_of_it, told, "request", version) is None, told
            confirmed = await charger.call(told, news_of_it)
            assert fault_in(confirmed, told, "answer", version) is None


@pytest.mark.parametrize("case", CASES_16.values(), ids=CASES_16.keys())
async def test_tc_what_a_person_asks_in_1_6(case: Case) -> None:
    await _play("1.6", case)


@pytest.mark.parametrize("case", CASES_201.values(), ids=CASES_201.keys())
async def test_tc_what_a_person_asks_in_2_0_1(case: Case) -> None:
    await _play("2.0.1", case)
