"""Day-ahead prices from energy-charts.info (Fraunhofer ISE): ``GET /price?bzn=DE-LU&start=…&end=…``.

Two lists beside each other, ``unix_seconds`` and ``price``, and a ``unit``; recorded answers are among the tests. Dates
are those of the market, the last one inclusive.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from chargerd.config_types import Matching
from chargerd.errors import FeedError
from chargerd.tariff.feed import CENTRAL_EUROPE, Answer, Feed, FeedSection, Question, coupled_market, with_query
from chargerd.tariff.reading import at_path, json_of, list_at, price_of, time_of, unit_told
from chargerd.tariff.slots import Told
from chargerd.tariff.web import NOT_YET, Request

URL = "https://api.energy-charts.info/price"


class EnergyChartsOptions(FeedSection):
    """The ``[tariff]`` section of day-ahead prices from energy-charts.info."""

    kind: Literal["energy-charts"]
    bidding_zone: Annotated[str, Matching("[A-Z][A-Z0-9-]{1,15}", "the name of a bidding zone, as DE-LU")] = Field(
        description="the market's name of your area, as DE-LU"
    )


def _label(options: EnergyChartsOptions) -> str:
    return f"energy-charts {options.bidding_zone}"


def _requests(options: EnergyChartsOptions, question: Question) -> Iterator[Request]:
    days = question.days(CENTRAL_EUROPE)
    asked = {"bzn": options.bidding_zone, "start": days[0].isoformat(), "end": days[-1].isoformat()}
    yield Request(with_query(options.url or URL, asked), absent=NOT_YET)


def _read(options: EnergyChartsOptions, question: Question, text: str) -> Answer:  # noqa: ARG001 - one shape for all
    document = json_of(text)
    starts, prices = list_at(document, "unix_seconds"), list_at(document, "price")
    if len(starts) != len(prices):
        raise FeedError(f"expected a price for each of {len(starts)} times, got {len(prices)}")
    unit = unit_told(str(at_path(document, "unit")))
    told = [
        Told(time_of(start), None, unit.per_kwh(price))
        for start, value in zip(starts, prices, strict=True)
        if (price := price_of(value)) is not None
    ]
    return Answer(tuple(told), unit.currency)


FEED = Feed(_label, coupled_market, _requests, _read)
