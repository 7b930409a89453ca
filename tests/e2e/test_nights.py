"""A whole night for each protocol version, in one house."""

from pathlib import Path

import pytest
from house import (
    CHEAP_NIGHT,
    VERSIONS,
    Bay,
    House,
    at,
    charged_in,
    check_energy,
    check_inside_blocks,
    house,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

BAYS = (
    Bay(id="garage", version="1.6", level=35, target=60, ready_by="06:00", start_timeout_s=1800),
    Bay(id="yard", version="2.0.1", level=30, target=55, ready_by="06:30", start_timeout_s=1800, tells_level=True),
)


def test_each_car_is_charged_in_the_cheap_hours_and_ready_in_the_morning(tmp_path: Path) -> None:
    with house(tmp_path, *BAYS, start="2026-01-14T20:00:00Z", speed=1200, tariff=CHEAP_NIGHT) as home:
        home.open()
        for bay, leaves in zip(BAYS, ("06:20", "06:50"), strict=True):
            home.simulators[bay.id].do("plug")
            home.simulators[bay.id].do("unplug", at=f"2026-01-15T{leaves}:00Z")
        for bay in BAYS:
            _check_night(home, bay)


def _check_night(home: House, bay: Bay) -> None:
    document = home.wait_settled(bay)
    simulator = home.simulators[bay.id]
    check_energy(document, simulator)
    check_inside_blocks(document, simulator)
    print(document, home.errors_shown(bay), charged_in(simulator))
