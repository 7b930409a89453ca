"""A car's visit, as the central system sees it, in both protocol versions."""

from typing import Any

import pytest
from simulator_bench import TX_ID, CentralSystem, prepared, register, running

both = pytest.mark.parametrize("version", ["1.6", "2.0.1"])


@both
async def test_a_night_goes_from_plug_to_unplug(version: str) -> None:
    async with running(version) as bench:
        await bench.ready()
        await bench.plug()
        assert (await bench.start())["status"] == "Accepted"
        await bench.begun()
        await bench.state("Charging")
        first, second = register(await bench.sample()), register(await bench.sample())
        assert second - first == pytest.approx(11_000 / 60, abs=1)
        assert (await bench.limit(0))["status"] == "Accepted"
        await bench.state("SuspendedEVSE")
        first, second = register(await bench.sample()), register(await bench.sample())
        assert second == first
        assert (await bench.limit(16))["status"] == "Accepted"
        await bench.state("Charging")
        await bench.sample(lambda sample: register(sample) > second)
        assert (await bench.stop())["status"] == "Accepted"
        ended = await bench.ended()
        bench.do("unplug")
        gone = await bench.events.expect("unplugged")
    assert bench.events.all("schema-violation") == []
    assert gone["sessionWh"] == gone["registerWh"] - gone["registerAtPlugInWh"] > 0
    last = register(ended["meterValue"][0]) if bench.new else ended["meterStop"]
    assert gone["registerWh"] == last


async def test_1_6_statuses_come_in_their_order() -> None:
    async with running("1.6") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        await bench.stop()
        await bench.state("Finishing")
        bench.do("unplug")
        await bench.state("Available")
    told = [
        payload.get("status", action)
        for action, payload in bench.central.log.entries
        if action in {"StatusNotification", "StartTransaction", "StopTransaction", "BootNotification"}
    ]
    assert told == [
        "BootNotification",
        "Available",
        "Available",
        "Preparing",
        "StartTransaction",
        "Charging",
        "StopTransaction",
        "Finishing",
        "Available",
    ]


async def test_1_6_tells_the_stop_and_finishing_before_available_when_the_car_leaves_while_charging() -> None:
    async with running("1.6") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        bench.do("unplug")
        await bench.state("Available")
    told = [
        payload.get("status", payload.get("reason"))
        for action, payload in bench.central.log.entries
        if action in {"StatusNotification", "StopTransaction"}
    ]
    assert told[-4:] == ["Charging", "EVDisconnected", "Finishing", "Available"]


async def test_1_6_can_start_again_after_a_remote_stop_without_a_replug() -> None:
    async with running("1.6") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        await bench.stop()
        await bench.state("Finishing")
        assert (await bench.start())["status"] == "Accepted"
        await bench.begun()
        await bench.state("Charging")


async def test_1_6_refuses_a_remote_start_without_a_car_and_during_a_transaction() -> None:
    async with running("1.6") as bench:
        await bench.ready()
        assert (await bench.start())["status"] == "Rejected"
        await bench.plug()
        await bench.start()
        await bench.begun()
        assert (await bench.start())["status"] == "Rejected"


async def test_1_6_knows_its_number_when_a_profile_comes_right_behind_the_answer() -> None:
    central = CentralSystem("1.6")
    async with prepared(central) as bench:
        await bench.ready()
        central.held.add("StartTransaction")
        await bench.plug()
        await bench.start()
        await bench.begun()
        await central.release()
        answer = await bench.limit(8, purpose="TxProfile", transactionId=TX_ID)
        assert answer["status"] == "Accepted"
        assert (await bench.events.expect("limit"))["limitA"] == 8


async def test_1_6_ends_a_transaction_whose_tag_is_not_accepted() -> None:
    central = CentralSystem("1.6")
    central.answers["StartTransaction"] = {"transactionId": 1, "idTagInfo": {"status": "Invalid"}}
    async with prepared(central) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        stopped = await bench.ended()
    assert stopped["reason"] == "DeAuthorized"
    assert stopped["transactionId"] == 1


async def test_2_0_1_says_once_where_and_who_and_numbers_its_events() -> None:
    async with running("2.0.1") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.sample()
        await bench.sample()
        await bench.stop()
        ended = await bench.ended()
    events = bench.central.log.all("TransactionEvent")
    assert [event["seqNo"] for event in events] == list(range(len(events)))
    assert [number for number, event in enumerate(events) if "evse" in event] == [0]
    assert [number for number, event in enumerate(events) if "idToken" in event] == [0]
    assert events[0]["triggerReason"] == "RemoteStart"
    assert events[0]["transactionInfo"]["remoteStartId"] == 77
    assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("RemoteStop", "Remote")
    assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
    assert not any("offline" in event for event in events)


async def test_2_0_1_tells_available_before_it_ends_the_transaction_of_a_car_that_left() -> None:
    async with running("2.0.1") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        bench.do("unplug")
        await bench.central.log.expect("StatusNotification", lambda payload: payload["connectorStatus"] == "Available")
        ended = await bench.ended()
    assert ended["triggerReason"] == "EVCommunicationLost"
    assert ended["transactionInfo"] == ended["transactionInfo"] | {
        "chargingState": "Idle",
        "stoppedReason": "EVDisconnected",
    }
    statuses = [status["connectorStatus"] for status in bench.central.log.all("StatusNotification")]
    assert statuses == ["Available", "Occupied", "Available"]


async def test_2_0_1_starts_when_the_car_comes_after_the_request() -> None:
    async with running("2.0.1", speed=50) as bench:
        await bench.ready()
        assert (await bench.start())["status"] == "Accepted"
        await bench.plug()
        started = await bench.begun()
    assert started["triggerReason"] == "CablePluggedIn"
    assert started["transactionInfo"]["remoteStartId"] == 77


@both
async def test_a_full_car_suspends_by_itself(version: str) -> None:
    async with running(version, "--level", "49.5", "--car-limit", "50") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("SuspendedEV")
        suspended = await bench.events.expect("suspended")
    assert suspended["by"] == "EV"
    assert suspended["levelPct"] == 50


@both
@pytest.mark.parametrize("reports", [True, False], ids=["reports", "does not"])
async def test_the_level_is_sent_only_by_a_station_that_can_read_it(version: str, reports: bool) -> None:
    async with running(version, *(["--report-soc"] if reports else [])) as bench:
        await bench.ready()
        wanted = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,SoC"
        if bench.new:
            item: dict[str, Any] = {
                "component": {"name": "SampledDataCtrlr"},
                "variable": {"name": "TxUpdatedMeasurands"},
                "attributeValue": wanted,
            }
            answer = await bench.central.ask("SetVariables", {"setVariableData": [item]})
            assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
        else:
            change = {"key": "MeterValuesSampledData", "value": wanted}
            assert await bench.central.ask("ChangeConfiguration", change) == {"status": "Accepted"}
        await bench.plug()
        await bench.start()
        sample = await bench.sample()
    got = [(value["measurand"], value.get("phase")) for value in sample["sampledValue"]]
    assert got[:5] == [
        ("Energy.Active.Import.Register", None),
        ("Power.Active.Import", None),
        ("Current.Import", "L1"),
        ("Current.Import", "L2"),
        ("Current.Import", "L3"),
    ]
    assert (("SoC", None) in got) is reports
    assert float(sample["sampledValue"][1]["value"]) == 11_000


@both
async def test_clock_aligned_samples_come_on_the_quarter_hour_without_a_car(version: str) -> None:
    async with running(version, speed=10_000) as bench:
        await bench.ready()
        if bench.new:
            item = {"component": {"name": "AlignedDataCtrlr"}, "variable": {"name": "Interval"}}
            data = [{**item, "attributeValue": "900"}]
            await bench.central.ask("SetVariables", {"setVariableData": data})
        else:
            await bench.central.ask("ChangeConfiguration", {"key": "ClockAlignedDataInterval", "value": "900"})
        times = [(await bench.central.log.expect("MeterValues"))["meterValue"][0]["timestamp"] for _ in range(2)]
    assert all(time[14:] in {"00:00.000Z", "15:00.000Z", "30:00.000Z", "45:00.000Z"} for time in times)
    assert times[0] != times[1]


@both
async def test_a_card_is_asked_about_before_a_local_start(version: str) -> None:
    async with running(version, "--id-tag", "CARD") as bench:
        await bench.ready()
        await bench.plug()
        bench.do("start")
        await bench.central.log.expect("Authorize")
        await bench.begun()
        bench.do("stop")
        ended = await bench.ended()
    assert ended.get("reason", ended.get("transactionInfo", {}).get("stoppedReason")) == "Local"


async def test_a_refused_card_starts_nothing() -> None:
    central = CentralSystem("1.6")
    central.answers["Authorize"] = {"idTagInfo": {"status": "Invalid"}}
    async with prepared(central, "--id-tag", "CARD") as bench:
        await bench.ready()
        await bench.plug()
        bench.do("start")
        await central.log.expect("Authorize")
        await bench.clock.sleep(120)
    assert central.log.all("StartTransaction") == []


@both
async def test_a_visit_can_be_planned_ahead_on_the_shared_clock(version: str) -> None:
    visit = ("--plug-at", "2026-01-14T16:10:00Z", "--unplug-at", "2026-01-14T16:25:00Z", "--level", "42")
    async with running(version, *visit, speed=10_000) as bench:
        bench.do("start", at="2026-01-14T16:15:00Z")
        bench.do("report", at="2026-01-14T16:20:00Z")
        bench.do("report", at="2026-01-14T16:25:00Z")
        await bench.events.expect("unplugged")
        await bench.events.expect("report")
    at = {name: event["at"] for name, event in bench.events.entries}
    assert at["plugged"] == "2026-01-14T16:10:00.000Z"
    assert at["transaction-started"] == "2026-01-14T16:15:00.000Z"
    assert at["unplugged"] == "2026-01-14T16:25:00.000Z"
    reports = bench.events.all("report")
    expected_wh = (5 * 60 - 3 - 1.5) / 3600 * 11_000
    assert reports[0]["sessionWh"] == pytest.approx(expected_wh, abs=1)
    assert bench.events.all("plugged")[0]["levelPct"] == 42


@both
async def test_heartbeats_follow_the_interval_of_the_boot(version: str) -> None:
    central = CentralSystem(version)
    central.answers["BootNotification"] = {
        "status": "Accepted",
        "interval": 60,
        "currentTime": "2026-01-14T16:00:00Z",
    }
    async with prepared(central, speed=2000) as bench:
        await central.log.expect("Heartbeat")
        first = bench.clock.now()
        for _ in range(3):
            await central.log.expect("Heartbeat")
        assert (bench.clock.now() - first).total_seconds() >= 2 * 60
        if bench.new:
            item = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
            answer = await central.ask("GetVariables", {"getVariableData": [item]})
            told = answer["getVariableResult"][0]["attributeValue"]
        else:
            answer = await central.ask("GetConfiguration", {"key": ["HeartbeatInterval"]})
            told = answer["configurationKey"][0]["value"]
    assert told == "60"
