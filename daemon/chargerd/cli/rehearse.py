"""``chargerd demo`` and ``chargerd simulate``: what the simulator offers, imported when it is asked for."""

import argparse
import asyncio
import importlib

from chargerd.cli.command import Command
from chargerd.cli.daemon import add_clock, read_clock

SIMULATORS = {
    "charge-point": (
        "chargerd_drivers.simulator.charge_point",
        "One physically plausible OCPP charger with its car.",
        "chargerd simulate charge-point --identity garage --version 2.0.1 --level 35 --plug-at now",
    ),
}


def _add_demo(parser: argparse.ArgumentParser) -> None:
    importlib.import_module("chargerd.cli.demo").add_arguments(parser)


def _run_demo(args: argparse.Namespace) -> int:
    status: int = importlib.import_module("chargerd.cli.demo").run(args)
    return status


def _add_simulate(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="what to simulate", metavar="KIND", dest="simulator", required=True)
    for name, (module, summary, example) in SIMULATORS.items():
        kind = kinds.add_parser(name, help=summary, description=summary, epilog=f"example: {example}")
        importlib.import_module(module).add_arguments(kind)
        add_clock(kind)


def _run_simulate(args: argparse.Namespace) -> int:
    clock = read_clock(args.clock)
    module, *_ = SIMULATORS[args.simulator]
    status: int = asyncio.run(importlib.import_module(module).run(args, clock))
    return status


COMMANDS = {"demo": Command(_add_demo, _run_demo), "simulate": Command(_add_simulate, _run_simulate)}
