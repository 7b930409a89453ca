"""What visits teach about a car at a charger: the power that it really draws, and what of it reaches the battery."""

from datetime import datetime
from math import exp

from chargerd.core.frozen import replace
from chargerd.core.level import level_pct
from chargerd.core.model import Learned, LevelSource, Session, Slot, State, Want
from chargerd.core.policy import VehicleSpec
from chargerd.core.units import seconds_between

CHARGES_FROM_W = 1000.0
"""No car charges at less: 6 A on one phase are 1.4 kW."""
SETTLED_IN_S = 120.0
"""A car reaches its power within so long."""
TAPERS_FROM_PCT = 80.0
"""Over this level batteries take less and less; what they take then says nothing of the rest."""
MEMORY_S = 600.0
"""Time in which the power learned follows the power seen by two thirds."""
SAMPLE_S_MAX = 300.0

EFFICIENCY_FROM_PCT = 15.0
"""So many percent points must lie between two reports, for levels are told in whole percents."""
EFFICIENCY_LEAST, EFFICIENCY_MOST = 0.7, 1.0
EFFICIENCY_STEP = 0.3
"""How far one visit moves what was known before."""


def from_sample(state: State, slot: Slot, power_w: float | None, *, at: datetime, last_at: datetime | None) -> Slot:
    """Learn the real power from a sample at full limit, in the flat part of the battery's curve."""
    facts, control = state.facts, state.control
    since = facts.charging_since
    if power_w is None or power_w < CHARGES_FROM_W or since is None or not facts.charging:
        return slot
    if control.want is not Want.CHARGE:
        return slot
    held_back = facts.capabilities.can_limit is not False and control.limit_a != state.charger.max_a
    if held_back or seconds_between(since, at) < SETTLED_IN_S:
        return slot
    pct = level_pct(slot.session, slot.vehicle)
    if pct is not None and pct >= TAPERS_FROM_PCT:
        return slot
    known = slot.learned.power_w
    since_last_s = SAMPLE_S_MAX if last_at is None else seconds_between(last_at, at)
    stands_for_s = min(max(since_last_s, 0.0), SAMPLE_S_MAX)
    weight = 1 - exp(-stands_for_s / MEMORY_S)
    power_w = power_w if known is None else known + weight * (power_w - known)
    return replace(slot, learned=replace(slot.learned, power_w=power_w))


def from_visit(slot: Slot, session: Session) -> Slot:
    """Learn the efficiency from a settled visit: two levels of one real source, and what flowed between them."""
    first, last = session.level_first, session.level
    if first is None or last is None or first.source is not last.source or last.source is LevelSource.ASSUMED:
        return slot
    wh, gained = last.session_wh - first.session_wh, last.pct - first.pct
    if wh <= 0 or gained < EFFICIENCY_FROM_PCT:
        return slot
    seen = gained / 100 * slot.vehicle.battery_wh / wh
    if not EFFICIENCY_LEAST <= seen <= EFFICIENCY_MOST + 0.05:
        return slot
    was = slot.vehicle.efficiency
    efficiency = min(was + EFFICIENCY_STEP * (seen - was), EFFICIENCY_MOST)
    learned = replace(slot.learned, efficiency=efficiency)
    return replace(slot, learned=learned, vehicle=applied(slot.vehicle, learned))


def applied(vehicle: VehicleSpec, learned: Learned) -> VehicleSpec:
    """A vehicle as it really is."""
    return vehicle if learned.efficiency is None else replace(vehicle, efficiency=learned.efficiency)
