"""``chargerd demo``: a simulated home lives through a night in about a minute, over real sockets.

The daemon and two chargers run as processes of their own on one accelerated clock; nothing is staged.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from chargerd.cli.client import Client
from chargerd.cli.command import Failed, Status, failed
from chargerd.cli.demo_home import (
    CARS,
    FIRST_EVENING,
    NIGHT,
    NIGHTS_MAX,
    configuration,
    reserved_port,
    started_charger,
    started_daemon,
)
from chargerd.cli.demo_report import Night, report
from chargerd.cli.demo_view import screen
from chargerd.cli.demo_watch import Home, car_of, curve_of, events, follow_simulator
from chargerd.clock import ScaledClock

SPEED = 800.0
SPEED_MAX = 2000.0
START_UP_S = 3.0
"""Real seconds given to the processes before the evening begins."""
PATIENCE_S = 60.0
"""Real seconds that a session may settle late, on a slow machine."""
FRAME_S = 0.2

Json = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``chargerd demo``."""
    parser.add_argument("--nights", type=int, default=1, metavar="N", help=f"1 to {NIGHTS_MAX}, default 1")
    parser.add_argument("--speed", type=float, default=SPEED, help="how many times as fast, default %(default)g")
    parser.add_argument("--json", action="store_true", help="print the settled documents, one per line, nothing else")
    parser.add_argument("--directory", type=Path, help="keep configuration, database and journals here")


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 when every night ended as it should."""
    if not 1 <= args.nights <= NIGHTS_MAX:
        raise failed(Status.USAGE, f"--nights {args.nights}: expected 1 to {NIGHTS_MAX}")
    if not 1 <= args.speed <= SPEED_MAX:
        raise failed(Status.USAGE, f"--speed {args.speed:g}: expected 1 to {SPEED_MAX:g}")
    with contextlib.ExitStack() as stack:
        directory = args.directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chargerd-demo-")))
        directory.mkdir(parents=True, exist_ok=True)
        ports = stack.enter_context(reserved_port(8480)), stack.enter_context(reserved_port())
        return asyncio.run(_Demo(args, directory.resolve(), *ports).run())


class _Demo:
    """One run."""

    def __init__(self, args: argparse.Namespace, directory: Path, http_port: int, ocpp_port: int) -> None:
        self._nights: int = args.nights
        self._json: bool = args.json
        self._draws = not args.json and sys.stdout.isatty()
        self._directory = directory
        self._http_port = http_port
        self._ocpp_port = ocpp_port
        self._url = f"http://127.0.0.1:{self._http_port}"
        self._client = Client(self._url)
        anchor = time.time() + START_UP_S  # noqa: TID251 - the demo makes the clock
        self._clock = ScaledClock(FIRST_EVENING.astimezone(UTC), args.speed, anchor)
        self._home = Home()
        self._told: dict[str, str] = {}
        self._all_settled = asyncio.Event()

    async def run(self) -> int:
        """Start everything, watch, and report."""
        async with contextlib.AsyncExitStack() as stack:
            config = configuration(self._directory, ocpp_port=self._ocpp_port, http_port=self._http_port)
            daemon = await stack.enter_async_context(started_daemon(self._directory, self._clock, config))
            simulators = [
                (car, await stack.enter_async_context(self._charger(car))) for car in CARS
            ]  # fmt: skip
            await self._ready(daemon)
            watching = await stack.enter_async_context(asyncio.TaskGroup())
            tasks = [watching.create_task(self._follow()), watching.create_task(self._show())]
            for car, process in simulators:
                assert process.stdout is not None
                tasks.append(watching.create_task(follow_simulator(car, process.stdout, self._client, self._home)))
            try:
                await self._wait(daemon)
                nights = await asyncio.to_thread(self._collect)
            finally:
                for task in tasks:
                    task.cancel()
        return self._finish(nights)

    def _charger(self, car: Any) -> contextlib.AbstractAsyncContextManager[asyncio.subprocess.Process]:
        return started_charger(car, self._directory, self._clock, ocpp_port=self._ocpp_port, nights=self._nights)

    async def _ready(self, daemon: asyncio.subprocess.Process) -> None:
        """Wait until the daemon answers."""
        for _ in range(200):
            if daemon.returncode is not None:
                raise failed(Status.FAILED, f"the daemon ended: {self._journal_tail()}")
            with contextlib.suppress(Failed):
                if (await asyncio.to_thread(self._client.readiness))["ready"]:
                    return
            await asyncio.sleep(0.1)
        raise failed(Status.FAILED, f"the daemon did not start within 20 s: {self._journal_tail()}")

    async def _wait(self, daemon: asyncio.subprocess.Process) -> None:
        """Wait until all nights are over and settled."""
        over = FIRST_EVENING + timedelta(days=self._nights - 1) + NIGHT
        left_s = self._clock.real_seconds((over - self._clock.now()).total_seconds())
        ended = asyncio.ensure_future(daemon.wait())  # noqa: TID251 - waited for right below
        settled = asyncio.ensure_future(self._all_settled.wait())  # noqa: TID251 - waited for right below
        try:
            await asyncio.wait([ended, settled], timeout=left_s + PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            settled.cancel()
        if daemon.returncode is not None:
            raise failed(Status.FAILED, f"the daemon ended: {self._journal_tail()}")
        if not self._all_settled.is_set():
            done, wanted = len(self._home.settled), self._nights * len(CARS)
            raise failed(Status.FAILED, f"{done} of {wanted} sessions settled in time; see {self._directory}")

    async def _follow(self) -> None:
        """Keep the newest documents."""
        async for topic, key, document in events(self._http_port):
            self._home.take(topic, key, document, self._clock.now())
            if not self._json and not self._draws and topic == "session":
                self._tell(key, document)
            if len(self._home.settled) >= self._nights * len(CARS):
                self._all_settled.set()

    def _tell(self, policy_id: str, document: Json) -> None:
        """Where there is no screen to draw on, say what changes."""
        error = document["error"]["latest"]
        words = document["state"] + (f" {error['type']}" if error else "")
        if self._told.get(policy_id) != words:
            self._told[policy_id] = words
            print(f"{self._clock.now():%Y-%m-%d %H:%M}Z  {car_of(policy_id).charger}: {words}", flush=True)

    async def _show(self) -> None:
        """Draw the screen until cancelled."""
        if not self._draws:
            return
        async with _own_screen():
            while True:
                now = self._clock.now()
                sys.stdout.write(
                    screen(self._home, now, evening=_evening_of(now), speed=self._clock.speed, url=self._url)
                )
                sys.stdout.flush()
                await asyncio.sleep(FRAME_S)

    def _collect(self) -> list[Night]:
        """Fetch the settled sessions with their ledgers."""
        taken: dict[str, int] = {}
        nights = []
        for session_id in self._home.settled:
            document = self._client.get(f"/v1/sessions/{session_id}")
            car = car_of(document["policyId"])
            visit = taken.get(car.charger, 0)
            taken[car.charger] = visit + 1
            nights.append(
                Night(
                    car=car,
                    document=document,
                    ledger=self._client.get(f"/v1/sessions/{session_id}/ledger")["data"],
                    prices=curve_of(self._client.get("/v1/prices")),
                    register_wh=self._home.registers[car.charger][visit],
                    ready_at=self._home.ready.get((document["policyId"], document["pluggedInAt"])),
                )
            )
        return nights

    def _finish(self, nights: list[Night]) -> int:
        for night in nights:
            if self._json:
                print(json.dumps(night.document, separators=(",", ":"), ensure_ascii=False))
            else:
                print(f"\n{report(night)}")
        faults = [f"{night.car.charger}: {fault}" for night in nights for fault in night.faults]
        for fault in faults:
            print(f"chargerd: {fault}", file=sys.stderr)
        return Status.FAILED if faults else Status.DONE

    def _journal_tail(self) -> str:
        lines = (self._directory / "journal.log").read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"


def _evening_of(now: datetime) -> datetime:
    """The evening at which the night on the screen began; the screen changes at noon."""
    days = max((now - FIRST_EVENING + timedelta(hours=4)) // timedelta(days=1), 0)
    return FIRST_EVENING + timedelta(days=days)


@contextlib.asynccontextmanager
async def _own_screen() -> AsyncIterator[None]:
    """Draw on the terminal's second screen, and give the first one back."""
    sys.stdout.write("\x1b[?1049h\x1b[?25l\x1b[2J")
    try:
        yield
    finally:
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
