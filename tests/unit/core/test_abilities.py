"""What a charger did tells what it can do; another firmware is learned anew."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chargerd.core import abilities
from chargerd.core.events import Activity, Capabilities, ChargerBooted, MeterSampled, TransactionEnded
from chargerd.core.ids import ReplyTo, TransactionId
from chargerd.core.model import ChargerFacts, Control, State, Transaction, Want
from tests.support.home import GARAGE, utc
from tests.unit.core.partition import state

BEGUN, HELD, ENDED = utc("10T21:00"), utc("10T21:59"), utc("10T22:00")
RUNNING = Transaction(transaction_id=TransactionId("17"), started_at=BEGUN)
STOPPED = replace(RUNNING, ended_at=utc("10T21:30"), end_reason="Remote")


def _held(**control: Any) -> State:
    """A transaction that is held at 0 A since a minute ago."""
    held = {"want": Want.HOLD, "holds_down": True, "held_at": HELD, **control}
    return replace(state(facts=ChargerFacts(transaction=RUNNING), control=Control(**held)), at=ENDED)


def _ends(reason: str = "Other", transaction_id: str = "17") -> TransactionEnded:
    return TransactionEnded(
        charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId(transaction_id), reason=reason
    )


@pytest.mark.parametrize(
    ("before", "event", "count"),
    [
        pytest.param(_held(), _ends(), 1, id="within a minute"),
        pytest.param(_held(), _ends(""), 1, id="no reason"),
        pytest.param(_held(), _ends("OTHER"), 1, id="in capitals"),
        pytest.param(_held(), _ends(transaction_id=""), 1, id="no id"),
        pytest.param(_held(), _ends("Local"), 0, id="by a person"),
        pytest.param(_held(), _ends("EVDisconnected"), 0, id="by the plug"),
        pytest.param(_held(), _ends(transaction_id="18"), 0, id="another one"),
        pytest.param(_held(held_at=HELD - timedelta(seconds=1)), _ends(), 0, id="later than that"),
        pytest.param(_held(held_at=None), _ends(), 0, id="never held"),
        pytest.param(_held(want=Want.CHARGE), _ends(), 0, id="charging was wanted"),
        pytest.param(_held(holds_down=False), _ends(), 0, id="no pause in force"),
        pytest.param(replace(_held(), facts=ChargerFacts()), _ends(), 0, id="none was open"),
    ],
)
def test_a_transaction_that_ends_at_a_pause_counts(before: State, event: TransactionEnded, count: int) -> None:
    assert abilities.ended(before, event).facts.zero_stops == count


def test_a_transaction_that_begins_under_a_pause_counts_from_its_beginning() -> None:
    held = _held(held_at=utc("10T20:00"))
    young = replace(RUNNING, started_at=HELD)
    assert abilities.ended(held, _ends()).facts.zero_stops == 0
    assert abilities.ended(replace(held, facts=ChargerFacts(transaction=young)), _ends()).facts.zero_stops == 1


def _sampled(transaction_id: str | None = "17") -> MeterSampled:
    return MeterSampled(charger_id=GARAGE, transaction_id=transaction_id and TransactionId(transaction_id))


@pytest.mark.parametrize(
    ("before", "sample", "at", "learned"),
    [
        pytest.param(_held(), _sampled(), ENDED + timedelta(seconds=1), True, id="after a minute"),
        pytest.param(_held(), _sampled(), ENDED, False, id="within a minute"),
        pytest.param(_held(), _sampled("18"), utc("10T22:05"), False, id="another one"),
        pytest.param(_held(), _sampled(None), utc("10T22:05"), False, id="of no transaction"),
        pytest.param(_held(holds_down=False), _sampled(), utc("10T22:05"), False, id="no pause in force"),
        pytest.param(_held(held_at=None), _sampled(), utc("10T22:05"), False, id="never held"),
        pytest.param(replace(_held(), facts=ChargerFacts()), _sampled(), utc("10T22:05"), False, id="none was open"),
    ],
)
def test_a_sample_of_a_transaction_that_is_paused_shows_that_it_goes_on(
    before: State, sample: MeterSampled, at: datetime, *, learned: bool
) -> None:
    assert abilities.sampled(before, sample, at).facts.outlived_zero is learned


def test_a_transaction_that_outlives_a_pause_makes_up_for_one_that_did_not() -> None:
    before = _held()
    once = replace(before, facts=replace(before.facts, zero_stops=1))
    assert abilities.outlived(once, utc("10T22:05")).facts.zero_stops == 0


@pytest.mark.parametrize(
    ("said", "zero_stops", "outlived", "shown"),
    [
        (None, 0, False, None),
        (None, 1, False, None),
        (None, 2, False, True),
        (None, 0, True, False),
        (None, 1, True, False),
        (None, 2, True, True),
        (False, 5, False, False),
        (True, 0, True, True),
    ],
)
def test_what_a_charger_says_of_zero_counts_before_what_it_shows(
    said: bool | None, zero_stops: int, outlived: bool, shown: bool | None
) -> None:
    facts = ChargerFacts(capabilities=Capabilities(zero_is_stop=said), zero_stops=zero_stops, outlived_zero=outlived)
    assert abilities.shown(facts).zero_is_stop is shown


@pytest.mark.parametrize("can_limit", [True, False, None])
@pytest.mark.parametrize("zero_is_stop", [True, False, None])
def test_a_pause_by_limit_is_possible_until_known_otherwise_and_sure_once_known(
    can_limit: bool | None, zero_is_stop: bool | None
) -> None:
    able = Capabilities(can_limit=can_limit, zero_is_stop=zero_is_stop)
    found = state(facts=ChargerFacts(capabilities=able))
    assert abilities.can_limit(found) is (can_limit is not False)
    assert abilities.can_pause(found) is (can_limit is not False and zero_is_stop is not True)
    assert abilities.surely_pauses(found) is (can_limit is not False and zero_is_stop is False)


@pytest.mark.parametrize(
    ("said", "dead_stops", "anew"),
    [(None, 0, True), (None, 1, True), (None, 2, False), (True, 3, True), (False, 0, False)],
)
def test_another_transaction_may_begin_unless_the_charger_says_or_shows_otherwise(
    said: bool | None, dead_stops: int, anew: bool
) -> None:
    facts = ChargerFacts(capabilities=Capabilities(resumes_after_stop=said), dead_stops=dead_stops)
    assert abilities.begins_anew(facts) is anew


@pytest.mark.parametrize(
    ("changed", "kept"),
    [({}, True), ({"firmware": "2"}, False), ({"model": "Other"}, False), ({"vendor": "Other"}, False)],
)
def test_what_was_learned_holds_for_one_firmware_of_one_model(changed: dict[str, str], kept: bool) -> None:
    facts = ChargerFacts(vendor="Acme", model="Box", firmware="1", zero_stops=2, outlived_zero=True, dead_stops=1)
    who = {"vendor": "Acme", "model": "Box", "firmware": "1", **changed}
    after = abilities.booted(facts, ChargerBooted(charger_id=GARAGE, **who))
    assert (after.zero_stops, after.outlived_zero, after.dead_stops) == ((2, True, 1) if kept else (0, False, 0))


@pytest.mark.parametrize(
    ("activity", "last", "plugged", "count"),
    [
        (Activity.FINISHING, STOPPED, True, 2),
        (Activity.FINISHING, replace(STOPPED, end_reason="remote"), True, 2),
        (Activity.FINISHING, replace(STOPPED, end_reason="Local"), True, 0),
        (Activity.FINISHING, None, True, 0),
        (Activity.FINISHING, STOPPED, None, 0),
        (Activity.EV_CONNECTED, STOPPED, True, 1),
        (None, STOPPED, True, 1),
        (None, STOPPED, False, 0),
    ],
)
def test_a_start_that_is_refused_after_a_stop_of_ours_counts(
    activity: Activity | None, last: Transaction | None, plugged: bool | None, count: int
) -> None:
    facts = ChargerFacts(activity=activity, last_transaction=last, plugged=plugged)
    assert abilities.start_refused(facts).dead_stops == count


@pytest.mark.parametrize(
    ("last", "plugged_at", "count"),
    [
        pytest.param(STOPPED, BEGUN, 0, id="behind a stop of ours"),
        pytest.param(STOPPED, STOPPED.ended_at, 0, id="stopped as the plug came in"),
        pytest.param(STOPPED, utc("10T21:31"), 1, id="after a replug"),
        pytest.param(STOPPED, None, 1, id="plug unknown"),
        pytest.param(replace(STOPPED, end_reason="Local"), BEGUN, 1, id="somebody else stopped it"),
        pytest.param(replace(STOPPED, ended_at=None), BEGUN, 1, id="no end is known"),
        pytest.param(None, BEGUN, 1, id="the first one"),
    ],
)
def test_a_transaction_that_begins_behind_a_stop_proves_that_one_may(
    last: Transaction | None, plugged_at: Any, count: int
) -> None:
    facts = ChargerFacts(dead_stops=1, last_transaction=last, plugged_at=plugged_at)
    assert abilities.started(facts).dead_stops == count
