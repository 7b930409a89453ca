"""Samples of a meter, and what their power comes to over time, until a register tells better."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chargerd.core.frozen import replace
from chargerd.core.model import Ledger
from chargerd.core.units import hours_between

INTEGRATED_WITHIN = timedelta(minutes=16)
"""Power is integrated between samples that are no further apart: chargers sample every quarter hour at the least."""
FLOW_W = 100.0
"""Power under this is stand-by: it is counted when the register tells, and not before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One sample as the ledger needs it, and what is known of the line.

    ``power_w`` is None where the sample tells none, ``power_max_w`` what the cable can carry. ``recovered`` says that
    the connection was gone since the last reading; ``queue_waits`` that the charger may have more to tell of then.
    """

    at: datetime
    register_wh: float | None = None
    power_w: float | None = None
    power_max_w: float
    recovered: bool = False
    queue_waits: bool = False
    integrated_within: timedelta = INTEGRATED_WITHIN


def accrued(ledger: Ledger, meter: Meter) -> Ledger:
    """Add up what flowed by power, without counting it yet."""
    wh = integral_wh(ledger, meter)
    since = ledger.carry_since if ledger.carry_wh else powered_since(ledger)
    return with_power(replace(ledger, carry_wh=ledger.carry_wh + wh, carry_since=since), meter)


def integral_wh(ledger: Ledger, meter: Meter) -> float:
    """Energy by power in Wh since power was last told, or since the register told better: the mean of both ends, over
    a time that is not too long.
    """
    since = powered_since(ledger)
    if since is None or meter.power_w is None or meter.recovered:
        return 0.0
    assert ledger.power_at is not None
    if meter.at <= since or meter.at - ledger.power_at > meter.integrated_within:
        return 0.0
    mean_w = (flow_w(ledger.power_w) + flow_w(meter.power_w)) / 2
    return mean_w * hours_between(since, meter.at)


def powered_since(ledger: Ledger) -> datetime | None:
    """From when on power is integrated; None before it was told."""
    return None if ledger.power_at is None else max(ledger.power_at, ledger.anchor_at or ledger.power_at)


def with_power(ledger: Ledger, meter: Meter) -> Ledger:
    """Keep the power that a sample tells; an older one tells nothing new."""
    if meter.power_w is None or (ledger.power_at is not None and meter.at < ledger.power_at):
        return ledger
    return replace(ledger, power_w=meter.power_w, power_at=meter.at)


def flows(power_w: float | None) -> bool:
    """Tell whether a power in W is more than stand-by."""
    return power_w is not None and power_w >= FLOW_W


def flow_w(power_w: float | None) -> float:
    """Power in W without stand-by; what is not known counts as none."""
    return power_w if power_w is not None and power_w >= FLOW_W else 0.0


def stopped(ledger: Ledger, at: datetime) -> Ledger:
    """Nothing flows from here on, by the charger's word: the last power told is not carried on to the next sample."""
    if ledger.power_at is None or at < ledger.power_at:
        return ledger
    kept = Meter(at=at, power_w=ledger.power_w, power_max_w=0.0)
    return replace(accrued(ledger, kept), power_w=0.0, power_at=at)
