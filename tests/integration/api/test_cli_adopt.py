"""``chargerd adopt`` against the real server: whom it lists, what it writes, and what it leaves alone."""

import asyncio
import json
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from api_harness import Daemon, daemon
from fake_desk import FakeDesk

from chargerd.cli.main import main
from chargerd.config import load_config

Ran = tuple[int, str, str]
Run = Callable[..., Awaitable[Ran]]
KNOCKED = (
    {
        "identity": "WALLBOX-2",
        "driver": "ocpp",
        "address": "192.168.1.20",
        "protocol": "OCPP 1.6",
        "vendor": "Acme",
        "model": "Box",
        "seenAt": "2025-06-10T19:00:00Z",
    },
    {"identity": "Bö\x1bx", "driver": "ocpp"},
)
GOOD = """\
[site]
timezone = "Europe/Berlin"
[tariff]
kind = "fixed"
price_per_kwh = 0.32
[[charger]]
id = "garage"
driver = "ocpp"
identity = "WALLBOX-1"
[[vehicle]]
id = "zoe"
battery_kwh = 52
charge_max_kw = 11"""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    async def run(running: Daemon, *argv: str) -> Ran:
        status = await asyncio.to_thread(main, ["adopt", *argv, "--url", running.url])
        out, err = capsys.readouterr()
        return status, out, err

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chargerd.toml"
    path.write_text(GOOD)
    path.chmod(0o640)
    return path


def desk(file: Path) -> FakeDesk:
    return FakeDesk(knocked=KNOCKED, configuration_file=str(file))


async def test_who_knocked_is_listed(run: Run, file: Path) -> None:
    async with daemon(desk(file)) as running:
        answer = await running.ask("GET", "/v1/pending-chargers")
        status, out, _ = await run(running)
    assert answer.json["data"][0]["address"] == "192.168.1.20"
    assert answer.json["configurationFile"] == str(file)
    assert status == 0
    assert "WALLBOX-2 192.168.1.20 Acme Box OCPP 1.6" in " ".join(out.split())
    assert "\x1b" not in out


async def test_nobody_is_said_to_be_nobody(run: Run) -> None:
    async with daemon() as running:
        assert (await run(running))[1] == "Nobody has knocked who is not in the configuration.\n"


async def test_an_adopted_charger_stands_in_the_file_and_the_daemon_reads_it(run: Run, file: Path) -> None:
    served = desk(file)
    async with daemon(served) as running:
        status, out, err = await run(running, "wallbox-2", "--id", "yard")
    assert (status, err, served.reloads) == (0, "", 1)
    assert "[[policy]]" in out
    assert file.read_text().startswith(GOOD)
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    adopted = load_config(file).chargers[1]
    assert (adopted.spec.charger_id, adopted.driver, adopted.options.identity) == ("yard", "ocpp", "WALLBOX-2")
    assert list(file.parent.iterdir()) == [file]


async def test_a_name_is_made_when_none_is_given(run: Run, file: Path) -> None:
    async with daemon(desk(file)) as running:
        _, out, _ = await run(running, "WALLBOX-2", "--json")
    assert json.loads(out) == {"id": "wallbox-2", "identity": "WALLBOX-2", "configurationFile": str(file)}


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        pytest.param(("WALLBOX-9",), 1, "who has: WALLBOX-2", id="has not knocked"),
        pytest.param(
            ("WALLBOX-2", "--id", "garage"), 78, '"garage" is the id of charger[0] already', id="name is taken"
        ),
        pytest.param(("WALLBOX-2", "--id", "a b"), 78, "charger[1].id", id="name that cannot be"),
        pytest.param(("WALLBOX-2", "--config", "/nowhere/chargerd.toml"), 1, "[[charger]]", id="no such file"),
    ],
)
async def test_what_cannot_be_adopted_changes_nothing(
    run: Run, file: Path, argv: tuple[str, ...], status: int, words: str
) -> None:
    served = desk(file)
    async with daemon(served) as running:
        ended, out, err = await run(running, *argv)
    assert (ended, out, served.reloads) == (status, "", 0)
    assert words in err
    assert file.read_text() == GOOD
    assert list(file.parent.iterdir()) == [file]


async def test_a_variable_that_only_the_daemon_has_does_not_hinder(run: Run, file: Path) -> None:
    file.write_text(GOOD.replace("WALLBOX-1", "${ONLY_THE_DAEMON_HAS_IT}"))
    async with daemon(desk(file)) as running:
        assert (await run(running, "WALLBOX-2"))[0] == 0
    assert 'identity = "WALLBOX-2"' in file.read_text()


async def test_a_reload_that_fails_says_why(run: Run, file: Path) -> None:
    served = desk(file)
    served.faults = ("chargerd.toml:1: site: nothing is right",)
    async with daemon(served) as running:
        answer = await running.ask("POST", "/v1/configuration/reload", {})
        status, _, err = await run(running, "WALLBOX-2")
    assert (answer.status, answer.json["detail"]) == (422, "chargerd.toml:1: site: nothing is right")
    assert (status, "nothing is right" in err) == (1, True)
