"""Every route answers over a real socket with what the desk has."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from api_harness import daemon
from fake_desk import CURRENT, LEDGER, NOW, POLICY, SETTLED, UNMANAGED, FakeDesk, example, explanation, policy

from chargerd.contract import (
    ImmediateStartRequested,
    OverrideCancelled,
    PageQuery,
    ScheduleOverrideRequested,
    VehicleReported,
)

TARGET = f"/v1/policies/{POLICY}/session/target"


async def test_lists_policies_as_configured_and_says_that_they_are_read_only() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", "/v1/policies")
    weekday = {"readyBy": "07:00", "minimumChargeTarget": 50}
    assert answer.status == 200
    assert answer.json == {
        "data": [
            {
                "id": POLICY,
                "chargerId": "garage",
                "vehicleId": "zoe",
                "batteryReserve": 20,
                "assumedBatteryLevelAtPlugIn": None,
                "schedule": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), weekday) | {"sat": None, "sun": None},
                "readOnly": True,
            }
        ]
    }


async def test_finds_a_policy_by_its_id_in_upper_case_too() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", f"/v1/policies/{POLICY.upper()}")
    assert (answer.status, answer.json["id"]) == (200, POLICY)


async def test_gives_the_current_session_document_with_its_keys_in_order() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", f"/v1/policies/{POLICY}/session")
    assert answer.body.decode() == json.dumps(example(1), separators=(",", ":"))
    assert answer.headers["cache-control"] == "no-store"


async def test_gives_the_explanation_of_the_session_as_the_desk_does() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", f"/v1/policies/{POLICY.upper()}/session/explanation")
    assert answer.body.decode() == json.dumps(explanation(), separators=(",", ":"))
    assert answer.headers["cache-control"] == "no-store"


async def test_an_immediate_start_becomes_an_event_and_the_answer_is_the_new_document() -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", TARGET, {"type": "IMMEDIATE_START", "minimumChargeTarget": 70})
        (event,) = running.desk.requests
    assert answer.json == example(4)
    assert isinstance(event, ImmediateStartRequested)
    assert (event.policy_id, event.minimum_charge_target) == (POLICY, 70)


async def test_a_schedule_override_arrives_in_utc_whatever_zone_it_was_sent_in() -> None:
    body = {"type": "REGULAR", "minimumChargeTarget": 90, "readyBy": "2025-06-11T10:00:00+02:00"}
    async with daemon() as running:
        answer = await running.ask("PUT", TARGET, body)
        (event,) = running.desk.requests
    assert answer.json == example(5)
    assert isinstance(event, ScheduleOverrideRequested)
    assert event.ready_by == datetime(2025, 6, 11, 8, tzinfo=UTC)


async def test_deleting_the_target_brings_back_the_policys_own() -> None:
    async with daemon() as running:
        await running.ask("PUT", TARGET, {"type": "IMMEDIATE_START", "minimumChargeTarget": 70})
        answer = await running.ask("DELETE", TARGET)
        assert isinstance(running.desk.requests[-1], OverrideCancelled)
    assert answer.json == example(1)


async def test_every_request_has_a_reply_to_of_its_own() -> None:
    async with daemon() as first, daemon() as second:
        for running in (first, first, second):
            await running.ask("DELETE", TARGET)
        events = [*first.desk.requests, *second.desk.requests]
    assert len({event.reply_to for event in events if isinstance(event, OverrideCancelled)}) == 3


async def test_a_settled_session_is_served_byte_for_byte_as_it_was_stored() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", f"/v1/sessions/{SETTLED}")
        stored = running.desk.archive.texts[SETTLED]
    assert answer.body == stored.encode()
    assert answer.headers["content-type"] == "application/json"


async def test_a_page_splices_the_stored_texts_in_as_they_are() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", "/v1/sessions")
        stored = ",".join(running.desk.archive.texts.values())
    assert answer.body.decode() == f'{{"data":[{stored}],"pagination":{{"after":null,"before":null}}}}'


async def test_cursors_lead_to_the_older_page_and_back() -> None:
    async with daemon() as running:
        first = (await running.ask("GET", "/v1/sessions?pageSize=1")).json
        second = (await running.ask("GET", f"/v1/sessions?pageSize=1&after={first['pagination']['after']}")).json
        back = (await running.ask("GET", f"/v1/sessions?pageSize=1&before={second['pagination']['before']}")).json
    assert [page["data"][0]["id"] for page in (first, second, back)] == [UNMANAGED, SETTLED, UNMANAGED]
    assert second["pagination"]["after"] is None


async def test_filters_of_the_session_list_reach_the_archive() -> None:
    query = (
        f"policyId={POLICY.upper()}&chargerId=garage&vehicleId=zoe"
        "&from=2025-06-01T00:00:00Z&to=2025-07-01T00:00:00%2B02:00&pageSize=200"
    )
    async with daemon() as running:
        answer = await running.ask("GET", f"/v1/sessions?{query}")
        (asked,) = running.desk.archive.asked
    assert answer.status == 200
    assert asked == PageQuery(
        policy_id=POLICY,
        charger_id=policy().charger_id,
        vehicle_id=policy().vehicle_id,
        start=datetime(2025, 6, 1, tzinfo=UTC),
        end=datetime(2025, 6, 30, 22, tzinfo=UTC),
        page_size=200,
    )


async def test_the_ledger_is_the_stored_array_under_data() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", f"/v1/sessions/{SETTLED}/ledger")
    assert answer.body.decode() == f'{{"data":{LEDGER}}}'


@pytest.mark.parametrize(("session", "messages"), [(SETTLED, ["plugged in", "settled"]), (CURRENT, ["waiting"])])
async def test_tells_what_happened_in_a_settled_and_in_a_current_session(session: str, messages: list[str]) -> None:
    async with daemon() as running:
        answer = await running.ask("GET", f"/v1/sessions/{session}/events")
    assert [entry["message"] for entry in answer.json["data"]] == messages
    assert answer.json["data"][0] == {
        "at": "2025-06-10T20:00:00Z",
        "event": "session.state",
        "level": "INFO",
        "message": messages[0],
        "chargerId": "garage",
        "sessionId": SETTLED,
    }


async def test_a_settled_session_without_a_log_has_an_empty_one() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", f"/v1/sessions/{UNMANAGED}/events")
    assert (answer.status, answer.json) == (200, {"data": []})


@pytest.mark.parametrize("kind", ["chargers", "vehicles"])
async def test_chargers_and_vehicles_are_served_as_the_desk_gives_them(kind: str) -> None:
    desk = FakeDesk(configured=(policy(), policy("aaaaaaaa-0000-4000-8000-000000000002", charger="b", vehicle="c")))
    given = list(desk.chargers() if kind == "chargers" else desk.vehicles())
    async with daemon(desk) as running:
        listed = await running.ask("GET", f"/v1/{kind}")
        second = await running.ask("GET", f"/v1/{kind}/{given[1]['id']}")
    assert listed.json == {"data": given}
    assert second.json == given[1]


async def test_a_battery_level_that_was_read_off_becomes_an_event_of_now() -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", "/v1/vehicles/zoe/charge-state", {"batteryLevel": 41})
        (event,) = running.desk.requests
    assert answer.json["batteryLevel"] == 41
    assert isinstance(event, VehicleReported)
    assert (event.vehicle_id, event.level_pct, event.measured_at) == ("zoe", 41, NOW)


async def test_telemetry_becomes_one_event_in_the_units_of_the_core() -> None:
    body = {
        "batteryLevel": 41.5,
        "isPluggedIn": True,
        "isCharging": True,
        "chargeRate": 45.2,
        "chargeLimit": 80,
        "isAtHome": False,
        "lastUpdated": "2025-06-10T21:58:00+02:00",
    }
    async with daemon() as running:
        answer = await running.ask("PUT", "/v1/vehicles/zoe/charge-state", body)
        (event,) = running.desk.requests
    assert answer.status == 200
    assert isinstance(event, VehicleReported)
    assert event == VehicleReported(
        vehicle_id=event.vehicle_id,
        level_pct=41.5,
        plugged=True,
        charging=True,
        power_w=45_200,
        limit_pct=80,
        at_home=False,
        measured_at=datetime(2025, 6, 10, 19, 58, tzinfo=UTC),
        reply_to=event.reply_to,
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"isPluggedIn": False}, {"plugged": False}),
        ({"chargeRate": 0}, {"power_w": 0}),
        ({"isAtHome": True, "lastUpdated": "2025-06-10T20:05:00Z"}, {"at_home": True}),
        ({"chargeLimit": 100, "lastUpdated": "2025-06-03T20:00:00Z"}, {"limit_pct": 100}),
    ],
    ids=["a falsehood", "nothing flows", "5 minutes ahead", "a week old"],
)
async def test_what_a_car_does_not_tell_stays_unsaid(body: dict[str, Any], told: dict[str, Any]) -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", "/v1/vehicles/zoe/charge-state", body)
        (event,) = running.desk.requests
    assert answer.status == 200
    assert isinstance(event, VehicleReported)
    assert event == VehicleReported(
        vehicle_id=event.vehicle_id, measured_at=event.measured_at, reply_to=event.reply_to, **told
    )


async def test_prices_are_decimal_strings_without_exponents() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", "/v1/prices")
    assert answer.json["currency"] == "EUR"
    assert answer.json["fetchedAt"] == "2025-06-10T20:00:00Z"
    assert [slot["pricePerKwh"] for slot in answer.json["data"]] == ["0.1026", "-0.0100", "0.0000001"]


async def test_prices_of_a_stretch_are_the_slots_that_overlap_it() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", "/v1/prices?from=2025-06-10T21:30:00Z&to=2025-06-10T22:00:00Z")
    (slot,) = answer.json["data"]
    assert (slot["startAt"], slot["endAt"]) == ("2025-06-10T21:00:00Z", "2025-06-10T22:00:00Z")


async def test_healthz_answers_while_the_daemon_is_not_ready() -> None:
    async with daemon(FakeDesk(is_ready=False)) as running:
        answer = await running.ask("GET", "/healthz")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


async def test_readyz_tells_the_daemons_own_time_and_what_is_wrong() -> None:
    async with daemon(FakeDesk(problems=("prices are a day old",))) as running:
        answer = await running.ask("GET", "/readyz")
    assert answer.status == 200
    assert answer.json == {
        "ready": True,
        "problems": ["prices are a day old"],
        "version": "0.1.0",
        "startedAt": "2025-06-10T20:00:00Z",
        "now": "2025-06-10T20:00:00Z",
        "chargersOnline": 1,
        "chargers": 1,
    }
