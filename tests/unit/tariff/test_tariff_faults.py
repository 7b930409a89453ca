# ruff: noqa: E501 - one case per line reads as a table
"""Every fault of a [tariff] section is told with its line and what is allowed."""

from pathlib import Path

import pytest

from chargerd.config import describe, load_config
from chargerd.contract import ConfigError

SITE = '[site]\ntimezone = "Europe/Berlin"\n'
WINDOW = '[tariff]\nkind = "time-of-use"\ndefault_price_per_kwh = 0.3\n[[tariff.window]]\nfrom = "22:00"\nto = "06:00"\nprice_per_kwh = 0.2\n'
FIXED = '[tariff]\nkind = "fixed"\nprice_per_kwh = 0.3\n'


def faults(folder: Path, tariff: str) -> list[str]:
    file = folder / "chargerd.toml"
    file.write_text(SITE + tariff)
    with pytest.raises(ConfigError) as caught:
        load_config(file, {})
    return [problem.removeprefix(f"{file}:") for problem in caught.value.problems]


def told(folder: Path, tariff: str) -> list[str]:
    file = folder / "chargerd.toml"
    file.write_text(SITE + tariff)
    lines = describe(load_config(file, {})).splitlines()
    first = next(index for index, line in enumerate(lines) if line.startswith("Tariff"))
    return [line for line in lines[first:] if line.startswith(("Tariff", " "))]


FAULTS = [
    pytest.param(WINDOW + 'seasons = [{ from = "10-01", to = "02-30" }]', '10: tariff.window[0].seasons[0].to: expected a day of the year as "MM-DD", from "01-01" to "12-31"; got "02-30"', id="no such day"),
    pytest.param(WINDOW + 'seasons = [{ from = "10-01" }]', "10: tariff.window[0].seasons[0].to: missing, and it must be given", id="half a season"),
    pytest.param(WINDOW + 'season = "summer"', "10: tariff.window[0].season: unknown key; did you mean seasons? allowed: days, from, price_per_kwh, seasons, to", id="season"),
    pytest.param(FIXED + "network = 0.08", "6: tariff.network: expected a table; got 0.08", id="network charges that are no table"),
    pytest.param(FIXED + "[tariff.network]\nwindow = []", "6: tariff.network.default_price_per_kwh: missing, and it must be given", id="network charges without a default"),
    pytest.param(FIXED + 'multiply = "19 %"', '6: tariff.multiply: expected a number; got "19 %"', id="taxes in percent"),
]  # fmt: skip


@pytest.mark.parametrize(("tariff", "expected"), FAULTS)
def test_a_fault_is_told_with_its_line(tmp_path: Path, tariff: str, expected: str) -> None:
    assert faults(tmp_path, tariff)[0] == expected


def test_what_a_kwh_will_cost_is_told(tmp_path: Path) -> None:
    season = 'seasons = [{ from = "10-01", to = "03-31" }]\ndays = ["sat"]\n'
    network = (
        "[tariff.network]\ndefault_price_per_kwh = 0.08\n"
        'window = [{ from = "00:00", to = "06:00", price_per_kwh = 0.03 }]\n'
    )
    section = WINDOW.replace("default", "add_per_kwh = 0.02\nmultiply = 1.19\ndefault")
    assert told(tmp_path, section + season + network) == [
        "Tariff: 0.3 EUR per kWh, except:",
        "  22:00 to 06:00 on sat from 10-01 to 03-31: 0.2 EUR.",
        "  Network charges on top: 0.08 per kWh, except:",
        "    00:00 to 06:00: 0.03.",
        "  Fees on top: 0.02 per kWh.",
        "  Taxes: all of it times 1.19.",
    ]
