"""Reading session documents in stories: short times (``11T01:15:00``), blocks and rates as plain values."""

from datetime import datetime
from typing import Any

Document = dict[str, Any]

ON_TARGET = {
    "type": "REGULAR",
    "targetId": 1,
    "state": "ON_TARGET",
    "batteryLevelAtReadyBy": None,
    "minimumChargeTargetReachedAt": None,
}
"""The outcome of a first REGULAR target that will be met."""

NO_STATISTICS = {"aggregated": None, "timeseries": []}
START_FAIL = {"type": "START_FAIL"}
STOP_FAIL = {"type": "STOP_FAIL"}


def regular(level: int = 50, ready_by: str = "2025-06-11T07:00:00Z", target_id: int = 1, reserve: int = 20) -> Document:
    """The policy's target as a document shows it."""
    return {
        "id": target_id,
        "type": "REGULAR",
        "source": "POLICY",
        "batteryReserve": reserve,
        "minimumChargeTarget": level,
        "readyBy": ready_by,
    }


def short(text: str) -> str:
    """``11T01:15:00`` of ``2025-06-11T01:15:00Z``."""
    return text[8:19]


def spans(doc: Document) -> list[tuple[str, str, str]]:
    """Kind, start and end of each block."""
    return [(block["type"], short(block["startAt"]), short(block["endAt"])) for block in doc["blocks"]]


def measured(doc: Document, now: datetime) -> float:
    """Energy in kWh of the blocks that have begun."""
    at = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    total: float = sum(block["kwhSum"] for block in doc["blocks"] if block["startAt"] <= at)
    return total


def rates(doc: Document) -> dict[str, float]:
    """Mean rate in kW of each interval, by its start to the minute: ``11T01:15``."""
    return {short(entry["startAt"])[:8]: entry["kwh"] for entry in doc["statistics"]["timeseries"]}


def kwh_sum(doc: Document) -> float:
    """The aggregated energy in kWh."""
    total: float = doc["statistics"]["aggregated"]["kwhSum"]
    return total


def near(found: str, expected: str, seconds: float = 2) -> bool:
    """Tell whether a time is the expected one, rounding allowed for; ``expected`` is short, of the same month."""
    at = datetime.fromisoformat(f"{found[:8]}{expected}Z")
    return abs((datetime.fromisoformat(found) - at).total_seconds()) <= seconds
