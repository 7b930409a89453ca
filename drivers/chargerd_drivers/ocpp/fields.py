"""Reading fields of JSON that may be missing, null, of another type or oddly spelled. Nothing here raises.

Chargers send numbers as strings, single objects for lists, and null for what they do not know; see OpenEVSE and
Enercab (numbers as strings), Huawei (object for list), ABB (null).
"""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
"""A JSON object."""

_NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]{1,3})?")
_INTEGER_DIGITS_MAX = 19
_TEXT_MAX = 255


def obj(value: object) -> Json:
    """Return the object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[Any]:
    """Return the list; a single value becomes a list of one, None an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def text(value: object, *, length_max: int = _TEXT_MAX) -> str:
    """Return printable text, trimmed, at most 255 characters; "" for null, booleans, objects and lists."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return "".join(char for char in str(value)[:length_max] if char.isprintable()).strip()


def word(value: object) -> str:
    """Return an enumeration word without regard to case, spaces, ``-`` and ``_``, for looking it up."""
    return re.sub(r"[\s_-]", "", text(value)).casefold()


def number(value: object) -> float | None:
    """Return a finite number, also from text with a decimal point or comma; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _finite(value)
    trimmed = value.strip() if isinstance(value, str) else ""
    if not _NUMBER.fullmatch(trimmed):
        return None
    return _finite(trimmed.replace(",", "."))


def _finite(value: str | float) -> float | None:
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def integer(value: object) -> int | None:
    """Return an integer of up to 19 digits, also from text or from a float that is whole; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**_INTEGER_DIGITS_MAX else None
    if isinstance(value, str) and re.fullmatch(rf"\s*[+-]?[0-9]{{1,{_INTEGER_DIGITS_MAX}}}\s*", value):
        return int(value)
    as_float = number(value)
    return int(as_float) if as_float is not None and as_float.is_integer() and abs(as_float) < 2**53 else None


def moment(value: object, now: datetime) -> datetime | None:
    """Return a charger's time as aware UTC; without a zone it is UTC.

    None for what is no time, and for an absurd one (before 2020, or more than a day after ``now``): some chargers
    start with their clock in 1970.
    """
    try:
        parsed = datetime.fromisoformat(text(value))
        aware = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return aware if aware.year >= 2020 and aware <= now + timedelta(days=1) else None


def stamp(at: datetime) -> str:
    """Spell a time as ``YYYY-MM-DDTHH:MM:SSZ``: some chargers understand no fraction and no ``+00:00``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
