"""Faults, lost networks, restarts, and what a charger does with nonsense."""

import asyncio
import base64
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from simulator_bench import CentralSystem, Payload, prepared, register, running

from chargerd_drivers.simulator import link
from chargerd_drivers.simulator.schemas import parse_time, spell_time

both = pytest.mark.parametrize("version", ["1.6", "2.0.1"])


@both
async def test_accept_start_do_nothing_accepts_all_and_starts_nothing(version: str) -> None:
    async with running(version, "--fault", "accept-start-do-nothing") as bench:
        await bench.ready()
        await bench.plug()
        assert (await bench.start())["status"] == "Accepted"
        assert (await bench.limit(16))["status"] == "Accepted"
        await bench.clock.sleep(300)
        assert bench.events.all("transaction-started") == []
        bench.do("fault", name="accept-start-do-nothing", on=False)
        bench.do("start")
        await bench.begun()
        await bench.state("Charging")


@both
async def test_after_clearing_accept_start_do_nothing_the_next_start_works(version: str) -> None:
    async with running(version, "--fault", "accept-start-do-nothing") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        bench.do("fault", name="accept-start-do-nothing", on=False)
        bench.do("report")
        await bench.events.expect("report")
        await bench.start()
        await bench.begun()


@both
async def test_ignore_stop_goes_on_charging_and_obeys_once_it_is_cleared(version: str) -> None:
    async with running(version) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        bench.do("fault", name="ignore-stop", on=True)
        bench.do("report")
        await bench.events.expect("report")
        assert (await bench.limit(0))["status"] == "Accepted"
        assert (await bench.stop())["status"] == "Accepted"
        first, second = register(await bench.sample()), register(await bench.sample())
        assert second - first == pytest.approx(11_000 / 60, abs=1)
        assert bench.events.all("suspended") == []
        assert bench.events.all("transaction-ended") == []
        bench.do("fault", name="ignore-stop", on=False)
        await bench.state("SuspendedEVSE")


@both
async def test_accept_start_do_nothing_leaves_a_suspended_car_suspended_until_it_is_cleared(version: str) -> None:
    async with running(version) as bench:
        await bench.ready()
        await bench.limit(0)
        await bench.plug()
        await bench.start()
        await bench.state("SuspendedEVSE")
        bench.do("fault", name="accept-start-do-nothing", on=True)
        bench.do("report")
        await bench.events.expect("report")
        assert (await bench.limit(16))["status"] == "Accepted"
        first, second = register(await bench.sample()), register(await bench.sample())
        assert first == second
        bench.do("fault", name="accept-start-do-nothing", on=False)
        await bench.state("Charging")


@both
async def test_no_power_has_a_transaction_without_energy(version: str) -> None:
    async with running(version, "--fault", "no-power") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("SuspendedEV")
        first, second = register(await bench.sample()), register(await bench.sample())
        assert first == second == 1_234_567


@both
async def test_drop_socket_cuts_once_and_replays_what_was_missed(version: str) -> None:
    async with running(version, "--fault", "drop-socket=150", "--away", "400") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        began = await bench.begun()
        await bench.events.expect("offline")
        back = await bench.events.expect("online")
        await bench.sample(lambda sample: sample["timestamp"] > back["at"])
        await bench.stop()
        await bench.ended()
    samples = [
        payload["meterValue"][0]
        for action, payload in bench.central.log.entries
        if action == ("TransactionEvent" if bench.new else "MeterValues")
    ]
    times = [sample["timestamp"] for sample in samples]
    assert times == sorted(times)
    periodic = [time for time in times if time > began["timestamp"]]
    assert len(periodic) >= 9
    assert [register(sample) for sample in samples] == sorted(register(sample) for sample in samples)
    assert len(bench.central.log.all("BootNotification")) == 1
    assert bench.central.connections == 2
    if bench.new:
        events = bench.central.log.all("TransactionEvent")
        numbers = [event["seqNo"] for event in events]
        assert numbers == sorted(numbers)
        assert set(numbers) == set(range(numbers[-1] + 1))
        assert sum(event.get("offline", False) for event in events) >= 5


@both
async def test_a_visit_that_ends_offline_is_told_afterwards_in_its_order(version: str) -> None:
    async with running(version) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        bench.do("drop", away=600)
        await bench.events.expect("offline")
        bench.do("unplug")
        gone = await bench.events.expect("unplugged")
        back = await bench.events.expect("online")
        assert back["at"] > gone["at"]
        ended = await bench.ended()
        status = await bench.central.log.expect("StatusNotification")
    assert ended["timestamp"] == gone["at"][:19] + "Z"
    assert status.get("status", status.get("connectorStatus")) == "Available"
    assert len(bench.central.log.all("BootNotification")) == 1
    if bench.new:
        assert ended["offline"] is True
    else:
        assert ended["meterStop"] == gone["registerWh"]
        assert ended["reason"] == "EVDisconnected"


async def test_a_1_6_transaction_that_began_offline_gets_its_number_afterwards() -> None:
    async with running("1.6") as bench:
        await bench.ready()
        bench.do("drop", away=900)
        await bench.events.expect("offline")
        bench.do("plug")
        bench.do("start")
        started = await bench.events.expect("transaction-started")
        bench.do("stop", at=spell_time(parse_time(started["at"]) + timedelta(seconds=130)))
        await bench.events.expect("online")
        await bench.begun()
        stopped = await bench.ended()
    names = [name for name, _ in bench.central.log.entries if name in {"MeterValues", "StopTransaction"}]
    assert names == ["MeterValues", "MeterValues", "StopTransaction"]
    numbers = {payload["transactionId"] for payload in bench.central.log.all("MeterValues")}
    assert numbers == {stopped["transactionId"]} == {4711}


@both
async def test_an_unanswered_transaction_message_is_sent_again_on_the_next_connection(version: str) -> None:
    central = CentralSystem(version)
    async with prepared(central) as bench:
        await bench.ready()
        await bench.plug()
        central.held.add("TransactionEvent" if bench.new else "StartTransaction")
        await bench.start()
        first = await bench.begun()
        central.held.clear()
        bench.do("drop", away=1)
        again = await bench.begun()
    assert again == first


@both
async def test_a_transaction_message_that_fails_is_tried_again(version: str) -> None:
    central = CentralSystem(version)
    action = "TransactionEvent" if version == "2.0.1" else "StartTransaction"
    central.errors[action] = 1
    async with prepared(central) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        first = await bench.begun()
        assert await bench.begun() == first
        await bench.state("Charging")


@both
async def test_after_a_reset_it_boots_again_and_the_car_is_still_there(version: str) -> None:
    async with running(version) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        answer = await bench.central.ask("Reset", {"type": "Immediate" if bench.new else "Soft"})
        assert answer["status"] == "Accepted"
        ended = await bench.ended()
        boot = await bench.central.log.expect("BootNotification")
        status = await bench.central.log.expect("StatusNotification", lambda payload: payload["connectorId"] == 1)
    if bench.new:
        assert ended["triggerReason"] == "ResetCommand"
        assert boot["reason"] == "RemoteReset"
        assert status["connectorStatus"] == "Occupied"
    else:
        assert ended["reason"] == "SoftReset"
        assert status["status"] == "Preparing"


async def test_2_0_1_puts_a_reset_off_until_the_transaction_is_over() -> None:
    async with running("2.0.1") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        assert await bench.central.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
        await bench.stop()
        await bench.ended()
        await bench.central.log.expect("BootNotification")


@both
async def test_a_pending_station_sends_only_what_it_is_asked_for(version: str) -> None:
    central = CentralSystem(version)
    pending = {"status": "Pending", "interval": 200, "currentTime": "2026-01-14T16:00:00Z"}
    central.answers["BootNotification"] = pending
    async with prepared(central) as bench:
        bench.do("plug")
        await central.log.expect("BootNotification")
        await central.log.expect("BootNotification")
        assert {name for name, _ in central.log.entries} == {"BootNotification"}
        assert await central.ask("TriggerMessage", {"requestedMessage": "StatusNotification"}) == {"status": "Accepted"}
        await central.log.expect("StatusNotification")
        central.answers["BootNotification"] = {**pending, "status": "Accepted"}
        await bench.events.expect("online")


@both
async def test_it_answers_while_its_own_request_waits(version: str) -> None:
    central = CentralSystem(version)
    async with prepared(central) as bench:
        await bench.ready()
        central.held.add("StatusNotification")
        await bench.plug()
        assert await central.ask("ClearCache", {}) == {"status": "Accepted"}
        await bench.start()
        assert bench.central.log.all("StartTransaction") == []
        await central.release()
        await bench.begun()


async def test_a_request_that_is_never_answered_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "ANSWER_TIMEOUT_S", 0.1)
    central = CentralSystem("1.6")
    async with prepared(central) as bench:
        await bench.ready()
        central.held.add("StatusNotification")
        bench.do("plug")
        offline = await bench.events.expect("offline")
        central.held.clear()
        await bench.events.expect("online")
    assert "no answer to StatusNotification" in offline["reason"]


@both
async def test_an_unknown_action_is_not_implemented_and_a_known_one_may_be_not_supported(version: str) -> None:
    async with running(version) as bench:
        await bench.ready()
        assert (await bench.central.ask("MakeCoffee", {}))["error"] == "NotImplemented"
        assert (await bench.central.ask("CancelReservation", {"reservationId": 1}))["error"] == "NotSupported"
    assert [event["action"] for event in bench.events.all("schema-violation")] == ["MakeCoffee"]


@both
async def test_a_request_against_the_schema_is_refused_and_reported(version: str) -> None:
    async with running(version) as bench:
        await bench.ready()
        answer = await bench.central.ask("Reset", {"type": "Sideways"})
        await bench.events.expect("schema-violation", lambda event: event["by"] == "central-system")
    assert answer["error"] == ("FormatViolation" if version == "2.0.1" else "FormationViolation")


@both
@pytest.mark.parametrize(
    "frame",
    ["nonsense", "[2]", '{"a":1}', '[3,"nobody-asked",{}]', "[" * 5000, '[2,"x","Reset",NaN]', "7"],
    ids=range(7),
)
async def test_a_nonsense_frame_is_reported_and_survived(version: str, frame: str) -> None:
    async with running(version) as bench:
        await bench.ready()
        await bench.central.send(frame)
        await bench.events.expect("schema-violation")
        await bench.plug()
    assert bench.central.connections == 1


HUGE = "9" * 400


@pytest.mark.parametrize(
    ("period", "schedule"),
    [
        ('"startPeriod":0,"limit":1e30', ""),
        ('"startPeriod":0,"limit":1e400', ""),
        (f'"startPeriod":0,"limit":{HUGE}', ""),
        (f'"startPeriod":{HUGE},"limit":6', ""),
        ('"startPeriod":-5,"limit":6', ""),
        ('"startPeriod":0,"limit":6', f',"duration":{HUGE}'),
        ('"startPeriod":0,"limit":6', ',"startSchedule":"0001-01-01T00:00:00+14:00"'),
        ('"startPeriod":0,"limit":6', ',"startSchedule":"9999-12-31T23:59:59Z"'),
        ('"startPeriod":0,"limit":6', ',"startSchedule":"tomorrow"'),
    ],
    ids=range(9),
)
async def test_a_profile_with_absurd_numbers_is_refused_and_survived(period: str, schedule: str) -> None:
    profile = (
        '"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile",'
        '"chargingProfileKind":"Absolute","chargingSchedule":{"chargingRateUnit":"A",'
        f'"chargingSchedulePeriod":[{{{period}}}]{schedule}}}'
    )
    async with running("1.6") as bench:
        await bench.ready()
        await bench.central.send(
            f'[2,"absurd","SetChargingProfile",{{"connectorId":1,"csChargingProfiles":{{{profile}}}}}]'
        )
        answer = await bench.central.log.expect("error")
        await bench.plug()
    assert answer["code"] in {"FormationViolation", "PropertyConstraintViolation"}
    assert bench.central.connections == 1


async def test_a_wrong_answer_of_the_central_system_is_reported() -> None:
    central = CentralSystem("1.6")
    central.answers["Heartbeat"] = {"now": "noon"}
    async with prepared(central) as bench:
        await bench.ready()
        await central.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})
        violation = await bench.events.expect("schema-violation")
    assert (violation["by"], violation["action"]) == ("central-system", "Heartbeat")


async def test_identity_and_password_reach_the_central_system(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hush hush\n")
    async with running("1.6", "--identity", "CP A/1", "--password-file", str(secret)) as bench:
        await bench.ready()
    path, headers = bench.central.headers[0]
    assert path == "/ocpp/CP%20A%2F1"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode() == "CP A/1:hush hush"


@pytest.mark.parametrize(
    ("version", "action", "payload", "answer"),
    [
        ("1.6", "ChangeConfiguration", {"key": "Nope", "value": "1"}, {"status": "NotSupported"}),
        ("1.6", "ChangeConfiguration", {"key": "NumberOfConnectors", "value": "1"}, {"status": "Rejected"}),
        ("1.6", "UnlockConnector", {"connectorId": 1}, {"status": "Unlocked"}),
        ("1.6", "ClearChargingProfile", {"id": 9}, {"status": "Unknown"}),
        ("1.6", "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}, {"status": "Accepted"}),
        ("1.6", "DataTransfer", {"vendorId": "x"}, {"status": "UnknownVendorId"}),
        ("1.6", "TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}, {"status": "NotImplemented"}),
        ("2.0.1", "UnlockConnector", {"evseId": 1, "connectorId": 1}, {"status": "Unlocked"}),
        ("2.0.1", "ClearChargingProfile", {"chargingProfileId": 9}, {"status": "Unknown"}),
        ("2.0.1", "ChangeAvailability", {"operationalStatus": "Inoperative"}, {"status": "Accepted"}),
        ("2.0.1", "TriggerMessage", {"requestedMessage": "TransactionEvent"}, {"status": "Rejected"}),
        (
            "2.0.1",
            "GetTransactionStatus",
            {"transactionId": "x"},
            {"ongoingIndicator": False, "messagesInQueue": False},
        ),
    ],
)
async def test_the_lesser_requests_have_their_answers(
    version: str, action: str, payload: Payload, answer: Payload
) -> None:
    async with running(version) as bench:
        await bench.ready()
        assert await bench.central.ask(action, payload) == answer


async def test_1_6_tells_its_configuration_and_what_it_does_not_know() -> None:
    async with running("1.6") as bench:
        await bench.ready()
        some = await bench.central.ask("GetConfiguration", {"key": ["NumberOfConnectors", "TxStartPoint"]})
        every = await bench.central.ask("GetConfiguration", {})
    entry = {"key": "NumberOfConnectors", "readonly": True, "value": "1"}
    assert some == {"configurationKey": [entry], "unknownKey": ["TxStartPoint"]}
    assert entry in every["configurationKey"]
    assert len(every["configurationKey"]) > 20


async def test_2_0_1_tells_its_variables_one_by_one_and_in_a_report_of_parts() -> None:
    def item(component: str, variable: str, **more: str) -> Payload:
        return {"component": {"name": component}, "variable": {"name": variable}, **more}

    async with running("2.0.1") as bench:
        await bench.ready()
        wanted = [
            item("SampledDataCtrlr", "TxUpdatedInterval"),
            item("SampledDataCtrlr", "Nope"),
            item("Nope", "Nope"),
            item("SampledDataCtrlr", "TxUpdatedInterval", attributeType="Target"),
        ]
        answer = await bench.central.ask("GetVariables", {"getVariableData": wanted})
        report = {"requestId": 3, "reportBase": "FullInventory"}
        assert await bench.central.ask("GetBaseReport", report) == {"status": "Accepted"}
        parts = [await bench.central.log.expect("NotifyReport")]
        while parts[-1]["tbc"]:
            parts.append(await bench.central.log.expect("NotifyReport"))
    results = answer["getVariableResult"]
    assert [result["attributeStatus"] for result in results] == [
        "Accepted",
        "UnknownVariable",
        "UnknownComponent",
        "NotSupportedAttributeType",
    ]
    assert results[0]["attributeValue"] == "60"
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert len(parts) > 1


@both
async def test_the_composite_schedule_shows_the_periods_to_come(version: str) -> None:
    async with running(version, speed=1) as bench:
        await bench.ready()
        periods = [{"startPeriod": 0, "limit": 8}, {"startPeriod": 7200, "limit": 12}]
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods, "startSchedule": "2026-01-14T15:00:00Z"}
        common = {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
        if bench.new:
            profile: Payload = {"id": 1, "chargingSchedule": [{"id": 1, **schedule}], **common}
            await bench.central.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
            answer = await bench.central.ask("GetCompositeSchedule", {"evseId": 1, "duration": 7200})
            told = answer["schedule"]["chargingSchedulePeriod"]
        else:
            profile = {"chargingProfileId": 1, "chargingSchedule": schedule, **common}
            await bench.central.ask("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})
            answer = await bench.central.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 7200})
            told = answer["chargingSchedule"]["chargingSchedulePeriod"]
    assert [period["limit"] for period in told] == [8, 12]
    assert told[1]["startPeriod"] == pytest.approx(59 * 60, abs=10)


async def test_2_0_1_refuses_a_second_profile_of_the_same_level_for_a_transaction() -> None:
    async with running("2.0.1") as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.begun()
        own = {"purpose": "TxProfile", "transactionId": bench.transaction_id}
        assert (await bench.limit(8, **own))["status"] == "Accepted"
        assert (await bench.limit(9, **own))["status"] == "Accepted"
        refused = await bench.limit(10, id=2, **own)
    assert refused["statusInfo"]["reasonCode"] == "DuplicateProfile"


_PROCESS = """
import argparse, asyncio, sys
from chargerd.clock import parse_clock
from chargerd_drivers.simulator import charge_point
parser = argparse.ArgumentParser()
charge_point.add_arguments(parser)
sys.exit(asyncio.run(charge_point.run(parser.parse_args(), parse_clock(None))))
"""


@pytest.mark.parametrize("ending", ["SIGTERM", "end of input"])
async def test_the_process_ends_with_0(ending: str) -> None:
    central = CentralSystem("1.6")
    async with central.listening() as port:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _PROCESS,
            f"--url=ws://127.0.0.1:{port}/ocpp",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"do":"plug"}\n')
        await process.stdin.drain()
        assert b'"online"' in await process.stdout.readline() + await process.stdout.readline()
        if ending == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert b"Traceback" not in errors
