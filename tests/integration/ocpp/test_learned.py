"""What chargers do at a limit of 0 and after a stop teaches the core, over both versions, and is kept over restarts."""

from pathlib import Path

import pytest

from tests.integration.ocpp import test_transactions_16 as v16
from tests.integration.ocpp import test_transactions_201 as v201
from tests.integration.ocpp.ocpp_house import Box, HandClock, House, Json, house


async def begin(box: Box, home: House) -> int:
    """The charger begins a transaction of its own, which the plan does not want yet."""
    number: int = (await box.call("StartTransaction", v16.start(home.clock.time)))["transactionId"]
    await home.pass_s(15)
    return number


async def end(box: Box, home: House, number: int, reason: str) -> None:
    await box.call("StopTransaction", v16.stop(number, home.clock.time, 1000, reason=reason))
    await home.pass_s(15)


def able(home: House) -> Json:
    [shown] = home.desk.chargers()
    found: Json = shown["capabilities"]
    return found


@pytest.mark.parametrize(("reason", "learned"), [("Other", True), ("EVDisconnected", None), ("Local", None)])
async def test_transactions_that_end_by_a_limit_of_zero_teach_that_zero_is_a_stop(
    tmp_path: Path, reason: str, learned: bool | None
) -> None:
    """F09: Huawei, EN+, NEcharge; remembered over a restart."""
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        await v16.status(box, home, "Preparing")
        for _ in range(2):
            assert able(home)["zeroIsStop"] is None
            number = await begin(box, home)
            await end(box, home, number, reason)
        assert able(home)["zeroIsStop"] is learned
    async with house(tmp_path, clock) as home, home.box() as box:
        assert able(home)["zeroIsStop"] is learned
        box.asked.clear()
        await v16.meter(box, home, 1000, 6000, transactionId=await begin(box, home))
        await home.pass_s(15)
        limits = [payload for action, payload in box.asked if action == "SetChargingProfile"]
        stops = [payload for action, payload in box.asked if action == "RemoteStopTransaction"]
        assert (bool(limits), bool(stops)) == ((False, True) if learned else (True, False))


async def test_a_transaction_that_goes_on_at_zero_teaches_that_zero_is_a_pause(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await v16.status(box, home, "Preparing")
        number = await begin(box, home)
        await v16.meter(box, home, 1000, 0, transactionId=number)
        await home.calm()
        assert able(home)["zeroIsStop"] is None
        await home.pass_s(61)
        await v16.meter(box, home, 1000, 0, transactionId=number)
        await home.calm()
        assert able(home)["zeroIsStop"] is False


async def test_a_pause_of_a_silent_charger_is_known_once_it_takes_the_next_limit(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await v16.status(box, home, "Preparing")
        await begin(box, home)
        await home.pass_s(61)
        assert able(home)["zeroIsStop"] is None
        await home.boost()
        assert able(home)["zeroIsStop"] is False


async def test_a_start_that_is_refused_in_finishing_teaches_that_a_stop_is_terminal(tmp_path: Path) -> None:
    """C06: no other transaction before the plug was out."""
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        box.answers["SetChargingProfile"] = {"status": "NotSupported"}
        box.answers["RemoteStartTransaction"] = {"status": "Rejected"}
        await v16.status(box, home, "Preparing")
        number = await begin(box, home)
        await v16.meter(box, home, 1000, 6000, transactionId=number)
        await home.pass_s(15)
        assert [action for action, _ in box.asked if action == "RemoteStopTransaction"]
        await end(box, home, number, "Remote")
        await v16.status(box, home, "Finishing")
        await home.boost()
        await home.pass_s(15)
        assert able(home)["resumesAfterStop"] is False


async def test_starts_that_are_refused_after_a_stop_teach_the_same_where_no_status_tells_of_finishing(
    tmp_path: Path,
) -> None:
    """K22: BMW/Delta over 2.0.1."""
    async with house(tmp_path, HandClock()) as home, home.box("2.0.1") as box:
        box.answers["SetChargingProfile"] = {"status": "Rejected"}
        box.answers["RequestStartTransaction"] = {"status": "Rejected"}
        await v201.status(box, home, "Occupied")
        told = v201.Told(box, home)
        await told.tell("Started", "CablePluggedIn", "Charging", **v201.EVSE)
        await home.pass_s(15)
        await told.metered(1000)
        await home.pass_s(60)
        assert [action for action, _ in box.asked if action == "RequestStopTransaction"]
        await told.tell("Ended", "RemoteStop", "EVConnected", info={"stoppedReason": "Remote"})
        await home.boost()
        await home.pass_s(15)
        assert able(home)["resumesAfterStop"] is None
        await home.pass_s(120)
        assert able(home)["resumesAfterStop"] is False
