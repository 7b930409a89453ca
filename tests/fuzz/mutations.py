"""Broken frames, made from valid ones. The same seed makes the same frames."""

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any

Frame = list[Any]
Message = str | bytes

_ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**63,
    -(2**63),
    10**29,
    0.1,
    -0.0,
    1e308,
    "",
    "NaN",
    "-1",
    "1e400",
    "\x00",
    "\ud800",
    "ä" * 300,
    "2026-13-45T99:99:99Z",
    "1969-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    [],
    {},
    [[]],
    {"": {}},
    [None] * 50,
)
_ODD_TOKENS = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 500, "-" + "9" * 5000, "0x10", "01", ",", "", "'x'")
_GLUE = ("", " ", "\n", ",", "\x00", "\ufeff", "][", "[[")


def messages(valid: Sequence[Frame], seed: int) -> Iterator[Message]:
    """Return an endless row of messages: broken in one to three ways, and one in ten left as it is."""
    random = Random(seed)
    while True:
        message: Message | Frame = deepcopy(random.choice(valid))
        if random.random() >= 0.1:
            for _ in range(random.choice((1, 1, 1, 2, 3))):
                message = random.choice(_MUTATIONS)(message, valid, random)
        yield _spelled(message) if isinstance(message, list) else message


def _spelled(frame: Frame) -> str:
    return json.dumps(frame, separators=(",", ":"))


def _text(message: Message | Frame) -> str:
    if isinstance(message, list):
        return _spelled(message)
    return message.decode("utf-8", errors="replace") if isinstance(message, bytes) else message


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key or index) in a frame."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                waiting.append(container[key])
    return found


def _odd_value(message: Message | Frame, _valid: Sequence[Frame], random: Random) -> Message | Frame:
    """Put a value of another type or size somewhere."""
    if isinstance(message, list) and (places := _places(message)):
        container, key = random.choice(places)
        container[key] = deepcopy(random.choice(_ODD_VALUES))
    return message


def _missing(message: Message | Frame, _valid: Sequence[Frame], random: Random) -> Message | Frame:
    """Leave something out, or add something that there is not."""
    if isinstance(message, list) and (places := _places(message)):
        container, key = random.choice(places)
        if random.random() < 0.6:
            del container[key]
        elif isinstance(container, dict):
            container["x" * random.randrange(80)] = container[key]
        else:
            container.insert(key, deepcopy(random.choice(_ODD_VALUES)))
    return message


def _swapped(message: Message | Frame, valid: Sequence[Frame], random: Random) -> Message | Frame:
    """Put a part of another frame somewhere."""
    if isinstance(message, list) and (places := _places(message)):
        container, key = random.choice(places)
        other, part = random.choice(_places(random.choice(valid)))
        container[key] = deepcopy(other[part])
    return message


def _odd_token(message: Message | Frame, _valid: Sequence[Frame], random: Random) -> Message:
    """Write something where a value stands that is no JSON, or a number beyond measure."""
    text = _text(message)
    parts = text.split(":")
    at = random.randrange(len(parts))
    parts[at] = random.choice(_ODD_TOKENS) + parts[at][random.randrange(len(parts[at]) + 1) :]
    return ":".join(parts)


def _flipped(message: Message | Frame, _valid: Sequence[Frame], random: Random) -> bytes:
    raw = bytearray(_text(message).encode("utf-8", errors="surrogatepass"))
    for _ in range(random.choice((1, 1, 2, 8))):
        if raw:
            raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    return bytes(raw)


def _flipped_text(message: Message | Frame, valid: Sequence[Frame], random: Random) -> str:
    return _flipped(message, valid, random).decode("utf-8", errors="replace")


def _truncated(message: Message | Frame, _valid: Sequence[Frame], random: Random) -> str:
    text = _text(message)
    cut = random.randrange(len(text) + 1)
    return text[:cut] if random.random() < 0.7 else text[cut:]


def _spliced(message: Message | Frame, valid: Sequence[Frame], random: Random) -> str:
    """Half of one frame and half of another, or several in one message."""
    text, other = _text(message), _spelled(random.choice(valid))
    if random.random() < 0.5:
        return text[: random.randrange(len(text) + 1)] + other[random.randrange(len(other) + 1) :]
    return text + random.choice(_GLUE) + other * random.choice((1, 1, 2, 30))


def _nested(message: Message | Frame, _valid: Sequence[Frame], random: Random) -> str:
    depth = random.choice((20, 40, 500, 5000))
    opening, closing = random.choice((("[", "]"), ('{"a":', "}"), ("[", "")))
    core = _text(message) if random.random() < 0.5 else "1"
    nest = opening * depth + core + closing * depth
    return nest if random.random() < 0.5 else f'[2,"deep","MeterValues",{nest}]'


def _binary(message: Message | Frame, _valid: Sequence[Frame], random: Random) -> bytes:
    if random.random() < 0.5:
        return random.randbytes(random.choice((0, 1, 7, 125, 126, 3000)))
    return _text(message).encode(random.choice(("utf-8", "utf-16", "utf-32")), errors="surrogatepass")


def _unasked(_message: Message | Frame, _valid: Sequence[Frame], random: Random) -> Frame:
    """Answer what nobody asked, in a shape of its own."""
    message_id = random.choice(("never", 7, "", "x" * 300, None, ["a"]))
    rest = random.choice(([{}], [], [None], [{"status": "Accepted"}], ["InternalError", "", {}], [[[]]], ["a"] * 9))
    return [random.choice((3, 4, "3", 5, 0, -2, 3.5)), message_id, *rest]


_MUTATIONS: tuple[Callable[[Message | Frame, Sequence[Frame], Random], Message | Frame], ...] = (
    _odd_value,
    _odd_value,
    _odd_value,
    _missing,
    _missing,
    _swapped,
    _swapped,
    _odd_token,
    _flipped,
    _flipped_text,
    _truncated,
    _spliced,
    _nested,
    _binary,
    _unasked,
)
