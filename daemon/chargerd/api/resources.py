"""Models of everything in the API but the session document: requests, lists, policies, chargers, prices."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field

from chargerd.api.documents import SettledSession, Wire
from chargerd.api.values import (
    BatteryLevel,
    ChargeLimit,
    ChargeRate,
    Instant,
    TargetLevel,
    ToldAt,
    Truth,
    UtcTime,
    Uuid,
)
from chargerd.contract import PriceOrigin, PriceRung

Item = TypeVar("Item")


class Listing(Wire, Generic[Item]):
    """All there is of a kind."""

    data: list[Item]


class Pagination(Wire):
    """Cursors of the neighbouring pages."""

    after: str | None = Field(description="Give it as `after` for the next, older page; null when there is none.")
    before: str | None = Field(description="Give it as `before` for the previous, newer page; null when there is none.")


class SettledSessions(Wire):
    """One page of settled sessions, newest plug-out first."""

    data: list[SettledSession]
    pagination: Pagination


class RegularRequest(Wire):
    """Another level or another deadline, for this session only."""

    type: Literal["REGULAR"]
    minimum_charge_target: TargetLevel = Field(description="Level in whole percent to be reached by readyBy.")
    ready_by: Instant = Field(description="The deadline, with a zone; in the future, at most 14 days ahead.")


class ImmediateStartRequest(Wire):
    """Charge now, at full power, up to a level."""

    type: Literal["IMMEDIATE_START"]
    minimum_charge_target: TargetLevel = Field(description="Level in whole percent to charge to.")


TargetRequest = Annotated[RegularRequest | ImmediateStartRequest, Field(discriminator="type")]


def _left_out(description: str) -> Any:
    """Describe a member that may be left out; a default would be shown as null, which it must not be."""
    return Field(default_factory=lambda: None, description=description)


class ChargeStateRequest(Wire):
    """What a car tells of itself, or what somebody read off it. At least one of its members beside `lastUpdated`.

    What is left out keeps what was told before. A car that says `isCharging` while it stands at no charger of this
    home, or with `isAtHome` false, has a visit elsewhere; that becomes an unmanaged session when the car says that it
    is unplugged, not charging any more, or at home.
    """

    battery_level: BatteryLevel = _left_out("Battery level in percent, 0 to 100.")
    is_plugged_in: Truth = _left_out("Whether a cable is plugged in, wherever the car is.")
    is_charging: Truth = _left_out("Whether the car charges, wherever it is.")
    charge_rate: ChargeRate = _left_out("Power into the car in kW, 0 to 400; it tells the energy of a visit elsewhere.")
    charge_limit: ChargeLimit = _left_out("Level in percent at which the car stops by itself, 1 to 100.")
    is_at_home: Truth = _left_out("Whether the car stands at this home.")
    last_updated: ToldAt = _left_out(
        "When all this was true, with a zone: at most 7 days ago and 5 minutes ahead; now when left out."
    )


class DaySchedule(Wire):
    """What one day of the week asks for."""

    ready_by: str = Field(description="Time of day HH:MM, wall time at the site.")
    minimum_charge_target: int = Field(description="Level in percent to be reached by then.")


class WeekSchedule(Wire):
    """The week; null means that the day has no deadline."""

    mon: DaySchedule | None
    tue: DaySchedule | None
    wed: DaySchedule | None
    thu: DaySchedule | None
    fri: DaySchedule | None
    sat: DaySchedule | None
    sun: DaySchedule | None


class PolicyResource(Wire):
    """Charge this vehicle at this charger, by this schedule."""

    id: Uuid
    charger_id: str
    vehicle_id: str
    battery_reserve: int = Field(description="Level in percent that is charged up to at once, whatever the price.")
    assumed_battery_level_at_plug_in: int | None = Field(
        description="Level in percent taken at plug-in when no source knows it; null when there is no fallback."
    )
    schedule: WeekSchedule
    read_only: bool = Field(description="True for a policy of the configuration file, which the API cannot change.")


class _Open(Wire):
    model_config = ConfigDict(extra="allow")


class ChargingRequest(Wire):
    """A start or stop by hand."""

    action: Literal["START", "STOP"] = Field(description="What the charger is to do.")


class ChargingAction(Wire):
    """A start or stop that was asked for by hand. It is judged by the meter, not by the charger's word."""

    id: int = Field(description="Counts up per charger.")
    kind: Literal["START", "STOP"]
    state: Literal["PENDING", "CONFIRMED", "FAILED", "CANCELLED"] = Field(
        description="PENDING until the meter proves it (CONFIRMED), the charger's timeout is over (FAILED), or a newer "
        "request or the car's leaving makes it void, or it was taken back (CANCELLED)."
    )
    created_at: UtcTime
    failure_reason: str | None = Field(default=None, description="NO_RESPONSE when it failed.")


class AbleTo(_Open):
    """What the charger can do. Null means not known yet: then it is tried."""

    can_start: bool | None = Field(default=None, description="Begin a transaction when asked.")
    can_stop: bool | None = Field(default=None, description="End a transaction when asked.")
    can_limit: bool | None = Field(default=None, description="Hold a limit that it is given.")
    limit_unit: str | None = Field(default=None, description="A or W.")
    limit_purpose: str | None = Field(default=None, description="Purpose of the charging profile that it follows.")
    schedule_periods: int | None = Field(default=None, description="How many periods a schedule may have.")
    zero_is_stop: bool | None = Field(default=None, description="Whether a limit of 0 ends the transaction.")
    resumes_after_stop: bool | None = Field(
        default=None, description="Whether another transaction may begin before the plug was out."
    )
    reports_energy: bool | None = Field(default=None, description="Whether it tells its energy register.")
    reports_power: bool | None = Field(default=None, description="Whether it tells its power.")
    reports_soc: bool | None = Field(default=None, description="Whether it tells the car's battery level.")
    pushes_samples: bool | None = Field(default=None, description="Whether samples come without being asked for.")


class LastFailure(_Open):
    """The last command of the daemon that did not come off since it started, whatever came off after it."""

    action: str = Field(description="START, STOP or SET_LIMIT; others may come.")
    at: UtcTime
    failure: str = Field(description="REFUSED, NOT_SUPPORTED, TIMED_OUT or UNREACHABLE.")
    detail: str = Field(description="The charger's own words, or what happened.")


class ToldFact(_Open):
    """Something that the charger told of itself. Its members are those of the message; `status` where it has one."""

    at: UtcTime


class ChargerMessage(Wire):
    """A message of the charger that is not about charging, as it came."""

    action: str = Field(description="Name of the message in OCPP.")
    at: UtcTime
    payload: dict[str, Any] | None = Field(description="Null when it was too large to be kept.")


class OcppOverview(Wire):
    """What may be asked of a charger by hand, and what it said unasked since the daemon started."""

    actions: list[str] | None = Field(description="Requests that it may be sent; null while it is not connected.")
    messages: list[ChargerMessage] = Field(
        description="The latest ones, oldest first: at most 400 and 256 KiB. Reports that were asked for are here."
    )


class SecurityWish(Wire):
    """What a charger is to have. At least one of the first three."""

    profile: Literal[1, 2, 3] | None = Field(
        default=None,
        description="OCPP security profile: 1 a password, 2 that over TLS, 3 a certificate over TLS.",
    )
    new_password: bool = Field(default=False, strict=True, description="Make a password and give it to the charger.")
    new_certificate: bool = Field(
        default=False, strict=True, description="Have it ask for a certificate, and sign that."
    )
    certificates_installed: bool = Field(
        default=False,
        strict=True,
        description="It was given the root, and for profile 3 its certificate, in its own settings.",
    )
    interface: str = Field(
        default="Wired0",
        pattern="^(Wired|Wireless)[0-3]$",
        description="OCPP 2.0.1: the network interface over which it calls.",
    )


class SecurityStep(Wire):
    """Something that was done, in words."""

    at: UtcTime
    words: str


class SecurityUpgrade(_Open):
    """What was asked for, and what became of it."""

    state: Literal["PREPARING", "CHANGING", "DONE", "FAILED"] = Field(
        description="PREPARING: nothing is changed yet. FAILED: what opened before opens still."
    )
    profile: int | None = Field(description="Security profile that was asked for; null: none.")
    new_password: bool
    new_certificate: bool
    started_at: UtcTime
    ended_at: UtcTime | None = Field(description="Null while it goes on.")
    steps: list[SecurityStep] = Field(description="What was done, oldest first.")
    advice: str = Field(description="What a person is to do now; empty for nothing.")


class ChargerSecurity(_Open):
    """How a charger comes in now, and the last request to raise that."""

    profile: int | None = Field(
        description="Security profile that its connection amounts to; 0: it was asked for nothing. Null: not connected."
    )
    is_over_tls: bool | None = Field(description="Null while it is not connected.")
    has_password: bool = Field(description="Whether a password is asked for where no certificate is shown.")
    upgrade: SecurityUpgrade | None = Field(description="Null when there was none.")


class Charger(_Open):
    """A charger as it is now. Null means not known; further members may appear."""

    id: str = Field(description="Name in the configuration.")
    is_online: bool | None = Field(default=None, description="Whether the charger is connected.")
    is_plugged_in: bool | None = Field(default=None, description="Whether a car is plugged in.")
    is_charging: bool | None = Field(default=None, description="Whether energy flows, judged by the meter.")
    charge_rate: float | None = Field(default=None, description="Power that flows, in kW.")
    power_delivery_state: str | None = Field(default=None, description="For example PLUGGED_IN:CHARGING.")
    register_wh: int | None = Field(default=None, description="Reading of the energy register in Wh.")
    current_limit: float | None = Field(default=None, description="Current the charger may offer per phase, in A.")
    transaction_id: str | None = Field(default=None, description="The open OCPP transaction.")
    action: ChargingAction | None = Field(
        default=None, description="The last start or stop that was asked for by hand."
    )
    policy_ids: list[str] = Field(default=[], description="Policies that charge here.")
    protocol: str | None = Field(default=None, description="For example OCPP 1.6.")
    vendor: str | None = Field(default=None, description="As the charger told when it booted.")
    model: str | None = Field(default=None, description="As the charger told when it booted.")
    firmware: str | None = Field(default=None, description="Version, as the charger told when it booted.")
    serial: str | None = Field(default=None, description="As the charger told when it booted.")
    fault: str | None = Field(default=None, description="The fault that it reports, in its own words.")
    activity: str | None = Field(default=None, description="What it says goes on at the cable.")
    sampled_at: UtcTime | None = Field(default=None, description="When its meter was last read.")
    sampled_power: float | None = Field(default=None, description="Power at the last reading, in kW.")
    capabilities: AbleTo | None = Field(default=None, description="What it can do, as far as that is known.")
    missing_capabilities: list[str] = Field(
        default=[], description="What managing a session lacks: chargeState, startCharging, stopCharging."
    )
    clock_offset: int | None = Field(
        default=None,
        description="By how many seconds its clock is behind, negative when it is ahead; under 30 s it counts as 0.",
    )
    last_failure: LastFailure | None = Field(default=None, description="The last command that did not come off.")
    told: dict[str, ToldFact] = Field(
        default={},
        description="What it told beside charging since the daemon started, by topic: firmware, securityEvent, "
        "logUpload, chargingLimit, event, reservation and others; logInRefused is the last log-in under its "
        "name that was refused.",
    )
    last_updated: UtcTime | None = Field(default=None, description="When the charger was last heard.")


class PendingCharger(_Open):
    """A charger that knocked, is not in the configuration, and is held off. Null means that it did not say."""

    identity: str = Field(description="The name that it calls itself by, as it belongs into the configuration.")
    driver: str = Field(description="The driver at whose door it knocked, for example ocpp.")
    address: str | None = Field(default=None, description="Where it called from.")
    protocol: str | None = Field(default=None, description="For example OCPP 1.6.")
    vendor: str | None = Field(default=None, description="As it told when it booted.")
    model: str | None = Field(default=None, description="As it told when it booted.")
    seen_at: UtcTime | None = Field(default=None, description="When it connected or booted last.")


class PendingChargers(Wire):
    """Chargers that knocked since the daemon started, the latest 32; and the file that one is to be put into."""

    data: list[PendingCharger]
    configuration_file: str = Field(description="Path of the configuration on the daemon's machine.")


class Reloaded(Wire):
    """The configuration was read again and is taken; where chargers or listeners changed, they are opened anew."""

    status: Literal["TAKEN"]


class CallError(Wire):
    """The charger answered with an error of its protocol."""

    code: str = Field(description="OCPP's word, for example NotSupported, or one of the vendor's own.")
    description: str = Field(description="The charger's own words; may be empty.")


class OperatorResult(Wire):
    """What a charger answered to a request that was sent by hand: one of the two members is there."""

    response: dict[str, Any] | None = Field(
        default=None, description="The answer's payload; a refusal in the charger's own words stands in it."
    )
    error: CallError | None = Field(default=None, description="The CALLERROR, when it answered with one.")


class Vehicle(_Open):
    """A car as it is known. Null means not known; further members may appear."""

    id: str = Field(description="Name in the configuration.")
    battery_capacity: float | None = Field(default=None, description="Size of the battery in kWh.")
    battery_level: float | None = Field(default=None, description="Battery level in percent, as last told.")
    is_plugged_in: bool | None = Field(default=None, description="Whether a cable is plugged in, here or elsewhere.")
    is_charging: bool | None = Field(
        default=None, description="Whether the car charges: judged by the charger's meter here, as it told elsewhere."
    )
    charge_limit: float | None = Field(
        default=None, description="Level in percent at which the car stops by itself, as it told."
    )
    is_at_home: bool | None = Field(default=None, description="Whether the car stands at this home.")
    at: str | None = Field(default=None, description="Charger of this home at which the car is; null elsewhere.")
    last_updated: UtcTime | None = Field(default=None, description="When the level, or anything else, was last told.")


class Price(Wire):
    """What a kWh costs during one stretch of time."""

    start_at: UtcTime
    end_at: UtcTime
    price_per_kwh: str = Field(
        description="Decimal string in whole units of the currency, for example 0.1026; may be negative. Fees, network "
        "charges and taxes of the configuration are in it."
    )
    origin: PriceOrigin = Field(
        description="SOURCE: told for this time. REPEATED: that of the same time of an earlier day. FALLBACK: the one "
        "that is configured for this."
    )


class Prices(Wire):
    """The price curve as it is known now; gaps mean that the price is not known."""

    currency: str = Field(description="ISO 4217 code.")
    fetched_at: UtcTime | None = Field(description="When the source was last asked with success.")
    rung: PriceRung = Field(
        description="How well the present price is known. FRESH: the source owes nothing. CACHED: it owes newer "
        "prices, and told the present one before. REPEATED and FALLBACK: as `origin` says. UNKNOWN: not at all."
    )
    old_since: UtcTime | None = Field(description="Since when the source owes newer prices; null while it owes none.")
    data: list[Price]


class LedgerEntry(Wire):
    """The energy of one quarter hour of a session."""

    start_at: UtcTime
    end_at: UtcTime
    wh: int = Field(description="Energy in Wh, from register differences.")
    quality: Literal["measured", "interpolated", "recovered", "estimated"] = Field(
        description="How the energy became known; the worst of its parts counts."
    )


class LogLine(_Open):
    """One thing that happened during a session."""

    at: UtcTime
    event: str = Field(description="Stable name of the kind of event.")
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    message: str = Field(description="What happened, in words.")


class Readiness(Wire):
    """How the daemon is."""

    ready: bool
    problems: list[str] = Field(description="What is wrong at present, in words.")
    version: str
    started_at: UtcTime
    now: UtcTime = Field(description="The daemon's clock, which may be an accelerated one.")
    chargers_online: int
    chargers: int


class Alive(Wire):
    """The daemon's loop answers."""

    status: Literal["ok"]


JsonObject = dict[str, Any]
