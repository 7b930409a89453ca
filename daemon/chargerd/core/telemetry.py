"""What a vehicle's own telemetry, or its owner, tells: what of it can be true, and of when it is."""

from datetime import datetime

from chargerd.core.events import VehicleReported
from chargerd.core.frozen import replace
from chargerd.core.model import VehicleFacts

EMPTY_FROM_PCT = 5.0
"""A level of 0 after one above this is a fault of the telemetry until it is told twice: cars report it while driving
off or falling asleep."""


def told_at(event: VehicleReported, now: datetime) -> datetime:
    """When a report was true; never later than now."""
    return min(event.measured_at or now, now)


def told(facts: VehicleFacts, event: VehicleReported, now: datetime) -> VehicleFacts:
    """Take a report that is not overtaken by a newer one; each field stands for itself."""
    at = told_at(event, now)
    if facts.told_at is not None and at < facts.told_at:
        return facts
    changed = event.plugged is not None and event.plugged is not facts.plugged
    return replace(
        facts,
        plugged=facts.plugged if event.plugged is None else event.plugged,
        plugged_at=at if changed else facts.plugged_at,
        charging=facts.charging if event.charging is None else event.charging,
        power_w=facts.power_w if event.power_w is None else event.power_w,
        at_home=facts.at_home if event.at_home is None else event.at_home,
        limit_pct=facts.limit_pct if event.limit_pct is None else event.limit_pct,
        told_at=at if _says_state(event) else facts.told_at,
    )


def with_level(facts: VehicleFacts, pct: float, at: datetime) -> tuple[VehicleFacts, bool]:
    """Take a level; tell whether it is believed. The same one told twice is."""
    known, doubted = facts.level_pct, facts.doubted_pct
    if pct == 0 and known is not None and known > EMPTY_FROM_PCT and doubted != pct:
        return replace(facts, doubted_pct=pct), False
    return replace(facts, level_pct=pct, level_at=at, doubted_pct=None), True


def _says_state(event: VehicleReported) -> bool:
    return (event.plugged, event.charging, event.power_w, event.at_home) != (None,) * 4
