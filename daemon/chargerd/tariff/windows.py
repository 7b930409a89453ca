"""Windows of local time with a price each: hours of the day, days of the week, seasons of the year."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, WithJsonSchema

from chargerd.config_types import DAYS, Day, Money, Section, WallTime, fault

_MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_LEAP_YEAR = 2000


def _month_day(value: Any) -> Any:
    try:
        assert isinstance(value, str) and _MONTH_DAY.fullmatch(value)  # noqa: PT018 - one condition, told in one way
        return date.fromisoformat(f"{_LEAP_YEAR}-{value}")
    except (AssertionError, ValueError):
        raise fault('expected a day of the year as "MM-DD", from "01-01" to "12-31"') from None


MonthDay = Annotated[
    date,
    BeforeValidator(_month_day),
    WithJsonSchema({"type": "string", "pattern": f"^({_MONTH_DAY.pattern})$", "examples": ["10-01"]}),
]
"""A day of every year, written ``"10-01"``."""


class Season(Section):
    """Days of every year, both inclusive; over the new year when ``to`` is before ``from``."""

    start: MonthDay = Field(alias="from")
    end: MonthDay = Field(alias="to")

    def holds(self, day: date) -> bool:
        """Whether a day is in the season."""
        at = (day.month, day.day)
        start, end = (self.start.month, self.start.day), (self.end.month, self.end.day)
        return start <= at <= end if start <= end else at >= start or at <= end


class PriceWindow(Section):
    """A daily stretch of local time, half-open; over midnight when ``to`` is not after ``from``.

    ``days`` are those on which the window begins; all when left out. ``from`` equal to ``to`` means the whole day.
    ``seasons`` are those in which it begins; all the year when left out.
    """

    start: WallTime = Field(alias="from")
    end: WallTime = Field(alias="to")
    days: list[Day] = Field(default=list(DAYS), min_length=1)
    seasons: list[Season] = Field(default=[], description="parts of the year; all of it when left out")
    price_per_kwh: Money

    def holds(self, local: datetime) -> bool:
        """Whether a local time is in the window."""
        today, at = local.date(), local.time()
        if self.start < self.end:
            return self.start <= at < self.end and self._begins_on(today)
        yesterday = today - timedelta(days=1)
        return (at >= self.start and self._begins_on(today)) or (at < self.end and self._begins_on(yesterday))

    def _begins_on(self, day: date) -> bool:
        in_season = not self.seasons or any(season.holds(day) for season in self.seasons)
        return in_season and DAYS[day.weekday()] in self.days


class TimeOfDayPrices(Section):
    """A price for the times that no window holds, and windows; the first one that holds a time counts."""

    default_price_per_kwh: Money
    window: list[PriceWindow] = Field(min_length=1)

    def price(self, local: datetime) -> Decimal:
        """The price at a local time."""
        for window in self.window:
            if window.holds(local):
                return window.price_per_kwh
        return self.default_price_per_kwh

    def edges_between(self, start: datetime, end: datetime, zone: ZoneInfo) -> set[datetime]:
        """Return when windows may begin and end, in UTC; an edge that the clocks repeat counts both times."""
        edges = {time(0), *(edge for window in self.window for edge in (window.start, window.end))}
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        found: set[datetime] = set()
        while day <= last:
            for edge in edges:
                found |= _moments(day, edge, zone)
            day += timedelta(days=1)
        return {edge for edge in found if start < edge < end}


def _moments(day: date, edge: time, zone: ZoneInfo) -> set[datetime]:
    local = (datetime.combine(day, edge, zone).replace(fold=fold) for fold in (0, 1))
    return {moment.astimezone(UTC) for moment in local}
