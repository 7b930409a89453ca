"""A line to a charger that takes its time: each request of the daemon reaches the charger, and is answered, late."""

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from house import free_port
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from chargerd.clock import SystemClock

_CLOCK = SystemClock()


@dataclass(kw_only=True)
class SlowLine:
    """``delay_s`` are real seconds. A request for one of the ``unsupported`` actions never reaches the charger."""

    daemon_port: int
    delay_s: float
    unsupported: frozenset[str] = frozenset()
    port: int = field(default_factory=free_port)
    requests: list[str] = field(default_factory=list)
    """The actions that the daemon asked for, oldest first."""
    crossed: list[str] = field(default_factory=list)
    """Those that came while an earlier one was still unanswered."""
    over: threading.Event = field(default_factory=threading.Event)
    _answered_at: float | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"

    @property
    def idle(self) -> bool:
        """Whether the daemon let half as long as a request takes pass without another one, as after the set-up."""
        answered_at = self._answered_at
        return answered_at is not None and _CLOCK.monotonic() - answered_at > self.delay_s / 2

    def serve(self, charger: ServerConnection) -> None:
        """Carry one connection."""
        assert charger.request is not None
        protocols = [Subprotocol(name) for name in charger.request.headers.get_all("Sec-WebSocket-Protocol")]
        url = f"ws://127.0.0.1:{self.daemon_port}{charger.request.path}"
        unanswered: set[str] = set()
        with connect(url, subprotocols=protocols, compression=None, ping_interval=None) as daemon:
            back = threading.Thread(target=self._to_daemon, args=(charger, daemon, unanswered), daemon=True)
            back.start()
            with contextlib.suppress(ConnectionClosed):
                for message in daemon:
                    self._to_charger(str(message), charger, daemon, unanswered)
            charger.close()
            back.join()

    def _to_daemon(self, charger: Connection, daemon: Connection, unanswered: set[str]) -> None:
        with contextlib.suppress(ConnectionClosed):
            for message in charger:
                frame = json.loads(message)
                if frame[0] != 2:
                    self._answered(frame[1], unanswered)
                daemon.send(message)
        daemon.close()

    def _to_charger(self, message: str, charger: Connection, daemon: Connection, unanswered: set[str]) -> None:
        frame = json.loads(message)
        if frame[0] != 2:
            charger.send(message)
            return
        _, message_id, action, _ = frame
        self.requests.append(action)
        if unanswered:
            self.crossed.append(action)
        unanswered.add(message_id)
        self._answered_at = None
        threading.Thread(target=self._later, args=(frame, charger, daemon, unanswered), daemon=True).start()

    def _answered(self, message_id: str, unanswered: set[str]) -> None:
        unanswered.discard(message_id)
        self._answered_at = _CLOCK.monotonic()

    def _later(self, frame: list[str], charger: Connection, daemon: Connection, unanswered: set[str]) -> None:
        _, message_id, action, _ = frame
        if self.over.wait(self.delay_s):
            return
        with contextlib.suppress(ConnectionClosed):
            if action in self.unsupported:
                self._answered(message_id, unanswered)
                daemon.send(json.dumps([4, message_id, "NotSupported", "", {}]))
            else:
                charger.send(json.dumps(frame))


@contextmanager
def slow_line(line: SlowLine) -> Iterator[SlowLine]:
    """Open the line for chargers."""

    def select(_connection: ServerConnection, offered: list[Subprotocol]) -> Subprotocol | None:
        return offered[0] if offered else None

    server = serve(line.serve, "127.0.0.1", line.port, select_subprotocol=select, compression=None, ping_interval=None)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield line
    finally:
        line.over.set()
        server.shutdown()
        thread.join()
