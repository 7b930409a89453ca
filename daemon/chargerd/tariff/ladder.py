"""What takes the place of prices that nobody told, one rung after the other. Pure.

1. What the source told for that time, now or before (fresh, or cached once it owes newer prices).
2. The price of the same time on the wall at the site on an earlier day: the last known one of its kind (a working day,
   or a Saturday or Sunday), else the last known one of any kind, at most DAYS_BACK days ago.
3. The price that is configured for this.
4. Nothing: then the plan is the latest start that still meets the time wanted.

Network charges and taxes come on top of a repeated price by its new time. Days that are over are left as they were
told; of the running one (in UTC) all is filled, so that the curve does not change in its middle every quarter hour.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from chargerd.plan.grid import quarter_after
from chargerd.plan.prices import PriceOrigin, PriceSlot

DAYS_BACK = 8
"""So old a day may be repeated: a week, and the day on which the feed died."""
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Ladder:
    """What the rungs stand on: slots as the source told them, the site's zone, and the configured price, if any."""

    told: Sequence[PriceSlot]
    zone: ZoneInfo
    fallback_per_kwh: Decimal | None = None

    def filled(self, start: datetime, end: datetime, now: datetime) -> tuple[PriceSlot, ...]:
        """Return the slots that overlap the stretch; from the running day on, its gaps are filled."""
        known = [slot for slot in self.told if slot.end > start and slot.start < end]
        found: list[PriceSlot] = []
        at = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for slot in known:
            found += self._between(at, slot.start)
            found.append(slot)
            at = max(at, slot.end)
        return (*found, *self._between(at, end))

    def _between(self, start: datetime, end: datetime) -> Iterator[PriceSlot]:
        """Fill a gap quarter by quarter."""
        at = start
        while at < end:
            until = min(quarter_after(at), end)
            price = self._repeated(at)
            if price is not None:
                yield PriceSlot(at, until, price, PriceOrigin.REPEATED)
            elif self.fallback_per_kwh is not None:
                yield PriceSlot(at, until, self.fallback_per_kwh, PriceOrigin.FALLBACK)
            at = until

    def _repeated(self, at: datetime) -> Decimal | None:
        local = at.astimezone(self.zone)
        found = None
        for days in range(1, DAYS_BACK + 1):
            earlier = local - timedelta(days=days)  # on the wall: arithmetic with a zone leaves the hour alone
            price = self._price_at(earlier.astimezone(UTC))
            if price is not None and _is_weekend(earlier) == _is_weekend(local):
                return price
            found = price if found is None else found
        return found

    def _price_at(self, at: datetime) -> Decimal | None:
        index = bisect_right(self.told, at, key=_start) - 1
        return self.told[index].price_per_kwh if index >= 0 and at < self.told[index].end else None


def _start(slot: PriceSlot) -> datetime:
    return slot.start


def _is_weekend(day: datetime) -> bool:
    return day.weekday() >= _SATURDAY
