"""Start and stop ladders.

What should be happening is derived each time: FREE (nothing is asked), CHARGE (a window is due) or HOLD (none is).
While reality differs from it, commands go out by a bounded ladder with back-off: pausing is done by a limit of 0 A,
and by ending the transaction where the limit has no effect. A command that was accepted proves nothing; the meter does.

A charger that follows schedules has the rest of the plan as a standing order, and an open transaction to follow it in.
One that ends its transaction at a limit of 0 is paused by ending it. ``failing`` says when a lag is an error.
"""

from datetime import datetime, timedelta
from typing import Any, assert_never

from chargerd.core import effect, evidence, manual, standing
from chargerd.core.abilities import begins_anew, can_limit, can_pause, outlived, start_refused, surely_pauses
from chargerd.core.commands import ChargerCommand, SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.effect import SHOWS_WITHIN
from chargerd.core.events import Activity, Capabilities, CommandFailed, CommandSucceeded, Failure
from chargerd.core.failing import is_believed
from chargerd.core.frozen import replace
from chargerd.core.ids import CommandId
from chargerd.core.model import Asked, Control, InFlight, State, Transaction, Want
from chargerd.core.outcome import is_at_ladders_end
from chargerd.core.planning import due, missing_capabilities
from chargerd.core.session import visit, visiting_slot

BACK_OFF = (timedelta(seconds=60), timedelta(minutes=5), timedelta(minutes=15))
"""Waits between start attempts; after the last one the ladder is at its end until something changes."""
WAKES_AT = 2
"""The attempt at which a transaction that is open and delivers nothing is ended, for a new one to wake the car."""
HOLD_BACK_OFF = (timedelta(seconds=45), timedelta(seconds=60), timedelta(minutes=5), timedelta(minutes=15))
"""Waits between stop attempts; the last one repeats, for a car that charges unasked must be stopped."""
FACTS_FIRST = timedelta(seconds=10)
"""After a connection came up or a transaction ended, so long is listened before anything is asked."""
STEADY_AFTER = timedelta(minutes=5)
"""What came about and lasted for so long is done; a lag after that begins a ladder of its own."""
LIMIT_AGAIN = timedelta(minutes=5)
"""A limit that got no answer while charging goes on is sent again after so long."""
OUTCOME_LOST = timedelta(minutes=2)
"""A command without an outcome for so long is taken as lost."""
ENDS_PAUSE_WITHIN = timedelta(seconds=90)
"""What resumes so soon after a limit was sent does so by it."""
OBEYS_BY_ITSELF = timedelta(seconds=30)
"""So long a charger has to do by itself what its standing order says."""
FULL_AFTER = timedelta(minutes=10)
"""A car that takes nothing of what is offered for so long, after it has charged, has had enough."""


def wanted(state: State, now: datetime) -> Want:
    """What should be happening at the cable now."""
    slot = visiting_slot(state)
    if slot is None:
        return manual.wanted(state)
    if slot.session.unplugged_at is not None or missing_capabilities(state, slot):
        return Want.FREE
    return Want.CHARGE if due(slot.session.plan, now) is not None else Want.HOLD


def steered(state: State, now: datetime, *, looks_ahead: bool) -> tuple[State, tuple[ChargerCommand, ...]]:
    """Compare what is wanted with what is, and take the next rung of the ladder when it is time.

    ``looks_ahead`` False leaves the standing order as it is.
    """
    want = wanted(state, now)
    control = _dropping_lost(_followed(state, want, now), now)
    if control.held_at is not None and want is Want.CHARGE and state.facts.charging:
        control = replace(control, held_at=None)
    if want is not control.want:
        control = _fresh(replace(control, want=want))
    if _is_met(state, control, want):
        control = _fresh(control) if _is_steady(state, want, now) else _relieved(control)
    elif control.unmet_since is None:
        control = replace(control, unmet_since=now)
    state = replace(state, control=control)
    if not _may_command(state, now, looks_ahead=looks_ahead):
        return state, ()
    return _commanded(state, now)


def _followed(state: State, want: Want, now: datetime) -> Control:
    """What the charger does by its standing order; a car that it lets charge at the right time needs a moment."""
    control = standing.followed(state, now)
    by_itself = control.later != state.control.later and state.facts.transaction is not None
    if not by_itself or want is not Want.CHARGE or not control.limit_a:
        return control
    return replace(control, listen_until=now + OBEYS_BY_ITSELF)


def _fresh(control: Control) -> Control:
    """The ladder at its foot."""
    return replace(
        control,
        unmet_since=None,
        commanded_at=None,
        attempts=0,
        retry_at=None,
        unheeded=0,
        refusal="",
        failure=None,
    )


def _relieved(control: Control) -> Control:
    """What is wanted came about just now. The rungs taken count on: a charger that flaps gets no ladder each time."""
    return replace(control, unmet_since=None, commanded_at=None, refusal="", failure=None)


def _is_steady(state: State, want: Want, now: datetime) -> bool:
    since = state.facts.charging_since if want is Want.CHARGE else state.facts.stopped_at
    return since is None or now - since >= STEADY_AFTER


def _is_met(state: State, control: Control, want: Want) -> bool:
    match want:
        case Want.FREE:
            return not _is_held_down(state)
        case Want.CHARGE:
            return state.facts.online and (state.facts.charging or _car_pauses(state))
        case Want.HOLD:
            no_charge = not state.facts.charging
            return no_charge and (state.facts.transaction is None or _holds(state, control))
        case _:
            assert_never(want)


def _holds(state: State, control: Control) -> bool:
    """An open transaction is paused as well as it can be. A limit that may be lost is told again, but not all day."""
    unknown = control.limit_a is None and standing.is_worn(control, state.at)
    return control.limit_a == 0 or unknown or not can_pause(state)


def _is_held_down(state: State) -> bool:
    """A pause of ours is still in force though nothing is wanted any more: the car is to be left free to charge."""
    return state.facts.plugged is True and state.control.holds_down


def _car_pauses(state: State) -> bool:
    """The car itself suspends a session in which it has charged: it is full, or at its own limit.

    While our own limit may still be in its way, that is not known. One that does not go on after a pause of ours may
    be asleep (Tesla, Renault, VW): all rungs are tried first.
    """
    session, facts, control = visit(state), state.facts, state.control
    if can_limit(state) and not control.limit_refused and control.limit_a != state.charger.max_a:
        return False
    by_itself = control.held_at is None or (facts.stopped_at is not None and facts.stopped_at < control.held_at)
    if not by_itself:
        return False
    suspended = facts.activity is Activity.SUSPENDED_EV and facts.transaction is not None
    return session is not None and suspended and any(block.wh > 0 for block in session.blocks)


def car_is_full_at(state: State) -> datetime | None:
    """When a car that takes nothing of what is offered is taken to have had enough."""
    offered = state.control.want is Want.CHARGE and not state.facts.charging
    slot = visiting_slot(state)
    window = None if slot is None else due(slot.session.plan, state.at)
    if not offered or window is None or not _car_pauses(state) or state.facts.activity_at is None:
        return None
    return max(state.facts.activity_at, window.start) + FULL_AFTER


def _may_command(state: State, now: datetime, *, looks_ahead: bool) -> bool:
    control, facts = state.control, state.facts
    if not facts.online or control.in_flight or (control.want is Want.FREE and control.unmet_since is None):
        return False
    if control.listen_until is not None and now < control.listen_until:
        return False
    if control.want is Want.HOLD and evidence.is_retold(facts, now):
        return False
    if control.unmet_since is None:
        return _limit_differs(state) or (looks_ahead and (standing.is_due(state, now) or _opens(state)))
    return _is_rung_due(state, now) or (facts.transaction is not None and _limit_differs(state))


def _is_rung_due(state: State, now: datetime) -> bool:
    """A charger that says that it charges is not started again before its meter, which may be slow, was read."""
    control = state.control
    if control.attempts and control.want is Want.CHARGE and is_believed(state, now):
        return False
    return control.attempts == 0 or (control.retry_at is not None and now >= control.retry_at)


def _limit_differs(state: State) -> bool:
    """Charging is wanted, but the charger has not confirmed the limit since it connected or a transaction began."""
    control = state.control
    waits = control.limit_again_at is not None and state.at < control.limit_again_at
    sendable = can_limit(state) and not control.limit_refused and not waits
    differs = control.limit_a != state.charger.max_a or control.resumed
    differs = differs or effect.is_exceeded(state) or effect.starves(state)
    return control.want is Want.CHARGE and sendable and differs


def _opens(state: State) -> bool:
    """A transaction is to be begun under a limit of 0, for the charger to follow its standing order in.

    Once a visit: a charger that ends it again knows its own reasons.
    """
    facts, control = state.facts, state.control
    slot = visiting_slot(state)
    if control.want is not Want.HOLD or facts.transaction is not None or slot is None or control.limit_a != 0:
        return False
    able = facts.capabilities.can_start is not False and surely_pauses(state) and control.later != ()
    return able and slot.session.session_id != control.opened_for


def _commanded(state: State, now: datetime) -> tuple[State, tuple[ChargerCommand, ...]]:
    climbs = state.control.unmet_since is not None and _is_rung_due(state, now)
    ignored = effect.is_unheeded(state)
    state, commands = (state, _rung(state)) if climbs else _by_the_way(state, now)
    control = state.control
    flights = tuple(_flight(command, now) for command in commands)
    limits = [flight for flight in flights if flight.limit_a is not None]
    control = replace(
        control,
        in_flight=flights,
        next_command_id=control.next_command_id + len(commands),
        told=standing.told(control, now) if limits else control.told,
        resumed=control.resumed and not limits,
        held_at=now if commands and control.want is Want.HOLD else control.held_at,
        unheeded=control.unheeded + 1 if ignored and limits else control.unheeded,
        last=_asked(flights[-1]) if flights else control.last,
    )
    if climbs and control.want is Want.CHARGE and control.attempts == len(BACK_OFF):
        control = replace(control, held_at=None)
    if climbs:
        another_way = ignored and control.want is Want.HOLD and len(limits) == len(flights)
        control = replace(
            control,
            attempts=control.attempts + 1,
            commanded_at=control.commanded_at or now,
            retry_at=now + SHOWS_WITHIN if another_way else _retry_at(control, now),
        )
    return replace(state, control=control), commands


def _flight(command: ChargerCommand, now: datetime) -> InFlight:
    flight = InFlight(command_id=command.command_id, action=command.kind, sent_at=now)
    if not isinstance(command, SetCurrentLimit):
        return flight
    return replace(flight, limit_a=command.limit_a, later=command.later)


def _by_the_way(state: State, now: datetime) -> tuple[State, tuple[ChargerCommand, ...]]:
    """What is told though nothing lags behind: a limit that was lost, a standing order, a start for it."""
    control = state.control
    if _limit_differs(state):
        again_at = now + LIMIT_AGAIN if effect.is_exceeded(state) else control.limit_again_at
        return _with_control(state, limit_again_at=again_at), (_limit(state, state.charger.max_a, 0),)
    if standing.is_due(state, now):
        return state, (_limit(state, state.charger.max_a if control.want is Want.CHARGE else 0.0, 0),)
    opened = visit(state)
    assert opened is not None, "see _opens"
    return _with_control(state, opened_for=opened.session_id), (_start(state, 0),)


def _retry_at(control: Control, now: datetime) -> datetime | None:
    if control.want is Want.HOLD:
        return now + HOLD_BACK_OFF[min(control.attempts, len(HOLD_BACK_OFF) - 1)]
    return now + BACK_OFF[control.attempts] if control.attempts < len(BACK_OFF) else None


def _rung(state: State) -> tuple[ChargerCommand, ...]:
    """The commands of this attempt, in the order in which they are to be carried out."""
    match state.control.want:
        case Want.FREE:
            return (_limit(state, state.charger.max_a, 0),)
        case Want.CHARGE:
            return _start_rung(state)
        case Want.HOLD:
            return _stop_rung(state)
        case _:
            assert_never(state.control.want)


def _start_rung(state: State) -> tuple[ChargerCommand, ...]:
    """Raise the limit before a start: a limit of 0 that is still in force would end it at once.

    A car that ignores what is offered in a transaction in which it was paused is woken by a new one: the open one is
    ended late in the ladder, for some chargers begin no other before the plug was out. One that is still open after
    that is taken for lost: its end was told to nobody. One that has a car and no more (2.0.1, TxStartPoint EVConnected)
    waits for its authorisation.
    """
    commands: list[ChargerCommand] = []
    wakes = state.control.attempts == WAKES_AT and begins_anew(state.facts)
    if state.facts.transaction is not None and not state.facts.charging and wakes:
        return (_stop(state, state.facts.transaction, 0),)
    known = state.control.limit_a == state.charger.max_a and state.facts.transaction is None
    if can_limit(state) and (state.control.attempts > 0 or not known):
        commands.append(_limit(state, state.charger.max_a, len(commands)))
    running, facts = state.facts.transaction, state.facts
    is_open = running is not None and state.control.attempts <= WAKES_AT and running.transaction_id != facts.waits_in
    if not is_open and not state.facts.charging:
        commands.append(_start(state, len(commands)))
    return tuple(commands)


def _stop_rung(state: State) -> tuple[ChargerCommand, ...]:
    """Pause by limit first; where that has no effect, or cannot be done, end the transaction.

    A limit that was accepted while the meter goes on to show charging is said another way once. A transaction in which
    nothing flows is left open: it is only not known which limit is in force. A charger that refuses to end one that a
    limit of 0 would end gets that limit (EVBox Elvi in autostart).
    """
    commands: list[ChargerCommand] = []
    transaction, control = state.facts.transaction, state.control
    another_way = control.attempts == 1 and not control.unheeded and effect.is_unheeded(state)
    stops = transaction is not None and state.facts.charging and not another_way
    pauses = can_pause(state)
    by_limit = pauses or (can_limit(state) and (transaction is None or _stop_was_refused(control)))
    if by_limit and not (pauses and stops and control.attempts == 1):
        commands.append(_limit(state, 0.0, len(commands)))
    if transaction is not None and stops and (control.attempts > 0 or not by_limit):
        commands.append(_stop(state, transaction, len(commands)))
    return tuple(commands)


def _stop_was_refused(control: Control) -> bool:
    last = control.last
    return last is not None and last.action == "stop_transaction" and last.accepted is False


def _start(state: State, offset: int) -> StartTransaction:
    return StartTransaction(
        charger_id=state.charger.charger_id,
        command_id=_command_id(state, offset),
        id_token=state.charger.id_token,
    )


def _stop(state: State, transaction: Transaction, offset: int) -> StopTransaction:
    return StopTransaction(
        charger_id=state.charger.charger_id,
        command_id=_command_id(state, offset),
        transaction_id=transaction.transaction_id,
    )


def _limit(state: State, limit_a: float, offset: int) -> SetCurrentLimit:
    transaction = state.facts.transaction
    return SetCurrentLimit(
        charger_id=state.charger.charger_id,
        command_id=_command_id(state, offset),
        limit_a=limit_a,
        transaction_id=None if transaction is None else transaction.transaction_id,
        later=standing.order(state, state.at),
        unheeded=effect.is_unheeded(state),
        phases=state.charger.phases,
        voltage_v=state.site.voltage_v,
    )


def _command_id(state: State, offset: int) -> CommandId:
    return CommandId(state.control.next_command_id + offset)


def _with_control(state: State, **changes: Any) -> State:
    return replace(state, control=replace(state.control, **changes))


def _dropping_lost(control: Control, now: datetime) -> Control:
    kept = tuple(flight for flight in control.in_flight if now < flight.sent_at + OUTCOME_LOST)
    return control if len(kept) == len(control.in_flight) else replace(control, in_flight=kept)


def succeeded(state: State, event: CommandSucceeded, now: datetime) -> State:
    """A charger confirmed a command; a limit is then known to be in force."""
    control, flight = _landed(state.control, event.command_id)
    if flight is None:
        return state
    if flight.limit_a:
        state = outlived(state, now)
    if flight.limit_a is not None:
        follows = len(flight.later) < (state.facts.capabilities.schedule_periods or 1)
        control = replace(
            control,
            limit_a=flight.limit_a,
            limited_at=now,
            later=flight.later if follows else (),
            holds_down=flight.limit_a == 0,
        )
    if control.retry_at is not None:
        control = replace(control, retry_at=max(control.retry_at, now + SHOWS_WITHIN))
    asked = _asked(flight, answered_at=now, accepted=True)
    return replace(state, control=replace(control, last=asked))


def _asked(flight: InFlight, *, answered_at: datetime | None = None, accepted: bool | None = None) -> Asked:
    return Asked(
        action=flight.action,
        sent_at=flight.sent_at,
        limit_a=flight.limit_a,
        answered_at=answered_at,
        accepted=accepted,
    )


def failed(state: State, event: CommandFailed, now: datetime) -> State:
    """A command did not come off. A refused pause goes to the next rung at once; the rest waits for its turn."""
    control, flight = _landed(state.control, event.command_id)
    if flight is None:
        return state
    asked = replace(_asked(flight, answered_at=now, accepted=False), failure=event.failure, detail=event.detail)
    control = replace(control, refusal=event.detail, failure=event.failure, last=asked)
    no = event.failure in (Failure.REFUSED, Failure.NOT_SUPPORTED)
    if flight.limit_a is not None:
        control = replace(control, limit_a=None, later=(), limit_refused=no, limit_again_at=now + LIMIT_AGAIN)
    if no and control.want is Want.HOLD and flight.limit_a == 0 and control.attempts == 1:
        control = replace(control, retry_at=now)
    state = replace(state, control=control)
    if flight.action == "start_transaction" and event.failure is Failure.REFUSED:
        return replace(state, facts=start_refused(state.facts))
    if event.failure is not Failure.NOT_SUPPORTED:
        return state
    return replace(state, facts=replace(state.facts, capabilities=_unable(state.facts.capabilities, flight.action)))


def _unable(able: Capabilities, action: str) -> Capabilities:
    if action == "set_current_limit":
        return replace(able, can_limit=False)
    return replace(able, can_start=False) if action == "start_transaction" else replace(able, can_stop=False)


def _landed(control: Control, command_id: CommandId) -> tuple[Control, InFlight | None]:
    flight = next((flight for flight in control.in_flight if flight.command_id == command_id), None)
    rest = tuple(flight for flight in control.in_flight if flight.command_id != command_id)
    return replace(control, in_flight=rest), flight


def asked_anew(state: State) -> State:
    """Something changed at the charger: begin the ladder anew, and take nothing for confirmed."""
    return limit_forgotten(_with_control(state, attempts=0, retry_at=None, opened_for=None))


def encouraged(state: State) -> State:
    """Somebody wants it anew: a ladder that was at its end begins again; one that is being climbed goes on."""
    if not is_at_ladders_end(state.control):
        return state
    return _with_control(state, attempts=0)


def connected(state: State, now: datetime) -> State:
    """The connection is new: outcomes of commands that went over the old one will not come."""
    state = asked_anew(state)
    return listening(_with_control(state, in_flight=()), now)


def restarted(control: Control) -> Control:
    """What is known of the ladder by a process that is new: since when reality lags behind, and nothing else."""
    return Control(
        want=control.want,
        unmet_since=control.unmet_since,
        commanded_at=control.commanded_at,
        next_command_id=control.next_command_id,
        holds_down=control.holds_down,
        told=control.told,
        opened_for=control.opened_for,
        last=control.last,
    )


def resumed(state: State) -> State:
    """A pause that we ended is over, and with it, at some, the limit: go-e, Easee, BMW/Delta begin at full current.

    One that ended by the standing order is left to the meter.
    """
    last = state.control.last
    if last is None or not last.limit_a or state.at - last.sent_at > ENDS_PAUSE_WITHIN:
        return state
    return _with_control(state, resumed=True)


def listening(state: State, now: datetime) -> State:
    """Hear first what the charger has to tell; a car that is being unplugged is not started again."""
    return _with_control(state, listen_until=now + FACTS_FIRST)


def ended(state: State, now: datetime) -> State:
    """A transaction ended. Where we ended it to wake the car, the next one is due."""
    state = listening(limit_forgotten(state), now)
    control = state.control
    woken = control.want is Want.CHARGE and control.last is not None and control.last.action == "stop_transaction"
    return replace(state, control=replace(control, retry_at=now)) if woken else state


def limit_forgotten(state: State) -> State:
    """A transaction began or ended, or the connection is new: which limit is in force is not known any more."""
    return _with_control(
        state,
        limit_a=None,
        limited_at=None,
        later=(),
        limit_refused=False,
        limit_again_at=None,
        resumed=False,
        unheeded=0,
    )
