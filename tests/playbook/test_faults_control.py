"""Wishes that come twice, chargers that do not obey, cannot obey, or are gone for good."""

from datetime import timedelta

import pytest

from chargerd.core import document
from chargerd.core.commands import ChargerCommand, SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.decide import initial
from chargerd.core.events import Activity, Failure
from tests.support.home import Home, prices
from tests.support.reading import (
    NO_STATISTICS,
    ON_TARGET,
    START_FAIL,
    STOP_FAIL,
    kwh_sum,
    near,
    rates,
    regular,
    short,
    spans,
)


def off_target(level: int, reached_at: str | None = None) -> dict[str, object]:
    return {
        "type": "REGULAR",
        "targetId": 1,
        "state": "OFF_TARGET",
        "batteryLevelAtReadyBy": level,
        "minimumChargeTargetReachedAt": reached_at,
    }


def boosted() -> Home:
    """A boost to 80 % of 22:20 is in force at 22:30."""
    home = Home().until("10T22:15").plug().until("10T22:20")
    assert home.boost(80, issued_at="10T22:20") is None
    return home.until("10T22:30")


BOOST = {"id": 2, "type": "IMMEDIATE_START", "minimumChargeTarget": 80}


def test_a_wish_that_is_delivered_twice_is_one_wish() -> None:
    """S-27: the broker flaps, and delivers once more."""
    home = boosted()
    assert home.boost(80, issued_at="10T22:20") is None
    home.until("10T22:36")
    assert home.doc["state"] == "ACTIVE:IMMEDIATE_START"
    assert [span[:2] for span in spans(home.doc)] == [("IMMEDIATE_START", "10T22:20:00")]
    assert kwh_sum(home.doc) == home.doc["blocks"][0]["kwhSum"] == home.delivered_kwh
    assert rates(home.doc)["10T22:15"] == pytest.approx(11 * 2 / 3, abs=0.01)
    assert home.target == BOOST
    assert home.outcome["type"] == "IMMEDIATE_START"
    assert home.outcome["targetId"] == 2
    assert "11T01:03:00" <= short(home.outcome["minimumChargeTargetReachedAt"]) <= "11T01:18:00", "30 kWh"
    assert home.errors() == []
    assert len(home.sent(StartTransaction)) == 1
    home.boost(85, issued_at="10T22:36")
    assert home.target["id"] == 3, "the id was counted up once"


@pytest.mark.parametrize("wish", ["boost", "override", "cancel"])
def test_an_older_wish_that_comes_late_is_rejected(wish: str) -> None:
    """S-27: it was issued at 22:10, before the one in force."""
    home = boosted()
    late = {
        "boost": lambda: home.boost(60, issued_at="10T22:10"),
        "override": lambda: home.override(90, "11T08:00", issued_at="10T22:10"),
        "cancel": lambda: home.cancel(issued_at="10T22:10"),
    }
    before = home.doc
    assert late[wish](), "the answer says why, in words"
    assert home.doc == before
    home.until("10T22:40")
    assert home.doc["state"] == "ACTIVE:IMMEDIATE_START"
    assert home.target == BOOST
    assert home.state.facts.charging
    assert [span[:2] for span in spans(home.doc)] == [("IMMEDIATE_START", "10T22:20:00")]


def test_a_wish_that_was_taken_back_does_not_return_with_a_late_copy() -> None:
    """S-27: issued at 22:20, cancelled at 22:30, and delivered again at 22:31."""
    home = boosted()
    assert home.cancel(issued_at="10T22:30") is None
    home.until("10T22:31")
    assert home.boost(80, issued_at="10T22:20")
    home.until("10T22:40")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.target == regular()
    assert not home.state.facts.charging
    assert [span[:2] for span in spans(home.doc)] == [("IMMEDIATE_START", "10T22:20:00"), ("REGULAR", "11T01:00:00")]


def test_a_newer_wish_goes_before_an_older_one() -> None:
    """S-27: also one that says nothing of its age."""
    home = boosted()
    assert home.override(90, "11T08:00", issued_at="10T22:25") is None
    assert home.target["source"] == "USER_OVERRIDE"
    assert home.boost(70) is None
    assert home.target == {"id": 4, "type": "IMMEDIATE_START", "minimumChargeTarget": 70}
    assert home.cancel() is None
    assert home.target == regular()


def replaced() -> Home:
    """A charger that is taken from the wall at 01:20:30, in a block, with the car plugged in."""
    return Home().until("10T22:15").plug().until("11T01:20:30").offline()


def test_a_visit_at_a_charger_that_never_returns_is_settled_after_a_day() -> None:
    """S-28: the car left when it was last seen; its energy ends with the last sample."""
    home = replaced().until("11T01:25")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.error == START_FAIL
    assert home.outcome == off_target(40)
    home.until("12T01:20")
    assert home.settled == []
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert kwh_sum(home.doc) == 3.667
    home.until("12T01:21")
    (stored,) = home.settled
    doc = stored.document
    assert doc["state"] == "SETTLED"
    assert doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    assert "11T01:20:00" <= short(doc["pluggedOutAt"]) <= "11T01:20:30"
    assert [span[:2] for span in spans(doc)] == [("REGULAR", "11T01:00:00")]
    assert doc["blocks"][0]["kwhSum"] == 3.667
    assert doc["statistics"]["aggregated"] == {"kwhSum": 3.667, "batteryFrom": 35, "batteryTo": 40}
    assert len(doc["statistics"]["timeseries"]) == 13
    assert doc["target"]["latest"] == regular()
    assert doc["outcome"]["latest"] == off_target(40)
    assert doc["error"]["latest"] is None


def test_after_a_charger_was_given_up_the_policy_waits_for_another() -> None:
    """S-28: nothing is known of any plug, so the next session is upcoming, for as long as it takes."""
    home = replaced().until("12T01:21")
    for at in ("12T01:30", "13T12:00"):
        home.until(at)
        assert home.doc["state"] == "UPCOMING"
        assert home.doc["blocks"] == []
        assert home.doc["statistics"] == NO_STATISTICS
        assert home.outcome is None
        assert home.error is None
        assert home.target["source"] == "POLICY"
        assert home.target["id"] == 1
    assert len(home.settled) == 1
    assert home.target == regular(ready_by="2025-06-14T07:00:00Z")


def test_a_charger_that_returns_within_the_day_finds_its_visit() -> None:
    """S-28, the other way: it was only away."""
    home = replaced()
    home.box.car_takes = False
    home.until("12T00:20").online().status().sample()
    home.until("12T00:30")
    assert home.settled == []
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    assert kwh_sum(home.doc) == home.delivered_kwh == 3.758


def test_energy_of_a_charger_that_returns_after_it_was_given_up_is_nobodys() -> None:
    """S-28, with the rule of late energy: it charged on for an hour after it was lost."""
    home = replaced().until("11T02:20:30")
    home.box.car_takes = False
    home.until("12T02:00").online().status().sample()
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-12T02:00:00Z"
    assert kwh_sum(home.doc) == 0
    home.until("12T02:30")
    assert kwh_sum(home.doc) == 0
    assert set(rates(home.doc).values()) == {0}
    assert len(home.settled) == 1
    assert home.notes().count("energy.unattributed") == 1


SLOPE = prices("10T18:00", [0.4, 0.4, 0.35, 0.35, 0.3, 0.3, 0.25, 0.1, 0.12, 0.15, 0.18, 0.3, 0.4, 0.4, 0.4])
"""Cheapest from 01:00 on, a little dearer with every hour."""


def nothing_flows(how: str) -> Home:
    home = Home(goal=88, curve=SLOPE)
    if how == "silence":
        home.box.obeys_start = False
    else:
        home.box.car_takes = False
    return home.until("10T22:15").plug()


def woken(home: Home) -> None:
    home.box.car_takes = True
    if home.box.transaction is None:
        home.start_box()
    else:
        home.status(Activity.CHARGING)


@pytest.mark.parametrize("how", ["silence", "asleep"])
def test_a_car_that_is_woken_by_its_owner_is_charged_after_all(how: str) -> None:
    """S-31, with F01 (accepted, then silence) and F24 (a transaction without power); woken at 03:10."""
    home = nothing_flows(how).until("11T01:02:50")
    assert home.error is None
    home.until("11T01:04")
    assert home.error == START_FAIL
    assert home.doc["state"] == "ACTIVE:REGULAR"
    (block,) = home.doc["blocks"]
    assert (block["type"], block["kwhSum"], block["startAt"]) == ("REGULAR", 0, "2025-06-11T01:00:00Z")
    assert "11T04:30:00" <= short(block["endAt"]) <= "11T04:45:00"
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 35, "batteryTo": 35}
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] == 35
    assert "11T10:12:00" <= short(home.outcome["minimumChargeTargetReachedAt"]) <= "11T10:24:00", "35 kWh after 07:00"

    home.until("11T03:09:50")
    assert home.error == START_FAIL
    assert home.outcome == off_target(35), "no attempt is left"
    assert set(rates(home.doc).values()) == {0}
    assert len(home.sent(StartTransaction)) <= 4
    assert len(home.sent(ChargerCommand)) <= 8, "a charger is not nagged"

    home.until("11T03:10")
    woken(home)
    home.until("11T03:11:30")
    assert home.error is None, "within a minute of power"
    home.until("11T03:16")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    (block,) = home.doc["blocks"]
    assert near(block["startAt"], "11T03:10:30", 31), "observed"
    assert "11T06:30:00" <= short(block["endAt"]) <= "11T07:00:00"
    assert block["kwhSum"] == kwh_sum(home.doc) == home.delivered_kwh
    assert rates(home.doc)["11T03:00"] == pytest.approx(3.667, abs=0.01)
    assert {rate for start, rate in rates(home.doc).items() if start < "11T03:00"} == {0}
    assert home.target == regular(88)
    assert home.outcome == ON_TARGET
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.last["statistics"]["aggregated"]["batteryTo"] == 88
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.errors() == ["START_FAIL"]


def test_a_car_that_fell_asleep_in_a_pause_is_woken_by_a_new_transaction() -> None:
    """S-31, with F24: it ignores current that is offered in the transaction in which it was paused."""
    home = Home().until("10T22:15").plug().start_box().until("10T22:45")
    assert home.box.limit_a == 0
    home.box.sleeps = True
    home.until("11T01:45")
    assert home.state.facts.charging
    assert home.error is None
    assert 1 <= len(home.sent(StopTransaction)) <= 3
    assert len(home.sent(StartTransaction)) <= 4
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.last["outcome"]["latest"] == ON_TARGET
    assert kwh_sum(home.last) == home.delivered_kwh


def goes_on_at_7_kw() -> Home:
    """50 % are reached at 02:26, and the charger accepts every stop and goes on."""
    home = Home(charge_max_w=7000.0)
    home.box.watts = 7000.0
    home.until("10T22:15").plug().until("11T02:20")
    home.box.obeys_stop = False
    return home


def test_charging_that_does_not_stop_is_said_measured_and_kept_in_its_block() -> None:
    """S-32"""
    home = goes_on_at_7_kw().until("11T02:27:50")
    assert home.errors() == []
    home.until("11T02:28:10")
    assert home.error == STOP_FAIL
    home.until("11T02:40")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert spans(home.doc) == [("REGULAR", "11T01:00:00", "11T02:40:00")], "the block goes on with the energy"
    assert home.doc["blocks"][0]["kwhSum"] == kwh_sum(home.doc) == home.delivered_kwh
    assert home.doc["statistics"]["aggregated"]["batteryTo"] > 50
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    home.until("11T02:46")
    assert rates(home.doc)["11T02:30"] == pytest.approx(7, abs=0.01)
    assert home.error == STOP_FAIL

    home.until("11T02:50:30")
    home.box.limit_a = 0.0
    home.until("11T02:51:30")
    assert home.error == STOP_FAIL, "one low sample is no proof"
    home.until("11T02:52:30")
    assert home.error is None
    assert home.outcome == ON_TARGET
    home.box.obeys_stop = True
    home.until("11T06:50").unplug().until("11T06:52")
    (block,) = home.last["blocks"]
    assert near(block["endAt"], "11T02:50:45", 16)
    assert block["kwhSum"] == kwh_sum(home.last) == home.delivered_kwh
    assert home.last["error"]["latest"] is None
    assert home.errors() == ["STOP_FAIL"]


def test_stop_fail_is_over_when_the_car_leaves() -> None:
    """S-32, the other way out."""
    home = goes_on_at_7_kw().until("11T02:40")
    assert home.error == STOP_FAIL
    home.unplug()
    assert home.error is None
    home.until("11T02:42")
    assert spans(home.last) == [("REGULAR", "11T01:00:00", "11T02:40:00")]
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.last["outcome"]["latest"] == ON_TARGET
    assert home.last["error"]["latest"] is None


def resumes_by_itself(*, obeys: bool) -> Home:
    """Paused at 01:55, the charger goes on by itself at 02:30."""
    home = Home().until("10T22:15").plug().until("11T02:30")
    assert home.box.limit_a == 0
    home.box.obeys_stop = obeys
    home.box.limit_a = 16.0
    return home


def test_a_charger_that_goes_on_by_itself_and_obeys_is_no_error() -> None:
    """S-32"""
    home = resumes_by_itself(obeys=True).until("11T02:40")
    assert home.errors() == []
    assert home.box.flowing == 0
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert [span[0] for span in spans(home.doc)] == ["REGULAR", "REGULAR"]
    assert near(home.doc["blocks"][1]["startAt"], "11T02:30:30", 31)
    assert sum(block["kwhSum"] for block in home.doc["blocks"]) == kwh_sum(home.doc)
    assert home.outcome == ON_TARGET
    home.until("11T06:50").unplug().until("11T06:52")
    assert kwh_sum(home.last) == home.delivered_kwh


def test_a_charger_that_goes_on_by_itself_and_does_not_obey_is_a_stop_fail() -> None:
    """S-32"""
    home = resumes_by_itself(obeys=False).until("11T02:31:55")
    assert home.errors() == []
    home.until("11T02:33:10")
    assert home.error == STOP_FAIL
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    home.until("11T02:46")
    assert rates(home.doc)["11T02:30"] == pytest.approx(11, abs=0.01)
    assert sum(block["kwhSum"] for block in home.doc["blocks"]) == kwh_sum(home.doc) == home.delivered_kwh


@pytest.mark.parametrize(
    ("refuses", "error"),
    [
        pytest.param((StopTransaction,), None, id="takes-a-limit-only"),
        pytest.param((SetCurrentLimit,), None, id="takes-a-stop-only"),
        pytest.param((SetCurrentLimit, StopTransaction), STOP_FAIL, id="takes-nothing"),
    ],
)
def test_a_charger_that_takes_one_way_of_stopping_is_stopped_that_way(
    refuses: tuple[type, ...], error: dict[str, str] | None
) -> None:
    """S-32, with D20: the stop is refused, a limit of 0 A is taken."""
    home = Home().until("10T22:15").plug().until("11T01:50")
    home.box.refuses = refuses
    home.until("11T02:00")
    assert home.error == error
    assert home.errors() == ([] if error is None else ["STOP_FAIL"])
    assert (home.box.flowing == 0) is (error is None)
    assert home.outcome == ON_TARGET
    assert spans(home.doc)[0][:2] == ("REGULAR", "11T01:00:00")
    assert len(home.doc["blocks"]) == 1


UNCONTROLLED = {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["startCharging", "stopCharging"]}


def test_a_box_without_control_is_left_alone_and_measured() -> None:
    """S-33, with F25: no plan is pretended; the error ends with the fault, without a replug."""
    home = Home().able(can_start=False, can_stop=False, can_limit=False)
    assert home.doc["state"] == "UPCOMING"
    assert home.error == UNCONTROLLED
    home.until("10T22:15").plug().until("10T23:00")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["blocks"] == []
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 35, "batteryTo": 35}
    assert home.error == UNCONTROLLED
    home.start_box().until("10T23:31")
    assert spans(home.doc) == [("REGULAR", "10T23:00:00", "10T23:31:00")], "measured, and nothing to come"
    assert home.doc["blocks"][0]["kwhSum"] == kwh_sum(home.doc) == home.delivered_kwh
    assert rates(home.doc)["10T23:15"] == pytest.approx(11, abs=0.01)
    assert home.target == regular()
    assert home.outcome is None or home.outcome["minimumChargeTargetReachedAt"] is None
    assert home.error == UNCONTROLLED
    assert not home.sent(ChargerCommand)

    home.able(can_start=True, can_stop=True, can_limit=True).until("11T00:30")
    assert home.error is None
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    assert home.box.flowing == 0, "now it follows the plan"
    assert spans(home.doc)[-1][:2] == ("REGULAR", "11T01:00:00")
    assert home.outcome == ON_TARGET
    assert home.errors() == ["MISSING_CAPABILITIES"]


def test_a_box_that_answers_that_it_cannot_is_believed_and_not_asked_every_night() -> None:
    """S-33, with F25 and C21: a mode of its own, or a cloud, goes before us; each command is "not supported"."""
    home = Home(sample_every=timedelta(minutes=2))
    home.box.failure = Failure.NOT_SUPPORTED
    home.until("10T22:15").plug().until("11T01:10")
    assert home.error == {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["startCharging"]}
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["blocks"] == []
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 35, "batteryTo": 35}
    assert home.target == regular()
    assert home.outcome is None or home.outcome["minimumChargeTargetReachedAt"] is None
    asked = len(home.sent(ChargerCommand))
    home.until("11T06:50").unplug().until("11T06:55")
    assert home.doc["state"] == "UPCOMING"
    assert home.error == {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["startCharging"]}
    home.until("11T22:15").plug().until("12T06:50").unplug().until("12T06:55")
    assert len(home.sent(ChargerCommand)) == asked
    assert "START_FAIL" not in home.errors()
    assert [stored.document["blocks"] for stored in home.settled] == [[], []]
    assert all(stored.document["outcome"]["latest"] in (None, off_target(35)) for stored in home.settled)


def test_a_box_without_any_meter_cannot_prove_what_it_does() -> None:
    """S-33, with E13: neither register nor power, pushed or asked for."""
    home = Home().able(reports_energy=False, reports_power=False)
    home.until("10T22:15").plug().until("11T01:10")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.error == {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["chargeState"]}
    assert kwh_sum(home.doc) == 0
    assert home.doc["blocks"] == []
    assert home.target == regular()
    assert home.outcome is None or home.outcome["minimumChargeTargetReachedAt"] is None
    assert not home.sent(ChargerCommand)
    home.able(reports_energy=True, reports_power=True).until("11T01:15")
    assert home.error is None
    assert home.state.facts.charging
    assert home.outcome == ON_TARGET


def test_a_box_that_never_tells_of_its_plug_keeps_the_session_upcoming() -> None:
    """S-33: connected for two days, and not a word."""
    home = Home().until("10T20:10")
    home.back_to(initial(home.configuration(), home.now)).restart().until("12T20:10")
    assert home.doc["state"] == "UPCOMING"
    assert home.doc["blocks"] == []
    assert home.doc["statistics"] == NO_STATISTICS
    assert home.outcome is None
    assert home.target == regular(ready_by="2025-06-13T07:00:00Z")
    assert home.error == {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["chargeState"]}
    assert not home.sent(ChargerCommand)


def test_a_start_with_a_card_is_held_until_its_time() -> None:
    """S-36: at 23:00 somebody starts at the box; it takes 40 seconds to obey."""
    home = Home().until("10T22:15").plug().until("10T23:00")
    home.box.obeys_stop = False
    home.start_box("04A2B3C4").until("10T23:00:40")
    home.box.obeys_stop = True
    home.until("10T23:10")
    assert home.box.flowing == 0
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    assert home.errors() == []
    assert [span[0] for span in spans(home.doc)] == ["REGULAR", "REGULAR"]
    assert near(home.doc["blocks"][0]["startAt"], "10T23:00:00")
    assert spans(home.doc)[1][1] == "11T01:00:00"
    assert 0 < kwh_sum(home.doc) == home.doc["blocks"][0]["kwhSum"] == home.delivered_kwh
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.last["outcome"]["latest"] == ON_TARGET
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.errors() == []


def test_a_start_with_a_card_that_cannot_be_held_is_a_stop_fail_and_no_immediate_start() -> None:
    """S-36: refused."""
    home = Home().until("10T22:15").plug().until("10T23:00")
    home.box.refuses = (SetCurrentLimit, StopTransaction)
    home.start_box("04A2B3C4").until("10T23:01:50")
    assert home.errors() == []
    home.until("10T23:10")
    assert home.error == STOP_FAIL
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    assert spans(home.doc)[0] == ("REGULAR", "10T23:00:00", "10T23:10:00")
    assert home.doc["blocks"][0]["kwhSum"] == kwh_sum(home.doc) == home.delivered_kwh


def test_a_stop_at_the_box_that_it_insists_on_is_a_start_fail() -> None:
    """S-36: at 01:20 somebody presses stop, and no start has an effect after that."""
    home = Home().until("10T22:15").plug().until("11T01:20")
    home.box.obeys_start = False
    home.stop_box().until("11T01:23")
    assert home.errors() == []
    home.until("11T01:24")
    assert home.error == START_FAIL
    assert home.doc["state"] == "ACTIVE:REGULAR"
    first, second = home.doc["blocks"]
    assert spans(home.doc)[0] == ("REGULAR", "11T01:00:00", "11T01:20:00")
    assert first["kwhSum"] == kwh_sum(home.doc) == 3.667
    assert second["kwhSum"] == 0
    assert home.target == regular()
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] == 40
    assert home.outcome["minimumChargeTargetReachedAt"] > "2025-06-11T07:00:00Z"
    home.until("11T03:00")
    assert home.outcome == off_target(40)
    assert len(home.sent(StartTransaction)) <= 5, "one in the evening, and a ladder"
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.last["blocks"] == [first], "a block that never delivered is dropped"
    assert home.last["error"]["latest"] is None


def test_a_box_that_starts_at_plug_in_is_held_within_seconds() -> None:
    """S-36, with B11: a transaction without a card, at full current, a moment after the plug."""
    home = Home().until("10T22:15").plug().until("10T22:15:00.200000").start_box("").until("10T22:15:05")
    assert [limit.limit_a for limit in home.sent(SetCurrentLimit)] == [0]
    assert not home.sent(StopTransaction)
    home.until("11T00:59")
    assert home.errors() == []
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert [span[:2] for span in spans(home.doc)] == [("REGULAR", "11T01:00:00")]
    assert home.outcome == ON_TARGET
    home.until("11T01:05")
    assert home.state.facts.charging
    assert not home.sent(StartTransaction), "the transaction that there is will do"
    assert document.charger(home.state)["transactionId"] == home.box.transaction
