"""What chargers say of themselves, and what a restart does to them, on the wire."""

import pytest
from simulator_bench import Payload, running

both = pytest.mark.parametrize("version", ["1.6", "2.0.1"])


def odd(name: str) -> tuple[str, str]:
    return "--personality", name


async def test_deadly_key_restarts_the_charger_that_is_asked_for_it_and_no_other_does() -> None:
    async with running("1.6", *odd("deadly-key")) as bench:
        await bench.ready()
        answer = await bench.central.ask("GetConfiguration", {"key": ["HeartbeatInterval"]})
        assert len(answer["configurationKey"]) == 1
        unanswered = bench.soon(bench.central.ask("GetConfiguration", {"key": ["MeterValuesSampledData"]}))
        await bench.events.expect("offline")
        await bench.central.log.expect("BootNotification")
        assert not unanswered.done()
        unanswered.cancel()


async def test_feigns_settings_accepts_a_change_and_keeps_what_it_had() -> None:
    async with running("1.6", *odd("feigns-settings")) as bench:
        await bench.ready()
        key = "MeterValueSampleInterval"
        assert (await bench.central.ask("ChangeConfiguration", {"key": key, "value": "10"}))["status"] == "Accepted"
        [entry] = (await bench.central.ask("GetConfiguration", {"key": [key]}))["configurationKey"]
        assert entry["value"] == "60"


async def test_one_item_refuses_two_variables_in_a_message() -> None:
    async with running("2.0.1", *odd("one-item")) as bench:
        await bench.ready()
        item: Payload = {"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStartPoint"}}
        assert "error" in await bench.central.ask("GetVariables", {"getVariableData": [item, item]})
        [result] = (await bench.central.ask("GetVariables", {"getVariableData": [item]}))["getVariableResult"]
        assert result["attributeValue"] == "PowerPathClosed"


async def test_endless_report_promises_more_in_its_last_part() -> None:
    async with running("2.0.1", *odd("endless-report")) as bench:
        await bench.ready()
        await bench.central.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
        await bench.clock.sleep(300)
        parts = bench.central.log.all("NotifyReport")
        assert len(parts) > 1
        assert all(part["tbc"] for part in parts)


async def test_available_before_stop_tells_the_plug_first() -> None:
    async with running("1.6", *odd("available-before-stop")) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        bench.do("unplug")
        await bench.ended()
        told = [payload["status"] for name, payload in bench.central.log.entries if name == "StatusNotification"]
        assert told[-2:] == ["Charging", "Available"]
        names = [name for name, _ in bench.central.log.entries]
        assert names[-2:] == ["StatusNotification", "StopTransaction"]


@both
async def test_persists_over_restart_goes_on_with_its_transaction_and_its_limit(version: str) -> None:
    async with running(version, *odd("persists-over-restart")) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        await bench.limit(8)
        kind = "Immediate" if bench.new else "Hard"
        assert (await bench.central.ask("Reset", {"type": kind}))["status"] == "Accepted"
        await bench.central.log.expect("BootNotification")
        await bench.sample()
        bench.do("report")
        report = await bench.events.expect("report")
        assert (report["status"], report["limitA"]) == ("Charging", 8)
        assert len(bench.events.all("transaction-started")) == 1
