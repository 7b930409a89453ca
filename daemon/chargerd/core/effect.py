"""What the meter shows of a limit that was accepted: that proves nothing yet."""

from datetime import timedelta

from chargerd.core.events import Activity
from chargerd.core.evidence import FIRST_SAMPLE
from chargerd.core.model import State, Want
from chargerd.core.units import power_w

SHOWS_WITHIN = timedelta(seconds=45)
"""After a command was confirmed, so long is waited for its effect: some chargers take a minute for the answer alone."""
EXCESS = 1.15
"""A car that draws more than the limit by this factor shows that the limit is not in force."""


def is_exceeded(state: State) -> bool:
    """The car draws more than it may: the limit was lost at a pause or a start (go-e, Easee, BMW/Delta)."""
    reading, spec, since = state.facts.reading, state.charger, state.control.limited_at
    if not state.facts.charging or reading is None or reading.power_w is None or since is None:
        return False
    most_w = power_w(spec.max_a, phases=spec.phases, voltage_v=state.site.voltage_v) * EXCESS
    return reading.power_w > most_w and reading.at > since + FIRST_SAMPLE


def starves(state: State) -> bool:
    """Nothing is offered under a limit that allows it (some take 16 A for 16 W): it is said another way, once."""
    facts, limited_at = state.facts, state.control.limited_at
    if facts.reading is None or limited_at is None or facts.activity_at is None:
        return False
    had_time = facts.reading.at > max(limited_at + SHOWS_WITHIN, facts.activity_at + FIRST_SAMPLE)
    return had_time and not state.control.unheeded and is_unheeded(state)


def is_unheeded(state: State) -> bool:
    """The limit in force has no effect: the meter, read since, shows the contrary."""
    facts, control = state.facts, state.control
    reading, since = facts.reading, control.limited_at
    if reading is None or since is None or reading.at <= since + FIRST_SAMPLE:
        return False
    if control.want is Want.HOLD:
        return control.limit_a == 0 and facts.charging and not facts.low_samples
    offers_none = facts.transaction is not None and facts.activity is Activity.SUSPENDED_EVSE
    return control.limit_a == state.charger.max_a and offers_none and not facts.charging
