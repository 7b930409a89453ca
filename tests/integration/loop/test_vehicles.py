"""Telemetry of cars: to whom it goes, what becomes of a charge elsewhere, and how the cars are shown."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chargerd.api.app import create_app
from chargerd.api.invariants import check, check_ledger, check_series
from chargerd.api.server import serve
from chargerd.core.commands import Note, NoteLevel
from chargerd.core.events import Activity, ChargerOnline, Configured, MeterSampled, StatusReported, VehicleReported
from chargerd.core.ids import ChargerId, PolicyId, ReplyTo, VehicleId
from chargerd.core.policy import ChargerSpec, VehicleSpec
from tests.integration.loop.test_clock import Observed, observed
from tests.integration.loop.test_loop import Rig, rig
from tests.integration.loop.test_manual import ask
from tests.support.home import CAR, GARAGE, POLICY, Home, utc

EXAMPLE = Path(__file__).parents[2] / "unit" / "api" / "examples" / "7.json"
YARD = ChargerId("yard")
VAN, BIKE = VehicleId("van"), VehicleId("bike")
YARD_POLICY = PolicyId("0b0e5f4e-3c1b-4c52-9a0e-6f3e6b1d2c11")
VEHICLES = tuple(VehicleSpec(vehicle_id=name, battery_wh=40_000, charge_max_w=7000) for name in (BIKE, CAR, VAN))


def household() -> tuple[Configured, Configured]:
    """Garage and yard may both charge the car; the garage follows it and the bike, the yard the van."""
    alone = Home().configuration()
    garage = replace(alone, vehicles=VEHICLES, followed=(CAR, BIKE), restarted=True)
    policy = replace(Home().policy(), policy_id=YARD_POLICY, charger_id=YARD)
    yard = replace(garage, charger_id=YARD, charger=ChargerSpec(charger_id=YARD), policies=(policy,), followed=(VAN,))
    return garage, yard


def plugged(charger_id: ChargerId, *, there: bool = True) -> StatusReported:
    activity = Activity.EV_CONNECTED if there else Activity.IDLE
    return StatusReported(charger_id=charger_id, plugged=there, activity=activity)


def reported(home: Observed) -> list[tuple[ChargerId, ChargerId | None]]:
    """Who was given the last report, and which charger it said that the vehicle visits."""
    told = [(name, event) for name, _, event in home.decided if isinstance(event, VehicleReported)]
    home.decided.clear()
    return [(name, event.visits) for name, event in told]


async def test_telemetry_goes_to_all_who_have_a_policy_for_the_car_and_to_who_follows_it(tmp_path: Path) -> None:
    async with observed(tmp_path) as home:
        await home.home.tell(*household())
        for vehicle_id, who in ((CAR, [GARAGE, YARD]), (BIKE, [GARAGE]), (VAN, [YARD]), (VehicleId("x"), [])):
            await home.home.tell(VehicleReported(vehicle_id=vehicle_id, level_pct=40.0))
            assert [name for name, _ in reported(home)] == who


async def test_a_report_says_which_charger_holds_the_car_or_may(tmp_path: Path) -> None:
    report = VehicleReported(vehicle_id=CAR, charging=True)
    async with observed(tmp_path) as home:
        await home.home.tell(*household())
        await home.home.tell(report)
        assert {visits for _, visits in reported(home)} == {None}
        left = replace(household()[0], policies=(), restarted=False)
        await home.home.tell(left, plugged(GARAGE), report)
        assert {visits for _, visits in reported(home)} == {GARAGE}, "it may be the guest"
        await home.home.tell(plugged(YARD), report)
        assert {visits for _, visits in reported(home)} == {YARD}, "it is the car of the yard's policy"
        assert {visits for _, visits in reported(home)} == set()


async def test_a_request_for_a_vehicle_that_nobody_follows_is_refused(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.plugged()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(home.loop.run())
            stranger = VehicleReported(vehicle_id=VAN, level_pct=40.0, reply_to=ReplyTo("me"))
            assert await home.desk.request(stranger) == "nobody follows this vehicle"
            running.cancel()


async def test_vehicles_are_shown_once_as_the_charger_knows_them_that_they_visit(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.tell(*household(), plugged(YARD))
        await home.tell(
            VehicleReported(vehicle_id=CAR, level_pct=41.0, limit_pct=80.0),
            VehicleReported(vehicle_id=VAN, plugged=True, charging=False, at_home=False),
            at="10T22:16",
        )
        bike, car, van = home.desk.vehicles()
        unknown = dict.fromkeys(
            ("batteryLevel", "isPluggedIn", "isCharging", "chargeLimit", "isAtHome", "at", "lastUpdated")
        )
        assert bike == {"id": BIKE, "batteryCapacity": 40.0, **unknown}
        assert van == bike | {
            "id": VAN,
            "isPluggedIn": True,
            "isCharging": False,
            "isAtHome": False,
            "lastUpdated": "2025-06-10T22:16:00Z",
        }
        assert car == bike | {
            "id": CAR,
            "batteryLevel": 41,
            "isPluggedIn": True,
            "isCharging": False,
            "chargeLimit": 80,
            "isAtHome": True,
            "at": YARD,
            "lastUpdated": "2025-06-10T22:16:00Z",
        }
        await home.tell(plugged(YARD, there=False), at="10T23:00")
        await home.tell(plugged(YARD, there=False), at="10T23:10")
        assert home.desk.vehicles()[1]["at"] is None


async def test_energy_that_flowed_in_no_visit_is_told_by_the_hundred_watt_hours(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.tell(replace(Home().configuration(), restarted=True), plugged(GARAGE, there=False))
        await home.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"))
        for minute, register in enumerate((1000, 1090, 1099, 1130, 1250)):
            await home.tell(MeterSampled(charger_id=GARAGE, register_wh=register), at=f"10T22:{20 + minute}")
        notes = [note for note in home.notes if note.name == "energy.unattributed"]
        assert [(note.level, note.charger_id) for note in notes] == [(NoteLevel.INFO, GARAGE)] * 2
        assert [note.message.split(" kWh")[0] for note in notes] == ["garage: 0.13", "garage: 0.25"]


RATES = [45.2] * 4 + [5.8] * 11
"""A fast charge in kW, every five minutes from 14:30 on."""


def shape(value: Any) -> Any:
    """The keys of a document in their order, and the types of what is in them."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return "number" if isinstance(value, int | float) else type(value)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Rig, str]]:
    """A home with a policy for the car, behind its API."""
    async with rig(folder) as home, asyncio.TaskGroup() as group:
        home.clock.time = utc("10T14:00")
        garage, _ = household()
        await home.tell(garage, ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"), plugged(GARAGE, there=False))
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        app = create_app(home.desk, token=None)
        tasks = [
            group.create_task(home.loop.run()),
            group.create_task(serve(app, "127.0.0.1", 0, on_listening=lambda _host, bound: port.set_result(bound))),
        ]
        yield home, f"http://127.0.0.1:{await port}/v1"
        for task in tasks:
            task.cancel()


async def charged_elsewhere(home: Rig, url: str) -> None:
    """30 % to 62 % at 45 kW, then less; the car tells all it knows, and in the end that it left."""
    for number, rate in enumerate(RATES):
        home.clock.time = utc(f"10T{14 + (30 + 5 * number) // 60}:{(30 + 5 * number) % 60:02}")
        body = {"chargeRate": rate, "batteryLevel": 30 + 2 * number}
        if number == 0:
            body |= {"isPluggedIn": True, "isCharging": True, "isAtHome": False}
        status, _ = await asyncio.to_thread(ask, f"{url}/vehicles/car/charge-state", body, "PUT")
        assert status == 200
        session = home.desk.session(POLICY)
        assert session is not None
        assert session["state"] == "UPCOMING"
    home.clock.time = utc("10T15:45")
    gone = {"isPluggedIn": False, "isCharging": False, "chargeRate": 0, "batteryLevel": 62}
    await asyncio.to_thread(ask, f"{url}/vehicles/car/charge-state", gone, "PUT")


async def test_a_charge_elsewhere_becomes_an_unmanaged_session_as_the_seventh_example(tmp_path: Path) -> None:
    async with served(tmp_path) as (home, url):
        await charged_elsewhere(home, url)
        _, found = await asyncio.to_thread(ask, f"{url}/sessions?vehicleId=car")
        _, at_garage = await asyncio.to_thread(ask, f"{url}/sessions?chargerId=garage")
        (document,) = found["data"]
        _, story = await asyncio.to_thread(ask, f"{url}/sessions/{document['id']}/events")
        _, ledger = await asyncio.to_thread(ask, f"{url}/sessions/{document['id']}/ledger")
        session = home.desk.session(POLICY)
        _, vehicle = await asyncio.to_thread(ask, f"{url}/vehicles/car")
    assert at_garage["data"] == []
    example = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert shape(document) == shape(example)
    for key in ("policyId", "state", "pluggedInAt", "pluggedOutAt", "blocks", "target", "outcome", "error"):
        assert document[key] == example[key]
    aggregated = document["statistics"]["aggregated"]
    assert (aggregated["batteryFrom"], aggregated["batteryTo"]) == (30, 62)
    assert aggregated["kwhSum"] == pytest.approx(18.5, abs=0.002)
    assert [entry["startAt"][11:16] for entry in document["statistics"]["timeseries"]] == [
        "14:30",
        "14:45",
        "15:00",
        "15:15",
        "15:30",
    ]
    assert document["statistics"]["timeseries"][0]["kwh"] == pytest.approx(45.2, abs=0.1)
    assert (*check(document), *check_series(document), *check_ledger(document, ledger["data"])) == ()
    said = f"car: charged elsewhere with {aggregated['kwhSum']} kWh"
    assert [(entry["event"], entry["message"]) for entry in story["data"]] == [("session.unmanaged", said)]
    assert [note for note in home.notes if note.name == "session.unmanaged"] == [
        Note(name="session.unmanaged", message=said, session_id=document["id"])
    ]
    assert session is not None
    assert session["state"] == "UPCOMING"
    assert (vehicle["isPluggedIn"], vehicle["isCharging"], vehicle["batteryLevel"]) == (False, False, 62)


async def test_a_visit_elsewhere_goes_on_after_a_crash(tmp_path: Path) -> None:
    """Telemetry is a request here and stored before it is answered; its cells have rows as those of any visit."""
    async with served(tmp_path) as (home, url):
        first = {"chargeRate": 40, "batteryLevel": 30, "isPluggedIn": True, "isCharging": True, "isAtHome": False}
        await asyncio.to_thread(ask, f"{url}/vehicles/car/charge-state", first, "PUT")
        home.clock.time = utc("10T14:10")
        await asyncio.to_thread(ask, f"{url}/vehicles/car/charge-state", {"chargeRate": 40}, "PUT")
        before = home.loop.states[GARAGE]
    async with rig(tmp_path) as home:
        home.clock.time = utc("10T14:20")
        home.loop.restore(await home.store._store.load())
        assert home.loop.states[GARAGE].cars == before.cars
        await home.tell(household()[0])
        await home.tell(VehicleReported(vehicle_id=CAR, plugged=False, charging=False))
        (note,) = [note for note in home.notes if note.name == "session.unmanaged"]
        assert note.message == "car: charged elsewhere with 9.999 kWh"
