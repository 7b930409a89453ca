"""``chargerd``: the commands and their help. A command's module is imported when it is asked for, and not before."""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from chargerd import __version__
from chargerd.cli.command import Command, Failed, Status

EPILOG = """\
exit status: 0 done, 1 failed, 2 wrong usage, 69 daemon not reachable, 78 configuration
"""


class Listed(NamedTuple):
    """A line of the help: which module holds the command, what it does, and an example of its use."""

    module: str
    summary: str
    example: str


LISTED = {
    "run": Listed(
        "chargerd.cli.daemon",
        "Run the daemon in the foreground, until SIGTERM or SIGINT.",
        "chargerd run --config config/chargerd.toml",
    ),
    "check": Listed(
        "chargerd.cli.daemon",
        "Check a configuration file and say what the daemon would do with it.",
        "chargerd check --config config/chargerd.toml",
    ),
    "demo": Listed(
        "chargerd.cli.rehearse",
        "Let a simulated home live through a night in about a minute.",
        "chargerd demo --speed 600",
    ),
    "simulate": Listed(
        "chargerd.cli.rehearse",
        "Run a simulated charger with its car as a process of its own.",
        "chargerd simulate charge-point --identity garage --plug-at now",
    ),
    "status": Listed(
        "chargerd.cli.sessions",
        "Show how the daemon is and what each policy's session does.",
        "chargerd status",
    ),
    "session": Listed(
        "chargerd.cli.sessions",
        "Show the current session of a policy: its target, outcome and blocks.",
        "chargerd session zoe",
    ),
    "sessions": Listed(
        "chargerd.cli.sessions",
        "List the settled sessions, newest first.",
        "chargerd sessions --limit 5",
    ),
    "explain": Listed(
        "chargerd.cli.explain",
        "Say why a car is charging now, or is not, and what the charger told and answered.",
        "chargerd explain zoe",
    ),
    "target": Listed(
        "chargerd.cli.targets",
        "Charge to another level or by another time, for this session only; or go back to the policy.",
        "chargerd target zoe --level 90 --ready-by 08:00",
    ),
    "boost": Listed(
        "chargerd.cli.targets",
        "Charge at once and at full power, up to a level.",
        "chargerd boost zoe --level 70",
    ),
    "chargers": Listed("chargerd.cli.site", "List the chargers and what they do now.", "chargerd chargers"),
    "vehicles": Listed(
        "chargerd.cli.site",
        "List the vehicles: battery level, where each is, whether it charges.",
        "chargerd vehicles --json",
    ),
    "policies": Listed("chargerd.cli.site", "List the policies and their weekly schedules.", "chargerd policies"),
    "prices": Listed("chargerd.cli.site", "Show the price of energy from now on.", "chargerd prices --all"),
    "doctor": Listed(
        "chargerd.cli.doctor",
        "Say of each charger whether it is well, what is missing, and what can be done about it.",
        "chargerd doctor garage --test-charge",
    ),
    "ocpp": Listed(
        "chargerd.cli.operator",
        "Send one OCPP request to a charger and print its answer.",
        """chargerd ocpp garage GetConfiguration '{"key": ["HeartbeatInterval"]}'""",
    ),
    "adopt": Listed(
        "chargerd.cli.adopt",
        "List the chargers that knocked and are not in the configuration, or let one of them in.",
        "chargerd adopt WALLBOX-2 --id yard",
    ),
    "ca": Listed(
        "chargerd.cli.ca",
        "Make the certificates of the household's own with which chargers come over TLS.",
        "chargerd ca issue 192.168.1.10 gateway.local",
    ),
    "secure": Listed(
        "chargerd.cli.secure",
        "Give a charger a password, TLS, or a certificate of its own, without locking it out.",
        "chargerd secure garage --profile 2 --new-password",
    ),
    "replay": Listed(
        "chargerd.cli.replay",
        "Run a recording of the last days through the core again, and compare the decisions.",
        "chargerd replay /var/lib/chargerd/recording/garage-2026-01-14.jsonl.gz",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that lacks a letter gets a question mark in its place.
        sys.stdout.reconfigure(errors="replace")
    try:
        status = _run(given)
        sys.stdout.flush()
    except Failed as failed:
        for line in failed.lines:
            print(line, file=sys.stderr)
        return failed.status
    except KeyboardInterrupt:
        return Status.INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    return status


def _run(given: list[str]) -> int:
    wanted = next((word for word in given if not word.startswith("-")), None)
    parser, command = _parser(wanted)
    try:
        args = parser.parse_args(given)
    except SystemExit as left:
        # argparse has printed its help or its complaint.
        return left.code if isinstance(left.code, int) else Status.USAGE
    if command is None:
        parser.print_help()
        return Status.USAGE
    return command.run(args)


def _parser(wanted: str | None) -> tuple[argparse.ArgumentParser, Command | None]:
    """Build the parser of all commands; only the wanted one knows its arguments."""
    parser = argparse.ArgumentParser(
        prog="chargerd",
        description="Charges each car by its ready-by time at the lowest price, and says honestly when it cannot.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"chargerd {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    command: Command | None = None
    for name, listed in LISTED.items():
        sub = commands.add_parser(
            name,
            help=listed.summary,
            description=listed.summary,
            epilog=f"example: {listed.example}",
        )
        if name == wanted:
            command = importlib.import_module(listed.module).COMMANDS[name]
            command.add_arguments(sub)
    return parser, command


def _reader_gone() -> int:
    """Nobody reads on (``| head``). The interpreter flushes once more when it ends, and must find a place to."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return Status.DONE


if __name__ == "__main__":
    sys.exit(main())
