"""How well prices are known, and how old they are, for people."""

from datetime import datetime
from typing import Any

from chargerd.cli.text import moment, plain

Json = dict[str, Any]

RUNG_WORDS = {
    "FRESH": "as the source told them",
    "CACHED": "as the source told them before",
    "REPEATED": "those of an earlier day",
    "FALLBACK": "the configured fallback price",
    "UNKNOWN": "not known throughout",
}
"""What each rung of the ladder means."""


def rung_text(rung: str, old_since: str | None, now: datetime) -> str:
    """Say how well prices are known, and since when newer ones are owed."""
    old = "" if old_since is None else f", newer ones owed since {moment(old_since, now)}"
    return f"{RUNG_WORDS.get(rung, plain(rung))}{old}"


def prices_line(answer: Json, now: datetime) -> str:
    """Sum the prices document up in a line."""
    told = [slot["endAt"] for slot in answer["data"] if slot["origin"] == "SOURCE"]
    until = f", told until {moment(told[-1], now)}" if told else ""
    fetched = "" if answer["fetchedAt"] is None else f", fetched {moment(answer['fetchedAt'], now)}"
    return f"{plain(answer['currency'])} per kWh: {rung_text(answer['rung'], answer['oldSince'], now)}{until}{fetched}"
