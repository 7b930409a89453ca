"""A connection that tells of a handshake which failed before anybody could look at it."""

import asyncio
import socket
import sys
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection

from chargerd_drivers.ocpp.identity import mended_request

_TLS_HANDSHAKE = 0x16
"""First byte of a TLS record that carries a handshake message (RFC 8446, 5.1)."""

PROBES = 3
"""So many intervals without a sign from the other machine's network: then the connection is gone."""

Tell = Callable[[ServerConnection, str], None]
"""Told of a failed handshake: the connection, and what came instead, in words."""


def knocking(tell: Tell, interval_s: float) -> type[ServerConnection]:
    """Return the class of the listener's connections; a caller that sends nothing at all is not worth telling of.

    ``interval_s`` is how often something goes over a connection, and how often the network is probed if nothing does.
    """

    class Knock(ServerConnection):
        _is_known = False
        _has_sent = False

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            _notice_a_dead_line(transport, interval_s)
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            if not self._has_sent and data[:1] == bytes([_TLS_HANDSHAKE]):
                self._tell("TLS; a charger set to wss:// must be set to ws:// here")
                self.transport.abort()
                return
            first = not self._has_sent
            self._has_sent = True
            super().data_received(mended_request(data) if first else data)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            fault = self.protocol.handshake_exc
            if fault is not None and self._has_sent:
                self._tell(str(fault))

        def _tell(self, what: str) -> None:
            if not self._is_known:
                self._is_known = True
                tell(self, what)

    return Knock


def _notice_a_dead_line(transport: asyncio.BaseTransport, interval_s: float) -> None:
    """Let the system end a connection whose other end answers no packet (Wi-Fi gone, power cut).

    It would try for a quarter of an hour otherwise. A charger that answers no ping (Khons) acknowledges it all the
    same, so it is not taken for dead.
    """
    line, whole_s = transport.get_extra_info("socket"), max(1, round(interval_s))
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, whole_s)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, whole_s)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, round(PROBES * interval_s * 1000)))
