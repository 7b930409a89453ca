"""A session document in words, for a terminal."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chargerd.cli.text import MISSING, bar, clock_time, energy, moment, percent, plain, table

Json = dict[str, Any]

ERRORS = {
    "START_FAIL": "START_FAIL: charging is due and does not start",
    "STOP_FAIL": "STOP_FAIL: charging should have stopped and goes on",
    "MISSING_CAPABILITIES": "MISSING_CAPABILITIES",
}

_BLOCKS = {"BATTERY_RESERVE": "reserve", "REGULAR": "regular", "IMMEDIATE_START": "at once"}


def session_text(document: Json, title: str, now: datetime) -> str:
    """Return all of it, a few lines and one per block."""
    facts = [
        ("battery", _battery_and_energy(document)),
        ("target", target_text(document, now)),
        ("outcome", outcome_text(document, now)),
    ]
    if document["error"]["latest"] is not None:
        facts.append(("error", error_text(document)))
    lines = [f"{title}  {_state(document, now)}", table(facts, indent="  ")]
    if document["blocks"]:
        lines += ["  blocks", table(_blocks(document, now), indent="    ", right=frozenset({2}))]
    return "\n".join(lines)


def battery_text(document: Json) -> str:
    """Return the levels from plug-in to now."""
    totals = document["statistics"]["aggregated"]
    if totals is None:
        return MISSING
    return f"{percent(totals['batteryFrom'])} -> {percent(totals['batteryTo'])}"


def target_text(document: Json, now: datetime) -> str:
    """Return the target in force."""
    target = document["target"]["latest"]
    if target is None:
        return MISSING
    level = percent(target["minimumChargeTarget"])
    if target["type"] == "IMMEDIATE_START":
        return f"{level} at once"
    whose = "policy" if target["source"] == "POLICY" else "override"
    return f"{level} by {moment(target['readyBy'], now)} ({whose})"


def outcome_text(document: Json, now: datetime) -> str:
    """Return what is expected of the target, or became of it."""
    outcome = document["outcome"]["latest"]
    if outcome is None:
        return MISSING
    reached = outcome["minimumChargeTargetReachedAt"]
    when = "not known when" if reached is None else _reached(reached, now)
    if outcome["type"] == "IMMEDIATE_START":
        return when
    if outcome["state"] == "ON_TARGET":
        return "on target"
    return f"OFF TARGET: {percent(outcome['batteryLevelAtReadyBy'])} at the deadline, target {when}"


def _reached(at: str, now: datetime) -> str:
    verb = "reached" if datetime.fromisoformat(at) <= now else "expected"
    return f"{verb} {moment(at, now)}"


def error_text(document: Json) -> str:
    """Return the error in force."""
    error = document["error"]["latest"]
    if error is None:
        return MISSING
    missing = ", ".join(plain(name) for name in error.get("missingCapabilities", ()))
    said = ERRORS.get(error["type"], plain(error["type"]))
    return f"{said}: {missing}" if missing else said


def _state(document: Json, now: datetime) -> str:
    state = plain(document["state"])
    if document["pluggedInAt"] is None:
        return f"{state}, waiting for the car"
    plugged = f"{state}, plugged in {moment(document['pluggedInAt'], now)}"
    return plugged if document["pluggedOutAt"] is None else f"{plugged}, out {moment(document['pluggedOutAt'], now)}"


def _battery_and_energy(document: Json) -> str:
    totals = document["statistics"]["aggregated"]
    return MISSING if totals is None else f"{battery_text(document)}, {energy(totals['kwhSum'])} delivered"


def _blocks(document: Json, now: datetime) -> Iterator[tuple[str, ...]]:
    largest = max(block["kwhSum"] for block in document["blocks"])
    for block in document["blocks"]:
        yield (
            f"{moment(block['startAt'], now)} - {clock_time(block['endAt'])}",
            _BLOCKS.get(block["type"], plain(block["type"])),
            energy(block["kwhSum"]),
            _tense(block, document, now),
            bar(block["kwhSum"], largest),
        )


def _tense(block: Json, document: Json, now: datetime) -> str:
    if document["state"] == "SETTLED" or datetime.fromisoformat(block["endAt"]) <= now:
        return "done"
    return "now" if datetime.fromisoformat(block["startAt"]) <= now else "planned"
