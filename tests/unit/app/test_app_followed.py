"""Each vehicle of the configuration is followed by exactly one charger."""

from pathlib import Path

from chargerd.app import _configured
from chargerd.config import load_config

SITE = """
[site]
timezone = "Europe/Berlin"
[tariff]
kind = "fixed"
price_per_kwh = 0.3
"""


def charger(name: str) -> str:
    return f'[[charger]]\nid = "{name}"\ndriver = "ocpp"\nidentity = "{name}"\n'


def vehicle(name: str) -> str:
    return f'[[vehicle]]\nid = "{name}"\nbattery_kwh = 50\ncharge_max_kw = 11\n'


def policy(number: int, vehicle: str, charger: str) -> str:
    policy_id = f"5b6f0f0e-3c1d-4f0a-9a55-8d2f6a0c7e1{number}"
    return f'[[policy]]\nid = "{policy_id}"\nvehicle = "{vehicle}"\ncharger = "{charger}"\n'


def followed(folder: Path, *tables: str) -> dict[str, tuple[str, ...]]:
    (folder / "chargerd.toml").write_text(SITE + "".join(tables))
    config = load_config(folder / "chargerd.toml", {})
    return {event.charger_id: event.followed for event in _configured(config, restarted=True)}


def test_the_charger_of_a_vehicles_first_policy_follows_it_else_the_first_one(tmp_path: Path) -> None:
    cars = [vehicle(name) for name in ("guest", "van", "zoe")]
    policies = [policy(1, "zoe", "yard"), policy(2, "zoe", "garage"), policy(3, "van", "garage")]
    assert followed(tmp_path, charger("garage"), charger("yard"), *cars, *policies) == {
        "garage": ("guest", "van"),
        "yard": ("zoe",),
    }


def test_without_chargers_nobody_is_followed(tmp_path: Path) -> None:
    assert followed(tmp_path, vehicle("zoe")) == {}
