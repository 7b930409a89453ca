"""A request by hand: what it wants of the cable, and what the meter makes of it."""

from dataclasses import replace
from typing import Any

import pytest

from chargerd.core import manual
from chargerd.core.events import ChargingRequested
from chargerd.core.ids import ReplyTo, SessionId
from chargerd.core.model import Action, ActionState, ChargerFacts, Session, State, Want
from tests.support.home import GARAGE, utc
from tests.unit.core.partition import NOW, slot, state

GUEST = Session(session_id=SessionId("guest"), policy_id=None, plugged_in_at=utc("10T20:00"))
LEFT = replace(GUEST, unplugged_at=NOW)
PENDING, CONFIRMED, FAILED, CANCELLED = ActionState
CHARGE, HOLD, FREE = Want.CHARGE, Want.HOLD, Want.FREE


def action(want: Want = CHARGE, its: ActionState = PENDING, **changes: Any) -> Action:
    made = Action(action_id=3, session_id=GUEST.session_id, want=want, state=its, requested_at=utc("10T21:59"))
    return replace(made, **changes)


def asking(asked: Action | None = None, guest: Session | None = GUEST, *, charging: bool = False) -> State:
    return state(guest=guest, action=asked, facts=ChargerFacts(charging=charging))


def asked(whole: State, start: bool | None) -> tuple[State, str | None]:
    return manual.requested(whole, ChargingRequested(charger_id=GARAGE, start=start, reply_to=ReplyTo("r")), NOW)


@pytest.mark.parametrize(("start", "want"), [(True, CHARGE), (False, HOLD)], ids=["start", "stop"])
def test_a_request_is_for_the_visit_that_goes_on(start: bool, want: Want) -> None:
    after, refusal = asked(asking(), start)
    assert refusal is None
    assert after.action == action(want, action_id=1, requested_at=NOW)
    assert asked(asking(action(HOLD, CONFIRMED)), start)[0].action == action(want, action_id=4, requested_at=NOW)


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        pytest.param(asking(guest=None), "plugged in", id="nobody-is-there"),
        pytest.param(asking(guest=LEFT), "plugged in", id="nobody-is-there-any-more"),
        pytest.param(state(slot()), "policy", id="a-policy-holds-the-charger"),
        pytest.param(state(slot(), guest=GUEST), "policy", id="even-with-a-guest"),
    ],
)
@pytest.mark.parametrize("start", [True, False])
def test_where_a_request_makes_no_sense_it_is_refused(whole: State, words: str, start: bool) -> None:
    after, refusal = asked(whole, start)
    assert after == whole
    assert refusal is not None
    assert words in refusal


@pytest.mark.parametrize(
    ("its", "then"), [(PENDING, CANCELLED), (CONFIRMED, CANCELLED), (FAILED, FAILED), (CANCELLED, CANCELLED)]
)
def test_a_request_that_is_taken_back_wants_nothing(its: ActionState, then: ActionState) -> None:
    after, refusal = asked(asking(action(HOLD, its)), None)
    assert (after.action, refusal) == (action(HOLD, then), None)
    assert asked(asking(), None) == (asking(), None)


@pytest.mark.parametrize(
    ("its", "want"),
    [
        pytest.param(action(CHARGE, PENDING), CHARGE, id="a-start"),
        pytest.param(action(HOLD, PENDING), HOLD, id="a-stop"),
        pytest.param(action(CHARGE, CONFIRMED), FREE, id="it-started"),
        pytest.param(action(HOLD, CONFIRMED), HOLD, id="it-stopped-and-stays-so"),
        pytest.param(action(HOLD, FAILED), FREE, id="it-did-not-stop"),
        pytest.param(action(HOLD, CANCELLED), FREE, id="taken-back"),
        pytest.param(action(session_id=SessionId("before")), FREE, id="of-another-visit"),
        pytest.param(None, FREE, id="nobody-asked"),
    ],
)
def test_what_a_request_wants_of_the_cable(its: Action | None, want: Want) -> None:
    assert manual.wanted(asking(its)) is want
    assert manual.wanted(asking(its, guest=LEFT)) is FREE
    assert manual.wanted(asking(its, guest=None)) is FREE


@pytest.mark.parametrize(
    ("want", "charging", "fails_at", "its"),
    [
        pytest.param(CHARGE, True, None, CONFIRMED, id="it-charges"),
        pytest.param(HOLD, False, None, CONFIRMED, id="it-has-stopped"),
        pytest.param(CHARGE, False, None, PENDING, id="not-yet"),
        pytest.param(CHARGE, False, "10T22:00:01", PENDING, id="there-is-time"),
        pytest.param(CHARGE, False, "10T22:00", FAILED, id="too-late"),
        pytest.param(HOLD, True, "10T21:59", FAILED, id="far-too-late"),
        pytest.param(CHARGE, True, "10T21:59", CONFIRMED, id="late-but-it-charges"),
    ],
)
def test_the_meter_proves_a_request(want: Want, charging: bool, fails_at: str | None, its: ActionState) -> None:
    by = None if fails_at is None else utc(fails_at)
    whole = asking(action(want), charging=charging)
    assert manual.judged(whole, fails_at=by, now=NOW) == replace(whole, action=action(want, its))


@pytest.mark.parametrize("its", [CONFIRMED, FAILED, CANCELLED])
def test_a_request_is_judged_once(its: ActionState) -> None:
    whole = asking(action(CHARGE, its))
    assert manual.judged(whole, fails_at=NOW, now=NOW) == whole
    assert manual.judged(asking(), fails_at=NOW, now=NOW) == asking()


def test_a_request_whose_car_has_left_is_void() -> None:
    whole = asking(action(), guest=LEFT, charging=True)
    assert manual.judged(whole, fails_at=NOW, now=NOW) == replace(whole, action=action(its=CANCELLED))
