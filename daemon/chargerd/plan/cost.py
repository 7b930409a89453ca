"""What energy cost, and what it would have cost at another time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from chargerd.plan.prices import PriceCurve


@dataclass(frozen=True, slots=True)
class Flow:
    """Energy in Wh that flowed evenly over a half-open stretch of time."""

    start: datetime
    end: datetime
    wh: float


def energy_cost(flows: Iterable[Flow], prices: PriceCurve) -> Decimal | None:
    """Cost in the curve's currency; None when a price is not known. A flow over several prices is split by time."""
    total = Decimal(0)
    for flow in flows:
        cost = _cost(flow, prices)
        if cost is None:
            return None
        total += cost
    return total


def steady_flow(start: datetime, wh: float, power_w: float) -> Flow:
    """The same energy from one instant on without a pause, at one power in W over 0."""
    return Flow(start, start + timedelta(hours=wh / power_w), wh)


def _cost(flow: Flow, prices: PriceCurve) -> Decimal | None:
    if flow.wh == 0:
        return Decimal(0)
    total = Decimal(0)
    length = (flow.end - flow.start).total_seconds()
    covered = 0.0
    for start, end, price in _pieces(flow, prices):
        seconds = (end - start).total_seconds()
        covered += seconds
        total += price * Decimal(flow.wh / 1000 * seconds / length)
    return total if covered >= length else None


def _pieces(flow: Flow, prices: PriceCurve) -> Iterator[tuple[datetime, datetime, Decimal]]:
    for slot in prices.between(flow.start, flow.end):
        yield max(slot.start, flow.start), min(slot.end, flow.end), slot.price_per_kwh
