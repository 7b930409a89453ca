"""A visit, from plug-in to its settlement.

UPCOMING    nothing plugged; left by evidence of a plugged car.
ACTIVE      a car is plugged; left by evidence of plug-out, once the charger's queue has drained: no transaction open
            and a minute without news, or ten minutes at most. A plug that returns before that changes nothing.
SETTLED     not a state kept here: the finished document goes out as StoreSettled, and the next UPCOMING session begins.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from chargerd.core import blocks, document, ledger, level, outcome, target
from chargerd.core.commands import Command, StoreSettled
from chargerd.core.ids import PolicyId, SessionId
from chargerd.core.model import Session, Slot, State, Targets
from chargerd.core.policy import Policy

SETTLE_QUIET = timedelta(seconds=60)
SETTLE_AT_MOST = timedelta(minutes=10)

_NAMESPACE = UUID("6f1d8a52-4b7e-5c39-9a55-2f2b3ce0a4d1")


def upcoming(state: State, policy: Policy, now: datetime) -> tuple[State, Session]:
    """Make the next session of a policy."""
    state, session_id = _new_id(state, policy.policy_id, now)
    targets = target.scheduled(Targets(), policy, state.site.zone, now)
    return state, Session(session_id=session_id, policy_id=policy.policy_id, targets=targets)


def visiting_slot(state: State) -> Slot | None:
    """The policy whose car is plugged in."""
    return next((slot for slot in state.slots if slot.session.plugged_in_at is not None), None)


def visit(state: State) -> Session | None:
    """The visit going on, managed or not."""
    slot = visiting_slot(state)
    return slot.session if slot is not None else state.guest


def with_slot(state: State, slot: Slot) -> State:
    """Put a slot back in its place."""
    same = slot.policy.policy_id
    return replace(state, slots=tuple(slot if s.policy.policy_id == same else s for s in state.slots))


def with_visit(state: State, change: Callable[[Session], Session]) -> State:
    """Change the visit going on."""
    slot = visiting_slot(state)
    if slot is not None:
        return with_slot(state, replace(slot, session=change(slot.session)))
    assert state.guest is not None
    return replace(state, guest=change(state.guest))


def followed(state: State, now: datetime) -> tuple[State, tuple[Command, ...]]:
    """Open, continue or settle the visit as the plug tells."""
    session = visit(state)
    if session is None:
        return (_opened(state, now) if state.facts.plugged else state), ()
    if state.facts.plugged:
        if session.unplugged_at is not None:
            state = with_visit(state, lambda s: replace(s, unplugged_at=None, quiet_since=None))
        return state, ()
    if session.unplugged_at is None:
        left_at = max(state.facts.plugged_at or now, session.plugged_in_at or now)
        state = with_visit(state, lambda s: replace(s, unplugged_at=left_at, quiet_since=now))
        session = replace(session, unplugged_at=left_at, quiet_since=now)
    return _settled(state, now) if settles_at(state, session) <= now else (state, ())


def settles_at(state: State, session: Session) -> datetime:
    """When a visit whose car has left is settled, as things stand."""
    assert session.unplugged_at is not None
    latest = session.unplugged_at + SETTLE_AT_MOST
    if state.facts.transaction is not None:
        return latest
    return min((session.quiet_since or session.unplugged_at) + SETTLE_QUIET, latest)


def rolled(state: State, now: datetime) -> State:
    """Bring all targets up to date: deadlines that passed, immediate starts that are done.

    A car that has left is judged by the target that was in force when it left.
    """
    for slot in state.slots:
        targets = _rolled(state, slot, now)
        if targets != slot.session.targets:
            state = with_slot(state, replace(slot, session=replace(slot.session, targets=targets, car_is_full=False)))
    return state


def _rolled(state: State, slot: Slot, now: datetime) -> Targets:
    session = slot.session
    targets = session.targets
    zone = state.site.zone
    if session.unplugged_at is not None:
        return targets
    if session.plugged_in_at is None:
        if targets.override is not None and targets.override.ready_by <= now:
            targets = replace(targets, override=None)
        due = targets.scheduled is None or targets.scheduled.ready_by <= now
        return target.scheduled(targets, slot.policy, zone, now) if due else targets
    pct = level.level_pct(session, slot.vehicle)
    if targets.immediate is not None:
        reached = pct is not None and pct >= targets.immediate.minimum_charge_target
        return target.completed(targets) if reached else targets
    regular = targets.regular
    if regular is None or regular.ready_by > now:
        return targets
    reached = session.car_is_full or (pct is not None and pct >= regular.minimum_charge_target)
    return target.succeeded(targets, slot.policy, zone, now) if reached else targets


def _opened(state: State, now: datetime) -> State:
    plugged_in_at = min(state.facts.plugged_at or now, now)
    account = ledger.opened(plugged_in_at)
    reading = state.facts.reading
    seen_since = state.facts.online_since
    if reading is not None and reading.register_wh is not None and seen_since is not None and reading.at >= seen_since:
        account = ledger.anchored(account, max(plugged_in_at, reading.at), reading.register_wh)
    slot = state.slots[0] if state.slots else None
    if slot is None:
        state, session_id = _new_id(state, None, now)
        guest = Session(session_id=session_id, policy_id=None, plugged_in_at=plugged_in_at, ledger=account)
        return replace(state, guest=guest)
    known = level.at_plug_in(slot, now)
    session = replace(
        slot.session,
        plugged_in_at=plugged_in_at,
        ledger=account,
        level=known,
        level_from_pct=None if known is None else known.pct,
    )
    return with_slot(state, replace(slot, session=session))


def _settled(state: State, now: datetime) -> tuple[State, tuple[Command, ...]]:
    session = visit(state)
    assert session is not None
    assert session.plugged_in_at is not None
    assert session.unplugged_at is not None
    shortest = blocks.SHORTEST if session.ledger.total_wh else timedelta(0)
    left_at = max(session.unplugged_at, session.plugged_in_at + shortest)
    slot = visiting_slot(state)
    final = replace(session, ledger=ledger.settled(session.ledger, left_at), error=None)
    if slot is not None:
        final = outcome.final(replace(slot, session=blocks.settled(final, left_at)))
    store = StoreSettled(
        session_id=final.session_id,
        policy_id=final.policy_id,
        charger_id=state.charger.charger_id,
        vehicle_id=None if slot is None else slot.vehicle.vehicle_id,
        plugged_in_at=session.plugged_in_at,
        plugged_out_at=left_at,
        document=document.settled(final, slot, left_at),
        ledger=document.ledger_rows(final.ledger),
    )
    # A transaction whose end nobody told is over with the visit.
    state = replace(state, facts=replace(state.facts, transaction=None))
    if slot is None:
        return replace(state, guest=None), (store,)
    state, following = upcoming(state, slot.policy, now)
    return with_slot(state, replace(slot, session=following)), (store,)


def _new_id(state: State, policy_id: PolicyId | None, now: datetime) -> tuple[State, SessionId]:
    made = state.sessions_made + 1
    name = f"{state.charger.charger_id}/{policy_id}/{now.isoformat()}/{made}"
    return replace(state, sessions_made=made), SessionId(str(uuid5(_NAMESPACE, name)))
