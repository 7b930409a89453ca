"""Every way to be refused has its status, its problem document and its words."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from api_harness import Answer, daemon
from fake_desk import NOW, POLICY, SETTLED, FakeDesk

from chargerd.api.values import rfc3339
from chargerd.errors import ChargingError, StoreError

TARGET = f"/v1/policies/{POLICY}/session/target"
BOOST = {"type": "IMMEDIATE_START", "minimumChargeTarget": 70}
NOBODY = "00000000-0000-4000-8000-00000000dead"


def regular(**changes: Any) -> dict[str, Any]:
    return {"type": "REGULAR", "minimumChargeTarget": 90, "readyBy": "2025-06-11T08:00:00Z"} | changes


def problem_of(answer: Answer) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json
    assert document["status"] == answer.status
    assert document["type"] == "about:blank"
    assert document["title"]
    return document


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        ("GET", "/v1/nothing", None, "there is nothing at /v1/nothing"),
        ("GET", "/v1/policies/", None, "there is nothing at /v1/policies/"),
        ("GET", "/docs", None, "there is nothing at /docs"),
        ("GET", f"/v1/policies/{NOBODY}", None, f"there is no policy '{NOBODY}'"),
        ("GET", f"/v1/policies/{NOBODY}/session", None, f"there is no policy '{NOBODY}'"),
        ("GET", f"/v1/policies/{NOBODY}/session/explanation", None, f"there is no policy '{NOBODY}'"),
        ("PUT", f"/v1/policies/{NOBODY}/session/target", BOOST, f"there is no policy '{NOBODY}'"),
        ("DELETE", f"/v1/policies/{NOBODY}/session/target", None, f"there is no policy '{NOBODY}'"),
        ("GET", f"/v1/sessions/{NOBODY}", None, f"there is no settled session '{NOBODY}'"),
        ("GET", f"/v1/sessions/{NOBODY}/ledger", None, f"there is no settled session '{NOBODY}'"),
        ("GET", f"/v1/sessions/{NOBODY}/events", None, f"there is no session '{NOBODY}'"),
        ("GET", "/v1/chargers/cellar", None, "there is no charger 'cellar'"),
        ("GET", "/v1/vehicles/tesla", None, "there is no vehicle 'tesla'"),
        ("PUT", "/v1/vehicles/tesla/charge-state", {"batteryLevel": 41}, "there is no vehicle 'tesla'"),
    ],
)
async def test_what_is_not_there_is_404(method: str, path: str, body: Any, detail: str) -> None:
    async with daemon() as running:
        answer = await running.ask(method, path, body)
        assert running.desk.requests == []
    assert answer.status == 404
    assert problem_of(answer)["detail"] == detail


async def test_a_wrong_method_is_405_and_names_the_right_ones() -> None:
    async with daemon() as running:
        answer = await running.ask("POST", "/v1/policies", {})
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert problem_of(answer)["detail"] == "POST is not possible at /v1/policies"


@pytest.mark.parametrize(
    "body", [b"{", b'{"type":}', b"\xff\xfe", b"[" * 20_000], ids=["cut", "hole", "not UTF-8", "too deep"]
)
async def test_a_body_that_is_not_json_is_400(body: bytes) -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", TARGET, body)
    assert answer.status == 400
    assert "JSON" in problem_of(answer)["detail"]


LEVEL = "body.minimumChargeTarget"
READY = "body.readyBy"
NO_TIME = "expected an RFC 3339 time with a zone, for example 2025-06-11T07:00:00Z"


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        (None, "body", "Field required"),
        ({}, "body.type", "this key is missing; REGULAR or IMMEDIATE_START"),
        ({"type": "BOOST"}, "body.type", "expected REGULAR or IMMEDIATE_START"),
        ({"type": "IMMEDIATE_START"}, LEVEL, "Field required"),
        (BOOST | {"minimumChargeTarget": 0}, LEVEL, "Input should be greater than or equal to 1"),
        (BOOST | {"minimumChargeTarget": 101}, LEVEL, "Input should be less than or equal to 100"),
        (BOOST | {"minimumChargeTarget": "70"}, LEVEL, "expected a number"),
        (BOOST | {"minimumChargeTarget": True}, LEVEL, "expected a number"),
        (
            BOOST | {"minimumChargeTarget": 70.5},
            LEVEL,
            "Input should be a valid integer, got a number with a fractional part",
        ),
        (BOOST | {"readyBy": "2025-06-11T08:00:00Z"}, READY, "Extra inputs are not permitted"),
        ({"type": "REGULAR", "minimumChargeTarget": 90}, READY, "Field required"),
        (regular(readyBy="2025-06-11T08:00:00"), READY, NO_TIME),
        (regular(readyBy="tomorrow"), READY, NO_TIME),
        (regular(readyBy=1749628800), READY, NO_TIME),
        (regular(readyBy="2025-02-30T08:00:00Z"), READY, f"no such time; {NO_TIME}"),
        (regular(readyBy="0001-01-01T00:00:00+23:00"), READY, f"no such time; {NO_TIME}"),
        (regular(readyBy=rfc3339(NOW)), READY, "must be in the future; it is 2025-06-10T20:00:00Z now"),
        (
            regular(readyBy=rfc3339(NOW + timedelta(days=14, seconds=1))),
            READY,
            "must be within 14 days; it is 2025-06-10T20:00:00Z now",
        ),
    ],
)
async def test_a_target_that_cannot_be_meant_is_422_and_says_where(body: Any, path: str, message: str) -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", TARGET, body)
        assert running.desk.requests == []
    assert answer.status == 422
    assert {"path": path, "message": message} in problem_of(answer)["issues"]


@pytest.mark.parametrize("level", [-0.5, 100.5, "41", None, True])
async def test_a_battery_level_outside_0_to_100_is_422(level: Any) -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", "/v1/vehicles/zoe/charge-state", {"batteryLevel": level})
    assert answer.status == 422
    assert [issue["path"] for issue in problem_of(answer)["issues"]] == ["body.batteryLevel"]


TOLD_ONE = "expected at least one of batteryLevel, isPluggedIn, isCharging, chargeRate, chargeLimit, isAtHome"


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({}, "body", TOLD_ONE),
        ({"lastUpdated": rfc3339(NOW)}, "body", TOLD_ONE),
        ({"isPluggedIn": None}, "body.isPluggedIn", "expected true or false"),
        ({"isCharging": 1}, "body.isCharging", "expected true or false"),
        ({"isAtHome": "yes"}, "body.isAtHome", "expected true or false"),
        ({"chargeRate": -0.1}, "body.chargeRate", "Input should be greater than or equal to 0"),
        ({"chargeRate": 400.1}, "body.chargeRate", "Input should be less than or equal to 400"),
        ({"chargeLimit": 0}, "body.chargeLimit", "Input should be greater than or equal to 1"),
        ({"chargeLimit": 101}, "body.chargeLimit", "Input should be less than or equal to 100"),
        ({"isCharging": True, "power": 7}, "body.power", "Extra inputs are not permitted"),
        ({"isCharging": True, "lastUpdated": "2025-06-10T20:00:00"}, "body.lastUpdated", NO_TIME),
        ({"isCharging": True, "lastUpdated": None}, "body.lastUpdated", NO_TIME),
        (
            {"isCharging": True, "lastUpdated": rfc3339(NOW + timedelta(minutes=5, seconds=1))},
            "body.lastUpdated",
            "must not be in the future; it is 2025-06-10T20:00:00Z now",
        ),
        (
            {"isCharging": True, "lastUpdated": rfc3339(NOW - timedelta(days=7, seconds=1))},
            "body.lastUpdated",
            "must be within 7 days; it is 2025-06-10T20:00:00Z now",
        ),
    ],
)
async def test_telemetry_that_cannot_be_meant_is_422_and_says_where(body: Any, path: str, message: str) -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", "/v1/vehicles/zoe/charge-state", body)
        assert running.desk.requests == []
    assert answer.status == 422
    assert problem_of(answer)["issues"] == [{"path": path, "message": message}]


async def test_nan_is_not_a_battery_level() -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", "/v1/vehicles/zoe/charge-state", b'{"batteryLevel": NaN}')
    assert answer.status == 422


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("pageSize=0", "query.pageSize"),
        ("pageSize=201", "query.pageSize"),
        ("pageSize=many", "query.pageSize"),
        ("from=yesterday", "query.from"),
        ("to=2025-06-11", "query.to"),
        ("after=1&before=2", "query.before"),
        ("after=bogus", "query.after"),
        ("before=bogus", "query.before"),
    ],
)
async def test_a_list_query_that_cannot_be_meant_is_422_and_says_where(query: str, path: str) -> None:
    async with daemon() as running:
        answer = await running.ask("GET", f"/v1/sessions?{query}")
    assert answer.status == 422
    assert [issue["path"] for issue in problem_of(answer)["issues"]] == [path]


async def test_all_faults_of_a_body_are_told_at_once() -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", TARGET, regular(minimumChargeTarget=0, readyBy="soon", extra=1))
    assert {issue["path"] for issue in problem_of(answer)["issues"]} == {LEVEL, READY, "body.extra"}


async def test_a_refusal_of_the_core_is_409_in_its_words() -> None:
    async with daemon(FakeDesk(refusal="the charger cannot be controlled")) as running:
        answer = await running.ask("PUT", TARGET, BOOST)
    assert (answer.status, problem_of(answer)["detail"]) == (409, "the charger cannot be controlled")


@pytest.mark.parametrize(("method", "body"), [("PUT", BOOST), ("DELETE", None)])
async def test_a_request_that_could_not_be_stored_is_507(method: str, body: Any) -> None:
    async with daemon(FakeDesk(fault=StoreError("/var/lib/chargerd/chargerd.db: disk full"))) as running:
        answer = await running.ask(method, TARGET, body)
    assert answer.status == 507
    assert "not in force" in problem_of(answer)["detail"]
    assert "/var/lib" not in answer.body.decode()


async def test_a_request_that_nobody_could_decide_is_503() -> None:
    async with daemon(FakeDesk(fault=ChargingError("the loop has stopped"))) as running:
        answer = await running.ask("PUT", TARGET, BOOST)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert problem_of(answer)["detail"] == "the loop has stopped"


async def test_an_archive_that_cannot_be_read_is_503() -> None:
    desk = FakeDesk()
    desk.archive.fault = StoreError("malformed")
    async with daemon(desk) as running:
        answer = await running.ask("GET", f"/v1/sessions/{SETTLED}")
    assert answer.status == 503
    assert problem_of(answer)["detail"] == "the database cannot be read at present"


async def test_a_fault_of_ours_is_500_without_internals_and_is_in_the_journal(journal_text: io.StringIO) -> None:
    async with daemon(FakeDesk(fault=KeyError("secret internals"))) as running:
        answer = await running.ask("PUT", TARGET, BOOST)
        again = await running.ask("GET", "/healthz")
    assert (answer.status, again.status) == (500, 200)
    assert "secret internals" not in answer.body.decode()
    assert problem_of(answer)["detail"] == "a fault inside the daemon; its journal has the details"
    entries = [json.loads(line) for line in journal_text.getvalue().splitlines()]
    (fault,) = [entry for entry in entries if entry["PRIORITY"] <= 3]
    assert fault["CHARGERD_EVENT"] == "api.fault"
    assert "secret internals" in fault["CHARGERD_TRACEBACK"]


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
async def test_a_body_beyond_any_need_is_413(*, chunked: bool) -> None:
    headers = {"transfer_encoding": "chunked"} if chunked else {}
    body = b'{"x":"' + b"a" * 70_000 + b'"}'
    if chunked:
        body = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    async with daemon() as running:
        answer = await running.ask("PUT", TARGET, body, **headers)
    assert (answer.status, problem_of(answer)["detail"]) == (413, "at most 65536 bytes")


async def test_readyz_is_503_with_the_problems_until_ready() -> None:
    async with daemon(FakeDesk(is_ready=False, problems=("starting up", "no database"))) as running:
        answer = await running.ask("GET", "/readyz")
    document = problem_of(answer)
    assert answer.status == 503
    assert (document["ready"], document["problems"]) == (False, ["starting up", "no database"])
    assert document["detail"] == "starting up; no database"


@pytest.mark.parametrize("path", ["/v1/policies", "/v1/events", "/readyz", "/openapi.json", "/nothing"])
@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic s3cret", "s3cret", "Bearer "])
async def test_with_a_token_every_route_wants_it(path: str, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given}
    async with daemon(token=b"s3cret") as running:
        answer = await running.ask("GET", path, **headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "Authorization: Bearer" in problem_of(answer)["detail"]


async def test_the_token_opens_every_route_and_healthz_needs_none() -> None:
    async with daemon(token=b"s3cret") as running:
        opened = await running.ask("GET", "/v1/policies", authorization="Bearer s3cret")
        health = await running.ask("GET", "/healthz")
    assert (opened.status, health.status) == (200, 200)
