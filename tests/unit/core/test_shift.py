"""A clock that was set: what it dated is dated anew, true times stay."""

from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from chargerd.core import ledger, shift
from chargerd.core.events import Activity
from chargerd.core.ids import CommandId, SessionId, TransactionId
from chargerd.core.ledger import Delta
from chargerd.core.model import (
    Action,
    ActionState,
    Asked,
    Block,
    Car,
    ChargerFacts,
    Control,
    InFlight,
    Lag,
    Ledger,
    Outcome,
    OutcomeState,
    Quality,
    Reading,
    RegularTarget,
    Session,
    Targets,
    Transaction,
    VehicleFacts,
    Want,
)
from chargerd.plan.prices import PriceCurve, PriceSlot
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import utc
from tests.unit.core.partition import known, slot, spec, state

BY = timedelta(hours=1)
NOW = utc("10T23:00")
PLUG = utc("10T20:07")


def late(text: str) -> datetime:
    return utc(text) + BY


def account(by: timedelta = timedelta()) -> Ledger:
    made = ledger.counted(ledger.opened(PLUG + by), Delta(PLUG + by, PLUG + by + BY, 900, Quality.MEASURED))
    return replace(ledger.covered(made, utc("10T21:20") + by), anchor_wh=5.0, anchor_at=PLUG + by)


def test_what_the_charger_told_is_dated_anew() -> None:
    transaction = Transaction(transaction_id=TransactionId("7"), started_at=utc("10T20:30"), register_wh=5)
    facts = ChargerFacts(
        online=True,
        online_since=utc("10T12:00"),
        lost_at=utc("10T11:00"),
        plugged=True,
        plugged_at=PLUG,
        activity=Activity.CHARGING,
        activity_at=utc("10T20:31"),
        reading=Reading(at=utc("10T21:59"), register_wh=7, power_w=8),
        transaction=transaction,
        heard_at=utc("10T21:59"),
        low_samples=1,
    )
    moved = shift.moved(state(facts=facts), BY, NOW)
    assert moved.at == NOW
    assert moved.facts == replace(
        facts,
        online_since=late("10T12:00"),
        lost_at=late("10T11:00"),
        plugged_at=PLUG + BY,
        activity_at=late("10T20:31"),
        reading=Reading(at=late("10T21:59"), register_wh=7, power_w=8),
        transaction=replace(transaction, started_at=late("10T20:30")),
        heard_at=late("10T21:59"),
    )


def test_no_time_of_the_charger_is_forgotten() -> None:
    """Whatever facts there are: each that is a time moves."""
    times = [field.name for field in fields(ChargerFacts) if "datetime" in str(field.type)]
    assert len(times) > 8
    facts = ChargerFacts(**dict.fromkeys(times, utc("10T20:00")))
    moved = shift.moved(state(facts=facts), BY, NOW).facts
    assert {getattr(moved, name) for name in times} == {late("10T20:00")}


def test_the_clock_of_the_charger_is_learned_anew() -> None:
    facts = ChargerFacts(lag=Lag(since=utc("10T20:00"), least_s=600, before_s=600))
    assert shift.moved(state(facts=facts), BY, NOW).facts.lag is None


def test_commands_under_way_and_deadlines_of_the_ladder_are_dated_anew() -> None:
    control = Control(
        want=Want.CHARGE,
        unmet_since=utc("10T21:50"),
        retry_at=utc("10T22:05"),
        in_flight=(InFlight(command_id=CommandId(3), action="start_transaction", sent_at=utc("10T21:51")),),
        last=Asked(action="start_transaction", sent_at=utc("10T21:51")),
    )
    moved = shift.moved(state(control=control), BY, NOW).control
    assert moved == replace(
        control,
        unmet_since=late("10T21:50"),
        retry_at=late("10T22:05"),
        in_flight=(replace(control.in_flight[0], sent_at=late("10T21:51")),),
        last=Asked(action="start_transaction", sent_at=late("10T21:51")),
    )


def test_the_visit_is_dated_anew_with_its_energy_and_its_blocks() -> None:
    one = slot(
        plugged_at=PLUG,
        ledger=account(),
        blocks=(Block(kind=BlockKind.REGULAR, started_at=PLUG, ended_at=utc("10T21:07"), wh=900),),
        level=known(40, at=PLUG),
        flowed_until=utc("10T21:07"),
    )
    moved = shift.moved(state(one), BY, NOW).slots[0]
    assert moved.session == replace(
        one.session,
        plugged_in_at=PLUG + BY,
        ledger=account(BY),
        blocks=(Block(kind=BlockKind.REGULAR, started_at=PLUG + BY, ended_at=late("10T21:07"), wh=900),),
        level=known(40, at=PLUG + BY),
        flowed_until=late("10T21:07"),
    )
    assert (moved.policy, moved.vehicle, moved.learned) == (one.policy, one.vehicle, one.learned)


@pytest.mark.parametrize("by", [timedelta(minutes=7), timedelta(hours=-3), timedelta(seconds=-61)], ids=str)
def test_no_watt_hour_is_lost_to_a_clock_that_was_set(by: timedelta) -> None:
    moved = shift.moved(state(slot(plugged_at=PLUG, ledger=account())), by, NOW).slots[0].session.ledger
    assert moved.total_wh == 900 == sum(cell.wh for cell in moved.cells)
    assert moved.cells[0].start == PLUG + by
    assert all(cell.end.minute % 15 == 0 and cell.end.second == 0 for cell in moved.cells), "on clock quarters"


def test_no_energy_flowed_later_than_now() -> None:
    """500 Wh since 22:15, at 22:20; then it is 22:40."""
    made = ledger.counted(
        ledger.opened(utc("10T22:15")), Delta(utc("10T22:15"), utc("10T22:20"), 500, Quality.MEASURED)
    )
    made = replace(made, anchor_wh=500.0, anchor_at=utc("10T22:20"))
    now = utc("10T22:40")
    moved = shift.moved(state(slot(plugged_at=utc("10T22:15"), ledger=made)), timedelta(minutes=20), now)
    cells = moved.slots[0].session.ledger.cells
    assert sum(cell.wh for cell in cells if cell.start >= now) == 0


def test_an_upcoming_session_has_nothing_to_move() -> None:
    whole = state(slot(), at=NOW)
    assert shift.moved(whole, BY, NOW) == whole


def test_guests_and_visits_elsewhere_and_requests_by_hand_are_dated_anew() -> None:
    guest = Session(session_id=SessionId("g"), policy_id=None, plugged_in_at=PLUG, ledger=account())
    facts = VehicleFacts(level_pct=5, level_at=utc("10T21:00"), plugged_at=PLUG, told_at=utc("10T21:01"))
    action = Action(
        action_id=1,
        session_id=SessionId("g"),
        want=Want.HOLD,
        state=ActionState.PENDING,
        requested_at=utc("10T21:59"),
    )
    whole = state(
        slot(facts=facts), guest=guest, cars=(Car(vehicle=spec("b"), facts=facts, visit=guest),), action=action
    )
    moved = shift.moved(whole, BY, NOW)
    there = replace(guest, plugged_in_at=PLUG + BY, ledger=account(BY))
    told = replace(facts, level_at=late("10T21:00"), plugged_at=PLUG + BY, told_at=late("10T21:01"))
    assert moved.guest == there
    assert moved.cars == (Car(vehicle=spec("b"), facts=told, visit=there),)
    assert moved.slots[0].facts == told
    assert moved.action == replace(action, requested_at=late("10T21:59"))


def test_deadlines_and_prices_are_true_times() -> None:
    ready = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=50, ready_by=utc("11T07:00"))
    one = slot(
        targets=Targets(scheduled=ready),
        plan=(Window(BlockKind.REGULAR, utc("11T01:00"), utc("11T02:00"), 500),),
        outcome=Outcome(target_id=1, state=OutcomeState.OFF_TARGET, reached_at=utc("11T08:00")),
    )
    prices = PriceCurve((PriceSlot(utc("10T22:00"), utc("10T23:00"), Decimal("0.1")),))
    moved = shift.moved(state(one, prices=prices), BY, NOW)
    assert moved.prices == prices
    assert moved.slots[0] == one
    assert moved.site == state().site
    assert moved.charger == state().charger


def test_a_wish_is_as_old_as_it_was() -> None:
    """Else every wish would be older than the last one, for an hour after the clock was set back by one."""
    one = slot(targets=Targets(issued_at=utc("10T21:59")))
    moved = shift.moved(state(one), -BY, utc("10T21:00")).slots[0].session.targets
    assert moved.issued_at == utc("10T20:59")
