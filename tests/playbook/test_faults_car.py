"""Plugs that come and go, cars that have their own mind, and chargers that tell of a visit once it is over."""

from datetime import timedelta

import pytest

from chargerd.core import document
from chargerd.core.commands import (
    AnswerTransaction,
    ChargerCommand,
    Note,
    SetCurrentLimit,
    StartTransaction,
    StopTransaction,
)
from chargerd.core.events import (
    Activity,
    Event,
    MeterSampled,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.ids import ReplyTo, TransactionId
from tests.support.home import CAR, GARAGE, Home, prices, utc
from tests.support.reading import NO_STATISTICS, ON_TARGET, kwh_sum, near, rates, regular, short, spans


def off_target(level: int, target_id: int = 1) -> dict[str, object]:
    return {
        "type": "REGULAR",
        "targetId": target_id,
        "state": "OFF_TARGET",
        "batteryLevelAtReadyBy": level,
        "minimumChargeTargetReachedAt": None,
    }


def begins_late(home: Home, *, ends: bool) -> None:
    """The start of 01:00:04 is told when the car is gone, and its end after that, or never."""
    answers = home.tell(
        TransactionStarted(
            charger_id=GARAGE,
            reply_to=ReplyTo("late"),
            id_token="chargerd",
            register_wh=100_000,
            measured_at=utc("11T01:00:04"),
        )
    )
    (given,) = [answer.transaction_id for answer in answers if isinstance(answer, AnswerTransaction)]
    if ends:
        home.until("11T01:00:12")
        home.tell(
            TransactionEnded(
                charger_id=GARAGE,
                reply_to=ReplyTo("late-end"),
                transaction_id=given,
                reason="EVDisconnected",
                register_wh=100_000,
                measured_at=utc("11T01:00:05"),
            )
        )


@pytest.mark.parametrize("late", ["no start", "a start and its end", "a start without an end"])
def test_a_car_that_leaves_while_it_is_being_started_leaves_nothing_behind(late: str) -> None:
    """S-37: accepted at 01:00:00, unplugged at 01:00:05."""
    home = Home()
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T01:00:05").unplug().until("11T01:00:08")
    if late != "no start":
        begins_late(home, ends=late == "a start and its end")
    home.until("11T01:11")
    (stored,) = home.settled
    doc = stored.document
    assert doc["pluggedOutAt"] == "2025-06-11T01:00:05Z"
    assert doc["blocks"] == [], "a block that never delivered is dropped"
    assert doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 35, "batteryTo": 35}
    assert len(rates(doc)) == 12
    assert max(rates(doc)) == "11T01:00"
    assert set(rates(doc).values()) == {0}
    assert doc["target"]["latest"] == regular()
    assert doc["outcome"]["latest"] == off_target(35)
    assert doc["error"]["latest"] is None
    assert home.errors() == []
    assert len(home.sent(StartTransaction)) == 1
    assert home.doc["state"] == "UPCOMING"
    assert home.doc["statistics"] == NO_STATISTICS
    assert document.charger(home.state)["transactionId"] is None, "no transaction goes over to the next visit"

    home.box.obeys_start = True
    home.until("11T02:00").plug().until("11T02:05")
    assert home.doc["pluggedInAt"] == "2025-06-11T02:00:00Z"
    assert home.state.facts.charging
    assert kwh_sum(home.doc) == home.delivered_kwh


def says_gone(home: Home) -> None:
    home.tell(StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE, fault=""))


def blinks_while_charging(home: Home) -> None:
    """Available for ten seconds, while the meter runs on."""
    says_gone(home)
    home.until("11T01:20:10").status()


def blinks_after_an_end(home: Home) -> None:
    """The transaction ends, then Available for twenty seconds, then Preparing; the cable was in all the time."""
    home.stop_box("Other")
    says_gone(home)
    home.until("11T01:20:20").status()


def is_replugged(home: Home) -> None:
    """The cable is pulled and put in again within ten seconds."""
    home.unplug().until("11T01:20:10").plug()


@pytest.mark.parametrize("story", [blinks_while_charging, blinks_after_an_end, is_replugged])
def test_a_plug_that_is_gone_for_seconds_is_the_same_visit(story: object) -> None:
    """S-38, with C07."""
    home = Home().until("10T22:15").plug()
    home.override(60, "11T08:00")
    target = home.target
    home.until("11T01:20")
    before = home.doc
    story(home)  # type: ignore[operator]
    home.until("11T01:25")
    assert home.settled == []
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    assert home.target == target
    assert home.outcome["state"] == "ON_TARGET"
    assert home.outcome["targetId"] == 2
    assert home.state.facts.charging
    assert spans(home.doc) == spans(before), "less than two minutes split no block"
    assert kwh_sum(home.doc) == home.delivered_kwh
    assert home.errors() == []
    home.until("11T06:50").unplug().until("11T06:52")
    assert len(home.settled) == 1
    assert len(home.last["blocks"]) == 1
    assert home.last["target"]["latest"] == target
    assert kwh_sum(home.last) == home.delivered_kwh


def test_a_short_trip_makes_two_visits_and_loses_nothing_at_the_seam() -> None:
    """S-38: gone from 01:20 to 01:40."""
    home = Home().until("10T22:15").plug()
    home.override(60, "11T08:00")
    wish = home.target
    home.until("11T01:20").unplug().until("11T01:40").plug()
    (first,) = home.settled
    assert first.document["pluggedOutAt"] == "2025-06-11T01:20:00Z"
    assert spans(first.document) == [("REGULAR", "11T01:00:00", "11T01:20:00")]
    assert first.document["target"]["latest"] == wish
    assert first.document["outcome"]["latest"] == off_target(40, target_id=2)
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-11T01:40:00Z"
    assert home.target == regular(), "the wish was for the first visit"
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 35, "batteryTo": 35}
    home.until("11T01:45")
    assert home.state.facts.charging
    assert home.outcome == ON_TARGET
    assert [span[:2] for span in spans(home.doc)] == [("REGULAR", "11T01:40:00")]
    home.until("11T06:50").unplug().until("11T06:52")
    assert kwh_sum(first.document) + kwh_sum(home.last) == pytest.approx(home.delivered_kwh, abs=1e-9)
    assert home.errors() == []


@pytest.mark.parametrize("source", ["assumed", "told by the car"])
def test_a_car_that_has_enough_already_is_left_alone(source: str) -> None:
    """S-41"""
    home = Home(assumed=80 if source == "assumed" else 35).until("10T22:14")
    if source != "assumed":
        home.tell(VehicleReported(vehicle_id=CAR, level_pct=80.0))
    home.until("10T22:15").plug().until("10T23:00")
    assert home.doc == {
        "policyId": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "state": "ACTIVE:REGULAR",
        "pluggedInAt": "2025-06-10T22:15:00Z",
        "pluggedOutAt": None,
        "blocks": [],
        "statistics": {
            "aggregated": {"kwhSum": 0, "batteryFrom": 80, "batteryTo": 80},
            "timeseries": [
                {"startAt": "2025-06-10T22:15:00Z", "kwh": 0},
                {"startAt": "2025-06-10T22:30:00Z", "kwh": 0},
                {"startAt": "2025-06-10T22:45:00Z", "kwh": 0},
            ],
        },
        "target": {"latest": regular()},
        "outcome": {"latest": ON_TARGET},
        "error": {"latest": None},
    }
    home.until("11T06:50").unplug().until("11T06:52")
    assert not home.sent(ChargerCommand)
    assert home.last["blocks"] == []
    assert home.last["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 80, "batteryTo": 80}
    assert list(rates(home.last).values()) == [0] * 35
    assert home.last["target"]["latest"] == regular()
    assert home.last["outcome"]["latest"] == ON_TARGET


def test_a_car_that_comes_after_its_deadline_is_charged_for_the_next_one() -> None:
    """S-42: plugged in at 07:30."""
    curve = prices("11T06:00", [0.4] * 19 + [0.1] + [0.3] * 10)
    home = Home(curve=curve, sample_every=timedelta(minutes=2)).until("11T07:30").plug()
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.target == regular(ready_by="2025-06-12T07:00:00Z")
    assert spans(home.doc) == [("REGULAR", "12T01:00:00", "12T02:00:00")]
    assert home.outcome == ON_TARGET
    assert home.error is None
    home.until("12T00:59")
    assert not home.sent(StartTransaction)
    home.until("12T06:50").unplug().until("12T06:52")
    assert home.last["target"]["latest"] == regular(ready_by="2025-06-12T07:00:00Z")
    assert home.last["outcome"]["latest"] == ON_TARGET
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.errors() == []


def test_a_deadline_in_ten_minutes_is_missed_and_charging_goes_on() -> None:
    """S-42: plugged in at 06:50, with 10 kWh to go."""
    home = Home().until("11T06:50").plug()
    assert home.doc["state"] == "ACTIVE:REGULAR"
    (span,) = spans(home.doc)
    assert span[:2] == ("REGULAR", "11T06:50:00")
    assert span[2] in ("11T07:45:00", "11T08:00:00")
    assert home.target == regular()
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] == 37
    assert "11T07:44:00" <= short(home.outcome["minimumChargeTargetReachedAt"]) <= "11T07:48:00"
    home.until("11T07:20")
    assert home.state.facts.charging
    assert home.target == regular()
    assert home.outcome["batteryLevelAtReadyBy"] == 37
    assert home.errors() == []
    home.until("11T07:43").unplug().until("11T07:45")
    assert [span[:2] for span in spans(home.last)] == [("REGULAR", "11T06:50:00")]
    assert home.last["target"]["latest"] == regular()
    assert home.last["outcome"]["latest"] == off_target(37), "what was at the deadline"
    assert kwh_sum(home.last) == home.delivered_kwh


def test_an_empty_battery_gets_its_reserve_at_once_and_the_rest_when_it_is_cheap() -> None:
    """S-43: 8 % at plug-in, a reserve of 20 %."""
    home = Home(assumed=8).until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:BATTERY_RESERVE"
    assert spans(home.doc) == [
        ("BATTERY_RESERVE", "10T22:15:00", "10T23:15:00"),
        ("REGULAR", "11T01:00:00", "11T03:00:00"),
    ]
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    home.until("10T22:50")
    assert home.doc["state"] == "ACTIVE:BATTERY_RESERVE"
    home.until("10T23:05")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert not home.state.facts.charging
    reserve = home.doc["blocks"][0]
    assert reserve["kwhSum"] == pytest.approx(8, abs=0.2)
    assert near(reserve["endAt"], "10T22:59:00", 61), "8 kWh at 11 kW"
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": reserve["kwhSum"], "batteryFrom": 8, "batteryTo": 20}
    home.until("11T06:50").unplug().until("11T06:52")
    assert [span[:2] for span in spans(home.last)] == [
        ("BATTERY_RESERVE", "10T22:15:00"),
        ("REGULAR", "11T01:00:00"),
    ]
    assert home.last["blocks"][0] == reserve
    assert home.last["statistics"]["aggregated"]["batteryFrom"] == 8
    assert home.last["statistics"]["aggregated"]["batteryTo"] >= 50
    assert home.last["outcome"]["latest"] == ON_TARGET
    assert home.errors() == []


def stops_at(level: int) -> Home:
    """A car that stops by itself ten percent after 01:00, at 01:36:22, with 90 % wanted."""
    home = Home(goal=90, assumed=level - 10).until("10T22:15").plug().until("11T01:36:22")
    home.box.car_takes = False
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=float(level)))
    return home.status(Activity.SUSPENDED_EV)


@pytest.mark.parametrize("level", [pytest.param(88, id="full"), pytest.param(80, id="at-its-own-limit")])
def test_a_car_that_has_enough_before_its_target_is_believed_after_ten_minutes(level: int) -> None:
    """S-43, with L01."""
    home = stops_at(level).until("11T01:46:00")
    assert spans(home.doc)[-1][2] > "11T01:46:00", "it may be a whim"
    home.until("11T01:47:30")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert [span[:2] for span in spans(home.doc)] == [("REGULAR", "11T01:00:00")]
    assert near(home.doc["blocks"][0]["endAt"], "11T01:36:22", 40)
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == level
    assert home.target == regular(90)
    assert home.outcome == off_target(level)
    assert home.error is None
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.errors() == []
    assert len(home.sent(StartTransaction)) == 1, "it is not asked again and again"
    assert not home.sent(StopTransaction)
    assert home.last["statistics"]["aggregated"]["batteryFrom"] == level - 10
    assert home.last["statistics"]["aggregated"]["batteryTo"] == level
    assert home.last["outcome"]["latest"] == off_target(level)
    assert kwh_sum(home.last) == home.delivered_kwh


def test_a_full_car_that_tops_up_now_and_then_is_one_visit_without_an_error() -> None:
    """S-43, with C01: every ten minutes it takes 1.4 kW for half a minute."""
    home = stops_at(88)
    home.box.watts = 1400.0
    for minute in range(46, 120, 10):
        home.until(f"11T{1 + minute // 60:02}:{minute % 60:02}:10")
        if home.box.limit_a < 6:
            break
        home.box.car_takes = True
        home.status(Activity.CHARGING).sample()
        home.until(f"11T{1 + minute // 60:02}:{minute % 60:02}:40")
        home.box.car_takes = False
        home.sample()
        home.status(Activity.SUSPENDED_EV)
    assert home.delivered_kwh > 6.68, "at least one"
    home.until("11T06:50").unplug().until("11T06:52")
    assert len(home.settled) == 1
    assert home.errors() == []
    assert len(home.sent(StartTransaction)) == 1
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.last["outcome"]["latest"]["state"] == "OFF_TARGET"
    assert home.last["outcome"]["latest"]["batteryLevelAtReadyBy"] in (88, 89)


def test_a_car_that_stands_at_its_own_limit_is_not_started() -> None:
    """S-43: it tells that it stops at 80 %, and has 80 %; 90 % are wanted."""
    home = Home(goal=90).until("10T22:14")
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=80.0, limit_pct=80.0))
    home.box.car_takes = False
    home.until("10T22:15").plug().until("11T02:00")
    assert home.errors() == []
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["blocks"] == []
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 80, "batteryTo": 80}
    assert home.target == regular(90)
    assert home.outcome == off_target(80)
    assert not home.sent(StartTransaction)


TWO_NIGHTS = prices("10T18:00", [0.4] * 7 + [0.1] + [0.4] * 23 + [0.05] + [0.4] * 6)
"""Cheapest from 01:00 to 02:00 of both nights."""


def retold(home: Home, kind: type) -> list[Event]:
    """What of a kind was told so far."""
    return [event for _, event in home.history if isinstance(event, kind)]


def the_stop_again(home: Home) -> None:
    for _ in range(2):
        home.tell(retold(home, TransactionEnded)[-1])


def its_samples_again(home: Home) -> None:
    for event in retold(home, MeterSampled)[-12:]:
        home.tell(event)
    home.tell(retold(home, TransactionEnded)[-1])


def the_register_anew(home: Home) -> None:
    home.box.register = 0.0
    home.sample()


@pytest.mark.parametrize("late", [the_stop_again, its_samples_again, the_register_anew])
def test_what_a_charger_tells_once_more_changes_no_visit(late: object) -> None:
    """S-46, with D06 and E07: the visit was settled at 06:51, and the next begins at 07:05."""
    home = Home(curve=TWO_NIGHTS).until("10T22:15").plug().until("11T06:50").unplug().until("11T06:55")
    (first,) = home.settled
    before = home.doc
    late(home)  # type: ignore[operator]
    home.until("11T07:04")
    assert home.settled == [first]
    assert before["state"] == home.doc["state"] == "UPCOMING"
    assert home.doc["statistics"] == NO_STATISTICS
    assert "energy.unattributed" not in home.notes(), "it was counted already"

    base = round(home.box.register)
    home.until("11T07:05").plug()
    late(home)  # type: ignore[operator]
    base = min(base, round(home.box.register))
    home.until("11T07:31")
    assert kwh_sum(home.doc) == 0
    assert rates(home.doc) == {"11T07:05": 0, "11T07:15": 0}
    home.boost(45)
    home.until("11T09:00").unplug().until("11T09:02")
    assert len(home.settled) == 2
    assert kwh_sum(home.last) == (round(home.box.register) - base) / 1000 > 6
    assert home.errors() == []


def leaves_without_a_stop() -> Home:
    """The car leaves at 02:10; the meter was last read at 02:00, and no stop is told."""
    home = Home(goal=60, sample_every=timedelta(minutes=2))
    home.until("10T22:15").plug().until("11T02:00")
    home.sample_every = timedelta(hours=6)
    home.until("11T02:10")
    home.box.plugged = False
    says_gone(home)
    return home


def the_stop(home: Home) -> None:
    home.tell(
        TransactionEnded(
            charger_id=GARAGE,
            reply_to=ReplyTo("late"),
            transaction_id=TransactionId(str(home.box.transaction)),
            reason="EVDisconnected",
            register_wh=round(home.box.register),
            measured_at=utc("11T02:10"),
        )
    )


def an_idle_reading(home: Home) -> None:
    home.tell(MeterSampled(charger_id=GARAGE, register_wh=round(home.box.register), power_w=0.0))


@pytest.mark.parametrize("tells", [the_stop, an_idle_reading])
def test_energy_told_after_the_end_of_a_visit_is_noted_and_nobodys(tells: object) -> None:
    """S-46: ten minutes of 11 kW come to light at 02:40, when the visit has been settled."""
    home = leaves_without_a_stop().until("11T02:40")
    (first,) = home.settled
    assert first.document["pluggedOutAt"] == "2025-06-11T02:10:00Z"
    assert kwh_sum(first.document) == 11
    tells(home)  # type: ignore[operator]
    home.box.transaction = None
    home.until("11T02:50")
    assert home.settled == [first]
    assert home.doc["state"] == "UPCOMING"
    assert home.doc["statistics"] == NO_STATISTICS
    notes = [note for note in home.sent(Note) if note.name == "energy.unattributed"]
    assert len(notes) == 1
    assert "1.833" in notes[0].message
    assert notes[0].charger_id == GARAGE

    home.until("11T02:59")
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=80.0))
    home.until("11T03:00").plug()
    an_idle_reading(home)
    home.until("11T03:16")
    assert kwh_sum(home.doc) == 0
    assert rates(home.doc) == {"11T03:00": 0}
    assert home.doc["blocks"] == []
    assert home.notes().count("energy.unattributed") == 1


def test_a_stop_that_comes_while_the_visit_is_still_open_is_counted_once() -> None:
    """S-46, with K34: the end is told five minutes after the plug-out, and then again."""
    home = leaves_without_a_stop().until("11T02:15")
    assert home.settled == []
    the_stop(home)
    home.until("11T02:16:30")
    (first,) = home.settled
    assert first.document["pluggedOutAt"] == "2025-06-11T02:10:00Z"
    assert kwh_sum(first.document) == home.delivered_kwh == 12.833
    assert spans(first.document) == [("REGULAR", "11T01:00:00", "11T02:10:00")]
    the_stop(home)
    home.box.transaction = None
    home.until("11T02:30")
    assert home.settled == [first]
    assert home.doc["statistics"] == NO_STATISTICS
    assert "energy.unattributed" not in home.notes()


def test_samples_that_come_after_the_end_count_for_the_past_and_not_for_now() -> None:
    """S-46: the end and the plug-out are told, and then three samples of the time before, with their transaction."""
    home = Home().until("10T22:15").plug().until("11T01:20").unplug().until("11T01:20:05")
    for event in retold(home, MeterSampled)[-3:]:
        home.tell(event)
    assert not home.state.facts.charging
    assert document.charger(home.state)["transactionId"] is None
    home.until("11T01:22")
    (stored,) = home.settled
    assert stored.document["pluggedOutAt"] == "2025-06-11T01:20:00Z"
    assert spans(stored.document) == [("REGULAR", "11T01:00:00", "11T01:20:00")]
    assert kwh_sum(stored.document) == home.delivered_kwh == 3.667
    assert home.doc["state"] == "UPCOMING"
    assert home.errors() == []


def test_limits_and_stops_of_the_last_visit_are_not_sent_in_the_next() -> None:
    """S-46: what was still to be asked when the car left is asked no more."""
    home = Home().until("10T22:15").plug().until("11T01:54")
    home.box.obeys_stop = False
    home.until("11T01:56")
    before = len(home.sent(SetCurrentLimit)) + len(home.sent(StopTransaction))
    home.unplug().until("11T02:30")
    assert len(home.sent(SetCurrentLimit)) + len(home.sent(StopTransaction)) == before
    assert home.doc["state"] == "UPCOMING"
    assert home.error is None
