"""The OCPP driver, the core, and a real database in one process; a charger by hand over a real socket, and its clock.

Time passes only by ``pass_s`` and ``until``, from one deadline to the next, and waits for everything that comes of it.
"""

import asyncio
import contextlib
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from chargerd.contract import Note, PageQuery
from chargerd.core.decide import next_deadline
from chargerd.core.events import ImmediateStartRequested, OverrideCancelled, PricesUpdated, VehicleReported
from chargerd.core.ids import ReplyTo, VehicleId
from chargerd.core.model import State
from chargerd.desk import DaemonDesk
from chargerd.dispatch import Dispatcher
from chargerd.inbox import Inbox
from chargerd.loop import Loop
from chargerd.store.sqlite import SqliteStore
from chargerd_drivers.ocpp.config import OcppCharger, OcppSection
from chargerd_drivers.ocpp.driver import OcppDriver
from chargerd_drivers.ocpp.link import SETTLE_S
from tests.support.home import GARAGE, NIGHT, POLICY, Home, utc

PATIENCE_S = 10.0
Json = dict[str, Any]


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: str = "10T20:00") -> None:
        self.time = utc(at)
        self._moved = asyncio.Event()
        self._sleepers: list[float] = []
        self._ends: list[datetime] = []
        self._fell_asleep = asyncio.Event()

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        end = self.time + timedelta(seconds=seconds)
        self._sleepers.append(seconds)
        self._ends.append(end)
        self._fell_asleep.set()
        try:
            while self.time < end:
                await self._moved.wait()
        finally:
            self._sleepers.remove(seconds)
            self._ends.remove(end)

    @property
    def next_end(self) -> datetime | None:
        """When the next one wakes."""
        return min(self._ends, default=None)

    async def sleeper(self, seconds: float) -> None:
        """Wait until somebody sleeps for so long."""
        while seconds not in self._sleepers:
            self._fell_asleep.clear()
            await self._fell_asleep.wait()

    def real_seconds(self, seconds: float) -> float:
        return seconds * 0.001

    def move(self, to: datetime) -> None:
        self.time = max(self.time, to)
        self._moved.set()
        self._moved = asyncio.Event()


class Box:
    """The charger's end of one connection. It accepts whatever it is asked, and does nothing of it by itself.

    ``asked`` is what it was asked; ``answers`` are those that differ from Accepted, by action, None for none at all;
    ``errors`` are the codes of CALLERRORs. ``is_deaf``: nothing that it is asked gets an answer.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.asked: deque[tuple[str, Json]] = deque()
        self.answers: dict[str, Json | None] = {}
        self.errors: dict[str, str] = {}
        self.is_deaf = False
        self._replies: dict[str, asyncio.Future[list[Any]]] = {}
        self._ids = itertools.count(1)
        self._came = asyncio.Event()

    async def send(self, action: str, payload: Mapping[str, Any], message_id: str | None = None) -> str:
        """Send a CALL without waiting."""
        message_id = message_id or f"b{next(self._ids)}"
        self._replies[message_id] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps([2, message_id, action, payload]))
        return message_id

    async def call(self, action: str, payload: Mapping[str, Any], message_id: str | None = None) -> Json:
        """Send a CALL and return the payload of its CALLRESULT."""
        async with asyncio.timeout(PATIENCE_S):
            frame = await self._replies[await self.send(action, payload, message_id)]
        assert frame[0] == 3, frame
        result: Json = frame[2]
        return result

    def all_asked(self, action: str) -> list[Json]:
        """What it was asked so far with this action."""
        return [payload for name, payload in self.asked if name == action]

    async def was_asked(self, action: str, **members: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not any(name == action and members.items() <= payload.items() for name, payload in self.asked):
                self._came.clear()
                await self._came.wait()

    async def serve(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame = json.loads(await self.socket.recv())
                if frame[0] == 2:
                    self.asked.append((frame[2], frame[3]))
                    answer = self.answers.get(frame[2], {"status": "Accepted"})
                    error = self.errors.get(frame[2])
                    if error is not None:
                        await self.socket.send(json.dumps([4, frame[1], error, "", {}]))
                    elif answer is not None and not self.is_deaf:
                        await self.socket.send(json.dumps([3, frame[1], answer]))
                    self._came.set()
                elif frame[1] in self._replies:
                    self._replies.pop(frame[1]).set_result(frame)


class House:
    """One run of the daemon's inside. Made by ``house``."""

    def __init__(self, store: SqliteStore, clock: HandClock, **section: Any) -> None:
        self.clock = clock
        self.notes: list[Note] = []
        self.inbox = Inbox()
        self.driver = OcppDriver(
            OcppSection(listen="127.0.0.1:0", answer_timeout_s=10, **section),
            {GARAGE: OcppCharger(identity="CP1")},
            clock,
            store,
        )
        self.dispatcher = Dispatcher({GARAGE: self.driver}, self.inbox, clock)
        self.loop = Loop(
            clock=clock,
            store=store,
            inbox=self.inbox,
            dispatch=self.dispatcher.dispatch,
            answer=self.dispatcher.answer,
            write_note=self.notes.append,
        )
        self.configuration_file = ""
        self.desk = DaemonDesk(loop=self.loop, archive=store, clock=clock, rim=self.dispatcher, keeper=self)
        self._names = itertools.count(1)

    def reload(self) -> tuple[str, ...]:
        return ()

    @property
    def state(self) -> State:
        return self.loop.states[GARAGE]

    @property
    def doc(self) -> Json:
        """The current session document."""
        found = self.desk.session(POLICY)
        assert found is not None
        return found

    @property
    def kwh(self) -> float:
        return float(self.doc["statistics"]["aggregated"]["kwhSum"])

    @property
    def error(self) -> str | None:
        """The error of the current session, by its kind."""
        latest = self.doc["error"]["latest"]
        return None if latest is None else str(latest["type"])

    @property
    def told(self) -> set[str]:
        """The errors that were told in the journal so far."""
        return {note.error for note in self.notes if note.error is not None}

    async def settled(self) -> list[Json]:
        """The settled documents, oldest first."""
        await self.calm()
        page = await self.desk.archive.page(PageQuery())
        return [json.loads(text) for text in reversed(page.documents)]

    @contextlib.asynccontextmanager
    async def box(self, version: str = "1.6", *, boots: bool = True) -> AsyncIterator[Box]:
        """Connect a charger, boot it, and wait until the set-up is over."""
        url = f"ws://127.0.0.1:{(await self.driver.ports()).plain}/ocpp/CP1"
        async with (
            connect(
                url,
                subprotocols=[Subprotocol(f"ocpp{version}")],
                compression=None,
                ping_interval=None,
                close_timeout=1,
            ) as socket,
            asyncio.TaskGroup() as tasks,
        ):
            box = Box(socket)
            serving = tasks.create_task(box.serve())
            if boots:
                await box.call("BootNotification", BOOT_16 if version == "1.6" else BOOT_201)
            await box.call("Heartbeat", {})
            async with asyncio.timeout(PATIENCE_S):
                await self.clock.sleeper(SETTLE_S)
            await self.pass_s(3)
            await box.was_asked("TriggerMessage", requestedMessage="MeterValues")
            await self.calm()
            yield box
            serving.cancel()

    async def boost(self, level: int = 100) -> None:
        """Have charging wanted from now on."""
        reply_to = ReplyTo(f"boost{next(self._names)}")
        wish = ImmediateStartRequested(policy_id=POLICY, minimum_charge_target=level, reply_to=reply_to)
        assert await self.desk.request(wish) is None
        await self.calm()

    async def unboost(self) -> None:
        """Take back that charging is wanted from now on: the plan of the night is in force again."""
        reply_to = ReplyTo(f"unboost{next(self._names)}")
        assert await self.desk.request(OverrideCancelled(policy_id=POLICY, reply_to=reply_to)) is None
        await self.calm()

    async def calm(self) -> None:
        """Wait until all that was said is decided, and every command has its outcome."""
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(2):
                await self._barrier()
            while self.state.facts.online and self.state.control.in_flight:
                await self._barrier()

    async def _barrier(self) -> None:
        """A question about a car that nobody knows is answered in its turn, and changes nothing."""
        reply_to = ReplyTo(f"barrier{next(self._names)}")
        await self.desk.request(VehicleReported(vehicle_id=VehicleId("nobody"), reply_to=reply_to))

    async def offline(self) -> None:
        """Wait until the end of a connection is known."""
        async with asyncio.timeout(PATIENCE_S):
            while self.state.facts.online:
                await self._barrier()

    async def pass_s(self, seconds: float) -> None:
        await self.until(self.clock.time + timedelta(seconds=seconds))

    async def until(self, end: datetime | str) -> None:
        """Let time pass, from deadline to deadline."""
        end = utc(end) if isinstance(end, str) else end
        await self.calm()
        while self.clock.time < end:
            due = next_deadline(self.state)
            # A deadline that has come is kept by the loop at its next look.
            later = end if due is None else min(max(due, self.clock.time + timedelta(seconds=1)), end)
            self.clock.move(later)
            await self.calm()


@contextlib.asynccontextmanager
async def house(
    folder: Path, clock: HandClock, *, managed: bool = True, max_a: float = 16.0, **section: Any
) -> AsyncIterator[House]:
    """Run the daemon's inside over a database in a folder; it ends as a killed process does, without a last word.

    ``section`` are options of ``[ocpp]``.
    """
    configured = Home(managed=managed).configuration(restarted=True)
    configured = replace(configured, charger=replace(configured.charger, max_a=max_a))
    async with SqliteStore.open(f"sqlite://{folder / 'house.db'}") as store:
        home = House(store, clock, **section)
        home.loop.restore(await store.load())
        await home.loop.handle(configured)
        await home.loop.handle(PricesUpdated(curve=NIGHT))
        async with home.driver, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(work)
                for work in (home.loop.run(), home.dispatcher.run(), home.driver.run(home.inbox))
            ]
            yield home
            for task in running:
                task.cancel()


BOOT_16 = {"chargePointVendor": "Acme", "chargePointModel": "Box", "firmwareVersion": "1.2"}
BOOT_201 = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Box"}}


def stamp(at: datetime | str) -> str:
    at = utc(at) if isinstance(at, str) else at
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
