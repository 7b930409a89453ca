"""Mains, process and disk fail: what the session document must show then.

S-07, a full disk, is no matter of the core.
"""

from datetime import timedelta

import pytest

from chargerd.core import document
from chargerd.core.commands import SetCurrentLimit, StartTransaction, StopTransaction, StoreSettled
from chargerd.core.decide import initial
from tests.support.home import Home, utc
from tests.support.reading import (
    NO_STATISTICS,
    ON_TARGET,
    START_FAIL,
    kwh_sum,
    near,
    rates,
    regular,
    short,
    spans,
)

AFTERWARDS = [
    pytest.param("same", id="the-transaction-goes-on"),
    pytest.param("stopped", id="its-end-is-told-later"),
    pytest.param("forgotten", id="its-end-is-told-to-nobody"),
]
"""What a charger makes of its transaction when its mains go."""


def mains_fail(home: Home, transaction: str) -> None:
    """The charger goes dark, and makes of its transaction what ``transaction`` says."""
    home.box.connected = False
    if transaction == "stopped":
        home.stop_box("PowerLoss")
    if transaction == "forgotten":
        home.box.transaction = None
    home.dark()


def house_is_dark(home: Home, transaction: str) -> Home:
    """From 01:20 to 01:50 neither gateway nor charger runs; the last three minutes were not on the disk."""
    home.until("10T22:15").plug().until("11T01:17")
    disk = home.state
    home.until("11T01:20")
    mains_fail(home, transaction)
    return home.back_to(disk).down_until("11T01:50").revive()


@pytest.mark.parametrize("transaction", AFTERWARDS)
def test_a_night_goes_on_after_the_house_was_dark(transaction: str) -> None:
    """S-01, with C18: the charger says Preparing though we hold its transaction for open."""
    home = house_is_dark(Home(goal=60), transaction)
    home.boot().sample()
    assert home.settled == []
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"

    home.until("11T02:00")
    assert home.state.facts.charging, "it goes on within two minutes"
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    first, second = home.doc["blocks"]
    assert first["startAt"] == "2025-06-11T01:00:00Z"
    assert near(first["endAt"], "11T01:20:00"), "cut where the power went"
    assert first["kwhSum"] == 3.667, "with the three minutes that were lost"
    assert "11T01:50:00" <= short(second["startAt"]) <= "11T01:52:00"
    assert rates(home.doc)["11T01:15"] == pytest.approx(3.667, abs=0.01)
    assert rates(home.doc)["11T01:30"] == 0
    assert kwh_sum(home.doc) == home.delivered_kwh
    assert home.target == regular(60)
    assert home.outcome == ON_TARGET
    assert home.errors() == [], "nobody could have started it before"

    home.until("11T06:50").unplug().until("11T06:52")
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.last["statistics"]["aggregated"]["batteryTo"] >= 60
    assert home.last["blocks"][0] == first, "what is past stays as it was"


def test_says_off_target_when_the_dark_half_hour_cannot_be_made_up() -> None:
    """S-01 without slack: 55 % by 02:30 took the whole of the block."""
    home = house_is_dark(Home(goal=55, ready_by="02:30"), "same")
    home.boot().sample()
    home.until("11T02:00")
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] in (50, 51), "20 and 40 minutes of 11 kW, or a little less"
    assert "11T02:42:00" <= short(home.outcome["minimumChargeTargetReachedAt"]) <= "11T02:46:00"
    assert home.target == regular(55, "2025-06-11T02:30:00Z")
    assert home.errors() == []
    promised = home.outcome["batteryLevelAtReadyBy"]
    home.until("11T02:30")
    assert abs(home.doc["statistics"]["aggregated"]["batteryTo"] - promised) <= 1
    home.until("11T02:50")
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 55, "a missed deadline does not stop it"


def test_says_start_fail_when_nothing_flows_once_the_power_is_back() -> None:
    """S-01, the last column."""
    home = house_is_dark(Home(goal=60), "forgotten")
    home.box.obeys_start = False
    home.boot().sample()
    home.until("11T01:53")
    assert home.error is None
    home.until("11T02:00")
    assert home.error == START_FAIL
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] == 40
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    home.start_box().until("11T02:02")
    assert home.error is None
    assert home.outcome == ON_TARGET


def test_energy_that_flowed_unseen_lies_at_the_beginning_of_the_gap() -> None:
    """S-01: a gateway that is away from 01:20 to 02:20 finds a quarter hour of 11 kW in the register."""
    home = Home(goal=60).until("10T22:15").plug().until("11T01:20")
    home.down_until("11T01:35")
    home.box.car_takes = False
    home.down_until("11T02:20").restart().status().sample()
    home.until("11T02:21")
    assert kwh_sum(home.doc) == pytest.approx(6.417, abs=0.001)
    assert rates(home.doc)["11T01:15"] == pytest.approx(11.0, abs=0.01)
    assert rates(home.doc)["11T01:30"] == pytest.approx(3.667, abs=0.02)
    assert rates(home.doc)["11T01:45"] == 0
    assert rates(home.doc)["11T02:00"] == 0
    home.until("11T02:25")
    assert home.doc["blocks"][0]["startAt"] == "2025-06-11T01:00:00Z"
    assert near(home.doc["blocks"][0]["endAt"], "11T01:35:00")


def charger_is_dark(home: Home, transaction: str) -> Home:
    """From 01:23:30 to 03:20 the charger has no mains; its meter was last read at 01:22."""
    home.until("10T22:15").plug().until("11T01:23:30")
    mains_fail(home, transaction)
    return home.offline()


def comes_back(home: Home, transaction: str) -> None:
    home.until("11T03:20").boot()
    if transaction != "same":
        home.start_box()
    home.sample()


@pytest.mark.parametrize("transaction", AFTERWARDS)
def test_a_charger_without_mains_for_two_hours_costs_two_hours_and_nothing_else(transaction: str) -> None:
    """S-02, three variants: resumed, Stop and new Start, new Start alone."""
    home = charger_is_dark(Home(goal=60, sample_every=timedelta(minutes=2)), transaction)
    home.until("11T02:00")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.error == START_FAIL, "a block is due and nothing flows"
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] == 41
    assert home.outcome["minimumChargeTargetReachedAt"] is None, "nobody knows when the charger comes back"
    assert "11T02:45:00" < spans(home.doc)[-1][2] <= "11T07:00:00", "what is to come moves to the right"

    comes_back(home, transaction)
    home.until("11T03:26")
    assert home.error is None
    assert home.outcome == ON_TARGET
    assert home.target == regular(60)
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    first, second = home.doc["blocks"]
    assert first["startAt"] == "2025-06-11T01:00:00Z"
    assert near(first["endAt"], "11T01:23:30")
    assert first["kwhSum"] == 4.308
    assert near(second["startAt"], "11T03:20:00")
    assert rates(home.doc)["11T01:15"] == pytest.approx(6.233, abs=0.01)
    dark = {start: rate for start, rate in rates(home.doc).items() if "11T01:30" <= start < "11T03:15"}
    assert dark == dict.fromkeys(
        ("11T01:30", "11T01:45", "11T02:00", "11T02:15", "11T02:30", "11T02:45", "11T03:00"), 0
    )

    home.until("11T06:50").unplug().until("11T06:52")
    assert len(home.settled) == 1
    assert kwh_sum(home.last) == home.delivered_kwh, "nothing twice"
    assert len(home.last["blocks"]) == 2
    assert home.last["outcome"]["latest"] == ON_TARGET


def test_what_two_hours_without_mains_make_impossible_is_said_and_charged_later() -> None:
    """S-02: 60 % by 04:00 is out of reach."""
    home = charger_is_dark(Home(goal=60, ready_by="04:00"), "same")
    comes_back(home, "same")
    home.until("11T03:30")
    assert home.error is None
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] in (51, 52)
    assert "11T04:27:00" <= short(home.outcome["minimumChargeTargetReachedAt"]) <= "11T04:33:00"
    home.until("11T04:20")
    assert home.state.facts.charging
    assert home.target == regular(60, "2025-06-11T04:00:00Z")
    home.until("11T04:35")
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 60
    assert not home.state.facts.charging


def test_a_charger_that_is_dark_while_no_block_is_due_is_no_error() -> None:
    """S-02, outside a block."""
    home = Home().until("10T22:15").plug().until("10T22:30")
    mains_fail(home, "same")
    home.offline().until("11T00:30").boot().until("11T01:05")
    assert home.errors() == []
    assert home.outcome == ON_TARGET
    assert home.state.facts.charging
    assert spans(home.doc) == [("REGULAR", "11T01:00:00", "11T02:00:00")]
    assert set(rates(home.doc).values()) == {0}


def test_a_flicker_of_the_mains_splits_no_block() -> None:
    """S-02, shorter than a dip and than the start timeout."""
    home = Home().until("10T22:15").plug().until("11T01:20")
    mains_fail(home, "same")
    home.offline().until("11T01:21").boot().until("11T01:40")
    assert home.errors() == []
    assert [span[1] for span in spans(home.doc)] == ["11T01:00:00"]
    assert len(home.sent(StartTransaction)) == 1
    home.until("11T06:50").unplug().until("11T06:52")
    assert kwh_sum(home.last) == home.delivered_kwh
    assert len(home.last["blocks"]) == 1


@pytest.mark.parametrize("wish", [pytest.param(None, id="policy"), pytest.param(60, id="override")])
def test_a_killed_process_goes_on_in_its_block_as_if_nothing_had_been(wish: int | None) -> None:
    """S-03: back after five seconds; the charger reconnects without a boot."""
    home = Home().until("10T22:15").plug()
    if wish is not None:
        home.override(wish, "11T06:00")
    home.until("11T01:20:30")
    before = home.doc
    commands = len(home.sent(StartTransaction)) + len(home.sent(StopTransaction))
    home.crash().down_until("11T01:20:35").restart()
    after = home.doc
    for part in ("policyId", "state", "pluggedInAt", "pluggedOutAt", "target", "outcome", "error"):
        assert after[part] == before[part], part
    assert spans(after) == spans(before)
    assert after["statistics"]["timeseries"] == before["statistics"]["timeseries"]

    home.until("11T01:21")
    assert kwh_sum(home.doc) >= kwh_sum(before), "the register knows what was not on the disk"
    assert kwh_sum(home.doc) == home.delivered_kwh
    home.until("11T01:31")
    assert [rates(home.doc)[f"11T01:{minute}"] for minute in ("00", "15")] == pytest.approx([11, 11], abs=0.01)
    assert len(home.sent(StartTransaction)) + len(home.sent(StopTransaction)) == commands
    assert not [limit for limit in home.sent(SetCurrentLimit) if limit.limit_a == 0]
    assert home.errors() == []
    assert len(home.doc["blocks"]) == len(before["blocks"])


@pytest.mark.parametrize(
    ("goal", "plug_in", "first", "last"),
    [
        pytest.param(50, "10T22:15", "11T01:01", "11T02:00", id="an-hour"),
        pytest.param(60, "10T22:15", "11T01:01", "11T02:45", id="two-hours"),
        pytest.param(60, "11T05:00", "11T05:01", "11T06:40", id="against-the-clock"),
    ],
)
def test_a_process_may_be_killed_in_any_minute_of_a_block(goal: int, plug_in: str, first: str, last: str) -> None:
    """S-03: but for what was measured since the last write, the same is shown before and after."""
    home = Home(goal=goal).until(plug_in).plug()
    while home.now < utc(last):
        home.until(f"{max(utc(first), home.now + timedelta(minutes=1)):%Y-%m-%dT%H:%M:%S}")
        before, after = home.doc, home.after_a_kill()
        for part in ("state", "pluggedInAt", "pluggedOutAt", "target", "outcome", "error"):
            assert after[part] == before[part], f"{part} at {home.now:%H:%M}"
        assert spans(after) == spans(before), f"blocks at {home.now:%H:%M}"
        assert len(rates(after)) == len(rates(before))


def test_a_process_that_is_killed_over_a_start_does_not_start_twice() -> None:
    """S-03: the answer to the start, and the start of the transaction, met nobody."""
    home = Home().until("10T22:15").plug().until("11T00:59:59")
    home.box.deaf = True
    home.until("11T01:00")
    assert len(home.sent(StartTransaction)) == 1
    home.crash().box.deaf = False
    home.start_box().down_until("11T01:00:05").restart().until("11T01:10")
    assert len(home.sent(StartTransaction)) == 1
    assert home.state.facts.charging
    assert home.errors() == []
    assert spans(home.doc)[0][:2] == ("REGULAR", "11T01:00:00")
    assert kwh_sum(home.doc) == home.delivered_kwh


@pytest.mark.parametrize("half", ["before", "after"])
def test_a_visit_that_was_being_settled_is_settled_once(half: str) -> None:
    """S-06: the process died before, or after, the new state was on the disk."""
    home = Home().until("10T22:15").plug()
    home.override(40, "11T09:00")
    home.until("11T06:50").unplug().until("11T06:50:59")
    disk = home.state
    home.until("11T06:51")
    (first,) = home.settled
    if half == "before":
        home.back_to(disk)
    else:
        home.crash()
    home.down_until("11T06:51:30").restart().until("11T06:55")
    assert all(stored == first for stored in home.settled), "byte for byte"
    assert len(home.sent(StoreSettled)) == (2 if half == "before" else 1)
    assert first.document["pluggedOutAt"] == "2025-06-11T06:50:00Z"
    assert first.document["target"]["latest"]["source"] == "USER_OVERRIDE"
    assert first.document["error"]["latest"] is None
    assert home.doc["state"] == "UPCOMING"
    assert home.doc["statistics"] == NO_STATISTICS
    assert home.target == regular()
    assert home.outcome is None
    assert home.error is None


@pytest.mark.parametrize("saved", [pytest.param(True, id="saved"), pytest.param(False, id="not-saved")])
def test_an_older_snapshot_knows_the_visit_and_the_register_knows_the_rest(saved: bool) -> None:
    """S-08: a snapshot from before the block; an override is lost only where the snapshot does not have it."""
    home = Home(goal=60).until("10T22:15").plug()
    home.sample()
    home.until("11T00:20")
    if saved:
        home.override(70, "11T06:30")
    home.until("11T00:30")
    disk = home.state
    if not saved:
        home.override(70, "11T06:30")
    home.until("11T01:40").back_to(disk).restart().status().sample()
    commands = len(home.sent(StartTransaction))
    home.until("11T01:41")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    assert home.target["id"] == (2 if saved else 1)
    assert home.target["source"] == ("USER_OVERRIDE" if saved else "POLICY")
    assert home.outcome["state"] == "ON_TARGET"
    assert home.errors() == []
    assert kwh_sum(home.doc) == home.delivered_kwh, "40 minutes that no process remembers"
    assert document.charger(home.state)["transactionId"] == home.box.transaction
    home.until("11T02:00")
    assert home.state.facts.charging
    assert len(home.sent(StartTransaction)) == commands, "it charges already"
    assert not [limit for limit in home.sent(SetCurrentLimit) if limit.limit_a == 0]
    home.until("11T06:50").unplug().until("11T06:52")
    assert kwh_sum(home.last) == home.delivered_kwh


@pytest.mark.parametrize("left", ["a snapshot from before plug-in", "nothing at all"])
def test_a_car_that_no_snapshot_knows_begins_its_visit_with_the_first_word_of_it(left: str) -> None:
    """S-08: counting begins at zero, and charging that goes on is not disturbed."""
    home = Home().until("10T20:10")
    disk = home.state
    home.until("10T22:15").plug().until("11T01:20")
    home.back_to(disk if left.startswith("a ") else initial(home.configuration(), home.now))
    base = round(home.box.register)
    home.restart().status().sample()
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-11T01:20:00Z"
    assert home.doc["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": 35, "batteryTo": 35}
    assert home.target == regular()
    commands = len(home.sent(StartTransaction))
    home.until("11T01:40")
    assert home.state.facts.charging
    assert home.outcome == ON_TARGET
    assert home.errors() == []
    assert len(home.sent(StartTransaction)) == commands
    assert not [limit for limit in home.sent(SetCurrentLimit) if limit.limit_a == 0]
    home.until("11T06:50").unplug().until("11T06:52")
    assert kwh_sum(home.last) == (round(home.box.register) - base) / 1000


def leaves_in_the_dark(home: Home, transaction: str) -> Home:
    """At 01:19:30 the mains of charger and gateway fail, and the car leaves; at 03:00 both are back."""
    home.until("10T22:15").plug().until("11T01:19:30")
    mains_fail(home, transaction)
    home.box.plugged = False
    return home


@pytest.mark.parametrize("gateway", ["dies too", "goes on"])
def test_a_car_that_left_in_a_power_cut_left_when_its_transaction_ended(gateway: str) -> None:
    """S-11: Boot, Available, then the Stop that waited."""
    home = leaves_in_the_dark(Home(), "stopped")
    if gateway == "dies too":
        home.crash().down_until("11T03:00").revive()
    else:
        home.offline().until("11T03:00")
    home.boot().until("11T03:12")
    (stored,) = home.settled
    doc = stored.document
    assert doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    assert doc["pluggedOutAt"] == "2025-06-11T01:19:30Z"
    assert spans(doc) == [("REGULAR", "11T01:00:00", "11T01:19:30")]
    assert kwh_sum(doc) == home.delivered_kwh == 3.575
    assert doc["statistics"]["timeseries"][-1] == {
        "startAt": "2025-06-11T01:15:00Z",
        "kwh": pytest.approx(11, abs=0.02),
    }
    assert doc["target"]["latest"] == regular()
    assert doc["outcome"]["latest"] == {
        "type": "REGULAR",
        "targetId": 1,
        "state": "OFF_TARGET",
        "batteryLevelAtReadyBy": 40,
        "minimumChargeTargetReachedAt": None,
    }
    assert doc["error"]["latest"] is None
    assert home.doc["state"] == "UPCOMING"
    assert home.error is None


@pytest.mark.parametrize("gateway", ["dies too", "goes on"])
def test_a_car_that_left_in_a_power_cut_without_a_word_left_when_it_was_last_seen(gateway: str) -> None:
    """S-11: Boot, Available, and nothing else. Not later than the cut, and not before what was on the disk."""
    home = leaves_in_the_dark(Home(), "forgotten")
    if gateway == "dies too":
        home.crash().down_until("11T03:00").revive()
    else:
        home.offline().until("11T03:00")
    home.boot().until("11T03:12")
    (stored,) = home.settled
    doc = stored.document
    assert "11T01:15:00" <= short(doc["pluggedOutAt"]) <= "11T01:19:30"
    assert [span[:2] for span in spans(doc)] == [("REGULAR", "11T01:00:00")]
    assert 2.75 <= kwh_sum(doc) <= 3.575
    assert short(doc["statistics"]["timeseries"][-1]["startAt"]) in ("11T01:00:00", "11T01:15:00")
    assert doc["target"]["latest"] == regular()
    assert doc["outcome"]["latest"]["state"] == "OFF_TARGET"
    assert doc["outcome"]["latest"]["batteryLevelAtReadyBy"] in (39, 40)
    assert doc["error"]["latest"] is None
    assert home.doc["state"] == "UPCOMING"
