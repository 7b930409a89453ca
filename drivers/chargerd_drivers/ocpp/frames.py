"""OCPP-J framing (OCPP-J 1.6 section 4, 2.0.1 part 4 section 4): text to frames and back. Pure; nothing here raises.

The parser is strict about JSON (no NaN, no numbers beyond range, bounded depth) and forgiving about shape: it mends
the faults that boxes are known for, and two frames in one message are two frames.
"""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from chargerd_drivers.ocpp.fields import Json, obj, text

CALL, CALLRESULT, CALLERROR = 2, 3, 4

MessageId = str | int
"""Echoed as it came; the standard says string of at most 36 characters, some boxes count with numbers."""

DEPTH_MAX = 32
_ID_MAX = 255
_DIGITS_MAX = 30
_FRAMES_MAX = 16
_HEAD = re.compile(r'\s*\[\s*"?2"?\s*,\s*"([^"\\]{1,255})"\s*(?:,\s*"([A-Za-z0-9]{1,64})")?')
_RESTART = re.compile(r'\[\s*[234]\s*,\s*"[^"\\]{1,255}"\s*,\s*["{]')
"""Where a frame begins in the midst of another one that was cut off."""
_REPAIRS = (
    (re.compile(r"\[\s*,"), "["),
    (re.compile(r":\s*,"), ":null,"),
    (re.compile(r":\s*}"), ":null}"),
    (re.compile(r",\s*([\]}])"), r"\1"),
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request. ``payload`` is an empty object when the sender gave none."""

    message_id: MessageId
    action: str
    payload: Json


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a request of ours."""

    message_id: MessageId
    payload: Json


@dataclass(frozen=True, slots=True)
class Fault:
    """A CALLERROR for a request of ours. ``code`` may be a vendor's own word."""

    message_id: MessageId
    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Broken:
    """What is no frame. ``message_id`` is set when it was a request whose id could be read.

    ``action`` then is its action or "". ``salvage`` is the payload with everything unreadable left out.
    ``is_type_unknown`` tells that it would be a frame of a message type that neither version knows.
    """

    reason: str
    message_id: MessageId | None = None
    action: str = ""
    salvage: Json = field(default_factory=dict)
    is_type_unknown: bool = False


Frame = Call | Result | Fault | Broken


def parse(message: str | bytes) -> tuple[Frame, ...]:
    """Read one WebSocket message, text or binary.

    What is whole is read even when it stands beside something cut off, as boxes send it after a Wi-Fi glitch.
    """
    raw = message.decode("utf-8", errors="replace") if isinstance(message, bytes) else message
    left = raw.replace("\x00", "").strip("\ufeff \t\r\n")
    frames: list[Frame] = []
    while len(frames) < _FRAMES_MAX:
        values, left, fault = _values(left, _FRAMES_MAX - len(frames))
        frames += [_frame(value) for value in values]
        if not fault:
            return tuple(frames)
        mended, unmended, _ = _values(_mended(left), _FRAMES_MAX - len(frames))
        if mended and not unmended:
            return (*frames, *(_frame(value) for value in mended))
        restart = _RESTART.search(left, 1)
        if restart is None:
            return (*frames, _broken(left, fault))
        frames.append(_broken(left[: restart.start()], fault))
        left = left[restart.start() :]
    return (*frames, Broken(f"more than {_FRAMES_MAX} frames in one message"))


def encode_call(message_id: str, action: str, payload: Json) -> str:
    """Spell a request."""
    return json.dumps([CALL, message_id, action, payload], separators=(",", ":"))


def encode_result(message_id: MessageId, payload: Json) -> str:
    """Spell an answer."""
    return json.dumps([CALLRESULT, message_id, payload], separators=(",", ":"))


def encode_fault(message_id: MessageId, code: str, description: str) -> str:
    """Spell a CALLERROR; descriptions hold 255 characters at most."""
    return json.dumps([CALLERROR, message_id, code, description[:255], {}], separators=(",", ":"))


def _values(raw: str, count_max: int) -> tuple[list[Any], str, str]:
    """Return the JSON values that a text begins with, what is left of it, and why that is none; "" when it is all."""
    values: list[Any] = []
    position = 0
    while position < len(raw) and len(values) < count_max:
        try:
            value, end = _STRICT.raw_decode(raw, position)
            _check_depth(value)
        except (ValueError, RecursionError) as error:
            return values, raw[position:], str(error) or type(error).__name__
        values.append(value)
        position = end
        while position < len(raw) and raw[position].isspace():
            position += 1
    fault = "too many frames" if position < len(raw) else "" if values else "empty message"
    return values, raw[position:], fault


def _mended(raw: str) -> str:
    """Mend ``[,`` and ``:,`` (ZJ Beny, AEFA), trailing commas, and brackets that were never closed."""
    for pattern, replacement in _REPAIRS:
        raw = pattern.sub(replacement, raw)
    open_brackets: list[str] = []
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', raw):
        char = token[0]
        if char in "[{":
            open_brackets.append("]" if char == "[" else "}")
        elif char in "]}" and open_brackets:
            open_brackets.pop()
    return raw + "".join(reversed(open_brackets[: DEPTH_MAX + 1]))


def _frame(value: object) -> Frame:
    if not isinstance(value, list) or len(value) < 2:
        return Broken("not an array of at least two elements")
    kind, message_id, *rest = value
    if isinstance(message_id, bool) or not isinstance(message_id, str | int) or len(str(message_id)) > _ID_MAX:
        return Broken("message id is no text of at most 255 characters")
    match kind:
        case 2 | "2":
            if not rest or not isinstance(rest[0], str) or not 0 < len(rest[0]) <= 64:
                return Broken("action is no text", message_id)
            return Call(message_id, rest[0], obj(rest[1]) if len(rest) > 1 else {})
        case 3 | "3":
            return Result(message_id, obj(rest[0]) if rest else {})
        case 4 | "4":
            code, description = (*(text(part) for part in rest[:2]), "", "")[:2]
            return Fault(message_id, code, description)
        case _:
            return Broken("unknown message type", message_id, is_type_unknown=True)


def _broken(raw: str, reason: str) -> Broken:
    head = _HEAD.match(raw)
    if head is None:
        return Broken(reason)
    try:
        loose = _LOOSE.decode(_mended(raw))
        _check_depth(loose)
        salvage = obj(loose[3]) if isinstance(loose, list) and len(loose) > 3 else {}
    except (ValueError, RecursionError):
        salvage = {}
    return Broken(reason, head[1], head[2] or "", salvage)


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
        ]
        if not level:
            return
    msg = f"nested deeper than {DEPTH_MAX} levels"
    raise ValueError(msg)


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON number"
    raise ValueError(msg)


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        msg = "number out of range"
        raise ValueError(msg)
    return value


def _short_int(digits: str) -> int:
    if len(digits) > _DIGITS_MAX:
        msg = f"integer of more than {_DIGITS_MAX} digits"
        raise ValueError(msg)
    return int(digits)


def _loose_float(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _loose_int(digits: str) -> int | None:
    return int(digits) if len(digits) <= _DIGITS_MAX else None


_STRICT = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite_float, parse_int=_short_int)
_LOOSE = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_loose_float, parse_int=_loose_int)
