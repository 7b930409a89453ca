"""The grid of prices, plans and statistics: clock quarters, :00, :15, :30 and :45 UTC."""

from datetime import datetime, timedelta

QUARTER = timedelta(minutes=15)


def quarter_floor(at: datetime) -> datetime:
    """Start of the clock quarter that holds ``at``."""
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def quarter_after(at: datetime) -> datetime:
    """Start of the next clock quarter, strictly after ``at``."""
    return quarter_floor(at) + QUARTER


def quarter_ceil(at: datetime) -> datetime:
    """Start of the first clock quarter that is not before ``at``."""
    floor = quarter_floor(at)
    return floor if floor == at else floor + QUARTER
