"""``chargerd simulate charge-point``: one charger and its car, as a process of its own."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from chargerd.contract import Clock
from chargerd_drivers.simulator.actions import Action, is_pipe, parse_action, read_lines
from chargerd_drivers.simulator.address import Address
from chargerd_drivers.simulator.behaviour import Behaviour
from chargerd_drivers.simulator.dialect import Nameplate
from chargerd_drivers.simulator.faults import Fault, FaultSpec, parse_fault
from chargerd_drivers.simulator.personalities import combined, listing
from chargerd_drivers.simulator.physics import Car, Outlet, Physics
from chargerd_drivers.simulator.schemas import parse_time
from chargerd_drivers.simulator.settings import Settings
from chargerd_drivers.simulator.simulation import AWAY_S, Simulation
from chargerd_drivers.simulator.station import Station

log = logging.getLogger(__name__)

_FAULT_HELP = f"one of {', '.join(Fault)}; drop-socket=SECONDS after the start of a transaction; repeatable"
_PERSONALITY_HELP = "do as some real chargers do; repeatable, they combine; --list-personalities tells them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add everything but the clock."""
    net = parser.add_argument_group("connection")
    net.add_argument("--url", default="ws://127.0.0.1:8887/ocpp", help="the identity is appended")
    net.add_argument("--identity", default="simulator")
    net.add_argument("--version", choices=("1.6", "2.0.1"), default="1.6", help="OCPP version")
    net.add_argument("--password-file", type=Path, help="HTTP Basic password (security profile 1)")
    outlet = parser.add_argument_group("charger")
    outlet.add_argument("--phases", type=int, choices=(1, 3), default=3)
    outlet.add_argument("--max-a", type=_over_zero, default=16.0, help="per phase")
    outlet.add_argument("--voltage", type=_over_zero, default=230.0, help="phase to neutral")
    outlet.add_argument("--register-wh", type=_from_zero, default=1_234_567.0, help="energy register at the start")
    outlet.add_argument("--report-soc", action="store_true", help="send the car's level when asked for SoC")
    outlet.add_argument("--id-tag", help="the card presented at a local start; without it a button is pressed")
    outlet.add_argument("--vendor", type=_short(20), default="Simulated")
    outlet.add_argument("--model", type=_short(20), default="Wallbox")
    outlet.add_argument("--firmware", type=_short(50), default="1.0.0")
    car = parser.add_argument_group("car")
    car.add_argument("--battery-kwh", type=_over_zero, default=60.0)
    car.add_argument("--level", type=_percent, default=35.0, help="percent at the first plug-in")
    car.add_argument("--car-max-kw", type=_over_zero, default=11.0)
    car.add_argument("--car-phases", type=int, choices=(1, 2, 3), default=3)
    car.add_argument("--car-limit", type=_percent, default=100.0, help="percent at which the car stops by itself")
    car.add_argument("--efficiency", type=_share, default=0.92, help="share of grid energy that is stored")
    script = parser.add_argument_group("what happens")
    script.add_argument("--plug-at", type=_time, help='RFC 3339, or "now"')
    script.add_argument("--unplug-at", type=_time, help='RFC 3339, or "now"')
    script.add_argument("--fault", type=_fault, action="append", default=[], help=_FAULT_HELP)
    script.add_argument("--personality", action="append", default=[], metavar="NAME", help=_PERSONALITY_HELP)
    script.add_argument("--list-personalities", action="store_true", help="one line for each, and nothing else")
    script.add_argument("--away", type=_from_zero, default=AWAY_S, help="seconds without a network after a drop")
    script.add_argument("--no-stdin", action="store_true", help="read no control lines")
    script.add_argument("--stay", action="store_true", help="go on when standard input ends")
    script.add_argument("--quiet", action="store_true", help="write no events to standard output")


async def run(args: argparse.Namespace, clock: Clock) -> int:
    """Run until told to quit, until SIGTERM or SIGINT, or until the input and everything planned are over."""
    _set_up_logging()
    if args.list_personalities or "help" in args.personality:
        _write(listing())
        return 0
    try:
        behaviour = combined(args.personality, version=args.version)
    except ValueError as error:
        log.error("%s", error)
        return 2
    password: str | None = None
    if args.password_file is not None:
        try:
            password = args.password_file.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            log.error("password file %s: %s", args.password_file, error)
            return 1
    simulation = _build(args, clock, password=password, behaviour=behaviour)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, simulation.done.set)
    try:
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[None]] = [
                group.create_task(simulation.tick()),
                group.create_task(simulation.link.run()),
            ]
            if not args.no_stdin and is_pipe(sys.stdin):
                tasks.append(group.create_task(_obey(simulation, stay=args.stay)))
            await simulation.done.wait()
            await simulation.farewell()
            for task in tasks:
                task.cancel()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 0


def _build(args: argparse.Namespace, clock: Clock, *, password: str | None, behaviour: Behaviour) -> Simulation:
    now = clock.now()
    physics = Physics(
        outlet=Outlet(phases=args.phases, voltage_v=args.voltage, current_max_a=args.max_a),
        car=Car(
            battery_wh=1000 * args.battery_kwh,
            power_max_w=1000 * args.car_max_kw,
            phases=args.car_phases,
            limit_pct=args.car_limit,
            efficiency=args.efficiency,
        ),
        stored_wh=10 * args.battery_kwh * args.level,
        register_wh=args.register_wh,
    )
    station = Station(physics, now=now, settings=Settings(phases=args.phases, behaviour=behaviour))
    for fault in args.fault:
        station.set_fault(now, fault, on=True)
    simulation = Simulation(
        station=station,
        address=Address(url=args.url, identity=args.identity, version=args.version, password=password),
        nameplate=Nameplate(
            vendor=args.vendor,
            model=args.model,
            firmware=args.firmware,
            serial=f"SIM-{args.identity}"[:25],
            report_soc=args.report_soc,
        ),
        clock=clock,
        write=None if args.quiet else _write,
    )
    simulation.id_token = args.id_tag
    simulation.away_s = args.away
    for do, at in (("plug", args.plug_at), ("unplug", args.unplug_at)):
        if at is not None:
            simulation.schedule(Action(do=do, at=None if at == "now" else at))
    return simulation


async def _obey(simulation: Simulation, *, stay: bool) -> None:
    """Take control lines until there are no more."""
    async for line in read_lines(sys.stdin):
        try:
            simulation.schedule(parse_action(line))
        except ValueError as error:
            log.error("control line %r: %s", line, error)
    simulation.end_input(stay=stay)


def _write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _set_up_logging() -> None:
    if not logging.getLogger().handlers:
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("websockets").setLevel(logging.WARNING)


def _number(text: str, expected: str, *, fits: Callable[[float], bool]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not fits(value):
        raise argparse.ArgumentTypeError(f"{text!r}: expected {expected}")
    return value


def _over_zero(text: str) -> float:
    return _number(text, "a number over 0", fits=lambda value: 0 < value < 1e12)


def _from_zero(text: str) -> float:
    return _number(text, "a number from 0 on", fits=lambda value: 0 <= value < 1e12)


def _percent(text: str) -> float:
    return _number(text, "percent, 0 to 100", fits=lambda value: 0 <= value <= 100)


def _share(text: str) -> float:
    return _number(text, "a share over 0, at most 1", fits=lambda value: 0 < value <= 1)


def _short(length: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > length:
            raise argparse.ArgumentTypeError(f"{text!r}: OCPP allows {length} characters at most")
        return text

    return check


def _time(text: str) -> datetime | str:
    if text == "now":
        return text
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: expected an RFC 3339 time with a zone, or now") from error


def _fault(text: str) -> FaultSpec:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
