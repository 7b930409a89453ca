"""Prices of a home that is supplied by Tibber: GraphQL, ``POST https://api.tibber.com/v1-beta/gql``.

``total`` is what a kWh costs there, energy and taxes; Tibber's monthly fee and most network charges are not in it.
``tomorrow`` is empty until it is known. Quarter hours need ``priceInfo(resolution: QUARTER_HOURLY)``.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from chargerd.config_types import Matching
from chargerd.errors import FeedError
from chargerd.tariff.feed import Answer, Feed, Question, TokenSection
from chargerd.tariff.pace import Market
from chargerd.tariff.reading import at_path, json_of, list_at, object_of, price_of, time_of
from chargerd.tariff.slots import Told
from chargerd.tariff.web import Request

URL = "https://api.tibber.com/v1-beta/gql"
_LENGTHS = {"QUARTER_HOURLY": timedelta(minutes=15), "HOURLY": timedelta(hours=1)}
_DAYS = "today { total startsAt currency } tomorrow { total startsAt currency }"


class TibberOptions(TokenSection):
    """The ``[tariff]`` section of a home that is supplied by Tibber."""

    kind: Literal["tibber"]
    home: Annotated[str, Matching("[0-9a-fA-F-]{36}", "the id of a home, a UUID")] | None = Field(
        default=None, description="id of the home, where the account has several"
    )
    resolution: Literal["QUARTER_HOURLY", "HOURLY"] = "QUARTER_HOURLY"


def _label(options: TibberOptions) -> str:
    return "tibber" if options.home is None else f"tibber {options.home}"


def _market(options: TibberOptions, zone: ZoneInfo) -> Market:  # noqa: ARG001 - one shape for all
    return Market(zone)


def _requests(options: TibberOptions, question: Question) -> Iterator[Request]:
    headers = {"Authorization": f"Bearer {question.token}", "Content-Type": "application/json"}
    info = f"priceInfo(resolution: {options.resolution}) {{ {_DAYS} }}"
    query = f"{{ viewer {{ homes {{ id currentSubscription {{ {info} }} }} }} }}"
    yield Request(options.url or URL, headers, json.dumps({"query": query}), has_secret=True)


def _read(options: TibberOptions, question: Question, text: str) -> Answer:  # noqa: ARG001 - one shape for all
    document = json_of(text)
    if isinstance(document, dict) and document.get("errors"):
        raise FeedError(f"expected prices, got: {str(at_path(document, 'errors.0.message'))[:120]}")
    info = _price_info([object_of(home) for home in list_at(document, "data.viewer.homes")], options.home)
    entries = [entry for day in ("today", "tomorrow") if info.get(day) for entry in list_at(info, day)]
    told, currency = [], "EUR"
    for entry in entries:
        price, start = price_of(at_path(entry, "total")), time_of(at_path(entry, "startsAt"))
        currency = str(at_path(entry, "currency"))
        if price is not None:
            told.append(Told(start, start + _LENGTHS[options.resolution], price))
    return Answer(tuple(told), currency)


def _price_info(homes: list[Any], wanted: str | None) -> dict[str, Any]:
    """The prices of the home that is meant: the one that is named, or the only one that has a contract."""
    supplied = {
        str(at_path(home, "id")): home["currentSubscription"] for home in homes if home.get("currentSubscription")
    }
    named = {name: found for name, found in supplied.items() if wanted is None or name.lower() == wanted.lower()}
    if len(named) != 1:
        names = ", ".join(sorted(supplied)) or "none"
        what = "one home with a contract" if wanted is None else f"home {wanted}"
        raise FeedError(f'expected {what}, got {names}; name it in the configuration, as home = "…"')
    (found,) = named.values()
    return object_of(at_path(found, "priceInfo"))


FEED = Feed(_label, _market, _requests, _read)
