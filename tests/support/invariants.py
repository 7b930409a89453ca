"""What must hold after every step of every story (I1 to I11), and that deciding is total, deterministic and quiet.

I1   one current session per policy, from UPCOMING over ACTIVE to SETTLED; the next one comes with a settlement only.
I2   an upcoming session is empty.
I3   the series of an active one has all elapsed intervals and no other, without a hole; its energy never shrinks.
I4   a settled one has both times, no block after plug-out, and a series from plug-in to plug-out.
I5   blocks are sorted and apart; a past one keeps its kind and its times, and loses no energy.
I6   each interval of the series is the ledger's; ledger, aggregate and, once settled, blocks have one sum.
I7   the outcome is about the target in force.
I8   an error is one of three, and only one of them has a list.
I9   an override ends with its session.
I10  a process that is restarted at this step shows the same documents.
I11  a session is settled after plug-out and once the charger's queue has drained, or when nobody came for a day.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from chargerd.core import document
from chargerd.core.commands import StoreSettled
from chargerd.core.decide import Decision, decide, next_deadline
from chargerd.core.events import (
    ChargerOnline,
    ClockStepped,
    Configured,
    Event,
    MeterSampled,
    PricesUpdated,
    StatusReported,
    TimePassed,
    TransactionEnded,
    TransactionStarted,
)
from chargerd.core.model import Session, State
from chargerd.core.notes import is_handed_over
from chargerd.plan.grid import quarter_after

SETTLE_QUIET = timedelta(seconds=60)
SETTLE_AT_MOST = timedelta(minutes=10)
GIVEN_UP_AFTER = timedelta(hours=24)

Document = dict[str, Any]
Frozen = dict[str, tuple[str, str, float]]
"""Past blocks by their start: kind, end, kWh."""


@dataclass
class Watch:
    """Remembers what must not change. Every ``restart_every`` steps a restart is tried; 0 means never."""

    restart_every: int = 0
    steps: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    past: dict[str, Frozen] = field(default_factory=dict)
    plugged: set[str] = field(default_factory=set)
    settled: dict[str, str] = field(default_factory=dict)
    reopened: set[str] = field(default_factory=set)
    configured: Configured | None = None
    prices: PricesUpdated | None = None
    told_at: datetime | None = None

    def check(self, before: State, event: Event, decision: Decision, now: datetime) -> None:
        """Assert all invariants of one step."""
        assert decide(before, event, now) == decision, "the same input must give the same output"
        state = decision.state
        deadline = next_deadline(state)
        assert deadline is None or deadline > now, "a deadline must lie ahead, or the loop would spin"
        self._remember(before, event, now)
        stored = [command for command in decision.commands if isinstance(command, StoreSettled)]
        for command in stored:
            if command.charger_id is not None:
                self._check_drained(before, event, command, now)
            self._check_settled(command)
        self._check_line(before, state, stored)
        for slot in state.slots:
            found = document.current(state, slot.policy.policy_id)
            assert found is not None
            self._check_current(found, slot.session, now)
        self.steps += 1
        if self.restart_every and self.steps % self.restart_every == 0:
            self.check_restart(state, now)

    def check_restart(self, state: State, now: datetime) -> None:
        """Assert that a process which is restarted now shows the same documents."""
        assert self.configured is not None
        same = decide(state, TimePassed(charger_id=state.charger.charger_id), now).state
        anew = decide(state, replace(self.configured, restarted=True), now).state
        if self.prices is not None:
            anew = decide(anew, self.prices, now).state
        if same.facts.online:
            online = ChargerOnline(charger_id=state.charger.charger_id, protocol=same.facts.protocol)
            anew = decide(anew, online, now).state
        assert _without_hope(anew) in (_without_hope(same), _without_hope(state)), "I10"

    def went_back(self, state: State) -> None:
        """The process lost what came after this state: hold nothing against it that it cannot know."""
        self.sums.clear()
        at = document.rfc3339(state.at)
        for name, frozen in self.past.items():
            self.past[name] = {start: block for start, block in frozen.items() if block[1] <= at}
        self.plugged = {slot.session.session_id for slot in state.slots if slot.session.plugged_in_at is not None}
        self.reopened = {slot.session.session_id for slot in state.slots}

    def _remember(self, before: State, event: Event, now: datetime) -> None:
        match event:
            case Configured():
                self.configured = event
            case PricesUpdated():
                self.prices = event
            case MeterSampled() | TransactionStarted() | TransactionEnded():
                self.told_at = now
            case StatusReported(plugged=False) if before.facts.plugged is not False:
                self.told_at = now
            case ClockStepped(by_s=by_s):
                by = timedelta(seconds=round(by_s))
                self.told_at = None if self.told_at is None else self.told_at + by
                self.past = {name: _redated(frozen, by) for name, frozen in self.past.items()}
            case _:
                pass

    def _check_drained(self, before: State, event: Event, command: StoreSettled, now: datetime) -> None:
        """I11, judged by what was told and when."""
        facts = before.facts
        is_gone = facts.plugged is False or (isinstance(event, StatusReported) and event.plugged is False)
        if not is_gone:
            assert facts.lost_at is not None, "I11: settled with a car at the cable"
            assert now - facts.lost_at >= GIVEN_UP_AFTER, "I11: settled with a car at the cable"
            return
        if now - command.plugged_out_at >= SETTLE_AT_MOST:
            return
        assert facts.transaction is None, "I11: settled over an open transaction"
        assert self.told_at is not None
        assert now - self.told_at >= SETTLE_QUIET, "I11: settled over news"

    def _check_line(self, before: State, state: State, stored: list[StoreSettled]) -> None:
        """I1 and I9: who follows whom."""
        policies = [slot.policy.policy_id for slot in state.slots]
        assert self.configured is not None
        assert policies == [policy.policy_id for policy in self.configured.policies], "I1"
        ended = {command.session_id for command in stored}
        self.reopened -= ended
        was = {slot.policy.policy_id: slot.session for slot in before.slots}
        for slot in state.slots:
            name, known = slot.session.session_id, was.get(slot.policy.policy_id)
            assert name not in self.settled or name in self.reopened, "I1: a settled session never comes back"
            if slot.session.plugged_in_at is None:
                assert name not in self.plugged, "I1: UPCOMING never comes back"
            else:
                self.plugged.add(name)
            if known is None or known.session_id == name:
                continue
            assert known.session_id in ended or is_handed_over(known, state), "I1: a session follows one that settled"
            assert slot.session.plugged_in_at is None, "I1: the next session is UPCOMING"
            found = document.current(state, slot.policy.policy_id)
            assert found is not None
            latest = found["target"]["latest"]
            assert latest is None or (latest.get("source"), latest["id"]) == ("POLICY", 1), "I9"

    def _check_settled(self, command: StoreSettled) -> None:
        doc, text = command.document, json.dumps(command.document)
        assert self.settled.setdefault(command.session_id, text) == text, "I1: a settled session never changes"
        assert doc["state"] == "SETTLED"
        assert doc["pluggedOutAt"] >= doc["pluggedInAt"], "I4"
        assert doc["error"]["latest"] is None
        assert all(block["endAt"] <= doc["pluggedOutAt"] for block in doc["blocks"]), "I4"
        total = doc["statistics"]["aggregated"]["kwhSum"]
        rows = command.ledger
        assert abs(sum(row["wh"] for row in rows) - total * 1000) < 1, "I6"
        if doc["policyId"] is not None:
            assert abs(sum(block["kwhSum"] for block in doc["blocks"]) - total) < 0.001, "I6"
            self._check_kept(doc, command.session_id)
        assert rows[0]["startAt"] == doc["pluggedInAt"], "I4"
        assert rows[-1]["endAt"] == doc["pluggedOutAt"], "I4"
        assert all(a["endAt"] == b["startAt"] for a, b in pairwise(rows)), "I4"
        assert all(row["endAt"] == _quarter_after(row["startAt"]) for row in rows[:-1]), "I4"
        _check_series(doc["statistics"]["timeseries"], rows)
        assert len(doc["statistics"]["timeseries"]) == len(rows), "I4"
        _check_blocks(doc["blocks"])
        _check_outcome(doc)

    def _check_kept(self, doc: Document, name: str) -> None:
        """What was past before is in the archive, cut at plug-out where the car proves to have left in it."""
        kept = {block["startAt"]: block for block in doc["blocks"]}
        for start, (kind, end, kwh) in self.past.get(name, {}).items():
            if start >= doc["pluggedOutAt"]:
                continue
            assert start in kept, f"I5: the block of {start} is gone"
            assert kept[start]["type"] == kind, "I5"
            assert kept[start]["endAt"] == min(end, doc["pluggedOutAt"]), "I5"
            assert kept[start]["kwhSum"] >= kwh - 0.0005, "I5"

    def _check_current(self, doc: Document, session: Session, now: datetime) -> None:
        if doc["state"] == "UPCOMING":
            assert doc["pluggedInAt"] is None, "I2"
            assert doc["blocks"] == [], "I2"
            assert doc["statistics"] == {"aggregated": None, "timeseries": []}, "I2"
            assert doc["outcome"]["latest"] is None, "I2"
        else:
            assert doc["state"].startswith("ACTIVE:"), "I1"
            self._check_active(doc, session, now)
        assert doc["pluggedOutAt"] is None
        _check_blocks(doc["blocks"])
        _check_error(doc["error"]["latest"])

    def _check_active(self, doc: Document, session: Session, now: datetime) -> None:
        name, at = session.session_id, document.rfc3339(now)
        assert doc["pluggedInAt"] is not None, "I3"
        assert doc["pluggedInAt"] <= at, "I3"
        total = doc["statistics"]["aggregated"]["kwhSum"]
        assert total >= self.sums.get(name, 0), "I3: energy never shrinks"
        self.sums[name] = total
        series, rows = doc["statistics"]["timeseries"], document.ledger_rows(session.ledger)
        starts = [doc["pluggedInAt"]]
        while (end := _quarter_after(starts[-1])) <= at:
            starts.append(end)
        assert [entry["startAt"] for entry in series] == starts[:-1], "I3"
        _check_series(series, rows)
        assert abs(sum(row["wh"] for row in rows) - total * 1000) < 1, "I6"
        begun = sum(block["kwhSum"] for block in doc["blocks"] if block["startAt"] <= at)
        assert abs(begun + session.loose_wh / 1000 - total) < 0.001, "I6: every watt-hour lies in a block, or will"
        self._check_frozen(doc, session)
        _check_outcome(doc)

    def _check_frozen(self, doc: Document, session: Session) -> None:
        shown = {block["startAt"]: (block["type"], block["endAt"], block["kwhSum"]) for block in doc["blocks"]}
        known = self.past.setdefault(session.session_id, {})
        for start, (kind, end, kwh) in known.items():
            assert start in shown, f"I5: the block of {start} is gone"
            assert shown[start][:2] == (kind, end), f"I5: {shown[start]} was {kind} until {end}"
            assert shown[start][2] >= kwh, "I5"
        ended = [document.rfc3339(block.started_at) for block in session.blocks if block.ended_at and block.wh > 0]
        known.update((start, shown[start]) for start in ended)


def _check_series(series: list[Document], rows: tuple[Document, ...]) -> None:
    """I6: each interval's mean rate times its length is what the ledger holds for it."""
    for entry, row in zip(series, rows, strict=False):
        assert entry["startAt"] == row["startAt"], "I6"
        if row["endAt"] > row["startAt"]:
            assert abs(entry["kwh"] * 1000 * _hours(row["startAt"], row["endAt"]) - row["wh"]) < 1, "I6"


def _check_blocks(blocks: list[Document]) -> None:
    for block in blocks:
        assert block["endAt"] > block["startAt"], f"I5: {block}"
        assert block["kwhSum"] >= 0, f"I5: {block}"
    for one, other in pairwise(blocks):
        assert one["endAt"] <= other["startAt"], f"I5: {one} {other}"


def _check_outcome(doc: Document) -> None:
    outcome, target = doc["outcome"]["latest"], doc["target"]["latest"]
    if outcome is None:
        return
    assert outcome["type"] == target["type"], "I7"
    assert outcome["targetId"] == target["id"], "I7"
    if outcome["type"] == "IMMEDIATE_START":
        assert "state" not in outcome, "I7"
    elif outcome["state"] == "ON_TARGET":
        assert outcome["batteryLevelAtReadyBy"] is None, "I7"
        assert outcome["minimumChargeTargetReachedAt"] is None, "I7"
    else:
        assert outcome["state"] == "OFF_TARGET", "I7"
        assert isinstance(outcome["batteryLevelAtReadyBy"], int), "I7"
        assert 0 <= outcome["batteryLevelAtReadyBy"] <= 100, "I7"


def _check_error(error: Document | None) -> None:
    if error is None:
        return
    assert error["type"] in {"START_FAIL", "STOP_FAIL", "MISSING_CAPABILITIES"}, "I8"
    assert ("missingCapabilities" in error) is (error["type"] == "MISSING_CAPABILITIES"), "I8"
    assert error.get("missingCapabilities", ["something"]) != [], "I8"


def _without_hope(state: State) -> list[Document | None]:
    """All documents. A ladder at its end begins anew with a new process, and with it the hope to reach the target."""
    shown = [document.current(state, slot.policy.policy_id) for slot in state.slots]
    for doc in shown:
        if doc is not None and doc["error"]["latest"] == {"type": "START_FAIL"} and doc["outcome"]["latest"]:
            doc["outcome"]["latest"].pop("minimumChargeTargetReachedAt")
    return shown


def _redated(frozen: Frozen, by: timedelta) -> Frozen:
    return {_moved(start, by): (kind, _moved(end, by), kwh) for start, (kind, end, kwh) in frozen.items()}


def _moved(text: str, by: timedelta) -> str:
    return document.rfc3339(datetime.fromisoformat(text) + by)


@lru_cache(maxsize=4096)
def _quarter_after(text: str) -> str:
    return document.rfc3339(quarter_after(datetime.fromisoformat(text)))


@lru_cache(maxsize=4096)
def _hours(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 3600
