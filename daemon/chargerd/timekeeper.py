"""What time it is, told from a wall clock that may be set and a monotonic one that may not. Pure.

WALL    the wall clock counts. A step back that is small is waited out: time stands still until the clock has passed it.
        A larger step, in either direction, is told, so that what was dated before it can be dated anew.
HELD    the process began in the past of its own state: the machine has no battery clock, and nobody has set it yet.
        Time goes on from the state by the monotonic clock; left when the wall clock has passed that time, or was set
        and has not, for then it is the state that was wrong.

A clock that is set forward soon after the start of a process that had a state, or while time is held, makes up for the
time in which the machine was off. That time has passed, and nothing is to be dated anew.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

STEP_S = 30.0
"""Real seconds that both clocks may differ by from one look to the next; beyond that, somebody set the wall clock."""
BEHIND_MOST = timedelta(minutes=5)
"""A start so far in the past, and no farther, is a small step back."""
SET_WITHIN_S = 600.0
"""Real seconds from the start within which the network sets the clock of a machine that was off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What both clocks said when they were last looked at, and the time that follows from it.

    ``now`` never goes back but by a step that is told. ``was_off_until`` is the monotonic time until which a step
    forward is time that has passed; None for a process that had no state.
    """

    now: datetime
    wall: datetime
    monotonic_s: float
    is_held: bool = False
    was_off_until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Time jumped, from the one that it would be to the one that it is. ``was_off`` says that this time has passed."""

    before: datetime
    after: datetime
    was_off: bool


def first(wall: datetime, monotonic_s: float, *, known: datetime | None, second: float = 1.0) -> Look:
    """Look for the first time. ``known`` is the last time in the state; ``second`` a real second in the clock's own."""
    if known is None:
        return Look(now=wall, wall=wall, monotonic_s=monotonic_s)
    return Look(
        now=max(wall, known),
        wall=wall,
        monotonic_s=monotonic_s,
        is_held=known - wall > BEHIND_MOST,
        was_off_until=monotonic_s + SET_WITHIN_S * second,
    )


def again(last: Look, wall: datetime, monotonic_s: float, *, second: float = 1.0) -> tuple[Look, Step | None]:
    """Look again, and tell whether time jumped since."""
    passed = timedelta(seconds=monotonic_s - last.monotonic_s)
    shown = last.wall + passed
    is_set = abs(wall - shown) > timedelta(seconds=STEP_S * second)
    look = replace(last, wall=wall, monotonic_s=monotonic_s)
    if last.is_held:
        held = last.now + passed
        if wall < held and not is_set:
            return replace(look, now=held), None
        look = replace(look, is_held=False)
        if timedelta(0) < held - wall <= BEHIND_MOST:
            return replace(look, now=held), None
        return replace(look, now=wall), Step(before=held, after=wall, was_off=wall >= held)
    if not is_set or shown < wall <= last.now:
        return replace(look, now=max(wall, last.now)), None
    expected = max(shown, last.now)
    is_late = last.was_off_until is not None and monotonic_s <= last.was_off_until
    return replace(look, now=wall), Step(before=expected, after=wall, was_off=is_late and wall >= expected)
