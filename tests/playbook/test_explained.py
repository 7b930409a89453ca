"""Why the car is charging, or is not, in every situation there is: the reason, the words, and the evidence."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chargerd.core.document import rfc3339
from chargerd.core.events import VehicleReported
from chargerd.core.explain import explanation
from chargerd.core.reason import Reason
from chargerd.plan.prices import PriceOrigin
from tests.playbook.explaining import (
    another,
    awaited,
    boosted,
    charging,
    does_not_start,
    does_not_stop,
    explained,
    late,
    level_unknown,
    missing,
    offline,
    plug_unknown,
    plugged,
    stops_taking,
    without_schedule,
)
from tests.support.home import CAR, POLICY, Home, prices, utc
from tests.support.two_cars import OTHER_POLICY, TwoCars

STORIES: dict[Reason, Callable[[], Home]] = {
    Reason.CHARGER_OFFLINE: offline,
    Reason.MISSING_CAPABILITIES: missing,
    Reason.CAR_LEFT: lambda: charging().unplug(),
    Reason.ANOTHER_CAR: another,
    Reason.WAITING_FOR_CAR_IDENTITY: awaited,
    Reason.PLUG_UNKNOWN: plug_unknown,
    Reason.NOT_PLUGGED_IN: Home,
    Reason.CHARGING_AS_PLANNED: charging,
    Reason.CHARGING_RESERVE: lambda: plugged(assumed=10).until("10T22:20"),
    Reason.LEVEL_UNKNOWN: level_unknown,
    Reason.CHARGING_NOW: boosted,
    Reason.CHARGING_LATE: late,
    Reason.CAR_PAUSES: stops_taking,
    Reason.STARTING: does_not_start,
    Reason.START_FAILED: lambda: does_not_start().until("11T01:04"),
    Reason.STOPPING: does_not_stop,
    Reason.STOP_FAILED: lambda: does_not_stop().until("11T02:10"),
    Reason.TARGET_REACHED: lambda: plugged(assumed=80),
    Reason.CAR_FULL: lambda: stops_taking().until("11T02:15"),
    Reason.NO_TARGET: without_schedule,
    Reason.WAITING_FOR_CHEAPER_HOURS: plugged,
}

CHARGING = {"CHARGING_AS_PLANNED", "CHARGING_RESERVE", "LEVEL_UNKNOWN", "CHARGING_NOW", "CHARGING_LATE"}
UNCERTAIN = {"CHARGER_OFFLINE", "WAITING_FOR_CAR_IDENTITY", "PLUG_UNKNOWN"}
DUE = {*CHARGING, "CAR_PAUSES", "STARTING", "START_FAILED"}
UNCONTROLLED = {*UNCERTAIN, "MISSING_CAPABILITIES", "CAR_LEFT", "ANOTHER_CAR", "NOT_PLUGGED_IN"} - {"CHARGER_OFFLINE"}


def test_there_is_a_story_for_every_reason() -> None:
    assert set(STORIES) == set(Reason)
    assert all(f"- {reason}: " in (Reason.__doc__ or "") for reason in Reason), "every reason is documented"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_goes_with_what_is_so_and_what_is_wanted(reason: Reason) -> None:
    told = explained(STORIES[reason]())
    assert told["reason"] == reason
    goes_on = {"STOPPING", "STOP_FAILED"}
    assert told["isCharging"] is (None if reason in UNCERTAIN else reason in CHARGING | goes_on)
    assert told["isWanted"] is (None if reason in UNCONTROLLED else reason in DUE)


def test_a_policy_of_another_charger_has_no_explanation_here() -> None:
    assert explanation(Home(managed=False).state, POLICY) is None


def test_waiting_in_a_dear_hour_says_until_when_and_what_it_saves() -> None:
    told = explained(plugged(zone="Europe/Berlin"))
    assert told["words"] == (
        "car waits for cheaper hours: charging is planned from 03:00 to 04:00. "
        "Energy costs 0.30 EUR per kWh now and 0.10 then. 50 % will be reached by 07:00."
    )
    assert told["next"] == {"startAt": "2025-06-11T01:00:00Z", "endAt": "2025-06-11T02:00:00Z", "type": "REGULAR"}
    assert told["plan"] == {
        "prices": "KNOWN",
        "priceRung": "FRESH",
        "pricesOldSince": None,
        "powerW": 10450,
        "powerSource": "CONFIGURED",
        "missingKwh": 10.0,
    }
    assert (told["lastCommand"], told["attempts"], told["refusedBy"], told["remedy"]) == (None, None, None, None)


def test_charging_as_planned_shows_the_evidence_for_it() -> None:
    home = charging()
    told = explained(home)
    assert told["words"] == "car is charging as planned at 11.0 kW, until about 02:00. 50 % will be reached by 07:00."
    assert told["evidence"] == {
        "isOnline": True,
        "isOnlineSince": "2025-06-10T20:00:00Z",
        "isPluggedIn": True,
        "isPluggedInSince": "2025-06-10T22:15:00Z",
        "activity": "CHARGING",
        "activitySince": "2025-06-11T01:00:00Z",
        "powerW": 11000,
        "registerWh": 101833,
        "sampledAt": "2025-06-11T01:10:00Z",
        "chargingSince": rfc3339(home.state.facts.charging_since or home.now),
        "stoppedAt": None,
        "batteryLevel": 37,
        "batteryLevelSource": "ASSUMED",
        "batteryLevelToldAt": None,
        "transactionId": home.box.transaction,
        "fault": None,
        "isTokenShown": False,
    }
    assert told["lastCommand"] == {
        "action": "SET_LIMIT",
        "limitA": 16.0,
        "sentAt": "2025-06-11T01:00:00Z",
        "answer": "ACCEPTED",
        "answeredAt": "2025-06-11T01:00:00Z",
        "detail": None,
    }
    assert told["plan"]["powerSource"] == "LEARNED"
    assert told["plan"]["missingKwh"] == pytest.approx(8.167, abs=0.01)


def test_a_reached_target_says_until_when_nothing_more_is_needed() -> None:
    told = explained(plugged(assumed=80))
    assert told["words"] == "car has reached its target of 50 %, so nothing more is charged before 07:00 on Wednesday."
    assert told["plan"]["missingKwh"] == 0


def test_late_says_that_it_goes_on_and_when_it_will_have_what_was_wanted() -> None:
    told = explained(late())
    assert told["words"].startswith("car was to have 60 % by 23:00 and has not, so it goes on charging at 11.0 kW. ")
    assert "It will have 60 % at about 23:" in told["words"]


def test_a_boost_says_that_somebody_asked_and_when_it_is_done() -> None:
    told = explained(boosted())
    assert told["words"].startswith("car is charging right away at 11.0 kW, because somebody asked for it. ")
    assert "80 % will be reached at about 01:" in told["words"]
    assert told["target"] == {"id": 2, "type": "IMMEDIATE_START", "minimumChargeTarget": 80}
    assert told["next"]["type"] == "IMMEDIATE_START"


def test_the_reserve_is_charged_whatever_the_price() -> None:
    told = explained(plugged(assumed=10).until("10T22:20"))
    assert told["words"].startswith(
        "car is below its battery reserve of 20 %, so it is charging right away at 11.0 kW, whatever the price, until "
    )
    assert told["next"]["type"] == "BATTERY_RESERVE"


def test_a_level_that_is_about_to_be_told_asks_nothing_of_anybody() -> None:
    told = explained(level_unknown())
    assert told["words"].startswith("Nobody knows the battery level of car, so it counts as empty")
    assert told["remedy"] is None


def test_a_level_that_the_car_has_not_told_lately_can_be_told_by_hand() -> None:
    home = Home(assumed=None)
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=41.0))
    told = explained(home)
    assert (told["evidence"]["batteryLevel"], told["evidence"]["batteryLevelSource"]) == (41, "VEHICLE")
    told = explained(home.until("10T22:15").plug().until("10T22:20"))
    assert told["reason"] == "LEVEL_UNKNOWN"
    assert told["remedy"] == "Tell the level of car, or wake it so that it tells it."
    assert told["evidence"]["batteryLevel"] is None


def test_the_car_of_another_policy_is_named() -> None:
    home = another()
    told = explained(home)
    assert told["words"] == "van is plugged in at garage, not car."
    assert told["isCharging"] is False
    assert told["evidence"]["isTokenShown"] is True
    assert "04b3" not in str(told).lower()
    assert explained(home, OTHER_POLICY)["reason"] == "WAITING_FOR_CHEAPER_HOURS"


def test_a_car_that_is_taken_for_the_first_ones_can_be_told_to_be_another() -> None:
    home = awaited()
    told = explained(home, OTHER_POLICY)
    assert told["words"] == (
        "A car was plugged in at garage, and it is not known yet whose it is. "
        "Without a card or a word of the car it is taken for car within a minute."
    )
    told = explained(home.until("10T22:17"), OTHER_POLICY)
    assert told["words"] == (
        "car is plugged in at garage, not van. If it is van after all, add its id_tokens to the configuration."
    )


def test_a_stranger_is_taken_for_another_car_until_it_shows_its_card() -> None:
    home = TwoCars(tokens=(("04A2",), ("04B3",))).until("10T22:14")
    assert isinstance(home, TwoCars)
    home.shows("ffff")
    told = explained(home.until("10T22:15").plug())
    assert told["words"] == (
        "The car that is plugged in at garage is taken for another one than car. "
        "If it is car after all, show its card at garage."
    )


def test_when_no_car_is_there_it_says_what_would_be_charged() -> None:
    home = Home()
    assert explained(home)["words"] == (
        "No car is plugged in at garage. Once car is, it is charged to 50 % by 07:00 on Wednesday."
    )
    home.boost(70)
    assert explained(home)["words"].endswith("Once car is, it is charged to 70 % at once.")


def test_without_a_deadline_only_the_reserve_is_charged() -> None:
    told = explained(without_schedule())
    assert told["words"] == (
        "No day of the schedule of car has a deadline, so only its battery reserve of 20 % is charged."
    )
    assert (told["target"], told["next"]) == (None, None)


def test_a_target_out_of_reach_is_said_with_what_will_be_there() -> None:
    told = explained(plugged(ready_by="23:00").until("10T22:30"))
    assert told["reason"] == "CHARGING_AS_PLANNED"
    assert "50 % will not be reached by 23:00, but about 47 %, and 50 % at about 23:" in told["words"]


def test_a_gap_in_the_plan_says_when_it_goes_on() -> None:
    dear = prices("10T18:00", [0.4, 0.4, 0.4, 0.4, 0.1, 0.4, 0.1, 0.1, 0.4, 0.4, 0.4, 0.4, 0.4])
    told = explained(plugged(goal=65, curve=dear).until("10T22:20"))
    assert "Charging goes on from 00:00 to " in told["words"]


@pytest.mark.parametrize(
    ("curve", "known"),
    [(prices("10T18:00", [0.3] * 8), "PARTLY_KNOWN"), (prices("09T18:00", [0.3]), "UNKNOWN")],
)
def test_prices_that_are_not_known_are_not_told(curve: Any, known: str) -> None:
    told = explained(plugged(curve=curve))
    assert told["plan"]["prices"] == known
    assert "EUR" not in told["words"]


@pytest.mark.parametrize(
    ("origin", "old_since", "rung", "said"),
    [
        (PriceOrigin.SOURCE, "10T13:00", "CACHED", "Energy costs 0.40 EUR per kWh now and 0.10 then."),
        (PriceOrigin.REPEATED, None, "REPEATED", "not told yet, so the plan goes by those of an earlier day."),
        (PriceOrigin.REPEATED, "10T13:00", "REPEATED", "missing since 13:00, so the plan goes by those of an earlier"),
        (PriceOrigin.FALLBACK, "09T13:00", "FALLBACK", "13:00 on Monday, so the plan goes by the price that is"),
    ],
)
def test_prices_that_stand_in_for_others_are_told(
    origin: PriceOrigin, old_since: str | None, rung: str, said: str
) -> None:
    """The rung of the ladder that prices are on, and since when newer ones are owed."""
    told = prices("10T18:00", [0.4] * 6 + [0.1] + [0.4] * 12)
    night = tuple(replace(slot, origin=origin) for slot in told.slots[6:])
    old = None if old_since is None else utc(old_since)
    found = explained(plugged(curve=replace(told, slots=told.slots[:6] + night, old_since=old)))
    known = "KNOWN" if origin is PriceOrigin.SOURCE else "PARTLY_KNOWN"
    assert (found["plan"]["priceRung"], found["plan"]["prices"]) == (rung, known)
    assert found["plan"]["pricesOldSince"] == (None if old is None else rfc3339(old))
    assert said in found["words"]


@pytest.mark.parametrize(
    ("plug_in", "cheap", "span"),
    [
        pytest.param("2025-10-25T20:00:00", 4, "from 02:00 CEST to 02:00 CET", id="autumn"),
        pytest.param("2025-10-25T20:00:00", 5, "from 02:00 CET to 03:00", id="autumn, the hour again"),
        pytest.param("2026-03-28T20:00:00", 5, "from 03:00 to 04:00", id="spring, after the gap"),
    ],
)
def test_on_the_night_when_the_clocks_change_times_are_still_clear(plug_in: str, cheap: int, span: str) -> None:
    curve = prices(plug_in, [0.10 if hour == cheap else 0.40 for hour in range(12)])
    told = explained(Home(now=utc(plug_in), zone="Europe/Berlin", curve=curve).plug())
    assert f"charging is planned {span} on Sunday." in told["words"]
    assert "50 % will be reached by 07:00 on Sunday." in told["words"]
