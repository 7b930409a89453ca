"""A server of prices on loopback that answers as it is told to: well, late, wrong, slowly, hugely, or brokenly."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from chargerd.tariff import TARIFFS

BERLIN = ZoneInfo("Europe/Berlin")

Play = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(body: str | bytes, status: str = "200 OK", **headers: str) -> Play:
    """A whole answer."""
    raw = body.encode() if isinstance(body, str) else body
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    shown = {"Content-Type": "application/json", "Content-Length": str(len(raw)), **given}
    head = "".join(f"{name}: {value}\r\n" for name, value in shown.items())

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status}\r\n{head}Connection: close\r\n\r\n".encode() + raw)

    return play


async def silence(writer: asyncio.StreamWriter) -> None:
    """Takes the question and says nothing."""
    await asyncio.Event().wait()


async def dribble(writer: asyncio.StreamWriter) -> None:
    """Says something all the time, and never comes to an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for _ in count():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.005)


async def flood(writer: asyncio.StreamWriter) -> None:
    """Sends more than anybody wants to have."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"[" * 100_000)
            await writer.drain()


@dataclass
class FeedServer:
    """``play`` is what it does with each question; ``questions`` are those it had, head and body."""

    play: Play = silence
    questions: list[str] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [question.split(" ")[1] for question in self.questions]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lengths = [line[15:] for line in head.lower().splitlines() if line.startswith("content-length:")]
            self.questions.append(head + (await reader.readexactly(int(lengths[0]) if lengths else 0)).decode())
            await self.play(writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def feed_server(play: Play = silence, tls: ssl.SSLContext | None = None) -> AsyncIterator[FeedServer]:
    """Listen on loopback for as long as the block lasts."""
    feed = FeedServer(play, scheme="http" if tls is None else "https")
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await feed.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    feed.port = server.sockets[0].getsockname()[1]
    try:
        yield feed
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def options(kind: str, **keys: Any) -> Any:
    return TARIFFS[kind].options.model_validate({"kind": kind, **keys})


def days(first: datetime, count_of_days: int, base: float = 0.1) -> str:
    """Hourly prices of local days as the generic source reads them: at h o'clock, base + h/100."""
    at, end = first, (first.astimezone(BERLIN) + timedelta(days=count_of_days)).astimezone(UTC)
    entries = []
    while at < end:
        price = round(base + at.astimezone(BERLIN).hour / 100, 4)
        entries.append(f'{{"start": "{at:%Y-%m-%dT%H:%MZ}", "price": {price}}}')
        at += timedelta(hours=1)
    return f"[{', '.join(entries)}]"
