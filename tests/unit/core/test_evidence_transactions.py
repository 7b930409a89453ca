"""Transactions: which one runs, which id it gets, and what its end says of the car."""

from dataclasses import replace

import pytest

from chargerd.core import evidence
from chargerd.core.events import Activity, StatusReported, TransactionEnded, TransactionStarted
from chargerd.core.ids import ReplyTo, TransactionId
from chargerd.core.model import ChargerFacts
from tests.support.home import GARAGE, utc
from tests.unit.core.telling import FRESH, NOW, charging, running, sample, status


def start(
    measured_at: str | None = "10T22:00",
    transaction_id: str | None = None,
    *,
    register: float = 5,
    token: str = "",
) -> TransactionStarted:
    return TransactionStarted(
        charger_id=GARAGE,
        reply_to=ReplyTo("r"),
        register_wh=register,
        id_token=token,
        measured_at=None if measured_at is None else utc(measured_at),
        transaction_id=None if transaction_id is None else TransactionId(transaction_id),
    )


def end(
    facts: ChargerFacts, number: str = "7", now: str = "10T22:00", *, reason: str = "", measured: str | None = None
) -> ChargerFacts:
    event = TransactionEnded(
        charger_id=GARAGE,
        reply_to=ReplyTo("r"),
        transaction_id=TransactionId(number),
        reason=reason,
        measured_at=None if measured is None else utc(measured),
    )
    return evidence.transaction_ended(facts, event, utc(now))


def test_the_same_start_told_twice_gets_the_same_id_and_another_a_greater_one() -> None:
    facts, first = evidence.transaction_started(FRESH, start(), NOW)
    assert facts.heard_at == NOW
    assert facts.transaction is not None
    assert (facts.transaction.started_at, facts.transaction.register_wh) == (NOW, 5)
    assert evidence.transaction_started(facts, start(), NOW) == (facts, first)
    for other in (start("10T22:01"), start(None), start(register=6), start(token="card")):
        assert int(evidence.transaction_started(facts, other, NOW)[1]) == int(first) + 1
    facts, untimed = evidence.transaction_started(facts, start(None), NOW)
    assert int(evidence.transaction_started(facts, start(None), NOW)[1]) == int(untimed) + 1, "nothing tells it is one"


def test_ids_rise_with_time_even_if_all_was_forgotten_and_with_a_clock_that_is_wrong() -> None:
    second = utc("2020-01-01T00:00:01")
    facts, first = evidence.transaction_started(FRESH, start(None), second)
    assert first == "1"
    facts, given = evidence.transaction_started(replace(facts, last_transaction_number=41), start(None), second)
    assert (given, facts.last_transaction_number) == ("42", 42)
    assert int(evidence.transaction_started(FRESH, start(), NOW)[1]) == (NOW - utc("2020-01-01T00:00")).total_seconds()


def test_a_start_told_again_after_its_end_keeps_its_id() -> None:
    facts, first = evidence.transaction_started(FRESH, start(), NOW)
    _, again = evidence.transaction_started(end(facts, first), start(), NOW)
    assert again == first


def test_a_start_that_was_kept_for_hours_began_when_it_says() -> None:
    facts, _ = evidence.transaction_started(ChargerFacts(), start("10T16:00"), NOW)
    assert facts.transaction is not None
    assert facts.transaction.started_at == utc("10T16:00")


def test_a_station_that_names_its_transactions_is_taken_at_its_word() -> None:
    facts, given = evidence.transaction_started(FRESH, start(transaction_id="a-uuid"), NOW)
    assert (given, facts.last_transaction_number) == ("a-uuid", 0)
    assert evidence.transaction_started(facts, start("10T22:30", "a-uuid"), NOW) == (facts, "a-uuid")
    assert evidence.transaction_started(facts, start(transaction_id="b-uuid"), NOW)[1] == "b-uuid"
    unnamed, _ = evidence.transaction_started(FRESH, start(), NOW)
    assert evidence.transaction_started(unnamed, start(transaction_id="b-uuid"), NOW)[1] == "b-uuid"


def test_a_transaction_is_adopted_from_a_sample_or_a_status_but_not_one_that_ended() -> None:
    facts = sample(FRESH, transaction="7", power=0)
    assert facts.transaction == running(started="10T22:00")
    assert sample(facts, "10T22:10", transaction="7", power=0).transaction == facts.transaction
    assert status(FRESH, transaction="7").transaction == facts.transaction
    ended = end(facts)
    assert sample(ended, "10T22:01", transaction="7", power=0).transaction is None
    assert sample(ended, "10T22:01", transaction="8", power=0).transaction == running("8", "10T22:01")
    assert sample(facts, "10T22:01", transaction="8", power=0).transaction == running("8", "10T22:01")


def test_a_sample_of_the_past_does_not_bring_its_transaction_back() -> None:
    """The charger has begun the next one, and tells then what it kept of the one before."""
    facts = sample(replace(FRESH, transaction=running("8", "10T22:00")), "10T22:01", transaction="8", power=9000)
    assert sample(facts, "10T21:30", transaction="7", power=9000).transaction == running("8", "10T22:00")


@pytest.mark.parametrize(
    ("now", "activity", "transaction", "kept"),
    [
        pytest.param("10T21:00:01", Activity.EV_CONNECTED, None, False, id="its-end-was-told-to-nobody"),
        pytest.param("10T21:00", Activity.EV_CONNECTED, None, True, id="said-before-it-began"),
        pytest.param("10T21:00:01", Activity.EV_CONNECTED, "7", True, id="named"),
        pytest.param("10T21:00:01", Activity.SUSPENDED_EV, None, True, id="another-word"),
        pytest.param("10T21:00:01", None, None, True, id="no-word"),
    ],
)
def test_a_charger_that_has_a_car_and_names_no_transaction_has_none(
    now: str, activity: Activity | None, transaction: str | None, kept: bool
) -> None:
    facts = status(replace(FRESH, transaction=running()), now, activity=activity, transaction=transaction)
    assert facts.transaction == (running() if kept else None)


def test_the_end_of_a_transaction_ends_charging() -> None:
    facts = end(replace(charging(), transaction=running()), reason="Local")
    assert facts.transaction is None
    assert facts.last_transaction == replace(running(), ended_at=NOW, end_reason="Local")
    assert (facts.charging, facts.stopped_at, facts.heard_at) == (False, NOW, NOW)


def test_the_end_of_an_unknown_transaction_ends_nothing_else() -> None:
    facts = replace(charging(), transaction=running())
    assert end(facts, "4711") == replace(facts, heard_at=NOW)
    orphan = end(FRESH, "4711")
    assert orphan.last_transaction == replace(running("4711", "10T22:00"), ended_at=NOW)


@pytest.mark.parametrize(
    ("ended", "left"),
    [
        pytest.param("10T20:40", "10T20:40", id="later-than-the-last-evidence"),
        pytest.param("10T20:20", "10T20:30", id="earlier"),
    ],
)
def test_a_car_that_left_unheard_was_there_until_its_transaction_ended(ended: str, left: str) -> None:
    facts = ChargerFacts(plugged=False, plugged_at=utc("10T20:30"), left_unseen=True, transaction=running())
    assert end(facts, measured=ended).plugged_at == utc(left)
    assert end(replace(facts, left_unseen=False), measured=ended).plugged_at == utc("10T20:30")
    assert end(replace(facts, plugged=True), measured=ended).plugged_at == utc("10T20:30")
    assert end(replace(facts, plugged_at=None), measured=ended).plugged_at is None


@pytest.mark.parametrize(
    ("reason", "ended", "plugged"),
    [
        pytest.param("EVDisconnected", "10T21:30", False, id="of-the-past"),
        pytest.param("EVDisconnected", "10T21:59", True, id="of-this-connection-a-status-tells-it"),
        pytest.param("Local", "10T21:30", True, id="another-reason"),
    ],
)
def test_a_transaction_that_ended_unheard_with_the_plug_was_a_plug_out(reason: str, ended: str, plugged: bool) -> None:
    facts = ChargerFacts(plugged=True, plugged_at=utc("10T21:00"), online_since=utc("10T21:59"), transaction=running())
    facts = end(facts, reason=reason, measured=ended)
    assert facts.plugged is plugged
    assert facts.plugged_at == utc("10T21:00" if plugged else ended)
    gone = replace(facts, plugged=False, plugged_at=utc("10T21:40"), transaction=running())
    assert end(gone, reason=reason, measured=ended).plugged_at == utc("10T21:40")
    unknown = replace(facts, plugged=None, transaction=running())
    assert end(unknown, reason=reason, measured=ended).plugged is None, "it may be back"


def test_an_end_that_is_told_while_nobody_is_connected_unplugs_nothing() -> None:
    facts = ChargerFacts(plugged=True, transaction=running())
    assert end(facts, reason="EVDisconnected", measured="10T21:30").plugged


def test_an_end_told_again_keeps_the_first_one_so_that_its_start_told_again_is_known_too() -> None:
    facts, number = evidence.transaction_started(FRESH, start(), NOW)
    once = end(facts, number, "10T22:30", reason="Local", measured="10T22:30")
    for again in (number, ""):
        twice = end(once, again, "10T22:40", reason="Other", measured="10T22:40")
        assert twice.last_transaction == once.last_transaction
        told, same = evidence.transaction_started(twice, start(), utc("10T22:41"))
        assert (told, same) == (twice, number)


def test_an_end_that_names_none_ends_the_one_that_runs_unless_it_is_older() -> None:
    facts = replace(FRESH, transaction=running("7", started="10T22:00"))
    assert end(facts, "", "10T22:30", measured="10T21:59:59").transaction == facts.transaction
    ended = end(facts, "", "10T22:30", measured="10T22:00")
    assert (ended.transaction, ended.last_transaction and ended.last_transaction.transaction_id) == (None, "7")
    second = end(replace(ended, transaction=running("9", started="10T22:40")), "", "10T22:50")
    assert (second.transaction, second.last_transaction and second.last_transaction.transaction_id) == (None, "9")


def test_an_end_that_names_none_while_none_runs_is_noted_only_when_there_never_was_one() -> None:
    assert (noted := end(FRESH, "", "10T22:30").last_transaction) is not None
    assert noted.transaction_id == ""


def test_the_end_of_a_transaction_of_which_nothing_else_was_told_is_noted() -> None:
    facts = end(end(FRESH, "7", "10T22:10"), "9", "10T22:30", reason="Local")
    assert (noted := facts.last_transaction) is not None
    assert (noted.transaction_id, noted.ended_at, noted.end_reason) == ("9", utc("10T22:30"), "Local")


@pytest.mark.parametrize(
    ("again", "is_another"),
    [
        pytest.param("10T22:31", True, id="after its end"),
        pytest.param("10T22:30", False, id="at its end"),
        pytest.param("10T22:00", False, id="told again"),
    ],
)
def test_an_id_that_a_charger_uses_again_is_another_transaction(again: str, *, is_another: bool) -> None:
    facts, _ = evidence.transaction_started(FRESH, start(transaction_id="1"), NOW)
    facts = end(facts, "1", "10T22:30", measured="10T22:30")
    told, number = evidence.transaction_started(facts, start(again, "1"), utc("10T22:40"))
    assert number == "1"
    assert (told.transaction is not None) is is_another


def test_an_id_used_again_while_the_end_of_the_first_was_told_to_nobody_is_another_transaction() -> None:
    facts, _ = evidence.transaction_started(FRESH, start(transaction_id="1"), NOW)
    told, _ = evidence.transaction_started(facts, start("10T22:20", "1", register=9), utc("10T22:20"))
    assert told.transaction is not None
    assert (told.transaction.started_at, told.transaction.register_wh) == (utc("10T22:20"), 9)


def test_a_start_that_comes_after_its_transaction_was_taken_over_is_not_another() -> None:
    facts = replace(FRESH, transaction=running("1", started="10T22:00"))
    assert evidence.transaction_started(facts, start("10T22:10", "1"), utc("10T22:20")) == (facts, "1")


@pytest.mark.parametrize(
    ("transaction_id", "measured", "now_running", "is_history"),
    [
        pytest.param("7", "10T21:59:59", None, True, id="of before its end"),
        pytest.param("7", "10T22:00:00", None, False, id="of its end"),
        pytest.param("8", "10T21:59:59", None, False, id="of another"),
        pytest.param(None, "10T21:59:59", None, False, id="of none"),
        pytest.param("7", "10T21:59:59", "7", False, id="the id runs again"),
        pytest.param("7", "10T21:59:59", "9", True, id="another runs"),
    ],
)
def test_what_is_told_late_of_a_transaction_that_is_over_says_nothing_of_the_plug(
    transaction_id: str | None, measured: str, now_running: str | None, *, is_history: bool
) -> None:
    facts = end(replace(FRESH, transaction=running("7"), plugged=True), measured="10T22:00")
    facts = replace(facts, plugged=False, transaction=None if now_running is None else running(now_running))
    event = StatusReported(
        charger_id=GARAGE,
        plugged=True,
        activity=Activity.CHARGING,
        transaction_id=None if transaction_id is None else TransactionId(transaction_id),
        measured_at=utc(measured),
    )
    told = evidence.status_told(facts, event, utc("10T22:01"))
    assert told.plugged is not is_history
    assert told.heard_at == utc("10T22:01")


def test_what_is_told_of_a_transaction_whose_end_has_no_time_is_believed() -> None:
    facts = replace(FRESH, last_transaction=running("7"))
    event = StatusReported(charger_id=GARAGE, plugged=True, transaction_id=TransactionId("7"))
    assert evidence.status_told(facts, event, NOW).plugged is True


@pytest.mark.parametrize(("had_car", "since"), [(None, "10T21:58"), (True, "10T21:58"), (False, "10T22:00")])
def test_a_car_is_there_since_its_transaction_began_unless_that_began_without_one(
    had_car: bool | None,
    since: str,
) -> None:
    waiting = replace(running("7", started="10T21:58"), had_car=had_car)
    facts = replace(FRESH, plugged=False, plugged_at=utc("10T20:00"), transaction=waiting)
    event = StatusReported(charger_id=GARAGE, plugged=True, measured_at=utc("10T22:00"))
    assert evidence.status_told(facts, event, NOW).plugged_at == utc(since)


def test_whether_a_car_was_there_at_the_start_is_kept() -> None:
    told = replace(start(transaction_id="1"), had_car=False)
    facts, _ = evidence.transaction_started(FRESH, told, NOW)
    assert facts.transaction is not None
    assert facts.transaction.had_car is False
