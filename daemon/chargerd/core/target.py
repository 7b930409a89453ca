"""What a session charges towards: the policy's weekly schedule, a user's overrides, and how they end."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chargerd.core.frozen import replace
from chargerd.core.model import ImmediateTarget, RegularTarget, Targets
from chargerd.core.policy import DayTarget, Policy

_WEEK_AND_A_DAY = 8


def next_deadline_of(schedule: tuple[DayTarget | None, ...], zone: str, after: datetime) -> tuple[datetime, int] | None:
    """Next (ready-by in UTC, level in percent) strictly after an instant; None when no day has a deadline.

    A wall time that the spring change skips means the first instant after the gap; one that the autumn change
    repeats means the first of the two.
    """
    tz = ZoneInfo(zone)
    first_day = after.astimezone(tz).date()
    for offset in range(_WEEK_AND_A_DAY):
        day = first_day + timedelta(days=offset)
        entry = schedule[day.weekday()]
        if entry is not None:
            at = _instant(datetime.combine(day, entry.ready_by), tz)
            if at > after:
                return at, entry.minimum_charge_target
    return None


def _instant(wall: datetime, tz: ZoneInfo) -> datetime:
    at = wall.replace(tzinfo=tz).astimezone(UTC)
    if at.astimezone(tz).replace(tzinfo=None) == wall:
        return at
    return _gap_end(at, tz)


def _gap_end(at: datetime, tz: ZoneInfo) -> datetime:
    """First instant after the gap that a skipped wall time fell in; offsets change on whole minutes."""
    offset = at.astimezone(tz).utcoffset()
    probe = at.replace(second=0, microsecond=0)
    while (probe - timedelta(minutes=1)).astimezone(tz).utcoffset() == offset:
        probe -= timedelta(minutes=1)
    return probe


def scheduled(targets: Targets, policy: Policy, zone: str, now: datetime) -> Targets:
    """Bring the policy's own target up to date while nothing is plugged in: it rolls forward with its id."""
    found = next_deadline_of(policy.schedule, zone, now)
    if found is None:
        return replace(targets, scheduled=None)
    ready_by, level = found
    known = targets.scheduled
    if known is not None and known.minimum_charge_target == level:
        return replace(targets, scheduled=replace(known, ready_by=ready_by))
    return _with_scheduled(targets, ready_by, level)


def succeeded(targets: Targets, policy: Policy, zone: str, now: datetime) -> Targets:
    """Let the next scheduled target take over, under a new id, and the override end."""
    found = next_deadline_of(policy.schedule, zone, now)
    cleared = replace(targets, override=None)
    return replace(cleared, scheduled=None) if found is None else _with_scheduled(cleared, *found)


def edited(targets: Targets, policy: Policy, zone: str, now: datetime) -> Targets:
    """Follow a policy that was edited in mid-session: a changed target gets a new id, an unchanged one keeps it."""
    found = next_deadline_of(policy.schedule, zone, now)
    known = targets.scheduled
    if found is None:
        return replace(targets, scheduled=None)
    if known is not None and (known.ready_by <= now or (known.ready_by, known.minimum_charge_target) == found):
        return targets
    return _with_scheduled(targets, *found)


def redated(targets: Targets, policy: Policy, zone: str, now: datetime, *, is_plugged: bool) -> Targets:
    """Look the policy's target up again after the clock was set by days: the one in force was another day's."""
    if not is_plugged:
        return scheduled(targets, policy, zone, now)
    found, known = next_deadline_of(policy.schedule, zone, now), targets.scheduled
    if found is None or (known is not None and (known.ready_by, known.minimum_charge_target) == found):
        return targets
    return _with_scheduled(targets, *found)


def renumbered(targets: Targets) -> Targets:
    """The policy's battery reserve is part of every REGULAR target: where it changed, they are others now."""
    if targets.scheduled is not None:
        changed = replace(targets.scheduled, target_id=targets.next_id)
        targets = replace(targets, scheduled=changed, next_id=targets.next_id + 1)
    if targets.override is not None:
        changed = replace(targets.override, target_id=targets.next_id)
        targets = replace(targets, override=changed, next_id=targets.next_id + 1)
    return targets


def immediate(targets: Targets, level: int) -> Targets:
    """Start now, up to a level. Asking for the same again changes nothing."""
    if targets.immediate is not None and targets.immediate.minimum_charge_target == level:
        return targets
    made = ImmediateTarget(target_id=targets.next_id, minimum_charge_target=level)
    return replace(targets, immediate=made, next_id=targets.next_id + 1)


def overridden(targets: Targets, level: int, ready_by: datetime) -> Targets:
    """Another level or deadline for this session. It ends an immediate start; the same again changes nothing."""
    targets = replace(targets, immediate=None)
    known = targets.override
    if known is not None and (known.minimum_charge_target, known.ready_by) == (level, ready_by):
        return targets
    made = RegularTarget(target_id=targets.next_id, from_policy=False, minimum_charge_target=level, ready_by=ready_by)
    return replace(targets, override=made, next_id=targets.next_id + 1)


def reverted(targets: Targets, policy: Policy, zone: str, now: datetime) -> Targets:
    """Back to the policy. Its target comes back with its id, unless its time has passed under another deadline."""
    back = replace(targets, immediate=None, override=None)
    if targets.override is not None and back.scheduled is not None and back.scheduled.ready_by <= now:
        return succeeded(back, policy, zone, now)
    return back


def completed(targets: Targets) -> Targets:
    """An immediate start is over: what was in force before it is in force again, with its id."""
    return replace(targets, immediate=None)


def _with_scheduled(targets: Targets, ready_by: datetime, level: int) -> Targets:
    made = RegularTarget(target_id=targets.next_id, from_policy=True, minimum_charge_target=level, ready_by=ready_by)
    return replace(targets, scheduled=made, next_id=targets.next_id + 1)
