"""Types of single values in requests and documents: times, levels, numbers as they were written."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

UTC_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$"
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6}\d*)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_EXPECTED = "expected an RFC 3339 time with a zone, for example 2025-06-11T07:00:00Z"

UtcTime = Annotated[
    str,
    StringConstraints(pattern=UTC_TIME),
    Field(json_schema_extra={"format": "date-time"}),
]
"""A time in a document, kept as it was written: RFC 3339, UTC, ending in Z."""

Uuid = Annotated[str, StringConstraints(pattern=UUID), Field(json_schema_extra={"format": "uuid"})]
"""A UUID in its canonical lower-case spelling."""

Number = Annotated[int, Field(strict=True)] | Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A number in a document, kept as it was written: 0 stays 0 and 11.0 stays 11.0."""

Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
"""A whole percentage in a document."""


def rfc3339(at: datetime) -> str:
    """Spell an aware time in UTC, ending in Z; fractions of a second only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: object) -> datetime:
    """Read an RFC 3339 time with a zone, as UTC. Raises ValueError with a sentence."""
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise ValueError(_EXPECTED)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as fault:
        msg = f"no such time; {_EXPECTED}"
        raise ValueError(msg) from fault


def _number(value: Any) -> Any:
    """Keep what JSON calls a number; pydantic alone would also take "41" and true."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = "expected a number"
        raise ValueError(msg)  # noqa: TRY004 - a TypeError would not become a 422
    return value


Instant = Annotated[
    datetime,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2025-06-11T07:00:00Z"]}),
]
"""A time in a request: any zone, at least one; inside it is UTC."""

TargetLevel = Annotated[int, BeforeValidator(_number), Field(ge=1, le=100)]
"""A level to charge to, in whole percent."""


def _truth(value: Any) -> Any:
    if not isinstance(value, bool):
        msg = "expected true or false"
        raise ValueError(msg)  # noqa: TRY004 - a TypeError would not become a 422
    return value


# What is not told is left out; null is no way to say so, for it may have been meant as "not any more". The schemas are
# spelled out, because they would allow null.

BatteryLevel = Annotated[
    float | None,
    BeforeValidator(_number),
    Field(ge=0, le=100, allow_inf_nan=False),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100}),
]
"""A battery level as somebody read it off, in percent."""

ChargeLimit = Annotated[
    float | None,
    BeforeValidator(_number),
    Field(ge=1, le=100, allow_inf_nan=False),
    WithJsonSchema({"type": "number", "minimum": 1, "maximum": 100}),
]
"""A level at which a car stops by itself, in percent."""

ChargeRate = Annotated[
    float | None,
    BeforeValidator(_number),
    Field(ge=0, le=400, allow_inf_nan=False),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 400}),
]
"""Power into a car, in kW."""

Truth = Annotated[bool | None, BeforeValidator(_truth), WithJsonSchema({"type": "boolean"})]
"""True or false, as JSON spells them."""

ToldAt = Annotated[
    datetime | None,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2025-06-11T07:00:00Z"]}),
]
"""A time in a request that may be left out."""
