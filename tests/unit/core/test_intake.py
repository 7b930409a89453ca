"""What becomes of an event before anything is decided: configuration, clock, samples, transactions, telemetry."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from chargerd.core import control, intake, ledger, session
from chargerd.core.commands import AnswerAuthorize, AnswerRequest, AnswerTransaction, LimitStep, StoreSettled
from chargerd.core.events import (
    Activity,
    AuthorizeRequested,
    ClockStepped,
    Configured,
    MeterSampled,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.ids import CommandId, ReplyTo, TransactionId, VehicleId
from chargerd.core.model import (
    Car,
    ChargerFacts,
    Control,
    InFlight,
    Learned,
    LevelSource,
    Reading,
    RegularTarget,
    Session,
    Slot,
    State,
    Targets,
    VehicleFacts,
    Want,
)
from chargerd.core.policy import ChargerSpec, DayTarget, Policy, Site, VehicleSpec
from tests.support.home import GARAGE, utc
from tests.unit.core.partition import known, slot, spec, state
from tests.unit.core.telling import running

PLUG = utc("10T20:00")
NOW = utc("10T22:00")
CONNECTED: dict[str, Any] = {"online": True, "online_since": utc("10T12:00"), "plugged": True, "plugged_at": PLUG}
CLIMBED = Control(want=Want.CHARGE, attempts=3, retry_at=utc("10T22:05"), limit_a=16.0)
"""A ladder that has been climbed for a while."""
AGAIN = replace(CLIMBED, attempts=0, retry_at=None, limit_a=None)
"""The same, begun anew."""


def at_cable(*slots: Slot, guest: Session | None = None, ladder: Control | None = None, **facts: Any) -> State:
    facts = CONNECTED | facts
    return state(*slots, facts=ChargerFacts(**facts), guest=guest, control=ladder or Control())


def visited(**changes: Any) -> Slot:
    return slot(plugged_at=PLUG, **changes)


def only(whole: State) -> Session:
    (its,) = whole.slots
    return its.session


# Configuration


def day(hour: int, level: int = 80) -> tuple[DayTarget, ...]:
    return (DayTarget(ready_by=time(hour), minimum_charge_target=level),) * 7


def policy(name: str = "car", **changes: Any) -> Policy:
    return replace(slot(name).policy, **changes)


def configured(
    whole: State,
    *policies: Policy,
    vehicles: tuple[VehicleSpec, ...] | None = None,
    now: str = "10T22:00",
    lost: str = "10T21:00",
    **changes: Any,
) -> State:
    known_cars = vehicles or (spec("car"), spec("other"))
    event = Configured(
        charger_id=GARAGE,
        **{"site": whole.site, "charger": whole.charger, "policies": policies, "vehicles": known_cars} | changes,
    )
    return intake.configured(whole, event, utc(lost), utc(now))


def test_the_same_configuration_told_again_changes_nothing() -> None:
    odd = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=70, ready_by=utc("14T07:00"))
    its = visited(targets=Targets(scheduled=odd, next_id=2), car_is_full=True)
    its = replace(its, policy=policy(schedule=day(7)))
    whole = replace(at_cable(its, ladder=CLIMBED), cars=(Car(vehicle=spec()),))
    assert configured(whole, its.policy, followed=(VehicleId("car"),)) == whole


def test_charger_and_site_are_as_told() -> None:
    site, charger = Site(zone="Europe/Berlin", voltage_v=240), ChargerSpec(charger_id=GARAGE, max_a=32)
    after = configured(at_cable(), site=site, charger=charger)
    assert (after.site, after.charger) == (site, charger)


def test_a_new_policy_gets_a_session_that_waits() -> None:
    after = configured(at_cable(visited()), policy(), policy("other", schedule=day(7)))
    assert after.slots[0] == visited()
    made = session.upcoming(state(), policy("other", schedule=day(7)), NOW)[1]
    assert after.slots[1] == Slot(policy=policy("other", schedule=day(7)), vehicle=spec("other"), session=made)
    assert after.sessions_made == 1


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param((), id="taken-away"),
        pytest.param((policy("other"),), id="another"),
        pytest.param((policy(vehicle_id=VehicleId("other")),), id="for-another-car"),
    ],
)
def test_a_visit_whose_policy_is_gone_is_a_guests(policies: tuple[Policy, ...]) -> None:
    its = visited(level=known(40))
    after = configured(at_cable(its), *policies)
    assert after.guest == session.as_guest(its.session)
    assert session.visiting_slot(after) is None
    assert [s.policy for s in after.slots] == list(policies)
    assert {s.session.session_id for s in after.slots}.isdisjoint({its.session.session_id})


def test_a_policy_that_waits_may_go_without_a_trace() -> None:
    after = configured(at_cable(slot(), guest=None))
    assert (after.slots, after.guest) == ((), None)
    after = configured(at_cable(visited(), slot("other")), policy())
    assert (after.slots, after.guest) == ((visited(),), None)


@pytest.mark.parametrize(
    ("its", "changes"),
    [
        pytest.param(slot(car_is_full=True), {"schedule": day(6)}, id="upcoming"),
        pytest.param(visited(car_is_full=True), {"schedule": day(6)}, id="plugged-in"),
        pytest.param(visited(car_is_full=True), {"schedule": day(6), "battery_reserve": 0}, id="the-same-reserve"),
    ],
)
def test_another_schedule_is_another_target(its: Slot, changes: dict[str, Any]) -> None:
    was = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=80, ready_by=utc("11T07:00"))
    its = replace(its, session=replace(its.session, targets=Targets(scheduled=was, next_id=2)))
    after = only(configured(at_cable(replace(its, policy=policy(schedule=day(7)))), policy(**changes)))
    number = 1 if its.session.plugged_in_at is None else 2
    expected = replace(was, target_id=number, ready_by=utc("11T06:00"))
    assert after.targets == Targets(scheduled=expected, next_id=number + 1 if number > 1 else 2)
    assert not after.car_is_full, "it is tried anew"


def test_another_zone_is_another_target() -> None:
    was = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=80, ready_by=utc("11T07:00"))
    its = replace(visited(targets=Targets(scheduled=was, next_id=2)), policy=policy(schedule=day(7)))
    after = only(configured(at_cable(its), its.policy, site=Site(zone="Europe/Berlin")))
    assert after.targets.scheduled == replace(was, target_id=2, ready_by=utc("11T05:00"))


def test_another_reserve_makes_the_target_another() -> None:
    was = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=80, ready_by=utc("11T07:00"))
    its = visited(targets=Targets(scheduled=was, next_id=2))
    after = configured(at_cable(its), policy(battery_reserve=10))
    assert only(after).targets == Targets(scheduled=replace(was, target_id=2), next_id=3)
    assert after.slots[0].policy.battery_reserve == 10


def test_what_was_learned_of_a_car_goes_before_its_new_description() -> None:
    its = replace(visited(), learned=Learned(efficiency=0.8))
    after = configured(at_cable(its), policy(), vehicles=(spec(battery_wh=50_000),))
    assert after.slots[0].vehicle == spec(battery_wh=50_000, efficiency=0.8)
    assert after.slots[0].learned == its.learned


def test_cars_are_followed_as_told_and_what_is_known_of_them_stays() -> None:
    facts = VehicleFacts(level_pct=40)
    whole = replace(at_cable(), cars=(Car(vehicle=spec("gone")), Car(vehicle=spec("car"), facts=facts)))
    cars = (spec("car", battery_wh=1), spec("other"), spec("elsewhere"))
    after = configured(whole, vehicles=cars, followed=(VehicleId("car"), VehicleId("other")))
    assert after.cars == (Car(vehicle=cars[0], facts=facts), Car(vehicle=cars[1]))


@pytest.mark.parametrize(
    ("heard", "lost", "at"),
    [
        pytest.param(None, "10T21:00", "10T21:00", id="never-heard"),
        pytest.param("10T20:59", "10T21:00", "10T21:00", id="heard-before"),
        pytest.param("10T21:30", "10T21:00", "10T21:30", id="heard-later"),
        pytest.param("10T20:59", "10T22:30", "10T22:00", id="by-a-clock-that-was-ahead"),
    ],
)
def test_a_new_process_has_no_connection_and_lost_it_when_it_last_heard(heard: str | None, lost: str, at: str) -> None:
    ladder = replace(CLIMBED, in_flight=(InFlight(command_id=CommandId(1), action="x", sent_at=NOW),))
    heard_at = None if heard is None else utc(heard)
    whole = at_cable(visited(), ladder=ladder, heard_at=heard_at)
    after = configured(whole, policy(), lost=lost, restarted=True)
    assert after.facts == replace(whole.facts, online=False, online_since=None, lost_at=utc(at))
    assert after.control == control.restarted(ladder)
    assert configured(whole, policy(), lost=lost) == whole


def test_a_connection_that_was_lost_before_stays_lost_since_then() -> None:
    whole = at_cable(online=False, online_since=None, lost_at=utc("10T15:00"))
    assert configured(whole, restarted=True).facts == whole.facts


# The clock


def stepped(whole: State, by_s: float, now: str) -> State:
    return intake.clock_stepped(whole, ClockStepped(charger_id=GARAGE, by_s=by_s), utc(now))


@pytest.mark.parametrize(
    ("by_s", "plugged_at"),
    [(60.4, "10T20:01"), (60.6, "10T20:01:01"), (-60.4, "10T19:59")],
    ids=["down", "up", "back"],
)
def test_what_the_wrong_clock_dated_is_dated_anew_by_whole_seconds(by_s: float, plugged_at: str) -> None:
    after = stepped(at_cable(visited()), by_s, "10T22:01")
    assert only(after).plugged_in_at == utc(plugged_at)
    assert after.at == utc("10T22:01")


def test_a_standing_order_by_the_wrong_clock_is_forgotten() -> None:
    later = (LimitStep(at=utc("11T00:00"), limit_a=16),)
    ladder = replace(CLIMBED, retry_at=None, later=later)
    assert stepped(at_cable(ladder=ladder), 60, "10T22:01").control == replace(ladder, limit_a=None, later=())
    ladder = replace(ladder, later=())
    assert stepped(at_cable(ladder=ladder), 60, "10T22:01").control == ladder, "there is none"


@pytest.mark.parametrize(
    ("by_s", "looked_up"),
    [
        pytest.param(12 * 3600 - 1, False, id="hours"),
        pytest.param(12 * 3600, True, id="half-a-day"),
        pytest.param(1 - 12 * 3600, False, id="hours-back"),
        pytest.param(-12 * 3600, True, id="half-a-day-back"),
    ],
)
@pytest.mark.parametrize("plugged", [True, False], ids=["plugged-in", "upcoming"])
def test_a_deadline_of_another_day_is_looked_up_again(by_s: float, looked_up: bool, plugged: bool) -> None:
    goal = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=80, ready_by=utc("20T07:00"))
    targets = Targets(scheduled=goal, next_id=2)
    its = visited(targets=targets, car_is_full=True) if plugged else slot(targets=targets, car_is_full=True)
    its = replace(its, policy=policy(schedule=day(7)))
    after = only(stepped(at_cable(its), by_s, "11T10:00"))
    found = replace(goal, target_id=2 if plugged else 1, ready_by=utc("12T07:00"))
    assert after.targets == (Targets(scheduled=found, next_id=3 if plugged else 2) if looked_up else targets)
    assert after.car_is_full is not looked_up


# Status


@pytest.mark.parametrize(
    ("had", "told", "again"),
    [
        pytest.param({"plugged": False}, {"plugged": True}, True, id="a-plug"),
        pytest.param({"plugged": False}, {"activity": Activity.IDLE}, False, id="still-no-plug"),
        pytest.param({"plugged": None}, {"plugged": True}, False, id="a-plug-that-may-have-been-there"),
        pytest.param({}, {"plugged": True}, False, id="the-same-plug"),
        pytest.param({}, {"plugged": False}, False, id="unplugged"),
        pytest.param(
            {"transaction": running()}, {"activity": Activity.EV_CONNECTED}, True, id="a-transaction-that-is-gone"
        ),
        pytest.param({"transaction": running()}, {"activity": Activity.CHARGING}, False, id="one-that-runs"),
        pytest.param({}, {"activity": Activity.EV_CONNECTED}, False, id="none-that-could-be-gone"),
        pytest.param({"fault": "GroundFailure"}, {"fault": ""}, True, id="mended"),
        pytest.param({"fault": "GroundFailure"}, {"fault": "GroundFailure"}, False, id="still-broken"),
        pytest.param({}, {"fault": ""}, False, id="never-broken"),
        pytest.param({}, {"fault": "GroundFailure"}, False, id="broken"),
    ],
)
def test_the_ladder_begins_anew_where_something_changed_at_the_cable(
    had: dict[str, Any], told: dict[str, Any], again: bool
) -> None:
    whole = at_cable(visited(), ladder=CLIMBED, **had)
    after = intake.status(whole, StatusReported(charger_id=GARAGE, **told), NOW)
    assert after.control == (AGAIN if again else CLIMBED)
    assert after.facts.heard_at == NOW


# Samples


def sampled(whole: State, now: str = "10T22:00", **told: Any) -> State:
    return intake.sampled(whole, MeterSampled(charger_id=GARAGE, **told), utc(now))


def read(wh: float, at: str = "10T21:50", power: float | None = None) -> dict[str, Any]:
    """The register was read before, by the visit as well."""
    return {"reading": Reading(at=utc(at), register_wh=wh, power_w=power)}


def counting(wh: float = 1000, at: str = "10T21:50", **changes: Any) -> Slot:
    account = replace(ledger.opened(PLUG), anchor_wh=wh, anchor_at=utc(at), epoch_wh=wh)
    return visited(ledger=account, **changes)


@pytest.mark.parametrize(
    ("had", "power", "wh", "in_block"),
    [
        pytest.param(False, 9000, 10, True, id="it-begins"),
        pytest.param(True, 0, 10, True, id="it-ends"),
        pytest.param(False, 0, 10, False, id="a-trickle"),
        pytest.param(False, 0, 24, True, id="unseen"),
        pytest.param(True, 0, 4, False, id="next-to-nothing"),
    ],
)
def test_a_little_is_charging_where_charging_was_seen_before_or_after(
    had: bool, power: float, wh: int, in_block: bool
) -> None:
    """In four minutes: 150 W, 360 W, 60 W."""
    low = {"low_samples": 1, "stopped_at": utc("10T21:56"), "charging_since": PLUG} if had else {}
    whole = at_cable(counting(at="10T21:56"), charging=had, **low, **read(1000, "10T21:56"))
    after = sampled(whole, register_wh=1000 + wh, power_w=power)
    assert sum(block.wh for block in only(after).blocks) == (wh if in_block else 0)
    assert only(after).loose_wh == (0 if in_block else wh)
    assert only(after).ledger.total_wh == wh


def test_a_sample_between_two_visits_is_nobodys() -> None:
    whole = at_cable(slot(), plugged=False, plugged_at=utc("10T21:40"), **read(1000))
    assert sampled(whole, register_wh=1200).unattributed_wh == 200
    assert sampled(at_cable(counting(), **read(1000)), register_wh=1200).unattributed_wh == 0


def test_how_far_the_chargers_clock_is_off_is_learned_from_each_sample() -> None:
    after = sampled(at_cable(visited()), measured_at=utc("10T21:59:30"), power_w=0)
    assert after.facts.lag is not None
    assert after.facts.lag.least_s == 30


@pytest.mark.parametrize(
    ("at", "believed"), [("10T19:59:59", False), ("10T20:00", True)], ids=["before-plug-in", "since"]
)
def test_a_sample_from_before_the_visit_says_nothing_of_its_car(at: str, believed: bool) -> None:
    its = visited(vehicle=spec(level_from_charger=True))
    after = sampled(at_cable(its), measured_at=utc(at), soc_pct=55)
    level = known(55, source=LevelSource.CHARGER, at=utc(at))
    assert only(after).level == (level if believed else None)
    assert session.visiting_slot(sampled(at_cable(slot()), soc_pct=55)) is None
    assert only(sampled(at_cable(its), power_w=0)).level is None, "it tells none"


def test_the_power_of_a_car_is_learned_from_its_samples() -> None:
    whole = at_cable(
        visited(),
        ladder=Control(want=Want.CHARGE, limit_a=16),
        charging=True,
        charging_since=utc("10T21:00"),
        **read(0),
    )
    after = sampled(whole, power_w=10_000)
    assert after.slots[0].learned.power_w == 10_000
    slower = sampled(after, "10T22:01", power_w=9000)
    assert slower.slots[0].learned.power_w == pytest.approx(9904.8, abs=0.1), "a minute weighs little"


@pytest.mark.parametrize("guest", [True, False], ids=["a-guest", "a-policys-car"])
def test_news_of_a_visit_whose_car_has_left_puts_its_settlement_off(guest: bool) -> None:
    left = {"unplugged_at": utc("10T21:59"), "quiet_since": utc("10T21:59")}
    its = visited(**left)
    whole = at_cable(guest=replace(its.session, policy_id=None)) if guest else at_cable(its)
    visit = session.visit(sampled(whole, power_w=0))
    assert visit is not None
    assert visit.quiet_since == NOW
    assert only(sampled(at_cable(visited()), power_w=0)).quiet_since is None, "it is there"


# Cards


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        pytest.param("04:A1", "04a1", id="a-card"),
        pytest.param("chargerd", "old", id="our-own"),
        pytest.param("", "old", id="none"),
    ],
)
def test_a_card_is_remembered_with_its_time(token: str, shown: str) -> None:
    whole = at_cable(token="old", token_at=PLUG)
    event = AuthorizeRequested(charger_id=GARAGE, id_token=token, reply_to=ReplyTo("r"))
    after, answers = intake.authorized(whole, event, NOW)
    assert answers == (AnswerAuthorize(charger_id=GARAGE, reply_to=ReplyTo("r"), accepted=True),)
    assert (after.facts.token, after.facts.token_at) == (shown, PLUG if shown == "old" else NOW)


# Transactions


def started(whole: State, now: str = "10T22:00", **told: Any) -> tuple[State, str]:
    event = TransactionStarted(charger_id=GARAGE, reply_to=ReplyTo("r"), **told)
    after, (answer,) = intake.transaction_started(whole, event, utc(now))
    assert isinstance(answer, AnswerTransaction)
    assert (answer.charger_id, answer.reply_to) == (GARAGE, "r")
    return after, answer.transaction_id


def ended(whole: State, now: str = "10T22:00", number: str = "7", **told: Any) -> State:
    event = TransactionEnded(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId(number), **told)
    after, (answer,) = intake.transaction_ended(whole, event, utc(now))
    assert answer == AnswerTransaction(charger_id=GARAGE, reply_to=ReplyTo("r"), transaction_id=TransactionId(number))
    return after


def test_a_transaction_is_noted_and_its_limit_is_not_known() -> None:
    after, number = started(
        at_cable(visited(), ladder=CLIMBED), transaction_id=TransactionId("9"), id_token="AB", register_wh=1000
    )
    assert number == "9"
    assert after.facts.transaction is not None
    assert after.facts.transaction.transaction_id == "9"
    assert (after.facts.token, after.facts.token_at) == ("ab", NOW)
    assert after.control == replace(CLIMBED, limit_a=None)
    assert only(after).ledger.anchor_wh == 1000
    assert after.facts.reading == Reading(at=NOW, register_wh=1000)
    assert not after.facts.charging, "a start proves nothing"


def test_a_transaction_without_a_register_counts_from_nothing() -> None:
    after, _ = started(at_cable(visited()))
    assert (only(after).ledger.anchor_wh, after.facts.reading) == (None, None)


def test_a_register_that_moved_before_the_start_proves_that_something_flows() -> None:
    after, _ = started(at_cable(counting(at="10T21:59"), **read(1000, "10T21:59")), register_wh=1100)
    assert after.facts.charging


def test_the_register_of_a_start_told_late_counts_from_when_it_was() -> None:
    after, _ = started(at_cable(visited()), register_wh=1000, measured_at=utc("10T21:30"))
    assert only(after).ledger.anchor_at == utc("10T21:30")


def test_a_start_behind_our_own_stop_proves_that_there_may_be_one() -> None:
    stopped = replace(running(), ended_at=utc("10T21:00"), end_reason="Remote")
    after, _ = started(at_cable(visited(), dead_stops=1, last_transaction=stopped))
    assert after.facts.dead_stops == 0


def test_a_transaction_that_ends_counts_up_to_its_register() -> None:
    whole = at_cable(counting(), transaction=running(), charging=True, charging_since=PLUG, **read(1000, power=9000))
    after = ended(whole, register_wh=2500)
    assert only(after).ledger.total_wh == 1500
    assert sum(block.wh for block in only(after).blocks) == 1500
    assert after.facts.reading == Reading(at=NOW, register_wh=2500, power_w=9000)
    assert (after.facts.transaction, after.facts.charging) == (None, False)
    assert after.facts.last_transaction == replace(running(), ended_at=NOW)
    assert after.control.listen_until is not None, "facts come first"


def test_a_trickle_at_the_end_of_a_transaction_is_charging_where_charging_was_seen() -> None:
    for charging in (True, False):
        facts: dict[str, Any] = {"charging": charging, "charging_since": PLUG if charging else None}
        after = ended(at_cable(counting(), transaction=running(), **facts, **read(1000)), register_wh=1025)
        assert bool(only(after).blocks) is charging, "150 W"


def test_a_register_told_with_an_end_between_two_visits_is_nobodys() -> None:
    whole = at_cable(slot(), plugged=False, plugged_at=utc("10T21:40"), transaction=running(), **read(1000))
    assert ended(whole, register_wh=1500).unattributed_wh == 500
    untold = ended(whole)
    assert (untold.unattributed_wh, untold.facts.reading) == (0, whole.facts.reading)


def test_the_lag_of_an_end_is_learned() -> None:
    after = ended(at_cable(visited(), transaction=running()), register_wh=5, measured_at=utc("10T21:59:30"))
    assert after.facts.lag is not None
    assert after.facts.lag.least_s == 30


def test_an_end_told_after_the_car_left_is_news_of_its_visit() -> None:
    its = visited(unplugged_at=utc("10T21:59"), quiet_since=utc("10T21:59"))
    after = ended(at_cable(its, plugged=False, plugged_at=utc("10T21:59"), transaction=running()))
    assert only(after).quiet_since == NOW


def test_a_limit_of_zero_that_ends_the_transaction_is_learned() -> None:
    ladder = Control(want=Want.HOLD, holds_down=True, held_at=utc("10T21:59:30"))
    after = ended(at_cable(visited(), ladder=ladder, transaction=running()), reason="Other")
    assert after.facts.zero_stops == 1


# A visit that nobody saw

BACK: dict[str, Any] = {
    "plugged": False,
    "plugged_at": utc("10T19:00"),
    "online_since": utc("10T21:59:30"),
    "lost_at": utc("10T20:00"),
    "transaction": replace(running(started="10T20:30"), register_wh=1000.0),
}
"""The charger is back, and has told of a transaction that began meanwhile."""


def unseen(now: str = "10T22:00", register_wh: float | None = 4000, at: str = "10T21:30", **changes: Any) -> State:
    return ended(at_cable(slot(assumed=20), **BACK | changes), now, register_wh=register_wh, measured_at=utc(at))


def test_a_transaction_that_nobody_saw_is_a_visit_in_the_past() -> None:
    after = unseen()
    visit = only(after)
    assert (visit.session_id, visit.plugged_in_at) == ("session-car", utc("10T20:30"))
    assert (visit.ledger.total_wh, visit.ledger.anchor_at) == (3000, utc("10T21:30"))
    assert sum(block.wh for block in visit.blocks) == 3000
    told = after.facts
    assert (told.plugged, told.plugged_at, told.left_unseen) == (False, utc("10T21:30"), True)
    assert told.last_transaction == replace(BACK["transaction"], ended_at=utc("10T21:30"))


def test_nobody_is_there_after_a_visit_that_nobody_saw() -> None:
    assert unseen(plugged=None).facts.plugged is False


def test_it_counts_from_the_transactions_own_register() -> None:
    after = unseen(plug_wh=500.0, reading=Reading(at=utc("10T21:59:40"), register_wh=500.0))
    assert only(after).ledger.epoch_wh == 1000


@pytest.mark.parametrize(
    ("changes", "is_visit"),
    [
        pytest.param({}, True, id="it-is-one"),
        pytest.param({"lost_at": None}, False, id="we-were-always-there"),
        pytest.param({"lost_at": utc("10T20:30")}, True, id="lost-as-it-began"),
        pytest.param({"lost_at": utc("10T20:30:01")}, False, id="lost-in-it"),
        pytest.param({"plugged": True}, False, id="a-car-is-there"),
        pytest.param({"plugged": None}, True, id="nobody-said"),
        pytest.param({"transaction": None}, False, id="not-begun"),
        pytest.param({"transaction": running(started="10T20:30")}, False, id="began-without-a-register"),
        pytest.param({"transaction": replace(BACK["transaction"], transaction_id="8")}, False, id="another"),
        pytest.param({"register_wh": None}, False, id="ended-without-a-register"),
        pytest.param({"register_wh": 1100}, True, id="a-little"),
        pytest.param({"register_wh": 1099.9}, False, id="less"),
        pytest.param({"register_wh": 1000.1, "register_scale": 1000.0}, True, id="a-little-in-kwh"),
        pytest.param({"register_wh": 1000.05, "register_scale": 1000.0}, False, id="less-in-kwh"),
    ],
)
def test_what_is_a_visit_that_nobody_saw(changes: dict[str, Any], is_visit: bool) -> None:
    assert (session.visit(unseen(**changes)) is not None) is is_visit


def test_a_transaction_in_a_visit_that_is_known_makes_no_other() -> None:
    whole = at_cable(counting(at="10T20:00"), **BACK)
    after = ended(whole, register_wh=4000, measured_at=utc("10T21:30"))
    assert only(after).plugged_in_at == PLUG
    assert after.facts.plugged_at == BACK["plugged_at"]


# Telemetry


def told(whole: State, *, car: str = "car", **said: Any) -> tuple[State, tuple[Any, ...]]:
    return intake.vehicle_told(whole, VehicleReported(vehicle_id=VehicleId(car), **said), NOW)


def test_telemetry_is_of_its_own_car() -> None:
    whole = at_cable(slot("other"), visited())
    after, commands = told(whole, level_pct=40, plugged=True, measured_at=utc("10T21:50"))
    assert commands == ()
    assert after.slots[0] == whole.slots[0]
    facts = VehicleFacts(
        level_pct=40,
        level_at=utc("10T21:50"),
        plugged=True,
        plugged_at=utc("10T21:50"),
        told_at=utc("10T21:50"),
    )
    assert after.slots[1].facts == facts
    assert after.slots[1].session.level == known(40, at=utc("10T21:50"))
    assert told(whole, car="stranger", level_pct=40) == (whole, ())


@pytest.mark.parametrize(
    "said", [{"level_pct": 65_535.0}, {"level_pct": 40.0, "measured_at": utc("10T12:00")}, {"limit_pct": 80}]
)
def test_a_level_that_cannot_be_true_now_is_not_taken(said: dict[str, Any]) -> None:
    after, _ = told(at_cable(visited(level=known(30))), **said)
    assert only(after).level == known(30)


def test_who_asked_is_answered_after_what_it_led_to() -> None:
    _, answers = told(at_cable(), car="stranger", level_pct=40, reply_to=ReplyTo("r"))
    assert answers == (AnswerRequest(reply_to=ReplyTo("r")),)
    away = replace(at_cable(plugged=False), cars=(Car(vehicle=spec()),))
    away, _ = told(away, charging=True, at_home=False, measured_at=utc("10T21:00"))
    _, commands = told(away, plugged=False, reply_to=ReplyTo("r"))
    assert [type(command) for command in commands] == [StoreSettled, AnswerRequest]
