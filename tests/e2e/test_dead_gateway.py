"""The gateway dies soon after plug-in and stays dead until the car must be ready: the plan lives in the charger."""

from itertools import pairwise
from pathlib import Path

import pytest
from house import Bay, check_energy, house, seconds_between

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

PATIENT = {"start_timeout_s": 1800, "stop_timeout_s": 1800}
"""A busy machine may need some seconds until all is told after a restart, which are many minutes here."""
GARAGE = Bay(id="garage", version="1.6", level=35, target=80, ready_by="21:30", battery_kwh=20, **PATIENT)
YARD = Bay(id="yard", version="2.0.1", level=30, target=75, ready_by="22:00", battery_kwh=20, **PATIENT)
CHEAP_EVENING = (
    'kind = "time-of-use"\ndefault_price_per_kwh = 0.35\n'
    'window = [{ from = "19:30", to = "21:15", price_per_kwh = 0.20 }]'
)
CHEAP_FROM, READY_BY = "2026-01-14T19:30:00Z", "2026-01-14T22:00:00Z"
SPEED = 400
PAUSES = """version = 1
[[quirk]]
vendor = "Simulated"
source = "this test: its owner knows that a limit of 0 pauses it"
zero_is_stop = false
"""


def test_a_car_reaches_its_target_though_the_gateway_is_dead_all_night(tmp_path: Path) -> None:
    with house(tmp_path, GARAGE, YARD, start="2026-01-14T17:30:00Z", speed=SPEED, tariff=CHEAP_EVENING) as home:
        quirks = tmp_path / "quirks.toml"
        quirks.write_text(PAUSES)
        listen = f'listen = "127.0.0.1:{home.ocpp_port}"'
        configured = home.config.read_text().replace(listen, f'{listen}\nquirks_file = "{quirks}"')
        home.config.write_text(configured)
        home.open()
        for bay in home.bays:
            home.simulators[bay.id].do("plug")
            home.simulators[bay.id].expect("transaction-started")
            home.wait_session(bay, "five minutes have passed", lambda doc: _is_old(doc, home.now()))
            home.wait("a pause is in force", lambda bay=bay: home.charger(bay)["currentLimit"] == 0)  # type: ignore[misc]
        assert home.now() < CHEAP_FROM, "this machine was too slow to show anything"
        home.kill()
        home.wait("the cars must be ready", lambda: home.now() >= READY_BY)
        for bay in home.bays:
            report = home.simulators[bay.id].report()
            assert report["levelPct"] >= bay.target - 0.5, f"{bay.id}: {report}"
        home.start()
        home.wait_online()
        for bay in home.bays:
            simulator = home.simulators[bay.id]
            told_wh = simulator.report()["sessionWh"]

            def all_told(document: dict, told_wh: float = told_wh) -> bool:  # type: ignore[type-arg]
                return document["statistics"]["aggregated"]["kwhSum"] * 1000 >= told_wh - 10

            home.wait_session(bay, "every watt-hour of the night is there", all_told)
            simulator.do("unplug")
        for bay in home.bays:
            document = home.wait_settled(bay)
            check_energy(document, home.simulators[bay.id])
            assert document["outcome"]["latest"]["state"] == "ON_TARGET"
            assert home.errors_shown(bay) == []
            quarters = {entry["startAt"]: entry["kwh"] for entry in document["statistics"]["timeseries"]}
            assert all(seconds_between(a, b) <= 900 for a, b in pairwise(quarters))
            before = [kwh for start, kwh in quarters.items() if start < CHEAP_FROM]
            assert max(before) == 0, f"{bay.id} charged before the cheap hours: {quarters}"


def _is_old(document: dict, now: str) -> bool:  # type: ignore[type-arg]
    return document["pluggedInAt"] is not None and seconds_between(document["pluggedInAt"], now) >= 300
