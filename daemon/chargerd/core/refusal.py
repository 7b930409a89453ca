"""Who stands in the way of what is wanted at the cable."""

from datetime import datetime
from enum import StrEnum

from chargerd.core.control import car_is_full_at
from chargerd.core.events import Activity, Failure
from chargerd.core.level import has_source, level_pct
from chargerd.core.model import Slot, State, Want
from chargerd.core.planning import car_limit_pct, missing_capabilities
from chargerd.core.whose import spelled

_DEAUTHORIZED = "deauthorized"
"""OCPP 1.6 Reason and 2.0.1 ReasonEnumType: the charger ended a transaction because its token is not authorised."""
_AUTHORISATION_WORDS = (
    "authoris",
    "authoriz",
    "idtag",
    "idtoken",
    "blocked",
    "expired",
    "concurrenttx",
    "nocredit",
    "notallowedtypeevse",
    "notatthislocation",
    "notatthistime",
)
"""What a refused start says when it is about its token (OCPP AuthorizationStatus, CALLERROR descriptions); as spelled
by ``whose.spelled``."""
_NETWORK = frozenset({Failure.TIMED_OUT, Failure.UNREACHABLE})


class Refuser(StrEnum):
    """Who stands in the way."""

    CHARGER = "CHARGER"
    VEHICLE = "VEHICLE"
    NETWORK = "NETWORK"
    AUTHORISATION = "AUTHORISATION"


def refused_by(state: State, slot: Slot) -> Refuser | None:
    """Say who stands in the way of what a policy wants at the cable; None while nobody does, or nobody is known to.

    The first rule that fits:

    Nobody         the car has left.
    NETWORK        the charger is offline.
    Nobody         another car is plugged in, or one of which it is not known yet whose it is.
    CHARGER        it lacks what session management needs. What the configuration lacks, nobody refuses.
    VEHICLE        the car takes nothing of what is offered after it has charged, or is at a limit of its own.
    Nobody         no car is plugged in, or what is wanted is so.
    AUTHORISATION  charging is wanted, and the charger ended the last transaction of this visit as not authorised, or
                   refused the start with a word about its token.
    CHARGER        it reports a fault.
    NETWORK        the last command of this stretch got no answer, or did not reach the charger.
    CHARGER        it answered no, or that it cannot do this.
    Nobody         START_FAIL or STOP_FAIL are not due yet: what was accepted may still come about.
    CHARGER        it charges though it was told not to.
    VEHICLE        the charger accepted all and offers current in an open transaction, or says that it is the car that
                   suspends, and nothing flows.
    CHARGER        else: it accepted all and did nothing.
    """
    session, facts = slot.session, state.facts
    if session.unplugged_at is not None:
        return None
    if not facts.online:
        return Refuser.NETWORK
    if session.plugged_in_at is None and facts.plugged:
        return None
    missing = missing_capabilities(state, slot)
    if missing:
        return Refuser.CHARGER if missing != ("chargeState",) or has_source(slot, state.at) else None
    if session.plugged_in_at is None:
        return None
    if takes_no_more(state, slot) or car_is_full_at(state) is not None:
        return Refuser.VEHICLE
    if state.control.unmet_since is None or facts.charging is (state.control.want is Want.CHARGE):
        return None
    return _in_the_way(state, slot, session.plugged_in_at)


def is_reached(slot: Slot) -> bool:
    """The car has the level that its target asks for."""
    target, pct = slot.session.targets.latest, level_pct(slot.session, slot.vehicle)
    return target is not None and pct is not None and pct >= target.minimum_charge_target


def takes_no_more(state: State, slot: Slot) -> bool:
    """The car is full, or at a limit of its own, before its target is reached."""
    if state.facts.charging or is_reached(slot):
        return False
    pct, has_target = level_pct(slot.session, slot.vehicle), slot.session.targets.latest is not None
    return slot.session.car_is_full or (has_target and pct is not None and pct >= car_limit_pct(slot))


def answer_of(state: State) -> Failure | None:
    """The last no in this stretch of lagging behind what is wanted; no answer in time is one as well."""
    control = state.control
    last, since = control.last, control.unmet_since
    if last is None or since is None or last.sent_at < since:
        return None
    if control.in_flight:
        return control.failure
    return Failure.TIMED_OUT if last.accepted is None else last.failure


def _in_the_way(state: State, slot: Slot, plugged_in_at: datetime) -> Refuser | None:
    answer = answer_of(state)
    is_start = state.control.want is Want.CHARGE
    about_token = answer is Failure.REFUSED and _is_about_token(state)
    if is_start and (about_token or _is_deauthorised(state, plugged_in_at)):
        return Refuser.AUTHORISATION
    if state.facts.fault:
        return Refuser.CHARGER
    if answer is not None:
        return Refuser.NETWORK if answer in _NETWORK else Refuser.CHARGER
    if slot.session.error is None:
        return None
    return Refuser.VEHICLE if is_start and _is_offered(state) else Refuser.CHARGER


def _is_deauthorised(state: State, plugged_in_at: datetime) -> bool:
    ended = state.facts.last_transaction
    if state.facts.transaction is not None or ended is None or ended.ended_at is None:
        return False
    return ended.ended_at >= plugged_in_at and spelled(ended.end_reason) == _DEAUTHORIZED


def _is_about_token(state: State) -> bool:
    """The start was refused with a word about its token. A charger's own name in front of its answer says nothing."""
    last = state.control.last
    assert last is not None, "it was refused"
    if last.failure is not None and last.action != "start_transaction":
        return False
    said = spelled(state.control.refusal.removeprefix(f"{state.charger.charger_id}:"))
    return any(word in said for word in _AUTHORISATION_WORDS)


def _is_offered(state: State) -> bool:
    """Current is offered to the car: by the charger's own word, or by all that is known of transaction and limit."""
    facts, control = state.facts, state.control
    if facts.transaction is None:
        return False
    is_limited = facts.capabilities.can_limit is not False and not control.limit_a
    if facts.activity is Activity.SUSPENDED_EV:
        return control.limit_refused or not is_limited
    return facts.activity in {Activity.CHARGING, Activity.EV_CONNECTED, None} and not is_limited
