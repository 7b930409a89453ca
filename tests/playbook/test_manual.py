"""Starting and stopping by hand, at a charger that no policy holds."""

from chargerd.core import document
from chargerd.core.commands import AnswerRequest, SetCurrentLimit, StartTransaction
from chargerd.core.events import Activity, ChargingRequested, Failure, MeterSampled, StatusReported
from chargerd.core.ids import ReplyTo
from tests.playbook.test_night import TWO_VALLEYS
from tests.support.home import GARAGE, Home, prices, utc


def ask(home: Home, *, start: bool | None) -> str | None:
    told = home.tell(ChargingRequested(charger_id=GARAGE, start=start, reply_to=ReplyTo("me")))
    return next(command.rejected for command in told if isinstance(command, AnswerRequest))


def action(home: Home) -> dict[str, object]:
    found: dict[str, object] = document.charger(home.state)["action"]
    return found


def guest() -> Home:
    return Home(managed=False).until("10T22:15").plug().until("10T22:16")


def test_a_start_by_hand_is_pending_until_the_meter_proves_it() -> None:
    home = guest()
    home.box.car_takes = False
    assert ask(home, start=True) is None
    assert action(home) == {
        "id": 1,
        "kind": "START",
        "state": "PENDING",
        "createdAt": "2025-06-10T22:16:00Z",
        "failureReason": None,
    }
    home.box.car_takes = True
    home.until("10T22:19")
    assert action(home)["state"] == "CONFIRMED"
    assert len(home.sent(StartTransaction)) == 1


def test_a_stop_by_hand_stays_in_force() -> None:
    home = guest().start_box().until("10T22:30")
    assert ask(home, start=False) is None
    home.until("10T22:35")
    assert action(home)["state"] == "CONFIRMED"
    home.until("10T23:30")
    assert [command.limit_a for command in home.sent(SetCurrentLimit)] == [0.0]
    assert home.box.flowing == 0
    assert ask(home, start=True) is None
    home.until("10T23:33")
    assert action(home) == {
        "id": 2,
        "kind": "START",
        "state": "CONFIRMED",
        "createdAt": "2025-06-10T23:30:00Z",
        "failureReason": None,
    }
    assert home.box.flowing > 0


def test_a_stop_by_hand_is_not_for_the_next_car() -> None:
    home = guest().start_box().until("10T22:30")
    ask(home, start=False)
    home.until("10T22:35").unplug().until("10T22:40")
    assert len(home.settled) == 1
    home.box.limit_a = 16
    home.until("10T23:00").plug().start_box().until("10T23:30")
    assert home.box.flowing > 0
    assert action(home)["state"] == "CONFIRMED"


def test_a_start_that_does_not_come_about_has_failed_and_is_left_alone() -> None:
    home = guest()
    home.box.obeys_start = False
    ask(home, start=True)
    home.until("10T22:21")
    assert (action(home)["state"], action(home)["failureReason"]) == ("FAILED", "NO_RESPONSE")
    before = len(home.commands)
    home.until("10T23:30")
    assert not [c for c in home.commands[before:] if isinstance(c, StartTransaction)]


def test_a_start_that_waits_when_the_car_leaves_is_cancelled() -> None:
    home = guest()
    home.box.obeys_start = False
    ask(home, start=True)
    home.until("10T22:17").unplug()
    assert action(home)["state"] == "CANCELLED"
    assert ask(home, start=True) == "nothing is plugged in"
    home.until("10T22:20").plug()
    assert action(home)["state"] == "CANCELLED"


def test_a_charger_that_a_policy_holds_is_not_started_by_hand() -> None:
    home = Home()
    home.until("10T22:15").plug()
    assert ask(home, start=True) == "a policy holds this charger; change its target instead"
    assert document.charger(home.state)["action"] is None


def test_a_car_whose_policy_is_taken_away_in_a_pause_is_left_free_to_charge() -> None:
    home = Home()
    home.until("10T22:15").plug().start_box()
    assert home.box.limit_a == 0
    home.until("10T22:20")
    home.managed = False
    home.tell(home.configuration())
    home.until("10T22:25")
    assert home.box.limit_a == 16
    assert home.state.facts.charging


def test_a_pause_is_remembered_through_a_restart_that_takes_the_policy_away() -> None:
    home = Home()
    home.until("10T22:15").plug().start_box().until("10T22:20")
    home.managed = False
    home.restart().until("10T22:25")
    assert home.box.limit_a == 16
    assert home.state.facts.charging


def test_a_boost_after_the_end_of_the_ladder_begins_it_anew() -> None:
    home = Home(curve=prices("01T00:00", []))
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("10T23:30")
    before = len(home.sent(StartTransaction))
    home.box.obeys_start = True
    home.boost(60)
    home.until("10T23:33")
    assert len(home.sent(StartTransaction)) == before + 1
    assert home.state.facts.charging


def test_a_limit_that_timed_out_is_sent_again() -> None:
    home = Home(goal=80, curve=TWO_VALLEYS)
    home.until("10T22:15").plug().until("11T01:50")
    assert home.box.limit_a == 0
    home.box.failure = Failure.TIMED_OUT
    home.until("11T02:00:30")
    home.box.failure = None
    home.until("11T02:10")
    assert home.box.limit_a == 16
    assert home.state.facts.charging
    assert not home.state.slots[0].session.car_is_full


def test_a_level_of_the_last_car_told_late_is_not_this_cars() -> None:
    home = Home(level_from_charger=True, assumed=35)
    home.until("10T22:15").plug().until("10T22:16")
    home.tell(MeterSampled(charger_id=GARAGE, measured_at=utc("10T22:10"), soc_pct=90.0))
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 35


def test_a_fault_that_is_over_begins_the_ladder_anew() -> None:
    home = Home()
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T01:10")
    home.tell(StatusReported(charger_id=GARAGE, fault="ConnectorLockFailure"))
    home.until("11T01:11")
    home.box.obeys_start = True
    home.tell(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.EV_CONNECTED, fault=""))
    home.until("11T01:13")
    assert home.state.facts.charging


def test_a_stop_by_hand_that_is_taken_back_leaves_the_car_free_to_charge() -> None:
    home = guest().start_box().until("10T22:30")
    ask(home, start=False)
    home.until("10T22:35")
    assert home.box.flowing == 0
    assert ask(home, start=None) is None
    home.until("10T22:37")
    assert action(home)["state"] == "CANCELLED"
    assert [command.limit_a for command in home.sent(SetCurrentLimit)] == [0.0, 16.0]
    assert home.box.flowing > 0


def test_what_is_taken_back_while_it_is_pending_is_tried_no_more() -> None:
    home = guest()
    home.box.obeys_start = False
    ask(home, start=True)
    home.until("10T22:16:30")
    ask(home, start=None)
    asked = len(home.sent(StartTransaction))
    home.until("10T23:00")
    assert (action(home)["state"], len(home.sent(StartTransaction))) == ("CANCELLED", asked)


def test_taking_back_what_was_never_asked_or_has_failed_changes_nothing() -> None:
    home = guest()
    assert ask(home, start=None) is None
    assert action(home) is None
    home.box.obeys_start = False
    ask(home, start=True)
    home.until("10T22:40")
    assert action(home)["state"] == "FAILED"
    assert ask(home, start=None) is None
    assert action(home)["state"] == "FAILED"
