"""What a random history is about: the moods of a charger, a household, the box and the car as they really are."""

from dataclasses import dataclass
from enum import StrEnum

from chargerd.core.commands import LimitStep
from chargerd.core.events import Activity
from chargerd.core.ids import PolicyId, VehicleId
from chargerd.plan.prices import PriceCurve
from tests.support.home import NIGHT, prices

OTHER_POLICY = PolicyId("0b0e5f4e-3c1b-4c52-9a0e-6f3e6b1d2c11")
OTHER_CAR = VehicleId("other")
BATTERY_WH = 60_000.0
CAR_TOKEN, OTHER_TOKEN = "04a2b3", "04:FF"
EFFICIENCY = 0.9

CURVES = (
    PriceCurve(),
    NIGHT,
    prices("10T12:00", [0.3] * 48),
    prices("10T12:00", [0.1, 0.4] * 24),
    prices("10T12:00", [round(1.0 - 0.02 * hour, 2) for hour in range(48)]),
    prices("10T12:00", [-0.1, 9999.0, 0.0] * 16),
)


class Fate(StrEnum):
    """What becomes of commands at present."""

    OBEYED = "obeyed"
    ACCEPTED = "accepted"
    """Answered with yes; nothing happens."""
    REFUSED = "refused"
    NOT_SUPPORTED = "not supported"
    TIMED_OUT = "timed out"
    LATE = "late"
    """Carried out, but the answer is lost and told as timed out."""
    SILENT = "silent"
    """No outcome is ever told."""
    FLAPPING = "flapping"
    """Obeyed, but the charger ends each transaction by itself after the next sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What does not change in one history."""

    own_ids: bool = False
    sample_every_s: int = 120
    tells_power: bool = True
    tells_register: bool = True
    tells_activity: bool = True
    tells_soc: bool = False
    numbers_samples: bool = True
    autostart: bool = False
    assumed: int | None = 35
    two_policies: bool = False
    tokens: bool = False
    zone: str = "UTC"
    start: str = "10T20:00"
    periods: int | None = None
    """So many periods a schedule may have, by the charger's own word; whether it follows them is the box's secret."""
    follows: bool = True


@dataclass
class Household:
    """What the configuration says now."""

    goal: int = 50
    ready_by: str = "07:00"
    reserve: int = 20
    scheduled: bool = True
    managed: bool = True


@dataclass
class Box:
    """The charger and the car as they really are."""

    plugged: bool = False
    transaction: str | None = None
    limit_a: float = 16.0
    register: float = 100_000.0
    delivered_wh: float = 0.0
    level_wh: float = 0.35 * BATTERY_WH
    car_takes: bool = True
    numbers: int = 0
    order: tuple[LimitStep, ...] = ()

    @property
    def flowing(self) -> float:
        """Power in W at this instant."""
        on = self.plugged and self.transaction is not None and self.limit_a >= 6
        return 11_000.0 if on and self.car_takes and self.level_wh < BATTERY_WH else 0.0

    @property
    def activity(self) -> Activity:
        """What an honest charger says of this."""
        if not self.plugged:
            return Activity.IDLE
        if self.flowing:
            return Activity.CHARGING
        if self.transaction is None:
            return Activity.EV_CONNECTED
        return Activity.SUSPENDED_EV if self.limit_a >= 6 else Activity.SUSPENDED_EVSE
