"""Looking prices up."""

from decimal import Decimal

import pytest

from chargerd.plan.prices import PriceCurve, PriceSlot
from tests.support.home import prices, utc

CURVE = PriceCurve(
    (
        PriceSlot(utc("10T01:00"), utc("10T02:00"), Decimal("0.1")),
        PriceSlot(utc("10T03:00"), utc("10T04:00"), Decimal("0.3")),
    )
)


@pytest.mark.parametrize(
    ("at", "price"),
    [
        pytest.param("10T00:59:59", None, id="before-the-first"),
        pytest.param("10T01:00", Decimal("0.1"), id="start-is-inside"),
        pytest.param("10T02:00", None, id="end-is-outside"),
        pytest.param("10T03:30", Decimal("0.3"), id="inside"),
        pytest.param("10T05:00", None, id="after-the-last"),
    ],
)
def test_finds_the_price_of_an_instant(at: str, price: Decimal | None) -> None:
    assert CURVE.at(utc(at)) == price


def test_gives_the_slots_that_overlap_a_stretch() -> None:
    curve = prices("10T00:00", [0.1, 0.2, 0.3])
    assert [str(slot.price_per_kwh) for slot in curve.between(utc("10T00:59"), utc("10T02:00"))] == ["0.1", "0.2"]
