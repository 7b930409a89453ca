"""What a person does at the charger: control lines on standard input, and visits from the command line."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from chargerd_drivers.simulator.faults import FaultSpec, parse_fault
from chargerd_drivers.simulator.schemas import parse_time

DEEDS = ("plug", "unplug", "start", "stop", "fault", "drop", "report", "quit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One deed, at a time or (None) at once. ``away_s`` None is what the command line says."""

    do: str
    at: datetime | None = None
    level_pct: float | None = None
    fault: FaultSpec | None = None
    on: bool = True
    away_s: float | None = None


def parse_action(line: str) -> Action:
    """Read a control line. Raises ValueError with a sentence that says what was expected."""
    data = json.loads(line)
    if not isinstance(data, dict) or data.get("do") not in DEEDS:
        raise ValueError(f'expected {{"do": …}} with one of {", ".join(DEEDS)}')
    allowed = {"do", "at"} | {"plug": {"level"}, "fault": {"name", "on"}, "drop": {"away"}}.get(data["do"], set())
    if unknown := sorted(set(data) - allowed):
        raise ValueError(f"unknown key {unknown[0]!r}: {data['do']} takes {', '.join(sorted(allowed))}")
    at, on = data.get("at"), data.get("on", True)
    if on not in (True, False):
        raise ValueError(f"on {on!r}: expected true or false")
    if at is not None and not isinstance(at, str):
        raise ValueError(f"at {at!r}: expected an RFC 3339 time")
    return Action(
        do=data["do"],
        at=None if at is None else parse_time(at),
        level_pct=_number(data, "level", most=100),
        fault=parse_fault(str(data.get("name"))) if data["do"] == "fault" else None,
        on=on,
        away_s=_number(data, "away", most=1e9),
    )


def _number(data: dict[str, Any], key: str, *, most: float) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{key} {value!r}: expected a number from 0 to {most:g}")
    return float(value)


def is_pipe(stream: TextIO) -> bool:
    """Whether a stream is a pipe or a socket that somebody may write control lines to."""
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


async def read_lines(stream: TextIO) -> AsyncIterator[str]:
    """Read a pipe line by line, without ever holding up the loop."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    try:
        while line := await reader.readline():
            if text := line.decode(errors="replace").strip():
                yield text
    finally:
        transport.close()
