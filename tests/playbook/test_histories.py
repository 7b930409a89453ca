"""Histories that random search found, retold: what was wrong in them must not come back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chargerd.core.commands import SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.events import (
    Activity,
    ChargerOnline,
    Failure,
    MeterSampled,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.ids import ReplyTo, TransactionId
from tests.support.home import CAR, GARAGE, Home, prices, utc

TWO_VALLEYS = prices("10T18:00", [0.4] * 6 + [0.1, 0.3, 0.1, 0.1, 0.1, 0.4, 0.4, 0.4])


def status(home: Home, *, plugged: bool | None = None, activity: Activity | None = None, at: str | None = None) -> None:
    measured_at = None if at is None else utc(at)
    home.tell(StatusReported(charger_id=GARAGE, plugged=plugged, activity=activity, measured_at=measured_at))


def kwh_sum(home: Home, index: int = -1) -> float:
    found = home.settled[index].document["statistics"]["aggregated"]["kwhSum"]
    assert isinstance(found, float | int)
    return found


def test_the_target_in_force_at_plug_out_is_the_one_that_is_judged() -> None:
    home = Home().until("10T22:15").plug().until("11T06:55")
    home.box.plugged = False
    status(home, plugged=False, activity=Activity.IDLE)
    home.until("11T07:06")
    doc = home.settled[0].document
    assert doc["target"]["latest"]["readyBy"] == "2025-06-11T07:00:00Z", "the deadline passed while it was settling"
    assert doc["outcome"]["latest"]["state"] == "ON_TARGET"


def test_a_wish_told_while_a_visit_is_settling_is_judged_with_its_own_outcome() -> None:
    home = Home().until("10T22:15").plug().until("10T22:30").unplug()
    home.boost(90)
    assert home.outcome["targetId"] == home.target["id"]
    assert home.doc["state"] == "ACTIVE:REGULAR", "nothing is done any more"
    home.until("10T22:35")
    assert home.settled[0].document["outcome"]["latest"]["type"] == "IMMEDIATE_START"


def test_another_battery_reserve_makes_other_targets() -> None:
    home = Home().until("10T22:15").plug()
    home.override(60, "11T07:00")
    home.reserve = 30
    home.tell(home.configuration())
    assert (home.target["id"], home.target["batteryReserve"]) == (4, 30)
    home.cancel()
    assert (home.target["id"], home.target["source"]) == (3, "POLICY")


def test_another_battery_reserve_without_any_target_changes_none() -> None:
    home = Home()
    for reserve in (20, 30):
        policy = replace(home.policy(), schedule=(None,) * 7, battery_reserve=reserve)
        home.tell(replace(home.configuration(), policies=(policy,)))
    assert home.target is None


def test_energy_told_with_the_end_of_a_transaction_is_not_counted_in_the_next_visit_too() -> None:
    home = Home().until("10T22:15").plug()
    home.boost(80)
    home.until("10T22:20:30").unplug().until("10T22:30").plug()
    home.until("10T22:35").unplug().until("10T22:40")
    assert kwh_sum(home, 0) + kwh_sum(home, 1) == pytest.approx((round(home.box.register) - 100_000) / 1000)


def test_the_first_word_of_a_register_may_come_with_the_end_of_a_transaction() -> None:
    home = Home()
    home.tell(
        TransactionEnded(
            charger_id=GARAGE, reply_to=ReplyTo("e"), transaction_id=TransactionId("7"), register_wh=100_000
        )
    )
    home.until("10T22:15").plug()
    home.tell(MeterSampled(charger_id=GARAGE, register_wh=100_050, power_w=0.0))
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == 0.05


def test_an_end_that_is_told_again_does_not_turn_the_register_back() -> None:
    home = Home()
    home.tell(MeterSampled(charger_id=GARAGE, register_wh=100_000, power_w=0.0))
    home.until("10T22:00")
    old = TransactionEnded(
        charger_id=GARAGE,
        reply_to=ReplyTo("e"),
        transaction_id=TransactionId("7"),
        register_wh=90_000,
        measured_at=utc("10T19:59"),
    )
    home.offline().online()
    home.tell(old)
    reading = home.state.facts.reading
    assert reading is not None
    assert reading.register_wh == 100_000


def test_a_reading_from_before_plug_in_that_comes_late_adds_nothing_to_the_visit() -> None:
    home = Home().until("10T22:00")
    home.tell(MeterSampled(charger_id=GARAGE, register_wh=100_000, power_w=0.0))
    home.until("10T22:15").plug().until("10T22:20").offline().online()
    for register, at in ((100_700, "10T22:10"), (100_300, "10T22:05")):
        home.tell(MeterSampled(charger_id=GARAGE, register_wh=register, power_w=0.0, measured_at=utc(at)))
    home.tell(MeterSampled(charger_id=GARAGE, register_wh=100_750, power_w=0.0))
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == 0.05


def test_a_reading_from_before_plug_in_is_the_base_where_there_is_none() -> None:
    home = Home().until("10T22:15").plug().offline().online()
    home.tell(MeterSampled(charger_id=GARAGE, register_wh=100_700, power_w=0.0, measured_at=utc("10T22:10")))
    home.until("10T22:16")
    home.tell(MeterSampled(charger_id=GARAGE, register_wh=100_750, power_w=0.0))
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == 0.05


def test_an_old_word_that_nothing_flows_does_not_end_a_block_before_it_began() -> None:
    home = Home().until("10T22:15").plug()
    home.boost(80)
    home.until("10T22:30")
    status(home, activity=Activity.SUSPENDED_EVSE, at="10T22:00")
    assert home.state.facts.stopped_at == utc("10T22:30"), "the meter showed power until then"


def test_an_old_word_of_plug_out_ends_the_visit_where_power_was_last_seen() -> None:
    home = Home().until("10T22:15").plug()
    home.boost(80)
    home.until("10T22:30")
    status(home, plugged=False, activity=Activity.IDLE, at="10T22:00")
    home.box.plugged, home.box.transaction = False, None
    home.until("10T22:45")
    doc = home.settled[0].document
    assert doc["pluggedOutAt"] == "2025-06-10T22:30:00Z"
    assert sum(block["kwhSum"] for block in doc["blocks"]) == doc["statistics"]["aggregated"]["kwhSum"]


def test_a_block_that_ends_before_it_began_never_was_and_its_energy_is_kept() -> None:
    home = Home().until("10T22:15").plug()
    home.boost(80)
    home.until("10T22:30:30")
    home.cancel()
    home.box.obeys_stop = False
    status(home, activity=Activity.SUSPENDED_EVSE, at="10T22:30:10")
    home.until("10T22:40").unplug().until("10T22:45")
    doc = home.settled[0].document
    assert all(block["endAt"] > block["startAt"] for block in doc["blocks"])
    assert sum(block["kwhSum"] for block in doc["blocks"]) == pytest.approx(kwh_sum(home))


def test_a_plug_out_told_after_ten_minutes_settles_at_once() -> None:
    home = Home().until("10T22:15").plug().until("10T23:00")
    home.box.plugged = False
    status(home, plugged=False, activity=Activity.IDLE, at="10T22:40")
    assert home.settled[0].document["pluggedOutAt"] == "2025-06-10T22:40:00Z"


def test_what_a_second_policy_lacks_is_said_while_the_first_ones_car_is_plugged() -> None:
    home = Home()
    plain = home.configuration()
    second = replace(plain.policies[0], policy_id="0b0e5f4e-3c1b-4c52-9a0e-6f3e6b1d2c11")
    home.tell(replace(plain, policies=(*plain.policies, second)))
    home.plug().able(can_start=False, can_limit=False)
    assert [slot.session.error is not None for slot in home.state.slots] == [True, True]


def test_no_error_flashes_up_after_a_restart() -> None:
    home = Home()
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T00:59:55").offline().until("11T01:02").online().until("11T01:03:30")
    assert home.error is None, "the first command went out at 01:02:10"
    home.restart()
    assert home.error is None


def test_a_restart_in_the_middle_of_a_ladder_keeps_the_hope_that_there_was() -> None:
    home = Home()
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T01:05")
    before = home.outcome
    assert before["minimumChargeTargetReachedAt"] is not None
    home.restart()
    assert home.outcome == before


def test_a_charger_that_ends_each_transaction_at_once_is_not_started_for_ever() -> None:
    home = Home().until("10T22:15").plug().until("11T00:59")
    for minute in range(60, 120):
        home.until(f"11T{minute // 60:02}:{minute % 60:02}:30")
        if home.box.transaction is not None:
            home.sample()
            home._end_transaction("Other")
            status(home, plugged=True, activity=Activity.EV_CONNECTED)
    assert len(home.sent(StartTransaction)) == 4
    assert home.error == {"type": "START_FAIL"}


def test_a_charger_that_resumes_by_itself_is_stopped_by_the_next_rung() -> None:
    home = Home().until("10T22:15").plug().start_box().until("10T22:17")
    home.box.limit_a = 16.0
    home.until("10T22:19")
    assert not home.sent(StopTransaction)
    home.box.limit_a = 16.0
    home.until("10T22:21")
    assert home.sent(StopTransaction), "a limit that does not last is followed by a stop"


def test_a_car_that_was_paused_is_not_full_because_it_said_so_during_the_pause() -> None:
    home = Home(goal=80, curve=TWO_VALLEYS).until("10T22:15").plug().until("11T01:30")
    status(home, activity=Activity.SUSPENDED_EV)
    home.box.car_takes = False
    home.until("11T02:05")
    assert not home.state.slots[0].session.car_is_full, "current has been offered for five minutes only"
    home.until("11T02:11")
    assert not home.state.slots[0].session.car_is_full, "it may be asleep after the pause, and is being woken"
    home.until("11T02:20")
    assert home.state.slots[0].session.car_is_full, "a new transaction did not wake it"
    assert home.error is None


def test_a_car_that_suspended_before_its_transaction_ended_is_started_again() -> None:
    home = Home().until("10T22:15").plug().until("11T01:20")
    status(home, activity=Activity.SUSPENDED_EV)
    home.box.transaction, ended = None, home.box.transaction
    home.tell(TransactionEnded(charger_id=GARAGE, reply_to=ReplyTo("e"), transaction_id=TransactionId(str(ended))))
    home.until("11T01:25")
    assert home.state.facts.charging


def test_a_start_that_is_told_again_after_the_end_opens_nothing() -> None:
    home = Home().until("10T22:15").plug()
    started = TransactionStarted(charger_id=GARAGE, reply_to=ReplyTo("s"), transaction_id=TransactionId("tx-1"))
    ended = TransactionEnded(charger_id=GARAGE, reply_to=ReplyTo("e"), transaction_id=TransactionId("tx-1"))
    home.tell(started)
    home.tell(ended)
    home.tell(started)
    assert home.state.facts.transaction is None


def test_a_transaction_that_a_power_cut_ended_does_not_keep_the_car_from_being_started() -> None:
    home = Home().until("10T22:15").plug().until("11T01:10").offline()
    home.box.transaction = None
    home.until("11T01:20").online()
    status(home, plugged=True, activity=Activity.EV_CONNECTED)
    status(home, plugged=True, activity=Activity.SUSPENDED_EV)
    status(home, plugged=True, activity=Activity.EV_CONNECTED)
    home.until("11T01:30")
    assert home.state.facts.charging


def test_a_transaction_that_delivers_nothing_and_cannot_be_ended_is_taken_for_lost() -> None:
    home = Home().until("10T22:15").plug().until("10T22:30")
    home.tell(TransactionStarted(charger_id=GARAGE, reply_to=ReplyTo("s"), transaction_id=TransactionId("tx-1")))
    home.box.transaction, home.box.limit_a = None, 16.0
    home.until("11T01:10")
    assert home.error == {"type": "START_FAIL"}
    assert not home.sent(StartTransaction)
    home.until("11T01:30")
    assert home.state.facts.charging, "the last rung begins another"
    assert home.error is None


def test_a_transaction_that_turns_out_to_be_lost_is_followed_by_another_at_once() -> None:
    home = Home().until("10T22:15").plug().until("11T00:30")
    home.tell(TransactionStarted(charger_id=GARAGE, reply_to=ReplyTo("s"), transaction_id=TransactionId("tx-1")))
    home.box.transaction, home.box.limit_a = None, 16.0
    home.until("11T01:04")
    assert home.error == {"type": "START_FAIL"}
    status(home, plugged=True, activity=Activity.EV_CONNECTED)
    home.until("11T01:05")
    assert home.state.facts.charging
    assert home.error is None


def test_a_charger_that_says_that_the_car_is_merely_connected_is_believed_though_its_meter_is_silent() -> None:
    home = Home().until("10T22:15").plug().until("11T01:10")
    home.box.transaction = None
    status(home, activity=Activity.EV_CONNECTED)
    assert not home.state.facts.charging
    home.until("11T01:15")
    assert home.state.facts.charging, "it was started again"


def test_a_charger_that_tells_of_its_plug_only_is_started_again_in_the_next_visit() -> None:
    home = Home().until("10T22:15").plug().until("11T01:10")
    home.box.transaction, home.box.plugged = None, False
    status(home, plugged=False)
    assert not home.state.facts.charging
    home.until("11T01:25")
    status(home, plugged=True)
    home.box.plugged = True
    home.until("11T01:30")
    assert home.state.facts.charging


def test_a_transaction_whose_end_nobody_told_is_over_with_its_visit() -> None:
    home = Home().until("10T22:15").plug().until("11T01:10")
    home.box.transaction, home.box.plugged = None, False
    status(home, plugged=False, activity=Activity.IDLE)
    home.until("11T01:25").plug().until("11T01:30")
    assert home.state.facts.charging


def test_visits_do_not_overlap_though_a_plug_is_dated_back() -> None:
    home = Home().until("10T22:15").plug().until("10T22:30").unplug().until("10T22:40")
    status(home, plugged=True, activity=Activity.EV_CONNECTED, at="10T22:20")
    assert home.doc["pluggedInAt"] == "2025-06-10T22:30:00Z"


@pytest.mark.parametrize(
    ("level", "at", "known"),
    [
        pytest.param(41.0, None, 41, id="fresh"),
        pytest.param(65_535.0, None, 35, id="impossible"),
        pytest.param(-1.0, None, 35, id="negative"),
        pytest.param(float("nan"), None, 35, id="not-a-number"),
        pytest.param(41.0, "10T20:10", 35, id="too-old"),
        pytest.param(41.0, "10T23:00", 41, id="from-a-clock-ahead"),
    ],
)
def test_a_level_that_cannot_be_true_of_now_is_ignored(level: float, at: str | None, known: int) -> None:
    home = Home().until("10T22:15").plug()
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=level, measured_at=None if at is None else utc(at)))
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == known


def test_a_level_that_another_overtook_is_ignored() -> None:
    home = Home().until("10T22:15").plug()
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=60.0))
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=40.0, measured_at=home.now - timedelta(minutes=5)))
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 60


def test_what_a_car_tells_after_it_left_is_not_the_visits() -> None:
    home = Home().until("10T22:15").plug().until("10T22:30").unplug()
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=20.0))
    home.until("10T22:35")
    assert home.settled[0].document["statistics"]["aggregated"]["batteryTo"] == 35


def test_cancelling_nothing_does_not_stop_what_missed_its_deadline() -> None:
    home = Home(goal=90).until("11T05:00").plug().until("11T07:30")
    home.cancel()
    assert home.target["id"] == 1
    home.until("11T07:45")
    assert home.state.facts.charging


def test_a_replug_waits_for_the_outcomes_of_commands_under_way() -> None:
    home = Home()
    home.until("10T22:15").plug()
    home._obey = lambda command: None  # type: ignore[method-assign]
    home.boost(80)
    assert len(home.state.control.in_flight) == 2
    home.unplug().until("10T22:15:10").plug().until("10T22:15:40")
    assert len(home.sent(SetCurrentLimit)) == 1
    home.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"))
    home.until("10T22:15:51")
    assert len(home.sent(SetCurrentLimit)) == 2, "over a new connection the old outcomes will not come"


def test_a_refused_start_is_told_apart_from_a_ladder_at_its_end() -> None:
    home = Home()
    home.box.failure = Failure.REFUSED
    home.until("10T22:15").plug().until("11T01:04")
    assert home.outcome["minimumChargeTargetReachedAt"] is not None
    home.until("11T01:30")
    assert home.outcome["minimumChargeTargetReachedAt"] is None


def test_one_mad_reading_of_a_meter_that_counts_watt_hours_is_not_taken_for_another_unit() -> None:
    home = Home(sample_every=timedelta(seconds=170)).until("10T20:01:01").plug()
    home.boost(80)
    home.until("10T20:10:41")
    mad_wh = round(home.box.register) + 50_000
    home.tell(MeterSampled(charger_id=GARAGE, measured_at=home.now, register_wh=mad_wh, power_w=0.0))
    home.until("10T20:11:43").stop_box("EVDisconnected").unplug().until("10T20:20")
    assert home.last["statistics"]["aggregated"]["kwhSum"] >= 1.6
