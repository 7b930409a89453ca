"""Text for people: local times, numbers with units, aligned columns, small bars."""

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

MISSING = "-"
BAR_WIDTH = 16

_FULL, _PARTS = "█", " ▏▎▍▌▋▊▉"


def moment(text: str | None, now: datetime) -> str:
    """Local time of the terminal: weekday and time within six days of now, the date otherwise."""
    if text is None:
        return MISSING
    at = datetime.fromisoformat(text).astimezone()
    return f"{at:%a %H:%M}" if abs(at - now) < timedelta(days=6) else f"{at:%Y-%m-%d %H:%M}"


def clock_time(text: str) -> str:
    """Local time of day."""
    return f"{datetime.fromisoformat(text).astimezone():%H:%M}"


def percent(value: float | None) -> str:
    """Battery level."""
    return MISSING if value is None else f"{value:g} %"


def energy(kwh: float | None) -> str:
    """Energy in kWh with one decimal."""
    return MISSING if kwh is None else f"{kwh:.1f} kWh"


def plain(value: object) -> str:
    """Text that cannot end its line or steer the terminal, whoever sent it; a dash for nothing."""
    if value is None or value == "":
        return MISSING
    text = str(value)
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")


def bar(value: float, largest: float, width: int = BAR_WIDTH) -> str:
    """Return a bar of that share of the width, without the blanks behind it."""
    if largest <= 0 or value <= 0:
        return ""
    eighths = max(round(min(value / largest, 1) * width * 8), 1)
    if not _has(_FULL + _PARTS):
        return "#" * max(eighths // 8, 1)
    return (_FULL * (eighths // 8) + _PARTS[eighths % 8]).rstrip()


def table(rows: Iterable[Sequence[str]], *, indent: str = "", right: frozenset[int] = frozenset()) -> str:
    """Align columns, two blanks apart; columns in ``right`` are set to their right edge."""
    listed = [list(row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip_longest(*listed, fillvalue="")]
    lines = []
    for row in listed:
        cells = (
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=False))
        )
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def _has(letters: str) -> bool:
    try:
        letters.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
