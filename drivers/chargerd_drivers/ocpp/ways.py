"""Ways to say a limit, and the order in which they are tried. Pure, for both versions.

Chargers differ in which charging profile they take (purpose, unit, kind, stack level), and some accept one that then
has no effect. So a limit climbs a ladder: the way that is known to be taken first, then those that differ least.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product

from chargerd.contract import SetCurrentLimit, TransactionId

CALLS_MAX = 4
"""CALLs that one command may take."""

START_BEFORE = timedelta(seconds=60)
"""A schedule begins a minute ago, for one that begins in the future of a charger's clock says nothing until then."""
SKEW_OF_STEPS_MAX_S = 1500.0
"""A clock that is further off than this tells its local time as UTC: its schedules are by another one."""


class Purpose(StrEnum):
    """What a charging profile is for, in the words of 2.0.1."""

    TX = "TxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    STATION_MAX = "ChargingStationMaxProfile"


class Kind(StrEnum):
    """What the times of a schedule count from: an instant, or the start of the transaction."""

    ABSOLUTE = "Absolute"
    RELATIVE = "Relative"


class Unit(StrEnum):
    """A per phase, or W over all phases."""

    AMPERE = "A"
    WATT = "W"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to say a limit."""

    purpose: Purpose
    unit: Unit = Unit.AMPERE
    kind: Kind = Kind.ABSOLUTE
    stack_level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What is known of the ways that a charger takes.

    ``in_transaction`` and ``idle`` were accepted last, ``unheeded`` are ways that were accepted without effect.
    ``units`` is what the charger lists, () when it does not say; ``stack_level_max`` the highest level that it has.
    ``purpose`` and ``kind`` are what to begin with. ``whole`` tells that it takes no fractions, ``clears_first`` that
    it replaces no profile: the old one has to be cleared before. ``periods_max`` None: as many as there are.
    ``by_phases_in_use`` tells that it divides W by the phases that a car draws on, not by all.
    """

    in_transaction: Way | None = None
    idle: Way | None = None
    unheeded: tuple[Way, ...] = ()
    units: tuple[Unit, ...] = ()
    unit: Unit | None = None
    purpose: Purpose | None = None
    kind: Kind | None = None
    stack_level_max: int | None = None
    periods_max: int | None = None
    whole: bool = False
    clears_first: bool = False
    by_phases_in_use: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A way, and the form in which it is taken: how many periods at most, without fractions, after a clear."""

    way: Way
    periods_max: int | None = 1
    whole: bool = False
    clears: bool = False

    @property
    def calls(self) -> int:
        """How many CALLs it takes."""
        return 1 + self.clears


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit to be said: periods as (seconds from the start, A or W), oldest first, the last one for good.

    ``start`` None: the transaction's start. ``phases`` None: not said, which means three (2.0.1 K01.FR.52).
    """

    way: Way
    periods: tuple[tuple[int, float], ...]
    start: datetime | None
    transaction_id: TransactionId | None
    phases: int | None = None


def ladder(taste: Taste, *, in_transaction: bool, refused: frozenset[Way], low_first: bool) -> tuple[Way, ...]:
    """Return all ways, best first. Those refused are left out, unless none would remain.

    ``low_first``, for 2.0.1, begins with stack level 0 rather than with the highest: BMW/Delta take no other. In 1.6 an
    old profile of a former central system may outrank a low one.
    """
    known = taste.in_transaction if in_transaction else taste.idle
    hint = known or taste.in_transaction or taste.idle
    top = taste.stack_level_max or 0
    levels = tuple(dict.fromkeys((0, top) if low_first else (top, 0)))
    purposes = tuple(Purpose) if in_transaction else (Purpose.TX_DEFAULT, Purpose.STATION_MAX)
    first = Way(
        purpose=taste.purpose if taste.purpose in purposes else purposes[0],
        unit=taste.unit or (taste.units[0] if taste.units else Unit.AMPERE),
        kind=taste.kind or Kind.ABSOLUTE,
        stack_level=levels[0],
    )
    if hint is not None:
        first = replace(hint, purpose=known.purpose if known is not None else first.purpose)
    found = [
        way
        for purpose, unit, kind, level in product(purposes, Unit, Kind, (first.stack_level, *levels))
        if is_lawful(way := Way(purpose=purpose, unit=unit, kind=kind, stack_level=level))
    ]
    ordered = sorted(dict.fromkeys(found), key=lambda way: (way in taste.unheeded, _distance(way, first, taste)))
    return tuple(way for way in ordered if way not in refused) or tuple(ordered)


def is_lawful(way: Way) -> bool:
    """A limit of the whole station belongs to no transaction, so it cannot be relative to one (2.0.1 K01.FR.38)."""
    return way.purpose is not Purpose.STATION_MAX or way.kind is Kind.ABSOLUTE


def _distance(way: Way, first: Way, taste: Taste) -> float:
    """How unlikely a way is, given the one that is most likely; a unit that the charger does not list most of all."""
    station_wide = 3.0 if Purpose.STATION_MAX in {way.purpose, first.purpose} else 0.0
    unlisted = 6.0 if taste.units and way.unit not in taste.units else 0.0
    return (
        (way.purpose is not first.purpose) * (1.0 + station_wide)
        + (way.stack_level != first.stack_level) * 1.5
        + (way.unit is not first.unit) * 2.0
        + unlisted
        + (way.kind is not first.kind) * 3.0
    )


def attempts(
    taste: Taste, command: SetCurrentLimit, *, refused: frozenset[Way], low_first: bool
) -> tuple[Attempt, ...]:
    """Return what to try for a command, in order: no more than four CALLs."""
    in_transaction = command.transaction_id is not None
    first, *others = ladder(taste, in_transaction=in_transaction, refused=refused, low_first=low_first)
    is_known = first == (taste.in_transaction if in_transaction else taste.idle)
    periods_max = taste.periods_max if command.later and first.kind is Kind.ABSOLUTE else 1
    attempt = Attempt(way=first, periods_max=periods_max, whole=taste.whole, clears=taste.clears_first)
    found = [attempt]
    if periods_max != 1:
        found.append(attempt := replace(attempt, periods_max=1))
    if is_known and low_first and not taste.clears_first:
        found.append(replace(attempt, clears=True))
    rest = [Attempt(way=way, whole=taste.whole, clears=taste.clears_first) for way in others]
    if not taste.whole and not all(float(limit_a).is_integer() for limit_a in _limits_a(command)):
        rest.insert(1, replace(attempt, whole=True))
    found += rest
    spent = 0
    for count, tried in enumerate(found):
        spent += tried.calls
        if spent > CALLS_MAX:
            return tuple(found[:count])
    return tuple(found)


def _limits_a(command: SetCurrentLimit) -> tuple[float, ...]:
    return (command.limit_a, *(step.limit_a for step in command.later))


def limit(command: SetCurrentLimit, attempt: Attempt, *, now: datetime, skew_s: float) -> Limit:
    """Return what to say. ``skew_s`` is by how much the charger's clock is ahead; limits are rounded to 0.1.

    No duration and no end: when they are over, a charger falls back to another profile, or to none.
    """
    way = attempt.way
    start = now - START_BEFORE + timedelta(seconds=min(skew_s, 0.0))
    steps_s = skew_s if abs(skew_s) <= SKEW_OF_STEPS_MAX_S else 0.0
    periods = {0: _said(command, command.limit_a, attempt)}
    for step in command.later:
        offset_s = (step.at - start).total_seconds() + steps_s
        periods[max(round(offset_s), 0)] = _said(command, step.limit_a, attempt)
    of_transaction = way.purpose is Purpose.TX
    return Limit(
        way=way,
        periods=tuple(sorted(periods.items()))[: attempt.periods_max],
        start=start if way.kind is Kind.ABSOLUTE else None,
        transaction_id=command.transaction_id if of_transaction else None,
        phases=command.phases if way.unit is Unit.WATT and command.phases != 3 else None,
    )


def _said(command: SetCurrentLimit, limit_a: float, attempt: Attempt) -> float:
    """A limit in the way's unit; a whole one as an integer, for there are chargers that want nothing else."""
    if attempt.way.unit is Unit.WATT:
        return int(limit_a * command.voltage_v * command.phases)
    rounded = int(limit_a) if attempt.whole else round(limit_a, 1)
    return int(rounded) if float(rounded).is_integer() else rounded


def put_back(taste: Taste, *, in_transaction: bool, low_first: bool, starves: bool = False) -> Taste:
    """The way in use had no effect: it goes behind all others; when all are there, it is the only one.

    ``starves``: nothing is offered under a limit that allows it. Then 16 A may be taken for 16 W (OCPP 1.6 errata
    3.38), and W are tried before other ways to say it in A.
    """
    used = taste.in_transaction if in_transaction else taste.idle
    if used is None:
        return taste
    unheeded = (*(way for way in taste.unheeded if way != used), used)
    if starves and used.unit is Unit.AMPERE and Unit.WATT in (taste.units or Unit):
        return replace(taste, in_transaction=None, idle=None, unit=Unit.WATT, unheeded=unheeded)
    rest = ladder(taste, in_transaction=in_transaction, refused=frozenset(unheeded), low_first=low_first)
    if rest[0] in unheeded:
        unheeded = (used,)
    taste = replace(taste, unheeded=unheeded)
    return replace(taste, in_transaction=None) if in_transaction else replace(taste, idle=None)


def taken(taste: Taste, attempt: Attempt, failed: tuple[Attempt, ...], *, in_transaction: bool) -> Taste:
    """An attempt was accepted after others had been refused: what differs between them is what it took."""
    taste = replace(taste, in_transaction=attempt.way) if in_transaction else replace(taste, idle=attempt.way)
    before = [other for other in failed if other.way == attempt.way]
    if not before:
        return taste
    if attempt.clears and not taste.clears_first:
        return replace(taste, clears_first=True)
    if attempt.whole and not taste.whole:
        return replace(taste, whole=True)
    return replace(taste, periods_max=1) if before[-1].periods_max != attempt.periods_max else taste
