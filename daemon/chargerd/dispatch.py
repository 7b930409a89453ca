"""Routes commands to drivers, one at a time for each charger; outcomes come back as events."""

import asyncio
from collections.abc import Iterable, Mapping

import structlog

from chargerd.contract import Clock, Document, Driver, NotBegun, OperatorAnswer, OperatorRequest, SecurityRequest, Sink
from chargerd.core.commands import ChargerAnswer, ChargerCommand
from chargerd.core.document import rfc3339
from chargerd.core.events import CommandFailed, CommandSucceeded, Failure
from chargerd.core.ids import ChargerId
from chargerd.errors import DriverError, Refused, Unreachable

log = structlog.get_logger("chargerd.dispatch")

PENDING_MAX = 8
"""Commands that may wait for one charger. The core has at most two under way; older ones it has given up."""


_WORDS = {"start_transaction": "START", "stop_transaction": "STOP", "set_current_limit": "SET_LIMIT"}


class Dispatcher:
    """One queue and one task for each charger, so that a slow one delays no other."""

    def __init__(
        self, drivers: Mapping[ChargerId, Driver], sink: Sink, clock: Clock, *, opened: Iterable[Driver] = ()
    ) -> None:
        """``opened`` are all drivers, also one that no charger is configured for."""
        self._drivers = drivers
        self._opened = tuple(opened)
        self._clock = clock
        self._failures: dict[ChargerId, Document] = {}
        self._sink = sink
        self._queues: dict[ChargerId, asyncio.Queue[ChargerCommand]] = {
            charger_id: asyncio.Queue(PENDING_MAX) for charger_id in drivers
        }

    def dispatch(self, command: ChargerCommand) -> None:
        """Queue a command. Where too many wait, the oldest is dropped: the core has taken it for lost long ago."""
        queue = self._queues[command.charger_id]
        if queue.full():
            dropped = queue.get_nowait()
            log.debug("command.dropped", charger=dropped.charger_id, command=dropped.kind)
        queue.put_nowait(command)

    async def answer(self, answer: ChargerAnswer) -> None:
        """Give a waiting charger its answer, past all commands."""
        await self._drivers[answer.charger_id].answer(answer)

    async def operate(self, request: OperatorRequest) -> OperatorAnswer | None:
        """Have a charger asked something by hand; None when its driver takes no such requests. Raises Unreachable."""
        operator = self._drivers[request.charger_id].operator
        return None if operator is None else await operator.ask(request)

    async def secure(self, request: SecurityRequest) -> NotBegun | None:
        """Begin to raise a charger's security; None: begun."""
        operator = self._drivers[request.charger_id].operator
        return (
            NotBegun("its driver has no security to be raised") if operator is None else await operator.secure(request)
        )

    def security(self, charger_id: ChargerId) -> Document | None:
        """How a charger comes in, and what became of the last request to raise its security."""
        operator = self._drivers[charger_id].operator
        return None if operator is None else operator.security(charger_id)

    def pending(self) -> tuple[Document, ...]:
        """Devices that knocked and are not configured."""
        operators = [driver.operator for driver in self._opened]
        return tuple(one for operator in operators if operator is not None for one in operator.pending())

    def told(self, charger_id: ChargerId) -> Document:
        """What a charger told beside charging, by topic."""
        operator = self._drivers[charger_id].operator
        return {} if operator is None else operator.told(charger_id)

    def overview(self, charger_id: ChargerId) -> Document | None:
        """What may be asked of a charger by hand, and its latest messages; None where nothing may."""
        operator = self._drivers[charger_id].operator
        return None if operator is None else operator.overview(charger_id)

    def last_failure(self, charger_id: ChargerId) -> Document | None:
        """The last command that did not come off since the daemon started, whatever came off after it."""
        return self._failures.get(charger_id)

    async def run(self) -> None:
        """Carry commands out until cancelled."""
        async with asyncio.TaskGroup() as group:
            for charger_id in self._queues:
                group.create_task(self._serve(charger_id), name=f"dispatch {charger_id}")

    async def _serve(self, charger_id: ChargerId) -> None:
        queue, driver = self._queues[charger_id], self._drivers[charger_id]
        while True:
            command = await queue.get()
            outcome = await _outcome(driver, command)
            if isinstance(outcome, CommandFailed):
                self._failures[charger_id] = {
                    "action": _WORDS[command.kind],
                    "at": rfc3339(self._clock.now()),
                    "failure": str(outcome.failure),
                    "detail": outcome.detail,
                }
            await self._sink.put(outcome)


async def _outcome(driver: Driver, command: ChargerCommand) -> CommandSucceeded | CommandFailed:
    try:
        await driver.execute(command)
    except DriverError as error:
        log.debug("command.failed", charger=command.charger_id, command=command.kind, error=str(error))
        return CommandFailed(
            charger_id=command.charger_id,
            command_id=command.command_id,
            failure=_failure(error),
            detail=str(error),
        )
    return CommandSucceeded(charger_id=command.charger_id, command_id=command.command_id)


def _failure(error: DriverError) -> Failure:
    match error:
        case Unreachable():
            return Failure.TIMED_OUT if error.timed_out else Failure.UNREACHABLE
        case Refused():
            return Failure.REFUSED if error.supported else Failure.NOT_SUPPORTED
        case _:
            return Failure.REFUSED
