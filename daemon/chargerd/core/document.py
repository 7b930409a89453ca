"""State to documents: the session as the published examples show it, the charger and the vehicle. Pure.

Keys, nesting, order and absent keys are those of the examples. Times are RFC 3339 with whole seconds and ``Z``,
energies kWh, levels whole percents. ``timeseries[].kwh`` is the mean charge rate over the interval in kW.
"""

from datetime import datetime, timedelta
from itertools import chain
from typing import Any, assert_never

from chargerd.core.ids import PolicyId
from chargerd.core.level import level_pct, shown_pct
from chargerd.core.model import (
    Action,
    ActionState,
    Block,
    ErrorKind,
    ImmediateTarget,
    Interval,
    Ledger,
    Outcome,
    RegularTarget,
    Session,
    SessionError,
    Slot,
    State,
    Target,
    VehicleFacts,
    Want,
)
from chargerd.core.planning import due
from chargerd.core.policy import VehicleSpec
from chargerd.core.units import kwh, mean_kw
from chargerd.plan.schedule import BlockKind, Window

Document = dict[str, Any]


def rfc3339(at: datetime) -> str:
    """Spell a UTC time with whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def state_name(session: Session) -> str:
    """UPCOMING or ACTIVE:*, what the session does now."""
    return "UPCOMING" if session.plugged_in_at is None else f"ACTIVE:{session.kind}"


def current(state: State, policy_id: PolicyId) -> Document | None:
    """The current session document of a policy, None when this partition does not have it."""
    slot = state.slot_of(policy_id)
    if slot is None:
        return None
    session = slot.session
    plugged = session.plugged_in_at is not None
    return {
        "policyId": session.policy_id,
        "state": state_name(session),
        "pluggedInAt": None if session.plugged_in_at is None else rfc3339(session.plugged_in_at),
        "pluggedOutAt": None,
        "blocks": _blocks(state, session) if plugged else [],
        "statistics": _statistics(session, slot.vehicle, _elapsed(session.ledger, state.at))
        if plugged
        else _NO_STATISTICS,
        "target": {"latest": _target(session.targets.latest, slot.policy.battery_reserve)},
        "outcome": {"latest": _outcome(session.outcome, session.targets.latest) if plugged else None},
        "error": {"latest": _error(session.error)},
    }


def settled(
    session: Session, plugged_out_at: datetime, *, vehicle: VehicleSpec | None, battery_reserve: int
) -> Document:
    """The final document of a visit; an unmanaged one has no blocks and no goal.

    ``vehicle`` is whose visit it was, None where nobody knows.
    """
    assert session.plugged_in_at is not None
    return {
        "id": session.session_id,
        "policyId": session.policy_id,
        "state": "SETTLED",
        "pluggedInAt": rfc3339(session.plugged_in_at),
        "pluggedOutAt": rfc3339(plugged_out_at),
        "blocks": [_seen(block, block.ended_at or plugged_out_at) for block in session.blocks],
        "statistics": _statistics(session, vehicle, session.ledger.cells),
        "target": {"latest": _target(session.targets.latest, battery_reserve)},
        "outcome": {"latest": _outcome(session.outcome, session.targets.latest)},
        "error": {"latest": None},
    }


def ledger_rows(ledger: Ledger) -> tuple[Document, ...]:
    """The energy of each interval in integer Wh, with its quality."""
    return tuple(
        {"startAt": rfc3339(cell.start), "endAt": rfc3339(cell.end), "wh": cell.wh, "quality": str(cell.quality)}
        for cell in ledger.cells
    )


_NO_STATISTICS: Document = {"aggregated": None, "timeseries": []}


def _statistics(session: Session, vehicle: VehicleSpec | None, cells: tuple[Interval, ...]) -> Document:
    level = None if vehicle is None else level_pct(session, vehicle)
    return {
        "aggregated": {
            "kwhSum": kwh(session.ledger.total_wh),
            "batteryFrom": None if session.level_from_pct is None else shown_pct(session.level_from_pct),
            "batteryTo": None if level is None else shown_pct(level),
        },
        "timeseries": [
            {"startAt": rfc3339(cell.start), "kwh": mean_kw(cell.wh, cell.start, cell.end)} for cell in cells
        ],
    }


def _elapsed(ledger: Ledger, now: datetime) -> tuple[Interval, ...]:
    return tuple(cell for cell in ledger.cells if cell.end <= now)


def _blocks(state: State, session: Session) -> list[Document]:
    """Past blocks, the running or due one, and the planned ones, in this order; none overlaps another."""
    now = state.at
    past = [(block, block.ended_at) for block in session.blocks if block.ended_at is not None and block.wh > 0]
    open_block = session.blocks[-1] if session.blocks and session.blocks[-1].ended_at is None else None
    window = due(session.plan, now)
    middle: list[Document] = []
    if open_block is not None:
        middle = [_seen(open_block, _running_end(state, open_block, window))]
    elif window is not None:
        start = max([window.start, *(ended_at for _, ended_at in past)])
        middle = [_block(window.kind, 0, start, window.end)]
    coming = [w for w in session.plan if w.start > now]
    seen = (_seen(block, ended_at) for block, ended_at in past)
    return [*chain(seen, middle, (_planned(w) for w in coming))]


def _running_end(state: State, block: Block, window: Window | None) -> datetime:
    """A running block lasts as long as its window, or as long as charging was seen."""
    if window is not None:
        return window.end
    return max(state.facts.stopped_at or state.at, block.started_at + timedelta(seconds=1))


def _seen(block: Block, end: datetime) -> Document:
    return _block(block.kind, block.wh, block.started_at, end)


def _planned(window: Window) -> Document:
    return _block(window.kind, window.wh, window.start, window.end)


def _block(kind: BlockKind, wh: int, start: datetime, end: datetime) -> Document:
    return {"type": str(kind), "kwhSum": kwh(wh), "startAt": rfc3339(start), "endAt": rfc3339(end)}


def _target(target: Target | None, battery_reserve: int) -> Document | None:
    match target:
        case None:
            return None
        case ImmediateTarget():
            return {
                "id": target.target_id,
                "type": "IMMEDIATE_START",
                "minimumChargeTarget": target.minimum_charge_target,
            }
        case RegularTarget():
            return {
                "id": target.target_id,
                "type": "REGULAR",
                "source": "POLICY" if target.from_policy else "USER_OVERRIDE",
                "batteryReserve": battery_reserve,
                "minimumChargeTarget": target.minimum_charge_target,
                "readyBy": rfc3339(target.ready_by),
            }
        case _:
            assert_never(target)


def _outcome(outcome: Outcome | None, target: Target | None) -> Document | None:
    if outcome is None or target is None:
        return None
    reached_at = None if outcome.reached_at is None else rfc3339(outcome.reached_at)
    if outcome.state is None:
        return {
            "type": "IMMEDIATE_START",
            "targetId": outcome.target_id,
            "minimumChargeTargetReachedAt": reached_at,
        }
    return {
        "type": "REGULAR",
        "targetId": outcome.target_id,
        "state": str(outcome.state),
        "batteryLevelAtReadyBy": outcome.level_pct_at_ready_by,
        "minimumChargeTargetReachedAt": reached_at,
    }


def _error(error: SessionError | None) -> Document | None:
    if error is None:
        return None
    if error.kind is ErrorKind.MISSING_CAPABILITIES:
        return {"type": str(error.kind), "missingCapabilities": list(error.missing)}
    return {"type": str(error.kind)}


def charger(state: State) -> Document:
    """A charger as the API shows it. ``chargeRate`` kW, ``currentLimit`` A per phase; null where unknown."""
    facts = state.facts
    reading = facts.reading
    power = 0.0 if reading is None or reading.power_w is None else reading.power_w
    return {
        "id": state.charger.charger_id,
        "isOnline": facts.online,
        "protocol": facts.protocol or None,
        "vendor": facts.vendor or None,
        "model": facts.model or None,
        "firmware": facts.firmware or None,
        "isPluggedIn": facts.plugged,
        "isCharging": facts.charging,
        "chargeRate": round(power / 1000, 3) if facts.charging else None,
        "powerDeliveryState": _power_delivery(state),
        "fault": facts.fault or None,
        "registerWh": None if reading is None or reading.register_wh is None else round(reading.register_wh),
        "currentLimit": state.control.limit_a,
        "transactionId": None if facts.transaction is None else facts.transaction.transaction_id,
        "action": _action(state.action),
        "policyIds": [slot.policy.policy_id for slot in state.slots],
        "lastUpdated": None if facts.heard_at is None else rfc3339(facts.heard_at),
    }


def _action(action: Action | None) -> Document | None:
    """The last request by hand."""
    if action is None:
        return None
    return {
        "id": action.action_id,
        "kind": "START" if action.want is Want.CHARGE else "STOP",
        "state": str(action.state),
        "createdAt": rfc3339(action.requested_at),
        "failureReason": "NO_RESPONSE" if action.state is ActionState.FAILED else None,
    }


def _power_delivery(state: State) -> str:
    facts = state.facts
    if facts.plugged is None:
        return "UNKNOWN"
    if not facts.plugged:
        return "UNPLUGGED"
    if facts.fault:
        return "PLUGGED_IN:FAULT"
    if facts.charging:
        return "PLUGGED_IN:CHARGING"
    return "PLUGGED_IN:STOPPED" if facts.transaction is not None else "PLUGGED_IN:INITIALIZING"


def vehicle(slot: Slot) -> Document:
    """What is known of a policy's car. ``batteryCapacity`` kWh, ``batteryLevel`` whole percent or null."""
    pct = level_pct(slot.session, slot.vehicle) if slot.session.plugged_in_at is not None else slot.facts.level_pct
    told_at = slot.session.level.at if slot.session.level is not None else slot.facts.level_at
    return {
        "id": slot.vehicle.vehicle_id,
        "batteryCapacity": kwh(slot.vehicle.battery_wh),
        "batteryLevel": None if pct is None else shown_pct(pct),
        "isPluggedIn": slot.session.plugged_in_at is not None,
        "lastUpdated": None if told_at is None else rfc3339(told_at),
    }


def vehicles(state: State) -> tuple[Document, ...]:
    """What this partition knows of cars: of those that its policies are for, then of those that it only follows.

    ``at`` is the charger that a car visits. What is seen there goes before what the car tells of itself.
    """
    has_policy = {slot.vehicle.vehicle_id for slot in state.slots}
    followed = [car for car in state.cars if car.vehicle.vehicle_id not in has_policy]
    return (*(_visiting(state, slot) for slot in state.slots), *(_told(car.vehicle, car.facts) for car in followed))


def _visiting(state: State, slot: Slot) -> Document:
    shown = _told(slot.vehicle, slot.facts)
    if slot.session.plugged_in_at is None:
        return shown
    seen = vehicle(slot)
    updated = max(filter(None, (seen["lastUpdated"], shown["lastUpdated"])), default=None)
    return {
        **shown,
        "batteryLevel": seen["batteryLevel"],
        "isPluggedIn": True,
        "isCharging": state.facts.charging,
        "isAtHome": True,
        "at": state.charger.charger_id,
        "lastUpdated": updated,
    }


def _told(spec: VehicleSpec, facts: VehicleFacts) -> Document:
    updated_at = max(filter(None, (facts.level_at, facts.told_at)), default=None)
    return {
        "id": spec.vehicle_id,
        "batteryCapacity": kwh(spec.battery_wh),
        "batteryLevel": None if facts.level_pct is None else shown_pct(facts.level_pct),
        "isPluggedIn": facts.plugged,
        "isCharging": facts.charging,
        "chargeLimit": None if facts.limit_pct is None else shown_pct(facts.limit_pct),
        "isAtHome": facts.at_home,
        "at": None,
        "lastUpdated": None if updated_at is None else rfc3339(updated_at),
    }
