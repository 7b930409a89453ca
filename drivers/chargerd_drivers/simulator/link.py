"""The connection to the central system: dialling, framing, one request under way, answers at once.

The reader answers by itself and never waits for the sender, so a request of ours may be under way while the
central system asks something. Answers to our requests take effect in the reader too, before the next frame is
looked at: a transaction's number is known when a profile for it arrives right behind.
"""

import asyncio
import json
import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import Any, NoReturn, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from chargerd.contract import Clock
from chargerd_drivers.simulator import schemas
from chargerd_drivers.simulator.address import Address, trust
from chargerd_drivers.simulator.outbox import Answer, Message, Outbox, Payload
from chargerd_drivers.simulator.settings import Settings
from chargerd_drivers.simulator.skew import shifted

log = logging.getLogger(__name__)

CALL, RESULT, ERROR = 2, 3, 4
ANSWER_TIMEOUT_S = 30.0
"""Real seconds without an answer after which the connection counts as dead."""
REDIAL_S = 5.0
REAL_WAIT_MIN_S = 0.05
REBOOT_S = 10.0
_FLUSH_TIMEOUT_S = 5.0
_BOOT_RETRY_S = 10.0
_FRAMES_MAX = 1000


class CallRefused(Exception):
    """The station answers a request with an error. ``code`` is one of OCPP-J's."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


class Peer(Protocol):
    """What the link needs of the station behind it. None of these waits."""

    def boot(self) -> Message:
        """Return the BootNotification."""
        ...

    def answer(self, action: str, payload: Payload) -> Answer:
        """Act on a request and return the answer, or what will become it. Raises CallRefused."""
        ...

    def concluded(self, message: Message, result: Payload) -> None:
        """Act on the answer to a request of ours; an empty one when it was given up."""
        ...

    def went_online(self) -> None:
        """The central system accepted the station, or the network is back."""
        ...

    def went_offline(self, reason: str) -> None:
        """The connection is gone."""
        ...

    def rebooted(self) -> None:
        """The station starts anew."""
        ...

    def violated(self, *, by: str, action: str, fault: str) -> None:
        """Somebody broke the protocol: "central-system" or "simulator"."""
        ...


class _Ended(Exception):
    """The connection is over."""


@dataclass(slots=True)
class _UnderWay:
    """Our request that waits for its answer; the future tells whether there was a result (not an error)."""

    id: str
    message: Message
    answered: asyncio.Future[bool]


class Link:
    """Keeps a connection up, sends what is in the outbox, and hands requests to the peer."""

    def __init__(self, address: Address, *, clock: Clock, outbox: Outbox, settings: Settings, peer: Peer) -> None:
        self.address = address
        self._habits = settings.behaviour.connection
        self._clock = clock
        self._outbox = outbox
        self._settings = settings
        self._peer = peer
        self._connection: ClientConnection | None = None
        self._frames: asyncio.Queue[str] = asyncio.Queue(_FRAMES_MAX)
        self._under_way: _UnderWay | None = None
        self._put_off: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue(_FRAMES_MAX)
        self._connected_s = self._accepted_s = clock.monotonic()
        self._accepted = False
        self._boot_retry_s = _BOOT_RETRY_S
        self._away_s: float | None = None
        self._reboot = asyncio.Event()
        self._hang_up = asyncio.Event()
        self._reboot_gently = True
        self.online = False

    def drop(self, *, away_s: float) -> None:
        """Cut the TCP connection without a farewell, and stay away for so many seconds of the clock."""
        if self._connection is not None:
            self._away_s = away_s
            self._connection.transport.abort()

    def redial(self) -> None:
        """Hang up once the answers are out, and dial anew."""
        self._hang_up.set()

    def reboot(self, *, gently: bool) -> None:
        """Restart: with everything sent first, or only the answer under way."""
        self._reboot_gently = gently
        self._reboot.set()

    async def run(self) -> NoReturn:
        """Connect again and again, until cancelled."""
        told = ""
        while True:
            reason = await self._connect()
            rebooting = self._reboot.is_set()
            if self.online:
                self.online, told = False, ""
                self._outbox.forget_volatile()
                self._peer.went_offline(reason)
            elif reason != told:
                told = reason
                log.info("no connection to %s: %s", self.address.full_url, reason)
            away_s, self._away_s = self._away_s, None
            await self._wait(away_s if away_s is not None else REBOOT_S if rebooting else REDIAL_S)
            if rebooting:
                self._reboot.clear()
                self._accepted = False
                self._peer.rebooted()

    async def _wait(self, seconds: float) -> None:
        await self._clock.sleep(max(seconds, REAL_WAIT_MIN_S / self._clock.real_seconds(1)))

    async def _connect(self) -> str:
        """Hold one connection, and return why it ended."""
        wanted = Subprotocol(f"ocpp{self.address.version}")
        try:
            async with connect(
                self.address.full_url,
                subprotocols=[wanted],
                additional_headers=self.address.headers,
                ssl=trust(self.address),
                compression=None,
                proxy=None,
                close_timeout=1,
            ) as connection:
                if connection.subprotocol != wanted:
                    fault = f"no subprotocol {wanted} in the answer to the handshake"
                    self._peer.violated(by="central-system", action="handshake", fault=fault)
                    return fault
                try:
                    return await self._serve(connection)
                finally:
                    await connection.close()
        except (OSError, WebSocketException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            self._connection = None

    async def _serve(self, connection: ClientConnection) -> str:
        self._connection = connection
        self._frames = asyncio.Queue(_FRAMES_MAX)
        self._put_off = asyncio.Queue(_FRAMES_MAX)
        self._under_way = None
        self._connected_s = self._clock.monotonic()
        reason = ""
        if self._accepted:
            self._go_online()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(connection))
                group.create_task(self._write(connection))
                group.create_task(self._talk())
                group.create_task(self._answer_slowly())
                group.create_task(self._await_reboot())
                group.create_task(self._await_hang_up())
        except* _Ended as ended:
            reason = str(ended.exceptions[0])
        return reason

    def _go_online(self) -> None:
        if not self.online:
            self.online = True
            self._peer.went_online()

    async def _await_hang_up(self) -> NoReturn:
        await self._hang_up.wait()
        self._hang_up.clear()
        await self._frames.join()
        raise _Ended("dials anew")

    async def _await_reboot(self) -> NoReturn:
        await self._reboot.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_TIMEOUT_S):
                while self._reboot_gently and len(self._outbox):
                    await self._outbox.change()
                await self._frames.join()
        raise _Ended("reboot")

    # Frames

    async def _write(self, connection: ClientConnection) -> NoReturn:
        while True:
            frame = await self._frames.get()
            log.debug("> %s", frame)
            try:
                await connection.send(frame)
            except ConnectionClosed as closed:
                raise _Ended(str(closed)) from closed
            self._frames.task_done()

    async def _read(self, connection: ClientConnection) -> NoReturn:
        try:
            while True:
                frame = await connection.recv()
                log.debug("< %s", frame)
                self._take(frame)
        except ConnectionClosed as closed:
            raise _Ended(str(closed)) from closed

    def _send(self, frame: list[Any]) -> None:
        try:
            self._frames.put_nowait(json.dumps(frame, separators=(",", ":")))
        except asyncio.QueueFull:
            raise _Ended("the central system asks and does not read the answers") from None

    def _take(self, text: str | bytes) -> None:
        try:
            frame = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            self._complain("frame", f"no JSON: {error}")
            return
        match frame:
            case [2, *_] if self._is_deaf:
                pass
            case [2, *_] if self._is_startled:
                log.info("a request so soon after the boot: the station restarts")
                self.reboot(gently=False)
            case [2, str() as call_id, str() as action, dict() as payload] if self._habits.answer_after_s:
                self._put_off_call(call_id, action, payload)
            case [2, str() as call_id, str() as action, dict() as payload]:
                self._take_call(call_id, action, payload)
            case [2, str() as call_id, *_]:
                self._complain("frame", f"malformed request: {text!r:.200}")
                self._send([ERROR, call_id, self._formation_code, "expected [2, id, action, {...}]", {}])
            case [3, str() as call_id, dict() as payload]:
                self._take_answer(call_id, payload)
            case [4, str() as call_id, *_]:
                self._take_answer(call_id, None, detail=str(frame[2:]))
            case _:
                self._complain("frame", f"neither request nor answer: {text!r:.200}")

    @property
    def _formation_code(self) -> str:
        return "FormationViolation" if self.address.version == "1.6" else "FormatViolation"

    @property
    def _is_deaf(self) -> bool:
        deaf_after_s = self._habits.deaf_after_s
        return deaf_after_s is not None and self._clock.monotonic() - self._connected_s >= deaf_after_s

    @property
    def _is_startled(self) -> bool:
        early_s = self._habits.early_s
        return early_s is not None and self._clock.monotonic() - self._accepted_s < early_s

    def _put_off_call(self, *call: Any) -> None:
        try:
            self._put_off.put_nowait(call)
        except asyncio.QueueFull:
            raise _Ended("the central system asks and does not wait for the answers") from None

    async def _answer_slowly(self) -> NoReturn:
        """Carry out and answer what was put off, one after the other."""
        for seconds in cycle(self._habits.answer_after_s or (0.0,)):
            put_off = await self._put_off.get()
            await self._clock.sleep(seconds)
            self._take_call(*put_off)
        raise AssertionError

    def _complain(self, action: str, fault: str) -> None:
        self._peer.violated(by="central-system", action=action, fault=fault)

    def _take_call(self, call_id: str, action: str, payload: Payload) -> None:
        try:
            self._check_call(action, payload)
            answer = self._peer.answer(action, shifted(payload, -self._habits.clock_off_s))
        except CallRefused as refused:
            self._send([ERROR, call_id, refused.code, refused.description[:255], {}])
            return
        if isinstance(answer, dict):
            self._answer(call_id, action, answer)
        else:
            connection = self._connection
            answer.add_done_callback(
                lambda ready: self._answer(call_id, action, ready.result()) if self._connection is connection else None
            )

    def _answer(self, call_id: str, action: str, result: Payload) -> None:
        if action in self._habits.unanswered:
            return
        result = shifted(result, self._habits.clock_off_s)
        if (fault := schemas.result_fault(self.address.version, action, result)) is not None:
            self._peer.violated(by="simulator", action=action, fault=fault)
        self._send([RESULT, call_id, result])

    def _check_call(self, action: str, payload: Payload) -> None:
        version = self.address.version
        if not schemas.is_known(version, action):
            self._complain(action, f"OCPP {version} has no such action")
            raise CallRefused("NotImplemented", f"no action {action} in OCPP {version}")
        if (fault := schemas.call_fault(version, action, payload)) is not None:
            self._complain(action, fault)
            raise CallRefused(self._formation_code, fault)

    def _take_answer(self, call_id: str, result: Payload | None, *, detail: str = "") -> None:
        under_way = self._under_way
        if under_way is None or under_way.id != call_id or under_way.answered.done():
            self._complain("frame", f"an answer to nothing: id {call_id!r:.80}")
            return
        message = under_way.message
        if result is None:
            log.warning("%s was answered with an error: %s", message.action, detail)
        else:
            fault = schemas.result_fault(self.address.version, message.action, result)
            if fault is not None:
                self._complain(message.action, f"answer: {fault}")
            self._outbox.done(message)
            self._peer.concluded(message, result)
            if message.action == "BootNotification":
                self._take_registration(result)
        under_way.answered.set_result(result is not None)

    # Requests

    async def _talk(self) -> NoReturn:
        while not self._accepted:
            await self._call(self._peer.boot())
            await self._await_registration()
        while True:
            await self._deliver(await self._outbox.next())

    def _take_registration(self, result: Payload) -> None:
        wished = result.get("interval")
        interval_s = wished if isinstance(wished, int) and wished > 0 else None
        if result.get("status") == "Accepted":
            self._accepted = True
            self._accepted_s = self._clock.monotonic()
            if interval_s is not None:
                self._settings.change("HeartbeatInterval", str(interval_s))
            self._go_online()
        else:
            self._boot_retry_s = float(interval_s or _BOOT_RETRY_S)
            log.info("the central system answered the boot with %s", result.get("status"))

    async def _await_registration(self) -> None:
        """Until it is time to ask again, send only what the central system asked for."""
        real_s = max(self._clock.real_seconds(self._boot_retry_s), REAL_WAIT_MIN_S)
        until = asyncio.get_running_loop().time() + real_s
        while not self._accepted:
            try:
                async with asyncio.timeout_at(until):
                    message = await self._outbox.next(asked_for_only=True)
            except TimeoutError:
                return
            await self._deliver(message)

    async def _deliver(self, message: Message) -> None:
        """Send a request; one about a transaction again after an error, a few times."""
        if await self._call(message):
            return
        message.attempts += 1
        if message.lasting and message.attempts < self._settings.count("TransactionMessageAttempts"):
            await self._wait(self._settings.count("TransactionMessageRetryInterval") * message.attempts)
            return
        self._outbox.done(message)
        self._peer.concluded(message, {})

    async def _call(self, message: Message) -> bool:
        """Send a request and wait for its answer. False: it was an error."""
        payload = shifted(message.build(), self._habits.clock_off_s)
        if (fault := schemas.call_fault(self.address.version, message.action, payload)) is not None:
            self._peer.violated(by="simulator", action=message.action, fault=fault)
        answered = asyncio.get_running_loop().create_future()
        self._under_way = _UnderWay(str(uuid.uuid4()), message, answered)
        self._send([CALL, self._under_way.id, message.action, payload])
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return bool(await answered)
        except TimeoutError:
            raise _Ended(f"no answer to {message.action} in {ANSWER_TIMEOUT_S:g} s") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
