"""What comes on top of a price: fees, network charges by the time of day, taxes. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from pydantic import Field

from chargerd.config_types import Money, Section
from chargerd.plan.prices import PriceCurve, PriceOrigin, PriceSlot
from chargerd.tariff.windows import TimeOfDayPrices


class PricedSection(Section):
    """What every ``[tariff]`` section may add: a kWh costs ``(price + network + add_per_kwh) * multiply``."""

    add_per_kwh: Money = Field(default=Decimal(0), description="fees and levies per kWh, before taxes")
    multiply: Money = Field(default=Decimal(1), description="taxes, as 1.19 for 19 % VAT")
    network: TimeOfDayPrices | None = Field(default=None, description="network charges by the time of day")


class FallibleSection(PricedSection):
    """A ``[tariff]`` section whose source may fail. The fallback is all that a kWh costs, taxes included."""

    fallback_price_per_kwh: Money | None = Field(
        default=None, description="what a kWh costs, all included, where nothing better is known"
    )


def charged(curve: PriceCurve, options: PricedSection, zone: ZoneInfo) -> PriceCurve:
    """Return what the household pays for the prices of a source; the configured fallback price is that already."""
    return replace(curve, slots=tuple(paid for slot in curve.slots for paid in _charged(slot, options, zone)))


def _charged(slot: PriceSlot, options: PricedSection, zone: ZoneInfo) -> Iterator[PriceSlot]:
    if slot.origin is PriceOrigin.FALLBACK:
        yield slot
        return
    network = options.network
    cuts = set() if network is None else network.edges_between(slot.start, slot.end, zone)
    for start, end in pairwise((slot.start, *sorted(cuts), slot.end)):
        charge = Decimal(0) if network is None else network.price(start.astimezone(zone))
        price = (slot.price_per_kwh + charge + options.add_per_kwh) * options.multiply
        yield PriceSlot(start, end, price, slot.origin)
