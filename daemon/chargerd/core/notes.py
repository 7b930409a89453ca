"""What a decision is worth telling: one entry for each transition, and what must be on disk."""

from typing import assert_never

from chargerd.core.commands import Note, NoteLevel, StoreSettled
from chargerd.core.document import state_name
from chargerd.core.events import CommandFailed, Event
from chargerd.core.ids import TransactionId
from chargerd.core.model import (
    Block,
    ChargerFacts,
    ErrorKind,
    ImmediateTarget,
    OutcomeState,
    RegularTarget,
    Session,
    SessionError,
    Slot,
    State,
    Target,
    VehicleFacts,
    Want,
)
from chargerd.core.refusal import refused_by
from chargerd.core.session import visit as visit_of
from chargerd.core.session import visiting_slot
from chargerd.core.units import kwh

UNATTRIBUTED_STEP_WH = 100
"""Energy that flowed in no visit is told of whenever it has grown past a multiple of this."""


def transitions(
    before: State, after: State, event: Event, elsewhere: tuple[StoreSettled, ...] = ()
) -> tuple[Note, ...]:
    """Entries for all that changed, in the order in which a resident would tell it.

    ``elsewhere`` are the visits away from our chargers that were settled.
    """
    said: list[Note] = []
    _charger(said, before, after, event)
    earlier = {slot.session.session_id: slot for slot in before.slots}
    later = {slot.session.session_id for slot in after.slots}
    for session_id, slot in earlier.items():
        if session_id in later or slot.session.plugged_in_at is None:
            continue
        if is_handed_over(slot.session, after):
            _handed_over(said, after, slot)
        else:
            _settled(said, after, slot)
    for slot in after.slots:
        _session(said, after, earlier.get(slot.session.session_id), slot)
    _guest(said, before, after)
    for ended in elsewhere:
        _elsewhere(said, ended)
    _unattributed(said, before, after)
    return tuple(said)


def durable_key(state: State) -> tuple[object, ...]:
    """What must not be lost: everything but the sums and levels that the next sample tells again."""
    facts, control = state.facts, state.control
    sessions = [slot.session for slot in state.slots] + ([state.guest] if state.guest else [])
    return (
        state.site,
        state.charger,
        state.action,
        (facts.online, facts.vendor, facts.model, facts.serial, facts.firmware, facts.capabilities),
        (facts.zero_stops, facts.outlived_zero, facts.dead_stops),
        (facts.plugged, facts.activity, facts.fault, facts.charging, facts.transaction, facts.last_transaction),
        (control.want, control.attempts, control.limit_a, control.in_flight, control.refusal),
        tuple((slot.policy, slot.vehicle, _durable_vehicle(slot.facts)) for slot in state.slots),
        tuple(
            (car.vehicle, _durable_vehicle(car.facts), car.visit and _durable_session(car.visit)) for car in state.cars
        ),
        tuple(_durable_session(session) for session in sessions),
    )


def _durable_vehicle(facts: VehicleFacts) -> tuple[object, ...]:
    """Not when it was told, nor the power: the next report tells those again."""
    level = None if facts.level_pct is None else round(facts.level_pct)
    return level, facts.limit_pct, facts.plugged, facts.charging, facts.at_home


def _durable_session(session: Session) -> tuple[object, ...]:
    return (
        session.session_id,
        session.plugged_in_at,
        session.unplugged_at,
        session.targets,
        session.kind,
        session.error,
        session.car_is_full,
        session.plan,
        session.planned_w,
        len(session.ledger.cells),
        session.ledger.anchor_wh is None,
        None if session.level is None else session.level.source,
        None if session.outcome is None else (session.outcome.target_id, session.outcome.state),
        tuple((block.kind, block.started_at, block.ended_at) for block in session.blocks),
    )


def _charger(said: list[Note], before: State, after: State, event: Event) -> None:
    old, new = before.facts, after.facts
    name = after.charger.charger_id
    visit = visit_of(after) or visit_of(before)
    was, runs = _transaction_id(old), _transaction_id(new)

    def say(
        kind: str, message: str, level: NoteLevel = NoteLevel.INFO, transaction_id: TransactionId | None = runs
    ) -> None:
        said.append(
            Note(
                name=kind,
                message=message,
                level=level,
                charger_id=name,
                policy_id=None if visit is None else visit.policy_id,
                session_id=None if visit is None else visit.session_id,
                transaction_id=transaction_id,
            )
        )

    if new.online and not old.online:
        say("charger.online", f"{name} is connected, {new.protocol}")
    if old.online and not new.online:
        say("charger.offline", f"{name} is not connected any more", NoteLevel.WARNING)
    if new.fault != old.fault:
        if new.fault:
            say("charger.fault", f"{name} reports a fault: {new.fault}", NoteLevel.ERROR)
        else:
            say("charger.fault_cleared", f"{name} reports no fault any more")
    if was is not None and was != runs:
        say("transaction.ended", f"transaction {was} at {name} ended", transaction_id=was)
    if runs is not None and was != runs:
        say("transaction.started", f"transaction {runs} runs at {name}")
    if new.charging is not old.charging:
        word = "charging was seen to begin" if new.charging else "charging was seen to stop"
        say("charging.started" if new.charging else "charging.stopped", f"{name}: {word}")
    action = after.action
    if action is not None and action != before.action:
        word = "start" if action.want is Want.CHARGE else "stop"
        say("charging.action", f"{name}: the {word} asked for by hand is {action.state}")
    if isinstance(event, CommandFailed):
        what = f"{name}: a command failed, {event.failure}"
        say("command.failed", f"{what}: {event.detail}" if event.detail else what, NoteLevel.WARNING)


def _transaction_id(facts: ChargerFacts) -> TransactionId | None:
    return None if facts.transaction is None else facts.transaction.transaction_id


def _session(said: list[Note], after: State, earlier: Slot | None, slot: Slot) -> None:
    new = slot.session
    old = earlier.session if earlier is not None else Session(session_id=new.session_id, policy_id=new.policy_id)
    car = slot.vehicle.vehicle_id

    def say(kind: str, message: str, level: NoteLevel = NoteLevel.INFO, error: str | None = None) -> None:
        said.append(
            Note(
                name=kind,
                message=message,
                level=level,
                charger_id=after.charger.charger_id,
                policy_id=new.policy_id,
                session_id=new.session_id,
                error=error,
            )
        )

    if earlier is None or state_name(old) != state_name(new):
        say("session.state", f"{car}: {state_name(new)}")
    if earlier is None or _target_id(old) != _target_id(new):
        say("session.target", f"{car}: {_target_words(new.targets.latest)}")
    for block in _ended(old.blocks, new.blocks):
        say("block.ended", f"{car}: {block.kind} block ended with {kwh(block.wh)} kWh")
    if len(new.blocks) > len(old.blocks) and new.blocks[-1].ended_at is None:
        say("block.started", f"{car}: {new.blocks[-1].kind} block started")
    if new.error is not None and new.error != old.error:
        words = _error_words(new.error, after, slot)
        say("session.error", f"{car}: {words}", NoteLevel.ERROR, str(new.error.kind))
    if old.error is not None and new.error is None and new.plugged_in_at is not None:
        say("session.error_cleared", f"{car}: {old.error.kind} is over", NoteLevel.INFO, str(old.error.kind))
    _outcome(say_to=said, after=after, old=old, slot=slot)
    if new.car_is_full and not old.car_is_full:
        say("session.car_full", f"{car} takes no more: it is full, or at a limit of its own")


def _outcome(*, say_to: list[Note], after: State, old: Session, slot: Slot) -> None:
    new = slot.session
    if new.outcome is None or new.outcome.state is None:
        return
    was = None if old.outcome is None or old.outcome.target_id != new.outcome.target_id else old.outcome.state
    if was is new.outcome.state:
        return
    on = new.outcome.state is OutcomeState.ON_TARGET
    if was is None and on:
        return
    words = f"on target again, {_target_words(new.targets.latest)}"
    if not on:
        words = f"off target, {new.outcome.level_pct_at_ready_by} % instead of {_target_words(new.targets.latest)}"
    say_to.append(
        Note(
            name="session.outcome",
            message=f"{slot.vehicle.vehicle_id}: {words}",
            level=NoteLevel.INFO if on else NoteLevel.WARNING,
            charger_id=after.charger.charger_id,
            policy_id=new.policy_id,
            session_id=new.session_id,
        )
    )


def _error_words(error: SessionError, state: State, slot: Slot) -> str:
    """What is wrong, what a person can do about it, and who refused where that is known."""
    name, refuser = state.charger.charger_id, refused_by(state, slot)
    refusal = f"; {name} answered: {state.control.refusal}" if state.control.refusal else ""
    refusal += f"; refused by {refuser}" if refuser is not None else ""
    match error.kind:
        case ErrorKind.START_FAIL:
            return f"START_FAIL, charging is due and does not begin: look at the cable, the car and {name}{refusal}"
        case ErrorKind.STOP_FAIL:
            return f"STOP_FAIL, charging should have stopped and goes on: look at {name} and its own settings{refusal}"
        case ErrorKind.MISSING_CAPABILITIES:
            missing = ", ".join(error.missing)
            return f"MISSING_CAPABILITIES, {missing}: nothing is controlled, the car is left free to charge"
        case _:
            assert_never(error.kind)


def is_handed_over(session: Session, after: State) -> bool:
    """Tell whether the visit of a session that is gone goes on as another's: it was another car that came."""
    visits = [slot.session for slot in after.slots] + ([] if after.guest is None else [after.guest])
    return any(visit.plugged_in_at == session.plugged_in_at for visit in visits)


def _handed_over(said: list[Note], after: State, slot: Slot) -> None:
    there = visiting_slot(after)
    car = "a guest" if there is None else there.vehicle.vehicle_id
    said.append(
        Note(
            name="session.handed_over",
            message=f"{slot.vehicle.vehicle_id}: it is {car} that is plugged in; this visit is not its own",
            charger_id=after.charger.charger_id,
            policy_id=slot.policy.policy_id,
            session_id=slot.session.session_id,
        )
    )


def _settled(said: list[Note], after: State, slot: Slot) -> None:
    session = slot.session
    said.append(
        Note(
            name="session.state",
            message=f"{slot.vehicle.vehicle_id}: SETTLED with {kwh(session.ledger.total_wh)} kWh",
            charger_id=after.charger.charger_id,
            policy_id=session.policy_id,
            session_id=session.session_id,
        )
    )


def _guest(said: list[Note], before: State, after: State) -> None:
    old, new, name = before.guest, after.guest, after.charger.charger_id

    def say(kind: str, message: str, guest: Session) -> None:
        said.append(Note(name=kind, message=message, charger_id=name, session_id=guest.session_id))

    if old is None and new is not None:
        say("session.unmanaged", f"{name}: a car without a policy is plugged in", new)
    elif old is not None and new is None:
        there = visiting_slot(after)
        if there is None:
            say("session.unmanaged", f"{name}: the car without a policy left with {kwh(old.ledger.total_wh)} kWh", old)
        else:
            say("session.handed_over", f"{name}: the car without a policy is {there.vehicle.vehicle_id}", old)


def _elsewhere(said: list[Note], stored: StoreSettled) -> None:
    """A visit elsewhere that was settled."""
    energy = stored.document["statistics"]["aggregated"]["kwhSum"]
    message = f"{stored.vehicle_id}: charged elsewhere with {energy} kWh"
    said.append(Note(name="session.unmanaged", message=message, session_id=stored.session_id))


def _unattributed(said: list[Note], before: State, after: State) -> None:
    """Energy that flowed at the charger and in no visit, in all."""
    if after.unattributed_wh // UNATTRIBUTED_STEP_WH <= before.unattributed_wh // UNATTRIBUTED_STEP_WH:
        return
    name = after.charger.charger_id
    message = f"{name}: {kwh(after.unattributed_wh)} kWh in all flowed while no car was known to be plugged in"
    said.append(Note(name="energy.unattributed", message=message, charger_id=name))


def _ended(old: tuple[Block, ...], new: tuple[Block, ...]) -> list[Block]:
    open_before = {block.started_at for block in old if block.ended_at is None}
    return [block for block in new if block.ended_at is not None and block.started_at in open_before]


def _target_id(session: Session) -> int | None:
    """One that only rolls on to the next day while nothing is plugged in keeps its id, and is no news."""
    return None if session.targets.latest is None else session.targets.latest.target_id


def _target_words(target: Target | None) -> str:
    match target:
        case None:
            return "no target"
        case ImmediateTarget():
            return f"charge now, to {target.minimum_charge_target} %"
        case RegularTarget():
            source = "" if target.from_policy else " (override)"
            return f"{target.minimum_charge_target} % by {target.ready_by:%Y-%m-%dT%H:%MZ}{source}"
        case _:
            assert_never(target)
