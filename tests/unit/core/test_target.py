"""The weekly schedule in the site's zone, and what becomes of overrides."""

from datetime import datetime, time

import pytest

from chargerd.core import target
from chargerd.core.ids import ChargerId, PolicyId, VehicleId
from chargerd.core.model import Targets
from chargerd.core.policy import DayTarget, Policy
from tests.support.home import utc

BERLIN = "Europe/Berlin"


def daily(at: str, level: int = 50) -> tuple[DayTarget | None, ...]:
    return (DayTarget(ready_by=time.fromisoformat(at), minimum_charge_target=level),) * 7


def policy(schedule: tuple[DayTarget | None, ...]) -> Policy:
    return Policy(policy_id=PolicyId("p"), charger_id=ChargerId("c"), vehicle_id=VehicleId("v"), schedule=schedule)


@pytest.mark.parametrize(
    ("after", "wall", "expected"),
    [
        pytest.param("2026-01-14T05:59:59", "07:00", "2026-01-14T06:00:00", id="winter"),
        pytest.param("2026-01-14T06:00:00", "07:00", "2026-01-15T06:00:00", id="strictly-after"),
        pytest.param("2026-07-14T00:00:00", "07:00", "2026-07-14T05:00:00", id="summer"),
        pytest.param("2026-03-28T20:00:00", "02:30", "2026-03-29T01:00:00", id="skipped-hour-means-after-the-gap"),
        pytest.param("2026-03-28T20:00:00", "02:00", "2026-03-29T01:00:00", id="start-of-the-gap"),
        pytest.param("2026-03-28T20:00:00", "03:00", "2026-03-29T01:00:00", id="end-of-the-gap"),
        pytest.param("2025-10-25T20:00:00", "02:30", "2025-10-26T00:30:00", id="repeated-hour-means-the-first"),
        pytest.param("2025-10-25T20:00:00", "07:00", "2025-10-26T06:00:00", id="autumn-morning"),
        pytest.param("2028-02-28T20:00:00", "07:00", "2028-02-29T06:00:00", id="leap-day"),
    ],
)
def test_finds_the_next_deadline_in_local_wall_time(after: str, wall: str, expected: str) -> None:
    assert target.next_deadline_of(daily(wall), BERLIN, utc(after)) == (utc(expected), 50)


def test_days_may_differ_and_may_have_no_deadline() -> None:
    saturday = DayTarget(ready_by=time(9), minimum_charge_target=80)
    schedule = (None,) * 5 + (saturday, None)
    wednesday = utc("2026-01-14T12:00:00")
    assert target.next_deadline_of(schedule, "UTC", wednesday) == (utc("2026-01-17T09:00:00"), 80)
    assert target.next_deadline_of(schedule, "UTC", utc("2026-01-17T09:00:00")) == (utc("2026-01-24T09:00:00"), 80)


def test_a_schedule_without_any_day_has_no_target() -> None:
    nothing = policy((None,) * 7)
    at = utc("10T20:00")
    assert target.next_deadline_of(nothing.schedule, "UTC", at) is None
    assert target.scheduled(Targets(), nothing, "UTC", at).latest is None
    assert target.succeeded(Targets(), nothing, "UTC", at).latest is None
    assert target.edited(Targets(), nothing, "UTC", at).latest is None


def made(at: datetime) -> Targets:
    return target.scheduled(Targets(), policy(daily("07:00")), "UTC", at)


def test_an_edited_policy_makes_a_new_id_and_an_unchanged_one_does_not() -> None:
    at = utc("10T20:00")
    targets = made(at)
    assert target.edited(targets, policy(daily("07:00")), "UTC", at) == targets
    changed = target.edited(targets, policy(daily("08:00")), "UTC", at)
    assert changed.scheduled is not None
    assert changed.scheduled.target_id == 2


def test_an_edit_does_not_move_a_deadline_that_was_missed() -> None:
    targets = made(utc("10T20:00"))
    assert target.edited(targets, policy(daily("08:00")), "UTC", utc("11T07:30")) == targets


def test_a_rolled_target_with_another_level_is_another_target() -> None:
    at = utc("10T20:00")
    rolled = target.scheduled(made(at), policy(daily("07:00", 60)), "UTC", at)
    assert rolled.scheduled is not None
    assert rolled.scheduled.target_id == 2


def test_an_immediate_start_goes_before_an_override_and_that_before_the_schedule() -> None:
    targets = target.overridden(made(utc("10T20:00")), 80, utc("11T09:00"))
    boosted = target.immediate(targets, 60)
    assert boosted.latest == boosted.immediate
    assert target.completed(boosted).latest == targets.override


def test_a_clock_that_was_set_by_days_looks_the_schedule_up_again() -> None:
    plan, now = policy(daily("07:00")), utc("2026-01-20T05:00:00")
    known = target.scheduled(Targets(), plan, "UTC", utc("2026-01-14T05:00:00"))
    again = target.redated(known, plan, "UTC", now, is_plugged=True)
    assert again.scheduled is not None
    assert (again.scheduled.target_id, again.scheduled.ready_by) == (2, utc("2026-01-20T07:00:00"))
    assert target.redated(again, plan, "UTC", now, is_plugged=True) == again, "it is this day's already"
    waiting = target.redated(known, plan, "UTC", now, is_plugged=False)
    assert waiting.scheduled is not None
    assert (waiting.scheduled.target_id, waiting.scheduled.ready_by) == (1, utc("2026-01-20T07:00:00"))
    without = policy((None,) * 7)
    assert target.redated(Targets(), without, "UTC", now, is_plugged=True) == Targets()
    fresh = target.redated(Targets(), plan, "UTC", now, is_plugged=True)
    assert fresh.scheduled is not None
    assert fresh.scheduled.target_id == 1
