"""The API describes itself, truly."""

import json
import re
from typing import Any

import pytest
from api_harness import daemon
from fake_desk import FakeDesk, explanation

from chargerd.api.app import create_app
from chargerd.api.explanation import Explanation

METHODS = {
    ("get", "/v1/policies"),
    ("get", "/v1/policies/{policyId}"),
    ("get", "/v1/policies/{policyId}/session"),
    ("get", "/v1/policies/{policyId}/session/explanation"),
    ("put", "/v1/policies/{policyId}/session/target"),
    ("delete", "/v1/policies/{policyId}/session/target"),
    ("get", "/v1/sessions"),
    ("get", "/v1/sessions/{sessionId}"),
    ("get", "/v1/sessions/{sessionId}/ledger"),
    ("get", "/v1/sessions/{sessionId}/events"),
    ("get", "/v1/chargers"),
    ("get", "/v1/chargers/{chargerId}"),
    ("post", "/v1/chargers/{chargerId}/charging"),
    ("delete", "/v1/chargers/{chargerId}/charging"),
    ("get", "/v1/chargers/{chargerId}/security"),
    ("post", "/v1/chargers/{chargerId}/security"),
    ("get", "/v1/chargers/{chargerId}/ocpp"),
    ("post", "/v1/chargers/{chargerId}/ocpp/{action}"),
    ("get", "/v1/pending-chargers"),
    ("post", "/v1/configuration/reload"),
    ("get", "/v1/vehicles"),
    ("get", "/v1/vehicles/{vehicleId}"),
    ("put", "/v1/vehicles/{vehicleId}/charge-state"),
    ("get", "/v1/prices"),
    ("get", "/v1/events"),
    ("get", "/healthz"),
    ("get", "/readyz"),
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return create_app(FakeDesk(), token=None).openapi()


def operations(schema: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {
        (method, path): operation for path, methods in schema["paths"].items() for method, operation in methods.items()
    }


async def test_is_served_as_openapi_3_1() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", "/openapi.json")
    assert (answer.status, answer.json["openapi"]) == (200, "3.1.0")


def test_names_every_route_and_no_other(schema: dict[str, Any]) -> None:
    assert set(operations(schema)) == METHODS


def test_every_error_is_a_problem_document(schema: dict[str, Any]) -> None:
    problem = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
    for operation in operations(schema).values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert response["content"] == {"application/problem+json": problem}


def test_documents_the_refusals_of_the_target(schema: dict[str, Any]) -> None:
    target = operations(schema)["put", "/v1/policies/{policyId}/session/target"]
    assert {"400", "404", "409", "422", "507"} <= set(target["responses"])
    assert [parameter["name"] for parameter in target["parameters"]] == ["policyId", "Idempotency-Key"]


def test_says_that_kwh_of_the_series_is_a_rate_in_kw(schema: dict[str, Any]) -> None:
    description = schema["components"]["schemas"]["TimeseriesEntry"]["properties"]["kwh"]["description"]
    assert "in kW" in description
    assert "in spite of its name" in description


def test_every_member_of_the_session_document_is_described(schema: dict[str, Any]) -> None:
    schemas = schema["components"]["schemas"]
    for name in ("CurrentSession", "RegularTarget", "SessionBlock", "AggregatedStatistics", "TimeseriesEntry"):
        for key, member in schemas[name]["properties"].items():
            told = member if "$ref" not in member else schemas[member["$ref"].rsplit("/", 1)[-1]]
            assert key == "type" or told.get("description"), f"{name}.{key}"


def test_every_reason_and_every_refuser_is_named_and_the_reasons_explained(schema: dict[str, Any]) -> None:
    reason, refuser = (schema["components"]["schemas"][name] for name in ("Reason", "Refuser"))
    assert all(f"- {name}: " in reason["description"] for name in reason["enum"])
    assert {"WAITING_FOR_CHEAPER_HOURS", "START_FAILED", "CAR_FULL"} <= set(reason["enum"])
    assert refuser["enum"] == ["CHARGER", "VEHICLE", "NETWORK", "AUTHORISATION"]


def test_the_explanation_that_is_served_is_the_one_that_is_described() -> None:
    served = explanation()
    assert Explanation.model_validate(served).model_dump(mode="json", by_alias=True) == served


def test_what_may_be_told_of_a_car_is_described_and_may_be_left_out_but_not_null(schema: dict[str, Any]) -> None:
    told = schema["components"]["schemas"]["ChargeStateRequest"]
    assert "required" not in told
    assert {key: member["type"] for key, member in told["properties"].items()} == {
        "batteryLevel": "number",
        "isPluggedIn": "boolean",
        "isCharging": "boolean",
        "chargeRate": "number",
        "chargeLimit": "number",
        "isAtHome": "boolean",
        "lastUpdated": "string",
    }
    assert all(member["description"] and "default" not in member for member in told["properties"].values())
    assert (told["properties"]["chargeRate"]["minimum"], told["properties"]["chargeRate"]["maximum"]) == (0, 400)


def test_refers_to_nothing_that_is_not_there(schema: dict[str, Any]) -> None:
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema)))
    assert referred == set(schema["components"]["schemas"])


def test_operations_have_speaking_names(schema: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(schema).values()]
    assert {"getCurrentSession", "explainSession", "getSettledSession", "listSettledSessions", "setTarget"} <= set(
        names
    )
    assert len(set(names)) == len(names)


def test_only_a_settled_session_has_an_id(schema: dict[str, Any]) -> None:
    schemas = schema["components"]["schemas"]
    assert "id" in schemas["SettledSession"]["required"]
    assert "id" not in schemas["CurrentSession"]["properties"]


def test_a_token_shows_in_every_operation_but_healthz() -> None:
    schema = create_app(FakeDesk(), token=b"x").openapi()
    for (_, path), operation in operations(schema).items():
        assert ("security" in operation, "401" in operation["responses"]) == (path != "/healthz",) * 2
    assert schema["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
