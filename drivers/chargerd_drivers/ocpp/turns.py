"""Whose turn it is to send: the most urgent of those who wait, and among equals the one who has waited longest."""

import asyncio
import heapq
from itertools import count

ROUTINE = 3
_URGENCY = {
    "Reset": 0,
    "RemoteStopTransaction": 0,
    "RequestStopTransaction": 0,
    "ClearChargingProfile": 1,
    "SetChargingProfile": 1,
    "RemoteStartTransaction": 2,
    "RequestStartTransaction": 2,
}
"""Smaller is sooner. Ending goes before limiting, and that before beginning; what is only asked can wait."""


def urgency(action: str) -> int:
    """Return how urgent a request is; smaller is sooner."""
    return _URGENCY.get(action, ROUTINE)


class Turns:
    """One turn at a time."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    async def acquire(self, urgency: int) -> None:
        """Wait for a turn."""
        if not self._is_taken:
            self._is_taken = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # it was given the turn while it was being cancelled
            raise

    def release(self) -> None:
        """Give the turn to the next one."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._is_taken = False
