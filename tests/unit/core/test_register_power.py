"""Energy by power where no register moves, and the gaps between readings."""

from datetime import timedelta

import pytest

from chargerd.core.ledger import Delta
from chargerd.core.model import Ledger
from tests.unit.core.meters import (
    ESTIMATED,
    INTERPOLATED,
    MEASURED,
    RECOVERED,
    Told,
    at,
    cells,
    feed,
    qualities,
    settle,
    steady,
    take,
)

# Power where no register moves


def night_by_power(*stop: Told) -> Ledger:
    """E10: 7.2 kW each 30 s for half an hour, a register only at both ends."""
    charging = steady("22:00", 30, *[None] * 61, power=7200)
    return feed(("22:00", 40_000), *charging, *stop)


def test_power_is_integrated_where_no_register_is_told() -> None:
    account = night_by_power()
    assert cells(account) == {"22:00": 1800, "22:15": 1800}
    assert qualities(account) == [ESTIMATED] * 2


def test_a_register_that_tells_more_at_the_end_scales_what_power_told() -> None:
    account = night_by_power(("22:30:05", 43_700))
    assert cells(account) == {"22:00": 1850, "22:15": 1850}
    assert qualities(account) == [INTERPOLATED] * 2
    assert settle(account).total_wh == 3700


def test_a_register_that_tells_less_at_the_end_is_right_once_the_visit_is_settled() -> None:
    account = night_by_power(("22:30:05", 43_500))
    assert account.total_wh == 3600, "a sum never falls while a car is plugged in"
    assert cells(settle(account)) == {"22:00": 1750, "22:15": 1750}
    assert settle(feed(("22:31", 43_600), account=account)).total_wh == 3600


def test_the_register_of_the_next_transaction_does_not_forget_what_the_last_one_denied() -> None:
    """The register begins anew after it told less than the power."""
    account = night_by_power(("22:30:05", 43_500), ("22:40", 0), ("22:41", 0), ("22:42", 100))
    assert settle(account).total_wh == 3600
    account = night_by_power(("22:30:05", 43_500), ("22:40", 900_000), ("22:41", 900_100))
    assert settle(account).total_wh == 3600


@pytest.mark.parametrize(
    ("stop_wh", "wh"), [pytest.param(43_599, 3599, id="one-less"), pytest.param(43_601, 3601, id="one-more")]
)
def test_a_register_is_right_to_the_watt_hour(stop_wh: float, wh: int) -> None:
    assert settle(night_by_power(("22:30:05", stop_wh))).total_wh == wh


@pytest.mark.parametrize(
    ("later_wh", "expected"),
    [
        pytest.param(43_501, {"22:00": 1750, "22:15": 1751}, id="one"),
        pytest.param(43_530, {"22:00": 1750, "22:15": 1780}, id="some"),
        pytest.param(43_550, {"22:00": 1750, "22:15": 1800}, id="all-of-the-last-quarter"),
        pytest.param(43_551, {"22:00": 1751, "22:15": 1800}, id="more"),
        pytest.param(43_700, {"22:00": 1800, "22:15": 1800, "22:30": 100}, id="more-than-was-denied"),
    ],
)
def test_what_flows_later_makes_good_for_what_was_denied(later_wh: float, expected: dict[str, int]) -> None:
    account = night_by_power(("22:30:05", 43_500), ("22:35", later_wh))
    assert cells(settle(account)) == expected


def test_a_register_at_the_end_says_that_nothing_flowed_since_the_power_did() -> None:
    before = feed(("22:00", 0), *steady("22:10", 60, *[None] * 11, power=6000))
    result = take(before, ("22:24", 1300, 0))
    assert [(f"{piece.start:%H:%M}", f"{piece.end:%H:%M}", piece.wh) for piece in result.pieces] == [
        ("22:10", "22:15", 50),
        ("22:15", "22:20", 50),
        ("22:20", "22:24", 200),
    ], "half of the stretch in which it stopped"
    result = take(feed(("22:21", None, 0), account=before), ("22:24", 1050, 0))
    assert [(f"{piece.start:%H:%M}", f"{piece.end:%H:%M}", piece.wh) for piece in result.pieces][-1] == (
        "22:21",
        "22:24",
        0,
    )


def test_energy_by_power_lies_where_the_power_was_told() -> None:
    """Parts of watt-hours are carried on, their time is not."""
    account = feed(("22:10", None, 7230))
    for told in steady("22:10:30", 30, *[None] * 20, power=7230):
        result = take(account, told)
        account = result.ledger
        (piece,) = result.pieces
        assert (piece.end - piece.start, piece.end) == (timedelta(seconds=30), at(told[0]))
        assert piece.wh in {60, 61}
    assert cells(account) == {"22:00": 602, "22:15": 603}


def test_energy_that_was_kept_back_lies_where_it_flowed() -> None:
    """A register that stands: 200 Wh wait to be told by it, then they are counted with the next 100."""
    account = feed(*steady("22:13", 60, *[500] * 4, power=6000))
    assert cells(account) == {"22:00": 200, "22:15": 100}


def test_what_was_kept_back_is_counted_once_the_register_moves() -> None:
    account = feed(*steady("22:00", 60, 0, 0, 0, 300, power=6000))
    assert account.total_wh == 300
    assert feed(("22:04", None, 6000), account=account).total_wh == 400


def test_a_register_that_moves_tells_first_of_what_power_told_and_then_of_the_rest() -> None:
    result = take(feed(*steady("22:00", 60, *[0] * 4, power=6000)), ("22:04", 400, 6000))
    assert result.pieces == (Delta(at("22:03"), at("22:04"), 100, MEASURED),)
    result = take(feed(*steady("22:00", 60, *[0] * 4, power=6000)), ("22:04", 430, 6000))
    assert result.pieces == (
        Delta(at("22:00"), at("22:03"), 30, MEASURED),
        Delta(at("22:03"), at("22:04"), 100, MEASURED),
    )


def test_power_is_the_mean_of_both_ends() -> None:
    assert feed(("22:00", None, 0), ("22:02", None, 6000)).total_wh == 100
    assert feed(("22:00", None, 6000), ("22:02", None, 0)).total_wh == 100
    assert feed(("22:00", None, 6000), ("22:02", None, 3000)).total_wh == 150


@pytest.mark.parametrize(
    ("second", "total_wh"), [pytest.param("22:16", 1600, id="16-minutes"), pytest.param("22:16:01", 0, id="longer")]
)
def test_power_is_not_integrated_over_a_gap(second: str, total_wh: int) -> None:
    assert feed(("22:00", None, 6000), (second, None, 6000)).total_wh == total_wh


@pytest.mark.parametrize(
    ("power_w", "total_wh"), [pytest.param(100, 25, id="flows"), pytest.param(99.9, 0, id="stand-by")]
)
def test_stand_by_is_not_integrated(power_w: float, total_wh: int) -> None:
    assert feed(("22:00", None, power_w), ("22:15", None, power_w)).total_wh == total_wh


def test_a_connection_that_was_gone_is_not_bridged_by_power() -> None:
    account = feed(("22:00", None, 6000))
    account = take(account, ("22:10", None, 6000), recovered=True).ledger
    assert account.total_wh == 0
    assert feed(("22:12", None, 6000), account=account).total_wh == 200


def test_a_sample_without_power_is_no_zero() -> None:
    """Only a level was told, or a register in a message of its own."""
    account = feed(("22:00", None, 6000), ("22:01", None, None), ("22:02", None, 6000))
    assert account.total_wh == 200
    weak = steady("22:00", 10, *[None] * 2, power=130), steady("22:00:30", 10, *[None] * 1, power=130)
    assert feed(*weak[0], ("22:00:20", None, None), *weak[1]).total_wh == 1, "nor is what was carried on"


def test_parts_of_watt_hours_by_power_add_up() -> None:
    account = feed(*steady("22:00", 10, *[None] * 361, power=110))
    assert account.total_wh == pytest.approx(110, abs=1)


def test_part_of_a_watt_hour_from_before_a_pause_does_not_spread_energy_over_it() -> None:
    charging, pause = steady("22:00", 60, *[None] * 15, power=11_000), steady("22:15", 60, *[None] * 46, power=0)
    account = feed(*charging, *pause, ("23:01", None, 11_000))
    assert cells(account).keys() <= {"22:00", "22:15", "23:00"}
    assert cells(account)["23:00"] == pytest.approx(92, abs=1)


def test_the_first_register_after_power_is_a_beginning_and_denies_nothing() -> None:
    account = feed(("22:00", None, 6000), ("22:05", 3000, 6000), ("22:06", 3100, 6000))
    assert account.total_wh == 500 + 100
    assert settle(account).total_wh == 600


def test_what_the_register_confirms_is_measured_again() -> None:
    account = feed(*steady("22:00", 60, 0, 0, 0, 0, power=6000))
    assert (account.total_wh, qualities(account)) == (300, [ESTIMATED])
    account = feed(("22:04", 400, 6000), account=account)
    assert (account.total_wh, qualities(account)) == (400, [MEASURED])


def test_a_cell_that_was_worse_before_stays_so_when_the_register_confirms_power() -> None:
    account = take(feed(("22:00", 0, 0)), ("22:01", 50, 6000), recovered=True).ledger
    account = feed(*steady("22:02", 60, 50, 50, 50, power=6000), account=account)
    assert qualities(account) == [ESTIMATED]
    assert qualities(feed(("22:05", 450, 6000), account=account)) == [RECOVERED]


def test_power_that_stops_without_the_register_having_moved_is_denied() -> None:
    account = feed(("22:00", 500, 0), ("22:01", None, 6000), ("22:02", None, 6000), ("22:03", 500, 0))
    assert account.total_wh == 150, "a sum never falls while a car is plugged in"
    assert qualities(account) == [MEASURED]
    assert settle(account).total_wh == 0
    assert settle(feed(("22:04", 600, 6000), account=account)).total_wh == 100


def test_a_register_that_stood_while_much_flowed_is_not_believed_when_it_stops() -> None:
    account = feed(("22:00", 500, 0), *steady("22:01", 60, *[None] * 4, power=6000), ("22:05", None, 0))
    assert account.total_wh == 400
    assert settle(feed(("22:06", 500, 0), ("22:07", 500, 0), account=account)).total_wh == 400


def test_what_the_register_measured_stays_where_power_told_too_much_later() -> None:
    measured, by_power = steady("22:00", 300, 0, 900, 1800, 2700, power=10_800), [None] * 16
    account = feed(*measured, ("22:15", 2700, 6000), *steady("22:15", 60, *by_power, power=6000))
    assert cells(account) == {"22:00": 2700, "22:15": 1500}
    account = feed(("22:30:05", 3900), account=account)
    assert cells(settle(account)) == {"22:00": 2700, "22:15": 1200}


def test_a_start_that_one_sample_shows_did_not_begin_before_it() -> None:
    """E14, samples each quarter hour: the register stands at the first that shows power."""
    account = feed(("22:00", 0, 0), ("22:15", 0, 6000), ("22:30", 1500, 6000))
    assert cells(account) == {"22:15": 1500}


def test_power_that_stops_before_much_flowed_leaves_nothing_behind() -> None:
    account = feed(("22:00", 0, 6000), ("22:01", 0, 6000), ("22:02", 0, 0), ("22:03", 0, 0))
    assert (account.total_wh, account.carry_wh) == (0, 0)


# Gaps

EVENLY = dict.fromkeys(("22:00", "22:15", "22:30", "22:45"), 500)


@pytest.mark.parametrize(
    ("before_w", "after_w", "expected"),
    [
        pytest.param(6000, 0, {"22:00": 1500, "22:15": 500}, id="it-went-on-until-something-stopped-it"),
        pytest.param(6000, 6000, EVENLY, id="it-charged-all-the-time"),
        pytest.param(None, 6000, {"22:30": 500, "22:45": 1500}, id="it-began-in-the-gap"),
        pytest.param(1500, 4000, EVENLY, id="it-charged-all-the-time-and-faster"),
        pytest.param(None, None, EVENLY, id="nobody-knows"),
        pytest.param(0, 99.9, EVENLY, id="stand-by-says-nothing"),
        pytest.param(1500, 1500, EVENLY, id="more-than-both"),
    ],
)
def test_a_gap_is_filled_at_the_power_seen_at_one_of_its_ends(
    before_w: float | None, after_w: float | None, expected: dict[str, int]
) -> None:
    account = feed(("22:00", 0, before_w), ("23:00", 2000, after_w))
    assert cells(account) == expected
    assert qualities(account) == [INTERPOLATED] * len(expected)


@pytest.mark.parametrize(
    ("before_w", "after_w", "expected"),
    [
        pytest.param(6000, 6000, {"22:00": 1500, "22:15": 500}, id="it-went-on-until-something-stopped-it"),
        pytest.param(1500, 4000, {"22:30": 1000, "22:45": 1000}, id="more-than-the-power-before"),
        pytest.param(1500, 1500, EVENLY, id="more-than-both"),
    ],
)
def test_an_outage_between_two_readings_with_power_may_have_had_a_pause(
    before_w: float, after_w: float, expected: dict[str, int]
) -> None:
    account = take(feed(("22:00", 0, before_w)), ("23:00", 2000, after_w), recovered=True).ledger
    assert cells(account) == expected


def test_a_gap_says_where_in_it_nothing_flowed() -> None:
    before = take(feed(("22:00", 0, 6000)), ("23:00", 2000, 0)).pieces
    assert before == (
        Delta(at("22:00"), at("22:20"), 2000, INTERPOLATED),
        Delta(at("22:20"), at("23:00"), 0, INTERPOLATED),
    )
    after = take(feed(("22:00", 0, 0)), ("23:00", 2000, 6000)).pieces
    assert after == (
        Delta(at("22:00"), at("22:40"), 0, INTERPOLATED),
        Delta(at("22:40"), at("23:00"), 2000, INTERPOLATED),
    )


@pytest.mark.parametrize(("before_w", "after_w"), [(2000, 0), (0, 2000), (100, 0), (0, 100)])
def test_a_gap_that_was_filled_exactly_has_no_pause(before_w: float, after_w: float) -> None:
    risen = max(before_w, after_w)
    result = take(feed(("22:00", 0, before_w)), ("23:00", risen, after_w))
    assert result.pieces == (Delta(at("22:00"), at("23:00"), round(risen), INTERPOLATED),)


@pytest.mark.parametrize(
    ("power_w", "pieces"), [pytest.param(100, 2, id="the-least-that-flows"), pytest.param(99.9, 1, id="stand-by")]
)
def test_stand_by_does_not_tell_when_energy_flowed(power_w: float, pieces: int) -> None:
    assert len(take(feed(("22:00", 0, power_w)), ("23:00", 50, 0)).pieces) == pieces
    assert len(take(feed(("22:00", 0, 0)), ("23:00", 50, power_w)).pieces) == pieces


@pytest.mark.parametrize(
    ("second", "pieces"), [pytest.param("22:05", 1, id="five-minutes"), pytest.param("22:05:01", 2, id="longer")]
)
def test_a_short_stretch_is_not_searched_for_a_pause(second: str, pieces: int) -> None:
    assert len(take(feed(("22:00", 0, 11_000)), (second, 300, 0)).pieces) == pieces


def test_samples_each_seven_minutes_make_even_quarters() -> None:
    """E14: 7.2 kW, each full quarter 1.8 kWh."""
    registers = [840.0 * i for i in range(18)]
    account = feed(*steady("22:00", 420, *registers, power=7200))
    assert list(cells(account).values())[:7] == [1800] * 7
    account = feed(*steady("22:00", 420, *registers))
    assert list(cells(account).values())[:7] == [1800] * 7


def test_energy_over_a_lost_connection_is_recovered() -> None:
    account = take(feed(("22:00", 0)), ("22:02", 300), recovered=True).ledger
    assert qualities(account) == [RECOVERED]
    assert qualities(feed(("22:03", 400), account=account)) == [RECOVERED], "the worst part counts"


def test_what_power_tells_is_kept_apart_by_quarter_until_the_register_tells() -> None:
    account = feed(("22:05", None, 6000), ("22:10", None, 6000), ("22:20", None, 6000))
    parts = [(f"{part.start:%H:%M}", f"{part.end:%H:%M}", part.wh) for part in account.tentative]
    assert parts == [("22:05", "22:15", 1000), ("22:15", "22:20", 500)]


def test_a_register_and_a_power_that_agree_deny_nothing() -> None:
    account = feed(("22:00", 0, 6000), ("22:01", 100, 6000), ("22:02", 200, 6000))
    assert (account.excess, account.tentative, account.total_wh) == ((), (), 200)


def test_power_that_ends_leaves_no_part_of_a_watt_hour_behind() -> None:
    account = feed(("22:00", None, 150), ("22:00:10", None, 150), ("22:00:20", None, 0))
    assert (account.carry_wh, account.carry_since) == (0, None)
