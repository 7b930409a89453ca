"""Prices by the time of day, the day of the week and the season, in the local time of the site.

What a slot costs is looked up by the wall clock at its start, so the hour that a change of clocks repeats costs
twice, and the one that it leaves out costs nothing. Slots are clock quarters in UTC, cut where a window begins or
ends between them.
"""

from datetime import datetime
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from chargerd.config_types import Currency
from chargerd.contract import Clock, PriceCurve, PriceSlot
from chargerd.plan.grid import QUARTER
from chargerd.tariff.fees import PricedSection
from chargerd.tariff.fixed import quarters
from chargerd.tariff.windows import TimeOfDayPrices


class TimeOfUseOptions(TimeOfDayPrices, PricedSection):
    """The ``[tariff]`` section of a contract with several prices; the first window that holds a time counts."""

    kind: Literal["time-of-use"]
    currency: Currency = "EUR"


class TimeOfUseTariff:
    """Knows the price of every quarter hour for ever."""

    def __init__(self, options: TimeOfUseOptions, zone: ZoneInfo, clock: Clock) -> None:
        self._options = options
        self._zone = zone
        self._clock = clock

    async def fetch(self, start: datetime, end: datetime) -> PriceCurve:
        """Return the slots that overlap the stretch."""
        grid = quarters(start, end)
        if not grid:
            return PriceCurve((), self._options.currency, self._clock.now())
        last = grid[-1] + QUARTER
        cuts = sorted({*grid, last, *self._options.edges_between(grid[0], last, self._zone)})
        slots = (
            PriceSlot(begin, until, self._options.price(begin.astimezone(self._zone)))
            for begin, until in pairwise(cuts)
        )
        found = tuple(slot for slot in slots if slot.start < end and slot.end > start)
        return PriceCurve(found, self._options.currency, self._clock.now())
