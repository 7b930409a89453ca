"""The requests that wait to be sent, in order. Those about transactions outlive a lost connection."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Payload = dict[str, Any]
Answer = Payload | asyncio.Future[Payload]
"""What a request of the central system is answered, or what will become it."""

_SIZE_MAX = 10_000


def _nothing(_: Payload) -> None:
    """Take no notice of an answer."""


@dataclass(slots=True, eq=False)
class Message:
    """A request. ``build`` makes the payload when it is sent, because a transaction's number may come late.

    ``lasting`` messages are kept while offline; ``droppable`` ones make room first when the box is full;
    ``asked_for`` ones may be sent before the central system has accepted the station.
    """

    action: str
    build: Callable[[], Payload]
    on_result: Callable[[Payload], None] = field(default=_nothing)
    lasting: bool = False
    droppable: bool = False
    asked_for: bool = False
    attempts: int = 0


class Outbox:
    """A queue of requests with a bound."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def has_lasting(self) -> bool:
        """Whether requests about transactions wait."""
        return any(message.lasting for message in self._messages)

    def put(self, message: Message) -> None:
        """Add a request; when the box is full the oldest sample makes room."""
        if len(self._messages) >= _SIZE_MAX:
            oldest = next((waiting for waiting in self._messages if waiting.droppable), message)
            if oldest is message:
                return
            self._messages.remove(oldest)
        self._messages.append(message)
        self._changed.set()

    def done(self, message: Message) -> None:
        """Take a request out for good."""
        if message in self._messages:
            self._messages.remove(message)
        self._changed.set()

    def forget_volatile(self) -> None:
        """Keep only what outlives a lost connection."""
        self._messages = deque(message for message in self._messages if message.lasting)
        self._changed.set()

    async def next(self, *, asked_for_only: bool = False) -> Message:
        """Wait for the first request that may be sent; it stays in the box until it is done."""
        while True:
            for message in self._messages:
                if message.asked_for or not asked_for_only:
                    return message
            await self.change()

    async def change(self) -> None:
        """Wait until something is added or taken out."""
        self._changed.clear()
        await self._changed.wait()
