"""Prices from any server that answers with JSON: where to ask, where the list is, and what its entries mean.

``{start}`` and ``{end}`` in the URL are the ends of the stretch in RFC 3339, ``{start_unix}`` and ``{start_ms}`` the
same as Unix time; with ``{date}``, a local date, each day is asked for by itself.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from chargerd.config_problems import unknown
from chargerd.config_secrets import SecretFile
from chargerd.config_types import Currency, Matching, WallTime, fault
from chargerd.tariff.feed import Answer, Feed, FeedUrl, Question, check_token_is_safe
from chargerd.tariff.fees import FallibleSection
from chargerd.tariff.money import Unit, unit_of
from chargerd.tariff.pace import Market
from chargerd.tariff.reading import at_path, json_of, list_at, price_of, time_of
from chargerd.tariff.slots import Told
from chargerd.tariff.web import NOT_YET, Request

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = ("start", "end", "start_unix", "end_unix", "start_ms", "end_ms", "date")


def _template(value: str) -> str:
    for name in _PLACEHOLDER.findall(value):
        if name not in _PLACEHOLDERS:
            raise fault(f"there is no {{{name}}}; {unknown(name, _PLACEHOLDERS)}")
    if re.search(r"[{}]", _PLACEHOLDER.sub("", value)):
        raise fault("expected braces in pairs, as in {start}")
    return value


def _unit(value: str) -> str:
    try:
        unit_of(value)
    except ValueError:
        raise fault("expected money per energy, as EUR/kWh, ct/kWh, p/kWh or SEK/MWh") from None
    return value


HeaderName = Annotated[str, Matching("[A-Za-z0-9-]{1,64}", "the name of a header, as X-Api-Key")]
HeaderText = Annotated[str, Matching("[ -~]{0,4096}", "at most 4096 characters of printable ASCII")]


class HttpJsonOptions(FallibleSection):
    """The ``[tariff]`` section of prices from any server that answers with JSON.

    Paths are names with dots between them, numbers for places in a list. Without ``end_path`` a slot lasts until the
    next one. Times have a zone, or are Unix time in seconds or milliseconds.
    """

    kind: Literal["http-json"]
    url: Annotated[FeedUrl, AfterValidator(_template), WithJsonSchema({"type": "string"})] = Field(
        description="where to ask, with {start} and {end}, or {date}"
    )
    headers: dict[HeaderName, HeaderText] = Field(default={}, max_length=16, description="headers of the request")
    token_file: SecretFile | None = Field(default=None, description="file that holds the access token")
    token_header: HeaderName = "Authorization"  # noqa: S105
    token_prefix: HeaderText = Field(default="Bearer ", description="what stands before the token")
    list_path: str = Field(default="", description='where the list is, as "data.prices"; "" is the whole answer')
    start_path: str = Field(default="start", description="where the start is in an entry")
    end_path: str | None = Field(default=None, description="where the end is, if it is given")
    price_path: str = Field(default="price", description="where the price is")
    unit: Annotated[str, AfterValidator(_unit)] = Field(default="EUR/kWh", description="as EUR/MWh, ct/kWh, p/kWh")
    currency: Currency | None = Field(default=None, description="whose ct or øre, where it is not EUR or NOK")
    publishes_at: WallTime = Field(default=time(13), description="local time from which tomorrow is asked for")

    @model_validator(mode="after")
    def _fits(self) -> "HttpJsonOptions":
        try:
            unit_of(self.unit, self.currency)
        except ValueError:
            words = f"unit {self.unit} and currency {self.currency} contradict each other; leave currency out"
            raise fault(words) from None
        check_token_is_safe(self.url, self.token_file)
        return self

    @property
    def priced_in(self) -> Unit:
        """What the numbers stand for."""
        return unit_of(self.unit, self.currency)


def _label(options: HttpJsonOptions) -> str:
    # The path may hold a key that came from the environment.
    return f"http-json {urlsplit(options.url).hostname} ({options.unit})"


def _market(options: HttpJsonOptions, zone: ZoneInfo) -> Market:
    return Market(zone, publishes_at=options.publishes_at)


def _requests(options: HttpJsonOptions, question: Question) -> Iterator[Request]:
    headers = {"Accept": "application/json", **options.headers}
    if question.token:
        headers[options.token_header] = options.token_prefix + question.token
    has_secret = bool(question.token or options.headers)
    days = question.days(question.zone)
    for day in days if "{date}" in options.url else days[:1]:
        values = {"date": day.isoformat()}
        for name, at in (("start", question.start), ("end", question.end)):
            values[name] = quote(_spelled(at), safe=":")
            values[f"{name}_unix"] = str(int(at.timestamp()))
            values[f"{name}_ms"] = str(int(at.timestamp() * 1000))
        yield Request(options.url.format_map(values), headers, absent=NOT_YET, has_secret=has_secret)


def _read(options: HttpJsonOptions, question: Question, text: str) -> Answer:  # noqa: ARG001 - one shape for all
    unit, told = options.priced_in, []
    for entry in list_at(json_of(text), options.list_path):
        price = price_of(at_path(entry, options.price_path))
        if price is not None:
            end = None if options.end_path is None else time_of(at_path(entry, options.end_path))
            told.append(Told(time_of(at_path(entry, options.start_path)), end, unit.per_kwh(price)))
    return Answer(tuple(told), unit.currency)


def _spelled(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


FEED = Feed(_label, _market, _requests, _read)
