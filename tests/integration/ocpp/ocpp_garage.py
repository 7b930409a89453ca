"""A simulated charger with personalities in front of driver, core and database, on one clock that is moved by hand."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chargerd.core.decide import next_deadline
from chargerd_drivers.ocpp.link import SETTLE_S
from chargerd_drivers.simulator.actions import Action
from chargerd_drivers.simulator.address import Address
from chargerd_drivers.simulator.dialect import Nameplate
from chargerd_drivers.simulator.personalities import combined
from chargerd_drivers.simulator.physics import Car, Outlet, Physics
from chargerd_drivers.simulator.settings import Settings
from chargerd_drivers.simulator.simulation import Simulation
from chargerd_drivers.simulator.station import Station
from tests.integration.ocpp.ocpp_house import PATIENCE_S, HandClock, House, Json, house
from tests.support.home import utc

STEP = timedelta(seconds=60)
LEVEL_PCT = 35
"""What the policy assumes of a car whose level nobody tells, and what this one has."""


class Garage:
    """The daemon's inside, and a charger and a car that do as their personalities say. Made by ``garage``.

    ``told`` is what happened at the charger, oldest first; ``errors`` are all that the household was shown.
    """

    def __init__(self, home: House, station: Station, simulation: Simulation, told: list[Json]) -> None:
        self.home = home
        self.station = station
        self.told = told
        self.errors: set[str] = set()
        self._simulation = simulation

    async def plug(self) -> None:
        await self._do("plug")

    async def unplug(self) -> Json:
        """Take the car away, and return the document of its visit."""
        await self._do("unplug")
        await self.pass_s(900)
        return (await self.home.settled())[-1]

    async def drop(self, *, away_s: float) -> None:
        """Cut the connection; the charger dials again after so many seconds."""
        await self._do("drop", away_s=away_s)
        await self.home.offline()

    async def _do(self, deed: str, **more: Any) -> None:
        self._simulation.schedule(Action(do=deed, **more))
        await self.settle()

    @property
    def power_w(self) -> float:
        return self.station.reading.power_w

    @property
    def current_a(self) -> float:
        return self.station.reading.current_a

    def count(self, event: str) -> int:
        return sum(line["event"] == event for line in self.told)

    async def settle(self) -> None:
        """Wait until both sides have said all that they have to say, and it is decided."""
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(2):
                await asyncio.sleep(0.001)
                await self._simulation.farewell()
                await self.home.calm()
        latest = self.home.doc["error"]["latest"]
        if latest is not None:
            self.errors.add(latest["type"])

    async def pass_s(self, seconds: float) -> None:
        await self.until(self.home.clock.time + timedelta(seconds=seconds))

    async def until(self, end: datetime | str) -> None:
        """Let time pass from one thing that is due to the next, on either side."""
        end = utc(end) if isinstance(end, str) else end
        clock = self.home.clock
        await self.settle()
        while clock.time < end:
            instants = (next_deadline(self.home.state), self.station.next_due(), clock.next_end, clock.time + STEP)
            due = min(at for at in instants if at is not None)
            clock.move(min(max(due, clock.time + timedelta(seconds=1)), end))
            self._simulation.schedule(Action(do="report"))
            await self.settle()


@contextlib.asynccontextmanager
async def garage(
    folder: Path,
    *personalities: str,
    version: str = "1.6",
    car: Car | None = None,
    max_a: float = 16.0,
    clock: HandClock | None = None,
    **section: Any,
) -> AsyncIterator[Garage]:
    """Run both sides from 20:00 on, until the charger is set up; no car is there. It is built for 16 A.

    ``section`` are options of ``[ocpp]``.
    """
    clock = clock or HandClock()
    car = car or Car()
    told: list[Json] = []
    behaviour = combined(personalities, version=version)
    physics = Physics(outlet=Outlet(), car=car, stored_wh=car.battery_wh * LEVEL_PCT / 100, register_wh=1_234_567)
    async with house(folder, clock, max_a=max_a, **section) as home, asyncio.TaskGroup() as tasks:
        station = Station(physics, now=clock.now(), settings=Settings(phases=3, behaviour=behaviour))
        url = f"ws://127.0.0.1:{(await home.driver.ports()).plain}/ocpp"
        simulation = Simulation(
            station=station,
            address=Address(url=url, identity="CP1", version=version),
            nameplate=Nameplate(
                vendor="Simulated", model="Wallbox", firmware="1.0.0", serial="SIM-1", report_soc=False
            ),
            clock=clock,
            write=lambda line: told.append(json.loads(line)),
        )
        running = [tasks.create_task(simulation.tick()), tasks.create_task(simulation.link.run())]
        made = Garage(home, station, simulation, told)
        async with asyncio.timeout(PATIENCE_S):
            await clock.sleeper(SETTLE_S)
        await made.pass_s(30)
        yield made
        for task in running:
            task.cancel()
    assert not [line for line in told if line["event"] == "schema-violation"]
