"""Keeps a connection open through routers, and notices when a charger has gone silent. All times are real seconds."""

import asyncio
from collections.abc import Awaitable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

DROPS_MAX = 3
"""So many connections in a row that soon broke: then pings may be what breaks them, or what is missing."""
_LOOK_S = 30.0


def is_short(life_s: float, configured_s: float) -> bool:
    """Whether a connection broke so soon that pings may have to do with it."""
    return life_s < 4 * (configured_s or _LOOK_S)


def tuned(interval_s: float, configured_s: float) -> float:
    """Return what to try next: more often (Wallbox drops what is silent for 30 s), then not at all, then as before."""
    usual_s = configured_s or _LOOK_S
    if interval_s == 0:
        return usual_s
    return usual_s * 2 / 3 if interval_s >= usual_s else 0.0


class Pulse:
    """Any frame is a sign of life; an unanswered ping proves nothing, for some chargers (Khons) never answer one.

    ``interval_s`` 0: no pings.
    """

    def __init__(self, socket: ServerConnection, silence_max_s: float, interval_s: float) -> None:
        self._socket = socket
        self._silence_max_s = silence_max_s
        self._interval_s = interval_s
        self._heard_s = self._began_s = asyncio.get_running_loop().time()

    @property
    def age_s(self) -> float:
        """How long the connection has been there."""
        return asyncio.get_running_loop().time() - self._began_s

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
            await asyncio.sleep(self._interval_s or _LOOK_S)
            try:
                if self._interval_s == 0:
                    continue
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
