"""The ladders to the second: what is asked, when it is asked again, and what is made of the answers."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chargerd.core import control
from chargerd.core.commands import LimitStep, SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.core.events import Activity, CommandFailed, CommandSucceeded, Failure
from chargerd.core.ids import CommandId, SessionId
from chargerd.core.model import Asked, Control, InFlight, Want
from chargerd.core.standing import TOLD_A_DAY
from tests.support.box import Box
from tests.support.home import GARAGE, Home, prices, utc

Told = tuple[float, str]


def _story(start: str, **knobs: Any) -> Home:
    """A home at a moment, with 15 minutes between samples, so that only what is told counts."""
    return Home(**{"sample_every": timedelta(hours=6), **knobs}).until("10T22:15").plug().until(start)


def _asked(home: Home, since: str, until: str) -> list[Told]:
    """What is asked of the box in a stretch of time, in seconds from its beginning."""
    found: list[Told] = []
    obey, begun = home._obey, utc(since)

    def noting(command: Any) -> None:
        if isinstance(command, StartTransaction | StopTransaction | SetCurrentLimit):
            what = command.kind.partition("_")[0] if not isinstance(command, SetCurrentLimit) else ""
            found.append(((home.now - begun).total_seconds(), what or f"{command.limit_a:g} A"))
        obey(command)

    home._obey = noting  # type: ignore[method-assign]
    home.until(until)
    return found


def test_a_start_that_comes_to_nothing_is_tried_four_times_and_then_no_more() -> None:
    home = _story("11T00:59", box=Box(obeys_start=False))
    told = _asked(home, "11T01:00", "11T02:00")
    assert told == [
        (0, "16 A"),
        (0, "start"),
        (60, "16 A"),
        (60, "start"),
        (360, "16 A"),
        (360, "start"),
        (1260, "16 A"),
        (1260, "start"),
    ]


def test_a_car_that_sleeps_in_an_open_transaction_is_offered_twice_then_stopped_then_begun_anew() -> None:
    home = _story("11T00:59", box=Box(sleeps=False, car_takes=False))
    told = _asked(home, "11T01:00", "11T02:00")
    assert [(s, what) for s, what in told if what != "16 A"] == [(0, "start"), (360, "stop"), (370, "start")]


def test_a_pause_without_effect_becomes_a_stop_and_goes_on_ever_more_slowly() -> None:
    home = _story("11T01:30", box=Box(obeys_stop=False), sample_every=timedelta(minutes=15))
    told = _asked(home, "11T01:30", "11T03:00")
    paused_at = next(s for s, what in told if what == "0 A")
    assert [s - paused_at for s, what in told if what == "stop"] == [45, 105, 405, 1305, 2205, 3105]
    assert [s - paused_at for s, what in told if what == "0 A"] == [0, 105, 405, 1305, 2205, 3105]


def test_nothing_is_asked_within_ten_seconds_of_a_new_connection() -> None:
    home = _story("11T00:59").offline().until("11T01:05").online()
    told = _asked(home, "11T01:05", "11T01:06")
    assert told == [(10, "16 A"), (10, "start"), *told[2:]]


def test_a_limit_without_an_answer_is_sent_again_after_five_minutes_while_charging_goes_on() -> None:
    home = Home().until("10T22:15").plug().until("11T01:10").offline().until("11T01:11").online()
    home.box.failure = Failure.TIMED_OUT
    assert _asked(home, "11T01:11", "11T01:22") == [(10, "16 A"), (310, "16 A"), (610, "16 A")]


def test_a_limit_that_was_refused_is_not_sent_again_while_charging_goes_on() -> None:
    home = Home().until("10T22:15").plug().until("11T01:10").offline().until("11T01:11").online()
    home.box.failure = Failure.REFUSED
    assert _asked(home, "11T01:11", "11T01:30") == [(10, "16 A")]
    assert home.state.control.limit_a is None
    assert home.state.control.later == ()


def test_a_command_without_an_outcome_is_lost_after_two_minutes() -> None:
    home = _story("11T00:59", box=Box(deaf=True)).until("11T01:00")
    assert len(home.state.control.in_flight) == 2
    home.until("11T01:01:59")
    assert len(home.state.control.in_flight) == 2
    home.until("11T01:02")
    assert [flight.sent_at for flight in home.state.control.in_flight] == [utc("11T01:02")] * 2
    assert home.state.control.attempts == 2


def test_only_the_command_that_was_answered_is_over() -> None:
    home = _story("11T00:59", box=Box(deaf=True)).until("11T01:00")
    limit, start = home.state.control.in_flight
    home.tell(CommandSucceeded(charger_id=GARAGE, command_id=start.command_id))
    assert home.state.control.in_flight == (limit,)
    assert home.state.control.limit_a is None
    home.tell(CommandFailed(charger_id=GARAGE, command_id=CommandId(99), failure=Failure.REFUSED, detail="no"))
    assert home.state.control.in_flight == (limit,)
    assert home.state.control.refusal == ""


def test_what_was_asked_last_and_what_became_of_it_is_kept() -> None:
    home = _story("11T00:59", box=Box(deaf=True)).until("11T01:00")
    limit, start = home.state.control.in_flight
    assert home.state.control.last == Asked(action="start_transaction", sent_at=utc("11T01:00"))
    home.now = utc("11T01:00:05")
    home.tell(CommandSucceeded(charger_id=GARAGE, command_id=limit.command_id))
    said = Asked(
        action="set_current_limit", sent_at=utc("11T01:00"), limit_a=16, answered_at=utc("11T01:00:05"), accepted=True
    )
    assert home.state.control.last == said
    assert home.state.control.limited_at == utc("11T01:00:05")
    home.now = utc("11T01:00:07")
    home.tell(CommandFailed(charger_id=GARAGE, command_id=start.command_id, failure=Failure.REFUSED, detail="busy"))
    assert home.state.control.last == Asked(
        action="start_transaction",
        sent_at=utc("11T01:00"),
        answered_at=utc("11T01:00:07"),
        accepted=False,
        failure=Failure.REFUSED,
        detail="busy",
    )
    assert (home.state.control.refusal, home.state.control.failure) == ("busy", Failure.REFUSED)


@pytest.mark.parametrize(
    ("action", "able"),
    [
        ("set_current_limit", {"can_limit": False, "can_start": None, "can_stop": None}),
        ("start_transaction", {"can_limit": None, "can_start": False, "can_stop": None}),
        ("stop_transaction", {"can_limit": None, "can_start": None, "can_stop": False}),
    ],
)
def test_what_is_not_supported_is_a_capability_that_is_missing(action: str, able: dict[str, Any]) -> None:
    home = Home()
    flight = InFlight(command_id=CommandId(5), action=action, sent_at=home.now)
    home.state = replace(home.state, control=replace(home.state.control, in_flight=(flight,)))
    said = CommandFailed(charger_id=GARAGE, command_id=CommandId(5), failure=Failure.NOT_SUPPORTED)
    state = control.failed(home.state, said, home.now)
    assert {name: getattr(state.facts.capabilities, name) for name in able} == able


def test_a_refused_pause_goes_to_the_next_rung_at_once() -> None:
    home = Home(box=Box(refuses=(SetCurrentLimit,))).until("10T22:15").plug().until("11T01:30")
    told = _asked(home, "11T01:30", "11T02:30")
    assert [what for _, what in told] == ["0 A", "stop"]
    assert told[0][0] == told[1][0]
    assert not home.state.facts.charging


def test_a_new_process_knows_of_the_ladder_only_since_when_reality_lags() -> None:
    was = Control(
        want=Want.HOLD,
        unmet_since=utc("10T20:00"),
        commanded_at=utc("10T20:01"),
        attempts=3,
        retry_at=utc("10T20:30"),
        listen_until=utc("10T20:02"),
        in_flight=(InFlight(command_id=CommandId(1), action="x", sent_at=utc("10T20:00")),),
        next_command_id=9,
        limit_a=6,
        limited_at=utc("10T19:00"),
        limit_refused=True,
        limit_again_at=utc("10T21:00"),
        unheeded=2,
        later=(LimitStep(at=utc("10T23:00"), limit_a=16),),
        told=(utc("10T19:00"),),
        opened_for=SessionId("s"),
        holds_down=True,
        held_at=utc("10T19:00"),
        refusal="no",
        failure=Failure.REFUSED,
        last=Asked(action="x", sent_at=utc("10T20:00")),
    )
    assert control.restarted(was) == Control(
        want=Want.HOLD,
        unmet_since=utc("10T20:00"),
        commanded_at=utc("10T20:01"),
        next_command_id=9,
        told=(utc("10T19:00"),),
        opened_for=SessionId("s"),
        holds_down=True,
        last=Asked(action="x", sent_at=utc("10T20:00")),
    )


def test_what_came_about_and_lasted_five_minutes_begins_the_ladder_anew() -> None:
    home = Home(box=Box(obeys_start=False)).until("10T22:15").plug().until("11T01:02")
    assert home.state.control.attempts == 2
    home.box.obeys_start = True
    home.start_box().until("11T01:06:59")
    assert home.state.control.attempts == 2
    assert (home.state.control.unmet_since, home.state.control.commanded_at, home.state.control.refusal) == (
        None,
        None,
        "",
    )
    home.until("11T01:08:30")
    assert (home.state.control.attempts, home.state.control.retry_at) == (0, None)


def test_a_car_that_takes_nothing_for_ten_minutes_after_it_has_charged_is_full() -> None:
    home = Home().until("10T22:15").plug().until("11T01:10")
    home.box.car_takes = False
    home.status(Activity.SUSPENDED_EV)
    assert control.car_is_full_at(home.state) == utc("11T01:20")
    home.until("11T01:19:59")
    assert not home.state.slots[0].session.car_is_full
    home.until("11T01:20")
    assert home.state.slots[0].session.car_is_full


@pytest.mark.parametrize(("told", "sent"), [(TOLD_A_DAY - 1, True), (TOLD_A_DAY, False)])
def test_a_limit_that_may_be_lost_is_told_again_but_not_all_day(told: int, sent: bool) -> None:
    home = Home(goal=80, box=Box(follows=True), curve=prices("10T18:00", [0.4] * 6 + [0.1] * 8))
    home.able(schedule_periods=24, zero_is_stop=False).until("10T22:15").plug().until("10T22:30")
    many = (utc("10T22:00"),) * told
    home.state = replace(home.state, control=replace(home.state.control, told=many))
    before = len(home.sent(SetCurrentLimit))
    home.offline().until("10T22:40").online().until("10T22:41")
    assert (len(home.sent(SetCurrentLimit)) > before) is sent


def test_what_was_told_a_day_ago_counts_no_more() -> None:
    home = Home(goal=80, box=Box(follows=True), curve=prices("10T18:00", [0.4] * 6 + [0.1] * 8))
    home.able(schedule_periods=24, zero_is_stop=False).until("10T22:15").plug().until("10T22:30")
    day_ago: datetime = utc("09T22:40:10")
    home.state = replace(home.state, control=replace(home.state.control, told=(day_ago,) * TOLD_A_DAY))
    before = len(home.sent(SetCurrentLimit))
    home.offline().until("10T22:40").online().until("10T22:41")
    assert len(home.sent(SetCurrentLimit)) > before
    assert len(home.state.control.told) == TOLD_A_DAY
