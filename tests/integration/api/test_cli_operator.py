"""``chargerd ocpp`` against the real server: what it asks for, prints, and exits with."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable

import pytest
from api_harness import Daemon, daemon
from fake_desk import FakeDesk

from chargerd.cli.main import main
from chargerd.contract import Faulted, NotSent, Responded, Withheld
from chargerd.errors import Unreachable

Ran = tuple[int, str, str]
Run = Callable[..., Awaitable[Ran]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    async def run(running: Daemon, *argv: str) -> Ran:
        status = await asyncio.to_thread(main, [*argv, "--url", running.url])
        out, err = capsys.readouterr()
        return status, out, err

    return run


async def test_ocpp_sends_the_request_and_prints_the_answer(run: Run) -> None:
    desk = FakeDesk(answer=Responded({"configurationKey": [{"key": "A\u00e4\x1b", "readonly": True}]}))
    async with daemon(desk) as running:
        status, out, err = await run(running, "ocpp", "garage", "GetConfiguration", '{"key": ["A"]}')
    assert (status, err) == (0, "")
    assert json.loads(out) == {"configurationKey": [{"key": "A\u00e4\x1b", "readonly": True}]}
    assert "\x1b" not in out
    [asked] = desk.operated
    assert (asked.charger_id, asked.action, asked.payload, asked.is_forced) == (
        "garage",
        "GetConfiguration",
        {"key": ["A"]},
        False,
    )


async def test_ocpp_force_and_a_payload_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"type": "Soft"}'))
    async with daemon() as running:
        status, out, _ = await run(running, "ocpp", "garage", "Reset", "-", "--force", "--json")
    assert (status, json.loads(out)) == (0, {"response": {"status": "Accepted"}})
    [asked] = running.desk.operated
    assert (asked.payload, asked.is_forced) == ({"type": "Soft"}, True)


@pytest.mark.parametrize(
    ("outcome", "err"),
    [
        (Faulted("NotSupported", "glued"), "chargerd: garage answered with an error: NotSupported glued\n"),
        (Faulted("NotSupported", ""), "chargerd: garage answered with an error: NotSupported\n"),
        (NotSent(Withheld.UNKNOWN, "it has Reset"), "chargerd: it has Reset\n"),
        (NotSent(Withheld.INVALID, "no type", "type"), "chargerd: body.type: no type\n"),
        (
            NotSent(Withheld.DISTURBING, "it ends"),
            "chargerd: it ends. To send it all the same: ?force=true, or --force\n",
        ),
        (Unreachable("garage: not connected"), "chargerd: garage: not connected\n"),
    ],
)
async def test_ocpp_says_what_did_not_come_off(run: Run, outcome: object, err: str) -> None:
    async with daemon(FakeDesk(answer=outcome)) as running:  # type: ignore[arg-type]
        assert await run(running, "ocpp", "garage", "Reset", '{"type":"Soft"}') == (1, "", err)


@pytest.mark.parametrize("payload", ["{", "[1]", "7"])
async def test_ocpp_sends_no_payload_that_is_no_object(run: Run, payload: str) -> None:
    async with daemon() as running:
        status, _, err = await run(running, "ocpp", "garage", "Reset", payload)
    assert status == 2
    assert err.startswith("chargerd: ocpp: the payload is ")
    assert running.desk.operated == []


async def test_ocpp_can_name_only_one_charger_and_one_action(run: Run) -> None:
    async with daemon() as running:
        status, _, err = await run(running, "ocpp", "../policies", "a/../../Reset")
    assert (status, err) == (1, "chargerd: there is nothing at /v1/chargers/../policies/ocpp/a/../../Reset\n")
    assert running.desk.operated == []
