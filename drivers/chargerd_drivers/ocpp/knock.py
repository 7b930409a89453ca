"""A connection as it is opened: over TLS or without, mended where that helps, and told of when nothing comes of it."""

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from websockets.asyncio.server import ServerConnection

from chargerd_drivers.ocpp.identity import mended_request, printable
from chargerd_drivers.ocpp.tls import Tls, remedy

_TLS_HANDSHAKE = 0x16
"""First byte of a TLS record that carries a handshake message (RFC 8446, 5.1)."""
_TLS_TIMEOUT_S = 20.0
_TLS_CLOSE_TIMEOUT_S = 2.0
PROBES = 3
"""So many intervals without a sign from the other machine's network: then the connection is gone."""

Step = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How connections to one address are opened.

    ``tell`` is told of one that was not opened: whose address, and what came instead. ``interval_s`` is how often
    something goes over a connection, and how often the network is probed if nothing does. ``tls`` None: without it;
    ``is_for_both``: who begins without TLS is served without. ``spawn`` runs the handshakes, each as a task of somebody
    who ends it.
    """

    tell: Callable[[str, str], None]
    interval_s: float
    tls: Tls | None = None
    is_for_both: bool = False
    spawn: Callable[[Coroutine[Any, Any, None]], object]

    def connection_type(self) -> type[ServerConnection]:
        """Return the class of the connections."""

        class Plain(_Plain):
            door = self

        class Secured(_Secured):
            door = self

        class Either(_Either):
            door = self

        if self.tls is None:
            return Plain
        return Either if self.is_for_both else Secured


class _Plain(ServerConnection):
    """A caller that sends nothing at all is not worth telling of."""

    door: Door
    _is_told = False
    _has_sent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        _notice_a_dead_line(transport, self.door.interval_s)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if not self._has_sent and data[:1] == bytes([_TLS_HANDSHAKE]):
            self._tell("TLS; a charger set to wss:// must be set to ws:// here, or to the port of listen_tls")
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
        if not self._is_told:
            self._is_told = True
            self.door.tell(peer_of(self.transport), f"did not open a WebSocket, but sent {printable(what)}")


class _Secured(_Plain):
    """The same behind TLS. The handshake is made here, for the event loop drops without a word one that fails."""

    _early: list[Step] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._early = []
        transport.pause_reading()
        self.door.spawn(self._shake_hands(transport))

    async def _shake_hands(self, plain: asyncio.Transport) -> None:
        assert self.door.tls is not None
        peer = peer_of(plain)
        try:
            transport = await asyncio.get_running_loop().start_tls(
                plain,
                self,
                self.door.tls.refresh(),
                server_side=True,
                ssl_handshake_timeout=_TLS_TIMEOUT_S,
                ssl_shutdown_timeout=_TLS_CLOSE_TIMEOUT_S,
            )
        except OSError as error:
            plain.abort()
            self.door.tell(peer, f"could not agree on TLS: {remedy(error)}")
            return
        assert transport is not None
        self._opened(transport)

    def _opened(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        early, self._early = self._early or [], None
        for step in early:
            step()

    def data_received(self, data: bytes) -> None:
        self._in_turn(partial(super().data_received, data))

    def eof_received(self) -> None:
        self._in_turn(super().eof_received)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_turn(partial(super().connection_lost, exc))

    def _in_turn(self, step: Step) -> None:
        """What comes right behind the handshake comes before this end knows that it is over."""
        if self._early is None:
            step()
        else:
            self._early.append(step)


class _Either(_Secured):
    """Over TLS or without, as the first byte tells. It is only looked at, for whoever serves reads it again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._early = []
        transport.pause_reading()
        self.door.spawn(self._sort(transport))

    async def _sort(self, transport: asyncio.Transport) -> None:
        try:
            async with asyncio.timeout(_TLS_TIMEOUT_S):
                first = await _first_byte(transport)
        except OSError:
            transport.abort()
            return
        if first == bytes([_TLS_HANDSHAKE]):
            await self._shake_hands(transport)
        else:
            self._opened(transport)
            transport.resume_reading()


async def _first_byte(transport: asyncio.Transport) -> bytes:
    """Wait for the first byte and leave it where it is; b"" from one that hangs up. Raises OSError."""
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    with transport.get_extra_info("socket").dup() as line:
        loop.add_reader(line.fileno(), came.set)
        try:
            await came.wait()
            first: bytes = line.recv(1, socket.MSG_PEEK)
        finally:
            loop.remove_reader(line.fileno())
    return first


def peer_of(transport: asyncio.BaseTransport) -> str:
    """Return the address at the other end."""
    address = transport.get_extra_info("peername")
    return str(address[0]) if isinstance(address, tuple) and address else ""


def common_name(connection: ServerConnection) -> str | None:
    """Return the common name of the certificate that the charger showed and that was good; None without one."""
    certificate = connection.transport.get_extra_info("peercert") or {}
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return names[0] if names else None


def is_secured(connection: ServerConnection) -> bool:
    """Tell whether a connection is over TLS."""
    return isinstance(connection.transport.get_extra_info("ssl_object"), ssl.SSLObject)


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
