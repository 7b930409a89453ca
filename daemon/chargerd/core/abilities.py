"""What a charger can do, by its word and by what it did. What it did is learned anew with each firmware."""

from datetime import timedelta

from chargerd.core.events import Activity, ChargerBooted, TransactionEnded
from chargerd.core.frozen import replace
from chargerd.core.model import ChargerFacts, State, Want

ZERO_STOPS = 2
"""A transaction may end by chance soon after a pause; not so often."""
ENDS_WITHIN = timedelta(seconds=60)
_OWN_REASONS = frozenset({"", "other"})
"""Words for the end of a transaction that nobody asked for; with any other it had another cause."""
_BY_US = "remote"


def can_limit(state: State) -> bool:
    """Tell whether a limit may be tried."""
    return state.facts.capabilities.can_limit is not False


def can_pause(state: State) -> bool:
    """Tell whether a limit of 0 pauses: some end the transaction at it (Huawei, EN+, NEcharge, BMW/Delta)."""
    said = state.facts.capabilities.zero_is_stop
    stops = state.facts.zero_stops >= ZERO_STOPS if said is None else said
    return can_limit(state) and not stops


def surely_pauses(state: State) -> bool:
    """Tell whether a limit of 0 is known to pause. A transaction that begins under one locks some chargers (Huawei)."""
    return can_limit(state) and state.facts.capabilities.zero_is_stop is False


def begins_anew(facts: ChargerFacts) -> bool:
    """Tell whether another transaction may begin before the plug was out (not so: ZJ Beny, Autel, Ocular)."""
    said = facts.capabilities.resumes_after_stop
    return not facts.dead_stops if said is None else said


def booted(facts: ChargerFacts, event: ChargerBooted) -> ChargerFacts:
    """Another firmware may behave in another way."""
    is_same = (facts.vendor, facts.model, facts.firmware) == (event.vendor, event.model, event.firmware)
    return facts if is_same else replace(facts, zero_stops=0, dead_stops=0)


def ended(state: State, event: TransactionEnded) -> State:
    """Learn from the end of the open transaction whether a limit of 0 brought it about."""
    facts, control = state.facts, state.control
    running, held_at = facts.transaction, control.held_at
    if running is None or held_at is None or event.transaction_id not in ("", running.transaction_id):
        return state
    held = control.want is Want.HOLD and control.holds_down
    at_once = state.at - max(held_at, running.started_at) <= ENDS_WITHIN
    if not held or not at_once or event.reason.casefold() not in _OWN_REASONS:
        return state
    return replace(state, facts=replace(facts, zero_stops=facts.zero_stops + 1))


def start_refused(facts: ChargerFacts) -> ChargerFacts:
    """Learn from a refused start whether it was our own stop that bars it."""
    last = facts.last_transaction
    if facts.activity is not Activity.FINISHING or last is None or last.end_reason.casefold() != _BY_US:
        return facts
    return replace(facts, dead_stops=facts.dead_stops + 1)


def started(facts: ChargerFacts) -> ChargerFacts:
    """A transaction that begins behind a stop of ours proves that one may."""
    last, plugged_at = facts.last_transaction, facts.plugged_at
    if last is None or last.ended_at is None or plugged_at is None or last.end_reason.casefold() != _BY_US:
        return facts
    return facts if last.ended_at < plugged_at else replace(facts, dead_stops=0)
