"""What a charger's clock is worth, and when its queue of old messages is empty."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chargerd.core import evidence
from chargerd.core.model import ChargerFacts, Lag
from tests.support.home import utc

NOW = utc("10T22:00")
DRAINED = ChargerFacts(online=True, online_since=utc("10T12:00"))
QUEUED = ChargerFacts(online=True, online_since=utc("10T21:59:30"))


def hear(facts: ChargerFacts, now: datetime, late_s: float) -> tuple[ChargerFacts, float]:
    """Take a message that is dated so many seconds ago; tell by how many seconds before now it is placed."""
    facts, at = evidence.dated(facts, now - timedelta(seconds=late_s), now)
    return facts, (now - at).total_seconds()


def talk(facts: ChargerFacts, *lates: float, every_s: float = 60, since: datetime = NOW) -> tuple[ChargerFacts, float]:
    """Take messages at even distances; tell where the last one is placed."""
    placed = 0.0
    for i, late_s in enumerate(lates):
        facts, placed = hear(facts, since + timedelta(seconds=i * every_s), late_s)
    return facts, placed


@pytest.mark.parametrize("facts", [DRAINED, QUEUED, ChargerFacts()], ids=["drained", "queued", "offline"])
def test_a_message_without_a_time_is_of_now(facts: ChargerFacts) -> None:
    assert evidence.dated(facts, None, NOW) == (facts, NOW)


@pytest.mark.parametrize("facts", [DRAINED, QUEUED, ChargerFacts()], ids=["drained", "queued", "offline"])
def test_nothing_is_later_than_now(facts: ChargerFacts) -> None:
    assert evidence.dated(facts, utc("10T22:00:10"), NOW)[1] == NOW


@pytest.mark.parametrize("facts", [DRAINED, QUEUED, ChargerFacts()], ids=["drained", "queued", "offline"])
def test_an_old_message_is_of_the_past(facts: ChargerFacts) -> None:
    """As long as nothing is known against the clock."""
    assert evidence.dated(facts, utc("10T20:00"), NOW)[1] == utc("10T20:00")


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        pytest.param("03T22:00", "03T22:00", id="a-week-old"),
        pytest.param("03T21:59:59", "10T22:00", id="older"),
        pytest.param("1970-01-01T00:00:07", "10T22:00", id="seconds-since-boot"),
    ],
)
def test_a_clock_that_was_never_set_says_nothing(measured: str, expected: str) -> None:
    assert evidence.dated(QUEUED, utc(measured), NOW)[1] == utc(expected)
    facts, _ = evidence.dated(DRAINED, utc("1970-01-01T00:00:07"), NOW)
    assert facts == DRAINED, "it is no lag that could be learned"


@pytest.mark.parametrize("off_s", [600, -600, 86_400], ids=["behind", "ahead", "a-day-behind"])
def test_a_wrong_clock_is_corrected_once_it_has_been_wrong_for_five_minutes(off_s: float) -> None:
    facts, placed = talk(DRAINED, *[off_s] * 5)
    assert placed == max(off_s, 0), "four minutes are not enough"
    assert hear(facts, NOW + timedelta(seconds=299), off_s)[1] == max(off_s, 0)
    facts, placed = hear(facts, NOW + timedelta(minutes=5), off_s)
    assert placed == 0
    facts, placed = hear(facts, NOW + timedelta(minutes=6), off_s + 20)
    assert placed == 20, "what took longer is a little older"
    assert talk(facts, *[off_s] * 60, since=NOW + timedelta(minutes=7))[1] == 0


@pytest.mark.parametrize(
    ("off_s", "placed"),
    [
        pytest.param(29, 29, id="right-enough"),
        pytest.param(30, 0, id="behind"),
        pytest.param(-29, 0, id="ahead-but-right-enough"),
    ],
)
def test_a_clock_that_is_off_by_less_than_half_a_minute_is_right(off_s: float, placed: float) -> None:
    assert talk(DRAINED, *[off_s] * 10)[1] == placed


def test_a_clock_that_is_ahead_dates_what_is_old_too_young() -> None:
    facts, _ = talk(DRAINED, *[-30.0] * 6)
    assert hear(facts, NOW + timedelta(minutes=6), 10)[1] == 40
    facts, _ = talk(DRAINED, *[-29.0] * 6)
    assert hear(facts, NOW + timedelta(minutes=6), 10)[1] == 10


@pytest.mark.parametrize("late_at", range(12))
def test_one_late_message_says_nothing_of_the_clock(late_at: int) -> None:
    lates = [1.0] * 12
    lates[late_at] = 600
    facts, placed = talk(DRAINED, *lates)
    assert placed == lates[-1]
    assert hear(facts, NOW + timedelta(minutes=12), 700)[1] == 700


def test_one_late_message_of_a_charger_that_says_little_says_nothing_of_the_clock() -> None:
    facts, placed = talk(DRAINED, 1, 1, 600, every_s=900)
    assert placed == 600
    assert talk(facts, 1, 1, every_s=900, since=NOW + timedelta(minutes=45))[1] == 1


def test_the_quickest_message_of_two_windows_counts() -> None:
    facts, _ = talk(DRAINED, 650, 600, 640, 630, 620)
    assert hear(facts, NOW + timedelta(minutes=5), 660)[1] == 60, "600 of the window before"
    assert hear(facts, NOW + timedelta(minutes=5), 590)[1] == 0, "590 of this one"
    facts, _ = talk(DRAINED, 600, *[650.0] * 10)
    assert hear(facts, NOW + timedelta(minutes=11), 650)[1] == 0, "two windows later it is forgotten"


def test_a_clock_that_is_set_right_is_believed_at_once() -> None:
    facts, _ = talk(DRAINED, *[600.0] * 10)
    facts, placed = hear(facts, NOW + timedelta(minutes=10), 1)
    assert placed == 1
    assert hear(facts, NOW + timedelta(minutes=11), 100)[1] == 100


def test_what_was_learned_by_our_own_clock_before_it_was_set_back_counts_no_more() -> None:
    facts, _ = talk(DRAINED, *[600.0] * 10)
    facts, placed = hear(facts, NOW - timedelta(hours=1), 700)
    assert placed == 700
    assert facts.lag == Lag(since=NOW - timedelta(hours=1), least_s=700)
    same, _ = talk(DRAINED, 500)
    assert hear(same, NOW, 600)[0].lag == Lag(since=NOW, least_s=500), "the same instant is no step back"


def test_nothing_is_learned_of_the_clock_while_a_queue_is_told() -> None:
    facts, placed = talk(QUEUED, *[600.0] * 28, every_s=30)
    assert placed == 600
    assert facts.lag is None


def test_a_queue_is_told_by_the_clock_as_it_is_known() -> None:
    known = replace(QUEUED, lag=Lag(since=NOW, least_s=600, before_s=600))
    facts, placed = hear(known, NOW, 7800)
    assert placed == 7200
    assert facts.lag == known.lag


# The queue


@pytest.mark.parametrize(
    ("online_since", "drained"),
    [
        pytest.param("10T21:59", True, id="a-minute"),
        pytest.param("10T21:59:01", False, id="less"),
        pytest.param(None, False, id="not-connected"),
    ],
)
def test_a_charger_that_tells_nothing_old_for_a_minute_has_emptied_its_queue(
    online_since: str | None, drained: bool
) -> None:
    facts = ChargerFacts(online_since=None if online_since is None else utc(online_since))
    assert evidence.is_drained(facts, NOW) is drained
    expected = None if online_since is None else utc(online_since) + timedelta(minutes=1)
    assert evidence.drains_at(facts) == expected


def test_each_old_message_tells_that_there_may_be_more_for_a_quarter_hour_at_most() -> None:
    facts, _ = hear(QUEUED, NOW, 3600)
    assert evidence.drains_at(facts) == utc("10T22:01")
    facts, _ = talk(QUEUED, *[3600.0] * 30, every_s=30)
    assert evidence.drains_at(facts) == utc("10T22:14:30"), "a quarter hour after it connected"


@pytest.mark.parametrize(
    ("late_s", "old"), [pytest.param(60, False, id="not-old"), pytest.param(61, True, id="of-the-past")]
)
def test_a_message_more_than_a_minute_old_is_one_of_the_past(late_s: float, old: bool) -> None:
    assert hear(QUEUED, NOW, late_s)[0].replayed_at == (NOW if old else None)
    behind = replace(QUEUED, lag=Lag(since=NOW, least_s=600, before_s=600))
    assert hear(behind, NOW, 600 + late_s)[0].replayed_at == (NOW if old else None)
    assert hear(DRAINED, NOW, late_s)[0].replayed_at is None
