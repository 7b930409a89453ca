"""A charger as the API shows it: what the core knows, and what its driver and the dispatcher know beside. Pure."""

from dataclasses import asdict

from pydantic.alias_generators import to_camel

from chargerd.core import abilities, document
from chargerd.core.evidence import LAG_LEAST_S
from chargerd.core.model import Lag, State
from chargerd.core.planning import missing_capabilities
from chargerd.operating import Document


def charger_document(state: State, *, told: Document, last_failure: Document | None) -> Document:
    """Return the charger's document. ``told`` is what it said beside charging, by topic."""
    facts, reading = state.facts, state.facts.reading
    return document.charger(state) | {
        "activity": None if facts.activity is None else str(facts.activity),
        "sampledAt": None if reading is None else document.rfc3339(reading.at),
        "sampledPower": None if reading is None or reading.power_w is None else round(reading.power_w / 1000, 3),
        "serial": facts.serial or None,
        "capabilities": {to_camel(name): able for name, able in asdict(abilities.shown(facts)).items()},
        "missingCapabilities": sorted({name for slot in state.slots for name in missing_capabilities(state, slot)}),
        "clockOffset": _clock_offset(facts.lag),
        "lastFailure": last_failure,
        "told": told,
    }


def _clock_offset(lag: Lag | None) -> int | None:
    """By how many seconds the charger's clock is behind ours, negative when it is ahead; 0 is right, None unknown.

    It is what the quickest of its messages took, so the network's part of it is small.
    """
    if lag is None:
        return None
    least_s = lag.least_s if lag.before_s is None else min(lag.least_s, lag.before_s)
    return round(least_s) if abs(least_s) >= LAG_LEAST_S else 0
