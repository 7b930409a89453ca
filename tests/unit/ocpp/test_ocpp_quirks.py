"""Quirks as data: which entry is for which charger, and what is wrong with a file."""

from pathlib import Path

import pytest

from chargerd.contract import ConfigError
from chargerd_drivers.ocpp.knowledge import Knowledge, Model
from chargerd_drivers.ocpp.quirks import presets, read_quirks
from chargerd_drivers.ocpp.ways import Kind, Purpose, Unit

CONFIG = Path(__file__).parents[3] / "config"
SHIPPED = presets()


def test_the_shipped_file_is_the_one_in_config() -> None:
    quirks = read_quirks((CONFIG / "quirks.toml").read_text(encoding="utf-8"), "quirks.toml")
    assert len(quirks) > 10
    assert all(quirk.source for quirk in quirks)


def test_nothing_is_known_of_a_stranger() -> None:
    assert SHIPPED(Model()) == Knowledge()
    assert SHIPPED(Model(vendor="Acme", model="Box", firmware="1")) == Knowledge()


def test_a_vendor_s_entry_is_found_in_any_case() -> None:
    known = SHIPPED(Model(vendor="HUAWEI", model="SCharger-22KT-S0", firmware="V100"))
    assert (known.capabilities.zero_is_stop, known.taste.unit) == (True, Unit.WATT)


def test_several_entries_that_fit_add_up() -> None:
    known = SHIPPED(Model(vendor="Wall Box Chargers / Wallbox", model="Pulsar Plus", firmware="6.7.38"))
    assert known.taste.kind is Kind.RELATIVE
    assert known.capabilities.pushes_samples is False
    assert known.capabilities.resumes_after_stop is False
    assert known.ping_interval_s == 20


@pytest.mark.parametrize(
    ("firmware", "skips", "purpose"),
    [
        ("1.5.25", ("MeterValuesSampledData",), None),
        ("1.8.0", ("MeterValuesSampledData",), Purpose.TX_DEFAULT),
        ("1.8.21", ("MeterValuesSampledData",), None),
        ("1.8.22", (), None),
        ("1.8.33", (), None),
    ],
)
def test_a_quirk_is_over_with_the_firmware_that_cured_it(firmware, skips, purpose) -> None:
    known = SHIPPED(Model(vendor="ABB", model="TERRA AC W22", firmware=firmware))
    assert (known.skips, known.taste.purpose) == (skips, purpose)


def test_a_user_s_own_entry_counts_more_than_a_shipped_one(tmp_path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        'version = 1\n[[quirk]]\nvendor = "huawei"\nsource = "my own"\nlimit_unit = "A"\nzero_is_stop = false\n'
        'id_token = "FREE"\nwhole_limits = true\nclears_first = true\nschedule_periods = 3\nminimal_setup = true\n'
    )
    known = presets(own)(Model(vendor="Huawei"))
    assert (known.taste.unit, known.capabilities.zero_is_stop, known.id_token) == (Unit.AMPERE, False, "FREE")
    assert (known.taste.whole, known.taste.clears_first, known.taste.periods_max) == (True, True, 3)
    assert known.minimal_setup
    assert known.told.schedule_periods == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version = 2", "f: version: expected 1, got 2"),
        ("", "f: version: missing"),
        ("version = 1\nquirks = []", "f: quirks: unknown, allowed are quirk, version"),
        ('version = 1\n[[quirk]]\nvendor = "a"', "f: quirk.1.source: missing"),
        ('version = 1\n[[quirk]]\nsource = "s"\nzero = true', "f: quirk.1.zero: unknown, allowed are clears_first, "),
        ('version = 1\n[[quirk]]\nsource = "s"\nzero_is_stop = 1', "f: quirk.1.zero_is_stop: expected true or false"),
        ('version = 1\n[[quirk]]\nsource = "s"\nlimit_unit = "kW"', "f: quirk.1.limit_unit: expected 'A' or 'W', got"),
        ("version = ", "f: not TOML: "),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(text, told) -> None:
    with pytest.raises(ConfigError) as error:
        read_quirks(text, "f")
    assert error.value.problems[0].startswith(told)


def test_a_file_that_cannot_be_read_is_told(tmp_path) -> None:
    with pytest.raises(ConfigError, match="expected a file of quirks"):
        presets(tmp_path / "nothing.toml")
