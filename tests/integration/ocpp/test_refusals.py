"""Chargers that accept little or nothing, through driver, core and database: stopped otherwise, or told as they are."""

from pathlib import Path

from chargerd.core.events import OverrideCancelled
from chargerd.core.ids import ReplyTo
from tests.integration.ocpp import test_transactions_16 as old
from tests.integration.ocpp import test_transactions_201 as new
from tests.integration.ocpp.ocpp_house import Box, HandClock, House, Json, house
from tests.support.home import POLICY

NO: Json = {"status": "Rejected"}


def asked(box: Box, action: str) -> int:
    return sum(name == action for name, _ in box.asked)


def error(home: House) -> Json | None:
    latest: Json | None = home.doc["error"]["latest"]
    return latest


async def cancel(home: House) -> None:
    assert await home.desk.request(OverrideCancelled(policy_id=POLICY, reply_to=ReplyTo("cancel"))) is None
    await home.calm()


async def a_night_of_no(home: House, box: Box, evening: str, morning: str) -> set[str]:
    """Plug in, and return the errors that were shown until the morning, on the way and after."""
    box.answers |= {"RemoteStartTransaction": NO, "SetChargingProfile": NO}
    await home.until(evening)
    await old.status(box, home, "Preparing")
    shown = set()
    for _ in range(60):
        await home.pass_s(120)
        latest = error(home)
        shown.add("" if latest is None else latest["type"])
    await home.until(morning)
    await old.status(box, home, "Available")
    await home.pass_s(900)
    return shown - {""}


async def test_a_box_that_rejects_everything_is_told_to_lack_control_and_is_asked_no_more(tmp_path: Path) -> None:
    """Eco mode, app lock, load manager: Schneider "Load balancer is disabled"."""
    clock = HandClock()
    async with house(tmp_path, clock) as home:
        async with home.box() as box:
            await old.status(box, home, "Available")
            first = await a_night_of_no(home, box, "11T00:30", "11T07:00")
            assert first == {"START_FAIL", "MISSING_CAPABILITIES"}
            missing = error(home)
            assert missing is not None
            assert missing["type"] == "MISSING_CAPABILITIES"
            assert missing["missingCapabilities"] == ["startCharging"]
            starts = asked(box, "RemoteStartTransaction")
            assert starts == 4
            second = await a_night_of_no(home, box, "12T00:30", "12T07:00")
            assert second == {"MISSING_CAPABILITIES"}
            assert asked(box, "RemoteStartTransaction") == starts
        await home.offline()
    async with house(tmp_path, clock) as home, home.box() as box:
        assert error(home) is None, "another chance, for somebody may have switched that mode off"
        await old.status(box, home, "Preparing")
        await home.boost()
        await home.pass_s(15)
        await box.was_asked("RemoteStartTransaction")
        assert error(home) is None


async def test_a_box_that_begins_no_second_charge_lacks_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await old.charge(box, home)
        box.answers |= {"RemoteStartTransaction": NO, "SetChargingProfile": NO}
        await box.call("StopTransaction", old.stop(number, home.clock.time, register, reason="Local"))
        await old.status(box, home, "Finishing")
        await home.pass_s(3600)
        assert asked(box, "RemoteStartTransaction") >= 4
        latest = error(home)
        assert latest is not None
        assert latest["type"] == "START_FAIL"


async def test_a_transaction_that_takes_no_limit_any_more_is_stopped(tmp_path: Path) -> None:
    """BMW/Delta: after one profile too many a transaction takes none, not even 0 A."""
    async with house(tmp_path, HandClock()) as home, home.box("2.0.1") as box:
        told, register = await new.charge(box, home)
        box.answers["SetChargingProfile"] = NO
        await cancel(home)
        await home.pass_s(15)
        await box.was_asked("RequestStopTransaction", transactionId="tx-1")
        assert asked(box, "ClearChargingProfile") > 2, "cleared and set anew before that"
        await new.leave(box, home, told, register)
        assert [visit["error"]["latest"] for visit in await home.settled()] == [None]


async def test_a_transaction_that_takes_neither_limit_nor_stop_is_told_while_it_charges(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box("2.0.1") as box:
        told, register = await new.charge(box, home)
        box.answers |= {"SetChargingProfile": NO, "RequestStopTransaction": NO}
        await cancel(home)
        for _ in range(4):
            await home.pass_s(60)
            register += 100
            await told.metered(register)
        await home.calm()
        latest = error(home)
        assert latest is not None
        assert latest["type"] == "STOP_FAIL"
        await new.leave(box, home, told, register)
        [visit] = await home.settled()
        assert visit["statistics"]["aggregated"]["kwhSum"] == 1.4


async def test_a_station_that_begins_none_after_a_stop_is_told_and_recovers_with_a_replug(tmp_path: Path) -> None:
    """BMW/Delta, FoxESS: RequestStart is rejected until the plug was out."""
    async with house(tmp_path, HandClock("11T00:40")) as home, home.box("2.0.1") as box:
        told, _ = await new.charge(box, home)
        await told.tell("Ended", "RemoteStop", "EVConnected", info={"stoppedReason": "Remote"})
        box.answers["RequestStartTransaction"] = NO
        await home.pass_s(600)
        latest = error(home)
        assert latest is not None
        assert latest["type"] == "START_FAIL"
        del box.answers["RequestStartTransaction"]
        await new.leave(box, home)
        before = asked(box, "RequestStartTransaction")
        await new.status(box, home, "Occupied")
        await home.boost()
        await home.pass_s(15)
        assert asked(box, "RequestStartTransaction") == before + 1
        assert error(home) is None


async def test_a_start_that_is_refused_until_the_charger_is_ready_comes_right_after_it_is(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await old.charge(box, home, minutes=2)
        box.answers["RemoteStartTransaction"] = NO
        await box.call("StopTransaction", old.stop(number, home.clock.time, register, reason="Local"))
        await old.status(box, home, "Finishing")
        await home.pass_s(120)
        del box.answers["RemoteStartTransaction"]
        before = asked(box, "RemoteStartTransaction")
        await old.status(box, home, "Preparing")
        await home.pass_s(2)
        assert asked(box, "RemoteStartTransaction") == before + 1


async def test_a_car_that_says_in_our_pause_that_it_wants_nothing_is_not_full(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await old.charge(box, home, minutes=4)
        await cancel(home)
        await home.pass_s(15)
        await old.status(box, home, "SuspendedEV")
        await old.meter(box, home, register, 0, transactionId=number)
        await home.until("11T00:59")
        assert home.doc["outcome"]["latest"]["state"] == "ON_TARGET"
        box.asked.clear()
        await home.until("11T01:00:05")
        limits = [payload["csChargingProfiles"] for action, payload in box.asked if action == "SetChargingProfile"]
        assert limits[0]["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] == 16


async def test_a_station_that_takes_no_profile_of_its_version_is_paused_by_a_stop(tmp_path: Path) -> None:
    """FoxESS: profiles of 2.0.1 are held against the schema of 1.6."""
    async with house(tmp_path, HandClock()) as home, home.box("2.0.1") as box:
        box.errors["SetChargingProfile"] = "PropertyConstraintViolation"
        told, _ = await new.charge(box, home)
        await cancel(home)
        await home.pass_s(15)
        await box.was_asked("RequestStopTransaction", transactionId="tx-1")
        await told.tell("Ended", "RemoteStop", "EVConnected", info={"stoppedReason": "Remote"})
        await home.until("11T01:00:05")
        await box.was_asked("RequestStartTransaction")
        assert error(home) is None
        await new.leave(box, home)
        assert [visit["statistics"]["aggregated"]["kwhSum"] for visit in await home.settled()] == [1.0]


async def test_an_end_that_waited_in_a_queue_for_minutes_corrects_the_visit_once(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box("2.0.1") as box:
        told, register = await new.charge(box, home)
        await home.pass_s(60)
        left = home.clock.time
        await new.status(box, home, "Available")
        await home.pass_s(300)
        values = new.sample(left, register + 100, 0, "Transaction.End")
        for _ in range(2):
            await told.tell("Ended", "EVDeparted", "Idle", values, at=left, info={"stoppedReason": "EVDisconnected"})
        await home.pass_s(900)
        assert [visit["statistics"]["aggregated"]["kwhSum"] for visit in await home.settled()] == [1.1]
