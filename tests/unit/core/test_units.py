"""Conversions: phases, energy and rates as documents show them, and the seconds that documents know."""

from datetime import UTC, datetime

import pytest

from chargerd.core import units
from chargerd.core.units import PerPhase

START, END = units.utc(2025, 6, 10, 22), units.utc(2025, 6, 10, 22, 15)


def test_phases_that_are_not_told_carry_nothing() -> None:
    assert PerPhase() == PerPhase(0.0, 0.0, 0.0)
    assert PerPhase(1.0, 2.0, 4.0).total == 7.0


def test_power_is_current_times_voltage_on_every_phase() -> None:
    assert units.power_from_current(PerPhase(10, 6, 4), 230) == 4600
    assert units.power_w(16, phases=3, voltage_v=230) == 11_040


def test_time_between_instants_has_a_sign() -> None:
    assert (units.seconds_between(START, END), units.seconds_between(END, START)) == (900, -900)
    assert (units.hours_between(START, END), units.hours_between(END, START)) == (0.25, -0.25)


def test_an_instant_lies_in_its_second() -> None:
    assert units.whole_second(START.replace(microsecond=999_999)) == START


@pytest.mark.parametrize(
    ("energy_wh", "shown"),
    [
        pytest.param(0, "0", id="nothing"),
        pytest.param(0.0, "0", id="nothing-measured"),
        pytest.param(1, "0.001", id="a-watt-hour"),
        pytest.param(1234.4, "1.234", id="to-the-watt-hour"),
        pytest.param(1234.6, "1.235", id="rounded"),
        pytest.param(11_000, "11.0", id="whole"),
    ],
)
def test_energy_is_shown_as_the_examples_do(energy_wh: float, shown: str) -> None:
    assert repr(units.kwh(energy_wh)) == shown


@pytest.mark.parametrize(
    ("energy_wh", "shown"),
    [
        pytest.param(0, "0", id="nothing"),
        pytest.param(2750, "11.0", id="in-a-quarter"),
        pytest.param(1, "0.004", id="a-watt-hour"),
    ],
)
def test_a_rate_is_energy_over_its_interval(energy_wh: float, shown: str) -> None:
    assert repr(units.mean_kw(energy_wh, START, END)) == shown
    assert units.mean_kw(energy_wh, START, START) == 0, "an interval without length has no rate"
    assert units.mean_kw(energy_wh, END, START) == 0


def test_a_time_is_aware_and_whole_unless_more_is_said() -> None:
    assert units.utc(2025, 6, 10) == datetime(2025, 6, 10, 0, 0, 0, tzinfo=UTC)
    assert units.utc(2025, 6, 10, 1, 2, 3) == datetime(2025, 6, 10, 1, 2, 3, tzinfo=UTC)
