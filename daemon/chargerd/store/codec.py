"""State and notes as JSON text, and back.

A snapshot leaves out what is kept elsewhere: the price curve, which comes anew from its source, and the ledger
cells of the sessions, which have rows of their own. Datetimes are RFC 3339 in UTC, enums their values.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from chargerd.core.commands import Note
from chargerd.core.ids import SessionId
from chargerd.core.model import Interval, Session, State
from chargerd.plan.prices import PriceCurve

Cells = tuple[Interval, ...]

_STATE: TypeAdapter[State] = TypeAdapter(State)
_NOTE: TypeAdapter[Note] = TypeAdapter(Note)


def split(state: State) -> tuple[str, dict[SessionId, Cells]]:
    """Return the snapshot's JSON text, and the ledger cells of each session that has some."""
    cells: dict[SessionId, Cells] = {}

    def cut(session: Session) -> Session:
        if not session.ledger.cells:
            return session
        cells[session.session_id] = session.ledger.cells
        return replace(session, ledger=replace(session.ledger, cells=()))

    return _dump(_with_sessions(replace(state, prices=PriceCurve()), cut)), cells


def join(snapshot: str, cells: Mapping[SessionId, Cells]) -> State:
    """Put a snapshot and its cells together again. Raises ValueError for a text that is no snapshot."""

    def put_back(session: Session) -> Session:
        found = cells.get(session.session_id)
        return replace(session, ledger=replace(session.ledger, cells=found)) if found else session

    return _with_sessions(_STATE.validate_json(snapshot), put_back)


def dump_note(note: Note) -> str:
    """Return a note's JSON text."""
    return _dump(note)


def load_note(text: str) -> Note:
    """Read a note. Raises ValueError for a text that is none."""
    return _NOTE.validate_json(text)


def dump_document(document: Any) -> str:
    """Return the JSON text of a document as it is stored and served: no spaces, UTF-8."""
    return clean(json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False))


def dump_time(at: datetime) -> str:
    """Spell an aware datetime so that the order of texts is the order of times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def load_time(text: str) -> datetime:
    """Read what ``dump_time`` wrote. Raises ValueError."""
    return datetime.fromisoformat(text)


def clean(text: str) -> str:
    """Replace lone surrogates by question marks: JSON from a wire may hold them, UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _with_sessions(state: State, change: Callable[[Session], Session]) -> State:
    slots = tuple(replace(slot, session=change(slot.session)) for slot in state.slots)
    return replace(state, slots=slots, guest=change(state.guest) if state.guest else None)


def _dump(value: State | Note) -> str:
    try:
        # Not a number is kept as such: as null it would make a state that can never be loaded again.
        return to_json(value, inf_nan_mode="constants").decode("utf-8")
    except PydanticSerializationError:
        # A charger's own words may hold what UTF-8 cannot spell; a state must never become impossible to store.
        return clean(json.dumps(to_jsonable_python(value, inf_nan_mode="constants"), ensure_ascii=False))
