"""OCPP 2.0.1 transactions through driver, core and database: each way to begin one, late events, ids used again."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chargerd.core.events import Activity
from tests.integration.ocpp.ocpp_house import Box, HandClock, House, house, stamp

Json = dict[str, Any]


async def status(box: Box, house: House, word: str, at: datetime | str | None = None, evse: int = 1) -> None:
    at = house.clock.time if at is None else at
    payload = {"timestamp": stamp(at), "connectorStatus": word, "evseId": evse, "connectorId": min(evse, 1)}
    assert await box.call("StatusNotification", payload) == {}


def sample(at: datetime | str, register: float, power: float | None = None, context: str = "Sample.Periodic") -> Json:
    energy = {"value": register, "measurand": "Energy.Active.Import.Register", "context": context}
    values: list[Json] = [{**energy, "unitOfMeasure": {"unit": "Wh"}}]
    if power is not None:
        values.append({"value": power, "measurand": "Power.Active.Import", "context": context})
    return {"timestamp": stamp(at), "sampledValue": values}


class Told:
    """One transaction, as a station tells of it."""

    def __init__(self, box: Box, house: House, name: str = "tx-1") -> None:
        self.box = box
        self.house = house
        self.name = name
        self.seq = 0

    async def tell(
        self,
        kind: str,
        trigger: str,
        state: str | None = None,
        *samples: Json,
        at: datetime | str | None = None,
        **more: Any,
    ) -> Json:
        info = {"transactionId": self.name, **({} if state is None else {"chargingState": state})}
        info |= more.pop("info", {})
        payload = {
            "eventType": kind,
            "timestamp": stamp(self.house.clock.time if at is None else at),
            "triggerReason": trigger,
            "seqNo": self.seq,
            "transactionInfo": info,
            **({"meterValue": list(samples)} if samples else {}),
            **more,
        }
        self.seq += 1
        return await self.box.call("TransactionEvent", payload)

    async def metered(self, register: float, power: float = 6000, state: str | None = "Charging") -> None:
        at = self.house.clock.time
        assert await self.tell("Updated", "MeterValuePeriodic", state, sample(at, register, power)) == {}


EVSE = {"evse": {"id": 1, "connectorId": 1}}


async def charge(box: Box, house: House, name: str = "tx-1", *, register: int = 1000) -> tuple[Told, int]:
    """Plug in, begin a transaction, and charge for ten minutes at 6 kW."""
    told = Told(box, house, name)
    await status(box, house, "Occupied")
    await house.boost()
    await told.tell("Started", "CablePluggedIn", "EVConnected", sample(house.clock.time, register, 0), **EVSE)
    await told.tell("Updated", "ChargingStateChanged", "Charging")
    for _ in range(10):
        await house.pass_s(60)
        register += 100
        await told.metered(register)
    await house.calm()
    return told, register


async def leave(box: Box, house: House, told: Told | None = None, register: int | None = None) -> None:
    if told is not None:
        samples = () if register is None else (sample(house.clock.time, register, 0, "Transaction.End"),)
        await told.tell("Ended", "EVDeparted", "Idle", *samples, info={"stoppedReason": "EVDisconnected"})
    await status(box, house, "Available")
    await house.pass_s(600)


def kwh_of(documents: list[Json]) -> list[float]:
    return [document["statistics"]["aggregated"]["kwhSum"] for document in documents]


STEPS = (
    ("ParkingBayOccupied", "EVDetected", "Idle"),
    ("EVConnected", "CablePluggedIn", "EVConnected"),
    ("Authorized", "Authorized", "EVConnected"),
    ("DataSigned", "SignedDataReceived", "EVConnected"),
    ("PowerPathClosed", "ChargingStateChanged", "SuspendedEV"),
    ("EnergyTransfer", "ChargingStateChanged", "Charging"),
)


async def a_visit(folder: Path, start_point: str) -> Json:
    """The same car, the same ten minutes of charging; only where the transaction begins differs."""
    clock = HandClock()
    async with house(folder, clock) as home, home.box("2.0.1") as box:
        told, kind = Told(box, home), "Started"
        await status(box, home, "Available")
        await home.pass_s(60)
        for name, trigger, state in STEPS:
            if name == "EVConnected":
                await status(box, home, "Occupied")
            if name == start_point or kind == "Updated":
                extra = EVSE if kind == "Started" else {}
                await told.tell(kind, trigger, state, sample(clock.time, 1000, 0), **extra)
                kind = "Updated"
            if name == "EVConnected":
                await home.boost()
            await home.pass_s(10)
        register = 1000
        for _ in range(10):
            await home.pass_s(60)
            register += 100
            await told.metered(register)
        await leave(box, home, told, register)
        assert home.doc["error"]["latest"] is None
        [document] = await home.settled()
    return document


async def test_the_session_is_the_same_wherever_its_transaction_begins(tmp_path: Path) -> None:
    documents = []
    for name, _, _ in STEPS:
        folder = tmp_path / name
        folder.mkdir()
        document = await a_visit(folder, name)
        documents.append({key: value for key, value in document.items() if key != "id"})
    assert kwh_of(documents) == [1.0] * len(STEPS)
    first = documents[0]
    assert (first["pluggedInAt"], len(first["blocks"]), first["error"]["latest"]) == ("2025-06-10T20:01:13Z", 1, None)
    assert documents == [first] * len(STEPS)


async def test_a_transaction_without_a_car_is_no_visit_and_its_time_out_no_error(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        await status(box, home, "Available")
        told = Told(box, home)
        token = {"idToken": {"idToken": "04A2", "type": "ISO14443"}}
        answer = await told.tell("Started", "Authorized", "Idle", sample(clock.time, 1000, 0), **EVSE, **token)
        assert answer == {"idTokenInfo": {"status": "Accepted"}}
        await home.pass_s(30)
        assert home.doc["state"] == "UPCOMING"
        await told.tell("Ended", "EVConnectTimeout", "Idle", info={"stoppedReason": "Timeout"})
        await home.pass_s(600)
        assert (home.doc["state"], home.doc["error"]["latest"]) == ("UPCOMING", None)
        assert home.state.facts.transaction is None
        assert await home.settled() == []


async def test_events_that_come_after_the_end_count_and_bring_nothing_back(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        told, register = await charge(box, home)
        between, ended = clock.time + timedelta(seconds=60), clock.time + timedelta(seconds=120)
        await home.pass_s(120)
        await told.tell("Ended", "EVDeparted", "Idle", sample(ended, register + 200, 0, "Transaction.End"))
        await status(box, home, "Available")
        await home.pass_s(5)
        for late in (between, between + timedelta(seconds=30)):
            values = sample(late, register + 100, 6000)
            answer = await told.tell("Updated", "MeterValuePeriodic", "Charging", values, at=late, offline=True)
            assert answer == {}
        await home.calm()
        facts = home.state.facts
        assert (facts.plugged, facts.transaction, facts.charging) == (False, None, False)
        await home.pass_s(600)
        assert home.doc["state"] == "UPCOMING"
        assert kwh_of(await home.settled()) == [1.2]


async def test_a_visit_that_is_told_hours_late_is_settled_in_the_past_and_moves_nothing_now(tmp_path: Path) -> None:
    clock = HandClock("10T12:00")
    async with house(tmp_path, clock) as home:
        async with home.box("2.0.1") as box:
            await status(box, home, "Available")
            await home.pass_s(60)
        await home.offline()
        await home.until("10T20:00")
        async with home.box("2.0.1") as box:
            await status(box, home, "Available")
            told = Told(box, home)
            late = {"offline": True}
            values = sample("10T14:00", 1000, 0, "Transaction.Begin")
            await told.tell("Started", "CablePluggedIn", "EVConnected", values, at="10T14:00", **EVSE, **late)
            values = sample("10T15:00", 5000, 4000)
            await told.tell("Updated", "MeterValuePeriodic", "Charging", values, at="10T15:00", **late)
            values = sample("10T16:00", 9000, 0, "Transaction.End")
            reason = {"stoppedReason": "EVDisconnected"}
            await told.tell("Ended", "EVDeparted", "Idle", values, at="10T16:00", info=reason, **late)
            await home.calm()
            assert (home.state.facts.plugged, home.state.facts.transaction) == (False, None)
            await home.pass_s(1200)
            assert (home.doc["state"], home.doc["error"]["latest"]) == ("UPCOMING", None)
            [visit] = await home.settled()
    assert kwh_of([visit]) == [8.0]
    assert (visit["pluggedInAt"], visit["pluggedOutAt"]) == ("2025-06-10T14:00:00Z", "2025-06-10T16:00:00Z")


async def test_gaps_in_the_numbers_of_events_lose_nothing(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        told, register = await charge(box, home)
        told.seq += 40
        await home.pass_s(60)
        await told.metered(register + 100)
        told.seq = 3
        await home.pass_s(60)
        await told.metered(register + 200)
        await leave(box, home, told, register + 200)
        assert kwh_of(await home.settled()) == [1.2]


@pytest.mark.parametrize("first", [{}, {"evse": None}, {"evse": {"id": 1}}], ids=["none", "null", "no connector"])
async def test_a_transaction_is_ours_whether_its_first_event_names_the_evse_or_a_later_one(
    tmp_path: Path, first: Json
) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        await home.boost()
        told = Told(box, home)
        await told.tell("Started", "CablePluggedIn", "EVConnected", sample(clock.time, 1000, 0), **first)
        await home.pass_s(60)
        await told.tell("Updated", "ChargingStateChanged", "Charging", sample(clock.time, 1000, 6000), **EVSE)
        await home.pass_s(60)
        await told.metered(1100)
        await home.calm()
        assert home.state.facts.transaction is not None
        assert home.state.facts.transaction.transaction_id == "tx-1"
        assert home.kwh == 0.1


async def test_an_id_that_is_used_again_after_a_boot_is_another_transaction(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home:
        async with home.box("2.0.1") as box:
            told, register = await charge(box, home, "1")
            await leave(box, home, told, register)
        await home.offline()
        async with home.box("2.0.1") as box:
            await status(box, home, "Available")
            await home.pass_s(60)
            told, register = await charge(box, home, "1", register=register)
            assert home.state.facts.transaction is not None
            assert home.state.facts.transaction.transaction_id == "1"
            await leave(box, home, told, register)
            assert home.state.facts.transaction is None
            assert kwh_of(await home.settled()) == [1.0, 1.0]


async def test_the_same_start_told_again_after_its_end_opens_nothing(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        told = Told(box, home)
        await status(box, home, "Occupied")
        began = clock.time
        values = sample(began, 1000, 0)
        await told.tell("Started", "CablePluggedIn", "EVConnected", values, at=began, **EVSE)
        await home.pass_s(60)
        await told.tell("Ended", "StopAuthorized", "EVConnected")
        await told.tell("Started", "CablePluggedIn", "EVConnected", values, at=began, **EVSE)
        await home.calm()
        assert home.state.facts.transaction is None


@pytest.mark.parametrize("info", [{}, {"remoteStartId": 999}], ids=["none", "not ours"])
async def test_a_remote_start_comes_off_without_its_number(tmp_path: Path, info: Json) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        await status(box, home, "Occupied")
        await home.boost()
        await home.pass_s(15)
        await box.was_asked("RequestStartTransaction")
        told = Told(box, home)
        await told.tell("Started", "RemoteStart", "Charging", sample(clock.time, 1000, 6000), **EVSE, info=info)
        for register in (1100, 1200, 1300, 1400, 1500):
            await home.pass_s(60)
            await told.metered(register)
        await home.calm()
        assert home.kwh == 0.5
        assert home.doc["error"]["latest"] is None
        assert sum(action == "RequestStartTransaction" for action, _ in box.asked) == 1


async def test_a_transaction_that_had_begun_before_it_was_asked_for_is_the_one(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        box.answers["RequestStartTransaction"] = {"status": "Accepted", "transactionId": "early"}
        await status(box, home, "Occupied")
        await home.boost()
        await home.pass_s(15)
        await box.was_asked("RequestStartTransaction")
        told = Told(box, home, "early")
        await told.metered(1000)
        await home.pass_s(60)
        await told.metered(1100)
        await home.calm()
        assert home.state.facts.transaction is not None
        assert home.state.facts.transaction.transaction_id == "early"
        assert home.kwh == 0.1


async def test_meter_values_that_come_only_with_the_end_fill_the_grid_exactly(tmp_path: Path) -> None:
    clock = HandClock("10T20:00")
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        await home.until("10T20:15")
        await status(box, home, "Occupied")
        await home.boost()
        told, began = Told(box, home), clock.time
        await told.tell("Started", "CablePluggedIn", "Charging", **EVSE)
        await home.until("10T22:15")
        rises = [0, 500, 2750, 2750, 1000, 0, 2750, 250, 1250]
        registers = [10_000 + sum(rises[: count + 1]) for count in range(len(rises))]
        values = [
            sample(began + timedelta(minutes=15 * count), register, None, "Sample.Clock")
            for count, register in enumerate(registers)
        ]
        await told.tell("Ended", "EVDeparted", "Idle", *values, info={"stoppedReason": "EVDisconnected"})
        await status(box, home, "Available")
        await home.pass_s(600)
        [visit] = await home.settled()
        ledger = await home.desk.archive.ledger(visit["id"])
    assert kwh_of([visit]) == [11.25]
    assert ledger is not None
    cells = [cell["kwh"] / 4 * 1000 for cell in visit["statistics"]["timeseries"]]
    assert [round(wh) for wh in cells[:8]] == rises[1:]


async def test_an_event_that_says_nothing_of_charging_changes_nothing_of_it(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        told, _ = await charge(box, home)
        await told.tell("Updated", "MeterValuePeriodic")
        await status(box, home, "Occupied")
        await home.calm()
        assert (home.state.facts.activity, home.state.facts.charging) == (Activity.CHARGING, True)


async def test_energy_of_an_end_that_comes_after_the_plug_is_counted(tmp_path: Path) -> None:
    clock = HandClock()
    async with house(tmp_path, clock) as home, home.box("2.0.1") as box:
        told, register = await charge(box, home)
        await home.pass_s(60)
        await status(box, home, "Available")
        await home.pass_s(20)
        at = clock.time - timedelta(seconds=20)
        values = sample(at, register + 100, 0, "Transaction.End")
        reason = {"stoppedReason": "EVDisconnected"}
        await told.tell("Ended", "EVCommunicationLost", "Idle", values, at=at, info=reason)
        await home.pass_s(600)
        assert kwh_of(await home.settled()) == [1.1]
        assert home.doc["state"] == "UPCOMING"
