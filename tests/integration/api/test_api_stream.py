"""The stream of events, and how the server stops."""

import asyncio
import io

import pytest
from api_harness import daemon
from fake_desk import POLICY, SETTLED, FakeDesk, example

from chargerd.api import context as context_module
from chargerd.api.app import create_app
from chargerd.api.server import serve
from chargerd.contract import Change, PriceCurve
from chargerd.errors import ChargingError

BOOST = {"type": "IMMEDIATE_START", "minimumChargeTarget": 70}


async def test_a_stream_begins_with_all_current_documents() -> None:
    async with daemon() as running, running.stream() as stream:
        events = [await stream.event() for _ in range(3)]
        prices = await running.ask("GET", "/v1/prices")
    assert "content-type: text/event-stream; charset=utf-8" in stream.head.lower()
    assert [(event["event"], event["data"]["key"]) for event in events] == [
        ("session", POLICY),
        ("charger", "garage"),
        ("prices", "prices"),
    ]
    assert events[0]["data"]["document"] == example(1)
    assert events[1]["data"]["document"] == running.desk.chargers()[0]
    assert events[2]["data"]["document"] == prices.json


async def test_a_change_reaches_every_stream_with_an_id_of_its_own() -> None:
    async with daemon() as running, running.stream() as one, running.stream() as other:
        for stream in (one, other):
            for _ in range(3):
                await stream.event()
        await running.ask("PUT", f"/v1/policies/{POLICY}/session/target", BOOST)
        running.desk.tell(Change(topic="settled", key=SETTLED, document=example(3)))
        events = [await stream.event() for stream in (one, other) for _ in range(2)]
    assert [event["event"] for event in events] == ["session", "settled"] * 2
    assert events[0]["data"] == {"key": POLICY, "document": example(4)}
    assert events[1]["data"] == {"key": SETTLED, "document": example(3)}
    assert events[0]["id"] != events[1]["id"]


async def test_new_prices_come_whole_and_once_however_often_they_are_announced() -> None:
    async with daemon() as running, running.stream() as stream:
        for _ in range(3):
            await stream.event()
        running.desk.curve = PriceCurve(slots=running.desk.curve.slots[:1], currency="SEK")
        for _ in range(2):
            running.desk.tell(Change(topic="prices", key="prices", document={"slots": 1}))
        running.desk.tell(Change(topic="settled", key=SETTLED, document=example(3)))
        prices, following = await stream.event(), await stream.event()
    assert prices["data"]["document"]["currency"] == "SEK"
    assert len(prices["data"]["document"]["data"]) == 1
    assert following["event"] == "settled"


async def test_a_silent_stream_is_kept_alive_by_a_comment() -> None:
    async with daemon(keep_alive_s=0.01) as running, running.stream() as stream:
        for _ in range(3):
            await stream.event()
        assert await stream.chunk() == ": still here\n\n"
        assert await stream.chunk() == ": still here\n\n"


async def test_a_stream_whose_client_left_stops_listening_to_the_desk() -> None:
    desk = FakeDesk()
    async with daemon(desk) as running:
        async with running.stream() as stream:
            await stream.event()
            assert len(desk.listeners) == 1
        while desk.listeners:
            await running.ask("GET", "/healthz")


async def test_a_stream_ends_when_the_desk_has_no_more_to_tell() -> None:
    async with daemon() as running, running.stream() as stream:
        for _ in range(3):
            await stream.event()
        running.desk.tell(None)
        assert await stream.chunk() == ""


async def test_the_number_of_streams_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chargerd.api.routes_daemon.STREAMS_LIMIT", 1)
    async with daemon() as running, running.stream() as stream:
        await stream.event()
        refused = await running.ask("GET", "/v1/events")
    assert (refused.status, refused.json["detail"]) == (503, "1 event streams are open already")


async def test_streams_end_cleanly_when_the_server_is_cancelled() -> None:
    async with daemon() as running, running.stream() as stream:
        for _ in range(3):
            await stream.event()
        running.task.cancel()
        assert await stream.chunk() == ""
        await asyncio.wait([running.task])
        assert running.task.cancelled()


async def test_a_request_under_way_is_answered_503_when_the_server_is_cancelled() -> None:
    async with daemon(FakeDesk(gate=asyncio.Event())) as running, asyncio.TaskGroup() as group:
        asking = group.create_task(running.ask("PUT", f"/v1/policies/{POLICY}/session/target", BOOST))
        await running.desk.waiting.wait()
        running.task.cancel()
        answer = await asking
    assert answer.status == 503
    assert answer.json["detail"].startswith("the daemon stops; read the session")


async def test_a_decision_that_never_comes_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "DECISION_TIMEOUT_S", 0.01)
    async with daemon(FakeDesk(gate=asyncio.Event())) as running:
        answer = await running.ask("PUT", f"/v1/policies/{POLICY}/session/target", BOOST)
    assert answer.status == 503
    assert answer.json["detail"].startswith("no decision within 0.01 s")


async def test_a_connection_that_was_kept_open_gets_503_while_the_server_stops() -> None:
    app = create_app(FakeDesk(), token=None)
    app.state.context.closing.begin()
    bound: asyncio.Queue[int] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(app, "127.0.0.1", 0, on_listening=lambda _, port: bound.put_nowait(port)))
        reader, writer = await asyncio.open_connection("127.0.0.1", await bound.get())
        writer.write(b"GET /v1/policies HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 503")
        writer.close()
        await writer.wait_closed()
        serving.cancel()


async def test_an_address_in_use_is_said_in_one_line() -> None:
    async with daemon() as running:
        wanted = f"http.listen: cannot listen on 127.0.0.1:{running.port}: Address already in use"
        with pytest.raises(ChargingError) as raised:
            await serve(create_app(FakeDesk(), token=None), "127.0.0.1", running.port, on_listening=print)
    assert str(raised.value) == wanted


async def test_localhost_listens_on_every_address_with_one_port() -> None:
    bound: list[tuple[str, int]] = []
    listening = asyncio.Event()

    def note(host: str, port: int) -> None:
        bound.append((host, port))
        listening.set()

    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(create_app(FakeDesk(), token=None), "localhost", 0, on_listening=note))
        await listening.wait()
        serving.cancel()
    assert {host for host, _ in bound} <= {"127.0.0.1", "::1"}
    assert len({port for _, port in bound}) == 1


async def test_a_fault_in_a_stream_breaks_it_off_and_is_in_the_journal(
    monkeypatch: pytest.MonkeyPatch, journal_text: io.StringIO
) -> None:
    def broken(_: FakeDesk) -> tuple[()]:
        msg = "no chargers"
        raise KeyError(msg)

    monkeypatch.setattr(FakeDesk, "chargers", broken)
    async with daemon() as running:
        async with running.stream() as stream:
            await stream.event()
            with pytest.raises((asyncio.IncompleteReadError, ValueError)):
                await stream.chunk()
        assert (await running.ask("GET", "/healthz")).status == 200
    assert '"CHARGERD_EVENT":"api.fault"' in journal_text.getvalue()
