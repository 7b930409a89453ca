"""Reads a charger no faster than its budget allows: its own connection backs up then, and nobody else's."""

import structlog

from chargerd.contract import Clock
from chargerd_drivers.ocpp.station import Station

_log = structlog.get_logger("chargerd.ocpp")


async def pace(station: Station, *, frames: int, octets: int, clock: Clock) -> None:
    """Take what was read out of the budget, and wait while that is overdrawn. Told once until it has filled up."""
    budget = station.budget
    was_overdrawn = budget.is_overdrawn
    wait_s = budget.spend(frames, octets, clock.monotonic())
    if not wait_s:
        return
    if not was_overdrawn:
        name = station.charger_id
        words = f"{name} sends far more than any charger needs to; it is read more slowly, the others are not"
        _log.warning("ocpp.flood", message=words, charger=name)
    await clock.sleep(wait_s)
