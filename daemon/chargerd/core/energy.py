"""From samples to watt-hours: in the visit's ledger, in its blocks, or in no visit at all."""

from datetime import datetime

from chargerd.core import blocks, evidence, ledger, register, session
from chargerd.core.events import MeterSampled
from chargerd.core.frozen import replace
from chargerd.core.meter import Meter, stopped
from chargerd.core.model import ChargerFacts, Ledger, State
from chargerd.core.units import hours_between, power_w


def line_w(state: State) -> float:
    """Power in W that the cable can carry."""
    spec = state.charger
    return power_w(spec.max_a, phases=spec.phases, voltage_v=state.site.voltage_v)


def counted(state: State, event: MeterSampled, at: datetime, now: datetime) -> tuple[State, register.Counted | None]:
    """Count a sample in the visit going on; None without one, and for a sample from before it."""
    visit = session.visit(state)
    if visit is None:
        return state, None
    assert visit.plugged_in_at is not None
    plugged_in_at, register_wh = visit.plugged_in_at, event.register_wh
    online_since, has_more = state.facts.online_since, not evidence.is_drained(state.facts, now)
    if at < plugged_in_at and has_more:
        if register_wh is None:
            return state, None
        account = register.based(visit.ledger, plugged_in_at, register_wh)
        return session.with_visit(state, lambda s: replace(s, ledger=account)), None
    seen_at = visit.ledger.anchor_at or visit.ledger.power_at
    sample = Meter(
        at=max(at, plugged_in_at),
        register_wh=register_wh,
        power_w=evidence.told_power_w(event, state.site.voltage_v),
        power_max_w=line_w(state),
        recovered=seen_at is not None and (online_since is None or seen_at < online_since),
        queue_waits=has_more and online_since is not None and plugged_in_at < online_since <= at,
    )
    result = register.sampled(visit.ledger, sample)
    return _with_ledger(state, result.ledger), result


def quietened(state: State, had: ChargerFacts) -> State:
    """Carry the charger's word that charging stopped to the visit's ledger: what power told last goes on no longer.

    Of a time in which nobody listened the word says nothing: the last power tells where to look for its energy.
    """
    facts, visit = state.facts, session.visit(state)
    if not had.charging or facts.charging or facts.stopped_at is None or visit is None:
        return state
    told_at, stopped_at, online_since = visit.ledger.power_at, facts.stopped_at, facts.online_since
    if told_at is None or online_since is None or told_at < online_since:
        return state
    return session.with_visit(state, lambda s: replace(s, ledger=stopped(s.ledger, stopped_at)))


def _with_ledger(state: State, account: Ledger) -> State:
    if account.scale != state.facts.register_scale:
        state = replace(state, facts=replace(state.facts, register_scale=account.scale))
    return session.with_visit(state, lambda s: replace(s, ledger=account))


def credited(state: State, result: register.Counted | None, *, charging: bool) -> State:
    """Put what was counted into blocks. Power proves that charging went on, now or in the past that was told late."""
    if result is None or session.visiting_slot(state) is None:
        return state
    for piece in result.pieces:
        least_w = evidence.STOP_POWER_W if charging else evidence.START_POWER_W
        state = _with_piece(state, piece, flowing=piece.mean_w >= least_w)
    return state


def _with_piece(state: State, piece: ledger.Delta, *, flowing: bool) -> State:
    began_at = state.facts.activity_at
    return session.with_visit(state, lambda s: blocks.credited(s, piece, flowing=flowing, began_at=began_at))


def drained(state: State, now: datetime) -> State:
    """Count the reading that waited for the charger's queue, once that is empty or the visit is to be settled."""
    visit = session.visit(state)
    if visit is None or not visit.ledger.pending:
        return state
    is_over = visit.unplugged_at is not None and session.settles_at(state, visit) <= now
    if not is_over and not evidence.is_drained(state.facts, now):
        return state
    result = register.drained(visit.ledger, Meter(at=now, power_max_w=line_w(state)))
    return credited(_with_ledger(state, result.ledger), result, charging=state.facts.charging)


def is_first(state: State) -> bool:
    """Tell whether the next register reading is the one that the visit, if there is one, begins to count from."""
    visit = session.visit(state)
    return visit is None or visit.ledger.anchor_wh is None


def unattributed(state: State, had: ChargerFacts, *, is_first: bool) -> State:
    """Keep account of energy that flowed in no visit: between two, or before one began. It is never the next one's."""
    last, new, visit = had.reading, state.facts.reading, session.visit(state)
    awaited = visit is None and state.facts.plugged is True
    if not is_first or awaited or last is None or new is None or new.at <= last.at:
        return state
    began_at = None if visit is None else visit.plugged_in_at
    if began_at is not None and last.at >= began_at:
        return state
    if last.register_wh is None or new.register_wh is None:
        return state
    wh = round(new.register_wh * state.facts.register_scale) - round(last.register_wh * state.facts.register_scale)
    if not 0 < wh <= register.plausible_wh(line_w(state), hours_between(last.at, new.at)):
        return state
    return replace(state, unattributed_wh=state.unattributed_wh + wh)
