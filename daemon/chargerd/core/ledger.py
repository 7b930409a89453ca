"""A session's energy on its grid of quarter hours: integer Wh, nothing lost or doubled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chargerd.core.frozen import replace
from chargerd.core.model import Interval, Ledger, Quality, Tentative
from chargerd.core.units import hours_between
from chargerd.plan.grid import quarter_after

_WORST_LAST = (Quality.MEASURED, Quality.INTERPOLATED, Quality.RECOVERED, Quality.ESTIMATED)


@dataclass(frozen=True, slots=True)
class Delta:
    """Energy that flowed between two instants, in Wh."""

    start: datetime
    end: datetime
    wh: int
    quality: Quality

    @property
    def mean_w(self) -> float:
        """Mean power over the stretch in W; 0 when it has no length."""
        return self.wh / hours_between(self.start, self.end) if self.end > self.start else 0.0


def opened(plugged_in_at: datetime, scale: float = 1.0) -> Ledger:
    """Begin a ledger at plug-in. ``scale`` is what the charger's register is to be multiplied by."""
    return Ledger(cells=(Interval(plugged_in_at, quarter_after(plugged_in_at), 0),), scale=scale)


def covered(ledger: Ledger, until: datetime) -> Ledger:
    """Grow the grid with empty cells until it holds the instant ``until``."""
    if ledger.cells[-1].end > until:
        return ledger
    cells = list(ledger.cells)
    while cells[-1].end <= until:
        cells.append(Interval(cells[-1].end, quarter_after(cells[-1].end), 0))
    return replace(ledger, cells=tuple(cells))


def counted(ledger: Ledger, delta: Delta) -> Ledger:
    """Place energy on the grid in proportion to time; the parts add up to the whole, to the watt-hour."""
    ledger = covered(ledger, delta.end)
    if delta.wh == 0:
        return ledger
    first = cell_at(ledger.cells, delta.start)
    last = max(first, cell_at(ledger.cells, delta.end))
    touched = ledger.cells[first : last + 1]
    shares = split_wh(delta.wh, [_overlap_s(delta, cell.start, cell.end) for cell in touched])
    grown = tuple(
        Interval(cell.start, cell.end, cell.wh + wh, worse(cell.quality, delta.quality)) if wh else cell
        for cell, wh in zip(touched, shares, strict=True)
    )
    cells = ledger.cells[:first] + grown + ledger.cells[last + 1 :]
    return replace(ledger, cells=cells, total_wh=ledger.total_wh + delta.wh)


def settled(ledger: Ledger, plugged_out_at: datetime) -> Ledger:
    """Cut the grid at plug-out, and take back what power told and the register denied.

    Energy placed later than plug-out belongs to the last moment before it.
    """
    grid = covered(ledger, plugged_out_at).cells
    kept = [cell for cell in grid if cell.start < plugged_out_at] or [grid[0]]
    late_wh = ledger.total_wh - sum(cell.wh for cell in kept)
    last = kept[-1]
    kept[-1] = Interval(last.start, max(plugged_out_at, last.start), last.wh + late_wh, last.quality)
    cells = _without_excess(kept, ledger.excess)
    total_wh = sum(cell.wh for cell in cells)
    denied = (*ledger.denied, *ledger.excess)
    return replace(ledger, cells=cells, total_wh=total_wh, excess=(), epoch_excess_wh=0, denied=denied)


def _without_excess(cells: list[Interval], excess: tuple[Tentative, ...]) -> tuple[Interval, ...]:
    """Take back what the register denied, where power had told it; what is not left there, from the latest cells."""
    left = list(cells)
    for part in excess:
        index, wh = cell_at(cells, part.start), part.wh
        for at in (index, *range(len(left) - 1, -1, -1)):
            taken = min(wh, left[at].wh)
            left[at] = replace(left[at], wh=left[at].wh - taken)
            wh -= taken
            if wh == 0:
                break
    return tuple(left)


def moved(ledger: Ledger, by: timedelta) -> Ledger:
    """Date everything anew: the clock was wrong by so much. The grid is laid anew, for it lies on clock quarters."""
    start = ledger.cells[0].start + by
    fresh = opened(start)
    told_until = max((at for at in (ledger.anchor_at, ledger.power_at) if at is not None), default=None)
    for cell in ledger.cells:
        if cell.wh:
            end = min(cell.end, told_until) if told_until is not None and told_until > cell.start else cell.end
            fresh = counted(fresh, Delta(cell.start + by, end + by, cell.wh, cell.quality))

    def parts(known: tuple[Tentative, ...]) -> tuple[Tentative, ...]:
        return tuple(replace(part, start=part.start + by, end=part.end + by) for part in known)

    def late(at: datetime | None) -> datetime | None:
        return None if at is None else at + by

    return replace(
        ledger,
        cells=covered(fresh, ledger.cells[-1].start + by).cells,
        anchor_at=late(ledger.anchor_at),
        dip_at=late(ledger.dip_at),
        pending=tuple(replace(reading, at=reading.at + by) for reading in ledger.pending),
        power_at=late(ledger.power_at),
        carry_since=late(ledger.carry_since),
        tentative=parts(ledger.tentative),
        excess=parts(ledger.excess),
    )


def split_wh(wh: int, weights: list[float]) -> list[int]:
    """Split whole watt-hours by weights; the parts add up exactly. All weights 0: the first takes it all."""
    whole = sum(weights)
    if whole <= 0:
        return [wh] + [0] * (len(weights) - 1)
    parts: list[int] = []
    reached, given = 0.0, 0
    for weight in weights:
        reached += weight
        upto = round(wh * reached / whole)
        parts.append(upto - given)
        given = upto
    return parts


def _overlap_s(delta: Delta, start: datetime, end: datetime) -> float:
    return max((min(delta.end, end) - max(delta.start, start)).total_seconds(), 0.0)


def cell_at(cells: Sequence[Interval], when: datetime) -> int:
    """Index of the cell that holds an instant; a session's grid is searched from its end, where samples belong."""
    index = len(cells) - 1
    while index > 0 and cells[index].start > when:
        index -= 1
    return index


def worse(one: Quality, other: Quality) -> Quality:
    """The quality of energy of both."""
    return max(one, other, key=_WORST_LAST.index)
