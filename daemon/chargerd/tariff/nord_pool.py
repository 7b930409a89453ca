"""Day-ahead prices as Nord Pool's data portal shows them: ``GET /api/DayAheadPrices?date=…&deliveryArea=…``, by day.

``multiAreaEntries`` have ``deliveryStart``, ``deliveryEnd`` and ``entryPerArea``, in money per MWh. A day that is not
published yet is 204. The portal may correct a preliminary day; ``version`` counts up then.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from chargerd.config_types import Currency, Matching
from chargerd.errors import FeedError
from chargerd.tariff.energy_charts import CENTRAL_EUROPE
from chargerd.tariff.feed import Answer, Feed, FeedSection, Question, with_query
from chargerd.tariff.money import unit_of
from chargerd.tariff.pace import Market
from chargerd.tariff.reading import at_path, json_of, list_at, object_of, price_of, time_of
from chargerd.tariff.slots import Told
from chargerd.tariff.web import Request

URL = "https://dataportal-api.nordpoolgroup.com/api/DayAheadPrices"
_NOT_YET = frozenset({204, 404})


class NordPoolOptions(FeedSection):
    """The ``[tariff]`` section of day-ahead prices from Nord Pool."""

    kind: Literal["nord-pool"]
    area: Annotated[str, Matching("[A-Z][A-Z0-9-]{1,9}", "a delivery area, as SE3")] = Field(
        description="delivery area, as SE3, NO1, FI or DK2"
    )
    currency: Currency = Field(default="EUR", description="EUR, SEK, NOK, DKK ...; the portal turns it into that")


def _label(options: NordPoolOptions) -> str:
    return f"nord-pool {options.area} {options.currency}"


def _market(options: NordPoolOptions, zone: ZoneInfo) -> Market:  # noqa: ARG001 - the market has its own
    return Market(CENTRAL_EUROPE)


def _requests(options: NordPoolOptions, question: Question) -> Iterator[Request]:
    day = question.start.astimezone(CENTRAL_EUROPE).date()
    last = (question.end - timedelta(seconds=1)).astimezone(CENTRAL_EUROPE).date()
    while day <= last:
        asked = {"date": day.isoformat(), "market": "DayAhead", "deliveryArea": options.area}
        yield Request(with_query(options.url or URL, asked | {"currency": options.currency}), absent=_NOT_YET)
        day += timedelta(days=1)


def _read(options: NordPoolOptions, question: Question, text: str) -> Answer:  # noqa: ARG001 - one shape for all
    document = json_of(text)
    currency = at_path(document, "currency")
    if currency != options.currency:
        raise FeedError(f"expected prices in {options.currency}, got {currency}")
    unit, told = unit_of(f"{options.currency}/MWh"), []
    for entry in list_at(document, "multiAreaEntries"):
        price = price_of(object_of(at_path(entry, "entryPerArea")).get(options.area))
        if price is not None:
            start, end = at_path(entry, "deliveryStart"), at_path(entry, "deliveryEnd")
            told.append(Told(time_of(start), time_of(end), unit.per_kwh(price)))
    return Answer(tuple(told), unit.currency)


FEED = Feed(_label, _market, _requests, _read)
