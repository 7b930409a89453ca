"""``chargerd ocpp`` and ``chargerd doctor`` against the real server: what they ask, print, and exit with."""

import asyncio
import io
import json
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from api_harness import Daemon, daemon
from fake_desk import NOW, FakeDesk, policy

from chargerd.cli.main import main
from chargerd.contract import Faulted, NotSent, Responded, Withheld
from chargerd.errors import Unreachable

Ran = tuple[int, str, str]
Run = Callable[..., Awaitable[Ran]]


@pytest.fixture(autouse=True)
def _terminal_in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


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


async def test_doctor_prints_a_line_for_each_thing_and_what_can_be_done(run: Run) -> None:
    async with daemon(FakeDesk(time=NOW)) as running:
        status, out, err = await run(running, "doctor", "garage")
    assert (status, err) == (1, "")
    assert out.splitlines()[:4] == [
        "garage",
        "  reached                  connected, last heard Tue 20:00",
        "  accepted                 OCPP 1.6 ACME Box, firmware 1.2",
        "  plug                     a car is plugged in; it says CHARGING",
    ]
    assert "  stop            UNKNOWN  not tried yet; --test-charge tries it with a car plugged in" in out.splitlines()
    policy, remedy = out.splitlines()[-2:]
    assert policy.startswith("  policy          PROBLEM  START_FAIL: zoe should have been charging since 01:00")
    assert policy.endswith("It is tried again at 01:06.")
    assert remedy == "                           -> Look at garage: see what it shows, or switch it off and on."


async def test_doctor_for_a_program_and_for_a_charger_that_there_is_not(run: Run) -> None:
    async with daemon() as running:
        status, out, _ = await run(running, "doctor", "--json")
        unknown = await run(running, "doctor", "cellar")
    [report] = json.loads(out)["data"]
    assert (status, report["id"]) == (1, "garage")
    assert report["findings"][0] == {
        "check": "reached",
        "verdict": "OK",
        "words": report["findings"][0]["words"],
        "remedy": None,
    }
    assert unknown == (2, "", "chargerd: no charger is called cellar; there is garage\n")


async def test_doctor_tries_one_charger_at_a_time(run: Run) -> None:
    desk = FakeDesk(configured=(policy(), policy("aaaaaaaa-0000-4000-8000-000000000002", charger="drive")))
    async with daemon(desk) as running:
        status, _, err = await run(running, "doctor", "--test-charge")
    assert (status, err) == (2, "chargerd: doctor: name the charger to be tested: garage, drive\n")
