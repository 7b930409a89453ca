"""What each personality does at the station, where the wire does not matter."""

from datetime import UTC, datetime, timedelta

import pytest

from chargerd_drivers.simulator.occurrences import Phase, PhaseChanged, StopReason, TransactionOver
from chargerd_drivers.simulator.personalities import PERSONALITIES, combined, listing
from chargerd_drivers.simulator.physics import Car, Outlet, Physics
from chargerd_drivers.simulator.profiles import Period, Profile, Purpose, Schedule, Unit
from chargerd_drivers.simulator.settings import Settings
from chargerd_drivers.simulator.station import Station

START = datetime(2026, 1, 14, 16, 7, tzinfo=UTC)
FULL_W, EIGHT_W = 11_000, pytest.approx(8 * 3 * 230)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def make_station(*names: str) -> Station:
    behaviour = combined(names, version="1.6")
    physics = Physics(outlet=Outlet(), car=Car(), stored_wh=6_000, register_wh=1_234_567)
    return Station(physics, now=START, settings=Settings(phases=3, behaviour=behaviour))


def charging_station(*names: str) -> Station:
    station = make_station(*names)
    station.plug(START)
    assert start(station, 0)
    return station


def start(station: Station, seconds: float) -> bool:
    return station.authorise(after(seconds), id_token="card", remote=True)


def limit(
    *currents_a: float,
    purpose: Purpose = Purpose.TX,
    unit: Unit = Unit.AMPERE,
    profile_id: int = 1,
    relative: bool = False,
    begins: datetime | None = None,
) -> Profile:
    """Each current holds for ten minutes, the last one for good."""
    periods = tuple(Period(start_s=600 * number, limit=current_a) for number, current_a in enumerate(currents_a))
    schedule = Schedule(unit=unit, periods=periods, start=begins)
    return Profile(id=profile_id, stack_level=0, purpose=purpose, schedule=schedule, relative=relative)


def power_w(station: Station, seconds: float) -> float:
    station.advance(after(seconds))
    return station.physics.power_w


def ends(station: Station) -> list[tuple[datetime, StopReason]]:
    return [(over.reading.at, over.reason) for over in station.drain() if isinstance(over, TransactionOver)]


def phases(station: Station) -> list[Phase]:
    return [occurrence.phase for occurrence in station.drain() if isinstance(occurrence, PhaseChanged)]


# Putting together


def test_each_personality_has_a_line_of_its_own() -> None:
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines] == list(PERSONALITIES)
    assert max(map(len, lines)) < 200


def test_personalities_combine_and_one_may_be_named_twice() -> None:
    both = combined(["autostart", "watts-only", "autostart"], version="1.6")
    assert (both.transactions.autostart, both.limits.units) == ("", frozenset({Unit.WATT}))


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["watts-only", "amps-only"], "contradict each other: limits.units cannot be both W and A"),
        (["grumpy"], "personality 'grumpy': expected one of slow-answers, "),
        (["token-only"], "only a charger of OCPP 1.6 can be like that, not one of 2.0.1"),
    ],
)
def test_what_cannot_be_is_said_in_words(names: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        combined(names, version="2.0.1")


def test_each_personality_changes_something() -> None:
    plain = combined([], version="1.6")
    assert all(trait.behaviour != plain for trait in PERSONALITIES.values())


# Transactions


def test_autostart_charges_at_plug_in_and_begins_nothing_by_itself_after_a_stop() -> None:
    station = make_station("autostart")
    station.plug(START)
    assert power_w(station, 60) == FULL_W
    assert station.transaction is not None
    assert (station.transaction.authorisation.id_token, station.transaction.authorisation.remote) == ("", False)
    station.stop(after(120), StopReason.REMOTE)
    assert power_w(station, 7200) == 0
    assert start(station, 7200)


def test_available_while_plugged_is_ready_again_20_s_after_the_stop() -> None:
    station = charging_station("available-while-plugged")
    station.stop(after(60), StopReason.REMOTE)
    station.drain()
    station.advance(after(79))
    assert station.phase is Phase.FINISHING
    station.advance(after(80))
    assert phases(station) == [Phase.PREPARING]


def test_stop_is_terminal_until_the_plug_was_out() -> None:
    station = charging_station("stop-is-terminal")
    station.stop(after(60), StopReason.REMOTE)
    assert not start(station, 600)
    station.unplug(after(700))
    station.plug(after(800))
    assert start(station, 900)


def test_stop_is_terminal_until_a_restart() -> None:
    station = charging_station("stop-is-terminal")
    station.stop(after(60), StopReason.REMOTE)
    station.reboot(after(120))
    assert start(station, 130)


def test_short_transactions_end_after_5_s_each_time_and_the_box_is_ready_again() -> None:
    station = charging_station("short-transactions")
    station.advance(after(60))
    assert ends(station) == [(after(5), StopReason.OTHER)]
    assert station.phase is Phase.PREPARING
    assert start(station, 100)
    station.advance(after(160))
    assert ends(station) == [(after(105), StopReason.OTHER)]


# Limits


def test_zero_is_stop_ends_the_transaction_at_a_limit_of_0_and_starts_again_under_a_higher_one() -> None:
    station = charging_station("zero-is-stop")
    station.set_profile(after(60), limit(0))
    assert ends(station) == [(after(60), StopReason.OTHER)]
    assert start(station, 120)
    assert power_w(station, 180) == FULL_W


def test_zero_is_stop_locks_a_box_that_is_started_under_a_default_of_0() -> None:
    station = make_station("zero-is-stop")
    station.plug(START)
    station.set_profile(START, limit(0, purpose=Purpose.TX_DEFAULT))
    assert start(station, 10)
    station.advance(after(60))
    assert ends(station) == [(after(11), StopReason.OTHER)]
    station.set_profile(after(70), limit(16, purpose=Purpose.TX_DEFAULT))
    assert not start(station, 80)


def test_zero_is_stop_follows_its_schedule_into_the_pause() -> None:
    station = charging_station("zero-is-stop")
    station.set_profile(START, limit(16, 0))
    station.advance(after(1000))
    assert ends(station) == [(after(600), StopReason.OTHER)]


@pytest.mark.parametrize("purpose", [Purpose.TX, Purpose.TX_DEFAULT, Purpose.STATION_MAX])
def test_ignores_profile_heeds_what_it_took_from_the_next_transaction_on(purpose: Purpose) -> None:
    station = charging_station("ignores-profile")
    assert station.set_profile(after(60), limit(8, purpose=purpose))
    assert power_w(station, 120) == FULL_W
    station.stop(after(180), StopReason.REMOTE)
    assert start(station, 240)
    assert power_w(station, 300) == (FULL_W if purpose is Purpose.TX else EIGHT_W)


def test_next_transaction_only_heeds_a_profile_for_the_transaction_at_once() -> None:
    station = charging_station("next-transaction-only")
    station.set_profile(after(60), limit(8, purpose=Purpose.TX_DEFAULT))
    assert power_w(station, 120) == FULL_W
    station.set_profile(after(180), limit(8, purpose=Purpose.TX))
    assert power_w(station, 240) == EIGHT_W


@pytest.mark.parametrize(
    ("name", "purposes"),
    [
        ("rejects-tx-profile", {Purpose.TX_DEFAULT, Purpose.STATION_MAX}),
        ("station-profile-only", {Purpose.STATION_MAX}),
    ],
)
def test_only_some_purposes_are_taken(name: str, purposes: set[Purpose]) -> None:
    station = charging_station(name)
    assert {purpose for purpose in Purpose if station.set_profile(START, limit(8, purpose=purpose))} == purposes
    assert power_w(station, 60) == EIGHT_W


@pytest.mark.parametrize(
    ("name", "unit", "said"), [("watts-only", Unit.WATT, "Power"), ("amps-only", Unit.AMPERE, "Current")]
)
def test_only_one_unit_is_taken_and_told(name: str, unit: Unit, said: str) -> None:
    station = charging_station(name)
    assert [each for each in Unit if station.set_profile(START, limit(8, unit=each))] == [unit]
    assert station.settings.text("ChargingScheduleAllowedChargingRateUnit") == said
    assert station.settings.text("RateUnit") == unit


def test_amps_as_watts_lets_nothing_flow_at_16_and_all_at_11040() -> None:
    station = charging_station("amps-as-watts")
    station.set_profile(after(60), limit(16))
    assert power_w(station, 120) == 0
    station.set_profile(after(180), limit(5520))
    assert power_w(station, 240) == EIGHT_W


def test_relative_only_rejects_an_absolute_schedule() -> None:
    station = charging_station("relative-only")
    assert not station.set_profile(START, limit(8))
    assert station.set_profile(START, limit(8, relative=True))


def test_absolute_unaware_counts_from_the_transaction_s_start() -> None:
    station = charging_station("absolute-unaware")
    station.set_profile(after(60), limit(16, 8, begins=after(-3600)))
    assert power_w(station, 120) == FULL_W
    assert power_w(station, 660) == EIGHT_W


def test_single_period_rejects_a_second_one_and_says_so() -> None:
    station = charging_station("single-period")
    assert station.settings.count("ChargingScheduleMaxPeriods") == 1
    assert not station.set_profile(START, limit(8, 16))
    assert station.set_profile(START, limit(8))


def test_first_period_only_follows_the_first_one_for_ever() -> None:
    station = charging_station("first-period-only")
    assert station.set_profile(START, limit(8, 16))
    assert power_w(station, 7200) == EIGHT_W


def test_profile_needs_car_rejects_profiles_while_none_is_there() -> None:
    station = make_station("profile-needs-car")
    assert not station.set_profile(START, limit(8, purpose=Purpose.TX_DEFAULT))
    station.plug(START)
    assert station.set_profile(START, limit(8, purpose=Purpose.TX_DEFAULT))


def test_profile_burner_takes_a_second_profile_only_after_a_clear_and_is_burned_otherwise() -> None:
    station = charging_station("profile-burner")
    assert station.set_profile(START, limit(8))
    assert station.clear_profiles(START, lambda _: True) == 1
    assert station.set_profile(START, limit(10))
    assert not station.set_profile(START, limit(0, profile_id=2))
    station.clear_profiles(START, lambda _: True)
    assert not station.set_profile(START, limit(0))
    station.stop(after(60), StopReason.REMOTE)
    assert start(station, 70)
    assert station.set_profile(after(80), limit(8))


def test_clears_nothing_keeps_what_it_was_told_to_clear() -> None:
    station = charging_station("clears-nothing")
    station.set_profile(START, limit(8))
    assert station.clear_profiles(START, lambda _: True) == 0
    assert power_w(station, 60) == EIGHT_W


def test_a_stale_profile_outranks_others_of_its_purpose_until_it_is_cleared() -> None:
    station = charging_station("stale-profile")
    station.set_profile(START, limit(16, purpose=Purpose.TX_DEFAULT))
    assert power_w(station, 60) == EIGHT_W
    assert station.clear_profiles(after(60), lambda profile: profile.stack_level == 10) == 1
    assert power_w(station, 70) == FULL_W


def test_inrush_after_a_pause_lasts_until_the_limit_is_sent_again() -> None:
    station = charging_station("inrush")
    station.set_profile(after(60), limit(0))
    station.set_profile(after(120), limit(8))
    assert power_w(station, 180) == FULL_W
    station.set_profile(after(180), limit(8))
    assert power_w(station, 240) == EIGHT_W


def test_the_first_transaction_is_unlimited_until_a_limit_is_set_in_it() -> None:
    station = make_station("first-transaction-unlimited")
    station.plug(START)
    station.set_profile(START, limit(0, purpose=Purpose.TX_DEFAULT))
    start(station, 10)
    assert power_w(station, 60) == FULL_W
    station.set_profile(after(60), limit(0, purpose=Purpose.TX_DEFAULT))
    assert power_w(station, 120) == 0
    station.stop(after(180), StopReason.REMOTE)
    start(station, 240)
    assert power_w(station, 300) == 0


def test_free_when_offline_charges_at_full_current_without_a_connection() -> None:
    station = charging_station("free-when-offline")
    station.set_profile(after(60), limit(0, purpose=Purpose.TX_DEFAULT))
    assert power_w(station, 120) == 0
    station.went_offline(after(180))
    assert power_w(station, 240) == FULL_W


def test_forgets_at_restart_has_no_profiles_afterwards() -> None:
    station = make_station("forgets-at-restart")
    station.set_profile(START, limit(8, purpose=Purpose.TX_DEFAULT))
    station.reboot(after(10))
    assert station.holdings.profiles == ()


# The car


def test_a_sleeping_car_takes_nothing_after_a_long_pause_until_a_new_transaction() -> None:
    station = charging_station("sleeping-car")
    station.set_profile(after(60), limit(0))
    station.set_profile(after(1800), limit(16))
    assert power_w(station, 1860) == FULL_W
    station.set_profile(after(2000), limit(0))
    station.set_profile(after(3801), limit(16))
    assert power_w(station, 4000) == 0
    assert station.phase is Phase.SUSPENDED_EV
    station.stop(after(4100), StopReason.REMOTE)
    start(station, 4200)
    assert power_w(station, 4300) == FULL_W


def test_charging_without_power_is_said_of_a_car_that_sleeps() -> None:
    station = charging_station("charging-without-power")
    station.set_profile(START, limit(0))
    station.set_profile(after(1801), limit(16))
    assert power_w(station, 2000) == 0
    assert station.phase is Phase.CHARGING
