"""Connections over lines as they are: dead, cut by routers, or with a charger at the end that answers nothing."""

import asyncio
import contextlib
import json

import pytest
from ocpp_lines import PING, PONG, TEXT, black_hole, raw_charger, router
from ocpp_rig import BOOT_16, GARAGE, PATIENCE_S, START, Rig, boot, running
from structlog.testing import capture_logs

from chargerd.contract import (
    Activity,
    ChargerId,
    ChargerOffline,
    ChargerOnline,
    StatusReported,
    TransactionEnded,
    Unreachable,
)
from chargerd_drivers.ocpp.config import OcppCharger

TWO = {GARAGE: OcppCharger(identity="CP1"), ChargerId("yard"): OcppCharger(identity="CP2")}


async def test_a_charger_whose_packets_go_nowhere_is_offline_after_three_intervals() -> None:
    async with running(TWO, ping_interval_s=0.3) as rig, rig.charger() as gone, rig.charger(path="/ocpp/CP2") as other:
        await gone.call("BootNotification", BOOT_16)
        await rig.sink.take(ChargerOnline)
        black_hole(gone.socket.transport.get_extra_info("socket"))
        offline = await rig.sink.take(ChargerOffline)
        assert offline.charger_id == GARAGE
        await other.call("Heartbeat", {})
        gone.socket.transport.abort()


async def test_a_command_to_a_charger_whose_packets_go_nowhere_fails_with_the_connection() -> None:
    async with running(ping_interval_s=0.3) as rig, rig.charger() as gone:
        await boot(gone)
        black_hole(gone.socket.transport.get_extra_info("socket"))
        with pytest.raises(Unreachable) as failed:
            await rig.driver.execute(START)
        assert not failed.value.timed_out
        gone.socket.transport.abort()


async def test_a_charger_that_answers_no_ping_stays_connected() -> None:
    async with running(ping_interval_s=0.02) as rig, raw_charger(rig.port) as line:
        kinds = set()
        async with asyncio.timeout(PATIENCE_S):
            for number in range(20):
                line.send([2, f"h{number}", "Heartbeat", {}])
                while True:
                    kind, frame = await line.receive()
                    kinds.add(kind)
                    if kind == TEXT and frame[1] == f"h{number}":
                        break
            while kinds != {TEXT, PING, PONG}:
                kinds.add((await line.receive())[0])
        assert not [event for event in rig.sink.seen if isinstance(event, ChargerOffline)]


async def test_pings_keep_a_router_from_cutting_a_quiet_connection() -> None:
    async with (
        running(ping_interval_s=0.1) as rig,
        router(rig.port, idle_s=0.6) as nat,
        rig.charger(port=nat.port) as charger,
    ):
        await boot(charger)
        await nat.passed(20)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rig.driver.execute(START))
            message_id, _, _ = await charger.request("RemoteStartTransaction")
            await charger.reply(message_id, {"status": "Accepted"})


async def test_a_charger_whose_heart_beats_but_that_answers_nothing_is_sent_away_and_works_when_it_is_back() -> None:
    with capture_logs() as logs:
        async with running(call_timeout_s=0.1) as rig:
            async with rig.charger() as zombie:
                await boot(zombie)
                for _ in range(2):
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(_unanswered(rig))
                        for _ in range(5):
                            assert "currentTime" in await zombie.call("Heartbeat", {})
                await _unanswered(rig)
                await zombie.closed()
            async with rig.charger() as charger:
                await boot(charger)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(rig.driver.execute(START))
                    message_id, _, _ = await charger.request("RemoteStartTransaction")
                    await charger.reply(message_id, {"status": "Accepted"})
    assert [log["charger"] for log in logs if log["event"] == "ocpp.unresponsive"] == [GARAGE]


@pytest.mark.parametrize(("version", "payload"), [("1.6", {"type": "Soft"}), ("2.0.1", {"type": "Immediate"})])
async def test_a_charger_that_a_new_connection_did_not_cure_is_restarted_and_left_to_go_by_itself(
    version, payload
) -> None:
    async with running(call_timeout_s=0.05) as rig:
        async with rig.charger(version) as zombie:
            await boot(zombie, version)
            for _ in range(3):
                await _unanswered(rig)
            await zombie.closed()
        async with rig.charger(version) as zombie:
            await boot(zombie, version)
            for _ in range(3):
                await _unanswered(rig)
            message_id, _, sent = await zombie.request("Reset")
            assert sent == payload
            await zombie.reply(message_id, {"status": "Accepted"})
            for _ in range(3):
                await zombie.call("Heartbeat", {})
            for _ in range(3):
                await _unanswered(rig)
            await zombie.closed()
            assert "Reset" not in [action for _, action, _ in zombie.requests]


async def test_one_message_id_on_two_connections_is_two_messages() -> None:
    async with running() as rig:
        for status, activity in (("Preparing", Activity.EV_CONNECTED), ("Charging", Activity.CHARGING)):
            async with rig.charger() as charger:
                answer = await charger.answer_to(await charger.ask("StatusNotification", _status(status), "1"))
                assert answer == [3, "1", {}]
                assert (await rig.sink.take(StatusReported)).activity is activity


async def test_two_messages_in_one_frame_are_both_taken_and_one_cut_off_costs_no_other() -> None:
    async with running() as rig, rig.charger() as charger:
        one, two = (json.dumps([2, str(n), "Heartbeat", {}]) for n in (1, 2))
        await charger.socket.send(one + two)
        for message_id in ("1", "2"):
            assert "currentTime" in (await charger.answer_to(message_id))[2]
        await charger.socket.send('[2,"3","MeterVal' + json.dumps([2, "4", "Heartbeat", {}]) + '[2,"5","Hea')
        assert [(await charger.answer_to(message_id))[0] for message_id in ("3", "4", "5")] == [4, 3, 4]


async def test_a_stop_before_the_socket_is_torn_is_no_fault_and_is_confirmed_when_it_comes_again() -> None:
    stop = {"transactionId": 17, "meterStop": 100, "timestamp": "2026-01-14T16:00:00Z", "reason": "HardReset"}
    with capture_logs() as logs:
        async with running(answer_timeout_s=0.05) as rig:
            async with rig.charger() as charger:
                await charger.ask("StopTransaction", stop)
                await rig.sink.take(TransactionEnded)
                charger.socket.transport.abort()
            async with rig.charger() as charger:
                await charger.call("BootNotification", BOOT_16)
                await charger.call("StopTransaction", stop)
                assert (await rig.sink.take(TransactionEnded)).transaction_id == "17"
    assert not [log for log in logs if log["event"] == "ocpp.bug"]


def _status(status: str) -> dict[str, object]:
    return {"connectorId": 1, "errorCode": "NoError", "status": status}


async def _unanswered(rig: Rig) -> None:
    with contextlib.suppress(Unreachable):
        await rig.driver.execute(START)
