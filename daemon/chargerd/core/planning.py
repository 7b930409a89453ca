"""From facts to a plan: what is needed, by when, at which power; and which window is due."""

from datetime import datetime, timedelta
from typing import assert_never

from chargerd.core import blocks
from chargerd.core.frozen import replace
from chargerd.core.level import has_source, level_pct, needed_wh
from chargerd.core.model import ImmediateTarget, RegularTarget, Session, Slot, State
from chargerd.core.units import power_w, seconds_between
from chargerd.plan.cheapest import schedule
from chargerd.plan.grid import quarter_after
from chargerd.plan.schedule import BlockKind, Need, Window

TELLS_PLUG_WITHIN = timedelta(minutes=5)
"""A charger that was asked, or connected by itself, tells its state within so long."""
LEARNED_POWER_FACTOR, LEARNED_POWER_MOST = 0.98, 1.05
REPLAN_SHARE = 0.05
"""A power that is off by this share of what the plan counts on makes the plan wrong."""
REAL_POWER_FACTOR = 0.95
"""Cars draw a little less than their rating; a plan that counts on all of it is late."""


def planning_power_w(state: State, slot: Slot) -> float:
    """Power in W that the plan counts on for this car at this charger: what was learned, else what is configured."""
    spec, volts = state.charger, state.site.voltage_v
    if slot.learned.power_w is not None:
        most_w = power_w(spec.max_a, phases=spec.phases, voltage_v=volts) * LEARNED_POWER_MOST
        return min(slot.learned.power_w, most_w) * LEARNED_POWER_FACTOR
    configured_w = power_w(spec.max_a, phases=min(spec.phases, slot.vehicle.phases), voltage_v=volts)
    return min(configured_w, slot.vehicle.charge_max_w) * REAL_POWER_FACTOR


def missing_capabilities(state: State, slot: Slot) -> tuple[str, ...]:
    """What session management lacks for this policy, in the words of the session document; empty when nothing.

    ``chargeState`` is missing when nothing tells a level and there is no fallback, when the charger is connected and
    does not say whether a car is there, and when it meters nothing: then nobody can see what is going on.
    """
    able = state.facts.capabilities
    silent = silent_at(state)
    no_state = silent is not None and state.at >= silent
    no_meter = able.reports_energy is False and able.reports_power is False
    lacks = (
        ("chargeState", no_state or no_meter or not has_source(slot, state.at)),
        ("startCharging", able.can_start is False and able.can_limit is False),
        ("stopCharging", able.can_stop is False and able.can_limit is False),
    )
    return tuple(name for name, missing in lacks if missing)


def silent_at(state: State) -> datetime | None:
    """When a charger that is connected should have told whether a car is there; None once it has."""
    facts = state.facts
    if facts.plugged is not None or facts.first_online_at is None:
        return None
    return facts.first_online_at + TELLS_PLUG_WITHIN


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
    limit_pct = car_limit_pct(slot)
    target = session.targets.latest
    match target:
        case ImmediateTarget(minimum_charge_target=goal):
            return (Need(kind=BlockKind.IMMEDIATE_START, wh=needed_wh(pct, min(goal, limit_pct), vehicle)),)
        case RegularTarget(minimum_charge_target=goal, ready_by=ready_by):
            return (_reserve(slot, pct), _regular(slot, pct, min(goal, limit_pct), ready_by))
        case None:
            return (_reserve(slot, pct),)
        case _:
            assert_never(target)


def car_limit_pct(slot: Slot) -> float:
    """The level at which the car stops by itself; 100 where it told none."""
    return 100.0 if slot.facts.limit_pct is None else slot.facts.limit_pct


def _reserve(slot: Slot, pct: float) -> Need:
    return Need(kind=BlockKind.BATTERY_RESERVE, wh=needed_wh(pct, slot.policy.battery_reserve, slot.vehicle))


def _regular(slot: Slot, pct: float, goal: float, ready_by: datetime) -> Need:
    reserved = max(pct, float(slot.policy.battery_reserve))
    return Need(kind=BlockKind.REGULAR, wh=needed_wh(reserved, goal, slot.vehicle), ready_by=ready_by)


def replanned(state: State, slot: Slot, now: datetime) -> Session:
    """The session with its kind and its plan brought up to date."""
    session = slot.session
    if session.unplugged_at is not None:
        return replace(session, plan=())
    plan: tuple[Window, ...] = ()
    power = planning_power_w(state, slot)
    if not missing_capabilities(state, slot):
        busy_until = quarter_after(now) if _is_busy(state, session, now) else None
        fresh = schedule(needs(slot), prices=state.prices, power_w=power, now=now, busy_until=busy_until)
        plan = _keeping_start(session.plan, fresh, now)
    session = blocks.retyped(session, purpose(slot), now, goes_on=due(plan, now) is not None)
    return replace(session, plan=plan, planned_w=power)


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


def is_unheard(state: State, now: datetime) -> bool:
    """Charging goes on, as far as is known, but the meter has told nothing over the present connection.

    What was delivered meanwhile is not known then, and a plan or an outcome made without it would be wrong. Once it is
    late enough for START_FAIL, all does not go on as planned.
    """
    facts, control = state.facts, state.control
    lags_since = control.commanded_at or control.unmet_since
    if lags_since is not None and seconds_between(lags_since, now) >= state.charger.start_timeout_s:
        return False
    heard = facts.online_since is not None and facts.reading is not None and facts.reading.at >= facts.online_since
    return facts.charging and not heard


def is_stale(state: State, slot: Slot, now: datetime) -> bool:
    """Tell whether a mere meter sample made the plan wrong: something was reached or learned, or a window is over."""
    session = slot.session
    if abs(planning_power_w(state, slot) - session.planned_w) > REPLAN_SHARE * session.planned_w:
        return True
    if session.kind is not purpose(slot):
        return True
    if session.plan and session.plan[0].end <= now:
        return True
    return bool(session.plan) and not any(need.wh > 0 for need in needs(slot))
