"""A connection that tells of a handshake which failed before anybody could look at it."""

from collections.abc import Callable

from websockets.asyncio.server import ServerConnection

from chargerd_drivers.ocpp.identity import mended_request

_TLS_HANDSHAKE = 0x16
"""First byte of a TLS record that carries a handshake message (RFC 8446, 5.1)."""

Tell = Callable[[ServerConnection, str], None]
"""Told of a failed handshake: the connection, and what came instead, in words."""


def knocking(tell: Tell) -> type[ServerConnection]:
    """Return the class of the listener's connections; a caller that sends nothing at all is not worth telling of."""

    class Knock(ServerConnection):
        _is_known = False
        _has_sent = False

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
