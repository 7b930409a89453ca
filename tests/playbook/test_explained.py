"""Why the car is charging, or is not, in every situation there is: the reason, the words, and who refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chargerd.api.explanation import Explanation
from chargerd.core.commands import Note, SetCurrentLimit, StopTransaction
from chargerd.core.document import rfc3339
from chargerd.core.events import Activity, CommandFailed, Failure, StatusReported, VehicleReported
from chargerd.core.explain import explanation
from chargerd.core.ids import PolicyId
from chargerd.core.reason import Reason
from tests.support.home import CAR, GARAGE, POLICY, Home, prices, utc
from tests.support.two_cars import OTHER_POLICY, TwoCars

Told = dict[str, Any]


def explained(home: Home, policy_id: PolicyId = POLICY) -> Told:
    """The explanation, which must always be of the shape that the API promises and in whole sentences."""
    told = explanation(home.state, policy_id)
    assert told is not None
    Explanation.model_validate(told)
    assert list(told) == [field.alias for field in Explanation.model_fields.values()]
    words = told["words"]
    assert words.endswith(".")
    assert words.count(". ") < 3, "three sentences at most"
    assert not [slip for slip in ("None", "  ", " .", " ,", "..") if slip in words], words
    assert told["remedy"] is None or words.endswith(told["remedy"])
    assert told["at"] == rfc3339(home.state.at)
    assert told["target"] == home.doc["target"]["latest"] or policy_id != POLICY
    return told


def plugged(**kwargs: Any) -> Home:
    return Home(**kwargs).until("10T22:15").plug()


def charging() -> Home:
    return plugged().until("11T01:10")


def offline() -> Home:
    return plugged().until("10T23:00").offline().until("10T23:10")


def missing() -> Home:
    return Home(assumed=None).until("10T22:15").plug()


def another() -> Home:
    home = TwoCars(tokens=(("04A2",), ("04B3",))).until("10T22:14")
    assert isinstance(home, TwoCars)
    home.shows("04b3")
    return home.until("10T22:15").plug()


def awaited() -> Home:
    return TwoCars().until("10T22:15").plug()


def plug_unknown() -> Home:
    home = Home()
    home.state = replace(home.state, facts=replace(home.state.facts, plugged=None))
    return home


def level_unknown() -> Home:
    return plugged(assumed=None, level_from_charger=True).until("10T22:17")


def boosted() -> Home:
    home = plugged().until("10T22:20")
    home.boost(80)
    return home.until("10T22:30")


def late() -> Home:
    return plugged(ready_by="23:00", goal=60).until("10T23:10")


def stops_taking() -> Home:
    home = plugged(goal=90).until("11T02:00")
    home.box.car_takes = False
    return home.status(Activity.SUSPENDED_EV).until("11T02:05")


def does_not_start() -> Home:
    home = Home()
    home.box.obeys_start = False
    return home.until("10T22:15").plug().until("11T01:00:30")


def does_not_stop() -> Home:
    home = plugged().until("11T01:30")
    home.box.obeys_stop = False
    return home.until("11T01:55:30")


def without_schedule() -> Home:
    home = Home()
    home.tell(replace(home.configuration(), policies=(replace(home.policy(), schedule=(None,) * 7),)))
    return home.until("10T22:15").plug()


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
    assert told["plan"] == {"prices": "KNOWN", "powerW": 10450, "powerSource": "CONFIGURED", "missingKwh": 10.0}
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


def test_a_start_that_the_charger_refuses_is_the_chargers_doing_at_once() -> None:
    home = Home()
    home.box.failure = Failure.REFUSED
    told = explained(home.until("10T22:15").plug().until("11T01:00:30"))
    assert (told["reason"], told["refusedBy"], told["error"]) == ("STARTING", "CHARGER", None)
    assert told["words"] == (
        "car should have been charging since 01:00, and nothing flows yet: garage refuses to start. "
        "It is tried again at 01:01."
    )
    assert told["attempts"] == {"made": 1, "nextAt": "2025-06-11T01:01:00Z"}
    assert (told["lastCommand"]["action"], told["lastCommand"]["answer"]) == ("START", "REFUSED")
    assert told["lastCommand"]["detail"] == "no"
    told = explained(home.until("11T01:30"))
    assert (told["reason"], told["refusedBy"], told["error"]) == ("START_FAILED", "CHARGER", {"type": "START_FAIL"})
    assert told["attempts"] == {"made": 4, "nextAt": None}
    assert "garage refuses to start. It is not tried again until something changes. Look at garage" in told["words"]


def test_a_start_that_was_accepted_gets_its_time_before_anybody_is_blamed() -> None:
    home = does_not_start()
    told = explained(home)
    assert told["refusedBy"] is None
    assert (
        told["words"] == "car should have been charging since 01:00, and is being started. It has until 01:03 to begin."
    )
    told = explained(home.until("11T01:04"))
    assert (told["reason"], told["refusedBy"]) == ("START_FAILED", "CHARGER")
    assert "garage was asked to start and does not. It is tried again at 01:06." in told["words"]


def test_a_car_that_takes_nothing_of_what_is_offered_refuses_itself() -> None:
    home = Home()
    home.box.car_takes = False
    home.until("10T22:15").plug().until("11T01:04")
    told = explained(home)
    assert home.state.facts.activity is Activity.SUSPENDED_EV
    assert (told["reason"], told["refusedBy"]) == ("START_FAILED", "VEHICLE")
    assert "garage offers current and car takes none" in told["words"]
    assert told["words"].endswith("Wake car or plug it in anew, and look for a timer or a limit of its own.")


@pytest.mark.parametrize(
    ("activity", "refuser"), [(Activity.CHARGING, "VEHICLE"), (Activity.SUSPENDED_EVSE, "CHARGER")]
)
def test_who_keeps_an_open_transaction_empty_is_told_by_what_is_offered(activity: Activity, refuser: str) -> None:
    home = Home()
    home.box.car_takes = False
    home.until("10T22:15").plug().until("11T01:20").status(activity)
    told = explained(home)
    assert (told["reason"], told["refusedBy"]) == ("START_FAILED", refuser)


def test_an_offline_charger_is_a_matter_of_the_network() -> None:
    told = explained(offline())
    assert told["refusedBy"] == "NETWORK"
    assert told["words"] == (
        "garage has not been connected since 23:00, so nobody can tell or change what car does. "
        "Charging is planned from 01:00 to 02:00 on Wednesday. "
        "See whether garage has power and a network, and is set to the address of this daemon."
    )
    assert (told["evidence"]["isOnline"], told["evidence"]["isOnlineSince"]) == (False, "2025-06-10T23:00:00Z")


def test_an_offline_charger_in_a_due_block_keeps_its_error() -> None:
    told = explained(plugged().until("11T00:30").offline().until("11T01:04"))
    assert (told["reason"], told["refusedBy"], told["isWanted"]) == ("CHARGER_OFFLINE", "NETWORK", True)
    assert told["error"] == {"type": "START_FAIL"}
    assert "Charging is due until about 02:" in told["words"]


def test_a_charger_that_was_lost_while_charging_is_told_as_it_was_last_heard() -> None:
    told = explained(charging().offline())
    assert "It was charging when it was last heard." in told["words"]
    assert told["isCharging"] is None


@pytest.mark.parametrize("failure", [Failure.TIMED_OUT, Failure.UNREACHABLE])
def test_a_command_that_gets_no_answer_is_a_matter_of_the_network(failure: Failure) -> None:
    home = Home()
    home.box.failure = failure
    told = explained(home.until("10T22:15").plug().until("11T01:04"))
    assert (told["reason"], told["refusedBy"]) == ("START_FAILED", "NETWORK")
    assert told["lastCommand"]["answer"] == failure
    assert "garage does not answer" in told["words"]
    assert "has a network" in told["remedy"]


def test_a_command_whose_outcome_never_comes_is_pending_then_timed_out() -> None:
    home = Home()
    home.box.deaf = True
    home.until("10T22:15").plug().until("11T01:00:30")
    told = explained(home)
    assert (told["lastCommand"]["action"], told["lastCommand"]["answer"]) == ("START", "PENDING")
    assert told["refusedBy"] is None
    home.box.deaf = False
    home.box.refuses = ()
    home.state = replace(home.state, control=replace(home.state.control, in_flight=()))
    told = explained(home)
    assert (told["lastCommand"]["answer"], told["lastCommand"]["answeredAt"]) == ("TIMED_OUT", None)
    assert told["refusedBy"] == "NETWORK"


def test_a_transaction_that_the_charger_ends_as_not_authorised_is_a_matter_of_authorisation() -> None:
    home = charging()
    home.box.obeys_start = False
    home.stop_box("DeAuthorized")
    told = explained(home)
    assert (told["reason"], told["refusedBy"]) == ("STARTING", "AUTHORISATION")
    told = explained(home.until("11T01:20"))
    assert (told["reason"], told["refusedBy"]) == ("START_FAILED", "AUTHORISATION")
    assert "garage does not accept the card that it is started with" in told["words"]
    assert told["words"].endswith("Set garage to free charging, or add the card of the configuration to its list.")


def test_any_other_end_of_a_transaction_says_nothing_of_authorisation() -> None:
    home = charging()
    home.box.obeys_start = False
    told = explained(home.stop_box("Local").until("11T01:20"))
    assert (told["reason"], told["refusedBy"]) == ("START_FAILED", "CHARGER")


def refused_with(detail: str) -> Told:
    """The answer to the first start of a charger that keeps silent otherwise."""
    home = Home()
    home.box.deaf = True
    home.until("10T22:15").plug().until("11T01:00")
    limit, start = home.state.control.in_flight
    home.tell(CommandFailed(charger_id=GARAGE, command_id=limit.command_id, failure=Failure.REFUSED, detail="Blocked"))
    assert explained(home)["refusedBy"] == "CHARGER", "it was the limit that was refused"
    home.tell(CommandFailed(charger_id=GARAGE, command_id=start.command_id, failure=Failure.REFUSED, detail=detail))
    return explained(home)


@pytest.mark.parametrize(
    ("detail", "refuser"),
    [
        ("garage: answered SecurityError id token not authorized", "AUTHORISATION"),
        ("garage: RequestStartTransaction expected Accepted, got 'Rejected' InvalidIdToken", "AUTHORISATION"),
        ("garage: RemoteStartTransaction expected Accepted, got 'Rejected'", "CHARGER"),
    ],
)
def test_a_start_refused_with_a_word_about_its_token_is_a_matter_of_authorisation(detail: str, refuser: str) -> None:
    assert refused_with(detail)["refusedBy"] == refuser


def test_what_a_charger_says_is_shown_without_the_card_that_it_names() -> None:
    told = refused_with("garage: idTag CHARGERD is unknown")
    assert told["lastCommand"]["detail"] == "garage: idTag … is unknown"
    assert "chargerd" not in str(told).lower()


def test_a_stop_that_has_no_effect_is_the_chargers_doing() -> None:
    home = does_not_stop()
    told = explained(home)
    assert (told["reason"], told["refusedBy"], told["isCharging"]) == ("STOPPING", None, True)
    assert told["words"] == "car should have been waiting since 01:55, and is being stopped."
    told = explained(home.until("11T02:10"))
    assert (told["reason"], told["refusedBy"], told["error"]) == ("STOP_FAILED", "CHARGER", {"type": "STOP_FAIL"})
    assert "and is charging at 11.0 kW: garage was asked to stop and does not." in told["words"]
    assert told["next"] is None, "a block that goes on beyond its plan is no promise"


@pytest.mark.parametrize(("failure", "refuser"), [(Failure.REFUSED, "CHARGER"), (Failure.TIMED_OUT, "NETWORK")])
def test_a_stop_that_is_answered_with_no_is_explained_at_once(failure: Failure, refuser: str) -> None:
    home = plugged().until("11T01:50")
    home.box.failure = failure
    told = explained(home.until("11T01:55:30"))
    assert (told["reason"], told["refusedBy"]) == ("STOPPING", refuser)
    words = {"CHARGER": "garage refuses to stop", "NETWORK": "garage does not answer"}
    assert words[refuser] in told["words"]


def test_a_car_that_stops_taking_is_named_before_and_after_it_counts_as_full() -> None:
    home = stops_taking()
    told = explained(home)
    assert (told["reason"], told["refusedBy"]) == ("CAR_PAUSES", "VEHICLE")
    assert told["words"] == (
        "car has taken nothing of what garage offers since 02:00. If that lasts until 02:10, it is taken as full."
    )
    told = explained(home.until("11T02:15"))
    assert (told["reason"], told["refusedBy"]) == ("CAR_FULL", "VEHICLE")
    assert "its target is 90 %. To charge further, raise the limit in car itself." in told["words"]
    assert told["lastCommand"]["action"] == "PAUSE"
    assert told["lastCommand"]["limitA"] == 0


def test_a_car_at_a_limit_of_its_own_is_told_as_full() -> None:
    home = Home()
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=45.0, limit_pct=45.0))
    told = explained(home.plug())
    assert (told["reason"], told["refusedBy"], told["error"]) == ("CAR_FULL", "VEHICLE", None)
    assert told["evidence"]["batteryLevelSource"] == "VEHICLE"
    assert told["evidence"]["batteryLevelToldAt"] == "2025-06-10T20:00:00Z"


def test_a_reached_target_says_until_when_nothing_more_is_needed() -> None:
    told = explained(plugged(assumed=80))
    assert told["words"] == "car has reached its target of 50 %, so nothing more is charged before 07:00 on Wednesday."
    assert told["plan"]["missingKwh"] == 0


@pytest.mark.parametrize(
    ("able", "cause", "remedy"),
    [
        ({"can_start": False, "can_limit": False}, "garage cannot be started", "Switch on remote control"),
        ({"can_stop": False, "can_limit": False}, "garage cannot be stopped", "Switch on remote control"),
        ({"reports_energy": False, "reports_power": False}, "does not tell what goes on", "Switch on status and meter"),
    ],
)
def test_a_charger_without_a_capability_refuses(able: dict[str, bool], cause: str, remedy: str) -> None:
    home = Home().able(**able)
    told = explained(home)
    assert (told["reason"], told["refusedBy"]) == ("MISSING_CAPABILITIES", "CHARGER")
    assert cause in told["words"]
    assert told["remedy"].startswith(remedy)
    told = explained(home.until("10T22:15").plug().start_box().until("10T22:30"))
    assert (told["reason"], told["isWanted"]) == ("MISSING_CAPABILITIES", None)
    assert "It is left free to charge, and what flows is measured." in told["words"]
    assert told["error"]["type"] == "MISSING_CAPABILITIES"


def test_a_level_that_nothing_tells_is_nobodys_refusal() -> None:
    told = explained(missing())
    assert told["refusedBy"] is None
    assert "nothing tells the battery level of car and its policy assumes none" in told["words"]
    assert told["plan"]["missingKwh"] is None
    evidence = told["evidence"]
    assert (evidence["batteryLevel"], evidence["batteryLevelSource"], evidence["batteryLevelToldAt"]) == (None,) * 3


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


def test_a_fault_is_told_while_waiting_and_is_to_blame_once_charging_is_due() -> None:
    home = plugged()
    home.tell(StatusReported(charger_id=GARAGE, fault="GroundFailure"))
    told = explained(home)
    assert (told["reason"], told["refusedBy"]) == ("WAITING_FOR_CHEAPER_HOURS", None)
    assert told["words"].endswith("Look at garage, which reports a fault: GroundFailure.")
    home.box.obeys_start = False
    told = explained(home.until("11T01:00:30"))
    assert (told["reason"], told["refusedBy"]) == ("STARTING", "CHARGER")
    assert "garage reports a fault, GroundFailure" in told["words"]
    assert told["evidence"]["fault"] == "GroundFailure"


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


def test_an_error_in_the_journal_ends_with_who_refused() -> None:
    home = does_not_start().until("11T01:04")
    (message,) = [note.message for note in home.sent(Note) if note.name == "session.error"]
    assert message == (
        "car: START_FAIL, charging is due and does not begin: look at the cable, the car and garage; refused by CHARGER"
    )
    home = plugged().until("11T01:54")
    home.box.refuses = (SetCurrentLimit, StopTransaction)
    home.until("11T02:00")
    (message,) = [note.message for note in home.sent(Note) if note.name == "session.error"]
    assert message.endswith("its own settings; garage answered: no; refused by CHARGER")


def test_attempts_wait_for_a_charger_that_is_gone() -> None:
    home = does_not_start().until("11T01:04").offline()
    assert explained(home)["attempts"] == {"made": 2, "nextAt": None}
