"""Day-ahead prices from aWATTar, in Austria and Germany: ``GET /v1/marketdata?start=…&end=…``, in Unix milliseconds.

``data`` is a list of ``start_timestamp``, ``end_timestamp``, ``marketprice`` and ``unit``, net of taxes; those
of tomorrow are there from 14:00 on.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from chargerd.tariff.feed import Answer, Feed, FeedSection, Question, coupled_market, with_query
from chargerd.tariff.reading import at_path, json_of, list_at, price_of, time_of, unit_told
from chargerd.tariff.slots import Told
from chargerd.tariff.web import Request


class AwattarOptions(FeedSection):
    """The ``[tariff]`` section of day-ahead prices from aWATTar."""

    kind: Literal["awattar"]
    country: Literal["at", "de"] = Field(description="at or de")


def _label(options: AwattarOptions) -> str:
    return f"awattar {options.country}"


def _requests(options: AwattarOptions, question: Question) -> Iterator[Request]:
    url = options.url or f"https://api.awattar.{options.country}/v1/marketdata"
    stretch = {"start": question.start, "end": question.end}
    yield Request(with_query(url, {key: str(int(at.timestamp() * 1000)) for key, at in stretch.items()}))


def _read(options: AwattarOptions, question: Question, text: str) -> Answer:  # noqa: ARG001 - one shape for all
    told, currency = [], "EUR"
    for entry in list_at(json_of(text), "data"):
        unit = unit_told(str(at_path(entry, "unit")))
        price, currency = price_of(at_path(entry, "marketprice")), unit.currency
        if price is not None:
            start, end = at_path(entry, "start_timestamp"), at_path(entry, "end_timestamp")
            told.append(Told(time_of(start), time_of(end), unit.per_kwh(price)))
    return Answer(tuple(told), currency)


FEED = Feed(_label, coupled_market, _requests, _read)
