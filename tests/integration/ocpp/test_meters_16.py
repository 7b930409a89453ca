"""Meters as they are, by hand over a real socket, through driver, core and database: the watt-hours are right."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ocpp.ocpp_house import Box, HandClock, House, Json, house, stamp
from tests.integration.ocpp.test_transactions_16 import leave, start, status, stop

ENERGY = "Energy.Active.Import.Register"
Values = Callable[[int, int], list[Json]]
"""The sampled values of a minute, given what the true register shows in Wh."""


def value(amount: Any, measurand: str = ENERGY, unit: str = "Wh", **more: Any) -> Json:
    return {"value": amount, "measurand": measurand, "unit": unit, **more}


def power(watts: Any, **more: Any) -> Json:
    return value(str(watts), "Power.Active.Import", "W", **more)


async def tell(box: Box, home: House, values: list[Json], **more: Any) -> None:
    element = {"timestamp": stamp(home.clock.time), "sampledValue": values}
    assert await box.call("MeterValues", {"connectorId": 1, "meterValue": [element], **more}) == {}


async def charge(box: Box, home: House, values: Values, *, minutes: int = 15, begins: int = 0, **more: Any) -> int:
    """Plug in and charge at 6 kW; return the transaction's number. Its own registers tell nothing."""
    await status(box, home, "Available")
    await home.pass_s(60)
    await status(box, home, "Preparing")
    await home.boost()
    number = (await box.call("StartTransaction", start(home.clock.time, begins)))["transactionId"]
    assert isinstance(number, int)
    await status(box, home, "Charging")
    known = {"transactionId": number} if "transactionId" not in more else more
    for minute in range(minutes + 1):
        await tell(box, home, values(minute, 100_000 + minute * 100), **known)
        await home.pass_s(60)
    return number


async def end(box: Box, home: House, number: int, register: Any = 0) -> Json:
    await box.call("StopTransaction", stop(number, home.clock.time, register))
    await leave(box, home)
    [visit] = await home.settled()
    assert visit["error"]["latest"] is None
    return visit


def kwh(visit: Json) -> float:
    return float(visit["statistics"]["aggregated"]["kwhSum"])


def phases(wh: int, *, total: int | None = None) -> list[Json]:
    """A register for each phase that has a third of it."""
    third = wh // 3
    parts = [value(str(part), phase=f"L{phase}") for phase, part in enumerate((third, third, wh - 2 * third), 1)]
    return parts if total is None else [value(str(total)), *parts]


REGISTERS: dict[str, Values] = {
    "bare": lambda _, wh: [{"value": str(wh)}],
    "a JSON number": lambda _, wh: [value(wh)],
    "padded": lambda _, wh: [value(f" {wh}.0 ")],
    "an exponent": lambda _, wh: [value(f"{wh / 1000:.4f}E3")],
    "a comma": lambda _, wh: [value(f"{wh},0")],
    "every other one NaN": lambda minute, wh: [value("NaN" if minute % 2 else str(wh))],
    "every other one empty": lambda minute, wh: [value("" if minute % 2 else str(wh))],
    "a phase each": lambda _, wh: phases(wh),
    "L1 alone": lambda _, wh: [value(str(wh), phase="L1")],
    "a frozen total beside its phases": lambda _, wh: phases(wh, total=99_000),
    "2^32 more now and then": lambda minute, wh: [value(str(wh + (2**32 if minute % 5 == 2 else 0)))],
    "signed beside raw": lambda _, wh: [
        value(str(wh)),
        value("OCMF|{}|" + "A" * 9000, format="SignedData"),
    ],
    "triggered": lambda _, wh: [value(str(wh), context="Trigger")],
    "interrupted": lambda _, wh: [value(str(wh), context="Interruption.End")],
    "more offered than drawn": lambda _, wh: [
        value(str(wh)),
        value("90", "Current.Offered", "A"),
        value("62100", "Power.Offered", "W"),
    ],
}


@pytest.mark.parametrize("name", REGISTERS)
async def test_a_register_is_counted_however_it_is_told(tmp_path: Path, name: str) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number = await charge(box, home, REGISTERS[name], minutes=16)
        assert kwh(await end(box, home, number)) == pytest.approx(1.6, abs=0.002)


POWERS: dict[str, tuple[list[Json], float]] = {
    "total": ([power(7200)], 7.2),
    "a phase each": ([power(2400, phase=f"L{phase}") for phase in (1, 2, 3)], 7.2),
    "currents": ([value("10", "Current.Import", "A", phase=f"L{phase}") for phase in (1, 2, 3)], 6.9),
    "currents against the neutral": (
        [value("10", "Current.Import", "A", phase=f"L{phase}-N") for phase in (1, 2, 3)],
        6.9,
    ),
    "currents by their name": ([value("10", f"Current.Import.L{phase}", "A") for phase in (1, 2, 3)], 6.9),
    "one phase": ([value("16", "Current.Import", "A", phase="L1")], 3.68),
}


@pytest.mark.parametrize("name", POWERS)
async def test_power_is_counted_where_no_register_is_told(tmp_path: Path, name: str) -> None:
    values, expected_kw = POWERS[name]
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number = await charge(box, home, lambda _minute, _wh: values, minutes=60)
        assert home.state.facts.reading is not None
        assert home.state.facts.reading.power_w == pytest.approx(expected_kw * 1000)
        assert kwh(await end(box, home, number)) == pytest.approx(expected_kw, rel=0.02)


async def test_power_that_is_only_offered_is_none(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Available")
        for _ in range(10):
            await tell(box, home, [value("90", "Current.Offered", "A"), value("62100", "Power.Offered", "W")])
            await home.pass_s(60)
        assert home.state.facts.charging is False
        assert home.doc["state"] == "UPCOMING"


async def test_a_register_that_begins_anew_with_a_restart_in_a_transaction_goes_on(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock()) as home:
        async with home.box() as box:
            number = await charge(box, home, lambda minute, _: [value(str(200 * minute))], minutes=40)
        await home.offline()
        await home.pass_s(30)
        async with home.box() as box:
            await status(box, home, "Charging")
            for minute in range(26):
                await tell(box, home, [value(str(200 * minute))], transactionId=number)
                await home.pass_s(60)
            assert kwh(await end(box, home, number, 5000)) == pytest.approx(13, abs=0.05)


async def test_energy_that_only_the_end_tells_is_spread_by_the_power_and_sums_up(tmp_path: Path) -> None:
    """Power of 7.2 kW each minute, and registers only where a transaction begins and ends."""
    async with house(tmp_path, HandClock("10T20:13")) as home, home.box() as box:
        await status(box, home, "Available")
        await home.pass_s(60)
        await status(box, home, "Preparing")
        await home.boost()
        number = (await box.call("StartTransaction", start(home.clock.time, 50_000)))["transactionId"]
        await status(box, home, "Charging")
        for _ in range(120):
            await tell(box, home, [power(7200)], transactionId=number)
            await home.pass_s(30)
        visit = await end(box, home, number, 57_260)
    cells = [cell["kwh"] / 4 for cell in visit["statistics"]["timeseries"]]
    assert kwh(visit) == 7.26
    assert cells[1:4] == pytest.approx([1.8] * 3, abs=0.05)


@pytest.mark.parametrize("registers", [(0, 0), (50_000, 57_440)])
async def test_intervals_are_added_up_once_where_there_is_no_register(
    tmp_path: Path, registers: tuple[int, int]
) -> None:
    """62 of 120 Wh, and the last one twice."""

    def interval(_minute: int, _wh: int) -> list[Json]:
        return [value("120", "Energy.Active.Import.Interval", "Wh")]

    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number = await charge(box, home, interval, minutes=60, begins=registers[0])
        await tell(box, home, interval(0, 0), transactionId=number)
        element = {"timestamp": stamp(home.clock.time), "sampledValue": interval(0, 0)}
        again = {"connectorId": 1, "meterValue": [element, element], "transactionId": number}
        assert await box.call("MeterValues", again) == {}
        assert kwh(await end(box, home, number, registers[1])) == pytest.approx(7.44, abs=0.125)


async def test_intervals_beside_a_register_count_for_nothing(tmp_path: Path) -> None:
    def both(_minute: int, wh: int) -> list[Json]:
        return [value("100", "Energy.Active.Import.Interval", "Wh"), value(str(wh))]

    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number = await charge(box, home, both)
        assert kwh(await end(box, home, number)) == pytest.approx(1.5, abs=0.002)


@pytest.mark.parametrize("shape", ["object", "empty", "null"])
async def test_a_message_of_another_shape_is_answered_and_what_it_holds_is_counted(tmp_path: Path, shape: str) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number = await charge(box, home, lambda _, wh: [value(str(wh))], minutes=10)
        element = {"timestamp": stamp(home.clock.time), "sampledValue": [value("101100")]}
        sent: Any = {"object": element, "empty": [{**element, "sampledValue": []}], "null": None}[shape]
        assert await box.call("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": sent}) == {}
        assert kwh(await end(box, home, number)) == (1.1 if shape == "object" else 1.0)


async def test_twenty_samples_in_one_message_newest_first_fill_the_right_quarters(tmp_path: Path) -> None:
    async with house(tmp_path, HandClock("10T20:13")) as home, home.box() as box:
        number = await charge(box, home, lambda _, wh: [value(str(wh))], minutes=1)
        began = home.clock.time - timedelta(minutes=1)
        await home.pass_s(19 * 60)
        elements = [
            {
                "timestamp": stamp(began + timedelta(minutes=minute)),
                "sampledValue": [value(str(100_100 + 120 * minute)), power(7200)],
            }
            for minute in range(1, 21)
        ]
        payload = {"connectorId": 1, "transactionId": number, "meterValue": elements[::-1]}
        assert await box.call("MeterValues", payload) == {}
        await home.calm()
        assert home.state.facts.reading is not None
        assert home.state.facts.reading.register_wh == 102_500
        visit = await end(box, home, number)
    cells = [round(cell["kwh"] / 4, 3) for cell in visit["statistics"]["timeseries"]]
    assert kwh(visit) == 2.5
    assert cells[1] == pytest.approx(1.8, abs=0.01)


@pytest.mark.parametrize("named", [{}, {"transactionId": None}])
async def test_samples_without_a_transaction_count(tmp_path: Path, named: Json) -> None:
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        number = await charge(box, home, lambda _, wh: [value(str(wh))], transactionId=None)
        await tell(box, home, [value("101600")], **named)
        assert kwh(await end(box, home, number)) == 1.6


async def test_stand_by_for_a_night_is_no_charging(tmp_path: Path) -> None:
    idle = [
        power(15),
        value("0.3", "Current.Import", "A", phase="L1"),
        value("1.5", "Voltage", "V", phase="L2"),
        value("100000"),
    ]
    async with house(tmp_path, HandClock()) as home, home.box() as box:
        await status(box, home, "Available")
        await status(box, home, "Preparing")
        for _ in range(32):
            await tell(box, home, idle)
            await home.pass_s(900)
        assert home.state.facts.charging is False
        assert home.kwh == 0
