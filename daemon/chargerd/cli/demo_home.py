"""The simulated home of the demo: its configuration, its cars' comings and goings, its processes."""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from chargerd.clock import ScaledClock
from chargerd.tariff import example_prices

ZONE = ZoneInfo("Europe/Berlin")
FIRST_EVENING = datetime(2026, 1, 14, 16, 30, tzinfo=ZONE)
NIGHTS_MAX = 6
"""So many nights do the prices that come with the demo cover."""
NIGHT = timedelta(hours=15)

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCar:
    """One charger with its car, and when it comes and goes. Levels in percent, one for each night, then anew."""

    charger: str
    vehicle: str
    policy: str
    version: str
    identity: str
    battery_kwh: float
    charge_kw: float
    goal: int
    ready_by: time
    plugs: time
    leaves: time
    levels: tuple[int, ...]
    tells_level: bool
    register_wh: int


CARS = (
    DemoCar(
        charger="garage",
        vehicle="city-car",
        policy="f47ac10b-58cc-4372-a567-0e02b2c3d479",
        version="1.6",
        identity="DEMO-GARAGE",
        battery_kwh=52,
        charge_kw=11,
        goal=80,
        ready_by=time(7),
        plugs=time(17, 42),
        leaves=time(7, 10),
        levels=(34, 41, 27, 52, 38, 16),
        tells_level=False,
        register_wh=1_284_310,
    ),
    DemoCar(
        charger="carport",
        vehicle="van",
        policy="9b2f6c1e-0d7a-4c55-8f43-5a1d2e7b9c10",
        version="2.0.1",
        identity="DEMO-CARPORT",
        battery_kwh=77,
        charge_kw=11,
        goal=70,
        ready_by=time(6, 30),
        plugs=time(18, 55),
        leaves=time(6, 45),
        levels=(15, 33, 48, 29, 12, 40),
        tells_level=True,
        register_wh=412_877,
    ),
)


@contextlib.contextmanager
def reserved_port(wanted: int = 0) -> Iterator[int]:
    """A loopback port that is ours to listen on, the wanted one if it is free; another demo gets another one."""
    with socket.socket() as held:
        try:
            held.bind(("127.0.0.1", wanted))
        except OSError:
            held.bind(("127.0.0.1", 0))
        # A socket that is bound and does not listen leaves the port to listeners that ask for reuse, as ours do.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port: int = held.getsockname()[1]
        yield port


def visits(car: DemoCar, nights: int) -> list[tuple[datetime, datetime, int]]:
    """When a car comes and goes, in UTC, and the level it comes with."""
    found = []
    for night in range(nights):
        evening = FIRST_EVENING.date() + timedelta(days=night)
        plugged = datetime.combine(evening, car.plugs, ZONE).astimezone(UTC)
        left = datetime.combine(evening + timedelta(days=1), car.leaves, ZONE).astimezone(UTC)
        found.append((plugged, left, car.levels[night % len(car.levels)]))
    return found


def configuration(directory: Path, *, ocpp_port: int, http_port: int) -> str:
    """The demo's configuration file: one that a household could write."""
    head = f"""\
[site]
name = "demo"
timezone = "{ZONE.key}"
main_fuse_a = 50

[ocpp]
listen = "127.0.0.1:{ocpp_port}"

[http]
listen = "127.0.0.1:{http_port}"

[store]
url = "sqlite://{directory / "chargerd.db"}"

[tariff]
kind = "file"
path = "{example_prices()}"
unit = "EUR/MWh"
start_column = "start_utc"
price_column = "price_eur_per_mwh"
"""
    return head + "".join(_car_sections(car) for car in CARS)


def _car_sections(car: DemoCar) -> str:
    source = "charger" if car.tells_level else "manual"
    assumed = "" if car.tells_level else "assumed_battery_level_at_plug_in = 30\n"
    return f"""
[[charger]]
id = "{car.charger}"
driver = "ocpp"
identity = "{car.identity}"
max_a = 16

[[vehicle]]
id = "{car.vehicle}"
battery_kwh = {car.battery_kwh}
charge_max_kw = {car.charge_kw}
level = {{ source = "{source}" }}

[[policy]]
id = "{car.policy}"
vehicle = "{car.vehicle}"
charger = "{car.charger}"
battery_reserve = 20
{assumed}schedule = {{ default = {{ ready_by = "{car.ready_by:%H:%M}", minimum_charge_target = {car.goal} }} }}
"""


@contextlib.asynccontextmanager
async def started_daemon(directory: Path, clock: ScaledClock, config: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The daemon as a process of its own; its journal goes to ``journal.log`` in the directory."""
    file = directory / "chargerd.toml"
    file.write_text(config)
    with (directory / "journal.log").open("wb") as journal:
        process = await asyncio.create_subprocess_exec(
            *_chargerd("run", "--config", str(file), "--clock", clock.spelling),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=journal,
            stderr=journal,
        )
        async with _ended(process):
            yield process


@contextlib.asynccontextmanager
async def started_charger(
    car: DemoCar, directory: Path, clock: ScaledClock, *, ocpp_port: int, nights: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A simulated charger with its car as a process of its own; what it notices comes out of its stdout."""
    arguments = [
        *("--url", f"ws://127.0.0.1:{ocpp_port}/ocpp", "--identity", car.identity, "--version", car.version),
        *("--battery-kwh", str(car.battery_kwh), "--car-max-kw", str(car.charge_kw)),
        *("--register-wh", str(car.register_wh), "--stay", "--clock", clock.spelling),
        *(("--report-soc",) if car.tells_level else ()),
    ]
    with (directory / f"{car.charger}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *_chargerd("simulate", "charge-point", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        assert process.stdin is not None
        for plugged, left, level in visits(car, nights):
            process.stdin.write(_line({"at": _rfc3339(plugged), "do": "plug", "level": level}))
            process.stdin.write(_line({"at": _rfc3339(left), "do": "unplug"}))
        async with _ended(process):
            yield process


@contextlib.asynccontextmanager
async def _ended(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """End a process when its time is over, however that comes."""
    try:
        yield
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def _chargerd(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "chargerd", *arguments)


def _line(control: Json) -> bytes:
    return json.dumps(control).encode() + b"\n"


def _rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
