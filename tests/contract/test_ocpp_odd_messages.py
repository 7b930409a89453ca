"""Messages that break the schema or JSON itself, over a real socket: each is answered and understood."""

import asyncio
import re
from datetime import UTC, datetime

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, ScriptedCharger, boot, running
from octt_rig import deciding, of

from chargerd.contract import (
    AuthorizeRequested,
    ChargerBooted,
    CommandId,
    LimitStep,
    MeterSampled,
    SetCurrentLimit,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
)

T0 = "2026-01-14T16:00:00Z"
SPELLED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LONG = "x" * 300

BOOTS_16 = {
    "long": {"chargePointSerialNumber": "S" * 40, "chargePointModel": "M" * 60, "firmwareVersion": "F" * 90},
    "unknown field": {"meterSerial": 7, "vendorSays": {"a": [1]}},
    "null": {"chargeBoxSerialNumber": None, "imsi": None},
    "no model": {"chargePointModel": None},
    "numbers": {"chargePointModel": 22, "firmwareVersion": 1.5},
}


@pytest.mark.parametrize("odd", BOOTS_16.values(), ids=BOOTS_16)
async def test_a_boot_that_breaks_the_schema_is_accepted(odd) -> None:
    async with running() as rig, rig.charger() as charger:
        assert (await charger.call("BootNotification", BOOT_16 | odd))["status"] == "Accepted"
        assert (await rig.sink.take(ChargerBooted)).vendor == "Acme"


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_every_time_that_is_told_is_utc_with_a_z_and_without_a_fraction(version) -> None:
    """There are chargers whose clock stays in 1970 for anything else."""
    later = (LimitStep(at=datetime(2026, 1, 14, 18, 0, 0, 500_000, UTC), limit_a=16.0),)
    limit = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(1), limit_a=0, later=later)
    async with running() as rig, rig.charger(version) as charger:
        told = [(await charger.call("BootNotification", BOOT_16 if version == "1.6" else BOOT_201))["currentTime"]]
        await boot(charger, version)
        told.append((await charger.call("Heartbeat", {}))["currentTime"])
        async with asyncio.TaskGroup() as group:
            group.create_task(rig.driver.execute(limit))
            message_id, _, payload = await charger.request("SetChargingProfile")
            await charger.reply(message_id, {"status": "Accepted"})
        told += re.findall(r"'(?:startSchedule|validFrom|validTo)': '([^']*)'", str(payload))
    assert len(told) == 3
    assert [time for time in told if not SPELLED.fullmatch(time)] == []


async def test_triggers_that_are_rejected_are_not_sent_again_and_a_boot_is_never_asked_for() -> None:
    async with running() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        triggers = []
        while len(triggers) < 2:
            message_id, action, payload = await charger.request()
            if action == "TriggerMessage":
                triggers.append(payload["requestedMessage"])
                await charger.reply(message_id, {"status": "Rejected"})
            else:
                await charger.refuse(message_id, "NotSupported")
        for _ in range(5):
            await charger.call("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError"})
        assert not charger.requests
        assert triggers == ["StatusNotification", "MeterValues"]


async def test_a_malformed_status_does_not_hold_up_the_start_behind_it() -> None:
    async with deciding() as rig, rig.charger() as charger:
        await charger.socket.send('[2,"s1","StatusNotification",{"connectorId":NaN,"status":["x"]}]')
        await charger.socket.send('[2,"s2","StatusNotification",["x"]]')
        start = {"connectorId": 1, "idTag": "tag", "meterStart": 5, "timestamp": T0}
        started = await charger.ask("StartTransaction", start, "s3")
        assert {(await charger.answer_to(name))[0] for name in ("s1", "s2")} <= {3, 4}
        assert (await charger.answer_to(started))[2]["transactionId"] == 17
        assert [event.register_wh for event in of(rig, TransactionStarted)] == [5]


BROKEN = {
    "a value missing in a list (ZJ Beny)": (
        '[2,"m","MeterValues",{"connectorId":1,"transactionId":,"meterValue":[{"timestamp":"2026-01-14T16:00:00Z",'
        '"sampledValue":[,{"value":"4200","measurand":"Energy.Active.Import.Register","unit":"Wh"}]}]}]'
    ),
    "never closed (AEFA)": (
        '[2,"m","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-14T16:00:00Z",'
        '"sampledValue":[{"value":"4200"}'
    ),
    "a NUL at its end (Grizzl-E 5)": (
        '[2,"m","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-14T16:00:00Z",'
        '"sampledValue":[{"value":"4200"}]}]}]\0'
    ),
}


@pytest.mark.parametrize("frame", BROKEN.values(), ids=BROKEN)
async def test_json_that_can_be_mended_is_answered_and_its_energy_counts(frame) -> None:
    async with running() as rig, rig.charger() as charger:
        await charger.socket.send(frame)
        assert await charger.answer_to("m") == [3, "m", {}]
        assert (await rig.sink.take(MeterSampled)).register_wh == 4200
        assert "currentTime" in await charger.call("Heartbeat", {})


async def test_a_list_of_settings_that_is_never_closed_does_not_end_the_set_up() -> None:
    async with running() as rig, rig.charger() as charger:
        await charger.call("BootNotification", BOOT_16)
        message_id, action, _ = await charger.request()
        assert action == "GetConfiguration"
        await charger.socket.send(f'[3,"{message_id}",{{"configurationKey":[{{"key":"MeterValueSampleInterval"')
        assert (await charger.request())[1] in {"ChangeConfiguration", "GetConfiguration"}


SOUND = {
    "Authorize": {"idTag": "tag"},
    "BootNotification": BOOT_16,
    "DataTransfer": {"vendorId": "Acme"},
    "DiagnosticsStatusNotification": {"status": "Idle"},
    "FirmwareStatusNotification": {"status": "Idle"},
    "Heartbeat": {},
    "MeterValues": {"connectorId": 1, "meterValue": [{"timestamp": T0, "sampledValue": [{"value": "1"}]}]},
    "StartTransaction": {"connectorId": 1, "idTag": "tag", "meterStart": 5, "timestamp": T0},
    "StatusNotification": {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
    "StopTransaction": {"transactionId": 17, "meterStop": 9, "timestamp": T0},
}
SOUND_201 = {
    "Authorize": {"idToken": {"idToken": "tag", "type": "Central"}},
    "BootNotification": BOOT_201,
    "DataTransfer": {"vendorId": "Acme"},
    "FirmwareStatusNotification": {"status": "Idle"},
    "Heartbeat": {},
    "MeterValues": {"evseId": 1, "meterValue": [{"timestamp": T0, "sampledValue": [{"value": 1}]}]},
    "StatusNotification": {"timestamp": T0, "connectorStatus": "Available", "evseId": 1, "connectorId": 1},
    "TransactionEvent": {
        "eventType": "Started",
        "timestamp": T0,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "a"},
        "evse": {"id": 1},
    },
}


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_no_message_that_breaks_the_schema_goes_without_a_confirmation(version) -> None:
    async with deciding() as rig, rig.charger(version) as charger:
        for action, payload in (SOUND if version == "1.6" else SOUND_201).items():
            for odd in oddities(payload):
                answer = await charger.answer_to(await charger.ask(action, odd))
                assert answer[0] == 3, (action, odd, answer)


def oddities(payload):
    """Yield a payload with more, fewer, longer, empty and wrong fields, each once."""
    yield payload | {"extra": {"a": [1, None]}, "customNumber": 1e9}
    for key, value in payload.items():
        yield {name: inner for name, inner in payload.items() if name != key}
        for odd in (None, LONG, 7, True, [], {}, str(value)):
            yield payload | {key: odd}


async def test_numbers_as_text_and_text_as_numbers_are_understood() -> None:
    async with deciding() as rig, rig.charger() as charger:
        start = {"connectorId": "1", "idTag": 42, "meterStart": "100", "timestamp": T0}
        assert (await charger.call("StartTransaction", start))["transactionId"] == 17
        values = [{"value": 12.3, "unit": "kWh"}, {"value": " 7,2 ", "unit": "kW", "measurand": "Power.Active.Import"}]
        meter = {"connectorId": "1", "transactionId": "17", "meterValue": {"timestamp": T0, "sampledValue": values}}
        await charger.call("MeterValues", meter)
        await charger.call("StatusNotification", {"connectorId": "1", "status": "charging", "errorCode": 0})
        await charger.call("StopTransaction", {"transactionId": "17", "meterStop": "12500", "timestamp": T0})
        [started] = of(rig, TransactionStarted)
        assert (started.id_token, started.register_wh) == ("42", 100)
        [sample] = of(rig, MeterSampled)
        assert (sample.register_wh, sample.power_w, sample.transaction_id) == (12_300, 7200, "17")
        assert [str(status.activity) for status in of(rig, StatusReported)] == ["CHARGING"]
        [ended] = of(rig, TransactionEnded)
        assert (ended.transaction_id, ended.register_wh) == ("17", 12_500)


async def test_a_card_with_a_connector_beside_it_is_asked_about() -> None:
    async with deciding() as rig, rig.charger() as charger:
        assert await charger.call("Authorize", {"idTag": "04A2", "connectorId": 1}) == {
            "idTagInfo": {"status": "Accepted"}
        }
        assert [event.id_token for event in of(rig, AuthorizeRequested)] == ["04A2"]


async def test_calls_that_cross_are_both_answered() -> None:
    """A charger that answers only after its own question was answered, asked in the same moment."""
    async with deciding() as rig, rig.charger() as charger:
        await boot(charger)
        async with asyncio.TaskGroup() as group:
            group.create_task(rig.driver.execute(LIMIT))
            own = await charger.ask("Authorize", {"idTag": "tag"})
            assert (await charger.answer_to(own))[0] == 3
            await answer_limit(charger)


LIMIT = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(2), limit_a=6)


async def answer_limit(charger: ScriptedCharger) -> None:
    message_id, _, _ = await charger.request("SetChargingProfile")
    await charger.reply(message_id, {"status": "Accepted"})
