"""Meters and plugs of OCPP 2.0.1 as they are, by hand over a real socket, through driver, core and database."""

from pathlib import Path

from tests.integration.ocpp.ocpp_house import HandClock, Json, house, stamp
from tests.integration.ocpp.test_transactions_201 import EVSE, Told, charge, kwh_of, leave, status

ENERGY = "Energy.Active.Import.Register"


def register(amount: float, unit: Json, at: str, **more: object) -> Json:
    value = {"value": amount, "measurand": ENERGY, "context": "Sample.Periodic", "unitOfMeasure": unit, **more}
    return {"timestamp": at, "sampledValue": [value]}


async def test_a_number_with_a_unit_and_a_multiplier_is_watt_hours(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box("2.0.1") as box:
        await status(box, home, "Occupied")
        await home.boost()
        told = Told(box, home)
        units = ({"unit": "Wh", "multiplier": 3}, {"unit": "kWh"}, {"unit": "kWh", "multiplier": 0}, {"multiplier": 3})
        signed = {"signedMeterData": "A" * 400, "signingMethod": "", "encodingMethod": "OCMF", "publicKey": ""}
        await told.tell(
            "Started", "CablePluggedIn", "Charging", register(7.0, units[0], stamp(home.clock.time)), **EVSE
        )
        for count, unit in enumerate(units, 1):
            await home.pass_s(60)
            at = stamp(home.clock.time)
            await told.tell(
                "Updated", "MeterValuePeriodic", "Charging", register(7 + count / 10, unit, at, signedMeterValue=signed)
            )
        await home.calm()
        assert home.state.facts.reading is not None
        assert home.state.facts.reading.register_wh == 7400
        await leave(box, home, told)
        assert kwh_of(await home.settled()) == [0.4]


async def test_a_status_of_the_whole_station_ends_no_visit(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box("2.0.1") as box:
        told, values = await charge(box, home)
        for evse in (0, 2):
            whole = {
                "evseId": evse,
                "connectorId": evse,
                "connectorStatus": "Available",
                "timestamp": stamp(home.clock.time),
            }
            assert await box.call("StatusNotification", whole) == {}
        await home.pass_s(60)
        await told.metered(values + 100)
        await home.pass_s(900)
        assert await home.settled() == []
        await leave(box, home, told, values + 100)
        assert kwh_of(await home.settled()) == [1.1]
