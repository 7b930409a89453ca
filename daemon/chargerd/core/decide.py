"""The heart: a state, an event and the time in; a new state and commands out. Total, deterministic, pure.

Facts are taken in first; then the visit follows the plug, targets roll on, the plan is made anew where it went stale,
control compares what is wanted with what is, and the outcome is judged. A known event in the wrong state is normal on
a wire and changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from chargerd.core import blocks, control, evidence, ledger, level, manual, notes, outcome, planning, session, target
from chargerd.core.commands import AnswerAuthorize, AnswerRequest, AnswerTransaction, Command
from chargerd.core.events import (
    AuthorizeRequested,
    CapabilitiesChanged,
    ChargerBooted,
    ChargerOffline,
    ChargerOnline,
    ChargingRequested,
    CommandFailed,
    CommandSucceeded,
    Configured,
    Event,
    ImmediateStartRequested,
    MeterSampled,
    OverrideCancelled,
    PricesUpdated,
    SampleContext,
    ScheduleOverrideRequested,
    StatusReported,
    TimePassed,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.ids import PolicyId, ReplyTo
from chargerd.core.model import Session, Slot, State, Targets
from chargerd.core.units import power_w
from chargerd.plan.grid import quarter_after

Commands = tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an event. ``durable`` says that the state must be on disk before the commands go out.

    A meter sample that changes nothing but sums is not: the register tells them again after a crash.
    """

    state: State
    commands: Commands
    durable: bool


def initial(event: Configured, now: datetime) -> State:
    """A partition that has just been configured and knows nothing yet."""
    return State(at=now, site=event.site, charger=event.charger)


def decide(state: State, event: Event, now: datetime) -> Decision:
    """Take one event. ``now`` is aware UTC and the same for all that is derived from it."""
    before = state
    state, answers = _taken(replace(state, at=now), event, now)
    state, settlements = session.followed(state, now)
    state = session.rolled(state, now)
    state = _full(state, now)
    state = _planned(state, event, now)
    state, orders = control.steered(state, now)
    state = _judged(state, now)
    said = notes.transitions(before, state, event)
    effects = (*settlements, *said, *answers, *orders)
    durable = bool(settlements or said or answers or orders) or notes.durable_key(before) != notes.durable_key(state)
    return Decision(state, effects, durable)


def next_deadline(state: State) -> datetime | None:
    """When the state changes by itself next, strictly after its last decision; None when it never does."""
    times: list[datetime | None] = [flight.sent_at + control.OUTCOME_LOST for flight in state.control.in_flight]
    times += [
        state.control.retry_at,
        state.control.listen_until,
        state.control.limit_again_at,
        control.fails_at(state),
        control.car_is_full_at(state),
    ]
    for slot in state.slots:
        regular = slot.session.targets.regular
        times.append(None if regular is None else regular.ready_by)
    visit = session.visit(state)
    if visit is not None:
        times.append(quarter_after(state.at))
        times += [edge for window in visit.plan for edge in (window.start, window.end)]
        if visit.unplugged_at is not None:
            times.append(session.settles_at(state, visit))
        if state.facts.stopped_at is not None:
            times.append(state.facts.stopped_at + blocks.DIP)
    return min((time for time in times if time is not None and time > state.at), default=None)


def _taken(state: State, event: Event, now: datetime) -> tuple[State, Commands]:  # noqa: C901, PLR0912
    """Take the facts of an event in, and answer who asked."""
    facts = state.facts
    match event:
        case Configured():
            return _configured(state, event, now), ()
        case TimePassed():
            return state, ()
        case PricesUpdated():
            return replace(state, prices=event.curve), ()
        case ChargerOnline():
            state = replace(state, facts=evidence.online(facts, event.protocol, now))
            return control.connected(state, now), ()
        case ChargerOffline():
            return replace(state, facts=evidence.offline(facts, now)), ()
        case ChargerBooted():
            return replace(state, facts=evidence.booted(facts, event)), ()
        case CapabilitiesChanged():
            return replace(state, facts=replace(facts, capabilities=event.capabilities)), ()
        case StatusReported():
            return _status(state, event, now), ()
        case MeterSampled():
            return _sampled(state, event, now), ()
        case AuthorizeRequested():
            return state, (AnswerAuthorize(charger_id=event.charger_id, reply_to=event.reply_to, accepted=True),)
        case TransactionStarted():
            return _transaction_started(state, event, now)
        case TransactionEnded():
            return _transaction_ended(state, event, now)
        case CommandSucceeded():
            return control.succeeded(state, event), ()
        case CommandFailed():
            return control.failed(state, event, now), ()
        case VehicleReported():
            return _vehicle_told(state, event, now)
        case ImmediateStartRequested() | ScheduleOverrideRequested() | OverrideCancelled():
            return _requested(state, event, now)
        case ChargingRequested():
            state, refusal = manual.requested(state, event, now)
            return state, (AnswerRequest(reply_to=event.reply_to, rejected=refusal),)
        case _:
            assert_never(event)


def _configured(state: State, event: Configured, now: datetime) -> State:
    """Follow the configuration: keep the sessions of policies that stay, begin those of new ones, drop the rest.

    A policy that is taken away in mid-visit leaves the visit unmanaged.
    """
    cars = {vehicle.vehicle_id: vehicle for vehicle in event.vehicles}
    known = {slot.policy.policy_id: slot for slot in state.slots}
    left = session.visiting_slot(state)
    state = replace(state, charger=event.charger, slots=())
    slots: list[Slot] = []
    for policy in event.policies:
        kept = known.get(policy.policy_id)
        car = cars[policy.vehicle_id]
        if kept is None:
            state, fresh = session.upcoming(state, policy, now)
            slots.append(Slot(policy=policy, vehicle=car, session=fresh))
            continue
        targets = kept.session.targets
        if (kept.policy.schedule, state.site.zone) != (policy.schedule, event.site.zone):
            follow = target.scheduled if kept.session.plugged_in_at is None else target.edited
            targets = follow(targets, policy, event.site.zone, now)
        if kept.policy.battery_reserve != policy.battery_reserve:
            targets = target.renumbered(targets)
        slots.append(replace(kept, policy=policy, vehicle=car, session=_retargeted(kept.session, targets)))
    state = replace(state, site=event.site, slots=tuple(slots))
    if left is not None and session.visiting_slot(state) is None:
        orphan = replace(left.session, policy_id=None, targets=Targets(), plan=(), blocks=(), outcome=None, error=None)
        state = replace(state, guest=orphan)
    if not event.restarted:
        return state
    offline = replace(evidence.offline(state.facts, now), online=False, online_since=None)
    return replace(state, facts=offline, control=control.restarted(state.control))


def _status(state: State, event: StatusReported, now: datetime) -> State:
    had = state.facts
    state = replace(state, facts=evidence.status_told(had, event, now))
    replugged = event.plugged is True and had.plugged is False
    lost = had.transaction is not None and state.facts.transaction is None
    mended = bool(had.fault) and not state.facts.fault
    return control.asked_anew(state) if replugged or lost or mended else state


def _sampled(state: State, event: MeterSampled, now: datetime) -> State:
    """Count energy, judge charging, and credit the blocks, in this order."""
    at = evidence.sample_time(state.facts, event.measured_at, now)
    state, delta = _counted(state, event.register_wh, at, now)
    had = state.facts
    facts = evidence.sampled(had, event, at=at, voltage_v=state.site.voltage_v, delta=delta)
    state = replace(state, facts=facts)
    state = _credited(state, delta, charging=facts.charging or had.charging)
    slot = session.visiting_slot(state)
    plugged_in_at = None if slot is None else slot.session.plugged_in_at
    if slot is not None and event.soc_pct is not None and plugged_in_at is not None and plugged_in_at <= at:
        state = session.with_slot(state, level.told_by_charger(slot, event.soc_pct, at))
    return _unquiet(state, now)


def _counted(state: State, register_wh: int | None, at: datetime, now: datetime) -> tuple[State, ledger.Delta | None]:
    visit = session.visit(state)
    if visit is None or visit.plugged_in_at is None or register_wh is None:
        return state, None
    if at < visit.plugged_in_at and not evidence.is_drained(state.facts, now):
        plugged_in_at = visit.plugged_in_at
        return session.with_visit(
            state, lambda s: replace(s, ledger=ledger.based(s.ledger, plugged_in_at, register_wh))
        ), None
    at = max(at, visit.plugged_in_at)
    online_since = state.facts.online_since
    anchor_at = visit.ledger.anchor_at
    recovered = anchor_at is not None and (online_since is None or anchor_at < online_since)
    spec = state.charger
    power_max_w = power_w(spec.max_a, phases=spec.phases, voltage_v=state.site.voltage_v)
    account, delta = ledger.sampled(
        visit.ledger, at=at, register_wh=register_wh, power_max_w=power_max_w, recovered=recovered
    )
    return session.with_visit(state, lambda s: replace(s, ledger=account)), delta


def _credited(state: State, delta: ledger.Delta | None, *, charging: bool) -> State:
    slot = session.visiting_slot(state)
    if slot is None or delta is None:
        return state
    began_at = state.facts.activity_at
    flowing = charging and delta.mean_w >= evidence.STOP_POWER_W
    return session.with_visit(state, lambda s: blocks.credited(s, delta, charging=flowing, began_at=began_at))


def _unquiet(state: State, now: datetime) -> State:
    """News of a visit whose car has left: its charger's queue has not drained yet."""
    visit = session.visit(state)
    if visit is None or visit.unplugged_at is None:
        return state
    return session.with_visit(state, lambda s: replace(s, quiet_since=now))


def _transaction_started(state: State, event: TransactionStarted, now: datetime) -> tuple[State, Commands]:
    facts, transaction_id = evidence.transaction_started(state.facts, event, now)
    state = replace(state, facts=facts)
    at = evidence.sample_time(facts, event.measured_at, now)
    if event.register_wh is not None:
        sample = MeterSampled(
            charger_id=event.charger_id, measured_at=at, register_wh=event.register_wh, context=SampleContext.BEGIN
        )
        state = _sampled(state, sample, now)
    state = control.limit_forgotten(state)
    answer = AnswerTransaction(charger_id=event.charger_id, reply_to=event.reply_to, transaction_id=transaction_id)
    return state, (answer,)


def _transaction_ended(state: State, event: TransactionEnded, now: datetime) -> tuple[State, Commands]:
    if event.register_wh is not None:
        at = evidence.sample_time(state.facts, event.measured_at, now)
        state, delta = _counted(state, event.register_wh, at, now)
        state = _credited(state, delta, charging=state.facts.charging)
        state = replace(state, facts=evidence.register_told(state.facts, event.register_wh, at))
    state = replace(state, facts=evidence.transaction_ended(state.facts, event, now))
    state = control.listening(control.limit_forgotten(state), now)
    answer = AnswerTransaction(
        charger_id=event.charger_id, reply_to=event.reply_to, transaction_id=event.transaction_id
    )
    return _unquiet(state, now), (answer,)


def _vehicle_told(state: State, event: VehicleReported, now: datetime) -> tuple[State, Commands]:
    at = min(event.measured_at or now, now)
    for slot in state.slots:
        if slot.vehicle.vehicle_id == event.vehicle_id and level.is_credible(slot, event.level_pct, at, now):
            state = session.with_slot(state, level.told_by_vehicle(slot, event.level_pct, at))
    return state, () if event.reply_to is None else (AnswerRequest(reply_to=event.reply_to),)


def _requested(
    state: State, event: ImmediateStartRequested | ScheduleOverrideRequested | OverrideCancelled, now: datetime
) -> tuple[State, Commands]:
    slot = _slot_of(state, event.policy_id)
    if slot is None:
        return state, (_rejected(event.reply_to, "there is no such policy"),)
    targets = slot.session.targets
    match event:
        case ImmediateStartRequested():
            if not 1 <= event.minimum_charge_target <= 100:
                return state, (_rejected(event.reply_to, "minimumChargeTarget: expected 1 to 100"),)
            targets = target.immediate(targets, event.minimum_charge_target)
        case ScheduleOverrideRequested():
            if event.ready_by <= now:
                return state, (_rejected(event.reply_to, "readyBy: expected a time in the future"),)
            if not 1 <= event.minimum_charge_target <= 100:
                return state, (_rejected(event.reply_to, "minimumChargeTarget: expected 1 to 100"),)
            targets = target.overridden(targets, event.minimum_charge_target, event.ready_by)
        case OverrideCancelled():
            targets = target.reverted(targets, slot.policy, state.site.zone, now)
        case _:
            assert_never(event)
    if targets != slot.session.targets:
        state = control.encouraged(state)
    state = session.with_slot(state, replace(slot, session=_retargeted(slot.session, targets)))
    return state, (AnswerRequest(reply_to=event.reply_to),)


def _retargeted(visited: Session, targets: Targets) -> Session:
    """A new wish is tried even with a car that has had enough so far."""
    return visited if targets == visited.targets else replace(visited, targets=targets, car_is_full=False)


def _rejected(reply_to: ReplyTo, why: str) -> AnswerRequest:
    return AnswerRequest(reply_to=reply_to, rejected=why)


def _slot_of(state: State, policy_id: PolicyId) -> Slot | None:
    return next((slot for slot in state.slots if slot.policy.policy_id == policy_id), None)


def _full(state: State, now: datetime) -> State:
    """A car that has charged and now takes nothing of what is offered has had enough; one that charges has not."""
    slot = session.visiting_slot(state)
    if slot is None:
        return state
    at = control.car_is_full_at(state)
    full = (slot.session.car_is_full and not state.facts.charging) or (at is not None and now >= at)
    if full is slot.session.car_is_full:
        return state
    return session.with_visit(state, lambda s: replace(s, car_is_full=full))


def _planned(state: State, event: Event, now: datetime) -> State:
    """Grow the grid, end blocks whose pause was no dip, and plan anew what went stale."""
    visit = session.visit(state)
    if visit is None:
        return state
    state = session.with_visit(state, lambda s: replace(s, ledger=ledger.covered(s.ledger, now)))
    facts = state.facts
    if not facts.charging and facts.stopped_at is not None and now >= facts.stopped_at + blocks.DIP:
        stopped_at = facts.stopped_at
        state = session.with_visit(state, lambda s: blocks.closed(s, stopped_at))
    slot = session.visiting_slot(state)
    if slot is None or (isinstance(event, MeterSampled) and not planning.is_stale(slot, now)):
        return state
    return session.with_slot(state, replace(slot, session=planning.replanned(state, slot, now)))


def _judged(state: State, now: datetime) -> State:
    """Say what is wrong, then what it means for the target."""
    state = _judged_before_plug_in(state)
    state = manual.judged(state, fails_at=control.fails_at(state), now=now)
    slot = session.visiting_slot(state)
    if slot is None:
        return state
    error = control.error_of(state, now)
    if error != slot.session.error:
        slot = replace(slot, session=replace(slot.session, error=error))
        state = session.with_slot(state, slot)
    if slot.session.unplugged_at is not None and outcome.judges_latest(slot.session):
        return state
    expected = outcome.projected(state, slot, now)
    if expected == slot.session.outcome:
        return state
    return session.with_slot(state, replace(slot, session=replace(slot.session, outcome=expected)))


def _judged_before_plug_in(state: State) -> State:
    for slot in state.slots:
        error = control.missing_error(state, slot)
        if slot.session.plugged_in_at is None and error != slot.session.error:
            state = session.with_slot(state, replace(slot, session=replace(slot.session, error=error)))
    return state
