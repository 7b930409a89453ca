"""Keeps a connection open through routers, and notices when a charger has gone silent. All times are real seconds."""

import asyncio
from collections.abc import Awaitable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

PING_INTERVAL_S = 30.0


class Pulse:
    """Any frame is a sign of life; an unanswered ping proves nothing, for some chargers (Khons) never answer one."""

    def __init__(self, socket: ServerConnection, silence_max_s: float, interval_s: float = PING_INTERVAL_S) -> None:
        self._socket = socket
        self._silence_max_s = silence_max_s
        self._interval_s = interval_s
        self._heard_s = asyncio.get_running_loop().time()

    def heard(self) -> None:
        """Note a sign of life."""
        self._heard_s = asyncio.get_running_loop().time()

    async def watch(self) -> bool:
        """Ping until the charger has been silent for too long (True) or the connection is gone (False).

        While a ping is unanswered, unasked pongs go out instead (RFC 6455, section 5.5.3): they keep routers and TCP
        busy and leave nothing to be remembered.
        """
        pong: Awaitable[float] | None = None
        while asyncio.get_running_loop().time() - self._heard_s < self._silence_max_s:
            await asyncio.sleep(self._interval_s)
            try:
                if pong is None:
                    pong = await self._socket.ping()
                elif _has_come(pong):
                    self.heard()
                    pong = await self._socket.ping()
                else:
                    await self._socket.pong()
            except ConnectionClosed:
                return False
        return True


def _has_come(pong: Awaitable[float]) -> bool:
    assert isinstance(pong, asyncio.Future)
    return pong.done() and not pong.cancelled() and pong.exception() is None
