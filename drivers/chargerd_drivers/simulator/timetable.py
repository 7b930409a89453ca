"""When clock-aligned samples are due. Pure."""

from datetime import datetime, timedelta

from chargerd_drivers.simulator.settings import Settings


def next_aligned(settings: Settings, at: datetime) -> datetime | None:
    """Return the next instant after ``at`` on the grid that starts at midnight UTC; None when none is wanted."""
    interval_s = settings.count("ClockAlignedDataInterval")
    if interval_s == 0:
        return None
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(seconds=interval_s)
    return min(midnight + ((at - midnight) // step + 1) * step, midnight + timedelta(days=1))
