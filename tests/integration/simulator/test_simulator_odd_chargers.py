"""Chargers as they are, on the wire: what a central system sees of each personality."""

import argparse
from datetime import timedelta

import pytest
from simulator_bench import TX_ID, Payload, running

from chargerd.clock import parse_clock
from chargerd_drivers.simulator import charge_point
from chargerd_drivers.simulator.schemas import parse_time, spell_time

both = pytest.mark.parametrize("version", ["1.6", "2.0.1"])


def odd(*names: str) -> list[str]:
    return [word for name in names for word in ("--personality", name)]


async def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    charge_point.add_arguments(parser)
    return await charge_point.run(parser.parse_args(argv), parse_clock(None))


@pytest.mark.parametrize("asked", [["--list-personalities"], ["--personality", "help"]])
async def test_the_personalities_are_listed(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(*asked) == 0
    assert "\nsleeping-car " in capsys.readouterr().out


async def test_personalities_that_contradict_each_other_are_wrong_usage(caplog: pytest.LogCaptureFixture) -> None:
    assert await run(*odd("watts-only", "amps-only")) == 2
    assert "limits.units cannot be both W and A" in caplog.text


async def test_no_preparing_says_available_until_the_transaction() -> None:
    async with running("1.6", *odd("no-preparing")) as bench:
        await bench.ready()
        bench.do("plug")
        await bench.events.expect("plugged")
        assert (await bench.start())["status"] == "Accepted"
        await bench.begun()
        await bench.state("Charging")
        told = [status["status"] for status in bench.central.log.all("StatusNotification")]
        assert told == ["Available", "Available", "Charging"]


async def test_1_6_token_only_starts_with_its_own_token_alone() -> None:
    async with running("1.6", *odd("token-only")) as bench:
        await bench.ready()
        await bench.plug()
        assert (await bench.start())["status"] == "Rejected"
        answer = await bench.central.ask("GetConfiguration", {"key": ["PlugAndChargeIdentifier"]})
        [entry] = answer["configurationKey"]
        start = {"connectorId": 1, "idTag": entry["value"]}
        assert (await bench.central.ask("RemoteStartTransaction", start))["status"] == "Accepted"
        assert (await bench.begun())["idTag"] == entry["value"]


@both
async def test_refuses_stop_rejects_the_stop_and_heeds_a_limit(version: str) -> None:
    async with running(version, *odd("refuses-stop")) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        assert (await bench.stop())["status"] == "Rejected"
        assert (await bench.limit(0))["status"] == "Accepted"
        await bench.state("SuspendedEVSE")


async def test_needs_transaction_id_rejects_a_profile_without_one() -> None:
    async with running("1.6", *odd("needs-transaction-id")) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        assert (await bench.limit(8, purpose="TxProfile"))["status"] == "Rejected"
        assert (await bench.limit(8, purpose="TxProfile", transactionId=TX_ID))["status"] == "Accepted"


@both
async def test_available_while_plugged_says_so_for_20_s_after_the_stop(version: str) -> None:
    async with running(version, *odd("available-while-plugged"), speed=500) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        await bench.stop()
        await bench.ended()
        key, ready = ("connectorStatus", "Occupied") if bench.new else ("status", "Preparing")
        freed = await bench.central.log.expect("StatusNotification", lambda told: told[key] == "Available")
        again = await bench.central.log.expect("StatusNotification")
        assert again[key] == ready
        assert _seconds(again) - _seconds(freed) == 20
        bench.do("report")
        assert (await bench.events.expect("report"))["plugged"] is True


@both
async def test_zero_is_stop_ends_the_transaction_and_tells_why(version: str) -> None:
    async with running(version, *odd("zero-is-stop")) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        assert (await bench.limit(0))["status"] == "Accepted"
        over = await bench.ended()
        assert over.get("reason") == "Other" if not bench.new else over["triggerReason"] == "ChargingStateChanged"


async def test_free_when_offline_charges_on_while_the_connection_is_down() -> None:
    async with running("1.6", *odd("free-when-offline")) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.limit(0)
        await bench.state("SuspendedEVSE")
        bench.do("drop", away=600)
        await bench.events.expect("charging")
        await bench.state("Charging")


@both
async def test_slow_answers_come_45_to_55_s_late_and_one_at_a_time(version: str) -> None:
    async with running(version, *odd("slow-answers"), speed=2000) as bench:
        await bench.ready()
        await bench.plug()
        asked = bench.clock.now()
        first, second = bench.soon(bench.start()), bench.soon(bench.limit(0))
        assert (await first)["status"] == "Accepted"
        assert (bench.clock.now() - asked).total_seconds() >= 45
        assert (await second)["status"] == "Accepted"
        assert (bench.clock.now() - asked).total_seconds() >= 100
        await bench.begun()


@both
async def test_never_answers_start_starts_all_the_same(version: str) -> None:
    async with running(version, *odd("never-answers-start")) as bench:
        await bench.ready()
        await bench.plug()
        unanswered = bench.soon(bench.start())
        await bench.begun()
        await bench.state("Charging")
        await bench.limit(0)
        assert not unanswered.done()
        unanswered.cancel()


@both
async def test_boots_on_early_call_restarts_unless_it_is_left_alone_for_2_s(version: str) -> None:
    async with running(version, *odd("boots-on-early-call"), speed=20) as bench:
        await bench.ready()
        early = bench.soon(bench.limit(8))
        await bench.central.log.expect("BootNotification")
        assert not early.done()
        early.cancel()
        await bench.ready()
        await bench.clock.sleep(3)
        assert (await bench.limit(8))["status"] == "Accepted"


@both
async def test_a_zombie_sends_and_hears_nothing_until_it_dials_anew(version: str) -> None:
    async with running(version, *odd("zombie"), speed=20_000) as bench:
        await bench.ready()
        await bench.clock.sleep(8000)
        unheard = bench.soon(bench.limit(8))
        await bench.central.log.expect("Heartbeat")
        assert not unheard.done()
        unheard.cancel()
        bench.central.hang_up()
        await bench.events.expect("offline")
        await bench.events.expect("online")
        assert (await bench.limit(8))["status"] == "Accepted"


@both
async def test_a_skewed_clock_dates_all_10_minutes_back_and_takes_a_plan_10_minutes_late(version: str) -> None:
    async with running(version, *odd("skewed-clock"), speed=1000) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        begun = await bench.begun()
        real = bench.events.all("transaction-started")[0]["at"]
        assert parse_time(begun["timestamp"]) == parse_time(real).replace(microsecond=0) - timedelta(minutes=10)
        now = bench.clock.now().replace(microsecond=0)
        await bench.plan((0, 8.0), begins=spell_time(now))
        obeyed = await bench.events.expect("limit", lambda event: event["limitA"] == 8)
        assert parse_time(obeyed["at"]) == now + timedelta(minutes=10)


async def test_authorize_first_answers_a_start_when_the_token_was_asked_about() -> None:
    async with running("1.6", *odd("authorize-first")) as bench:
        await bench.ready()
        await bench.plug()
        bench.central.held.add("Authorize")
        start = bench.soon(bench.start())
        assert (await bench.central.log.expect("Authorize"))["idTag"] == "home"
        await bench.limit(16)
        assert not start.done()
        await bench.central.release()
        assert (await start)["status"] == "Accepted"
        await bench.begun()


async def test_offline_replayer_tells_later_of_a_transaction_without_a_number() -> None:
    async with running("1.6", *odd("offline-replayer")) as bench:
        await bench.ready()
        bench.do("drop", away=3600)
        await bench.events.expect("offline")
        bench.do("plug")
        await bench.clock.sleep(1800)
        bench.do("unplug")
        boots = len(bench.central.log.all("BootNotification"))
        begun, over = await bench.begun(), await bench.ended()
        online = await bench.events.expect("online")
        assert over["transactionId"] == -1
        assert (begun["idTag"], over["meterStop"] - begun["meterStart"]) == ("", pytest.approx(5490, abs=100))
        assert parse_time(online["at"]) - parse_time(begun["timestamp"]) > timedelta(minutes=50)
        assert {sample["transactionId"] for sample in bench.central.log.all("MeterValues")} == {-1}
        assert len(bench.central.log.all("BootNotification")) == boots


def _seconds(status: Payload) -> float:
    return parse_time(status["timestamp"]).timestamp()
