"""Words that the sections of the configuration share. Values are taken as they are written, never converted."""

import re
from dataclasses import dataclass
from datetime import time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import CoreSchema, no_info_after_validator_function

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""A day of the week as the configuration spells it."""

DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Monday first, as ``datetime.weekday`` counts."""

_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Section(BaseModel):
    """A table of the configuration: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def fault(words: str) -> PydanticCustomError:
    """Return what a validator raises: words that say what is wrong or what was expected."""
    return PydanticCustomError("fault", "{words}", {"words": words})


@dataclass(frozen=True, slots=True)
class Matching:
    """Annotates a text that must match a pattern as a whole; what does not is told what was expected."""

    pattern: str
    expected: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check after whatever else is checked."""
        return no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Show the pattern."""
        return {**handler(schema), "pattern": f"^({self.pattern})$"}

    def _checked(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise fault(f"expected {self.expected}")
        return value


def _wall_time(value: Any) -> Any:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _WALL_TIME.fullmatch(value):
        raise fault('expected a local time of day as "HH:MM", from "00:00" to "23:59"')
    return time.fromisoformat(value)


WallTime = Annotated[
    time,
    BeforeValidator(_wall_time),
    WithJsonSchema({"type": "string", "pattern": f"^({_WALL_TIME.pattern})$", "examples": ["07:00"]}),
]
"""A time of day in the site's zone, written ``"07:00"``."""


def _decimal(value: Any) -> Any:
    """Take a number by its shortest spelling, so that 0.2785 is exactly that, or a text for more digits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise fault("expected a number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise fault("expected a number") from None
    if not number.is_finite():
        raise fault("expected a finite number")
    return number


Money = Annotated[Decimal, BeforeValidator(_decimal), WithJsonSchema({"type": "number"})]
"""An exact decimal number, for prices."""

Currency = Annotated[str, Matching("[A-Z]{3}", "an ISO 4217 code, as EUR")]
"""An ISO 4217 code, for example EUR."""
