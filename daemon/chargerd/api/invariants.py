"""What must hold of any session document. For tests and diagnosis; nothing is served through it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from chargerd.api.documents import (
    CurrentSession,
    ImmediateStartOutcome,
    RegularOutcome,
    SettledSession,
    Statistics,
    compact,
    dump_session,
    parse_session,
)

SHOWN_KWH = 0.05
"""How far sums may be apart by rounding, in kWh."""

_QUARTER_S = 900

Session = CurrentSession | SettledSession


def check(document: dict[str, Any]) -> tuple[str, ...]:
    """Return the broken rules of a session document in words; () when it is sound."""
    session = parse_session(compact(document))
    if dump_session(session) != compact(document):
        return ("keys: their order differs from the published one",)
    return tuple(_broken(session))


def check_series(document: dict[str, Any], *, now: datetime | None = None) -> tuple[str, ...]:
    """Return what is wrong with the grid and the sums of a document that is not abridged.

    ``now`` is for ACTIVE documents: no interval may start after it.
    """
    session = parse_session(compact(document))
    if session.statistics.aggregated is None:
        return ()
    return tuple(_series(session, now))


def check_ledger(document: dict[str, Any], ledger: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return where a settled document and its ledger of integer Wh disagree."""
    session = parse_session(compact(document))
    aggregated = session.statistics.aggregated
    broken = []
    total_wh = sum(cell["wh"] for cell in ledger)
    if aggregated is None or abs(total_wh - aggregated.kwh_sum * 1000) > 1:
        broken.append(f"ledger: {total_wh} Wh, the document says {aggregated and aggregated.kwh_sum} kWh")
    if [cell["startAt"] for cell in ledger] != [entry.start_at for entry in session.statistics.timeseries]:
        broken.append("ledger: its quarter hours are not those of the series")
    return tuple(broken)


def _broken(session: Session) -> Iterator[str]:
    yield from _blocks(session)
    if session.state == "UPCOMING":
        yield from _upcoming(session)
    elif isinstance(session, SettledSession):
        yield from _settled(session)
    else:
        yield from _active(session)
    yield from _outcome(session)


def _upcoming(session: Session) -> Iterator[str]:
    if session.plugged_in_at is not None:
        yield "UPCOMING: pluggedInAt is not null"
    if session.blocks:
        yield "UPCOMING: blocks is not empty"
    if session.statistics != Statistics(aggregated=None, timeseries=[]):
        yield "UPCOMING: statistics are not empty"
    if session.outcome.latest is not None:
        yield "UPCOMING: outcome is not null"


def _active(session: Session) -> Iterator[str]:
    if session.plugged_in_at is None:
        yield "ACTIVE: pluggedInAt is null"
    yield from _measured(session)


def _settled(session: SettledSession) -> Iterator[str]:
    if _at(session.plugged_out_at) < _at(session.plugged_in_at):
        yield "SETTLED: pluggedOutAt is before pluggedInAt"
    if any(_at(block.end_at) > _at(session.plugged_out_at) for block in session.blocks):
        yield "SETTLED: a block ends after pluggedOutAt"
    if session.error.latest is not None:
        yield "SETTLED: error is not null"
    if session.policy_id is None and (session.blocks or session.target.latest or session.outcome.latest):
        yield "unmanaged: blocks, target or outcome are there"
    yield from _measured(session)
    aggregated = session.statistics.aggregated
    if session.policy_id is not None and aggregated is not None:
        in_blocks = sum(block.kwh_sum for block in session.blocks)
        if abs(in_blocks - aggregated.kwh_sum) > SHOWN_KWH:
            yield f"SETTLED: {in_blocks:.3f} kWh in blocks, {aggregated.kwh_sum} kWh in all"


def _measured(session: Session) -> Iterator[str]:
    aggregated = session.statistics.aggregated
    if aggregated is None:
        yield "plugged in: aggregated is null"
    elif aggregated.kwh_sum < 0:
        yield "aggregated: kwhSum is negative"
    starts = [entry.start_at for entry in session.statistics.timeseries]
    if starts and starts[0] != session.plugged_in_at:
        yield "series: it does not start at pluggedInAt"
    if any(_at(later) <= _at(earlier) for earlier, later in pairwise(starts)):
        yield "series: not strictly increasing"
    if session.plugged_out_at is not None and any(_at(start) > _at(session.plugged_out_at) for start in starts):
        yield "series: an entry starts after pluggedOutAt"


def _blocks(session: Session) -> Iterator[str]:
    if any(_at(block.end_at) <= _at(block.start_at) for block in session.blocks):
        yield "blocks: one does not end after its start"
    if any(_at(later.start_at) < _at(earlier.end_at) for earlier, later in pairwise(session.blocks)):
        yield "blocks: unsorted or overlapping"


def _outcome(session: Session) -> Iterator[str]:
    outcome, target = session.outcome.latest, session.target.latest
    if outcome is None:
        return
    if target is None or outcome.type != target.type or outcome.target_id != target.id:
        yield "outcome: it judges another target than the latest"
    if isinstance(outcome, ImmediateStartOutcome):
        return
    yield from _projection(outcome)


def _projection(outcome: RegularOutcome) -> Iterator[str]:
    projections = (outcome.battery_level_at_ready_by, outcome.minimum_charge_target_reached_at)
    if outcome.state == "ON_TARGET" and projections != (None, None):
        yield "outcome: ON_TARGET with a projection"
    if outcome.state == "OFF_TARGET" and outcome.battery_level_at_ready_by is None:
        yield "outcome: OFF_TARGET without batteryLevelAtReadyBy"


def _series(session: Session, now: datetime | None) -> Iterator[str]:
    entries = session.statistics.timeseries
    starts = [_at(entry.start_at) for entry in entries]
    if any(start.timestamp() % _QUARTER_S for start in starts[1:]):
        yield "series: an entry after the first is not on a clock quarter"
    quarters = [start.timestamp() // _QUARTER_S for start in starts]
    if any(later - earlier != 1 for earlier, later in pairwise(quarters)):
        yield "series: a quarter is left out or told twice"
    if now is not None and any(start > now for start in starts):
        yield "series: an entry has not begun yet"
    aggregated = session.statistics.aggregated
    if isinstance(session, SettledSession) and aggregated is not None:
        edges = [*starts, _at(session.plugged_out_at)]
        hours = [(end - start).total_seconds() / 3600 for start, end in pairwise(edges)]
        in_series = sum(entry.kwh * length for entry, length in zip(entries, hours, strict=True))
        if abs(in_series - aggregated.kwh_sum) > SHOWN_KWH:
            yield f"series: {in_series:.3f} kWh under the curve, {aggregated.kwh_sum} kWh in all"


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
