"""The clocks: the only file that reads the time."""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", None)


def _elapsed() -> float:
    """Seconds that go on while the machine sleeps, where it can tell: a night in suspend is a night."""
    return time.monotonic() if _SINCE_BOOT is None else time.clock_gettime(_SINCE_BOOT)


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Aware UTC wall time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back, and go on while the machine sleeps."""
        return _elapsed()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(max(seconds, 0))

    def real_seconds(self, seconds: float) -> float:
        """Return the seconds as they are."""
        return seconds


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """An accelerated clock: START + (real Unix time - ANCHOR) x SPEED.

    Processes given the same start, speed and anchor share one time.
    """

    start: datetime
    speed: float
    anchor: float

    def now(self) -> datetime:
        """Aware UTC simulated wall time."""
        return self.start + timedelta(seconds=(time.time() - self.anchor) * self.speed)

    def monotonic(self) -> float:
        """Simulated seconds that never go back."""
        return _elapsed() * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for simulated seconds."""
        await asyncio.sleep(max(seconds, 0) / self.speed)

    def real_seconds(self, seconds: float) -> float:
        """How long simulated seconds last for the machine."""
        return seconds / self.speed

    @property
    def spelling(self) -> str:
        """The ``--clock`` argument that gives another process this clock."""
        return f"{self.start.isoformat().replace('+00:00', 'Z')}@{self.speed:g}@{self.anchor!r}"


_SPELLING = re.compile(r"(?P<start>[^@]+)@(?P<speed>[0-9.]+)(@(?P<anchor>[0-9.]+))?")


def parse_clock(text: str | None) -> SystemClock | ScaledClock:
    """Read ``START@SPEED[@ANCHOR]``: RFC 3339 time, factor over 0, real Unix time (now when left out).

    Raises ValueError with a sentence that says what was expected.
    """
    if text is None:
        return SystemClock()
    match = _SPELLING.fullmatch(text)
    if match is None:
        msg = f"clock {text!r}: expected START@SPEED[@ANCHOR], for example 2026-01-14T16:00:00Z@600"
        raise ValueError(msg)
    start = datetime.fromisoformat(match["start"])
    speed = float(match["speed"])
    if start.tzinfo is None or speed <= 0:
        msg = f"clock {text!r}: START needs a zone (Z or +01:00) and SPEED must be over 0"
        raise ValueError(msg)
    anchor = float(match["anchor"]) if match["anchor"] else time.time()
    return ScaledClock(start.astimezone(UTC), speed, anchor)
