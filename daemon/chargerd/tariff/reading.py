"""Reading what feeds answer: JSON, times, numbers, paths. Pure; what is wrong is told as a FeedError in words."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chargerd.errors import FeedError
from chargerd.tariff.money import Unit, number_of, unit_of

_MILLISECONDS_FROM = 100_000_000_000
"""A greater number of seconds is in the year 5138: it is milliseconds."""
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_SHOWN = 60
_NOT_A_NUMBER = Decimal("NaN")


def json_of(text: str) -> Any:
    """Read JSON; numbers with a fraction become exact."""
    start = text.lstrip()[:200]
    if start.startswith("<"):
        title = re.search(r"<title[^>]*>([^<]{1,60})", text[:20_000], re.IGNORECASE)
        raise FeedError(f"expected JSON, got a page{f' titled {title[1].strip()!r}' if title else ' of markup'}")
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=lambda _: _NOT_A_NUMBER)
    except (ValueError, ArithmeticError, RecursionError) as error:
        got = f"{start[:_SHOWN]!r}" if start else "nothing"
        raise FeedError(f"expected JSON, got {got}") from error


def at_path(document: Any, path: str) -> Any:
    """Follow names and list indexes with dots between them; "" is the document itself. Raises FeedError."""
    found = document
    for step in path.split(".") if path else ():
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            raise FeedError(f"expected {path!r}, got {_kind(found)} without {step!r}")
    return found


def list_at(document: Any, path: str) -> list[Any]:
    """As ``at_path``, and it must be a list."""
    found = at_path(document, path)
    if not isinstance(found, list):
        raise FeedError(f"expected a list at {path!r}, got {_kind(found)}")
    return found


def object_of(value: Any) -> dict[str, Any]:
    """Take an object. Raises FeedError."""
    if not isinstance(value, dict):
        raise FeedError(f"expected an object, got {_kind(value)}")
    return value


def time_of(value: Any) -> datetime:
    """Read RFC 3339 with its zone, or Unix time in seconds or milliseconds. Raises FeedError."""
    try:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            number = float(value)
            return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number, UTC)
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        at = None
    if at is None or at.tzinfo is None or not _FIRST < at < _LAST:
        raise FeedError(f"expected a time with its zone, or Unix time, got {_short(value)}")
    return at.astimezone(UTC)


def unit_told(text: str) -> Unit:
    """Read the unit of prices that an answer names. Raises FeedError."""
    try:
        return unit_of(text)
    except ValueError as error:
        raise FeedError(str(error)) from error


def price_of(value: Any) -> Decimal | None:
    """Read a number, or one in quotes; None where there is none yet. Raises FeedError."""
    if value is None:
        return None
    price = number_of(value)
    if price is None:
        raise FeedError(f"expected a price as a number, got {_short(value)}")
    return price


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    return names.get(type(value), _short(value))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
