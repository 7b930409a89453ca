"""The grid of quarter hours: every watt-hour lies in one cell, and the cells add up to the total."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargerd.core import ledger
from chargerd.core.ledger import Delta
from chargerd.core.model import Interval, Ledger, Quality, Reading, Tentative
from tests.support.home import utc

PLUG = utc("10T22:07:30")
MEASURED, INTERPOLATED, RECOVERED, ESTIMATED = Quality


def delta(start: str, end: str, wh: int, quality: Quality = MEASURED) -> Delta:
    return Delta(utc(start), utc(end), wh, quality)


def grid(*deltas: Delta, since: datetime = PLUG) -> Ledger:
    account = ledger.opened(since)
    for one in deltas:
        account = ledger.counted(account, one)
    return account


def cells(account: Ledger) -> dict[str, int]:
    """Watt-hours of each cell by the minute that it starts at."""
    return {f"{cell.start:%H:%M}": cell.wh for cell in account.cells}


def spans(account: Ledger) -> list[tuple[str, str]]:
    return [(f"{cell.start:%H:%M:%S}", f"{cell.end:%H:%M:%S}") for cell in account.cells]


def test_the_grid_starts_at_plug_in_and_goes_on_at_clock_quarters() -> None:
    account = ledger.covered(ledger.opened(PLUG), utc("10T22:40"))
    assert spans(account) == [("22:07:30", "22:15:00"), ("22:15:00", "22:30:00"), ("22:30:00", "22:45:00")]
    assert [cell.wh for cell in account.cells] == [0, 0, 0]


@pytest.mark.parametrize(
    ("until", "number"),
    [
        pytest.param("10T22:14:59", 1, id="held-by-the-last-cell"),
        pytest.param("10T22:15:00", 2, id="a-cell-does-not-hold-its-own-end"),
        pytest.param("10T22:30:00", 3, id="end-of-the-second"),
        pytest.param("10T21:00:00", 1, id="before-plug-in"),
    ],
)
def test_the_grid_grows_until_it_holds_the_instant(until: str, number: int) -> None:
    assert len(ledger.covered(ledger.opened(PLUG), utc(until)).cells) == number


def test_a_ledger_begins_with_what_is_known_of_the_register() -> None:
    assert ledger.opened(PLUG).scale == 1
    assert ledger.opened(PLUG, 1000.0).scale == 1000
    assert ledger.opened(PLUG).total_wh == 0


def test_energy_over_a_quarter_border_is_split_by_time() -> None:
    account = grid(delta("10T22:10", "10T22:25", 900))
    assert cells(account) == {"22:07": 300, "22:15": 600}
    assert account.total_wh == 900


def test_energy_over_many_quarters_fills_each_in_proportion() -> None:
    account = grid(delta("10T22:25", "10T23:10", 4500))
    assert cells(account) == {"22:07": 0, "22:15": 500, "22:30": 1500, "22:45": 1500, "23:00": 1000}


def test_energy_is_added_to_what_a_cell_holds() -> None:
    account = grid(
        delta("10T22:08", "10T22:10", 40), delta("10T22:16", "10T22:18", 7), delta("10T22:10", "10T22:11", 2)
    )
    assert cells(account) == {"22:07": 42, "22:15": 7}
    assert account.total_wh == 49


def test_energy_that_ends_on_a_border_stays_before_it() -> None:
    account = grid(delta("10T22:10", "10T22:15", 100))
    assert cells(account) == {"22:07": 100, "22:15": 0}


def test_energy_from_before_plug_in_lies_in_the_visit() -> None:
    assert cells(grid(delta("10T22:00", "10T22:10", 100))) == {"22:07": 100}


def test_nothing_flowed_still_grows_the_grid() -> None:
    account = grid(delta("10T22:10", "10T22:40", 0, ESTIMATED))
    assert cells(account) == {"22:07": 0, "22:15": 0, "22:30": 0}
    assert {cell.quality for cell in account.cells} == {MEASURED}


def test_energy_of_an_instant_goes_to_its_cell() -> None:
    account = grid(delta("10T22:50", "10T22:50", 0), delta("10T22:20", "10T22:20", 7))
    assert cells(account) == {"22:07": 0, "22:15": 7, "22:30": 0, "22:45": 0}


def test_energy_of_a_stretch_that_is_turned_round_is_not_lost() -> None:
    account = grid(delta("10T22:50", "10T22:50", 0), delta("10T22:35", "10T22:20", 7))
    assert cells(account)["22:30"] == account.total_wh == 7


def test_a_cell_is_as_good_as_its_worst_part() -> None:
    account = grid(
        delta("10T22:08", "10T22:09", 5, INTERPOLATED),
        delta("10T22:09", "10T22:10", 5, MEASURED),
        delta("10T22:16", "10T22:17", 5, RECOVERED),
        delta("10T22:17", "10T22:18", 5, ESTIMATED),
        delta("10T22:18", "10T22:19", 5, RECOVERED),
    )
    assert [cell.quality for cell in account.cells] == [INTERPOLATED, ESTIMATED]


@pytest.mark.parametrize("better", range(4))
@pytest.mark.parametrize("worse", range(4))
def test_qualities_from_good_to_bad(better: int, worse: int) -> None:
    order = list(Quality)
    assert ledger.worse(order[better], order[worse]) is order[max(better, worse)]


def test_a_cell_that_gets_nothing_of_a_stretch_keeps_its_quality() -> None:
    account = grid(delta("10T22:14:59", "10T22:30", 1, ESTIMATED))
    assert [(cell.wh, cell.quality) for cell in account.cells[:2]] == [(0, MEASURED), (1, ESTIMATED)]


def test_mean_power_of_a_stretch() -> None:
    assert delta("10T22:00", "10T22:30", 500).mean_w == 1000
    assert delta("10T22:00", "10T22:00", 500).mean_w == 0


@pytest.mark.parametrize(
    ("at", "index"),
    [
        pytest.param("10T22:00", 0, id="before-plug-in"),
        pytest.param("10T22:14:59", 0, id="in-the-first"),
        pytest.param("10T22:15", 1, id="on-the-border"),
        pytest.param("10T22:31", 2, id="in-the-last"),
        pytest.param("10T23:31", 2, id="after-the-last"),
    ],
)
def test_finds_the_cell_of_an_instant(at: str, index: int) -> None:
    account = ledger.covered(ledger.opened(PLUG), utc("10T22:31"))
    assert ledger.cell_at(account.cells, utc(at)) == index


def test_settling_cuts_the_grid_at_plug_out_and_keeps_the_energy() -> None:
    account = grid(delta("10T22:10", "10T22:40", 3000, INTERPOLATED))
    final = ledger.settled(account, utc("10T22:20"))
    assert spans(final) == [("22:07:30", "22:15:00"), ("22:15:00", "22:20:00")]
    assert cells(final) == {"22:07": 500, "22:15": 2500}
    assert final.total_wh == 3000
    assert final.cells[-1].quality is INTERPOLATED


def test_settling_on_a_border_makes_no_cell_without_length() -> None:
    final = ledger.settled(grid(delta("10T22:10", "10T22:40", 3000)), utc("10T22:15"))
    assert spans(final) == [("22:07:30", "22:15:00")]
    assert cells(final) == {"22:07": 3000}


def test_settling_grows_a_short_grid_to_plug_out() -> None:
    final = ledger.settled(ledger.opened(PLUG), utc("10T22:50"))
    assert spans(final)[-1] == ("22:45:00", "22:50:00")
    assert len(final.cells) == 4


@pytest.mark.parametrize("left", ["10T22:07:30", "10T22:00"])
def test_settling_not_after_plug_in_leaves_one_cell_without_length(left: str) -> None:
    final = ledger.settled(grid(delta("10T22:08", "10T22:20", 5)), utc(left))
    assert final.cells == (Interval(PLUG, PLUG, 5),)


def denied(start: str, wh: int) -> Tentative:
    """What power told in a cell and the register did not."""
    return Tentative(utc(start), utc(start), wh, MEASURED)


def test_settling_takes_back_what_the_register_denied_where_power_had_told_it() -> None:
    account = grid(delta("10T22:15", "10T22:30", 1000), delta("10T22:30", "10T22:45", 3000))
    account = replace(account, excess=(denied("10T22:29:59", 300), denied("10T22:30", 100)), epoch_excess_wh=400)
    final = ledger.settled(account, utc("10T22:50"))
    assert cells(final) == {"22:07": 0, "22:15": 700, "22:30": 2900, "22:45": 0}
    assert (final.total_wh, final.excess, final.epoch_excess_wh) == (3600, (), 0)
    assert ledger.settled(final, utc("10T22:50")) == final


def test_settling_takes_what_is_not_left_there_from_the_latest_cells() -> None:
    account = grid(
        delta("10T22:08", "10T22:15", 50), delta("10T22:15", "10T22:30", 20), delta("10T22:30", "10T22:45", 30)
    )
    final = ledger.settled(replace(account, excess=(denied("10T22:16", 60),)), utc("10T22:45"))
    assert cells(final) == {"22:07": 40, "22:15": 0, "22:30": 0}
    final = ledger.settled(replace(account, excess=(denied("10T22:16", 21),)), utc("10T22:45"))
    assert cells(final) == {"22:07": 50, "22:15": 0, "22:30": 29}
    final = ledger.settled(replace(account, excess=(denied("10T22:31", 60),)), utc("10T22:45"))
    assert cells(final) == {"22:07": 40, "22:15": 0, "22:30": 0}


def test_settling_takes_back_no_more_than_there_is() -> None:
    account = replace(grid(delta("10T22:08", "10T22:09", 50)), excess=(denied("10T22:08", 80), denied("10T22:08", 5)))
    final = ledger.settled(account, utc("10T22:09"))
    assert (final.total_wh, [cell.wh for cell in final.cells]) == (0, [0])


def test_settling_takes_back_what_was_told_of_the_time_after_plug_out() -> None:
    account = grid(delta("10T22:08", "10T22:09", 50), delta("10T22:20", "10T22:21", 7))
    final = ledger.settled(replace(account, excess=(denied("10T22:20", 7),)), utc("10T22:10"))
    assert cells(final) == {"22:07": 50}


@given(
    st.lists(st.tuples(st.integers(0, 5400), st.integers(0, 5400), st.integers(0, 2000)), max_size=30),
    st.integers(-60, 7200),
    st.lists(st.tuples(st.integers(0, 5400), st.integers(1, 3000)), max_size=4),
)
def test_no_watt_hour_is_lost_or_doubled(
    stretches: list[tuple[int, int, int]], left_s: int, excess: list[tuple[int, int]]
) -> None:
    account, total = ledger.opened(PLUG), 0
    for start, length, wh in stretches:
        since = PLUG + timedelta(seconds=start - 600)
        account = ledger.counted(account, Delta(since, since + timedelta(seconds=length), wh, MEASURED))
        total += wh
        assert account.total_wh == total == sum(cell.wh for cell in account.cells)
    parts = tuple(Tentative(PLUG + timedelta(seconds=at), PLUG, wh, MEASURED) for at, wh in excess)
    final = ledger.settled(replace(account, excess=parts), PLUG + timedelta(seconds=left_s))
    assert final.total_wh == max(total - sum(part.wh for part in parts), 0) == sum(cell.wh for cell in final.cells)
    assert all(cell.wh >= 0 for cell in final.cells)
    assert all(one.end == other.start for one, other in pairwise(final.cells))


@pytest.mark.parametrize(
    ("wh", "weights", "parts"),
    [
        pytest.param(10, [1, 1, 1], [3, 4, 3], id="rest-is-spread"),
        pytest.param(9, [1, 2, 0, 6], [1, 2, 0, 6], id="by-weight"),
        pytest.param(7, [0, 0], [7, 0], id="no-weight-gives-all-to-the-first"),
        pytest.param(7, [0, 0.5, 0], [0, 7, 0], id="the-only-weight-takes-all"),
        pytest.param(0, [1, 2], [0, 0], id="nothing"),
    ],
)
def test_splits_exactly(wh: int, weights: list[float], parts: list[int]) -> None:
    assert ledger.split_wh(wh, weights) == parts


def test_a_clock_that_was_set_by_whole_quarters_moves_every_cell_as_it_is() -> None:
    account = grid(delta("10T22:10", "10T22:20", 600, INTERPOLATED), delta("10T22:20", "10T22:30", 900, ESTIMATED))
    account = ledger.covered(account, utc("10T22:50"))
    moved = ledger.moved(account, timedelta(hours=1))
    assert cells(moved) == {"23:07": 300, "23:15": 1200, "23:30": 0, "23:45": 0}
    assert [cell.quality for cell in moved.cells] == [INTERPOLATED, ESTIMATED, MEASURED, MEASURED]
    assert spans(moved)[0] == ("23:07:30", "23:15:00")
    assert moved.total_wh == 1500
    assert ledger.moved(moved, timedelta(hours=-1)) == account


def test_a_clock_that_was_set_by_minutes_lays_the_grid_anew() -> None:
    account = grid(delta("10T22:15", "10T22:30", 900), delta("10T22:30", "10T22:45", 600), since=utc("10T22:15"))
    moved = ledger.moved(account, timedelta(minutes=-5))
    assert cells(moved) == {"22:10": 300, "22:15": 800, "22:30": 400}
    assert moved.total_wh == 1500
    assert moved.cells[-1].end > utc("10T22:40"), "it holds the instant that the old one held"


def test_a_clock_that_was_set_moves_all_that_it_dated() -> None:
    account = replace(
        ledger.opened(PLUG),
        anchor_wh=5.0,
        anchor_at=utc("10T22:08"),
        dip_wh=1.0,
        dip_at=utc("10T22:09"),
        pending=(Reading(at=utc("10T22:10"), power_w=7.0), Reading(at=utc("10T22:11"))),
        power_w=9.0,
        power_at=utc("10T22:12"),
        carry_wh=0.5,
        carry_since=utc("10T22:13"),
        tentative=(Tentative(utc("10T22:08"), utc("10T22:09"), 3, RECOVERED),),
        excess=(Tentative(utc("10T22:09"), utc("10T22:10"), 4, MEASURED),),
    )
    moved = ledger.moved(account, timedelta(hours=2))
    assert moved == replace(
        account,
        cells=(Interval(utc("11T00:07:30"), utc("11T00:15"), 0),),
        anchor_at=utc("11T00:08"),
        dip_at=utc("11T00:09"),
        pending=(Reading(at=utc("11T00:10"), power_w=7.0), Reading(at=utc("11T00:11"))),
        power_at=utc("11T00:12"),
        carry_since=utc("11T00:13"),
        tentative=(Tentative(utc("11T00:08"), utc("11T00:09"), 3, RECOVERED),),
        excess=(Tentative(utc("11T00:09"), utc("11T00:10"), 4, MEASURED),),
    )


def test_a_clock_that_was_set_dates_nothing_that_was_not_told() -> None:
    moved = ledger.moved(ledger.opened(PLUG), timedelta(hours=1))
    assert moved == ledger.opened(utc("10T23:07:30"))


@pytest.mark.parametrize(
    ("anchor", "power", "expected"),
    [
        pytest.param("22:05", "22:10", {"22:07": 800, "22:15": 200}, id="power-told-last"),
        pytest.param("22:10", "22:05", {"22:07": 800, "22:15": 200}, id="register-told-last"),
        pytest.param(None, "22:10", {"22:07": 800, "22:15": 200}, id="power-alone"),
        pytest.param(None, None, {"22:07": 533, "22:15": 467}, id="nothing-told"),
        pytest.param("22:20", None, {"22:07": 533, "22:15": 467}, id="the-quarter-is-over"),
        pytest.param("22:15", None, {"22:07": 533, "22:15": 467}, id="just-over"),
        pytest.param("22:00", None, {"22:07": 533, "22:15": 467}, id="told-before-it-flowed"),
    ],
)
def test_a_quarter_that_runs_flowed_until_it_was_told_when_the_clock_is_set(
    anchor: str | None, power: str | None, expected: dict[str, int]
) -> None:
    when = [None if text is None else utc(f"10T{text}") for text in (anchor, power)]
    account = grid(delta("10T22:00", "10T22:10", 1000), since=utc("10T22:00"))
    after = ledger.moved(replace(account, anchor_at=when[0], power_at=when[1]), timedelta(minutes=7))
    assert cells(after) == expected
