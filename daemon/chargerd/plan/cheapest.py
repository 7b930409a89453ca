"""The plan for one car: the cheapest quarter hours that deliver what is needed by its time.

What is needed at once (reserve, immediate start) takes the time from now on, whatever the price. The rest takes the
cheapest quarters before its deadline, the earlier of equals first. What does not fit before the deadline goes on
after it without a pause: a missed deadline never stops charging. A quarter without a known price counts as dearer
than any known one, so it is used only when it must be.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from chargerd.plan.grid import quarter_after, quarter_ceil
from chargerd.plan.prices import PriceCurve
from chargerd.plan.schedule import Need, Window

_UNKNOWN = (1, Decimal(0))


@dataclass(frozen=True, slots=True)
class Cell:
    """One stretch inside a clock quarter that charging may use."""

    start: datetime
    end: datetime
    capacity_wh: float


def schedule(
    needs: Sequence[Need],
    *,
    prices: PriceCurve,
    power_w: float,
    now: datetime,
    busy_until: datetime | None = None,
) -> tuple[Window, ...]:
    """Plan charging at ``power_w`` from ``now`` on, needs in the order given; windows sorted, not overlapping.

    Windows that touch and serve the same kind are one. Needs without a deadline must come first. Charging that goes
    on is not interrupted before ``busy_until``, for a quarter that was begun is cheaper to finish than to stop in.
    """
    free_from = now
    windows: list[Window] = []
    for need in needs:
        if need.wh <= 0:
            continue
        if need.ready_by is None or need.ready_by <= free_from:
            made = _at_once(need, free_from, power_w)
        else:
            made = _cheapest(need, prices, free_from, power_w, busy_until or free_from)
        windows.extend(made)
        free_from = max(free_from, made[-1].end) if need.ready_by is None else free_from
    return tuple(_merged(windows))


def _at_once(need: Need, start: datetime, power_w: float) -> list[Window]:
    """One window from ``start``, up to the quarter in which the need is met."""
    return [Window(need.kind, start, quarter_ceil(_later(start, need.wh, power_w)), need.wh)]


def _cheapest(need: Need, prices: PriceCurve, start: datetime, power_w: float, busy_until: datetime) -> list[Window]:
    assert need.ready_by is not None
    cells = list(_cells(start, need.ready_by, power_w))
    dearest_last = sorted(cells, key=lambda cell: (cell.end > busy_until, *_price(prices, cell.start), cell.start))
    chosen: list[Window] = []
    missing = float(need.wh)
    for cell in dearest_last:
        if missing <= 0:
            break
        chosen.append(Window(need.kind, cell.start, cell.end, round(min(cell.capacity_wh, missing))))
        missing -= cell.capacity_wh
    chosen.sort(key=lambda window: window.start)
    if missing > 0:
        late = Need(kind=need.kind, wh=round(missing) or 1)
        chosen.extend(_at_once(late, need.ready_by, power_w))
    return chosen


def _cells(start: datetime, end: datetime, power_w: float) -> Iterable[Cell]:
    at = start
    while at < end:
        until = min(quarter_after(at), end)
        yield Cell(at, until, power_w * (until - at).total_seconds() / 3600)
        at = until


def _price(prices: PriceCurve, at: datetime) -> tuple[int, Decimal]:
    price = prices.at(at)
    return _UNKNOWN if price is None else (0, price)


def _merged(windows: Iterable[Window]) -> list[Window]:
    merged: list[Window] = []
    for window in sorted(windows, key=lambda window: window.start):
        last = merged[-1] if merged else None
        if last is not None and last.end >= window.start and last.kind is window.kind:
            merged[-1] = Window(last.kind, last.start, window.end, last.wh + window.wh)
        else:
            merged.append(window)
    return merged


def _later(start: datetime, wh: float, power_w: float) -> datetime:
    return start + timedelta(hours=wh / power_w)
