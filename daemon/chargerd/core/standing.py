"""The standing order: what a charger does by itself, should nobody tell it anything more.

One that follows schedules is told the whole plan with every limit: current in the windows, none between them, and
current for good from the latest start that still meets the deadline. So a gateway that dies still means a charged car.
While it lives, the order only spares commands: the charger begins a window by itself. A pause that is due is told when
it is due, so the order pauses a little late: a window whose end moves on is not chopped.

Chargers keep an order in flash memory. It is told anew when the charger would soon go wrong by the old one, when the
old one would leave the car without what it needs, or when much has changed; and only so often a day.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from chargerd.core.abilities import can_pause, surely_pauses
from chargerd.core.commands import LimitStep
from chargerd.core.frozen import replace
from chargerd.core.model import Control, RegularTarget, Slot, State, Want
from chargerd.core.planning import needs
from chargerd.core.session import visiting_slot
from chargerd.plan.schedule import Window

Steps = tuple[LimitStep, ...]

PAUSES_LATE = timedelta(minutes=5)
"""A pause of the order begins so long after the window's end; differences shorter than this are none."""
STARTS_EARLY = timedelta(minutes=15)
"""The last start of the order leaves so much to spare."""
SOON = timedelta(minutes=20)
"""What goes wrong within so long is told at once; it is looked for every quarter hour."""
MUCH = timedelta(hours=1)
MISSING = timedelta(minutes=10)
AGAIN_AFTER = timedelta(minutes=15)
HORIZON = timedelta(hours=36)
A_DAY = timedelta(hours=24)
TOLD_A_DAY = 24
"""Flash memory stands some ten thousand writes: at this rate that is more than a year of the worst days."""


def is_followed(state: State) -> bool:
    """Tell whether the charger takes an order: only where it said how many periods its schedules may have."""
    periods = state.facts.capabilities.schedule_periods or 1
    return periods > 1 and can_pause(state) and not state.control.limit_refused


def order(state: State, now: datetime) -> Steps:
    """The steps after now that go with the limit of now; none where that is to last."""
    slot = visiting_slot(state)
    if slot is None or state.control.want is Want.FREE or not is_followed(state):
        return ()
    free_at = _free_at(slot)
    if free_at is None or free_at <= now:
        return ()
    steps = list[LimitStep]()
    for start, end in _stretches(slot.session.plan, now):
        if start >= free_at:
            break
        if start > now:
            steps.append(LimitStep(at=start, limit_a=state.charger.max_a))
        if end >= free_at:
            return _kept(state, steps)
        steps.append(LimitStep(at=end, limit_a=0.0))
    return _kept(state, [*steps, LimitStep(at=free_at, limit_a=state.charger.max_a)])


def _stretches(plan: tuple[Window, ...], now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From when to when the order lets the car charge; windows with less than its lateness between them are one."""
    ahead = [window for window in plan if window.end > now]
    while ahead:
        first = last = ahead.pop(0)
        while ahead and ahead[0].start <= last.end + PAUSES_LATE:
            last = ahead.pop(0)
        yield first.start, last.end + PAUSES_LATE


def _free_at(slot: Slot) -> datetime | None:
    """The latest start that still meets the deadline, to the minute; None without a deadline."""
    session = slot.session
    target = session.targets.latest
    if not isinstance(target, RegularTarget) or session.planned_w <= 0:
        return None
    hours = sum(need.wh for need in needs(slot)) / session.planned_w
    if not hours:
        return target.ready_by + AGAIN_AFTER  # by then the next deadline is known
    return (target.ready_by - timedelta(hours=hours) - STARTS_EARLY).replace(second=0, microsecond=0)


def _kept(state: State, steps: list[LimitStep]) -> Steps:
    """As many steps as the charger has room for; the last one lets the car charge."""
    kept = steps[: (state.facts.capabilities.schedule_periods or 1) - 1]
    return tuple(kept[:-1] if kept and kept[-1].limit_a == 0 else kept)


def followed(state: State, now: datetime) -> Control:
    """The limit that is in force by now, of those that the charger takes up by itself."""
    control = state.control
    past = [step for step in control.later if step.at <= now]
    if not past:
        return control
    limit_a = past[-1].limit_a
    return replace(
        control,
        limit_a=limit_a,
        limited_at=past[-1].at,
        later=control.later[len(past) :],
        holds_down=limit_a == 0,
        held_at=past[-1].at if limit_a == 0 else control.held_at,
    )


def is_due(state: State, now: datetime) -> bool:
    """Tell whether the order is to be told though the limit of now needs no telling."""
    control = state.control
    if not is_followed(state) or (control.limit_again_at is not None and now < control.limit_again_at):
        return False
    if state.facts.transaction is None and not surely_pauses(state):
        return False
    wanted = order(state, now)
    if wanted == control.later or is_worn(control, now):
        return False
    if control.limit_a is None:
        slot = visiting_slot(state)
        return slot is not None and slot.session.plan != ()
    wrong = list(_differences(control, wanted, now))
    if any(start - now <= SOON for start, _, _ in wrong):
        return True
    much = sum((end - start for start, end, _ in wrong), timedelta())
    missing = sum((end - start if is_missing else start - end for start, end, is_missing in wrong), timedelta())
    rests = control.told != () and now - control.told[-1] < AGAIN_AFTER
    return missing >= MUCH or (not rests and (much >= MUCH or missing >= MISSING))


def _differences(control: Control, wanted: Steps, now: datetime) -> Iterator[tuple[datetime, datetime, bool]]:
    """Stretches in which the order told differs from the one wanted, and whether it lacks current there."""
    now_a = control.limit_a or 0.0
    edges = sorted({now, now + HORIZON, *(step.at for step in (*control.later, *wanted))})
    for start, end in pairwise(edges):
        told, meant = _at(control.later, now_a, start) > 0, _at(wanted, now_a, start) > 0
        if told is not meant and end - start > PAUSES_LATE:
            yield start, end, meant


def _at(steps: Steps, now_a: float, at: datetime) -> float:
    return next((step.limit_a for step in reversed(steps) if step.at <= at), now_a)


def told(control: Control, now: datetime) -> tuple[datetime, ...]:
    """When the last limits were told, this one with them."""
    return (*control.told, now)[-TOLD_A_DAY:]


def is_worn(control: Control, now: datetime) -> bool:
    """Tell whether so many limits were told within a day that only needful ones still are."""
    return sum(now - at < A_DAY for at in control.told) >= TOLD_A_DAY
