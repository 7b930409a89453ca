"""What OCPP 1.6 chargers say of plug and charging, out of order, too often, or not at all: driver, core, database."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ocpp.ocpp_house import HandClock, house, stamp
from tests.integration.ocpp.words_16 import (
    ACCEPTED,
    charge,
    charge_again,
    leave,
    limits,
    meter,
    sample,
    start,
    status,
    stop,
    visits_of,
)


async def test_a_full_car_that_tops_up_now_and_then_is_one_visit_without_an_error(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await charge(box, home)
        starts = len(box.all_asked("RemoteStartTransaction"))
        for _ in range(6):
            await status(box, home, "SuspendedEV")
            await meter(box, home, register, 0, transactionId=number)
            await home.pass_s(600)
            await meter(box, home, register, 0, transactionId=number)
            await status(box, home, "Charging")
            await meter(box, home, register, 1400, transactionId=number)
            await home.pass_s(30)
            register += 12
            await meter(box, home, register, 1400, transactionId=number)
        assert home.doc["state"].startswith("ACTIVE")
        assert len(box.all_asked("RemoteStartTransaction")) == starts
        await box.call("StopTransaction", stop(number, home.clock.time, register, reason="EVDisconnected"))
        await leave(box, home)
        assert visits_of(await home.settled()) == [1.072]
        assert home.told == set()


async def test_a_charger_that_never_says_preparing_has_its_car_since_the_start_of_its_transaction(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Available")
        await meter(box, home, 1000, 0)
        await home.pass_s(300)
        began = home.clock.time
        number = (await box.call("StartTransaction", start(began)))["transactionId"]
        await home.pass_s(20)
        await status(box, home, "Charging")
        await home.pass_s(40)
        await meter(box, home, 1100, 6000, transactionId=number)
        await home.calm()
        assert home.doc["pluggedInAt"] == stamp(began)
        assert home.kwh == 0.1


async def test_a_plug_that_was_never_there_ends_in_a_bounded_ladder_and_an_empty_visit(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        box.answers["RemoteStartTransaction"] = {"status": "Rejected"}
        await status(box, home, "Preparing")
        await home.boost()
        await home.pass_s(3600)
        assert home.error == "START_FAIL"
        assert 1 < len(box.all_asked("RemoteStartTransaction")) <= 12
        await leave(box, home)
        assert visits_of(await home.settled()) == [0]
        assert home.doc["state"] == "UPCOMING"
        assert home.error is None


async def test_a_pause_is_a_limit_and_leaves_the_transaction_to_a_charger_that_would_begin_no_other(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await charge(box, home)
        box.answers["RemoteStartTransaction"] = {"status": "Rejected"}
        for _ in range(2):
            await home.unboost()
            assert limits(box)[-1] == 0
            await status(box, home, "SuspendedEVSE")
            await meter(box, home, register, 0, transactionId=number)
            await home.pass_s(900)
            await home.boost()
            assert limits(box)[-1] == 16
            await status(box, home, "Charging")
            for _ in range(2):
                await home.pass_s(60)
                register += 100
                await meter(box, home, register, 6000, transactionId=number)
            await home.pass_s(60)
        assert not box.all_asked("RemoteStopTransaction")
        assert home.told == set()
        await box.call("StopTransaction", stop(number, home.clock.time, register))
        await leave(box, home)
        assert visits_of(await home.settled()) == [1.4]


async def test_available_for_a_moment_between_two_transactions_of_one_car_is_one_visit(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await charge(box, home)
        await box.call("StopTransaction", stop(number, home.clock.time, register, reason="Other"))
        await status(box, home, "Available")
        await home.pass_s(20)
        await status(box, home, "Preparing")
        await home.pass_s(60)
        assert box.all_asked("RemoteStartTransaction")
        await charge_again(box, home, register)
        assert visits_of(await home.settled()) == [1.1]


async def test_energy_without_any_transaction_counts(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Available")
        await meter(box, home, 1000, 0)
        await status(box, home, "Preparing")
        await home.boost()
        await status(box, home, "Charging")
        for register in range(1000, 2000, 100):
            await home.pass_s(60)
            await meter(box, home, register + 100, 6000)
        await home.calm()
        assert home.state.facts.transaction is None
        assert home.error is None
        await leave(box, home)
        assert visits_of(await home.settled()) == [1.0]


@pytest.mark.parametrize("word", ["Available", "Faulted", "Unavailable"])
async def test_connector_0_says_nothing_of_plug_and_fault(tmp_path: Path, word: str) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await charge(box, home)
        told = {"connectorId": 0, "errorCode": "OtherError", "status": word, "info": "Modbus TCP/IP lost"}
        assert await box.call("StatusNotification", told | {"timestamp": stamp("05T08:00")}) == {}
        await home.pass_s(90)
        assert home.doc["state"].startswith("ACTIVE")
        assert home.state.facts.fault == ""
        assert await home.settled() == []


async def test_other_connectors_are_answered_and_drive_no_session(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Preparing")
        await home.calm()
        plugged_in_at = home.doc["pluggedInAt"]
        for connector in (0, 2, 3, 4, 5, 6):
            told = {"connectorId": connector, "errorCode": "NoError", "status": "Available"}
            assert await box.call("StatusNotification", told) == {}
        await home.pass_s(900)
        assert home.doc["pluggedInAt"] == plugged_in_at
        assert await home.settled() == []


async def test_a_plug_that_was_pulled_in_the_dark_was_pulled_when_the_stop_that_comes_later_says(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, HandClock()) as home:
        async with home.box() as box:
            number, register = await charge(box, home)
        await home.offline()
        await home.pass_s(1800)
        left_at = home.clock.time - timedelta(minutes=20)
        async with home.box(boots=False) as box:
            assert box.all_asked("TriggerMessage")[0] == {"requestedMessage": "StatusNotification", "connectorId": 1}
            told = stop(number, left_at, register + 500, reason="EVDisconnected")
            assert await box.call("StopTransaction", told) == ACCEPTED
            await home.pass_s(900)
            [visit] = await home.settled()
    assert visit["pluggedOutAt"] == stamp(left_at)
    assert visits_of([visit]) == [1.5]


ODD_STATUSES: dict[str, dict[str, Any]] = {
    "the word of 1.5": {"status": "Occupied"},
    "a word of its own": {"status": "INIT"},
    "no word": {"status": None},
    "an error of its own": {"status": "Charging", "errorCode": "Error"},
    "too much info": {"status": "Charging", "info": "x" * 200},
    "null info": {"status": "Charging", "info": None},
    "a number for a vendor's error": {"status": "Charging", "vendorErrorCode": 12},
    "a connector as text": {"status": "Charging", "connectorId": "1"},
    "nothing but a word": {"status": "Charging", "errorCode": None, "timestamp": None},
}


@pytest.mark.parametrize("odd", ODD_STATUSES.values(), ids=ODD_STATUSES)
async def test_an_odd_status_is_answered_and_moves_no_plug(tmp_path: Path, odd: dict[str, Any]) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await charge(box, home)
        usual = {"connectorId": 1, "errorCode": "NoError", "timestamp": stamp(home.clock.time)}
        assert await box.call("StatusNotification", usual | odd) == {}
        await home.pass_s(60)
        await meter(box, home, register + 100, 6000, transactionId=number)
        await home.calm()
        assert home.state.facts.plugged is True
        assert home.state.facts.charging
        assert home.kwh == 1.1


async def test_availability_is_never_changed(tmp_path: Path) -> None:
    """There are chargers that hang for a minute at a ChangeAvailability, or stay out of service for ever."""
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await charge(box, home)
        box.answers["SetChargingProfile"] = {"status": "Rejected"}
        await home.unboost()
        await home.pass_s(60)
        assert box.all_asked("RemoteStopTransaction")
        await box.call("StopTransaction", stop(number, home.clock.time, register, reason="Remote"))
        await status(box, home, "Finishing")
        await home.boost()
        await home.pass_s(1800)
        await status(box, home, "Unavailable")
        await home.pass_s(1800)
        await leave(box, home)
        assert not box.all_asked("ChangeAvailability")


async def test_a_car_that_sleeps_while_the_charger_says_charging_is_woken_and_then_told_of(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Preparing")
        await meter(box, home, 1000, 0)
        await home.boost()
        number = (await box.call("StartTransaction", start(home.clock.time)))["transactionId"]
        await status(box, home, "Charging")
        for _ in range(10):
            await home.pass_s(60)
            await meter(box, home, 1000, 5, transactionId=number)
        assert box.all_asked("RemoteStopTransaction") == [{"transactionId": number}]
        assert home.error == "START_FAIL"
        await box.call("StopTransaction", stop(number, home.clock.time, 1000, reason="Remote"))
        await status(box, home, "Preparing")
        starts = len(box.all_asked("RemoteStartTransaction"))
        await home.pass_s(30)
        assert len(box.all_asked("RemoteStartTransaction")) == starts + 1
        number = (await box.call("StartTransaction", start(home.clock.time)))["transactionId"]
        await status(box, home, "Charging")
        for register in (1100, 1200):
            await home.pass_s(60)
            await meter(box, home, register, 6000, transactionId=number)
        await home.calm()
        assert home.error is None


async def test_a_restart_of_the_charger_in_mid_charge_is_one_visit_and_it_charges_on_within_two_minutes(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, HandClock()) as home:
        async with home.box() as box:
            number, register = await charge(box, home)
            box.socket.transport.abort()
        await home.offline()
        await home.pass_s(40)
        async with home.box() as box:
            await status(box, home, "Preparing")
            back_at = home.clock.time
            while not box.all_asked("RemoteStartTransaction"):
                await home.pass_s(10)
            assert home.clock.time - back_at <= timedelta(minutes=2)
            assert limits(box)[-1] == 16
            assert await charge_again(box, home, register) != number
            assert visits_of(await home.settled()) == [1.1]


async def test_the_same_status_two_hundred_times_is_one_plug_in_and_writes_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Available")
        await meter(box, home, 1000, 0)
        await home.pass_s(60)
        await status(box, home, "Preparing")
        await home.pass_s(120)
        plugged_in_at, before, notes = home.doc["pluggedInAt"], _disk(tmp_path), len(home.notes)
        for _ in range(200):
            home.clock.move(home.clock.time + timedelta(seconds=3))
            await status(box, home, "Preparing")
        await home.calm()
        assert home.doc["pluggedInAt"] == plugged_in_at
        assert len(home.notes) == notes
        assert _disk(tmp_path) == before


async def test_a_charger_that_is_out_of_service_for_ever_lacks_something_and_is_not_started_for_ever(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        box.answers["RemoteStartTransaction"] = {"status": "Rejected"}
        await status(box, home, "Unavailable")
        await home.boost()
        for _ in range(8):
            await home.pass_s(900)
            await status(box, home, "Unavailable")
        assert home.doc["error"]["latest"] == {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["chargeState"]}
        assert len(box.all_asked("RemoteStartTransaction")) <= 3


async def test_a_clock_that_is_eleven_minutes_ahead_is_learned_and_moves_no_energy(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        ahead, register = timedelta(minutes=11), 1000
        await status(box, home, "Available", home.clock.time + ahead)
        for _ in range(12):  # so long its heart beats and its meter tells the time
            await home.pass_s(60)
            told = sample(home.clock.time + ahead, register, 0)
            await box.call("MeterValues", {"connectorId": 1, "meterValue": [told]})
        plugged_in_at = home.clock.time
        await status(box, home, "Preparing", home.clock.time + ahead)
        await home.boost()
        number = (await box.call("StartTransaction", start(home.clock.time + ahead)))["transactionId"]
        await status(box, home, "Charging", home.clock.time + ahead)
        for _ in range(30):
            await home.pass_s(60)
            register += 100
            told = sample(home.clock.time + ahead, register, 6000)
            await box.call("MeterValues", {"connectorId": 1, "meterValue": [told], "transactionId": number})
        left_at = home.clock.time
        await box.call("StopTransaction", stop(number, left_at + ahead, register))
        await status(box, home, "Available", left_at + ahead)
        await home.pass_s(900)
        [visit] = await home.settled()
    assert (visit["pluggedInAt"], visit["pluggedOutAt"]) == (stamp(plugged_in_at), stamp(left_at))
    assert visits_of([visit]) == [3.0]
    assert [slot["kwh"] for slot in visit["statistics"]["timeseries"]][1:-1] == [6.0]


async def test_a_card_is_the_same_however_it_is_spelled(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Preparing")
        shown = set()
        for spelling in ("04a2b3c4", "04A2B3C4", "04:A2:B3:C4"):
            assert await box.call("Authorize", {"idTag": spelling}) == ACCEPTED
            await home.calm()
            shown.add(home.state.facts.token)
        number = (await box.call("StartTransaction", start(home.clock.time, tag="04A2-b3c4")))["transactionId"]
        await home.calm()
        assert shown == {home.state.facts.token}
        assert number > 0


def _disk(folder: Path) -> dict[str, tuple[int, int]]:
    """When each file was last written, and its size."""
    found = {path.name: path.stat() for path in folder.iterdir()}
    return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in found.items()}
