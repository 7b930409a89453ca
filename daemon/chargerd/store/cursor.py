"""Cursors of settled sessions: opaque outside, the time of plug-out and the session's id inside."""

import base64
import binascii

from chargerd.store.codec import load_time

Key = tuple[str, str]
"""Time of plug-out as ``dump_time`` spells it, and the session's id."""


def dump_cursor(key: Key) -> str:
    """Spell a cursor, safe in a URL."""
    return base64.urlsafe_b64encode("|".join(key).encode()).decode().rstrip("=")


def load_cursor(text: str) -> Key:
    """Read a cursor. Raises ValueError for one that is not ours."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        at, bar, session_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("|")
        load_time(at)
    except (binascii.Error, ValueError) as error:
        raise ValueError(_not_ours(text)) from error
    if not bar or not session_id or len(at) != len("2026-01-01T00:00:00.000000Z"):
        raise ValueError(_not_ours(text))
    return at, session_id


def _not_ours(text: str) -> str:
    return f"cursor {text!r}: expected one that a page gave, or none"
