"""What counts as charging, and what a charger's clock is worth."""

from datetime import datetime

import pytest

from chargerd.core import evidence
from chargerd.core.events import (
    Activity,
    MeterSampled,
    SampleContext,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
)
from chargerd.core.ids import ReplyTo, TransactionId
from chargerd.core.ledger import Delta
from chargerd.core.model import ChargerFacts, Quality
from chargerd.core.units import PerPhase
from tests.support.home import GARAGE, utc

NOW = utc("10T22:00")


def sample(
    facts: ChargerFacts,
    at: str = "10T22:00",
    *,
    power: float | None = None,
    amps: PerPhase | None = None,
    delta: Delta | None = None,
    transaction: str | None = None,
    context: SampleContext = SampleContext.PERIODIC,
) -> ChargerFacts:
    event = MeterSampled(
        charger_id=GARAGE,
        power_w=power,
        current_a=amps,
        transaction_id=None if transaction is None else TransactionId(transaction),
        context=context,
    )
    return evidence.sampled(facts, event, at=utc(at), voltage_v=230, delta=delta)


@pytest.mark.parametrize(
    ("online_since", "measured_at", "expected"),
    [
        pytest.param("10T12:00", None, "10T22:00", id="no-time-means-now"),
        pytest.param("10T12:00", "10T23:00", "10T22:00", id="the-future-means-now"),
        pytest.param("10T12:00", "10T21:50", "10T21:50", id="a-little-old-is-taken"),
        pytest.param("10T12:00", "10T20:00", "10T22:00", id="old-from-a-drained-queue-is-a-wrong-clock"),
        pytest.param("10T21:58", "10T20:00", "10T20:00", id="old-just-after-connecting-is-history"),
        pytest.param(None, "10T20:00", "10T20:00", id="old-before-connecting-is-history"),
    ],
)
def test_when_a_sample_was_taken(online_since: str | None, measured_at: str | None, expected: str) -> None:
    facts = ChargerFacts(online_since=None if online_since is None else utc(online_since))
    told = None if measured_at is None else utc(measured_at)
    assert evidence.sample_time(facts, told, NOW) == utc(expected)


@pytest.mark.parametrize(
    ("measured_at", "expected"),
    [
        pytest.param(None, "10T22:00", id="no-time-means-now"),
        pytest.param("10T21:59", "10T21:59", id="recent-is-taken"),
        pytest.param("10T20:59", "10T22:00", id="told-again-counts-from-now"),
        pytest.param("10T22:01", "10T22:00", id="the-future-means-now"),
    ],
)
def test_when_a_status_began(measured_at: str | None, expected: str) -> None:
    told: datetime | None = None if measured_at is None else utc(measured_at)
    assert evidence.status_time(told, NOW) == utc(expected)


def test_power_over_the_threshold_is_charging_and_two_low_samples_end_it() -> None:
    facts = sample(ChargerFacts(), power=301)
    assert facts.charging
    assert facts.plugged, "power without a plug is a plug that nobody told of"
    facts = sample(facts, "10T22:01", power=50)
    assert facts.charging, "one low sample is a dip"
    facts = sample(facts, "10T22:02", power=50)
    assert not facts.charging
    assert facts.stopped_at == utc("10T22:01")
    assert sample(facts, "10T22:03", power=0).low_samples == 3


def test_power_between_the_thresholds_changes_nothing() -> None:
    assert not sample(ChargerFacts(), power=200).charging
    facts = sample(sample(ChargerFacts(), power=9000), "10T22:01", power=50)
    assert sample(facts, "10T22:02", power=200).low_samples == 0


def test_phase_currents_serve_where_power_is_not_told() -> None:
    facts = sample(ChargerFacts(), amps=PerPhase(10, 10, 10))
    assert facts.reading is not None
    assert facts.reading.power_w == 6900


def test_the_register_serves_where_nothing_else_is_told() -> None:
    facts = sample(ChargerFacts(), delta=Delta(utc("10T21:50"), NOW, 1000, Quality.MEASURED))
    assert facts.charging
    assert facts.charging_since == utc("10T21:50")


def test_a_register_difference_from_before_the_stop_proves_nothing() -> None:
    stopped = ChargerFacts(stopped_at=utc("10T21:55"))
    assert not sample(stopped, delta=Delta(utc("10T21:50"), NOW, 1000, Quality.MEASURED)).charging
    assert not sample(stopped, delta=Delta(NOW, NOW, 0, Quality.MEASURED)).charging


def test_a_sample_from_before_plug_out_does_not_bring_the_car_back() -> None:
    facts = ChargerFacts(plugged=False, plugged_at=NOW)
    assert not sample(facts, "10T21:59", power=11_000).charging
    assert sample(facts, "10T22:01", power=11_000).plugged


def test_an_older_sample_than_the_last_is_history() -> None:
    facts = sample(ChargerFacts(), power=0)
    assert sample(facts, "10T21:00", power=11_000) == facts


def test_a_status_that_nothing_flows_ends_charging_until_the_meter_proves_otherwise() -> None:
    facts = sample(ChargerFacts(), power=11_000)
    told = StatusReported(charger_id=GARAGE, activity=Activity.SUSPENDED_EV)
    facts = evidence.status_told(facts, told, utc("10T22:01"))
    assert not facts.charging
    assert sample(facts, "10T22:02", power=11_000).charging


def test_a_transaction_is_adopted_from_a_sample_but_not_one_that_ended() -> None:
    facts = sample(ChargerFacts(), transaction="7", power=0)
    assert facts.transaction is not None
    ended = TransactionEnded(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId("7"))
    facts = evidence.transaction_ended(facts, ended, NOW)
    assert sample(facts, "10T22:01", transaction="7", power=0).transaction is None
    assert sample(facts, "10T22:01", transaction="8", context=SampleContext.END).transaction is None


def test_the_end_of_an_unknown_transaction_ends_nothing_else() -> None:
    facts = sample(ChargerFacts(), transaction="7", power=9000)
    other = TransactionEnded(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId("4711"))
    assert evidence.transaction_ended(facts, other, NOW).transaction == facts.transaction
    orphan = evidence.transaction_ended(ChargerFacts(), other, NOW)
    assert orphan.last_transaction is not None


def start(measured_at: str | None = "10T22:00", transaction_id: str | None = None) -> TransactionStarted:
    return TransactionStarted(
        charger_id=GARAGE,
        reply_to=ReplyTo("r"),
        register_wh=5,
        measured_at=None if measured_at is None else utc(measured_at),
        transaction_id=None if transaction_id is None else TransactionId(transaction_id),
    )


def test_the_same_start_told_twice_gets_the_same_id_and_another_a_greater_one() -> None:
    facts, first = evidence.transaction_started(ChargerFacts(), start(), NOW)
    again, second = evidence.transaction_started(facts, start(), NOW)
    assert (again, second) == (facts, first)
    _, third = evidence.transaction_started(facts, start("10T22:01"), NOW)
    assert int(third) == int(first) + 1
    _, untimed = evidence.transaction_started(facts, start(None), NOW)
    assert int(untimed) > int(first)


def test_a_start_told_again_after_its_end_keeps_its_id() -> None:
    facts, first = evidence.transaction_started(ChargerFacts(), start(), NOW)
    end = TransactionEnded(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=first)
    _, again = evidence.transaction_started(evidence.transaction_ended(facts, end, NOW), start(), NOW)
    assert again == first


def test_a_station_that_names_its_transactions_is_taken_at_its_word() -> None:
    facts, given = evidence.transaction_started(ChargerFacts(), start(transaction_id="a-uuid"), NOW)
    assert given == "a-uuid"
    assert facts.last_transaction_number == 0
