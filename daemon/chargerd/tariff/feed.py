"""A source in the network: its section of the configuration, and asking it.

What to ask, and what the answer means, is in a module for each of them, pure.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import structlog
from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from chargerd.config_secrets import SecretFile, read_secret
from chargerd.config_types import fault
from chargerd.contract import Clock, PriceCurve
from chargerd.errors import FeedError
from chargerd.journal import Once
from chargerd.tariff import web
from chargerd.tariff.fees import FallibleSection
from chargerd.tariff.pace import Market
from chargerd.tariff.slots import Told, normalised
from chargerd.tariff.web import Request

log = structlog.get_logger("chargerd.tariff")

PAGES_MOST = 20
REFUSED_SHOWN = 3
CENTRAL_EUROPE = ZoneInfo("Europe/Brussels")
"""The coupled day-ahead market of Europe has one clock."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_one = False
    if not is_one or not value.isascii() or not value.isprintable() or " " in value:
        raise fault("expected a URL, as https://example.org/prices")
    if parts.username is not None:
        raise fault("a secret is never in this file; expected a URL without a user and a password")
    return value


FeedUrl = Annotated[str, AfterValidator(_url), WithJsonSchema({"type": "string", "format": "uri"})]


class FeedSection(FallibleSection):
    """A ``[tariff]`` section of a source in the network."""

    url: FeedUrl | None = Field(default=None, description="where to ask instead of the source itself, as a mirror")


class TokenSection(FeedSection):
    """A source that knows its users by a token."""

    token_file: SecretFile = Field(description="file that holds the access token")

    @model_validator(mode="after")
    def _is_safe(self) -> "TokenSection":
        check_token_is_safe(self.url, self.token_file)
        return self


def check_token_is_safe(url: str | None, token_file: Path | None) -> None:
    """Raise when a token would travel over the network without TLS."""
    parts = urlsplit(url or "https://")
    if token_file is not None and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise fault("a token is sent with TLS only; expected a url that begins with https://")


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask for: prices of a stretch of time, at a site, with a token where the source wants one."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    token: str = field(default="", repr=False)

    def days(self, zone: ZoneInfo) -> list[date]:
        """The days that the stretch touches, by a zone's clock; the first one at the least."""
        first = self.start.astimezone(zone).date()
        last = (self.end - timedelta(seconds=1)).astimezone(zone).date()
        return [first + timedelta(days=days) for days in range(max((last - first).days, 0) + 1)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source told, prices in whole units of ``currency`` per kWh. ``following`` is the URL of the next page."""

    told: tuple[Told, ...] = ()
    currency: str = "EUR"
    following: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """How one kind of source is asked and understood. ``label`` names the source and what of it, and no secret."""

    label: Callable[[Any], str]
    market: Callable[[Any, ZoneInfo], Market]
    requests: Callable[[Any, Question], Iterable[Request]]
    read: Callable[[Any, Question, str], Answer]


def coupled_market(_options: Any, _zone: ZoneInfo) -> Market:
    """The coupled day-ahead market of Europe, wherever the site is."""
    return Market(CENTRAL_EUROPE)


class FeedTariff:
    """Asks one source."""

    def __init__(self, feed: Feed, options: FeedSection, zone: ZoneInfo, clock: Clock) -> None:
        self._feed = feed
        self._options = options
        self._zone = zone
        self._clock = clock
        self._once = Once()

    async def fetch(self, start: datetime, end: datetime) -> PriceCurve:
        """Return what the source tells of a stretch of time; () when nothing is published yet. Raises ChargingError."""
        label = self._feed.label(self._options)
        try:
            question = Question(start, end, self._zone, await asyncio.to_thread(self._token))
            answers = await self._answers(question)
        except FeedError as error:
            raise FeedError(f"{label}: {error}", retry_after_s=error.retry_after_s) from error
        told = [entry for answer in answers for entry in answer.told]
        currencies = {answer.currency for answer in answers if answer.told} or {"EUR"}
        if len(currencies) > 1:
            raise FeedError(f"{label}: expected prices in one currency, got {', '.join(sorted(currencies))}")
        (currency,) = currencies
        normal = normalised(told, currency=currency, start=start, end=end)
        self._tell_refused(label, normal.refused)
        if normal.refused and not normal.slots:
            raise FeedError(f"{label}: none of its prices can be used: {normal.refused[0]}")
        return PriceCurve(normal.slots, currency, self._clock.now())

    async def _answers(self, question: Question) -> list[Answer]:
        found: list[Answer] = []
        async with web.opened() as asking:
            for first in self._feed.requests(self._options, question):
                request: Request | None = first
                while request is not None:
                    text = await asking.text(request)
                    answer = self._feed.read(self._options, question, text) if text else Answer()
                    found.append(answer)
                    request = _next_page(request, answer.following)
                    if request is not None and len(found) >= PAGES_MOST:
                        raise FeedError(f"expected at most {PAGES_MOST} pages, got more")
        return found

    def _token(self) -> str:
        path: Path | None = getattr(self._options, "token_file", None)
        token = "" if path is None else read_secret(path)
        if not (token.isascii() and token.isprintable()) and token:
            raise FeedError(f"{path}: expected a token of printable ASCII, got other characters")
        return token

    def _tell_refused(self, label: str, refused: tuple[str, ...]) -> None:
        if not refused:
            self._once.over("tariff.refused", "")
        elif self._once.changed("tariff.refused", "", refused):
            more = f", and {len(refused) - REFUSED_SHOWN} more" if len(refused) > REFUSED_SHOWN else ""
            words = "; ".join(refused[:REFUSED_SHOWN])
            log.warning("tariff.refused", message=f"{label}: {words}{more}")


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Add a query to a URL, which may have one already."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def _next_page(request: Request, url: str | None) -> Request | None:
    if url is None:
        return None
    if urlsplit(url)[:2] != urlsplit(request.url)[:2]:
        raise FeedError(f"expected the next page on the same server, got one on {urlsplit(url).hostname}")
    return Request(url, request.headers, request.body, request.absent, request.has_secret)
