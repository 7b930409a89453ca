"""Sampled values of OCPP 1.6 (section 7.43) and 2.0.1 (part 2, SampledValueType) to one reading per instant. Pure.

What is missing, empty or not a number stays unknown (None), never 0. Currents, powers and energies that are merely
offered are not consumption and are skipped, as is signed data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chargerd.contract import ChargerId, MeterSampled, PerPhase, SampleContext, TransactionId
from chargerd_drivers.ocpp.fields import integer, listing, moment, number, obj, text, word

ENERGY = "Energy.Active.Import.Register"
INTERVAL = "Energy.Active.Import.Interval"
POWER = "Power.Active.Import"
CURRENT = "Current.Import"
SOC = "SoC"

_MEASURANDS = {name.casefold(): name for name in (ENERGY, INTERVAL, POWER, CURRENT, SOC)}
_UNITS: dict[str, dict[str, float]] = {
    ENERGY: {"": 1, "wh": 1, "kwh": 1e3, "mwh": 1e6},
    INTERVAL: {"": 1, "wh": 1, "kwh": 1e3, "mwh": 1e6},
    POWER: {"": 1, "w": 1, "kw": 1e3},
    CURRENT: {"": 1, "a": 1, "ma": 1e-3},
    SOC: {"": 1, "percent": 1, "%": 1},
}
_PHASES = {"l1": 1, "l1n": 1, "1": 1, "l2": 2, "l2n": 2, "2": 2, "l3": 3, "l3n": 3, "3": 3}
_CONTEXTS = {
    "transaction.end": SampleContext.END,
    "sample.clock": SampleContext.CLOCK,
    "sample.periodic": SampleContext.PERIODIC,
    "": SampleContext.PERIODIC,
    "trigger": SampleContext.TRIGGER,
    "transaction.begin": SampleContext.BEGIN,
}
_REGISTER_WH_MAX = 10**12


@dataclass(frozen=True, slots=True)
class Value:
    """One sampled value in W, A, Wh or percent. ``phase`` 0 is the total; ``at_outlet`` is where the car draws.

    ``context_said`` is the context as the charger spells it.
    """

    measurand: str
    value: float
    phase: int
    context: SampleContext
    at_outlet: bool
    context_said: str = ""


def readings(
    charger_id: ChargerId, meter_values: object, now: datetime, *, transaction_id: TransactionId | None = None
) -> tuple[MeterSampled, ...]:
    """Return one reading per ``meterValue`` element that holds anything usable, oldest first."""
    found = [_reading(charger_id, obj(element), now, transaction_id) for element in listing(meter_values)]
    samples = [sample for sample in found if sample is not None]
    return tuple(sorted(samples, key=lambda sample: sample.measured_at or now))


def register(value: object) -> float | None:
    """Return a plain energy register in Wh, as in meterStart; None when missing, negative or absurd."""
    wh = number(value)
    return wh if wh is not None and 0 <= wh < _REGISTER_WH_MAX else None


def last_register(samples: Iterable[MeterSampled], context: SampleContext) -> float | None:
    """Return the energy register in Wh of the newest reading of this context; without one, of the newest at all."""
    known = [sample for sample in samples if sample.register_wh is not None]
    fitting = [sample for sample in known if sample.context is context] or known
    return fitting[-1].register_wh if fitting else None


def _reading(
    charger_id: ChargerId, element: dict[str, Any], now: datetime, transaction_id: TransactionId | None
) -> MeterSampled | None:
    found = map(value_of, listing(element.get("sampledValue")))
    values = [value for value in found if value is not None and value.measurand != INTERVAL]
    order = list(_CONTEXTS.values())
    values.sort(key=lambda value: order.index(value.context))
    energy, power, current, soc = (_pick(values, name) for name in (ENERGY, POWER, CURRENT, SOC))
    energy_wh = _total(energy)
    level = _total(soc)
    sample = MeterSampled(
        charger_id=charger_id,
        measured_at=moment(element.get("timestamp"), now),
        register_wh=register(energy_wh),
        power_w=_total(power),
        current_a=_per_phase(current),
        soc_pct=level if level is not None and 0 <= level <= 100 else None,
        transaction_id=transaction_id,
        context=(energy or values)[0].context if values else SampleContext.PERIODIC,
    )
    nothing = (sample.register_wh, sample.power_w, sample.current_a, sample.soc_pct) == (None,) * 4
    return None if nothing else sample


def value_of(raw: object) -> Value | None:
    """Return a sampled value in its base unit; None for one that is missing, no number, signed, or not used."""
    sampled = obj(raw)
    if word(sampled.get("format")) == "signeddata":
        return None
    name, phase = _measurand(sampled)
    amount = number(sampled.get("value"))
    if name is None or phase is None or amount is None:
        return None
    unit = obj(sampled.get("unitOfMeasure"))
    factor = _UNITS[name].get(text(sampled.get("unit") or unit.get("unit")).casefold())
    multiplier = integer(unit.get("multiplier")) or 0
    if factor is None or abs(multiplier) > 12:
        return None
    return Value(
        measurand=name,
        value=amount * factor * 10.0**multiplier,
        phase=phase,
        context=_CONTEXTS.get(text(sampled.get("context")).casefold(), SampleContext.PERIODIC),
        at_outlet=word(sampled.get("location")) in {"", "outlet"},
        context_said=text(sampled.get("context")),
    )


def _measurand(sampled: dict[str, Any]) -> tuple[str | None, int | None]:
    """Name and phase. ZJ Beny and Mennekes put the phase behind the measurand (``Current.Import.L1``)."""
    spelled = text(sampled.get("measurand")).casefold() or ENERGY.casefold()
    stem, _, suffix = spelled.rpartition(".")
    if suffix in _PHASES and stem in _MEASURANDS:
        return _MEASURANDS[stem], _PHASES[suffix]
    phase = word(sampled.get("phase"))
    return _MEASURANDS.get(spelled), _PHASES.get(phase) if phase else 0


def _pick(values: list[Value], measurand: str) -> list[Value]:
    """Keep the values of one measurand at the outlet (elsewhere if there are none) that share the best context."""
    fitting = [value for value in values if value.measurand == measurand]
    fitting = [value for value in fitting if value.at_outlet] or fitting
    return [value for value in fitting if value.context is fitting[0].context]


def _total(values: list[Value]) -> float | None:
    """Return the value given for all phases; without one, the sum over the phases."""
    by_phase = {value.phase: value.value for value in values}
    if 0 in by_phase:
        return by_phase[0]
    return sum(by_phase.values()) if by_phase else None


def _per_phase(values: list[Value]) -> PerPhase | None:
    """Return phase currents in A. One current without a phase counts once: that is the careful reading."""
    by_phase = {value.phase: value.value for value in values}
    if not by_phase:
        return None
    if set(by_phase) == {0}:
        return PerPhase(l1=by_phase[0])
    return PerPhase(l1=by_phase.get(1, 0.0), l2=by_phase.get(2, 0.0), l3=by_phase.get(3, 0.0))
