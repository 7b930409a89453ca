"""Half-hourly prices of Octopus Agile.

``GET /v1/products/{product}/electricity-tariffs/{tariff}/standard-unit-rates/``: ``results`` are newest first, in pence
per kWh, with and without VAT; ``next`` is the URL of the next page. A rate whose ``valid_to`` is null is valid until
further notice. Tomorrow's are there from about 16:00, until 23:00 of that day.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from chargerd.config_types import Matching
from chargerd.tariff.feed import Answer, Feed, FeedSection, Question, with_query
from chargerd.tariff.money import unit_of
from chargerd.tariff.pace import Market
from chargerd.tariff.reading import at_path, json_of, list_at, object_of, price_of, time_of
from chargerd.tariff.slots import Told
from chargerd.tariff.web import Request

URL = "https://api.octopus.energy"
_PENCE = unit_of("p/kWh")
_PAGE = 500
"""Rates on a page; three days have 144."""

Code = Annotated[str, Matching("[A-Z0-9][A-Z0-9-]{2,60}", "a code in capitals, as Octopus shows it")]


class OctopusOptions(FeedSection):
    """The ``[tariff]`` section of Octopus Agile; its prices include VAT."""

    kind: Literal["octopus"]
    product: Code = Field(description="code of the product, as AGILE-24-10-01")
    tariff: Code = Field(description="code of the tariff in your region, as E-1R-AGILE-24-10-01-C")


def _label(options: OctopusOptions) -> str:
    return f"octopus {options.tariff}"


def _market(options: OctopusOptions, zone: ZoneInfo) -> Market:  # noqa: ARG001 - the market has its own
    return Market(ZoneInfo("Europe/London"), publishes_at=time(16), day_ends_at=time(23))


def _requests(options: OctopusOptions, question: Question) -> Iterator[Request]:
    path = f"/v1/products/{options.product}/electricity-tariffs/{options.tariff}/standard-unit-rates/"
    asked = {"period_from": _spelled(question.start), "period_to": _spelled(question.end), "page_size": str(_PAGE)}
    yield Request(with_query((options.url or URL).rstrip("/") + path, asked))


def _read(options: OctopusOptions, question: Question, text: str) -> Answer:  # noqa: ARG001 - one shape for all
    document = json_of(text)
    told = []
    for rate in map(object_of, list_at(document, "results")):
        # Rates for those who do not pay by direct debit stand beside the others.
        if rate.get("payment_method") == "NON_DIRECT_DEBIT":
            continue
        price, end = price_of(at_path(rate, "value_inc_vat")), rate.get("valid_to")
        if price is not None:
            until = question.end if end is None else time_of(end)
            told.append(Told(time_of(at_path(rate, "valid_from")), until, _PENCE.per_kwh(price)))
    following = at_path(document, "next")
    return Answer(tuple(told), _PENCE.currency, following if isinstance(following, str) else None)


def _spelled(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


FEED = Feed(_label, _market, _requests, _read)
