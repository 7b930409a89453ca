"""What must be on disk, part by part, and the borders between what is told and what is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chargerd.core import ledger
from chargerd.core.events import Activity, Capabilities, MeterSampled, TimePassed
from chargerd.core.ids import CommandId, SessionId, TransactionId
from chargerd.core.model import (
    Action,
    ActionState,
    Block,
    Car,
    ChargerFacts,
    ErrorKind,
    InFlight,
    Interval,
    LevelSource,
    Outcome,
    OutcomeState,
    Reading,
    RegularTarget,
    Session,
    SessionError,
    Slot,
    State,
    Targets,
    Transaction,
    VehicleFacts,
    Want,
)
from chargerd.core.notes import durable_key, transitions
from chargerd.core.policy import Site
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import GARAGE, utc
from tests.unit.core.partition import known, slot, spec, state

PLUG, LATER = utc("10T22:00"), utc("10T23:00")
TARGET = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=50, ready_by=utc("11T07:00"))
ELSEWHERE = Session(session_id=SessionId("elsewhere"), policy_id=None, plugged_in_at=PLUG, ledger=ledger.opened(PLUG))
GUEST = Session(session_id=SessionId("guest"), policy_id=None, plugged_in_at=PLUG, ledger=ledger.opened(PLUG))
RUNNING = Transaction(transaction_id=TransactionId("7"), started_at=PLUG)

Change = Callable[[State], State]


def whole() -> State:
    """A visit in which everything is known that may be."""
    visit = slot(
        plugged_at=PLUG,
        targets=Targets(scheduled=TARGET),
        level=known(40),
        outcome=Outcome(target_id=1, state=OutcomeState.ON_TARGET),
        blocks=(Block(kind=BlockKind.REGULAR, started_at=PLUG, wh=5),),
        planned_w=10_000.0,
    )
    return state(
        visit,
        facts=ChargerFacts(online=True, plugged=True, plugged_at=PLUG),
        cars=(Car(vehicle=spec("van"), visit=ELSEWHERE),),
    )


def facts(**changes: Any) -> Change:
    return lambda s: replace(s, facts=replace(s.facts, **changes))


def control(**changes: Any) -> Change:
    return lambda s: replace(s, control=replace(s.control, **changes))


def session(**changes: Any) -> Change:
    return lambda s: with_slot(s, session=replace(s.slots[0].session, **changes))


def account(**changes: Any) -> Change:
    return lambda s: session(ledger=replace(s.slots[0].session.ledger, **changes))(s)


def vehicle(**changes: Any) -> Change:
    return lambda s: with_slot(s, facts=replace(s.slots[0].facts, **changes))


def follow(**changes: Any) -> Change:
    """Change what is known of the car that is followed elsewhere."""
    return lambda s: replace(s, cars=(replace(s.cars[0], **changes),))


def with_slot(whole_state: State, **changes: Any) -> State:
    return replace(whole_state, slots=(replace(whole_state.slots[0], **changes),))


def block(**changes: Any) -> Change:
    return lambda s: session(blocks=(replace(s.slots[0].session.blocks[0], **changes),))(s)


ACTION = Action(action_id=1, session_id=GUEST.session_id, want=Want.HOLD, state=ActionState.PENDING, requested_at=PLUG)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda s: replace(s, site=Site(zone="Europe/Berlin")), id="site"),
        pytest.param(lambda s: replace(s, charger=replace(s.charger, max_a=32.0)), id="charger"),
        pytest.param(lambda s: replace(s, action=ACTION), id="action-by-hand"),
        pytest.param(facts(online=False), id="online"),
        pytest.param(facts(vendor="Acme"), id="vendor"),
        pytest.param(facts(model="Box"), id="model"),
        pytest.param(facts(serial="1"), id="serial"),
        pytest.param(facts(firmware="2.0"), id="firmware"),
        pytest.param(facts(capabilities=Capabilities(can_limit=True)), id="capabilities"),
        pytest.param(facts(plugged=None), id="plug"),
        pytest.param(facts(activity=Activity.CHARGING), id="activity"),
        pytest.param(facts(fault="GroundFailure"), id="fault"),
        pytest.param(facts(charging=True), id="charging"),
        pytest.param(facts(transaction=RUNNING), id="transaction"),
        pytest.param(facts(last_transaction=RUNNING), id="last-transaction"),
        pytest.param(control(want=Want.HOLD), id="want"),
        pytest.param(control(attempts=1), id="attempts"),
        pytest.param(control(limit_a=6.0), id="limit"),
        pytest.param(
            control(in_flight=(InFlight(command_id=CommandId(1), action="start_transaction", sent_at=PLUG),)),
            id="command-in-flight",
        ),
        pytest.param(control(refusal="no"), id="refusal"),
        pytest.param(lambda s: with_slot(s, policy=replace(s.slots[0].policy, battery_reserve=20)), id="policy"),
        pytest.param(lambda s: with_slot(s, vehicle=spec(efficiency=0.8)), id="vehicle"),
        pytest.param(vehicle(level_pct=41.0), id="level-told"),
        pytest.param(vehicle(limit_pct=80.0), id="limit-of-the-car"),
        pytest.param(vehicle(plugged=True), id="plug-told-by-the-car"),
        pytest.param(vehicle(charging=True), id="charging-told-by-the-car"),
        pytest.param(vehicle(at_home=True), id="car-at-home"),
        pytest.param(follow(vehicle=spec("van", efficiency=0.8)), id="followed-vehicle"),
        pytest.param(follow(facts=VehicleFacts(charging=True)), id="charging-told-by-a-followed-car"),
        pytest.param(follow(visit=None), id="visit-elsewhere-over"),
        pytest.param(follow(visit=replace(ELSEWHERE, level=known(40))), id="visit-elsewhere"),
        pytest.param(lambda s: replace(s, guest=GUEST), id="guest"),
        pytest.param(session(session_id=SessionId("another")), id="session"),
        pytest.param(session(plugged_in_at=LATER), id="plug-in"),
        pytest.param(session(unplugged_at=LATER), id="plug-out"),
        pytest.param(session(targets=Targets(scheduled=replace(TARGET, target_id=2))), id="target"),
        pytest.param(session(kind=BlockKind.IMMEDIATE_START), id="kind-of-charge"),
        pytest.param(session(error=SessionError(kind=ErrorKind.START_FAIL)), id="error"),
        pytest.param(session(car_is_full=True), id="car-is-full"),
        pytest.param(session(plan=(Window(BlockKind.REGULAR, PLUG, LATER, 5),)), id="plan"),
        pytest.param(session(planned_w=9000.0), id="power-that-the-plan-counts-on"),
        pytest.param(account(cells=(Interval(PLUG, LATER, 0),) * 2), id="another-quarter"),
        pytest.param(account(anchor_wh=1000.0), id="first-register"),
        pytest.param(session(level=None), id="no-level"),
        pytest.param(session(level=known(40, source=LevelSource.CHARGER)), id="source-of-the-level"),
        pytest.param(session(outcome=None), id="no-outcome"),
        pytest.param(session(outcome=Outcome(target_id=1, state=OutcomeState.OFF_TARGET)), id="outcome"),
        pytest.param(
            session(outcome=Outcome(target_id=2, state=OutcomeState.ON_TARGET)), id="outcome-of-another-target"
        ),
        pytest.param(session(blocks=()), id="block"),
        pytest.param(block(kind=BlockKind.IMMEDIATE_START), id="kind-of-block"),
        pytest.param(block(started_at=LATER), id="start-of-block"),
        pytest.param(block(ended_at=LATER), id="end-of-block"),
    ],
)
def test_what_must_not_be_lost_is_put_on_disk(change: Change) -> None:
    assert durable_key(change(whole())) != durable_key(whole())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda s: replace(s, at=LATER), id="time"),
        pytest.param(facts(reading=Reading(at=LATER, power_w=9000.0), heard_at=LATER), id="reading"),
        pytest.param(facts(low_samples=1), id="one-low-sample"),
        pytest.param(account(total_wh=7), id="energy"),
        pytest.param(block(wh=7), id="energy-of-a-block"),
        pytest.param(session(level=known(41, at=LATER)), id="level"),
        pytest.param(vehicle(level_at=LATER, told_at=LATER, power_w=7000.0), id="when-the-car-told-it-and-its-power"),
        pytest.param(
            session(outcome=Outcome(target_id=1, state=OutcomeState.ON_TARGET, reached_at=LATER)), id="time-expected"
        ),
    ],
)
def test_what_the_next_sample_tells_again_is_not(change: Change) -> None:
    assert durable_key(change(whole())) == durable_key(whole())


@pytest.mark.parametrize(
    ("change", "same"),
    [
        pytest.param(account(anchor_wh=2000.0), True, id="a-register-that-moves-on"),
        pytest.param(vehicle(level_pct=40.6), False, id="a-level-of-another-percent"),
        pytest.param(vehicle(level_pct=40.4), True, id="a-level-of-the-same-percent"),
        pytest.param(follow(visit=replace(ELSEWHERE, loose_wh=1)), True, id="energy-elsewhere"),
    ],
)
def test_steps_that_are_too_small_are_not_put_on_disk(change: Change, *, same: bool) -> None:
    first = vehicle(level_pct=40.0)(account(anchor_wh=1000.0)(whole()))
    assert (durable_key(change(first)) == durable_key(first)) is same


SAMPLE = MeterSampled(charger_id=GARAGE, power_w=9000.0)
TIME = TimePassed(charger_id=GARAGE)


def names(before: State, after: State) -> list[str]:
    return [note.name for note in transitions(before, after, TIME)]


def test_nothing_is_told_of_what_stays_as_it_is() -> None:
    everything = replace(whole(), guest=GUEST, action=ACTION)
    everything = facts(fault="GroundFailure", charging=True, transaction=RUNNING)(everything)
    everything = session(error=SessionError(kind=ErrorKind.START_FAIL), car_is_full=True)(everything)
    assert transitions(everything, everything, SAMPLE) == ()


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        pytest.param(None, OutcomeState.ON_TARGET, [], id="on-target-from-the-start"),
        pytest.param(None, OutcomeState.OFF_TARGET, ["session.outcome"], id="off-target-from-the-start"),
        pytest.param(OutcomeState.ON_TARGET, OutcomeState.OFF_TARGET, ["session.outcome"], id="off-target"),
        pytest.param(OutcomeState.OFF_TARGET, OutcomeState.ON_TARGET, ["session.outcome"], id="on-target-again"),
        pytest.param(OutcomeState.OFF_TARGET, OutcomeState.OFF_TARGET, [], id="off-target-as-before"),
        pytest.param(OutcomeState.OFF_TARGET, None, [], id="immediate-start-has-no-such-state"),
    ],
)
def test_only_a_change_of_the_outcome_is_told(
    was: OutcomeState | None, becomes: OutcomeState | None, told: list[str]
) -> None:
    before = session(outcome=None if was is None else Outcome(target_id=1, state=was))(whole())
    assert names(before, session(outcome=Outcome(target_id=1, state=becomes))(before)) == told


@pytest.mark.parametrize(
    ("state_of_new", "told"),
    [
        pytest.param(OutcomeState.ON_TARGET, [], id="on-target"),
        pytest.param(OutcomeState.OFF_TARGET, ["session.outcome"], id="off-target"),
    ],
)
def test_the_outcome_of_another_target_is_the_first_of_its_kind(state_of_new: OutcomeState, told: list[str]) -> None:
    before = session(outcome=Outcome(target_id=1, state=OutcomeState.OFF_TARGET))(whole())
    assert names(before, session(outcome=Outcome(target_id=2, state=state_of_new))(before)) == told


def test_an_outcome_that_is_gone_is_not_told() -> None:
    assert names(whole(), session(outcome=None)(whole())) == []


def test_a_block_that_was_over_when_it_became_known_is_not_told_as_begun() -> None:
    ended = Block(kind=BlockKind.REGULAR, started_at=PLUG + timedelta(minutes=1), ended_at=LATER, wh=5)
    before = session(blocks=())(whole())
    assert names(before, session(blocks=(ended,))(before)) == []


def test_one_block_may_end_and_another_begin_at_once() -> None:
    begun = Block(kind=BlockKind.IMMEDIATE_START, started_at=LATER)
    after = session(blocks=(replace(whole().slots[0].session.blocks[0], ended_at=LATER), begun))(whole())
    told = [note.message for note in transitions(whole(), after, TIME)]
    assert told == ["car: REGULAR block ended with 0.005 kWh", "car: IMMEDIATE_START block started"]
    assert names(after, after) == []


def test_an_error_that_becomes_another_one_is_told_as_that_one() -> None:
    before = session(error=SessionError(kind=ErrorKind.START_FAIL))(whole())
    after = session(error=SessionError(kind=ErrorKind.STOP_FAIL))(before)
    assert [(note.name, note.error) for note in transitions(before, after, TIME)] == [("session.error", "STOP_FAIL")]
    assert names(before, session(error=None)(before)) == ["session.error_cleared"]


def test_a_policy_that_comes_with_the_configuration_is_told_with_its_target() -> None:
    slots: tuple[Slot, ...] = (slot(targets=Targets(scheduled=TARGET)),)
    assert names(state(), state(*slots)) == ["session.state", "session.target"]
    without = (slot(),)
    assert [note.message for note in transitions(state(), state(*without), TIME)] == ["car: UPCOMING", "car: no target"]


def test_an_error_that_nobody_is_known_to_cause_blames_nobody() -> None:
    after = session(error=SessionError(kind=ErrorKind.START_FAIL))(whole())
    (note,) = transitions(whole(), after, TIME)
    assert note.message == "car: START_FAIL, charging is due and does not begin: look at the cable, the car and garage"


def test_an_error_that_was_known_before_the_plug_in_ends_without_a_word() -> None:
    awaited = state(slot(error=SessionError(kind=ErrorKind.MISSING_CAPABILITIES, missing=("chargeState",))))
    assert names(awaited, session(error=None)(awaited)) == []


def test_an_action_that_is_forgotten_is_not_told() -> None:
    before = replace(state(guest=GUEST), action=ACTION)
    assert names(before, replace(before, action=None)) == []
