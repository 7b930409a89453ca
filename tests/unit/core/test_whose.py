"""Whose car is plugged in."""

from datetime import datetime
from typing import Any

import pytest

from chargerd.core import whose
from chargerd.core.ids import PolicyId
from chargerd.core.model import ChargerFacts, Slot, State, VehicleFacts
from chargerd.core.whose import Owner
from tests.support.home import utc
from tests.unit.core.partition import slot, spec, state

PLUG = utc("10T22:00")
GUEST = Owner(None, is_certain=True)


def one(name: str, *tokens: str, **facts: Any) -> Slot:
    return slot(name, vehicle=spec(name, id_tokens=tokens), facts=VehicleFacts(**facts))


def home(*slots: Slot, token: str = "", token_at: datetime | None = PLUG) -> State:
    return state(*slots, facts=ChargerFacts(token=token, token_at=token_at))


def its(name: str, *, certain: bool = True) -> Owner:
    return Owner(PolicyId(f"policy-{name}"), is_certain=certain)


def says(name: str, at: str = "10T22:00", **facts: Any) -> Slot:
    """A car that says it is plugged in since then."""
    return one(name, **{"plugged": True, "plugged_at": utc(at), "told_at": utc(at)} | facts)


def gone(name: str, at: str = "10T22:10", **facts: Any) -> Slot:
    """A car that says, so late, that it is elsewhere."""
    return one(name, **{"plugged": False, "told_at": utc(at)} | facts)


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        pytest.param("04:A1-b2 c3", "04a1b2c3", id="separators"),
        pytest.param("DE*8AA/1A2B3C", "de8aa1a2b3c", id="stars-and-strokes"),
        pytest.param("", "", id="none"),
    ],
)
def test_a_token_is_spelled_without_case_and_separators(token: str, expected: str) -> None:
    assert whose.spelled(token) == expected


def test_the_only_policy_of_a_charger_has_its_car_there() -> None:
    assert whose.owner(home(one("a")), PLUG) == its("a", certain=False)


def test_without_evidence_it_is_the_first_policys_car() -> None:
    assert whose.owner(home(one("a"), one("b")), PLUG) == its("a", certain=False)


def test_a_charger_without_policies_has_guests() -> None:
    assert whose.owner(home(), PLUG) == GUEST


def test_a_card_tells_whose_car_it_is() -> None:
    both = (one("a", "AA:01"), one("b", "BB:01", "bb-02"))
    assert whose.owner(home(*both, token="bb02"), PLUG) == its("b")
    assert whose.owner(home(*both, token="aa01"), PLUG) == its("a")


def test_a_card_goes_before_what_cars_say() -> None:
    assert whose.owner(home(says("a"), one("b", "BB"), token="bb"), PLUG) == its("b")


def test_an_unknown_card_is_a_guests_if_the_cards_of_all_are_known() -> None:
    assert whose.owner(home(one("a", "AA"), one("b", "BB"), token="cc"), PLUG) == GUEST
    assert whose.owner(home(one("a", "AA"), one("b"), token="cc"), PLUG) != GUEST
    assert whose.owner(home(one("a"), token="cc"), PLUG) == its("a", certain=False)


@pytest.mark.parametrize(
    ("token_at", "counts"),
    [
        pytest.param("10T21:50", True, id="ten-minutes-before"),
        pytest.param("10T21:49:59", False, id="earlier"),
        pytest.param("10T22:30", True, id="after"),
        pytest.param(None, False, id="never"),
    ],
)
def test_a_card_is_shown_shortly_before_the_plug_goes_in_or_after(token_at: str | None, counts: bool) -> None:
    shown = home(one("a", "AA"), one("b", "BB"), token="bb", token_at=None if token_at is None else utc(token_at))
    assert whose.owner(shown, PLUG) == (its("b") if counts else its("a", certain=False))


@pytest.mark.parametrize(
    ("at", "counts"),
    [pytest.param("10T21:50", True, id="ten-minutes-before"), pytest.param("10T21:49:59", False, id="earlier")],
)
def test_a_car_that_was_plugged_in_at_that_time_is_the_one(at: str, counts: bool) -> None:
    assert whose.owner(home(one("a"), says("b", at)), PLUG) == (its("b") if counts else its("a", certain=False))


@pytest.mark.parametrize(
    ("facts", "counts"),
    [
        pytest.param({"at_home": True}, True, id="at-home"),
        pytest.param({"at_home": False}, False, id="elsewhere"),
        pytest.param({"plugged": None}, False, id="no-word-of-a-plug"),
        pytest.param({"plugged": False}, False, id="not-plugged"),
        pytest.param({"plugged_at": None}, False, id="no-word-of-when"),
    ],
)
def test_what_a_car_must_say_to_be_the_one(facts: dict[str, Any], counts: bool) -> None:
    assert whose.owner(home(one("a"), says("b", **facts)), PLUG) == (its("b") if counts else its("a", certain=False))


def test_of_two_cars_that_say_so_it_is_the_first_but_nobody_knows() -> None:
    assert whose.owner(home(one("a"), says("b"), says("c")), PLUG) == its("b", certain=False)
    elsewhere = says("b", at_home=None, plugged=True, told_at=utc("10T22:10"))
    assert whose.owner(home(elsewhere, says("c")), PLUG) == its("b", certain=False), "plugged is not elsewhere"


@pytest.mark.parametrize(
    ("at", "elsewhere"),
    [pytest.param("10T22:10", True, id="ten-minutes-after"), pytest.param("10T22:09:59", False, id="earlier")],
)
def test_a_car_that_says_long_after_that_it_is_not_there_is_not_the_one(at: str, elsewhere: bool) -> None:
    expected = its("b" if elsewhere else "a", certain=False)
    assert whose.owner(home(gone("a", at), one("b")), PLUG) == expected
    assert whose.owner(home(gone("a", at, plugged=True, at_home=False), one("b")), PLUG) == expected


def test_a_car_that_says_nothing_of_it_may_be_there() -> None:
    assert whose.owner(home(gone("a", plugged=None)), PLUG) == its("a", certain=False)
    assert whose.owner(home(gone("a", told_at=None)), PLUG) == its("a", certain=False)


def test_a_car_that_nothing_ties_to_a_policy_is_a_guest() -> None:
    assert whose.owner(home(gone("a"), gone("b")), PLUG) == GUEST


@pytest.mark.parametrize(
    ("now", "awaited"),
    [pytest.param("10T22:00:59", True, id="within-a-minute"), pytest.param("10T22:01", False, id="no-longer")],
)
def test_evidence_is_awaited_for_a_minute_where_more_than_one_car_may_have_come(now: str, awaited: bool) -> None:
    assert whose.is_awaited(home(one("a"), one("b")), PLUG, utc(now)) is awaited
    assert not whose.is_awaited(home(one("a")), PLUG, utc(now))
    assert not whose.is_awaited(home(), PLUG, utc(now))
    assert not whose.is_awaited(home(one("a"), says("b")), PLUG, utc(now)), "it is there"
