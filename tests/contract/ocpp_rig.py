"""A running OCPP driver with a recording sink, and a scripted charger that speaks over a real socket."""

import asyncio
import base64
import contextlib
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from chargerd.clock import parse_clock
from chargerd.contract import (
    ChargerId,
    Clock,
    CommandId,
    Document,
    Event,
    SetCurrentLimit,
    StartTransaction,
    StopTransaction,
    StoreError,
    TransactionId,
)
from chargerd_drivers.ocpp.config import OcppCharger, OcppSection
from chargerd_drivers.ocpp.driver import OcppDriver

GARAGE = ChargerId("garage")
START = StartTransaction(charger_id=GARAGE, command_id=CommandId(7), id_token="chargerd")
STOP = StopTransaction(charger_id=GARAGE, command_id=CommandId(8), transaction_id=TransactionId("17"))
PAUSE = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(9), limit_a=0)
PATIENCE_S = 5.0

E = TypeVar("E")


class RecordingSink:
    """Keeps every event; ``take`` waits for the next one of a type, ``seen`` holds all."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self._fresh: deque[Event] = deque()
        self._came = asyncio.Event()

    async def put(self, event: Event) -> None:
        self.seen.append(event)
        self._fresh.append(event)
        self._came.set()

    async def take(self, kind: type[E]) -> E:
        """Return the oldest untaken event of a type, dropping those before it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while self._fresh:
                    event = self._fresh.popleft()
                    if isinstance(event, kind):
                        return event
                self._came.clear()
                await self._came.wait()


class KeptMemory:
    """What a driver keeps, in a dictionary; ``writes`` counts. While ``is_failing``, every access fails."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.writes = 0
        self.is_failing = False

    async def recall(self, key: str) -> Document | None:
        self._check()
        return self.documents.get(key)

    async def remember(self, key: str, document: Document) -> None:
        self._check()
        self.writes += 1
        self.documents[key] = json.loads(json.dumps(document))

    def _check(self) -> None:
        if self.is_failing:
            raise StoreError("the disk is gone")


class ScriptedCharger:
    """The charger's end of one connection. Nothing is answered unless the script says so."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.requests: deque[tuple[str, str, dict[str, Any]]] = deque()
        self.answers: dict[str, list[Any]] = {}
        self._count = 0

    async def ask(self, action: str, payload: Mapping[str, Any], message_id: str | None = None) -> str:
        """Send a CALL without waiting; return its id."""
        self._count += 1
        message_id = message_id or f"m{self._count}"
        await self.socket.send(json.dumps([2, message_id, action, payload]))
        return message_id

    async def answer_to(self, message_id: str) -> list[Any]:
        """Wait for the CALLRESULT or CALLERROR of an id; CALLs that come meanwhile are kept."""
        async with asyncio.timeout(PATIENCE_S):
            while message_id not in self.answers:
                await self._pump()
        return self.answers.pop(message_id)

    async def call(self, action: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Send a CALL and return the payload of its CALLRESULT."""
        frame = await self.answer_to(await self.ask(action, payload))
        assert frame[0] == 3, frame
        result: dict[str, Any] = frame[2]
        return result

    async def request(self, action: str | None = None) -> tuple[str, str, dict[str, Any]]:
        """Wait for the next CALL (of an action: those before it are answered NotSupported)."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while not self.requests:
                    await self._pump()
                found = self.requests.popleft()
                if action in {None, found[1]}:
                    return found
                await self.socket.send(json.dumps([4, found[0], "NotSupported", "", {}]))

    async def reply(self, message_id: str, payload: Mapping[str, Any]) -> None:
        await self.socket.send(json.dumps([3, message_id, payload]))

    async def refuse(self, message_id: str, code: str) -> None:
        await self.socket.send(json.dumps([4, message_id, code, "", {}]))

    async def closed(self) -> None:
        """Wait until the other side has closed the connection."""
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.wait_closed()

    async def _pump(self) -> None:
        frame = json.loads(await self.socket.recv())
        if frame[0] == 2:
            self.requests.append((frame[1], frame[2], frame[3]))
        else:
            self.answers[frame[1]] = frame


class Rig:
    """A driver that listens on a free port of the loopback interface."""

    def __init__(self, driver: OcppDriver, sink: RecordingSink, clock: Clock) -> None:
        self.driver = driver
        self.sink = sink
        self.clock = clock
        self.port = 0
        self.port_tls: int | None = None

    @contextlib.asynccontextmanager
    async def charger(
        self,
        version: str | None = "1.6",
        path: str = "/ocpp/CP1",
        *,
        offered: tuple[str, ...] | None = None,
        password: bytes | None = None,
        user: str = "CP1",
        compression: str | None = None,
        port: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> AsyncIterator[ScriptedCharger]:
        names = offered if offered is not None else (() if version is None else (f"ocpp{version}",))
        headers = {}
        if password is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(user.encode() + b":" + password).decode()
        async with connect(
            f"ws://127.0.0.1:{port or self.port}{path}"
            if tls is None
            else f"wss://127.0.0.1:{port or self.port_tls}{path}",
            ssl=tls,
            subprotocols=[Subprotocol(name) for name in names] or None,
            additional_headers=headers,
            compression=compression,
            ping_interval=None,
            close_timeout=1,
        ) as socket:
            yield ScriptedCharger(socket)


BOOT_16 = {"chargePointVendor": "Acme", "chargePointModel": "Box", "firmwareVersion": "1.2"}
BOOT_201 = {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Box"}}


async def boot(charger: ScriptedCharger, version: str = "1.6") -> None:
    """Boot and refuse everything of the set-up, so that the connection is quiet afterwards."""
    answer = await charger.call("BootNotification", BOOT_16 if version == "1.6" else BOOT_201)
    assert answer["status"] == "Accepted"
    while True:
        message_id, action, payload = await charger.request()
        await charger.refuse(message_id, "NotSupported")
        if action == "TriggerMessage" and payload["requestedMessage"] == "MeterValues":
            return


@contextlib.asynccontextmanager
async def running(
    chargers: Mapping[ChargerId, OcppCharger] | None = None,
    *,
    clock: Clock | None = None,
    sink: RecordingSink | None = None,
    memory: KeptMemory | None = None,
    **section: Any,
) -> AsyncIterator[Rig]:
    """Run a driver; simulated time is a thousand times faster unless a clock is given."""
    clock = clock or parse_clock("2026-01-14T16:00:00Z@1000")
    driver = OcppDriver(
        OcppSection(listen="127.0.0.1:0", **section),
        chargers or {GARAGE: OcppCharger(identity="CP1")},
        clock,
        memory or KeptMemory(),
    )
    sink = sink or RecordingSink()
    async with driver, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(driver.run(sink))
        rig = Rig(driver, sink, clock)
        ports = await driver.ports()
        rig.port, rig.port_tls = ports.plain, ports.tls
        yield rig
        task.cancel()
