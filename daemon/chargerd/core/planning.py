"""From facts to a plan: what is needed, by when, at which power; and which window is due."""

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from chargerd.core import blocks
from chargerd.core.level import level_pct, needed_wh
from chargerd.core.model import ImmediateTarget, RegularTarget, Session, Slot, State
from chargerd.core.units import power_w
from chargerd.plan.cheapest import schedule
from chargerd.plan.grid import quarter_after
from chargerd.plan.schedule import BlockKind, Need, Window

REAL_POWER_FACTOR = 0.95
"""Cars draw a little less than their rating; a plan that counts on all of it is late."""


def planning_power_w(state: State, slot: Slot) -> float:
    """Power in W that the plan counts on for this car at this charger."""
    phases = min(state.charger.phases, slot.vehicle.phases)
    charger_w = power_w(state.charger.max_a, phases=phases, voltage_v=state.site.voltage_v)
    return min(charger_w, slot.vehicle.charge_max_w) * REAL_POWER_FACTOR


def missing_capabilities(state: State, slot: Slot) -> tuple[str, ...]:
    """What session management lacks for this policy, in the words of the session document; empty when nothing."""
    able = state.facts.capabilities
    no_level = (
        slot.policy.assumed_battery_level_at_plug_in is None
        and slot.session.level is None
        and slot.facts.level_pct is None
        and not slot.vehicle.level_from_charger
    )
    lacks = (
        ("chargeState", no_level),
        ("startCharging", able.can_start is False and able.can_limit is False),
        ("stopCharging", able.can_stop is False and able.can_limit is False),
    )
    return tuple(name for name, missing in lacks if missing)


def purpose(slot: Slot) -> BlockKind:
    """What the session charges for now: an override, the reserve, or the schedule."""
    session = slot.session
    if session.targets.immediate is not None:
        return BlockKind.IMMEDIATE_START
    return BlockKind.BATTERY_RESERVE if _planned_from_pct(slot) < slot.policy.battery_reserve else BlockKind.REGULAR


def _planned_from_pct(slot: Slot) -> float:
    """The level that the plan starts from. Unknown counts as empty: in doubt the car gets charged."""
    pct = level_pct(slot.session, slot.vehicle)
    return 0.0 if pct is None else pct


def needs(slot: Slot) -> tuple[Need, ...]:
    """What must still be delivered, most urgent first."""
    session, vehicle = slot.session, slot.vehicle
    if session.car_is_full:
        return ()
    pct = _planned_from_pct(slot)
    target = session.targets.latest
    match target:
        case ImmediateTarget(minimum_charge_target=goal):
            return (Need(kind=BlockKind.IMMEDIATE_START, wh=needed_wh(pct, goal, vehicle)),)
        case RegularTarget(minimum_charge_target=goal, ready_by=ready_by):
            return (_reserve(slot, pct), _regular(slot, pct, goal, ready_by))
        case None:
            return (_reserve(slot, pct),)
        case _:
            assert_never(target)


def _reserve(slot: Slot, pct: float) -> Need:
    return Need(kind=BlockKind.BATTERY_RESERVE, wh=needed_wh(pct, slot.policy.battery_reserve, slot.vehicle))


def _regular(slot: Slot, pct: float, goal: int, ready_by: datetime) -> Need:
    reserved = max(pct, float(slot.policy.battery_reserve))
    return Need(kind=BlockKind.REGULAR, wh=needed_wh(reserved, goal, slot.vehicle), ready_by=ready_by)


def replanned(state: State, slot: Slot, now: datetime) -> Session:
    """The session with its kind and its plan brought up to date."""
    session = slot.session
    if session.unplugged_at is not None:
        return replace(session, plan=())
    plan: tuple[Window, ...] = ()
    if not missing_capabilities(state, slot):
        power = planning_power_w(state, slot)
        busy_until = quarter_after(now) if _is_busy(state, session, now) else None
        fresh = schedule(needs(slot), prices=state.prices, power_w=power, now=now, busy_until=busy_until)
        plan = _keeping_start(session.plan, fresh, now)
    session = blocks.retyped(session, purpose(slot), now, goes_on=due(plan, now) is not None)
    return replace(session, plan=plan)


def _is_busy(state: State, session: Session, now: datetime) -> bool:
    """Charging by the schedule is going on; what the reserve began ends when the reserve is reached."""
    window = due(session.plan, now)
    return state.facts.charging and window is not None and window.kind is BlockKind.REGULAR


def _keeping_start(old: tuple[Window, ...], new: tuple[Window, ...], now: datetime) -> tuple[Window, ...]:
    """A window that was due before planning anew still began when it did."""
    before, after = due(old, now), due(new, now)
    if before is None or after is None or before.kind is not after.kind:
        return new
    return (replace(after, start=before.start), *(window for window in new if window is not after))


def due(plan: tuple[Window, ...], now: datetime) -> Window | None:
    """The window in which charging should be going on now."""
    return next((window for window in plan if window.start <= now < window.end), None)


def is_stale(slot: Slot, now: datetime) -> bool:
    """Tell whether a mere meter sample made the plan wrong: something was reached, or a window is over."""
    session = slot.session
    if session.kind is not purpose(slot):
        return True
    if session.plan and session.plan[0].end <= now:
        return True
    return bool(session.plan) and not any(need.wh > 0 for need in needs(slot))
