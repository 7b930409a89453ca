"""The command line itself: help, usage, exit codes, and what is imported when."""

import asyncio
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargerd import __version__, journal
from chargerd.cli.main import LISTED, main
from chargerd.clock import ScaledClock, SystemClock
from chargerd.errors import ChargingError, ConfigError

HEAVY = (
    "fastapi",
    "pydantic",
    "ocpp",
    "websockets",
    "uvicorn",
    "asyncio",
    "structlog",
    "chargerd.api",
    "chargerd.core",
)


def python(code: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=30, **options
    )


@pytest.mark.parametrize("argv", [["--help"], [], ["--version"], ["status", "--help"], ["sessions", "--limit", "0"]])
def test_help_and_clients_import_nothing_heavy(argv: list[str]) -> None:
    code = f"""
import sys
from chargerd.cli.main import main
main({argv!r})
heavy = [name for name in sys.modules if name.startswith({HEAVY!r})]
sys.exit(f"imported: {{heavy}}" if heavy else 0)
"""
    ran = python(code)
    assert (ran.returncode, ran.stderr if "imported" in ran.stderr else "") == (0, "")


def test_without_a_command_it_shows_the_help_and_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out = capsys.readouterr().out
    assert all(f"    {name} " in out for name in LISTED)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"chargerd {__version__}\n"


@pytest.mark.parametrize("name", [name for name in LISTED if name != "demo"])
def test_every_command_explains_itself_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert LISTED[name].summary in out
    assert f"example: {LISTED[name].example}" in out


@pytest.mark.parametrize(
    "argv",
    [
        ["dance"],
        ["session", "a", "b"],
        ["sessions", "--limit", "0"],
        ["sessions", "--limit", "many"],
        ["target", "--level", "0"],
        ["boost", "--level", "101"],
        ["boost", "--level", "½"],
        ["status", "--url", "ftp://x"],
        ["simulate"],
        ["run", "--clock", "soon"],
        ["run", "--log-level", "LOUD"],
        ["target", "zoe"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_said_on_standard_error(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    told = capsys.readouterr()
    assert (told.out, bool(told.err)) == ("", True)


def test_a_wrong_clock_is_told_with_what_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "--clock", "soon"])
    assert capsys.readouterr().err == (
        "chargerd: clock 'soon': expected START@SPEED[@ANCHOR], for example 2026-01-14T16:00:00Z@600\n"
    )


def test_an_unreadable_token_file_fails_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--token-file", str(tmp_path / "none")]) == 1
    assert "No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["--help", "sessions --help"])
def test_a_reader_that_leaves_early_is_no_error(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "chargerd.cli.main", *command.split()],
            check=False,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
        )
    finally:
        os.close(writing)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_terminal_without_the_letters_gets_others() -> None:
    code = "from chargerd.cli.text import bar; print(bar(1, 2, 8), '\\u2588')"
    main_first = "import sys; from chargerd.cli.main import main; main(['--version']); "
    ran = python(main_first + code, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert ran.stdout.splitlines()[1:] == ["#### ?"]


class Daemon:
    """Stands in for ``chargerd.app`` where only the call counts."""

    def __init__(self, ends: Callable[[], int]) -> None:
        self.ends = ends
        self.config: Path | None = None
        self.clock: object = None

    async def run_daemon(self, config: Path, clock: object) -> int:
        self.config, self.clock = config, clock
        await asyncio.sleep(0)
        return self.ends()


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], int]], Daemon]:
    monkeypatch.setattr(journal, "configure", lambda *_, **__: None)

    def install(ends: Callable[[], int]) -> Daemon:
        daemon = Daemon(ends)
        module = types.ModuleType("chargerd.app")
        module.run_daemon = daemon.run_daemon  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "chargerd.app", module)
        return daemon

    return install


def raising(fault: Exception) -> Callable[[], int]:
    def end() -> int:
        raise fault

    return end


Install = Callable[[Callable[[], int]], Daemon]


def test_run_gives_the_daemon_its_file_and_the_machines_clock(app: Install) -> None:
    daemon = app(lambda: 0)
    assert main(["run", "--config", "home.toml"]) == 0
    assert daemon.config == Path("home.toml")
    assert isinstance(daemon.clock, SystemClock)


def test_run_takes_an_accelerated_clock_and_the_default_file(app: Install) -> None:
    daemon = app(lambda: 0)
    main(["run", "--clock", "2026-01-14T16:00:00Z@600@1"])
    assert daemon.config == Path("/etc/chargerd/chargerd.toml")
    assert isinstance(daemon.clock, ScaledClock)
    assert (daemon.clock.speed, daemon.clock.anchor) == (600, 1)


@pytest.mark.parametrize(
    ("ends", "status", "told"),
    [
        (lambda: 1, 1, ""),
        (raising(ConfigError(("a.toml:1: x: y", "a.toml:2: z: w"))), 78, "a.toml:1: x: y\na.toml:2: z: w\n"),
        (raising(ChargingError("http.listen: cannot listen")), 1, "chargerd: http.listen: cannot listen\n"),
    ],
    ids=["its own status", "configuration", "other fault"],
)
def test_run_ends_as_the_daemon_ends(
    app: Install, ends: Callable[[], int], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app(ends)
    assert main(["run"]) == status
    assert capsys.readouterr().err == told


def test_being_interrupted_is_130_without_a_traceback(app: Install, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    app(interrupted)
    assert main(["run"]) == 130
    assert capsys.readouterr().err == ""


def test_check_prints_every_problem_on_a_line_and_exits_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[site]\nname = 1\ncolour = 'red'\n")
    assert main(["check", "--config", str(broken)]) == 78
    told = capsys.readouterr()
    assert told.out == ""
    assert all(line.startswith(f"{broken}:") for line in told.err.splitlines())
    assert len(told.err.splitlines()) >= 2


def test_check_of_a_file_that_is_not_there_exits_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(tmp_path / "none.toml")]) == 78
    assert "none.toml" in capsys.readouterr().err


def test_simulate_hands_over_to_the_simulator_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, object]] = []

    async def run(args: Any, clock: object) -> int:
        await asyncio.sleep(0)
        seen.append((args.identity, clock))
        return 3

    monkeypatch.setattr("chargerd_drivers.simulator.charge_point.run", run)
    given = ["simulate", "charge-point", "--identity", "garage", "--clock", "2026-01-14T16:00:00Z@60@5"]
    assert main(given) == 3
    ((identity, clock),) = seen
    assert identity == "garage"
    assert isinstance(clock, ScaledClock)
