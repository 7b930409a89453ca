"""Starts that were accepted and show no effect yet: which of them are tried otherwise, and which are waited for."""

from datetime import timedelta

from chargerd.core.commands import SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.events import Activity, StatusReported, TransactionStarted
from chargerd.core.ids import ReplyTo, TransactionId
from tests.support.home import GARAGE, Home


def test_a_charger_that_says_that_it_charges_is_let_be_until_its_slow_meter_was_read() -> None:
    home = Home(sample_every=timedelta(minutes=7)).until("10T22:15").plug().until("11T01:00:05")
    home.status(Activity.CHARGING).until("11T01:07")
    assert home.sent(StopTransaction) == []
    assert len(home.sent(StartTransaction)) == 1
    assert home.errors() == []
    assert home.state.facts.charging


def test_a_charger_that_says_that_it_charges_and_whose_meter_denies_it_is_started_again() -> None:
    home = Home()
    home.box.car_takes = False
    home.until("10T22:15").plug().until("11T01:00:05").status(Activity.CHARGING).until("11T01:07")
    assert len(home.sent(StopTransaction)) == 1


def test_a_transaction_that_began_with_the_plug_is_started_with_a_token() -> None:
    """OCPP 2.0.1, TxStartPoint EVConnected: it waits for its authorisation, and names itself with its state."""
    home = Home().until("10T22:15").plug()
    for event in (
        TransactionStarted(
            charger_id=GARAGE, transaction_id=TransactionId("tx"), measured_at=home.now, reply_to=ReplyTo("r")
        ),
        StatusReported(
            charger_id=GARAGE, plugged=True, activity=Activity.EV_CONNECTED, transaction_id=TransactionId("tx")
        ),
    ):
        home.tell(event)
    home.box.transaction, home.box.car_takes = "tx", False
    home.until("11T01:00:05")
    assert len(home.sent(StartTransaction)) == 1
    told = StatusReported(
        charger_id=GARAGE, plugged=True, activity=Activity.SUSPENDED_EV, transaction_id=TransactionId("tx")
    )
    home.tell(told)
    home.until("11T01:02")
    assert len(home.sent(StartTransaction)) == 1


def test_a_limit_under_which_nothing_is_offered_is_said_another_way_once() -> None:
    home = Home(sample_every=timedelta(days=1))
    home.box.car_takes = False
    home.until("10T22:15").plug().until("11T01:01:10").status(Activity.SUSPENDED_EVSE)
    sent = len(home.sent(SetCurrentLimit))
    for second in (30, 40):
        home.until(f"11T01:01:{second}")
        home.sample()
        assert len(home.sent(SetCurrentLimit)) == sent
    for second in (0, 20):
        home.until(f"11T01:02:{second:02}")
        home.sample()
    assert [(limit.limit_a, limit.unheeded) for limit in home.sent(SetCurrentLimit)[sent:]] == [(16, True)]
    assert home.sent(StopTransaction) == []


def test_a_limit_that_shows_its_effect_is_not_said_another_way() -> None:
    home = Home().until("10T22:15").plug().until("11T01:30")
    assert not any(limit.unheeded for limit in home.sent(SetCurrentLimit))
    assert home.errors() == []


def test_the_limit_is_told_again_at_once_when_a_car_resumes_by_it() -> None:
    """go-e, Easee and BMW/Delta begin at full current after a pause."""
    home = Home().until("10T22:15").plug().until("10T22:20")
    assert home.boost(36) is None
    home.until("10T22:40").status(Activity.SUSPENDED_EVSE).until("11T00:59")
    sent = len(home.sent(SetCurrentLimit))
    home.until("11T01:00:01").status(Activity.CHARGING)
    assert [limit.limit_a for limit in home.sent(SetCurrentLimit)[sent:]] == [16, 16]
    home.until("11T01:30").status(Activity.CHARGING).until("11T01:40")
    assert len(home.sent(SetCurrentLimit)) == sent + 2


def test_a_start_that_was_refused_comes_again_when_the_charger_is_ready_and_not_for_ever() -> None:
    home = Home(sample_every=timedelta(days=1))
    home.box.refuses = (StartTransaction,)
    home.until("10T22:15").plug().status(Activity.FINISHING).until("11T01:00:05")
    assert len(home.sent(StartTransaction)) == 1
    for second in range(10, 40, 4):
        home.until(f"11T01:00:{second}").status(Activity.EV_CONNECTED)
        home.until(f"11T01:00:{second + 2}").status(Activity.FINISHING)
    assert len(home.sent(StartTransaction)) == 4
