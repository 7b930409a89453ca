"""From a reading to the measurands that were asked for, without the spelling of either protocol version. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chargerd_drivers.simulator.behaviour import Meter
from chargerd_drivers.simulator.occurrences import Reading, Trigger
from chargerd_drivers.simulator.settings import ENERGY

_MAINS_HZ = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One measured value. ``phase`` None: over all phases; ``in_car`` is True for what only the car knows.

    The value is to be multiplied by 10 to the power of ``multiplier``.
    """

    measurand: str
    value: float
    unit: str
    phase: str | None = None
    in_car: bool = False
    multiplier: int = 0


def shown_wh(reading: Reading, habits: Meter) -> int:
    """Return the register as this station has it."""
    return reading.visit_wh if habits.per_session else reading.register_wh


def measured(
    reading: Reading, measurands: Iterable[str], *, report_soc: bool, habits: Meter, trigger: Trigger
) -> list[Value]:
    """Return the values for the measurands, in their order; SoC only from a station that talks with the car."""
    is_end = habits.ends and trigger in {Trigger.BEGIN, Trigger.END}
    known = None if is_end else habits.measurands
    wanted = (
        measurand
        for measurand in measurands
        if (measurand != "SoC" or report_soc) and (known is None or measurand in known)
    )
    wrong_wh = habits.offset_wh if trigger is Trigger.PERIODIC else 0
    shown = replace(reading, register_wh=shown_wh(reading, habits) + wrong_wh)
    return [_scaled(value, habits) for measurand in wanted for value in _spread(shown, measurand, habits)]


def _spread(reading: Reading, measurand: str, habits: Meter) -> Iterator[Value]:
    for value in _values(reading, measurand):
        if measurand == ENERGY and habits.per_phase:
            share, rest = divmod(reading.register_wh, reading.phases)
            for number in range(1, reading.phases + 1):
                yield replace(value, value=float(share + (rest if number == 1 else 0)), phase=f"L{number}")
        else:
            yield value


def _scaled(value: Value, habits: Meter) -> Value:
    if value.unit not in {"W", "Wh"}:
        return value
    if habits.kwh:
        return replace(value, value=round(value.value / 1000, 3), unit=f"k{value.unit}")
    return replace(value, value=value.value / 10**habits.multiplier, multiplier=habits.multiplier)


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
