"""Chargers with an odd connection, memory or configuration, from plug to unplug, through driver, core and database."""

from pathlib import Path

import pytest

from chargerd.contract import OperatorRequest, Responded
from tests.integration.ocpp.ocpp_garage import Garage, garage
from tests.integration.ocpp.ocpp_house import HandClock, Json
from tests.support.home import GARAGE

HOUR_S = 3600


def counts_all(it: Garage, document: Json) -> None:
    """Every Wh of the visit, and of one visit only."""
    wh = document["statistics"]["aggregated"]["kwhSum"] * 1000
    assert wh == pytest.approx(it.station.session_wh, abs=0.5)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_charger_that_never_answers_a_start_charges_and_nothing_is_started_twice(
    tmp_path: Path, version: str
) -> None:
    async with garage(tmp_path, "never-answers-start", version=version, call_timeout_s=0.05) as it:
        await it.plug()
        await it.home.boost()
        await it.pass_s(600)
        assert it.power_w > 0
        assert it.count("transaction-started") == 1
        document = await it.unplug()
        assert it.errors == set()
        counts_all(it, document)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_charger_that_goes_deaf_after_two_hours_is_sent_away_and_stopped_and_started(
    tmp_path: Path, version: str
) -> None:
    async with garage(tmp_path, "zombie", version=version, call_timeout_s=0.05) as it:
        await it.plug()
        await it.home.boost()
        await it.pass_s(3 * HOUR_S)
        assert it.power_w > 0
        await it.home.unboost()
        await it.pass_s(900)
        assert it.power_w == 0
        assert it.count("offline") >= 1
        await it.pass_s(3 * HOUR_S)
        await it.home.boost()
        await it.pass_s(900)
        assert it.power_w > 0
        counts_all(it, await it.unplug())


async def test_a_transaction_that_began_without_a_connection_and_is_told_later_by_the_id_minus_one_counts_once(
    tmp_path: Path,
) -> None:
    async with garage(tmp_path, "offline-replayer", clock=HandClock("10T20:00")) as it:
        await it.drop(away_s=2 * HOUR_S)
        await it.pass_s(HOUR_S)
        plugged_at = it.home.clock.time
        await it.plug()
        await it.pass_s(HOUR_S + 600)
        assert it.home.state.facts.online
        assert it.power_w == 0, "held since it is back"
        assert it.home.doc["pluggedInAt"] == plugged_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        document = await it.unplug()
        assert len(await it.home.settled()) == 1
        counts_all(it, document)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_charger_that_forgets_its_limits_without_a_connection_is_paused_again_when_it_is_back(
    tmp_path: Path, version: str
) -> None:
    async with garage(tmp_path, "free-when-offline", version=version) as it:
        await it.plug()
        await it.home.boost()
        await it.pass_s(300)
        await it.home.unboost()
        await it.pass_s(120)
        assert it.power_w == 0
        await it.drop(away_s=900)
        await it.pass_s(600)
        assert it.power_w > 0, "free"
        await it.pass_s(300 + 180)  # it is back, has told of the past, and its next sample told of now
        assert it.home.state.facts.online
        assert it.power_w == 0
        document = await it.unplug()
        assert it.errors == set()
        counts_all(it, document)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_limit_of_another_central_system_is_gone_before_the_first_car_charges(
    tmp_path: Path, version: str
) -> None:
    async with garage(tmp_path, "stale-profile", version=version) as it:
        await it.plug()
        await it.home.boost()
        await it.pass_s(300)
        assert it.current_a > 15
        counts_all(it, await it.unplug())


async def test_a_setting_at_which_a_charger_restarts_is_left_out_and_its_cars_are_charged(tmp_path: Path) -> None:
    async with garage(tmp_path, "deadly-key") as it:
        await it.pass_s(1200)
        restarts = it.count("offline")
        assert 1 <= restarts <= 3
        await it.plug()
        await it.home.boost()
        await it.pass_s(600)
        assert it.power_w > 0
        document = await it.unplug()
        assert it.count("offline") == restarts
        assert it.errors == set()
        counts_all(it, document)


async def test_a_report_without_an_end_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with garage(tmp_path, "endless-report", version="2.0.1") as it:
        payload = {"requestId": 1, "reportBase": "FullInventory"}
        ask = OperatorRequest(charger_id=GARAGE, action="GetBaseReport", payload=payload, asked_by="test")
        answer = await it.home.driver.ask(ask)
        assert isinstance(answer, Responded)
        assert answer.payload["status"] == "Accepted"
        await it.plug()
        await it.home.boost()
        await it.pass_s(300)
        assert it.power_w > 0
        messages = it.home.driver.overview(GARAGE)["messages"]
        assert [one["action"] for one in messages if one["action"] == "NotifyReport"]
        counts_all(it, await it.unplug())


async def test_a_station_that_takes_one_variable_per_message_is_set_up_all_the_same(tmp_path: Path) -> None:
    async with garage(tmp_path, "one-item", version="2.0.1") as it:
        assert it.station.settings.count("MeterValueSampleInterval") == 60
        await it.plug()
        await it.home.boost()
        await it.pass_s(600)
        assert it.home.state.facts.capabilities.reports_power
        counts_all(it, await it.unplug())


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_transaction_that_goes_on_over_a_restart_is_one_visit(tmp_path: Path, version: str) -> None:
    async with garage(tmp_path, "persists-over-restart", version=version) as it:
        await it.plug()
        await it.home.boost()
        await it.pass_s(600)
        kind = "Hard" if version == "1.6" else "Immediate"
        ask = OperatorRequest(
            charger_id=GARAGE, action="Reset", payload={"type": kind}, asked_by="test", is_forced=True
        )
        await it.home.driver.ask(ask)
        await it.pass_s(900)
        assert it.count("transaction-started") == 1
        assert it.power_w > 0
        await it.home.unboost()
        await it.pass_s(120)
        assert it.power_w == 0
        document = await it.unplug()
        assert len(await it.home.settled()) == 1
        assert it.errors == set()
        counts_all(it, document)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_charger_that_restarts_at_an_early_request_never_gets_one(tmp_path: Path, version: str) -> None:
    async with garage(tmp_path, "boots-on-early-call", version=version) as it:
        await it.plug()
        await it.home.boost()
        await it.pass_s(600)
        assert it.count("offline") == 0
        assert it.power_w > 0


OTHERS = (
    ("authorize-first", "1.6"),
    ("available-while-plugged", "1.6"),
    ("available-while-plugged", "2.0.1"),
    ("available-before-stop", "1.6"),
    ("skewed-clock", "1.6"),
    ("skewed-clock", "2.0.1"),
    ("forgets-at-restart", "1.6"),
)


@pytest.mark.parametrize(("name", "version"), OTHERS)
async def test_its_car_is_charged_paused_and_charged_again_and_each_watt_hour_is_counted(
    tmp_path: Path, name: str, version: str
) -> None:
    async with garage(tmp_path, name, version=version) as it:
        await it.plug()
        for _ in range(2):
            await it.home.boost()
            await it.pass_s(360)
            assert it.power_w > 0
            await it.home.unboost()
            await it.pass_s(360)
            assert it.power_w == 0
        document = await it.unplug()
        assert len(await it.home.settled()) == 1
        assert it.errors == set()
        counts_all(it, document)
