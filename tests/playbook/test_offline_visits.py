"""What a charger tells hours late: visits that nobody saw, a plug pulled in the dark, readings out of order."""

from datetime import datetime, timedelta

import pytest

from chargerd.core.events import Activity, MeterSampled, StatusReported, TransactionEnded, TransactionStarted
from chargerd.core.ids import ReplyTo, TransactionId
from tests.support.home import GARAGE, Home, utc
from tests.support.reading import kwh_sum, rates, spans


def starts(home: Home, at: str, register_wh: int, transaction: str = "own-1") -> None:
    home.tell(
        TransactionStarted(
            charger_id=GARAGE,
            reply_to=ReplyTo("s"),
            transaction_id=TransactionId(transaction),
            register_wh=register_wh,
            measured_at=utc(at),
        )
    )


def stops(home: Home, at: str, register_wh: int, *, transaction: str = "own-1", reason: str = "") -> None:
    home.tell(
        TransactionEnded(
            charger_id=GARAGE,
            reply_to=ReplyTo("e"),
            transaction_id=TransactionId(transaction),
            register_wh=register_wh,
            reason=reason,
            measured_at=utc(at),
        )
    )


def meters(home: Home, at: datetime, register_wh: int, power_w: float | None = None) -> None:
    home.tell(
        MeterSampled(
            charger_id=GARAGE,
            measured_at=at,
            register_wh=register_wh,
            power_w=power_w,
            transaction_id=TransactionId("own-1"),
        )
    )


def tells(home: Home, plugged: bool, activity: Activity, at: str | None = None) -> None:
    measured_at = None if at is None else utc(at)
    home.tell(StatusReported(charger_id=GARAGE, plugged=plugged, activity=activity, fault="", measured_at=measured_at))


def away_until(text: str) -> Home:
    """A charger that is not connected from 21:00 on."""
    return Home().until("10T21:00").offline().until(text).online()


def test_a_visit_of_which_only_start_and_stop_are_told_is_settled_in_the_past() -> None:
    """D09: hours old, told as if it were now."""
    home = away_until("11T06:30")
    starts(home, "11T00:30", 100_000)
    stops(home, "11T02:30", 114_000)
    tells(home, plugged=False, activity=Activity.IDLE)
    home.until("11T06:35")
    (visit,) = home.settled
    doc = visit.document
    assert (doc["pluggedInAt"], doc["pluggedOutAt"]) == ("2025-06-11T00:30:00Z", "2025-06-11T02:30:00Z")
    assert kwh_sum(doc) == 14
    assert sum(block["kwhSum"] for block in doc["blocks"]) == 14
    assert home.doc["state"] == "UPCOMING"
    assert home.doc["statistics"]["aggregated"] is None


def test_a_visit_from_before_a_charger_was_ever_connected_is_settled_in_the_past() -> None:
    """D09: the charger is new here, and tells of its afternoon."""
    home = Home()
    starts(home, "10T14:00", 100_000)
    stops(home, "10T16:00", 108_000)
    tells(home, plugged=False, activity=Activity.IDLE)
    home.until("10T20:05")
    (visit,) = home.settled
    doc = visit.document
    assert (doc["pluggedInAt"], doc["pluggedOutAt"]) == ("2025-06-10T14:00:00Z", "2025-06-10T16:00:00Z")
    assert kwh_sum(doc) == 8
    assert home.doc["state"] == "UPCOMING"


@pytest.mark.parametrize(("began_wh", "counted_kwh"), [(100_000, 6.0), (0, 5.8)], ids=["as it was", "nonsense"])
def test_a_visit_that_goes_on_and_is_told_late_counts_from_the_register_of_its_start(
    began_wh: int, counted_kwh: float
) -> None:
    home = away_until("11T03:00")
    starts(home, "11T02:00", began_wh)
    for minute in range(1, 61):
        meters(home, utc("11T02:00") + timedelta(minutes=minute), 100_000 + 100 * minute, 6000)
    assert home.doc["pluggedInAt"] == "2025-06-11T02:00:00Z"
    assert kwh_sum(home.doc) == counted_kwh


def test_a_transaction_that_ends_after_a_charger_connected_for_the_first_time_was_seen() -> None:
    home = Home()
    starts(home, "10T14:00", 100_000)
    home.until("10T20:02")
    stops(home, "10T20:01", 108_000)
    home.until("10T20:15")
    assert home.settled == []


def test_a_visit_that_is_replayed_with_its_statuses_lies_where_it_was() -> None:
    home = away_until("11T06:30")
    tells(home, plugged=True, activity=Activity.EV_CONNECTED, at="10T23:00")
    starts(home, "10T23:10", 100_000)
    tells(home, plugged=True, activity=Activity.CHARGING, at="10T23:10")
    at, wh = utc("10T23:10"), 100_000
    while at < utc("11T01:10"):
        at, wh = at + timedelta(minutes=5), wh + 600
        meters(home, at, wh, 7200.0)
    stops(home, "11T01:10", wh)
    tells(home, plugged=False, activity=Activity.IDLE, at="11T05:50")
    home.until("11T06:35")
    doc = home.settled[0].document
    assert (doc["pluggedInAt"], doc["pluggedOutAt"]) == ("2025-06-10T23:00:00Z", "2025-06-11T05:50:00Z")
    assert kwh_sum(doc) == 14.4
    assert spans(doc) == [("REGULAR", "10T23:10:00", "11T01:10:00")]
    assert rates(doc)["10T23:15"] == rates(doc)["11T00:45"] == 7.2
    assert rates(doc)["11T01:15"] == 0
    assert home.doc["state"] == "UPCOMING"


def test_a_plug_that_was_pulled_in_the_dark_was_pulled_when_its_transaction_ended() -> None:
    """C12: the Stop is all that is ever told of it."""
    home = Home().until("10T22:15").plug().until("11T01:20").offline().until("11T05:00").online()
    stops(home, "11T01:40", round(home.box.register), transaction=str(home.box.transaction), reason="EVDisconnected")
    home.box.transaction, home.box.plugged = None, False
    home.until("11T05:05")
    (visit,) = home.settled
    assert visit.document["pluggedOutAt"] == "2025-06-11T01:40:00Z"


def test_a_live_reading_before_the_replayed_ones_does_not_smear_the_night() -> None:
    """E20: the trigger is answered at once, the queue follows."""
    home = Home(goal=90).until("10T22:15").plug().until("10T22:30").offline()
    home.box.transaction = "own-1"
    home.until("11T06:30").online()
    meters(home, home.now, 114_000, 0.0)
    starts(home, "11T00:00", 100_000)
    for minutes in range(15, 121, 15):
        meters(home, utc("11T00:00") + timedelta(minutes=minutes), 100_000 + minutes * 7000 // 60, 7000.0)
    home.until("11T06:32")
    told = rates(home.doc)
    assert kwh_sum(home.doc) == 14
    assert [told[f"11T0{hour}:{minute:02}"] for hour in (0, 1) for minute in (0, 15, 30, 45)] == [7.0] * 8
    assert told["11T02:00"] == 0
    assert told["10T23:45"] == 0
    assert ("REGULAR", "11T00:00:00", "11T02:00:00") in spans(home.doc)


def test_chargers_that_only_sample_in_the_end_fill_the_grid() -> None:
    """K10: the whole profile comes with the end of the transaction, while the charger is connected."""
    home = Home(assumed=20, reserve=20, goal=60, curve=Home().curve)
    home.sample_every = timedelta(hours=20)
    home.until("10T22:15").plug().start_box()
    home.box.limit_a = 16.0
    began = home.now
    home.until("11T00:15")
    for quarter in range(1, 9):
        meters(home, began + timedelta(minutes=15 * quarter), 100_000 + 1750 * quarter)
    stops(home, "11T00:15", 114_000, transaction=str(home.box.transaction))
    home.until("11T00:31")
    told = rates(home.doc)
    assert kwh_sum(home.doc) == 14
    assert [told[f"10T{clock}"] for clock in ("22:15", "22:30", "23:00", "23:45")] == [7.0] * 4


@pytest.mark.parametrize("context_first", [True, False])
def test_an_old_stop_told_again_changes_nothing(context_first: bool) -> None:
    home = away_until("11T06:30")
    starts(home, "11T00:30", 100_000)
    stops(home, "11T02:30", 114_000)
    if context_first:
        stops(home, "11T02:30", 114_000)
    tells(home, plugged=False, activity=Activity.IDLE)
    stops(home, "11T02:30", 114_000)
    home.until("11T06:40")
    assert [kwh_sum(visit.document) for visit in home.settled] == [14]
    stops(home, "11T02:30", 114_000)
    home.until("11T06:50")
    assert len(home.settled) == 1
    assert home.state.unattributed_wh == 0


def test_a_transaction_that_delivered_next_to_nothing_was_no_visit() -> None:
    home = away_until("11T06:30")
    starts(home, "11T00:30", 100_000)
    stops(home, "11T02:30", 100_099)
    tells(home, plugged=False, activity=Activity.IDLE)
    home.until("11T06:45")
    assert home.settled == []
