"""uvicorn inside the daemon's own loop: no signal handlers, no log set-up, ends when it is cancelled."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import uvicorn
from fastapi import FastAPI

from chargerd.api.context import Context
from chargerd.errors import ChargingError
from chargerd.tasks import spawn

GRACE_S = 3
"""How long answers under way may take once the server stops, in real seconds."""


class _Server(uvicorn.Server):
    """uvicorn's own server takes over SIGINT and SIGTERM; here the daemon's handlers stay in force."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: FastAPI, host: str, port: int, *, on_listening: Callable[[str, int], None]) -> None:
    """Serve until cancelled, then end the event streams, let answers under way finish, and close.

    ``on_listening`` is called with each address once it is bound; port 0 picks a free one. Raises ChargingError when
    the address cannot be listened on.
    """
    context: Context = app.state.context
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    with ExitStack() as stack:
        sockets = await _listen(host, port)
        for listener in sockets:
            stack.callback(listener.close)
        for listener in sockets:
            bound_host, bound_port, *_ = listener.getsockname()
            on_listening(bound_host, bound_port)
        serving = spawn(server.serve(sockets=sockets), name="http")
        try:
            await asyncio.shield(serving)
        finally:
            context.closing.begin()
            server.should_exit = True
            await asyncio.wait([serving])


async def _listen(host: str, port: int) -> list[socket.socket]:
    """Bind every address of the host; with port 0 all get the same one."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with ExitStack() as stack:
            sockets: list[socket.socket] = []
            for family, *_, address in dict.fromkeys(found):
                chosen = sockets[0].getsockname()[1] if sockets else port
                listener = _bound(family, (address[0], chosen))
                stack.callback(listener.close)
                sockets.append(listener)
            stack.pop_all()
            return sockets
    except OSError as fault:
        reason = fault.strerror or str(fault)
        msg = f"http.listen: cannot listen on {host}:{port}: {reason}"
        raise ChargingError(msg) from fault


def _bound(family: int, address: tuple[str | int, int]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen()
        listener.setblocking(False)  # noqa: FBT003 - the library's own signature
    except OSError:
        listener.close()
        raise
    return listener
