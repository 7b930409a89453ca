"""The power of a meter over time: a word that it stopped ends it where it was said."""

from dataclasses import replace
from typing import Any

import pytest

from chargerd.core import ledger, meter
from chargerd.core.model import Ledger
from tests.support.home import utc
from tests.unit.core.meters import PLUG


def flowing(**changes: Any) -> Ledger:
    """A ledger that was told 6 kW at 22:05."""
    return replace(ledger.opened(PLUG), power_w=6000.0, power_at=utc("10T22:05"), **changes)


@pytest.mark.parametrize(
    ("at", "carry_wh"), [("10T22:05", 0), ("10T22:06", 100), ("10T22:21", 1600)], ids=["at-once", "later", "much-later"]
)
def test_what_flowed_until_charging_stopped_is_kept_and_nothing_after_it(at: str, carry_wh: float) -> None:
    after = meter.stopped(flowing(), utc(at))
    assert (after.power_w, after.power_at) == (0, utc(at))
    assert (after.carry_wh, after.carry_since) == (carry_wh, utc("10T22:05"))


def test_a_stop_from_before_the_last_power_told_says_nothing() -> None:
    assert meter.stopped(flowing(), utc("10T22:04:59")) == flowing()
    assert meter.stopped(ledger.opened(PLUG), utc("10T22:10")) == ledger.opened(PLUG), "none was told"


@pytest.mark.parametrize(
    ("power_w", "flows"), [(None, False), (99.9, False), (100.0, True)], ids=["untold", "stand-by", "flows"]
)
def test_power_from_100_w_on_is_more_than_stand_by(power_w: float | None, flows: bool) -> None:
    assert meter.flows(power_w) is flows
    assert meter.flow_w(power_w) == (power_w if flows else 0)
