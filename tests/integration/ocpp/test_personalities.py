"""Chargers and cars as they are, from plug to unplug, through driver, core and database.

Each night is the same: plugged in before the cheap hour, held until then, charged to the target in it, paused after it.
"""

from pathlib import Path

import pytest

from chargerd_drivers.simulator.physics import Car
from tests.integration.ocpp.ocpp_garage import Garage, garage
from tests.integration.ocpp.ocpp_house import HandClock, Json

EVENING = "11T00:40"
CHEAP = "11T01:00"


async def night(it: Garage) -> Json:
    """One visit; returns its settled document."""
    await it.plug()
    await it.until("11T00:59")
    assert it.power_w == 0, "not held"
    await it.until("11T01:05")
    assert it.power_w > 0, "not started"
    await it.until("11T02:05")
    assert it.power_w == 0, "not paused"
    assert it.station.reading.level_pct >= 50
    document = await it.unplug()
    assert len(await it.home.settled()) == 1
    assert it.errors == set()
    assert document["outcome"]["latest"]["state"] == "ON_TARGET"
    assert len(document["blocks"]) == 1
    return document


def kwh(document: Json) -> float:
    return float(document["statistics"]["aggregated"]["kwhSum"])


BOTH = ("amps-as-watts", "feigns-settings", "trigger-only-meter", "coarse-meter")
OLD = (
    "token-only",
    "bare-values",
    "decimal-comma",
    "zero-meter-ends",
    "anonymous-samples",
    "offset-register",
    "kwh-meter",
    "session-register",
    "relative-only",
    "clears-nothing",
    "profile-needs-car",
    "next-transaction-only",
    "absolute-unaware",
    "skewed-clock",
)
NEW = (
    "per-phase-meter",
    "starts-at-plug-in",
    "starts-at-authorization",
    "starts-at-energy",
    "ends-at-unplug",
    "late-evse",
    "nameless-start",
    "scaled-units",
    "meter-in-ended",
    "one-item",
    "endless-report",
    "profile-burner",
    "available-while-plugged",
    "zero-is-stop",
)
EXACT = (*((name, "1.6") for name in (*BOTH, *OLD)), *((name, "2.0.1") for name in (*BOTH, *NEW)))


@pytest.mark.parametrize(("name", "version"), EXACT)
async def test_its_car_is_charged_in_the_cheap_hour_and_each_watt_hour_is_counted(
    tmp_path: Path, name: str, version: str
) -> None:
    async with garage(tmp_path, name, version=version, clock=HandClock(EVENING)) as it:
        document = await night(it)
        assert kwh(document) * 1000 == pytest.approx(it.station.session_wh, abs=0.5)


@pytest.mark.parametrize("name", ["power-only-meter", "current-only-meter"])
async def test_a_car_whose_energy_nobody_tells_is_charged_and_measured_by_its_power(tmp_path: Path, name: str) -> None:
    async with garage(tmp_path, name, clock=HandClock(EVENING)) as it:
        document = await night(it)
        assert kwh(document) * 1000 == pytest.approx(it.station.session_wh, rel=0.03)
        [quarter] = [cell for cell in document["statistics"]["timeseries"] if cell["startAt"].endswith("T01:15:00Z")]
        assert quarter["kwh"] == pytest.approx(11, rel=0.02)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_meter_that_is_read_each_7_minutes_has_its_energy_in_the_right_quarters(
    tmp_path: Path, version: str
) -> None:
    async with garage(
        tmp_path, "coarse-meter", version=version, clock=HandClock(EVENING), car=Car(power_max_w=7200)
    ) as it:
        await it.plug()
        await it.until("11T02:40")
        document = await it.unplug()
    assert it.errors == set()
    full = [
        cell["kwh"] / 4
        for cell in document["statistics"]["timeseries"]
        if "T01:15" <= cell["startAt"][10:16] <= "T02:00"
    ]
    assert full == pytest.approx([1.8] * len(full), abs=0.05)
    assert len(full) == 4


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_car_that_resumes_at_full_current_is_down_to_its_limit_within_5_s(tmp_path: Path, version: str) -> None:
    traits = ("inrush", "single-period")
    async with garage(tmp_path, *traits, version=version, max_a=8, clock=HandClock(EVENING)) as it:
        await it.plug()
        await it.home.boost(36)
        await it.until("11T00:59")
        assert it.power_w == 0
        assert it.count("transaction-ended") == 0
        await it.until("11T01:00:08")
        assert it.current_a <= 8
        for minute in range(1, 10):
            await it.until(f"11T01:{minute:02}")
            assert 7.9 <= it.current_a <= 8


async def test_a_car_that_resumes_at_full_current_by_the_plan_in_its_charger_is_seen_by_the_meter(
    tmp_path: Path,
) -> None:
    async with garage(tmp_path, "inrush", max_a=8, clock=HandClock(EVENING)) as it:
        await it.plug()
        await it.home.boost(36)
        await it.until("11T00:59")
        assert it.power_w == 0
        await it.until("11T01:01:30")
        assert 7.9 <= it.current_a <= 8


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_first_transaction_that_heeds_no_limit_is_curtailed_within_10_s(tmp_path: Path, version: str) -> None:
    async with garage(
        tmp_path, "first-transaction-unlimited", version=version, max_a=8, clock=HandClock(EVENING)
    ) as it:
        await it.plug()
        await it.until("11T01:00:10")
        assert it.current_a <= 8
        await it.until("11T01:05")
        assert 7.9 <= it.current_a <= 8


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_first_transaction_that_begins_by_itself_in_a_dear_hour_is_held_within_10_s(
    tmp_path: Path, version: str
) -> None:
    traits = ("autostart", "first-transaction-unlimited")
    async with garage(tmp_path, *traits, version=version, clock=HandClock(EVENING)) as it:
        await it.plug()
        await it.pass_s(10)
        assert it.power_w == 0
        await it.until("11T00:59")
        assert it.station.session_wh <= 30
        await it.until("11T01:05")
        assert it.power_w > 0


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_an_old_profile_of_8_a_at_the_highest_level_does_not_slow_a_car_down(
    tmp_path: Path, version: str
) -> None:
    async with garage(tmp_path, "stale-profile", version=version, clock=HandClock(EVENING)) as it:
        await it.plug()
        await it.until("11T01:05")
        assert it.current_a > 15


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_car_on_one_phase_gets_all_of_its_current_from_a_limit_in_watts(tmp_path: Path, version: str) -> None:
    car = Car(power_max_w=3680, phases=1)
    async with garage(tmp_path, "watts-only", version=version, car=car, clock=HandClock(EVENING)) as it:
        await it.plug()
        await it.home.boost()
        for _ in range(10):
            await it.pass_s(60)
        assert it.current_a == pytest.approx(16)
        assert it.errors == set()


async def sleep_and_wake(it: Garage) -> None:
    """A burst of charging, a pause of half an hour, and the cheap hour."""
    await it.plug()
    await it.home.boost(36)
    await it.until("11T00:59")
    assert it.power_w == 0
    await it.until("11T01:15")
    assert it.power_w > 0


@pytest.mark.parametrize(("name", "version"), [("sleeping-car", "1.6"), ("charging-without-power", "2.0.1")])
async def test_a_car_that_fell_asleep_is_woken_by_another_transaction(tmp_path: Path, name: str, version: str) -> None:
    async with garage(tmp_path, name, version=version, clock=HandClock("11T00:10")) as it:
        await sleep_and_wake(it)
        assert it.count("transaction-started") == 2


async def test_a_car_with_a_limit_of_its_own_is_told_off_target_and_is_no_start_fail(tmp_path: Path) -> None:
    async with garage(tmp_path, car=Car(limit_pct=40), clock=HandClock(EVENING)) as it:
        await it.plug()
        await it.until("11T03:00")
        outcome = it.home.doc["outcome"]["latest"]
        assert (outcome["state"], outcome["minimumChargeTargetReachedAt"]) == ("OFF_TARGET", None)
        await it.unplug()
        assert it.errors == set()
        assert it.count("transaction-started") == 1


@pytest.mark.parametrize(("ready", "state"), [("11T05:00", "ON_TARGET"), ("11T01:00", "OFF_TARGET")])
async def test_a_car_that_draws_a_third_of_what_was_planned_is_planned_anew(
    tmp_path: Path, ready: str, state: str
) -> None:
    """Ready at 07:00: 10 kWh at 3.6 kW take three hours, of which the cheapest hour holds one."""
    start = "11T00:10" if state == "ON_TARGET" else "11T04:40"
    car = Car(power_max_w=3600, phases=1)
    async with garage(tmp_path, car=car, clock=HandClock(start)) as it:
        await it.plug()
        await it.until("11T07:00")
        assert it.home.doc["outcome"]["latest"]["state"] == state
        assert (it.station.reading.level_pct >= 50) is (state == "ON_TARGET")
        assert it.errors == set()
