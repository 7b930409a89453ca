"""Start and stop ladders, and START_FAIL, STOP_FAIL by evidence.

What should be happening is derived each time: FREE (nothing is asked), CHARGE (a window is due) or HOLD (none is).
While reality differs from it, commands go out by a bounded ladder with back-off: pausing is done by a limit of 0 A,
and by ending the transaction where the limit has no effect. A command that was accepted proves nothing; the meter does.

START_FAIL  CHARGE is wanted and no charging was seen for ``start_timeout_s`` since the first command, or since
            charging became due while the charger was offline.
STOP_FAIL   HOLD is wanted and the meter still shows charging ``stop_timeout_s`` later.
Both end with their condition.
"""

from datetime import datetime, timedelta
from typing import assert_never

from chargerd.core import manual
from chargerd.core.commands import ChargerCommand, SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.events import Activity, Capabilities, CommandFailed, CommandSucceeded, Failure
from chargerd.core.frozen import replace
from chargerd.core.ids import CommandId
from chargerd.core.model import Asked, Control, ErrorKind, InFlight, SessionError, Slot, State, Transaction, Want
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
METERED_WITHIN = timedelta(minutes=16)
"""A charger's word that it charges stands until its meter was read, but not for longer than this."""
FIRST_SAMPLE = timedelta(seconds=20)
"""A sample so soon after charging began shows what was before."""
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


def steered(state: State, now: datetime) -> tuple[State, tuple[ChargerCommand, ...]]:
    """Compare what is wanted with what is, and take the next rung of the ladder when it is time."""
    want = wanted(state, now)
    control = _dropping_lost(state.control, now)
    if control.held_at is not None and want is Want.CHARGE and state.facts.charging:
        control = replace(control, held_at=None)
    if want is not control.want:
        control = _fresh(replace(control, want=want))
    if _is_met(state, control, want):
        control = _fresh(control) if _is_steady(state, want, now) else _relieved(control)
    elif control.unmet_since is None:
        control = replace(control, unmet_since=now)
    state = replace(state, control=control)
    if not _may_command(state, now):
        return state, ()
    return _commanded(state, now)


def _fresh(control: Control) -> Control:
    """The ladder at its foot."""
    return replace(control, unmet_since=None, commanded_at=None, attempts=0, retry_at=None, refusal="", failure=None)


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
            return no_charge and (state.facts.transaction is None or control.limit_a == 0 or not _can_limit(state))
        case _:
            assert_never(want)


def _is_held_down(state: State) -> bool:
    """A pause of ours is still in force though nothing is wanted any more: the car is to be left free to charge."""
    return state.facts.plugged is True and state.control.holds_down


def _car_pauses(state: State) -> bool:
    """The car itself suspends a session in which it has charged: it is full, or at its own limit.

    While our own limit may still be in its way, that is not known. One that does not go on after a pause of ours may
    be asleep (Tesla, Renault, VW): all rungs are tried first.
    """
    session, facts, control = visit(state), state.facts, state.control
    if _can_limit(state) and not control.limit_refused and control.limit_a != state.charger.max_a:
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


def _may_command(state: State, now: datetime) -> bool:
    control, facts = state.control, state.facts
    if not facts.online or control.in_flight or (control.want is Want.FREE and control.unmet_since is None):
        return False
    if control.listen_until is not None and now < control.listen_until:
        return False
    if control.unmet_since is None:
        return _limit_differs(state)
    return _is_rung_due(control, now) or (state.facts.transaction is not None and _limit_differs(state))


def _is_rung_due(control: Control, now: datetime) -> bool:
    return control.attempts == 0 or (control.retry_at is not None and now >= control.retry_at)


def _limit_differs(state: State) -> bool:
    """Charging is wanted, but the charger has not confirmed the limit since it connected or a transaction began."""
    control = state.control
    waits = control.limit_again_at is not None and state.at < control.limit_again_at
    sendable = _can_limit(state) and not control.limit_refused and not waits
    return control.want is Want.CHARGE and sendable and control.limit_a != state.charger.max_a


def _commanded(state: State, now: datetime) -> tuple[State, tuple[ChargerCommand, ...]]:
    control = state.control
    climbs = control.unmet_since is not None and _is_rung_due(control, now)
    commands = _rung(state) if climbs or control.want is not Want.CHARGE else (_limit(state, state.charger.max_a, 0),)
    flights = tuple(
        InFlight(
            command_id=command.command_id,
            action=command.kind,
            sent_at=now,
            limit_a=command.limit_a if isinstance(command, SetCurrentLimit) else None,
        )
        for command in commands
    )
    control = replace(
        control,
        in_flight=flights,
        next_command_id=control.next_command_id + len(commands),
        held_at=now if commands and control.want is Want.HOLD else control.held_at,
        last=_asked(flights[-1]) if flights else control.last,
    )
    if climbs and control.want is Want.CHARGE and control.attempts == len(BACK_OFF):
        control = replace(control, held_at=None)
    if climbs:
        control = replace(
            control,
            attempts=control.attempts + 1,
            commanded_at=control.commanded_at or now,
            retry_at=_retry_at(control, now),
        )
    return replace(state, control=control), commands


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
    that is taken for lost: its end was told to nobody.
    """
    commands: list[ChargerCommand] = []
    if state.facts.transaction is not None and not state.facts.charging and state.control.attempts == WAKES_AT:
        return (_stop(state, state.facts.transaction, 0),)
    repeated = state.control.attempts > 0
    if _can_limit(state) and (repeated or state.control.limit_a != state.charger.max_a):
        commands.append(_limit(state, state.charger.max_a, len(commands)))
    is_open = state.facts.transaction is not None and state.control.attempts <= WAKES_AT
    if not is_open and not state.facts.charging:
        commands.append(
            StartTransaction(
                charger_id=state.charger.charger_id,
                command_id=_command_id(state, len(commands)),
                id_token=state.charger.id_token,
            )
        )
    return tuple(commands)


def _stop_rung(state: State) -> tuple[ChargerCommand, ...]:
    """Pause by limit first; where that has no effect, or cannot be done, end the transaction."""
    commands: list[ChargerCommand] = []
    transaction = state.facts.transaction
    by_limit = _can_limit(state) and (state.control.attempts != 1 or transaction is None)
    if by_limit:
        commands.append(_limit(state, 0.0, len(commands)))
    if transaction is not None and (state.control.attempts > 0 or not by_limit):
        commands.append(_stop(state, transaction, len(commands)))
    return tuple(commands)


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
    )


def _command_id(state: State, offset: int) -> CommandId:
    return CommandId(state.control.next_command_id + offset)


def _can_limit(state: State) -> bool:
    return state.facts.capabilities.can_limit is not False


def _dropping_lost(control: Control, now: datetime) -> Control:
    kept = tuple(flight for flight in control.in_flight if now < flight.sent_at + OUTCOME_LOST)
    return control if len(kept) == len(control.in_flight) else replace(control, in_flight=kept)


def succeeded(state: State, event: CommandSucceeded, now: datetime) -> State:
    """A charger confirmed a command; a limit is then known to be in force."""
    control, flight = _landed(state.control, event.command_id)
    if flight is None:
        return state
    if flight.limit_a is not None:
        control = replace(control, limit_a=flight.limit_a, holds_down=flight.limit_a == 0)
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
        control = replace(control, limit_a=None, limit_refused=no, limit_again_at=now + LIMIT_AGAIN)
    if no and control.want is Want.HOLD and flight.limit_a == 0 and control.attempts == 1:
        control = replace(control, retry_at=now)
    state = replace(state, control=control)
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
    return limit_forgotten(replace(state, control=replace(state.control, attempts=0, retry_at=None)))


def encouraged(state: State) -> State:
    """Somebody wants it anew: a ladder that was at its end begins again; one that is being climbed goes on."""
    if not is_at_ladders_end(state.control):
        return state
    return replace(state, control=replace(state.control, attempts=0))


def connected(state: State, now: datetime) -> State:
    """The connection is new: outcomes of commands that went over the old one will not come."""
    state = asked_anew(state)
    return listening(replace(state, control=replace(state.control, in_flight=())), now)


def restarted(control: Control) -> Control:
    """What is known of the ladder by a process that is new: since when reality lags behind, and nothing else."""
    return Control(
        want=control.want,
        unmet_since=control.unmet_since,
        commanded_at=control.commanded_at,
        next_command_id=control.next_command_id,
        holds_down=control.holds_down,
        last=control.last,
    )


def listening(state: State, now: datetime) -> State:
    """Hear first what the charger has to tell; a car that is being unplugged is not started again."""
    return replace(state, control=replace(state.control, listen_until=now + FACTS_FIRST))


def ended(state: State, now: datetime) -> State:
    """A transaction ended. Where we ended it to wake the car, the next one is due."""
    state = listening(limit_forgotten(state), now)
    control = state.control
    woken = control.want is Want.CHARGE and control.last is not None and control.last.action == "stop_transaction"
    return replace(state, control=replace(control, retry_at=now)) if woken else state


def limit_forgotten(state: State) -> State:
    """A transaction began or ended, or the connection is new: which limit is in force is not known any more."""
    return replace(state, control=replace(state.control, limit_a=None, limit_refused=False, limit_again_at=None))


def error_of(state: State, now: datetime) -> SessionError | None:
    """The error of the current session that holds now, the most severe one."""
    slot = visiting_slot(state)
    if slot is None or slot.session.unplugged_at is not None:
        return None
    missing = missing_error(state, slot)
    if missing is not None:
        return missing
    said = None if slot.session.error is None else slot.session.error.kind
    failing = _failing(state)
    if said is failing and state.control.unmet_since is not None:
        goes_on = failing is ErrorKind.START_FAIL or state.facts.charging
        return slot.session.error if goes_on else None
    at = fails_at(state)
    if at is None or now < at:
        return None
    if failing is ErrorKind.STOP_FAIL and not _seen_charging(state):
        return None
    return SessionError(kind=failing)


def _failing(state: State) -> ErrorKind:
    """What a lag that lasts too long is called: something is wanted of the cable, or there is none."""
    return ErrorKind.START_FAIL if state.control.want is Want.CHARGE else ErrorKind.STOP_FAIL


def missing_error(state: State, slot: Slot) -> SessionError | None:
    """What session management lacks for a policy; known before plug-in, it is shown on the UPCOMING session."""
    missing = missing_capabilities(state, slot)
    return SessionError(kind=ErrorKind.MISSING_CAPABILITIES, missing=missing) if missing else None


def fails_at(state: State) -> datetime | None:
    """When the present lag behind what is wanted becomes an error; None when there is no lag."""
    control, spec = state.control, state.charger
    if control.unmet_since is None:
        return None
    if control.want is Want.CHARGE:
        lag = timedelta(seconds=spec.start_timeout_s)
        at = (control.commanded_at or control.unmet_since) + lag
        word_until = _word_stands_until(state, lag)
        return at if word_until is None else max(at, word_until)
    return control.unmet_since + timedelta(seconds=spec.stop_timeout_s)


def _word_stands_until(state: State, lag: timedelta) -> datetime | None:
    """Until when the charger's word that it charges stands, for its meter, which some read every quarter hour, has not
    been read since; None where it has been. A charger that is gone is believed for as long as a start may take.
    """
    facts, reading = state.facts, state.facts.reading
    if facts.activity is not Activity.CHARGING or facts.activity_at is None:
        return None
    if reading is not None and reading.power_w is not None and reading.at > facts.activity_at + FIRST_SAMPLE:
        return None
    until = facts.activity_at + METERED_WITHIN
    return until if facts.online or facts.lost_at is None else min(until, facts.lost_at + lag)


def _seen_charging(state: State) -> bool:
    """The meter itself shows power since stopping was wanted; an old reading shows nothing."""
    reading, since = state.facts.reading, state.control.unmet_since
    fresh = reading is not None and since is not None and reading.at > since
    return fresh and state.facts.charging and state.facts.low_samples == 0
