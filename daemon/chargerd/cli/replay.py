"""``chargerd replay``: a recording, run through the core. What shows it is imported when a file is to be run."""

import argparse
import importlib
from pathlib import Path

from chargerd.cli.command import Command


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a recording, compressed or not; the daemon keeps three days of them in the folder recording beside its "
        "database. It holds card numbers, and when which car was there",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per decision, for a program")
    parser.add_argument(
        "--documents", action="store_true", help="show each session document, too, whenever it has changed"
    )


def _replay(args: argparse.Namespace) -> int:
    status: int = importlib.import_module("chargerd.cli.replay_text").show(
        args.file, for_program=args.json, documents=args.documents
    )
    return status


COMMANDS = {"replay": Command(_add_replay, _replay)}
