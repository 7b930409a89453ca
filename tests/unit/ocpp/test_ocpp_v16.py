"""OCPP 1.6 payloads to events, and commands to requests."""

from datetime import UTC, datetime

import pytest

from chargerd.contract import (
    Activity,
    AnswerAuthorize,
    AnswerTransaction,
    ChargerBooted,
    ChargerId,
    CommandId,
    MeterSampled,
    ProtocolViolation,
    ReplyTo,
    StartTransaction,
    StatusReported,
    StopTransaction,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)
from chargerd_drivers.ocpp import v16
from chargerd_drivers.ocpp.dialect import Context
from chargerd_drivers.ocpp.wire import fault_in

NOW = datetime(2026, 1, 14, 16, tzinfo=UTC)
GARAGE = ChargerId("garage")
CONTEXT = Context(
    charger_id=GARAGE, connector=1, now=NOW, reply_to=ReplyTo("r"), foreign=frozenset({"99"}), spare_transaction_id=5000
)


def read(action, payload):
    reading = v16.read(action, payload, CONTEXT)
    assert reading is not None
    for answer in (reading.reply, reading.fallback):
        assert answer is None or fault_in(answer, reading.action, "answer", "1.6") is None
    return reading


STATUS = [
    ("Available", False, Activity.IDLE),
    ("Preparing", True, Activity.EV_CONNECTED),
    ("Charging", True, Activity.CHARGING),
    ("SuspendedEV", True, Activity.SUSPENDED_EV),
    ("SuspendedEVSE", True, Activity.SUSPENDED_EVSE),
    ("Finishing", True, Activity.FINISHING),
    ("Reserved", False, None),
    ("Unavailable", None, None),
    ("charging", True, Activity.CHARGING),
    ("SUSPENDED_EV", True, Activity.SUSPENDED_EV),
    ("Occupied", True, None),
]


@pytest.mark.parametrize(("status", "plugged", "activity"), STATUS, ids=[row[0] for row in STATUS])
def test_a_status_tells_of_plug_and_activity_and_that_there_is_no_fault(status, plugged, activity) -> None:
    payload = {"connectorId": "1", "status": status, "errorCode": "NoError", "timestamp": "2026-01-14T15:00:00Z"}
    assert read("StatusNotification", payload).events == (
        StatusReported(
            charger_id=GARAGE,
            plugged=plugged,
            activity=activity,
            fault="",
            measured_at=datetime(2026, 1, 14, 15, tzinfo=UTC),
        ),
    )


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({"errorCode": "GroundFailure"}, "GroundFailure"),
        ({"errorCode": "OtherError", "info": "relay", "vendorErrorCode": "E7"}, "OtherError: E7: relay"),
        ({"errorCode": "NoError", "info": None}, "Faulted"),
        ({}, "Faulted"),
    ],
)
def test_a_fault_is_told_in_the_chargers_words_and_leaves_the_plug_unknown(payload, fault) -> None:
    [event] = read("StatusNotification", {"connectorId": 1, "status": "Faulted", **payload}).events
    assert (event.fault, event.plugged, event.activity) == (fault, None, None)


@pytest.mark.parametrize(
    "payload",
    [
        {"connectorId": 0, "status": "Available"},
        {"connectorId": 2, "status": "Charging"},
        {"connectorId": 1, "status": "Dancing"},
        {"connectorId": 1},
        {"connectorId": [], "status": "Charging"},
    ],
    ids=str,
)
def test_a_status_of_another_connector_or_without_meaning_is_answered_and_tells_nothing(payload) -> None:
    reading = read("StatusNotification", payload)
    assert (reading.reply, reading.events) == ({}, ())


def test_a_message_without_a_connector_is_taken_for_the_controlled_one() -> None:
    assert len(read("StatusNotification", {"status": "Charging"}).events) == 1


@pytest.mark.parametrize(
    ("transaction_id", "expected"),
    [(17, "17"), ("17", "17"), (0, None), (-1, None), (None, None), ("", None), (2**63 - 1, str(2**63 - 1))],
)
def test_meter_values_carry_their_transaction_where_it_is_one(transaction_id, expected) -> None:
    payload = {"connectorId": 1, "transactionId": transaction_id, "meterValue": {"sampledValue": [{"value": "5"}]}}
    [event] = read("MeterValues", payload).events
    assert isinstance(event, MeterSampled)
    assert event.transaction_id == expected


def test_meter_values_of_another_connector_tell_nothing() -> None:
    assert read("MeterValues", {"connectorId": 0, "meterValue": [{"sampledValue": [{"value": "5"}]}]}).events == ()


def test_a_boot_tells_who_it_is_and_never_fails_for_odd_fields() -> None:
    payload = {"chargePointVendor": "V" * 400, "chargePointModel": 7, "chargeBoxSerialNumber": "S", "extra": {}}
    [event] = read("BootNotification", payload).events
    assert event == ChargerBooted(charger_id=GARAGE, vendor="V" * 255, model="7", serial="S")


def test_a_start_asks_for_a_decision_and_has_no_answer_without_one() -> None:
    payload = {"connectorId": 1, "idTag": "", "meterStart": "100", "timestamp": "1970-01-01T00:00:00Z"}
    reading = read("StartTransaction", payload)
    assert (reading.reply, reading.fallback) == (None, None)
    [event] = reading.events
    assert event == TransactionStarted(charger_id=GARAGE, reply_to=ReplyTo("r"), register_wh=100)
    answer = AnswerTransaction(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId("17"))
    assert v16.confirmation(reading, answer) == {"transactionId": 17, "idTagInfo": {"status": "Accepted"}}


def test_a_start_on_another_connector_gets_a_spare_id() -> None:
    reading = read("StartTransaction", {"connectorId": 2, "idTag": "x", "meterStart": 0})
    assert reading.reply == {"transactionId": 5000, "idTagInfo": {"status": "Accepted"}}
    assert (reading.foreign, reading.events) == ("5000", ())


@pytest.mark.parametrize(
    ("transaction_id", "expected"),
    [(17, "17"), ("17", "17"), (17.0, "17"), (2**63 - 1, str(2**63 - 1)), (-1, ""), (None, ""), ({}, "")],
)
def test_a_stop_of_any_id_asks_for_a_decision_and_can_be_confirmed_without_one(transaction_id, expected) -> None:
    reading = read("StopTransaction", {"transactionId": transaction_id, "meterStop": -1, "idTag": "x" * 37})
    [event] = reading.events
    assert isinstance(event, TransactionEnded)
    assert (event.transaction_id, event.register_wh) == (expected, None)
    assert reading.reply is None
    assert reading.fallback == {"idTagInfo": {"status": "Accepted"}}
    answer = AnswerTransaction(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId(expected))
    assert v16.confirmation(reading, answer) == reading.fallback


def test_a_stop_on_another_connector_is_confirmed_at_once() -> None:
    reading = read("StopTransaction", {"transactionId": 99, "meterStop": 5})
    assert reading.events == ()
    assert reading.reply == {"idTagInfo": {"status": "Accepted"}}


def test_an_answer_of_the_wrong_kind_is_none() -> None:
    start = read("StartTransaction", {"connectorId": 1})
    authorize = read("Authorize", {"idTag": "x"})
    yes = AnswerAuthorize(charger_id=GARAGE, reply_to=ReplyTo("r"), accepted=True)
    words = AnswerTransaction(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId("tx"))
    assert v16.confirmation(start, yes) is None
    assert v16.confirmation(start, words) is None
    assert v16.confirmation(authorize, yes) == {"idTagInfo": {"status": "Accepted"}}


@pytest.mark.parametrize(
    "action",
    [
        "Heartbeat",
        "DataTransfer",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "SecurityEventNotification",
        "SignedFirmwareStatusNotification",
        "heartbeat",
    ],
)
def test_what_needs_no_decision_is_answered_at_once(action) -> None:
    reading = read(action, {})
    assert reading.reply is not None
    assert reading.events == ()


@pytest.mark.parametrize("action", ["Reset", "Fancy", "", "../etc"])
def test_what_is_not_for_a_central_system_is_not_read(action) -> None:
    assert v16.read(action, {}, CONTEXT) is None


COMMANDS = [
    StartTransaction(charger_id=GARAGE, command_id=CommandId(1), id_token="a-token-that-is-much-too-long"),
    StopTransaction(charger_id=GARAGE, command_id=CommandId(1), transaction_id=TransactionId("17")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_request_keeps_to_the_schema(command) -> None:
    action, payload = v16.request(command, 1)
    assert fault_in(payload, action, "request", "1.6") is None


def test_a_transaction_id_that_is_no_integer_is_our_own_fault() -> None:
    command = StopTransaction(charger_id=GARAGE, command_id=CommandId(1), transaction_id=TransactionId("tx"))
    with pytest.raises(ProtocolViolation) as violation:
        v16.request(command, 1)
    assert violation.value.by == "LOCAL"


@pytest.mark.parametrize(
    "action", ["BootNotification", "Heartbeat", "Authorize", "StartTransaction", "StopTransaction", "DataTransfer"]
)
def test_what_a_stranger_is_told_keeps_to_the_schema(action) -> None:
    answer = v16.hold(action, {}, NOW)
    assert answer is not None
    assert fault_in(answer, action, "answer", "1.6") is None
