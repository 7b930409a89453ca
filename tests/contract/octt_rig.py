"""What the cases of the OCTT (the conformance tests of the Open Charge Alliance) need: a core that says yes, and words.

The cases are told by their purpose, as quirks are: the scripted charger does what the tool would do.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from ocpp_rig import GARAGE, RecordingSink, Rig, ScriptedCharger, boot, running

from chargerd.contract import (
    AnswerAuthorize,
    AnswerTransaction,
    AuthorizeRequested,
    ChargerCommand,
    CommandId,
    DriverError,
    Event,
    SetCurrentLimit,
    StartTransaction,
    StatusReported,
    StopTransaction,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)

TX = "17"
"""The transaction id that is given to every transaction of 1.6."""
ACCEPTED = {"status": "Accepted"}
START = StartTransaction(charger_id=GARAGE, command_id=CommandId(7), id_token="chargerd")
STOP = StopTransaction(charger_id=GARAGE, command_id=CommandId(8), transaction_id=TransactionId(TX))
LIMIT = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(9), limit_a=6)


class DecidingSink(RecordingSink):
    """Keeps every event, and answers who asks: every card but the ``refused`` ones, every transaction."""

    def __init__(self, refused: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.rig: Rig | None = None
        self._refused = refused

    async def put(self, event: Event) -> None:
        await super().put(event)
        assert self.rig is not None
        match event:
            case AuthorizeRequested():
                accepted = event.id_token not in self._refused
                answer = AnswerAuthorize(charger_id=GARAGE, reply_to=event.reply_to, accepted=accepted)
                await self.rig.driver.answer(answer)
            case TransactionStarted() | TransactionEnded():
                named = event.transaction_id or TransactionId(TX)
                taken = AnswerTransaction(charger_id=GARAGE, reply_to=event.reply_to, transaction_id=named)
                await self.rig.driver.answer(taken)


@contextlib.asynccontextmanager
async def deciding(refused: frozenset[str] = frozenset(), **section: Any) -> AsyncIterator[Rig]:
    """Run a driver whose charger's questions are answered."""
    sink = DecidingSink(refused)
    async with running(sink=sink, **section) as rig:
        sink.rig = rig
        yield rig


@contextlib.asynccontextmanager
async def booted(version: str, refused: frozenset[str] = frozenset()) -> AsyncIterator[tuple[Rig, ScriptedCharger]]:
    """Run a driver with one charger that has booted and is asked nothing more."""
    async with deciding(refused) as rig, rig.charger(version) as charger:
        await boot(charger, version)
        yield rig, charger


async def commanded(
    rig: Rig, charger: ScriptedCharger, command: ChargerCommand, answer: Mapping[str, Any]
) -> tuple[str, dict[str, Any], DriverError | None]:
    """Execute a command, answered so; return the request's action and payload, and how it failed."""

    async def outcome() -> DriverError | None:
        try:
            await rig.driver.execute(command)
        except DriverError as error:
            return error
        return None

    async def refuse_all() -> None:
        while True:
            message_id, _, _ = await charger.request()
            await charger.refuse(message_id, "NotSupported")

    async with asyncio.TaskGroup() as tasks:
        execution = tasks.create_task(outcome())
        message_id, action, payload = await charger.request()
        await charger.reply(message_id, answer)
        rest = tasks.create_task(refuse_all())
        execution.add_done_callback(lambda _: rest.cancel())
    return action, payload, execution.result()


def of(rig: Rig, kind: type[Any]) -> list[Any]:
    """Return the events of a kind so far, oldest first."""
    return [event for event in rig.sink.seen if isinstance(event, kind)]


def plugs(rig: Rig) -> list[tuple[bool | None, str]]:
    """Return what was told of plug and activity so far; "" is nothing."""
    return [(status.plugged, str(status.activity or "")) for status in of(rig, StatusReported)]
