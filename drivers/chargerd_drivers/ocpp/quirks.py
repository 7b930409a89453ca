"""What is known of models before anything was learned of them: data, matched on what a charger says that it is.

The shipped file is ``config/quirks.toml``; a user's file goes over it.
"""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chargerd.contract import ConfigError
from chargerd_drivers.ocpp.config import OcppSection
from chargerd_drivers.ocpp.knowledge import Knowledge, Model
from chargerd_drivers.ocpp.ways import Kind, Purpose, Unit

_EXPECTED = {
    "extra_forbidden": "unknown, allowed are {allowed}",
    "missing": "missing",
    "bool_type": "expected true or false",
    "string_type": "expected text",
    "list_type": "expected a list",
}
"""Words for pydantic's types of faults; for others its own words will do."""


class Quirk(BaseModel):
    """One entry. What is left out is not known, and learned."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    vendor: str = "*"
    model: str = "*"
    firmware: str = "*"
    source: str = Field(min_length=1)
    zero_is_stop: bool | None = None
    resumes_after_stop: bool | None = None
    pushes_samples: bool | None = None
    limit_unit: Literal["A", "W"] | None = None
    limit_purpose: Literal["TxProfile", "TxDefaultProfile", "ChargingStationMaxProfile"] | None = None
    limit_kind: Literal["Absolute", "Relative"] | None = None
    schedule_periods: int | None = Field(default=None, ge=1)
    whole_limits: bool | None = None
    clears_first: bool | None = None
    id_token: str | None = Field(default=None, min_length=1, max_length=20)
    no_trigger: list[str] = []
    skip: list[str] = []
    minimal_setup: bool | None = None
    ping_interval_s: float | None = Field(default=None, ge=0, le=3600)

    def fits(self, model: Model) -> bool:
        """Whether it is about such a charger."""
        pairs = ((model.vendor, self.vendor), (model.model, self.model), (model.firmware, self.firmware))
        return all(fnmatchcase(said.casefold(), pattern.casefold()) for said, pattern in pairs)

    def over(self, known: Knowledge) -> Knowledge:
        """Return what is known with this entry put over it."""
        seen = {
            name: getattr(self, name)
            for name in ("zero_is_stop", "resumes_after_stop", "pushes_samples")
            if getattr(self, name) is not None
        }
        tastes: dict[str, Any] = {
            "unit": None if self.limit_unit is None else Unit(self.limit_unit),
            "purpose": None if self.limit_purpose is None else Purpose(self.limit_purpose),
            "kind": None if self.limit_kind is None else Kind(self.limit_kind),
            "periods_max": self.schedule_periods,
            "whole": self.whole_limits,
            "clears_first": self.clears_first,
        }
        others = {
            name: getattr(self, name)
            for name in ("id_token", "minimal_setup", "ping_interval_s")
            if getattr(self, name) is not None
        }
        return replace(
            known,
            capabilities=replace(known.capabilities, **seen),
            taste=replace(known.taste, **{name: value for name, value in tastes.items() if value is not None}),
            skips=tuple(dict.fromkeys((*known.skips, *self.skip, *self.no_trigger))),
            **others,
        )


class _File(BaseModel):
    """A file of quirks."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    version: Literal[1]
    quirk: list[Quirk] = []


def presets(own: Path | None = None) -> Callable[[Model], Knowledge]:
    """Return what tells the preset knowledge of a model, by the shipped file and the user's own.

    Raises ConfigError, one line for each fault: ``file: key: expected ...``.
    """
    shipped = files("chargerd_drivers.ocpp").joinpath("quirks.toml").read_text(encoding="utf-8")
    quirks = read_quirks(shipped, "quirks.toml")
    if own is not None:
        try:
            text = own.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            found = error.strerror if isinstance(error, OSError) else "bytes that are no UTF-8"
            msg = f"{own}: expected a file of quirks, got: {found}"
            raise ConfigError((msg,)) from error
        quirks += read_quirks(text, str(own))

    def preset(model: Model) -> Knowledge:
        known = Knowledge()
        for quirk in quirks:
            known = quirk.over(known) if model.is_named and quirk.fits(model) else known
        return known

    return preset


def section_faults(section: OcppSection) -> Iterator[tuple[str, str]]:
    """Yield what is wrong in the user's own file."""
    try:
        presets(section.quirks_file)
    except ConfigError as error:
        yield from (("quirks_file", problem) for problem in error.problems)


def read_quirks(text: str, name: str) -> tuple[Quirk, ...]:
    """Read a file's text. Raises ConfigError."""
    try:
        return tuple(_File.model_validate(tomllib.loads(text)).quirk)
    except tomllib.TOMLDecodeError as error:
        msg = f"{name}: not TOML: {error}"
        raise ConfigError((msg,)) from error
    except ValidationError as error:
        raise ConfigError(tuple(_told(name, fault) for fault in error.errors())) from error


def _told(name: str, fault: Any) -> str:
    """One fault in words, with its key: entries are counted from 1."""
    path = ".".join(f"{part + 1}" if isinstance(part, int) else str(part) for part in fault["loc"])
    allowed = ", ".join(sorted(Quirk.model_fields if path.startswith("quirk.") else _File.model_fields))
    words = _EXPECTED.get(fault["type"])
    if words is None:
        words = str(fault["msg"]).replace("Input should be", "expected")
        words = f"{words}, got {fault['input']!r}"
    return f"{name}: {path}: {words.format(allowed=allowed) if 'allowed' in words else words}"
