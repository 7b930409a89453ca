"""State and notes as JSON text, and back.

A snapshot leaves out what is kept elsewhere: the price curve, which comes anew from its source, and the ledger
cells of the sessions, which have rows of their own. Datetimes are RFC 3339 in UTC, enums their values.

A snapshot of an older program is read as it is: fields that are gone are ignored, new ones have their defaults. What
was only renamed, or cannot do without a new one, is brought up to date first.
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
_DOCUMENT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])

_OLD_FIELD = "offline_since"
"""It tells a snapshot from before ``lost_at`` and the epochs of a ledger."""


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

    return _with_sessions(_STATE.validate_json(_brought_up_to_date(snapshot)), put_back)


def dump_note(note: Note) -> str:
    """Return a note's JSON text."""
    return _dump(note)


def load_note(text: str) -> Note:
    """Read a note. Raises ValueError for a text that is none."""
    return _NOTE.validate_json(text)


def dump_document(document: Any) -> str:
    """Return the JSON text of a document as it is stored and served: no spaces, UTF-8."""
    return clean(json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False))


def load_document(text: str) -> dict[str, Any]:
    """Read a JSON object. Raises ValueError."""
    return _DOCUMENT.validate_json(text)


def dump_time(at: datetime) -> str:
    """Spell an aware datetime so that the order of texts is the order of times."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def load_time(text: str) -> datetime:
    """Read what ``dump_time`` wrote. Raises ValueError."""
    return datetime.fromisoformat(text)


def clean(text: str) -> str:
    """Replace lone surrogates by question marks: JSON from a wire may hold them, UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _brought_up_to_date(snapshot: str) -> str:
    if f'"{_OLD_FIELD}"' not in snapshot:
        return snapshot
    try:
        state = json.loads(snapshot)
        facts = state["facts"]
        if _OLD_FIELD in facts:
            facts["lost_at"] = facts.pop(_OLD_FIELD)
            for session in (*(slot["session"] for slot in state["slots"]), state["guest"] or {}):
                ledger = session.get("ledger", {})
                # Each reading was counted against the one before it; epochs begin with the last one that was.
                ledger["epoch_wh"] = ledger.get("anchor_wh")
        return json.dumps(state)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"expected the state of a charger, got: {error!r}") from error


def _with_sessions(state: State, change: Callable[[Session], Session]) -> State:
    slots = tuple(replace(slot, session=change(slot.session)) for slot in state.slots)
    cars = tuple(replace(car, visit=change(car.visit)) if car.visit else car for car in state.cars)
    return replace(state, slots=slots, cars=cars, guest=change(state.guest) if state.guest else None)


def _dump(value: State | Note) -> str:
    try:
        # Not a number is kept as such: as null it would make a state that can never be loaded again.
        return to_json(value, inf_nan_mode="constants").decode("utf-8")
    except PydanticSerializationError:
        # A charger's own words may hold what UTF-8 cannot spell; a state must never become impossible to store.
        return clean(json.dumps(to_jsonable_python(value, inf_nan_mode="constants"), ensure_ascii=False))
