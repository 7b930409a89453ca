# ruff: noqa: E501 - one case per line reads as a table
"""What comes on top of a price, and windows of the year."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from chargerd.core.units import utc
from chargerd.plan.prices import PriceCurve, PriceOrigin, PriceSlot
from chargerd.tariff.fees import PricedSection, charged
from chargerd.tariff.windows import PriceWindow, Season

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
NETWORK = {
    "default_price_per_kwh": 0.08,
    "window": [{"from": "17:00", "to": "21:00", "price_per_kwh": 0.15}, {"from": "00:00", "to": "06:00", "price_per_kwh": 0.03}],
}  # fmt: skip


def paid(price: str, start: datetime, end: datetime, zone: ZoneInfo = BERLIN, **options: Any) -> list[tuple[str, str]]:
    curve = PriceCurve((PriceSlot(start, end, Decimal(price)),))
    slots = charged(curve, PricedSection.model_validate(options), zone).slots
    return [(f"{slot.start.astimezone(zone):%H:%M}", f"{slot.price_per_kwh.normalize():f}") for slot in slots]


def test_fees_and_network_charges_are_taxed() -> None:
    hour = (utc(2026, 1, 14, 11), utc(2026, 1, 14, 12))
    assert paid("0.10", *hour) == [("12:00", "0.1")]
    assert paid("0.10", *hour, add_per_kwh=0.02, multiply=1.19, network=NETWORK) == [("12:00", "0.238")]


def test_a_slot_is_cut_where_the_network_charge_changes() -> None:
    """17:00 in Berlin is 16:00 UTC."""
    assert paid("0.10", utc(2026, 1, 14, 15, 30), utc(2026, 1, 14, 16, 30), network=NETWORK) == [
        ("16:30", "0.18"),
        ("17:00", "0.25"),
    ]


def test_a_negative_price_may_be_less_than_what_comes_on_top() -> None:
    assert paid("-0.30", utc(2026, 5, 1, 11), utc(2026, 5, 1, 12), add_per_kwh=0.1, multiply=1.2) == [
        ("13:00", "-0.24")
    ]


def test_a_day_begins_at_local_midnight_though_that_is_no_full_hour_in_utc() -> None:
    weekend = {
        "default_price_per_kwh": 0,
        "window": [{"from": "00:00", "to": "00:00", "days": ["sat"], "price_per_kwh": 1}],
    }
    found = paid("1", utc(2026, 1, 16, 18), utc(2026, 1, 16, 19), KOLKATA, network=weekend)
    assert found == [("23:30", "1"), ("00:00", "2")]


def test_the_configured_fallback_is_all_that_a_kwh_costs() -> None:
    slot = PriceSlot(utc(2026, 1, 14, 11), utc(2026, 1, 14, 12), Decimal("0.35"), PriceOrigin.FALLBACK)
    assert charged(
        PriceCurve((slot,)), PricedSection.model_validate({"add_per_kwh": 1, "multiply": 2}), BERLIN
    ).slots == (slot,)


@pytest.mark.parametrize(
    ("season", "inside", "outside"),
    [
        pytest.param(("04-01", "09-30"), ["04-01", "09-30", "06-15"], ["03-31", "10-01", "12-31"], id="summer"),
        pytest.param(("11-15", "03-31"), ["11-15", "12-31", "01-01", "03-31", "02-29"], ["11-14", "04-01"], id="over the new year"),
        pytest.param(("02-29", "02-29"), ["02-29"], ["02-28", "03-01"], id="a leap day"),
    ],
)  # fmt: skip
def test_a_season_holds_both_of_its_days(season: tuple[str, str], inside: list[str], outside: list[str]) -> None:
    held = Season.model_validate({"from": season[0], "to": season[1]})
    assert [held.holds(date.fromisoformat(f"2028-{day}")) for day in inside] == [True] * len(inside)
    assert [held.holds(date.fromisoformat(f"2028-{day}")) for day in outside] == [False] * len(outside)


def test_the_night_that_begins_in_a_season_belongs_to_it() -> None:
    window = PriceWindow.model_validate(
        {"from": "22:00", "to": "06:00", "price_per_kwh": 1, "seasons": [{"from": "10-01", "to": "03-31"}]}
    )
    evening = datetime(2026, 3, 31, 23, tzinfo=BERLIN)
    assert [window.holds(evening + timedelta(hours=hours)) for hours in (0, 6, 24)] == [True, True, False]


@pytest.mark.parametrize("day", ["1-1", "13-01", "02-30", "2026-01-01", 101, date(2026, 1, 1)])
def test_what_is_no_day_of_the_year_is_refused(day: Any) -> None:
    with pytest.raises(ValidationError, match='expected a day of the year as "MM-DD"'):
        Season.model_validate({"from": day, "to": "12-31"})
