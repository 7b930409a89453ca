"""By how much a charger's clock is ahead of ours, judged by what it dates. Pure."""

from collections import deque
from datetime import datetime

_SEEN_MAX = 16
_NOTICED_S = 60.0


class Skew:
    """What comes late is dated early, so the greatest difference of the last messages is the clock's own."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=_SEEN_MAX)

    def saw(self, measured_at: datetime | None, now: datetime) -> None:
        """Note a message with the time that the charger gave it."""
        if measured_at is not None:
            self._seen.append((measured_at - now).total_seconds())

    @property
    def seconds(self) -> float:
        """Seconds by which the charger's clock is ahead; 0 while nothing is known, and for a minute or less."""
        ahead_s = max(self._seen, default=0.0)
        return ahead_s if abs(ahead_s) > _NOTICED_S else 0.0
