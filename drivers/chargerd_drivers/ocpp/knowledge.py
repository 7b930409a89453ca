"""What is learned of each charger, with its vendor, model and firmware, and kept. Pure.

Only what a charger did, or answered expressly, is learned; a lost answer teaches nothing.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from chargerd.contract import Capabilities, Document
from chargerd_drivers.ocpp.ways import Taste

SECOND_TRY_AFTER = timedelta(days=1)
"""A probe after which the connection was lost once is left out for so long: it may have been chance."""
_PROBES_MAX = 64
ALWAYS_MIN = 4
"""So many starts and so many limits rejected, and none accepted in between: it cannot be controlled as it is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a charger says that it is; "" where it does not say."""

    vendor: str = ""
    model: str = ""
    firmware: str = ""

    @property
    def is_named(self) -> bool:
        """Whether the charger has said what it is."""
        return bool(self.vendor or self.model or self.firmware)

    @property
    def key(self) -> str:
        """Its part of a key."""
        return "/".join(part.replace("/", " ") for part in (self.vendor, self.model, self.firmware))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """A probe after which a charger was gone: how often, and when last."""

    probe: str
    times: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known of a charger with this firmware.

    ``rejected_starts`` and ``rejected_limits`` count what was answered Rejected since the last that was accepted.
    ``passed`` are probes that did no harm, ``probing`` the one that is under way, ``falls`` those that did harm,
    ``skips`` those that are known for it. ``minimal_setup`` leaves its settings alone. ``id_token`` is what it takes a
    remote start with, whatever is configured. ``ping_interval_s`` is in real seconds, 0 for no pings at all.
    """

    capabilities: Capabilities = Capabilities()
    taste: Taste = Taste()
    rejected_starts: int = 0
    rejected_limits: int = 0
    passed: tuple[str, ...] = ()
    probing: str | None = None
    falls: tuple[Fall, ...] = ()
    skips: tuple[str, ...] = ()
    minimal_setup: bool = False
    id_token: str | None = None
    ping_interval_s: float | None = None

    @property
    def told(self) -> Capabilities:
        """What the core is told of it: what was seen, and of limits what the way in use tells."""
        taste = self.taste
        way = taste.in_transaction or taste.idle
        unit = taste.unit if way is None else way.unit
        purpose = taste.purpose if way is None else way.purpose
        return replace(
            self.capabilities,
            limit_unit=None if unit is None else unit.value,
            limit_purpose=None if purpose is None else purpose.value,
            schedule_periods=taste.periods_max,
        )

    def rejected(self, *, starts: int = 0, limits: int = 0) -> "Knowledge":
        """Count what was rejected. Boxes in a mode of their own reject all there is (Schneider, Wallbox)."""
        starts, limits = self.rejected_starts + starts, self.rejected_limits + limits
        known = replace(self, rejected_starts=starts, rejected_limits=limits)
        if min(starts, limits) < ALWAYS_MIN:
            return known
        return replace(known, capabilities=replace(self.capabilities, can_start=False, can_limit=False))

    def given_another_chance(self) -> "Knowledge":
        """Somebody may have switched that mode off: what was always rejected is tried once more."""
        if min(self.rejected_starts, self.rejected_limits) < ALWAYS_MIN:
            return self
        capabilities = replace(self.capabilities, can_start=None, can_limit=None)
        before = ALWAYS_MIN - 1
        return replace(self, rejected_starts=before, rejected_limits=before, capabilities=capabilities)

    def skips_name(self, name: str) -> bool:
        """Whether a setting, or a message to be triggered, is left alone; spelled in any case."""
        return name.casefold() in {skipped.casefold() for skipped in self.skips}

    def leaves_out(self, probe: str, now: datetime) -> bool:
        """Whether a probe is too dangerous: the second fall is for good, the first one for a day."""
        fall = next((fall for fall in self.falls if fall.probe == probe), None)
        return fall is not None and (fall.times > 1 or now < fall.at + SECOND_TRY_AFTER)

    def fallen(self, probe: str, now: datetime) -> "Knowledge":
        """The charger was gone after this probe."""
        before = sum(fall.times for fall in self.falls if fall.probe == probe)
        others = tuple(fall for fall in self.falls if fall.probe != probe)[-_PROBES_MAX:]
        fall = Fall(probe=probe, times=before + 1, at=now)
        return replace(self, probing=None, falls=(*others, fall))

    def survived(self, probe: str) -> "Knowledge":
        """The charger was still there after this probe."""
        return replace(self, probing=None, passed=(*self.passed, probe)[-_PROBES_MAX:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What is known of one charger, whatever its firmware.

    ``is_adopted`` tells that the profiles of former central systems were cleared. ``id_token`` was accepted where the
    configured one was not; ``seen_token`` is what the charger last began a transaction of its own with.
    """

    model: Model = field(default_factory=Model)
    is_adopted: bool = False
    id_token: str | None = None
    seen_token: str | None = None


_KNOWLEDGE = TypeAdapter(Knowledge)
_PERSONAL = TypeAdapter(Personal)


def dump_knowledge(knowledge: Knowledge, preset: Knowledge) -> Document:
    """Return what was learned beyond what was preset, so that a better preset of a later version counts."""
    found: Document = _differences(
        _KNOWLEDGE.dump_python(knowledge, mode="json"), _KNOWLEDGE.dump_python(preset, mode="json")
    )
    return found


def load_knowledge(document: Document, preset: Knowledge) -> Knowledge:
    """Put what was learned over what is preset. Raises ValueError for what is no such document."""
    return _KNOWLEDGE.validate_python(_merged(_KNOWLEDGE.dump_python(preset, mode="json"), document))


def dump_personal(personal: Personal) -> Document:
    """Return it as JSON, without what is not known."""
    document: Document = _PERSONAL.dump_python(personal, mode="json", exclude_defaults=True)
    return document


def load_personal(document: Document) -> Personal:
    """Read it. Raises ValueError for what is no such document."""
    return _PERSONAL.validate_python(document)


def _differences(value: Any, base: Any) -> Any:
    if not isinstance(value, dict) or not isinstance(base, dict):
        return value
    return {key: _differences(inner, base.get(key)) for key, inner in value.items() if inner != base.get(key)}


def _merged(base: Any, over: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return base | {key: _merged(base.get(key), inner) for key, inner in over.items()}
