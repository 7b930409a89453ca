# ruff: noqa: E501 - one case per line reads as a table
"""When sources publish, since when they owe prices, and when they may be asked."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from chargerd.core.units import utc
from chargerd.tariff.pace import Asked, Market, complete_until, next_asking, old_since, owed_since

EUROPE = Market(ZoneInfo("Europe/Berlin"))
AGILE = Market(ZoneInfo("Europe/London"), publishes_at=time(16), day_ends_at=time(23))


def cet(day: int, hour: int, minute: int = 0) -> datetime:
    """A time in January 2026 on the clock of Berlin."""
    return utc(2026, 1, day, hour, minute) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        pytest.param(cet(14, 12, 59), cet(15, 0), id="before publication: today"),
        pytest.param(cet(14, 13), cet(16, 0), id="from publication on: tomorrow"),
        pytest.param(cet(15, 0), cet(16, 0), id="after midnight: today"),
        pytest.param(utc(2026, 3, 28, 12), utc(2026, 3, 29, 22), id="the day that lacks an hour"),
        pytest.param(utc(2025, 10, 25, 11), utc(2025, 10, 26, 23), id="the day that has one more"),
    ],
)
def test_what_should_be_known_follows_from_the_time(now: datetime, until: datetime) -> None:
    assert complete_until(EUROPE, now) == until


def test_a_market_may_end_its_days_before_midnight() -> None:
    assert complete_until(AGILE, utc(2026, 1, 14, 15, 59)) == utc(2026, 1, 14, 23)
    assert complete_until(AGILE, utc(2026, 1, 14, 16)) == utc(2026, 1, 15, 23)
    assert owed_since(AGILE, utc(2026, 1, 14, 22, 30), utc(2026, 1, 14, 15)) is None
    assert owed_since(AGILE, utc(2026, 1, 14, 23), utc(2026, 1, 14, 23, 30)) == utc(2026, 1, 14, 16)


@pytest.mark.parametrize(
    ("known_until", "now", "owed", "old"),
    [
        pytest.param(cet(15, 0), cet(14, 12), None, None, id="all that is published"),
        pytest.param(cet(15, 0), cet(14, 13, 5), cet(14, 13), None, id="late is not old"),
        pytest.param(cet(15, 0), cet(14, 15), cet(14, 13), cet(14, 13), id="later is"),
        pytest.param(cet(15, 0), cet(15, 0), cet(14, 13), cet(14, 13), id="nothing of the new day"),
        pytest.param(cet(15, 0), cet(18, 9), cet(14, 13), cet(14, 13), id="dead for three days"),
        pytest.param(None, cet(14, 12), cet(13, 13), cet(13, 13), id="nothing was ever known"),
        pytest.param(cet(15, 23), cet(14, 20), None, None, id="the last hour of a day in Helsinki"),
        pytest.param(cet(20, 0), cet(14, 20), None, None, id="more than is published"),
    ],
)
def test_a_source_owes_what_is_published_and_not_known(
    known_until: datetime | None, now: datetime, owed: datetime | None, old: datetime | None
) -> None:
    assert owed_since(EUROPE, known_until, now) == owed
    assert old_since(EUROPE, known_until, now) == old


def asked(at: datetime, luck: float = 0.5, failures: int = 0, retry_after_s: float = 0.0) -> Asked:
    return Asked(at=at, luck=luck, failures=failures, retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("known_until", "last", "now", "expected"),
    [
        pytest.param(None, None, cet(14, 12), cet(14, 12), id="nothing is known: now"),
        pytest.param(cet(15, 0), None, cet(14, 12), cet(14, 13) + timedelta(seconds=150), id="all is known: tomorrow's"),
        pytest.param(cet(15, 0), asked(cet(14, 0)), cet(14, 12), cet(14, 13) + timedelta(seconds=150), id="the same"),
        pytest.param(cet(15, 0), asked(cet(14, 0), 0), cet(14, 13), cet(14, 13), id="at publication, with luck"),
        pytest.param(cet(15, 0), asked(cet(14, 0), 1), cet(14, 13), cet(14, 13, 5), id="at publication, without"),
        pytest.param(cet(15, 0), asked(cet(14, 13, 1)), cet(14, 13, 2), cet(14, 13, 11), id="not published yet"),
        pytest.param(cet(15, 0), asked(cet(14, 17)), cet(14, 17, 1), cet(14, 17, 30), id="not published for hours"),
        pytest.param(cet(16, 0), asked(cet(14, 13, 11)), cet(14, 14), cet(15, 13) + timedelta(seconds=150), id="published"),
        pytest.param(None, asked(cet(14, 12), failures=1), cet(14, 12), cet(14, 12, 1), id="failed"),
        pytest.param(None, asked(cet(14, 12), 0, failures=3), cet(14, 12), cet(14, 12) + timedelta(seconds=225), id="thrice"),
        pytest.param(None, asked(cet(14, 12), 1, failures=9), cet(14, 12), cet(14, 12) + timedelta(seconds=2250), id="often"),
        pytest.param(None, asked(cet(14, 12), failures=1, retry_after_s=3600), cet(14, 12), cet(14, 13), id="told to wait"),
        pytest.param(None, asked(cet(14, 12), failures=1, retry_after_s=1e9), cet(14, 12), cet(14, 18), id="for ever"),
        pytest.param(None, asked(cet(14, 12), failures=9), cet(13, 12), cet(13, 12), id="the clock was set back"),
    ],
)  # fmt: skip
def test_a_source_is_asked_when_it_owes_something_and_not_too_often(
    known_until: datetime | None, last: Asked | None, now: datetime, expected: datetime
) -> None:
    assert next_asking(EUROPE, known_until, last, now) == expected


def test_asking_in_the_time_after_a_failure_is_rare() -> None:
    """A source that is dead for a day is asked some fifty times, not thousands."""
    at, count = cet(14, 0), 0
    while at < cet(15, 0):
        count += 1
        at = next_asking(EUROPE, None, asked(at, failures=count), at)
    assert 40 < count < 60
