"""The journal: what a line holds, for a person and for a program."""

import io
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from chargerd import journal
from chargerd.contract import ChargerId, Note, NoteLevel, PolicyId, SessionId, TransactionId
from chargerd.journal import Once

NOW = datetime(2026, 1, 14, 16, 0, 5, 250000, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def real_seconds(self, seconds: float) -> float:
        return seconds


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("NO_COLOR", "1")
    time.tzset()
    yield
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)
    monkeypatch.undo()
    time.tzset()


def log() -> Any:
    return structlog.get_logger("chargerd.test")


def test_json_has_the_journals_field_names_and_the_clocks_time() -> None:
    stream = io.StringIO()
    journal.configure(stream, "json", clock=FixedClock())
    log().info("session.state", message="plugged in", charger="garage", policy_id="p", transaction="77", limit_a=16.0)
    assert json.loads(stream.getvalue()) == {
        "TIME": "2026-01-14T16:00:05.250Z",
        "PRIORITY": 6,
        "MESSAGE": "plugged in",
        "CHARGERD_EVENT": "session.state",
        "CHARGERD_CHARGER": "garage",
        "CHARGERD_POLICY": "p",
        "CHARGERD_TRANSACTION": "77",
        "CHARGERD_LIMIT_A": 16.0,
    }


def test_a_line_for_a_person_has_time_level_message_and_fields() -> None:
    stream = io.StringIO()
    journal.configure(stream, "pretty", clock=FixedClock())
    log().warning("ocpp.odd", message="status came late", charger="garage")
    assert stream.getvalue() == "2026-01-14 16:00:05  WARNING   status came late  (ocpp.odd)  charger=garage\n"


def test_an_event_without_a_message_is_its_own() -> None:
    pretty, as_json = io.StringIO(), io.StringIO()
    journal.configure(pretty, "pretty", clock=FixedClock())
    log().info("ocpp.frame")
    journal.configure(as_json, "json", clock=FixedClock())
    log().info("ocpp.frame")
    assert pretty.getvalue().endswith("INFO      ocpp.frame\n")
    assert json.loads(as_json.getvalue())["MESSAGE"] == "ocpp.frame"


@pytest.mark.parametrize(("stream", "is_json"), [(io.StringIO(), True), (Terminal(), False)], ids=["pipe", "terminal"])
def test_auto_is_readable_on_a_terminal_and_json_elsewhere(stream: io.StringIO, *, is_json: bool) -> None:
    journal.configure(stream, "auto", clock=FixedClock())
    log().info("x")
    assert stream.getvalue().startswith("{") == is_json


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, coloured = Terminal(), Terminal()
    journal.configure(plain, clock=FixedClock())
    log().error("x")
    monkeypatch.delenv("NO_COLOR")
    journal.configure(coloured, clock=FixedClock())
    log().error("x")
    assert ("\x1b" in plain.getvalue(), "\x1b[31mERROR" in coloured.getvalue()) == (False, True)


@pytest.mark.parametrize(("level", "priority"), [("debug", 7), ("info", 6), ("warning", 4), ("error", 3)])
def test_levels_are_syslog_numbers(level: str, priority: int) -> None:
    stream = io.StringIO()
    journal.configure(stream, "json", "DEBUG", clock=FixedClock())
    getattr(log(), level)("x")
    assert json.loads(stream.getvalue())["PRIORITY"] == priority


def test_what_is_under_the_level_is_not_written() -> None:
    stream = io.StringIO()
    journal.configure(stream, "json", "WARNING", clock=FixedClock())
    log().info("x")
    log().warning("y")
    assert [json.loads(line)["MESSAGE"] for line in stream.getvalue().splitlines()] == ["y"]


@pytest.mark.parametrize("style", ["json", "pretty"])
def test_nothing_that_a_charger_sends_can_forge_a_line(style: journal.Style) -> None:
    stream = io.StringIO()
    journal.configure(stream, style, clock=FixedClock())
    log().info("ocpp.boot", message="vendor\n2026 ERROR forged", model="\x1b[2Jx")
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("style", ["json", "pretty"])
@pytest.mark.parametrize("key", ["token", "password", "authorization"])
def test_a_secret_is_never_written(style: journal.Style, key: str) -> None:
    stream = io.StringIO()
    journal.configure(stream, style, clock=FixedClock())
    log().info("http.request", **{key: "hunter2"})
    assert "hunter2" not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_an_exception_brings_its_traceback() -> None:
    as_json, pretty = io.StringIO(), io.StringIO()
    for stream, style in ((as_json, "json"), (pretty, "pretty")):
        journal.configure(stream, style, clock=FixedClock())  # type: ignore[arg-type]
        try:
            {}["gone"]
        except KeyError:
            log().exception("api.fault", message="it broke")
    assert json.loads(as_json.getvalue())["CHARGERD_TRACEBACK"].endswith("KeyError: 'gone'")
    assert pretty.getvalue().splitlines()[0].endswith("ERROR     it broke  (api.fault)")
    assert pretty.getvalue().splitlines()[-1] == "KeyError: 'gone'"


def test_a_note_of_the_core_is_one_entry_with_all_it_names() -> None:
    stream = io.StringIO()
    journal.configure(stream, "json", clock=FixedClock())
    journal.write_note(
        Note(
            name="session.error",
            message="charging is due and does not start",
            level=NoteLevel.ERROR,
            charger_id=ChargerId("garage"),
            policy_id=PolicyId("p"),
            session_id=SessionId("s"),
            transaction_id=TransactionId("77"),
            error="START_FAIL",
        )
    )
    assert json.loads(stream.getvalue()) == {
        "TIME": "2026-01-14T16:00:05.250Z",
        "PRIORITY": 3,
        "MESSAGE": "charging is due and does not start",
        "CHARGERD_EVENT": "session.error",
        "CHARGERD_CHARGER": "garage",
        "CHARGERD_POLICY": "p",
        "CHARGERD_SESSION": "s",
        "CHARGERD_TRANSACTION": "77",
        "CHARGERD_ERROR": "START_FAIL",
    }


def test_a_note_leaves_out_what_it_does_not_name() -> None:
    stream = io.StringIO()
    journal.configure(stream, "json", clock=FixedClock())
    journal.write_note(Note(name="daemon.up", message="up"))
    assert set(json.loads(stream.getvalue())) == {"TIME", "PRIORITY", "MESSAGE", "CHARGERD_EVENT"}


def test_warnings_of_libraries_are_in_the_journal_and_their_chatter_is_not() -> None:
    stream = io.StringIO()
    journal.configure(stream, "json", "DEBUG", clock=FixedClock())
    journal.configure(stream, "json", "DEBUG", clock=FixedClock())
    logging.getLogger("uvicorn.error").info("started")
    logging.getLogger("uvicorn.error").warning("odd %s", "request")
    (entry,) = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (entry["PRIORITY"], entry["MESSAGE"]) == (4, "odd request")
    assert (entry["CHARGERD_EVENT"], entry["CHARGERD_LIBRARY"]) == ("library.log", "uvicorn.error")


def test_a_librarys_exception_brings_its_traceback() -> None:
    stream = io.StringIO()
    journal.configure(stream, "json", clock=FixedClock())
    logging.getLogger("asyncio").error("task failed", exc_info=ValueError("lost"))
    assert json.loads(stream.getvalue())["CHARGERD_TRACEBACK"] == "ValueError: lost"


def test_the_daemon_goes_on_when_its_journal_cannot_be_written() -> None:
    stream = io.StringIO()
    journal.configure(stream, "json", clock=FixedClock())
    stream.close()
    log().error("x")
    assert stream.closed


def test_a_condition_is_told_once_until_it_changes() -> None:
    once = Once()
    told = [once.changed("charger.offline", "garage", reason) for reason in ("lost", "lost", "refused", "refused")]
    assert told == [True, False, True, False]


def test_conditions_are_kept_apart_by_name_and_key() -> None:
    once = Once()
    assert [once.changed(*slot) for slot in (("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"))] == [
        True,
        True,
        True,
        False,
    ]


def test_the_end_of_a_condition_is_worth_telling_only_if_its_beginning_was() -> None:
    once = Once()
    once.changed("charger.offline", "garage")
    assert [once.over("charger.offline", "garage") for _ in range(2)] == [True, False]
    assert once.changed("charger.offline", "garage")


def test_what_knocks_under_ever_new_names_does_not_fill_the_memory() -> None:
    once = Once()
    for number in range(1025):
        once.changed("unknown", str(number))
    assert [once.changed("unknown", "1"), once.changed("unknown", "0")] == [False, True]
