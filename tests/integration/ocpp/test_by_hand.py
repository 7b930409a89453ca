"""Requests by hand while a car is there, through driver, core and database: refused, or looked at anew."""

from pathlib import Path

import pytest

from chargerd.contract import NotSent, OperatorRequest, Responded, Withheld
from tests.integration.ocpp.ocpp_house import Box, HandClock, House, house
from tests.integration.ocpp.test_transactions_16 import charge, leave, status
from tests.support.home import GARAGE


def request(action: str, *, forced: bool = False, **payload: object) -> OperatorRequest:
    return OperatorRequest(charger_id=GARAGE, action=action, payload=payload, asked_by="me", is_forced=forced)


def limits(box: Box) -> list[float]:
    profiles = [payload["csChargingProfiles"] for action, payload in box.asked if action == "SetChargingProfile"]
    return [profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] for profile in profiles]


async def wait_paused(box: Box, home: House) -> None:
    """A car that the plan makes wait, in a transaction that the charger began."""
    await status(box, home, "Preparing")
    await box.call(
        "StartTransaction",
        {"connectorId": 1, "idTag": "", "meterStart": 1000, "timestamp": home.clock.time.isoformat()},
    )
    await home.pass_s(15)
    assert home.state.control.limit_a == 0


@pytest.mark.parametrize(
    ("action", "payload"),
    [("Reset", {"type": "Soft"}), ("UnlockConnector", {"connectorId": 1}), ("ClearChargingProfile", {})],
)
async def test_what_would_disturb_the_car_that_is_there_is_not_sent(
    tmp_path: Path, action: str, payload: dict[str, object]
) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await charge(box, home, minutes=1)
        before = list(box.asked)
        refused = await home.desk.operate(request(action, **payload))
        assert isinstance(refused, NotSent)
        assert refused.why is Withheld.DISTURBING
        assert list(box.asked) == before
        await leave(box, home)
        assert await home.desk.operate(request(action, **payload)) == Responded({"status": "Accepted"})


async def test_a_pause_that_was_cleared_by_force_is_in_force_again_within_seconds(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await wait_paused(box, home)
        paused = limits(box)
        assert await home.desk.operate(request("ClearChargingProfile", forced=True)) == Responded(
            {"status": "Accepted"}
        )
        await home.calm()
        assert (home.state.control.limit_a, limits(box)) == (None, paused)
        await home.pass_s(15)
        assert home.state.control.limit_a == 0
        assert len(limits(box)) > len(paused)
        assert home.doc["error"]["latest"] is None


async def test_a_reset_by_force_is_a_boot_after_which_everything_is_as_the_plan_wants_it(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home:
        async with home.box() as box:
            await wait_paused(box, home)
            assert await home.desk.operate(request("Reset", forced=True, type="Hard")) is not None
            await box.call(
                "StopTransaction",
                {"transactionId": -1, "meterStop": 1000, "timestamp": home.clock.time.isoformat()},
            )
        await home.offline()
        await home.pass_s(60)
        async with home.box() as box:
            await wait_paused(box, home)
            assert limits(box)[-1] == 0
            assert home.doc["error"]["latest"] is None


async def test_what_a_charger_tells_beside_charging_is_in_its_document(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await box.call("FirmwareStatusNotification", {"status": "Installing"})
        await status(box, home, "Unavailable")
        await home.calm()
        [shown] = home.desk.chargers()
        assert shown["told"]["firmware"]["status"] == "Installing"
        assert (shown["fault"], shown["vendor"], shown["missingCapabilities"]) == (None, "Acme", [])
        overview = home.desk.overview(GARAGE)
        assert overview is not None
        assert [message["action"] for message in overview["messages"]] == ["FirmwareStatusNotification"]


async def test_the_last_command_that_did_not_come_off_is_in_the_chargers_document(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        for action in ("SetChargingProfile", "RemoteStopTransaction"):
            box.answers[action] = {"status": "Rejected", "info": "Load balancer is disabled"}
        await status(box, home, "Preparing")
        await box.call(
            "StartTransaction",
            {"connectorId": 1, "idTag": "", "meterStart": 1000, "timestamp": home.clock.time.isoformat()},
        )
        await home.pass_s(15)
        [shown] = home.desk.chargers()
        assert shown["lastFailure"]["failure"] == "REFUSED"
        assert "Load balancer is disabled" in shown["lastFailure"]["detail"]
