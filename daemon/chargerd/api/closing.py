"""The one fact that the daemon is on its way down, for those who hold a connection open."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Closing:
    """Set once when the server stops, never taken back."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._limits: set[asyncio.Timeout] = set()

    @property
    def begun(self) -> bool:
        """Whether the server is stopping."""
        return self._event.is_set()

    def begin(self) -> None:
        """Say that the server stops; streams end, new requests get 503."""
        self._event.set()
        for limit in self._limits:
            limit.reschedule(asyncio.get_running_loop().time())

    @contextmanager
    def hastening(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Have a time limit run out at once when the server stops."""
        self._limits.add(limit)
        try:
            yield
        finally:
            self._limits.discard(limit)

    async def wait(self) -> None:
        """Return once the server is stopping."""
        await self._event.wait()
