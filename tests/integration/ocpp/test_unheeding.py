"""Chargers that hear nothing, refuse, or end by themselves what they were asked for: driver, core and database."""

import itertools
import resource
from pathlib import Path

from structlog.testing import capture_logs

from tests.integration.ocpp.ocpp_house import Box, HandClock, House, house
from tests.integration.ocpp.words_16 import (
    ACCEPTED,
    charge,
    end_after,
    leave,
    limits,
    meter,
    start,
    status,
    stop,
    visits_of,
)


async def gives_up(box: Box, home: House) -> None:
    """Hear nothing any more, and let time pass until the daemon closes the connection."""
    box.asked.clear()
    box.is_deaf = True
    assert "currentTime" in await box.call("Heartbeat", {})
    await home.pass_s(120)
    await home.offline()


async def test_a_charger_that_hears_nothing_is_sent_away_then_restarted_once_and_the_household_is_told(
    tmp_path: Path,
) -> None:
    with capture_logs() as logs:
        async with house(tmp_path, HandClock(), call_timeout_s=0.05) as home:
            async with home.box() as box:
                await status(box, home, "Preparing")
                await home.boost()
                await gives_up(box, home)
                commands = [action for action, _ in box.asked if action != "TriggerMessage"]
                assert len(commands) == 3
                assert "Reset" not in commands
            async with home.box() as box:
                await status(box, home, "Preparing")
                await gives_up(box, home)
                assert box.all_asked("Reset") == [{"type": "Soft"}]
            async with home.box() as box:
                await status(box, home, "Preparing")
                await gives_up(box, home)
                assert not box.all_asked("Reset")
            await home.pass_s(1200)
            assert home.doc["error"]["latest"] == {"type": "START_FAIL"}
            async with home.box() as box:
                await charge(box, home)
                await home.calm()
                assert home.doc["error"]["latest"] is None
    told = [log["message"] for log in logs if log["event"] == "ocpp.unresponsive"]
    assert len(told) == 3
    assert "restart" in told[1]


async def test_a_start_that_is_carried_out_and_never_answered_is_a_start(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock(), call_timeout_s=0.05) as home, home.box() as box:
        box.answers["RemoteStartTransaction"] = None
        await status(box, home, "Preparing")
        await home.boost()
        while not box.all_asked("RemoteStartTransaction"):
            await home.pass_s(1)
        number = (await box.call("StartTransaction", start(home.clock.time)))["transactionId"]
        await status(box, home, "Charging")
        for register in range(1100, 1700, 100):
            await home.pass_s(60)
            await meter(box, home, register, 6000, transactionId=number)
        await home.pass_s(60)
        assert len(box.all_asked("RemoteStartTransaction")) == 1
        assert home.state.facts.online
        assert home.told == set()


async def test_a_transaction_that_begins_by_itself_is_held_by_a_limit_within_seconds(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Available")
        await home.pass_s(60)
        await status(box, home, "Preparing")
        number = (await box.call("StartTransaction", start(home.clock.time, 1000, "")))["transactionId"]
        await status(box, home, "Charging")
        await meter(box, home, 1000, 11_000, transactionId=number)
        await home.pass_s(5)
        assert limits(box)[-1] == 0
        assert not box.all_asked("RemoteStopTransaction")
        await status(box, home, "SuspendedEVSE")
        await meter(box, home, 1010, 0, transactionId=number)
        await home.until("11T00:59")
        assert home.told == set()
        await home.until("11T01:01")
        assert limits(box)[-1] == 16
        assert not box.all_asked("RemoteStartTransaction")


async def test_a_second_start_without_a_stop_of_the_first_is_accepted_and_ends_that(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        first, register = await charge(box, home)
        await home.pass_s(60)
        answer = await box.call("StartTransaction", start(home.clock.time, register))
        assert answer["idTagInfo"] == {"status": "Accepted"}
        second = answer["transactionId"]
        assert second != first
        assert await box.call("StopTransaction", stop(first, home.clock.time, register)) == ACCEPTED
        await home.calm()
        assert home.state.facts.transaction is not None
        assert home.state.facts.transaction.transaction_id == str(second)
        await end_after(box, home, second, register + 100)
        assert visits_of(await home.settled()) == [1.1]


async def test_a_stop_with_a_long_and_broken_tag_is_confirmed_and_ends_its_transaction(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await charge(box, home)
        told = stop(number, home.clock.time, register, idTag="chargerd" * 4 + "ABCD\u0000")
        assert len(told["idTag"]) == 37
        assert await box.call("StopTransaction", told) == ACCEPTED
        await home.calm()
        assert home.state.facts.transaction is None
        await leave(box, home)
        assert visits_of(await home.settled()) == [1.0]


async def test_transactions_that_end_by_themselves_after_seconds_are_not_begun_for_ever(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Preparing")
        await meter(box, home, 1000, 0)
        await home.boost()
        begun: list[float] = []
        for _ in range(240):
            await home.pass_s(15)
            if len(box.all_asked("RemoteStartTransaction")) == len(begun):
                continue
            begun.append(home.clock.time.timestamp())
            assert limits(box)[-1] == 16
            number = (await box.call("StartTransaction", start(home.clock.time)))["transactionId"]
            await status(box, home, "Charging")
            await home.pass_s(5)
            await box.call("StopTransaction", stop(number, home.clock.time, 1000, reason="Other"))
            await status(box, home, "Preparing")
        assert 2 <= len(begun) <= 4
        waits = [later - sooner for sooner, later in itertools.pairwise(begun)]
        assert waits == sorted(waits)
        assert home.error == "START_FAIL"
        await leave(box, home)
        assert visits_of(await home.settled()) == [0]


async def test_a_stop_that_is_rejected_by_a_charger_that_is_stopped_rather_than_paused_gives_way_to_a_limit(
    tmp_path: Path,
) -> None:
    quirks = tmp_path / "quirks.toml"
    quirks.write_text('version = 1\n[[quirk]]\nvendor = "Acme"\nsource = "test"\nzero_is_stop = true\n')
    async with house(tmp_path, HandClock(), quirks_file=quirks) as home, home.box() as box:
        number, register = await charge(box, home)
        box.answers["RemoteStopTransaction"] = {"status": "Rejected"}
        told = len(limits(box))
        await home.unboost()
        assert box.all_asked("RemoteStopTransaction") == [{"transactionId": number}]
        while limits(box)[-1] != 0:
            assert len(limits(box)) == told
            await home.pass_s(15)
            register += 25
            await meter(box, home, register, 6000, transactionId=number)
        await box.call("StopTransaction", stop(number, home.clock.time, register, reason="Other"))
        await status(box, home, "Finishing")
        await meter(box, home, register, 0)
        await home.pass_s(1800)
        assert home.told == set()
        assert not home.state.facts.charging


async def test_a_stop_that_is_rejected_where_a_limit_pauses_is_never_needed(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number, register = await charge(box, home)
        box.answers["RemoteStopTransaction"] = {"status": "Rejected"}
        await home.unboost()
        assert limits(box)[-1] == 0
        await status(box, home, "SuspendedEVSE")
        for _ in range(5):
            await home.pass_s(60)
            await meter(box, home, register, 0, transactionId=number)
        assert not box.all_asked("RemoteStopTransaction")
        assert home.told == set()


async def test_a_stop_is_confirmed_while_the_disk_is_full_and_kept_once_there_is_room(tmp_path: Path) -> None:
    clock = HandClock()
    with capture_logs():  # nothing else may write to a file meanwhile
        async with house(tmp_path, clock) as home, home.box() as box:
            number, register = await charge(box, home)
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
            try:
                told = stop(number, clock.time, register + 10)
                assert await box.call("StopTransaction", told) == ACCEPTED
                await home.calm()
                assert home.loop.store_problem
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            await leave(box, home)
            assert not home.loop.store_problem
    async with house(tmp_path, clock) as home:
        assert visits_of(await home.settled()) == [1.01]
