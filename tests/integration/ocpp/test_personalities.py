"""Chargers and cars as they are, from plug to unplug, through driver, core and database.

Each night is the same: plugged in before the cheap hour, held until then, charged to the target in it, paused after it.
"""

from pathlib import Path

import pytest

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


BOTH = ("amps-as-watts", "feigns-settings", "trigger-only-meter", "coarse-meter", "session-register")
OLD = (
    "token-only",
    "bare-values",
    "decimal-comma",
    "zero-meter-ends",
    "anonymous-samples",
    "offset-register",
    "kwh-meter",
    "watts-only",
    "relative-only",
    "clears-nothing",
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
)
EXACT = (*((name, "1.6") for name in (*BOTH, *OLD)), *((name, "2.0.1") for name in (*BOTH, *NEW)))


@pytest.mark.parametrize(("name", "version"), EXACT)
async def test_its_car_is_charged_in_the_cheap_hour_and_each_watt_hour_is_counted(
    tmp_path: Path, name: str, version: str
) -> None:
    async with garage(tmp_path, name, version=version, clock=HandClock(EVENING)) as it:
        document = await night(it)
        assert kwh(document) * 1000 == pytest.approx(it.station.session_wh, abs=0.5)
