"""What a command is, and how it fails."""

import argparse
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple


class Status(IntEnum):
    """Exit statuses; 69 and 78 are those of sysexits.h."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 69
    CONFIG = 78
    INTERRUPTED = 130


class Command(NamedTuple):
    """A command: its arguments, and what it does."""

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class Failed(Exception):
    """A command cannot go on. ``lines`` are for standard error."""

    def __init__(self, status: Status, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.status = status
        self.lines = lines


def failed(status: Status, sentence: str) -> Failed:
    """Return a failure that says who speaks."""
    return Failed(status, f"chargerd: {sentence}")
