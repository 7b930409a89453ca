"""Register samples become energy on the grid, placed by the sample's own time.

The register is read in *epochs*: from the epoch's first reading on, what it rose by is the truth, and the ledger
counts the difference to what it has counted since. An epoch ends where the register begins anew. What is counted from
power alone, where the register has not moved yet, is tentative: the register corrects it when it moves, and settlement
takes back what was too much, so that a sum never falls while a car is plugged in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import assert_never

from chargerd.core.frozen import replace
from chargerd.core.ledger import Delta, cell_at, counted, covered, split_wh, worse
from chargerd.core.meter import Meter, accrued, flow_w, flows, integral_wh, with_power
from chargerd.core.model import Interval, Ledger, Quality, Reading, Tentative
from chargerd.core.units import hours_between

MEASURED_WITHIN = timedelta(minutes=5)
"""Samples closer than this place energy well enough to call it measured."""

PENDING_MOST = 64
"""So many readings wait at the most; then the last one stands for those before it."""

STEADY_SHARE = 0.9
"""A register that rose by this share of what the power seen at both ends makes has risen all the time."""

PLAUSIBLE_FACTOR = 1.2
PLAUSIBLE_CLOCK_ERROR = timedelta(minutes=2)
PLAUSIBLE_SLACK_WH = 1100
"""A register that moved by more than the cable can carry, clocks allowed for, has begun to count anew. Registers that
show whole kWh move by one at once."""
WRAP_WH = 2.0**32
"""Registers are kept in 32 bits by many chargers, and told with 2^32 too much by some (Zaptec Go 2)."""

FROZEN_FROM_WH, FROZEN_STEPS = 200.0, 3
"""A register that stands still though so much flowed, and more than some of its smallest steps, is not believed."""
JUDGED_FROM_WH = 500.0
"""So much energy by power must have flowed before the register is judged by it."""
LEAP_JUDGED_FROM_WH = 50.0
"""A leap by a thousand times what flowed is no coincidence, and large registers have small steps."""
PROVEN_FROM_WH, PROVEN_JUDGED_FROM_WH = 100.0, 2000.0
"""A register that has counted so much by small steps is believed until so much has flowed while it stood still."""
FROZEN_SHARE = 0.1
"""A register that moved by less than this share of it does not count what flows."""
LABEL_FACTOR = 1000.0
"""kWh labelled Wh, or Wh labelled kWh."""
LABEL_FROM, LABEL_TO = 0.5, 2.0
LABEL_UNTIL_WH = 10.0
"""A register that has counted so much since it began does not show kWh."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a sample came to. ``slope`` is what the register rose by since it was last read; None without one.

    ``pieces`` are the stretches that energy was newly placed on, oldest first; a stretch of 0 Wh says that nothing
    flowed in it.
    """

    ledger: Ledger
    pieces: tuple[Delta, ...] = ()
    slope: Delta | None = None


class _Verdict(Enum):
    """What a reading is, compared with the last one."""

    RISEN = auto()
    SAME = auto()
    FALLEN = auto()
    ELSEWHERE = auto()


def anchored(ledger: Ledger, at: datetime, register_wh: float) -> Ledger:
    """Begin an epoch: count from this register reading on."""
    return replace(
        ledger,
        epoch_wh=register_wh,
        epoch_counted_wh=0,
        epoch_excess_wh=0,
        anchor_wh=register_wh,
        anchor_at=at,
        dip_wh=None,
        dip_at=None,
        tentative=(),
    )


def _anchor(ledger: Ledger) -> tuple[float, datetime] | None:
    """The last register reading that was counted, and its time; None before the first."""
    if ledger.anchor_wh is None:
        return None
    assert ledger.anchor_at is not None
    return ledger.anchor_wh, ledger.anchor_at


def based(ledger: Ledger, plugged_in_at: datetime, register_wh: float) -> Ledger:
    """Take a reading from before plug-in, told late: what flowed until then is not this visit's."""
    anchor = _anchor(ledger)
    if anchor is None:
        return anchored(ledger, plugged_in_at, register_wh)
    anchor_wh, anchor_at = anchor
    is_higher = anchor_at <= plugged_in_at and register_wh > anchor_wh
    return anchored(ledger, plugged_in_at, register_wh) if is_higher else ledger


def sampled(ledger: Ledger, meter: Meter) -> Counted:
    """Take a sample and say what flowed since the last one. One from before the last counted one is ignored.

    While the charger may have more to tell of a time without connection, a reading from now waits for it: what was
    told meanwhile says when the energy flowed.
    """
    if ledger.pending and meter.at < ledger.pending[0].at:
        return _read(ledger, meter)
    if meter.queue_waits and (ledger.pending or (_is_gap(ledger, meter.at) and not _is_plain(ledger, meter))):
        waits = Reading(at=meter.at, register_wh=meter.register_wh, power_w=meter.power_w)
        kept = ledger.pending if len(ledger.pending) < PENDING_MOST else ledger.pending[:-1]
        return Counted(replace(ledger, pending=(*kept, waits)))
    released = drained(ledger, meter)
    result = _read(released.ledger, replace(meter, recovered=False) if ledger.pending else meter)
    return Counted(result.ledger, released.pieces + result.pieces, result.slope)


def drained(ledger: Ledger, meter: Meter) -> Counted:
    """Count the readings that waited: the charger has told what it had to tell. ``meter`` tells of the line only."""
    pieces: list[Delta] = []
    waiting, ledger = ledger.pending, replace(ledger, pending=())
    for index, reading in enumerate(waiting):
        waited = replace(
            meter,
            at=reading.at,
            register_wh=reading.register_wh,
            power_w=reading.power_w,
            recovered=index == 0,
        )
        result = _read(ledger, waited)
        ledger = result.ledger
        pieces.extend(result.pieces)
    return Counted(ledger, tuple(pieces))


def _is_gap(ledger: Ledger, at: datetime) -> bool:
    """Tell whether energy may have flowed that no reading tells of yet; before the first one, nobody knows."""
    seen_at = _seen_at(ledger)
    return seen_at is None or at - seen_at > MEASURED_WITHIN


def _is_plain(ledger: Ledger, meter: Meter) -> bool:
    """Tell whether the register leaves no question of when it was: nothing flowed, or what flows now did all along."""
    anchor = _anchor(ledger)
    if meter.register_wh is None or anchor is None:
        return False
    anchor_wh, anchor_at = anchor
    risen = (meter.register_wh - anchor_wh) * ledger.scale
    steady_wh = min(flow_w(ledger.power_w), flow_w(meter.power_w)) * hours_between(anchor_at, meter.at)
    return round(risen) == 0 or 0 < STEADY_SHARE * steady_wh <= risen


def _seen_at(ledger: Ledger) -> datetime | None:
    """When the meter was last read, by register or by power."""
    times = [at for at in (ledger.anchor_at, ledger.power_at) if at is not None]
    return max(times, default=None)


def _read(ledger: Ledger, meter: Meter) -> Counted:
    """Count a reading now. Each rule for a register that misbehaves stands in one arm."""
    known_at = ledger.anchor_at or ledger.power_at
    if known_at is not None and meter.at < known_at:
        return Counted(ledger)
    if meter.register_wh is None:
        return _integrated(ledger, meter)
    anchor = _anchor(ledger)
    if anchor is None:
        return _begun(ledger, meter, meter.register_wh)
    anchor_wh, anchor_at = anchor
    if ledger.epoch_wh is None:
        ledger = replace(ledger, epoch_wh=anchor_wh)  # a visit that an earlier version began
    ledger, verdict = _compared(ledger, anchor_wh, anchor_at, meter)
    match verdict:
        case _Verdict.SAME:
            return _unmoved(ledger, meter)
        case _Verdict.RISEN:
            return _risen(ledger, meter)
        case _Verdict.FALLEN:
            return _fallen(ledger, meter)
        case _Verdict.ELSEWHERE:
            return _begun(ledger, meter, meter.register_wh)
        case _:
            assert_never(verdict)


def _begun(ledger: Ledger, meter: Meter, register_wh: float) -> Counted:
    """Begin an epoch with this reading; until now power alone tells."""
    result = _integrated(ledger, meter)
    return Counted(anchored(result.ledger, meter.at, register_wh), result.pieces)


def _compared(ledger: Ledger, anchor_wh: float, anchor_at: datetime, meter: Meter) -> tuple[Ledger, _Verdict]:
    """Judge a reading against the last one; the ledger comes back with the epoch moved where the register wrapped."""
    assert meter.register_wh is not None
    risen = (meter.register_wh - anchor_wh) * ledger.scale
    if meter.at == anchor_at and risen < 0:
        return ledger, _Verdict.SAME
    most = plausible_wh(meter.power_max_w, hours_between(anchor_at, meter.at + PLAUSIBLE_CLOCK_ERROR))
    if -0.5 <= risen <= most:
        return ledger, _Verdict.RISEN if round(risen) >= 1 else _Verdict.SAME
    for wrap in (WRAP_WH, -WRAP_WH):
        if 0 <= risen + wrap * ledger.scale <= most:
            assert ledger.epoch_wh is not None
            moved = replace(ledger, epoch_wh=ledger.epoch_wh - wrap, anchor_wh=anchor_wh - wrap)
            return moved, _Verdict.RISEN if round(risen + wrap * ledger.scale) >= 1 else _Verdict.SAME
    if risen < 0:
        return ledger, _Verdict.FALLEN
    flowed = _tentative_wh(ledger) + ledger.carry_wh + integral_wh(ledger, meter)
    judges = flowed >= LEAP_JUDGED_FROM_WH and not _is_fine(ledger)
    if judges and LABEL_FROM <= risen / LABEL_FACTOR / flowed <= LABEL_TO:
        return replace(ledger, scale=ledger.scale / LABEL_FACTOR), _Verdict.RISEN
    return ledger, _Verdict.ELSEWHERE


def _is_fine(ledger: Ledger) -> bool:
    """Tell whether the register has moved by single watt-hours: then its unit is not wrong."""
    return ledger.step_wh is not None and ledger.step_wh < LABEL_FACTOR / 2


def plausible_wh(power_max_w: float, hours: float) -> float:
    """The most that a register may rise by in Wh over a cable of this power, in so many hours."""
    return power_max_w * hours * PLAUSIBLE_FACTOR + PLAUSIBLE_SLACK_WH


def _unmoved(ledger: Ledger, meter: Meter) -> Counted:
    """The register stands where it stood: nothing flowed, or it moves in larger steps than that, or it is frozen."""
    ledger = replace(ledger, dip_wh=None, dip_at=None)
    assert ledger.anchor_at is not None
    slope = Delta(ledger.anchor_at, meter.at, 0, Quality.MEASURED)
    goes_on = flows(ledger.power_w) and (flows(meter.power_w) or _is_untold(ledger, meter))
    flowed_wh = float(_tentative_wh(ledger))
    if goes_on:
        flowed_wh += ledger.carry_wh + integral_wh(ledger, meter)
    if flowed_wh > _frozen_from_wh(ledger):
        result = _integrated(ledger, meter)
        return Counted(result.ledger, result.pieces, slope)
    ledger = accrued(ledger, meter)
    if goes_on:
        return Counted(ledger, (), slope)
    excess = (*ledger.excess, *ledger.tentative)
    excess_wh = ledger.epoch_excess_wh + _tentative_wh(ledger)
    ledger = replace(
        _confirmed(ledger, slope.quality),
        anchor_at=meter.at,
        carry_wh=0.0,
        carry_since=None,
        excess=excess,
        epoch_excess_wh=excess_wh,
    )
    return Counted(ledger, (slope,), slope)


def _is_untold(ledger: Ledger, meter: Meter) -> bool:
    """Tell whether power comes in messages of its own, and the last one is recent."""
    assert ledger.power_at is not None
    recent = meter.at - ledger.power_at <= MEASURED_WITHIN
    return meter.power_w is None and recent and not meter.recovered


def _with_excess(ledger: Ledger, excess_wh: int) -> Ledger:
    """Remember where power told more than the register did: what is tentative now, or less of what was known.

    What flows later and is not counted makes good for it.
    """
    more_wh = excess_wh - ledger.epoch_excess_wh
    excess = list(ledger.excess)
    if more_wh > 0 and not ledger.tentative:
        start = ledger.cells[0].start  # the unit was wrong from the beginning
        excess.append(Tentative(start, start, more_wh, Quality.ESTIMATED))
    elif more_wh > 0:
        shares = split_wh(more_wh, [float(part.wh) for part in ledger.tentative])
        excess += [replace(part, wh=wh) for part, wh in zip(ledger.tentative, shares, strict=True) if wh]
    while more_wh < 0 and excess:
        last = excess.pop()
        more_wh += last.wh
        if more_wh > 0:
            excess.append(replace(last, wh=more_wh))
    return replace(ledger, excess=tuple(excess), epoch_excess_wh=excess_wh)


def _frozen_from_wh(ledger: Ledger) -> float:
    return max(FROZEN_FROM_WH, FROZEN_STEPS * (ledger.step_wh or 0.0))


def _tentative_wh(ledger: Ledger) -> int:
    return sum(part.wh for part in ledger.tentative)


def _fallen(ledger: Ledger, meter: Meter) -> Counted:
    """A single reading below the last one is a fault of the meter, or an old one told late.

    When the next is below it too, the register has begun to count anew: from zero, if what it shows can have flowed
    since, else from the first of the two.
    """
    assert meter.register_wh is not None
    dip_wh, dip_at = ledger.dip_wh, ledger.dip_at
    if dip_wh is None or dip_at is None or not dip_wh <= meter.register_wh or meter.at <= dip_at:
        result = _integrated(ledger, meter)
        return Counted(replace(result.ledger, dip_wh=meter.register_wh, dip_at=meter.at), result.pieces)
    anchor_at = ledger.anchor_at
    assert anchor_at is not None
    can_wh = meter.power_max_w * hours_between(anchor_at, dip_at) * PLAUSIBLE_FACTOR
    if dip_wh * ledger.scale <= can_wh:
        begun = replace(anchored(ledger, anchor_at, 0.0), tentative=ledger.tentative)
        begun = replace(begun, epoch_counted_wh=_tentative_wh(ledger))
    else:
        begun = anchored(ledger, dip_at, dip_wh)
    # Power over the stretch in which it began anew says nothing against a register that moves.
    result = _read(begun, replace(meter, power_w=None))
    return Counted(with_power(result.ledger, meter), result.pieces, result.slope)


def _risen(ledger: Ledger, meter: Meter) -> Counted:
    """The register moved: it tells the truth of what was tentative, unless it does not count what flows at all."""
    assert meter.register_wh is not None
    last_wh = ledger.carry_wh + integral_wh(ledger, meter)
    ledger, is_believed = _judged(ledger, meter.register_wh, last_wh)
    if not is_believed:
        return _begun(ledger, meter, meter.register_wh)
    anchor = _anchor(ledger)
    assert anchor is not None
    anchor_wh, anchor_at = anchor
    assert ledger.epoch_wh is not None
    risen_wh = (meter.register_wh - anchor_wh) * ledger.scale
    true_wh = round((meter.register_wh - ledger.epoch_wh) * ledger.scale)
    owed_wh = max(true_wh - ledger.epoch_counted_wh, 0)
    excess_wh = max(ledger.epoch_counted_wh - true_wh, 0)
    quality = _quality(anchor_at, meter)
    slope = Delta(anchor_at, meter.at, round(risen_wh), quality)
    pieces = _placed(ledger, meter, owed_wh, last_wh, quality)
    ledger = _confirmed(_with_excess(ledger, excess_wh), quality)
    ledger = replace(
        ledger,
        anchor_wh=meter.register_wh,
        anchor_at=meter.at,
        dip_wh=None,
        dip_at=None,
        epoch_counted_wh=ledger.epoch_counted_wh + owed_wh,
        carry_wh=0.0,
        carry_since=None,
        step_wh=risen_wh if ledger.step_wh is None else min(ledger.step_wh, risen_wh),
    )
    return Counted(with_power(_counted(ledger, pieces), meter), pieces, slope)


def _judged(ledger: Ledger, register_wh: float, last_wh: float) -> tuple[Ledger, bool]:
    """Judge a register that moved by the power: does it show kWh, and does it count what flows at all?

    One that has counted is likelier to be right than power that was told late, or over a stretch of time that is not
    known well: against it speaks only what flowed while it stood still. ``last_wh`` is what power tells of since then.
    """
    assert ledger.anchor_wh is not None
    assert ledger.epoch_wh is not None
    tentative_wh = _tentative_wh(ledger)
    flowed_wh = tentative_wh + last_wh
    if flowed_wh < JUDGED_FROM_WH:
        return ledger, True
    risen_wh = (register_wh - ledger.anchor_wh) * ledger.scale
    counted_wh = (ledger.anchor_wh - ledger.epoch_wh) * ledger.scale
    if LABEL_FROM <= risen_wh * LABEL_FACTOR / flowed_wh <= LABEL_TO and counted_wh < LABEL_UNTIL_WH:
        return replace(ledger, scale=ledger.scale * LABEL_FACTOR), True
    is_proven = _is_fine(ledger) and counted_wh >= PROVEN_FROM_WH
    is_trusted = is_proven and tentative_wh + ledger.carry_wh < PROVEN_JUDGED_FROM_WH
    return ledger, is_trusted or risen_wh >= FROZEN_SHARE * flowed_wh


def _quality(since: datetime, meter: Meter) -> Quality:
    if meter.recovered:
        return Quality.RECOVERED
    return Quality.MEASURED if meter.at - since <= MEASURED_WITHIN else Quality.INTERPOLATED


def _placed(ledger: Ledger, meter: Meter, owed_wh: int, last_wh: float, quality: Quality) -> tuple[Delta, ...]:
    """Say when energy flowed that the register tells of now.

    Where power was integrated since the last move, its profile tells; else a long stretch is filled at the power that
    was seen at one of its ends, for a car that charged went on until something stopped it. One that charges at both
    ends of a stretch without an outage did so all the time.
    """
    assert ledger.anchor_at is not None
    if ledger.tentative:
        rest_wh = max(owed_wh - round(last_wh), 0)
        shares = split_wh(rest_wh, [float(part.wh) for part in ledger.tentative])
        parts = [
            Delta(part.start, part.end, wh, quality) for part, wh in zip(ledger.tentative, shares, strict=True) if wh
        ]
        last = Delta(ledger.tentative[-1].end, meter.at, owed_wh - rest_wh, quality)
        return (*parts, last) if last.wh or not flows(meter.power_w) else tuple(parts)
    span = Delta(ledger.anchor_at, meter.at, owed_wh, quality)
    if span.end - span.start <= MEASURED_WITHIN:
        return (span,)
    before_w = ledger.power_w if flows(ledger.power_w) else None
    after_w = meter.power_w if flows(meter.power_w) else None
    if before_w is not None and after_w is not None and not meter.recovered:
        return (span,)
    if before_w is not None and span.mean_w < before_w:
        edge = span.start + timedelta(hours=owed_wh / before_w)
        return Delta(span.start, edge, owed_wh, quality), Delta(edge, span.end, 0, quality)
    if after_w is not None and span.mean_w < after_w:
        edge = span.end - timedelta(hours=owed_wh / after_w)
        return Delta(span.start, edge, 0, quality), Delta(edge, span.end, owed_wh, quality)
    return (span,)


def _confirmed(ledger: Ledger, quality: Quality) -> Ledger:
    """What was tentative is the register's now: its total is measured."""
    if not ledger.tentative:
        return ledger
    cells = list(ledger.cells)
    for part in ledger.tentative:
        index = cell_at(ledger.cells, part.start)
        cells[index] = replace(cells[index], quality=worse(part.quality, quality))
    return replace(ledger, cells=tuple(cells), tentative=())


def _integrated(ledger: Ledger, meter: Meter) -> Counted:
    """Count from power alone, tentatively: there is no register, or it stands still though much flowed."""
    ledger = accrued(ledger, meter)
    wh = int(ledger.carry_wh)
    if wh == 0:
        idle = meter.power_w is not None and not flows(meter.power_w)
        return Counted(replace(ledger, carry_wh=0.0, carry_since=None) if idle else ledger)
    assert ledger.carry_since is not None
    delta = Delta(ledger.carry_since, meter.at, wh, Quality.ESTIMATED)
    ledger = covered(ledger, meter.at)
    before = ledger.cells
    ledger = counted(ledger, delta)
    ledger = replace(
        ledger,
        carry_wh=ledger.carry_wh - wh,
        carry_since=meter.at,
        epoch_counted_wh=ledger.epoch_counted_wh + wh,
        tentative=_with_tentative(ledger.tentative, before, ledger.cells, delta),
    )
    return Counted(ledger, (delta,))


def _with_tentative(
    known: tuple[Tentative, ...], before: tuple[Interval, ...], after: tuple[Interval, ...], delta: Delta
) -> tuple[Tentative, ...]:
    """Remember, cell by cell, what was counted tentatively and how good the cell was before."""
    parts = list(known)
    first = cell_at(after, delta.start)
    for old, new in zip(before[first:], after[first:], strict=True):
        if new.wh == old.wh:
            continue
        start, end = max(new.start, delta.start), min(new.end, delta.end)
        if parts and parts[-1].start >= new.start:
            parts[-1] = replace(parts[-1], end=end, wh=parts[-1].wh + new.wh - old.wh)
        else:
            parts.append(Tentative(start, end, new.wh - old.wh, old.quality))
    return tuple(parts)


def _counted(ledger: Ledger, pieces: tuple[Delta, ...]) -> Ledger:
    """Place energy on the grid in proportion to time; the parts add up to the whole, to the watt-hour."""
    for piece in pieces:
        ledger = counted(ledger, piece)
    return ledger
