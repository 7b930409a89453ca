"""The running daemon as the API sees it: the state of this instant, requests that are answered, and what changes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from chargerd import __version__
from chargerd.chargers import charger_document
from chargerd.contract import (
    Archive,
    Change,
    Clock,
    Document,
    Health,
    NotBegun,
    OperatorAnswer,
    OperatorRequest,
    SecurityRequest,
)
from chargerd.core import document, explain, session
from chargerd.core.commands import Command, StoreSettled
from chargerd.core.events import Event
from chargerd.core.ids import ChargerId, PolicyId
from chargerd.core.model import State
from chargerd.core.policy import Policy
from chargerd.loop import Loop
from chargerd.plan.prices import PriceCurve

BACKLOG = 256
"""Changes kept for a reader that is slow; then it loses the oldest."""


class Rim(Protocol):
    """What is known of chargers and asked of them past the core."""

    async def operate(self, request: OperatorRequest) -> OperatorAnswer | None:
        """Have a charger asked something by hand; None where nothing may be asked."""
        ...

    async def secure(self, request: SecurityRequest) -> NotBegun | None:
        """Begin to raise a charger's security; None: begun."""
        ...

    def security(self, charger_id: ChargerId) -> Document | None:
        """How a charger comes in, and what became of the last request to raise its security."""
        ...

    def told(self, charger_id: ChargerId) -> Document:
        """What a charger told beside charging, by topic."""
        ...

    def pending(self) -> tuple[Document, ...]:
        """Devices that knocked and are not configured."""
        ...

    def overview(self, charger_id: ChargerId) -> Document | None:
        """What may be asked of a charger by hand, and its latest messages; None where nothing may."""
        ...

    def last_failure(self, charger_id: ChargerId) -> Document | None:
        """The last command that did not come off."""
        ...


class Keeper(Protocol):
    """Who keeps the configuration."""

    @property
    def configuration_file(self) -> str:
        """Where it is."""
        ...

    def reload(self) -> tuple[str, ...]:
        """Read it again; what is wrong with it, () when it is taken."""
        ...


class DaemonDesk:
    """Implements ``contract.Desk`` over the loop and the store."""

    def __init__(self, *, loop: Loop, archive: Archive, clock: Clock, rim: Rim, keeper: Keeper) -> None:
        self._loop = loop
        self._rim = rim
        self._keeper = keeper
        self._archive = archive
        self._readers: list[_Reader] = []
        self._shown: dict[tuple[str, str], Document] = {}
        self._started_at = clock.now()
        self.problems: dict[str, str] = {"starting": "starting up"}
        """Why the daemon is not ready, by cause; empty when it is."""
        loop.decided.append(self._decided)

    @property
    def archive(self) -> Archive:
        """What has settled."""
        return self._archive

    def now(self) -> datetime:
        """The time by which the daemon decides."""
        return self._loop.now()

    def policies(self) -> tuple[Policy, ...]:
        """All policies."""
        return tuple(slot.policy for state in self._states() for slot in state.slots)

    def session(self, policy_id: PolicyId) -> Document | None:
        """The current session of a policy."""
        found = (document.current(state, policy_id) for state in self._states())
        return next((one for one in found if one is not None), None)

    def explanation(self, policy_id: PolicyId) -> Document | None:
        """Why a policy's car is charging now, or is not."""
        found = (explain.explanation(state, policy_id) for state in self._states())
        return next((one for one in found if one is not None), None)

    def chargers(self) -> tuple[Document, ...]:
        """All chargers."""
        return tuple(self._charger(state) for state in self._states())

    def pending(self) -> tuple[Document, ...]:
        """Devices that knocked and are not configured."""
        return self._rim.pending()

    @property
    def configuration_file(self) -> str:
        """The path of the configuration."""
        return self._keeper.configuration_file

    def reload(self) -> tuple[str, ...]:
        """Read the configuration again."""
        return self._keeper.reload()

    def overview(self, charger_id: ChargerId) -> Document | None:
        """What may be asked of a charger by hand, and its latest messages."""
        return self._rim.overview(charger_id)

    def _charger(self, state: State) -> Document:
        name = state.charger.charger_id
        return charger_document(state, told=self._rim.told(name), last_failure=self._rim.last_failure(name))

    def vehicles(self) -> tuple[Document, ...]:
        """All vehicles, each as the charger knows it that it visits."""
        known = [one for state in self._states() for one in document.vehicles(state)]
        shown = {one["id"]: one for one in sorted(known, key=lambda one: one["at"] is not None)}
        return tuple(shown[name] for name in self._loop.vehicles if name in shown)

    def prices(self) -> PriceCurve:
        """The price curve."""
        return next((state.prices for state in self._states()), PriceCurve())

    def health(self) -> Health:
        """How the daemon is."""
        states = self._states()
        store = self._loop.store_problem
        problems = (*self.problems.values(), *((store,) if store else ()))
        return Health(
            ready=not self.problems,
            problems=problems,
            version=__version__,
            started_at=self._started_at,
            chargers_online=sum(state.facts.online for state in states),
            chargers=len(states),
        )

    async def operate(self, request: OperatorRequest) -> OperatorAnswer | None:
        """Have a charger asked something by hand. Raises Unreachable when no answer came."""
        state = self._loop.states[request.charger_id]
        return await self._rim.operate(replace(request, has_visit=has_car(state)))

    async def secure(self, request: SecurityRequest) -> NotBegun | None:
        """Begin to raise a charger's security."""
        state = self._loop.states[request.charger_id]
        return await self._rim.secure(replace(request, has_visit=has_car(state)))

    def security(self, charger_id: ChargerId) -> Document | None:
        """How a charger comes in, and what became of the last request to raise its security."""
        return self._rim.security(charger_id)

    async def request(self, event: Event) -> str | None:
        """Post a request event and wait for its answer."""
        reply_to = getattr(event, "reply_to", None)
        assert reply_to is not None, "a request names its asker"
        return await self._loop.request(event, reply_to)

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[Change]]:
        """Every changed document from now on."""
        if not self._readers:
            self._shown = {(c.topic, c.key): c.document for state in self._states() for c in self._documents(state)}
        reader = _Reader()
        self._readers.append(reader)
        try:
            yield reader.read()
        finally:
            self._readers.remove(reader)

    def _documents(self, state: State) -> list[Change]:
        sessions = [
            Change(topic="session", key=slot.policy.policy_id, document=found)
            for slot in state.slots
            if (found := document.current(state, slot.policy.policy_id)) is not None
        ]
        return [*sessions, Change(topic="charger", key=state.charger.charger_id, document=self._charger(state))]

    def _states(self) -> tuple[State, ...]:
        return tuple(self._loop.states.values())

    def _decided(self, before: State | None, after: State, commands: tuple[Command, ...]) -> None:
        """Tell the readers, if there are any; without them no document is made."""
        if not self._readers:
            return
        changes = [
            Change(topic="settled", key=command.session_id, document=command.document)
            for command in commands
            if isinstance(command, StoreSettled)
        ]
        for change in self._documents(after):
            if self._shown.get((change.topic, change.key)) != change.document:
                self._shown[change.topic, change.key] = change.document
                changes.append(change)
        if before is not None and before.prices is not after.prices:
            count = {"currency": after.prices.currency, "slots": len(after.prices.slots)}
            changes.append(Change(topic="prices", key="prices", document=count))
        for reader in self._readers:
            reader.put(changes)


def has_car(state: State) -> bool:
    """Tell whether a car is there, or something is being charged all the same."""
    visit, facts = session.visit(state), state.facts
    is_visited = visit is not None and visit.unplugged_at is None
    return is_visited or facts.plugged is True or facts.transaction is not None


class _Reader:
    """One reader of changes."""

    def __init__(self) -> None:
        self._waiting: deque[Change] = deque(maxlen=BACKLOG)
        self._filled = asyncio.Event()

    def put(self, changes: list[Change]) -> None:
        self._waiting.extend(changes)
        if changes:
            self._filled.set()

    async def read(self) -> AsyncIterator[Change]:
        while True:
            await self._filled.wait()
            while self._waiting:
                yield self._waiting.popleft()
            self._filled.clear()
