"""A replayed recording in words, or as JSON lines."""

import json
import sys
import traceback
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chargerd.cli.command import Status, failed
from chargerd.cli.text import plain
from chargerd.core import document
from chargerd.core.document import rfc3339
from chargerd.core.ids import PolicyId
from chargerd.core.model import State
from chargerd.errors import RecordingError
from chargerd.recording.lines import Json, command_json, event_json
from chargerd.recording.replay import CoreFailed, Decided, Resumed, Unread, replay

LONGEST = 100
"""Letters of a value that is not a plain one; a longer one is left out."""

_UNREAD = "what follows line {} cannot be read, as after a power cut; going on from the next snapshot"
_RESUMED = {
    "started": "the daemon started",
    "day": "a new file began",
    "refused": "the decision before could not be stored, and is not in force",
    "lost": "what came before could not be written",
}


def show(path: Path, *, for_program: bool, documents: bool) -> int:
    """Print every decision of a recording, and at the end whether all are those recorded."""
    print_decision = _print_json if for_program else _print_text
    summary = _Summary()
    shown = _Documents() if documents else None
    try:
        for step in replay(path):
            match step:
                case Decided():
                    summary.add(step)
                    print_decision(step, [] if shown is None else shown.changed(step.decision.state))
                case Resumed() if not for_program:
                    print(f"--- {_resumed(step)}")
                case Unread():
                    print(f"chargerd: {path}: {_UNREAD.format(step.line)}", file=sys.stderr)
    except RecordingError as fault:
        raise failed(Status.FAILED, str(fault)) from fault
    except CoreFailed as fault:
        raise failed(Status.FAILED, _core_failed(fault)) from fault
    print(summary, file=sys.stderr if for_program else sys.stdout)
    return Status.DONE if summary.is_identical else Status.FAILED


def short(value: Json) -> str:
    """Return an event or a command in a line: its kind, and what it says."""
    if value["kind"] == "note":
        return f"note {value.get('level', 'INFO')} {plain(value['name'])}: {plain(value['message'])}"
    said = [f"{key}={_value(inner)}" for key, inner in value.items() if key not in {"kind", "charger_id"}]
    return " ".join([value["kind"], *said])


def _value(value: Any) -> str:
    if isinstance(value, str):
        return plain(value)
    spelled = json.dumps(value, separators=(",", ":"))
    if len(spelled) <= LONGEST:
        return spelled
    if isinstance(value, dict) and "slots" in value:
        return f"{{{len(value['slots'])} slots}}"
    return f"[{len(value)} entries]" if isinstance(value, list) else "{...}"


def _print_text(step: Decided, documents: list[Json]) -> None:
    print(f"{rfc3339(step.at)}  {short(event_json(step.event))}")
    for command in step.decision.commands:
        print(f"    {short(command_json(command))}")
    for shown in documents:
        print(f"    document {json.dumps(shown, ensure_ascii=False)}")
    if step.difference:
        print(f"  ! {plain(step.difference)}")


def _print_json(step: Decided, documents: list[Json]) -> None:
    line: Json = {
        "line": step.line,
        "at": step.at.isoformat().replace("+00:00", "Z"),
        "event": event_json(step.event),
        "commands": [command_json(command) for command in step.decision.commands],
        "difference": step.difference or None,
        "stateDiffers": step.state_differs,
    }
    if documents:
        line["documents"] = documents
    print(json.dumps(line, separators=(",", ":")))


class _Documents:
    """Tells which session documents a decision changed."""

    def __init__(self) -> None:
        self._shown: dict[PolicyId, Json | None] = {}

    def changed(self, state: State) -> list[Json]:
        news = []
        for slot in state.slots:
            policy_id = slot.policy.policy_id
            current = document.current(state, policy_id)
            if current is not None and current != self._shown.get(policy_id):
                news.append(current)
            self._shown[policy_id] = current
        return news


class _Summary:
    """What is said at the end. A command that differs is worth more than a state that does."""

    def __init__(self) -> None:
        self.is_identical = True
        self._differing: list[Decided] = []
        self._state_differs: Decided | None = None
        self._events = 0
        self._start: datetime | None = None
        self._end: datetime | None = None

    def add(self, step: Decided) -> None:
        self._events += 1
        self._start, self._end = self._start or step.at, step.at
        if step.difference:
            self._differing.append(step)
        if step.state_differs:
            self._state_differs = self._state_differs or step
        self.is_identical &= not (step.difference or step.state_differs)

    def __str__(self) -> str:
        if self._start is None or self._end is None:
            return "no events"
        span = f"{rfc3339(self._start)} - {rfc3339(self._end)}"
        stretch = f"{self._events} events in {_length(self._end - self._start)}, {span}"
        if self._differing:
            first = self._differing[0]
            count = f"decisions that differ from the recorded ones: {len(self._differing)}"
            return f"{stretch}: {count}\nthe first in {_place(first)}: {plain(first.difference)}"
        if self._state_differs is not None:
            place = _place(self._state_differs)
            return f"{stretch}: commands identical to the recorded ones, states not\nthe first after {place}"
        return f"{stretch}: decisions identical to the recorded ones"


def _resumed(step: Resumed) -> str:
    why = f"{_RESUMED[step.why]} (chargerd {plain(step.program)})"
    return f"{rfc3339(step.state.at)}  {step.state.charger.charger_id}: {why}"


def _core_failed(fault: CoreFailed) -> str:
    cause = fault.__cause__
    shown = "" if cause is None else "".join(traceback.format_exception(cause)).rstrip()
    then = "as it did when it was recorded" if fault.recorded else "and did not when it was recorded"
    return f"{_place(fault)}: the core fails over this event, {then}\n{shown}"


def _place(step: Decided | CoreFailed) -> str:
    return f"line {step.line}, {rfc3339(step.at)}, {short(event_json(step.event))}"


def _length(span: timedelta) -> str:
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    return f"{hours} h {minutes} min"
