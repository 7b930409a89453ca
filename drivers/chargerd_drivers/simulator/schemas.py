"""Checks both directions against the schemas of the ocpp package, and reads times as RFC 3339.

Fractions are compared as decimals, because OCPP 1.6 asks for multiples of 0.1, which binary floats cannot meet. The
package's own validators are not used: one cache holds them for floats and for decimals alike.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft4Validator

_YEAR_MIN, _YEAR_MAX = 1900, 3000
_FOLDERS = {"1.6": "v16", "2.0.1": "v201"}
TIMES = frozenset(
    {"currentTime", "startSchedule", "scheduleStart", "validFrom", "validTo", "expiryDate", "generatedAt", "timestamp"}
)
"""The members of payloads that are times."""


def call_fault(version: str, action: str, payload: Any) -> str | None:
    """Return what is wrong with a request, None when it is right; the action must be known."""
    return _fault(_validator(version, action, answer=False), payload)


def result_fault(version: str, action: str, payload: Any) -> str | None:
    """Return what is wrong with an answer, None when it is right."""
    return _fault(_validator(version, action, answer=True), payload)


@cache
def is_known(version: str, action: str) -> bool:
    """Whether the protocol has an action of that name."""
    if not action.isalnum():
        return False
    try:
        _validator(version, action, answer=False)
    except OSError:
        return False
    return True


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time with a zone. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"time {text!r}: expected a zone, Z or +01:00")
    if not _YEAR_MIN <= at.year <= _YEAR_MAX:
        raise ValueError(f"time {text!r}: expected a year from {_YEAR_MIN} to {_YEAR_MAX}")
    return at.astimezone(UTC)


def spell_time(at: datetime, *, fine: bool = False) -> str:
    """Write a time to the second, or ``fine`` to the millisecond."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds" if fine else "seconds")
    return text.replace("+00:00", "Z")


@cache
def _validator(version: str, action: str, *, answer: bool) -> Draft4Validator:
    ending = "Response" if answer else "Request" if version == "2.0.1" else ""
    path = files("ocpp") / _FOLDERS[version] / "schemas" / f"{action}{ending}.json"
    return Draft4Validator(json.loads(path.read_text("utf-8-sig"), parse_float=Decimal))


def _fault(validator: Draft4Validator, payload: Any) -> str | None:
    try:
        checked = json.loads(json.dumps(payload, allow_nan=False), parse_float=Decimal)
        error = next(iter(validator.iter_errors(checked)), None)
    except (ArithmeticError, RecursionError, ValueError) as trouble:
        return f"payload: a number out of range, or too deep: {type(trouble).__name__}"
    if error is not None:
        place = "/".join(str(part) for part in error.absolute_path)
        return f"{place or 'payload'}: {error.message}"
    return _time_fault(payload)


def _time_fault(value: Any, place: str = "") -> str | None:
    """Look for a time that is none; the schemas' own format check is never made."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in TIMES and isinstance(inner, str):
                try:
                    parse_time(inner)
                except ValueError:
                    return f"{place}{key}: {inner!r} is no RFC 3339 time with a zone"
            elif (fault := _time_fault(inner, f"{place}{key}/")) is not None:
                return fault
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if (fault := _time_fault(inner, f"{place}{index}/")) is not None:
                return fault
    return None
