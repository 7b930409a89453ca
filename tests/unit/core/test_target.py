"""The weekly schedule in the site's zone, and what becomes of overrides."""

from dataclasses import replace
from datetime import datetime, time

import pytest

from chargerd.core import target
from chargerd.core.ids import ChargerId, PolicyId, VehicleId
from chargerd.core.model import ImmediateTarget, RegularTarget, Targets
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
        pytest.param("2026-03-28T20:00:00", "02:31:15.5", "2026-03-29T01:00:00", id="to-the-second"),
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


def test_a_policy_that_was_edited_to_have_no_deadline_has_no_target() -> None:
    at = utc("10T20:00")
    assert target.edited(made(at), policy((None,) * 7), "UTC", at).latest is None
    assert target.scheduled(made(at), policy((None,) * 7), "UTC", at).latest is None
    assert target.succeeded(made(at), policy((None,) * 7), "UTC", utc("11T07:00")).latest is None


@pytest.mark.parametrize(
    ("wall", "level", "at", "target_id"),
    [
        pytest.param("07:00", 50, "10T20:00", 1, id="unchanged"),
        pytest.param("07:00", 60, "10T20:00", 2, id="another-level"),
        pytest.param("08:00", 50, "10T20:00", 2, id="another-time"),
        pytest.param("08:00", 50, "11T07:00", 1, id="at-the-deadline-it-is-missed-already"),
        pytest.param("08:00", 50, "11T06:59", 2, id="just-before-it"),
    ],
)
def test_an_edit_counts_where_it_changes_a_deadline_to_come(wall: str, level: int, at: str, target_id: int) -> None:
    edited = target.edited(made(utc("10T20:00")), policy(daily(wall, level)), "UTC", utc(at)).scheduled
    assert edited is not None
    assert (edited.target_id, edited.from_policy) == (target_id, True)
    was_missed = at == "11T07:00"
    assert (edited.minimum_charge_target, edited.ready_by) == (level, utc(f"11T{'07:00' if was_missed else wall}"))


def test_a_target_that_rolls_on_keeps_its_id_and_one_that_succeeds_has_a_new_one() -> None:
    plan = policy(daily("07:00"))
    first = made(utc("10T20:00")).scheduled
    assert first is not None
    rolled = target.scheduled(made(utc("10T20:00")), plan, "UTC", utc("11T07:00"))
    assert rolled.scheduled == replace(first, ready_by=utc("12T07:00"))
    assert rolled.next_id == 2
    overridden = target.overridden(made(utc("10T20:00")), 80, utc("11T05:00"))
    following = target.succeeded(overridden, plan, "UTC", utc("11T05:00"))
    assert (following.override, following.next_id) == (None, 4)
    assert following.latest == RegularTarget(
        target_id=3, from_policy=True, minimum_charge_target=50, ready_by=utc("11T07:00")
    )


def test_a_policy_that_was_edited_to_have_a_deadline_has_a_target() -> None:
    at = utc("10T20:00")
    assert target.edited(Targets(), policy(daily("07:00")), "UTC", at) == made(at)


def test_another_reserve_makes_other_targets_of_all_that_are_regular() -> None:
    both = target.immediate(target.overridden(made(utc("10T20:00")), 80, utc("11T05:00")), 90)
    renumbered = target.renumbered(both)
    assert both.scheduled is not None
    assert both.override is not None
    assert renumbered.scheduled == replace(both.scheduled, target_id=4)
    assert renumbered.override == replace(both.override, target_id=5)
    assert (renumbered.immediate, renumbered.next_id) == (both.immediate, 6)
    assert target.renumbered(Targets()) == Targets()
    alone = target.renumbered(made(utc("10T20:00")))
    assert (alone.latest, alone.next_id) == (replace(both.scheduled, target_id=2), 3)


def test_wishes_count_up_and_the_same_again_changes_nothing() -> None:
    first = target.immediate(Targets(), 60)
    assert first == Targets(immediate=ImmediateTarget(target_id=1, minimum_charge_target=60), next_id=2)
    assert target.immediate(first, 60) == first
    assert target.immediate(first, 61).immediate == ImmediateTarget(target_id=2, minimum_charge_target=61)
    by = utc("11T05:00")
    second = target.overridden(first, 80, by)
    made_so = RegularTarget(target_id=2, from_policy=False, minimum_charge_target=80, ready_by=by)
    assert second == Targets(override=made_so, next_id=3), "an override ends an immediate start"
    assert target.overridden(second, 80, by) == second
    for level, other in ((81, by), (80, utc("11T05:01"))):
        third = target.overridden(second, level, other).override
        assert third == RegularTarget(target_id=3, from_policy=False, minimum_charge_target=level, ready_by=other)


@pytest.mark.parametrize(
    ("at", "ready_by", "target_id"),
    [
        pytest.param("11T06:59", "11T07:00", 1, id="its-time-is-to-come"),
        pytest.param("11T07:00", "12T07:00", 3, id="its-time-has-passed"),
    ],
)
def test_the_policys_target_comes_back_unless_its_time_has_passed(at: str, ready_by: str, target_id: int) -> None:
    plan = policy(daily("07:00"))
    overridden = target.overridden(made(utc("10T20:00")), 80, utc("11T12:00"))
    back = target.reverted(overridden, plan, "UTC", utc(at))
    assert (back.override, back.immediate) == (None, None)
    assert back.latest == RegularTarget(
        target_id=target_id, from_policy=True, minimum_charge_target=50, ready_by=utc(ready_by)
    )


def test_taking_an_immediate_start_back_leaves_a_missed_deadline_in_force() -> None:
    boosted = target.immediate(made(utc("10T20:00")), 80)
    back = target.reverted(boosted, policy(daily("07:00")), "UTC", utc("11T08:00"))
    assert back == replace(boosted, immediate=None), "charging goes on until it is met"
    none = target.overridden(Targets(), 80, utc("11T12:00"))
    assert target.reverted(none, policy((None,) * 7), "UTC", utc("11T08:00")).latest is None


def test_a_clock_that_was_set_while_a_car_is_plugged_keeps_a_target_that_has_no_successor() -> None:
    known = made(utc("10T20:00"))
    assert target.redated(known, policy((None,) * 7), "UTC", utc("20T20:00"), is_plugged=True) == known
    again = target.redated(known, policy(daily("07:00", 60)), "UTC", utc("10T20:00"), is_plugged=True)
    assert again.scheduled is not None
    assert (again.scheduled.target_id, again.scheduled.minimum_charge_target) == (2, 60)
