# ruff: noqa: E501 - one case per line reads as a table
"""Prices by contract: one price, prices by the clock on the wall, and prices from a file."""

import json
import os
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clocks import StillClock

from chargerd.contract import PriceCurve, PriceSlot
from chargerd.core.units import utc
from chargerd.errors import ChargingError
from chargerd.plan.grid import QUARTER
from chargerd.tariff import TARIFFS, create_tariff, example_prices
from chargerd.tariff.fees import charged

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
ASKED = utc(2026, 1, 14, 12)


async def fetched(section: dict[str, Any], start: datetime, end: datetime, zone: ZoneInfo = BERLIN) -> PriceCurve:
    options = TARIFFS[section["kind"]].options.model_validate(section)
    curve = await create_tariff(options, zone, StillClock(ASKED)).fetch(start, end)
    return charged(curve, options, zone)


NIGHT = {
    "kind": "time-of-use",
    "default_price_per_kwh": 0.34,
    "window": [{"from": "22:00", "to": "06:00", "price_per_kwh": 0.24}],
}


async def test_one_price_holds_in_every_quarter_that_is_touched() -> None:
    curve = await fetched(
        {"kind": "fixed", "price_per_kwh": 0.2785, "currency": "CHF"},
        utc(2026, 1, 14, 17, 5),
        utc(2026, 1, 14, 17, 31),
    )
    assert [slot.start.minute for slot in curve.slots] == [0, 15, 30]
    assert {slot.price_per_kwh for slot in curve.slots} == {Decimal("0.2785")}
    assert (curve.currency, curve.fetched_at) == ("CHF", ASKED)


@pytest.mark.parametrize("section", [{"kind": "fixed", "price_per_kwh": 1}, NIGHT], ids=lambda section: section["kind"])
async def test_no_time_has_no_prices(section: dict[str, Any]) -> None:
    assert (await fetched(section, ASKED, ASKED)).slots == ()
    assert (await fetched(section, ASKED, ASKED - HOUR)).slots == ()


@pytest.mark.parametrize(
    ("day", "quarters", "cheap"),
    [
        pytest.param(datetime(2026, 1, 14, tzinfo=BERLIN), 96, 32, id="ordinary"),
        pytest.param(datetime(2026, 3, 29, tzinfo=BERLIN), 92, 28, id="clocks go forward"),
        pytest.param(datetime(2026, 10, 25, tzinfo=BERLIN), 100, 36, id="clocks go back"),
    ],
)
async def test_a_local_day_has_its_quarters_and_the_night_its_local_hours(
    day: datetime, quarters: int, cheap: int
) -> None:
    curve = await fetched(NIGHT, day.astimezone(UTC), (day + timedelta(days=1)).astimezone(UTC))
    assert len(curve.slots) == quarters
    assert sum(slot.price_per_kwh == Decimal("0.24") for slot in curve.slots) == cheap
    assert all(slot.end - slot.start == QUARTER for slot in curve.slots)


PRICES = {True: Decimal("0.1"), False: Decimal("0.9")}


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        pytest.param({"from": "22:00", "to": "06:00"}, ["14 22:00", "15 05:45"], ["14 21:45", "15 06:00"], id="over midnight"),
        pytest.param({"from": "12:00", "to": "16:00"}, ["14 12:00", "14 15:45"], ["14 11:45", "14 16:00"], id="by day"),
        pytest.param({"from": "22:00", "to": "00:00"}, ["14 22:00", "14 23:45"], ["15 00:00"], id="up to midnight"),
        pytest.param({"from": "00:00", "to": "00:00", "days": ["wed"]}, ["14 00:00", "14 23:45"], ["13 23:45", "15 00:00"], id="whole day"),
        pytest.param({"from": "22:00", "to": "06:00", "days": ["wed"]}, ["14 22:00", "15 05:45"], ["14 05:45", "15 22:00"], id="the day on which it begins"),
        pytest.param({"from": "22:00", "to": "06:00", "days": ["sun"]}, ["18 23:00", "19 05:00"], ["17 23:00", "18 05:00"], id="sunday into monday"),
        pytest.param({"from": "07:10", "to": "07:20"}, ["14 07:10"], ["14 07:00", "14 07:20"], id="between quarters"),
    ],
)  # fmt: skip
async def test_a_window_is_half_open_in_local_time(
    window: dict[str, Any], inside: list[str], outside: list[str]
) -> None:
    section = {"kind": "time-of-use", "default_price_per_kwh": 0.9, "window": [window | {"price_per_kwh": 0.1}]}
    curve = await fetched(section, utc(2026, 1, 12), utc(2026, 1, 20))
    found = {}
    for text in inside + outside:
        day, clock = text.split()
        local = datetime.combine(date(2026, 1, int(day)), time.fromisoformat(clock), BERLIN)
        found[text] = curve.at(local.astimezone(UTC))
    assert found == {text: PRICES[text in inside] for text in inside + outside}


async def test_the_first_window_that_holds_counts() -> None:
    windows = [
        {"from": "12:00", "to": "13:00", "price_per_kwh": 0.1},
        {"from": "00:00", "to": "00:00", "price_per_kwh": "0.25"},
    ]
    curve = await fetched(
        {"kind": "time-of-use", "default_price_per_kwh": 1, "window": windows}, utc(2026, 1, 14), utc(2026, 1, 15)
    )
    assert {slot.price_per_kwh for slot in curve.slots} == {Decimal("0.1"), Decimal("0.25")}
    assert curve.at(utc(2026, 1, 14, 11, 30)) == Decimal("0.1")


@settings(deadline=None)
@given(
    start=st.timedeltas(timedelta(0), timedelta(days=330)).map(lambda since: utc(2026, 1, 1) + since),
    length=st.timedeltas(timedelta(seconds=1), timedelta(days=2)),
    begins=st.times().map(lambda at: f"{at:%H:%M}"),
    ends=st.times().map(lambda at: f"{at:%H:%M}"),
)
async def test_slots_cover_the_stretch_without_gap_or_overlap(
    start: datetime, length: timedelta, begins: str, ends: str
) -> None:
    window = {"from": begins, "to": ends, "price_per_kwh": 0.1}
    section = {"kind": "time-of-use", "default_price_per_kwh": 0.9, "window": [window]}
    slots = (await fetched(section, start, start + length)).slots
    assert slots[0].start <= start < slots[0].end
    assert slots[-1].start < start + length <= slots[-1].end
    assert all(one.end == other.start for one, other in pairwise(slots))
    assert all(timedelta(0) < slot.end - slot.start <= QUARTER for slot in slots)


def written(folder: Path, text: str, name: str = "prices.csv", **options: Any) -> dict[str, Any]:
    (folder / name).write_text(text, encoding="utf-8")
    return {"kind": "file", "path": str(folder / name), **options}


async def all_of(section: dict[str, Any]) -> PriceCurve:
    return await fetched(section, utc(2025, 1, 1), utc(2027, 1, 1))


async def test_real_market_prices_are_read_as_they_are() -> None:
    section = {
        "kind": "file",
        "path": str(example_prices()),
        "unit": "EUR/MWh",
        "start_column": "start_utc",
        "price_column": "price_eur_per_mwh",
    }
    start, end = (datetime(2026, 1, day, tzinfo=BERLIN).astimezone(UTC) for day in (12, 22))
    curve = await fetched(section, start, end)
    assert len(curve.slots) == 960
    assert curve.slots[0] == PriceSlot(start, start + QUARTER, Decimal("0.08072"))
    assert curve.slots[-1] == PriceSlot(end - QUARTER, end, Decimal("0.09561"))
    assert (curve.currency, curve.fetched_at) == ("EUR", ASKED)


CSV = "start,price\n2026-01-14T17:00Z,10\n2026-01-14T18:15+01:00,20\n2026-01-14T17:30:00Z,30\n"


@pytest.mark.parametrize(
    ("options", "price", "currency"),
    [
        pytest.param({}, "10", "EUR", id="as it is"),
        pytest.param({"unit": "EUR/MWh"}, "0.01", "EUR", id="per MWh"),
        pytest.param({"unit": "ct/kWh"}, "0.1", "EUR", id="cents"),
        pytest.param({"unit": "p/kWh"}, "0.1", "GBP", id="pence"),
        pytest.param({"unit": "ct/kWh", "currency": "USD"}, "0.1", "USD", id="cents of a dollar"),
        pytest.param({"unit": "SEK/kWh"}, "10", "SEK", id="another currency"),
        pytest.param({"unit": "EUR/MWh", "add_per_kwh": 0.15, "multiply": 1.19}, "0.1904", "EUR", id="taxes"),
    ],
)
async def test_a_price_is_turned_into_money_per_kwh(
    tmp_path: Path, options: dict[str, Any], price: str, currency: str
) -> None:
    curve = await all_of(written(tmp_path, CSV, **options))
    assert (curve.slots[0].price_per_kwh, curve.currency) == (Decimal(price), currency)


def test_a_unit_and_a_currency_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unit EUR/MWh and currency SEK contradict each other"):
        TARIFFS["file"].options.model_validate(written(tmp_path, CSV, unit="EUR/MWh", currency="SEK"))


async def test_times_may_have_any_zone_and_any_order(tmp_path: Path) -> None:
    lines = CSV.splitlines()
    curve = await all_of(written(tmp_path, "\n".join([lines[0], lines[3], lines[1], lines[2]])))
    assert [slot.start for slot in curve.slots] == [utc(2026, 1, 14, 17, minute) for minute in (0, 15, 30)]


async def test_a_slot_ends_where_the_next_begins_but_is_never_longer_than_the_cap(tmp_path: Path) -> None:
    text = "start,price\n2026-01-14T17:00Z,1\n2026-01-14T17:15Z,2\n2026-01-14T20:00Z,3\n2026-01-14T20:30Z,4\n"
    curve = await all_of(written(tmp_path, text))
    assert [slot.end - slot.start for slot in curve.slots] == [QUARTER, HOUR, 2 * QUARTER, 2 * QUARTER]
    assert curve.at(utc(2026, 1, 14, 19)) is None


async def test_a_row_without_a_price_is_a_gap(tmp_path: Path) -> None:
    text = "start;cost\n2026-01-14T17:00Z;1\n2026-01-14T17:15Z; \n2026-01-14T17:30Z;-0.5\n"
    curve = await all_of(written(tmp_path, text, delimiter=";", price_column="cost"))
    found = [curve.at(utc(2026, 1, 14, 17, minute)) for minute in (0, 15, 30)]
    assert found == [Decimal(1), None, Decimal("-0.5")]


async def test_json_may_give_ends(tmp_path: Path) -> None:
    entries = [
        {"start": "2026-01-14T17:00Z", "price": 0.2785},
        {"start": "2026-01-14T18:00Z", "end": "2026-01-14T20:00Z", "price": 30},
        {"start": "2026-01-14T21:00Z", "price": None},
    ]
    curve = await all_of(written(tmp_path, json.dumps(entries), "prices.json"))
    assert curve.slots == (
        PriceSlot(utc(2026, 1, 14, 17), utc(2026, 1, 14, 18), Decimal("0.2785")),
        PriceSlot(utc(2026, 1, 14, 18), utc(2026, 1, 14, 20), Decimal(30)),
    )


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("a.csv", "", "a.csv:1: expected a column 'start', got an empty file", id="empty"),
        pytest.param("a.csv", "begin,price\n", "a.csv:1: expected a column 'start', got begin, price", id="column"),
        pytest.param("a.csv", "start,price\n2026-01-14T17:00,1\n", "a.csv:2: expected a start in RFC 3339 with its zone, as 2026-01-14T17:00Z, got '2026-01-14T17:00'", id="naive"),
        pytest.param("a.csv", "start,price\n\n2026-01-14T17:00Z,1\nnoon,2\n", "a.csv:4: expected a start in RFC 3339 with its zone, as 2026-01-14T17:00Z, got 'noon'", id="no time"),
        pytest.param("a.csv", "start,price\n2026-01-14T17:00Z,\"1,5\"\n", "a.csv:2: expected a price as a number with a decimal point, got '1,5'", id="comma"),
        pytest.param("a.csv", "start,price\n2026-01-14T17:00Z,NaN\n", "a.csv:2: expected a price as a number with a decimal point, got 'NaN'", id="no number"),
        pytest.param("a.csv", "start,price\n2026-01-14T17:00Z,1\n2026-01-14T17:00Z,2\n", "a.csv:3: expected a start after the slot of {folder}/a.csv:2, got 2026-01-14T17:00:00+00:00", id="twice"),
        pytest.param("a.json", "[\n{]", "a.json:2: expected JSON, got: Expecting property name enclosed in double quotes", id="syntax"),
        pytest.param("a.json", "[1e99999999999999999999]", "a.json:1: expected JSON with numbers that can be calculated with", id="a number without measure"),
        pytest.param("a.csv", "start,price\n2026-01-14T17:00Z,1e999999999999999998\n", "a.csv:2: expected a price as a number with a decimal point, got '1e999999999999999998'", id="no price"),
        pytest.param("a.json", "[" * 100_000, "a.json:1: expected a list of prices, got one nested too deeply", id="deep"),
        pytest.param("a.json", "{}", "a.json:1: expected a list of objects, got dict", id="no list"),
        pytest.param("a.json", "[1]", 'a.json: entry 1: expected an object with "start" and "price", got Decimal(\'1\')', id="no object"),
        pytest.param("a.json", '[{"start": 5, "price": 1}]', "a.json: entry 1: expected a start in RFC 3339 with its zone, as 2026-01-14T17:00Z, got Decimal('5')", id="number as start"),
        pytest.param("a.json", '[{"start": "2026-01-14T17:00Z", "price": true}]', "a.json: entry 1: expected a price as a number with a decimal point, got True", id="truth as price"),
        pytest.param("a.json", '[{"start": "2026-01-14T17:00Z", "price": NaN}]', "a.json: entry 1: expected a price as a number with a decimal point, got nan", id="NaN"),
        pytest.param("a.json", '[{"start": "2026-01-14T17:00Z", "end": "2026-01-14T17:00Z", "price": 1}]', "a.json: entry 1: expected an end after the start, got 2026-01-14T17:00Z", id="no length"),
        pytest.param("a.json", '[{"start": "2026-01-14T17:00Z", "end": "2026-01-14T19:00Z", "price": 1}, {"start": "2026-01-14T18:00Z", "price": 1}]', "a.json: entry 2: expected a start after the slot of {folder}/a.json: entry 1, got 2026-01-14T18:00:00+00:00", id="overlap"),
    ],
)  # fmt: skip
async def test_a_faulty_file_is_named_with_its_line(tmp_path: Path, name: str, text: str, expected: str) -> None:
    with pytest.raises(ChargingError) as caught:
        await all_of(written(tmp_path, text, name))
    assert str(caught.value) == f"{tmp_path}/{expected.format(folder=tmp_path)}"


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChargingError, match=r"nowhere\.csv: expected a file of prices, got: No such file"):
        await all_of({"kind": "file", "path": str(tmp_path / "nowhere.csv")})


async def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_bytes("start,größe\n".encode("latin-1"))
    with pytest.raises(ChargingError, match=r"prices\.csv: expected text in UTF-8"):
        await all_of({"kind": "file", "path": str(tmp_path / "prices.csv")})


async def test_a_file_is_read_again_when_it_changed_and_not_before(tmp_path: Path) -> None:
    options = TARIFFS["file"].options.model_validate(written(tmp_path, CSV))
    tariff = create_tariff(options, BERLIN, StillClock(ASKED))
    path, at = tmp_path / "prices.csv", utc(2026, 1, 14, 17)

    async def price() -> Decimal | None:
        return (await tariff.fetch(at, at + HOUR)).at(at)

    assert await price() == 10
    then = path.stat().st_mtime_ns
    path.write_text(CSV.replace(",10", ",11"))
    os.utime(path, ns=(then, then))
    assert await price() == 10, "nothing tells that it changed"
    os.utime(path, ns=(then, then + 1))
    assert await price() == 11
    path.write_text("broken")
    with pytest.raises(ChargingError):
        await price()
    path.write_text(CSV)
    assert await price() == 10
