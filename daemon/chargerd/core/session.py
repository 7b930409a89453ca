"""A visit, from plug-in to its settlement.

UPCOMING    nothing plugged; left by evidence of a plugged car.
ACTIVE      a car is plugged; left by evidence of plug-out, once the charger's queue has drained: no transaction open
            and a minute without news, or ten minutes at most. A plug that returns before that changes nothing.
SETTLED     not a state kept here: the finished document goes out as StoreSettled, and the next UPCOMING session begins.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from chargerd.core import blocks, document, evidence, learned, ledger, level, outcome, register, target, whose
from chargerd.core.commands import Command, StoreSettled
from chargerd.core.frozen import replace
from chargerd.core.ids import ChargerId, PolicyId, SessionId
from chargerd.core.model import ChargerFacts, LevelSource, Session, Slot, State, Targets
from chargerd.core.policy import Policy, VehicleSpec
from chargerd.core.units import whole_second

SETTLE_QUIET = timedelta(seconds=60)
SETTLE_AT_MOST = timedelta(minutes=10)
GONE_FOR = timedelta(hours=24)
"""A charger that has been gone for so long will not tell when its car left: a replaced box never comes back."""

_NAMESPACE = UUID("6f1d8a52-4b7e-5c39-9a55-2f2b3ce0a4d1")


def upcoming(state: State, policy: Policy, now: datetime) -> tuple[State, Session]:
    """Make the next session of a policy."""
    state, session_id = new_id(state, policy.policy_id, now)
    targets = target.scheduled(Targets(), policy, state.site.zone, now)
    return state, Session(session_id=session_id, policy_id=policy.policy_id, targets=targets)


def visiting_slot(state: State) -> Slot | None:
    """The policy whose car is plugged in."""
    for slot in state.slots:
        if slot.session.plugged_in_at is not None:
            return slot
    return None


def visit(state: State) -> Session | None:
    """The visit going on, managed or not."""
    slot = visiting_slot(state)
    return slot.session if slot is not None else state.guest


def with_slot(state: State, slot: Slot) -> State:
    """Put a slot back in its place."""
    if len(state.slots) == 1:
        return replace(state, slots=(slot,))
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
    """Open, continue, hand over or settle the visit as plug and evidence tell."""
    state = _given_up(state, now)
    session = visit(state)
    if session is None:
        return (_arrived(state, now) if state.facts.plugged else state), ()
    if state.facts.plugged:
        if session.unplugged_at is not None:
            state = with_visit(state, lambda s: replace(s, unplugged_at=None, quiet_since=None))
        return _with_owner(state, session, now), ()
    assert session.plugged_in_at is not None
    left_at = max(state.facts.plugged_at or now, session.plugged_in_at)
    if session.unplugged_at is None:
        state = with_visit(state, lambda s: replace(s, unplugged_at=left_at, quiet_since=now))
    elif left_at > session.unplugged_at:
        state = with_visit(state, lambda s: replace(s, unplugged_at=left_at))
    session = visit(state)
    assert session is not None
    return _settled(state, now) if settles_at(state, session) <= now else (state, ())


def _given_up(state: State, now: datetime) -> State:
    """A car at a charger that has been gone for a day has left when that was last connected."""
    at = given_up_at(state)
    if at is None or now < at:
        return state
    left_at = at - GONE_FOR
    facts = replace(state.facts, plugged=False, plugged_at=left_at, left_unseen=True, charging=False)
    return replace(state, facts=facts)


def given_up_at(state: State) -> datetime | None:
    """When a visit at a charger that is gone ends; None while there is no such visit."""
    session, facts = visit(state), state.facts
    gone = session is not None and session.unplugged_at is None and not facts.online
    return facts.lost_at + GONE_FOR if gone and facts.lost_at is not None else None


def _arrived(state: State, now: datetime) -> State:
    plugged_in_at = state.facts.plugged_at or now
    return state if whose.is_awaited(state, plugged_in_at, now) else opened(state, now)


def _with_owner(state: State, session: Session, now: datetime) -> State:
    """Hand a visit over to whom it belongs, where evidence says so."""
    assert session.plugged_in_at is not None
    owner = whose.owner(state, session.plugged_in_at)
    if not owner.is_certain or owner.policy_id == session.policy_id:
        return state
    visiting = visiting_slot(state)
    if visiting is not None:
        state, fresh = upcoming(state, visiting.policy, now)
        state = with_slot(state, replace(visiting, session=fresh))
    else:
        state = replace(state, guest=None)
    if owner.policy_id is None:
        return replace(state, guest=as_guest(session))
    slot = state.slot_of(owner.policy_id)
    assert slot is not None
    return with_slot(state, replace(slot, session=_visiting(slot, session, now)))


def as_guest(session: Session) -> Session:
    """A visit that no policy is for: only what flows counts."""
    return replace(
        session,
        policy_id=None,
        targets=Targets(),
        plan=(),
        blocks=(),
        loose_wh=0,
        level=None,
        level_first=None,
        level_from_pct=None,
        outcome=None,
        error=None,
        car_is_full=False,
    )


def _visiting(slot: Slot, visited: Session, now: datetime) -> Session:
    """The policy's own session, with the visit that is its car's: plug-in, energy and blocks."""
    known = level.at_plug_in(slot, now)
    pct = None if known is None else known.pct
    return replace(
        slot.session,
        plugged_in_at=visited.plugged_in_at,
        ledger=visited.ledger,
        loose_wh=visited.ledger.total_wh - sum(block.wh for block in visited.blocks),
        blocks=visited.blocks,
        flowed_until=visited.flowed_until,
        unplugged_at=visited.unplugged_at,
        quiet_since=visited.quiet_since,
        level=known,
        level_first=known if known is not None and known.source is LevelSource.VEHICLE else None,
        level_from_pct=pct,
    )


def settles_at(state: State, session: Session) -> datetime:
    """When a visit whose car has left is settled, as things stand; not before its charger has emptied its queue.

    One that is not connected may have something to tell when it is.
    """
    assert session.unplugged_at is not None
    facts, told_at = state.facts, session.quiet_since or session.unplugged_at
    drains_at = evidence.drains_at(facts)
    waits_until = drains_at or (facts.lost_at or session.unplugged_at) + SETTLE_AT_MOST
    latest = max(session.unplugged_at + SETTLE_AT_MOST, waits_until)
    if facts.transaction is not None or not facts.online:
        return latest
    return min(max(told_at + SETTLE_QUIET, drains_at or told_at), latest)


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


def opened(state: State, now: datetime) -> State:
    """Begin the visit of the car that is plugged in, from the register at plug-in where it is known."""
    facts = state.facts
    plugged_in_at = whole_second(min(facts.plugged_at or now, now))
    account = ledger.opened(plugged_in_at, facts.register_scale)
    from_wh = _register_at_plug_in(facts, plugged_in_at)
    if from_wh is not None:
        account = register.anchored(account, plugged_in_at, from_wh)
    slot = state.slot_of(whose.owner(state, plugged_in_at).policy_id)
    if slot is None:
        state, guest_id = new_id(state, None, now)
        guest = Session(session_id=guest_id, policy_id=None, plugged_in_at=plugged_in_at, ledger=account)
        return replace(state, guest=guest)
    visited = Session(session_id=slot.session.session_id, policy_id=None, plugged_in_at=plugged_in_at, ledger=account)
    return with_slot(state, replace(slot, session=_visiting(slot, visited, now)))


def _register_at_plug_in(facts: ChargerFacts, plugged_in_at: datetime) -> float | None:
    """The register when the car came, as this connection told it; of a visit told late, that of its transaction."""
    reading, seen_since, running = facts.reading, facts.online_since, facts.transaction
    if facts.plug_wh is not None and reading is not None and seen_since is not None and reading.at >= seen_since:
        return facts.plug_wh
    if running is None or running.started_at < plugged_in_at:
        return None
    return running.register_wh


def _settled(state: State, now: datetime) -> tuple[State, tuple[Command, ...]]:
    session = visit(state)
    assert session is not None
    assert session.plugged_in_at is not None
    assert session.unplugged_at is not None
    shortest = blocks.SHORTEST if session.ledger.total_wh else timedelta(0)
    left_at = max(whole_second(session.unplugged_at), session.plugged_in_at + shortest)
    slot = visiting_slot(state)
    final = replace(session, ledger=ledger.settled(session.ledger, left_at))
    if slot is not None:
        final = outcome.final(replace(slot, session=blocks.settled(final, left_at, lost_at=state.facts.lost_at)))
    store = stored(final, left_at, charger_id=state.charger.charger_id, slot=slot)
    # A transaction whose end nobody told is over with the visit.
    state = replace(state, facts=replace(state.facts, transaction=None))
    if slot is None:
        return replace(state, guest=None), (store,)
    slot = learned.from_visit(slot, session)
    state, following = upcoming(state, slot.policy, now)
    return with_slot(state, replace(slot, session=following)), (store,)


def stored(
    final: Session,
    left_at: datetime,
    *,
    charger_id: ChargerId | None = None,
    slot: Slot | None = None,
    vehicle: VehicleSpec | None = None,
) -> StoreSettled:
    """A settled visit for the archive: at a charger or elsewhere, a policy's (``slot``), a known car's or a guest's."""
    assert final.plugged_in_at is not None
    reserve = 0
    if slot is not None:
        vehicle, reserve = slot.vehicle, slot.policy.battery_reserve
    return StoreSettled(
        session_id=final.session_id,
        policy_id=final.policy_id,
        charger_id=charger_id,
        vehicle_id=None if vehicle is None else vehicle.vehicle_id,
        plugged_in_at=final.plugged_in_at,
        plugged_out_at=left_at,
        document=document.settled(final, left_at, vehicle=vehicle, battery_reserve=reserve),
        ledger=document.ledger_rows(final.ledger),
    )


def new_id(state: State, policy_id: PolicyId | None, now: datetime) -> tuple[State, SessionId]:
    """Name a new session: derived from state, so that a replay gives the same."""
    made = state.sessions_made + 1
    name = f"{state.charger.charger_id}/{policy_id}/{now.isoformat()}/{made}"
    return replace(state, sessions_made=made), SessionId(str(uuid5(_NAMESPACE, name)))
