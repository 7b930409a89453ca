"""What chargers say unasked beside charging, over a real socket: answered as the schema says, kept, and told once."""

from typing import Any

import pytest
from ocpp_rig import GARAGE, ScriptedCharger, running
from structlog.testing import capture_logs

from chargerd.contract import ChargerOnline, StatusReported
from chargerd_drivers.ocpp.unasked import KEPT
from chargerd_drivers.ocpp.wire import Version, fault_in

AT = "2026-01-14T16:00:00Z"
LIMIT = {"chargingLimitSource": "EMS", "isGridCritical": False}
SCHEDULE = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
PROFILE = {
    "id": 9,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [SCHEDULE],
}
NEEDS = {
    "requestedEnergyTransfer": "AC_three_phase",
    "departureTime": "2026-01-15T06:00:00Z",
    "acChargingParameters": {"energyAmount": 20000, "evMinCurrent": 6, "evMaxCurrent": 16, "evMaxVoltage": 400},
}
OCSP = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "a",
    "issuerKeyHash": "b",
    "serialNumber": "c",
    "responderURL": "http://x",
}
ALERT = {
    "eventId": 1,
    "timestamp": AT,
    "trigger": "Alerting",
    "actualValue": "81",
    "eventNotificationType": "HardWiredNotification",
    "component": {"name": "Connector"},
    "variable": {"name": "Temperature"},
}
MESSAGE = {"id": 1, "priority": "AlwaysFront", "message": {"format": "UTF8", "content": "hello"}}
MONITOR = {
    "component": {"name": "Connector"},
    "variable": {"name": "Temperature"},
    "variableMonitoring": [{"id": 1, "transaction": False, "value": 80, "type": "UpperThreshold", "severity": 2}],
}
VARIABLE = {"component": {"name": "EVSE"}, "variable": {"name": "Power"}, "variableAttribute": [{"value": "11"}]}

NO_KEY = "[ocpp] has no tls_ca_key_file to sign it with; chargerd ca issue --charger makes one by hand"
SAID: dict[Version, dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "1.6": {
        "DataTransfer": ({"vendorId": "acme", "messageId": "m", "data": "x"}, {"status": "UnknownVendorId"}),
        "DiagnosticsStatusNotification": ({"status": "Uploaded"}, {}),
        "FirmwareStatusNotification": ({"status": "Installing"}, {}),
        "LogStatusNotification": ({"status": "UploadFailure", "requestId": 7}, {}),
        "SecurityEventNotification": ({"type": "MemoryExhaustion", "timestamp": AT, "techInfo": "heap"}, {}),
        "SignCertificate": ({"csr": "CSR"}, {"status": "Rejected"}),
        "SignedFirmwareStatusNotification": ({"status": "InvalidSignature", "requestId": 7}, {}),
    },
    "2.0.1": {
        "ClearedChargingLimit": ({"chargingLimitSource": "EMS"}, {}),
        "DataTransfer": ({"vendorId": "acme", "messageId": "m", "data": {"a": 1}}, {"status": "UnknownVendorId"}),
        "FirmwareStatusNotification": ({"status": "Installing", "requestId": 7}, {}),
        "Get15118EVCertificate": (
            {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "EXI"},
            {"status": "Failed", "exiResponse": ""},
        ),
        "GetCertificateStatus": ({"ocspRequestData": OCSP}, {"status": "Failed"}),
        "LogStatusNotification": ({"status": "Uploaded", "requestId": 7}, {}),
        "NotifyChargingLimit": ({"chargingLimit": LIMIT, "chargingSchedule": [SCHEDULE]}, {}),
        "NotifyCustomerInformation": ({"data": "none", "seqNo": 0, "generatedAt": AT, "requestId": 7}, {}),
        "NotifyDisplayMessages": ({"requestId": 7, "messageInfo": [MESSAGE]}, {}),
        "NotifyEVChargingNeeds": ({"evseId": 1, "chargingNeeds": NEEDS}, {"status": "Rejected"}),
        "NotifyEVChargingSchedule": (
            {"timeBase": AT, "evseId": 1, "chargingSchedule": SCHEDULE},
            {"status": "Accepted"},
        ),
        "NotifyEvent": ({"generatedAt": AT, "seqNo": 0, "eventData": [ALERT]}, {}),
        "NotifyMonitoringReport": ({"requestId": 7, "seqNo": 0, "generatedAt": AT, "monitor": [MONITOR]}, {}),
        "NotifyReport": ({"requestId": 7, "seqNo": 0, "generatedAt": AT, "reportData": [VARIABLE]}, {}),
        "PublishFirmwareStatusNotification": ({"status": "DownloadFailed", "requestId": 7}, {}),
        "ReportChargingProfiles": (
            {"requestId": 7, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [PROFILE]},
            {},
        ),
        "ReservationStatusUpdate": ({"reservationId": 3, "reservationUpdateStatus": "Expired"}, {}),
        "SecurityEventNotification": ({"type": "MemoryExhaustion", "timestamp": AT, "techInfo": "heap"}, {}),
        "SignCertificate": (
            {"csr": "CSR"},
            {"status": "Rejected", "statusInfo": {"reasonCode": "NotEnabled", "additionalInfo": NO_KEY}},
        ),
    },
}
VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1")

TOPICS: dict[str, tuple[str, dict[str, Any]]] = {
    "DiagnosticsStatusNotification": ("logUpload", {"status": "Uploaded"}),
    "LogStatusNotification": ("logUpload", {"requestId": 7}),
    "FirmwareStatusNotification": ("firmware", {"status": "Installing"}),
    "SignedFirmwareStatusNotification": ("firmware", {"status": "InvalidSignature", "requestId": 7}),
    "SecurityEventNotification": ("securityEvent", {"type": "MemoryExhaustion", "info": "heap"}),
    "DataTransfer": ("dataTransfer", {"vendorId": "acme", "messageId": "m"}),
    "SignCertificate": ("certificateRequest", {"status": "Rejected", "why": NO_KEY}),
    "NotifyChargingLimit": ("chargingLimit", {"source": "EMS", "isGridCritical": False}),
    "NotifyEvent": ("event", {"component": "Connector", "variable": "Temperature", "value": "81", "isOver": False}),
    "NotifyEVChargingNeeds": (
        "chargingNeeds",
        {
            "departureTime": "2026-01-15T06:00:00Z",
            "requestedEnergyTransfer": "AC_three_phase",
            "energyAmountWh": 20000,
        },
    ),
    "PublishFirmwareStatusNotification": ("publishedFirmware", {"status": "DownloadFailed", "requestId": 7}),
    "ReservationStatusUpdate": ("reservation", {"status": "Expired", "reservationId": 3}),
}


def test_every_message_that_is_kept_is_sent_here() -> None:
    assert {action for said in SAID.values() for action in said} == KEPT


@pytest.mark.parametrize(
    ("version", "action"), [(version, action) for version, said in SAID.items() for action in said]
)
async def test_what_a_charger_says_unasked_is_answered_as_the_schema_says_and_kept(
    version: Version, action: str
) -> None:
    payload, expected = SAID[version][action]
    assert fault_in(payload, action, "request", version) is None
    async with running() as rig, rig.charger(version) as charger:
        answer = await charger.call(action, payload)
        assert answer == expected
        assert fault_in(answer, action, "answer", version) is None
        [message] = rig.driver.overview(GARAGE)["messages"]
        assert (message["action"], message["payload"]) == (action, payload)
        told = rig.driver.told(GARAGE)
        topic, members = TOPICS.get(action, (None, {}))
        assert list(told) == ([] if topic is None else [topic])
        if topic is not None:
            assert members.items() <= told[topic].items()
            assert told[topic]["at"] == message["at"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("payload", [{}, {"status": None}, {"status": ["Installing"]}, {"eventData": [1, None, {}]}])
async def test_the_same_with_a_payload_that_breaks_the_schema_is_answered_all_the_same(
    version: Version, payload: dict[str, Any]
) -> None:
    async with running() as rig, rig.charger(version) as charger:
        for action, (_, expected) in SAID[version].items():
            assert await charger.call(action, payload) == expected


async def test_a_security_event_and_a_firmware_installation_are_told_once_per_change() -> None:
    event = {"type": "TamperDetectionActivated", "timestamp": AT}
    with capture_logs() as logs:
        async with running() as rig, rig.charger() as charger:
            for status in ("Downloading", "Downloading", "Installing", "Installing", "InstallationFailed", "Idle"):
                await charger.call("FirmwareStatusNotification", {"status": status})
            for _ in range(5):
                await charger.call("SecurityEventNotification", event)
                await charger.call("SecurityEventNotification", {"type": "ResetOrReboot", "timestamp": AT})
    told = [(log["log_level"], log["message"]) for log in logs if log["event"] == "ocpp.told"]
    assert told == [
        ("info", "garage: firmware update: Downloading"),
        ("info", "garage: firmware update: Installing"),
        ("warning", "garage: firmware update: InstallationFailed"),
        ("debug", "garage: firmware update: Idle"),
        ("warning", "garage: security event: TamperDetectionActivated"),
        ("info", "garage: security event: ResetOrReboot"),
    ]


async def test_what_was_told_outlasts_the_connection() -> None:
    async with running() as rig:
        async with rig.charger() as charger:
            await charger.call("FirmwareStatusNotification", {"status": "Installing"})
        async with rig.charger() as charger:
            await charger.call("Heartbeat", {})
            assert rig.driver.told(GARAGE)["firmware"]["status"] == "Installing"


async def test_a_limit_of_another_system_is_shown_until_it_is_cleared() -> None:
    with capture_logs() as logs:
        async with running() as rig, rig.charger("2.0.1") as charger:
            await charger.call("NotifyChargingLimit", {"chargingLimit": LIMIT})
            assert rig.driver.told(GARAGE)["chargingLimit"]["source"] == "EMS"
            await charger.call("ClearedChargingLimit", {"chargingLimitSource": "EMS"})
            assert "chargingLimit" not in rig.driver.told(GARAGE)
    assert [log["message"] for log in logs if log["event"] == "ocpp.told"] == [
        "garage: its charging is limited by EMS",
        "garage: its charging is not limited by EMS any more",
    ]


async def unavailable(charger: ScriptedCharger, version: Version) -> None:
    if version == "1.6":
        status: dict[str, Any] = {"connectorId": 1, "errorCode": "NoError", "status": "Unavailable"}
    else:
        status = {"timestamp": AT, "connectorStatus": "Unavailable", "evseId": 1, "connectorId": 1}
    assert await charger.call("StatusNotification", status) == {}


@pytest.mark.parametrize("version", VERSIONS)
async def test_out_of_service_while_firmware_is_installed_is_neither_a_fault_nor_a_car_that_left(
    version: Version,
) -> None:
    async with running() as rig, rig.charger(version) as charger:
        await charger.call("FirmwareStatusNotification", SAID[version]["FirmwareStatusNotification"][0])
        await unavailable(charger, version)
        await rig.sink.take(ChargerOnline)
        status = await rig.sink.take(StatusReported)
        assert (status.fault, status.plugged, status.activity) == ("", None, None)
        assert rig.driver.told(GARAGE)["firmware"]["status"] == "Installing"


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_may_be_asked_is_known_while_the_charger_is_connected(version: Version) -> None:
    async with running() as rig:
        assert rig.driver.overview(GARAGE) == {"actions": None, "messages": []}
        async with rig.charger(version) as charger:
            await charger.call("Heartbeat", {})
            assert "UnlockConnector" in rig.driver.overview(GARAGE)["actions"]
