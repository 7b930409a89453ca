"""From a reading to the measurands that were asked for, without the spelling of either protocol version. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chargerd_drivers.simulator.occurrences import Reading

_MAINS_HZ = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One measured value. ``phase`` None: over all phases; ``in_car`` is True for what only the car knows."""

    measurand: str
    value: float
    unit: str
    phase: str | None = None
    in_car: bool = False


def measured(reading: Reading, measurands: Iterable[str], *, report_soc: bool) -> list[Value]:
    """Return the values for the measurands, in their order; SoC only from a station that talks with the car."""
    return [
        value for measurand in measurands if measurand != "SoC" or report_soc for value in _values(reading, measurand)
    ]


def _values(reading: Reading, measurand: str) -> Iterator[Value]:
    offered_w = reading.offered_a * reading.voltage_v * reading.phases
    totals = {
        "Energy.Active.Import.Register": (float(reading.register_wh), "Wh"),
        "Power.Active.Import": (round(reading.power_w, 1), "W"),
        "Power.Offered": (round(offered_w, 1), "W"),
        "Current.Offered": (round(reading.offered_a, 1), "A"),
        "Frequency": (_MAINS_HZ, "Hertz"),
        "SoC": (float(round(reading.level_pct)), "Percent"),
    }
    if measurand in totals:
        value, unit = totals[measurand]
        yield Value(measurand=measurand, value=value, unit=unit, in_car=measurand == "SoC")
    for number in range(1, reading.phases + 1):
        if measurand == "Current.Import":
            amperes = round(reading.current_a, 2) if number <= reading.phases_used else 0.0
            yield Value(measurand=measurand, value=amperes, unit="A", phase=f"L{number}")
        elif measurand == "Voltage":
            volts = round(reading.voltage_v, 1)
            yield Value(measurand=measurand, value=volts, unit="V", phase=f"L{number}-N")
