"""The same request sent twice is done once."""

import asyncio
from datetime import timedelta

import pytest
from api_harness import daemon
from fake_desk import NOW, POLICY, FakeDesk

from chargerd.api.idempotency import Answer, Idempotency
from chargerd.errors import StoreError

TARGET = f"/v1/policies/{POLICY}/session/target"
BOOST = {"type": "IMMEDIATE_START", "minimumChargeTarget": 70}


async def test_a_repeated_key_is_answered_alike_and_done_once() -> None:
    async with daemon() as running:
        first = await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
        second = await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
        assert len(running.desk.requests) == 1
    assert (first.status, second.status) == (200, 200)
    assert first.body == second.body
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


async def test_another_key_or_another_path_is_another_request() -> None:
    async with daemon() as running:
        await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
        await running.ask("PUT", TARGET, BOOST, idempotency_key="b")
        await running.ask("PUT", "/v1/vehicles/zoe/charge-state", {"batteryLevel": 41}, idempotency_key="a")
        assert len(running.desk.requests) == 3


async def test_a_key_with_another_body_is_422() -> None:
    async with daemon() as running:
        await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
        answer = await running.ask("PUT", TARGET, BOOST | {"minimumChargeTarget": 80}, idempotency_key="a")
        assert len(running.desk.requests) == 1
    assert (answer.status, answer.json["detail"]) == (422, "Idempotency-Key: it was used before with another body")


async def test_a_refusal_is_repeated_too() -> None:
    async with daemon(FakeDesk(refusal="no")) as running:
        await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
        running.desk.refusal = None
        answer = await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
    assert answer.status == 409


async def test_a_request_that_was_not_taken_may_be_tried_again_with_its_key() -> None:
    async with daemon(FakeDesk(fault=StoreError("disk full"))) as running:
        first = await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
        running.desk.fault = None
        second = await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
    assert (first.status, second.status) == (507, 200)


async def test_a_repetition_while_the_first_is_under_way_is_409() -> None:
    async with daemon(FakeDesk(gate=asyncio.Event())) as running, asyncio.TaskGroup() as group:
        first = group.create_task(running.ask("PUT", TARGET, BOOST, idempotency_key="a"))
        await running.desk.waiting.wait()
        second = await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
        assert running.desk.gate is not None
        running.desk.gate.set()
        assert (await first).status == 200
    assert second.status == 409


async def test_a_key_is_forgotten_after_24_hours_of_the_daemons_clock() -> None:
    async with daemon() as running:
        await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
        running.desk.time += timedelta(hours=24)
        within = await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
        running.desk.time += timedelta(seconds=1)
        beyond = await running.ask("PUT", TARGET, BOOST, idempotency_key="a")
    assert ("idempotency-replayed" in within.headers, "idempotency-replayed" in beyond.headers) == (True, False)


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_has_1_to_255_characters(key: str) -> None:
    async with daemon() as running:
        answer = await running.ask("PUT", TARGET, BOOST, idempotency_key=key)
        assert running.desk.requests == []
    assert answer.status == 400


def test_only_the_last_256_answers_are_kept() -> None:
    kept = Idempotency(lambda: NOW)
    for number in range(257):
        with kept.claim("PUT", "/", str(number).encode(), b"") as claim:
            claim.settle(Answer(200, (), b""))
    with kept.claim("PUT", "/", b"1", b"") as still_known, kept.claim("PUT", "/", b"0", b"") as forgotten:
        assert (still_known.answer, forgotten.answer) == (Answer(200, (), b""), None)
