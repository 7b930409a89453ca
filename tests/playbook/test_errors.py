"""START_FAIL, STOP_FAIL and MISSING_CAPABILITIES: said when they are the truth, and taken back when they are not."""

import pytest

from chargerd.core.commands import SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.events import Activity, Capabilities, CapabilitiesChanged, Failure, StatusReported
from tests.support.home import GARAGE, Home, prices


def test_says_start_fail_when_the_charger_accepts_and_does_nothing() -> None:
    home = Home()
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T01:02:59")
    assert home.error is None
    home.until("11T01:03")
    assert home.error == {"type": "START_FAIL"}
    assert home.doc["blocks"] == [
        {"type": "REGULAR", "kwhSum": 0, "startAt": "2025-06-11T01:00:00Z", "endAt": "2025-06-11T02:15:00Z"}
    ], "the minutes that were lost are planned again"
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 35, "batteryTo": 35}
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] == 35
    assert home.outcome["minimumChargeTargetReachedAt"] > "2025-06-11T07:00:00Z"


def test_start_fail_clears_within_one_sample_once_the_car_charges() -> None:
    home = Home()
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T01:10")
    assert home.error == {"type": "START_FAIL"}
    home.box.obeys_start = True
    home.start_box().until("11T01:12")
    assert home.error is None
    assert home.outcome["state"] == "ON_TARGET"
    home.until("11T06:50")
    assert home.doc["statistics"]["aggregated"]["batteryTo"] >= 50


def test_tries_again_by_a_bounded_ladder_and_then_says_that_it_does_not_know_when() -> None:
    home = Home(curve=prices("01T00:00", []))
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T06:30")
    assert len(home.sent(StartTransaction)) == 4
    assert home.error == {"type": "START_FAIL"}
    assert home.outcome["minimumChargeTargetReachedAt"] is None


def test_start_fail_ends_when_no_block_is_due_any_more() -> None:
    home = Home()
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T01:10")
    home.override(36, "11T07:00")
    home.until("11T01:11")
    home.override(35, "11T07:00")
    assert home.error is None


def test_start_fail_ends_when_the_car_leaves() -> None:
    home = Home()
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T01:10").unplug()
    assert home.error is None
    home.until("11T01:15")
    assert home.settled[0].document["blocks"] == [], "a block that never delivered is dropped"
    assert home.settled[0].document["error"]["latest"] is None


def test_says_start_fail_when_the_charger_is_offline_in_a_due_block() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T00:30").offline().until("11T01:02")
    assert home.error is None
    home.until("11T01:04")
    assert home.error == {"type": "START_FAIL"}
    assert home.outcome["minimumChargeTargetReachedAt"] is None
    home.online().until("11T01:20")
    assert home.error is None
    assert home.state.facts.charging


def test_a_refused_start_is_tried_again() -> None:
    home = Home()
    home.box.failure = Failure.REFUSED
    home.until("10T22:15").plug().until("11T01:00:30")
    assert home.state.control.refusal == "no"
    home.box.failure = None
    home.until("11T01:05")
    assert home.state.facts.charging
    assert home.error is None


def test_a_manual_stop_in_a_block_is_answered_by_a_start() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:20")
    home._end_transaction("Local")
    home.until("11T01:25")
    assert home.state.facts.charging
    assert len(home.sent(StartTransaction)) == 2


def test_a_car_that_is_full_is_no_start_fail() -> None:
    home = Home(goal=90)
    home.until("10T22:15").plug().until("11T02:00")
    home.box.car_takes = False
    home.tell(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.SUSPENDED_EV))
    home.until("11T02:09")
    assert home.error is None
    assert home.doc["blocks"][-1]["endAt"] > "2025-06-11T02:09:00Z"
    home.until("11T02:15")
    assert home.error is None
    assert all(block["endAt"] <= "2025-06-11T02:00:00Z" for block in home.doc["blocks"]), "planned blocks go"
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["minimumChargeTargetReachedAt"] is None


def test_says_stop_fail_when_the_charger_ignores_the_stop() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:30")
    home.box.obeys_stop = False
    home.until("11T01:56")
    assert home.error is None
    home.until("11T02:10")
    assert home.error == {"type": "STOP_FAIL"}
    assert home.sent(StopTransaction), "where the limit has no effect the transaction is ended"
    assert home.doc["blocks"][-1]["kwhSum"] == home.doc["statistics"]["aggregated"]["kwhSum"]


def test_stop_fail_clears_when_it_stops() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:30")
    home.box.obeys_stop = False
    home.until("11T02:10")
    home.box.limit_a = 0
    home.until("11T02:13")
    assert home.error is None
    home.box.obeys_stop = True
    home.until("11T06:50").unplug().until("11T06:55")
    doc = home.settled[0].document
    assert abs(sum(b["kwhSum"] for b in doc["blocks"]) - doc["statistics"]["aggregated"]["kwhSum"]) < 0.001


def test_a_refused_pause_goes_to_the_next_rung_at_once() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:54")
    home.box.failure = Failure.REFUSED
    before = len(home.commands)
    home.until("11T01:56")
    kinds = [type(c) for c in home.commands[before:] if isinstance(c, SetCurrentLimit | StopTransaction)]
    assert kinds[:2] == [SetCurrentLimit, StopTransaction]


def test_a_refused_stop_gives_way_to_the_limit_that_ends_the_transaction() -> None:
    """D20: EVBox Elvi in autostart refuses to stop, and heeds limits."""
    home = Home()
    home.tell(CapabilitiesChanged(charger_id=GARAGE, capabilities=Capabilities(zero_is_stop=True)))
    home.box.ends_at_zero = True
    home.box.refuses = (StopTransaction,)
    home.until("10T22:15").plug().until("11T01:54")
    before = len(home.commands)
    home.until("11T02:15")
    kinds = [type(c) for c in home.commands[before:] if isinstance(c, SetCurrentLimit | StopTransaction)]
    assert kinds[:2] == [StopTransaction, SetCurrentLimit]
    assert home.error is None
    assert home.box.flowing == 0


def test_a_charger_that_cannot_limit_is_remembered() -> None:
    home = Home()
    home.box.failure = Failure.NOT_SUPPORTED
    home.until("10T22:15").plug().until("11T01:01")
    assert home.state.facts.capabilities.can_limit is False
    assert home.error == {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["startCharging"]}


@pytest.mark.parametrize(
    ("assumed", "able", "missing"),
    [
        pytest.param(None, {}, ["chargeState"], id="no-level-and-no-fallback"),
        pytest.param(35, {"can_start": False, "can_limit": False}, ["startCharging"], id="no-start"),
        pytest.param(35, {"can_stop": False, "can_limit": False}, ["stopCharging"], id="no-stop"),
    ],
)
def test_says_what_is_missing_before_plug_in_and_controls_nothing(
    assumed: int | None, able: dict[str, bool], missing: list[str]
) -> None:
    home = Home(assumed=assumed).able(**able)
    error = {"type": "MISSING_CAPABILITIES", "missingCapabilities": missing}
    assert home.doc["state"] == "UPCOMING"
    assert home.error == error
    home.until("10T22:15").plug().start_box().until("11T00:00")
    assert home.error == error
    assert not home.sent(SetCurrentLimit)
    assert not home.sent(StopTransaction)
    assert home.doc["statistics"]["aggregated"]["kwhSum"] > 10, "what flows is measured"
    home.able(can_start=True, can_stop=True, can_limit=True)
    if assumed is not None:
        assert home.error is None


def test_a_limit_that_is_not_taken_is_not_sent_again_and_again() -> None:
    home = Home()
    home.until("10T22:15").plug().until("11T01:05").offline().until("11T01:06")
    home.box.failure = Failure.REFUSED
    before = len(home.sent(SetCurrentLimit))
    home.online().until("11T01:40")
    assert len(home.sent(SetCurrentLimit)) == before + 1
