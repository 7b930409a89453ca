"""The budget of frames and bytes of one charger."""

import pytest

from chargerd_drivers.ocpp.budget import BURST_S, BYTES_MAX, BYTES_PER_FRAME, FRAMES_PER_S, Budget

FRAMES_MAX = FRAMES_PER_S * BURST_S


def test_a_burst_is_free_and_what_is_beyond_it_waits_as_long_as_it_takes_to_fill_up() -> None:
    budget = Budget()
    assert [budget.spend(1, 100, 0.0) for _ in range(FRAMES_MAX)] == [0.0] * FRAMES_MAX
    assert budget.spend(1, 100, 0.0) == pytest.approx(1 / FRAMES_PER_S)
    assert budget.spend(1, 100, 1 / FRAMES_PER_S) == pytest.approx(1 / FRAMES_PER_S)


def test_bytes_count_as_well() -> None:
    budget = Budget()
    assert budget.spend(1, int(BYTES_MAX), 0.0) == 0
    assert budget.spend(1, FRAMES_PER_S * BYTES_PER_FRAME, 0.0) == pytest.approx(1.0)


def test_five_heartbeats_a_second_for_ten_minutes_never_wait() -> None:
    budget = Budget()
    assert {budget.spend(1, 30, number / 5) for number in range(3000)} == {0.0}


def test_it_is_overdrawn_until_it_has_been_quiet_for_long_enough_to_be_full() -> None:
    budget = Budget()
    budget.spend(FRAMES_MAX + 1, 0, 0.0)
    assert budget.is_overdrawn
    budget.spend(1, 0, 2.0)
    assert budget.is_overdrawn
    budget.spend(1, 0, 2.0 + FRAMES_MAX / FRAMES_PER_S)
    assert not budget.is_overdrawn


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    budget = Budget()
    budget.spend(1, 0, 100.0)
    assert budget.spend(1, 0, 50.0) == 0
    assert budget.frames == 2
