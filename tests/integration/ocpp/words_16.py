"""What a charger of OCPP 1.6 says by hand, and how a visit goes, for ``ocpp_house``."""

from datetime import datetime
from typing import Any

from tests.integration.ocpp.ocpp_house import Box, House, stamp

ACCEPTED = {"idTagInfo": {"status": "Accepted"}}


async def status(box: Box, house: House, word: str, at: datetime | str | None = None) -> None:
    at = house.clock.time if at is None else at
    payload = {"connectorId": 1, "errorCode": "NoError", "status": word, "timestamp": stamp(at)}
    assert await box.call("StatusNotification", payload) == {}


def start(at: datetime | str, register: Any = 1000, tag: str = "tag") -> dict[str, Any]:
    return {"connectorId": 1, "idTag": tag, "meterStart": register, "timestamp": stamp(at)}


def stop(number: Any, at: datetime | str, register: Any, **more: Any) -> dict[str, Any]:
    return {"transactionId": number, "meterStop": register, "timestamp": stamp(at), **more}


def sample(at: datetime | str, register: float, power: float | None = None) -> dict[str, Any]:
    values = [{"value": str(register), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
    if power is not None:
        values.append({"value": str(power), "measurand": "Power.Active.Import", "unit": "W"})
    return {"timestamp": stamp(at), "sampledValue": values}


async def meter(box: Box, house: House, register: float, power: float | None = None, **more: Any) -> None:
    payload = {"connectorId": 1, "meterValue": [sample(house.clock.time, register, power)], **more}
    assert await box.call("MeterValues", payload) == {}


async def charge(box: Box, house: House, *, register: int = 1000, minutes: int = 10) -> tuple[int, int]:
    """Plug in, begin a transaction, and charge at 6 kW; return its number and the register."""
    await status(box, house, "Available")
    await meter(box, house, register, 0)
    await house.pass_s(60)
    await status(box, house, "Preparing")
    await house.boost()
    number = (await box.call("StartTransaction", start(house.clock.time, register)))["transactionId"]
    await status(box, house, "Charging")
    for _ in range(minutes):
        await house.pass_s(60)
        register += 100
        await meter(box, house, register, 6000, transactionId=number)
    await house.calm()
    return number, register


async def charge_again(box: Box, house: House, register: int) -> int:
    """Begin another transaction, charge for a minute, end it and leave; return its number."""
    number: int = (await box.call("StartTransaction", start(house.clock.time, register)))["transactionId"]
    await status(box, house, "Charging")
    await house.pass_s(60)
    await end_after(box, house, number, register + 100)
    return number


async def end_after(box: Box, house: House, number: int, register: int) -> None:
    """Tell of the last 6 kW, end the transaction and leave."""
    await meter(box, house, register, 6000, transactionId=number)
    await box.call("StopTransaction", stop(number, house.clock.time, register))
    await leave(box, house)


async def leave(box: Box, house: House) -> None:
    """Unplug, and wait until the visit is settled."""
    await status(box, house, "Available")
    await house.pass_s(600)


def limits(box: Box) -> list[float]:
    """Return the limits that a charger was told, oldest first: the first period of each, in A."""
    told = [payload["csChargingProfiles"]["chargingSchedule"] for payload in box.all_asked("SetChargingProfile")]
    return [schedule["chargingSchedulePeriod"][0]["limit"] for schedule in told]


def visits_of(settled: list[dict[str, Any]]) -> list[float]:
    """Return the energy of settled visits in kWh."""
    return [one["statistics"]["aggregated"]["kwhSum"] for one in settled]
