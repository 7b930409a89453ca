"""Day-ahead prices as Nord Pool's data portal shows them: ``GET /api/DayAheadPrices?date=…&deliveryArea=…``, by day.

``multiAreaEntries`` have ``deliveryStart``, ``deliveryEnd`` and ``entryPerArea``, in money per MWh. A day that is not
published yet is 204. The portal may correct a preliminary day; ``version`` counts up then.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from chargerd.config_types import Currency, Matching
from chargerd.errors import FeedError
from chargerd.tariff.feed import CENTRAL_EUROPE, Answer, Feed, FeedSection, Question, coupled_market, with_query
from chargerd.tariff.money import unit_of
from chargerd.tariff.reading import at_path, json_of, list_at, object_of, price_of, time_of
from chargerd.tariff.slots import Told
from chargerd.tariff.web import NOT_YET, Request

URL = "https://dataportal-api.nordpoolgroup.com/api/DayAheadPrices"


class NordPoolOptions(FeedSection):
    """The ``[tariff]`` section of day-ahead prices from Nord Pool."""

    kind: Literal["nord-pool"]
    area: Annotated[str, Matching("[A-Z][A-Z0-9-]{1,9}", "a delivery area, as SE3")] = Field(
        description="delivery area, as SE3, NO1, FI or DK2"
    )
    currency: Currency = Field(default="EUR", description="EUR, SEK, NOK, DKK ...; the portal turns it into that")


def _label(options: NordPoolOptions) -> str:
    return f"nord-pool {options.area} {options.currency}"


def _requests(options: NordPoolOptions, question: Question) -> Iterator[Request]:
    for day in question.days(CENTRAL_EUROPE):
        asked = {"date": day.isoformat(), "market": "DayAhead", "deliveryArea": options.area}
        yield Request(with_query(options.url or URL, asked | {"currency": options.currency}), absent=NOT_YET)


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


FEED = Feed(_label, coupled_market, _requests, _read)
