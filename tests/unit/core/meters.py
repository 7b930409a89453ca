"""Readings of a meter, told to a ledger one after the other.

A reading is written as ``("22:05", 1000, 6000)``: its time, the register in Wh, the power in W; None is not told.
"""

from datetime import datetime, timedelta

from chargerd.core import ledger, register
from chargerd.core.meter import Meter
from chargerd.core.model import Ledger, Quality
from chargerd.core.register import Counted
from tests.support.home import utc

PLUG = utc("10T22:00")
LINE_W = 11_000.0
WRAP = 2**32
MEASURED, INTERPOLATED, RECOVERED, ESTIMATED = Quality

Told = tuple[str, float | None] | tuple[str, float | None, float | None]


def at(text: str) -> datetime:
    """A time of the night: ``22:05``, ``22:05:30``, or ``11T01:00`` of the next day."""
    return utc(text if "T" in text else f"10T{text}")


def meter(told: Told, *, recovered: bool = False, queue_waits: bool = False) -> Meter:
    time, register_wh, *power = told
    return Meter(
        at=at(time),
        register_wh=register_wh,
        power_w=power[0] if power else None,
        power_max_w=LINE_W,
        recovered=recovered,
        queue_waits=queue_waits,
    )


def take(account: Ledger, told: Told, *, recovered: bool = False, queue_waits: bool = False) -> Counted:
    return register.sampled(account, meter(told, recovered=recovered, queue_waits=queue_waits))


def feed(*readings: Told, account: Ledger | None = None) -> Ledger:
    """What comes of readings; no sum may fall, nor differ from its cells."""
    account = ledger.opened(PLUG) if account is None else account
    for told in readings:
        total_wh = account.total_wh
        account = take(account, told).ledger
        assert account.total_wh >= total_wh
        assert account.total_wh == sum(cell.wh for cell in account.cells)
    return account


def settle(account: Ledger, left: str = "23:59") -> Ledger:
    return ledger.settled(account, at(left))


def cells(account: Ledger) -> dict[str, int]:
    """Watt-hours of the cells that hold any, by the minute that each starts at."""
    return {f"{cell.start:%H:%M}": cell.wh for cell in account.cells if cell.wh}


def qualities(account: Ledger) -> list[Quality]:
    return [cell.quality for cell in account.cells if cell.wh]


def steady(start: str, every_s: int, *registers: float | None, power: float | None = None) -> list[Told]:
    """Readings at even distances, all with the same power."""
    first = at(start)
    times = (first + timedelta(seconds=i * every_s) for i in range(len(registers)))
    return [(f"{time:%dT%H:%M:%S}", wh, power) for time, wh in zip(times, registers, strict=True)]
