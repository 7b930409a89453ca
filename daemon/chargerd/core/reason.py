"""Why a policy's car is charging, or is not, in one word."""

from enum import StrEnum
from typing import assert_never

from chargerd.core import session
from chargerd.core.control import car_is_full_at, wanted
from chargerd.core.level import level_pct
from chargerd.core.model import ErrorKind, RegularTarget, Session, Slot, State, Want
from chargerd.core.planning import due, missing_capabilities
from chargerd.core.refusal import takes_no_more
from chargerd.plan.schedule import BlockKind


class Reason(StrEnum):
    """Why the car is charging, or is not. Names are stable; new ones may come.

    Nothing can be controlled or is to be:

    - CHARGER_OFFLINE: the charger is not connected, so nobody can tell or change what goes on.
    - MISSING_CAPABILITIES: the charger or the car lacks what is needed; the car is left free to charge.
    - CAR_LEFT: the car was unplugged; its session is about to settle.
    - ANOTHER_CAR: the car that is plugged in is another one.
    - WAITING_FOR_CAR_IDENTITY: a car was just plugged in, and whose it is will be known within a minute.
    - PLUG_UNKNOWN: the charger has not told yet whether a car is plugged in.
    - NOT_PLUGGED_IN: no car is plugged in.

    It is time to charge:

    - CHARGING_AS_PLANNED: by the schedule, in hours that were chosen for it.
    - CHARGING_RESERVE: below the battery reserve, whatever the price.
    - LEVEL_UNKNOWN: likewise, because nobody knows the battery level and it counts as empty.
    - CHARGING_NOW: at once, because a user asked.
    - CHARGING_LATE: the deadline has passed and the target is not reached, so it goes on.
    - CAR_PAUSES: the car takes nothing after it has charged; if that lasts, it is taken as full.
    - STARTING: charging is due and was not seen to begin yet.
    - START_FAILED: charging is due and does not begin (START_FAIL).

    It is not:

    - STOPPING: charging is to stop and was not seen to yet.
    - STOP_FAILED: charging should have stopped and goes on (STOP_FAIL).
    - TARGET_REACHED: the target is reached.
    - CAR_FULL: the car takes no more before the target is reached: it is full, or at a limit of its own.
    - NO_TARGET: no day of the schedule has a deadline.
    - WAITING_FOR_CHEAPER_HOURS: charging is planned for later, when energy is cheaper.
    """

    CHARGER_OFFLINE = "CHARGER_OFFLINE"
    MISSING_CAPABILITIES = "MISSING_CAPABILITIES"
    CAR_LEFT = "CAR_LEFT"
    ANOTHER_CAR = "ANOTHER_CAR"
    WAITING_FOR_CAR_IDENTITY = "WAITING_FOR_CAR_IDENTITY"
    PLUG_UNKNOWN = "PLUG_UNKNOWN"
    NOT_PLUGGED_IN = "NOT_PLUGGED_IN"
    CHARGING_AS_PLANNED = "CHARGING_AS_PLANNED"
    CHARGING_RESERVE = "CHARGING_RESERVE"
    LEVEL_UNKNOWN = "LEVEL_UNKNOWN"
    CHARGING_NOW = "CHARGING_NOW"
    CHARGING_LATE = "CHARGING_LATE"
    CAR_PAUSES = "CAR_PAUSES"
    STARTING = "STARTING"
    START_FAILED = "START_FAILED"
    STOPPING = "STOPPING"
    STOP_FAILED = "STOP_FAILED"
    TARGET_REACHED = "TARGET_REACHED"
    CAR_FULL = "CAR_FULL"
    NO_TARGET = "NO_TARGET"
    WAITING_FOR_CHEAPER_HOURS = "WAITING_FOR_CHEAPER_HOURS"


def reason_of(state: State, slot: Slot) -> Reason:
    """Say why; what stands in the way of everything else comes first."""
    if slot.session.unplugged_at is not None:
        return Reason.CAR_LEFT
    if slot.session.plugged_in_at is None:
        return _upcoming(state, slot)
    if not state.facts.online:
        return Reason.CHARGER_OFFLINE
    want = wanted(state, state.at)
    match want:
        case Want.FREE:
            return Reason.MISSING_CAPABILITIES
        case Want.CHARGE:
            return _due(state, slot)
        case Want.HOLD:
            return _not_due(state, slot)
        case _:
            assert_never(want)


def is_awaited(state: State) -> bool:
    """A car is plugged in that is nobody's yet."""
    return state.facts.plugged is True and session.visit(state) is None


def _upcoming(state: State, slot: Slot) -> Reason:
    visit = session.visit(state)
    if visit is not None and visit.unplugged_at is None:
        return Reason.ANOTHER_CAR
    if is_awaited(state):
        return Reason.WAITING_FOR_CAR_IDENTITY
    if not state.facts.online:
        return Reason.CHARGER_OFFLINE
    if missing_capabilities(state, slot):
        return Reason.MISSING_CAPABILITIES
    return Reason.PLUG_UNKNOWN if state.facts.plugged is None else Reason.NOT_PLUGGED_IN


def _due(state: State, slot: Slot) -> Reason:
    if not state.facts.charging:
        if _has_failed(slot.session, ErrorKind.START_FAIL):
            return Reason.START_FAILED
        return Reason.STARTING if car_is_full_at(state) is None else Reason.CAR_PAUSES
    window = due(slot.session.plan, state.at)
    assert window is not None
    match window.kind:
        case BlockKind.IMMEDIATE_START:
            return Reason.CHARGING_NOW
        case BlockKind.BATTERY_RESERVE:
            known = level_pct(slot.session, slot.vehicle) is not None
            return Reason.CHARGING_RESERVE if known else Reason.LEVEL_UNKNOWN
        case BlockKind.REGULAR:
            target = slot.session.targets.latest
            late = isinstance(target, RegularTarget) and target.ready_by <= state.at
            return Reason.CHARGING_LATE if late else Reason.CHARGING_AS_PLANNED
        case _:
            assert_never(window.kind)


def _not_due(state: State, slot: Slot) -> Reason:
    if state.facts.charging:
        return Reason.STOP_FAILED if _has_failed(slot.session, ErrorKind.STOP_FAIL) else Reason.STOPPING
    if takes_no_more(state, slot):
        return Reason.CAR_FULL
    if slot.session.targets.latest is None:
        return Reason.NO_TARGET
    waits = any(window.start > state.at for window in slot.session.plan)
    return Reason.WAITING_FOR_CHEAPER_HOURS if waits else Reason.TARGET_REACHED


def _has_failed(visit: Session, kind: ErrorKind) -> bool:
    return visit.error is not None and visit.error.kind is kind
