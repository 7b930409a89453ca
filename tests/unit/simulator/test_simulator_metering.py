"""How meters differ, without the spelling of either protocol version."""

from datetime import UTC, datetime

import pytest

from chargerd_drivers.simulator.metering import Value, measured
from chargerd_drivers.simulator.occurrences import Reading, Trigger
from chargerd_drivers.simulator.personalities import combined
from chargerd_drivers.simulator.settings import ENERGY

POWER, CURRENT = "Power.Active.Import", "Current.Import"
READING = Reading(
    at=datetime(2026, 1, 14, 16, tzinfo=UTC),
    register_wh=1_234_567,
    visit_wh=4_567,
    power_w=6900.0,
    current_a=10.0,
    offered_a=16.0,
    voltage_v=230.0,
    phases=3,
    phases_used=3,
    level_pct=50.0,
)


def told(
    name: str, *measurands: str, trigger: Trigger = Trigger.PERIODIC, version: str = "1.6"
) -> list[tuple[str, float, str]]:
    habits = combined([name], version=version).meter
    values = measured(READING, measurands, report_soc=False, habits=habits, trigger=trigger)
    return [(value.phase or value.measurand, value.value, value.unit) for value in values]


def test_session_register_counts_from_plug_in() -> None:
    assert told("session-register", ENERGY) == [(ENERGY, 4567, "Wh")]


@pytest.mark.parametrize(("trigger", "wh"), [(Trigger.PERIODIC, 4_296_201_863), (Trigger.CLOCK, 1_234_567)])
def test_offset_register_leaps_in_periodic_samples(trigger: Trigger, wh: int) -> None:
    assert told("offset-register", ENERGY, trigger=trigger) == [(ENERGY, wh, "Wh")]


def test_kwh_meter_counts_in_kwh_and_kw_and_leaves_amperes_alone() -> None:
    assert told("kwh-meter", ENERGY, POWER) == [(ENERGY, 1234.567, "kWh"), (POWER, 6.9, "kW")]
    assert told("kwh-meter", CURRENT)[0] == ("L1", 10, "A")


def test_per_phase_meter_tells_three_registers_that_sum_up_to_the_wh() -> None:
    registers = told("per-phase-meter", ENERGY)
    assert [phase for phase, _, _ in registers] == ["L1", "L2", "L3"]
    assert sum(value for _, value, _ in registers) == 1_234_567


def test_power_only_meter_tells_energy_at_the_ends_alone() -> None:
    assert told("power-only-meter", ENERGY, POWER) == [(POWER, 6900, "W")]
    assert told("power-only-meter", ENERGY, trigger=Trigger.END) == [(ENERGY, 1_234_567, "Wh")]


def test_current_only_meter_tells_nothing_but_current() -> None:
    assert told("current-only-meter", ENERGY, POWER, CURRENT) == [("L1", 10, "A"), ("L2", 10, "A"), ("L3", 10, "A")]
    assert told("current-only-meter", ENERGY, trigger=Trigger.END) == []


def test_scaled_units_say_by_how_much() -> None:
    habits = combined(["scaled-units"], version="2.0.1").meter
    values = measured(READING, [ENERGY], report_soc=False, habits=habits, trigger=Trigger.PERIODIC)
    assert values == [Value(measurand=ENERGY, value=1234.567, unit="Wh", multiplier=3)]
