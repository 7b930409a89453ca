"""What of a vehicle's own telemetry can be true, and of when it is."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from chargerd.core import telemetry
from chargerd.core.events import VehicleReported
from chargerd.core.model import VehicleFacts
from tests.support.home import CAR, utc

NOW = utc("10T22:00")
TOLD = VehicleFacts(
    limit_pct=80,
    plugged=True,
    plugged_at=utc("10T20:00"),
    charging=True,
    power_w=7000,
    at_home=True,
    told_at=utc("10T21:00"),
)


def report(facts: VehicleFacts = TOLD, measured_at: datetime | None = None, **told: Any) -> VehicleFacts:
    return telemetry.told(facts, VehicleReported(vehicle_id=CAR, measured_at=measured_at, **told), NOW)


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        pytest.param(None, "10T22:00", id="no-time-means-now"),
        pytest.param("10T21:30", "10T21:30", id="its-own-time"),
        pytest.param("10T22:01", "10T22:00", id="the-future-means-now"),
    ],
)
def test_when_a_report_was_true(measured: str | None, expected: str) -> None:
    event = VehicleReported(vehicle_id=CAR, measured_at=None if measured is None else utc(measured))
    assert telemetry.told_at(event, NOW) == utc(expected)


@pytest.mark.parametrize(
    ("told", "changes"),
    [
        pytest.param({"charging": False}, {"charging": False}, id="charging"),
        pytest.param({"power_w": 0.0}, {"power_w": 0.0}, id="power"),
        pytest.param({"at_home": False}, {"at_home": False}, id="place"),
        pytest.param({"plugged": False}, {"plugged": False, "plugged_at": NOW}, id="plug"),
        pytest.param({"plugged": True}, {}, id="the-same-plug"),
    ],
)
def test_each_field_stands_for_itself(told: dict[str, Any], changes: dict[str, Any]) -> None:
    assert report(**told) == replace(TOLD, told_at=NOW, **changes)


def test_a_plug_is_in_since_its_first_report() -> None:
    first = report(VehicleFacts(), utc("10T21:30"), plugged=True)
    assert (first.plugged, first.plugged_at, first.told_at) == (True, utc("10T21:30"), utc("10T21:30"))
    assert report(first, plugged=True).plugged_at == utc("10T21:30")


@pytest.mark.parametrize("told", [{"limit_pct": 90.0}, {"level_pct": 50.0}, {}], ids=["limit", "level", "nothing"])
def test_a_report_that_says_nothing_of_its_state_leaves_open_when_that_was(told: dict[str, Any]) -> None:
    facts = report(**told)
    assert facts.told_at == TOLD.told_at
    assert facts == replace(TOLD, limit_pct=told.get("limit_pct", 80))


@pytest.mark.parametrize(
    ("measured", "power_w"),
    [pytest.param("10T20:59:59", 7000, id="overtaken"), pytest.param("10T21:00", 1, id="as-new-as-the-last")],
)
def test_a_report_that_a_newer_one_has_overtaken_changes_nothing(measured: str, power_w: float) -> None:
    facts = report(TOLD, utc(measured), power_w=1.0, limit_pct=70)
    assert facts.power_w == power_w
    assert (facts == TOLD) is (power_w == 7000)


def level(pct: float, *, known: float | None = 50, doubted: float | None = None) -> tuple[VehicleFacts, bool]:
    facts = VehicleFacts(level_pct=known, level_at=utc("10T21:00"), doubted_pct=doubted)
    return telemetry.with_level(facts, pct, NOW)


@pytest.mark.parametrize(
    ("pct", "known", "doubted"),
    [
        pytest.param(40, 50, None, id="another-level"),
        pytest.param(1, 50, None, id="nearly-empty"),
        pytest.param(0, None, None, id="empty-and-nothing-was-known"),
        pytest.param(0, 5, None, id="empty-after-nearly-empty"),
        pytest.param(0, 50, 0, id="empty-told-twice"),
        pytest.param(60, 50, 0, id="after-one-that-was-doubted"),
    ],
)
def test_a_level_is_believed(pct: float, known: float | None, doubted: float | None) -> None:
    expected = VehicleFacts(level_pct=pct, level_at=NOW)
    assert level(pct, known=known, doubted=doubted) == (expected, True)


@pytest.mark.parametrize("doubted", [None, 90], ids=["first", "after-another-that-was-doubted"])
def test_a_level_that_falls_to_zero_is_doubted(doubted: float | None) -> None:
    expected = VehicleFacts(level_pct=5.1, level_at=utc("10T21:00"), doubted_pct=0)
    assert level(0, known=5.1, doubted=doubted) == (expected, False)
