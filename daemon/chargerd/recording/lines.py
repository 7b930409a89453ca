"""The lines of a recording: compact JSON, fields that have their default left out.

A snapshot is the whole state of a partition, and ``why`` the lines after it go on from this one::

    {"format":1,"program":"0.1.0","why":"started","state":{...}}

A decision is when what was decided, the commands that came of it ("commands" is left out when there were none), and a
digest of the state after it ("state" is left out when the core failed over the event)::

    {"at":"2026-11-25T22:15:00Z","event":{"kind":...},"commands":[{"kind":...}],"state":"1f3a9c02"}

A price curve goes on from the one that is in force: ``"kept":[i,j]`` is the half-open stretch of its slots that stay,
``slots`` those that follow. Else a curve of which a slot falls off every quarter of an hour would fill the file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from enum import Enum, StrEnum
from itertools import takewhile
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from chargerd import __version__
from chargerd.core.commands import Command
from chargerd.core.decide import Decision
from chargerd.core.events import Event, PricesUpdated
from chargerd.core.model import State
from chargerd.plan.prices import PriceCurve

Json = dict[str, Any]

FORMAT = 1
"""The spelling of the lines; a reader refuses a higher one."""

_STATE: TypeAdapter[State] = TypeAdapter(State)
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])
_WORDS = frozenset({"message"})
"""What a note says may be said better by another program; it decides nothing."""


class Why(StrEnum):
    """Why a recording goes on from a snapshot."""

    STARTED = "started"
    """The process began; the state is what its database kept."""
    DAY = "day"
    """The file begins in the middle of a process: with the day, or anew after an older one was removed."""
    REFUSED = "refused"
    """The decision before is not in force: it was a request that could not be stored."""
    LOST = "lost"
    """What came before could not be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A state to go on from, and the version of the program that wrote it."""

    state: State
    why: Why
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event with what was decided. ``digest`` is that of the state after it, None when the core failed."""

    at: datetime
    event: Event
    commands: tuple[Json, ...]
    digest: str | None


def dump_snapshot(state: State, why: Why) -> str:
    """Spell a snapshot."""
    return _spelled({"format": FORMAT, "program": __version__, "why": why, "state": _plain(state)})


def dump_decision(before: State, event: Event, at: datetime, decision: Decision | None) -> str:
    """Spell a decision; None means that there is none, because the core failed over the event."""
    line: Json = {"at": at.astimezone(UTC).isoformat().replace("+00:00", "Z")}
    if isinstance(event, PricesUpdated):
        line["event"] = _prices_json(event, before.prices)
    else:
        line["event"] = event_json(event)
    if decision is not None:
        if decision.commands:
            line["commands"] = [command_json(command) for command in decision.commands]
        line["state"] = digest(decision.state)
    return _spelled(line)


def load(text: bytes, prices: PriceCurve) -> Snapshot | Recorded:
    """Read a line; ``prices`` are in force before it. Raises ValueError saying what was expected."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected a JSON object, got: {error}") from error
    if not isinstance(line, dict) or not ("format" in line or {"at", "event"} <= line.keys()):
        raise ValueError('expected an object with "format" and "state", or with "at" and "event"')
    try:
        return _snapshot(line) if "format" in line else _recorded(line, prices)
    except ValidationError as error:
        raise ValueError(_first_fault(error)) from error


def event_json(event: Event) -> Json:
    """Return an event as JSON values."""
    return {"kind": event.kind, **_plain(event)}


def command_json(command: Command) -> Json:
    """Return a command as JSON values."""
    return {"kind": command.kind, **_plain(command)}


def digest(state: State) -> str:
    """Return eight digits that tell a state from another.

    The prices are left out, being an input. A field with its default counts as none, so that one that a later program
    has more changes nothing.
    """
    bare = replace(state, prices=PriceCurve())
    spelled = _STATE.dump_python(bare, mode="json", exclude_defaults=True, warnings=False)
    return hashlib.sha256(json.dumps(spelled, sort_keys=True).encode()).hexdigest()[:8]


def essence(command: Mapping[str, Any]) -> Json:
    """Return what a command decides: all of it but the words of a note."""
    is_note = command.get("kind") == "note"
    return {key: command[key] for key in command if not (is_note and key in _WORDS)}


def _plain(value: Any) -> Any:
    """Return JSON values for a frozen one: the kind always, other fields where they have not their default.

    Numbers stay what they are: a charger says 1180 or 1180.0, and the core may spell it so.
    """
    match value:
        case Enum():
            return value.value
        case datetime() | time():
            return value.isoformat().replace("+00:00", "Z")
        case Decimal():
            return str(value)
        case tuple() | list():
            return [_plain(inner) for inner in value]
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case _ if is_dataclass(value):
            found = ((field.name, getattr(value, field.name), field.default) for field in fields(value))
            return {
                name: _plain(inner)
                for name, inner, default in found
                if name == "kind" or type(inner) is not type(default) or inner != default
            }
        case _:
            return value


def _exact(value: Any, plain: Any) -> Any:
    """Undo what the validation does to numbers, which it makes what a field is declared to be."""
    if is_dataclass(value) and not isinstance(value, type) and isinstance(plain, dict):
        pairs = {name: (getattr(value, name), plain[name]) for name in (f.name for f in fields(value)) if name in plain}
        exact = {name: _exact(inner, spelled) for name, (inner, spelled) in pairs.items()}
        changes = {name: inner for name, inner in exact.items() if inner is not pairs[name][0]}
        return replace(value, **changes) if changes else value
    if isinstance(value, tuple) and isinstance(plain, list):
        return tuple(_exact(inner, spelled) for inner, spelled in zip(value, plain, strict=True))
    return plain if {type(value), type(plain)} == {int, float} else value


def _spelled(line: Json) -> str:
    # ASCII, so that whatever a charger said can be written: even what UTF-8 cannot spell.
    return json.dumps(line, separators=(",", ":"))


def _prices_json(event: PricesUpdated, old: PriceCurve) -> Json:
    """Return the event with the slots that the curve does not share with the one before it."""
    new = event.curve.slots
    start = old.slots.index(new[0]) if new and new[0] in old.slots else len(old.slots)
    pairs = zip(old.slots[start:], new, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    found = event_json(replace(event, curve=replace(event.curve, slots=new[same:])))
    if same:
        found["curve"]["kept"] = [start, start + same]
    return found


def _snapshot(line: Json) -> Snapshot:
    if line["format"] != FORMAT:
        raise ValueError(f"format: expected {FORMAT}, got {line['format']!r}; a newer chargerd can read it")
    known = [str(why) for why in Why]
    if line.get("why") not in known:
        raise ValueError(f"why: expected one of {', '.join(known)}, got {line.get('why')!r}")
    state = _exact(_STATE.validate_python(line.get("state")), line.get("state"))
    return Snapshot(state=state, why=Why(line["why"]), program=str(line.get("program", "")))


def _recorded(line: Json, prices: PriceCurve) -> Recorded:
    commands, found = line.get("commands", []), line.get("state")
    if not isinstance(commands, list) or not all(isinstance(command, dict) for command in commands):
        raise ValueError("commands: expected a list of objects")
    if found is not None and not isinstance(found, str):
        raise ValueError("state: expected the eight digits of a digest")
    event = _exact(_EVENT.validate_python(line["event"]), line["event"])
    if isinstance(event, PricesUpdated):
        event = replace(event, curve=_joined(prices, line["event"]["curve"].get("kept", [0, 0]), event.curve))
    return Recorded(at=_time(line["at"]), event=event, commands=tuple(commands), digest=found)


def _joined(old: PriceCurve, kept: Any, new: PriceCurve) -> PriceCurve:
    if not (isinstance(kept, list) and len(kept) == 2 and all(isinstance(index, int) for index in kept)):
        raise ValueError("event.curve.kept: expected two numbers")
    start, end = kept
    if not 0 <= start <= end <= len(old.slots):
        raise ValueError(f"event.curve.kept: expected a stretch of the {len(old.slots)} slots before, got {kept}")
    return replace(new, slots=old.slots[start:end] + new.slots)


def _time(text: Any) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError(f"at: expected an RFC 3339 time, got {text!r}")
    return at.astimezone(UTC)


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
