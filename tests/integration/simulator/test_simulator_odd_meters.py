"""Meters as they are, on the wire."""

import pytest
from simulator_bench import Bench, Payload, running

from chargerd_drivers.simulator.schemas import parse_time

both = pytest.mark.parametrize("version", ["1.6", "2.0.1"])


def odd(name: str) -> tuple[str, str]:
    return "--personality", name


async def charging(bench: Bench) -> Payload:
    await bench.ready()
    began = await plug_and_start(bench)
    await bench.state("Charging")
    return began


async def plug_and_start(bench: Bench) -> Payload:
    await bench.plug()
    await bench.start()
    return await bench.begun()


@both
async def test_trigger_only_meter_sends_a_sample_only_when_it_is_asked_for_one(version: str) -> None:
    async with running(version, *odd("trigger-only-meter")) as bench:
        await charging(bench)
        await bench.clock.sleep(1000)
        told = bench.central.log.all("MeterValues") + bench.central.log.all("TransactionEvent")
        assert [payload for payload in told if payload.get("triggerReason", "MeterValue").startswith("Meter")] == []
        where: Payload = {"evse": {"id": 1}} if bench.new else {"connectorId": 1}
        await bench.central.ask("TriggerMessage", {"requestedMessage": "MeterValues", **where})
        sample = (await bench.central.log.expect("MeterValues"))["meterValue"][0]
        assert sample["sampledValue"][0]["context"] == "Trigger"


async def test_coarse_meter_samples_each_7_minutes_and_cannot_be_changed() -> None:
    async with running("1.6", *odd("coarse-meter")) as bench:
        await bench.ready()
        for key, value in (("MeterValueSampleInterval", "60"), ("ClockAlignedDataInterval", "900")):
            changed = await bench.central.ask("ChangeConfiguration", {"key": key, "value": value})
            assert changed["status"] == "Rejected"
        await plug_and_start(bench)
        first, second = await bench.sample(), await bench.sample()
        assert (parse_time(second["timestamp"]) - parse_time(first["timestamp"])).total_seconds() == 420


async def test_zero_meter_ends_say_0_while_the_samples_are_right() -> None:
    async with running("1.6", *odd("zero-meter-ends")) as bench:
        began = await charging(bench)
        sample = await bench.sample()
        await bench.stop()
        over = await bench.ended()
        assert (began["meterStart"], over["meterStop"]) == (0, 0)
        assert int(sample["sampledValue"][0]["value"]) > 1_234_000


async def test_session_register_begins_each_visit_at_0() -> None:
    async with running("1.6", *odd("session-register")) as bench:
        began = await charging(bench)
        await bench.sample()
        bench.do("unplug")
        over = await bench.ended()
        visit = await bench.events.expect("unplugged")
        assert (began["meterStart"], over["meterStop"]) == (0, visit["sessionWh"])


async def test_bare_values_and_commas_are_spelled_as_some_do() -> None:
    async with running("1.6", *odd("bare-values"), *odd("decimal-comma")) as bench:
        await bench.ready()
        names = "Energy.Active.Import.Register,Current.Import"
        await bench.central.ask("ChangeConfiguration", {"key": "MeterValuesSampledData", "value": names})
        await bench.limit(7.5)
        await plug_and_start(bench)
        energy, current, *_ = (await bench.sample())["sampledValue"]
        assert list(energy) == ["value"]
        assert (current["value"], current["phase"]) == ("7,5", "L1")


async def test_anonymous_samples_name_the_transaction_0() -> None:
    async with running("1.6", *odd("anonymous-samples")) as bench:
        await charging(bench)
        await bench.sample()
        assert {sample["transactionId"] for sample in bench.central.log.all("MeterValues")} == {0}


async def test_meter_in_ended_sends_all_samples_at_once_in_their_order() -> None:
    async with running("2.0.1", *odd("meter-in-ended")) as bench:
        await charging(bench)
        await bench.clock.sleep(400)
        await bench.stop()
        over = await bench.ended()
        others = [event for event in bench.central.log.all("TransactionEvent") if event is not over]
        assert [event for event in others if "meterValue" in event] == []
        times = [parse_time(sample["timestamp"]) for sample in over["meterValue"]]
        assert times == sorted(times)
        assert len(times) >= 7
        assert over["meterValue"][-1]["sampledValue"][0]["context"] == "Transaction.End"


async def test_scaled_units_are_told_with_their_multiplier() -> None:
    async with running("2.0.1", *odd("scaled-units")) as bench:
        await charging(bench)
        [energy] = (await bench.sample())["sampledValue"]
        assert energy["unitOfMeasure"] == {"unit": "Wh", "multiplier": 3}
        assert energy["value"] == pytest.approx(1234.6, abs=1)
