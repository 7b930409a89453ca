"""The one queue in front of the loop: bounded, in order, and it drops nothing.

No charger may hold more than its share of it, so that one that talks without end delays no other. When it is full, or
a charger's share is, a newer meter sample takes the place of an older one of the same charger that tells nothing more,
if nothing else of that charger came between them. Every other event waits for room.
"""

import asyncio
from collections import Counter, deque

from chargerd.core.events import Event, MeterSampled
from chargerd.core.ids import ChargerId

CAPACITY = 1024
SHARE = 64
"""Events of one charger that may wait, of a few milliseconds each: what comes after them waits where it came from."""


class Inbox:
    """Events for the loop. Many may put, one takes."""

    def __init__(self, capacity: int = CAPACITY, share: int = SHARE) -> None:
        self._events: deque[Event] = deque()
        self._capacity = capacity
        self._share = share
        self._held: Counter[ChargerId] = Counter()
        self._filled = asyncio.Event()
        self._room = asyncio.Condition()
        self.coalesced = 0
        """How many samples were replaced by newer ones since the start."""

    def __len__(self) -> int:
        return len(self._events)

    async def put(self, event: Event) -> None:
        """Take one event; waits while there is no room for it and nothing can be coalesced."""
        charger_id = _charger_of(event)
        if self._is_full_for(charger_id) and not self._coalesce(event):
            async with self._room:
                await self._room.wait_for(lambda: not self._is_full_for(charger_id))
        self._events.append(event)
        if charger_id is not None:
            self._held[charger_id] += 1
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
        charger_id = _charger_of(event)
        was_full = len(self._events) == self._capacity - 1
        if charger_id is not None:
            was_full |= self._held[charger_id] == self._share
            self._held[charger_id] -= 1
        if was_full:
            async with self._room:
                self._room.notify_all()
        return event

    def _is_full_for(self, charger_id: ChargerId | None) -> bool:
        share_is_taken = charger_id is not None and self._held[charger_id] >= self._share
        return share_is_taken or len(self._events) >= self._capacity

    def _coalesce(self, event: Event) -> bool:
        """Make room by dropping an older sample of the same charger."""
        if not isinstance(event, MeterSampled):
            return False
        for index in range(len(self._events) - 1, -1, -1):
            older = self._events[index]
            if _charger_of(older) != event.charger_id:
                continue
            if not isinstance(older, MeterSampled):
                return False
            if _tells_as_much(event, older):
                del self._events[index]
                self._held[event.charger_id] -= 1
                self.coalesced += 1
                return True
        return False


def _charger_of(event: Event) -> ChargerId | None:
    """Whose event it is; None for a user's and the tariff's, which are few."""
    charger_id: ChargerId | None = getattr(event, "charger_id", None)
    return charger_id


def _tells_as_much(newer: MeterSampled, older: MeterSampled) -> bool:
    """Tell whether all that the older sample measured is measured anew."""
    pairs = (
        (newer.register_wh, older.register_wh),
        (newer.power_w, older.power_w),
        (newer.soc_pct, older.soc_pct),
        (newer.transaction_id, older.transaction_id),
    )
    return all(fresh is not None or old is None for fresh, old in pairs)
