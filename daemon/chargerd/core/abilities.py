"""What a charger can do, by its word and by what it did. What it did is learned anew with each firmware."""

from datetime import datetime, timedelta

from chargerd.core.events import Activity, Capabilities, ChargerBooted, MeterSampled, TransactionEnded
from chargerd.core.frozen import replace
from chargerd.core.model import ChargerFacts, State, Want

ZERO_STOPS = 2
"""A transaction may end by chance soon after a pause; not so often."""
ENDS_WITHIN = timedelta(seconds=60)
DEAD_STOPS = 2
"""A start may be refused by chance behind a stop of ours; not twice. One in Finishing tells as much as two."""
_OWN_REASONS = frozenset({"", "other"})
"""Words for the end of a transaction that nobody asked for; with any other it had another cause."""
_BY_US = "remote"


def shown(facts: ChargerFacts) -> Capabilities:
    """What a charger can do: what is said of it, and else what it has shown."""
    return replace(facts.capabilities, zero_is_stop=_zero_is_stop(facts), resumes_after_stop=_resumes_after_stop(facts))


def _zero_is_stop(facts: ChargerFacts) -> bool | None:
    said, stops = facts.capabilities.zero_is_stop, facts.zero_stops >= ZERO_STOPS
    return stops if said is None and (stops or facts.outlived_zero) else said


def _resumes_after_stop(facts: ChargerFacts) -> bool | None:
    said = facts.capabilities.resumes_after_stop
    return False if said is None and facts.dead_stops >= DEAD_STOPS else said


def can_limit(state: State) -> bool:
    """Tell whether a limit may be tried."""
    return state.facts.capabilities.can_limit is not False


def can_pause(state: State) -> bool:
    """Tell whether a limit of 0 pauses: some end the transaction at it (Huawei, EN+, NEcharge, BMW/Delta)."""
    return can_limit(state) and _zero_is_stop(state.facts) is not True


def surely_pauses(state: State) -> bool:
    """Tell whether a limit of 0 is known to pause. A transaction that begins under one locks some chargers (Huawei)."""
    return can_limit(state) and _zero_is_stop(state.facts) is False


def begins_anew(facts: ChargerFacts) -> bool:
    """Tell whether another transaction may begin before the plug was out (not so: ZJ Beny, Autel, Ocular)."""
    return _resumes_after_stop(facts) is not False


def booted(facts: ChargerFacts, event: ChargerBooted) -> ChargerFacts:
    """Another firmware may behave in another way."""
    is_same = (facts.vendor, facts.model, facts.firmware) == (event.vendor, event.model, event.firmware)
    return facts if is_same else replace(facts, zero_stops=0, outlived_zero=False, dead_stops=0)


def ended(state: State, event: TransactionEnded) -> State:
    """Learn from the end of the open transaction whether a limit of 0 brought it about."""
    facts, since = state.facts, _held_since(state)
    if since is None or facts.transaction is None:
        return state
    ours = event.transaction_id in ("", facts.transaction.transaction_id)
    held, at_once = state.control.want is Want.HOLD, state.at - since <= ENDS_WITHIN
    if not ours or not held or not at_once or event.reason.casefold() not in _OWN_REASONS:
        return state
    return replace(state, facts=replace(facts, zero_stops=facts.zero_stops + 1))


def sampled(state: State, event: MeterSampled, at: datetime) -> State:
    """Learn from a sample of the open transaction that it has outlived a limit of 0."""
    running = state.facts.transaction
    is_of_it = running is not None and event.transaction_id == running.transaction_id
    return outlived(state, at) if is_of_it else state


def outlived(state: State, at: datetime) -> State:
    """Learn that the open transaction, known to be open at a time, was not ended by the limit of 0 in force."""
    since = _held_since(state)
    if since is None or at - since <= ENDS_WITHIN:
        return state
    return replace(state, facts=replace(state.facts, outlived_zero=True, zero_stops=0))


def _held_since(state: State) -> datetime | None:
    """Return since when the open transaction has been under a limit of 0 that the charger accepted."""
    running, control = state.facts.transaction, state.control
    if running is None or control.held_at is None or not control.holds_down:
        return None
    return max(control.held_at, running.started_at)


def start_refused(facts: ChargerFacts) -> ChargerFacts:
    """Learn from a refused start whether it was our own stop that bars it; 2.0.1 has no Finishing (BMW/Delta)."""
    last = facts.last_transaction
    if last is None or last.end_reason.casefold() != _BY_US or facts.plugged is not True:
        return facts
    weight = DEAD_STOPS if facts.activity is Activity.FINISHING else 1
    return replace(facts, dead_stops=facts.dead_stops + weight)


def started(facts: ChargerFacts) -> ChargerFacts:
    """A transaction that begins behind a stop of ours proves that one may."""
    last, plugged_at = facts.last_transaction, facts.plugged_at
    if last is None or last.ended_at is None or plugged_at is None or last.end_reason.casefold() != _BY_US:
        return facts
    return facts if last.ended_at < plugged_at else replace(facts, dead_stops=0)
