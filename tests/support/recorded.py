"""A recording as a playbook: how a bug report becomes a test.

A user's file goes to ``tests/recordings``, its card numbers and names replaced. ``replayed`` runs it through the core.
A right night is kept as it is: every command must be the recorded one. After a fix the night of the bug report is
decided in another way; the test then compares nothing and asserts what the core must do instead.

Where a change of the core is meant to change decisions, ``python -m tests.support.recorded FILE`` records the file
anew: the same events, with what is decided now.
"""

import sys
from pathlib import Path
from typing import Literal

from chargerd.recording import files
from chargerd.recording.lines import dump_decision, dump_snapshot
from chargerd.recording.replay import Decided, Resumed, replay

RECORDINGS = Path(__file__).parents[1] / "recordings"


Compare = Literal["all", "commands", "nothing"]


def replayed(path: Path, *, compare: Compare = "commands") -> list[Decided]:
    """Run a recording, and compare with it what is decided. The states are only for a core of the same version."""
    steps = [step for step in replay(path) if isinstance(step, Decided)]
    differing = [step for step in steps if step.difference or (compare == "all" and step.state_differs)]
    if differing and compare != "nothing":
        first = differing[0]
        raise AssertionError(
            f"{path.name}: {len(differing)} of {len(steps)} decisions are not those recorded; the first in line "
            f"{first.line}, {first.at}, {first.event}: {first.difference or 'another state'}. If that is meant: "
            f"python -m tests.support.recorded {path}"
        )
    return steps


def record_anew(path: Path) -> None:
    """Write a recording again, with what the core decides now."""
    lines = []
    for step in replay(path):
        if isinstance(step, Resumed):
            lines.append(dump_snapshot(step.state, step.why))
        elif isinstance(step, Decided):
            lines.append(dump_decision(step.before, step.event, step.at, step.decision))
    path.unlink()
    files.append(path, lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        record_anew(Path(name))
