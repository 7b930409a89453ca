"""Everything that can happen, as facts in the past tense. Scalars, tuples and enums only.

``measured_at`` is the device's own time when it gave one; the time of arrival is the ``now`` of ``decide``.
Unknown is None, never 0. Every event names the charger, policy or vehicle it is about, and is routed by that.
OCPP 1.6 and 2.0.1 chargers give the same events.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from chargerd.core.ids import ChargerId, CommandId, PolicyId, ReplyTo, TransactionId, VehicleId
from chargerd.core.policy import ChargerSpec, Policy, Site, VehicleSpec
from chargerd.core.units import PerPhase
from chargerd.plan.prices import PriceCurve


class Activity(StrEnum):
    """What an EVSE says is going on at the cable (OCPP 2.0.1 ChargingStateEnumType, and 1.6 Finishing)."""

    IDLE = "IDLE"
    EV_CONNECTED = "EV_CONNECTED"
    CHARGING = "CHARGING"
    SUSPENDED_EV = "SUSPENDED_EV"
    SUSPENDED_EVSE = "SUSPENDED_EVSE"
    FINISHING = "FINISHING"


class SampleContext(StrEnum):
    """Why a charger sent a sample (OCPP ReadingContext, reduced to what matters)."""

    PERIODIC = "PERIODIC"
    CLOCK = "CLOCK"
    BEGIN = "BEGIN"
    END = "END"
    TRIGGER = "TRIGGER"


class Failure(StrEnum):
    """Why a command did not come off."""

    REFUSED = "REFUSED"
    """The charger answered no."""
    NOT_SUPPORTED = "NOT_SUPPORTED"
    """The charger answered that it cannot do this at all."""
    TIMED_OUT = "TIMED_OUT"
    """No answer in time; the effect is unknown."""
    UNREACHABLE = "UNREACHABLE"
    """No connection to the charger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a charger can do. None = not known yet, which means: try it.

    ``limit_unit`` is "A" or "W", ``limit_purpose`` the kind of charging profile that it takes a limit by, in the
    standard's word. ``schedule_periods`` is how many periods a schedule may have; 1 means that it follows none.
    ``zero_is_stop`` tells that a limit of 0 ends the transaction, ``resumes_after_stop`` that another one may begin
    before the plug was out. ``pushes_samples`` is False where samples come only when they are asked for.
    """

    can_start: bool | None = None
    can_stop: bool | None = None
    can_limit: bool | None = None
    limit_unit: str | None = None
    limit_purpose: str | None = None
    schedule_periods: int | None = None
    zero_is_stop: bool | None = None
    resumes_after_stop: bool | None = None
    reports_energy: bool | None = None
    reports_power: bool | None = None
    reports_soc: bool | None = None
    pushes_samples: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """The configuration of one charger and all that belongs to it; first event of every process, and on reload.

    ``followed`` are the vehicles whose visits elsewhere are kept here: each vehicle is followed by one charger.
    ``restarted`` is True when the process is new: connections are gone and outcomes of commands under way unknown.
    """

    charger_id: ChargerId
    site: Site
    charger: ChargerSpec
    policies: tuple[Policy, ...] = ()
    vehicles: tuple[VehicleSpec, ...] = ()
    followed: tuple[VehicleId, ...] = ()
    restarted: bool = False
    kind: Literal["configured"] = "configured"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """A deadline of this charger's state has come."""

    charger_id: ChargerId
    kind: Literal["time_passed"] = "time_passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepped:
    """The machine's clock was set: wall time moved by ``by_s`` seconds against elapsed time; negative is back.

    ``now`` of this event is the new time. All that was dated by the old clock since is dated anew.
    """

    charger_id: ChargerId
    by_s: float
    kind: Literal["clock_stepped"] = "clock_stepped"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesUpdated:
    """The whole price curve as it is known now; goes to every charger."""

    curve: PriceCurve
    kind: Literal["prices_updated"] = "prices_updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerOnline:
    """A charger's connection is up and it has been accepted. ``protocol`` is for people: "OCPP 1.6", "OCPP 2.0.1"."""

    charger_id: ChargerId
    protocol: str
    kind: Literal["charger_online"] = "charger_online"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerOffline:
    """A charger's connection is gone."""

    charger_id: ChargerId
    reason: str = ""
    kind: Literal["charger_offline"] = "charger_offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerBooted:
    """A charger told who it is after a start of its own."""

    charger_id: ChargerId
    vendor: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    kind: Literal["charger_booted"] = "charger_booted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerInstructed:
    """Somebody had the charger do something past us. What it was told before may not be in force any more.

    ``action`` is the charger's own word for what was asked of it.
    """

    charger_id: ChargerId
    action: str = ""
    kind: Literal["charger_instructed"] = "charger_instructed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilitiesChanged:
    """What a charger can do became known, or changed."""

    charger_id: ChargerId
    capabilities: Capabilities
    kind: Literal["capabilities_changed"] = "capabilities_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReported:
    """An EVSE told of its plug, its activity, or a fault. None in a field means: nothing said about it.

    ``fault`` is "" when the EVSE said that it has none. ``transaction_id`` is set when the message carried it.
    """

    charger_id: ChargerId
    plugged: bool | None = None
    activity: Activity | None = None
    fault: str | None = None
    transaction_id: TransactionId | None = None
    measured_at: datetime | None = None
    kind: Literal["status_reported"] = "status_reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeRequested:
    """Somebody presented a token at the charger; it waits for an AnswerAuthorize."""

    charger_id: ChargerId
    id_token: str
    reply_to: ReplyTo
    kind: Literal["authorize_requested"] = "authorize_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStarted:
    """A transaction began. ``transaction_id`` is None when the charger wants one from us (OCPP 1.6).

    The charger waits for an AnswerTransaction. ``register_wh`` is the meter at the start. ``had_car`` is False when the
    charger said that no car was there yet.
    """

    charger_id: ChargerId
    reply_to: ReplyTo
    transaction_id: TransactionId | None = None
    id_token: str = ""
    register_wh: float | None = None
    had_car: bool | None = None
    measured_at: datetime | None = None
    kind: Literal["transaction_started"] = "transaction_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionEnded:
    """A transaction ended. The charger waits for an AnswerTransaction, which is given for any id whatever.

    ``transaction_id`` is "" when the charger does not say which: the one that runs.
    """

    charger_id: ChargerId
    reply_to: ReplyTo
    transaction_id: TransactionId
    reason: str = ""
    register_wh: float | None = None
    measured_at: datetime | None = None
    kind: Literal["transaction_ended"] = "transaction_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSampled:
    """One reading of an EVSE's meter at one instant.

    ``register_wh`` is the energy register (OCPP Energy.Active.Import.Register) with its fraction, ``power_w`` the
    active power over all phases, ``current_a`` the phase currents, ``soc_pct`` the car's level as the charger sees it,
    0 to 100.
    """

    charger_id: ChargerId
    measured_at: datetime | None = None
    register_wh: float | None = None
    power_w: float | None = None
    current_a: PerPhase | None = None
    soc_pct: float | None = None
    transaction_id: TransactionId | None = None
    context: SampleContext = SampleContext.PERIODIC
    kind: Literal["meter_sampled"] = "meter_sampled"


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleReported:
    """A vehicle's own telemetry, or its owner, told something. None in a field means: nothing said about it.

    ``level_pct`` is the battery level and ``limit_pct`` the level at which the car itself stops, both 0 to 100.
    ``power_w`` is what it draws at the cable, ``at_home`` whether it stands at the site. ``visits`` is the charger
    that holds a visit of this vehicle at present, as the loop knows it; the vehicle itself never says that.
    """

    vehicle_id: VehicleId
    level_pct: float | None = None
    limit_pct: float | None = None
    plugged: bool | None = None
    charging: bool | None = None
    power_w: float | None = None
    at_home: bool | None = None
    visits: ChargerId | None = None
    measured_at: datetime | None = None
    reply_to: ReplyTo | None = None
    kind: Literal["vehicle_reported"] = "vehicle_reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSucceeded:
    """A charger confirmed a command. That is not yet evidence that it had its effect."""

    charger_id: ChargerId
    command_id: CommandId
    kind: Literal["command_succeeded"] = "command_succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailed:
    """A command did not come off; ``detail`` is the charger's own word where it gave one."""

    charger_id: ChargerId
    command_id: CommandId
    failure: Failure
    detail: str = ""
    kind: Literal["command_failed"] = "command_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImmediateStartRequested:
    """A user wants charging now, up to this level in percent."""

    policy_id: PolicyId
    minimum_charge_target: int
    reply_to: ReplyTo
    issued_at: datetime | None = None
    kind: Literal["immediate_start_requested"] = "immediate_start_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOverrideRequested:
    """A user wants another level or another deadline for this session."""

    policy_id: PolicyId
    minimum_charge_target: int
    ready_by: datetime
    reply_to: ReplyTo
    issued_at: datetime | None = None
    kind: Literal["schedule_override_requested"] = "schedule_override_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideCancelled:
    """A user takes an override back; the policy's target is in force again."""

    policy_id: PolicyId
    reply_to: ReplyTo
    issued_at: datetime | None = None
    kind: Literal["override_cancelled"] = "override_cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingRequested:
    """Somebody wants a charger that no policy holds to start or stop; ``start`` None takes such a request back."""

    charger_id: ChargerId
    start: bool | None
    reply_to: ReplyTo
    kind: Literal["charging_requested"] = "charging_requested"


Event = (
    Configured
    | TimePassed
    | ClockStepped
    | PricesUpdated
    | ChargerOnline
    | ChargerOffline
    | ChargerBooted
    | ChargerInstructed
    | CapabilitiesChanged
    | StatusReported
    | AuthorizeRequested
    | TransactionStarted
    | TransactionEnded
    | MeterSampled
    | VehicleReported
    | CommandSucceeded
    | CommandFailed
    | ImmediateStartRequested
    | ScheduleOverrideRequested
    | OverrideCancelled
    | ChargingRequested
)
