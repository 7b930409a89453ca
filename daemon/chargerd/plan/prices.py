"""A price curve: what a kWh costs when. Pure data with look-ups."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class PriceOrigin(StrEnum):
    """Where the price of a slot comes from."""

    SOURCE = "SOURCE"
    """The source told it for this time."""
    REPEATED = "REPEATED"
    """Nobody told it: it is that of the same time of an earlier day."""
    FALLBACK = "FALLBACK"
    """Nobody told it, and there is no earlier day: it is the one that is configured for this."""


class PriceRung(StrEnum):
    """How well a stretch of time is known, best first; of its parts the worst counts."""

    FRESH = "FRESH"
    """From a source that owes nothing."""
    CACHED = "CACHED"
    """Told by the source for this time, but it owes newer prices."""
    REPEATED = "REPEATED"
    FALLBACK = "FALLBACK"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class PriceSlot:
    """One stretch of time at one price; half-open, ``start`` inclusive, ``end`` exclusive, aware UTC."""

    start: datetime
    end: datetime
    price_per_kwh: Decimal
    origin: PriceOrigin = PriceOrigin.SOURCE


@dataclass(frozen=True, slots=True)
class PriceCurve:
    """Slots sorted by start and not overlapping; gaps are allowed and mean "not known".

    ``currency`` is the ISO 4217 code. ``fetched_at`` is when the source was last asked with success. ``old_since`` is
    since when it owes newer prices; None while it owes none.
    """

    slots: tuple[PriceSlot, ...] = ()
    currency: str = "EUR"
    fetched_at: datetime | None = None
    old_since: datetime | None = None

    def at(self, when: datetime) -> Decimal | None:
        """Price per kWh at an instant, or None where it is not known; what is not a number is not known."""
        slot = self.slot_at(when)
        return None if slot is None else slot.price_per_kwh

    def slot_at(self, when: datetime) -> PriceSlot | None:
        """The slot that holds an instant, or None where no price is known."""
        index = bisect_right(self.slots, when, key=_start) - 1
        if index < 0 or when >= self.slots[index].end or not self.slots[index].price_per_kwh.is_finite():
            return None
        return self.slots[index]

    def between(self, start: datetime, end: datetime) -> tuple[PriceSlot, ...]:
        """Slots that overlap the half-open stretch from ``start`` to ``end``, whole, in order."""
        return tuple(slot for slot in self.slots if slot.start < end and slot.end > start)

    def rung(self, start: datetime, end: datetime) -> PriceRung:
        """How well the half-open stretch from ``start`` to ``end`` is known."""
        worst = PriceRung.FRESH if self.old_since is None else PriceRung.CACHED
        at = start
        for slot in self.between(start, end):
            if slot.start > at or not slot.price_per_kwh.is_finite():
                return PriceRung.UNKNOWN
            worst = max(worst, _RUNGS[slot.origin], key=_DOWN.index)
            at = slot.end
        return PriceRung.UNKNOWN if at < end else worst


_DOWN = tuple(PriceRung)
_RUNGS = {
    PriceOrigin.SOURCE: PriceRung.FRESH,
    PriceOrigin.REPEATED: PriceRung.REPEATED,
    PriceOrigin.FALLBACK: PriceRung.FALLBACK,
}


def _start(slot: PriceSlot) -> datetime:
    return slot.start
