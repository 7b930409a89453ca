"""A station whose clock is wrong: its own times and those that it is told, shifted. Pure."""

from datetime import timedelta
from typing import Any

from chargerd_drivers.simulator.schemas import TIMES, parse_time, spell_time


def shifted(payload: Any, seconds: float) -> Any:
    """Return a payload with every time moved by so many seconds, spelled to the second or millisecond as it was."""
    if not seconds:
        return payload
    if isinstance(payload, list):
        return [shifted(inner, seconds) for inner in payload]
    if not isinstance(payload, dict):
        return payload
    return {
        key: _moved(inner, seconds) if key in TIMES and isinstance(inner, str) else shifted(inner, seconds)
        for key, inner in payload.items()
    }


def _moved(text: str, seconds: float) -> str:
    return spell_time(parse_time(text) + timedelta(seconds=seconds), fine="." in text)
