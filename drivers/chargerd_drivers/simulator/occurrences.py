"""What happens at the station, as facts that the protocol side turns into messages. Frozen; the union is Occurrence."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chargerd_drivers.simulator.physics import Physics


class Phase(StrEnum):
    """What the outlet is doing, in the words of OCPP 1.6."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    UNAVAILABLE = "Unavailable"


class StopReason(StrEnum):
    """Why a transaction ended, in the words of OCPP 1.6."""

    REMOTE = "Remote"
    LOCAL = "Local"
    EV_DISCONNECTED = "EVDisconnected"
    DEAUTHORIZED = "DeAuthorized"
    SOFT_RESET = "SoftReset"
    HARD_RESET = "HardReset"
    UNLOCK = "UnlockCommand"
    OTHER = "Other"


class Trigger(StrEnum):
    """Why a sample was taken."""

    BEGIN = "Transaction.Begin"
    PERIODIC = "Sample.Periodic"
    CLOCK = "Sample.Clock"
    ASKED = "Trigger"
    CHANGE = "Other"
    END = "Transaction.End"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that the station's meter shows at one instant. The register is in whole Wh and never falls.

    ``visit_wh`` is what it counted since the last plug-in.
    ``phases`` are those built in, ``phases_used`` those that the car has too; ``current_a`` flows on each of these.
    """

    at: datetime
    register_wh: int
    visit_wh: int
    power_w: float
    current_a: float
    offered_a: float
    voltage_v: float
    phases: int
    phases_used: int
    level_pct: float


def reading(physics: Physics, at: datetime, *, visit_wh: int) -> Reading:
    """Read the meter. The level is the car's own: only a station that talks with the car can know it."""
    return Reading(
        at=at,
        register_wh=int(physics.register_wh),
        visit_wh=visit_wh,
        power_w=physics.power_w,
        current_a=physics.current_a,
        offered_a=physics.pilot_a,
        voltage_v=physics.outlet.voltage_v,
        phases=physics.outlet.phases,
        phases_used=physics.phases,
        level_pct=physics.level_pct,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """Somebody may charge. ``remote_start_id`` is set when the central system said so (OCPP 2.0.1)."""

    id_token: str
    remote: bool
    until: datetime
    remote_start_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction. ``key`` is a UUID; OCPP 1.6 has a number of the central system's besides.

    ``plugged_last`` is True when the car came after the authorisation.
    """

    key: str
    begun: datetime
    authorisation: Authorisation
    plugged_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorised:
    """Somebody may charge, before a car is there or at once."""

    reading: Reading
    authorisation: Authorisation


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationLapsed:
    """No car came in time."""

    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PluggedIn:
    """A car was plugged in."""

    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplugged:
    """The car was unplugged."""

    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged:
    """The outlet does something else now. ``transaction`` is the one that goes on, if any."""

    reading: Reading
    phase: Phase
    transaction: Transaction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionBegan:
    """A transaction began."""

    reading: Reading
    transaction: Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionOver:
    """A transaction ended. ``plugged`` tells whether the car is still there."""

    reading: Reading
    transaction: Transaction
    reason: StopReason
    plugged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A sample is due."""

    reading: Reading
    trigger: Trigger
    transaction: Transaction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChanged:
    """Another limit per phase holds, in A; what is built in counts as the limit when no profile says less."""

    reading: Reading
    limit_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLost:
    """The fault drop-socket struck."""

    reading: Reading


Occurrence = (
    Authorised
    | AuthorisationLapsed
    | PluggedIn
    | Unplugged
    | PhaseChanged
    | TransactionBegan
    | TransactionOver
    | Sampled
    | LimitChanged
    | NetworkLost
)
