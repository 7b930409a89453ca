"""Send mutated frames to ``chargerd run`` on one charger's connection while a second charger lives through its night.

The daemon must stay alive, take no harm of its memory and its database, stumble over no fault of its own, and serve the
second charger as if nothing were.
"""

import argparse
import contextlib
import json
import logging
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import ceil
from pathlib import Path
from statistics import fmean

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from chargerd.clock import SystemClock
from tests.e2e.house import (
    PATIENCE_S,
    SAMPLE_S,
    Bay,
    House,
    Simulator,
    at,
    charged_in,
    check_energy,
    house,
    seconds_between,
)
from tests.fuzz.corpus import THEIRS, frames
from tests.fuzz.mutations import Message, messages

FUZZED = Bay(id="fuzzed", version="1.6")
START = datetime(2026, 1, 14, 18, 10, tzinfo=UTC)
CHEAP_FROM = datetime(2026, 1, 14, 18, 15, tzinfo=UTC)
SPEED = 20
FRAMES_PER_S = 1500
"""About what two slow cores do; only the length of the second charger's visit goes by it."""
LAG_S = 10.0
"""Real seconds by which what the second charger tells may be late, on a machine that is busy with other things."""
MEASURED_TIMES = 90
GROWTH_MAX_MIB = 6.0
"""How much more memory the last third may take than the second. The allocator alone wavers by 2 MiB."""
DATABASE_MAX_MIB = 8.0
"""Of which 4 MiB are the write-ahead log, which is used again."""
DIAL_TRIES = 200
CLOCK = SystemClock()


@dataclass(frozen=True)
class Visit:
    """The second charger's visit: cheap quarter hours long enough to last as long as the frames, and a car for them."""

    cheap: timedelta

    @property
    def ends(self) -> datetime:
        return CHEAP_FROM + self.cheap

    @property
    def unplugged(self) -> datetime:
        return self.ends + timedelta(minutes=5)

    @property
    def bay(self) -> Bay:
        """Its charger; the car needs three fifths of the cheap time at 11 kW, or 50 % of its battery."""
        needed_pct = min(ceil(0.6 * self.cheap / timedelta(hours=1) * 11 * 0.92 / 60 * 100), 50)
        return Bay(
            id="garage",
            version="2.0.1",
            level=35,
            target=35 + needed_pct,
            ready_by=f"{self.ends:%H:%M}",
            start_timeout_s=1800,
            stop_timeout_s=900,
        )

    @property
    def tariff(self) -> str:
        window = f'{{ from = "18:15", to = "{self.ends:%H:%M}", price_per_kwh = 0.20 }}'
        return f'kind = "time-of-use"\ndefault_price_per_kwh = 0.35\nwindow = [{window}]'


def visit_for(frames_count: int) -> Visit:
    """Return a visit that lasts about as long as so many frames take."""
    quarters = (frames_count / FRAMES_PER_S * SPEED - 300) // 900
    return Visit(timedelta(minutes=15) * min(max(quarters, 2), 40))


@dataclass
class Figures:
    """What was measured. Memory is the daemon's resident set in MiB."""

    sent: int = 0
    connections: int = 0
    seconds: float = 0.0
    memory: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)


def main() -> None:
    """Read the arguments, fuzz, print the figures. An AssertionError tells what went wrong."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    visit = visit_for(args.frames)
    with (
        tempfile.TemporaryDirectory() as folder,
        house(Path(folder), visit.bay, FUZZED, start=START.isoformat(), speed=SPEED, tariff=visit.tariff) as home,
    ):
        unhindered = home.config.read_text().replace("[ocpp]\n", "[ocpp]\nmessages_per_s = 1000\n")
        home.config.write_text(unhindered)
        simulator = home.simulate(visit.bay)
        home.start()
        home.wait_online()
        simulator.do("plug")
        simulator.do("unplug", at=visit.unplugged.isoformat())
        figures = _fuzzed(home, args.frames, args.seed)
        _print(figures, args.seed)
        print(f"the frames ended at {home.now()}, the second charger's visit ends at {visit.unplugged.isoformat()}")
        assert home.logged("ocpp.bug") == [], home.logged("ocpp.bug")[:1]
        _check_flat(figures)
        _check_visit(home, visit, simulator)
        assert home.stop() == 0


def _fuzzed(home: House, count: int, seed: int) -> Figures:
    """Send half of the frames in each version."""
    figures = Figures()
    began = CLOCK.monotonic()
    half, every = count // 2, max(count // MEASURED_TIMES, 1)
    _fuzz(home, "1.6", seed, half, figures, every=every)
    _fuzz(home, "2.0.1", seed, count - half, figures, every=every)
    figures.seconds = CLOCK.monotonic() - began
    return figures


def _check_visit(home: House, visit: Visit, simulator: Simulator) -> None:
    """The second charger's visit went on as if nothing were: exact energy, in its time, without an error."""
    left_s = home.clock.real_seconds((visit.unplugged - home.clock.now()).total_seconds())
    home.wait("the second visit is settled", lambda: home.settled(visit.bay), max(left_s, 0) + PATIENCE_S)
    document = home.wait_settled(visit.bay)
    check_energy(document, simulator)
    [(began, stopped)] = charged_in(simulator)
    allowed_s = SAMPLE_S + LAG_S * SPEED
    assert at(began) >= CHEAP_FROM, began
    assert at(stopped) <= visit.ends + timedelta(seconds=allowed_s), stopped
    [block] = document["blocks"]
    assert abs(seconds_between(began, block["startAt"])) <= allowed_s, (began, block)
    assert abs(seconds_between(stopped, block["endAt"])) <= allowed_s, (stopped, block)
    assert document["outcome"]["latest"]["state"] == "ON_TARGET", document["outcome"]
    assert home.errors_shown(visit.bay) == []
    assert home.logged("charger.offline", charger=visit.bay.id) == [], "the second charger lost its connection"


def _fuzz(home: House, version: str, seed: int, count: int, figures: Figures, *, every: int) -> None:
    """Send so many messages, dialling again whenever the daemon has closed the connection."""
    rows = islice(messages(frames(version), seed), count)
    message: Message | None = next(rows, None)
    while message is not None:
        with _dialled(home, version) as (socket, theirs):
            figures.connections += 1
            try:
                while message is not None:
                    socket.send(_addressed(message, theirs))
                    figures.sent += 1
                    message = next(rows, None)
                    if figures.sent % every == 0:
                        _measure(home, figures)
            except ConnectionClosed:
                message = next(rows, None)


@contextlib.contextmanager
def _dialled(home: House, version: str) -> Iterator[tuple[ClientConnection, list[str]]]:
    """Connect as the fuzzed charger; a thread takes what comes, and keeps the id of the latest request."""
    theirs = ["nothing"]
    socket = _dial(home, version)

    def listen() -> None:
        with contextlib.suppress(ConnectionClosed):
            for answer in socket:
                frame = json.loads(answer)
                if frame[0] == 2:
                    theirs[0] = frame[1]

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield socket, theirs
    finally:
        socket.close()
        listener.join()


def _dial(home: House, version: str) -> ClientConnection:
    quiet = logging.getLogger("fuzz")
    quiet.disabled = True  # the daemon may close while a frame is on its way, which is no news
    url = f"ws://127.0.0.1:{home.ocpp_port}/ocpp/{FUZZED.identity}"
    for _ in range(DIAL_TRIES):
        assert not home.daemon.ended, "the daemon died"
        with contextlib.suppress(OSError, WebSocketException):
            return connect(
                url,
                subprotocols=[Subprotocol(f"ocpp{version}")],
                compression=None,
                ping_interval=None,
                max_size=None,
                close_timeout=5,
                logger=quiet,
            )
    raise AssertionError(f"the daemon lets {FUZZED.identity} in no more")


def _addressed(message: Message, theirs: list[str]) -> Message:
    if isinstance(message, bytes):
        return message
    return message.replace(THEIRS, theirs[0]).encode("utf-8", errors="replace").decode()


def _measure(home: House, figures: Figures) -> None:
    status = Path(f"/proc/{home.daemon.pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    figures.memory.append(int(resident.split()[1]) / 1024)
    database = home.config.parent.glob("chargerd.db*")
    figures.database.append(sum(file.stat().st_size for file in database) / 2**20)


def _print(figures: Figures, seed: int) -> None:
    memory, database = figures.memory, figures.database
    print(f"{figures.sent} frames of seed {seed} over {figures.connections} connections in {figures.seconds:.0f} s:"
          f" {figures.sent / figures.seconds:.0f} frames/s")  # fmt: skip
    print(f"resident memory {memory[0]:.1f} MiB at the start, {memory[-1]:.1f} MiB at the end,"
          f" thirds {', '.join(f'{fmean(third):.1f}' for third in _thirds(memory))}")  # fmt: skip
    print(
        f"database {database[0]:.2f} MiB at the start, {database[-1]:.2f} MiB at the end, {max(database):.2f} at most"
    )


def _thirds(values: list[float]) -> tuple[list[float], list[float], list[float]]:
    third = len(values) // 3
    return values[:third], values[third:-third], values[-third:]


def _check_flat(figures: Figures) -> None:
    _, second, last = (fmean(third) for third in _thirds(figures.memory))
    assert last - second <= GROWTH_MAX_MIB, f"memory grew by {last - second:.1f} MiB from the second third to the last"
    assert max(figures.database) <= DATABASE_MAX_MIB, "the database grew with garbage"


if __name__ == "__main__":
    main()
