"""Charging profiles: which limit holds at an instant, and when it changes next. Pure, for both OCPP versions.

A TxProfile outranks a TxDefaultProfile, a station maximum caps both, no profile means no limit. Within a purpose
the highest stack level that has something to say at the instant wins (OCPP 1.6 section 3.13, 2.0.1 part 2 K01); of
two of one level, the one for the outlet outranks the one for the whole station (1.6 section 3.13.1).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

RECURRENCE = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}


class Purpose(StrEnum):
    """What a profile is for, in the words of OCPP 1.6 (2.0.1 says ChargingStationMaxProfile)."""

    STATION_MAX = "ChargePointMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"


class Unit(StrEnum):
    """Unit of a schedule's limits: A per phase, W over all phases."""

    AMPERE = "A"
    WATT = "W"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A limit from so many seconds after the schedule's start on."""

    start_s: int
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Periods in order. ``start`` None: the transaction's start. ``duration_s`` None: without end."""

    unit: Unit
    periods: tuple[Period, ...]
    start: datetime | None = None
    duration_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One installed profile. ``recurrence`` is None unless it repeats; ``evse`` 0 is the whole station."""

    id: int
    stack_level: int
    purpose: Purpose
    schedule: Schedule
    evse: int = 1
    relative: bool = False
    recurrence: timedelta | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What turns W into A: phases built in and phase-to-neutral voltage.

    A schedule's own numberPhases is not used: this station cannot switch phases, so dividing by what is built in
    is what keeps the total under the limit.
    """

    phases: int
    voltage_v: float

    def amperes(self, limit: float, unit: Unit) -> float:
        """Return a limit as a current per phase in A."""
        return limit if unit is Unit.AMPERE else limit / self.phases / self.voltage_v

    def limit(self, current_a: float, unit: Unit) -> float:
        """Return a current per phase as a limit in ``unit``."""
        return current_a if unit is Unit.AMPERE else current_a * self.phases * self.voltage_v


def limit_a(profiles: Iterable[Profile], now: datetime, *, tx_start: datetime | None, wiring: Wiring) -> float | None:
    """Return the limit per phase in A that holds now; None when no profile says anything."""
    by_purpose: dict[Purpose, float] = {}
    for profile in sorted(profiles, key=lambda profile: (profile.stack_level, profile.evse)):
        current_a = _profile_a(profile, now, tx_start or now, wiring)
        if current_a is not None:
            by_purpose[profile.purpose] = current_a
    wanted = by_purpose.get(Purpose.TX, by_purpose.get(Purpose.TX_DEFAULT))
    limits = [value for value in (wanted, by_purpose.get(Purpose.STATION_MAX)) if value is not None]
    return min(limits, default=None)


def next_change(profiles: Iterable[Profile], now: datetime, *, tx_start: datetime | None) -> datetime | None:
    """Return the first instant after ``now`` at which a profile's say may change."""
    instants = (at for profile in profiles for at in _instants(profile, now, tx_start or now))
    return min((at for at in instants if at > now), default=None)


def install(profiles: Iterable[Profile], new: Profile) -> tuple[Profile, ...]:
    """Put a profile in; one of the same id, or of the same purpose, level and EVSE, makes room."""
    place = (new.purpose, new.stack_level, new.evse)
    kept = (old for old in profiles if old.id != new.id and (old.purpose, old.stack_level, old.evse) != place)
    return (*kept, new)


def _origin(profile: Profile, now: datetime, tx_start: datetime) -> datetime:
    """Start of the run of the schedule that holds ``now``, or of the first run if that is still to come."""
    start = tx_start if profile.relative else profile.schedule.start or tx_start
    if profile.recurrence is None or now < start:
        return start
    return start + (now - start) // profile.recurrence * profile.recurrence


def _profile_a(profile: Profile, now: datetime, tx_start: datetime, wiring: Wiring) -> float | None:
    if profile.valid_from is not None and now < profile.valid_from:
        return None
    if profile.valid_to is not None and now >= profile.valid_to:
        return None
    elapsed_s = (now - _origin(profile, now, tx_start)).total_seconds()
    schedule = profile.schedule
    if schedule.duration_s is not None and elapsed_s >= schedule.duration_s:
        return None
    begun = [period for period in schedule.periods if period.start_s <= elapsed_s]
    return wiring.amperes(begun[-1].limit, schedule.unit) if begun else None


def _instants(profile: Profile, now: datetime, tx_start: datetime) -> Iterator[datetime]:
    yield from (at for at in (profile.valid_from, profile.valid_to) if at is not None)
    origin = _origin(profile, now, tx_start)
    if profile.recurrence is not None:
        yield origin + profile.recurrence
    if profile.schedule.duration_s is not None:
        yield origin + timedelta(seconds=profile.schedule.duration_s)
    for period in profile.schedule.periods:
        yield origin + timedelta(seconds=period.start_s)
