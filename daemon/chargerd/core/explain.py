"""Why a policy's car is charging now, or is not: in words, and as the data that the words rest on. Pure.

It reads what control, planning and outcome read, and is of the state's last decision. Times are RFC 3339 with whole
seconds and ``Z``; only the words have wall time at the site. Unknown is null. No card or token is ever shown.
"""

import re
from datetime import datetime

from chargerd.core import document, whose
from chargerd.core.control import wanted
from chargerd.core.document import Document, rfc3339
from chargerd.core.explain_phrases import Case
from chargerd.core.explain_words import words
from chargerd.core.ids import PolicyId
from chargerd.core.level import level_pct
from chargerd.core.model import Asked, Control, LevelSource, RegularTarget, Slot, State, Want
from chargerd.core.planning import needs, planning_power_w
from chargerd.core.reason import is_awaited, reason_of
from chargerd.core.refusal import refused_by
from chargerd.core.remedy import remedy
from chargerd.core.units import kwh
from chargerd.plan.grid import QUARTER, quarter_after
from chargerd.plan.prices import PriceOrigin

_ACTIONS = {"start_transaction": "START", "stop_transaction": "STOP", "set_current_limit": "SET_LIMIT"}
_HIDDEN = "…"


def explanation(state: State, policy_id: PolicyId) -> Document | None:
    """Explain what a policy's session does now; None when this partition does not have it."""
    slot = state.slot_of(policy_id)
    if slot is None:
        return None
    shown = document.current(state, policy_id)
    assert shown is not None
    case = Case(state=state, slot=slot, reason=reason_of(state, slot), refuser=refused_by(state, slot))
    return {
        "policyId": policy_id,
        "at": rfc3339(state.at),
        "isCharging": _is_charging(state, slot),
        "isWanted": _is_wanted(state, slot),
        "reason": str(case.reason),
        "words": words(case),
        "target": shown["target"]["latest"],
        "next": _next(shown, state.at),
        "plan": _plan(state, slot),
        "evidence": _evidence(state, slot),
        "lastCommand": _last_command(state),
        "attempts": _attempts(state, slot),
        "refusedBy": None if case.refuser is None else str(case.refuser),
        "error": shown["error"]["latest"],
        "remedy": remedy(case),
    }


def _is_charging(state: State, slot: Slot) -> bool | None:
    """Judged by the meter; None while nobody can tell: the charger is offline, or whose car it is is not known."""
    facts = state.facts
    if not facts.online or facts.plugged is None or is_awaited(state):
        return None
    return facts.charging and _is_visiting(slot)


def _is_wanted(state: State, slot: Slot) -> bool | None:
    """True: a window is due; False: the car is to wait; None: nothing is controlled."""
    want = wanted(state, state.at)
    return None if want is Want.FREE or not _is_visiting(slot) else want is Want.CHARGE


def _is_visiting(slot: Slot) -> bool:
    return slot.session.plugged_in_at is not None


def _next(shown: Document, at: datetime) -> Document | None:
    """The block that runs or is due, else the next one."""
    block = next((block for block in shown["blocks"] if block["endAt"] > rfc3339(at)), None)
    return None if block is None else {key: block[key] for key in ("startAt", "endAt", "type")}


def _plan(state: State, slot: Slot) -> Document:
    """What the plan counts on; ``missingKwh`` is what must still flow at the meter, None where no level is known."""
    known, end = level_pct(slot.session, slot.vehicle) is not None, _horizon(state, slot)
    return {
        "prices": _prices(state, end),
        "priceRung": str(state.prices.rung(state.at, end)),
        "pricesOldSince": _time(state.prices.old_since),
        "powerW": round(planning_power_w(state, slot)),
        "powerSource": "CONFIGURED" if slot.learned.power_w is None else "LEARNED",
        "missingKwh": kwh(sum(need.wh for need in needs(slot))) if known else None,
    }


def _prices(state: State, end: datetime) -> str:
    """Whether the source told prices from now until then."""
    at, known = state.at, []
    while at < end:
        told = state.prices.slot_at(at)
        known.append(told is not None and told.origin is PriceOrigin.SOURCE)
        at = quarter_after(at)
    return "KNOWN" if all(known) else "PARTLY_KNOWN" if any(known) else "UNKNOWN"


def _horizon(state: State, slot: Slot) -> datetime:
    """The deadline, or the plan's end where that is later; a quarter hour from now at the least."""
    target, plan = slot.session.targets.latest, slot.session.plan
    ends = [window.end for window in plan] + ([target.ready_by] if isinstance(target, RegularTarget) else [])
    return max([*ends, state.at + QUARTER])


def _evidence(state: State, slot: Slot) -> Document:
    facts, reading = state.facts, state.facts.reading
    box, car = document.charger(state), document.vehicle(slot)
    source = _level_source(slot)
    return {
        "isOnline": facts.online,
        "isOnlineSince": _time(facts.online_since if facts.online else facts.lost_at),
        "isPluggedIn": facts.plugged,
        "isPluggedInSince": _time(facts.plugged_at),
        "activity": None if facts.activity is None else str(facts.activity),
        "activitySince": _time(facts.activity_at),
        "powerW": None if reading is None or reading.power_w is None else round(reading.power_w),
        "registerWh": box["registerWh"],
        "sampledAt": None if reading is None else rfc3339(reading.at),
        "chargingSince": _time(facts.charging_since),
        "stoppedAt": _time(facts.stopped_at),
        "batteryLevel": car["batteryLevel"],
        "batteryLevelSource": None if source is None else source.upper(),
        "batteryLevelToldAt": None if source in {None, LevelSource.ASSUMED} else car["lastUpdated"],
        "transactionId": box["transactionId"],
        "fault": box["fault"],
        "isTokenShown": _is_token_shown(state, slot),
    }


def _level_source(slot: Slot) -> LevelSource | None:
    if _is_visiting(slot):
        return None if slot.session.level is None else slot.session.level.source
    return None if slot.facts.level_pct is None else LevelSource.VEHICLE


def _is_token_shown(state: State, slot: Slot) -> bool:
    """A card or EVCCID was presented for this visit, or lately when there is none."""
    facts = state.facts
    since = slot.session.plugged_in_at or state.at
    return bool(facts.token) and facts.token_at is not None and facts.token_at >= since - whose.TOKEN_BEFORE_PLUG


def _last_command(state: State) -> Document | None:
    asked = _asked(state.control)
    if asked is None:
        return None
    action = "PAUSE" if asked.limit_a == 0 else _ACTIONS.get(asked.action, asked.action.upper())
    return {
        "action": action,
        "limitA": asked.limit_a,
        "sentAt": rfc3339(asked.sent_at),
        "answer": _answer(state.control, asked),
        "answeredAt": _time(asked.answered_at),
        "detail": _without_tokens(asked.detail, state) or None,
    }


def _asked(control: Control) -> Asked | None:
    """The last command; one that is under way goes before those that were answered."""
    if not control.in_flight:
        return control.last
    flight = control.in_flight[-1]
    return Asked(action=flight.action, sent_at=flight.sent_at, limit_a=flight.limit_a)


def _answer(control: Control, asked: Asked) -> str:
    if asked.accepted is None:
        return "PENDING" if control.in_flight else "TIMED_OUT"
    return "ACCEPTED" if asked.failure is None else str(asked.failure)


def _without_tokens(text: str, state: State) -> str:
    """A charger's own words, which may repeat the card that was asked for."""
    cars = (token for slot in state.slots for token in slot.vehicle.id_tokens)
    for token in {state.charger.id_token, state.facts.token, *cars}:
        signs = [re.escape(sign) for sign in whose.spelled(token)]
        if signs:
            text = re.sub(r"[\W_]*".join(signs), _HIDDEN, text, flags=re.IGNORECASE)
    return text


def _attempts(state: State, slot: Slot) -> Document | None:
    """Attempts of this stretch at what is wanted and is not so; ``nextAt`` None: none is left, or it waits."""
    control = state.control
    if control.unmet_since is None or control.attempts == 0 or not _is_visiting(slot):
        return None
    waits = not state.facts.online or control.retry_at is None or control.retry_at <= state.at
    return {"made": control.attempts, "nextAt": None if waits else _time(control.retry_at)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
