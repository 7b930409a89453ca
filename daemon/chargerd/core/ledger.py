"""Register samples become quarter hours: integer Wh, placed by the sample's own time, nothing lost or doubled."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chargerd.core.model import Interval, Ledger, Quality
from chargerd.core.units import hours_between
from chargerd.plan.grid import quarter_after

MEASURED_WITHIN = timedelta(minutes=5)
"""Samples closer than this place energy well enough to call it measured."""

PLAUSIBLE_FACTOR = 1.2
PLAUSIBLE_CLOCK_ERROR = timedelta(minutes=15)
PLAUSIBLE_SLACK_WH = 500
"""A register that moved by more than the cable can carry, clocks allowed for, has begun to count anew."""

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


def opened(plugged_in_at: datetime) -> Ledger:
    """Begin a ledger at plug-in."""
    return Ledger(cells=(Interval(plugged_in_at, quarter_after(plugged_in_at), 0),))


def anchored(ledger: Ledger, at: datetime, register_wh: int) -> Ledger:
    """Count from this register reading on."""
    return replace(ledger, anchor_wh=register_wh, anchor_at=at, dip_wh=None, dip_at=None)


def based(ledger: Ledger, plugged_in_at: datetime, register_wh: int) -> Ledger:
    """Take a reading from before plug-in, told late: what flowed until then is not this visit's."""
    if ledger.anchor_wh is None or ledger.anchor_at is None:
        return anchored(ledger, plugged_in_at, register_wh)
    is_higher = ledger.anchor_at <= plugged_in_at and register_wh > ledger.anchor_wh
    return anchored(ledger, plugged_in_at, register_wh) if is_higher else ledger


def covered(ledger: Ledger, until: datetime) -> Ledger:
    """Grow the grid with empty cells until it holds the instant ``until``."""
    cells = list(ledger.cells)
    while cells[-1].end <= until:
        cells.append(Interval(cells[-1].end, quarter_after(cells[-1].end), 0))
    return ledger if len(cells) == len(ledger.cells) else replace(ledger, cells=tuple(cells))


def sampled(
    ledger: Ledger, *, at: datetime, register_wh: int, power_max_w: float, recovered: bool = False
) -> tuple[Ledger, Delta | None]:
    """Take a register reading and say what flowed since the last one.

    A reading from before the last counted one is ignored. A single reading below it is a fault of the meter, or an
    old one told late; when the next is below it too, the register has begun to count anew, from the first of the two.
    One that rose by more than ``power_max_w`` allows becomes the new base, and nothing is counted.
    """
    if ledger.anchor_wh is None or ledger.anchor_at is None:
        return anchored(ledger, at, register_wh), None
    wh = register_wh - ledger.anchor_wh
    if at < ledger.anchor_at or (at == ledger.anchor_at and wh < 0):
        return ledger, None
    if wh < 0:
        if ledger.dip_wh is None or ledger.dip_at is None or not ledger.dip_wh <= register_wh or at < ledger.dip_at:
            return replace(ledger, dip_wh=register_wh, dip_at=at), None
        begun_anew = anchored(ledger, ledger.dip_at, ledger.dip_wh)
        return sampled(begun_anew, at=at, register_wh=register_wh, power_max_w=power_max_w, recovered=recovered)
    hours = hours_between(ledger.anchor_at, at + PLAUSIBLE_CLOCK_ERROR)
    plausible_wh = power_max_w * hours * PLAUSIBLE_FACTOR + PLAUSIBLE_SLACK_WH
    if wh > plausible_wh:
        return anchored(ledger, at, register_wh), None
    quality = Quality.MEASURED if at - ledger.anchor_at <= MEASURED_WITHIN else Quality.INTERPOLATED
    delta = Delta(ledger.anchor_at, at, wh, Quality.RECOVERED if recovered else quality)
    return counted(anchored(ledger, at, register_wh), delta), delta


def counted(ledger: Ledger, delta: Delta) -> Ledger:
    """Place energy on the grid in proportion to time; the parts add up to the whole, to the watt-hour."""
    if delta.wh == 0:
        return covered(ledger, delta.end)
    ledger = covered(ledger, delta.end)
    first = _cell_at(ledger.cells, delta.start)
    last = max(first, _cell_at(ledger.cells, delta.end))
    touched = ledger.cells[first : last + 1]
    shares = split_wh(delta.wh, [_overlap_s(delta, cell.start, cell.end) for cell in touched])
    grown = tuple(
        Interval(cell.start, cell.end, cell.wh + wh, _worse(cell.quality, delta.quality)) if wh else cell
        for cell, wh in zip(touched, shares, strict=True)
    )
    cells = ledger.cells[:first] + grown + ledger.cells[last + 1 :]
    return replace(ledger, cells=cells, total_wh=ledger.total_wh + delta.wh)


def settled(ledger: Ledger, plugged_out_at: datetime) -> Ledger:
    """Cut the grid at plug-out. Energy placed later than that belongs to the last moment before it."""
    grid = covered(ledger, plugged_out_at).cells
    kept = [cell for cell in grid if cell.start < plugged_out_at] or [grid[0]]
    late_wh = ledger.total_wh - sum(cell.wh for cell in kept)
    last = kept[-1]
    kept[-1] = Interval(last.start, max(plugged_out_at, last.start), last.wh + late_wh, last.quality)
    return replace(ledger, cells=tuple(kept))


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


def _cell_at(cells: tuple[Interval, ...], when: datetime) -> int:
    """Index of the cell that holds an instant; a session's grid is searched from its end, where samples belong."""
    index = len(cells) - 1
    while index > 0 and cells[index].start > when:
        index -= 1
    return index


def _worse(one: Quality, other: Quality) -> Quality:
    return max(one, other, key=_WORST_LAST.index)
