"""Chargers that accept a command and do nothing: what the household is told, and when that is over."""

from pathlib import Path

import pytest
from house import SAMPLE_S, VERSIONS, Bay, House, at, charged_in, check_energy, house, seconds_between

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SPEED = 90
SLACK_S = SAMPLE_S + 2.5 * SPEED
"""One sample, and the real seconds that a busy machine may take."""
both = pytest.mark.parametrize("version", VERSIONS)


@both
def test_start_fail_is_told_in_time_and_is_over_with_the_first_power(tmp_path: Path, version: str) -> None:
    bay = Bay(id="garage", version=version, level=35, target=50, ready_by="04:00",
              simulator=("--fault", "accept-start-do-nothing"))  # fmt: skip
    with house(tmp_path, bay, speed=SPEED) as home:
        home.open()
        simulator = home.simulators[bay.id]
        simulator.do("plug")
        document = home.wait_session(bay, "START_FAIL", lambda shown: shown["error"]["latest"] is not None)
        [block] = document["blocks"]
        due = block["startAt"]
        told = home.wait_logged("session.error", charger=bay.id)
        assert bay.start_timeout_s <= seconds_between(due, told["TIME"]) <= bay.start_timeout_s + SLACK_S
        outcome = document["outcome"]["latest"]
        assert at(outcome.pop("minimumChargeTargetReachedAt")) > at("2026-01-15T04:00:00Z")
        assert all(entry["kwh"] == 0 for entry in document["statistics"].pop("timeseries"))
        assert document == {
            "policyId": bay.policy,
            "state": "ACTIVE:REGULAR",
            "pluggedInAt": document["pluggedInAt"],
            "pluggedOutAt": None,
            "blocks": [{"type": "REGULAR", "kwhSum": 0, "startAt": due, "endAt": block["endAt"]}],
            "statistics": {"aggregated": {"kwhSum": 0, "batteryFrom": 35, "batteryTo": 35}},
            "target": {
                "latest": {
                    "id": 1,
                    "type": "REGULAR",
                    "source": "POLICY",
                    "batteryReserve": 0,
                    "minimumChargeTarget": 50,
                    "readyBy": "2026-01-15T04:00:00Z",
                }
            },
            "outcome": {
                "latest": {"type": "REGULAR", "targetId": 1, "state": "OFF_TARGET", "batteryLevelAtReadyBy": 35}
            },
            "error": {"latest": {"type": "START_FAIL"}},
        }
        simulator.do("fault", name="accept-start-do-nothing", on=False)
        charging = simulator.expect("charging")
        document = home.wait_session(bay, "the error is over", lambda shown: shown["error"]["latest"] is None)
        _check_over(home, bay, since=charging["at"])
        assert document["outcome"]["latest"]["state"] == "ON_TARGET"
        simulator.do("unplug")
        check_energy(home.wait_settled(bay), simulator)


@both
def test_stop_fail_is_told_in_time_and_is_over_when_the_power_is(tmp_path: Path, version: str) -> None:
    bay = Bay(id="garage", version=version, level=35, target=36, simulator=("--fault", "ignore-stop"))
    with house(tmp_path, bay, speed=SPEED) as home:
        home.open()
        simulator = home.simulators[bay.id]
        simulator.do("plug")
        document = home.wait_session(bay, "STOP_FAIL", lambda shown: shown["error"]["latest"] is not None)
        assert document["error"] == {"latest": {"type": "STOP_FAIL"}}
        assert document["statistics"]["aggregated"]["batteryTo"] >= 36
        # What 1 % takes at 11 kW; then charging should have stopped.
        reached_s = 0.01 * bay.battery_kwh / 0.92 / 11 * 3600
        told = home.wait_logged("session.error", charger=bay.id)
        told_s = seconds_between(simulator.expect("charging")["at"], told["TIME"])
        assert bay.stop_timeout_s <= told_s - reached_s <= bay.stop_timeout_s + SLACK_S
        simulator.do("fault", name="ignore-stop", on=False)
        stopped = home.wait("the simulator stops", lambda: simulator.all("suspended", "transaction-ended"))[0]
        home.wait_session(bay, "the error is over", lambda shown: shown["error"]["latest"] is None)
        _check_over(home, bay, since=stopped["at"])
        simulator.do("unplug")
        document = home.wait_settled(bay)
        check_energy(document, simulator)
        [stretch] = charged_in(simulator)
        [block] = document["blocks"]
        assert abs(seconds_between(block["startAt"], stretch[0])) <= SAMPLE_S
        assert abs(seconds_between(block["endAt"], stretch[1])) <= SAMPLE_S


def _check_over(home: House, bay: Bay, *, since: str) -> None:
    over = home.wait_logged("session.error_cleared", charger=bay.id)
    assert seconds_between(since, over["TIME"]) <= SLACK_S
    assert len(home.logged("session.error", charger=bay.id)) == 1
