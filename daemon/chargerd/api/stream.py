"""Server-sent events: all current documents first, then every changed one."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chargerd.api.context import Context
from chargerd.api.documents import compact
from chargerd.api.views import prices_document
from chargerd.contract import Change, Desk, PriceCurve

KEEP_ALIVE_S = 15.0
"""How long a stream may be silent, in real seconds; proxies and clients drop a quiet connection."""

_HEAD = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """One client's stream. It ends when the client goes, the daemon stops, or the desk has no more to tell."""

    media_type = "text/event-stream"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._sent = 0
        self._prices: PriceCurve | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send until it is over."""
        self._context.open_streams += 1
        try:
            await self._serve(receive, send)
        finally:
            self._context.open_streams -= 1

    async def _serve(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(self._write(send))
            watchers = [group.create_task(_gone(receive)), group.create_task(self._context.closing.wait())]
            await asyncio.wait([writer, *watchers], return_when=asyncio.FIRST_COMPLETED)
            for task in (writer, *watchers):
                task.cancel()
        # To a client that is gone the server sends nothing.
        await send({"type": "http.response.body", "body": b""})

    async def _write(self, send: Send) -> None:
        # The subscription begins before the snapshot is taken, so that no change falls between the two.
        async with self._context.desk.changes() as changes, asyncio.TaskGroup() as group:
            for change in _snapshot(self._context.desk):
                await send(_chunk(self._frame(change)))
            await self._send_prices(send)
            queue: asyncio.Queue[Change | None] = asyncio.Queue(maxsize=1)
            group.create_task(_pump(changes, queue))
            while True:
                try:
                    async with asyncio.timeout(self._context.keep_alive_s):
                        next_one = await queue.get()
                except TimeoutError:
                    await send(_chunk(b": still here\n\n"))
                    continue
                if next_one is None:
                    return
                if next_one.topic == "prices":
                    await self._send_prices(send)
                else:
                    await send(_chunk(self._frame(next_one)))

    async def _send_prices(self, send: Send) -> None:
        """Send the curve as GET /v1/prices shows it, if it is another than this client has."""
        curve = self._context.desk.prices()
        if curve != self._prices:
            self._prices = curve
            document = prices_document(curve, self._context.desk.now())
            await send(_chunk(self._frame(Change(topic="prices", key="prices", document=document))))

    def _frame(self, change: Change) -> bytes:
        self._sent += 1
        data = compact({"key": change.key, "document": change.document})
        return f"event: {change.topic}\nid: {self._context.nonce}-{self._sent}\ndata: {data}\n\n".encode()


def _snapshot(desk: Desk) -> Iterator[Change]:
    for policy in desk.policies():
        document = desk.session(policy.policy_id)
        if document is not None:
            yield Change(topic="session", key=policy.policy_id, document=document)
    for charger in desk.chargers():
        yield Change(topic="charger", key=charger["id"], document=charger)


def _chunk(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _pump(changes: AsyncIterator[Change], queue: asyncio.Queue[Change | None]) -> None:
    """Carry changes to the writer one at a time; a slow client is the desk's to deal with."""
    async for change in changes:
        await queue.put(change)
    await queue.put(None)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
