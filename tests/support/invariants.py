"""What must hold after every step of every story (I1 to I9), and that deciding is total, deterministic and quiet."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from chargerd.core import document
from chargerd.core.commands import StoreSettled
from chargerd.core.decide import Decision, decide, next_deadline
from chargerd.core.events import Event
from chargerd.core.model import State


@dataclass
class Watch:
    """Remembers what must not change."""

    sums: dict[str, float] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)

    def check(self, before: State, event: Event, decision: Decision, now: datetime) -> None:
        """Assert all invariants of one step."""
        assert decide(before, event, now) == decision, "the same input must give the same output"
        deadline = next_deadline(decision.state)
        assert deadline is None or deadline > now, "a deadline must lie ahead, or the loop would spin"
        for command in decision.commands:
            if isinstance(command, StoreSettled):
                self._check_settled(command)
        for slot in decision.state.slots:
            found = document.current(decision.state, slot.policy.policy_id)
            assert found is not None
            self._check_current(found, decision.state, slot.session.session_id)

    def _check_settled(self, command: StoreSettled) -> None:
        doc, text = command.document, json.dumps(command.document)
        assert self.settled.setdefault(command.session_id, text) == text, "I1: a settled session never changes"
        assert doc["state"] == "SETTLED"
        assert doc["pluggedOutAt"] >= doc["pluggedInAt"], "I4"
        assert doc["error"]["latest"] is None
        assert all(block["endAt"] <= doc["pluggedOutAt"] for block in doc["blocks"]), "I4"
        total = doc["statistics"]["aggregated"]["kwhSum"]
        assert abs(sum(row["wh"] for row in command.ledger) - total * 1000) < 1, "I6"
        if doc["policyId"] is not None:
            assert abs(sum(block["kwhSum"] for block in doc["blocks"]) - total) < 0.001, "I6"
        rows = command.ledger
        assert rows[0]["startAt"] == doc["pluggedInAt"]
        assert rows[-1]["endAt"] == doc["pluggedOutAt"] or len(rows) == 1
        assert all(a["endAt"] == b["startAt"] for a, b in pairwise(rows))
        _check_blocks(doc["blocks"])
        _check_outcome(doc)

    def _check_current(self, doc: dict[str, Any], state: State, session_id: str) -> None:
        if doc["state"] == "UPCOMING":
            assert doc["pluggedInAt"] is None, "I2"
            assert doc["blocks"] == [], "I2"
            assert doc["statistics"] == {"aggregated": None, "timeseries": []}, "I2"
            assert doc["outcome"]["latest"] is None, "I2"
        else:
            assert doc["pluggedInAt"] is not None, "I3"
            total = doc["statistics"]["aggregated"]["kwhSum"]
            assert total >= self.sums.get(session_id, 0), "I3: energy never shrinks"
            self.sums[session_id] = total
            starts = [entry["startAt"] for entry in doc["statistics"]["timeseries"]]
            assert starts == sorted(set(starts)), "I3"
            assert not starts or starts[0] == doc["pluggedInAt"], "I3"
            _check_outcome(doc)
        assert doc["pluggedOutAt"] is None
        _check_blocks(doc["blocks"])
        error = doc["error"]["latest"]
        assert error is None or error["type"] in {"START_FAIL", "STOP_FAIL", "MISSING_CAPABILITIES"}, "I8"


def _check_blocks(blocks: list[dict[str, Any]]) -> None:
    for block in blocks:
        assert block["endAt"] > block["startAt"], f"I5: {block}"
    for one, other in pairwise(blocks):
        assert one["endAt"] <= other["startAt"], f"I5: {one} {other}"


def _check_outcome(doc: dict[str, Any]) -> None:
    outcome, target = doc["outcome"]["latest"], doc["target"]["latest"]
    if outcome is None:
        return
    assert outcome["type"] == target["type"], "I7"
    assert outcome["targetId"] == target["id"], "I7"
    if outcome["type"] == "REGULAR" and outcome["state"] == "ON_TARGET":
        assert outcome["batteryLevelAtReadyBy"] is None, "I7"
        assert outcome["minimumChargeTargetReachedAt"] is None, "I7"
    elif outcome["type"] == "REGULAR":
        assert isinstance(outcome["batteryLevelAtReadyBy"], int), "I7"
