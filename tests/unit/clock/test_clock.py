"""The accelerated clock is a straight line through its start, shared by all who know its three numbers."""

import time
from datetime import UTC, timedelta

import pytest

from chargerd.clock import ScaledClock, SystemClock, parse_clock
from chargerd.core.units import utc

START = utc(2026, 1, 14, 16)


def test_without_a_spelling_time_is_the_machines_own() -> None:
    clock = parse_clock(None)
    assert isinstance(clock, SystemClock)
    assert clock.now().tzinfo is UTC
    assert clock.real_seconds(3) == 3
    assert clock.monotonic() <= clock.monotonic()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-01-14T16:00:00Z@600@1000", ScaledClock(START, 600, 1000), id="whole"),
        pytest.param("2026-01-14T17:00+01:00@0.5@12.25", ScaledClock(START, 0.5, 12.25), id="zone and fractions"),
    ],
)
def test_a_spelling_gives_the_clock_and_the_clock_its_spelling(text: str, expected: ScaledClock) -> None:
    clock = parse_clock(text)
    assert clock == expected
    assert parse_clock(expected.spelling) == expected


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system cannot tell how long it slept")
@pytest.mark.parametrize("speed", [1, 60])
def test_elapsed_time_goes_on_while_the_machine_sleeps(speed: float) -> None:
    clock = SystemClock() if speed == 1 else ScaledClock(START, speed, 0)
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before * speed <= clock.monotonic() <= time.clock_gettime(time.CLOCK_BOOTTIME) * speed


def test_without_an_anchor_the_clock_starts_now() -> None:
    clock = parse_clock("2026-01-14T16:00:00Z@1")
    assert timedelta(0) <= clock.now() - START < timedelta(minutes=1)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("2026-01-14T16:00:00Z", id="no speed"),
        pytest.param("2026-01-14T16:00:00@1", id="no zone"),
        pytest.param("2026-01-14T16:00:00Z@0", id="stands still"),
        pytest.param("2026-01-14T16:00:00Z@-1", id="backwards"),
        pytest.param("tomorrow@1", id="no time"),
        pytest.param("2026-01-14T16:00:00Z@1.2.3", id="no number"),
    ],
)
def test_what_is_no_clock_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_clock(text)


def test_time_runs_as_many_times_faster_as_was_asked() -> None:
    real = SystemClock()
    anchor = real.now()
    fast = ScaledClock(START, 600, anchor.timestamp())
    before = real.now() - anchor
    simulated = fast.now() - START
    after = real.now() - anchor
    assert before * 600 - timedelta(milliseconds=1) <= simulated <= after * 600 + timedelta(milliseconds=1)
    assert fast.real_seconds(600) == 1


async def test_sleeping_long_takes_little_on_a_fast_clock() -> None:
    clock = ScaledClock(START, 1e6, 0)
    before = clock.monotonic()
    await clock.sleep(3600)
    assert 3600 <= clock.monotonic() - before < 3600e3


@pytest.mark.parametrize("clock", [SystemClock(), ScaledClock(START, 60, 0)], ids=["real", "scaled"])
async def test_a_deadline_that_is_past_is_not_waited_for(clock: SystemClock | ScaledClock) -> None:
    before = clock.monotonic()
    await clock.sleep(-1000)
    assert clock.monotonic() - before < 600
