"""The projection against the target: will it be met, and if not, how far and when."""

from datetime import datetime, timedelta
from typing import assert_never

from chargerd.core.frozen import replace
from chargerd.core.level import gained_pct, level_pct, needed_wh, shown_pct
from chargerd.core.model import (
    Control,
    ErrorKind,
    ImmediateTarget,
    Outcome,
    OutcomeState,
    RegularTarget,
    Session,
    Slot,
    State,
)
from chargerd.core.planning import car_limit_pct, planning_power_w
from chargerd.core.units import hours_between
from chargerd.plan.schedule import Window

HYSTERESIS_PCT = 1.0
HYSTERESIS = timedelta(minutes=5)


def projected(state: State, slot: Slot, now: datetime) -> Outcome | None:
    """What is expected of the target in force; None before the first estimate is possible."""
    session = slot.session
    pct = level_pct(session, slot.vehicle)
    if pct is None:
        return None
    target = session.targets.latest
    match target:
        case None:
            return None
        case ImmediateTarget() as goal:
            blocked = _start_failed(session) or session.car_is_full
            wh = needed_wh(pct, goal.minimum_charge_target, slot.vehicle)
            reached_at = None if blocked else _reached_at(session.plan, wh, now, planning_power_w(state, slot))
            return Outcome(target_id=goal.target_id, state=None, reached_at=reached_at)
        case RegularTarget() as goal:
            return _regular(state, slot, goal, pct, now)
        case _:
            assert_never(target)


def _regular(state: State, slot: Slot, goal: RegularTarget, pct: float, now: datetime) -> Outcome:
    session, wanted = slot.session, goal.minimum_charge_target
    power_w = planning_power_w(state, slot)
    wh = needed_wh(pct, wanted, slot.vehicle)
    known = session.outcome if session.outcome and session.outcome.target_id == goal.target_id else None
    if pct >= wanted:
        return _on_target(goal)
    if _start_failed(session):
        hopeless = is_at_ladders_end(state.control) or not state.facts.online
        reached_at = None if hopeless else _after(max(goal.ready_by, now), wh, power_w)
        return _off_target(goal, known, pct, reached_at, now)
    reached_at = _reached_at(session.plan, wh, now, power_w)
    at_deadline = pct + gained_pct(_planned_wh(session.plan, now, goal.ready_by, power_w), slot.vehicle)
    limit_pct = car_limit_pct(slot)
    if limit_pct < wanted:
        return _off_target(goal, known, min(at_deadline, max(limit_pct, pct)), None, now)
    if now < goal.ready_by and _is_on_target(known, wanted - at_deadline, reached_at, goal.ready_by):
        return _on_target(goal)
    return _off_target(goal, known, at_deadline, reached_at, now)


def _is_on_target(known: Outcome | None, short_pct: float, reached_at: datetime | None, ready_by: datetime) -> bool:
    """Decide with hysteresis, so that rounding and small drifts do not make it flap."""
    if known is not None and known.state is OutcomeState.OFF_TARGET:
        return reached_at is not None and reached_at <= ready_by
    near = reached_at is not None and reached_at <= ready_by + HYSTERESIS
    return short_pct <= HYSTERESIS_PCT or near


def _on_target(goal: RegularTarget) -> Outcome:
    return Outcome(target_id=goal.target_id, state=OutcomeState.ON_TARGET)


def _off_target(
    goal: RegularTarget, known: Outcome | None, pct: float, reached_at: datetime | None, now: datetime
) -> Outcome:
    """Once the deadline is past, the level at it is a fact and stays as it was."""
    level = shown_pct(pct)
    if now > goal.ready_by and known is not None and known.level_pct_at_ready_by is not None:
        level = known.level_pct_at_ready_by
    return Outcome(
        target_id=goal.target_id, state=OutcomeState.OFF_TARGET, level_pct_at_ready_by=level, reached_at=reached_at
    )


def judges_latest(session: Session) -> bool:
    """Tell whether the last outcome is about the target in force."""
    target = session.targets.latest
    return (None if session.outcome is None else session.outcome.target_id) == (target and target.target_id)


def final(slot: Slot) -> Session:
    """Judge what was: the target in force at plug-out was met, or it was not."""
    session = slot.session
    goal = session.targets.latest
    pct = level_pct(session, slot.vehicle)
    if pct is None or not isinstance(goal, RegularTarget):
        return session
    if pct >= goal.minimum_charge_target:
        return replace(session, outcome=_on_target(goal))
    assert session.unplugged_at is not None
    known = session.outcome if session.outcome and session.outcome.target_id == goal.target_id else None
    return replace(session, outcome=_off_target(goal, known, pct, None, session.unplugged_at))


def is_at_ladders_end(control: Control) -> bool:
    """Attempts were made, and no further one is due."""
    return control.attempts > 0 and control.retry_at is None


def _start_failed(session: Session) -> bool:
    return session.error is not None and session.error.kind is ErrorKind.START_FAIL


def _planned_wh(plan: tuple[Window, ...], now: datetime, until: datetime, power_w: float) -> float:
    """Energy in Wh that the plan has room for from now to an instant."""
    return power_w * sum(_hours_inside(window, now, until) for window in plan)


def _hours_inside(window: Window, start: datetime, end: datetime) -> float:
    return max(hours_between(max(window.start, start), min(window.end, end)), 0.0)


def _reached_at(plan: tuple[Window, ...], wh: float, now: datetime, power_w: float) -> datetime | None:
    """When the plan has delivered so much; None when it never does."""
    missing = wh
    for window in plan:
        start = max(window.start, now)
        room = power_w * _hours_inside(window, now, window.end)
        if room >= missing - 1:
            return _after(start, missing, power_w)
        missing -= room
    return None


def _after(start: datetime, wh: float, power_w: float) -> datetime:
    assert power_w > 0
    return start + timedelta(hours=wh / power_w)
