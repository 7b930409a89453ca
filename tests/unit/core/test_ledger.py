"""Energy is placed where it flowed, to the watt-hour."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargerd.core import ledger
from chargerd.core.ledger import Delta
from chargerd.core.model import Ledger, Quality
from tests.support.home import utc

PLUG = utc("10T22:07:30")
POWER = 11_000.0


def feed(account: Ledger, *readings: tuple[str, int]) -> Ledger:
    for at, register in readings:
        account, _ = ledger.sampled(account, at=utc(at), register_wh=register, power_max_w=POWER)
    return account


def test_the_grid_starts_at_plug_in_and_goes_on_at_clock_quarters() -> None:
    account = ledger.covered(ledger.opened(PLUG), utc("10T22:40"))
    assert [(cell.start, cell.end) for cell in account.cells] == [
        (PLUG, utc("10T22:15")),
        (utc("10T22:15"), utc("10T22:30")),
        (utc("10T22:30"), utc("10T22:45")),
    ]


def test_the_first_reading_counts_nothing() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:08", 5_000_000))
    assert account.total_wh == 0


def test_energy_over_a_quarter_border_is_split_by_time() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:10", 1000), ("10T22:20", 2000))
    assert [cell.wh for cell in account.cells] == [500, 500]
    assert account.total_wh == 1000
    assert account.cells[0].quality is Quality.INTERPOLATED


def test_close_samples_are_measured_and_far_ones_interpolated() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:08", 1000), ("10T22:09", 1100))
    assert account.cells[0].quality is Quality.MEASURED


def test_a_register_that_falls_begins_anew() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:08", 1000), ("10T22:09", 1100), ("10T22:10", 0), ("10T22:11", 150))
    assert account.total_wh == 250


def test_a_single_reading_that_dips_is_a_fault_and_counts_nothing() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:08", 1000), ("10T22:09", 0), ("10T22:10", 1200))
    assert account.total_wh == 200


def test_an_old_reading_told_late_is_not_counted_twice() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:08", 1000), ("10T22:20", 3000), ("10T22:21", 1500), ("10T22:22", 3200))
    assert account.total_wh == 2200


def test_a_register_that_goes_on_falling_begins_anew_at_its_lowest() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:08", 1000), ("10T22:09", 20), ("10T22:10", 0), ("10T22:11", 90))
    assert account.total_wh == 90


def test_a_register_that_leaps_begins_anew() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:08", 1000), ("10T22:09", 4_294_968_296), ("10T22:10", 4_294_968_396))
    assert account.total_wh == 100


def test_energy_is_not_lost_to_a_clock_that_is_some_minutes_wrong() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:20", 1000), ("10T22:10", 800), ("10T22:21", 3500))
    assert account.total_wh == 2500


def test_a_reading_from_before_the_last_one_is_ignored() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:09", 1000), ("10T22:08", 900))
    assert account.total_wh == 0
    assert account.anchor_wh == 1000


def test_recovered_energy_says_so() -> None:
    account = ledger.anchored(ledger.opened(PLUG), PLUG, 0)
    account, delta = ledger.sampled(account, at=utc("10T22:10"), register_wh=300, power_max_w=POWER, recovered=True)
    assert delta is not None
    assert account.cells[0].quality is Quality.RECOVERED
    account = feed(account, ("10T22:11", 400))
    assert account.cells[0].quality is Quality.RECOVERED, "the worst part counts"


def test_settling_cuts_the_grid_at_plug_out_and_keeps_the_energy() -> None:
    account = feed(ledger.opened(PLUG), ("10T22:10", 0), ("10T22:40", 3000))
    final = ledger.settled(account, utc("10T22:20"))
    assert final.cells[-1].end == utc("10T22:20")
    assert sum(cell.wh for cell in final.cells) == 3000


def test_settling_grows_a_short_grid_to_plug_out() -> None:
    final = ledger.settled(ledger.opened(PLUG), utc("10T22:50"))
    assert final.cells[-1].end == utc("10T22:50")
    assert final.cells[-1].start == utc("10T22:45")


def test_settling_at_the_instant_of_plug_in_leaves_one_cell() -> None:
    assert len(ledger.settled(ledger.opened(PLUG), PLUG).cells) == 1


def test_a_stretch_without_length_has_no_mean() -> None:
    assert Delta(PLUG, PLUG, 5, Quality.MEASURED).mean_w == 0


def test_energy_of_an_instant_goes_to_its_cell() -> None:
    at = utc("10T22:20")
    account = ledger.counted(ledger.covered(ledger.opened(PLUG), at), Delta(at, at, 7, Quality.MEASURED))
    assert [cell.wh for cell in account.cells] == [0, 7]


@given(st.lists(st.tuples(st.integers(0, 3600), st.integers(0, 2000)), min_size=1, max_size=60))
def test_no_watt_hour_is_lost_or_doubled(steps: list[tuple[int, int]]) -> None:
    account, at, register, given_wh = ledger.anchored(ledger.opened(PLUG), PLUG, 0), PLUG, 0, 0
    for seconds, wh in steps:
        at += timedelta(seconds=seconds)
        register += wh
        account, delta = ledger.sampled(account, at=at, register_wh=register, power_max_w=POWER)
        given_wh += 0 if delta is None else delta.wh
    assert account.total_wh == given_wh == sum(cell.wh for cell in account.cells)
    final = ledger.settled(account, PLUG + timedelta(hours=1))
    assert sum(cell.wh for cell in final.cells) == given_wh


@pytest.mark.parametrize(
    ("wh", "weights", "parts"),
    [
        pytest.param(10, [1, 1, 1], [3, 4, 3], id="rest-is-spread"),
        pytest.param(7, [0, 0], [7, 0], id="no-weight-gives-all-to-the-first"),
        pytest.param(0, [1, 2], [0, 0], id="nothing"),
    ],
)
def test_splits_exactly(wh: int, weights: list[float], parts: list[int]) -> None:
    assert ledger.split_wh(wh, weights) == parts
