"""OCPP 1.6 transactions through driver, core and database: told twice, lost, late, or with ids that nobody gave."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ocpp.ocpp_house import HandClock, house
from tests.integration.ocpp.words_16 import ACCEPTED, charge, leave, meter, sample, start, status, stop


async def test_a_start_told_again_gets_the_same_id_after_a_reconnect_and_after_a_restart(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home:
        async with home.box() as box:
            await status(box, home, "Preparing")
            told = start(clock.time)
            first = (await box.call("StartTransaction", told))["transactionId"]
            await home.pass_s(20)
        await home.offline()
        async with home.box(boots=False) as box:
            assert (await box.call("StartTransaction", told))["transactionId"] == first
    async with house(tmp_path, clock) as home, home.box() as box:
        assert (await box.call("StartTransaction", told))["transactionId"] == first
        await home.calm()
        assert home.state.facts.transaction is not None
        assert home.state.facts.transaction.transaction_id == str(first)


async def test_every_start_of_its_own_gets_an_id_of_its_own_though_the_process_died_after_its_answer(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    numbers = []
    for run in range(4):
        async with house(tmp_path, clock) as home, home.box() as box:
            await status(box, home, "Preparing")
            for more in range(3):
                told = start(clock.time, 1000 + 10 * run + more)
                numbers.append((await box.call("StartTransaction", told))["transactionId"])
    assert numbers == sorted(set(numbers))
    assert 0 < numbers[0] < numbers[-1] < 2**31


async def test_a_stop_told_three_times_with_its_samples_counts_once(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home:
        async with home.box() as box:
            number, register = await charge(box, home)
            began = clock.time - timedelta(minutes=10)
            data = [sample(began + timedelta(minutes=5), 1500), sample(clock.time, register)]
            told = stop(number, clock.time, register + 10, transactionData=data, reason="Local")
            for message_id in ("same", "same", "other"):
                assert await box.call("StopTransaction", told, message_id) == ACCEPTED
            await status(box, home, "Finishing")
            await home.calm()
            assert home.state.facts.transaction is None
            assert home.kwh == 1.01
        await home.offline()
        async with home.box() as box:
            assert await box.call("StopTransaction", told) == ACCEPTED
            await leave(box, home)
            [visit] = await home.settled()
            assert visit["statistics"]["aggregated"]["kwhSum"] == 1.01


async def test_a_start_that_is_told_again_after_its_stop_was_told_twice_opens_nothing(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        await status(box, home, "Preparing")
        began = clock.time
        number = (await box.call("StartTransaction", start(began)))["transactionId"]
        await home.pass_s(60)
        for _ in range(2):
            await box.call("StopTransaction", stop(number, clock.time, 1000))
        assert (await box.call("StartTransaction", start(began)))["transactionId"] == number
        await home.calm()
        assert home.state.facts.transaction is None


async def test_a_stop_of_a_transaction_that_nobody_knows_is_confirmed_once_and_ends_no_other(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        assert await box.call("StopTransaction", stop(4711, "10T12:00", 900)) == ACCEPTED
        number, register = await charge(box, home)
        assert await box.call("StopTransaction", stop(4711, "10T12:00", 900)) == ACCEPTED
        await home.calm()
        assert home.state.facts.transaction is not None
        assert home.state.facts.transaction.transaction_id == str(number)
        assert home.kwh == 1.0
        await box.call("StopTransaction", stop(number, clock.time, register))
        await leave(box, home)
        assert [one["statistics"]["aggregated"]["kwhSum"] for one in await home.settled()] == [1.0]


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), "4711", "x", None, "", 1.5, True, [1]])
async def test_a_stop_with_an_id_of_any_kind_is_confirmed(tmp_path: Path, number: Any) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        await status(box, home, "Preparing")
        assert await box.call("StopTransaction", stop(number, clock.time, 1000)) == ACCEPTED
        await status(box, home, "Available")
        await home.calm()
        assert home.state.facts.transaction is None


@pytest.mark.parametrize("number", [0, -1, None, ""])
async def test_samples_that_name_no_transaction_count_once_and_open_none(tmp_path: Path, number: Any) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        known, register = await charge(box, home)
        await home.pass_s(60)
        await meter(box, home, register + 100, 6000, transactionId=number)
        await home.calm()
        assert home.kwh == 1.1
        assert home.state.facts.transaction is not None
        assert home.state.facts.transaction.transaction_id == str(known)


@pytest.mark.parametrize("number", [-1, 0, None])
async def test_a_stop_that_does_not_say_which_ends_the_one_that_runs(tmp_path: Path, number: Any) -> None:
    """Its confirmed id got lost on the way: Alfen then says -1."""
    clock = HandClock()
    async with house(tmp_path, clock) as home:
        async with home.box() as box:
            await status(box, home, "Preparing")
            told = start(clock.time)
            await box.send("StartTransaction", told)
        await home.offline()
        async with home.box(boots=False) as box:
            await box.call("StartTransaction", told)
            await home.boost()
            await status(box, home, "Charging")
            for register in (1100, 1200):
                await home.pass_s(60)
                await meter(box, home, register, 6000, transactionId=-1)
            assert await box.call("StopTransaction", stop(number, clock.time, 1210)) == ACCEPTED
            await home.calm()
            assert home.state.facts.transaction is None
            assert home.state.facts.last_transaction is not None
            assert home.kwh == 0.21


async def test_an_old_stop_that_does_not_say_which_does_not_end_the_one_that_runs(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        number, _ = await charge(box, home)
        assert await box.call("StopTransaction", stop(-1, clock.time - timedelta(hours=2), 900)) == ACCEPTED
        await home.calm()
        assert home.state.facts.transaction is not None
        assert home.state.facts.transaction.transaction_id == str(number)


async def test_a_stop_whose_start_was_told_to_nobody_counts_by_the_register(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home:
        async with home.box() as box:
            await status(box, home, "Available")
            await meter(box, home, 1000, 0)
            await home.pass_s(60)
            await status(box, home, "Preparing")
            await home.pass_s(60)
        await home.offline()
        await home.pass_s(1800)
        async with home.box() as box:
            told = stop(99, clock.time - timedelta(minutes=5), 5000, reason="PowerLoss")
            assert await box.call("StopTransaction", told) == ACCEPTED
            await status(box, home, "Preparing")
            await home.pass_s(90)
            assert home.kwh == 4.0
            await leave(box, home)
            [visit] = await home.settled()
            assert visit["statistics"]["aggregated"]["kwhSum"] == 4.0


@pytest.mark.parametrize("first", [True, False], ids=["never connected before", "known before"])
async def test_a_visit_that_is_told_hours_late_is_settled_in_the_past(tmp_path: Path, *, first: bool) -> None:
    clock = HandClock("10T12:00")
    async with house(tmp_path, clock) as home:
        if not first:
            async with home.box() as box:
                await status(box, home, "Available")
                await meter(box, home, 1000, 0)
                await home.pass_s(60)
            await home.offline()
        await home.until("10T20:00")
        async with home.box() as box:
            number = (await box.call("StartTransaction", start("10T14:00", 1000)))["transactionId"]
            assert await box.call("StopTransaction", stop(number, "10T16:00", 9000)) == ACCEPTED
            await status(box, home, "Available")
            await home.pass_s(120)
            assert home.doc["state"] == "UPCOMING"
            assert home.doc["error"]["latest"] is None
            await home.pass_s(1200)
            visits = await home.settled()
            assert home.doc["state"] == "UPCOMING"
    [visit] = visits
    assert visit["statistics"]["aggregated"]["kwhSum"] == 8.0
    assert (visit["pluggedInAt"], visit["pluggedOutAt"]) == ("2025-06-10T14:00:00Z", "2025-06-10T16:00:00Z")


async def test_a_stop_whose_register_is_nonsense_takes_nothing_back(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        number, _ = await charge(box, home, register=10_000)
        await box.call("StopTransaction", stop(number, clock.time, 0))
        await leave(box, home)
        assert [one["statistics"]["aggregated"]["kwhSum"] for one in await home.settled()] == [1.0]


async def test_a_start_whose_register_is_nonsense_brings_no_energy_of_a_life_time(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        await status(box, home, "Preparing")
        await home.boost()
        number = (await box.call("StartTransaction", start(clock.time, 0)))["transactionId"]
        await status(box, home, "Charging")
        await home.pass_s(60)
        await meter(box, home, 1_234_567, 0, transactionId=number)
        await home.pass_s(60)
        await meter(box, home, 1_234_567, 0, transactionId=number)
        await home.pass_s(600)
        assert home.kwh < 0.1


async def test_a_transaction_that_goes_on_from_one_car_to_the_next_is_two_visits(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        number, register = await charge(box, home)
        await status(box, home, "Available")
        await home.pass_s(900)
        await status(box, home, "SuspendedEV")
        await home.pass_s(60)
        await meter(box, home, register, 0, transactionId=number)
        await home.pass_s(60)
        assert home.doc["state"].startswith("ACTIVE")
        assert home.doc["pluggedInAt"] > (await home.settled())[0]["pluggedOutAt"]
        await box.call("StopTransaction", stop(number, clock.time, register))
        await leave(box, home)
        assert [one["statistics"]["aggregated"]["kwhSum"] for one in await home.settled()] == [1.0, 0]


async def test_a_stop_dated_before_its_start_turns_no_visit_around(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box() as box:
        number, register = await charge(box, home)
        await box.call("StopTransaction", stop(number, clock.time - timedelta(hours=2), register))
        await status(box, home, "Available", clock.time - timedelta(hours=2))
        await home.pass_s(1200)
        [visit] = await home.settled()
        assert visit["pluggedInAt"] < visit["pluggedOutAt"]
        assert visit["statistics"]["aggregated"]["kwhSum"] == 1.0


async def test_a_stop_whose_socket_is_gone_at_once_and_that_comes_again_after_the_boot_is_one_end(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home:
        async with home.box() as box:
            number, register = await charge(box, home)
            told = stop(number, clock.time, register, reason="HardReset", idTag="HardReset")
            await box.send("StopTransaction", told)
            box.socket.transport.abort()
        await home.offline()
        await home.pass_s(60)
        async with home.box() as box:
            assert await box.call("StopTransaction", told) == ACCEPTED
            await status(box, home, "Preparing")
            await home.calm()
            ended = [note for note in home.notes if note.name == "transaction.ended"]
            assert len(ended) == 1
            assert home.state.facts.token != "hardreset"
            await leave(box, home)
            assert [one["statistics"]["aggregated"]["kwhSum"] for one in await home.settled()] == [1.0]
