"""A scripted central system on a loopback socket, and the simulator in front of it on an accelerated clock."""

import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from ocpp.exceptions import OCPPError
from ocpp.messages import Call, CallResult, validate_payload
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from chargerd.clock import ScaledClock, parse_clock
from chargerd_drivers.simulator import charge_point

Payload = dict[str, Any]
Where = Callable[[Payload], bool]

PATIENCE_S = 5.0
TX_ID = 4711


def anything(_: Payload) -> bool:
    return True


class Log:
    """What happened, in order; ``expect`` looks only at what it has not passed yet."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, Payload]] = []
        self._passed = 0
        self._grown = asyncio.Event()

    def add(self, name: str, payload: Payload) -> None:
        self.entries.append((name, payload))
        self._grown.set()

    def all(self, name: str) -> list[Payload]:
        return [payload for entry, payload in self.entries if entry == name]

    async def expect(self, name: str, where: Where = anything) -> Payload:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    for place in range(self._passed, len(self.entries)):
                        entry, payload = self.entries[place]
                        if entry == name and where(payload):
                            self._passed = place + 1
                            return payload
                    self._grown.clear()
                    await self._grown.wait()
        except TimeoutError:
            shown = "\n".join(f"{entry} {json.dumps(payload)}" for entry, payload in self.entries[self._passed :])
            pytest.fail(f"no {name} as expected; since the last one:\n{shown}")


class CentralSystem:
    """Answers what a charger asks, asks what the test wants, and checks each payload against the schemas."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.log = Log()
        self.faults: list[str] = []
        self.answers: dict[str, Payload] = {}
        self.errors: dict[str, int] = {}
        self.held: set[str] = set()
        self.on_call: Callable[[str, Payload], None] = lambda _action, _payload: None
        self.headers: list[Any] = []
        self.connections = 0
        self.open = asyncio.Event()
        self._server: Server
        self._connection: ServerConnection | None = None
        self._asked: dict[str, tuple[str, asyncio.Future[Payload]]] = {}
        self._held_ids: list[tuple[str, str]] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        protocols = [f"ocpp{self.version}"]
        async with serve(self._serve, "127.0.0.1", 0, subprotocols=protocols, close_timeout=0.5) as server:  # type: ignore[arg-type]
            self._server = server
            yield next(iter(server.sockets)).getsockname()[1]

    def hang_up(self) -> None:
        """Break all connections."""
        for connection in self._server.connections:
            connection.transport.abort()

    def die(self) -> None:
        """Be gone: all connections break, and nothing listens any more."""
        self.hang_up()
        self._server.close()

    async def _serve(self, connection: ServerConnection) -> None:
        self._connection = connection
        self.connections += 1
        assert connection.request is not None
        self.headers.append((connection.request.path, connection.request.headers))
        self.open.set()
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._take(json.loads(await connection.recv()))
        if self._connection is connection:
            self.open.clear()

    async def _take(self, frame: list[Any]) -> None:
        match frame:
            case [2, call_id, action, payload]:
                await self._check(Call(call_id, action, payload))
                self.on_call(action, payload)
                self.log.add(action, payload)
                if action in self.held:
                    self._held_ids.append((call_id, action))
                elif self.errors.get(action, 0) > 0:
                    self.errors[action] -= 1
                    await self.send([4, call_id, "InternalError", "on purpose", {}])
                else:
                    await self.send([3, call_id, self._answer(action)])
            case [3, call_id, payload]:
                action, future = self._asked.pop(call_id)
                await self._check(CallResult(call_id, payload, action=action))
                future.set_result(payload)
            case [4, call_id, code, description, _]:
                self.log.add("error", {"code": code, "description": description})
                if call_id in self._asked:
                    self._asked.pop(call_id)[1].set_result({"error": code, "description": description})

    def _answer(self, action: str) -> Payload:
        usual: dict[str, Payload] = {
            "BootNotification": {"status": "Accepted", "interval": 3600, "currentTime": "2026-01-14T16:00:00Z"},
            "Heartbeat": {"currentTime": "2026-01-14T16:00:00Z"},
            "StartTransaction": {"transactionId": TX_ID, "idTagInfo": {"status": "Accepted"}},
            "Authorize": {"idTagInfo": {"status": "Accepted"}}
            if self.version == "1.6"
            else {"idTokenInfo": {"status": "Accepted"}},
        }
        return self.answers.get(action, usual.get(action, {}))

    async def _check(self, message: Call | CallResult) -> None:
        try:
            await validate_payload(message, self.version)
        except OCPPError as error:
            self.faults.append(f"{message.action}: {error!r}")

    async def send(self, frame: list[Any] | str) -> None:
        assert self._connection is not None
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def release(self) -> None:
        self.held.clear()
        for call_id, action in self._held_ids:
            await self.send([3, call_id, self._answer(action)])
        self._held_ids.clear()

    async def ask(self, action: str, payload: Payload) -> Payload:
        call_id = f"ask-{len(self._asked)}-{action}"
        future: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._asked[call_id] = (action, future)
        await self.send([2, call_id, action, payload])
        async with asyncio.timeout(PATIENCE_S):
            return await future


class Bench:
    """Both ends, and the words that both protocol versions share."""

    def __init__(self, central: CentralSystem, clock: ScaledClock, control: int) -> None:
        self.central = central
        self.clock = clock
        self.events = Log()
        self._control = control
        self.group: asyncio.TaskGroup

    @property
    def new(self) -> bool:
        return self.central.version == "2.0.1"

    def do(self, deed: str, **more: Any) -> None:
        os.write(self._control, (json.dumps({"do": deed, **more}) + "\n").encode())

    def soon(self, deed: Coroutine[Any, Any, Payload]) -> asyncio.Task[Payload]:
        """Ask without waiting for the answer."""
        return self.group.create_task(deed)

    async def ready(self) -> None:
        status = await self.central.log.expect("StatusNotification", lambda payload: payload["connectorId"] == 1)
        assert status.get("status", status.get("connectorStatus")) == "Available"

    async def plug(self) -> None:
        self.do("plug")
        key, value = ("connectorStatus", "Occupied") if self.new else ("status", "Preparing")
        await self.central.log.expect("StatusNotification", lambda payload: payload[key] == value)

    async def start(self) -> Payload:
        if self.new:
            token = {"idToken": "home", "type": "Central"}
            return await self.central.ask(
                "RequestStartTransaction", {"evseId": 1, "idToken": token, "remoteStartId": 77}
            )
        return await self.central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "home"})

    async def stop(self) -> Payload:
        if self.new:
            return await self.central.ask("RequestStopTransaction", {"transactionId": self.transaction_id})
        return await self.central.ask("RemoteStopTransaction", {"transactionId": TX_ID})

    @property
    def transaction_id(self) -> str:
        started = [event for event in self.central.log.all("TransactionEvent") if event["eventType"] == "Started"]
        return str(started[-1]["transactionInfo"]["transactionId"])

    async def limit(self, current_a: float, *, purpose: str = "TxDefaultProfile", **more: Any) -> Payload:
        return await self.plan((0, current_a), begins="2026-01-01T00:00:00Z", purpose=purpose, **more)

    async def plan(
        self, *steps: tuple[int, float], begins: str, purpose: str = "TxDefaultProfile", **more: Any
    ) -> Payload:
        """Set a profile of several periods: (seconds after its beginning, limit in A)."""
        periods = [{"startPeriod": seconds, "limit": limit_a} for seconds, limit_a in steps]
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods, "startSchedule": begins}
        common = {"stackLevel": 0, "chargingProfilePurpose": purpose, "chargingProfileKind": "Absolute", **more}
        if self.new:
            profile = {"id": 1, "chargingSchedule": [{"id": 1, **schedule}], **common}
            return await self.central.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
        profile = {"chargingProfileId": 1, "chargingSchedule": schedule, **common}
        return await self.central.ask("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})

    async def state(self, name: str) -> Payload:
        """Wait until the charger tells the central system Charging, SuspendedEV or SuspendedEVSE."""
        if self.new:
            return await self.central.log.expect(
                "TransactionEvent",
                lambda event: (
                    event["transactionInfo"].get("chargingState") == name
                    and event["triggerReason"] == "ChargingStateChanged"
                ),
            )
        return await self.central.log.expect("StatusNotification", lambda payload: payload["status"] == name)

    async def begun(self) -> Payload:
        if self.new:
            return await self.central.log.expect("TransactionEvent", lambda event: event["eventType"] == "Started")
        return await self.central.log.expect("StartTransaction")

    async def ended(self) -> Payload:
        if self.new:
            return await self.central.log.expect("TransactionEvent", lambda event: event["eventType"] == "Ended")
        return await self.central.log.expect("StopTransaction")

    async def sample(self, where: Where = anything) -> Payload:
        """Wait for a sample during the transaction; returns its meterValue."""
        payload = await self.central.log.expect(
            "TransactionEvent" if self.new else "MeterValues",
            lambda payload: (
                (not self.new or payload["triggerReason"].startswith("MeterValue")) and where(payload["meterValue"][0])
            ),
        )
        found: Payload = payload["meterValue"][0]
        return found


def register(sample: Payload) -> int:
    values = [value for value in sample["sampledValue"] if value["measurand"] == "Energy.Active.Import.Register"]
    return int(values[0]["value"])


@contextmanager
def _standard_streams(bench: Bench, control_end: int) -> Iterator[None]:
    class Lines:
        def write(self, text: str) -> None:
            line = json.loads(text)
            bench.events.add(line["event"], line)

        def flush(self) -> None:
            pass

    was = sys.stdin
    with os.fdopen(control_end) as stdin, contextlib.redirect_stdout(Lines()):  # type: ignore[type-var]
        sys.stdin = stdin
        try:
            yield
        finally:
            sys.stdin = was


@asynccontextmanager
async def running(version: str, *argv: str, speed: float = 3000) -> AsyncIterator[Bench]:
    """Run the simulator against a central system; check at the end that both kept to the protocol, and exit 0."""
    central = CentralSystem(version)
    async with prepared(central, *argv, speed=speed) as bench:
        yield bench


@asynccontextmanager
async def prepared(central: CentralSystem, *argv: str, speed: float = 3000) -> AsyncIterator[Bench]:
    """Run the simulator against a central system that a test has given its answers to before."""
    clock = parse_clock(f"2026-01-14T16:01:00Z@{speed}")
    assert isinstance(clock, ScaledClock)
    control_end, control = os.pipe()
    bench = Bench(central, clock, control)
    parser = argparse.ArgumentParser()
    charge_point.add_arguments(parser)
    async with central.listening() as port:
        url = f"ws://127.0.0.1:{port}/ocpp"
        args = parser.parse_args(["--url", url, "--version", central.version, *argv])
        with _standard_streams(bench, control_end):
            try:
                async with asyncio.TaskGroup() as group:
                    bench.group = group
                    task = group.create_task(charge_point.run(args, clock))
                    yield bench
                    bench.do("quit")
                    async with asyncio.timeout(PATIENCE_S):
                        assert await task == 0
            finally:
                os.close(control)
    assert central.faults == []
    registers = [event["registerWh"] for _, event in bench.events.entries]
    assert registers == sorted(registers)
