"""The one queue in front of the loop: bounded, in order, and it drops nothing.

When it is full, a newer meter sample takes the place of an older one of the same charger that tells nothing more, if
nothing else of that charger came between them. Every other event waits for room.
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
        return bool(self._events)

    def wake(self) -> None:
        """End a wait without an event."""
        self._filled.set()

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
            if getattr(older, "charger_id", None) != event.charger_id:
                continue
            if not isinstance(older, MeterSampled):
                return False
            if _tells_as_much(event, older):
                del self._events[index]
                self.coalesced += 1
                return True
        return False


def _tells_as_much(newer: MeterSampled, older: MeterSampled) -> bool:
    """Tell whether all that the older sample measured is measured anew."""
    pairs = (
        (newer.register_wh, older.register_wh),
        (newer.power_w, older.power_w),
        (newer.soc_pct, older.soc_pct),
        (newer.transaction_id, older.transaction_id),
    )
    return all(fresh is not None or old is None for fresh, old in pairs)
