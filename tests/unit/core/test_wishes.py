"""What users ask of a session, and what they are answered."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from chargerd.core import wishes
from chargerd.core.commands import AnswerRequest
from chargerd.core.events import ImmediateStartRequested, OverrideCancelled, ScheduleOverrideRequested
from chargerd.core.ids import PolicyId, ReplyTo
from chargerd.core.model import Control, ImmediateTarget, RegularTarget, State, Targets, Want
from chargerd.core.policy import DayTarget
from tests.support.home import utc
from tests.unit.core.partition import NOW, slot, state

ITS = {"policy_id": PolicyId("policy-car"), "reply_to": ReplyTo("r")}
SCHEDULED = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=80, ready_by=utc("11T07:00"))
OWN = RegularTarget(target_id=2, from_policy=False, minimum_charge_target=60, ready_by=utc("11T05:00"))
AT_ONCE = ImmediateTarget(target_id=2, minimum_charge_target=60)
TARGETS = Targets(scheduled=SCHEDULED, next_id=2)


def wishing(targets: Targets = TARGETS, ladder: Control | None = None) -> State:
    """A car that is plugged in and has had enough, of the second policy of a charger."""
    its = slot(plugged_at=utc("10T20:00"), targets=targets, car_is_full=True)
    its = replace(
        its, policy=replace(its.policy, schedule=(DayTarget(ready_by=time(7), minimum_charge_target=80),) * 7)
    )
    return state(slot("other"), its, control=ladder or Control())


def at_once(level: int = 60, **changes: Any) -> ImmediateStartRequested:
    return ImmediateStartRequested(minimum_charge_target=level, **ITS | changes)


def override(level: int = 60, ready_by: str = "11T05:00", **changes: Any) -> ScheduleOverrideRequested:
    return ScheduleOverrideRequested(minimum_charge_target=level, ready_by=utc(ready_by), **ITS | changes)


def back(**changes: Any) -> OverrideCancelled:
    return OverrideCancelled(**ITS | changes)


def asked(wish: wishes.Wish, whole: State | None = None) -> tuple[State, str | None]:
    after, (answer,) = wishes.requested(whole or wishing(), wish, NOW)
    assert isinstance(answer, AnswerRequest)
    assert answer.reply_to == "r"
    return after, answer.rejected


@pytest.mark.parametrize(
    ("wish", "had", "targets"),
    [
        pytest.param(at_once(), TARGETS, replace(TARGETS, immediate=AT_ONCE, next_id=3), id="now"),
        pytest.param(override(), TARGETS, replace(TARGETS, override=OWN, next_id=3), id="another-deadline"),
        pytest.param(back(), replace(TARGETS, override=OWN), TARGETS, id="back-to-the-policy"),
        pytest.param(back(), replace(TARGETS, immediate=AT_ONCE), TARGETS, id="back-from-now"),
    ],
)
def test_a_wish_is_the_target_from_now_on(wish: wishes.Wish, had: Targets, targets: Targets) -> None:
    whole = wishing(had)
    after, refusal = asked(wish, whole)
    assert refusal is None
    assert after.slots[1].session.targets == replace(targets, issued_at=NOW)
    assert not after.slots[1].session.car_is_full, "it is tried anew"
    assert after.slots[0] == whole.slots[0]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        pytest.param(at_once(0), "minimumChargeTarget", id="nothing"),
        pytest.param(at_once(101), "minimumChargeTarget", id="more-than-all"),
        pytest.param(override(0), "minimumChargeTarget", id="nothing-by-then"),
        pytest.param(override(101), "minimumChargeTarget", id="more-than-all-by-then"),
        pytest.param(override(ready_by="10T22:00"), "readyBy", id="by-now"),
        pytest.param(override(ready_by="10T21:59"), "readyBy", id="by-then-that-is-past"),
        pytest.param(at_once(policy_id=PolicyId("none")), "no such policy", id="of-nobody"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(wish: wishes.Wish, words: str) -> None:
    after, refusal = asked(wish)
    assert after == wishing()
    assert refusal is not None
    assert words in refusal


@pytest.mark.parametrize("wish", [at_once(1), at_once(100), override(1), override(100), override(50, "10T22:00:01")])
def test_the_least_and_the_most_that_can_be_asked_for(wish: wishes.Wish) -> None:
    assert asked(wish)[1] is None


@pytest.mark.parametrize(
    ("issued", "taken"),
    [("10T21:49:59", False), ("10T21:50", True), (None, True)],
    ids=["before-the-last", "with-it", "now"],
)
def test_a_wish_that_comes_late_does_not_undo_a_newer_one(issued: str | None, taken: bool) -> None:
    had = replace(TARGETS, immediate=AT_ONCE, next_id=3, issued_at=utc("10T21:50"))
    issued_at = None if issued is None else utc(issued)
    after, refusal = asked(back(issued_at=issued_at), wishing(had))
    assert (refusal is None) is taken
    expected = replace(had, immediate=None, issued_at=issued_at or NOW) if taken else had
    assert after.slots[1].session.targets == expected


def test_a_wish_is_as_old_as_its_maker_says() -> None:
    after, _ = asked(at_once(issued_at=utc("10T21:40")))
    assert after.slots[1].session.targets.issued_at == utc("10T21:40")


ENDED = Control(want=Want.CHARGE, attempts=4)


def test_a_ladder_at_its_end_begins_again_where_something_else_is_wanted() -> None:
    assert asked(at_once(), wishing(ladder=ENDED))[0].control.attempts == 0
    same = wishing(replace(TARGETS, immediate=AT_ONCE, next_id=3), ENDED)
    after, refusal = asked(at_once(), same)
    assert (refusal, after.control) == (None, ENDED)
    assert after.slots[1].session.car_is_full is False, "somebody asked for it"
