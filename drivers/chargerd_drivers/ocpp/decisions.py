"""CALLs of a charger that the core decides about: each waits for its answer, but never for ever."""

import asyncio

from chargerd.contract import ChargerAnswer, ReplyTo
from chargerd_drivers.ocpp.dialect import Dialect, Reading
from chargerd_drivers.ocpp.fields import Json

_WAITING_MAX = 64


class Decisions:
    """The CALLs of one connection that wait for a decision. ``timeout_s`` is in real seconds."""

    def __init__(self, dialect: Dialect, timeout_s: float) -> None:
        self._dialect = dialect
        self._timeout_s = timeout_s
        self._waiting: dict[ReplyTo, asyncio.Future[ChargerAnswer | None]] = {}

    def expect(self, reply_to: ReplyTo) -> None:
        """Note, before anybody is told of it, that an answer will come. Too many waiting: the oldest waits no more."""
        if len(self._waiting) >= _WAITING_MAX:
            oldest = next(iter(self._waiting.values()))
            if not oldest.done():
                oldest.set_result(None)
        self._waiting[reply_to] = asyncio.get_running_loop().create_future()

    def answer(self, answer: ChargerAnswer) -> None:
        """Take a decision. One for a CALL that waits no more is no error."""
        future = self._waiting.get(answer.reply_to)
        if future is not None and not future.done():
            future.set_result(answer)

    async def confirmation(self, reply_to: ReplyTo, reading: Reading) -> tuple[Json | None, bool]:
        """Wait for the decision. Return what to confirm, and whether it was decided rather than the fallback."""
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._waiting[reply_to]
        except TimeoutError:
            answer = None
        finally:
            del self._waiting[reply_to]
        payload = None if answer is None else self._dialect.confirmation(reading, answer)
        return (reading.fallback, False) if payload is None else (payload, True)
