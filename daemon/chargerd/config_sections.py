"""The tables of the configuration file that the daemon itself owns; tariffs and drivers own theirs."""

import ipaddress
import re
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from chargerd.config_secrets import SecretFile
from chargerd.config_types import DAYS, Section, WallTime, fault
from chargerd.core.ids import ChargerId, PolicyId, VehicleId
from chargerd.core.policy import ChargerSpec, DayTarget, Policy, Site, VehicleSpec
from chargerd.core.whose import spelled

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\[\]\s]+):(?P<port>[0-9]{1,5})")


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise fault("expected 1 to 64 letters, digits, hyphens and underscores")
    return value


def _uuid(value: str) -> str:
    if not _UUID.fullmatch(value):
        raise fault("expected a UUID, as uuidgen prints it")
    return str(UUID(value))


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise fault("expected an IANA time zone, as Europe/Berlin") from None
    return value


def _listen(value: str) -> str:
    match = _LISTEN.fullmatch(value)
    if match is None or int(match["port"]) > 65535:
        raise fault('expected "host:port" with a port from 0 to 65535, an IPv6 address in brackets')
    return value


def _store_url(value: str) -> str:
    if not re.fullmatch(r"sqlite://.*[^/]", value):
        raise fault("expected sqlite:// and a path, as sqlite:///var/lib/chargerd/chargerd.db")
    return value


def _token(value: str) -> str:
    if not spelled(value) or len(value) > 36:
        raise fault("expected 1 to 36 characters, a letter or digit among them")
    return value


Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"})]
Token = Annotated[str, AfterValidator(_token), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 36})]
Level = Annotated[int, Field(ge=0, le=100)]
Phases = Annotated[int, Field(ge=1, le=3)]


class SiteSection(Section):
    """The home."""

    name: str = Field(default="home", description="what you call this home")
    timezone: Annotated[str, AfterValidator(_zone)] = Field(description="an IANA time zone, as Europe/Berlin")
    main_fuse_a: float | None = Field(default=None, gt=0, le=1000, description="main fuse per phase, in A")
    phases: Phases = Field(default=3, description="phases of the grid connection")
    voltage_v: float = Field(default=230.0, ge=90, le=260, description="phase to neutral, in V")

    def site(self) -> Site:
        """Return it as a fact for the core."""
        return Site(
            name=self.name,
            zone=self.timezone,
            voltage_v=self.voltage_v,
            phases=self.phases,
            main_fuse_a=self.main_fuse_a,
        )


class HttpSection(Section):
    """Where the API listens."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        default="127.0.0.1:8480", description="host:port; any other machine than this one needs a token_file"
    )
    token_file: SecretFile | None = Field(default=None, description="file that holds the access token")

    @property
    def host(self) -> str:
        """Address to listen on, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """TCP port to listen on; 0 lets the system choose one."""
        return int(self.listen.rpartition(":")[2])

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class StoreSection(Section):
    """Where the daemon keeps what must outlive it."""

    url: Annotated[str, AfterValidator(_store_url)] = Field(
        default="sqlite:///var/lib/chargerd/chargerd.db",
        description="sqlite:// and a path; a relative one is in $STATE_DIRECTORY, or beside the configuration",
    )


class ChargerSection(Section):
    """One charger; its driver adds keys of its own."""

    id: Name = Field(description="your name of the charger, as garage")
    driver: str = Field(description="what it speaks, as ocpp")
    min_a: float = Field(default=6.0, ge=6, le=80, description="least current per phase, in A; no car takes under 6")
    max_a: float = Field(default=16.0, ge=6, le=80, description="greatest current per phase, in A")
    phases: Phases = Field(default=3, description="phases that the charger is wired to")
    start_timeout_s: float = Field(default=180.0, ge=10, le=3600, description="START_FAIL after so long, in s")
    stop_timeout_s: float = Field(default=120.0, ge=10, le=3600, description="STOP_FAIL after so long, in s")
    id_token: str = Field(
        default="chargerd", min_length=1, max_length=20, description="what the daemon starts transactions with"
    )

    def spec(self, evse_id: int) -> ChargerSpec:
        """Return it as a fact for the core."""
        return ChargerSpec(
            charger_id=ChargerId(self.id),
            evse_id=evse_id,
            min_a=self.min_a,
            max_a=self.max_a,
            phases=self.phases,
            start_timeout_s=self.start_timeout_s,
            stop_timeout_s=self.stop_timeout_s,
            id_token=self.id_token,
        )


class LevelSection(Section):
    """Where a car's battery level comes from."""

    source: Literal["charger", "manual"] = Field(description="the charger's own report, or what you tell the daemon")
    max_age_s: float = Field(default=3600.0, gt=0, le=604800, description="a level older than this is ignored, in s")


class VehicleSection(Section):
    """One car."""

    id: Name = Field(description="your name of the car, as zoe")
    battery_kwh: float = Field(gt=0, le=500, description="usable capacity of the battery, in kWh")
    charge_max_kw: float = Field(gt=0, le=50, description="greatest power that the car takes at a charger, in kW")
    phases: Phases = Field(default=3, description="phases that the car charges on")
    efficiency: float = Field(default=0.9, gt=0, le=1, description="share of grid energy that reaches the battery")
    level: LevelSection = Field(default=LevelSection(source="manual"), description="source of the battery level")
    id_tokens: list[Token] = Field(
        default=[], max_length=16, description="cards of its drivers, and its EVCCID or MAC address (Autocharge)"
    )

    def spec(self) -> VehicleSpec:
        """Return it as a fact for the core."""
        return VehicleSpec(
            vehicle_id=VehicleId(self.id),
            battery_wh=self.battery_kwh * 1000,
            charge_max_w=self.charge_max_kw * 1000,
            phases=self.phases,
            efficiency=self.efficiency,
            level_from_charger=self.level.source == "charger",
            level_max_age_s=self.level.max_age_s,
            id_tokens=tuple(self.id_tokens),
        )


class DaySection(Section):
    """What one day of the week asks for."""

    ready_by: WallTime = Field(description='local time, as "07:00"')
    minimum_charge_target: Level = Field(description="battery level in percent that must be reached by then")

    def target(self) -> DayTarget:
        """Return it as a fact for the core."""
        return DayTarget(ready_by=self.ready_by.replace(tzinfo=None), minimum_charge_target=self.minimum_charge_target)


def _day(value: Any) -> Any:
    if value is False:
        return None
    if not isinstance(value, dict):
        raise fault('expected { ready_by = "07:00", minimum_charge_target = 50 }, or false for no deadline')
    return value


Day = Annotated[
    DaySection | None,
    BeforeValidator(_day),
    Field(description="this day's deadline; false: none; left out: the default"),
]


class ScheduleSection(Section):
    """The deadlines of a week; a day that is left out has the default."""

    default: Day = None
    mon: Day = None
    tue: Day = None
    wed: Day = None
    thu: Day = None
    fri: Day = None
    sat: Day = None
    sun: Day = None

    def week(self) -> tuple[DayTarget | None, ...]:
        """Return seven targets, Monday first; None where there is no deadline."""
        days: list[DaySection | None] = [
            getattr(self, day) if day in self.model_fields_set else self.default for day in DAYS
        ]
        return tuple(None if day is None else day.target() for day in days)


class PolicySection(Section):
    """Charge this car at this charger, by this schedule."""

    id: Annotated[str, AfterValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})] = Field(
        description="a UUID, as uuidgen prints it"
    )
    vehicle: str = Field(description="id of a [[vehicle]]")
    charger: str = Field(description="id of a [[charger]]")
    battery_reserve: Level = Field(default=0, description="level in percent that is charged up to at any price")
    assumed_battery_level_at_plug_in: Level | None = Field(
        default=None, description="level in percent to go by when nothing tells the real one"
    )
    schedule: ScheduleSection = Field(default=ScheduleSection(), description="deadlines by day of the week")

    def policy(self) -> Policy:
        """Return it as a fact for the core."""
        return Policy(
            policy_id=PolicyId(self.id),
            charger_id=ChargerId(self.charger),
            vehicle_id=VehicleId(self.vehicle),
            battery_reserve=self.battery_reserve,
            schedule=self.schedule.week(),
            assumed_battery_level_at_plug_in=self.assumed_battery_level_at_plug_in,
        )
