"""What the meter shows of a limit, to the second and to the watt."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chargerd.core import effect
from chargerd.core.events import Activity
from chargerd.core.ids import TransactionId
from chargerd.core.model import Reading, State, Transaction, Want
from tests.support.home import Home, utc

AT = utc("10T22:00")


def state_of(after_s: float = 46, power_w: float | None = 0, **control: object) -> State:
    """Charging is wanted, 16 A were confirmed at 22:00, and the meter was read so long after."""
    state = Home().state
    facts = replace(
        state.facts,
        transaction=Transaction(transaction_id=TransactionId("tx"), started_at=AT),
        activity=Activity.SUSPENDED_EVSE,
        activity_at=AT,
        reading=Reading(at=AT + timedelta(seconds=after_s), power_w=power_w),
    )
    known = {"want": Want.CHARGE, "limit_a": 16.0, "limited_at": AT, **control}
    return replace(state, facts=facts, control=replace(state.control, **known))


@pytest.mark.parametrize(("after_s", "unheeded", "starves"), [(20, False, False), (21, True, False), (46, True, True)])
def test_nothing_offered_shows_once_the_charger_had_time(after_s: float, *, unheeded: bool, starves: bool) -> None:
    state = state_of(after_s)
    assert (effect.is_unheeded(state), effect.starves(state)) == (unheeded, starves)


def test_what_was_said_another_way_already_is_not_said_again() -> None:
    assert not effect.starves(state_of(unheeded=1))


@pytest.mark.parametrize("control", [{"limited_at": None}, {"limit_a": 10.0}])
def test_nothing_shows_of_a_limit_that_is_not_in_force(control: dict[str, object]) -> None:
    assert not effect.is_unheeded(state_of(**control))
    assert not effect.starves(state_of(**control))


def test_a_meter_that_was_never_read_shows_nothing() -> None:
    state = state_of()
    state = replace(state, facts=replace(state.facts, reading=None, charging=True))
    assert not effect.is_unheeded(state)
    assert not effect.starves(state)
    assert not effect.is_exceeded(state)


@pytest.mark.parametrize(
    ("change", "expected"), [({}, True), ({"low_samples": 1}, False), ({"charging": False}, False)]
)
def test_charging_that_goes_on_under_a_limit_of_0_shows(change: dict[str, object], *, expected: bool) -> None:
    state = state_of(power_w=11_000, want=Want.HOLD, limit_a=0.0)
    state = replace(state, facts=replace(state.facts, **{"charging": True, **change}))
    assert effect.is_unheeded(state) is expected


@pytest.mark.parametrize(
    ("power_w", "after_s", "expected"),
    [(12_695, 46, False), (12_697, 46, True), (12_697, 20, False), (12_697, 21, True), (None, 46, False)],
)
def test_more_than_the_limit_by_15_percent_exceeds_it(power_w: float | None, after_s: float, *, expected: bool) -> None:
    state = state_of(after_s, power_w)
    state = replace(state, facts=replace(state.facts, charging=True))
    assert effect.is_exceeded(state) is expected
    assert not effect.is_exceeded(replace(state, facts=replace(state.facts, charging=False)))
