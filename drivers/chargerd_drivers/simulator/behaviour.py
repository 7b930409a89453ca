"""The knobs: how a charger and its car differ from what the standards say. Frozen; the defaults are well-behaved.

Each knob is read at one place. ``merged`` puts several behaviours together and refuses what contradicts itself.
"""

from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from chargerd_drivers.simulator.profiles import Purpose, Unit

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


class StartPoint(StrEnum):
    """What a transaction begins with (OCPP 2.0.1 part 2, TxStartPoint)."""

    EV_CONNECTED = "EVConnected"
    AUTHORIZED = "Authorized"
    POWER_PATH_CLOSED = "PowerPathClosed"
    ENERGY_TRANSFER = "EnergyTransfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How requests are answered, and what the station's clock is worth. Times are in seconds of the clock.

    ``answer_after_s``: from so long to so long after a request it is carried out and answered, one at a time.
    ``unanswered``: requests that are carried out and never answered. ``early_s``: a request that comes so soon after
    the answer to a boot makes the station restart. ``deaf_after_s``: a connection so old hears no request any more.
    ``clock_off_s``: how far the station's clock is ahead.
    """

    answer_after_s: tuple[float, float] | None = None
    unanswered: frozenset[str] = frozenset()
    early_s: float | None = None
    deaf_after_s: float | None = None
    clock_off_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """What is told of the plug.

    ``preparing``: a car that is plugged in is told before a transaction begins (1.6). ``finishing_s``: so long after a
    transaction the connector is ready again with the same car; None: when the car left. ``finishing_is_available``:
    in between it is told to be Available. ``available_first``: when a car leaves while it charges, that is told before
    the transaction's end (1.6; in 2.0.1 it is the rule).
    """

    preparing: bool = True
    finishing_s: float | None = None
    finishing_is_available: bool = False
    available_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transactions:
    """How transactions begin and end.

    ``autostart``: the id token with which one begins by itself at plug-in. ``only_id``: the only token that is taken
    (1.6; told under the key PlugAndChargeIdentifier). ``lasts_s``: one that was started from afar ends by itself after
    so long. ``stop_is_terminal``: after the end no other one begins before the plug was out, or a restart.
    ``obeys_stop`` False: a remote stop is Rejected. ``authorize_first``: a remote start is answered when the token that
    it names was asked about (1.6). ``unnumbered_offline``: what is told later of a transaction that began without a
    connection goes by the id -1 (1.6). ``survives_restart``: a restart ends no transaction.

    Of 2.0.1: ``start_point``; ``until_unplug``: a stop only ends the charging, the transaction goes on until the car
    leaves; ``evse_late``: the second event says where, not the first; ``start_named`` False: the id of a remote start
    is never told.
    """

    autostart: str | None = None
    only_id: str | None = None
    lasts_s: float | None = None
    stop_is_terminal: bool = False
    obeys_stop: bool = True
    authorize_first: bool = False
    unnumbered_offline: bool = False
    survives_restart: bool = False
    start_point: StartPoint = StartPoint.POWER_PATH_CLOSED
    until_unplug: bool = False
    evse_late: bool = False
    start_named: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which charging profiles are taken, and what they do.

    ``deaf``: purposes that are taken during a transaction and heeded from the next one on. ``amperes_are_watts``: a
    limit in A is taken for W. ``transaction_id``: a TxProfile must name its transaction (1.6). ``first_period_only``:
    the later periods of a schedule are ignored. ``start_ignored``: an absolute schedule counts from the transaction's
    start. ``replaces`` False: a profile of an id, or of a purpose and level, that is there already is Rejected, and
    after that every other one for the same transaction. ``clears`` False: a clear is answered Unknown and does nothing.
    ``stale_a``: a TxDefaultProfile of the highest level that somebody left there.

    ``zero_stops``: a limit under 6 A ends the transaction; one that begins under such a limit ends after a second, and
    no other begins before the plug was out. ``resumes_free``: after a pause no limit is heeded before the next one is
    set. ``first_free``: the same in the first transaction after a start. ``offline_free``: without a connection
    profiles are forgotten. ``forgets``: a restart takes all profiles.
    """

    purposes: frozenset[Purpose] = frozenset(Purpose)
    deaf: frozenset[Purpose] = frozenset()
    units: frozenset[Unit] = frozenset(Unit)
    amperes_are_watts: bool = False
    transaction_id: bool = False
    stack_level_max: int = 10
    periods_max: int = 24
    first_period_only: bool = False
    absolute: bool = True
    start_ignored: bool = False
    needs_car: bool = False
    replaces: bool = True
    clears: bool = True
    stale_a: float | None = None
    zero_stops: bool = False
    resumes_free: bool = False
    first_free: bool = False
    offline_free: bool = False
    forgets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What is told of the meter, and how.

    ``pushed`` False: samples come only when they are asked for. ``interval_s``: the only interval, and no samples on
    the quarter hour. ``measurands``: the only ones in samples, whatever is asked for. ``per_session``: the register
    counts from plug-in. ``offset_wh``: a periodic sample shows so much more than there is. ``kwh``: energy and power
    are told in kWh and kW. ``per_phase``: the register is told for each phase and not in total. ``bare``: a register
    has neither name nor unit (1.6). ``comma``: fractions are spelled with a comma (1.6). ``multiplier``: values are
    divided by its power of ten, and say so (2.0.1). ``ends`` False: the registers of a transaction's start and end
    are 0 (1.6), or what a sample tells (2.0.1). ``named`` False: samples go by the transaction id 0 (1.6).
    ``with_end``: samples of a transaction come all together with its end (2.0.1).
    """

    pushed: bool = True
    interval_s: int | None = None
    measurands: frozenset[str] | None = None
    per_session: bool = False
    offset_wh: int = 0
    kwh: bool = False
    per_phase: bool = False
    bare: bool = False
    comma: bool = False
    multiplier: int = 0
    ends: bool = True
    named: bool = True
    with_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the station says of itself. ``deadly_key``: it restarts when it is asked for this one by name (1.6).

    ``feigned``: every change is accepted and none is made. ``items_max``: more variables in one message are an error
    (2.0.1). ``endless_report``: no part of a report is the last one (2.0.1).
    """

    deadly_key: str | None = None
    feigned: bool = False
    items_max: int = 16
    endless_report: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """The car. ``sleeps_after_s``: paused for so long it takes nothing until another transaction begins or the plug was
    out. ``sleep_is_charging``: the charger says Charging all the same.
    """

    sleeps_after_s: float | None = None
    sleep_is_charging: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """All knobs, by concern."""

    connection: Connection = field(default_factory=Connection)
    statuses: Statuses = field(default_factory=Statuses)
    transactions: Transactions = field(default_factory=Transactions)
    limits: Limits = field(default_factory=Limits)
    meter: Meter = field(default_factory=Meter)
    configuration: Configuration = field(default_factory=Configuration)
    vehicle: Vehicle = field(default_factory=Vehicle)


def merged(base: T, more: T, path: str = "") -> T:
    """Put two values of one dataclass together. Raises ValueError, with the knob's path, where they contradict."""
    plain = type(base)()
    changes = {}
    for knob in fields(base):
        ours, theirs, usual = (getattr(value, knob.name) for value in (base, more, plain))
        place = f"{path}{knob.name}"
        if is_dataclass(usual):
            changes[knob.name] = merged(ours, theirs, f"{place}.")
        elif theirs != usual:
            if ours not in {usual, theirs}:
                raise ValueError(f"{place} cannot be both {_spelled(ours)} and {_spelled(theirs)}")
            changes[knob.name] = theirs
    return replace(base, **changes)


def _spelled(value: object) -> str:
    if isinstance(value, frozenset):
        return " and ".join(sorted(str(member) for member in value)) or "nothing"
    return repr(value) if isinstance(value, str) else str(value)
