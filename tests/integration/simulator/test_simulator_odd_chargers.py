"""Chargers as they are, on the wire: what a central system sees of each personality."""

import argparse

import pytest
from simulator_bench import TX_ID, Payload, running

from chargerd.clock import parse_clock
from chargerd_drivers.simulator import charge_point
from chargerd_drivers.simulator.schemas import parse_time

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


def _seconds(status: Payload) -> float:
    return parse_time(status["timestamp"]).timestamp()
