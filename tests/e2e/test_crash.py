"""The daemon dies or is stopped in mid-visit, and comes back."""

from pathlib import Path
from typing import Any

import pytest
from house import Bay, House, check_energy, check_inside_blocks, house

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

# The start timeout allows for the seconds that a busy machine may need until all is connected again.
GARAGE = Bay(id="garage", version="1.6", target=90, ready_by="17:00", start_timeout_s=1800)
YARD = Bay(id="yard", version="2.0.1", target=90, ready_by="17:00", start_timeout_s=1800)
SPEED = 250


@pytest.mark.parametrize("overridden", [GARAGE, YARD], ids=["override on 1.6", "override on 2.0.1"])
def test_a_killed_daemon_continues_visit_target_and_transaction(tmp_path: Path, overridden: Bay) -> None:
    with house(tmp_path, GARAGE, YARD, speed=SPEED) as home:
        home.open()
        home.put_target(overridden, type="REGULAR", minimumChargeTarget=80, readyBy="2026-01-15T09:00:00Z")
        for simulator in home.simulators.values():
            simulator.do("plug")
        before = {bay.id: _wait_charged(home, bay, kwh=1.0) for bay in home.bays}
        assert before[overridden.id]["target"]["latest"]["source"] == "USER_OVERRIDE"
        transactions = {bay.id: home.charger(bay)["transactionId"] for bay in home.bays}
        home.kill()
        for bay in home.bays:
            _wait_drawn(home, bay, wh=before[bay.id]["statistics"]["aggregated"]["kwhSum"] * 1000 + 1500)
        home.start()
        for bay in home.bays:
            after = home.session(bay)
            assert _lasting(after) == _lasting(before[bay.id])
        home.wait_online()
        for bay in home.bays:
            _wait_charged(home, bay, kwh=before[bay.id]["statistics"]["aggregated"]["kwhSum"] + 2.5)
            assert home.charger(bay)["transactionId"] == transactions[bay.id] is not None
            simulator = home.simulators[bay.id]
            assert len(simulator.all("transaction-started")) == 1
            assert simulator.all("transaction-ended", "suspended") == []
            simulator.do("unplug")
        for bay in home.bays:
            document = home.wait_settled(bay)
            check_energy(document, home.simulators[bay.id])
            check_inside_blocks(document, home.simulators[bay.id])
            assert len(document["blocks"]) == 1
            assert home.errors_shown(bay) == []
            states = {shown["state"] for shown in home.shown(bay)}
            assert states == {"UPCOMING", "ACTIVE:REGULAR"}


def test_sigterm_ends_streams_and_exits_0_and_the_visit_goes_on_after_a_restart(tmp_path: Path) -> None:
    with house(tmp_path, YARD, speed=SPEED) as home:
        home.open()
        simulator = home.simulators[YARD.id]
        simulator.do("plug")
        before = _wait_charged(home, YARD, kwh=0.5)
        streams = [home.watch() for _ in range(3)]
        home.wait("the streams carry documents", lambda: all(stream.changes for stream in streams))
        assert home.stop(within_s=10) == 0
        assert home.daemon.records[-1]["CHARGERD_EVENT"] == "daemon.stopped"
        home.wait("the streams end", lambda: all(stream.over for stream in streams))
        home.start()
        home.wait_online()
        after = _wait_charged(home, YARD, kwh=before["statistics"]["aggregated"]["kwhSum"] + 1.0)
        assert _lasting(after) == _lasting(before)
        simulator.do("unplug")
        document = home.wait_settled(YARD)
        check_energy(document, simulator)
        assert len(document["blocks"]) == 1
        assert len(simulator.all("transaction-started")) == 1
        assert home.errors_shown(YARD) == []


def _lasting(document: dict[str, Any]) -> tuple[Any, ...]:
    """What no restart may change."""
    return (
        document["state"],
        document["pluggedInAt"],
        document["target"],
        document["outcome"],
        document["error"],
        [(block["type"], block["startAt"]) for block in document["blocks"]],
    )


def _wait_charged(home: House, bay: Bay, *, kwh: float) -> dict[str, Any]:
    def charged(document: dict[str, Any]) -> bool:
        aggregated = document["statistics"]["aggregated"]
        return aggregated is not None and aggregated["kwhSum"] >= kwh

    return home.wait_session(bay, f"{kwh} kWh are charged", charged)


def _wait_drawn(home: House, bay: Bay, *, wh: float) -> None:
    """Wait until so much was drawn by the charger's own account, with nobody listening."""
    home.wait(f"{bay.id}: {wh:g} Wh are drawn", lambda: home.simulators[bay.id].report()["sessionWh"] >= wh)
