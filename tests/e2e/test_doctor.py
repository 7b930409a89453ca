"""The doctor at a real daemon with simulated chargers: what it finds, and the charge that it tries."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from house import VERSIONS, Bay, House, chargerd, house

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SPEED = 120


@dataclass(frozen=True, kw_only=True)
class Free(Bay):
    """A charger that no policy holds."""

    @property
    def toml(self) -> str:
        return super().toml.partition("[[policy]]")[0]


def doctor(home: House, *args: str) -> tuple[int, dict[str, Any], str]:
    """Run it over one charger; return its status, its findings by check, and what it complained of."""
    ended = chargerd("doctor", "garage", "--json", "--url", f"http://127.0.0.1:{home.http_port}", *args, timeout_s=90)
    if not ended.stdout:
        return ended.returncode, {}, ended.stderr
    [report] = json.loads(ended.stdout)["data"]
    assert report["id"] == "garage"
    return ended.returncode, {one["check"]: one for one in report["findings"]}, ended.stderr


def verdicts(findings: dict[str, Any]) -> dict[str, str]:
    return {check: finding["verdict"] for check, finding in findings.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_doctor_proves_start_pause_resume_and_stop_and_leaves_the_charger_as_it_was(
    tmp_path: Path, version: str
) -> None:
    bay = Free(id="garage", version=version)
    with house(tmp_path, bay, speed=SPEED) as home:
        home.open()
        status, _, complaint = doctor(home, "--test-charge")
        assert (status, complaint) == (1, "chargerd: plug a car in at garage first, one that wants to charge\n")
        home.simulators["garage"].do("plug")
        home.wait("the car is seen", lambda: home.charger(bay)["isPluggedIn"])
        status, found, _ = doctor(home, "--test-charge")
        assert verdicts(found) == dict.fromkeys(("start", "pause", "resume", "stop", "end", "restore"), "OK"), found
        assert "11 kW were measured" in found["start"]["words"] or "kW were measured" in found["resume"]["words"]
        assert found["pause"]["words"].startswith("came about: 0 kW were measured")
        assert status == 0
        shown = home.charger(bay)
        assert (shown["isCharging"], shown["transactionId"], shown["action"]["state"]) == (False, None, "CANCELLED")
        _check_requests_by_hand(home, version)
        status, found, _ = doctor(home)
        assert status == 0
        assert {check: found[check]["verdict"] for check in ("reached", "accepted", "start", "limit", "meter")} == (
            dict.fromkeys(("reached", "accepted", "start", "limit", "meter"), "OK")
        )


def _check_requests_by_hand(home: House, version: str) -> None:
    """They reach the charger, and what would disturb the car that is plugged in does not."""

    def ocpp(*args: str) -> tuple[int, str, str]:
        ended = chargerd("ocpp", "garage", *args, "--url", f"http://127.0.0.1:{home.http_port}")
        return ended.returncode, ended.stdout, ended.stderr

    status, out, err = ocpp("TriggerMessage", '{"requestedMessage": "Heartbeat"}')
    assert (status, json.loads(out)["status"], err) == (0, "Accepted", "")
    status, out, err = ocpp("UnlockConnector", '{"connectorId": 1%s}' % ("" if version == "1.6" else ', "evseId": 1'))
    assert (status, out) == (1, "")
    assert err.startswith("chargerd: a car is plugged in, and UnlockConnector is not sent: ")
    status, _, err = ocpp("Dance")
    assert status == 1
    assert f"OCPP {version} has no request 'Dance'; it has CancelReservation, " in err
    told = home.wait_logged("ocpp.by_hand", action="TriggerMessage", payload='{"requestedMessage": "Heartbeat"}')
    assert told["CHARGERD_ASKED_BY"] == "127.0.0.1, without a token"


def test_the_doctor_finds_a_charger_that_is_gone_and_tries_none_that_a_policy_holds(tmp_path: Path) -> None:
    with house(tmp_path, Bay(id="garage"), speed=SPEED) as home:
        home.start()
        status, found, _ = doctor(home)
        assert (status, found["reached"]["verdict"], found["reached"]["words"]) == (
            1,
            "PROBLEM",
            "it has never connected",
        )
        assert "is set to the address of this daemon" in found["reached"]["remedy"]
        status, _, complaint = doctor(home, "--test-charge")
    assert status == 1
    assert "a policy holds garage" in complaint
    assert "Take the policy out of the file" in complaint


def test_the_doctor_pauses_and_resumes_a_car_that_charges_and_leaves_it_charging(tmp_path: Path) -> None:
    bay = Free(id="garage", simulator=("--personality", "autostart"))
    with house(tmp_path, bay, speed=SPEED) as home:
        home.open()
        home.simulators["garage"].do("plug")
        home.wait("it charges", lambda: home.charger(bay)["isCharging"])
        number = home.charger(bay)["transactionId"]
        status, found, _ = doctor(home, "--test-charge")
        assert (status, verdicts(found)) == (0, dict.fromkeys(("pause", "resume", "restore"), "OK"))
        assert "left as it was, charging" in found["restore"]["words"]
        shown = home.charger(bay)
        assert (shown["isCharging"], shown["transactionId"], shown["action"]["state"]) == (True, number, "CANCELLED")


def test_the_doctor_finds_a_charger_that_does_not_stop_and_keeps_the_stop_in_force(tmp_path: Path) -> None:
    bay = Free(id="garage", simulator=("--fault", "ignore-stop"))
    with house(tmp_path, bay, speed=SPEED) as home:
        home.open()
        home.simulators["garage"].do("plug")
        home.wait("the car is seen", lambda: home.charger(bay)["isPluggedIn"])
        status, found, _ = doctor(home, "--test-charge")
        assert status == 1
        assert (found["start"]["verdict"], found["pause"]["verdict"]) == ("OK", "PROBLEM")
        assert "kW were measured" in found["pause"]["words"]
        assert "resume" not in found
        assert found["restore"]["verdict"] == "PROBLEM"
        assert "Unplug the car" in found["restore"]["remedy"]


def test_the_doctor_finds_a_car_that_takes_nothing(tmp_path: Path) -> None:
    bay = Free(id="garage", simulator=("--fault", "no-power"))
    with house(tmp_path, bay, speed=SPEED) as home:
        home.open()
        home.simulators["garage"].do("plug")
        home.wait("the car is seen", lambda: home.charger(bay)["isPluggedIn"])
        status, found, _ = doctor(home, "--test-charge")
        assert (status, found["start"]["verdict"]) == (1, "PROBLEM")
        assert "did not come about (FAILED), 0 kW were measured" in found["start"]["words"]
        shown = home.charger(bay)
        assert (shown["isCharging"], shown["transactionId"]) == (False, None)
