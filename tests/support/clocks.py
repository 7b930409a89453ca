"""Clocks for tests."""

from datetime import datetime


class StillClock:
    """Tells what it is told, and lets nobody sleep."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError

    def real_seconds(self, seconds: float) -> float:
        return seconds
