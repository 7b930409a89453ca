"""Rules for registers that behave and for those that do not; each story is a register that was seen in a home."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chargerd.core import ledger, register
from chargerd.core.ledger import Delta
from chargerd.core.meter import Meter
from chargerd.core.model import Quality
from chargerd.core.register import Counted
from tests.unit.core.meters import (
    ESTIMATED,
    INTERPOLATED,
    LINE_W,
    MEASURED,
    PLUG,
    WRAP,
    at,
    cells,
    feed,
    qualities,
    settle,
    steady,
    take,
)

# A register that behaves


def test_the_first_reading_counts_nothing() -> None:
    result = take(ledger.opened(PLUG), ("22:01", 5_000_000))
    assert result.ledger.total_wh == 0
    assert (result.pieces, result.slope) == ((), None)


def test_energy_lies_between_the_readings_that_tell_it() -> None:
    account = feed(("22:13", 1000))
    result = take(account, ("22:18", 1500))
    assert cells(result.ledger) == {"22:00": 200, "22:15": 300}
    assert result.pieces == (Delta(at("22:13"), at("22:18"), 500, MEASURED),)
    assert result.slope == Delta(at("22:13"), at("22:18"), 500, MEASURED)
    told_in_parts = take(result.ledger, ("22:19", 1600.6))
    assert told_in_parts.slope == Delta(at("22:18"), at("22:19"), 101, MEASURED)


def test_a_register_that_stands_says_that_nothing_flowed() -> None:
    result = take(feed(("22:01", 1000)), ("22:31", 1000))
    assert result.pieces == (Delta(at("22:01"), at("22:31"), 0, MEASURED),)
    assert result.slope == Delta(at("22:01"), at("22:31"), 0, MEASURED)
    assert cells(feed(("22:32", 1100), account=result.ledger)) == {"22:30": 100}, "what flows now flowed since then"


@pytest.mark.parametrize(
    ("second", "quality"),
    [pytest.param("22:06", MEASURED, id="five-minutes"), pytest.param("22:06:01", INTERPOLATED, id="longer")],
)
def test_readings_no_more_than_five_minutes_apart_are_measured(second: str, quality: Quality) -> None:
    assert qualities(feed(("22:01", 1000), (second, 1100))) == [quality]


def test_a_meter_is_connected_and_has_nothing_else_to_tell_if_nobody_says_otherwise() -> None:
    told = Meter(at=at("23:00"), register_wh=1100, power_max_w=LINE_W)
    assert qualities(register.sampled(feed(("22:01", 1000)), told).ledger)[0] is INTERPOLATED


def test_fractions_are_not_lost() -> None:
    account = feed(("22:00", 0.4), ("22:01", 0.8), ("22:02", 1.2), ("22:03", 1.6), ("22:04", 2.4), ("22:05", 102.4))
    assert account.total_wh == 102


@pytest.mark.parametrize(
    ("register_wh", "total_wh"),
    [pytest.param(1000.5, 0, id="half-a-watt-hour"), pytest.param(1000.6, 1, id="more-than-half")],
)
def test_a_register_moves_by_whole_watt_hours(register_wh: float, total_wh: int) -> None:
    assert feed(("22:01", 1000), ("22:02", register_wh)).total_wh == total_wh


@pytest.mark.parametrize(
    ("wobble", "total_wh"), [pytest.param(999.5, 1, id="noise"), pytest.param(999.4, 2, id="a-fall")]
)
def test_a_register_may_wobble_by_half_a_watt_hour(wobble: float, total_wh: int) -> None:
    assert feed(("22:01", 1000), ("22:02", wobble), ("22:03", wobble), ("22:04", 1001)).total_wh == total_wh
    assert feed(("22:01", 1000), ("22:02", wobble), ("22:03", 1001)).total_wh == 1, "once, it is nothing"


def test_a_reading_from_before_the_last_one_is_ignored() -> None:
    account = feed(("22:01", 500), ("22:09", 1000), ("22:10", 1200, 6000))
    result = take(account, ("22:09:59", 900, 0))
    assert result == Counted(account)


def test_a_register_told_apart_from_the_power_counts_even_if_it_is_the_older_message() -> None:
    account = feed(("22:00", 0, 6000), ("22:02", None, 6000), ("22:01:30", 150, 1000))
    assert account.total_wh == 200, "200 Wh by power until then"
    assert (account.anchor_wh, account.power_at, account.power_w) == (150, at("22:02"), 6000)
    assert feed(("22:03", 300, 6000), account=account).total_wh == 300


def test_power_older_than_the_last_is_not_taken() -> None:
    account = feed(("22:02", None, 6000))
    assert feed(("22:01", None, 1000), account=account) == account


def test_readings_of_one_instant_count_once() -> None:
    assert feed(("22:01", 0), ("22:02", 100), ("22:02", 100), ("22:02", 90), ("22:03", 200)).total_wh == 200
    assert feed(("22:01", 0), ("22:02", 100), ("22:02", 120), ("22:03", 200)).total_wh == 200
    assert feed(("22:01", 0), ("22:02", 100), ("22:03", None, 0), ("22:02", 120)).total_wh == 120
    assert feed(("22:01", 0), ("22:02", 100), ("22:02", 90), ("22:03", 95), ("22:04", 200)).total_wh == 200, "no dip"


@pytest.mark.parametrize(
    ("plausible_wh", "total_wh"), [pytest.param(1760, 1760, id="can-be"), pytest.param(1761, 0, id="cannot-be")]
)
def test_a_register_moves_no_faster_than_the_cable_can_carry(plausible_wh: float, total_wh: int) -> None:
    """11 kW for a minute, two more for the clocks, a fifth on top, and a step of a coarse register: 1760 Wh."""
    account = feed(("22:01", 1000), ("22:02", 1000 + plausible_wh))
    assert account.total_wh == total_wh
    assert feed(("22:03", 1100 + plausible_wh), account=account).total_wh == total_wh + 100


def test_a_visit_that_an_earlier_version_began_goes_on_from_its_last_reading() -> None:
    account = replace(ledger.opened(PLUG), anchor_wh=1000.0, anchor_at=PLUG)
    assert feed(("22:01", 1100), ("22:02", 1250), account=account).total_wh == 250


# Registers that fall, leap and wrap


def test_a_register_that_is_reset_with_the_session_goes_on_from_zero() -> None:
    """E07: 0 to 8000, a reboot, 0 to 5000 in the same transaction."""
    before = steady("22:00", 300, *range(0, 8001, 800))
    after = steady("22:55", 300, *range(0, 5001, 500))
    assert settle(feed(*before, *after)).total_wh == 13_000


def test_a_register_that_fell_and_already_counts_again_tells_all_since_it_fell() -> None:
    account = feed(("22:00", 0), ("22:15", 2000), ("22:21", 500), ("22:27", 1100))
    assert account.total_wh == 2000 + 1100


@pytest.mark.parametrize(
    ("fallen_to", "total_wh"),
    [pytest.param(1320, 1420, id="it-can-have-counted-from-zero"), pytest.param(1321, 100, id="it-cannot")],
)
def test_a_register_that_begins_anew_counts_from_zero_only_if_that_can_have_flowed(
    fallen_to: float, total_wh: int
) -> None:
    """Six minutes of 11 kW, and a fifth on top: 1320 Wh."""
    account = feed(("22:00", 90_000), ("22:06", fallen_to), ("22:07", fallen_to + 100))
    assert account.total_wh == total_wh
    in_kwh = ledger.opened(PLUG, 1000.0)
    account = feed(("22:00", 90), ("22:06", fallen_to / 1000), ("22:07", fallen_to / 1000 + 0.1), account=in_kwh)
    assert account.total_wh == total_wh


def test_what_power_told_of_the_time_before_a_reset_is_not_counted_twice() -> None:
    account = feed(("22:00", 9000, 6000), ("22:01", 0, 6000))
    assert account.total_wh == 100, "the register says nothing, the power says 100"
    account = feed(("22:02", 180, 6000), account=account)
    assert account.total_wh == 180
    assert qualities(account) == [MEASURED]


def test_what_a_reset_denies_is_taken_back_at_the_end() -> None:
    account = feed(("22:00", 9000, 6000), ("22:01", 0, 6000), ("22:02", 20, 6000), ("22:03", 40, 0))
    assert account.total_wh == 100
    assert settle(account).total_wh == 40


def test_what_power_told_before_a_reset_stays_where_the_register_begins_in_mid_count() -> None:
    account = feed(("22:00", 90_000, 6000), ("22:01", 50_000, 6000), ("22:02", 50_090, 6000))
    assert account.total_wh == 190
    assert settle(account).total_wh == 190


def test_a_single_reading_that_dips_is_a_fault_and_counts_nothing() -> None:
    assert feed(("22:01", 1000), ("22:02", 0), ("22:03", 1200)).total_wh == 200
    assert feed(("22:01", 1000), ("22:02", 0), ("22:03", 1000), ("22:04", 0), ("22:05", 1100)).total_wh == 100


def test_a_register_that_goes_on_falling_begins_anew_at_its_lowest() -> None:
    assert feed(("22:01", 1000), ("22:02", 20), ("22:03", 0), ("22:04", 90)).total_wh == 90
    assert feed(("22:01", 1000), ("22:02", 0), ("22:03", 0), ("22:04", 90)).total_wh == 90


def test_old_readings_told_from_the_newest_to_the_oldest_are_no_new_beginning() -> None:
    assert feed(("22:01", 90_000), ("22:02", 50_000), ("22:03", 40_000), ("22:04", 90_050)).total_wh == 50


def test_an_old_reading_told_late_is_not_counted_twice() -> None:
    assert feed(("22:01", 1000), ("22:20", 3000), ("22:21", 1500), ("22:22", 3200)).total_wh == 2200


def test_two_old_readings_told_late_and_turned_round_are_no_new_beginning() -> None:
    account = feed(("22:01", 1000), ("22:20", 90_000), ("22:30", 50_000), ("22:29", 50_100))
    assert feed(("22:31", 90_100), account=account).total_wh == 100, "after the leap to 90 000"


def test_a_fall_that_is_told_twice_of_one_instant_is_one_reading() -> None:
    """D14: meterStop 0 and the last sample of transactionData 0; the next transaction goes on where it was."""
    account = feed(*steady("22:00", 300, 10_000, 10_900, 11_800), ("22:11", 0), ("22:11", 0))
    account = feed(("11T01:11", 11_800), ("11T01:12", 11_900), account=account)
    assert account.total_wh == 1900


@pytest.mark.parametrize("stop_wh", [0, -1, 4200])
def test_a_meter_stop_below_the_meter_start_does_not_make_energy_negative(stop_wh: float) -> None:
    """D14: Start 10000, samples up to 14200, Stop with 0, -1 or the session's own count."""
    charging = steady("22:00", 360, *range(10_000, 14_201, 1050))
    account = feed(*charging, ("22:24:05", stop_wh))
    assert settle(account).total_wh == 4200


def test_a_meter_start_of_zero_does_not_make_a_lifetime_the_session() -> None:
    """D15: Start(0), first sample 1 234 567 Wh."""
    account = feed(("22:00", 0), ("22:01", 1_234_567))
    assert account.total_wh == 0
    assert feed(("22:02", 1_234_667), account=account).total_wh == 100


def test_idle_frames_that_show_the_lifetime_are_not_the_session() -> None:
    """E07, ABB Terra: the session's count in the transaction, the lifetime's outside."""
    lifetime, charging = 1_234_567, steady("22:02", 300, 0, 900, 1800)
    account = feed(("22:00", lifetime), ("22:01", lifetime), *charging, ("22:13", lifetime + 1800))
    assert settle(feed(("22:28", lifetime + 1800), account=account)).total_wh == 1800


def test_what_flowed_by_power_in_a_leap_is_kept() -> None:
    account = feed(("22:00", 0, 6000), ("22:02", 5_000_000, 6000), ("22:03", 5_000_100, 6000))
    assert account.total_wh == 200 + 100
    assert settle(account).total_wh == 300
    assert qualities(account) == [ESTIMATED]


@pytest.mark.parametrize(
    ("before", "after", "total_wh"),
    [
        pytest.param(WRAP - 1000, 760, 1760, id="wraps"),
        pytest.param(WRAP - 1000, 761, 0, id="wraps-too-far"),
        pytest.param(1000, WRAP + 2760, 1760, id="offset-comes"),
        pytest.param(1000, WRAP + 2761, 0, id="offset-comes-with-too-much"),
        pytest.param(WRAP + 1000, 1100, 100, id="offset-goes"),
        pytest.param(WRAP + 1000, 1001, 1, id="offset-goes-with-the-least"),
        pytest.param(WRAP + 1000, 1000, 0, id="offset-goes-with-nothing"),
        pytest.param(1000, WRAP + 1000, 0, id="offset-comes-with-nothing"),
    ],
)
def test_a_register_of_32_bits_wraps_and_some_tell_2_to_the_32_too_much(
    before: float, after: float, total_wh: int
) -> None:
    """E08, Zaptec Go 2."""
    account = feed(("22:01", before), ("22:02", after))
    assert account.total_wh == total_wh
    assert account.step_wh == (total_wh or None), "what did not move shows no step"


def test_counting_goes_on_over_a_wrap_and_over_an_offset_that_comes_and_goes() -> None:
    over = feed(*steady("22:00", 60, WRAP - 250, WRAP - 150, WRAP - 50, 50, 150, 250))
    assert over.total_wh == 500
    jumpy = feed(*steady("22:00", 60, 1000, WRAP + 1100, WRAP + 1200, 1300, WRAP + 1400, 1500))
    assert jumpy.total_wh == 500
    assert settle(jumpy).total_wh == 500


def test_a_wrap_is_told_by_the_slope_as_what_flowed() -> None:
    result = take(feed(("22:01", WRAP - 60)), ("22:02", 40))
    assert result.slope == Delta(at("22:01"), at("22:02"), 100, MEASURED)


def test_a_register_that_shows_another_unit_wraps_in_that_unit() -> None:
    account = feed(("22:01", WRAP - 100_000), ("22:02", 100_000), account=ledger.opened(PLUG, 0.001))
    assert account.total_wh == 200
    account = feed(("22:01", 5), ("22:02", WRAP + 200_005), account=ledger.opened(PLUG, 0.001))
    assert account.total_wh == 200


def test_an_offset_that_comes_while_nothing_flows_is_kept_in_mind() -> None:
    account = feed(("22:01", 1000), ("22:02", WRAP + 1000), ("22:03", WRAP + 1100), ("22:04", 1150))
    assert account.total_wh == 150


# Wrong units, judged by power and time


@pytest.mark.parametrize(
    ("power_w", "minutes", "risen", "total_wh", "settled_wh"),
    [
        pytest.param(6000, 5, 0.6, 600, 600, id="kwh-labelled-wh"),
        pytest.param(6000, 5, 1.0, 1000, 1000, id="twice-what-power-told"),
        pytest.param(6000, 5, 1.1, 500, 500, id="more-than-twice"),
        pytest.param(5988, 5, 1.0, 1, 1, id="too-little-flowed-to-judge"),
        pytest.param(8000, 15, 1.0, 1000, 1000, id="half-of-what-power-told"),
        pytest.param(8004, 15, 1.0, 2001, 2001, id="less-than-half"),
        pytest.param(6000, 5, 49, 500, 500, id="counts-less-than-a-tenth-of-what-flows"),
        pytest.param(6000, 5, 50, 50, 50, id="counts-a-tenth-and-is-believed"),
        pytest.param(5988, 5, 49, 49, 49, id="too-little-to-disbelieve"),
    ],
)
def test_a_register_is_judged_by_power_and_time(
    power_w: float, minutes: int, risen: float, total_wh: int, settled_wh: int
) -> None:
    account = feed(("22:00", 7000, power_w), (f"22:{minutes:02}", 7000 + risen, power_w))
    assert account.total_wh == total_wh
    assert settle(account).total_wh == settled_wh


@pytest.mark.parametrize(
    ("power_w", "risen", "total_wh"),
    [
        pytest.param(6000, 480_000, 480, id="wh-labelled-kwh"),
        pytest.param(6000, 250_000, 250, id="half-of-what-power-told"),
        pytest.param(6000, 249_000, 500, id="less-than-half"),
        pytest.param(6000, 1_000_000, 1000, id="twice-what-power-told"),
        pytest.param(6000, 1_001_000, 500, id="more-than-twice"),
        pytest.param(600, 50_000, 50, id="little-flowed"),
        pytest.param(599, 50_000, 49, id="too-little-flowed-to-judge"),
    ],
)
def test_a_register_that_leaps_by_a_thousand_times_what_flowed_has_the_wrong_unit(
    power_w: float, risen: float, total_wh: int
) -> None:
    account = feed(("22:00", 7000, power_w), ("22:05", 7000 + risen, power_w))
    assert account.total_wh == total_wh
    assert account.scale == pytest.approx(0.001 if total_wh == risen / 1000 else 1)


def test_a_unit_that_is_recognised_late_takes_back_what_was_counted_in_the_wrong_one() -> None:
    """Half a watt-hour of stand-by was taken for 500 before charging began."""
    account = feed(("22:00", 0, 0), ("22:01", 500, 0), ("22:02", 183_833, 11_000))
    assert account.scale == pytest.approx(0.001)
    assert account.total_wh == 500
    assert settle(account).total_wh == 184
    by_one = feed(("22:00", 0, 0), ("22:01", 500, 0), ("22:06", 499_000, 11_000))
    assert (by_one.total_wh, settle(by_one).total_wh) == (500, 499)


@pytest.mark.parametrize(("step_wh", "scale"), [(499, 1), (500, 0.001)])
def test_a_register_that_has_moved_by_less_than_half_a_kwh_counts_watt_hours(step_wh: float, scale: float) -> None:
    account = feed(("22:00", 0, 0), ("22:01", step_wh, 0), ("22:02", 183_833, 11_000))
    assert account.scale == pytest.approx(scale)


def test_a_register_in_kwh_is_recognised_with_samples_each_minute() -> None:
    """11 kW; the register tells hundredths of a kWh and calls them Wh."""
    readings = [(f"22:{minute:02}", round(700 + minute * 11 / 60, 2), 11_000.0) for minute in range(31)]
    account = feed(*readings, ("22:30:10", 705.5, 0))
    assert account.scale == 1000
    assert settle(account).total_wh == 5500
    assert feed(("22:40", 705.5), ("22:41", 705.6), account=account).total_wh == account.total_wh + 100


def test_a_register_in_wh_called_kwh_is_recognised_with_samples_each_minute() -> None:
    """11 kW; the register rises by 183 333 a minute."""
    readings = [(f"22:{minute:02}", 5e9 + round(minute * 11_000_000 / 60), 11_000.0) for minute in range(31)]
    account = feed(*readings)
    assert account.total_wh == pytest.approx(5500, abs=5)
    assert account.scale == pytest.approx(0.001)


def test_the_least_step_of_a_register_in_kwh_is_known_in_wh() -> None:
    account = feed(("22:00", 700, 11_000), ("22:06", 701, 11_000))
    assert account.step_wh == 1000


def test_a_register_whose_unit_is_known_is_judged_in_it() -> None:
    """400 Wh of 500 are no sign of a fault, and shown as 0.4."""
    account = feed(("22:00", 7, 6000), ("22:05", 7.4, 6000), account=ledger.opened(PLUG, 1000.0))
    assert account.total_wh == 400


def test_the_unit_of_a_coarse_register_is_judged_by_all_that_flowed_since_it_moved() -> None:
    """Power counted tentatively, power kept back, and the last stretch together."""
    frozen = [("22:00", 7000.0, 6000.0), ("22:02", 7000.0, 6000.0)]
    assert feed(*frozen, ("22:05", 907_000, 6000)).scale == pytest.approx(0.001), "200 Wh kept back and 300"
    assert feed(*frozen, ("22:05", 7000.6, 6000)).scale == 1000
    frozen += [("22:03", 7000.0, 6000.0), ("22:04", 7000.0, 6000.0)]
    assert feed(*frozen, ("22:05", 907_000, 6000)).scale == pytest.approx(0.001), "400 Wh counted and 100"
    assert feed(*frozen, ("22:05", 7000.6, 6000)).scale == 1000


# Registers that stand still or move in large steps


@pytest.mark.parametrize(
    ("power_w", "total_wh"), [pytest.param(6000, 0, id="it-may-be-coarse"), pytest.param(6003, 200, id="frozen")]
)
def test_a_register_that_stands_while_200_wh_flowed_is_not_believed(power_w: float, total_wh: int) -> None:
    account = feed(*steady("22:00", 60, 1000, 1000, 1000, power=power_w))
    assert account.total_wh == total_wh
    assert feed(("22:03", 1000, power_w), account=account).total_wh == 300


@pytest.mark.parametrize(
    ("step_wh", "minutes", "total_wh"),
    [
        pytest.param(50, 3, 300, id="200-wh-for-a-fine-one"),
        pytest.param(100, 3, 0, id="three-steps-and-no-more"),
        pytest.param(100, 4, 400, id="more-than-three-steps"),
        pytest.param(1000, 30, 0, id="three-steps-of-a-coarse-one"),
        pytest.param(1000, 31, 3100, id="more-than-three-of-them"),
    ],
)
def test_a_register_is_frozen_only_after_some_of_its_own_steps(step_wh: float, minutes: int, total_wh: int) -> None:
    account = feed(("21:52", 1000), ("21:58", 1000 + step_wh), ("22:00", 1000 + step_wh, 6000))
    counted = account.total_wh
    standing = steady("22:01", 60, *[1000 + step_wh] * minutes, power=6000)
    assert feed(*standing, account=account).total_wh - counted == total_wh


def test_the_least_step_counts() -> None:
    assert feed(("22:00", 0), ("22:01", 500), ("22:02", 600), ("22:03", 900)).step_wh == 100


def test_a_frozen_register_leaves_it_to_the_power() -> None:
    """E04: the total stands, power flows; an hour of 6 kW."""
    account = feed(*steady("22:00", 60, *[1000] * 61, power=6000))
    assert account.total_wh == 6000
    assert cells(account) == dict.fromkeys(("22:00", "22:15", "22:30", "22:45"), 1500)
    assert qualities(account) == [ESTIMATED] * 4


def test_a_frozen_register_in_messages_of_its_own_leaves_it_to_the_power_too() -> None:
    """The register on each minute, the power between."""
    registers, powers = steady("22:00", 60, *[1000] * 61), steady("22:00:30", 60, *[None] * 60, power=6000)
    account = feed(*sorted([*registers, *powers]))
    assert settle(account).total_wh == pytest.approx(6000, abs=100)


@pytest.mark.parametrize(
    ("power_w", "told", "recovered", "pauses"),
    [
        pytest.param(6000, "22:05", False, False, id="power-was-told-lately"),
        pytest.param(6000, "22:05:01", False, True, id="power-was-told-long-ago"),
        pytest.param(6000, "22:05", True, True, id="the-connection-was-gone"),
        pytest.param(0, "22:05", False, True, id="nothing-flowed-then"),
        pytest.param(None, "22:05", False, True, id="power-is-never-told"),
    ],
)
def test_a_register_that_stands_says_that_nothing_flows_unless_power_told_otherwise_lately(
    power_w: float | None, told: str, recovered: bool, pauses: bool
) -> None:
    result = take(feed(("22:00", 0, power_w)), (told, 0), recovered=recovered)
    assert result.pieces == ((Delta(at("22:00"), at(told), 0, MEASURED),) if pauses else ())


def test_a_register_that_does_not_count_what_flows_leaves_it_to_the_power() -> None:
    account = feed(*steady("22:00", 300, 0, 10, 20, 30, power=6000))
    assert settle(account).total_wh == 1500
    assert qualities(account) == [ESTIMATED] * len(qualities(account))
    assert take(account, ("22:20", 540, 6000)).pieces == (Delta(at("22:15"), at("22:20"), 510, MEASURED),)


def test_a_coarse_register_is_filled_by_the_power_and_then_tells_the_truth() -> None:
    """1 kWh steps at 6 kW: a move each ten minutes."""
    readings = [(f"22:{minute:02}", 1000.0 * (minute // 10), 6000.0) for minute in range(60)]
    account = feed(*readings, ("23:00", 6000, 0))
    assert account.total_wh == 6000
    assert settle(account).total_wh == 6000
    assert list(cells(account)) == ["22:00", "22:15", "22:30", "22:45"]
    assert all(wh == pytest.approx(1500, abs=60) for wh in cells(account).values())


def test_a_coarse_register_without_power_tells_all() -> None:
    """1 kWh steps at 3.7 kW on a line that carries no more, read each minute."""
    account = ledger.opened(PLUG)
    for minute in range(121):
        told = Meter(at=PLUG + timedelta(minutes=minute), register_wh=1000.0 * (minute // 17), power_max_w=3680)
        account = register.sampled(account, told).ledger
    assert account.total_wh == 7000


def test_a_coarse_register_does_not_say_that_charging_paused() -> None:
    """1 kWh steps at 7.2 kW, read each quarter hour: 1, 3, 5, 7, 9, 10 kWh."""
    account = feed(*steady("22:00", 900, 0, 1000, 3000, 5000, 7000, 9000, power=7200))
    result = take(account, ("23:30", 10_000, 7200))
    assert sum(piece.wh for piece in result.pieces) == 1000
    assert all(piece.wh > 0 for piece in result.pieces)


def test_a_register_that_tells_less_than_the_power_does_not_say_that_nothing_flows() -> None:
    """A coarse register, and a power meter that shows 10 kW for 3.4 (E23)."""
    account = feed(*steady("22:00", 300, 0, 0, 0, 0, power=10_000))
    result = take(account, ("22:20", 1000, 10_000))
    assert result.ledger.total_wh == 2499
    assert all(piece.wh > 0 for piece in result.pieces)


def test_a_dip_is_forgotten_once_the_register_is_back_where_it_was() -> None:
    account = feed(("22:00", 1000), ("22:05", 500), ("22:06", 1000))
    assert (account.dip_wh, account.dip_at) == (None, None)
    assert feed(("22:07", 501), ("22:08", 1010), account=account).total_wh == 10, "another dip is a fault of its own"


@pytest.mark.parametrize(("before_wh", "total_wh"), [(100, 105), (99, 699)], ids=["proven", "not-yet"])
@pytest.mark.parametrize("scale", [1, 0.001])
def test_a_register_that_has_counted_in_its_own_unit_is_believed_over_power(
    before_wh: int, total_wh: int, scale: float
) -> None:
    account = ledger.opened(PLUG, scale)
    told = [("22:00", 0, 6000), ("22:01", before_wh / scale, 6000), ("22:07", (before_wh + 5) / scale, 6000)]
    assert feed(*told, account=account).total_wh == total_wh


def test_a_register_that_has_counted_is_believed_over_a_clock_that_stretches() -> None:
    """Messages that come later and later: a minute of the charger's is taken for a quarter of an hour."""
    account = feed(("22:00", 0, 11_000), ("22:01", 183, 11_000), ("22:13", 366, 11_000), ("22:28", 368, 11_000))
    assert (account.total_wh, account.scale) == (368, 1)


@pytest.mark.parametrize(("before_wh", "scale"), [(9.9, 1000), (10, 1)])
def test_a_register_that_has_counted_some_does_not_show_kwh(before_wh: float, scale: float) -> None:
    """Before power was told at all."""
    account = feed(("22:00", 0), ("22:01", before_wh), ("22:02", before_wh, 6000), ("22:07", before_wh + 0.6, 6000))
    assert account.scale == scale


def test_a_proven_register_that_stood_still_for_long_is_frozen_though_it_moves_once() -> None:
    stood = [(f"22:{minute:02}", 1000.0, 12_000.0) for minute in range(1, 13)]
    account = feed(("22:00", 0, 12_000), *stood, ("22:13", 1001, 12_000))
    assert settle(account).total_wh == pytest.approx(1000 + 2400, abs=201)
