# ruff: noqa: E501 - a line for people is a line
"""What a good configuration becomes, and what is said about it."""

import json
import tomllib
from dataclasses import FrozenInstanceError
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from chargerd.config import Config, describe, json_schema, load_config, read_secret
from chargerd.config_schema import spelled
from chargerd.contract import ConfigError
from chargerd.core.ids import ChargerId, PolicyId, VehicleId
from chargerd.core.policy import ChargerSpec, DayTarget, Policy, Site, VehicleSpec

EXAMPLES = Path(__file__).parents[3] / "config"

MINIMAL = """
[site]
timezone = "Europe/Berlin"
[tariff]
kind = "fixed"
price_per_kwh = 0.2785
"""

HOME = """
[site]
name = "Haus ${NUMBER}"
timezone = "Europe/Berlin"
main_fuse_a = 35
[http]
listen = "0.0.0.0:8480"
token_file = "api-token"
[store]
url = "sqlite://db/chargerd.db"
[ocpp]
listen = "127.0.0.1:0"
[tariff]
kind = "fixed"
price_per_kwh = 0.2785
[[charger]]
id = "garage"
driver = "ocpp"
identity = "$${BOX}"
connector = 2
password_file = "/run/box"
max_a = 20
[[vehicle]]
id = "zoe"
battery_kwh = 52
charge_max_kw = 7.4
phases = 1
level = { source = "charger", max_age_s = 600 }
[[policy]]
id = "5B6F0F0E-3C1D-4F0A-9A55-8D2F6A0C7E11"
vehicle = "zoe"
charger = "garage"
battery_reserve = 20
schedule.default = { ready_by = "07:00", minimum_charge_target = 70 }
schedule.sat = { ready_by = 09:30:00, minimum_charge_target = 80 }
schedule.sun = false
"""


def loaded(folder: Path, text: str, **environ: str) -> Config:
    (folder / "chargerd.toml").write_text(text)
    return load_config(folder / "chargerd.toml", environ)


def test_facts_for_the_core_are_in_its_units(tmp_path: Path) -> None:
    config = loaded(tmp_path, HOME, NUMBER="7")
    workday, saturday = (
        DayTarget(ready_by=time(7), minimum_charge_target=70),
        DayTarget(ready_by=time(9, 30), minimum_charge_target=80),
    )
    assert config.site == Site(name="Haus 7", zone="Europe/Berlin", main_fuse_a=35)
    assert [entry.spec for entry in config.chargers] == [
        ChargerSpec(charger_id=ChargerId("garage"), evse_id=2, max_a=20)
    ]
    assert config.vehicles == (
        VehicleSpec(
            vehicle_id=VehicleId("zoe"),
            battery_wh=52000,
            charge_max_w=7400,
            phases=1,
            level_from_charger=True,
            level_max_age_s=600,
        ),
    )
    assert config.policies == (
        Policy(
            policy_id=PolicyId("5b6f0f0e-3c1d-4f0a-9a55-8d2f6a0c7e11"),
            charger_id=ChargerId("garage"),
            vehicle_id=VehicleId("zoe"),
            battery_reserve=20,
            schedule=(workday,) * 5 + (saturday, None),
        ),
    )


def test_a_driver_gets_its_own_options_and_section(tmp_path: Path) -> None:
    config = loaded(tmp_path, HOME, NUMBER="7")
    (entry,) = config.chargers
    assert (entry.driver, entry.options.identity, entry.options.connector) == ("ocpp", "${BOX}", 2)
    assert entry.options.password_file == Path("/run/box")
    assert config.driver_sections["ocpp"].listen == "127.0.0.1:0"


def test_a_driver_that_a_charger_uses_has_its_defaults_without_a_section(tmp_path: Path) -> None:
    charger = '[[charger]]\nid = "a"\ndriver = "ocpp"\nidentity = "A"\n'
    assert loaded(tmp_path, MINIMAL + charger).driver_sections["ocpp"].path == "/ocpp"


def test_without_chargers_and_sections_no_driver_runs(tmp_path: Path) -> None:
    config = loaded(tmp_path, MINIMAL)
    assert (dict(config.driver_sections), config.chargers) == ({}, ())
    assert (config.http.host, config.http.port, config.http.token_file) == ("127.0.0.1", 8480, None)
    assert config.store_url == "sqlite:///var/lib/chargerd/chargerd.db"


def test_a_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = loaded(tmp_path, MINIMAL)
    with pytest.raises(FrozenInstanceError):
        config.store_url = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        config.driver_sections["ocpp"] = 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("environ", "token", "store"),
    [
        pytest.param({}, "{folder}/api-token", "sqlite://{folder}/db/chargerd.db", id="beside the file"),
        pytest.param(
            {"CREDENTIALS_DIRECTORY": "/run/credentials/chargerd.service", "STATE_DIRECTORY": "/var/lib/chargerd:/x"},
            "/run/credentials/chargerd.service/api-token",
            "sqlite:///var/lib/chargerd/db/chargerd.db",
            id="under systemd",
        ),
    ],
)
def test_relative_paths_are_beside_the_file_or_where_systemd_says(
    tmp_path: Path, environ: dict[str, str], token: str, store: str
) -> None:
    config = loaded(tmp_path, HOME, NUMBER="7", **environ)
    assert str(config.http.token_file) == token.format(folder=tmp_path)
    assert config.store_url == store.format(folder=tmp_path)
    assert config.chargers[0].options.password_file == Path("/run/box"), "an absolute path stays"


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1"])
def test_no_token_is_needed_on_this_machine(tmp_path: Path, listen: str) -> None:
    assert loaded(tmp_path, f'{MINIMAL}[http]\nlisten = "{listen}"\n').http.is_local


def test_a_price_is_exactly_what_is_written(tmp_path: Path) -> None:
    assert loaded(tmp_path, MINIMAL).tariff.price_per_kwh == Decimal("0.2785")  # type: ignore[union-attr]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert loaded(tmp_path, "\ufeff" + MINIMAL).site.zone == "Europe/Berlin"


def test_it_is_described_in_a_residents_words(tmp_path: Path) -> None:
    assert describe(loaded(tmp_path, HOME, NUMBER="7")).splitlines() == [
        "Site Haus 7: 3 phases at 230 V, main fuse 35 A; times of day are in Europe/Berlin.",
        "Charger garage: 6 to 20 A on 3 phases, at most 13.8 kW; ocpp, identity ${BOX}, connector 2, password_file /run/box.",
        "Policy 5b6f0f0e-3c1d-4f0a-9a55-8d2f6a0c7e11: charges zoe (52 kWh, at most 4.6 kW) at garage.",
        "  Mon to Fri: at least 70 % by 07:00.",
        "  Sat: at least 80 % by 09:30.",
        "  Sun: no deadline.",
        "  Up to 20 % is charged at once, whatever it costs.",
        "  The battery level comes from the charger; while it is not known, the car is not controlled.",
        "Tariff: 0.2785 EUR per kWh at all times.",
        "Driver ocpp: listen 127.0.0.1:0, path /ocpp.",
        f"API: http://0.0.0.0:8480/, with the token in {tmp_path}/api-token.",
        f"Kept in {tmp_path}/db/chargerd.db.",
    ]


def test_a_charger_without_a_policy_and_a_fuse_that_is_too_small_are_mentioned(tmp_path: Path) -> None:
    text = HOME + '[[charger]]\nid = "yard"\ndriver = "ocpp"\nidentity = "B"\n'
    told = describe(loaded(tmp_path, text, NUMBER="7"))
    assert "Charger yard has no policy" in told
    assert "together the chargers may draw 36 A per phase, more than the main fuse of 35 A" in told


TWO_CARS = """
[[vehicle]]
id = "van"
battery_kwh = 75
charge_max_kw = 7.4
id_tokens = ["AA:BB:CC:DD:EE:FF"]
[[policy]]
id = "6b6f0f0e-3c1d-4f0a-9a55-8d2f6a0c7e11"
vehicle = "van"
charger = "garage"
"""


def test_tokens_are_facts_for_the_core_as_they_are_written(tmp_path: Path) -> None:
    config = loaded(tmp_path, HOME + TWO_CARS, NUMBER="7")
    assert [vehicle.id_tokens for vehicle in config.vehicles] == [(), ("AA:BB:CC:DD:EE:FF",)]
    assert [policy.vehicle_id for policy in config.policies] == ["zoe", "van"]


def test_how_cars_that_share_a_charger_are_told_apart_is_mentioned_where_cards_do_not_tell(tmp_path: Path) -> None:
    note = (
        "  Note: zoe and van share garage, and zoe has no id_tokens. They are told apart by card or EVCCID, else by a "
        "car's own report that it was plugged in; without either, zoe is taken after 60 s."
    )
    assert note in describe(loaded(tmp_path, HOME + TWO_CARS, NUMBER="7")).splitlines()
    neither = TWO_CARS.replace("id_tokens", "# id_tokens")
    assert "zoe and van have no id_tokens" in describe(loaded(tmp_path, HOME + neither, NUMBER="7"))
    both = HOME.replace("phases = 1", 'phases = 1\nid_tokens = ["04A2B3C4"]') + TWO_CARS
    assert "id_tokens" not in describe(loaded(tmp_path, both, NUMBER="7"))


def test_a_secret_is_one_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    assert read_secret(tmp_path / "token") == "s3cret"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "got: No such file", id="missing"),
        pytest.param(b"\n", "expected one line, got none", id="empty"),
        pytest.param(b"hunter\nhunter\n", "expected one line, got more", id="two lines"),
        pytest.param(b"hunter\xff", "expected a secret in UTF-8", id="bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_named_and_its_content_is_not(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigError, match=expected) as caught:
        read_secret(tmp_path / "token")
    assert str(tmp_path / "token") in str(caught.value)
    assert "hunter" not in str(caught.value)


def test_the_schema_file_is_up_to_date() -> None:
    """Regenerate with: python -m chargerd.config_schema config/chargerd.schema.json."""
    assert (EXAMPLES / "chargerd.schema.json").read_text(encoding="utf-8") == spelled()


@pytest.mark.parametrize(
    "example", sorted(path for path in EXAMPLES.glob("*.toml") if path.stem != "quirks"), ids=lambda path: path.name
)
def test_every_example_loads_as_it_is_and_fits_the_schema(example: Path) -> None:
    assert describe(load_config(example, {}))
    jsonschema.Draft202012Validator(json_schema()).validate(parsed(example.read_text(encoding="utf-8")))


def parsed(text: str) -> Any:
    """A document as an editor's schema check sees it."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        pytest.param("", "", id="good"),
        pytest.param("max_a = 20", 'max_a = "20"', id="type"),
        pytest.param("connector = 2", "conector = 2", id="key of a driver"),
        pytest.param("battery_kwh = 52", "battery_kw = 52", id="key"),
        pytest.param("schedule.sun = false", "schedule.sun = true", id="day"),
        pytest.param('kind = "fixed"', 'kind = "file"', id="tariff"),
        pytest.param('driver = "ocpp"', 'driver = "modbus"', id="driver"),
    ],
)
def test_the_schema_says_the_same_as_the_models(good: str, bad: str) -> None:
    text = HOME.replace("09:30:00", '"09:30"')
    validator = jsonschema.Draft202012Validator(json_schema())
    assert validator.is_valid(parsed(text.replace(good, bad, 1))) is (good == bad)
