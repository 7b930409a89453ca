"""Nights as they should go."""

from chargerd.core.commands import SetCurrentLimit, StartTransaction, StopTransaction
from tests.support.home import Home, prices, utc

TWO_VALLEYS = prices("10T18:00", [0.4] * 6 + [0.1, 0.3, 0.1, 0.1, 0.1, 0.4, 0.4, 0.4])


def test_a_night_goes_from_upcoming_over_the_cheap_hours_to_settled() -> None:
    home = Home()
    assert home.doc["state"] == "UPCOMING"
    assert home.target["readyBy"] == "2025-06-11T07:00:00Z"

    home.until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    assert [block["startAt"] for block in home.doc["blocks"]] == ["2025-06-11T01:00:00Z"]
    assert home.outcome["state"] == "ON_TARGET"
    home.until("11T00:59")
    assert not home.sent(StartTransaction), "nothing is started before the cheap hours"

    home.until("11T01:10")
    assert len(home.sent(StartTransaction)) == 1
    assert home.state.facts.charging

    home.until("11T06:50").unplug().until("11T06:55")
    assert home.doc["state"] == "UPCOMING"
    (settled,) = home.settled
    doc = settled.document
    assert doc["statistics"]["aggregated"]["batteryFrom"] == 35
    assert doc["statistics"]["aggregated"]["batteryTo"] >= 50
    assert doc["outcome"]["latest"]["state"] == "ON_TARGET"
    assert doc["statistics"]["aggregated"]["kwhSum"] * 1000 == round(home.box.register) - 100_000
    assert [block["type"] for block in doc["blocks"]] == ["REGULAR"]
    assert doc["blocks"][0]["startAt"] == "2025-06-11T01:00:00Z"
    assert doc["statistics"]["timeseries"][0] == {"startAt": "2025-06-10T22:15:00Z", "kwh": 0}
    assert doc["statistics"]["timeseries"][-1]["startAt"] == "2025-06-11T06:45:00Z"


def test_pauses_by_limit_and_resumes_the_same_transaction() -> None:
    home = Home(goal=80, curve=TWO_VALLEYS)
    home.until("10T22:15").plug().until("11T06:50")
    assert len(home.sent(StartTransaction)) == 1
    assert not home.sent(StopTransaction)
    assert 0.0 in [command.limit_a for command in home.sent(SetCurrentLimit)]
    assert home.doc["statistics"]["aggregated"]["batteryTo"] >= 80
    assert [block["startAt"][11:16] for block in home.doc["blocks"]] == ["00:00", "02:00"]


def test_pauses_by_stopping_where_the_charger_knows_no_limits() -> None:
    home = Home(goal=80, curve=TWO_VALLEYS).able(can_limit=False)
    home.until("10T22:15").plug().until("11T06:50")
    assert not home.sent(SetCurrentLimit)
    assert len(home.sent(StartTransaction)) == 2
    assert home.doc["statistics"]["aggregated"]["batteryTo"] >= 80


def test_charges_the_reserve_at_once_whatever_the_price() -> None:
    home = Home(assumed=8)
    home.until("10T20:07").plug()
    assert home.doc["state"] == "ACTIVE:BATTERY_RESERVE"
    assert home.doc["blocks"][0]["type"] == "BATTERY_RESERVE"
    home.until("10T22:00")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 20
    home.until("11T06:50").unplug().until("11T06:55")
    kinds = [block["type"] for block in home.settled[0].document["blocks"]]
    assert kinds == ["BATTERY_RESERVE", "REGULAR"]


def test_sends_nothing_at_all_when_the_target_is_met_at_plug_in() -> None:
    home = Home(assumed=80)
    home.until("10T22:15").plug().until("11T06:50")
    assert home.doc["blocks"] == []
    assert home.outcome["state"] == "ON_TARGET"
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 80, "batteryTo": 80}
    assert not home.sent(StartTransaction)
    assert not home.sent(SetCurrentLimit)
    home.unplug().until("11T06:55")
    assert home.settled[0].document["blocks"] == []


def test_holds_a_box_that_starts_by_itself_until_the_cheap_hours() -> None:
    home = Home()
    home.until("10T22:15").plug().start_box()
    assert home.sent(SetCurrentLimit)[0].limit_a == 0
    assert home.box.flowing == 0
    home.until("11T01:30")
    assert home.state.facts.charging
    assert not home.sent(StartTransaction), "the box's own transaction is used"


def test_keeps_charging_when_the_deadline_is_missed() -> None:
    home = Home(goal=90)
    home.until("11T05:00").plug()
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] < 90
    assert home.outcome["minimumChargeTargetReachedAt"] > "2025-06-11T07:00:00Z"
    home.until("11T07:30")
    assert home.state.facts.charging
    assert home.target["id"] == 1
    level_at_ready_by = home.outcome["batteryLevelAtReadyBy"]
    assert home.outcome["state"] == "OFF_TARGET"
    home.until("11T08:00")
    assert home.outcome["batteryLevelAtReadyBy"] == level_at_ready_by, "what was at the deadline is a fact"
    home.until("11T09:30")
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 90
    assert home.target["id"] == 2, "reached: the next scheduled target takes over"
    assert home.target["readyBy"] == "2025-06-12T07:00:00Z"
    assert not home.state.facts.charging


def test_the_next_target_takes_over_when_the_deadline_passes_with_the_target_reached() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T07:01")
    assert home.target["id"] == 2
    assert home.target["readyBy"] == "2025-06-12T07:00:00Z"
    assert home.outcome == {
        "type": "REGULAR",
        "targetId": 2,
        "state": "ON_TARGET",
        "batteryLevelAtReadyBy": None,
        "minimumChargeTargetReachedAt": None,
    }


def test_an_upcoming_target_rolls_on_with_its_id() -> None:
    home = Home()
    home.until("11T07:01")
    assert home.target["id"] == 1
    assert home.target["readyBy"] == "2025-06-12T07:00:00Z"


def test_a_car_that_leaves_early_was_off_target() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:15").unplug().until("11T01:20")
    outcome = home.settled[0].document["outcome"]["latest"]
    assert outcome["state"] == "OFF_TARGET"
    assert outcome["batteryLevelAtReadyBy"] == 39


def test_plans_without_prices_so_that_the_car_is_ready() -> None:
    home = Home(curve=prices("01T00:00", []))
    home.until("10T22:15").plug().until("11T06:50")
    assert home.doc["statistics"]["aggregated"]["batteryTo"] >= 50


def test_charges_a_car_whose_level_only_the_charger_can_tell() -> None:
    home = Home(assumed=None, level_from_charger=True, reserve=20)
    home.box.soc = 30
    home.until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:BATTERY_RESERVE", "unknown counts as empty"
    assert home.outcome is None
    home.until("10T22:17")
    assert home.doc["state"] == "ACTIVE:REGULAR", "30 % is over the reserve"
    assert home.doc["statistics"]["aggregated"]["batteryFrom"] == 29


def test_a_quick_replug_continues_the_same_session() -> None:
    home = Home()
    home.until("10T22:15").plug().until("10T23:00").unplug().until("10T23:00:10").plug().until("10T23:30")
    assert home.settled == []
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"


def test_a_short_trip_makes_two_sessions_and_ends_the_override() -> None:
    home = Home()
    home.override(90, "11T08:00")
    home.until("10T22:15").plug().until("10T23:00").unplug().until("10T23:20").plug()
    assert len(home.settled) == 1
    assert home.settled[0].document["target"]["latest"]["source"] == "USER_OVERRIDE"
    assert home.target["source"] == "POLICY"
    assert home.doc["pluggedInAt"] == "2025-06-10T23:20:00Z"


def test_a_session_goes_over_midnight_and_the_new_year() -> None:
    home = Home(now=utc("2025-12-31T20:00:00"))
    home.until("2025-12-31T22:15:00").plug().until("2026-01-01T06:50:00").unplug().until("2026-01-01T06:55:00")
    (settled,) = home.settled
    assert settled.document["target"]["latest"]["readyBy"] == "2026-01-01T07:00:00Z"
    assert settled.document["statistics"]["aggregated"]["batteryTo"] >= 50
