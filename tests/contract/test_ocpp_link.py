"""One connection under load and abuse: garbage, silence, disconnects, and one CALL at a time, over a real socket."""

import asyncio
import json

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, START, STOP, KeptMemory, RecordingSink, boot, running
from structlog.testing import capture_logs

from chargerd.contract import (
    Capabilities,
    CapabilitiesChanged,
    ChargerId,
    ChargerOnline,
    CommandId,
    Document,
    Event,
    MeterSampled,
    Refused,
    SetCurrentLimit,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
    Unreachable,
)
from chargerd_drivers.ocpp.config import OcppCharger

LIMIT = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(9), limit_a=6.3, transaction_id=TransactionId("17"))

GARBAGE = {
    "no JSON": "hello",
    "empty": "",
    "object": "{}",
    "number": "1",
    "null": "null",
    "empty array": "[]",
    "only a type": "[2]",
    "action is a list": '[2,"a",["x"],{}]',
    "action is an object": '[2,"a",{"x":1},{}]',
    "id is an object": '[2,{"x":1},"Heartbeat",{}]',
    "id without end": json.dumps([2, "x" * 5000, "Heartbeat", {}]),
    "unknown type": '[9,"a","Heartbeat",{}]',
    "NaN": '[2,"a","MeterValues",{"connectorId":NaN}]',
    "Infinity": '[2,"a","MeterValues",{"connectorId":-Infinity}]',
    "out of range": '[2,"a","MeterValues",{"connectorId":1e400}]',
    "giant integer": '[2,"a","MeterValues",{"connectorId":' + "9" * 6000 + "}]",
    "deep": '[2,"a","Heartbeat",' + "[" * 100_000 + "]" * 100_000 + "]",
    "deep objects": '[2,"a","Heartbeat",' + '{"a":' * 900 + "1" + "}" * 900 + "]",
    "unasked result": '[3,"never",{}]',
    "unasked error": '[4,"never","GenericError","",{}]',
    "result of nothing": '[3,"never"]',
    "binary": b"\xff\xfe\x00\x01",
    "action with a path": '[2,"a","../../etc/passwd",{}]',
    "payload is a list": '[2,"a","StatusNotification",[1,2]]',
    "boot without anything": '[2,"a","Heartbeat"]',
}


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_costs_neither_this_connection_nor_another(version, garbage) -> None:
    chargers = {GARAGE: OcppCharger(identity="CP1"), ChargerId("yard"): OcppCharger(identity="CP2")}
    async with running(chargers) as rig, rig.charger(version) as charger, rig.charger(path="/ocpp/CP2") as other:
        await charger.socket.send(garbage)
        assert "currentTime" in await charger.call("Heartbeat", {})
        assert "currentTime" in await other.call("Heartbeat", {})


@pytest.mark.parametrize(("version", "code"), [("1.6", "FormationViolation"), ("2.0.1", "FormatViolation")])
@pytest.mark.parametrize("kind", ["NaN", "out of range", "giant integer", "deep", "action is a list"])
async def test_a_broken_request_with_a_readable_id_is_answered_in_the_words_of_its_version(kind, version, code) -> None:
    async with running() as rig, rig.charger(version) as charger:
        await charger.socket.send(GARBAGE[kind])
        assert (await charger.answer_to("a"))[2] == code


async def test_garbage_is_warned_of_once_per_connection_with_an_excerpt() -> None:
    with capture_logs() as logs:
        async with running() as rig, rig.charger() as charger:
            for number in range(20):
                await charger.socket.send(f"hello {number}" + "x" * 10_000)
            await charger.call("Heartbeat", {})
    warnings = [log for log in logs if log["event"] == "ocpp.broken_frame" and log["log_level"] == "warning"]
    assert len(warnings) == 1
    assert warnings[0]["charger"] == GARAGE
    assert "hello 0" in warnings[0]["excerpt"]
    assert len(warnings[0]["excerpt"]) < 200


async def test_a_transaction_message_with_nan_is_taken_without_the_nan() -> None:
    async with running(answer_timeout_s=0.02) as rig, rig.charger() as charger:
        await charger.socket.send('[2,"s","StopTransaction",{"transactionId":17,"meterStop":NaN}]')
        assert (await charger.answer_to("s"))[0] == 3
        ended = await rig.sink.take(TransactionEnded)
        assert (ended.transaction_id, ended.register_wh) == ("17", None)


@pytest.mark.parametrize("payload", [{}, {"transactionId": None}, {"transactionId": [1], "meterStop": {}}, [1], None])
async def test_a_stop_that_breaks_the_schema_is_confirmed_and_warned_of_once(payload) -> None:
    with capture_logs() as logs:
        async with running(answer_timeout_s=0.02) as rig, rig.charger() as charger:
            for _ in range(3):
                answer = await charger.answer_to(await charger.ask("StopTransaction", payload))
                assert answer[0] == 3
    odd = [log for log in logs if log["event"] == "ocpp.odd_payload"]
    assert [log["action"] for log in odd] == ["StopTransaction"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize(("action", "code"), [("Fancy", "NotImplemented"), ("Reset", "NotSupported")])
async def test_an_action_that_is_not_for_us_gets_a_call_error(version, action, code) -> None:
    async with running() as rig, rig.charger(version) as charger:
        assert (await charger.answer_to(await charger.ask(action, {})))[2] == code


async def test_a_large_fragmented_binary_message_is_read() -> None:
    async with running() as rig, rig.charger() as charger:
        meters = [{"timestamp": "2026-01-14T16:00:00Z", "sampledValue": [{"value": str(n)}]} for n in range(6000)]
        frame = json.dumps([2, "big", "MeterValues", {"connectorId": 1, "meterValue": meters}]).encode()
        assert len(frame) > 300_000
        await charger.socket.send([frame[:1000], frame[1000:200_000], frame[200_000:]])
        assert (await charger.answer_to("big"))[2] == {}
        assert (await rig.sink.take(MeterSampled)).register_wh == 0


async def test_a_bug_behind_the_sink_is_logged_and_keeps_the_connection() -> None:
    class Failing(RecordingSink):
        async def put(self, event: Event) -> None:
            if isinstance(event, MeterSampled):
                raise ZeroDivisionError
            await super().put(event)

    with capture_logs() as logs:
        async with running(sink=Failing()) as rig, rig.charger() as charger:
            meter = {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "1"}]}]}
            assert await charger.call("MeterValues", meter) == {}
            assert "currentTime" in await charger.call("Heartbeat", {})
    [bug] = [log for log in logs if log["event"] == "ocpp.bug"]
    assert bug["log_level"] == "error"
    assert bug["exc_info"]


async def test_a_charger_that_is_not_connected_is_unreachable() -> None:
    async with running() as rig:
        with pytest.raises(Unreachable, match="garage") as failed:
            await rig.driver.execute(START)
        assert not failed.value.timed_out


async def test_a_disconnect_fails_the_command_under_way_and_those_that_wait_at_once() -> None:
    async with running() as rig:
        async with rig.charger() as charger:
            await boot(charger)
            waiting = asyncio.gather(*(rig.driver.execute(START) for _ in range(3)), return_exceptions=True)
            await charger.request("RemoteStartTransaction")
        started = asyncio.get_running_loop().time()
        outcomes = await waiting
        assert asyncio.get_running_loop().time() - started < 1
        assert [type(outcome) for outcome in outcomes] == [Unreachable] * 3
        assert not any(outcome.timed_out for outcome in outcomes)


async def test_a_newer_connection_fails_the_command_under_way_on_the_old_one() -> None:
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        async with asyncio.TaskGroup() as tasks:
            execution = tasks.create_task(_outcome(rig.driver.execute(START)))
            await charger.request("RemoteStartTransaction")
            async with rig.charger():
                assert isinstance(await execution, Unreachable)


async def test_a_boot_fails_the_command_under_way() -> None:
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        async with asyncio.TaskGroup() as tasks:
            execution = tasks.create_task(_outcome(rig.driver.execute(START)))
            await charger.request("RemoteStartTransaction")
            await charger.call("BootNotification", BOOT_16)
            assert isinstance(await execution, Unreachable)


async def _outcome(awaitable) -> BaseException | None:
    try:
        await awaitable
    except (Unreachable, Refused) as error:
        return error
    return None


async def test_a_command_without_an_answer_times_out_and_its_late_answer_is_ignored() -> None:
    async with running(call_timeout_s=0.1) as rig, rig.charger() as charger:
        await boot(charger)
        failed = await _outcome(rig.driver.execute(START))
        assert isinstance(failed, Unreachable)
        assert failed.timed_out
        late, _, _ = await charger.request("RemoteStartTransaction")
        await charger.reply(late, {"status": "Accepted"})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rig.driver.execute(STOP))
            message_id, action, _ = await charger.request()
            assert action == "RemoteStopTransaction"
            await charger.reply(message_id, {"status": "Accepted"})


async def test_a_charger_that_lets_three_commands_in_a_row_time_out_is_sent_away_to_reconnect() -> None:
    async with running(call_timeout_s=0.05) as rig, rig.charger() as charger:
        await boot(charger)
        for _ in range(3):
            await _outcome(rig.driver.execute(START))
        await charger.closed()


async def test_one_call_is_in_flight_at_a_time() -> None:
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(rig.driver.execute(START))
            for _ in range(3):
                message_id, _, _ = await charger.request("RemoteStartTransaction")
                await charger.call("Heartbeat", {})
                assert not charger.requests, "a second CALL came before the first was answered"
                await charger.reply(message_id, {"status": "Accepted"})


async def test_more_waiting_commands_than_there_is_room_for_fail_at_once() -> None:
    async with running() as rig:
        async with rig.charger() as charger:
            await boot(charger)
            waiting = asyncio.gather(*(rig.driver.execute(START) for _ in range(40)), return_exceptions=True)
            await charger.request("RemoteStartTransaction")
        messages = [str(outcome) for outcome in await waiting]
        assert sum("others are waiting" in message for message in messages) >= 20


@pytest.mark.parametrize(
    ("version", "command", "action", "payload"),
    [
        pytest.param("1.6", START, "RemoteStartTransaction", {"idTag": "chargerd", "connectorId": 1}, id="start 1.6"),
        pytest.param("1.6", STOP, "RemoteStopTransaction", {"transactionId": 17}, id="stop 1.6"),
        pytest.param(
            "2.0.1",
            START,
            "RequestStartTransaction",
            {"idToken": {"idToken": "chargerd", "type": "Central"}, "remoteStartId": 7, "evseId": 1},
            id="start 2.0.1",
        ),
        pytest.param("2.0.1", STOP, "RequestStopTransaction", {"transactionId": "17"}, id="stop 2.0.1"),
    ],
)
async def test_a_command_returns_when_the_charger_accepted(version, command, action, payload) -> None:
    async with running() as rig, rig.charger(version) as charger:
        await boot(charger, version)
        async with asyncio.TaskGroup() as tasks:
            execution = tasks.create_task(rig.driver.execute(command))
            message_id, asked, sent = await charger.request()
            assert (asked, sent) == (action, payload)
            await charger.call("Heartbeat", {})
            assert not execution.done()
            await charger.reply(message_id, {"status": "Accepted"})


@pytest.mark.parametrize(
    ("answer", "is_supported"),
    [
        pytest.param({"status": "Rejected"}, True, id="rejected"),
        pytest.param({"status": "NotSupported"}, False, id="not supported"),
        pytest.param({}, True, id="no status"),
        pytest.param("GenericError", True, id="error"),
        pytest.param("VendorTrouble", True, id="a vendor's own error"),
        pytest.param("NotImplemented", False, id="not implemented"),
        pytest.param("NotSupported", False, id="not supported as an error"),
    ],
)
async def test_a_refusal_says_whether_the_charger_could_ever(answer, is_supported) -> None:
    async with running() as rig, rig.charger() as charger:
        await boot(charger)
        async with asyncio.TaskGroup() as tasks:
            execution = tasks.create_task(_outcome(rig.driver.execute(STOP)))
            message_id, _, _ = await charger.request("RemoteStopTransaction")
            if isinstance(answer, str):
                await charger.refuse(message_id, answer)
            else:
                await charger.reply(message_id, answer)
        refused = execution.result()
        assert isinstance(refused, Refused)
        assert refused.supported is is_supported
        changes = [event.capabilities for event in rig.sink.seen if isinstance(event, CapabilitiesChanged)]
        assert changes == ([] if is_supported else [Capabilities(can_stop=False)])


async def test_a_full_inbox_does_not_hinder_a_stop_of_the_driver() -> None:
    class Stuck(RecordingSink):
        async def put(self, event: Event) -> None:
            await asyncio.get_running_loop().create_future()

    async with asyncio.timeout(8), running(sink=Stuck()) as rig, rig.charger() as charger:
        await charger.ask("Heartbeat", {})
        await charger.answer_to("m1")


async def test_a_full_inbox_holds_back_only_what_is_read_after_it() -> None:
    class Slow(RecordingSink):
        def __init__(self) -> None:
            super().__init__()
            self.room = asyncio.Event()

        async def put(self, event: Event) -> None:
            await self.room.wait()
            await super().put(event)

    sink = Slow()
    async with running(sink=sink) as rig, rig.charger("2.0.1") as charger:
        assert (await charger.call("BootNotification", BOOT_201))["status"] == "Accepted"
        assert sink.seen == []
        sink.room.set()
        await rig.sink.take(ChargerOnline)


async def test_the_transactions_of_another_evse_are_known_by_their_id_later_on() -> None:
    async with running() as rig, rig.charger("2.0.1") as charger:
        event = {"eventType": "Started", "transactionInfo": {"transactionId": "other"}, "triggerReason": "Authorized"}
        assert await charger.call("TransactionEvent", {**event, "evse": {"id": 2}}) == {}
        assert await charger.call("TransactionEvent", {**event, "eventType": "Ended"}) == {}
        assert not [event for event in rig.sink.seen if isinstance(event, TransactionStarted | TransactionEnded)]


async def test_a_charger_that_is_back_while_its_old_connection_is_still_written_down_is_served() -> None:
    class Slow(KeptMemory):
        def __init__(self) -> None:
            super().__init__()
            self.is_slow = False
            self.is_busy = asyncio.Event()
            self.goes_on = asyncio.Event()

        async def remember(self, key: str, document: Document) -> None:
            if self.is_slow:
                self.is_busy.set()
                await self.goes_on.wait()
            await super().remember(key, document)

    memory = Slow()
    with capture_logs() as logs:
        async with running(memory=memory) as rig:
            async with rig.charger() as charger:
                await charger.call("BootNotification", BOOT_16)
                await charger.request("GetConfiguration")
                memory.is_slow = True
                charger.socket.transport.abort()
                await memory.is_busy.wait()
            async with rig.charger() as charger:
                assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"
                memory.goes_on.set()
    assert not [log for log in logs if log["event"] == "ocpp.bug"]
