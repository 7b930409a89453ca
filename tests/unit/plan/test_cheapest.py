"""The cheapest quarter hours that are enough, and never too late."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from chargerd.plan.cheapest import schedule
from chargerd.plan.prices import PriceCurve, PriceSlot
from chargerd.plan.schedule import BlockKind, Need, Window
from tests.support.home import prices, utc

QUARTER = timedelta(minutes=15)
POWER = 8_000.0
NOW = utc("10T22:00")


def regular(wh: int, ready_by: str = "11T00:00") -> Need:
    return Need(kind=BlockKind.REGULAR, wh=wh, ready_by=utc(ready_by))


def plan(*needs: Need, curve: PriceCurve, now: datetime = NOW) -> tuple[Window, ...]:
    return schedule(needs, prices=curve, power_w=POWER, now=now)


def test_takes_the_cheapest_hour() -> None:
    curve = prices("10T22:00", [0.3, 0.1])
    assert plan(regular(8000), curve=curve) == (Window(BlockKind.REGULAR, utc("10T23:00"), utc("11T00:00"), 8000),)


def test_takes_the_earlier_of_equals() -> None:
    assert plan(regular(2000), curve=prices("10T22:00", [0.1, 0.1])) == (
        Window(BlockKind.REGULAR, utc("10T22:00"), utc("10T22:15"), 2000),
    )


def test_uses_what_is_left_of_the_running_quarter() -> None:
    (window,) = plan(regular(1000), curve=prices("10T22:00", [0.1, 0.3]), now=utc("10T22:05"))
    assert (window.start, window.end) == (utc("10T22:05"), utc("10T22:15"))


def test_finishes_the_quarter_that_was_begun() -> None:
    curve = prices("10T22:00", [0.3, 0.1])
    need = regular(2000)
    (window,) = schedule([need], prices=curve, power_w=POWER, now=NOW, busy_until=utc("10T22:15"))
    assert (window.start, window.end) == (NOW, utc("10T22:15"))


def test_negative_prices_come_first() -> None:
    (window,) = plan(regular(2000), curve=prices("10T22:00", [0.0, -0.1]))
    assert window.start == utc("10T23:00")


def test_quarters_without_a_price_are_used_only_when_they_must_be() -> None:
    curve = prices("10T23:00", [9.9])
    assert plan(regular(8000), curve=curve)[0].start == utc("10T23:00")
    assert plan(regular(9000), curve=curve)[0].start == utc("10T22:00")


def test_without_any_price_charges_as_early_as_possible() -> None:
    (window,) = plan(regular(4000), curve=PriceCurve())
    assert (window.start, window.end) == (NOW, utc("10T22:30"))


def test_goes_on_after_the_deadline_with_what_does_not_fit() -> None:
    (window,) = plan(regular(20_000), curve=prices("10T22:00", [0.1, 0.3]))
    assert (window.start, window.end, window.wh) == (NOW, utc("11T00:30"), 20_000)


def test_charges_at_once_when_the_deadline_is_past() -> None:
    (window,) = plan(regular(2000, "10T21:00"), curve=prices("10T22:00", [0.9, 0.1]))
    assert window.start == NOW


def test_the_reserve_goes_first_whatever_the_price() -> None:
    reserve = Need(kind=BlockKind.BATTERY_RESERVE, wh=3000)
    first, second = plan(reserve, regular(2000), curve=prices("10T22:00", [0.9, 0.1]))
    assert (first.kind, first.start, first.end) == (BlockKind.BATTERY_RESERVE, NOW, utc("10T22:30"))
    assert (second.kind, second.start) == (BlockKind.REGULAR, utc("10T23:00"))


def test_a_need_of_nothing_plans_nothing() -> None:
    assert plan(regular(0), Need(kind=BlockKind.IMMEDIATE_START, wh=-5), curve=PriceCurve()) == ()


def test_a_deadline_off_the_grid_cuts_the_last_quarter() -> None:
    windows = plan(regular(20_000, "10T22:20"), curve=PriceCurve())
    assert windows[0].start == NOW
    assert sum(window.wh for window in windows) == 20_000


@given(
    st.lists(st.integers(-50, 500), min_size=8, max_size=8),
    st.integers(1, 8),
)
def test_no_other_choice_of_quarters_is_cheaper(values: list[int], count: int) -> None:
    slots = tuple(
        PriceSlot(NOW + i * QUARTER, NOW + (i + 1) * QUARTER, Decimal(value)) for i, value in enumerate(values)
    )
    windows = schedule([regular(2000 * count)], prices=PriceCurve(slots), power_w=POWER, now=NOW)
    chosen = [i for i in range(8) if any(w.start <= NOW + i * QUARTER < w.end for w in windows)]
    assert len(chosen) == count
    best = min(sum(values[i] for i in pick) for pick in combinations(range(8), count))
    assert sum(values[i] for i in chosen) == best


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(0, 60_000), st.integers(0, 3600), st.integers(-5, 40))
def test_windows_are_sorted_apart_and_enough(values: list[int], wh: int, late: int, hours: int) -> None:
    now = NOW + timedelta(seconds=late)
    need = Need(kind=BlockKind.REGULAR, wh=wh, ready_by=now + timedelta(hours=hours, minutes=late % 7))
    windows = schedule([need], prices=prices("10T22:00", [float(v) for v in values]), power_w=POWER, now=now)
    room = sum(POWER * (w.end - w.start).total_seconds() / 3600 for w in windows)
    assert room >= wh - 1
    assert abs(sum(w.wh for w in windows) - wh) <= len(windows) * 30
    for one, other in pairwise(windows):
        assert one.start < one.end < other.start
    assert all(w.start >= now for w in windows)
