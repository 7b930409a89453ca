"""A price curve: what a kWh costs when. Pure data with look-ups."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PriceSlot:
    """One stretch of time at one price; half-open, ``start`` inclusive, ``end`` exclusive, aware UTC."""

    start: datetime
    end: datetime
    price_per_kwh: Decimal


@dataclass(frozen=True, slots=True)
class PriceCurve:
    """Slots sorted by start and not overlapping; gaps are allowed and mean "not known".

    ``currency`` is the ISO 4217 code. ``fetched_at`` is when the source was last asked with success.
    """

    slots: tuple[PriceSlot, ...] = ()
    currency: str = "EUR"
    fetched_at: datetime | None = None

    def at(self, when: datetime) -> Decimal | None:
        """Price per kWh at an instant, or None where it is not known; what is not a number is not known."""
        index = bisect_right(self.slots, when, key=_start) - 1
        if index < 0 or when >= self.slots[index].end:
            return None
        price = self.slots[index].price_per_kwh
        return price if price.is_finite() else None

    def between(self, start: datetime, end: datetime) -> tuple[PriceSlot, ...]:
        """Slots that overlap the half-open stretch from ``start`` to ``end``, whole, in order."""
        return tuple(slot for slot in self.slots if slot.start < end and slot.end > start)


def _start(slot: PriceSlot) -> datetime:
    return slot.start
