"""What is said of every situation, word for word, and every side of the sentences that have more than one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chargerd.core.events import Failure
from chargerd.core.reason import Reason
from tests.playbook.explaining import (
    another,
    charging,
    explained,
    plugged,
)
from tests.playbook.test_explained import STORIES
from tests.support.home import Home
from tests.support.two_cars import OTHER_POLICY

WORDS: dict[Reason, str] = {
    Reason.CHARGER_OFFLINE: (
        "garage has not been connected since 23:00, so nobody can tell or change what car does. "
        "Charging is planned from 01:00 to 02:00 on Wednesday. "
        "See whether garage has power and a network, and is set to the address of this daemon."
    ),
    Reason.MISSING_CAPABILITIES: (
        "The charging of car cannot be controlled, "
        "because nothing tells the battery level of car and its policy assumes none. "
        "It is left free to charge, and what flows is measured. "
        "Tell the level of car, or set assumed_battery_level_at_plug_in in its policy."
    ),
    Reason.CAR_LEFT: "car was unplugged at 01:10. Its session is settled once garage has told all of it.",
    Reason.ANOTHER_CAR: "van is plugged in at garage, not car.",
    Reason.WAITING_FOR_CAR_IDENTITY: (
        "A car was plugged in at garage, and it is not known yet whose it is. "
        "Without a card or a word of the car it is taken for car within a minute."
    ),
    Reason.PLUG_UNKNOWN: "garage is connected and has not told yet whether a car is plugged in.",
    Reason.NOT_PLUGGED_IN: (
        "No car is plugged in at garage. Once car is, it is charged to 50 % by 07:00 on Wednesday."
    ),
    Reason.CHARGING_AS_PLANNED: (
        "car is charging as planned at 11.0 kW, until about 02:00. 50 % will be reached by 07:00."
    ),
    Reason.CHARGING_RESERVE: (
        "car is below its battery reserve of 20 %, so it is charging right away at 11.0 kW, whatever the price, "
        "until about 23:00. 50 % will be reached by 07:00 on Wednesday."
    ),
    Reason.LEVEL_UNKNOWN: (
        "Nobody knows the battery level of car, so it counts as empty and is charging right away at 11.0 kW. "
        "As soon as a level is told, the plan is made anew."
    ),
    Reason.CHARGING_NOW: (
        "car is charging right away at 11.0 kW, because somebody asked for it. "
        "80 % will be reached at about 01:06 on Wednesday."
    ),
    Reason.CHARGING_LATE: (
        "car was to have 60 % by 23:00 and has not, so it goes on charging at 11.0 kW. "
        "It will have 60 % at about 23:46."
    ),
    Reason.CAR_PAUSES: (
        "car has taken nothing of what garage offers since 02:00. If that lasts until 02:10, it is taken as full."
    ),
    Reason.STARTING: ("car should have been charging since 01:00, and is being started. It has until 01:03 to begin."),
    Reason.START_FAILED: (
        "car should have been charging since 01:00, and nothing flows: garage was asked to start and does not. "
        "It is tried again at 01:06. Look at garage: see what it shows, or switch it off and on."
    ),
    Reason.STOPPING: "car should have been waiting since 01:55, and is being stopped.",
    Reason.STOP_FAILED: (
        "car should have been waiting since 01:55, and is charging at 11.0 kW: garage was asked to stop and does not. "
        "It is tried again at 02:16. "
        "See whether a schedule or an app of garage itself is on; pull the plug to stop it now."
    ),
    Reason.TARGET_REACHED: (
        "car has reached its target of 50 %, so nothing more is charged before 07:00 on Wednesday."
    ),
    Reason.CAR_FULL: (
        "car takes no more: it is full, or at a limit of its own. "
        "Its battery is at about 59 %, and its target is 90 %. To charge further, raise the limit in car itself."
    ),
    Reason.NO_TARGET: "No day of the schedule of car has a deadline, so only its battery reserve of 20 % is charged.",
    Reason.WAITING_FOR_CHEAPER_HOURS: (
        "car waits for cheaper hours: charging is planned from 01:00 to 02:00 on Wednesday. "
        "Energy costs 0.30 EUR per kWh now and 0.10 then. 50 % will be reached by 07:00 on Wednesday."
    ),
}


@pytest.mark.parametrize("reason", Reason)
def test_every_situation_is_put_into_these_words(reason: Reason) -> None:
    assert explained(STORIES[reason]())["words"] == WORDS[reason]


def test_what_another_car_takes_is_not_this_ones() -> None:
    home = another().until("11T01:30")
    assert home.box.flowing > 0
    assert explained(home)["isCharging"] is False
    assert explained(home, OTHER_POLICY)["isCharging"] is True


def test_a_car_that_showed_its_card_is_the_one_for_as_long_as_it_stays() -> None:
    home = another().until("10T23:30")
    assert explained(home)["words"] == "van is plugged in at garage, not car."
    home.unplug()
    assert explained(home)["reason"] == "NOT_PLUGGED_IN", "the other session is not settled yet"
    assert explained(home, OTHER_POLICY)["reason"] == "CAR_LEFT"


def refusing(kind: Failure, **knobs: Any) -> Home:
    home = plugged(**knobs)
    home.box.failure = kind
    return home


def unstoppable(failure: Failure | None = None) -> Home:
    home = plugged().until("11T01:30")
    home.box.obeys_stop, home.box.failure = False, failure
    return home.until("11T01:55:30")


def offline_while_charging() -> Home:
    return charging().offline().until("11T01:15")


def unable(home: Home, **capabilities: bool) -> Home:
    return home.able(**capabilities)


def silent() -> Home:
    """A charger that is connected and has told nothing of its plug."""
    home = Home()
    home.state = replace(home.state, facts=replace(home.state.facts, plugged=None))
    return home.until("10T20:06")


@pytest.mark.parametrize(
    ("story", "said"),
    [
        pytest.param(
            offline_while_charging,
            "garage has not been connected since 01:10, so nobody can tell or change what car does. "
            "It was charging when it was last heard. ",
            id="offline-while-charging",
        ),
        pytest.param(
            lambda: Home().offline(),
            "garage has not been connected since 20:00, so nobody can tell whether a car is plugged in. ",
            id="offline-before-plug-in",
        ),
        pytest.param(
            lambda: unable(plugged(), can_start=False, can_stop=False, can_limit=False),
            "The charging of car cannot be controlled, because garage cannot be started and garage cannot be stopped. "
            "It is left free to charge, and what flows is measured. "
            "Switch on remote control in the settings of garage, or give it another firmware.",
            id="neither-start-nor-stop",
        ),
        pytest.param(
            lambda: unable(plugged(), reports_energy=False, reports_power=False),
            "The charging of car cannot be controlled, because garage does not tell what goes on at it. "
            "It is left free to charge, and what flows is measured. "
            "Switch on status and meter reports in the settings of garage.",
            id="no-meter",
        ),
        pytest.param(
            lambda: Home(assumed=None),
            "The charging of car cannot be controlled, because nothing tells the battery level of car and its policy "
            "assumes none. Tell the level of car, or set assumed_battery_level_at_plug_in in its policy.",
            id="no-level-before-plug-in",
        ),
        pytest.param(
            lambda: refusing(Failure.REFUSED).until("11T01:00:30"),
            "car should have been charging since 01:00, and nothing flows yet: garage refuses to start. "
            "It is tried again at 01:01.",
            id="a-start-refused",
        ),
        pytest.param(
            lambda: unstoppable(Failure.REFUSED),
            "car should have been waiting since 01:55, and is charging at 11.0 kW: garage refuses to stop. "
            "It is tried again at 01:56.",
            id="a-stop-refused",
        ),
    ],
)
def test_a_sentence_has_other_sides(story: Callable[[], Home], said: str) -> None:
    words = explained(story())["words"]
    assert words.startswith(said)
