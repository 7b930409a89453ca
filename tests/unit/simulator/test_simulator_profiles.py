from datetime import UTC, datetime, timedelta

import pytest

from chargerd_drivers.simulator.profiles import (
    Period,
    Profile,
    Purpose,
    Schedule,
    Unit,
    Wiring,
    install,
    limit_a,
    next_change,
)

NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
WIRING = Wiring(phases=3, voltage_v=230)


def profile(
    *periods: tuple[int, float],
    number: int = 1,
    level: int = 0,
    purpose: Purpose = Purpose.TX_DEFAULT,
    unit: Unit = Unit.AMPERE,
    start: datetime | None = None,
    duration_s: int | None = None,
    **more: object,
) -> Profile:
    schedule = Schedule(
        unit=unit,
        periods=tuple(Period(start_s=start_s, limit=limit) for start_s, limit in periods),
        start=start,
        duration_s=duration_s,
    )
    return Profile(id=number, stack_level=level, purpose=purpose, schedule=schedule, **more)  # type: ignore[arg-type]


def limit(*profiles: Profile, at: datetime = NOON, tx_start: datetime | None = NOON) -> float | None:
    return limit_a(profiles, at, tx_start=tx_start, wiring=WIRING)


def test_no_profile_is_no_limit() -> None:
    assert limit() is None


def test_a_tx_profile_outranks_a_default_of_any_level() -> None:
    assert limit(profile((0, 8), level=9), profile((0, 12), number=2, purpose=Purpose.TX)) == 12


def test_the_highest_stack_level_wins_within_a_purpose() -> None:
    assert limit(profile((0, 8), level=3), profile((0, 12), number=2, level=1)) == 8


def test_of_one_level_the_profile_of_the_outlet_outranks_that_of_the_station() -> None:
    outlet, station = profile((0, 8)), profile((0, 12), number=2, evse=0)
    assert limit(outlet, station) == limit(station, outlet) == 8


def test_the_station_s_maximum_caps_every_other() -> None:
    assert limit(profile((0, 16), purpose=Purpose.TX), profile((0, 10), number=2, purpose=Purpose.STATION_MAX)) == 10


def test_watts_are_shared_among_the_phases_built_in() -> None:
    assert limit(profile((0, 6900), unit=Unit.WATT)) == pytest.approx(10)


def test_watts_on_one_phase_are_not_shared() -> None:
    one = Wiring(phases=1, voltage_v=230)
    assert limit_a([profile((0, 2300), unit=Unit.WATT)], NOON, tx_start=None, wiring=one) == pytest.approx(10)


@pytest.mark.parametrize(("seconds", "expected"), [(0, 6), (899, 6), (900, 12), (5000, 12)], ids=str)
def test_periods_follow_each_other(seconds: int, expected: float) -> None:
    two = profile((0, 6), (900, 12), start=NOON)
    assert limit(two, at=NOON + timedelta(seconds=seconds)) == expected


def test_a_relative_schedule_counts_from_the_transaction_s_start() -> None:
    relative = profile((0, 6), (900, 12), relative=True, start=NOON - timedelta(days=1))
    assert limit(relative, at=NOON + timedelta(seconds=899)) == 6
    assert limit(relative, at=NOON + timedelta(seconds=900)) == 12


def test_a_schedule_in_the_future_says_nothing_yet() -> None:
    later = profile((0, 6), start=NOON + timedelta(hours=1), level=2)
    assert limit(later, profile((0, 9), number=2)) == 9


def test_a_schedule_that_is_over_leaves_the_floor_to_the_next_level() -> None:
    short = profile((0, 6), start=NOON, duration_s=900, level=2)
    lower = profile((0, 9), number=2)
    assert limit(short, lower, at=NOON + timedelta(seconds=899)) == 6
    assert limit(short, lower, at=NOON + timedelta(seconds=900)) == 9


def test_validity_bounds_a_profile() -> None:
    bounded = profile((0, 6), valid_from=NOON, valid_to=NOON + timedelta(hours=1))
    says = [limit(bounded, at=NOON + timedelta(hours=hours)) for hours in (-0.1, 0, 0.9, 1)]
    assert says == [None, 6, 6, None]


def test_a_daily_schedule_comes_back() -> None:
    daily = profile((0, 6), (3600, 16), start=NOON, recurrence=timedelta(days=1))
    assert limit(daily, at=NOON + timedelta(days=3, minutes=30)) == 6
    assert limit(daily, at=NOON + timedelta(days=3, minutes=90)) == 16


def test_the_next_change_is_the_next_period_then_the_end() -> None:
    two = [profile((0, 6), (900, 12), start=NOON, duration_s=1800)]
    changes = []
    at: datetime | None = NOON
    while (at := next_change(two, at, tx_start=None)) is not None:
        changes.append((at - NOON).total_seconds())
    assert changes == [900, 1800]


def test_a_recurring_schedule_always_has_a_next_change() -> None:
    daily = profile((0, 6), start=NOON, recurrence=timedelta(days=1))
    assert next_change([daily], NOON + timedelta(hours=30), tx_start=None) == NOON + timedelta(days=2)


def test_the_same_id_is_replaced() -> None:
    assert install([profile((0, 6))], profile((0, 9), level=4)) == (profile((0, 9), level=4),)


def test_the_same_purpose_and_level_is_replaced() -> None:
    new = profile((0, 9), number=2)
    assert install([profile((0, 6))], new) == (new,)


def test_another_level_is_kept_beside() -> None:
    assert len(install([profile((0, 6))], profile((0, 9), number=2, level=1))) == 2
