"""What is told: charger and vehicle documents, the event log, and what must be on disk."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chargerd.core import document
from chargerd.core.commands import AnswerAuthorize, AnswerRequest, AnswerTransaction, Note
from chargerd.core.decide import decide, initial, next_deadline
from chargerd.core.events import (
    Activity,
    AuthorizeRequested,
    ChargerBooted,
    CommandFailed,
    CommandSucceeded,
    Failure,
    MeterSampled,
    PricesUpdated,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.ids import CommandId, ReplyTo, TransactionId, VehicleId
from chargerd.core.model import Slot
from chargerd.core.units import PerPhase, mean_kw, power_from_current
from chargerd.plan.grid import quarter_ceil
from tests.support.home import CAR, GARAGE, NIGHT, Home, utc


def slot(home: Home) -> Slot:
    return home.state.slots[0]


@pytest.mark.parametrize(
    ("story", "delivery"),
    [
        pytest.param(lambda home: None, "UNPLUGGED", id="unplugged"),
        pytest.param(lambda home: home.plug(), "PLUGGED_IN:INITIALIZING", id="plugged"),
        pytest.param(lambda home: home.plug().until("11T01:10"), "PLUGGED_IN:CHARGING", id="charging"),
        pytest.param(lambda home: home.plug().until("11T03:00"), "PLUGGED_IN:STOPPED", id="paused"),
        pytest.param(
            lambda home: home.plug().tell(StatusReported(charger_id=GARAGE, fault="GroundFailure")),
            "PLUGGED_IN:FAULT",
            id="fault",
        ),
    ],
)
def test_the_charger_document_tells_what_the_cable_does(story: object, delivery: str) -> None:
    home = Home()
    home.until("10T22:15")
    story(home)  # type: ignore[operator]
    assert document.charger(home.state)["powerDeliveryState"] == delivery


def test_a_charger_that_has_told_nothing_is_unknown() -> None:
    home = Home()
    told = document.charger(initial(home.configuration(), home.now))
    assert told["powerDeliveryState"] == "UNKNOWN"
    assert told["isPluggedIn"] is None
    assert told["lastUpdated"] is None
    assert told["registerWh"] is None


def test_the_charger_tells_who_it_is_and_what_flows() -> None:
    home = Home()
    home.tell(ChargerBooted(charger_id=GARAGE, vendor="Acme", model="Box", serial="1", firmware="2.0"))
    home.until("10T22:15").plug().until("11T01:10")
    told = document.charger(home.state)
    assert (told["vendor"], told["model"], told["firmware"]) == ("Acme", "Box", "2.0")
    assert told["chargeRate"] == 11.0
    assert told["currentLimit"] == 16.0
    assert told["transactionId"] == home.box.transaction


def test_the_vehicle_document_tells_the_level() -> None:
    home = Home()
    assert document.vehicle(slot(home))["batteryLevel"] is None
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=41.0))
    assert document.vehicle(slot(home))["batteryLevel"] == 41
    home.until("10T20:10").plug()
    told = document.vehicle(slot(home))
    assert told == {
        "id": "car",
        "batteryCapacity": 60.0,
        "batteryLevel": 41,
        "isPluggedIn": True,
        "lastUpdated": "2025-06-10T20:00:00Z",
    }


def test_a_vehicles_owner_gets_an_answer_and_other_vehicles_are_left_alone() -> None:
    home = Home()
    told = home.tell(VehicleReported(vehicle_id=CAR, level_pct=41.0, reply_to=ReplyTo("me")))
    assert told == [AnswerRequest(reply_to=ReplyTo("me"))]
    before = home.state
    home.tell(VehicleReported(vehicle_id=VehicleId("other"), level_pct=10.0))
    assert home.state.slots == before.slots


def test_a_policy_without_this_id_has_no_document() -> None:
    home = Home(managed=False)
    assert document.current(home.state, home.policy().policy_id) is None


def test_a_session_without_any_target_charges_the_reserve_only() -> None:
    home = Home(assumed=10)
    policy = home.policy()
    home.tell(replace(home.configuration(), policies=(replace(policy, schedule=(None,) * 7),)))
    assert home.target is None
    home.until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:BATTERY_RESERVE"
    assert home.outcome is None
    home.until("11T06:00").unplug().until("11T06:05")
    doc = home.settled[0].document
    assert doc["target"]["latest"] is None
    assert doc["outcome"]["latest"] is None
    assert doc["statistics"]["aggregated"]["batteryTo"] == 20


def test_a_card_at_the_charger_is_accepted() -> None:
    home = Home()
    told = home.tell(AuthorizeRequested(charger_id=GARAGE, id_token="04A2", reply_to=ReplyTo("x")))
    assert told == [AnswerAuthorize(charger_id=GARAGE, reply_to=ReplyTo("x"), accepted=True)]


def test_every_transaction_message_is_answered_even_out_of_place() -> None:
    home = Home()
    ended = TransactionEnded(charger_id=GARAGE, reply_to=ReplyTo("e"), transaction_id=TransactionId("4711"))
    assert home.tell(ended)[-1] == AnswerTransaction(
        charger_id=GARAGE, reply_to=ReplyTo("e"), transaction_id=TransactionId("4711")
    )
    started = TransactionStarted(charger_id=GARAGE, reply_to=ReplyTo("s"))
    assert any(isinstance(command, AnswerTransaction) for command in home.tell(started))


def test_an_outcome_of_an_unknown_command_changes_nothing() -> None:
    home = Home()
    home.tell(CommandSucceeded(charger_id=GARAGE, command_id=CommandId(99)))
    home.tell(CommandFailed(charger_id=GARAGE, command_id=CommandId(99), failure=Failure.TIMED_OUT))
    assert home.state.control.failure is None


def test_the_event_log_tells_the_story_of_a_night() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T06:50").unplug().until("11T06:55")
    session_id = home.settled[0].session_id
    story = [note.name for note in home.sent(Note) if note.session_id == session_id]
    assert story == [
        "session.state",
        "session.target",
        "session.state",
        "transaction.started",
        "charging.started",
        "block.started",
        "charging.stopped",
        "block.ended",
        "transaction.ended",
        "session.state",
    ]


def test_faults_come_and_go_in_the_log() -> None:
    home = Home()
    home.tell(StatusReported(charger_id=GARAGE, fault="GroundFailure"))
    home.tell(StatusReported(charger_id=GARAGE, fault=""))
    assert home.notes()[-2:] == ["charger.fault", "charger.fault_cleared"]


def test_an_error_known_before_plug_in_ends_without_a_word_about_a_session() -> None:
    home = Home(assumed=None)
    assert home.error["type"] == "MISSING_CAPABILITIES"
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=41.0))
    assert home.error is None
    assert "session.error_cleared" not in home.notes()


def test_a_sample_that_only_adds_up_is_not_worth_a_disk_write() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:10")
    home._advance(home.now + timedelta(seconds=40))
    event = MeterSampled(charger_id=GARAGE, register_wh=round(home.box.register), power_w=11_000)
    decision = decide(home.state, event, home.now)
    assert decision.state != home.state
    assert not decision.durable
    idle = Home()
    quiet = decide(idle.state, PricesUpdated(curve=NIGHT), idle.now)
    assert not quiet.durable, "prices come again by themselves"
    low = MeterSampled(charger_id=GARAGE, power_w=0.0)
    twice = decide(decide(home.state, low, home.now).state, low, home.now + timedelta(seconds=60))
    assert twice.durable, "charging stopped"


def test_a_partition_with_nothing_going_on_still_has_its_next_deadline() -> None:
    home = Home()
    assert next_deadline(home.state) == home.now + timedelta(seconds=10)
    home.until("10T20:01")
    assert next_deadline(home.state) == utc("11T07:00")
    guest = Home(managed=False)
    guest.until("10T20:01")
    assert next_deadline(guest.state) is None


def test_a_sample_before_any_plug_opens_the_visit() -> None:
    home = Home()
    home.until("10T20:01")
    home.tell(MeterSampled(charger_id=GARAGE, power_w=9000.0, register_wh=5))
    assert home.doc["state"] == "ACTIVE:REGULAR"


def test_counting_begins_with_the_register_that_was_told_before_plug_in() -> None:
    home = Home()
    home.until("10T22:00")
    home.tell(MeterSampled(charger_id=GARAGE, register_wh=100_000, power_w=0.0))
    home.until("10T22:15").plug()
    home.until("10T22:20")
    home.tell(MeterSampled(charger_id=GARAGE, register_wh=100_040, power_w=0.0))
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == 0.04
    home.until("10T22:30").unplug().until("10T22:32")
    assert home.settled[0].document["blocks"][0]["kwhSum"] == 0.04, "every watt-hour lies in a block"


def test_a_trickle_after_plug_out_delays_settling_but_not_for_ever() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T03:00").unplug()
    for second in range(50, 600, 50):
        home.until(f"11T03:0{second // 60}:{second % 60:02}")
        home.tell(MeterSampled(charger_id=GARAGE, register_wh=round(home.box.register), power_w=0.0))
        assert home.settled == []
    home.until("11T03:11")
    assert len(home.settled) == 1


def test_an_open_transaction_delays_settling() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T03:00")
    home.box.plugged = False
    home.tell(StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE))
    home.until("11T03:05")
    assert home.settled == []
    home.until("11T03:10")
    assert home.settled[0].plugged_out_at == utc("11T03:00")


def test_units_convert_where_they_should() -> None:
    assert power_from_current(PerPhase(10, 0, 0), 230) == 2300
    assert quarter_ceil(utc("10T22:15")) == utc("10T22:15")
    assert quarter_ceil(utc("10T22:15:01")) == utc("10T22:30")
    assert mean_kw(100, utc("10T22:15"), utc("10T22:15")) == 0
