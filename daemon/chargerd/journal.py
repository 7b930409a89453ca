"""The journal: one entry per thing that happened, readable lines on a terminal and JSON otherwise.

Code logs with ``structlog.get_logger("chargerd.x").info("ocpp.frame", charger=..., message=...)``: the first argument
is the stable name of the kind of event (CHARGERD_EVENT), ``message`` the sentence for a reader (MESSAGE). Every other
key becomes a field of its own: ``charger`` is CHARGERD_CHARGER, ``limit_a`` is CHARGERD_LIMIT_A. The time of a line is
that of the clock that was given, which may be an accelerated one.
"""

import json
import logging
import os
import sys
import traceback
from collections import OrderedDict
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

from chargerd.clock import SystemClock
from chargerd.contract import Clock, Note

Style = Literal["auto", "pretty", "json"]

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""syslog numbers of the levels."""

LEVELS = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARNING": logging.WARNING, "ERROR": logging.ERROR}
"""What may be configured as the lowest level that is written."""

_SECRETS = frozenset({"token", "password", "authorization", "secret", "credentials", "api_key"})
_COLOURS = {"debug": "\x1b[2m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[1;31m"}
_RESET = "\x1b[0m"

Entry = MutableMapping[str, Any]


def configure(stream: TextIO, style: Style = "auto", level: str = "INFO", *, clock: Clock | None = None) -> None:
    """Send all logging of this process to a stream; may be called again to change it.

    ``style`` "auto" is "pretty" on a terminal and "json" elsewhere. ``level`` is a key of LEVELS. Warnings and errors
    of the libraries are routed here too.
    """
    on_terminal = stream.isatty()
    pretty = style == "pretty" or (style == "auto" and on_terminal)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _Stamp(clock or SystemClock()),
            _tidy,
            _Pretty(colours=on_terminal and "NO_COLOR" not in os.environ) if pretty else _as_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: _Lines(stream),
        cache_logger_on_first_use=False,
    )
    _route_libraries()


def write_note(note: Note) -> None:
    """Write a note of the core as one entry."""
    structlog.get_logger("chargerd.core").log(
        LEVELS[note.level],
        note.name,
        message=note.message,
        charger=note.charger_id,
        policy=note.policy_id,
        session=note.session_id,
        transaction=note.transaction_id,
        error=note.error,
    )


class Once:
    """Lets a repeated condition be told once, until it changes. Remembers the last 1024 conditions."""

    _CAPACITY = 1024

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, str], object] = OrderedDict()

    def changed(self, name: str, key: str, condition: object = True) -> bool:  # noqa: FBT002 - any value, not a switch
        """Whether the condition of this name and key is news; from now on it is not."""
        slot = (name, key)
        news = slot not in self._told or self._told[slot] != condition
        self._told[slot] = condition
        self._told.move_to_end(slot)
        if len(self._told) > self._CAPACITY:
            self._told.popitem(last=False)
        return news

    def over(self, name: str, key: str) -> bool:
        """Forget a condition; whether it had been told, so that its end is worth telling."""
        return self._told.pop((name, key), None) is not None


class _Lines:
    """Where entries end: one line each, flushed. The daemon goes on when nobody can read its journal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # A full disk or a closed terminal; there is no other place to say so.
            return

    debug = info = warning = error = critical = exception = fatal = warn = log = msg


class _Stamp:
    """Adds the clock's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, _logger: Any, _method: str, entry: Entry) -> Entry:
        entry["time"] = self._clock.now()
        return entry


def _tidy(_logger: Any, _method: str, entry: Entry) -> Entry:
    """Drop what has no value, hide secrets, take the ``_id`` from names, and spell out an exception."""
    fault = entry.pop("exc_info", None)
    tidy: Entry = {}
    for key, value in entry.items():
        if value is not None:
            tidy[key.removesuffix("_id")] = "***" if key in _SECRETS else value
    if fault:
        tidy["traceback"] = _traceback(fault)
    return tidy


def _traceback(fault: Any) -> str:
    shown = fault if isinstance(fault, BaseException) else sys.exc_info()[1]
    return "" if shown is None else "".join(traceback.format_exception(shown)).rstrip()


def _as_json(_logger: Any, _method: str, entry: Entry) -> str:
    level, event, at = entry.pop("level"), str(entry.pop("event", "")), entry.pop("time")
    fields: dict[str, Any] = {
        "TIME": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "PRIORITY": PRIORITIES[level],
        "MESSAGE": str(entry.pop("message", event)),
        "CHARGERD_EVENT": event,
    }
    for key, value in entry.items():
        fields[f"CHARGERD_{key.upper()}"] = value
    return json.dumps(fields, ensure_ascii=False, default=str, separators=(",", ":"))


class _Pretty:
    """One line for a person: local time, level, charger, message, and what else there is."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, _logger: Any, _method: str, entry: Entry) -> str:
        level, event, at = entry.pop("level"), str(entry.pop("event", "")), entry.pop("time")
        message, trace = entry.pop("message", None), entry.pop("traceback", None)
        said = event if message is None else f"{_plain(message)}  ({event})"
        rest = "".join(f"  {key}={_plain(value)}" for key, value in entry.items())
        shown = f"{level.upper():<8}"
        if self._colours and level in _COLOURS:
            shown = f"{_COLOURS[level]}{shown}{_RESET}"
        line = f"{at.astimezone():%Y-%m-%d %H:%M:%S}  {shown}  {said}{rest}"
        return line if trace is None else f"{line}\n{trace}"


def _plain(value: object) -> str:
    """Text that cannot end its line or steer the terminal, whoever sent it."""
    text = str(value)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


class _Route(logging.Handler):
    """Carries a library's log record into the journal."""

    def emit(self, record: logging.LogRecord) -> None:
        level = max(level for level in (*LEVELS.values(), logging.CRITICAL) if level <= max(record.levelno, 10))
        structlog.get_logger("chargerd.library").log(
            level,
            "library.log",
            message=record.getMessage(),
            library=record.name,
            exc_info=record.exc_info and record.exc_info[1],
        )


def _route_libraries() -> None:
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Route)]:
        root.removeHandler(handler)
    root.addHandler(_Route(logging.WARNING))
    root.setLevel(logging.WARNING)
