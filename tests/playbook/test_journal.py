"""The journal of a home: every kind of note in the stories that tell it, whole, with its level and its ids."""

from dataclasses import replace
from datetime import time

import pytest

from chargerd.core.commands import Note, NoteLevel
from chargerd.core.events import (
    Activity,
    ChargerBooted,
    ChargingRequested,
    CommandFailed,
    Failure,
    MeterSampled,
    StatusReported,
    VehicleReported,
)
from chargerd.core.ids import CommandId, ReplyTo
from chargerd.core.policy import DayTarget
from tests.support.home import GARAGE, Home
from tests.support.journal import Journal, session_of
from tests.support.two_cars import CAR, OTHER_POLICY, TwoCars

INFO, WARNING, ERROR = NoteLevel.INFO, NoteLevel.WARNING, NoteLevel.ERROR
MORNING = "50 % by 2025-06-11T07:00Z"


def plugged(**knobs: object) -> Home:
    return Home(**knobs).until("10T22:15").plug()  # type: ignore[arg-type]


def charging() -> Home:
    return plugged().until("11T01:20")


def from_charger(name: str, message: str, level: NoteLevel = INFO, **ids: object) -> Note:
    """A note about a charger at which no managed visit goes on."""
    return Note(name=name, message=message, level=level, charger_id=GARAGE, **ids)  # type: ignore[arg-type]


def without_transactions(journal: Journal) -> list[Note]:
    """What is told of the session alone."""
    return [said for said in journal.read() if said.transaction_id is None]


# A charge as it should be


def test_a_home_that_was_configured_awaits_its_car() -> None:
    home = Home()
    session_id = session_of(home)
    ids = {"charger_id": GARAGE, "policy_id": home.policy().policy_id, "session_id": session_id}
    assert home.sent(Note) == [
        Note(name="session.state", message="car: UPCOMING", **ids),
        Note(name="session.target", message=f"car: {MORNING}", **ids),
        from_charger("charger.online", "garage is connected, OCPP 1.6"),
    ]


def test_a_night_is_told_from_plug_in_to_settlement() -> None:
    home = Home().until("10T22:15")
    journal = Journal(home)
    note = journal.note
    home.plug()
    assert journal.read() == [note("session.state", "car: ACTIVE:REGULAR")]
    home.until("11T01:20")
    transaction = home.box.transaction
    assert journal.read() == [
        note("transaction.started", f"transaction {transaction} runs at garage", transaction_id=transaction),
        note("charging.started", "garage: charging was seen to begin", transaction_id=transaction),
        note("block.started", "car: REGULAR block started"),
    ]
    home.until("11T06:50")
    assert journal.read() == [
        note("charging.stopped", "garage: charging was seen to stop", transaction_id=transaction),
        note("block.ended", "car: REGULAR block ended with 10.083 kWh"),
    ]
    home.unplug()
    assert journal.read() == [
        note("transaction.ended", f"transaction {transaction} at garage ended", transaction_id=transaction)
    ]
    home.until("11T06:55")
    following = session_of(home)
    assert following != journal.session_id
    assert journal.read() == [
        note("session.state", "car: SETTLED with 10.083 kWh"),
        note("session.state", "car: UPCOMING", session_id=following),
        note("session.target", f"car: {MORNING}", session_id=following),
    ]


def test_a_reserve_is_told_as_a_state_and_a_block_of_its_own() -> None:
    home = Home(assumed=10).until("10T22:15")
    journal = Journal(home)
    note = journal.note
    home.plug().until("10T23:10")
    assert without_transactions(journal) == [
        note("session.state", "car: ACTIVE:BATTERY_RESERVE"),
        note("block.started", "car: BATTERY_RESERVE block started"),
        note("session.state", "car: ACTIVE:REGULAR"),
        note("block.ended", "car: BATTERY_RESERVE block ended with 6.783 kWh"),
    ]


def test_a_deadline_that_was_met_makes_room_for_the_next() -> None:
    home = plugged().until("11T06:59")
    journal = Journal(home)
    home.until("11T07:01")
    assert journal.read() == [journal.note("session.target", "car: 50 % by 2025-06-12T07:00Z")]


def test_a_deadline_that_only_rolls_on_is_no_news() -> None:
    home = Home()
    journal = Journal(home)
    home.until("12T20:00")
    assert home.target["readyBy"] == "2025-06-13T07:00:00Z"
    assert journal.read() == []


def test_a_policy_that_was_edited_before_the_plug_in_has_another_target() -> None:
    home = Home()
    journal = Journal(home)
    edited = replace(home.policy(), schedule=(DayTarget(ready_by=time(6), minimum_charge_target=70),) * 7)
    home.tell(replace(home.configuration(), policies=(edited,)))
    assert journal.read() == [journal.note("session.target", "car: 70 % by 2025-06-11T06:00Z")]


def test_a_policy_without_any_deadline_has_no_target() -> None:
    home = Home()
    journal = Journal(home)
    home.tell(replace(home.configuration(), policies=(replace(home.policy(), schedule=(None,) * 7),)))
    assert journal.read() == [journal.note("session.target", "car: no target")]


def test_a_policy_that_goes_before_any_plug_in_leaves_without_a_word() -> None:
    home = Home()
    journal = Journal(home)
    home.tell(replace(home.configuration(), policies=()))
    assert journal.read() == []


def test_wishes_are_told_with_the_state_that_follows_from_them() -> None:
    home = plugged()
    journal = Journal(home)
    note = journal.note
    home.override(60, "11T05:00")
    assert journal.read() == [note("session.target", "car: 60 % by 2025-06-11T05:00Z (override)")]
    home.boost(40)
    assert journal.read()[:2] == [
        note("session.state", "car: ACTIVE:IMMEDIATE_START"),
        note("session.target", "car: charge now, to 40 %"),
    ]
    home.until("10T22:40")
    assert without_transactions(journal) == [
        note("block.started", "car: IMMEDIATE_START block started"),
        note("session.state", "car: ACTIVE:REGULAR"),
        note("session.target", "car: 60 % by 2025-06-11T05:00Z (override)"),
        note("block.ended", "car: IMMEDIATE_START block ended with 3.483 kWh"),
    ]
    home.cancel()
    assert journal.read() == [note("session.target", f"car: {MORNING}")]


# What goes wrong


def test_a_start_that_fails_is_told_with_who_is_in_the_way_and_when_it_is_over() -> None:
    home = plugged().until("11T00:59")
    home.box.car_takes = False
    journal = Journal(home)
    note = journal.note
    home.until("11T01:05")
    assert journal.read()[1:] == [
        note(
            "session.error",
            "car: START_FAIL, charging is due and does not begin: look at the cable, the car and garage;"
            " refused by VEHICLE",
            level=ERROR,
            error="START_FAIL",
        ),
        note("session.outcome", f"car: off target, 35 % instead of {MORNING}", level=WARNING),
    ]
    home.box.car_takes = True
    home.until("11T01:10")
    assert without_transactions(journal) == [
        note("block.started", "car: REGULAR block started"),
        note("session.error_cleared", "car: START_FAIL is over", error="START_FAIL"),
        note("session.outcome", f"car: on target again, {MORNING}"),
    ]


def test_a_start_that_is_refused_is_told_in_the_chargers_words() -> None:
    home = plugged().until("11T00:59")
    home.box.failure = Failure.REFUSED
    journal = Journal(home)
    refused = journal.note("command.failed", "garage: a command failed, REFUSED: no", level=WARNING)
    home.until("11T01:02")
    assert set(journal.read()) == {refused}
    home.until("11T01:04")
    assert next(said for said in journal.read() if said != refused) == journal.note(
        "session.error",
        "car: START_FAIL, charging is due and does not begin: look at the cable, the car and garage;"
        " garage answered: no; refused by CHARGER",
        level=ERROR,
        error="START_FAIL",
    )


def test_a_command_that_failed_without_a_word_is_told_as_such() -> None:
    home = Home()
    journal = Journal(home)
    home.tell(CommandFailed(charger_id=GARAGE, command_id=CommandId(99), failure=Failure.TIMED_OUT))
    assert journal.read() == [from_charger("command.failed", "garage: a command failed, TIMED_OUT", WARNING)]


def test_a_stop_that_fails_is_told_until_charging_stops() -> None:
    home = charging()
    home.box.obeys_stop = False
    journal = Journal(home)
    note = journal.note
    home.until("11T02:05")
    assert journal.read() == [
        note(
            "session.error",
            "car: STOP_FAIL, charging should have stopped and goes on: look at garage and its own settings;"
            " refused by CHARGER",
            level=ERROR,
            error="STOP_FAIL",
        )
    ]
    home.box.car_takes = False
    home.until("11T02:08")
    assert without_transactions(journal) == [
        note("block.ended", "car: REGULAR block ended with 11.917 kWh"),
        note("session.error_cleared", "car: STOP_FAIL is over", error="STOP_FAIL"),
    ]


def test_what_is_missing_for_control_is_told_and_when_it_is_there() -> None:
    home = Home(assumed=None).until("10T20:01")
    journal = Journal(home)
    note = journal.note
    home.able(can_start=False, can_stop=False, can_limit=False)
    assert journal.read() == [
        note(
            "session.error",
            "car: MISSING_CAPABILITIES, chargeState, startCharging, stopCharging:"
            " nothing is controlled, the car is left free to charge",
            level=ERROR,
            error="MISSING_CAPABILITIES",
        )
    ]
    home.until("10T22:15").plug()
    assert journal.read() == [note("session.state", "car: ACTIVE:BATTERY_RESERVE")]
    home.able(can_start=False, can_stop=False, can_limit=True)
    assert journal.read() == [
        note(
            "session.error",
            "car: MISSING_CAPABILITIES, chargeState: nothing is controlled, the car is left free to charge",
            level=ERROR,
            error="MISSING_CAPABILITIES",
        )
    ]
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=41.0))
    assert journal.read() == [
        note("session.state", "car: ACTIVE:REGULAR"),
        note("session.error_cleared", "car: MISSING_CAPABILITIES is over", error="MISSING_CAPABILITIES"),
    ]


def test_a_fault_comes_and_goes() -> None:
    home = charging()
    journal = Journal(home)
    ids = {"transaction_id": home.box.transaction}
    home.tell(StatusReported(charger_id=GARAGE, fault="GroundFailure"))
    home.tell(StatusReported(charger_id=GARAGE, fault="GroundFailure"))
    home.tell(StatusReported(charger_id=GARAGE, fault=""))
    assert journal.read() == [
        journal.note("charger.fault", "garage reports a fault: GroundFailure", level=ERROR, **ids),
        journal.note("charger.fault_cleared", "garage reports no fault any more", **ids),
    ]


def test_another_fault_is_told_as_well() -> None:
    home = Home()
    journal = Journal(home)
    home.tell(StatusReported(charger_id=GARAGE, fault="GroundFailure"))
    home.tell(StatusReported(charger_id=GARAGE, fault="OverVoltage"))
    assert journal.read() == [
        from_charger("charger.fault", "garage reports a fault: GroundFailure", ERROR),
        from_charger("charger.fault", "garage reports a fault: OverVoltage", ERROR),
    ]


def test_a_connection_that_is_lost_is_told_with_the_visit_it_is_missed_in() -> None:
    home = charging()
    journal = Journal(home)
    ids = {"transaction_id": home.box.transaction}
    home.offline()
    assert journal.read() == [journal.note("charger.offline", "garage is not connected any more", level=WARNING, **ids)]
    home.tell(ChargerBooted(charger_id=GARAGE, vendor="Acme"))
    assert journal.read() == []
    home.online()
    assert journal.read() == [journal.note("charger.online", "garage is connected, OCPP 1.6", **ids)]
    home.online()
    assert journal.read() == [], "it was connected already"


def test_a_car_that_takes_no_more_is_told_once() -> None:
    home = charging()
    journal = Journal(home)
    note = journal.note
    home.box.car_takes = False
    home.status().until("11T02:20")
    assert [said for said in without_transactions(journal) if said.name != "session.outcome"] == [
        note("block.ended", "car: REGULAR block ended with 3.667 kWh"),
        note("session.car_full", "car takes no more: it is full, or at a limit of its own"),
    ]


# On and off target


def test_a_target_that_cannot_be_met_is_told_at_once_and_one_that_can_is_not() -> None:
    home = plugged()
    journal = Journal(home)
    note = journal.note
    home.override(90, "10T23:15")
    assert journal.read()[:2] == [
        note("session.target", "car: 90 % by 2025-06-10T23:15Z (override)"),
        note("session.outcome", "car: off target, 50 % instead of 90 % by 2025-06-10T23:15Z (override)", level=WARNING),
    ]
    home.cancel()
    assert [said.name for said in journal.read()] == ["session.target"], "on target as it was"


# By hand, guests and other cars


def by_hand(home: Home, *, start: bool) -> None:
    home.tell(ChargingRequested(charger_id=GARAGE, start=start, reply_to=ReplyTo("me")))


def test_what_is_asked_for_by_hand_is_told_with_what_becomes_of_it() -> None:
    home = Home(managed=False).until("10T22:15").plug().start_box().until("10T22:30")
    assert home.state.guest is not None
    guest, transaction = home.state.guest.session_id, home.box.transaction
    journal = Journal(home)

    def acted(word: str, state: str) -> Note:
        message = f"garage: the {word} asked for by hand is {state}"
        return from_charger("charging.action", message, session_id=guest, transaction_id=transaction)

    def actions() -> list[Note]:
        return [said for said in journal.read() if said.name == "charging.action"]

    by_hand(home, start=False)
    home.until("10T22:35")
    assert actions() == [acted("stop", "PENDING"), acted("stop", "CONFIRMED")]
    home.box.car_takes = False
    by_hand(home, start=True)
    home.until("10T22:40")
    assert actions() == [acted("start", "PENDING"), acted("start", "FAILED")]
    by_hand(home, start=True)
    home.box.plugged = False
    home.tell(StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE))
    assert actions() == [acted("start", "PENDING"), acted("start", "CANCELLED")]


def test_a_guest_has_a_story_of_its_own() -> None:
    home = Home(managed=False).until("10T22:15")
    journal = Journal(home)
    home.plug().start_box("04A2")
    assert home.state.guest is not None
    guest = {"session_id": home.state.guest.session_id}
    here = guest | {"transaction_id": home.box.transaction}
    home.until("10T22:45").unplug().until("10T23:00")
    assert journal.read() == [
        from_charger("session.unmanaged", "garage: a car without a policy is plugged in", **guest),
        from_charger("transaction.started", f"transaction {here['transaction_id']} runs at garage", **here),
        from_charger("charging.started", "garage: charging was seen to begin", **here),
        from_charger("transaction.ended", f"transaction {here['transaction_id']} at garage ended", **here),
        from_charger("charging.stopped", "garage: charging was seen to stop", **guest),
        from_charger("session.unmanaged", "garage: the car without a policy left with 5.5 kWh", **guest),
    ]


def test_a_visit_that_is_another_cars_is_handed_over() -> None:
    home = TwoCars(tokens=(("04A2",), ("04B3",))).until("10T22:15").plug().until("10T22:20")
    assert isinstance(home, TwoCars)
    journal = Journal(home)
    note, vans = journal.note, home.state.slots[1].session.session_id
    home.shows("04b3")
    following = session_of(home)
    assert journal.read() == [
        note("session.handed_over", "car: it is van that is plugged in; this visit is not its own"),
        note("session.state", "car: UPCOMING", session_id=following),
        note("session.target", f"car: {MORNING}", session_id=following),
        note("session.state", "van: ACTIVE:REGULAR", policy_id=OTHER_POLICY, session_id=vans),
    ]


def test_a_visit_may_turn_out_to_be_a_guests_and_a_guest_to_be_a_policys() -> None:
    home = TwoCars(tokens=(("04A2",), ("04B3",))).until("10T22:15").plug().until("10T22:20")
    assert isinstance(home, TwoCars)
    journal = Journal(home)
    note, vans = journal.note, home.state.slots[1].session.session_id
    home.shows("ffff")
    assert home.state.guest is not None
    guest, following = home.state.guest.session_id, session_of(home)
    assert journal.read() == [
        note("session.handed_over", "car: it is a guest that is plugged in; this visit is not its own"),
        note("session.state", "car: UPCOMING", session_id=following),
        note("session.target", f"car: {MORNING}", session_id=following),
        from_charger("session.unmanaged", "garage: a car without a policy is plugged in", session_id=guest),
    ]
    home.shows("04b3")
    assert journal.read() == [
        note("session.state", "van: ACTIVE:REGULAR", policy_id=OTHER_POLICY, session_id=vans),
        from_charger("session.handed_over", "garage: the car without a policy is van", session_id=guest),
    ]


def test_a_visit_elsewhere_is_told_once_it_is_over() -> None:
    home = TwoCars()
    journal = Journal(home)
    home.hears(CAR, at_home=False, charging=True, plugged=True, power_w=50_000.0)
    home.until("10T20:10")
    home.hears(CAR, at_home=False, charging=True, plugged=True, power_w=50_000.0)
    assert journal.read() == []
    home.hears(CAR, at_home=False, charging=False, plugged=False, power_w=0.0)
    (visit,) = home.settled
    assert journal.read() == [
        Note(name="session.unmanaged", message="car: charged elsewhere with 8.333 kWh", session_id=visit.session_id)
    ]


# Odd and handled


def test_energy_that_no_visit_has_is_told_whenever_it_has_grown() -> None:
    home = Home().until("10T20:01")
    journal = Journal(home)

    def told_at(register_wh: int) -> list[Note]:
        home.now += home.sample_every
        home.tell(MeterSampled(charger_id=GARAGE, register_wh=register_wh, power_w=0.0))
        return journal.read()

    def flowed(kwh: float) -> list[Note]:
        message = f"garage: {kwh} kWh in all flowed while no car was known to be plugged in"
        return [from_charger("energy.unattributed", message)]

    assert told_at(1000) == []
    assert told_at(1099) == []
    assert told_at(1100) == flowed(0.1)
    assert told_at(1199) == []
    assert told_at(1210) == flowed(0.21)
    assert told_at(1420) == flowed(0.42)


@pytest.mark.parametrize("by_s", [1200.0, -600.0, 0.4])
def test_a_clock_that_was_set_is_no_news_of_the_charge(by_s: float) -> None:
    home = charging()
    journal = Journal(home)
    home.step_clock(by_s)
    assert journal.read() == []


def test_power_that_proves_a_plug_in_belongs_to_the_visit_that_begins_with_it() -> None:
    home = Home().until("10T22:15")
    journal = Journal(home)
    home.tell(MeterSampled(charger_id=GARAGE, power_w=9000.0, register_wh=5))
    assert journal.read()[:2] == [
        journal.note("charging.started", "garage: charging was seen to begin"),
        journal.note("session.state", "car: ACTIVE:REGULAR"),
    ]


def test_a_transaction_that_nobody_ended_ends_with_the_visit() -> None:
    home = plugged().until("11T03:00")
    journal = Journal(home)
    transaction = home.box.transaction
    home.box.plugged = False
    home.tell(StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE))
    home.until("11T03:15")
    assert journal.read()[:2] == [
        journal.note("transaction.ended", f"transaction {transaction} at garage ended", transaction_id=transaction),
        journal.note("session.state", "car: SETTLED with 10.083 kWh"),
    ]


def test_a_transaction_that_takes_the_place_of_another_ends_it() -> None:
    home = charging()
    journal = Journal(home)
    note, first = journal.note, home.box.transaction
    home.start_box()
    second = home.box.transaction
    assert journal.read()[:2] == [
        note("transaction.ended", f"transaction {first} at garage ended", transaction_id=first),
        note("transaction.started", f"transaction {second} runs at garage", transaction_id=second),
    ]
