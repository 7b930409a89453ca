"""What a resident asks for over the API."""

from pathlib import Path

import pytest
from house import CHEAP_NIGHT, Bay, check_energy, check_inside_blocks, house

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_an_immediate_start_before_plug_in_charges_at_once_until_it_is_taken_back(tmp_path: Path) -> None:
    bay = Bay(id="yard", version="2.0.1", reserve=20)
    with house(tmp_path, bay, tariff=CHEAP_NIGHT) as home:
        home.open()
        own = home.session(bay)["target"]
        answer = home.put_target(bay, type="IMMEDIATE_START", minimumChargeTarget=70)
        assert answer == home.session(bay)
        assert answer == {
            "policyId": bay.policy,
            "state": "UPCOMING",
            "pluggedInAt": None,
            "pluggedOutAt": None,
            "blocks": [],
            "statistics": {"aggregated": None, "timeseries": []},
            "target": {"latest": {"id": 2, "type": "IMMEDIATE_START", "minimumChargeTarget": 70}},
            "outcome": {"latest": None},
            "error": {"latest": None},
        }
        assert home.delete_target(bay)["target"] == own
        again = home.put_target(bay, type="IMMEDIATE_START", minimumChargeTarget=70)
        assert again["target"]["latest"] == answer["target"]["latest"] | {"id": 3}
        simulator = home.simulators[bay.id]
        simulator.do("plug")
        simulator.expect("charging")
        document = home.wait_session(bay, "energy flows", lambda shown: _kwh(shown) > 0)
        assert document["state"] == "ACTIVE:IMMEDIATE_START"
        assert [block["type"] for block in document["blocks"]] == ["IMMEDIATE_START"]
        assert document["outcome"]["latest"]["minimumChargeTargetReachedAt"] is not None
        answer = home.delete_target(bay)
        assert answer["state"] == "ACTIVE:REGULAR"
        assert answer["target"] == own
        simulator.expect("suspended", by="EVSE")
        simulator.do("unplug")
        document = home.wait_settled(bay)
        check_energy(document, simulator)
        check_inside_blocks(document, simulator)
        assert [block["type"] for block in document["blocks"]] == ["IMMEDIATE_START"]
        assert document["target"] == own
        assert home.errors_shown(bay) == []


def test_an_immediate_start_in_a_running_block_adjoins_it_and_gives_way_when_reached(tmp_path: Path) -> None:
    bay = Bay(id="garage", version="1.6", level=35, target=60)
    with house(tmp_path, bay) as home:
        home.open()
        own = home.session(bay)["target"]
        simulator = home.simulators[bay.id]
        simulator.do("plug")
        home.wait_session(bay, "energy flows", lambda shown: _kwh(shown) > 0.5)
        answer = home.put_target(bay, type="IMMEDIATE_START", minimumChargeTarget=37)
        assert answer["state"] == "ACTIVE:IMMEDIATE_START"
        assert answer["target"] == {"latest": {"id": 2, "type": "IMMEDIATE_START", "minimumChargeTarget": 37}}
        assert answer["outcome"]["latest"]["targetId"] == 2
        assert [block["type"] for block in answer["blocks"][:2]] == ["REGULAR", "IMMEDIATE_START"]
        assert answer["blocks"][0]["endAt"] == answer["blocks"][1]["startAt"]
        document = home.wait_session(bay, "back to the policy", lambda shown: shown["state"] == "ACTIVE:REGULAR")
        assert document["target"] == own
        assert document["outcome"]["latest"]["targetId"] == 1
        assert document["statistics"]["aggregated"]["batteryTo"] == 37
        home.wait_session(bay, "charging goes on", lambda shown: _kwh(shown) > _kwh(document) + 0.2)
        simulator.do("unplug")
        document = home.wait_settled(bay)
        check_energy(document, simulator)
        blocks = document["blocks"]
        assert [block["type"] for block in blocks] == ["REGULAR", "IMMEDIATE_START", "REGULAR"]
        assert [block["endAt"] for block in blocks[:-1]] == [block["startAt"] for block in blocks[1:]]
        assert len(simulator.all("charging")) == 1
        assert home.errors_shown(bay) == []


def _kwh(document: dict[str, object]) -> float:
    aggregated = document["statistics"]["aggregated"]  # type: ignore[index]
    return 0.0 if aggregated is None else float(aggregated["kwhSum"])
