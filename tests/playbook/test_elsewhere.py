"""Visits elsewhere: what a car's own telemetry tells of charging away from home becomes an unmanaged session."""

import pytest

from tests.support.home import POLICY
from tests.support.two_cars import CAR, VAN, TwoCars


def morning() -> TwoCars:
    home = TwoCars(now=TwoCars().now.replace(hour=14, minute=0))
    home.until("10T14:30")
    return home


def charges(home: TwoCars, until: str, *, power_w: float, every: int = 5) -> None:
    """Telemetry every few minutes up to a time."""
    hour, minute = int(until[3:5]), int(until[6:8])
    while (home.now.hour, home.now.minute) < (hour, minute):
        at = home.now.hour * 60 + home.now.minute + every
        home.until(f"10T{at // 60:02}:{at % 60:02}")
        home.hears(CAR, charging=True, power_w=power_w)


def test_a_public_fast_charge_becomes_the_published_seventh_example() -> None:
    home = morning()
    home.hears(CAR, level_pct=30.0, plugged=True, charging=True, power_w=20_000.0, at_home=False)
    charges(home, "10T15:25", power_w=20_000.0)
    assert home.settled == []
    assert home.doc["state"] == "UPCOMING", "the policy goes on waiting for the car"
    home.until("10T15:45")
    home.hears(CAR, level_pct=62.0, plugged=False, charging=False, power_w=0.0)
    (visit,) = home.settled
    doc = visit.document
    assert (visit.policy_id, visit.charger_id, visit.vehicle_id) == (None, None, CAR)
    assert list(doc) == [
        "id",
        "policyId",
        "state",
        "pluggedInAt",
        "pluggedOutAt",
        "blocks",
        "statistics",
        "target",
        "outcome",
        "error",
    ]
    assert doc["policyId"] is None
    assert doc["state"] == "SETTLED"
    assert doc["pluggedInAt"] == "2025-06-10T14:30:00Z"
    assert doc["pluggedOutAt"] == "2025-06-10T15:45:00Z"
    assert doc["blocks"] == []
    assert doc["target"] == doc["outcome"] == doc["error"] == {"latest": None}
    aggregated = doc["statistics"]["aggregated"]
    assert (aggregated["batteryFrom"], aggregated["batteryTo"]) == (30, 62)
    assert aggregated["kwhSum"] == pytest.approx(20 * 65 / 60, abs=0.1), "with half of it in the end"
    assert [entry["startAt"][11:16] for entry in doc["statistics"]["timeseries"]] == [
        "14:30",
        "14:45",
        "15:00",
        "15:15",
        "15:30",
    ]
    assert doc["statistics"]["timeseries"][0]["kwh"] == pytest.approx(20.0, abs=0.1)
    assert home.doc["state"] == "UPCOMING"
    assert "session.unmanaged" in home.notes()


def test_the_level_tells_the_energy_where_the_car_tells_no_power() -> None:
    home = morning()
    home.hears(CAR, level_pct=30.0, plugged=True, charging=True, at_home=False)
    home.until("10T15:00")
    home.hears(CAR, level_pct=48.0)
    home.until("10T15:30")
    home.hears(CAR, level_pct=60.0, plugged=False, charging=False)
    (visit,) = home.settled
    assert visit.document["statistics"]["aggregated"] == {"kwhSum": 20.0, "batteryFrom": 30, "batteryTo": 60}
    assert {row["quality"] for row in visit.ledger if row["wh"]} == {"estimated"}


def test_a_car_that_charges_at_home_is_no_visit_elsewhere() -> None:
    home = TwoCars().until("10T22:15").plug().until("10T22:16")
    home.hears(CAR, plugged=True, charging=True, power_w=11_000.0, at_home=True)
    home.until("10T22:30")
    home.hears(CAR, plugged=True, charging=True, power_w=11_000.0)
    home.unplug().until("10T22:35")
    assert [visit.policy_id for visit in home.settled] == [POLICY]


def test_a_plug_in_at_home_that_the_car_told_first_is_that_plug_in() -> None:
    home = morning()
    home.hears(CAR, plugged=True, charging=True, power_w=7000.0)
    home.until("10T14:31").plug()
    home.hears(CAR, plugged=True, charging=True, power_w=7000.0)
    home.until("10T14:40").unplug().until("10T14:45")
    home.hears(CAR, plugged=False, charging=False)
    assert [visit.policy_id for visit in home.settled] == [POLICY]


def test_a_visit_elsewhere_that_nobody_ends_ends_after_a_day_of_silence() -> None:
    home = morning()
    home.hears(CAR, level_pct=30.0, plugged=True, charging=True, power_w=7000.0, at_home=False)
    charges(home, "10T14:50", power_w=7000.0)
    home.until("11T14:49")
    assert home.settled == []
    home.until("11T14:50")
    (visit,) = home.settled
    assert visit.document["pluggedOutAt"] == "2025-06-10T14:50:00Z"


def test_a_car_that_is_home_again_has_ended_its_visit() -> None:
    home = morning()
    home.hears(CAR, level_pct=30.0, plugged=True, charging=True, power_w=7000.0, at_home=False)
    charges(home, "10T15:00", power_w=7000.0)
    home.until("10T16:00").plug().until("10T16:01")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    (visit,) = home.settled
    assert visit.policy_id is None
    assert visit.document["pluggedOutAt"] == "2025-06-10T15:00:00Z"


def test_both_cars_may_be_away_at_once_and_old_telemetry_changes_nothing() -> None:
    home = morning()
    home.hears(CAR, plugged=True, charging=True, power_w=7000.0, at_home=False)
    home.hears(VAN, plugged=True, charging=True, power_w=3000.0, at_home=False)
    home.until("10T14:45")
    home.hears(CAR, charging=True, power_w=7000.0)
    home.hears(CAR, at="10T14:40", plugged=False)
    assert home.settled == []
    home.hears(VAN, charging=True, power_w=3000.0)
    home.hears(CAR, plugged=False)
    home.hears(VAN, plugged=False)
    assert [visit.vehicle_id for visit in home.settled] == [CAR, VAN]
    assert [visit.document["statistics"]["aggregated"]["kwhSum"] for visit in home.settled] == [1.75, 0.75]
