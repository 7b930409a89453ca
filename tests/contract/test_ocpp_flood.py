"""A charger that sends far too much, over a real socket: it is slowed down, and nobody else is."""

import asyncio

from ocpp_rig import BOOT_16, GARAGE, ScriptedCharger, running
from structlog.testing import capture_logs

from chargerd.clock import SystemClock
from chargerd.contract import ChargerId
from chargerd_drivers.ocpp.budget import BURST_S, FRAMES_PER_S
from chargerd_drivers.ocpp.config import OcppCharger

TWO = {GARAGE: OcppCharger(identity="CP1"), ChargerId("yard"): OcppCharger(identity="CP2")}
FRAMES_MAX = FRAMES_PER_S * BURST_S
HEARTBEATS = 3000
"""Five a second for ten minutes."""


async def test_a_mad_charger_is_read_more_slowly_and_told_of_once_while_another_is_served_at_once() -> None:
    loop = asyncio.get_running_loop()
    with capture_logs() as logs:
        async with (
            running(TWO, clock=SystemClock()) as rig,
            rig.charger() as mad,
            rig.charger(path="/ocpp/CP2") as other,
        ):
            async with asyncio.TaskGroup() as tasks:
                started_s = loop.time()
                flood = tasks.create_task(_flood(mad))
                for number in range(FRAMES_MAX + 5):
                    await mad.answer_to(f"f{number}")
                    if number % 4 == 0:
                        asked_s = loop.time()
                        await other.call("Heartbeat", {})
                        assert loop.time() - asked_s < 1
                assert loop.time() - started_s > 4 / FRAMES_PER_S
                flood.cancel()
            mad.socket.transport.abort()
    floods = [log for log in logs if log["event"] == "ocpp.flood"]
    assert [(log["charger"], log["log_level"]) for log in floods] == [(GARAGE, "warning")]


async def _flood(mad: ScriptedCharger) -> None:
    for number in range(FRAMES_MAX * 4):
        await mad.ask("Heartbeat", {}, f"f{number}")


async def test_redialling_does_not_fill_the_budget_of_a_mad_charger() -> None:
    loop = asyncio.get_running_loop()
    async with running(TWO, clock=SystemClock()) as rig:
        started_s, answered = loop.time(), 0
        for _ in range(2):
            async with rig.charger() as mad:
                for _ in range(FRAMES_MAX // 2 + 5):
                    await mad.call("Heartbeat", {})
                    answered += 1
        assert answered <= FRAMES_MAX + (loop.time() - started_s) * FRAMES_PER_S + 1


async def test_heartbeats_five_times_a_second_for_ten_minutes_tell_the_daemon_nothing() -> None:
    with capture_logs() as logs:
        async with running() as rig, rig.charger() as charger:
            await charger.call("BootNotification", BOOT_16)
            for number in range(HEARTBEATS // 100):
                ids = [await charger.ask("Heartbeat", {}, f"{number}.{n}") for n in range(100)]
                for message_id in ids:
                    await charger.answer_to(message_id)
            assert [event.kind for event in rig.sink.seen] == ["charger_booted", "charger_online"]
    assert not [log for log in logs if log["log_level"] in {"warning", "error"}]
