"""Looking prices up."""

from decimal import Decimal

import pytest

from chargerd.plan.prices import PriceCurve, PriceOrigin, PriceRung, PriceSlot
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


def slot(start: str, end: str, origin: PriceOrigin = PriceOrigin.SOURCE, price: str = "0.2") -> PriceSlot:
    return PriceSlot(utc(start), utc(end), Decimal(price), origin)


@pytest.mark.parametrize(
    ("slots", "rung"),
    [
        pytest.param([slot("10T00:00", "10T02:00")], "FRESH", id="told"),
        pytest.param([slot("10T00:00", "10T01:00"), slot("10T01:00", "10T03:00")], "FRESH", id="told-in-parts"),
        pytest.param(
            [slot("10T00:00", "10T01:00", PriceOrigin.REPEATED), slot("10T01:00", "10T03:00")],
            "REPEATED",
            id="repeated",
        ),
        pytest.param(
            [slot("10T00:00", "10T01:00", PriceOrigin.FALLBACK), slot("10T01:00", "10T03:00", PriceOrigin.REPEATED)],
            "FALLBACK",
            id="the-worst-counts",
        ),
        pytest.param([slot("10T01:00", "10T02:00")], "UNKNOWN", id="unknown-at-the-start"),
        pytest.param([slot("10T00:00", "10T01:00"), slot("10T01:15", "10T02:00")], "UNKNOWN", id="a-gap"),
        pytest.param([slot("10T00:00", "10T01:45")], "UNKNOWN", id="unknown-at-the-end"),
        pytest.param([slot("10T00:00", "10T02:00", price="NaN")], "UNKNOWN", id="not-a-number"),
        pytest.param([], "UNKNOWN", id="nothing"),
    ],
)
def test_a_stretch_is_known_as_well_as_its_worst_part(slots: list[PriceSlot], rung: str) -> None:
    assert PriceCurve(tuple(slots)).rung(utc("10T00:30"), utc("10T02:00")) == rung


def test_prices_are_cached_once_the_source_owes_newer_ones() -> None:
    curve = PriceCurve((slot("10T00:00", "10T02:00"),), old_since=utc("09T13:00"))
    assert curve.rung(utc("10T00:00"), utc("10T02:00")) is PriceRung.CACHED
    assert curve.rung(utc("10T00:00"), utc("10T02:01")) is PriceRung.UNKNOWN


def test_what_is_not_a_number_is_no_price() -> None:
    curve = PriceCurve((slot("10T00:00", "10T01:00", price="NaN"), slot("10T01:00", "10T02:00")))
    assert (curve.at(utc("10T00:30")), curve.slot_at(utc("10T00:30"))) == (None, None)
    assert curve.slot_at(utc("10T01:30")) is curve.slots[1]
