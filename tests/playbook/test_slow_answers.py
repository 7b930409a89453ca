"""A charger that takes most of a minute for each answer: what it confirmed late has time to show."""

from datetime import timedelta

import pytest

from chargerd.core.commands import SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.events import (
    Activity,
    CommandSucceeded,
    MeterSampled,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
)
from tests.support.box import Box
from tests.support.home import GARAGE, Home, utc

LATE = timedelta(seconds=50)


def _answered_late(home: Home, asked_at: str) -> None:
    """The box carries out and confirms what it was asked for, LATE; that it did is told later still."""
    (flight,) = home.state.control.in_flight
    home.until((utc(asked_at) + LATE).strftime("%dT%H:%M:%S"))
    home.box.deaf = False
    home.box.limit_a = flight.limit_a if flight.limit_a is not None else home.box.limit_a
    home.tell(CommandSucceeded(charger_id=GARAGE, command_id=flight.command_id))


def test_a_pause_that_is_confirmed_late_ends_no_transaction() -> None:
    home = Home().until("10T22:15").plug().until("10T22:20")
    assert home.boost(80) is None
    home.until("10T22:30")
    home.box.deaf = True
    assert home.cancel() is None
    assert home.sent(SetCurrentLimit)[-1].limit_a == 0
    _answered_late(home, "10T22:30")
    home.until("10T22:31:20").status(Activity.SUSPENDED_EVSE).until("10T22:40")
    assert not home.state.facts.charging
    assert home.sent(StopTransaction) == []
    assert home.errors() == []


def test_a_pause_that_is_confirmed_late_and_does_nothing_goes_to_the_next_rung() -> None:
    home = Home().until("10T22:15").plug().until("10T22:20")
    assert home.boost(80) is None
    home.until("10T22:30")
    home.box.deaf = True
    assert home.cancel() is None
    _answered_late(home, "10T22:30")
    home.box.limit_a = 16
    home.until("10T22:31:30")
    assert home.sent(StopTransaction) == []
    home.until("10T22:31:40")
    assert len(home.sent(StopTransaction)) == 1


@pytest.mark.parametrize("limit_known", [True, False])
def test_a_start_that_is_confirmed_late_is_not_asked_for_twice(limit_known: bool) -> None:
    home = Home().until("10T22:15").plug().until("10T22:20")
    if not limit_known:
        home.able(can_limit=False)
    home.until("10T22:25")
    home.box.deaf = True
    assert home.boost(80) is None
    first, *_ = home.state.control.in_flight
    home.until("10T22:25:50")
    home.tell(CommandSucceeded(charger_id=GARAGE, command_id=first.command_id))
    home.until("10T22:26:20")
    for flight in home.state.control.in_flight:
        home.tell(CommandSucceeded(charger_id=GARAGE, command_id=flight.command_id))
    home.box.deaf = False
    home.box.limit_a = 16
    home._begin_transaction()
    home.until("10T22:28")
    assert home.state.facts.activity is Activity.CHARGING
    assert len(home.sent(StartTransaction)) == 1


def test_a_charge_of_the_night_that_is_told_in_the_morning_is_not_stopped() -> None:
    keeps = (TransactionStarted, TransactionEnded, MeterSampled, StatusReported)
    home = Home(box=Box(keeps=keeps, follows=True), goal=50).able(schedule_periods=24, zero_is_stop=False)
    home.until("10T22:15").plug().until("10T22:20").down_until("11T06:00").revive()
    night, home.box.queue = home.box.queue, []
    home.online()
    told = len(home.commands)
    for number, event in enumerate(night):
        home.until(f"11T06:{number // 60:02}:{number % 60:02}")
        home.tell(event)
    home.sample()
    home.until("11T06:15")
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == home.delivered_kwh > 10
    assert not [c for c in home.commands[told:] if isinstance(c, StopTransaction)]
    assert home.errors() == []


def test_what_is_told_of_the_past_is_believed_once_the_queue_is_empty() -> None:
    home = Home(box=Box(keeps=(MeterSampled,)), sample_every=timedelta(hours=8)).until("10T22:15").plug()
    home.until("10T23:00").offline().until("11T00:30").online().until("11T00:30:20")
    sample = MeterSampled(charger_id=GARAGE, measured_at=utc("11T00:10"), power_w=11_000.0)
    home.tell(sample)
    assert home.state.facts.charging
    home.until("11T00:31:19")
    assert not home.sent(SetCurrentLimit)
    home.until("11T00:31:20")
    assert home.sent(SetCurrentLimit)[-1].limit_a == 0
