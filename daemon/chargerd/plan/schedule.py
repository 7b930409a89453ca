"""The words of a schedule: kinds of blocks, windows of planned charging, and what is needed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class BlockKind(StrEnum):
    """What charging is for."""

    BATTERY_RESERVE = "BATTERY_RESERVE"
    REGULAR = "REGULAR"
    IMMEDIATE_START = "IMMEDIATE_START"


@dataclass(frozen=True, slots=True)
class Window:
    """A planned stretch of charging, half-open, with its estimate in Wh at the meter."""

    kind: BlockKind
    start: datetime
    end: datetime
    wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Energy still to be delivered, in Wh at the meter. ``ready_by`` None means as soon as possible."""

    kind: BlockKind
    wh: int
    ready_by: datetime | None = None
