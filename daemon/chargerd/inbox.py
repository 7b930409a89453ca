"""The one queue in front of the loop: bounded, in order, and it drops nothing.

When it is full, a newer meter sample takes the place of an older one of the same charger: the register in it tells
all that the older one told. Every other event waits for room.
"""

import asyncio
from collections import deque

from chargerd.core.events import Event, MeterSampled

CAPACITY = 1024


class Inbox:
    """Events for the loop. Many may put, one takes."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._events: deque[Event] = deque()
        self._capacity = capacity
        self._filled = asyncio.Event()
        self._room = asyncio.Condition()
        self.coalesced = 0
        """How many samples were replaced by newer ones since the start."""

    def __len__(self) -> int:
        return len(self._events)

    async def put(self, event: Event) -> None:
        """Take one event; waits while the inbox is full and nothing can be coalesced."""
        if len(self._events) >= self._capacity and not self._coalesce(event):
            async with self._room:
                await self._room.wait_for(lambda: len(self._events) < self._capacity)
        self._events.append(event)
        self._filled.set()

    async def wait(self, real_seconds: float | None) -> bool:
        """Wait for an event, at most so long (None: for ever); tell whether there is one."""
        if self._events:
            return True
        self._filled.clear()
        try:
            async with asyncio.timeout(real_seconds):
                await self._filled.wait()
        except TimeoutError:
            return False
        return True

    async def take(self) -> Event:
        """The oldest event. Call after ``wait`` said that there is one."""
        event = self._events.popleft()
        if len(self._events) == self._capacity - 1:
            async with self._room:
                self._room.notify_all()
        return event

    def _coalesce(self, event: Event) -> bool:
        """Make room by dropping an older sample of the same charger."""
        if not isinstance(event, MeterSampled):
            return False
        for index in range(len(self._events) - 1, -1, -1):
            older = self._events[index]
            if isinstance(older, MeterSampled) and older.charger_id == event.charger_id:
                del self._events[index]
                self.coalesced += 1
                return True
        return False
