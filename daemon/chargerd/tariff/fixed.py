"""One price at all times."""

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from chargerd.config_types import Currency, Money
from chargerd.contract import Clock, PriceCurve, PriceSlot
from chargerd.plan.grid import QUARTER, quarter_floor
from chargerd.tariff.fees import PricedSection


class FixedOptions(PricedSection):
    """The ``[tariff]`` section of a contract with one price."""

    kind: Literal["fixed"]
    price_per_kwh: Money
    currency: Currency = "EUR"


class FixedTariff:
    """Knows the price of every quarter hour for ever."""

    def __init__(self, options: FixedOptions, zone: ZoneInfo, clock: Clock) -> None:  # noqa: ARG002
        self._options = options
        self._clock = clock

    async def fetch(self, start: datetime, end: datetime) -> PriceCurve:
        """Return the clock quarters that overlap the stretch, all at the one price."""
        slots = tuple(PriceSlot(at, at + QUARTER, self._options.price_per_kwh) for at in quarters(start, end))
        return PriceCurve(slots, self._options.currency, self._clock.now())


def quarters(start: datetime, end: datetime) -> list[datetime]:
    """Return the starts of the clock quarters that overlap a half-open stretch of time."""
    first = quarter_floor(start)
    count = -((first - end) // QUARTER) if start < end else 0
    return [first + index * QUARTER for index in range(count)]
