"""The only place with unit and phase conversions; the grid of quarter hours is in ``chargerd.plan.grid``.

Inside: W, A, V, Wh, SoC 0 to 100, aware UTC ``datetime``. kW and kWh exist only in documents and displays.
Import from the grid is positive.
"""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class PerPhase:
    """One value per phase, in the unit that the field's name ends in."""

    l1: float = 0.0
    l2: float = 0.0
    l3: float = 0.0

    @property
    def total(self) -> float:
        """Sum over the phases."""
        return self.l1 + self.l2 + self.l3


def power_from_current(current_a: PerPhase, voltage_v: float) -> float:
    """Active power in W of the phase currents at one phase-to-neutral voltage, power factor taken as 1."""
    return current_a.total * voltage_v


def power_w(current_a: float, *, phases: int, voltage_v: float) -> float:
    """Active power in W of one current on that many phases, phase to neutral."""
    return current_a * phases * voltage_v


def seconds_between(start: datetime, end: datetime) -> float:
    """Elapsed seconds from ``start`` to ``end``; negative when ``end`` is earlier."""
    return (end - start).total_seconds()


def whole_second(at: datetime) -> datetime:
    """The second that an instant lies in: documents know no smaller parts."""
    return at.replace(microsecond=0)


def hours_between(start: datetime, end: datetime) -> float:
    """Elapsed hours from ``start`` to ``end``."""
    return seconds_between(start, end) / 3600


def kwh(energy_wh: float) -> float | int:
    """Energy in kWh to the watt-hour, for a document: 0 stays the integer 0, as in the published examples."""
    return _shown(energy_wh / 1000)


def mean_kw(energy_wh: float, start: datetime, end: datetime) -> float | int:
    """Mean charge rate in kW of an interval that took up ``energy_wh``; 0 stays the integer 0."""
    return _shown(energy_wh / 1000 / hours_between(start, end)) if end > start else 0


def _shown(value: float) -> float | int:
    return round(value, 3) if value else 0


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """Return an aware UTC datetime."""
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
