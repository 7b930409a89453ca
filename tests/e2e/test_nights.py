"""A whole night for each protocol version, in one house."""

from pathlib import Path

import pytest
from house import CHEAP_NIGHT, Bay, House, at, charged_in, check_energy, check_inside_blocks, house

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

BAYS = (
    Bay(id="garage", version="1.6", level=35, target=60, ready_by="04:00", start_timeout_s=1800),
    Bay(id="yard", version="2.0.1", level=30, assumed=20, target=55, ready_by="04:15", start_timeout_s=1800,
        tells_level=True),
)  # fmt: skip
CHEAP_FROM, CHEAP_UNTIL = at("2026-01-15T00:00:00Z"), at("2026-01-15T05:00:00Z")


def test_both_cars_are_charged_in_the_cheap_hours_and_ready_in_the_morning(tmp_path: Path) -> None:
    with house(tmp_path, *BAYS, start="2026-01-14T22:30:00Z", speed=1000, tariff=CHEAP_NIGHT) as home:
        home.open()
        for bay, leaves in zip(BAYS, ("04:10", "04:30"), strict=True):
            home.simulators[bay.id].do("plug")
            home.simulators[bay.id].do("unplug", at=f"2026-01-15T{leaves}:00Z")
        for bay in BAYS:
            _check_night(home, bay)


def _check_night(home: House, bay: Bay) -> None:
    simulator = home.simulators[bay.id]
    document = home.wait_settled(bay)
    check_energy(document, simulator)
    check_inside_blocks(document, simulator)
    assert charged_in(simulator)
    assert document["statistics"]["aggregated"]["batteryFrom"] == bay.level
    assert document["outcome"]["latest"]["state"] == "ON_TARGET"
    for block in document["blocks"]:
        assert block["type"] == "REGULAR"
        assert CHEAP_FROM <= at(block["startAt"]) < at(block["endAt"]) <= CHEAP_UNTIL, block
    assert simulator.expect("unplugged")["levelPct"] >= bay.target - 1
    deadline = f"2026-01-15T{bay.ready_by}:00Z"
    last = [shown for shown in home.shown(bay) if shown["target"]["latest"].get("readyBy") == deadline][-1]
    assert last["statistics"]["aggregated"]["batteryTo"] >= bay.target
    assert last["outcome"]["latest"]["state"] == "ON_TARGET"
    assert home.errors_shown(bay) == []
