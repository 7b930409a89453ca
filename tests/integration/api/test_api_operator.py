"""Requests by hand: what reaches the charger, what does not and why, and what the journal tells of it."""

import asyncio
import io
import json
from typing import Any

import pytest
from api_harness import Daemon, daemon
from fake_desk import FakeDesk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargerd.api.app import create_app
from chargerd.api.resources import OcppOverview, OperatorResult
from chargerd.contract import Faulted, NotSent, OperatorRequest, Responded, Withheld
from chargerd.errors import Unreachable

PATH = "/v1/chargers/garage/ocpp/GetConfiguration"


async def test_the_payload_goes_to_the_charger_and_its_answer_comes_back() -> None:
    desk = FakeDesk(answer=Responded({"configurationKey": [], "unknownKey": ["Foo"]}))
    async with daemon(desk) as running:
        answer = await running.ask("POST", PATH, {"key": ["Foo"]})
    assert (answer.status, answer.json) == (200, {"response": {"configurationKey": [], "unknownKey": ["Foo"]}})
    assert desk.operated == [
        OperatorRequest(
            charger_id="garage",
            action="GetConfiguration",
            payload={"key": ["Foo"]},
            asked_by="127.0.0.1, without a token",
        )
    ]


async def test_a_request_without_a_body_has_an_empty_payload() -> None:
    async with daemon() as running:
        answer = await running.ask("POST", "/v1/chargers/garage/ocpp/ClearCache")
    assert (answer.status, running.desk.operated[0].payload) == (200, {})


async def test_force_is_told_and_who_asks_with_the_token() -> None:
    async with daemon(token=b"secret") as running:
        refused = await running.ask("POST", PATH, {})
        answer = await running.ask("POST", f"{PATH}?force=true", {}, authorization="Bearer secret")
    assert (refused.status, answer.status) == (401, 200)
    [asked] = running.desk.operated
    assert (asked.is_forced, asked.asked_by) == (True, "127.0.0.1, with the token")


async def test_an_error_of_the_charger_is_its_answer() -> None:
    async with daemon(FakeDesk(answer=Faulted("NotSupported", "no such thing"))) as running:
        answer = await running.ask("POST", PATH, {})
    assert answer.status == 200
    assert answer.json == {"error": {"code": "NotSupported", "description": "no such thing"}}


@pytest.mark.parametrize(
    ("outcome", "status", "detail"),
    [
        (NotSent(Withheld.UNKNOWN, "OCPP 1.6 has no 'X'; it has Reset"), 404, "OCPP 1.6 has no 'X'; it has Reset"),
        (NotSent(Withheld.INVALID, "'Big' is no type", "type"), 422, "body.type: 'Big' is no type"),
        (NotSent(Withheld.INVALID, "'type' is required"), 422, "body: 'type' is required"),
        (NotSent(Withheld.DISTURBING, "it ends"), 409, "it ends. To send it all the same: ?force=true, or --force"),
        (Unreachable("garage: no answer to Reset within 60 s", timed_out=True), 504, "garage: no answer to Reset"),
        (Unreachable("garage: not connected"), 504, "garage: not connected"),
        (None, 404, "there is no OCPP connection of charger 'garage'"),
    ],
)
async def test_what_does_not_come_off_says_why(outcome: Any, status: int, detail: str) -> None:
    async with daemon(FakeDesk(answer=outcome)) as running:
        answer = await running.ask("POST", PATH, {})
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json["detail"].startswith(detail)


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b"7", b"{", b"[" * 20_000])
async def test_what_is_no_object_is_not_sent(body: bytes) -> None:
    async with daemon() as running:
        answer = await running.ask("POST", PATH, body)
    assert answer.status in {400, 422}
    assert running.desk.operated == []


async def test_a_page_in_a_browser_cannot_send_a_payload_past_its_own_rules() -> None:
    """Only what is not plain text makes a browser ask first, and nothing here allows it to go on."""
    async with daemon() as running:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = await running.ask("POST", PATH, b'{"type":"Hard"}', content_type=kind)
            assert answer.status == 422, kind
    assert running.desk.operated == []


async def test_a_charger_that_is_not_there_is_404() -> None:
    async with daemon() as running:
        answer = await running.ask("POST", "/v1/chargers/cellar/ocpp/Reset", {})
    assert (answer.status, answer.json["detail"]) == (404, "there is no charger 'cellar'")


async def test_half_a_character_of_a_charger_is_no_fault_of_ours(journal_text: io.StringIO) -> None:
    async with daemon(FakeDesk(answer=Responded({"info": "\ud800"}))) as running:
        answer = await running.ask("POST", PATH, {})
    assert (answer.status, answer.json) == (200, {"response": {"info": "\ud800"}})
    assert "TRACEBACK" not in journal_text.getvalue()


async def test_a_stop_of_the_daemon_waits_for_no_charger() -> None:
    desk = FakeDesk(gate=asyncio.Event())
    async with daemon(desk) as running:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(running.ask("POST", PATH, {}))
            await desk.waiting.wait()
            running.task.cancel()
        assert waiting.result().status == 503
        assert "the daemon stops" in waiting.result().json["detail"]


async def test_what_a_charger_may_be_asked_and_what_it_said_is_shown() -> None:
    message = {"action": "NotifyReport", "at": "2025-06-10T20:00:00Z", "payload": {"seqNo": 0, "text": "\ud800"}}
    shown = {"actions": ["Reset"], "messages": [message]}
    async with daemon(FakeDesk(overviews={"garage": shown})) as running:
        answer = await running.ask("GET", "/v1/chargers/garage/ocpp")
        nothing = await running.ask("GET", "/v1/chargers/cellar/ocpp")
    assert (answer.status, answer.json) == (200, shown)
    assert OcppOverview.model_validate(answer.json)
    assert nothing.status == 404


async def test_a_charger_without_requests_by_hand_has_no_overview() -> None:
    async with daemon() as running:
        answer = await running.ask("GET", "/v1/chargers/garage/ocpp")
    assert (answer.status, answer.json["detail"]) == (404, "there is no OCPP connection of charger 'garage'")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


async def test_any_request_gets_an_answer_that_is_described(journal_text: io.StringIO) -> None:
    """What schemas allow and what they do not: never a fault, always a documented status and shape."""
    desk = FakeDesk()
    operation = create_app(desk, token=None).openapi()["paths"]["/v1/chargers/{chargerId}/ocpp/{action}"]["post"]
    async with daemon(desk) as running:
        await asyncio.to_thread(_many, running, set(operation["responses"]))
    assert "TRACEBACK" not in journal_text.getvalue()


def _many(running: Daemon, statuses: set[str]) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(body=JSON, action=st.sampled_from(["Reset", "%00", "a%2Fb", "%F0%9F", "x" * 300]))
    def ask(body: Any, action: str) -> None:
        sent = json.dumps(body).encode()
        answer = running._ask("POST", f"/v1/chargers/garage/ocpp/{action}", sent, {"content-type": "application/json"})
        assert str(answer.status) in statuses
        if answer.status == 200:
            OperatorResult.model_validate(answer.json)

    ask()
