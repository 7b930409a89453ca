"""The car's battery level: the best source there is, plus what has flowed since."""

from datetime import datetime, timedelta
from math import floor

from chargerd.core.frozen import replace
from chargerd.core.model import Level, LevelSource, Session, Slot
from chargerd.core.policy import VehicleSpec
from chargerd.core.telemetry import with_level
from chargerd.core.units import seconds_between

JUMP_PCT = 30.0
"""A level that jumps by more than this without energy to show for it is another car's, or a fault."""
SILENT_FROM = timedelta(days=7)
"""Telemetry that told no level for so long is not there any more: a car that sleeps tells one when it is driven."""
DOUBT_PCT = 10.0
"""Two such levels in a row that differ by no more than this are believed: it was the first one that was wrong."""


def level_pct(session: Session, vehicle: VehicleSpec) -> float | None:
    """Estimate the level now in percent, 0 to 100, or None where nothing is known."""
    if session.level is None:
        return None
    since_wh = session.ledger.total_wh - session.level.session_wh
    return min(session.level.pct + gained_pct(since_wh, vehicle), 100.0)


def gained_pct(wh: float, vehicle: VehicleSpec) -> float:
    """Percent points that this much energy at the meter adds to the battery."""
    return wh * vehicle.efficiency / vehicle.battery_wh * 100


def needed_wh(from_pct: float, to_pct: float, vehicle: VehicleSpec) -> int:
    """Energy at the meter in Wh that raises the level; 0 when it is there already."""
    return max(round((to_pct - from_pct) / 100 * vehicle.battery_wh / vehicle.efficiency), 0)


def shown_pct(pct: float) -> int:
    """Whole percent for a document: rounded down, so that a level is never shown before it is reached."""
    return floor(pct + 1e-6)


def at_plug_in(slot: Slot, now: datetime) -> Level | None:
    """The level to begin a session with: fresh telemetry, else the policy's assumption."""
    facts = slot.facts
    if facts.level_pct is not None and facts.level_at is not None and _fresh(facts.level_at, slot.vehicle, now):
        return Level(pct=facts.level_pct, session_wh=0, at=facts.level_at, source=LevelSource.VEHICLE)
    assumed = slot.policy.assumed_battery_level_at_plug_in
    if assumed is None:
        return None
    return Level(pct=float(assumed), session_wh=0, at=now, source=LevelSource.ASSUMED)


def is_credible(slot: Slot, pct: float, at: datetime, now: datetime) -> bool:
    """Tell whether a vehicle's word can be true of now: not impossible, not too old, not overtaken by another."""
    overtaken = slot.facts.level_at is not None and at < slot.facts.level_at
    return 0 <= pct <= 100 and not overtaken and _fresh(at, slot.vehicle, now)


def told_by_vehicle(slot: Slot, pct: float, at: datetime) -> Slot:
    """Take the vehicle's own word, unless it jumped without energy to show for it; told twice it is believed."""
    session, doubted = slot.session, slot.facts.doubted_pct
    visiting = session.plugged_in_at is not None and session.unplugged_at is None
    known = session.level
    if visiting and known is not None and known.source is not LevelSource.ASSUMED:
        expected = level_pct(session, slot.vehicle)
        assert expected is not None
        repeated = doubted is not None and abs(pct - doubted) <= DOUBT_PCT
        if abs(pct - expected) > JUMP_PCT and not repeated:
            return replace(slot, facts=replace(slot.facts, doubted_pct=pct))
    facts, believed = with_level(slot.facts, pct, at)
    slot = replace(slot, facts=facts)
    if not visiting or not believed:
        return slot
    return replace(slot, session=anchored(session, slot.vehicle, pct, at, LevelSource.VEHICLE))


def told_by_charger(slot: Slot, soc_pct: float, at: datetime) -> Slot:
    """Take the charger's SoC measurand, where the vehicle's owner trusts it and nothing better is fresh."""
    if not slot.vehicle.level_from_charger or not 0 < soc_pct <= 100:
        return slot
    known = slot.session.level
    if known is not None and known.source is LevelSource.VEHICLE and _fresh(known.at, slot.vehicle, at):
        return slot
    expected = (
        level_pct(slot.session, slot.vehicle) if known is not None and known.source is LevelSource.CHARGER else None
    )
    if known is not None and expected is not None and abs(soc_pct - expected) > JUMP_PCT:
        doubted = known.doubted_pct
        if doubted is None or abs(soc_pct - doubted) > DOUBT_PCT:
            return replace(slot, session=replace(slot.session, level=replace(known, doubted_pct=soc_pct)))
    return replace(slot, session=anchored(slot.session, slot.vehicle, soc_pct, at, LevelSource.CHARGER))


def anchored(session: Session, vehicle: VehicleSpec, pct: float, at: datetime, source: LevelSource) -> Session:
    """Go by this level from now on; the first one that is real tells also what the visit began with."""
    level = Level(pct=pct, session_wh=session.ledger.total_wh, at=at, source=source)
    from_pct = session.level_from_pct
    if from_pct is None or session.level is None or session.level.source is LevelSource.ASSUMED:
        from_pct = max(pct - gained_pct(session.ledger.total_wh, vehicle), 0.0)
    first = session.level_first
    if first is None or first.source is not source:
        first = level
    return replace(session, level=level, level_first=first, level_from_pct=from_pct)


def has_source(slot: Slot, now: datetime) -> bool:
    """Tell whether anything can be expected to tell the level of this car."""
    if slot.vehicle.level_from_charger or slot.session.level is not None:
        return True
    if slot.policy.assumed_battery_level_at_plug_in is not None:
        return True
    told_at = slot.facts.level_at
    return told_at is not None and now - told_at <= SILENT_FROM


def _fresh(at: datetime, vehicle: VehicleSpec, now: datetime) -> bool:
    return seconds_between(at, now) <= vehicle.level_max_age_s
