"""``chargerd run`` and ``chargerd check``."""

import argparse
import asyncio
import sys
from pathlib import Path

from chargerd.cli.command import Command, Failed, Status, failed
from chargerd.clock import ScaledClock, SystemClock, parse_clock
from chargerd.errors import ChargingError, ConfigError

DEFAULT_CONFIG = Path("/etc/chargerd/chargerd.toml")


def add_clock(parser: argparse.ArgumentParser) -> None:
    """Add the option that every process on a shared accelerated clock takes."""
    parser.add_argument(
        "--clock",
        metavar="START@SPEED[@ANCHOR]",
        help="an accelerated clock, for example 2026-01-14T16:00:00Z@600: simulated time is START (RFC 3339) plus "
        "(real Unix time - ANCHOR) times SPEED; ANCHOR is the start of the process when it is left out",
    )


def read_clock(text: str | None) -> SystemClock | ScaledClock:
    """Read the value of ``--clock``."""
    try:
        return parse_clock(text)
    except ValueError as fault:
        raise failed(Status.USAGE, str(fault)) from fault


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE", help="the configuration (default %(default)s)"
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    add_clock(parser)
    parser.add_argument(
        "--log-level",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        default="INFO",
        help="DEBUG also shows every message on a wire (default %(default)s)",
    )


def _run(args: argparse.Namespace) -> int:
    clock = read_clock(args.clock)
    # The daemon is large, and only this command needs it.
    from chargerd import journal  # noqa: PLC0415
    from chargerd.app import run_daemon  # noqa: PLC0415

    journal.configure(sys.stderr, level=args.log_level, clock=clock)
    try:
        return asyncio.run(run_daemon(args.config, clock))
    except ConfigError as fault:
        raise Failed(Status.CONFIG, *fault.problems) from fault
    except ChargingError as fault:
        raise failed(Status.FAILED, str(fault)) from fault


def _check(args: argparse.Namespace) -> int:
    from chargerd.config import describe, load_config  # noqa: PLC0415 - pydantic is large

    try:
        config = load_config(args.config)
    except ConfigError as fault:
        raise Failed(Status.CONFIG, *fault.problems) from fault
    print(describe(config))
    return Status.DONE


COMMANDS = {"run": Command(_add_run, _run), "check": Command(_add_config, _check)}
