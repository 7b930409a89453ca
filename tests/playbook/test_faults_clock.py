"""The machine's clock is set in mid-visit: what happened keeps its order and its lengths, deadlines keep their time.

The time of day jumps, no time passes. What the old clock dated moves along; prices and ready-by times do not.
"""

from datetime import timedelta

import pytest

from chargerd.core.commands import SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.events import VehicleReported
from tests.playbook.test_night import TWO_VALLEYS
from tests.support.home import CAR, Home, utc
from tests.support.reading import (
    NO_STATISTICS,
    ON_TARGET,
    START_FAIL,
    STOP_FAIL,
    kwh_sum,
    near,
    rates,
    regular,
    spans,
)

HOUR = 3600
EVERY_TWO = timedelta(minutes=2)


def charging() -> Home:
    """Twenty minutes into a block from 01:00, of 60 % by 07:00."""
    return Home(goal=60, sample_every=EVERY_TWO).until("10T22:15").plug().until("11T01:20")


def test_a_clock_set_on_in_a_block_moves_what_was_and_plans_the_rest_anew() -> None:
    """S-12"""
    home = charging()
    before = home.doc
    home.step_clock(HOUR)
    after = home.doc
    assert after["state"] == "ACTIVE:REGULAR"
    assert after["pluggedInAt"] == "2025-06-10T23:15:00Z"
    assert spans(after) == [("REGULAR", "11T02:00:00", "11T03:45:00")], "13 kWh are still to come"
    assert after["blocks"][0]["kwhSum"] == 3.667
    assert after["statistics"]["aggregated"] == before["statistics"]["aggregated"]
    assert list(rates(after).values()) == list(rates(before).values()), "neither holes nor doubles"
    assert min(rates(after)) == "10T23:15"
    assert max(rates(after)) == "11T02:00"
    assert after["target"]["latest"] == regular(60)
    assert after["outcome"]["latest"] == ON_TARGET
    commands = len(home.sent(StartTransaction)) + len(home.sent(StopTransaction))

    home.until("11T02:45")
    assert home.state.facts.charging
    assert len(home.sent(StartTransaction)) + len(home.sent(StopTransaction)) == commands
    assert not [limit for limit in home.sent(SetCurrentLimit) if limit.limit_a == 0]
    assert rates(home.doc)["11T02:15"] == pytest.approx(11, abs=0.01)
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.errors() == []
    assert home.last["pluggedInAt"] == "2025-06-10T23:15:00Z"
    assert len(home.last["blocks"]) == 1
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.last["outcome"]["latest"] == ON_TARGET


def test_a_clock_set_on_while_nothing_is_due_adds_no_empty_hours() -> None:
    """S-12"""
    home = Home().until("10T22:15").plug().until("10T23:00").step_clock(HOUR)
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T23:15:00Z"
    assert rates(home.doc) == {"10T23:15": 0, "10T23:30": 0, "10T23:45": 0}
    assert spans(home.doc) == [("REGULAR", "11T01:00:00", "11T02:00:00")]
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    home.until("11T01:10")
    assert home.state.facts.charging
    assert home.errors() == []


def test_a_clock_set_back_in_a_block_neither_doubles_an_interval_nor_loses_one() -> None:
    """S-13"""
    home = charging()
    before = home.doc
    home.step_clock(-HOUR)
    after = home.doc
    assert after["state"] == "ACTIVE:REGULAR"
    assert after["pluggedInAt"] == "2025-06-10T21:15:00Z"
    assert spans(after)[0][:2] == ("REGULAR", "11T00:00:00")
    assert after["blocks"][0]["kwhSum"] == 3.667
    assert after["statistics"]["aggregated"] == before["statistics"]["aggregated"]
    assert list(rates(after).values()) == list(rates(before).values())
    assert min(rates(after)) == "10T21:15"
    assert max(rates(after)) == "11T00:00"
    assert after["target"]["latest"] == regular(60)
    assert after["outcome"]["latest"] == ON_TARGET
    home.until("11T01:05")
    assert home.state.facts.charging, "the cheap hour comes once more"
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.errors() == []
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.last["outcome"]["latest"] == ON_TARGET


def test_a_block_that_is_past_stays_as_it_was_when_the_clock_is_set_back_into_it() -> None:
    """S-13: charged from 00:00 to 01:00, and at 01:30 it is 00:30."""
    home = Home(goal=80, curve=TWO_VALLEYS, sample_every=EVERY_TWO).until("10T22:15").plug().until("11T01:30")
    assert spans(home.doc)[0] == ("REGULAR", "11T00:00:00", "11T01:00:00")
    kwh = home.doc["blocks"][0]["kwhSum"]
    home.step_clock(-HOUR)
    assert spans(home.doc)[0] == ("REGULAR", "10T23:00:00", "11T00:00:00")
    assert home.doc["blocks"][0]["kwhSum"] == kwh
    assert kwh_sum(home.doc) == kwh
    home.until("11T00:35")
    assert home.state.facts.charging, "the half hour until one is as cheap as it was"
    home.until("11T06:50").unplug().until("11T06:52")
    assert spans(home.last)[0] == ("REGULAR", "10T23:00:00", "11T00:00:00")
    assert home.last["blocks"][0]["kwhSum"] == kwh
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.errors() == []


@pytest.mark.parametrize(
    ("by_s", "starts"), [(37, "11T01:00:37"), (-130, "11T00:57:50"), (1000, "11T01:16:40"), (0.4, "11T01:00:00")]
)
def test_a_clock_that_is_set_a_little_cuts_the_series_anew_and_keeps_the_energy(by_s: float, starts: str) -> None:
    """S-12 and S-13 with the steps of every day: the intervals still begin on clock quarters."""
    home = charging()
    before = home.doc
    home.step_clock(by_s)
    assert kwh_sum(home.doc) == kwh_sum(before) == 3.667
    assert near(home.doc["blocks"][0]["startAt"], starts)
    assert home.target == regular(60)
    assert home.outcome == ON_TARGET
    home.until("11T01:45")
    assert home.state.facts.charging
    assert len(home.sent(StartTransaction)) == 1
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.errors() == []
    assert kwh_sum(home.last) == home.delivered_kwh
    assert len(home.last["blocks"]) == 1
    assert near(home.last["blocks"][0]["startAt"], starts)


@pytest.mark.parametrize(
    ("at", "by_s", "not_yet", "then"),
    [
        pytest.param("11T01:01:00", HOUR, "11T02:02:50", "11T02:03:10", id="on"),
        pytest.param("11T01:02:30", -60, "11T01:01:50", "11T01:02:10", id="back"),
        pytest.param("11T01:02:00", -HOUR, "11T01:02:50", "11T01:03:10", id="back-before-the-block"),
    ],
)
def test_the_start_timeout_is_elapsed_time(at: str, by_s: float, not_yet: str, then: str) -> None:
    """S-12: the first start of the block went out at 01:00, and three minutes must pass."""
    home = Home(goal=60)
    home.box.obeys_start = False
    home.until("10T22:15").plug().until(at).step_clock(by_s)
    assert home.error is None
    home.until(not_yet)
    assert home.errors() == []
    home.until(then)
    assert home.error == START_FAIL


@pytest.mark.parametrize(
    ("by_s", "not_yet", "then"), [(HOUR, "11T02:56:50", "11T02:57:10"), (-30, "11T01:56:20", "11T01:56:40")]
)
def test_the_stop_timeout_is_elapsed_time(by_s: float, not_yet: str, then: str) -> None:
    """S-12: 50 % are reached at 01:55, and the charger goes on."""
    home = Home().until("10T22:15").plug().until("11T01:50")
    home.box.obeys_stop = False
    home.until("11T01:56").step_clock(by_s).until(not_yet)
    assert home.errors() == []
    home.until(then)
    assert home.error == STOP_FAIL
    assert home.outcome == ON_TARGET


def test_the_wait_before_the_next_attempt_is_elapsed_time() -> None:
    """S-13: tried at 01:00, 01:01 and 01:06; the next attempt is due at 01:21 of the old clock."""
    home = Home(goal=60)
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T01:10:30").step_clock(-300)
    home.box.obeys_start = True
    home.until("11T01:15:50")
    assert len(home.sent(StartTransaction)) == 3
    home.until("11T01:17")
    assert len(home.sent(StartTransaction)) == 4
    assert home.state.facts.charging
    assert home.error is None


@pytest.mark.parametrize(
    ("by_s", "not_yet", "then", "left_at"),
    [
        pytest.param(HOUR, "11T03:30:50", "11T03:31:05", "2025-06-11T03:30:00Z", id="on"),
        pytest.param(-HOUR, "11T01:30:50", "11T01:31:05", "2025-06-11T01:30:00Z", id="back"),
    ],
)
def test_the_minute_before_settling_is_elapsed_time(by_s: float, not_yet: str, then: str, left_at: str) -> None:
    """S-12 and S-13: the car left at 02:30, and half a minute later the clock was set."""
    home = Home().until("10T22:15").plug().until("11T02:30").unplug().until("11T02:30:30")
    before = home.doc
    home.step_clock(by_s).until(not_yet)
    assert home.settled == []
    home.until(then)
    (stored,) = home.settled
    assert stored.document["pluggedOutAt"] == left_at
    assert stored.document["statistics"]["aggregated"] == before["statistics"]["aggregated"]
    assert len(stored.document["statistics"]["timeseries"]) == 17, "four hours and a quarter"
    assert stored.document["target"]["latest"] == regular()
    assert stored.document["outcome"]["latest"] == ON_TARGET
    assert home.doc["state"] == "UPCOMING"


def test_a_charger_that_is_away_for_an_hour_is_not_given_up_for_a_day_because_the_clock_was_set() -> None:
    """S-12, with the day of S-28."""
    home = Home().until("10T22:15").plug().until("10T23:00").offline().until("10T23:30").step_clock(25 * HOUR)
    home.until("12T01:30")
    assert home.settled == []
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-11T23:15:00Z"
    assert home.target == {**regular(ready_by="2025-06-12T07:00:00Z"), "id": 2}, "the schedule of the right day"


def test_an_upcoming_session_rolls_on_when_the_clock_is_set_past_its_deadline() -> None:
    """S-12, nothing plugged."""
    home = Home().step_clock(12 * HOUR)
    assert home.doc["state"] == "UPCOMING"
    assert home.doc["statistics"] == NO_STATISTICS
    assert home.target == regular(ready_by="2025-06-12T07:00:00Z")


def test_a_level_told_before_the_clock_was_set_is_not_older_for_it() -> None:
    """S-12: told at 22:10, the car is plugged in five minutes later."""
    home = Home().until("10T22:10")
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=41.0))
    home.until("10T22:12").step_clock(2 * HOUR).until("11T00:15").plug()
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 41, "batteryTo": 41}


def in_1970() -> Home:
    """A machine without a battery clock and without a state: a car is plugged in before anybody sets the clock."""
    home = Home(now=utc("1970-01-01T00:00:07"), reserve=50)
    return home.until("1970-01-01T00:05:07").plug().until("1970-01-01T00:21:07")


def test_a_clock_that_was_never_set_loses_no_visit_when_it_is() -> None:
    home = in_1970()
    home.sample()
    assert home.doc["state"] == "ACTIVE:BATTERY_RESERVE"
    delivered = home.delivered_kwh
    assert kwh_sum(home.doc) == delivered > 2
    home.step_clock((utc("10T22:31:07") - home.now).total_seconds())
    doc = home.doc
    assert doc["pluggedInAt"] == "2025-06-10T22:15:07Z"
    assert kwh_sum(doc) == delivered
    assert len(doc["statistics"]["timeseries"]) == 1, "not half a century of them"
    assert doc["target"]["latest"]["readyBy"] == "2025-06-11T07:00:00Z"
    home.until("10T22:40")
    assert home.state.facts.charging
    assert home.errors() == []
    home.until("11T06:50").unplug().until("11T06:52")
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.last["pluggedInAt"] == "2025-06-10T22:15:07Z"


def test_a_visit_over_a_leap_day_has_its_hours() -> None:
    home = Home(now=utc("2028-02-28T20:00:00"), zone="Europe/Berlin").until("2028-02-28T22:15:00").plug()
    assert home.doc["target"]["latest"]["readyBy"] == "2028-02-29T06:00:00Z"
    home.until("2028-02-29T05:50:00").unplug().until("2028-02-29T05:55:00")
    assert len(home.last["statistics"]["timeseries"]) == 31
    assert home.last["outcome"]["latest"] == ON_TARGET
    assert home.doc["target"]["latest"]["readyBy"] == "2028-02-29T06:00:00Z"
    home.until("2028-02-29T06:01:00")
    assert home.doc["target"]["latest"]["readyBy"] == "2028-03-01T06:00:00Z"
