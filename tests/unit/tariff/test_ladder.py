"""What takes the place of prices that nobody told."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from chargerd.plan.grid import QUARTER
from chargerd.plan.prices import PriceCurve, PriceOrigin, PriceSlot
from chargerd.tariff.ladder import Ladder

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def local(day: int, hour: int = 0, minute: int = 0, month: int = 1) -> datetime:
    """A time of 2026 in Berlin, as UTC. The 14th of January is a Wednesday."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


def day(number: int, base: int, month: int = 1) -> list[PriceSlot]:
    """A whole local day by the hour: at h o'clock a kWh costs base + h/100."""
    slots, at, end = [], local(number, month=month), local(number + 1, month=month)
    while at < end:
        price = Decimal(base) + Decimal(at.astimezone(BERLIN).hour) / 100
        slots.append(PriceSlot(at, at + HOUR, price))
        at += HOUR
    return slots


def filled(told: list[PriceSlot], now: datetime, end: datetime, fallback: str | None = None) -> PriceCurve:
    ladder = Ladder(told, BERLIN, None if fallback is None else Decimal(fallback))
    return PriceCurve(ladder.filled(now - timedelta(days=2), end, now))


def price_at(curve: PriceCurve, at: datetime) -> tuple[str, str]:
    slot = curve.slot_at(at)
    assert slot is not None
    return f"{slot.price_per_kwh.normalize():f}", slot.origin.value


def test_what_was_told_stays_as_it_was_told() -> None:
    told = day(14, 1) + day(15, 2)
    assert filled(told, local(14, 20), local(16)).slots == tuple(told)


def test_the_day_that_is_not_told_is_the_day_before() -> None:
    curve = filled(day(13, 5) + day(14, 1), local(14, 20), local(16))
    assert price_at(curve, local(15, 3, 20)) == ("1.03", "REPEATED")
    assert Counter(slot.origin for slot in curve.between(local(15), local(16))) == {PriceOrigin.REPEATED: 96}


@pytest.mark.parametrize(
    ("told", "now", "at", "expected"),
    [
        pytest.param([(16, 1), (17, 2), (18, 3)], (18, 20), (19, 3), "1.03", id="a monday is as the friday before"),
        pytest.param([(10, 1), (11, 2), (16, 3)], (16, 20), (17, 3), "2.03", id="a saturday is as the sunday before"),
        pytest.param([(13, 1), (14, 2)], (14, 20), (17, 3), "2.03", id="without its kind, as the last day"),
        pytest.param([(12, 1)], (15, 20), (15, 21), "1.21", id="dead for three days"),
        pytest.param([(7, 1)], (15, 20), (15, 21), "1.21", id="eight days old"),
    ],
)
def test_the_day_that_is_repeated_is_the_last_of_its_kind(
    told: list[tuple[int, int]], now: tuple[int, int], at: tuple[int, int], expected: str
) -> None:
    known = [slot for number, base in told for slot in day(number, base)]
    assert price_at(filled(known, local(*now), local(*at) + HOUR), local(*at)) == (expected, "REPEATED")


def test_too_old_a_day_is_not_repeated_but_the_configured_price_holds() -> None:
    curve = filled(day(6, 1), local(15, 20), local(16), fallback="0.4")
    assert price_at(curve, local(15, 21)) == ("0.4", "FALLBACK")


def test_with_nothing_to_go_by_nothing_is_known() -> None:
    assert filled([], local(15, 20), local(16)).slots == ()
    assert filled(day(6, 1), local(15, 20), local(16)).slots == ()


def test_days_that_are_over_are_left_as_they_were_and_the_running_one_does_not_change() -> None:
    """A curve that lost a slot every quarter of an hour would fill the recording."""
    curve = filled(day(12, 1), local(14, 20, 7), local(15))
    assert curve.at(local(14, 0, 59)) is None
    assert next(slot.start for slot in curve.slots if slot.origin is PriceOrigin.REPEATED) == local(14, 1)
    later = filled(day(12, 1), local(14, 20, 22), local(15))
    assert later.between(local(14), local(15)) == curve.between(local(14), local(15))


def test_a_gap_in_a_day_is_filled_and_its_neighbours_stay() -> None:
    told = day(13, 1) + [slot for slot in day(14, 2) if slot.start != local(14, 21)]
    curve = filled(told, local(14, 20), local(15))
    assert [price_at(curve, local(14, hour)) for hour in (20, 21, 22)] == [
        ("2.2", "SOURCE"),
        ("1.21", "REPEATED"),
        ("2.22", "SOURCE"),
    ]


@pytest.mark.parametrize(
    ("month", "number", "quarters"),
    [pytest.param(3, 29, 92, id="spring"), pytest.param(10, 25, 100, id="autumn")],
)
def test_a_day_with_another_length_repeats_the_same_hours_on_the_wall(month: int, number: int, quarters: int) -> None:
    curve = filled(day(number - 1, 1, month), local(number - 1, 20, month=month), local(number + 1, month=month))
    slots = curve.between(local(number, month=month), local(number + 1, month=month))
    assert len(slots) == quarters
    assert all(one.end == other.start for one, other in pairwise(slots))
    assert all(slot.price_per_kwh == 1 + Decimal(slot.start.astimezone(BERLIN).hour) / 100 for slot in slots)


def test_the_hour_that_the_spring_lacked_is_that_after_it_on_the_next_day() -> None:
    """On the 29th of March there is no 02:30; what stands there on an earlier day is looked up an hour later."""
    curve = filled(day(29, 1, 3), local(29, 20, month=3), local(31, month=3))
    assert price_at(curve, local(30, 2, 30, month=3)) == ("1.03", "REPEATED")


def test_slots_that_end_between_quarters_leave_no_gap() -> None:
    told = [*day(13, 1), PriceSlot(local(14, 20), local(14, 20, 10), Decimal(9))]
    curve = filled(told, local(14, 20), local(14, 21))
    assert [(slot.start, slot.end) for slot in curve.between(local(14, 20), local(14, 21))][:2] == [
        (local(14, 20), local(14, 20, 10)),
        (local(14, 20, 10), local(14, 20) + QUARTER),
    ]
