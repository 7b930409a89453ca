"""The explanation: why a policy's car is charging now, or is not, as a client of the API reads it.

The models describe the API; nothing is served through them.
"""

from typing import Annotated, Literal

from pydantic import Field

from chargerd.api.documents import (
    BlockType,
    ImmediateStartTarget,
    MissingCapabilities,
    RegularTarget,
    StartFail,
    StopFail,
    Wire,
)
from chargerd.api.values import Number, Percent, UtcTime, Uuid
from chargerd.contract import PriceRung, Reason, Refuser


class NextBlock(Wire):
    """A block of the session document, without its energy."""

    start_at: UtcTime
    end_at: UtcTime
    type: BlockType


class PlanBasis(Wire):
    """What the plan counts on."""

    prices: Literal["KNOWN", "PARTLY_KNOWN", "UNKNOWN"] = Field(
        description="Whether prices are known from now until the deadline, or until the end of the plan where that is "
        "later. Hours without a price count as dearer than all others."
    )
    price_rung: PriceRung = Field(
        description="How well the worst known price of that time is known. FRESH: told by a source that owes nothing. "
        "CACHED: told before, and the source owes newer ones. REPEATED: that of an earlier day. FALLBACK: the one that "
        "is configured for this. UNKNOWN: not all of that time has a price."
    )
    prices_old_since: UtcTime | None = Field(
        description="Since when the source owes newer prices; null while it owes none."
    )
    power_w: int = Field(description="Power in W that the car is expected to draw at the charger.")
    power_source: Literal["LEARNED", "CONFIGURED"] = Field(
        description="Whether that power was seen on earlier visits, or comes from the configuration."
    )
    missing_kwh: Number | None = Field(
        description="Energy at the meter in kWh that is still to be delivered; null while no level is known."
    )


class Evidence(Wire):
    """What the charger, its meter and the car have told. Null is not known; while offline it is what was told last."""

    is_online: bool = Field(description="Whether the charger is connected.")
    is_online_since: UtcTime | None = Field(description="Since when it has, or has not, been connected.")
    is_plugged_in: bool | None = Field(description="Whether a car is plugged in at the charger, this one or another.")
    is_plugged_in_since: UtcTime | None = Field(description="Since when that has been so.")
    activity: str | None = Field(
        description="The charger's own word for what goes on: IDLE, EV_CONNECTED, CHARGING, SUSPENDED_EV, "
        "SUSPENDED_EVSE or FINISHING."
    )
    activity_since: UtcTime | None = Field(description="Since when the charger has said so.")
    power_w: int | None = Field(description="Power of the last sample in W.")
    register_wh: int | None = Field(description="Energy register of the last sample in Wh.")
    sampled_at: UtcTime | None = Field(description="When the last sample was taken.")
    charging_since: UtcTime | None = Field(
        description="Since when the meter has proved charging; null while it does not."
    )
    stopped_at: UtcTime | None = Field(description="When charging was last proved to have ended.")
    battery_level: Percent | None = Field(
        description="Battery level in percent, with what has flowed since it was told."
    )
    battery_level_source: Literal["VEHICLE", "CHARGER", "ASSUMED"] | None = Field(description="Who told that level.")
    battery_level_told_at: UtcTime | None = Field(
        description="When the level was told; null also for one that the policy assumes."
    )
    transaction_id: str | None = Field(description="The open OCPP transaction.")
    fault: str | None = Field(description="The fault that the charger reports, in its own words.")
    is_token_shown: bool = Field(
        description="Whether a card, or an id of the car, was presented for this visit. Which one is never shown."
    )


class LastCommand(Wire):
    """The last command to the charger, and what became of it."""

    action: str = Field(description="START, STOP, SET_LIMIT or PAUSE; others may come.")
    limit_a: Number | None = Field(description="The limit per phase in A; null where the command has none.")
    sent_at: UtcTime
    answer: Literal["PENDING", "ACCEPTED", "REFUSED", "NOT_SUPPORTED", "TIMED_OUT", "UNREACHABLE"] = Field(
        description="What the charger answered. ACCEPTED proves nothing: only the meter does."
    )
    answered_at: UtcTime | None = Field(description="When the outcome was known; null without one.")
    detail: str | None = Field(description="The charger's own words, without any card they may name.")


class Attempts(Wire):
    """Attempts at what is wanted, since it has not been so."""

    made: int
    next_at: UtcTime | None = Field(description="When the next one is due; null when none is left, or it has to wait.")


class Explanation(Wire):
    """Why the car of a policy is charging now, or is not: in words, and as the data that the words rest on."""

    policy_id: Uuid
    at: UtcTime = Field(description="When the state that this explains was last judged.")
    is_charging: bool | None = Field(
        description="Whether this policy's car is charging, judged by the meter; null while nobody can tell."
    )
    is_wanted: bool | None = Field(
        description="True: it is to charge now. False: it is to wait. Null: nothing is controlled."
    )
    reason: Reason
    words: str = Field(
        description="One to three sentences for a resident; times in them are wall time at the site. They may change."
    )
    target: Annotated[RegularTarget | ImmediateStartTarget, Field(discriminator="type")] | None = Field(
        description="The target in force, as in the session document."
    )
    next: NextBlock | None = Field(description="The block that is running or due, else the next planned one.")
    plan: PlanBasis
    evidence: Evidence
    last_command: LastCommand | None = Field(description="Null before the first command.")
    attempts: Attempts | None = Field(description="Null while what is wanted is so.")
    refused_by: Refuser | None = Field(
        description="Who stands in the way of what is wanted; null when nobody is known to."
    )
    error: Annotated[StartFail | StopFail | MissingCapabilities, Field(discriminator="type")] | None = Field(
        description="The error in force, as in the session document."
    )
    remedy: str | None = Field(description="What a person can do, in a sentence; it is the last one of `words` too.")
