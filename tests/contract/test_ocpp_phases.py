"""The phases that a car draws on are learned from its currents, for limits in W depend on them. Over a real socket."""

from dataclasses import replace

from ocpp_rig import KeptMemory
from test_ocpp_limits import LIMIT, box, schedule, unit

from chargerd.contract import ChargerInstructed


async def tell_currents(charger, *amperes: float) -> None:
    values = [
        {"value": str(current), "measurand": "Current.Import", "unit": "A", "phase": f"L{phase}"}
        for phase, current in enumerate(amperes, 1)
    ]
    element = {"timestamp": "2026-01-14T16:00:00Z", "sampledValue": values}
    await charger.ask("MeterValues", {"connectorId": 1, "meterValue": [element], "transactionId": 17})


def watts(profile: dict) -> tuple[float, int | None]:
    [period] = schedule(profile)["chargingSchedulePeriod"]
    return period["limit"], period.get("numberPhases")


async def test_watts_are_said_over_the_phases_in_use_where_a_charger_divides_them_by_these() -> None:
    """F13: 10 A over three phases are 6900 W, and 16 A flow on the one that the car has."""
    memory, ten = KeptMemory(), replace(LIMIT, limit_a=10)
    async with box(lambda profile: unit(profile) == "W", memory=memory) as (rig, made):
        await rig.driver.execute(ten)
        await rig.clock.sleep(21)
        for _ in range(2):
            await tell_currents(made.charger, 16, 0.3, 0)
        await rig.sink.take(ChargerInstructed)
        made.took()
        await rig.driver.execute(ten)
        assert [watts(profile) for profile in made.took()] == [(2300, 1)]
        for _ in range(2):
            await tell_currents(made.charger, 3.3, 3.3, 3.3)
        await rig.sink.take(ChargerInstructed)
        await rig.driver.execute(ten)
        assert [watts(profile) for profile in made.took()] == [(6900, None)]
    async with box(lambda profile: unit(profile) == "W", memory=memory) as (rig, made):
        await rig.driver.execute(ten)
        assert watts(made.took()[-1]) == (6900, None), "another car may be there"


async def test_watts_stay_over_all_phases_where_a_charger_divides_them_by_these() -> None:
    """F13: said over one, they would be 5.3 A."""
    async with box(lambda profile: unit(profile) == "W") as (rig, made):
        await rig.driver.execute(LIMIT)
        await rig.clock.sleep(21)
        for _ in range(3):
            await tell_currents(made.charger, 16, 0, 0)
        await rig.driver.execute(LIMIT)
        assert watts(made.took()[-1]) == (11040, None)
        assert not any(isinstance(event, ChargerInstructed) for event in rig.sink.seen)


async def test_a_current_without_a_phase_tells_nothing_of_phases() -> None:
    async with box(lambda profile: unit(profile) == "W") as (rig, made):
        await rig.driver.execute(replace(LIMIT, limit_a=10))
        await rig.clock.sleep(21)
        for _ in range(3):
            await tell_currents(made.charger, 30)
        await rig.driver.execute(replace(LIMIT, limit_a=10))
        assert watts(made.took()[-1]) == (6900, None)
