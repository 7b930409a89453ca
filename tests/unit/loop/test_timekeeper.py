"""What time it is when somebody sets the clock, and when the machine began in the past."""

from datetime import datetime, timedelta

import pytest

from chargerd.core.units import utc
from chargerd.timekeeper import SET_WITHIN_S, STEP_S, Look, Step, again, first

NOON = utc(2025, 6, 10, 12)
HOUR = timedelta(hours=1)
EPOCH = utc(1970, 1, 1)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def watched(look: Look, *looks: tuple[datetime, float]) -> list[tuple[datetime, Step | None]]:
    """Look again and again; what the time was each time, and what was told of a step."""
    seen = []
    for wall, monotonic_s in looks:
        look, step = again(look, wall, monotonic_s)
        seen.append((look.now, step))
    return seen


def test_time_is_what_the_wall_clock_shows() -> None:
    assert watched(first(NOON, 100, known=None), (later(1), 101), (later(3600), 3700)) == [
        (later(1), None),
        (later(3600), None),
    ]


def test_a_night_in_suspend_is_a_night() -> None:
    assert watched(first(NOON, 100, known=NOON - HOUR), (NOON + 8 * HOUR, 100 + 8 * 3600)) == [(NOON + 8 * HOUR, None)]


def test_a_small_step_back_is_waited_out() -> None:
    looks = [(later(-9), 101), (later(-4), 106), (later(2), 112)]
    assert watched(first(NOON, 100, known=None), *looks) == [(NOON, None), (NOON, None), (later(2), None)]


def test_a_small_step_forward_is_time_that_passed() -> None:
    assert watched(first(NOON, 100, known=None), (later(STEP_S), 101)) == [(later(STEP_S), None)]


def test_small_steps_do_not_add_up_to_a_large_one() -> None:
    looks = [(later(20 * n), float(n)) for n in range(1, 20)]
    assert all(step is None for _, step in watched(first(NOON, 0, known=None), *looks))


@pytest.mark.parametrize("hours", [2, -2], ids=["forward", "back"])
def test_a_large_step_is_told_once_with_the_time_that_would_have_been(hours: int) -> None:
    moved = later(10) + hours * HOUR
    seen = watched(first(NOON, 100, known=None), (moved, 110), (moved + HOUR, 3710))
    assert seen == [(moved, Step(before=later(10), after=moved, was_off=False)), (moved + HOUR, None)]


def test_a_step_back_while_another_is_waited_out_counts_from_the_time_that_was_told() -> None:
    seen = watched(first(NOON, 100, known=None), (later(-20), 100), (NOON - HOUR, 101))
    assert seen == [(NOON, None), (NOON - HOUR, Step(before=NOON, after=NOON - HOUR, was_off=False))]


def test_a_start_a_little_in_the_past_is_waited_out() -> None:
    look = first(later(-240), 0, known=NOON)
    assert (look.now, look.is_held) == (NOON, False)
    assert watched(look, (later(-10), 230), (later(5), 245)) == [(NOON, None), (later(5), None)]


def test_a_clock_that_is_set_forward_and_still_a_little_behind_is_waited_out() -> None:
    assert watched(first(later(-240), 0, known=NOON), (later(-100), 1)) == [(NOON, None)]


def test_a_start_far_in_the_past_holds_time_until_the_clock_is_set() -> None:
    look = first(EPOCH, 5, known=NOON)
    assert (look.now, look.is_held) == (NOON, True)
    looks = [(EPOCH + timedelta(seconds=60), 65), (later(9000), 75), (later(9010), 85)]
    assert watched(look, *looks) == [
        (later(60), None),
        (later(9000), Step(before=later(70), after=later(9000), was_off=True)),
        (later(9010), None),
    ]


def test_a_clock_that_is_set_at_last_made_up_for_the_time_off() -> None:
    """The network came back after a day."""
    look = first(EPOCH, 0, known=NOON)
    seen = watched(look, (EPOCH + 24 * HOUR, 86_400), (NOON + 26 * HOUR, 86_401))
    assert seen[1][1] == Step(before=later(86_401), after=NOON + 26 * HOUR, was_off=True)


def test_a_clock_that_runs_past_the_held_time_by_small_steps_is_right_again() -> None:
    look = first(later(-301), 0, known=NOON)
    looks = [(later(-301 + 21 * n), float(n)) for n in range(1, 20)]
    seen = watched(look, *looks)
    assert [now for now, _ in seen] == sorted(now for now, _ in seen)
    assert seen[-1] == (looks[-1][0], None)


def test_a_clock_that_is_set_and_stays_behind_says_that_the_state_was_wrong() -> None:
    seen = watched(first(EPOCH, 0, known=NOON + 9999 * HOUR), (NOON, 10), (later(10), 20))
    assert seen[0] == (NOON, Step(before=later(10) + 9999 * HOUR, after=NOON, was_off=False))
    assert seen[1] == (later(10), None)


def test_a_clock_that_is_set_to_just_before_the_held_time_is_waited_out() -> None:
    seen = watched(first(EPOCH, 0, known=NOON), (later(-100), 10), (later(11), 121))
    assert seen == [(later(10), None), (later(11), None)]


def test_a_step_forward_soon_after_a_start_is_the_time_off() -> None:
    """A clock without a battery goes on from where it was saved, until the network sets it."""
    look = first(later(30), 0, known=NOON)
    assert watched(look, (later(30) + 8 * HOUR, SET_WITHIN_S))[0][1] == Step(
        before=later(30 + SET_WITHIN_S), after=later(30) + 8 * HOUR, was_off=True
    )


@pytest.mark.parametrize(
    ("known", "hours", "monotonic_s"),
    [
        pytest.param(NOON, 8, SET_WITHIN_S + 1, id="late"),
        pytest.param(NOON, -8, 20, id="back"),
        pytest.param(None, 8, 20, id="there was no state"),
    ],
)
def test_any_other_step_is_to_be_dated_anew(known: datetime | None, hours: int, monotonic_s: float) -> None:
    ((_, step),) = watched(first(later(30), 0, known=known), (later(30) + hours * HOUR, monotonic_s))
    assert step is not None
    assert not step.was_off


def test_on_an_accelerated_clock_real_seconds_count() -> None:
    """60 ms between the readings of both clocks are 36 s at 600 times the speed."""
    look = first(NOON, 0, known=None, second=600)
    look, step = again(look, later(36), 0, second=600)
    assert (look.now, step) == (later(36), None)
    look, step = again(look, NOON + 9 * HOUR, 0, second=600)
    assert step == Step(before=later(36), after=NOON + 9 * HOUR, was_off=False)
