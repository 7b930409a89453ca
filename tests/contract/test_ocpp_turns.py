"""Whose turn it is on one connection, over a real socket: one CALL in flight, and what is urgent before what is not."""

import asyncio

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, PAUSE, START, STOP, Rig, ScriptedCharger, boot, running

from chargerd.contract import (
    OperatorRequest,
    Unreachable,
)

BY_HAND = {
    "1.6": ("GetLocalListVersion", {"listVersion": 0}),
    "2.0.1": ("GetLocalListVersion", {"versionNumber": 0}),
}
ORDER = {
    "1.6": ["RemoteStopTransaction", "SetChargingProfile", "RemoteStartTransaction"],
    "2.0.1": ["RequestStopTransaction", "SetChargingProfile", "RequestStartTransaction"],
}


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_never_two_calls_in_flight_and_stop_before_limit_before_start_before_set_up_and_polls(version) -> None:
    async with running() as rig, rig.charger(version) as charger:
        await boot(charger, version)
        slow = await _in_set_up(charger, version)
        async with asyncio.TaskGroup() as tasks:
            action, answer = BY_HAND[version]
            ask = OperatorRequest(charger_id=GARAGE, action=action, payload={}, asked_by="test")
            tasks.create_task(rig.driver.ask(ask))
            for command in (START, PAUSE, STOP):
                tasks.create_task(rig.driver.execute(command))
            assert await _alone(charger) == []
            await charger.refuse(slow, "NotSupported")
            for expected in ORDER[version]:
                message_id, asked, _ = await charger.request()
                assert asked == expected
                assert await _alone(charger) == [], "a second CALL came before the first was answered"
                await charger.reply(message_id, {"status": "Accepted"})
            rest = set()
            while action not in rest or len(rest) < 2:
                message_id, asked, _ = await charger.request()
                rest.add(asked)
                assert await _alone(charger) == []
                if asked == action:
                    await charger.reply(message_id, answer)
                else:
                    await charger.refuse(message_id, "NotSupported")


async def test_a_start_waits_for_one_answer_of_a_slow_set_up_and_not_for_all_of_it() -> None:
    async with running(call_timeout_s=0.6) as rig, rig.charger() as charger:
        await boot(charger)
        slow = await _in_set_up(charger, "1.6")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rig.driver.execute(START))
            await _alone(charger)
            await charger.refuse(slow, "NotSupported")
            message_id, asked, _ = await charger.request()
            assert asked == "RemoteStartTransaction"
            await charger.reply(message_id, {"status": "Accepted"})


async def test_who_gives_up_waiting_leaves_the_turn_to_the_next() -> None:
    async with running(call_timeout_s=0.2) as rig, rig.charger() as charger:
        await boot(charger)
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(_outcome(rig, PAUSE))
            message_id, asked, _ = await charger.request()
            assert asked == "SetChargingProfile"
            waiting = tasks.create_task(rig.driver.execute(START))
            await _alone(charger)
            waiting.cancel()
            tasks.create_task(rig.driver.execute(STOP))
            await charger.reply(message_id, {"status": "Accepted"})
            message_id, asked, _ = await charger.request()
            assert asked == "RemoteStopTransaction"
            await charger.reply(message_id, {"status": "Accepted"})
        assert first.result() is None


async def _in_set_up(charger: ScriptedCharger, version: str) -> str:
    """Boot again, and return the first question of the set-up that follows, unanswered."""
    await charger.call("BootNotification", BOOT_16 if version == "1.6" else BOOT_201)
    message_id, action, _ = await charger.request()
    assert action in {"GetConfiguration", "GetVariables"}
    return message_id


async def _alone(charger: ScriptedCharger) -> list[str]:
    """Return what was asked meanwhile: the answer to a Heartbeat comes behind all that was sent before it."""
    await charger.call("Heartbeat", {})
    return [action for _, action, _ in charger.requests]


async def _outcome(rig: Rig, command) -> Unreachable | None:
    try:
        await rig.driver.execute(command)
    except Unreachable as error:
        return error
    return None
