"""Runs a recording through the core, and compares what is decided with what was."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from chargerd.core.decide import Decision, decide
from chargerd.core.events import Event
from chargerd.core.model import State
from chargerd.errors import RecordingError
from chargerd.plan.prices import PriceCurve
from chargerd.recording import files
from chargerd.recording.lines import Recorded, Snapshot, Why, command_json, digest, essence, load

LONGEST = 300
"""Letters of a value that are shown where it is not the recorded one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """The recording goes on from a state that it holds itself. ``line`` counts from 1."""

    line: int
    why: Why
    program: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A piece that cannot be read lies after ``line``; what follows it, to the next snapshot, is passed over."""

    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One event and what is decided now.

    ``difference`` says in words which command was recorded instead, "" when all are the same. ``state_differs`` tells
    that the state after it is not the recorded one; a core of another version may keep it in other fields.
    """

    line: int
    at: datetime
    event: Event
    before: State
    decision: Decision
    difference: str
    state_differs: bool


class CoreFailed(Exception):
    """The core failed over an event; the cause says how. ``recorded`` tells whether it did so at that time too."""

    def __init__(self, line: int, at: datetime, event: Event, *, recorded: bool) -> None:
        super().__init__(f"line {line}: the core fails over this event")
        self.line = line
        self.at = at
        self.event = event
        self.recorded = recorded


Step = Resumed | Unread | Decided


def replay(path: Path) -> Iterator[Step]:
    """Run a file. Raises RecordingError with file and line when it is none, and CoreFailed."""
    state: State | None = None
    lost = False
    number = 0
    for text in _lines(path):
        if text is None:
            state, lost = None, True
            yield Unread(line=number)
            continue
        number += 1
        found = _load(path, number, text, state)
        if isinstance(found, Snapshot):
            state = found.state
            yield Resumed(line=number, why=found.why, program=found.program, state=state)
        elif state is not None:
            decided = _decided(number, state, found)
            state = decided.decision.state
            yield decided
        elif not lost:
            raise RecordingError(f"{path}:{number}: expected a snapshot of the state before the first event")


def _lines(path: Path) -> Iterator[bytes | None]:
    try:
        yield from files.read(path)
    except OSError as error:
        raise RecordingError(f"{path}: expected a recording, got: {error.strerror}") from error


def _load(path: Path, number: int, text: bytes, state: State | None) -> Snapshot | Recorded:
    try:
        return load(text, PriceCurve() if state is None else state.prices)
    except ValueError as error:
        raise RecordingError(f"{path}:{number}: {error}") from error


def _decided(line: int, state: State, found: Recorded) -> Decided:
    try:
        decision = decide(state, found.event, found.at)
    except Exception as error:
        raise CoreFailed(line, found.at, found.event, recorded=found.digest is None) from error
    return Decided(
        line=line,
        at=found.at,
        event=found.event,
        before=state,
        decision=decision,
        difference=_difference(found, decision),
        state_differs=found.digest != digest(decision.state),
    )


def _difference(recorded: Recorded, decision: Decision) -> str:
    if recorded.digest is None:
        return "the core failed over this event when it was recorded, and does not now"
    was = [essence(command) for command in recorded.commands]
    now = [essence(command) for command in json.loads(json.dumps([command_json(c) for c in decision.commands]))]
    return _first_difference("commands", was, now)


def _first_difference(where: str, was: Any, now: Any) -> str:
    """Return the place where two JSON values differ first, with what stands there; "" when they are the same."""
    if isinstance(was, dict) and isinstance(now, dict):
        pairs = [(f"{where}.{key}", was.get(key), now.get(key)) for key in {**was, **now}]
    elif isinstance(was, list) and isinstance(now, list):
        both = zip_longest(was, now)
        pairs = [(f"{where}[{index}]", one, other) for index, (one, other) in enumerate(both)]
    else:
        one, other = json.dumps(was), json.dumps(now)
        # By their spelling, for a value that is not a number is not equal to itself.
        return "" if one == other else f"{where}: recorded was {_cut(one)}, now it is {_cut(other)}"
    return next((found for pair in pairs if (found := _first_difference(*pair))), "")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
