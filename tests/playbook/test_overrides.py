"""Overrides: in force at once, gone when they are done, and never a double."""

from chargerd.core.commands import AnswerRequest
from chargerd.core.events import ImmediateStartRequested
from chargerd.core.ids import PolicyId, ReplyTo
from tests.support.home import Home


def test_an_immediate_start_while_upcoming_gives_the_document_of_example_4() -> None:
    home = Home()
    assert home.boost(70) is None
    assert home.doc == {
        "policyId": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "state": "UPCOMING",
        "pluggedInAt": None,
        "pluggedOutAt": None,
        "blocks": [],
        "statistics": {"aggregated": None, "timeseries": []},
        "target": {"latest": {"id": 2, "type": "IMMEDIATE_START", "minimumChargeTarget": 70}},
        "outcome": {"latest": None},
        "error": {"latest": None},
    }
    home.until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:IMMEDIATE_START"
    home.until("10T22:17")
    assert home.state.facts.charging


def test_a_schedule_override_while_upcoming_gives_the_document_of_example_5() -> None:
    home = Home()
    assert home.override(90, "11T08:00") is None
    assert home.target == {
        "id": 2,
        "type": "REGULAR",
        "source": "USER_OVERRIDE",
        "batteryReserve": 20,
        "minimumChargeTarget": 90,
        "readyBy": "2025-06-11T08:00:00Z",
    }
    assert home.doc["state"] == "UPCOMING"


def test_an_immediate_start_in_a_running_block_splits_it_and_is_kept_when_unplugged_before_it_is_reached() -> None:
    """The narrative of example 3's first part."""
    home = Home(goal=85, assumed=22)
    home.until("10T21:45").plug().until("11T01:45")
    assert home.boost(86) is None
    assert home.doc["state"] == "ACTIVE:IMMEDIATE_START"
    assert home.outcome["type"] == "IMMEDIATE_START"
    assert home.outcome["targetId"] == 2
    home.until("11T02:15").unplug().until("11T02:20")
    doc = home.settled[0].document
    first, second = doc["blocks"][-2:]
    assert (first["type"], first["endAt"]) == ("REGULAR", "2025-06-11T01:45:00Z")
    assert (second["type"], second["startAt"]) == ("IMMEDIATE_START", "2025-06-11T01:45:00Z")
    assert second["endAt"] == "2025-06-11T02:15:00Z"
    assert second["kwhSum"] == 5.5
    assert doc["target"]["latest"] == {"id": 2, "type": "IMMEDIATE_START", "minimumChargeTarget": 86}
    assert doc["outcome"]["latest"]["minimumChargeTargetReachedAt"] is not None


def test_reaching_an_immediate_start_brings_the_regular_target_back_with_its_id() -> None:
    home = Home()
    home.until("10T22:15").plug()
    home.boost(40)
    home.until("10T22:30")
    assert home.target["type"] == "IMMEDIATE_START"
    home.until("10T23:00")
    assert home.target["type"] == "REGULAR"
    assert home.target["id"] == 1
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert not home.state.facts.charging, "the rest waits for the cheap hours"
    assert home.doc["blocks"][0]["type"] == "IMMEDIATE_START"


def test_the_same_override_told_twice_counts_once() -> None:
    home = Home()
    home.boost(70)
    home.boost(70)
    assert home.target["id"] == 2
    home.override(90, "11T08:00")
    home.override(90, "11T08:00")
    assert home.target["id"] == 3
    home.boost(75)
    assert home.target["id"] == 4


def test_going_back_to_the_policy_brings_its_target_back_with_its_id() -> None:
    home = Home()
    home.override(90, "11T08:00")
    home.boost(95)
    assert home.cancel() is None
    assert home.target["id"] == 1
    assert home.target["source"] == "POLICY"


def test_going_back_after_the_policys_deadline_has_passed_makes_the_next_one() -> None:
    home = Home()
    home.until("10T22:15").plug()
    home.override(90, "11T12:00")
    home.until("11T08:00")
    home.cancel()
    assert home.target["readyBy"] == "2025-06-12T07:00:00Z"
    assert home.target["id"] == 3


def test_an_override_that_was_met_gives_way_to_the_next_scheduled_target() -> None:
    home = Home()
    home.until("10T22:15").plug()
    home.override(60, "11T05:00")
    home.until("11T05:01")
    assert home.target["source"] == "POLICY"
    assert home.target["readyBy"] == "2025-06-11T07:00:00Z"


def test_an_override_whose_time_passes_without_a_car_is_gone() -> None:
    home = Home()
    home.override(90, "10T23:00")
    home.until("10T23:01")
    assert home.target["source"] == "POLICY"
    assert home.target["id"] == 1


def test_refuses_what_cannot_be() -> None:
    home = Home()
    assert "readyBy" in str(home.override(90, "10T19:00"))
    assert "1 to 100" in str(home.override(0, "11T08:00"))
    assert "1 to 100" in str(home.boost(101))
    assert home.target["id"] == 1
    answers = home.tell(
        ImmediateStartRequested(policy_id=PolicyId("nobody"), minimum_charge_target=50, reply_to=ReplyTo("x"))
    )
    assert answers == [AnswerRequest(reply_to=ReplyTo("x"), rejected="there is no such policy")]
