"""Who stands in the way: the charger, the vehicle, the network or the authorisation; and what is known of it."""

from dataclasses import replace

import pytest

from chargerd.core.commands import Note, SetCurrentLimit, StopTransaction
from chargerd.core.events import Activity, CommandFailed, Failure, StatusReported, VehicleReported
from tests.playbook.explaining import (
    Told,
    charging,
    does_not_start,
    does_not_stop,
    explained,
    missing,
    offline,
    plugged,
    stops_taking,
)
from tests.playbook.test_night import TWO_VALLEYS
from tests.support.box import Box
from tests.support.home import CAR, GARAGE, Home


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


def test_a_charger_that_bars_the_next_start_is_to_be_unplugged() -> None:
    home = Home(goal=80, box=Box(ended_for_good=True), curve=TWO_VALLEYS).able(can_limit=False)
    told = explained(home.until("10T22:15").plug().until("11T02:10"))
    assert (told["reason"], told["refusedBy"]) == ("START_FAILED", "CHARGER")
    assert told["remedy"].startswith("Pull the plug of car and plug it in anew")
