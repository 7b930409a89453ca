"""Prices by the time of day and the day of the week, in the local time of the site.

What a slot costs is looked up by the wall clock at its start, so the hour that a change of clocks repeats costs
twice, and the one that it leaves out costs nothing. Slots are clock quarters in UTC, cut where a window begins or
ends between them.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from chargerd.config_types import DAYS, Currency, Day, Money, Section, WallTime
from chargerd.contract import Clock, PriceCurve, PriceSlot
from chargerd.plan.grid import QUARTER
from chargerd.tariff.fixed import quarters


class PriceWindow(Section):
    """A daily stretch of local time, half-open; over midnight when ``to`` is not after ``from``.

    ``days`` are those on which the window begins; all when left out. ``from`` equal to ``to`` means the whole day.
    """

    start: WallTime = Field(alias="from")
    end: WallTime = Field(alias="to")
    days: list[Day] = Field(default=list(DAYS), min_length=1)
    price_per_kwh: Money

    def holds(self, local: datetime) -> bool:
        """Whether a local time is in the window."""
        today, at = local.weekday(), local.time()
        if self.start < self.end:
            return self.start <= at < self.end and self._begins_on(today)
        return (at >= self.start and self._begins_on(today)) or (at < self.end and self._begins_on(today - 1))

    def _begins_on(self, weekday: int) -> bool:
        return DAYS[weekday % 7] in self.days


class TimeOfUseOptions(Section):
    """The ``[tariff]`` section of a contract with several prices; the first window that holds a time counts."""

    kind: Literal["time-of-use"]
    currency: Currency = "EUR"
    default_price_per_kwh: Money
    window: list[PriceWindow] = Field(min_length=1)


class TimeOfUseTariff:
    """Knows the price of every quarter hour for ever."""

    def __init__(self, options: TimeOfUseOptions, zone: ZoneInfo, clock: Clock) -> None:
        self._options = options
        self._zone = zone
        self._clock = clock
        self._edges = {edge for window in options.window for edge in (window.start, window.end)}

    async def fetch(self, start: datetime, end: datetime) -> PriceCurve:
        """Return the slots that overlap the stretch."""
        grid = quarters(start, end)
        if not grid:
            return PriceCurve((), self._options.currency, self._clock.now())
        last = grid[-1] + QUARTER
        cuts = sorted({*grid, last, *(edge for edge in self._edges_between(grid[0], last) if grid[0] < edge < last)})
        slots = (PriceSlot(begin, until, self._price(begin)) for begin, until in pairwise(cuts))
        found = tuple(slot for slot in slots if slot.start < end and slot.end > start)
        return PriceCurve(found, self._options.currency, self._clock.now())

    def _price(self, at: datetime) -> Decimal:
        local = at.astimezone(self._zone)
        for window in self._options.window:
            if window.holds(local):
                return window.price_per_kwh
        return self._options.default_price_per_kwh

    def _edges_between(self, start: datetime, end: datetime) -> set[datetime]:
        """Return when windows begin and end, in UTC; an edge that the clocks repeat counts both times."""
        day, last = start.astimezone(self._zone).date(), end.astimezone(self._zone).date()
        found: set[datetime] = set()
        while day <= last:
            for edge in self._edges:
                found |= self._moments(day, edge)
            day += timedelta(days=1)
        return found

    def _moments(self, day: date, edge: time) -> set[datetime]:
        local = (datetime.combine(day, edge, self._zone).replace(fold=fold) for fold in (0, 1))
        return {moment.astimezone(UTC) for moment in local}
