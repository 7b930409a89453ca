"""Somebody has the charger do something past the daemon: it looks again, and brings about anew what is wanted."""

from chargerd.core.commands import SetCurrentLimit
from chargerd.core.events import ChargerInstructed
from tests.support.home import GARAGE, Home, prices

TWO_VALLEYS = prices("10T18:00", [0.4] * 6 + [0.1, 0.3, 0.1, 0.1, 0.1, 0.4, 0.4, 0.4])
CLEARED = ChargerInstructed(charger_id=GARAGE, action="ClearChargingProfile")


def limits(home: Home) -> list[float]:
    return [command.limit_a for command in home.sent(SetCurrentLimit)]


def test_a_pause_that_somebody_cleared_is_brought_about_again_once_the_charger_was_heard() -> None:
    home = Home(goal=80, curve=TWO_VALLEYS).until("10T22:15").plug().until("11T01:30")
    assert home.state.control.limit_a == 0
    before = limits(home)
    home.box.limit_a = 16.0
    home.tell(CLEARED)
    assert (home.state.control.limit_a, limits(home)) == (None, before)
    home.until("11T01:31")
    assert limits(home) == [*before, 0.0]
    assert (home.state.control.limit_a, home.box.limit_a, home.error) == (0, 0.0, None)


def test_a_limit_that_somebody_lowered_in_a_block_is_raised_again() -> None:
    home = Home().until("10T22:15").plug().until("11T01:20")
    home.box.limit_a = 6.0
    home.tell(CLEARED)
    home.until("11T01:22")
    assert (home.box.limit_a, home.error) == (16.0, None)


def test_without_a_car_nothing_comes_of_it() -> None:
    home = Home().until("10T20:01")
    before = home.doc
    assert home.tell(CLEARED) == []
    assert home.doc == before
