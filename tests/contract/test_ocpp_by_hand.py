"""What a person asks a charger by hand, over a real socket: every action, in its turn, and nothing that does harm."""

import asyncio
import json
from typing import Any

import pytest
from ocpp_rig import BOOT_16, GARAGE, Rig, ScriptedCharger, boot, running
from structlog.testing import capture_logs

from chargerd.contract import (
    ChargerInstructed,
    CommandId,
    Faulted,
    NotSent,
    OperatorAnswer,
    OperatorRequest,
    Refused,
    Responded,
    SetCurrentLimit,
    StartTransaction,
    Unreachable,
    Withheld,
)
from chargerd_drivers.ocpp.by_hand import ACTIONS
from chargerd_drivers.ocpp.wire import Version, fault_in

SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.3}]}
PROFILE_16 = {
    "chargingProfileId": 9,
    "stackLevel": 3,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": SCHEDULE,
}
PROFILE_201 = {
    "id": 9,
    "stackLevel": 3,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [{"id": 1, **SCHEDULE}],
}
NAMED = {"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStopPoint"}}
LOG_FILE = {"remoteLocation": "ftp://me:pass@nas/log"}
HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}
FIRMWARE = {"location": "https://x/fw", "retrieveDateTime": "2026-01-14T16:00:00Z"}
SIGNED = {**FIRMWARE, "signingCertificate": "CERT", "signature": "SIG"}
TOKEN = {"idToken": "04A2", "type": "ISO14443"}

SENT: dict[Version, dict[str, dict[str, Any]]] = {
    "1.6": {
        "CancelReservation": {"reservationId": 1},
        "CertificateSigned": {"certificateChain": "CERT"},
        "ChangeAvailability": {"connectorId": 1, "type": "Inoperative"},
        "ChangeConfiguration": {"key": "AuthorizationKey", "value": "0123456789abcdef"},
        "ClearCache": {},
        "ClearChargingProfile": {},
        "DataTransfer": {"vendorId": "acme", "data": "private"},
        "DeleteCertificate": {"certificateHashData": HASHES},
        "ExtendedTriggerMessage": {"requestedMessage": "Heartbeat"},
        "GetCompositeSchedule": {"connectorId": 1, "duration": 3600},
        "GetConfiguration": {},
        "GetDiagnostics": {"location": "ftp://me:pass@nas/diag"},
        "GetInstalledCertificateIds": {"certificateType": "CentralSystemRootCertificate"},
        "GetLocalListVersion": {},
        "GetLog": {"log": LOG_FILE, "logType": "SecurityLog", "requestId": 1},
        "InstallCertificate": {"certificateType": "CentralSystemRootCertificate", "certificate": "CERT"},
        "RemoteStartTransaction": {"idTag": "04A2", "connectorId": 1},
        "RemoteStopTransaction": {"transactionId": 17},
        "ReserveNow": {"connectorId": 1, "expiryDate": "2026-01-14T18:00:00Z", "idTag": "04A2", "reservationId": 1},
        "Reset": {"type": "Soft"},
        "SendLocalList": {"listVersion": 1, "updateType": "Full"},
        "SetChargingProfile": {"connectorId": 1, "csChargingProfiles": PROFILE_16},
        "SignedUpdateFirmware": {"requestId": 1, "firmware": SIGNED},
        "TriggerMessage": {"requestedMessage": "BootNotification"},
        "UnlockConnector": {"connectorId": 1},
        "UpdateFirmware": {"location": "https://x/fw", "retrieveDate": "2026-01-14T16:00:00Z"},
    },
    "2.0.1": {
        "CancelReservation": {"reservationId": 1},
        "CertificateSigned": {"certificateChain": "CERT"},
        "ChangeAvailability": {"operationalStatus": "Inoperative"},
        "ClearCache": {},
        "ClearChargingProfile": {"chargingProfileId": 9},
        "ClearDisplayMessage": {"id": 1},
        "ClearVariableMonitoring": {"id": [1]},
        "CostUpdated": {"totalCost": 1.5, "transactionId": "17"},
        "CustomerInformation": {"requestId": 1, "report": True, "clear": False},
        "DataTransfer": {"vendorId": "acme", "data": "private"},
        "DeleteCertificate": {"certificateHashData": HASHES},
        "GetBaseReport": {"requestId": 1, "reportBase": "FullInventory"},
        "GetChargingProfiles": {"requestId": 1, "chargingProfile": {}},
        "GetCompositeSchedule": {"duration": 3600, "evseId": 1},
        "GetDisplayMessages": {"requestId": 1},
        "GetInstalledCertificateIds": {},
        "GetLocalListVersion": {},
        "GetLog": {"log": LOG_FILE, "logType": "DiagnosticsLog", "requestId": 1},
        "GetMonitoringReport": {"requestId": 1},
        "GetReport": {"requestId": 1},
        "GetTransactionStatus": {},
        "GetVariables": {"getVariableData": [NAMED]},
        "InstallCertificate": {"certificateType": "CSMSRootCertificate", "certificate": "CERT"},
        "PublishFirmware": {"location": "https://x/fw", "checksum": "0" * 32, "requestId": 1},
        "RequestStartTransaction": {"idToken": TOKEN, "remoteStartId": 1, "evseId": 1},
        "RequestStopTransaction": {"transactionId": "17"},
        "ReserveNow": {"id": 1, "expiryDateTime": "2026-01-14T18:00:00Z", "idToken": TOKEN},
        "Reset": {"type": "Immediate"},
        "SendLocalList": {"versionNumber": 1, "updateType": "Full"},
        "SetChargingProfile": {"evseId": 1, "chargingProfile": PROFILE_201},
        "SetDisplayMessage": {
            "message": {"id": 1, "priority": "AlwaysFront", "message": {"format": "UTF8", "content": "hello"}}
        },
        "SetMonitoringBase": {"monitoringBase": "All"},
        "SetMonitoringLevel": {"severity": 4},
        "SetNetworkProfile": {
            "configurationSlot": 1,
            "connectionData": {
                "ocppVersion": "OCPP20",
                "ocppTransport": "JSON",
                "ocppCsmsUrl": "wss://x",
                "messageTimeout": 30,
                "securityProfile": 2,
                "ocppInterface": "Wired0",
                "vpn": {"server": "v", "user": "u", "password": "p", "key": "k", "type": "IPSec"},
            },
        },
        "SetVariableMonitoring": {"setMonitoringData": [{"value": 1.0, "type": "Delta", "severity": 4, **NAMED}]},
        "SetVariables": {"setVariableData": [{"attributeValue": "EVConnected", **NAMED}]},
        "TriggerMessage": {"requestedMessage": "BootNotification"},
        "UnlockConnector": {"evseId": 1, "connectorId": 1},
        "UnpublishFirmware": {"checksum": "0" * 32},
        "UpdateFirmware": {"requestId": 1, "firmware": SIGNED},
    },
}

DISTURBING: dict[Version, set[str]] = {
    "1.6": {
        *("ChangeAvailability", "ChangeConfiguration", "ClearChargingProfile", "GetDiagnostics", "GetLog"),
        *("RemoteStartTransaction", "RemoteStopTransaction", "Reset", "SetChargingProfile", "SignedUpdateFirmware"),
        *("UnlockConnector", "UpdateFirmware"),
    },
    "2.0.1": {
        *("ChangeAvailability", "ClearChargingProfile", "GetLog", "RequestStartTransaction", "RequestStopTransaction"),
        *("Reset", "SetChargingProfile", "SetNetworkProfile", "SetVariables", "UnlockConnector", "UpdateFirmware"),
    },
}
VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1")


def by_hand(action: str, payload: dict[str, Any], *, has_visit: bool = False, forced: bool = False) -> OperatorRequest:
    return OperatorRequest(
        charger_id=GARAGE, action=action, payload=payload, asked_by="me", has_visit=has_visit, is_forced=forced
    )


async def answered(
    rig: Rig, charger: ScriptedCharger, request: OperatorRequest, answer: dict[str, Any]
) -> tuple[OperatorAnswer, dict[str, Any]]:
    """Have a request asked and answered; return what came of it, and what the charger got."""
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(rig.driver.ask(request))
        message_id, action, payload = await charger.request()
        assert action.casefold() == request.action.casefold()
        await charger.reply(message_id, answer)
    return asking.result(), payload


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_action_of_a_central_system_is_sent_as_it_is_and_answered(version: Version) -> None:
    assert set(SENT[version]) == set(ACTIONS[version])
    async with running() as rig, rig.charger(version) as charger:
        await boot(charger, version)
        for action, payload in SENT[version].items():
            assert fault_in(payload, action, "request", version) is None, action
            said = {"status": "Accepted", "of": action}
            outcome, got = await answered(rig, charger, by_hand(action, payload), said)
            assert (outcome, got) == (Responded(said), payload)


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_would_disturb_a_car_that_is_there_is_withheld_with_the_reason_unless_forced(
    version: Version,
) -> None:
    async with running() as rig, rig.charger(version) as charger:
        await boot(charger, version)
        for action in DISTURBING[version]:
            withheld = await rig.driver.ask(by_hand(action, SENT[version][action], has_visit=True))
            assert isinstance(withheld, NotSent), action
            assert withheld.why is Withheld.DISTURBING
            assert withheld.detail.startswith(f"a car is plugged in, and {action} is not sent: ")
            forced = by_hand(action, SENT[version][action], has_visit=True, forced=True)
            outcome, _ = await answered(rig, charger, forced, {"status": "Rejected"})
            assert outcome == Responded({"status": "Rejected"})
        for action in set(ACTIONS[version]) - DISTURBING[version]:
            await answered(rig, charger, by_hand(action, SENT[version][action], has_visit=True), {})


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        ("1.6", "ChangeAvailability", {"connectorId": 1, "type": "Operative"}),
        ("1.6", "ChangeConfiguration", {"key": "LightIntensity", "value": "50"}),
        ("2.0.1", "ChangeAvailability", {"operationalStatus": "Operative"}),
        ("2.0.1", "Reset", {"type": "OnIdle"}),
        (
            "2.0.1",
            "SetVariables",
            {
                "setVariableData": [
                    {"attributeValue": "1", "component": {"name": "Display"}, "variable": {"name": "Brightness"}}
                ]
            },
        ),
    ],
)
async def test_what_does_no_harm_in_this_form_is_sent_while_a_car_is_there(
    version: Version, action: str, payload: dict[str, Any]
) -> None:
    async with running() as rig, rig.charger(version) as charger:
        await boot(charger, version)
        outcome, _ = await answered(rig, charger, by_hand(action, payload, has_visit=True), {"status": "Accepted"})
        assert outcome == Responded({"status": "Accepted"})
        assert not [event for event in rig.sink.seen if isinstance(event, ChargerInstructed)]


async def test_the_spelling_of_an_action_does_not_matter() -> None:
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        _, payload = await answered(rig, charger, by_hand("clearcache", {}), {"status": "Accepted"})
        assert payload == {}


@pytest.mark.parametrize(
    ("version", "action", "there"),
    [
        ("1.6", "GetVariables", "ClearCache, ClearChargingProfile"),
        ("2.0.1", "GetConfiguration", "GetBaseReport, GetChargingProfiles"),
        ("1.6", "BootNotification", "Reset"),
        ("2.0.1", "TransactionEvent", "Reset"),
        ("1.6", "../Reset", "Reset"),
    ],
)
async def test_an_action_that_there_is_not_names_those_that_there_are(
    version: Version, action: str, there: str
) -> None:
    async with running() as rig, rig.charger(version) as charger:
        await boot(charger, version)
        unknown = await rig.driver.ask(by_hand(action, {}))
        assert isinstance(unknown, NotSent)
        assert unknown.why is Withheld.UNKNOWN
        assert there in unknown.detail


DEEP: dict[str, Any] = {}
for _ in range(40):
    DEEP = {"deeper": DEEP}


@pytest.mark.parametrize(
    ("action", "payload", "path", "detail"),
    [
        ("Reset", {}, "", "'type' is a required property"),
        ("Reset", {"type": "Gentle"}, "type", "'Gentle' is not one of"),
        ("Reset", {"type": "Soft", "why": 1}, "", "Additional properties are not allowed"),
        ("RemoteStopTransaction", {"transactionId": "17"}, "transactionId", "'17' is not of type 'integer'"),
        ("RemoteStopTransaction", {"transactionId": 10**40}, "", "integer of more than 30 digits"),
        ("RemoteStopTransaction", {"transactionId": float("nan")}, "", "NaN is no JSON number"),
        ("DataTransfer", DEEP, "", "nested deeper than 32 levels"),
    ],
)
async def test_what_breaks_the_schema_is_not_sent_and_says_where(
    action: str, payload: dict[str, Any], path: str, detail: str
) -> None:
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        invalid = await rig.driver.ask(by_hand(action, payload))
        assert isinstance(invalid, NotSent)
        assert (invalid.why, invalid.path) == (Withheld.INVALID, path)
        assert detail in invalid.detail
        assert "currentTime" in await charger.call("Heartbeat", {})
        assert not charger.requests


async def test_an_error_of_the_charger_is_told_in_its_own_words() -> None:
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(rig.driver.ask(by_hand("ClearCache", {})))
            message_id, _, _ = await charger.request()
            await charger.socket.send(json.dumps([4, message_id, "VendorTrouble", "cache is glued", {}]))
        assert asking.result() == Faulted("VendorTrouble", "cache is glued")


async def test_without_a_connection_or_an_answer_it_is_unreachable() -> None:
    async with running(call_timeout_s=0.1) as rig:
        with pytest.raises(Unreachable, match="garage: not connected"):
            await rig.driver.ask(by_hand("ClearCache", {}))
        async with rig.charger() as charger:
            await boot(charger)
            with pytest.raises(Unreachable, match="no answer to ClearCache") as silent:
                await rig.driver.ask(by_hand("ClearCache", {}))
            assert silent.value.timed_out


async def test_a_request_by_hand_waits_for_its_turn_among_our_own() -> None:
    start = StartTransaction(charger_id=GARAGE, command_id=CommandId(7), id_token="chargerd")
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rig.driver.execute(start))
            first, action, _ = await charger.request()
            assert action == "RemoteStartTransaction"
            tasks.create_task(rig.driver.ask(by_hand("ClearCache", {})))
            await charger.call("Heartbeat", {})
            assert not charger.requests, "a second CALL came before the first was answered"
            await charger.reply(first, {"status": "Accepted"})
            second, action, _ = await charger.request()
            assert action == "ClearCache"
            await charger.reply(second, {"status": "Accepted"})


@pytest.mark.parametrize(("status", "is_told"), [("Accepted", True), ("Scheduled", True), ("Rejected", False)])
async def test_what_may_have_changed_something_is_told_so_that_it_is_looked_at_anew(status: str, is_told: bool) -> None:
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        await answered(
            rig, charger, by_hand("ChangeAvailability", SENT["1.6"]["ChangeAvailability"]), {"status": status}
        )
        told = [event for event in rig.sink.seen if isinstance(event, ChargerInstructed)]
        assert told == ([ChargerInstructed(charger_id=GARAGE, action="ChangeAvailability")] if is_told else [])


async def test_what_got_no_answer_may_have_changed_something_too() -> None:
    async with running(call_timeout_s=0.05) as rig, rig.charger() as charger:
        await boot(charger)
        with pytest.raises(Unreachable):
            await rig.driver.ask(by_hand("ClearChargingProfile", {}))
        assert (await rig.sink.take(ChargerInstructed)).action == "ClearChargingProfile"


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_journal_tells_who_asked_for_what_and_never_a_secret(version: Version) -> None:
    secrets = ("0123456789abcdef", "CERT", "me:pass", "04A2", "private", "hunter2", '"k"')
    password = {"attributeValue": "hunter2", "component": {"name": "SecurityCtrlr"}}
    extra = [("SetVariables", {"setVariableData": [{**password, "variable": {"name": "BasicAuthPassword"}}]})]
    with capture_logs() as logs:
        async with running() as rig, rig.charger(version) as charger:
            await boot(charger, version)
            for action, payload in [*SENT[version].items(), *(extra if version == "2.0.1" else [])]:
                await answered(rig, charger, by_hand(action, payload, forced=True), {})
    told = [log for log in logs if log["event"] == "ocpp.by_hand"]
    assert [log["action"] for log in told][: len(SENT[version])] == list(SENT[version])
    assert {(log["log_level"], log["asked_by"], log["charger"], log["forced"]) for log in told} == {
        ("info", "me", GARAGE, True)
    }
    for log in told:
        assert not [secret for secret in secrets if secret in str(log["payload"])], log
    assert any("AuthorizationKey" in str(log["payload"]) or "BasicAuthPassword" in str(log["payload"]) for log in told)


async def test_frames_that_hold_a_secret_are_not_in_the_debug_log_either() -> None:
    with capture_logs() as logs:
        async with running() as rig, rig.charger() as charger:
            await boot(charger)
            key = [{"key": "AuthorizationKey", "readonly": False, "value": "0123456789abcdef"}]
            request = by_hand("ChangeConfiguration", SENT["1.6"]["ChangeConfiguration"])
            await answered(rig, charger, request, {"status": "Accepted"})
            await answered(rig, charger, by_hand("GetConfiguration", {}), {"configurationKey": key})
    frames = [log["frame"] for log in logs if log["event"] == "ocpp.frame"]
    assert any("ChangeConfiguration" in frame for frame in frames)
    assert not [frame for frame in frames if "0123456789abcdef" in frame]


@pytest.mark.parametrize(
    ("version", "answer", "words"),
    [
        (
            "2.0.1",
            {"statusInfo": {"reasonCode": "TxInProgress", "additionalInfo": "EVSE busy"}},
            "TxInProgress, EVSE busy",
        ),
        ("2.0.1", {"statusInfo": {"reasonCode": "NoProfile"}}, "NoProfile"),
        ("1.6", {"info": "Load balancer is disabled"}, "Load balancer is disabled"),
    ],
)
async def test_a_refusal_carries_the_chargers_own_reason(version: Version, answer: dict[str, Any], words: str) -> None:
    limit = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(9), limit_a=0.0)

    async def refuse_all() -> None:
        while True:
            message_id, _, _ = await charger.request()
            await charger.reply(message_id, {"status": "Rejected", **answer})

    async with running() as rig, rig.charger(version) as charger:
        await boot(charger, version)
        async with asyncio.TaskGroup() as tasks:
            refusing = tasks.create_task(refuse_all())
            with pytest.raises(Refused, match=f"got 'Rejected': {words}$"):
                await rig.driver.execute(limit)
            refusing.cancel()


async def test_a_request_by_hand_right_after_a_boot_waits_until_the_charger_has_settled() -> None:
    async with running() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        outcome, _ = await _first(rig, charger)
        assert outcome == Responded({"status": "Accepted"})


async def _first(rig: Rig, charger: ScriptedCharger) -> tuple[OperatorAnswer, str]:
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(rig.driver.ask(by_hand("ClearCache", {})))
        message_id, action, _ = await charger.request("ClearCache")
        await charger.reply(message_id, {"status": "Accepted"})
    return asking.result(), action
