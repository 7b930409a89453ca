"""CALLs that we send over one connection: one in flight, answered, refused, timed out or cut off (OCPP-J section 4)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

from chargerd.contract import ChargerId, Refused, Unreachable
from chargerd_drivers.ocpp.fields import Json
from chargerd_drivers.ocpp.frames import Fault, MessageId, Result, encode_call
from chargerd_drivers.ocpp.turns import Turns, urgency

_WAITING_MAX = 16
_UNSUPPORTED = frozenset({"notimplemented", "notsupported"})


class CallError(Refused):
    """A CALLERROR. ``code`` may be a vendor's own word."""

    def __init__(self, charger_id: ChargerId, fault: Fault) -> None:
        said = f"{charger_id}: answered {fault.code} {fault.description}".rstrip()
        super().__init__(said, supported=fault.code.casefold() not in _UNSUPPORTED)
        self.code = fault.code
        self.description = fault.description


class Calls:
    """The outbound side of one connection. All times are real seconds of the event loop."""

    def __init__(self, charger_id: ChargerId, send: Callable[[str], Awaitable[None]], timeout_s: float) -> None:
        self._charger_id = charger_id
        self._send = send
        self._timeout_s = timeout_s
        self._turns = Turns()
        self._gate = asyncio.Event()
        self._waiting = 0
        self._answers: dict[MessageId, asyncio.Future[Json]] = {}
        self._ended: str | None = None
        self.unasked = 0

    def open(self) -> None:
        """Let CALLs out: the charger has had its BootNotification answered and time to settle."""
        self._gate.set()

    async def opened(self, what: str) -> None:
        """Wait until CALLs are let out. Raises Unreachable when that does not come in time, or the connection goes."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._gate.wait()
        except TimeoutError as error:
            msg = f"{self._charger_id}: {what} not sent, the charger has not settled within {self._timeout_s:g} s"
            raise Unreachable(msg) from error
        if self._ended is not None:
            msg = f"{self._charger_id}: {what} not sent, {self._ended}"
            raise Unreachable(msg)

    def restart(self, reason: str) -> None:
        """Hold CALLs back again and fail the one in flight: the charger started anew and forgot it."""
        self._gate.clear()
        self._fail(reason)

    def end(self, reason: str) -> None:
        """Fail everybody who waits, now and from now on: the connection is gone."""
        if self._ended is None:
            self._ended = reason
        self._gate.set()
        self._fail(reason)

    def take(self, frame: Result | Fault) -> None:
        """Give an answer to who waits for it. One that nobody waits for is late or was never asked for: counted."""
        future = self._answers.pop(frame.message_id, None)
        if future is None or future.done():
            self.unasked += 1
        elif isinstance(frame, Result):
            future.set_result(frame.payload)
        else:
            future.set_exception(CallError(self._charger_id, frame))

    async def call(self, action: str, payload: Json) -> Json:
        """Send a CALL in its turn and return the payload of its CALLRESULT.

        Raises CallError, a Refused, for a CALLERROR, Unreachable when the connection is gone, when the turn does not
        come in time, or (``timed_out``) when no answer does.
        """
        async with self._my_turn(action):
            message_id = str(uuid4())
            future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
            self._answers[message_id] = future
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._send(encode_call(message_id, action, payload))
                    return await future
            except TimeoutError as error:
                msg = f"{self._charger_id}: no answer to {action} within {self._timeout_s:g} s"
                raise Unreachable(msg, timed_out=True) from error
            finally:
                self._answers.pop(message_id, None)

    @contextlib.asynccontextmanager
    async def _my_turn(self, action: str) -> AsyncIterator[None]:
        if self._waiting >= _WAITING_MAX:
            msg = f"{self._charger_id}: {action} not sent, {_WAITING_MAX} others are waiting"
            raise Unreachable(msg)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._gate.wait()
                await self._turns.acquire(urgency(action))
        except TimeoutError as error:
            msg = f"{self._charger_id}: {action} not sent, its turn did not come within {self._timeout_s:g} s"
            raise Unreachable(msg) from error
        finally:
            self._waiting -= 1
        try:
            if self._ended is not None:
                msg = f"{self._charger_id}: {action} not sent, {self._ended}"
                raise Unreachable(msg)
            yield
        finally:
            self._turns.release()

    def _fail(self, reason: str) -> None:
        for future in self._answers.values():
            if not future.done():
                future.set_exception(Unreachable(f"{self._charger_id}: {reason}"))
                future.exception()  # who waits may be cancelled before it is told; that is no fault
        self._answers.clear()
