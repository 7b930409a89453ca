"""What sources tell, made a curve: hourly and quarter-hourly, gaps, overlaps, odd ends, numbers that are no prices."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargerd.core.units import utc
from chargerd.plan.prices import PriceSlot
from chargerd.tariff.money import most_per_kwh, unit_of
from chargerd.tariff.slots import Normal, Told, merged, normalised

DAY = utc(2026, 1, 14)
HOUR = timedelta(hours=1)
RECORDED = Path(__file__).parents[2] / "fixtures" / "tariff" / "energy-charts"


def told(at: str, price: str = "0.1", end: str | None = None, publication: int = 0) -> Told:
    return Told(_time(at), None if end is None else _time(end), Decimal(price), publication)


def _time(text: str) -> datetime:
    clock = datetime.strptime(text, "%H:%M:%S" if text.count(":") == 2 else "%H:%M").replace(tzinfo=UTC)
    return DAY + (clock - clock.replace(hour=0, minute=0, second=0))


def normal(*entries: Told, currency: str = "EUR") -> Normal:
    return normalised(entries, currency=currency, start=DAY, end=DAY + 24 * HOUR)


def spans(slots: tuple[PriceSlot, ...]) -> list[str]:
    return [f"{slot.start:%H:%M}-{slot.end:%H:%M} {slot.price_per_kwh.normalize():f}" for slot in slots]


STORIES = [
    pytest.param([told("01:00", "0.2"), told("00:00", "0.1")], ["00:00-01:00 0.1", "01:00-02:00 0.2"], id="unsorted"),
    pytest.param(
        [told("00:00", "0.1"), told("00:00", "0.2")], ["00:00-01:00 0.2"], id="told twice: the last one counts"
    ),
    pytest.param(
        [told("22:00", "1"), told("22:30", "2"), told("23:00", "3")],
        ["22:00-22:30 1", "22:30-23:00 2", "23:00-23:30 3"],
        id="half-hourly",
    ),
    pytest.param(
        [told("00:00", "1"), told("01:00", "2"), told("02:00", "3"), told("02:15", "4"), told("02:30", "5")],
        ["00:00-01:00 1", "01:00-02:00 2", "02:00-02:15 3", "02:15-02:30 4", "02:30-02:45 5"],
        id="hours, then quarters",
    ),
    pytest.param(
        [told("00:30", "1"), told("00:45", "2"), told("01:00", "3"), told("02:00", "4"), told("03:00", "5")],
        ["00:30-00:45 1", "00:45-01:00 2", "01:00-02:00 3", "02:00-03:00 4", "03:00-04:00 5"],
        id="quarters, then hours",
    ),
    pytest.param(
        [told("00:00", "1"), told("00:15", "2"), told("00:45", "3"), told("01:00", "4")],
        ["00:00-00:15 1", "00:15-00:30 2", "00:45-01:00 3", "01:00-01:15 4"],
        id="a missing quarter stays a gap",
    ),
    pytest.param(
        [told("00:00", "1"), told("01:00", "2"), told("04:00", "3"), told("05:00", "4")],
        ["00:00-01:00 1", "01:00-02:00 2", "04:00-05:00 3", "05:00-06:00 4"],
        id="missing hours stay a gap",
    ),
    pytest.param(
        [told("00:00", "1", "00:59:59"), told("01:00", "2", "01:59:59")],
        ["00:00-01:00 1", "01:00-02:00 2"],
        id="ends at :59:59",
    ),
    pytest.param(
        [told("00:00", "1", "01:00"), told("00:15", "2", "00:30")],
        ["00:00-00:15 1", "00:15-00:30 2", "00:30-01:00 1"],
        id="of one publication the finer slot counts",
    ),
    pytest.param(
        [told("00:15", "2", "00:30"), told("00:00", "1", "01:00", 1)],
        ["00:00-01:00 1"],
        id="a later publication counts, whatever its slots",
    ),
    pytest.param(
        [told("23:00", "1", "23:45", 2), told("22:30", "2", "23:15", 1)],
        ["22:30-23:00 2", "23:00-23:45 1"],
        id="what is left of an earlier one stays",
    ),
    pytest.param(
        [told("00:00", "-0.5", "01:00"), told("01:00", "0", "02:00")],
        ["00:00-01:00 -0.5", "01:00-02:00 0"],
        id="negative and nothing",
    ),
    pytest.param([told("00:07", "1", "00:22")], ["00:07-00:22 1"], id="off the clock quarters, as the source means it"),
    pytest.param([], [], id="an empty answer"),
]


@pytest.mark.parametrize(("entries", "expected"), STORIES)
def test_a_curve_is_made_of_what_is_told(entries: list[Told], expected: list[str]) -> None:
    found = normal(*entries)
    assert spans(found.slots) == expected
    assert found.refused == ()


REFUSED = [
    pytest.param(told("01:00", "NaN"), "2026-01-14 01:00 UTC: expected a price, got NaN", id="not a number"),
    pytest.param(told("01:00", "Infinity"), "2026-01-14 01:00 UTC: expected a price, got Infinity", id="infinite"),
    pytest.param(
        told("01:00", "100"),
        "2026-01-14 01:00 UTC: 100 EUR per kWh is no price, it is left out",
        id="a thousand times too much",
    ),
    pytest.param(
        told("01:00", "-10.01"),
        "2026-01-14 01:00 UTC: -10.01 EUR per kWh is no price, it is left out",
        id="far too little",
    ),
    pytest.param(
        told("01:00", "1", "00:30"),
        "2026-01-14 01:00 UTC: expected an end after the start, got 2026-01-14T00:30:00+00:00",
        id="an end before the start",
    ),
]


@pytest.mark.parametrize(("entry", "words"), REFUSED)
def test_what_is_no_price_is_refused_in_words_and_the_rest_counts(entry: Told, words: str) -> None:
    found = normal(told("00:00", "10"), entry, told("02:00", "-10"))
    assert found.refused == (words,)
    assert spans(found.slots) == ["00:00-01:00 10", "02:00-03:00 -10"]


def test_an_outlier_is_one_in_its_own_currency() -> None:
    assert spans(normal(told("00:00", "60"), currency="SEK").slots) == ["00:00-01:00 60"]
    assert normal(told("00:00", "111"), currency="SEK").slots == ()
    assert [most_per_kwh(money) for money in ("EUR", "GBP", "CHF", "HUF")] == [10, 10, 10, 4000]


def test_only_the_stretch_that_was_asked_for_is_taken() -> None:
    found = normalised([told("00:00", "1", "12:00")], currency="EUR", start=DAY + HOUR, end=DAY + 2 * HOUR)
    assert spans(found.slots) == ["01:00-02:00 1"]


def test_zones_do_not_matter() -> None:
    here = datetime.fromisoformat("2026-01-14T01:00:00+01:00")
    assert spans(normal(Told(here, None, Decimal(1))).slots) == ["00:00-01:00 1"]


@pytest.mark.parametrize(
    ("name", "count", "length"),
    [("2025-09-30", 24, 60), ("2025-10-01", 96, 15), ("2025-10-26", 100, 15), ("2026-03-29", 92, 15)],
)
def test_recorded_days_have_the_slots_that_they_have(name: str, count: int, length: int) -> None:
    """The last hourly day, the first quarter-hourly one, and both changes of the clocks."""
    answer = json.loads((RECORDED / f"response-{name}.json").read_text())
    starts = [datetime.fromtimestamp(at, UTC) for at in answer["unix_seconds"]]
    entries = [Told(at, None, Decimal(str(price)) / 1000) for at, price in zip(starts, answer["price"], strict=True)]
    slots = normalised(entries, currency="EUR", start=starts[0], end=starts[0] + 30 * HOUR).slots
    assert len(slots) == count
    assert {slot.end - slot.start for slot in slots} == {timedelta(minutes=length)}
    assert all(one.end == other.start for one, other in pairwise(slots))


def slot(at: str, end: str, price: str) -> PriceSlot:
    return PriceSlot(_time(at), _time(end), Decimal(price))


def test_what_is_told_now_counts_over_what_was_known() -> None:
    known = (
        slot("00:00", "01:00", "1"),
        slot("01:00", "02:00", "2"),
        slot("02:00", "03:00", "3"),
        slot("05:00", "06:00", "6"),
    )
    fresh = (slot("01:30", "01:45", "8"), slot("02:00", "03:00", "9"))
    assert spans(merged(known, fresh)) == [
        "00:00-01:00 1", "01:00-01:30 2", "01:30-01:45 8", "01:45-02:00 2", "02:00-03:00 9", "05:00-06:00 6",
    ]  # fmt: skip
    assert merged(known, ()) == known
    assert merged((), fresh) == fresh
    assert merged(known[:1], fresh) == known[:1] + fresh


@given(st.lists(st.tuples(st.integers(0, 1300), st.integers(3, 300), st.integers(-50, 50), st.integers(0, 2))))
def test_slots_are_sorted_and_never_overlap(entries: list[tuple[int, int, int, int]]) -> None:
    minute = timedelta(minutes=1)
    found = normal(
        *(
            Told(
                DAY + at * minute, DAY + (at + length) * minute if price % 3 else None, Decimal(price) / 10, publication
            )
            for at, length, price, publication in entries
        )
    )
    assert all(one.end <= other.start for one, other in pairwise(found.slots))
    assert all(DAY <= slot.start < slot.end <= DAY + 24 * HOUR for slot in found.slots)
    assert bool(found.slots) == bool(entries)
    assert merged(found.slots, found.slots) == found.slots


@pytest.mark.parametrize(
    ("text", "currency", "expected"),
    [
        ("EUR / MWh", None, ("EUR", "0.05")),
        ("Eur/MWh", None, ("EUR", "0.05")),
        ("EUR/kWh", None, ("EUR", "50")),
        ("ct/kWh", None, ("EUR", "0.5")),
        ("ct/kWh", "CHF", ("CHF", "0.5")),
        ("p/kWh", None, ("GBP", "0.5")),
        ("öre/kWh", None, ("SEK", "0.5")),
        ("øre/kWh", "DKK", ("DKK", "0.5")),
        ("NOK/MWH", "NOK", ("NOK", "0.05")),
    ],
)
def test_units_are_read_as_they_are_written(text: str, currency: str | None, expected: tuple[str, str]) -> None:
    unit = unit_of(text, currency)
    assert (unit.currency, f"{unit.per_kwh(Decimal(50)):f}") == expected


@pytest.mark.parametrize(
    ("text", "currency"), [("EUR", None), ("EUR/GJ", None), ("", None), ("euro/kWh", None), ("EUR/kWh", "SEK")]
)
def test_what_is_no_unit_is_told(text: str, currency: str | None) -> None:
    with pytest.raises(ValueError, match="expected"):
        unit_of(text, currency)
