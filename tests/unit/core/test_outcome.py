"""Will the target be met? A car that gains ten points an hour tells it by arithmetic."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from chargerd.core import outcome
from chargerd.core.model import (
    ChargerFacts,
    Control,
    ErrorKind,
    ImmediateTarget,
    Outcome,
    OutcomeState,
    RegularTarget,
    Session,
    SessionError,
    Slot,
    Target,
    Targets,
    VehicleFacts,
)
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import utc
from tests.unit.core.partition import known, slot, spec, state

PLUG = utc("10T20:00")
CAR = spec(battery_wh=76_000, charge_max_w=8_000, efficiency=1.0)
"""It draws 7.6 kW, of which nothing is lost: ten points an hour, six minutes for one."""
FAST = replace(CAR, battery_wh=38_000)
FAILS = SessionError(kind=ErrorKind.START_FAIL)
ON, OFF = OutcomeState


def window(start: str, end: str) -> Window:
    return Window(kind=BlockKind.REGULAR, start=utc(start), end=utc(end), wh=0)


def goal(ready_by: str = "11T02:00", level: int = 50, number: int = 1) -> RegularTarget:
    return RegularTarget(target_id=number, from_policy=True, minimum_charge_target=level, ready_by=utc(ready_by))


def at_once(level: int = 50) -> ImmediateTarget:
    return ImmediateTarget(target_id=2, minimum_charge_target=level)


def car(pct: float | None, target: Target | None, *windows: Window, **changes: Any) -> Slot:
    """A car at this level, with a target and a plan."""
    is_immediate = isinstance(target, ImmediateTarget)
    targets = Targets(immediate=target) if is_immediate else Targets(scheduled=target)  # type: ignore[arg-type]
    level = None if pct is None else known(pct)
    visit: dict[str, Any] = {"vehicle": CAR, "targets": targets, "level": level, "plan": windows}
    return slot(plugged_at=PLUG, **visit | changes)


def judged(its: Slot, now: str = "10T22:00", *, online: bool = True, control: Control | None = None) -> Outcome | None:
    whole = state(its, facts=ChargerFacts(online=online), control=control or Control())
    return outcome.projected(whole, its, utc(now))


def off(level: int, reached: str | None = None, number: int = 1) -> Outcome:
    reached_at = None if reached is None else utc(reached)
    return Outcome(target_id=number, state=OFF, level_pct_at_ready_by=level, reached_at=reached_at)


def on(number: int = 1) -> Outcome:
    return Outcome(target_id=number, state=ON)


def reached(its: Slot, now: str = "10T22:00") -> datetime | None:
    found = judged(its, now)
    assert found is not None
    return found.reached_at


# When


def test_nothing_is_expected_where_no_level_or_no_target_is_known() -> None:
    assert judged(car(None, goal())) is None
    assert judged(car(40, None)) is None


@pytest.mark.parametrize(
    ("level", "windows", "at"),
    [
        pytest.param(60, [], None, id="no-plan"),
        pytest.param(60, [("10T22:00", "11T02:00")], "11T00:00", id="in-the-window"),
        pytest.param(60, [("10T23:00", "11T02:00")], "11T01:00", id="once-it-begins"),
        pytest.param(60, [("10T21:00", "11T02:00")], "11T00:00", id="a-window-that-runs"),
        pytest.param(60, [("10T22:00", "10T23:00"), ("11T01:00", "11T05:00")], "11T02:00", id="in-the-second"),
        pytest.param(60, [("10T20:00", "10T22:00"), ("11T01:00", "11T05:00")], "11T03:00", id="one-is-past"),
        pytest.param(60, [("10T22:00", "11T00:00")], "11T00:00", id="at-its-end"),
        pytest.param(61, [("10T22:00", "11T00:00")], None, id="too-short"),
        pytest.param(70, [("10T22:00", "10T23:00"), ("11T01:00", "11T02:00")], None, id="two-too-short"),
        pytest.param(40, [("10T23:00", "11T02:00")], "10T23:00", id="there-is-nothing-to-do"),
    ],
)
def test_a_target_is_reached_when_the_plan_has_delivered_what_is_needed(
    level: int, windows: list[tuple[str, str]], at: str | None
) -> None:
    plan = [window(*times) for times in windows]
    assert reached(car(40, at_once(level), *plan)) == (None if at is None else utc(at))
    assert judged(car(40, at_once(level), *plan)) == Outcome(
        target_id=2, state=None, reached_at=None if at is None else utc(at)
    )


@pytest.mark.parametrize(
    ("wh", "is_reached"), [pytest.param(7601, True, id="a-watt-hour"), pytest.param(7602, False, id="more")]
)
def test_a_plan_that_is_short_by_a_watt_hour_is_rounded(wh: int, is_reached: bool) -> None:
    its = car(50 - wh / 760, at_once(), window("10T22:00", "10T23:00"))
    assert (reached(its) is not None) is is_reached


@pytest.mark.parametrize(
    "changes",
    [pytest.param({"error": FAILS}, id="it-does-not-start"), pytest.param({"car_is_full": True}, id="takes-no-more")],
)
def test_nobody_knows_when_an_immediate_start_reaches_its_level(changes: dict[str, Any]) -> None:
    its = car(40, at_once(), window("10T22:00", "11T02:00"), **changes)
    assert judged(its) == Outcome(target_id=2, state=None)


def test_an_error_that_is_no_failed_start_leaves_the_projection() -> None:
    its = car(40, at_once(), window("10T22:00", "11T02:00"), error=SessionError(kind=ErrorKind.STOP_FAIL))
    assert reached(its) == utc("10T23:00")


# On target, or off it


@pytest.mark.parametrize("pct", [50, 51, 100])
def test_a_car_that_is_there_is_on_target_whatever_the_plan_says(pct: int) -> None:
    assert judged(car(pct, goal(), error=FAILS)) == on()
    assert judged(car(pct, goal(), outcome=off(30)), "11T03:00") == on()


@pytest.mark.parametrize(
    ("pct", "found"),
    [
        pytest.param(10, on(), id="in-time"),
        pytest.param(9, on(), id="a-point-short"),
        pytest.param(8.95, off(48, "11T02:06:18"), id="more"),
    ],
)
def test_a_point_that_is_missing_is_not_missed(pct: float, found: Outcome) -> None:
    plan = window("10T22:00", "11T05:00")
    assert judged(car(pct, goal(), plan)) == found
    assert judged(car(pct, goal(), plan, outcome=on())) == found
    assert judged(car(pct, goal(number=2), plan, outcome=off(8))) == replace(found, target_id=2), "of another target"


@pytest.mark.parametrize(
    ("begins", "state"), [pytest.param("22:05", ON, id="five-minutes"), pytest.param("22:05:01", OFF, id="more")]
)
def test_five_minutes_late_is_in_time(begins: str, state: OutcomeState) -> None:
    its = car(10, goal("11T00:00"), window(f"10T{begins}", "11T05:00"), vehicle=FAST)
    found = judged(its)
    assert found is not None
    assert found.state is state, "though a point and two thirds are missing by then"


@pytest.mark.parametrize(
    ("begins", "found"),
    [pytest.param("22:00", on(), id="in-time"), pytest.param("22:00:01", off(49, "11T02:00:01"), id="a-second-late")],
)
def test_what_was_off_target_is_on_it_only_once_nothing_is_missing(begins: str, found: Outcome) -> None:
    plan = window(f"10T{begins}", "11T05:00")
    assert judged(car(10, goal(), plan, outcome=off(40, "11T03:00"))) == found
    assert judged(car(10, goal(), plan)) == on()


def test_what_was_off_target_stays_so_where_the_plan_never_gets_there() -> None:
    its = car(10, goal(), window("10T22:00", "11T01:54"), outcome=off(40))
    assert judged(its) == off(49)


def test_only_what_is_planned_before_the_deadline_counts_for_it() -> None:
    windows = (window("10T21:00", "10T23:00"), window("11T01:00", "11T04:00"))
    assert judged(car(10, goal(), *windows)) == off(30, "11T04:00")
    assert judged(car(10, goal(), *windows), "11T01:30") == off(15)


def test_at_the_deadline_a_point_that_is_missing_is_missed() -> None:
    its = car(49.5, goal(), window("10T22:00", "11T05:00"))
    assert judged(its, "11T01:59:59") == on()
    assert judged(its, "11T02:00") == off(49, "11T02:03")


@pytest.mark.parametrize(
    ("now", "level"),
    [pytest.param("11T02:00", 30, id="at-the-deadline"), pytest.param("11T02:00:01", 27, id="past-it")],
)
def test_the_level_at_the_deadline_is_a_fact_once_it_is_past(now: str, level: int) -> None:
    found = judged(car(30, goal(), outcome=off(27)), now)
    assert found == off(level)


@pytest.mark.parametrize(
    "before", [pytest.param(None, id="nothing"), pytest.param(on(), id="no-level"), pytest.param(off(27, number=9))]
)
def test_past_the_deadline_the_level_now_is_told_where_none_was_before(before: Outcome | None) -> None:
    assert judged(car(30, goal(), outcome=before), "11T02:30") == off(30)


@pytest.mark.parametrize(
    ("pct", "limit", "hours", "found"),
    [
        pytest.param(40, 50, 1, on(), id="as-far-as-the-target"),
        pytest.param(40, 49, 1, off(49), id="less"),
        pytest.param(20, 40, 1, off(30), id="the-plan-ends-before-it"),
        pytest.param(45, 40, 0, off(45), id="it-is-over-it"),
        pytest.param(45, 40, 0.4, off(45), id="and-takes-no-more"),
    ],
)
def test_a_car_with_a_limit_of_its_own_gets_no_further(pct: float, limit: float, hours: float, found: Outcome) -> None:
    plan = [window("10T22:00", f"10T{22 + int(hours)}:{round(hours % 1 * 60):02}")] if hours else []
    assert judged(car(pct, goal(), *plan, facts=VehicleFacts(limit_pct=limit))) == found


# A start that fails


@pytest.mark.parametrize(
    ("control", "online", "at"),
    [
        pytest.param(Control(attempts=1, retry_at=utc("10T22:05")), True, "11T03:00", id="tries-again"),
        pytest.param(Control(), True, "11T03:00", id="not-tried"),
        pytest.param(Control(attempts=1), True, None, id="no-more-attempts"),
        pytest.param(Control(attempts=1, retry_at=utc("10T22:05")), False, None, id="not-connected"),
    ],
)
def test_a_start_that_fails_delivers_nothing_before_the_deadline_and_all_after_it(
    control: Control, online: bool, at: str | None
) -> None:
    its = car(40, goal(), window("10T22:00", "11T02:00"), error=FAILS)
    assert judged(its, online=online, control=control) == off(40, at)


def test_past_the_deadline_a_start_that_fails_may_still_succeed_now() -> None:
    its = car(40, goal(), error=FAILS, outcome=off(39))
    assert judged(its, "11T02:30") == off(39, "11T03:30")


# Whether, and at the end


@pytest.mark.parametrize(
    ("before", "target", "is_judged"),
    [
        pytest.param(None, None, True, id="nothing-to-judge"),
        pytest.param(None, goal(), False, id="not-yet"),
        pytest.param(on(), goal(), True, id="this-one"),
        pytest.param(on(2), goal(), False, id="another"),
        pytest.param(on(), None, False, id="one-that-is-gone"),
    ],
)
def test_an_outcome_is_about_one_target(before: Outcome | None, target: Target | None, is_judged: bool) -> None:
    assert outcome.judges_latest(car(40, target, outcome=before).session) is is_judged


def final(its: Slot, left: str = "11T01:00") -> Session:
    return outcome.final(replace(its, session=replace(its.session, unplugged_at=utc(left))))


@pytest.mark.parametrize(
    ("pct", "found"), [pytest.param(50, on(), id="there"), pytest.param(49.9, off(49), id="not-quite")]
)
def test_a_car_that_left_had_what_was_asked_for_or_not(pct: float, found: Outcome) -> None:
    assert final(car(pct, goal(), outcome=off(12, "11T03:00"))).outcome == found
    assert final(car(pct, goal())).outcome == found


def test_a_car_that_left_after_the_deadline_keeps_the_level_that_it_had_then() -> None:
    assert final(car(45, goal(), outcome=off(42)), "11T02:00").outcome == off(45)
    assert final(car(45, goal(), outcome=off(42)), "11T02:30").outcome == off(42)
    assert final(car(45, goal(), outcome=off(42, number=9)), "11T02:30").outcome == off(45), "of another target"
    assert final(car(45, goal()), "11T02:30").outcome == off(45)


@pytest.mark.parametrize(
    "its",
    [
        pytest.param(car(None, goal(), outcome=off(12)), id="no-level"),
        pytest.param(car(60, None, outcome=off(12)), id="no-target"),
        pytest.param(car(60, at_once(), outcome=off(12)), id="an-immediate-start"),
    ],
)
def test_what_cannot_be_judged_at_the_end_stays_as_it_was(its: Slot) -> None:
    assert final(its).outcome == off(12)
    assert final(its).unplugged_at == utc("11T01:00")


@pytest.mark.parametrize(
    ("control", "ended"),
    [
        pytest.param(Control(), False, id="not-begun"),
        pytest.param(Control(attempts=1), True, id="no-more-due"),
        pytest.param(Control(attempts=1, retry_at=utc("10T22:05")), False, id="one-is-due"),
    ],
)
def test_the_ladder_ends_where_no_further_attempt_is_due(control: Control, ended: bool) -> None:
    assert outcome.is_at_ladders_end(control) is ended
