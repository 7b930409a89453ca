"""Raising a charger's security over the API and with ``chargerd secure``: what is asked, shown, and left undone."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from api_harness import Daemon, daemon
from fake_desk import FakeDesk

from chargerd.api.resources import ChargerSecurity
from chargerd.cli import secure
from chargerd.cli.main import main
from chargerd.contract import ChargerId, NotBegun, SecurityRequest

PATH = "/v1/chargers/garage/security"
AT = "2026-01-14T16:00:00Z"
PLAIN = {"profile": 0, "isOverTls": False, "hasPassword": False, "upgrade": None}
Ran = tuple[int, str, str]
Run = Callable[..., Awaitable[Ran]]


def upgrade(state: str, *words: str, advice: str = "") -> dict[str, Any]:
    ended = AT if state in {"DONE", "FAILED"} else None
    steps = [{"at": AT, "words": one} for one in words]
    asked = {"profile": 2, "newPassword": True, "newCertificate": False, "startedAt": AT}
    return {**PLAIN, "upgrade": {"state": state, **asked, "endedAt": ended, "steps": steps, "advice": advice}}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(secure, "LOOK_S", 0.001)

    async def run(running: Daemon, *argv: str) -> Ran:
        status = await asyncio.to_thread(main, ["secure", *argv, "--url", running.url])
        out, err = capsys.readouterr()
        return status, out, err

    return run


async def test_what_is_asked_for_is_begun_and_shown() -> None:
    desk = FakeDesk(securities=[upgrade("PREPARING")])
    async with daemon(desk) as running:
        answer = await running.ask("POST", f"{PATH}?force=true", {"profile": 2, "newPassword": True})
    assert (answer.status, answer.json) == (202, upgrade("PREPARING"))
    ChargerSecurity.model_validate(answer.json)
    assert desk.secured == [
        SecurityRequest(
            charger_id=ChargerId("garage"),
            asked_by="127.0.0.1, without a token",
            profile=2,
            new_password=True,
            is_forced=True,
        )
    ]


@pytest.mark.parametrize(
    ("withheld", "detail"),
    [
        (NotBegun("this gateway has no TLS"), "this gateway has no TLS"),
        (
            NotBegun("a car is plugged in", is_forcible=True),
            "a car is plugged in. To begin all the same: ?force=true, or --force",
        ),
    ],
)
async def test_what_stands_in_the_way_is_told(withheld: NotBegun, detail: str) -> None:
    async with daemon(FakeDesk(securities=[PLAIN], withheld=withheld)) as running:
        answer = await running.ask("POST", PATH, {"profile": 2})
    assert (answer.status, answer.json["detail"]) == (409, detail)


@pytest.mark.parametrize("body", [{"profile": 4}, {"interface": "eth0"}, {"newPassword": "yes"}, {"password": "x"}])
async def test_a_wish_that_means_nothing_is_refused(body: dict[str, Any]) -> None:
    async with daemon(FakeDesk(securities=[PLAIN])) as running:
        answer = await running.ask("POST", PATH, body)
        assert running.desk.secured == []
    assert answer.status == 422


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_charger_that_is_not_there_or_has_no_such_thing_is_not_found(method: str) -> None:
    async with daemon() as running:
        for path in (PATH, "/v1/chargers/yard/security"):
            answer = await running.ask(method, path, None if method == "GET" else {"profile": 1})
            assert answer.status == 404


async def test_secure_tells_each_step_and_what_to_do_now(run: Run) -> None:
    shown = [
        PLAIN,
        upgrade("CHANGING", "one"),
        upgrade("CHANGING", "one", "two"),
        upgrade("DONE", "one", "two", "three", advice="Keep a copy."),
    ]
    desk = FakeDesk(securities=shown)
    async with daemon(desk) as running:
        status, out, err = await run(running, "garage", "--profile", "2", "--new-password", "--interface", "Wireless0")
    assert (status, out, err) == (0, "one\ntwo\nthree\nKeep a copy.\n", "")
    [asked] = desk.secured
    assert (asked.profile, asked.new_password, asked.interface, asked.is_forced) == (2, True, "Wireless0", False)


async def test_secure_fails_with_what_was_last_said(run: Run) -> None:
    ended = upgrade("FAILED", "one", "it is not what was asked for", advice="What opened before opens still.")
    async with daemon(FakeDesk(securities=[ended])) as running:
        status, out, err = await run(running, "garage", "--new-certificate", "--certificates-installed", "--force")
        shown, spelled, _ = await run(running, "garage", "--new-certificate", "--json")
    assert (status, err) == (1, "chargerd: garage: it is not what was asked for\n")
    assert out.endswith("What opened before opens still.\n")
    assert (shown, json.loads(spelled)) == (1, ended)
    asked = running.desk.secured[0]
    assert (asked.new_certificate, asked.is_trusting, asked.is_forced) == (True, True, True)


async def test_secure_without_a_wish_shows_how_the_charger_comes_in(run: Run) -> None:
    done = {**upgrade("DONE", "one", advice="Keep a copy."), "profile": None}
    async with daemon(FakeDesk(securities=[PLAIN, done, PLAIN])) as running:
        first, second, third = [await run(running, "garage", *more) for more in ((), (), ("--json",))]
        assert running.desk.secured == []
    assert first[:2] == (0, "garage comes in without a password that is asked for.\n")
    assert second[1].splitlines() == [
        "garage is not connected.",
        f"The last upgrade began at {AT}: DONE.",
        f"  {AT}  one",
        "  Keep a copy.",
    ]
    assert json.loads(third[1]) == PLAIN
