"""What the household told us: site, chargers, vehicles, policies and their weekly schedules. Configuration as facts."""

from dataclasses import dataclass
from datetime import time

from chargerd.core.ids import ChargerId, PolicyId, VehicleId


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The home. ``zone`` is an IANA name; times of day in schedules are wall time in it."""

    name: str = "home"
    zone: str = "UTC"
    voltage_v: float = 230.0
    phases: int = 3
    main_fuse_a: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSpec:
    """One EVSE as configured.

    ``min_a`` and ``max_a`` are per phase. ``start_timeout_s`` and ``stop_timeout_s`` are how long reality may
    lag behind what was asked before START_FAIL or STOP_FAIL is said. ``id_token`` is what a remote start is
    authorised with (OCPP 1.6 idTag, 20 characters at most).
    """

    charger_id: ChargerId
    evse_id: int = 1
    min_a: float = 6.0
    max_a: float = 16.0
    phases: int = 3
    start_timeout_s: float = 180.0
    stop_timeout_s: float = 120.0
    id_token: str = "chargerd"  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleSpec:
    """One car as configured. ``efficiency`` is the share of grid energy that reaches the battery, 0 to 1.

    ``level_from_charger`` says that the charger's SoC measurand is to be trusted for this car. ``id_tokens`` are the
    cards of its drivers and its own EVCCID or MAC address (ISO 15118, Autocharge); spelling in any case.
    """

    vehicle_id: VehicleId
    battery_wh: float
    charge_max_w: float
    phases: int = 3
    efficiency: float = 0.9
    level_from_charger: bool = False
    level_max_age_s: float = 3600.0
    id_tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTarget:
    """What one day of the week asks for: wall time in the site's zone, and a level in percent."""

    ready_by: time
    minimum_charge_target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Charge this vehicle at this charger, by this schedule.

    ``schedule`` holds seven entries, Monday first; None means that the day has no deadline.
    ``battery_reserve`` is a level in percent that is charged up to at once, whatever the price.
    ``assumed_battery_level_at_plug_in`` is used when no source knows the level; None means there is no fallback.
    """

    policy_id: PolicyId
    charger_id: ChargerId
    vehicle_id: VehicleId
    battery_reserve: int = 0
    schedule: tuple[DayTarget | None, ...] = (None,) * 7
    assumed_battery_level_at_plug_in: int | None = None
