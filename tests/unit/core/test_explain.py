"""Wall times, sentences about goals and culprits, and facts that are told rarely."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chargerd.core.decide import initial
from chargerd.core.events import Activity, Capabilities, Failure
from chargerd.core.explain import explanation
from chargerd.core.explain_phrases import Case, attempt, coming, culprit, goal, planned, prices, wall_time, with_power
from chargerd.core.explain_words import words
from chargerd.core.model import (
    Asked,
    Control,
    ErrorKind,
    ImmediateTarget,
    InFlight,
    Outcome,
    OutcomeState,
    Reading,
    RegularTarget,
    SessionError,
    State,
    Targets,
    VehicleFacts,
    Want,
)
from chargerd.core.reason import Reason, reason_of
from chargerd.core.refusal import Refuser, refused_by
from chargerd.core.remedy import remedy
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import POLICY, Home, utc
from tests.support.home import prices as price_curve
from tests.support.two_cars import TwoCars

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
        pytest.param(
            Targets(scheduled=replace(REGULAR, ready_by=utc("10T22:15"))),
            expected(OutcomeState.OFF_TARGET, 40, "10T23:00"),
            "It will have 50 % at about 23:00.",
            id="late-from-the-deadline-on",
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
    detail = "garage: 04:A2-b3 is blocked; 04a2b3, DEAAA1, de-aaa*1 too"
    asked = Asked(action="start_transaction", sent_at=utc("10T22:00"), accepted=True, detail=detail)
    state = state_with(facts={"token": "04a2b3", "token_at": utc("10T22:10")}, control=Control(last=asked))
    (slot,) = state.slots
    slot = replace(slot, vehicle=replace(slot.vehicle, id_tokens=("DE-AAA 1", "")))
    told = explanation(replace(state, slots=(slot,)), POLICY)
    assert told is not None
    assert told["lastCommand"]["detail"] == "garage: … is blocked; …, …, … too"
    assert told["evidence"]["isTokenShown"] is True


def test_a_card_that_was_shown_long_before_says_nothing_of_this_visit() -> None:
    told = explanation(state_with(facts={"token": "04a2b3", "token_at": utc("10T20:00")}), POLICY)
    assert told is not None
    assert told["evidence"]["isTokenShown"] is False


@pytest.mark.parametrize(
    ("token_at", "shown"),
    [
        pytest.param("10T22:04:59", False, id="too-early"),
        pytest.param("10T22:05", True, id="ten-minutes-before-the-plug"),
        pytest.param("10T22:15", True, id="with-the-plug"),
        pytest.param(None, False, id="never"),
    ],
)
def test_a_card_is_of_this_visit_where_it_was_shown_shortly_before_the_plug(token_at: str | None, shown: bool) -> None:
    facts = {"token": "04a2b3", "token_at": None if token_at is None else utc(token_at)}
    state = replace(state_with(facts=facts), at=utc("11T00:30"))
    told = explanation(state, POLICY)
    assert told is not None
    assert told["evidence"]["isTokenShown"] is shown
    nobody = explanation(replace(state, at=utc("10T22:15"), facts=replace(state.facts, token="")), POLICY)
    assert nobody is not None
    assert nobody["evidence"]["isTokenShown"] is False


@pytest.mark.parametrize(
    ("token_at", "shown"),
    [pytest.param("10T21:50", True, id="lately"), pytest.param("10T21:49", False, id="not-lately")],
)
def test_a_card_without_any_visit_was_shown_lately_or_not(token_at: str, shown: bool) -> None:
    state = replace(Home().state, at=utc("10T22:00"))
    state = replace(state, facts=replace(state.facts, token="04a2b3", token_at=utc(token_at)))
    told = explanation(state, POLICY)
    assert told is not None
    assert told["evidence"]["isTokenShown"] is shown


@pytest.mark.parametrize(
    ("control", "facts", "told"),
    [
        pytest.param({"retry_at": utc("10T22:16")}, {}, {"made": 2, "nextAt": "2025-06-10T22:16:00Z"}, id="to-come"),
        pytest.param({"retry_at": utc("10T22:15")}, {}, {"made": 2, "nextAt": None}, id="due-and-waiting"),
        pytest.param({"retry_at": None}, {}, {"made": 2, "nextAt": None}, id="none-left"),
        pytest.param({"retry_at": utc("10T22:16")}, {"online": False}, {"made": 2, "nextAt": None}, id="offline"),
        pytest.param({"retry_at": utc("10T22:16"), "attempts": 0}, {}, None, id="none-made"),
        pytest.param({"retry_at": utc("10T22:16"), "unmet_since": None}, {}, None, id="nothing-lags"),
    ],
)
def test_attempts_are_shown_with_the_next_one(control: Any, facts: Any, told: Any) -> None:
    ladder = Control(**{"attempts": 2, "unmet_since": utc("10T22:15")} | control)
    found = explanation(state_with(facts=facts, control=ladder), POLICY)
    assert found is not None
    assert found["attempts"] == told


def test_attempts_in_another_cars_visit_are_not_shown() -> None:
    ladder = Control(attempts=2, unmet_since=utc("10T22:15"), retry_at=utc("10T22:16"))
    found = explanation(state_with(control=ladder, plugged_in_at=None), POLICY)
    assert found is not None
    assert found["attempts"] is None


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        pytest.param(None, "", id="no-sample"),
        pytest.param(Reading(at=utc("10T22:15"), register_wh=5), "", id="no-power"),
        pytest.param(Reading(at=utc("10T22:15"), power_w=99.9), "", id="next-to-none"),
        pytest.param(Reading(at=utc("10T22:15"), power_w=100.0), " at 0.1 kW", id="some"),
        pytest.param(Reading(at=utc("10T22:15"), power_w=7250.0), " at 7.2 kW", id="much"),
    ],
)
def test_power_is_told_where_there_is_any(reading: Reading | None, said: str) -> None:
    assert with_power(case(facts={"reading": reading})) == said


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        pytest.param("0.304", "0.299", "", id="the-same-in-whole-cents"),
        pytest.param("0.304", "0.301", "", id="a-tenth-of-a-cent-less"),
        pytest.param("0.304", "0.294", "Energy costs 0.30 EUR per kWh now and 0.29 then.", id="a-cent-less"),
        pytest.param("0.294", "0.304", "", id="dearer"),
    ],
)
def test_what_waiting_saves_is_told_in_whole_cents(now: str, then: str, said: str) -> None:
    made = case(plan=(Window(BlockKind.REGULAR, utc("10T23:00"), utc("10T23:15"), 1000),))
    curve = price_curve("10T22:00", [float(now), float(then)])
    assert prices(replace(made, state=replace(made.state, prices=curve))) == said
    assert prices(replace(made, state=replace(made.state, prices=price_curve("10T23:00", [float(then)])))) == ""
    assert prices(replace(made, state=replace(made.state, prices=price_curve("10T22:00", [float(now)])))) == ""


@pytest.mark.parametrize(
    ("plugged_at", "token_at", "car"),
    [
        pytest.param("10T22:15", "10T22:05", "van", id="card-of-this-plug"),
        pytest.param("10T22:15", "10T22:04", "car", id="card-of-long-before"),
        pytest.param(None, "10T22:06", "van", id="plugged-in-now"),
    ],
)
def test_the_car_that_is_expected_is_named(plugged_at: str | None, token_at: str, car: str) -> None:
    state = TwoCars(tokens=(("04A2",), ("04B3",))).until("10T22:15").plug().state
    facts = replace(state.facts, token="04b3", token_at=utc(token_at), plugged_at=plugged_at and utc(plugged_at))
    state = replace(state, at=utc("10T22:16"), facts=facts)
    made = Case(state=state, slot=state.slots[0], reason=Reason.WAITING_FOR_CAR_IDENTITY, refuser=None)
    assert words(made).endswith(f"it is taken for {car} within a minute.")


def test_a_car_that_nobody_expects_is_taken_for_another_one() -> None:
    elsewhere = VehicleFacts(plugged=False, told_at=utc("10T22:30"))
    made = case(Reason.WAITING_FOR_CAR_IDENTITY)
    slot = replace(made.slot, facts=elsewhere)
    said = words(replace(made, slot=slot, state=replace(made.state, slots=(slot,))))
    assert said.endswith("it is taken for another car within a minute.")


@pytest.mark.parametrize(
    ("curve", "session", "known"),
    [
        pytest.param(("10T22:00", 1), {}, "KNOWN", id="up-to-the-deadline"),
        pytest.param(("10T22:00", 1), {"ready_by": "10T23:15"}, "PARTLY_KNOWN", id="not-up-to-the-deadline"),
        pytest.param(("10T22:30", 1), {}, "PARTLY_KNOWN", id="not-now"),
        pytest.param(("10T23:00", 1), {}, "UNKNOWN", id="only-after-the-deadline"),
        pytest.param(("10T22:00", 1), {"ends": "10T23:15"}, "PARTLY_KNOWN", id="not-up-to-the-end-of-the-plan"),
        pytest.param(("10T22:00", 2), {"ends": "11T00:00"}, "KNOWN", id="up-to-the-end-of-the-plan"),
        pytest.param(("10T22:00", 1), {"ready_by": None}, "KNOWN", id="now-without-any-deadline"),
        pytest.param(("10T23:00", 1), {"ready_by": None}, "UNKNOWN", id="not-now-without-any-deadline"),
    ],
)
def test_prices_are_known_where_they_are_up_to_the_deadline_and_the_plans_end(
    curve: tuple[str, int], session: dict[str, str | None], known: str
) -> None:
    ready_by = session.get("ready_by", "10T23:00")
    ends = session.get("ends")
    targets = Targets() if ready_by is None else Targets(scheduled=replace(REGULAR, ready_by=utc(ready_by)))
    plan = () if ends is None else (Window(BlockKind.REGULAR, utc("10T22:30"), utc(ends), 1000),)
    state = replace(state_with(targets=targets, plan=plan), prices=price_curve(curve[0], [0.3] * curve[1]))
    told = explanation(state, POLICY)
    assert told is not None
    assert told["plan"]["prices"] == known


def test_a_lag_that_begins_now_is_told_as_of_now() -> None:
    due = {"control": Control(want=Want.CHARGE)}
    assert words(case(Reason.STARTING, **due)) == (
        "car should have been charging since 22:15, and is being started. It has until 22:15 to begin."
    )
    assert words(case(Reason.CAR_LEFT)) == (
        "car was unplugged at 22:15. Its session is settled once garage has told all of it."
    )


def test_what_is_due_from_now_on_is_not_to_come() -> None:
    now = Window(BlockKind.REGULAR, utc("10T22:15"), utc("10T22:30"), 1000)
    later = Window(BlockKind.REGULAR, utc("10T23:00"), utc("10T23:15"), 1000)
    assert coming(case(plan=(now, later))) == "from 23:00 to 23:15"
    assert planned(case(plan=(now, later))) == "Charging is due until about 22:30."
    assert planned(case(plan=(later,))) == "Charging is planned from 23:00 to 23:15."


@pytest.mark.parametrize(
    ("activity", "resumes", "said"),
    [
        pytest.param(Activity.FINISHING, False, "Pull the plug of car and plug it in anew", id="ended-for-good"),
        pytest.param(Activity.FINISHING, True, "Look at garage: see", id="ended-and-begins-anew"),
        pytest.param(Activity.EV_CONNECTED, False, "Look at garage: see", id="not-ended"),
    ],
)
def test_only_a_charge_that_ended_for_good_needs_the_plug_pulled(activity: Activity, resumes: bool, said: str) -> None:
    facts = {"activity": activity, "capabilities": Capabilities(resumes_after_stop=resumes)}
    told = remedy(case(Reason.START_FAILED, Refuser.CHARGER, facts=facts))
    assert told is not None
    assert told.startswith(said)


def test_a_fault_is_looked_at_where_nothing_better_can_be_done() -> None:
    facts = {"fault": "GroundFailure"}
    assert remedy(case(Reason.STARTING, facts=facts)) == "Look at garage, which reports a fault: GroundFailure."
    assert remedy(case(Reason.CAR_FULL, facts=facts)) == "To charge further, raise the limit in car itself."


def test_an_error_of_another_kind_says_nothing_of_what_goes_on() -> None:
    failed = state_with(facts={"charging": True}, error=SessionError(kind=ErrorKind.START_FAIL))
    assert reason_of(failed, failed.slots[0]) is Reason.STOPPING


@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        pytest.param(Targets(scheduled=replace(REGULAR, ready_by=utc("10T22:15"))), Reason.CHARGING_LATE, id="late"),
        pytest.param(
            Targets(scheduled=replace(REGULAR, ready_by=utc("10T22:16"))), Reason.CHARGING_AS_PLANNED, id="in-time"
        ),
        pytest.param(Targets(), Reason.CHARGING_AS_PLANNED, id="no-target"),
    ],
)
def test_charging_is_late_from_the_deadline_on(targets: Targets, reason: Reason) -> None:
    due = Window(BlockKind.REGULAR, utc("10T22:15"), utc("10T22:30"), 1000)
    state = state_with(facts={"charging": True}, plan=(due,), targets=targets)
    assert reason_of(state, state.slots[0]) is reason
