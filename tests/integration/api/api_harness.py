"""The real server on loopback, and a client made of the standard library."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fake_desk import FakeDesk

from chargerd.api.app import create_app
from chargerd.api.server import serve
from chargerd.tasks import spawn


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Daemon:
    desk: FakeDesk
    port: int
    task: "asyncio.Task[None]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; keyword ``idempotency_key`` becomes the header Idempotency-Key."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            sent.setdefault("content-type", "application/json")
        return await asyncio.to_thread(self._ask, method, path, body, sent)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            kept = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, kept, response.read())
        finally:
            connection.close()

    @asynccontextmanager
    async def stream(self, path: str = "/v1/events") -> AsyncIterator["Stream"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            yield Stream(head, reader)
        finally:
            writer.close()
            await writer.wait_closed()


@dataclass(frozen=True)
class Stream:
    head: str
    reader: asyncio.StreamReader

    async def chunk(self) -> str:
        """One chunk of the chunked body; "" is its end."""
        length = int(await self.reader.readline(), 16)
        return (await self.reader.readexactly(length + 2))[:-2].decode()

    async def event(self) -> dict[str, Any]:
        """The next event; its data read as JSON."""
        lines = (await self.chunk()).splitlines()
        fields = dict(line.split(": ", 1) for line in lines if line)
        return fields | {"data": json.loads(fields["data"])}


@asynccontextmanager
async def daemon(
    desk: FakeDesk | None = None, *, token: bytes | None = None, keep_alive_s: float = 15.0
) -> AsyncIterator[Daemon]:
    desk = desk or FakeDesk()
    bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    app = create_app(desk, token=token, keep_alive_s=keep_alive_s)
    serving = spawn(serve(app, "127.0.0.1", 0, on_listening=lambda _host, port: bound.set_result(port)), name="server")
    try:
        yield Daemon(desk, await bound, serving)
    finally:
        serving.cancel()
        await asyncio.wait([serving])
