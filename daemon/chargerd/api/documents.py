"""The session document: what a client of the API reads about one visit of a car.

Two shapes by ``state``: ``CurrentSession`` (UPCOMING and ACTIVE:*) and ``SettledSession``, which alone has an ``id``.
The models keep every key, its order and the spelling of every number and time, so that reading a document and
writing it again gives the same text. They describe the API; nothing is served through them.
"""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from chargerd.api.values import Number, Percent, UtcTime, Uuid

BlockType = Literal["BATTERY_RESERVE", "REGULAR", "IMMEDIATE_START"]


class Wire(BaseModel):
    """Base of all models of the API: camelCase outside, nothing unknown inside."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="forbid", frozen=True)


class SessionBlock(Wire):
    """One window of charging: past and running ones as measured, later ones as planned."""

    type: BlockType = Field(
        description="What the system was, is or will be doing: charging up to the reserve floor, "
        "by the schedule, or at once because the user asked."
    )
    kwh_sum: Number = Field(
        description="Energy of the block in kWh: measured for a past or running block, the estimate for a planned one."
    )
    start_at: UtcTime = Field(description="When the block began or will begin.")
    end_at: UtcTime = Field(description="When the block ended or is expected to end; always after startAt.")


class AggregatedStatistics(Wire):
    """Totals of the visit."""

    kwh_sum: Number = Field(description="Energy delivered so far in kWh; planned energy is not in it.")
    battery_from: Percent | None = Field(description="Battery level at plug-in, whole percent; null when unknown.")
    battery_to: Percent | None = Field(
        description="Battery level now, or at plug-out once SETTLED, whole percent; null when unknown."
    )


class TimeseriesEntry(Wire):
    """One interval of the charge-rate curve."""

    start_at: UtcTime = Field(
        description="Start of the interval. The first starts at pluggedInAt, the next ones on clock quarters "
        "(:00, :15, :30, :45 UTC); an interval ends where the next one starts, the last one at pluggedOutAt."
    )
    kwh: Number = Field(
        description="Mean charge rate over the interval in kW (kWh per hour), in spite of its name; 0 where nothing "
        "flowed. The energy of the interval is this times its length in hours; the session's ledger holds it in Wh."
    )


class Statistics(Wire):
    """What was measured during the visit."""

    aggregated: AggregatedStatistics | None = Field(description="Totals; null while UPCOMING.")
    timeseries: list[TimeseriesEntry] = Field(
        description="Charge rate by quarter hour, elapsed intervals only; gaps are explicit entries of 0."
    )


class RegularTarget(Wire):
    """A level by a time."""

    id: Annotated[int, Field(strict=True, ge=1)] = Field(
        description="Counts up within the session; an outcome names the target that it judges by it."
    )
    type: Literal["REGULAR"]
    source: Literal["POLICY", "USER_OVERRIDE"] = Field(
        description="Whether the weekly schedule of the policy or the user set this target."
    )
    battery_reserve: Percent = Field(
        description="Level in percent that is charged up to at once, whatever the price. It is the policy's; an "
        "override never changes it."
    )
    minimum_charge_target: Percent = Field(description="Level in percent to be reached by readyBy.")
    ready_by: UtcTime = Field(description="The deadline. While UPCOMING it rolls forward by itself with the same id.")


class ImmediateStartTarget(Wire):
    """A level as soon as possible, without regard to prices."""

    id: Annotated[int, Field(strict=True, ge=1)] = Field(description="Counts up within the session.")
    type: Literal["IMMEDIATE_START"]
    minimum_charge_target: Percent = Field(description="Level in percent to charge to.")


class Target(Wire):
    """What the session charges towards."""

    latest: Annotated[RegularTarget | ImmediateStartTarget, Field(discriminator="type")] | None = Field(
        description="The target in force; null for a session without a policy."
    )


class RegularOutcome(Wire):
    """Whether a REGULAR target will be, or was, met."""

    type: Literal["REGULAR"]
    target_id: int = Field(description="The id of the target that is judged.")
    state: Literal["ON_TARGET", "OFF_TARGET"] = Field(description="Whether the level will be there at readyBy.")
    battery_level_at_ready_by: Percent | None = Field(
        description="OFF_TARGET: level in percent expected at readyBy. ON_TARGET: null."
    )
    minimum_charge_target_reached_at: UtcTime | None = Field(
        description="OFF_TARGET: when the target will be reached, null when no projection is possible. ON_TARGET: null."
    )


class ImmediateStartOutcome(Wire):
    """When an IMMEDIATE_START target will be, or was, reached."""

    type: Literal["IMMEDIATE_START"]
    target_id: int = Field(description="The id of the target that is judged.")
    minimum_charge_target_reached_at: UtcTime | None = Field(
        description="When the target will be reached, then when it was; null when no projection is possible."
    )


class Outcome(Wire):
    """The judgement of the target."""

    latest: Annotated[RegularOutcome | ImmediateStartOutcome, Field(discriminator="type")] | None = Field(
        description="Null while UPCOMING and until the first estimate exists."
    )


class StartFail(Wire):
    """Charging is due and does not start."""

    type: Literal["START_FAIL"]


class StopFail(Wire):
    """Charging should have stopped and goes on."""

    type: Literal["STOP_FAIL"]


class MissingCapabilities(Wire):
    """The charger or the car lacks what session management needs; nothing is controlled, only measured."""

    type: Literal["MISSING_CAPABILITIES"]
    missing_capabilities: list[str] = Field(
        description="What is missing, for example chargeState, startCharging, stopCharging."
    )


class SessionError(Wire):
    """What is wrong with charge control. An error goes away by itself when its cause does."""

    latest: Annotated[StartFail | StopFail | MissingCapabilities, Field(discriminator="type")] | None = Field(
        description="The error in force; null when there is none, and always in a SETTLED session."
    )


class CurrentSession(Wire):
    """The one current session of a policy: waiting for the car, or with the car plugged in."""

    policy_id: Uuid = Field(description="The policy whose session this is.")
    state: Literal["UPCOMING", "ACTIVE:BATTERY_RESERVE", "ACTIVE:REGULAR", "ACTIVE:IMMEDIATE_START"] = Field(
        description="UPCOMING: waiting for the car. ACTIVE:*: the car is plugged in; the second part tells what the "
        "system does now."
    )
    plugged_in_at: UtcTime | None = Field(description="When the car was plugged in; null while UPCOMING.")
    plugged_out_at: None = Field(description="Always null before the session settles.")
    blocks: list[SessionBlock] = Field(description="Windows of charging, sorted, not overlapping; empty when UPCOMING.")
    statistics: Statistics
    target: Target
    outcome: Outcome
    error: SessionError


class SettledSession(Wire):
    """A visit that is over. It never changes again, byte for byte."""

    id: Uuid = Field(description="Identity of the settled session.")
    policy_id: Uuid | None = Field(
        description="The policy that the session belonged to; null for a visit that was observed and not controlled."
    )
    state: Literal["SETTLED"]
    plugged_in_at: UtcTime = Field(description="When the car was plugged in.")
    plugged_out_at: UtcTime = Field(description="When the car was unplugged.")
    blocks: list[SessionBlock] = Field(description="Windows of charging as they were; empty without a policy.")
    statistics: Statistics
    target: Target
    outcome: Outcome
    error: SessionError


Session = Annotated[CurrentSession | SettledSession, Field(discriminator="state")]

_SESSION: TypeAdapter[CurrentSession | SettledSession] = TypeAdapter(Session)


def parse_session(text: str | bytes) -> CurrentSession | SettledSession:
    """Read a session document. Raises pydantic's ValidationError, a ValueError."""
    return _SESSION.validate_python(json.loads(text))


def dump_session(session: CurrentSession | SettledSession) -> str:
    """Write a session document as compact JSON: the same keys, order and spelling as it was read with."""
    return compact(session.model_dump(by_alias=True))


def compact(value: object) -> str:
    """JSON as the API writes it: no spaces, no escapes beyond need, and never NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
