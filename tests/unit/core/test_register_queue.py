"""Readings that wait for what their charger kept, where counting begins, and any readings at all."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chargerd.core import ledger, register
from chargerd.core.ledger import Delta
from chargerd.core.meter import Meter
from chargerd.core.model import Ledger, Tentative
from tests.unit.core.meters import (
    INTERPOLATED,
    LINE_W,
    MEASURED,
    PLUG,
    RECOVERED,
    WRAP,
    Told,
    at,
    cells,
    feed,
    meter,
    qualities,
    steady,
    take,
)

# What a charger has to tell of a time without connection


def lost() -> Ledger:
    """6 kW until the connection was lost at 22:00; the live reading of 23:00 waits for what the charger kept."""
    return take(feed(("22:00", 0, 6000)), ("23:00", 2000, 0), recovered=True, queue_waits=True).ledger


def test_replayed_readings_place_what_the_live_one_told_first() -> None:
    account = lost()
    assert account.total_wh == 0, "it waits"
    for told in (("22:10", 0, 0), ("22:40", 0, 0), ("22:50", 1000, 6000)):
        account = take(account, told, recovered=True, queue_waits=True).ledger
    assert cells(account) == {"22:30": 500, "22:45": 500}, "in the quarters where it belongs"
    result = register.drained(account, meter(("23:01", None)))
    assert cells(result.ledger) == {"22:30": 500, "22:45": 1500}
    assert result.pieces == (Delta(at("22:50"), at("23:00"), 1000, RECOVERED),)
    assert result.ledger.pending == ()


def test_a_replayed_reading_that_shows_power_and_no_energy_yet_is_where_charging_began() -> None:
    account = lost()
    for told in (("22:10", 0, 0), ("22:40", 0, 6000), ("22:50", 1000, 6000)):
        account = take(account, told, recovered=True, queue_waits=True).ledger
    assert cells(account) == {"22:30": 500, "22:45": 500}


def test_a_charger_that_kept_nothing_leaves_the_gap_to_be_filled() -> None:
    result = register.drained(lost(), meter(("23:01", None)))
    assert cells(result.ledger) == {"22:00": 1500, "22:15": 500}
    assert qualities(result.ledger) == [RECOVERED] * 2


def test_a_reading_that_need_not_wait_lets_those_that_did_go_first() -> None:
    result = take(lost(), ("23:02", 2200, 6000), recovered=True)
    assert [piece.wh for piece in result.pieces] == [2000, 0, 200]
    assert result.slope == Delta(at("23:00"), at("23:02"), 200, MEASURED)
    assert result.ledger.pending == ()


def test_only_the_first_reading_that_waited_bridges_the_gap() -> None:
    account = lost()
    for told in (("23:15", 2000, 0), ("23:20", 2500, 6000)):
        account = take(account, told, queue_waits=True).ledger
    assert account.total_wh == 0
    account = register.drained(account, meter(("23:21", None), recovered=True)).ledger
    assert cells(account) == {"22:00": 1500, "22:15": 500, "23:15": 500}
    assert qualities(account) == [RECOVERED, RECOVERED, MEASURED]


def test_power_that_waited_is_known_once_it_is_counted() -> None:
    account = register.drained(lost(), meter(("23:01", None))).ledger
    assert feed(("23:02", None, 6000), account=account).total_wh == 2000 + 100


def test_readings_wait_as_long_as_others_do() -> None:
    """What the charger kept reaches up to two minutes before the first that waits."""
    account = take(lost(), ("22:58", 2000, 0), recovered=True, queue_waits=True).ledger
    assert len(take(account, ("23:02", 2200, 0), queue_waits=True).ledger.pending) == 2


def test_readings_of_the_same_instant_wait_together() -> None:
    account = take(lost(), ("23:00", 2000, None), queue_waits=True).ledger
    assert len(account.pending) == 2
    assert register.drained(account, meter(("23:01", None))).ledger.total_wh == 2000


@pytest.mark.parametrize(
    ("second", "waits"), [pytest.param("22:05", False, id="no-gap"), pytest.param("22:05:01", True, id="a-gap")]
)
def test_a_reading_waits_only_after_a_gap(second: str, waits: bool) -> None:
    account = take(feed(("22:00", 0)), (second, 500), queue_waits=True).ledger
    assert bool(account.pending) is waits
    assert account.total_wh == (0 if waits else 500)
    account = take(feed(("22:00", None, 6000)), (second, None, 0), queue_waits=True).ledger
    assert bool(account.pending) is waits, "a gap of power is one"
    account = take(feed(("21:00", 0), ("22:00", None, 6000)), (second, 500), queue_waits=True).ledger
    assert bool(account.pending) is waits, "the last that was seen counts"


def test_the_first_reading_of_a_visit_waits_for_earlier_ones() -> None:
    """The car was plugged in while nobody heard: what the charger kept tells of the time before."""
    account = take(ledger.opened(PLUG), ("23:00", 500, 6000), queue_waits=True).ledger
    assert (account.anchor_wh, len(account.pending)) == (None, 1)
    account = take(account, ("22:01", 100, 6000), recovered=True, queue_waits=True).ledger
    assert account.anchor_wh == 100
    account = register.drained(account, meter(("23:01", None))).ledger
    assert (account.anchor_wh, account.total_wh) == (500, 400)


@pytest.mark.parametrize(
    ("before_w", "risen", "after_w", "waits"),
    [
        pytest.param(6000, 0, 6000, False, id="nothing-flowed"),
        pytest.param(0, 0.5, 0, False, id="as-good-as-nothing"),
        pytest.param(0, 0.6, 0, True, id="a-watt-hour"),
        pytest.param(6000, 10_800, 6000, False, id="nine-tenths-of-what-steady-power-makes"),
        pytest.param(6000, 10_799, 6000, True, id="less"),
        pytest.param(9000, 10_800, 6000, False, id="the-lesser-power-counts"),
        pytest.param(6000, 10_800, 9000, False, id="the-lesser-power-counts-at-the-beginning"),
        pytest.param(0, 10_800, 6000, True, id="it-began-in-the-gap"),
        pytest.param(6000, 10_800, None, True, id="it-ended-in-the-gap"),
        pytest.param(99, 10_800, 99, True, id="stand-by"),
        pytest.param(6000, -300, 6000, True, id="it-fell"),
        pytest.param(6000, None, 6000, True, id="no-register"),
    ],
)
def test_a_reading_that_leaves_no_question_does_not_wait(
    before_w: float, risen: float | None, after_w: float | None, waits: bool
) -> None:
    account = feed(("22:00", 9000, before_w))
    told = ("11T00:00", None if risen is None else 9000 + risen, after_w)
    assert bool(take(account, told, queue_waits=True).ledger.pending) is waits


def test_a_reading_in_another_unit_leaves_no_question_either() -> None:
    account = feed(("22:00", 9, 6000), account=ledger.opened(PLUG, 1000.0))
    assert take(account, ("23:00", 14.4, 6000), queue_waits=True).ledger.total_wh == 5400
    assert take(account, ("23:00", 14.4, 0), queue_waits=True).ledger.pending


def test_a_first_register_after_power_waits_for_what_the_charger_kept() -> None:
    account = feed(("22:00", None, 6000))
    assert take(account, ("23:00", 5000, 6000), queue_waits=True).ledger.pending


def test_so_many_readings_wait_and_no_more() -> None:
    account = lost()
    for i in range(1, 70):
        told = (f"23:{i // 2:02}:{30 * (i % 2):02}", 2000.0 + i, 0.0)
        account = take(account, told, queue_waits=True).ledger
        assert len(account.pending) == min(i + 1, 64)
    assert account.pending[-1].register_wh == 2069, "the last one stands for those before it"
    assert account.pending[-2].register_wh == 2062
    assert register.drained(account, meter(("23:50", None))).ledger.total_wh == 2069


# Where counting begins


def test_a_reading_told_late_of_before_plug_in_is_the_base() -> None:
    account = register.based(ledger.opened(PLUG), PLUG, 5000)
    assert feed(("22:05", 5300), account=account).total_wh == 300
    assert qualities(feed(("22:05:01", 5300), account=account)) == [INTERPOLATED], "from plug-in on"


@pytest.mark.parametrize(
    ("anchor", "base_wh", "total_wh"),
    [
        pytest.param(("21:59", 5000.0), 5100, 200, id="a-higher-one"),
        pytest.param(("22:00", 5000.0), 5100, 200, id="a-higher-one-of-plug-in"),
        pytest.param(("22:00:01", 5000.0), 5100, 300, id="counted-from-later-already"),
        pytest.param(("21:59", 5000.0), 4900, 300, id="a-lower-one"),
    ],
)
def test_a_base_told_late_counts_if_it_leaves_less_to_the_visit(anchor: Told, base_wh: float, total_wh: int) -> None:
    account = register.based(feed(anchor), PLUG, base_wh)
    assert feed(("22:05", 5300), account=account).total_wh == total_wh


def test_the_same_base_told_again_changes_nothing() -> None:
    account = feed(("21:59", 5000))
    assert register.based(account, PLUG, 5000) == account


def test_a_new_beginning_forgets_what_was_open() -> None:
    open_account = feed(*steady("22:00", 60, 1000, 1000, 1000, 1000, power=6000), ("22:04", 900, 6000))
    assert open_account.tentative
    denied = (Tentative(at("22:01"), at("22:02"), 7, MEASURED),)
    account = register.anchored(replace(open_account, epoch_excess_wh=7, excess=denied), at("22:05"), 70.0)
    assert (account.epoch_wh, account.anchor_wh, account.anchor_at) == (70, 70, at("22:05"))
    assert (account.epoch_counted_wh, account.epoch_excess_wh, account.excess) == (0, 0, denied), "denied stays denied"
    assert (account.dip_wh, account.dip_at, account.tentative) == (None, None, ())


# Whatever a meter tells

watts = st.none() | st.floats(0, 12_000) | st.sampled_from([0.0, 100.0, 6000.0])
registers = (
    st.none()
    | st.floats(-10, 20_000)
    | st.integers(0, 3000)
    | st.sampled_from([0.0, 5_000_000.0, float(WRAP - 5), float(WRAP + 900)])
)


@given(
    st.lists(st.tuples(st.integers(-600, 2400), registers, watts, st.booleans(), st.booleans()), max_size=40),
    st.integers(-600, 20_000),
)
def test_any_readings_make_whole_sums_that_never_fall(
    readings: list[tuple[int, float | None, float | None, bool, bool]], left_s: int
) -> None:
    account, now = ledger.opened(PLUG), PLUG
    for seconds, register_wh, power_w, recovered, queue_waits in readings:
        now = max(now + timedelta(seconds=seconds), PLUG)
        before = account.total_wh
        result = register.sampled(
            account,
            Meter(
                at=now,
                register_wh=register_wh,
                power_w=power_w,
                power_max_w=LINE_W,
                recovered=recovered,
                queue_waits=queue_waits,
            ),
        )
        account = result.ledger
        assert account.total_wh - before == sum(piece.wh for piece in result.pieces)
        assert all(piece.wh >= 0 for piece in result.pieces)
        assert account.total_wh == sum(cell.wh for cell in account.cells)
        assert all(isinstance(cell.wh, int) and cell.wh >= 0 for cell in account.cells)
    final = ledger.settled(account, PLUG + timedelta(seconds=left_s))
    assert 0 <= final.total_wh <= account.total_wh
    assert final.total_wh == sum(cell.wh for cell in final.cells)
    assert all(one.end == other.start for one, other in pairwise(final.cells))


@given(
    st.lists(st.tuples(st.integers(5, 900), st.floats(1500, 11_000)), min_size=1, max_size=60),
    st.sampled_from([0.01, 1.0, 10.0, 100.0, 1000.0]),
    st.floats(0.9, 1.1),
    st.sampled_from([1, 3, 1000]),
)
def test_an_honest_meter_of_any_step_is_told_exactly(
    stretches: list[tuple[int, float]], step_wh: float, power_error: float, register_each: int
) -> None:
    """Power is off by a tenth at most, the register coarse or rare; at the end it is what counts."""
    now, true_wh = PLUG, 0.0
    account = feed(("22:00", 0.0, stretches[0][1] * power_error))
    for i, (seconds, power_w) in enumerate(stretches):
        now += timedelta(seconds=seconds)
        true_wh += power_w * seconds / 3600
        shown = step_wh * (true_wh // step_wh) if i % register_each == 0 else None
        told = Meter(at=now, register_wh=shown, power_w=power_w * power_error, power_max_w=LINE_W)
        account = register.sampled(account, told).ledger
    last = step_wh * (true_wh // step_wh)
    assume(last)  # a register that never moved tells nothing
    account = register.sampled(
        account, Meter(at=now + timedelta(seconds=1), register_wh=last, power_w=0, power_max_w=LINE_W)
    ).ledger
    assert ledger.settled(account, now + timedelta(minutes=1)).total_wh == round(last)
