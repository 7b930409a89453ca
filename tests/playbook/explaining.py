"""Situations of a charge, as stories, and the explanation of what goes on in them."""

from dataclasses import replace
from typing import Any

from chargerd.api.explanation import Explanation
from chargerd.core.document import rfc3339
from chargerd.core.events import Activity
from chargerd.core.explain import explanation
from chargerd.core.ids import PolicyId
from tests.support.home import POLICY, Home
from tests.support.two_cars import TwoCars

Told = dict[str, Any]


def explained(home: Home, policy_id: PolicyId = POLICY) -> Told:
    """The explanation, which must always be of the shape that the API promises and in whole sentences."""
    told = explanation(home.state, policy_id)
    assert told is not None
    Explanation.model_validate(told)
    assert list(told) == [field.alias for field in Explanation.model_fields.values()]
    words = told["words"]
    assert words.endswith(".")
    assert words.count(". ") < 3, "three sentences at most"
    assert not [slip for slip in ("None", "  ", " .", " ,", "..") if slip in words], words
    assert told["remedy"] is None or words.endswith(told["remedy"])
    assert told["at"] == rfc3339(home.state.at)
    assert told["target"] == home.doc["target"]["latest"] or policy_id != POLICY
    return told


def plugged(**kwargs: Any) -> Home:
    return Home(**kwargs).until("10T22:15").plug()


def charging() -> Home:
    return plugged().until("11T01:10")


def offline() -> Home:
    return plugged().until("10T23:00").offline().until("10T23:10")


def missing() -> Home:
    return Home(assumed=None).until("10T22:15").plug()


def another() -> Home:
    home = TwoCars(tokens=(("04A2",), ("04B3",))).until("10T22:14")
    assert isinstance(home, TwoCars)
    home.shows("04b3")
    return home.until("10T22:15").plug()


def awaited() -> Home:
    return TwoCars().until("10T22:15").plug()


def plug_unknown() -> Home:
    home = Home()
    home.state = replace(home.state, facts=replace(home.state.facts, plugged=None))
    return home


def level_unknown() -> Home:
    return plugged(assumed=None, level_from_charger=True).until("10T22:17")


def boosted() -> Home:
    home = plugged().until("10T22:20")
    home.boost(80)
    return home.until("10T22:30")


def late() -> Home:
    return plugged(ready_by="23:00", goal=60).until("10T23:10")


def stops_taking() -> Home:
    home = plugged(goal=90).until("11T02:00")
    home.box.car_takes = False
    return home.status(Activity.SUSPENDED_EV).until("11T02:05")


def does_not_start() -> Home:
    home = Home()
    home.box.obeys_start = False
    return home.until("10T22:15").plug().until("11T01:00:30")


def does_not_stop() -> Home:
    home = plugged().until("11T01:30")
    home.box.obeys_stop = False
    return home.until("11T01:55:30")


def without_schedule() -> Home:
    home = Home()
    home.tell(replace(home.configuration(), policies=(replace(home.policy(), schedule=(None,) * 7),)))
    return home.until("10T22:15").plug()
