"""A charger whose central system is dead goes on by the plan that it was given."""

from datetime import timedelta

import pytest
from simulator_bench import TX_ID, Bench, running

from chargerd_drivers.simulator.schemas import parse_time, spell_time

both = pytest.mark.parametrize("version", ["1.6", "2.0.1"])
FAST = 30_000
HOUR = 3600
CALM = (0, 0.0), (HOUR, 8.0), (3 * HOUR, 0.0), (4 * HOUR, 16.0)
"""Nothing for an hour, 8 A for two, nothing for one; from then on all that there is."""


def hours(began: str, event: dict[str, str]) -> float:
    return round((parse_time(event["at"]) - parse_time(began)) / timedelta(hours=1), 3)


async def check_goes_by(bench: Bench, began: str) -> None:
    """The steps of CALM come at their time, and give the energy that they promise."""
    first = await bench.events.expect("charging", lambda event: event["at"] > began)
    pause = await bench.events.expect("suspended")
    tail = await bench.events.expect("charging")
    full = await bench.events.expect("suspended")
    assert [hours(began, event) for event in (first, pause, tail)] == [1, 3, 4]
    assert pause["registerWh"] - first["registerWh"] == pytest.approx(2 * 8 * 3 * 230, rel=0.001)
    assert (full["by"], full["levelPct"]) == ("EV", 80)


@both
async def test_the_plan_in_the_charger_is_followed_to_the_car_s_target_while_nobody_is_there(version: str) -> None:
    async with running(version, "--car-limit", "80", speed=FAST) as bench:
        await bench.ready()
        await bench.plug()
        await bench.start()
        await bench.state("Charging")
        began = spell_time(bench.clock.now())
        transaction = bench.transaction_id if bench.new else TX_ID
        answer = await bench.plan(*CALM, begins=began, purpose="TxProfile", transactionId=transaction)
        assert answer["status"] == "Accepted"
        bench.central.die()
        await bench.events.expect("offline")
        await check_goes_by(bench, began)


@both
async def test_a_default_plan_governs_a_transaction_that_begins_while_nobody_is_there(version: str) -> None:
    async with running(version, "--car-limit", "80", speed=FAST) as bench:
        await bench.ready()
        began = spell_time(bench.clock.now())
        await bench.plan(*CALM, begins=began)
        bench.central.die()
        await bench.events.expect("offline")
        bench.do("plug")
        bench.do("start")
        await bench.events.expect("transaction-started")
        await check_goes_by(bench, began)


@both
async def test_a_plan_of_more_periods_than_the_charger_says_is_refused(version: str) -> None:
    async with running(version) as bench:
        await bench.ready()
        began = spell_time(bench.clock.now())
        for periods, status in ((24, "Accepted"), (25, "Rejected")):
            steps = [(60 * number, float(number % 16)) for number in range(periods)]
            assert (await bench.plan(*steps, begins=began))["status"] == status
