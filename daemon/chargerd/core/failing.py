"""START_FAIL, STOP_FAIL and MISSING_CAPABILITIES, by evidence.

START_FAIL  CHARGE is wanted and no charging was seen for ``start_timeout_s`` since the first command, or since
            charging became due while the charger was offline.
STOP_FAIL   HOLD is wanted and the meter still shows charging ``stop_timeout_s`` later.
Both end with their condition.
"""

from datetime import datetime, timedelta

from chargerd.core.events import Activity
from chargerd.core.evidence import FIRST_SAMPLE
from chargerd.core.model import ErrorKind, SessionError, Slot, State, Want
from chargerd.core.planning import missing_capabilities
from chargerd.core.session import visiting_slot

METERED_WITHIN = timedelta(minutes=16)
"""A charger's word that it charges stands until its meter was read, but not for longer than this."""


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


def is_believed(state: State, now: datetime) -> bool:
    """The charger says that it charges, and its meter has not been read since."""
    until = _word_stands_until(state, timedelta(seconds=state.charger.start_timeout_s))
    return until is not None and now < until


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
    assert since is not None
    fresh = reading is not None and reading.at > since
    return fresh and state.facts.charging and state.facts.low_samples == 0
