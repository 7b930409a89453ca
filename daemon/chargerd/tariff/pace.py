"""When a source publishes, since when it owes prices, and when it may be asked. Pure.

A day-ahead market publishes one delivery day at a time, at an hour of its own clock on the day before. So what should
be known by now follows from the time alone: until the end of the running day, and from publication on until the end of
the next one. A source that has told all of that is left alone.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

RETRY_S = (60, 120, 300, 600, 1200, 1800)
"""Seconds before a source that failed is asked again; the last one repeats."""
RETRY_AFTER_MOST_S = 6 * 3600.0
"""A source may ask for so long a pause (Retry-After); more than that is not believed."""
WAIT_S, WAIT_LATE_S = 600, 1800
"""Seconds before a source that answers, but has not published yet, is asked again: in the first hours, and later."""
WAITS_LONG = timedelta(hours=3)
SPREAD_S = 300
"""The first to ask after publication do so within so many seconds, not all in the same one."""
GRACE = timedelta(hours=2)
"""So much later than usual a market may publish before what is known counts as old."""
SLACK = timedelta(hours=2)
"""A day that lacks no more than its last hours is known: the site's day may end later than the market's."""


@dataclass(frozen=True, slots=True)
class Market:
    """A source's own clock. A delivery day ends at ``day_ends_at`` and is published on the day before it."""

    zone: ZoneInfo
    publishes_at: time = time(13)
    day_ends_at: time = time(0)

    def published(self, day: date) -> datetime:
        """When the delivery day that ends on a date (at midnight: that begins on the day before) is published."""
        days = 2 if self.day_ends_at < self.publishes_at else 1
        return datetime.combine(day - timedelta(days=days), self.publishes_at, self.zone).astimezone(UTC)

    def end(self, day: date) -> datetime:
        """When the delivery day that ends on a date does so."""
        return datetime.combine(day, self.day_ends_at, self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """How the last asking went. ``luck`` from 0 to 1 spreads the next one; ``failures`` are those in a row."""

    at: datetime
    luck: float
    failures: int = 0
    retry_after_s: float = 0.0


def complete_until(market: Market, now: datetime) -> datetime:
    """Up to when prices should be known by now."""
    return max(market.end(day) for day in _days(market, now) if market.published(day) <= now)


def owed_since(market: Market, known_until: datetime | None, now: datetime) -> datetime | None:
    """Since when prices are published that are not known here; None: all is known that should be."""
    for day in _days(market, min(now, known_until or now)):
        is_missing = market.end(day) > (now if known_until is None else known_until + SLACK)
        if is_missing:
            return market.published(day) if market.published(day) <= now else None
    return None


def old_since(market: Market, known_until: datetime | None, now: datetime) -> datetime | None:
    """As ``owed_since``, but None while the source is merely late, and prices of the present are known."""
    since = owed_since(market, known_until, now)
    is_late_only = known_until is not None and known_until > now and since is not None and now - since < GRACE
    return None if is_late_only else since


def next_asking(market: Market, known_until: datetime | None, asked: Asked | None, now: datetime) -> datetime:
    """When the source is to be asked; what is past means now."""
    if asked is not None and asked.at > now:
        # The clock was set back since.
        asked = None
    if asked is not None and asked.failures:
        wait_s = RETRY_S[min(asked.failures, len(RETRY_S)) - 1] * (0.75 + asked.luck / 2)
        return asked.at + timedelta(seconds=max(wait_s, min(asked.retry_after_s, RETRY_AFTER_MOST_S)))
    since = owed_since(market, known_until, now)
    luck = 0.5 if asked is None else asked.luck
    if since is None:
        following = min(at for day in _days(market, now) if (at := market.published(day)) > now)
        return following + timedelta(seconds=SPREAD_S * luck)
    if asked is None:
        return now
    wait_s = (WAIT_S if now - since < WAITS_LONG else WAIT_LATE_S) * (0.75 + luck / 2)
    return max(asked.at + timedelta(seconds=wait_s), since + timedelta(seconds=SPREAD_S * luck))


def _days(market: Market, at: datetime) -> list[date]:
    """The dates on which delivery days end: that of a time, and those around it."""
    today = at.astimezone(market.zone).date()
    return [today + timedelta(days=days) for days in range(-1, 5)]
