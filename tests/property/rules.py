"""What must hold at every step of every history, beyond the invariants that the playbooks watch."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from chargerd.core import document
from chargerd.core.commands import ChargerCommand, SetCurrentLimit, StartTransaction, StopTransaction, StoreSettled
from chargerd.core.control import WAKES_AT
from chargerd.core.decide import Decision
from chargerd.core.events import ChargerOnline, ClockStepped, CommandFailed, CommandSucceeded, Configured, Event
from chargerd.core.model import ErrorKind, Session, State, Want
from chargerd.core.planning import due, missing_capabilities
from chargerd.core.session import settles_at, visit, visiting_slot
from tests.support.invariants import Watch

HOUR = timedelta(hours=1)
LOST = timedelta(minutes=2)

CALM_COMMANDS = 48
"""What an hour may hold without any word from outside: prices that alternate by the quarter give four stretches,
and in each a ladder has at most four rungs of two commands and a half."""
STIMULATED_COMMANDS = 6
"""What one act of a household or a charger may add: a ladder that begins anew."""


@dataclass
class Rules:
    """Remembers what must not change or come back."""

    watch: Watch = field(default_factory=Watch)
    configured: tuple[str, ...] = ()
    ranks: dict[str, int] = field(default_factory=dict)
    settled: dict[str, StoreSettled] = field(default_factory=dict)
    left_at: datetime | None = None
    targets: dict[tuple[str, int], Any] = field(default_factory=dict)
    next_ids: dict[str, int] = field(default_factory=dict)
    last_command_id: int = 0
    outstanding: dict[int, datetime] = field(default_factory=dict)
    sent_at: list[datetime] = field(default_factory=list)
    stimuli: list[datetime] = field(default_factory=list)
    counted_wh: int = 0

    def stimulated(self, now: datetime) -> None:
        """Somebody outside did something that may rightly begin a ladder anew."""
        self.stimuli.append(now)

    def check(self, before: State, event: Event, decision: Decision, now: datetime) -> None:
        """Assert all rules of one step."""
        state = decision.state
        self._dated_anew(event)
        self.watch.check(before, event, decision, now)
        if isinstance(event, Configured):
            self.configured = tuple(policy.policy_id for policy in event.policies)
        assert tuple(slot.policy.policy_id for slot in state.slots) == self.configured, "I1"
        for command in decision.commands:
            if isinstance(command, StoreSettled):
                self._settles(command)
        for session in sessions(state):
            self._lives(session)
        self._targets(state)
        check_energy(state)
        if not isinstance(event, ClockStepped):
            check_blocks_frozen(before, state)
        check_error(state, now)
        check_plan(state, now)
        visiting = visit(state)
        if visiting is not None and visiting.unplugged_at is not None:
            assert settles_at(state, visiting) > now, "a visit that is over is settled in time"
        self._commands(state, event, decision, now)

    def _dated_anew(self, event: Event) -> None:
        """A clock that was set: what was remembered by the old time is remembered by the new one."""
        if not isinstance(event, ClockStepped):
            return
        by = timedelta(seconds=round(event.by_s))
        self.left_at = None if self.left_at is None else self.left_at + by
        self.outstanding = {key: at + by for key, at in self.outstanding.items()}
        self.sent_at = [at + by for at in self.sent_at]
        self.stimuli = [at + by for at in self.stimuli]

    def total_wh(self, state: State) -> int:
        """All energy that was ever given to a session."""
        return self.counted_wh + sum(session.ledger.total_wh for session in sessions(state))

    def _settles(self, command: StoreSettled) -> None:
        assert command.session_id not in self.settled, "a session settles once"
        self.settled[command.session_id] = command
        if command.charger_id is None:
            return
        self.counted_wh += sum(row["wh"] for row in command.ledger)
        assert self.left_at is None or command.plugged_in_at >= self.left_at, "visits do not overlap"
        self.left_at = command.plugged_out_at

    def _lives(self, session: Session) -> None:
        name = session.session_id
        assert name not in self.settled, "a settled session's id never returns"
        rank = 0 if session.plugged_in_at is None else 1
        assert self.ranks.get(name, 0) <= rank, "I1: UPCOMING never comes back"
        self.ranks[name] = rank

    def _targets(self, state: State) -> None:
        for slot in state.slots:
            name, targets = slot.session.session_id, slot.session.targets
            assert targets.next_id >= self.next_ids.get(name, 1), "ids count up"
            self.next_ids[name] = targets.next_id
            for target in (targets.scheduled, targets.override, targets.immediate):
                assert target is None or target.target_id < targets.next_id
            shown = document.current(state, slot.policy.policy_id)
            assert shown is not None
            latest = shown["target"]["latest"]
            if latest is None or slot.session.plugged_in_at is None:
                continue
            assert self.targets.setdefault((name, latest["id"]), latest) == latest, "another target, another id"

    def _commands(self, state: State, event: Event, decision: Decision, now: datetime) -> None:
        if isinstance(event, CommandSucceeded | CommandFailed):
            self.outstanding.pop(event.command_id, None)
        if isinstance(event, ChargerOnline) or (isinstance(event, Configured) and event.restarted):
            self.outstanding.clear()
        for command in decision.commands:
            if isinstance(command, ChargerCommand):
                check_command(command, state)
                assert command.command_id > self.last_command_id
                self.last_command_id = command.command_id
                self.outstanding[command.command_id] = now
                self.sent_at.append(now)
        self.outstanding = {key: at for key, at in self.outstanding.items() if now < at + LOST}
        assert len(self.outstanding) <= 2, "never more than two commands in flight"
        assert len(state.control.in_flight) <= 2
        while self.sent_at and self.sent_at[0] <= now - HOUR:
            self.sent_at.pop(0)
        while self.stimuli and self.stimuli[0] <= now - 2 * HOUR:
            self.stimuli.pop(0)
        allowed = CALM_COMMANDS + STIMULATED_COMMANDS * len(self.stimuli)
        assert len(self.sent_at) <= allowed, f"a storm: {len(self.sent_at)} commands in an hour, {allowed} allowed"


def sessions(state: State) -> list[Session]:
    """All sessions that a state holds."""
    return [slot.session for slot in state.slots] + ([] if state.guest is None else [state.guest])


def check_energy(state: State) -> None:
    """Every watt-hour is in the ledger once and, where managed, in a block once."""
    for session in sessions(state):
        assert sum(cell.wh for cell in session.ledger.cells) == session.ledger.total_wh
        for one, other in pairwise(session.ledger.cells):
            assert one.end == other.start
    for slot in state.slots:
        in_blocks = sum(block.wh for block in slot.session.blocks) + slot.session.loose_wh
        assert in_blocks == slot.session.ledger.total_wh


def check_blocks_frozen(before: State, after: State) -> None:
    """A block that is past keeps its kind and its times; only late energy may still be found in it."""
    known = {slot.session.session_id: slot.session for slot in before.slots}
    for slot in after.slots:
        was = known.get(slot.session.session_id)
        past = [] if was is None else [block for block in was.blocks if block.ended_at is not None]
        for old, new in zip(past, slot.session.blocks, strict=False):
            assert (old.kind, old.started_at, old.ended_at) == (new.kind, new.started_at, new.ended_at), "I5"
            assert new.wh >= old.wh
        assert len(slot.session.blocks) >= len(past)


def check_error(state: State, now: datetime) -> None:
    """An error is said only where it can be true."""
    for slot in state.slots:
        error = slot.session.error
        if error is None:
            continue
        if error.kind is ErrorKind.MISSING_CAPABILITIES:
            assert error.missing == missing_capabilities(state, slot)
            continue
        assert slot.session.plugged_in_at is not None
        assert slot.session.unplugged_at is None
        is_due = due(slot.session.plan, now) is not None
        assert is_due is (error.kind is ErrorKind.START_FAIL)


def check_plan(state: State, now: datetime) -> None:
    """Planned windows are sorted and apart, and begin on quarters, at the deadline, or at once."""
    for slot in state.slots:
        plan, regular = slot.session.plan, slot.session.targets.regular
        for window in plan:
            assert window.start < window.end
            if window.start > now and not (regular is not None and window.start == regular.ready_by):
                assert window.start.minute % 15 == 0
                assert window.start.second == 0
        for one, other in pairwise(plan):
            assert one.end <= other.start


def check_command(command: ChargerCommand, state: State) -> None:
    """A command fits what is wanted and what is known."""
    want, facts, slot = state.control.want, state.facts, visiting_slot(state)
    assert facts.online
    match command:
        case StartTransaction():
            opens = want is Want.HOLD and state.control.limit_a == 0 and state.control.later != ()
            assert want is Want.CHARGE or opens, "or for a standing order"
            assert facts.plugged
            running, lost = facts.transaction, state.control.attempts > WAKES_AT
            waits = running is not None and running.transaction_id == facts.waits_in
            assert running is None or waits or lost, "no other is begun beside one"
            assert slot is not None
            assert slot.session.unplugged_at is None
            assert not missing_capabilities(state, slot)
        case StopTransaction():
            assert want is Want.HOLD or (want is Want.CHARGE and not facts.charging), "or to wake a car"
            assert facts.transaction is not None
            assert command.transaction_id == facts.transaction.transaction_id
        case SetCurrentLimit():
            assert command.limit_a == (0 if want is Want.HOLD else state.charger.max_a)
            assert want is not Want.FREE or facts.plugged, "only a pause is taken back"
            check_order(command, state)


def check_order(command: SetCurrentLimit, state: State) -> None:
    """A standing order is one that the charger has room for, and it lets the car charge in the end."""
    steps = command.later
    assert len(steps) < (state.facts.capabilities.schedule_periods or 1) or not steps
    assert all(one.at < other.at for one, other in pairwise(steps))
    assert all(one.limit_a != other.limit_a for one, other in pairwise(steps))
    if steps:
        assert steps[0].at > state.at
        assert steps[0].limit_a != command.limit_a
        assert steps[-1].limit_a == state.charger.max_a
