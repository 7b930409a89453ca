"""Wall times, sentences about goals and culprits, and facts that are told rarely."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chargerd.core.decide import initial
from chargerd.core.events import Failure
from chargerd.core.explain import explanation
from chargerd.core.explain_phrases import Case, attempt, coming, culprit, goal, planned, prices, wall_time
from chargerd.core.explain_words import words
from chargerd.core.model import (
    Asked,
    Control,
    ImmediateTarget,
    InFlight,
    Outcome,
    OutcomeState,
    RegularTarget,
    State,
    Targets,
)
from chargerd.core.reason import Reason, reason_of
from chargerd.core.refusal import Refuser, refused_by
from chargerd.core.remedy import remedy
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import POLICY, Home, utc

EVENING = datetime(2025, 10, 25, 20, 0, tzinfo=UTC)
REGULAR = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=50, ready_by=utc("11T07:00"))
BOOST = ImmediateTarget(target_id=2, minimum_charge_target=80)


def state_with(*, facts: Any = None, control: Control | None = None, **session: Any) -> State:
    """A car plugged in at 22:15, waiting; with some facts and parts of its session changed."""
    state = Home().until("10T22:15").plug().state
    (slot,) = state.slots
    slot = replace(slot, session=replace(slot.session, **session))
    return replace(
        state,
        slots=(slot,),
        facts=replace(state.facts, **(facts or {})),
        control=state.control if control is None else control,
    )


def case(reason: Reason = Reason.STARTING, refuser: Refuser | None = None, **changes: Any) -> Case:
    state = state_with(**changes)
    return Case(state=state, slot=state.slots[0], reason=reason, refuser=refuser)


def expected(state: OutcomeState | None, level: int | None = None, reached: str | None = None, of: int = 1) -> Outcome:
    at = None if reached is None else utc(reached)
    return Outcome(target_id=of, state=state, level_pct_at_ready_by=level, reached_at=at)


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        pytest.param("2025-10-25T21:00:00", "23:00", id="today"),
        pytest.param("2025-10-25T22:00:00", "00:00 on Sunday", id="after-midnight"),
        pytest.param("2025-10-26T00:30:00", "02:30 CEST on Sunday", id="an-hour-that-comes-again"),
        pytest.param("2025-10-26T01:30:00", "02:30 CET on Sunday", id="and-again"),
        pytest.param("2025-10-26T02:00:00", "03:00 on Sunday", id="after-it"),
        pytest.param("2025-10-24T20:00:00", "22:00 on Friday", id="yesterday"),
        pytest.param("2025-11-01T06:00:00", "07:00 on 2025-11-01", id="in-a-week"),
    ],
)
def test_a_time_is_wall_time_and_as_short_as_it_is_clear(at: str, shown: str) -> None:
    assert wall_time(utc(at), "Europe/Berlin", EVENING) == shown


@pytest.mark.parametrize(
    ("targets", "outcome", "said"),
    [
        pytest.param(Targets(), None, "", id="no-target"),
        pytest.param(Targets(scheduled=REGULAR), None, "The target is 50 % by 07:00 on Wednesday.", id="not-judged"),
        pytest.param(
            Targets(scheduled=REGULAR),
            expected(OutcomeState.ON_TARGET, of=7),
            "The target is 50 % by 07:00 on Wednesday.",
            id="another-was-judged",
        ),
        pytest.param(
            Targets(scheduled=REGULAR),
            expected(OutcomeState.ON_TARGET),
            "50 % will be reached by 07:00 on Wednesday.",
            id="on-target",
        ),
        pytest.param(
            Targets(scheduled=REGULAR),
            expected(OutcomeState.OFF_TARGET, 40),
            "50 % will not be reached by 07:00 on Wednesday, but about 40 %.",
            id="off-target-for-good",
        ),
        pytest.param(
            Targets(scheduled=REGULAR),
            expected(OutcomeState.OFF_TARGET, 40, "11T08:00"),
            "50 % will not be reached by 07:00 on Wednesday, but about 40 %, and 50 % at about 08:00 on Wednesday.",
            id="off-target",
        ),
        pytest.param(
            Targets(scheduled=replace(REGULAR, ready_by=utc("10T22:00"))),
            expected(OutcomeState.OFF_TARGET, 40, "10T23:00"),
            "It will have 50 % at about 23:00.",
            id="late",
        ),
        pytest.param(
            Targets(scheduled=replace(REGULAR, ready_by=utc("10T22:00"))),
            expected(OutcomeState.OFF_TARGET, 40),
            "",
            id="late-and-nobody-knows",
        ),
        pytest.param(Targets(immediate=BOOST), None, "It charges up to 80 %.", id="at-once"),
        pytest.param(
            Targets(immediate=BOOST), expected(None, of=2), "It charges up to 80 %.", id="at-once-nobody-knows-when"
        ),
        pytest.param(
            Targets(immediate=BOOST),
            expected(None, reached="10T23:00", of=2),
            "80 % will be reached at about 23:00.",
            id="at-once-until",
        ),
    ],
)
def test_a_goal_says_what_is_expected_of_the_target_in_force(
    targets: Targets, outcome: Outcome | None, said: str
) -> None:
    assert goal(case(targets=targets, outcome=outcome)) == said


@pytest.mark.parametrize(
    ("refuser", "changes", "said"),
    [
        (None, {}, "nobody knows yet why"),
        (Refuser.NETWORK, {}, "garage does not answer"),
        (Refuser.AUTHORISATION, {}, "garage does not accept the card that it is started with"),
        (Refuser.VEHICLE, {}, "garage offers current and car takes none"),
        (Refuser.CHARGER, {}, "garage was asked to stop and does not"),
        (Refuser.CHARGER, {"facts": {"fault": "HighTemperature"}}, "garage reports a fault, HighTemperature"),
    ],
)
def test_a_culprit_is_told_with_what_it_does(refuser: Refuser | None, changes: Any, said: str) -> None:
    assert culprit(case(refuser=refuser, **changes)) == said


@pytest.mark.parametrize(
    ("failure", "said"), [(Failure.REFUSED, "garage refuses to stop"), (Failure.NOT_SUPPORTED, "garage cannot stop")]
)
def test_a_charger_that_answers_no_is_told_with_its_answer(failure: Failure, said: str) -> None:
    asked = Asked(action="stop_transaction", sent_at=utc("10T22:15"), accepted=False, failure=failure)
    control = replace(state_with().control, unmet_since=utc("10T22:15"), last=asked)
    assert culprit(case(refuser=Refuser.CHARGER, control=control)) == said


@pytest.mark.parametrize(
    ("attempts", "retry_at", "said"),
    [
        (0, None, ""),
        (4, None, "It is not tried again until something changes."),
        (1, "10T22:15", ""),
        (1, "10T22:16", "It is tried again at 22:16."),
    ],
)
def test_an_attempt_to_come_is_told_with_its_time(attempts: int, retry_at: str | None, said: str) -> None:
    control = Control(attempts=attempts, retry_at=None if retry_at is None else utc(retry_at))
    assert attempt(case(control=control)) == said


def test_without_a_plan_nothing_is_planned_and_no_price_is_compared() -> None:
    empty = case(plan=())
    assert (coming(empty), planned(empty), prices(empty)) == ("", "", "")


def test_a_plan_over_midnight_names_both_days_where_that_is_not_clear() -> None:
    window = Window(BlockKind.REGULAR, utc("11T23:00"), utc("12T01:00"), 1000)
    assert coming(case(plan=(window,))) == "from 23:00 on Wednesday to 01:00 on Thursday"


def test_a_price_that_is_no_lower_is_not_told() -> None:
    window = Window(BlockKind.REGULAR, utc("10T22:30"), utc("10T23:00"), 1000)
    assert prices(case(plan=(window,))) == ""


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("refuser", [None, *Refuser])
def test_a_remedy_is_one_sentence_or_none(reason: Reason, refuser: Refuser | None) -> None:
    said = remedy(case(reason=reason, refuser=refuser))
    assert said is None or (said.endswith(".") and ". " not in said)
    assert (said is None) is (
        reason
        not in {
            Reason.CHARGER_OFFLINE,
            Reason.MISSING_CAPABILITIES,
            Reason.ANOTHER_CAR,
            Reason.LEVEL_UNKNOWN,
            Reason.CAR_FULL,
            Reason.START_FAILED,
            Reason.STOP_FAILED,
        }
    )


def test_a_charger_that_never_connected_is_told_as_such() -> None:
    home = Home()
    state = initial(home.configuration(), home.now)
    state = replace(state, slots=home.state.slots)
    told = explanation(state, POLICY)
    assert told is not None
    assert told["reason"] == "CHARGER_OFFLINE"
    assert told["words"].startswith("garage is not connected, so nobody can tell whether a car is plugged in.")
    evidence = dict.fromkeys(told["evidence"]) | {"isOnline": False, "isTokenShown": False}
    assert told["evidence"] == evidence, "what is not known is null"


def test_a_charger_that_is_lost_without_a_plan_says_no_more_than_that() -> None:
    lost = {"online": False, "lost_at": utc("10T22:15")}
    told = words(case(Reason.CHARGER_OFFLINE, Refuser.NETWORK, facts=lost, plan=()))
    assert told.startswith(
        "garage has not been connected since 22:15, so nobody can tell or change what car does. See "
    )


def test_capabilities_are_missing_before_plug_in_and_whatever_is_plugged() -> None:
    home = Home(assumed=None)
    assert reason_of(home.state, home.state.slots[0]) is Reason.MISSING_CAPABILITIES
    assert refused_by(home.state, home.state.slots[0]) is None


def test_a_target_that_is_reached_but_for_rounding_is_reached() -> None:
    state = state_with(plan=(), targets=Targets(immediate=BOOST))
    (slot,) = state.slots
    assert reason_of(state, slot) is Reason.TARGET_REACHED
    reached = Case(state=state, slot=slot, reason=Reason.TARGET_REACHED, refuser=None)
    assert words(reached) == "car has reached its target of 80 %."


def test_nothing_plugged_and_no_deadline_is_short() -> None:
    told = words(case(Reason.NOT_PLUGGED_IN, targets=Targets()))
    assert told == "No car is plugged in at garage."


@pytest.mark.parametrize(
    ("level", "targets", "said"),
    [
        (None, Targets(scheduled=REGULAR), ""),
        ("known", Targets(), " Its battery is at about 35 %."),
        ("known", Targets(scheduled=REGULAR), " Its battery is at about 35 %, and its target is 50 %."),
    ],
)
def test_a_full_car_is_told_with_what_is_known_of_it(level: str | None, targets: Targets, said: str) -> None:
    changes: dict[str, Any] = {"targets": targets} | ({"level": None} if level is None else {})
    told = words(case(Reason.CAR_FULL, Refuser.VEHICLE, **changes))
    assert told == (
        f"car takes no more: it is full, or at a limit of its own.{said} "
        "To charge further, raise the limit in car itself."
    )


def test_without_a_reserve_and_a_deadline_nothing_is_charged() -> None:
    made = case(Reason.NO_TARGET, targets=Targets())
    slot = replace(made.slot, policy=replace(made.slot.policy, battery_reserve=0))
    assert words(replace(made, slot=slot)).endswith("has a deadline, so nothing is charged.")


@pytest.mark.parametrize(
    ("action", "limit_a", "shown"),
    [
        ("start_transaction", None, "START"),
        ("stop_transaction", None, "STOP"),
        ("set_current_limit", 16.0, "SET_LIMIT"),
        ("set_current_limit", 0.0, "PAUSE"),
        ("clear_limit", None, "CLEAR_LIMIT"),
    ],
)
def test_a_command_under_way_is_the_last_one(action: str, limit_a: float | None, shown: str) -> None:
    flight = InFlight(command_id=POLICY, action=action, sent_at=utc("10T22:15"), limit_a=limit_a)  # type: ignore[arg-type]
    before = Asked(action="stop_transaction", sent_at=utc("10T22:00"), accepted=True)
    told = explanation(state_with(control=Control(in_flight=(flight,), last=before)), POLICY)
    assert told is not None
    assert told["lastCommand"] == {
        "action": shown,
        "limitA": limit_a,
        "sentAt": "2025-06-10T22:15:00Z",
        "answer": "PENDING",
        "answeredAt": None,
        "detail": None,
    }


def test_no_card_of_anybody_is_shown_however_the_charger_spells_it() -> None:
    detail = "garage: 04:A2-b3 is blocked; 04a2b3, DE-AAA*1 too"
    asked = Asked(action="start_transaction", sent_at=utc("10T22:00"), accepted=True, detail=detail)
    state = state_with(facts={"token": "04a2b3", "token_at": utc("10T22:10")}, control=Control(last=asked))
    (slot,) = state.slots
    slot = replace(slot, vehicle=replace(slot.vehicle, id_tokens=("DEAAA1", "")))
    told = explanation(replace(state, slots=(slot,)), POLICY)
    assert told is not None
    assert told["lastCommand"]["detail"] == "garage: … is blocked; …, … too"
    assert told["evidence"]["isTokenShown"] is True


def test_a_card_that_was_shown_long_before_says_nothing_of_this_visit() -> None:
    told = explanation(state_with(facts={"token": "04a2b3", "token_at": utc("10T20:00")}), POLICY)
    assert told is not None
    assert told["evidence"]["isTokenShown"] is False
