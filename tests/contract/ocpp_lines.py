"""What lies between a charger and the daemon: packets that go nowhere, a router, and a charger without a library."""

import asyncio
import contextlib
import ctypes
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

from ocpp_rig import PATIENCE_S

TEXT, PING, PONG = 1, 9, 10
_SO_ATTACH_FILTER = 26
"""Linux, asm-generic/socket.h."""


def black_hole(line: Any) -> None:
    """Drop every packet that comes for a socket before it is acknowledged, as a network does that is gone."""
    drop_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0), 8)
    line.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(drop_all)))


class RawCharger:
    """A charger that answers nothing by itself, no ping either."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, frame: list[Any]) -> None:
        """Send one frame, masked (RFC 6455, section 5.3)."""
        payload, mask = json.dumps(frame).encode(), os.urandom(4)
        assert len(payload) < 126
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self._writer.write(bytes([0x80 | TEXT, 0x80 | len(payload)]) + mask + masked)

    async def receive(self) -> tuple[int, Any]:
        """Return what kind of WebSocket frame came, and the OCPP frame of a text."""
        first, length = await self._reader.readexactly(2)
        if length == 126:
            [length] = struct.unpack("!H", await self._reader.readexactly(2))
        payload = await self._reader.readexactly(length)
        kind = first & 0x0F
        return kind, json.loads(payload) if kind == TEXT else None


@contextlib.asynccontextmanager
async def raw_charger(port: int, path: bytes = b"/ocpp/CP1") -> AsyncIterator[RawCharger]:
    """Dial in as a charger of 1.6. Raises AssertionError with the status line when it is not let in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    headers = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
    writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n" + headers + key + b"\r\n")
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        yield RawCharger(reader, writer)
    finally:
        writer.close()


class Router:
    """Passes bytes on, and cuts a connection over which nothing went for too long without telling anybody."""

    def __init__(self, target: int, idle_s: float) -> None:
        self._target = target
        self._idle_s = idle_s
        self.port = 0
        self.packets = 0
        self._passed = asyncio.Event()

    async def passed(self, packets: int) -> None:
        """Wait until so many more packets have gone through."""
        async with asyncio.timeout(PATIENCE_S):
            wanted = self.packets + packets
            while self.packets < wanted:
                self._passed.clear()
                await self._passed.wait()

    async def serve(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        far, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.timeout(self._idle_s) as idle, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass(near, far_writer, idle))
                tasks.create_task(self._pass(far, near_writer, idle))
        except TimeoutError:
            pass
        finally:
            far_writer.close()
            near_writer.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, idle: asyncio.Timeout) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                idle.reschedule(asyncio.get_running_loop().time() + self._idle_s)
                self.packets += 1
                self._passed.set()
                sink.write(data)
                await sink.drain()
        sink.close()


@contextlib.asynccontextmanager
async def router(target: int, *, idle_s: float) -> AsyncIterator[Router]:
    """Run a router before a port of this machine."""
    nat = Router(target, idle_s)
    server = await asyncio.start_server(nat.serve, "127.0.0.1", 0)
    nat.port = server.sockets[0].getsockname()[1]
    try:
        yield nat
    finally:
        server.close()
