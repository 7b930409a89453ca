"""From what a source told to the slots of a curve: sorted, without overlap, on clock quarters. Pure.

- A slot without an end lasts until the next one begins, but no longer than its neighbours do, so that a missing entry
  stays a gap, and hourly entries may turn into quarters of an hour and back.
- An edge within a minute of a clock quarter is that quarter: some sources end a slot at :59:59.
- Where two slots overlap, the later publication counts; of one publication the shorter slot, and of equals the one told
  last. What is left of the other one stays.
- What is not a number, or no price at all (beyond 10 EUR per kWh or what that is elsewhere), is refused in words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from chargerd.plan.grid import QUARTER, quarter_floor
from chargerd.plan.prices import PriceSlot
from chargerd.tariff.money import most_per_kwh

HOUR = timedelta(hours=1)
SNAP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Told:
    """What a source told for a stretch of time: ``price`` in whole units of money per kWh, ``end`` None if not given.

    Times are aware. ``publication`` orders what was published of the same time: a greater one is later.
    """

    start: datetime
    end: datetime | None
    price: Decimal
    publication: int = 0


@dataclass(frozen=True, slots=True)
class Normal:
    """Slots in order, and in words what was refused."""

    slots: tuple[PriceSlot, ...]
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Piece:
    start: datetime
    end: datetime
    price: Decimal
    order: tuple[int, timedelta, int]
    """What is later in this order is painted over what is earlier."""


def normalised(told: Iterable[Told], *, currency: str, start: datetime, end: datetime) -> Normal:
    """Return the slots of the half-open stretch of time; those at its edges are cut."""
    entries = list(told)
    refused = [words for entry in entries if (words := _why_refused(entry, currency))]
    sound = [entry for entry in entries if not _why_refused(entry, currency)]
    pieces = []
    for number, (begin, until, entry) in enumerate(_with_ends(sound)):
        if begin < end and until > start:
            order = (entry.publication, begin - until, number)
            pieces.append(_Piece(max(begin, start), min(until, end), entry.price, order))
    return Normal(_painted(pieces), tuple(refused))


def merged(known: Sequence[PriceSlot], fresh: Sequence[PriceSlot]) -> tuple[PriceSlot, ...]:
    """Return what was known with what is told now, which counts where both tell something."""
    if not fresh or not known or known[-1].end <= fresh[0].start:
        return (*known, *fresh)
    kept = [slot for slot in known if slot.end <= fresh[0].start]
    later = [slot for slot in known if slot.start >= fresh[-1].end]
    touched = [slot for slot in known if slot.end > fresh[0].start and slot.start < fresh[-1].end]
    pieces = [
        _Piece(slot.start, slot.end, slot.price_per_kwh, (publication, timedelta(0), 0))
        for publication, slots in enumerate((touched, fresh))
        for slot in slots
    ]
    return (*kept, *_painted(pieces), *later)


def _why_refused(entry: Told, currency: str) -> str:
    at = f"{entry.start:%Y-%m-%d %H:%M %Z}"
    if not entry.price.is_finite():
        return f"{at}: expected a price, got {entry.price}"
    if abs(entry.price) > most_per_kwh(currency):
        return f"{at}: {entry.price:.6g} {currency} per kWh is no price, it is left out"
    if entry.end is not None and entry.end <= entry.start:
        return f"{at}: expected an end after the start, got {entry.end.isoformat()}"
    return ""


def _with_ends(told: Sequence[Told]) -> list[tuple[datetime, datetime, Told]]:
    """Put in the ends that were not given; the order stays."""
    starts = sorted({_snapped(entry.start) for entry in told if entry.end is None})
    lengths = dict(zip(starts, _lengths(starts), strict=True))
    found = []
    for entry in told:
        start = _snapped(entry.start)
        found.append((start, start + lengths[start] if entry.end is None else _snapped(entry.end), entry))
    return found


def _lengths(starts: Sequence[datetime]) -> list[timedelta]:
    """How long each slot lasts: until the next one, unless both neighbours say that something is missing between."""
    steps = [after - before for before, after in pairwise(starts)]
    found: list[timedelta] = []
    for index in range(len(starts)):
        beside = [found[-1]] if found else []
        beside += steps[index + 1 : index + 2]
        usual = min(max(beside, default=HOUR), HOUR)
        found.append(min(steps[index], usual) if index < len(steps) else usual)
    return found


def _painted(pieces: Sequence[_Piece]) -> tuple[PriceSlot, ...]:
    """Lay pieces over each other, and return what is seen from above."""
    edges = sorted({edge for piece in pieces for edge in (piece.start, piece.end)})
    place = {edge: index for index, edge in enumerate(edges)}
    seen: list[_Piece | None] = [None] * len(edges)
    for piece in sorted(pieces, key=lambda piece: piece.order):
        for index in range(place[piece.start], place[piece.end]):
            seen[index] = piece
    slots: list[PriceSlot] = []
    above: _Piece | None = None
    for (start, end), shown in zip(pairwise(edges), seen, strict=False):
        if shown is not None and shown is above:
            slots[-1] = PriceSlot(slots[-1].start, end, shown.price)
        elif shown is not None:
            slots.append(PriceSlot(start, end, shown.price))
        above = shown
    return tuple(slots)


def _snapped(at: datetime) -> datetime:
    """Move an edge to the clock quarter that it nearly is."""
    at = at.astimezone(UTC)
    before = quarter_floor(at)
    if at - before <= SNAP:
        return before
    return before + QUARTER if before + QUARTER - at <= SNAP else at
