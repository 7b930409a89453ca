"""OCPP 2.0.1 payloads to events, and commands to requests."""

from datetime import UTC, datetime

import pytest

from chargerd.contract import (
    Activity,
    AnswerAuthorize,
    AnswerTransaction,
    AuthorizeRequested,
    ChargerBooted,
    ChargerId,
    CommandId,
    MeterSampled,
    ReplyTo,
    StartTransaction,
    StatusReported,
    StopTransaction,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)
from chargerd_drivers.ocpp import v201
from chargerd_drivers.ocpp.dialect import Context
from chargerd_drivers.ocpp.wire import fault_in

NOW = datetime(2026, 1, 14, 16, tzinfo=UTC)
AT = datetime(2026, 1, 14, 15, tzinfo=UTC)
GARAGE = ChargerId("garage")
CONTEXT = Context(charger_id=GARAGE, connector=1, now=NOW, reply_to=ReplyTo("r"), foreign=frozenset({"other"}))
METER = [
    {"timestamp": "2026-01-14T15:00:00Z", "sampledValue": [{"value": 100, "context": "Transaction.Begin"}]},
    {"timestamp": "2026-01-14T15:30:00Z", "sampledValue": [{"value": 900, "context": "Transaction.End"}]},
]


def read(action, payload):
    reading = v201.read(action, payload, CONTEXT)
    assert reading is not None
    for answer in (reading.reply, reading.fallback):
        assert answer is None or fault_in(answer, reading.action, "answer", "2.0.1") is None
    return reading


def event(kind, *, trigger="MeterValuePeriodic", state=None, transaction="tx", **more):
    info = {"transactionId": transaction, **({"chargingState": state} if state else {}), **more.pop("info", {})}
    payload = {"eventType": kind, "timestamp": "2026-01-14T15:00:00Z", "triggerReason": trigger, "seqNo": 1}
    return read("TransactionEvent", {**payload, "transactionInfo": info, **more})


STATUS = [
    ("Available", False, Activity.IDLE),
    ("Occupied", True, None),
    ("Reserved", False, None),
    ("Unavailable", None, None),
]


@pytest.mark.parametrize(("status", "plugged", "activity"), STATUS, ids=[row[0] for row in STATUS])
def test_a_status_tells_of_the_plug_and_that_there_is_no_fault(status, plugged, activity) -> None:
    payload = {"evseId": 1, "connectorId": 1, "connectorStatus": status, "timestamp": "2026-01-14T15:00:00Z"}
    assert read("StatusNotification", payload).events == (
        StatusReported(charger_id=GARAGE, plugged=plugged, activity=activity, fault="", measured_at=AT),
    )


def test_a_fault_leaves_the_plug_unknown() -> None:
    [reported] = read("StatusNotification", {"evseId": 1, "connectorStatus": "Faulted"}).events
    assert (reported.fault, reported.plugged) == ("Faulted", None)


@pytest.mark.parametrize(
    "payload", [{"evseId": 0, "connectorStatus": "Available"}, {"evseId": 2, "connectorStatus": "Occupied"}, {}]
)
def test_a_status_of_the_station_or_of_another_evse_tells_nothing(payload) -> None:
    assert read("StatusNotification", payload).events == ()


STATES = [
    ("Charging", True, Activity.CHARGING),
    ("EVConnected", True, Activity.EV_CONNECTED),
    ("SuspendedEV", True, Activity.SUSPENDED_EV),
    ("SuspendedEVSE", True, Activity.SUSPENDED_EVSE),
    ("Idle", None, Activity.IDLE),
]


@pytest.mark.parametrize(("state", "plugged", "activity"), STATES, ids=[row[0] for row in STATES])
def test_an_update_tells_the_charging_state_and_needs_no_decision(state, plugged, activity) -> None:
    reading = event("Updated", state=state)
    assert reading.reply == {}
    assert reading.events == (
        StatusReported(
            charger_id=GARAGE, plugged=plugged, activity=activity, transaction_id=TransactionId("tx"), measured_at=AT
        ),
    )


def test_an_update_without_a_charging_state_tells_no_state() -> None:
    assert event("Updated").events == ()


@pytest.mark.parametrize(
    ("trigger", "stopped", "plugged"),
    [("EVDeparted", None, False), ("CablePluggedIn", None, True), ("EVCommunicationLost", "EVDisconnected", None)],
)
def test_unplugging_is_believed_only_when_the_trigger_says_departed(trigger, stopped, plugged) -> None:
    reading = event("Ended", trigger=trigger, state="Idle", info={"stoppedReason": stopped})
    [reported] = [found for found in reading.events if isinstance(found, StatusReported)]
    assert reported.plugged is plugged


def test_an_update_with_a_token_is_authorised_at_once() -> None:
    reading = event("Updated", idToken={"idToken": "x", "type": "Central"})
    assert reading.reply == {"idTokenInfo": {"status": "Accepted"}}


def test_a_start_comes_before_its_state_and_samples_and_asks_for_a_decision() -> None:
    reading = event("Started", state="Charging", meterValue=METER, idToken={"idToken": "x", "type": "Central"})
    assert [type(found) for found in reading.events] == [TransactionStarted, StatusReported, MeterSampled, MeterSampled]
    started = reading.events[0]
    assert isinstance(started, TransactionStarted)
    assert (started.transaction_id, started.register_wh, started.id_token, started.measured_at) == ("tx", 100, "x", AT)
    assert reading.reply is None
    answer = AnswerTransaction(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId("tx"))
    assert v201.confirmation(reading, answer) == {"idTokenInfo": {"status": "Accepted"}}


def test_an_end_comes_after_its_samples_and_state() -> None:
    reading = event("Ended", state="EVConnected", meterValue=METER, info={"stoppedReason": "Local"})
    assert [type(found) for found in reading.events] == [MeterSampled, MeterSampled, StatusReported, TransactionEnded]
    ended = reading.events[-1]
    assert isinstance(ended, TransactionEnded)
    assert (ended.transaction_id, ended.register_wh, ended.reason) == ("tx", 900, "Local")
    assert (reading.reply, reading.fallback) == (None, {})


def test_the_transaction_of_another_evse_is_remembered_and_tells_nothing() -> None:
    first = event("Started", transaction="new", evse={"id": 2})
    assert (first.foreign, first.events, first.reply) == ("new", (), {})
    later = event("Ended", transaction="other")
    assert (later.events, later.reply) == ((), {})


@pytest.mark.parametrize(
    "payload", [{}, {"eventType": None, "transactionInfo": []}, {"eventType": "Ended", "meterValue": 5}]
)
def test_a_transaction_event_that_breaks_the_schema_can_be_answered(payload) -> None:
    reading = read("TransactionEvent", payload)
    assert reading.fallback == {}


def test_meter_values_outside_a_transaction_are_told() -> None:
    assert [found.register_wh for found in read("MeterValues", {"evseId": "1", "meterValue": METER}).events] == [
        100,
        900,
    ]
    assert read("MeterValues", {"evseId": 2, "meterValue": METER}).events == ()


def test_a_token_is_asked_about() -> None:
    reading = read("Authorize", {"idToken": {"idToken": "04A2", "type": "ISO14443"}})
    assert reading.events == (AuthorizeRequested(charger_id=GARAGE, id_token="04A2", reply_to=ReplyTo("r")),)
    no = AnswerAuthorize(charger_id=GARAGE, reply_to=ReplyTo("r"), accepted=False)
    assert v201.confirmation(reading, no) == {"idTokenInfo": {"status": "Invalid"}}


def test_a_boot_tells_who_it_is() -> None:
    station = {"vendorName": "V", "model": "M", "serialNumber": "S", "firmwareVersion": "F"}
    [booted] = read("BootNotification", {"reason": "PowerUp", "chargingStation": station}).events
    assert booted == ChargerBooted(charger_id=GARAGE, vendor="V", model="M", serial="S", firmware="F")


@pytest.mark.parametrize(
    "action",
    [
        "Heartbeat",
        "DataTransfer",
        "FirmwareStatusNotification",
        "SecurityEventNotification",
        "LogStatusNotification",
        "NotifyEvent",
        "NotifyReport",
        "NotifyMonitoringReport",
        "NotifyCustomerInformation",
        "NotifyChargingLimit",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "ClearedChargingLimit",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SignCertificate",
    ],
)
def test_what_needs_no_decision_is_answered_at_once(action) -> None:
    assert read(action, {}).reply is not None


COMMANDS = [
    StartTransaction(charger_id=GARAGE, command_id=CommandId(1), id_token="t" * 60),
    StopTransaction(charger_id=GARAGE, command_id=CommandId(1), transaction_id=TransactionId("tx")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_request_keeps_to_the_schema(command) -> None:
    action, payload = v201.request(command, 1)
    assert fault_in(payload, action, "request", "2.0.1") is None


def test_what_a_stranger_is_told_keeps_to_the_schema() -> None:
    answer = v201.hold("BootNotification", {}, NOW)
    assert answer is not None
    assert fault_in(answer, "BootNotification", "answer", "2.0.1") is None
    assert v201.hold("TransactionEvent", {}, NOW) is None
