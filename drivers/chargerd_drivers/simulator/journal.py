"""The output: one JSON line for each noticeable thing."""

import json
from collections.abc import Callable

from chargerd_drivers.simulator.occurrences import (
    LimitChanged,
    Occurrence,
    Phase,
    PhaseChanged,
    PluggedIn,
    Reading,
    TransactionBegan,
    TransactionOver,
    Unplugged,
)
from chargerd_drivers.simulator.schemas import spell_time
from chargerd_drivers.simulator.station import Station

_SUSPENDED_BY = {Phase.SUSPENDED_EV: "EV", Phase.SUSPENDED_EVSE: "EVSE"}


class Journal:
    """Writes lines through the function given; a reader that went away silences it."""

    def __init__(self, write: Callable[[str], None] | None) -> None:
        self._write = write

    def event(self, event: str, reading: Reading, **more: object) -> None:
        """Write one line."""
        if self._write is None:
            return
        line = {
            "at": spell_time(reading.at, fine=True),
            "event": event,
            "registerWh": reading.register_wh,
            "levelPct": round(reading.level_pct, 2),
            "powerW": round(reading.power_w, 1),
            **more,
        }
        try:
            self._write(json.dumps(line) + "\n")
        except BrokenPipeError:
            self._write = None

    def occurrence(self, occurrence: Occurrence, station: Station) -> None:
        """Write what happened at the station, if it is worth a line."""
        match occurrence:
            case PluggedIn(reading=reading):
                self.event("plugged", reading)
            case Unplugged(reading=reading):
                self.event("unplugged", reading, **session(station))
            case TransactionBegan(reading=reading, transaction=transaction):
                self.event("transaction-started", reading, transaction=transaction.key)
            case TransactionOver(reading=reading, transaction=transaction, reason=reason):
                self.event("transaction-ended", reading, transaction=transaction.key, reason=str(reason))
            case PhaseChanged(reading=reading, phase=Phase.CHARGING):
                self.event("charging", reading)
            case PhaseChanged(reading=reading, phase=Phase.SUSPENDED_EV | Phase.SUSPENDED_EVSE as phase):
                self.event("suspended", reading, by=_SUSPENDED_BY[phase])
            case LimitChanged(reading=reading, limit_a=limit_a):
                self.event("limit", reading, limitA=round(limit_a, 2))
            case _:
                pass

    def report(self, station: Station, *, online: bool) -> None:
        """Write how things stand."""
        self.event(
            "report",
            station.reading,
            **session(station),
            plugged=station.plugged,
            status=str(station.phase),
            limitA=round(station.limit_a, 2),
            transaction=station.transaction.key if station.transaction else None,
            online=online,
        )


def session(station: Station) -> dict[str, object]:
    """Return the energy since the last plug-in, and the register then."""
    return {"sessionWh": station.session_wh, "registerAtPlugInWh": station.register_at_plug_in_wh}
