# ruff: noqa: E501 - one case per line reads as a table
"""Every fault of a [tariff] section is told with its line and what is allowed."""

from pathlib import Path

import pytest

from chargerd.config import describe, load_config
from chargerd.contract import ConfigError
from chargerd.tariff import TARIFFS

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


FEEDS = [
    pytest.param('kind = "energy-charts"', "3: tariff.bidding_zone: missing, and it must be given; the market's name of your area, as DE-LU", id="no zone"),
    pytest.param('kind = "energy-chart"\nbidding_zone = "DE-LU"', '4: tariff.kind: got "energy-chart", did you mean energy-charts? allowed: awattar, energy-charts, entsoe, file, fixed, http-json, nord-pool, octopus, tibber, time-of-use', id="kind"),
    pytest.param('kind = "awattar"\ncountry = "ch"', '5: tariff.country: got "ch", allowed: at, de', id="country"),
    pytest.param('kind = "entsoe"\narea = "DE"\ntoken_file = "t"', '5: tariff.area: expected a bidding zone or its EIC code of 16 characters; allowed: AT, BE', id="area"),
    pytest.param('kind = "entsoe"\narea = "DE-LU"\ntoken = "hunter2"', "6: tariff.token: unknown key; a secret is never in this file, name the file that holds it: token_file", id="token in the file"),
    pytest.param('kind = "tibber"', "3: tariff.token_file: missing, and it must be given; file that holds the access token", id="no token"),
    pytest.param('kind = "tibber"\ntoken_file = "t"\nurl = "http://10.0.0.1/"', "3: tariff: a token is sent with TLS only; expected a url that begins with https://", id="token without TLS"),
    pytest.param('kind = "octopus"\nproduct = "AGILE-24-10-01"\ntariff = "e-1r"', '6: tariff.tariff: expected a code in capitals, as Octopus shows it; got ', id="tariff code"),
    pytest.param('kind = "nord-pool"\narea = "SE3"\ncurrency = "kr"', "6: tariff.currency: expected an ISO 4217 code, as EUR; got \"kr\"", id="currency"),
    pytest.param('kind = "http-json"', "3: tariff.url: missing, and it must be given; where to ask, with {start} and {end}, or {date}", id="no url"),
    pytest.param('kind = "http-json"\nurl = "prices.example"', '5: tariff.url: expected a URL, as https://example.org/prices; got "prices.example"', id="no scheme"),
    pytest.param('kind = "http-json"\nurl = "https://me:pw@a.example/"', "5: tariff.url: a secret is never in this file; expected a URL without a user and a password", id="password in the url"),
    pytest.param('kind = "http-json"\nurl = "https://a.example/{day}"', "5: tariff.url: there is no {day}; allowed: date, end, end_ms, end_unix, start, start_ms, start_unix", id="placeholder"),
    pytest.param('kind = "http-json"\nurl = "https://a.example/{start"', "5: tariff.url: expected braces in pairs, as in {start}", id="half a placeholder"),
    pytest.param('kind = "http-json"\nurl = "https://a.example/"\nunit = "EUR"', '6: tariff.unit: expected money per energy, as EUR/kWh, ct/kWh, p/kWh or SEK/MWh; got "EUR"', id="unit"),
    pytest.param('kind = "http-json"\nurl = "https://a.example/"\nunit = "EUR/kWh"\ncurrency = "SEK"', "3: tariff: unit EUR/kWh and currency SEK contradict each other; leave currency out", id="two currencies"),
    pytest.param('kind = "http-json"\nurl = "https://a.example/"\nfallback_price_per_kwh = "none"', '6: tariff.fallback_price_per_kwh: expected a number; got "none"', id="fallback"),
]  # fmt: skip


@pytest.mark.parametrize(("section", "expected"), FEEDS)
def test_a_fault_of_a_source_in_the_network_is_told_with_its_line(tmp_path: Path, section: str, expected: str) -> None:
    assert faults(tmp_path, f"[tariff]\n{section}\n")[-1].startswith(expected)


DESCRIBED = [
    ('kind = "energy-charts"\nbidding_zone = "DE-LU"', "energy-charts DE-LU"),
    ('kind = "awattar"\ncountry = "at"', "awattar at"),
    ('kind = "entsoe"\narea = "SE3"\ntoken_file = "t"', "entsoe 10Y1001A1001A46L"),
    ('kind = "octopus"\nproduct = "AGILE-24-10-01"\ntariff = "E-1R-AGILE-24-10-01-C"', "octopus E-1R-AGILE-24-10-01-C"),
    ('kind = "tibber"\ntoken_file = "t"', "tibber"),
    ('kind = "nord-pool"\narea = "NO1"\ncurrency = "NOK"', "nord-pool NO1 NOK"),
    ('kind = "http-json"\nurl = "https://a.example/key/{date}"\nunit = "ct/kWh"', "http-json a.example (ct/kWh)"),
]


@pytest.mark.parametrize(("section", "label"), DESCRIBED)
def test_a_source_in_the_network_is_described(tmp_path: Path, section: str, label: str) -> None:
    lines = told(tmp_path, f"[tariff]\n{section}\n")
    assert lines[0] == f"Tariff: prices of {label}, asked for over the network once they are published."
    assert (
        lines[-1] == "  Where it fails, prices of an earlier day stand in; without them the time wanted alone counts."
    )


def test_a_fallback_is_described(tmp_path: Path) -> None:
    section = '[tariff]\nkind = "awattar"\ncountry = "at"\nfallback_price_per_kwh = 0.31\n'
    assert told(tmp_path, section)[-1].endswith("without them a kWh counts as 0.31.")


def test_a_token_file_is_beside_the_configuration_and_a_header_may_come_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "chargerd.toml"
    section = 'kind = "http-json"\nurl = "https://a.example/"\ntoken_file = "key"\nheaders = { X-Key = "${KEY}" }\n'
    file.write_text(f"{SITE}[tariff]\n{section}")
    config = load_config(file, {"KEY": "hunter2"})
    assert config.tariff.token_file == tmp_path / "key"  # type: ignore[union-attr]
    assert config.tariff.headers == {"X-Key": "hunter2"}  # type: ignore[union-attr]
    assert "hunter2" not in describe(config)
    assert faults(tmp_path, f"[tariff]\n{section.replace('https', 'http')}\n".replace("${KEY}", "k"))[0].startswith(
        "3: tariff: a token is sent with TLS only"
    )


def commented() -> list[str]:
    """The sections that stand in the example as comments."""
    text = (Path(__file__).parents[3] / "config" / "tariffs.toml").read_text()
    blocks = text.split("\n\n")
    return [block.replace("# ", "", 1).replace("\n# ", "\n") for block in blocks if block.startswith("# [tariff]")]


@pytest.mark.parametrize("section", commented(), ids=lambda section: section.splitlines()[1])
def test_every_section_of_the_example_that_is_a_comment_is_a_good_one(tmp_path: Path, section: str) -> None:
    assert told(tmp_path, section)


def test_the_manual_has_every_kind() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "tariffs.md").read_text()
    assert [kind for kind in TARIFFS if f"| `{kind}` |" not in manual] == []
    assert len(commented()) == 6
