"""The clock is set while the loop runs, or was never set when it began."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from chargerd.clock import ScaledClock, SystemClock
from chargerd.core.decide import Decision, decide
from chargerd.core.events import (
    Activity,
    ChargerOnline,
    ClockStepped,
    Configured,
    Event,
    MeterSampled,
    StatusReported,
    TimePassed,
)
from chargerd.core.ids import ChargerId
from chargerd.core.model import State
from chargerd.loop import LOOK_AT_CLOCK_S
from tests.integration.loop.test_loop import Hands, Rig, rig
from tests.support.home import GARAGE, POLICY, Home, utc

YARD = ChargerId("yard")
HOUR = timedelta(hours=1)
EPOCH = utc("1970-01-01T00:00:20")


class Settable(Hands):
    """A wall clock that can be set, over a monotonic one that cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed_s = 1000.0

    def monotonic(self) -> float:
        return self.elapsed_s

    def real_seconds(self, seconds: float) -> float:
        return seconds

    def pass_time(self, by: timedelta) -> None:
        self.time += by
        self.elapsed_s += by.total_seconds()


class Observed:
    """A rig whose clock can be set, and what was decided in it."""

    def __init__(self, home: Rig) -> None:
        self.home = home
        self.clock = home.clock = Settable()
        self.loop = home.loop
        self.loop._clock = self.clock
        self.loop.decide = self._decide
        self.decided: list[tuple[ChargerId, datetime, Event]] = []

    def _decide(self, state: State, event: Event, now: datetime) -> Decision:
        self.decided.append((state.charger.charger_id, now, event))
        return decide(state, event, now)

    async def configured(self) -> None:
        garage = replace(Home().configuration(), restarted=True)
        yard = Configured(charger_id=YARD, site=garage.site, charger=replace(garage.charger, charger_id=YARD))
        await self.home.tell(garage, yard)

    async def plugged(self) -> None:
        await self.configured()
        await self.home.tell(
            ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"),
            StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.EV_CONNECTED),
        )

    @property
    def plugged_in_at(self) -> Any:
        session = self.home.desk.session(POLICY)
        assert session is not None
        return session["pluggedInAt"]

    def steps(self) -> list[tuple[ChargerId, float]]:
        return [(name, event.by_s) for name, _, event in self.decided if isinstance(event, ClockStepped)]


@asynccontextmanager
async def observed(folder: Path) -> AsyncIterator[Observed]:
    async with rig(folder) as home:
        home.loop.restore(await home.store._store.load())
        yield Observed(home)


def sample() -> MeterSampled:
    return MeterSampled(charger_id=GARAGE, register_wh=1000)


@pytest.mark.parametrize("hours", [2, -2], ids=["forward", "back"])
async def test_every_partition_is_told_of_a_step_before_anything_else_is_decided(tmp_path: Path, hours: int) -> None:
    async with observed(tmp_path) as home:
        await home.plugged()
        home.decided.clear()
        home.clock.pass_time(timedelta(seconds=60))
        home.clock.time += hours * HOUR
        with capture_logs() as said:
            await home.home.tell(sample())
            await home.home.tell(sample())
        now = home.clock.time
        assert home.decided[:3] == [
            (GARAGE, now, ClockStepped(charger_id=GARAGE, by_s=hours * 3600)),
            (YARD, now, ClockStepped(charger_id=YARD, by_s=hours * 3600)),
            (GARAGE, now, sample()),
        ]
        assert len(home.steps()) == 2, "once"
        assert {state.at for state in home.loop.states.values()} == {now}
        assert [(entry["event"], entry["log_level"], entry["message"]) for entry in said] == [
            (
                "clock.stepped",
                "warning",
                f"the clock was set from 2025-06-10 22:16:00Z to {now:%Y-%m-%d %H:%M:%S}Z; what it dated is dated anew",
            )
        ]
        assert home.plugged_in_at == f"{utc('10T22:15') + hours * HOUR:%Y-%m-%dT%H:%M:%SZ}"


async def test_a_step_of_a_fraction_dates_nothing_later_than_now(tmp_path: Path) -> None:
    async with observed(tmp_path) as home:
        await home.plugged()
        home.clock.time -= timedelta(seconds=3600.4)
        await home.home.tell(sample())
        assert home.steps()[0] == (GARAGE, -3601)


async def test_a_small_step_back_is_waited_out(tmp_path: Path) -> None:
    async with observed(tmp_path) as home:
        await home.plugged()
        home.clock.time -= timedelta(seconds=20)
        await home.home.tell(sample())
        assert home.decided[-1] == (GARAGE, utc("10T22:15"), sample())
        assert home.home.desk.now() == utc("10T22:15")
        home.clock.pass_time(timedelta(seconds=25))
        await home.home.tell(sample())
        assert home.decided[-1][1] == utc("10T22:15:05")
        assert home.steps() == []


async def test_a_step_is_seen_though_no_event_comes_and_deadlines_move_with_it(tmp_path: Path) -> None:
    """The next quarter hour is due at 22:30; the clock is set to 22:29:59.9 of the next day while the loop waits."""
    async with observed(tmp_path) as home:
        await home.plugged()
        assert home.loop._deadlines[0][0] <= utc("10T22:30")
        home.clock.time = utc("11T22:29:59") + timedelta(microseconds=900_000)
        home.decided.clear()
        assert home.loop._patience() == 0, "the deadlines of yesterday are past"
        await home.loop._keep_deadlines()
        assert [type(event) for _, _, event in home.decided] == [ClockStepped, ClockStepped]
        assert home.loop._patience() == pytest.approx(0.1)
        home.clock.pass_time(timedelta(seconds=0.1))
        await home.loop._keep_deadlines()
        assert home.decided[-1] == (GARAGE, utc("11T22:30"), TimePassed(charger_id=GARAGE))


async def test_a_loop_that_waits_for_nothing_looks_at_the_clock_by_itself(tmp_path: Path) -> None:
    async with observed(tmp_path) as home:
        await home.configured()
        home.loop._deadlines.clear()
        assert home.loop._patience() == LOOK_AT_CLOCK_S
        stepped = asyncio.Event()
        home.loop.clock_set.append(stepped.set)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(home.loop.run())
            home.clock.time -= 2 * HOUR
            home.home.inbox.wake()  # as when its patience is at an end
            await stepped.wait()
            running.cancel()
        assert home.steps() == [(GARAGE, -7200), (YARD, -7200)]


async def test_a_start_in_the_past_goes_on_from_the_last_decision_until_the_clock_is_set(tmp_path: Path) -> None:
    """The power was off from 22:16 to 02:00, and the machine began in 1970."""
    async with observed(tmp_path) as home:
        await home.plugged()
        home.clock.pass_time(timedelta(seconds=60))
        await home.home.tell(sample(), StatusReported(charger_id=GARAGE, fault="E1"))
    with capture_logs() as said:
        async with observed(tmp_path) as home:
            home.clock.time = EPOCH
            assert home.home.desk.now() == utc("10T22:16")
            await home.configured()
            home.clock.pass_time(timedelta(seconds=40))
            await home.home.tell(sample())
            assert home.decided[-1][1] == utc("10T22:16:40")
            assert home.home.desk.now() == utc("10T22:16:40"), "deadlines of users are judged by the same time"
            home.clock.time = utc("11T02:00")
            await home.home.tell(sample())
            assert home.decided[-1] == (GARAGE, utc("11T02:00"), sample())
            assert home.steps() == []
            assert home.plugged_in_at == "2025-06-10T22:15:00Z"
    told = [entry for entry in said if str(entry["event"]).startswith("clock.")]
    assert [(entry["event"], entry["log_level"]) for entry in told] == [
        ("clock.behind", "warning"),
        ("clock.caught_up", "info"),
    ]
    assert "the clock shows 1970-01-01 00:00:20Z" in told[0]["message"]
    assert "2025-06-10 22:16:00Z" in told[0]["message"]


async def test_a_machine_that_goes_on_from_where_its_clock_was_saved_was_off(tmp_path: Path) -> None:
    async with observed(tmp_path) as home:
        await home.plugged()
    async with observed(tmp_path) as home:
        await home.configured()
        home.clock.pass_time(timedelta(seconds=20))
        home.clock.time += 3 * HOUR
        await home.home.tell(sample())
        assert home.decided[-1][1] == utc("11T01:15:20")
        assert home.steps() == []
        assert home.plugged_in_at == "2025-06-10T22:15:00Z"


async def test_an_accelerated_clock_shows_no_steps(tmp_path: Path) -> None:
    async with observed(tmp_path) as home:
        home.loop._clock = ScaledClock(utc("10T22:15"), 6000.0, SystemClock().now().timestamp())
        await home.configured()
        for _ in range(200):
            await home.loop._keep_deadlines()
        assert home.steps() == []
