"""What visits teach: the power that a car really draws, and how much of it reaches the battery."""

import pytest

from chargerd.core.events import VehicleReported
from tests.support.home import CAR, Home, prices
from tests.support.reading import ON_TARGET

FLAT = prices("10T18:00", [0.30] * 30)
FALLING = prices("10T18:00", [round(0.5 - 0.02 * hour, 2) for hour in range(20)])
"""The later the cheaper: a plan leaves no slack before ready-by."""


def test_a_car_that_draws_a_third_of_its_rating_is_ready_in_time() -> None:
    home = Home(curve=FALLING, goal=50, reserve=36).until("10T22:15").plug()
    home.box.watts = 3_700.0
    home.until("11T07:00")
    assert home.doc["statistics"]["aggregated"]["batteryTo"] >= 50, "the reserve showed what it really draws"
    assert home.errors() == []


def test_the_power_that_was_learned_is_known_in_the_next_visit() -> None:
    home = Home(curve=FLAT).until("10T22:15").plug()
    home.box.watts = 5_000.0
    home.until("11T06:00").unplug().until("11T06:05").plug()
    home.boost(90)
    power = home.state.slots[0].learned.power_w
    assert power == pytest.approx(5_000.0)
    hours = (90 - home.doc["statistics"]["aggregated"]["batteryFrom"]) / 100 * 60 / 0.9 / (power * 0.98 / 1000)
    reached = home.outcome["minimumChargeTargetReachedAt"]
    assert reached[11:16] == f"{6 + int(hours + 5 / 60):02}:{int((hours + 5 / 60) * 60) % 60:02}"


def test_what_a_full_battery_draws_is_not_learned() -> None:
    home = Home(curve=FLAT, assumed=79, goal=100).until("10T22:15").plug().until("10T22:30")
    learned = home.state.slots[0].learned.power_w
    assert learned == pytest.approx(11_000.0)
    home.box.watts = 2_000.0
    home.until("10T23:30")
    assert home.state.slots[0].learned.power_w == learned


def planned_hours(home: Home) -> float:
    plan = home.state.slots[0].session.plan
    return sum((window.end - max(window.start, home.now)).total_seconds() / 3600 for window in plan)


def test_a_drop_of_the_real_power_in_the_night_makes_a_new_plan() -> None:
    home = Home(curve=FALLING, goal=60, reserve=40).until("10T22:15").plug().until("10T22:40")
    assert home.state.slots[0].session.kind == "REGULAR", "the reserve is full"
    needs_kwh = (60 - 40) / 100 * 60 / 0.9
    assert planned_hours(home) == pytest.approx(needs_kwh / 10.78, abs=0.25)
    home.box.watts = 5_500.0
    home.boost(41)
    home.until("10T23:15")
    assert home.state.slots[0].learned.power_w < 10_500.0
    home.until("11T06:00")
    pct = home.doc["statistics"]["aggregated"]["batteryTo"]
    assert planned_hours(home) == pytest.approx((60 - pct) / 100 * 60 / 0.9 / 5.5, abs=0.6)


def tells(home: Home, level: float) -> None:
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=level))


def test_the_efficiency_of_a_car_is_learned_from_its_own_levels() -> None:
    home = Home(curve=FLAT, assumed=None).until("10T22:14")
    tells(home, 20.0)
    home.until("10T22:15").plug()
    home.boost(80)
    home.until("10T23:15")
    tells(home, 20.0 + 11.0 * 0.8 / 60 * 100)
    home.until("11T00:15")
    tells(home, 20.0 + 22.0 * 0.8 / 60 * 100)
    home.unplug().until("11T00:20")
    learned = home.state.slots[0].learned.efficiency
    assert learned == pytest.approx(0.9 + 0.3 * (0.8 - 0.9), abs=0.001)
    assert home.state.slots[0].vehicle.efficiency == learned
    home.tell(home.configuration())
    assert home.state.slots[0].vehicle.efficiency == learned, "a reload of the configuration forgets nothing"


def test_a_short_visit_teaches_nothing_of_the_efficiency() -> None:
    home = Home(curve=FLAT, assumed=None).until("10T22:14")
    tells(home, 20.0)
    home.until("10T22:15").plug()
    home.boost(80)
    home.until("10T22:45")
    tells(home, 21.0)
    home.unplug().until("10T22:50")
    assert home.state.slots[0].learned.efficiency is None


def test_a_car_with_a_limit_of_its_own_below_the_target_is_planned_up_to_it() -> None:
    home = Home(curve=FLAT, goal=90).until("10T22:15").plug()
    home.tell(VehicleReported(vehicle_id=CAR, level_pct=60.0, limit_pct=80.0))
    (window,) = home.state.slots[0].session.plan
    assert window.wh == pytest.approx(20 / 100 * 60_000 / 0.9, abs=5)
    assert home.outcome["state"] == "OFF_TARGET"
    assert home.outcome["batteryLevelAtReadyBy"] == 80
    home.tell(VehicleReported(vehicle_id=CAR, limit_pct=95.0))
    assert home.outcome == ON_TARGET


def test_a_level_that_jumps_while_plugged_in_is_doubted_until_it_is_told_again() -> None:
    home = Home(curve=FLAT, assumed=None).until("10T22:14")
    tells(home, 40.0)
    home.until("10T22:15").plug()
    tells(home, 100.0)
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 40
    tells(home, 99.0)
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 99


@pytest.mark.parametrize("level", [65535.0, -1.0, 100.5])
def test_an_impossible_level_is_ignored(level: float) -> None:
    home = Home(curve=FLAT, assumed=None).until("10T22:14")
    tells(home, 40.0)
    tells(home, level)
    home.until("10T22:15").plug()
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 40


def test_a_battery_that_is_empty_all_at_once_is_not_believed() -> None:
    home = Home(curve=FLAT, assumed=None).until("10T22:00")
    tells(home, 40.0)
    home.until("10T22:14")
    tells(home, 0.0)
    home.until("10T22:15").plug()
    assert home.doc["statistics"]["aggregated"]["batteryTo"] == 40
