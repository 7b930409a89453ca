"""The heart: a state, an event and the time in; a new state and commands out. Total, deterministic, pure.

Facts are taken in first; then the visit follows the plug, targets roll on, the plan is made anew where it went stale,
control compares what is wanted with what is, and the outcome is judged. A known event in the wrong state is normal on
a wire and changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from chargerd.core import (
    away,
    blocks,
    control,
    energy,
    evidence,
    failing,
    intake,
    ledger,
    manual,
    notes,
    outcome,
    planning,
    session,
    whose,
    wishes,
)
from chargerd.core.commands import AnswerRequest, Command, StoreSettled
from chargerd.core.events import (
    AuthorizeRequested,
    CapabilitiesChanged,
    ChargerBooted,
    ChargerInstructed,
    ChargerOffline,
    ChargerOnline,
    ChargingRequested,
    ClockStepped,
    CommandFailed,
    CommandSucceeded,
    Configured,
    Event,
    ImmediateStartRequested,
    MeterSampled,
    OverrideCancelled,
    PricesUpdated,
    ScheduleOverrideRequested,
    StatusReported,
    TimePassed,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.frozen import replace
from chargerd.core.model import State
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
    state, answers = _taken(replace(state, at=now), event, before.at, now)
    state = energy.drained(state, now)
    state, settlements = session.followed(state, now)
    state, elsewhere = away.followed(state, now)
    state = session.rolled(state, now)
    state = _full(state, now)
    state = _planned(state, before, event, now)
    state, orders = control.steered(state, now, looks_ahead=_is_news(before, state, event))
    state = _judged(state, now)
    ended = tuple(command for command in (*answers, *elsewhere) if isinstance(command, StoreSettled))
    said = notes.transitions(before, state, event, ended)
    effects = (*settlements, *elsewhere, *said, *answers, *orders)
    durable = bool(effects) or notes.durable_key(before) != notes.durable_key(state)
    return Decision(state, effects, durable)


def next_deadline(state: State) -> datetime | None:
    """When the state changes by itself next, strictly after its last decision; None when it never does."""
    times: list[datetime | None] = [flight.sent_at + control.OUTCOME_LOST for flight in state.control.in_flight]
    times += [
        state.control.retry_at,
        state.control.listen_until,
        state.control.limit_again_at,
        *(step.at for step in state.control.later[:1]),
        failing.fails_at(state),
        control.car_is_full_at(state),
        planning.silent_at(state),
        session.given_up_at(state),
        *away.silent_at(state),
    ]
    if state.facts.charging:
        times.append(evidence.drains_at(state.facts))
    for slot in state.slots:
        regular = slot.session.targets.regular
        times.append(None if regular is None else regular.ready_by)
    visit = session.visit(state)
    if visit is not None:
        times.append(quarter_after(state.at))
        times += [edge for window in visit.plan for edge in (window.start, window.end)]
        if visit.unplugged_at is not None:
            times.append(session.settles_at(state, visit))
        if visit.ledger.pending:
            times.append(evidence.drains_at(state.facts))
        times.append(blocks.ends_at(visit, state.facts.stopped_at))
    elif state.facts.plugged and state.facts.plugged_at is not None:
        times.append(state.facts.plugged_at + whose.ASK_FOR)
    return min((time for time in times if time is not None and time > state.at), default=None)


def _taken(  # noqa: C901, PLR0912
    state: State, event: Event, last_at: datetime, now: datetime
) -> tuple[State, Commands]:
    """Take the facts of an event in, and answer who asked. ``last_at`` is when was last decided."""
    facts = state.facts
    match event:
        case Configured():
            return intake.configured(state, event, last_at, now), ()
        case TimePassed():
            return state, ()
        case ClockStepped():
            return intake.clock_stepped(state, event, now), ()
        case PricesUpdated():
            return replace(state, prices=event.curve), ()
        case ChargerOnline():
            state = replace(state, facts=evidence.online(facts, event.protocol, now))
            return control.connected(state, now), ()
        case ChargerOffline():
            return replace(state, facts=evidence.offline(facts, now)), ()
        case ChargerBooted():
            return replace(state, facts=evidence.booted(facts, event)), ()
        case ChargerInstructed():
            return control.listening(control.asked_anew(state), now), ()
        case CapabilitiesChanged():
            return replace(state, facts=replace(facts, capabilities=event.capabilities)), ()
        case StatusReported():
            return intake.status(state, event, now), ()
        case MeterSampled():
            return intake.sampled(state, event, now), ()
        case AuthorizeRequested():
            return intake.authorized(state, event, now)
        case TransactionStarted():
            return intake.transaction_started(state, event, now)
        case TransactionEnded():
            return intake.transaction_ended(state, event, now)
        case CommandSucceeded():
            return control.succeeded(state, event, now), ()
        case CommandFailed():
            return control.failed(state, event, now), ()
        case VehicleReported():
            return intake.vehicle_told(state, event, now)
        case ImmediateStartRequested() | ScheduleOverrideRequested() | OverrideCancelled():
            return wishes.requested(state, event, now)
        case ChargingRequested():
            state, refusal = manual.requested(state, event, now)
            return state, (AnswerRequest(reply_to=event.reply_to, rejected=refusal),)
        case _:
            assert_never(event)


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


def _planned(state: State, before: State, event: Event, now: datetime) -> State:
    """Grow the grid, end blocks whose pause was no dip, and plan anew what went stale."""
    visit = session.visit(state)
    if visit is None:
        return state
    state = session.with_visit(state, lambda s: replace(s, ledger=ledger.covered(s.ledger, now)))
    ends_at = blocks.ends_at(visit, state.facts.stopped_at)
    if not state.facts.charging and not visit.ledger.pending and ends_at is not None and now >= ends_at:
        stopped_at, lost_at = ends_at - blocks.DIP, state.facts.lost_at
        state = session.with_visit(state, lambda s: blocks.stopped(s, stopped_at, lost_at=lost_at))
    slot = session.visiting_slot(state)
    if slot is None or (isinstance(event, MeterSampled) and not planning.is_stale(state, slot, now)):
        return state
    was = session.visiting_slot(before)
    same_wish = was is not None and was.session.targets == slot.session.targets and was.policy == slot.policy
    if same_wish and planning.is_unheard(state, now) and planning.due(slot.session.plan, now) is not None:
        return state
    return session.with_slot(state, replace(slot, session=planning.replanned(state, slot, now)))


def _is_news(before: State, state: State, event: Event) -> bool:
    """A sample that leaves the plan as it was tells nothing of what is to come."""
    was, visit = session.visit(before), session.visit(state)
    return not isinstance(event, MeterSampled) or was is None or visit is None or was.plan is not visit.plan


def _judged(state: State, now: datetime) -> State:
    """Say what is wrong, then what it means for the target."""
    state = _judged_before_plug_in(state)
    state = manual.judged(state, fails_at=failing.fails_at(state), now=now)
    slot = session.visiting_slot(state)
    if slot is None:
        return state
    error = failing.error_of(state, now)
    slot = replace(slot, session=replace(slot.session, error=error))
    state = session.with_slot(state, slot)
    is_open = slot.session.unplugged_at is None and not planning.is_unheard(state, now)
    if not is_open and outcome.judges_latest(slot.session):
        return state
    expected = outcome.projected(state, slot, now)
    return session.with_slot(state, replace(slot, session=replace(slot.session, outcome=expected)))


def _judged_before_plug_in(state: State) -> State:
    for slot in state.slots:
        if slot.session.plugged_in_at is None:
            error = failing.missing_error(state, slot)
            state = session.with_slot(state, replace(slot, session=replace(slot.session, error=error)))
    return state
