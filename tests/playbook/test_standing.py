"""A charger that follows schedules has the plan: it goes on by it when nobody is there to tell it anything."""

from datetime import timedelta
from itertools import pairwise

import pytest

from chargerd.core.commands import LimitStep, SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.events import Activity, ChargerBooted, TransactionEnded
from tests.playbook.test_night import TWO_VALLEYS
from tests.support.box import Box
from tests.support.home import GARAGE, NIGHT, Home, prices, utc

PERIODS = 24


def _home(*, goal: int = 80, periods: int | None = PERIODS, box: Box | None = None, **knobs: object) -> Home:
    home = Home(goal=goal, box=box or Box(follows=True), **{"curve": TWO_VALLEYS, **knobs})  # type: ignore[arg-type]
    return home.able(schedule_periods=periods, zero_is_stop=None if home.box.ends_at_zero else False)


def _orders(home: Home) -> list[list[tuple[str, float]]]:
    """The standing orders that were told, as times of day and limits."""
    return [[(f"{step.at:%H:%M}", step.limit_a) for step in c.later] for c in home.sent(SetCurrentLimit)]


def test_the_whole_plan_is_told_at_plug_in_with_a_last_start_that_meets_the_deadline() -> None:
    home = _home().until("10T22:15").plug()
    assert _orders(home)[0] == [("00:00", 16.0), ("01:05", 0.0), ("02:00", 16.0)]
    assert home.sent(SetCurrentLimit)[0].limit_a == 0


def test_a_transaction_is_opened_for_the_order_to_be_followed_in() -> None:
    home = _home().until("10T22:15").plug().until("10T22:20")
    assert len(home.sent(StartTransaction)) == 1
    assert home.state.facts.transaction is not None
    assert home.sent(SetCurrentLimit)[-1].transaction_id == home.state.facts.transaction.transaction_id
    assert not home.state.facts.charging
    assert home.doc["state"] == "ACTIVE:REGULAR"


@pytest.mark.parametrize("curve", [NIGHT, TWO_VALLEYS, prices("10T18:00", [0.1] * 14)], ids=["one", "two", "flat"])
def test_a_gateway_that_is_dead_from_plug_in_on_still_means_a_charged_car_and_every_wh_in_its_quarter(curve) -> None:
    home = _home(goal=70, curve=curve).until("10T22:15").plug().until("10T22:20")
    home.down_until("11T07:00").restart().until("11T07:05")
    assert home.doc["statistics"]["aggregated"]["batteryTo"] >= 70
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == home.delivered_kwh
    assert home.errors() == []
    home.unplug().until("11T07:10")
    assert home.last["statistics"]["aggregated"]["kwhSum"] == home.delivered_kwh


def test_a_dead_gateway_charges_in_the_cheap_hours_all_the_same() -> None:
    home = _home().until("10T22:15").plug().until("10T22:20")
    levels = {}
    for hour in ("00:00", "01:00", "02:00", "04:00"):
        home.down_until(f"11T{hour}")
        levels[hour] = home.delivered_kwh
    assert levels["00:00"] == 0
    assert levels["01:00"] == pytest.approx(11, abs=0.1)
    assert levels["02:00"] == pytest.approx(11.9, abs=0.1), "it pauses five minutes late"
    assert levels["04:00"] > 30


def test_the_charger_begins_its_windows_by_itself_and_is_told_little() -> None:
    home = _home().until("10T22:15").plug().until("11T06:50")
    assert [block["startAt"][11:16] for block in home.doc["blocks"]] == ["00:00", "02:00"]
    assert home.doc["statistics"]["aggregated"]["batteryTo"] >= 80
    assert len(home.sent(StartTransaction)) == 1
    assert not home.sent(StopTransaction)
    at_start = [t for t, _ in home.history if t in (utc("11T00:00"), utc("11T02:00"))]
    assert at_start, "the story has those instants"
    assert len(home.sent(SetCurrentLimit)) <= 6


def test_one_that_does_not_begin_by_itself_is_told_to() -> None:
    home = _home(box=Box(follows=False)).until("10T22:15").plug().until("11T00:02")
    assert home.state.facts.charging
    assert home.doc["blocks"][0]["startAt"] <= "2025-06-11T00:01:00Z"


def test_what_no_longer_fits_is_told_before_it_goes_wrong() -> None:
    home = _home().until("10T22:15").plug().until("11T00:30")
    home.reprice(prices("10T18:00", [0.4] * 6 + [0.1, 0.1, 0.4, 0.4, 0.1, 0.1, 0.4, 0.4])).until("11T00:31")
    assert home.state.control.later[0].at > utc("11T01:30"), "the pause of 01:05 is no more"
    home.until("11T01:58")
    assert home.state.facts.charging
    assert home.errors() == []


def test_a_target_that_was_reached_early_takes_the_last_start_back() -> None:
    home = _home().until("10T22:15").plug().until("11T05:00")
    assert not home.state.facts.charging
    assert [step.at for step in home.state.control.later] == [utc("11T07:15")]
    home.down_until("11T07:00")
    assert home.delivered_kwh == pytest.approx(30, abs=1)


def test_the_next_deadline_moves_the_last_start_on() -> None:
    home = _home().until("10T22:15").plug().until("11T07:30")
    assert not home.state.facts.charging
    assert home.state.control.later[-1].at > utc("11T12:00")
    assert home.errors() == []


def test_a_boost_is_charged_for_good_should_the_gateway_die() -> None:
    home = _home(assumed=10, goal=50).until("10T22:15").plug().until("10T22:20")
    home.boost(100)
    assert home.sent(SetCurrentLimit)[-1].limit_a == 16
    assert home.sent(SetCurrentLimit)[-1].later == ()
    home.down_until("11T04:00")
    assert home.delivered_kwh > 55


@pytest.mark.parametrize(
    ("periods", "steps"),
    [(4, ["00:00", "01:05", "02:00"]), (3, ["00:00"]), (2, ["00:00"]), (1, []), (None, [])],
)
def test_a_charger_with_room_for_few_periods_gets_the_first_ones_and_then_charges_on(periods, steps) -> None:
    home = _home(periods=periods).until("10T22:15").plug().until("11T00:01")
    told = [at for at, _ in (_orders(home) or [[]])[0]]
    assert told == steps
    last = home.sent(SetCurrentLimit)[0].later[-1:]
    assert all(step.limit_a == 16 for step in last)


def test_a_charger_that_knows_no_schedules_is_told_nothing_before_it_is_time() -> None:
    home = _home(periods=None).until("10T22:15").plug().until("10T23:59")
    assert not home.sent(SetCurrentLimit)
    assert not home.sent(StartTransaction)


def test_nothing_is_told_when_the_target_is_met_at_plug_in() -> None:
    home = _home(assumed=85).until("10T22:15").plug().until("11T06:50")
    assert not home.sent(SetCurrentLimit)
    assert not home.sent(StartTransaction)


def test_a_reconnect_tells_the_order_anew_for_it_may_be_lost() -> None:
    home = _home().until("10T22:15").plug().until("10T22:30").offline().until("10T22:40")
    told = len(home.sent(SetCurrentLimit))
    home.online().until("10T22:45")
    assert len(home.sent(SetCurrentLimit)) == told + 1
    assert home.state.control.later != ()
    assert len(home.sent(StartTransaction)) == 1, "the transaction is still there"


def test_a_connection_that_flaps_all_day_costs_a_bounded_number_of_writes() -> None:
    home = _home(ready_by="23:30", curve=prices("10T18:00", [0.4] * 20 + [0.1] * 10)).until("11T00:00").plug()
    for minute in range(5, 20 * 60, 15):
        home.until(f"11T{minute // 60:02}:{minute % 60:02}").offline().online()
    assert len(home.sent(SetCurrentLimit)) <= 40


def test_prices_that_change_all_the_time_do_not_wear_the_flash_out() -> None:
    home = _home(goal=60).until("10T22:15").plug()
    for number, minute in enumerate(range(16, 100, 2)):
        cheap = number % 2
        night = [0.4] * 6 + ([0.1, 0.1, 0.4, 0.4] if cheap else [0.4, 0.4, 0.1, 0.1]) + [0.4] * 4
        at = utc("10T22:00") + timedelta(minutes=minute)
        home.until(f"{at:%dT%H:%M}").reprice(prices("10T18:00", night))
    told = [at for at, event in home.history if type(event).__name__ == "CommandSucceeded"]
    assert all(b - a >= timedelta(minutes=4) for a, b in pairwise(told[3:])), told


def test_a_set_clock_has_the_order_told_anew() -> None:
    home = _home().until("10T22:15").plug().until("10T22:20")
    told = len(home.sent(SetCurrentLimit))
    home.step_clock(600).until("10T22:35")
    assert len(home.sent(SetCurrentLimit)) > told
    assert home.state.control.later[0] == LimitStep(at=utc("11T00:00"), limit_a=16.0)


def test_a_charger_that_ends_its_transaction_at_zero_is_learned_and_then_stopped_instead() -> None:
    home = _home(box=Box(follows=True, ends_at_zero=True)).until("10T22:15").plug().until("11T06:50")
    assert home.state.facts.zero_stops >= 2
    assert home.doc["statistics"]["aggregated"]["batteryTo"] >= 80
    assert home.errors() == []
    home.unplug().until("11T12:00").reprice(prices("11T08:00", [0.4] * 16 + [0.1] * 4 + [0.4] * 8))
    home.plug().until("11T12:05")
    begun = len(home.sent(StartTransaction))
    assert home.state.facts.transaction is None, "no transaction is opened that would be ended at once"
    limits = [c.limit_a for c in home.sent(SetCurrentLimit)]
    home.until("12T06:50")
    assert len(home.sent(StartTransaction)) > begun
    assert 0.0 not in [c.limit_a for c in home.sent(SetCurrentLimit)][len(limits) :], "a limit of 0 stays in the box"


def test_another_firmware_is_learned_anew() -> None:
    home = _home(box=Box(follows=True, ends_at_zero=True)).until("10T22:15").plug().until("11T06:50")
    home.tell(ChargerBooted(charger_id=GARAGE, vendor="Acme", model="Box", firmware="2"))
    assert home.state.facts.zero_stops == 0


def test_a_transaction_that_is_ended_by_hand_during_a_pause_proves_nothing() -> None:
    home = _home().until("10T22:15").plug().until("10T22:15:30")
    home.stop_box("Local").until("10T22:20")
    assert home.state.facts.zero_stops == 0
    assert len(home.sent(StartTransaction)) == 1, "who ended it knows why"


def test_a_limit_that_was_lost_is_told_again_when_the_car_draws_more_than_it_may() -> None:
    home = _home(periods=None, charge_max_w=22_000).until("10T22:15").plug().until("11T00:10")
    told = len(home.sent(SetCurrentLimit))
    home.box.watts = 22_000
    home.until("11T00:12")
    assert len(home.sent(SetCurrentLimit)) == told + 1
    home.until("11T00:15")
    assert len(home.sent(SetCurrentLimit)) == told + 1, "not with every sample"
    assert home.errors() == []


def test_a_limit_without_effect_is_said_another_way_before_the_transaction_is_ended() -> None:
    home = (
        _home(periods=None, box=Box(obeys_stop=False), sample_every=timedelta(seconds=30))
        .until("10T22:15")
        .plug()
        .until("11T01:02")
    )
    stops = [c for c in home.commands if isinstance(c, StopTransaction) or getattr(c, "limit_a", None) == 0]
    assert [getattr(c, "unheeded", "stop") for c in stops][:4] == [False, True, True, "stop"]


def test_an_offer_without_effect_is_said_another_way_too() -> None:
    home = _home(periods=None).until("10T22:15").plug().until("11T01:30")
    home.box.watts = 0.0
    home.until("11T02:00").status(Activity.SUSPENDED_EVSE).until("11T02:03")
    offers = [(c.limit_a, c.unheeded) for c in home.sent(SetCurrentLimit) if c.limit_a == 16]
    assert (16.0, True) in offers


def test_a_stop_that_bars_the_next_start_is_learned_and_the_remedy_is_to_replug() -> None:
    home = _home(periods=None, box=Box(ended_for_good=True)).able(can_limit=False)
    home.until("10T22:15").plug().until("11T02:10")
    assert home.state.facts.dead_stops >= 1
    assert home.errors()[-1] == "START_FAIL"
    home.unplug().until("11T08:00").plug()
    home.box.ended_for_good = False
    home.until("11T08:05").boost(100)
    home.until("11T08:10")
    home.tell(
        TransactionEnded(
            charger_id=GARAGE,
            reply_to="x",
            transaction_id=home.state.facts.transaction.transaction_id,
            reason="Remote",
        )
    )
    home.box.transaction = None
    home.until("11T08:15")
    assert home.state.facts.dead_stops == 0, "it began another one after all"


def test_a_transaction_in_which_nothing_flows_is_left_open_while_the_limit_gets_no_answer() -> None:
    home = _home().until("10T22:15").plug().until("10T22:20").offline().until("10T22:25")
    home.box.deaf = True
    home.online().until("10T23:30")
    assert not home.sent(StopTransaction)
    assert len([c for c in home.sent(SetCurrentLimit) if c.limit_a == 0]) > 2
    home.box.deaf = False
    home.until("11T00:10")
    assert home.state.facts.charging
    assert home.errors() == []


def test_a_charger_that_is_not_known_to_pause_begins_no_transaction_under_a_limit_of_0() -> None:
    home = _home().able(schedule_periods=PERIODS).until("10T22:15").plug().until("10T23:59")
    assert not home.sent(StartTransaction)
    assert not home.sent(SetCurrentLimit), "a limit of 0 that stays in the box may lock it"
    home.until("11T00:30")
    assert home.state.facts.charging
    assert home.state.control.later != ()


def test_a_car_that_is_plugged_in_again_at_once_gets_its_transaction_again() -> None:
    home = _home().until("10T22:15").plug().until("10T22:20").unplug().until("10T22:20:20").plug()
    home.until("10T22:25").down_until("11T07:00")
    assert home.delivered_kwh > 25
