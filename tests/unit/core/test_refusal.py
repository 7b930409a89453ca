"""Who stands in the way, rule by rule and border by border."""

from dataclasses import replace
from typing import Any

import pytest

from chargerd.core.events import Activity, Capabilities, Failure
from chargerd.core.ids import CommandId, TransactionId
from chargerd.core.model import (
    Asked,
    ChargerFacts,
    Control,
    ErrorKind,
    InFlight,
    RegularTarget,
    SessionError,
    Slot,
    State,
    Targets,
    Transaction,
    VehicleFacts,
    Want,
)
from chargerd.core.reason import Reason, reason_of
from chargerd.core.refusal import Refuser, answer_of, is_reached, refused_by, takes_no_more
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import utc
from tests.unit.core.partition import NOW, known, slot, state

SINCE, BEFORE = utc("10T22:00"), utc("10T21:59:59")
TARGET = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=50, ready_by=utc("11T07:00"))
START_FAIL, STOP_FAIL = SessionError(kind=ErrorKind.START_FAIL), SessionError(kind=ErrorKind.STOP_FAIL)
UNABLE = Capabilities(can_start=False, can_limit=False)
RUNNING = Transaction(transaction_id=TransactionId("7"), started_at=SINCE)
ENDED = replace(RUNNING, ended_at=SINCE, end_reason="DeAuthorized")


def asked(
    failure: Failure | None = None, *, action: str = "start_transaction", at: str = "10T22:00", **more: Any
) -> Asked:
    return Asked(action=action, sent_at=utc(at), accepted=failure is None, failure=failure, **more)


def lagging(
    want: Want = Want.CHARGE, *, facts: dict[str, Any] | None = None, error: Any = None, **control: Any
) -> State:
    """A car plugged in since 22:00 at which something is wanted that is not so, since then."""
    told: dict[str, Any] = {"online": True, "plugged": True, "charging": want is Want.HOLD} | (facts or {})
    one = slot(plugged_at=SINCE, level=known(30), targets=Targets(scheduled=TARGET), error=error)
    ladder = Control(**{"want": want, "unmet_since": SINCE} | control)
    return state(one, facts=ChargerFacts(**told), control=ladder)


def refuser(whole: State) -> Refuser | None:
    return refused_by(whole, whole.slots[0])


def visit(whole: State, **changes: Any) -> State:
    (one,) = whole.slots
    return replace(whole, slots=(replace(one, session=replace(one.session, **changes)),))


# The car


@pytest.mark.parametrize(
    ("level", "reached"), [(49.9, False), (50.0, True), (None, False)], ids=["below", "reached", "unknown"]
)
def test_a_target_is_reached_at_its_level(level: float | None, reached: bool) -> None:
    one = slot(targets=Targets(scheduled=TARGET), level=None if level is None else known(level))
    assert is_reached(one) is reached
    assert not is_reached(slot(level=known(90))), "there is no target"


@pytest.mark.parametrize(
    ("changes", "limit", "charging", "no_more"),
    [
        pytest.param({}, None, False, False, id="it-takes-more"),
        pytest.param({"car_is_full": True}, None, False, True, id="full"),
        pytest.param({"car_is_full": True}, None, True, False, id="full-and-charging"),
        pytest.param({"car_is_full": True, "level": known(50)}, None, False, False, id="full-at-its-target"),
        pytest.param({}, 30.0, False, True, id="at-its-limit"),
        pytest.param({}, 30.1, False, False, id="below-its-limit"),
        pytest.param({"level": None}, 30.0, False, False, id="nobody-knows-its-level"),
        pytest.param({"targets": Targets()}, 30.0, False, False, id="nothing-is-wanted-of-it"),
        pytest.param({"targets": Targets(), "car_is_full": True}, None, False, True, id="full-and-nothing-is-wanted"),
    ],
)
def test_a_car_takes_no_more_when_it_is_full_or_at_its_limit(
    changes: dict[str, Any], limit: float | None, charging: bool, no_more: bool
) -> None:
    session = {"level": known(30), "targets": Targets(scheduled=TARGET)} | changes
    one = slot(plugged_at=SINCE, facts=VehicleFacts(limit_pct=limit), **session)
    whole = state(
        one, facts=ChargerFacts(online=True, plugged=True, charging=charging), control=Control(want=Want.HOLD)
    )
    assert takes_no_more(whole, one) is no_more
    assert (refused_by(whole, one) is Refuser.VEHICLE) is no_more


# What was answered


@pytest.mark.parametrize(
    ("control", "answer"),
    [
        pytest.param({}, None, id="nothing-was-asked"),
        pytest.param({"last": asked()}, None, id="accepted"),
        pytest.param({"last": asked(Failure.REFUSED)}, Failure.REFUSED, id="refused"),
        pytest.param({"last": asked(Failure.REFUSED), "unmet_since": None}, None, id="nothing-lags"),
        pytest.param({"last": asked(Failure.REFUSED, at="10T21:59:59")}, None, id="of-an-earlier-stretch"),
        pytest.param({"last": replace(asked(), accepted=None)}, Failure.TIMED_OUT, id="no-answer"),
        pytest.param(
            {
                "last": asked(),
                "failure": Failure.NOT_SUPPORTED,
                "in_flight": (InFlight(command_id=CommandId(1), action="start_transaction", sent_at=SINCE),),
            },
            Failure.NOT_SUPPORTED,
            id="asked-again",
        ),
    ],
)
def test_the_last_no_of_this_stretch_is_the_answer(control: dict[str, Any], answer: Failure | None) -> None:
    assert answer_of(lagging(**control)) is answer


# Rule by rule


@pytest.mark.parametrize(
    ("whole", "who"),
    [
        pytest.param(visit(lagging(error=START_FAIL), unplugged_at=NOW), None, id="the-car-left"),
        pytest.param(lagging(facts={"online": False}), Refuser.NETWORK, id="offline"),
        pytest.param(visit(lagging(error=START_FAIL), plugged_in_at=None), None, id="another-car"),
        pytest.param(
            lagging(facts={"capabilities": UNABLE}),
            Refuser.CHARGER,
            id="it-cannot-start",
        ),
        pytest.param(
            visit(lagging(facts={"capabilities": UNABLE}), plugged_in_at=None),
            None,
            id="another-car-and-it-cannot-start",
        ),
        pytest.param(
            visit(lagging(facts={"capabilities": UNABLE, "plugged": False}), plugged_in_at=None),
            Refuser.CHARGER,
            id="nothing-is-plugged-and-it-cannot-start",
        ),
        pytest.param(
            visit(lagging(facts={"capabilities": UNABLE}), level=None),
            Refuser.CHARGER,
            id="it-cannot-start-and-nobody-tells-a-level",
        ),
        pytest.param(
            lagging(facts={"capabilities": Capabilities(reports_energy=False, reports_power=False)}),
            Refuser.CHARGER,
            id="it-meters-nothing",
        ),
        pytest.param(visit(lagging(error=START_FAIL), level=None), None, id="nobody-tells-a-level"),
        pytest.param(
            visit(lagging(facts={"plugged": False}, error=START_FAIL), plugged_in_at=None),
            None,
            id="nothing-is-plugged",
        ),
        pytest.param(lagging(unmet_since=None, error=START_FAIL), None, id="nothing-lags"),
        pytest.param(lagging(facts={"charging": True}, error=START_FAIL), None, id="it-charges-as-wanted"),
        pytest.param(lagging(Want.HOLD, facts={"charging": False}, error=STOP_FAIL), None, id="it-waits-as-wanted"),
        pytest.param(lagging(facts={"fault": "GroundFailure"}), Refuser.CHARGER, id="a-fault"),
        pytest.param(lagging(last=asked(Failure.TIMED_OUT)), Refuser.NETWORK, id="no-answer"),
        pytest.param(lagging(last=asked(Failure.UNREACHABLE)), Refuser.NETWORK, id="unreachable"),
        pytest.param(lagging(last=asked(Failure.REFUSED)), Refuser.CHARGER, id="refused"),
        pytest.param(lagging(last=asked(Failure.NOT_SUPPORTED)), Refuser.CHARGER, id="not-supported"),
        pytest.param(lagging(last=asked()), None, id="accepted-and-it-has-its-time"),
        pytest.param(lagging(last=asked(), error=START_FAIL), Refuser.CHARGER, id="accepted-and-nothing-done"),
        pytest.param(lagging(Want.HOLD, error=STOP_FAIL), Refuser.CHARGER, id="it-charges-though-told-not-to"),
        pytest.param(
            lagging(
                Want.HOLD,
                error=STOP_FAIL,
                limit_a=16.0,
                facts={"transaction": RUNNING, "activity": Activity.CHARGING},
            ),
            Refuser.CHARGER,
            id="it-offers-though-told-not-to",
        ),
    ],
)
def test_the_first_rule_that_fits_says_who(whole: State, who: Refuser | None) -> None:
    assert refuser(whole) is who


# The authorisation


@pytest.mark.parametrize(
    ("said", "who"),
    [
        pytest.param("Not authorised", Refuser.AUTHORISATION, id="authorised"),
        pytest.param("AuthorizationFailed", Refuser.AUTHORISATION, id="authorization"),
        pytest.param("unknown id_tag", Refuser.AUTHORISATION, id="id-tag"),
        pytest.param("IdToken?", Refuser.AUTHORISATION, id="id-token"),
        pytest.param("Blocked", Refuser.AUTHORISATION, id="blocked"),
        pytest.param("Expired", Refuser.AUTHORISATION, id="expired"),
        pytest.param("ConcurrentTx", Refuser.AUTHORISATION, id="concurrent"),
        pytest.param("NoCredit", Refuser.AUTHORISATION, id="no-credit"),
        pytest.param("NotAllowedTypeEVSE", Refuser.AUTHORISATION, id="type-of-evse"),
        pytest.param("NotAtThisLocation", Refuser.AUTHORISATION, id="location"),
        pytest.param("NotAtThisTime", Refuser.AUTHORISATION, id="time"),
        pytest.param("garage: Blocked", Refuser.AUTHORISATION, id="with-its-name-in-front"),
        pytest.param("Rejected", Refuser.CHARGER, id="something-else"),
        pytest.param("", Refuser.CHARGER, id="nothing"),
    ],
)
def test_a_start_that_is_refused_with_a_word_about_its_token_is_not_authorised(said: str, who: Refuser) -> None:
    last = asked(Failure.REFUSED, detail=said)
    assert refuser(lagging(last=last, refusal=said, failure=Failure.REFUSED)) is who
    unsupported = asked(Failure.NOT_SUPPORTED, detail=said)
    assert refuser(lagging(last=unsupported, refusal=said, failure=Failure.NOT_SUPPORTED)) is Refuser.CHARGER


def test_a_charger_may_be_named_after_a_word_about_tokens() -> None:
    whole = lagging(last=asked(Failure.REFUSED), refusal="blocked: no", failure=Failure.REFUSED)
    named = replace(whole, charger=replace(whole.charger, charger_id="blocked"))  # type: ignore[arg-type]
    assert refuser(named) is Refuser.CHARGER


def test_only_a_start_is_about_a_token() -> None:
    limit = lagging(last=asked(Failure.REFUSED, action="set_current_limit"), refusal="Blocked", failure=Failure.REFUSED)
    assert refuser(limit) is Refuser.CHARGER
    stop = lagging(Want.HOLD, last=asked(Failure.REFUSED), refusal="Blocked", failure=Failure.REFUSED)
    assert refuser(stop) is Refuser.CHARGER
    under_way = InFlight(command_id=CommandId(1), action="start_transaction", sent_at=SINCE)
    again = lagging(last=asked(), refusal="Blocked", failure=Failure.REFUSED, in_flight=(under_way,))
    limited = replace(again, control=replace(again.control, last=asked(action="set_current_limit")))
    assert refuser(limited) is Refuser.AUTHORISATION, "a limit that was taken meanwhile says nothing"
    assert refuser(again) is Refuser.AUTHORISATION, "the no of the last start stands until the next answer"


@pytest.mark.parametrize(
    ("facts", "who"),
    [
        pytest.param({"last_transaction": ENDED}, Refuser.AUTHORISATION, id="ended-in-this-visit"),
        pytest.param({"last_transaction": replace(ENDED, ended_at=BEFORE)}, None, id="ended-before-it"),
        pytest.param({"last_transaction": replace(ENDED, end_reason="Remote")}, None, id="ended-otherwise"),
        pytest.param({"last_transaction": replace(ENDED, ended_at=None)}, None, id="not-ended"),
        pytest.param({"last_transaction": ENDED, "transaction": RUNNING}, None, id="another-one-runs"),
    ],
)
def test_a_transaction_that_the_charger_ended_as_not_authorised_is_not(facts: Any, who: Refuser | None) -> None:
    assert refuser(lagging(facts=facts)) is who
    assert refuser(lagging(Want.HOLD, facts=facts)) is None, "nothing is to be started"


# What is offered


@pytest.mark.parametrize(
    ("facts", "control", "who"),
    [
        pytest.param({"activity": Activity.CHARGING}, {"limit_a": 16.0}, Refuser.VEHICLE, id="offered"),
        pytest.param({"activity": Activity.EV_CONNECTED}, {"limit_a": 16.0}, Refuser.VEHICLE, id="connected"),
        pytest.param({"activity": None}, {"limit_a": 16.0}, Refuser.VEHICLE, id="nothing-said"),
        pytest.param({"activity": Activity.SUSPENDED_EVSE}, {"limit_a": 16.0}, Refuser.CHARGER, id="charger-suspends"),
        pytest.param({"activity": Activity.FINISHING}, {"limit_a": 16.0}, Refuser.CHARGER, id="finishing"),
        pytest.param({"activity": Activity.IDLE}, {"limit_a": 16.0}, Refuser.CHARGER, id="idle"),
        pytest.param({"activity": Activity.CHARGING}, {}, Refuser.CHARGER, id="no-limit-is-known"),
        pytest.param({"activity": Activity.CHARGING}, {"limit_a": 0.0}, Refuser.CHARGER, id="paused"),
        pytest.param(
            {"activity": Activity.CHARGING, "capabilities": Capabilities(can_limit=False)},
            {},
            Refuser.VEHICLE,
            id="it-has-no-limit",
        ),
        pytest.param({"activity": Activity.SUSPENDED_EV}, {"limit_a": 16.0}, Refuser.VEHICLE, id="car-suspends"),
        pytest.param({"activity": Activity.SUSPENDED_EV}, {"limit_a": 0.0}, Refuser.CHARGER, id="car-suspends-paused"),
        pytest.param(
            {"activity": Activity.SUSPENDED_EV}, {"limit_refused": True}, Refuser.VEHICLE, id="car-suspends-unlimited"
        ),
        pytest.param(
            {"activity": Activity.CHARGING, "transaction": None},
            {"limit_a": 16.0},
            Refuser.CHARGER,
            id="no-transaction",
        ),
    ],
)
def test_the_car_refuses_where_current_is_offered_to_it(facts: Any, control: Any, who: Refuser) -> None:
    assert refuser(lagging(facts={"transaction": RUNNING} | facts, error=START_FAIL, **control)) is who


# The reasons that rest on it


def held(one: Slot, *plan: Window) -> Reason:
    one = replace(one, session=replace(one.session, plan=plan))
    return reason_of(state(one, facts=ChargerFacts(online=True, plugged=True)), one)


def test_a_car_that_waits_says_for_what() -> None:
    later = Window(BlockKind.REGULAR, utc("10T23:00"), utc("11T00:00"), 1000)
    one = slot(plugged_at=SINCE, level=known(30), targets=Targets(scheduled=TARGET))
    assert held(one, later) is Reason.WAITING_FOR_CHEAPER_HOURS
    assert held(one) is Reason.TARGET_REACHED, "what is missing is less than can be planned"
    assert held(replace(one, facts=VehicleFacts(limit_pct=30.0)), later) is Reason.CAR_FULL
    nothing = slot(plugged_at=SINCE, level=known(90), facts=VehicleFacts(limit_pct=80.0))
    assert held(nothing) is Reason.NO_TARGET
    assert held(slot(plugged_at=SINCE, level=known(50), targets=Targets(scheduled=TARGET))) is Reason.TARGET_REACHED
