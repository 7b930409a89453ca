"""``chargerd replay``: what is printed of a recording, and what is said when something is wrong with it."""

import json
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.support.home import Home

from chargerd.cli.main import main
from chargerd.core.decide import Decision, decide
from chargerd.core.events import Event
from chargerd.core.model import State
from chargerd.recording import files
from chargerd.recording.lines import Why, dump_decision, dump_snapshot

Told = tuple[int, list[str], list[str]]
Replayed = Callable[..., Told]


def recorded(home: Home) -> list[str]:
    """Spell the story of a home as its recording."""
    events = iter(home.history)
    at, event = next(events)
    state = Home(now=at).state
    lines = [dump_snapshot(state, Why.STARTED)]
    for moment, happened in [(at, event), *events]:
        decision = decide(state, happened, moment)
        lines.append(dump_decision(state, happened, moment, decision))
        state = decision.state
    return lines


@pytest.fixture(scope="module")
def night() -> list[str]:
    return recorded(Home().until("10T22:15").plug().until("11T02:30").unplug().until("11T02:45"))


@pytest.fixture
def replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Replayed:
    """Write lines to a file, run it, and return the exit status with what was printed and said."""

    def run(lines: list[str], *options: str) -> Told:
        path = tmp_path / "night.jsonl.gz"
        path.unlink(missing_ok=True)
        files.append(path, lines)
        status = main(["replay", str(path), *options])
        told = capsys.readouterr()
        return status, told.out.splitlines(), told.err.replace(str(tmp_path), "").splitlines()

    return run


def test_a_recording_is_told_event_by_event_and_found_identical(night: list[str], replayed: Replayed) -> None:
    status, out, err = replayed(night)
    assert (status, err) == (0, [])
    assert out[0] == "--- 2025-06-10T20:00:00Z  garage: the daemon started (chargerd 0.1.0)"
    assert "2025-06-10T22:15:00Z  status_reported plugged=true activity=EV_CONNECTED fault=-" in out
    plugged = out.index("2025-06-10T22:15:00Z  status_reported plugged=true activity=EV_CONNECTED fault=-")
    assert out[plugged + 1] == "    note INFO session.state: car: ACTIVE:REGULAR"
    assert any(line.startswith("    start_transaction command_id=") for line in out)
    assert any(line.startswith("    store_settled session_id=") and "document={...}" in line for line in out)
    assert "2025-06-10T20:00:00Z  prices_updated curve={15 slots}" in out
    assert out[-1].startswith(f"{len(night) - 1} events in 6 h 31 min, 2025-06-10T20:00:00Z - 2025-06-11T02:31:00Z: ")
    assert out[-1].endswith(": decisions identical to the recorded ones")
    assert len([line for line in out if line.startswith("2025")]) == len(night) - 1


def test_json_is_one_object_per_decision_and_nothing_else(night: list[str], replayed: Replayed) -> None:
    status, out, err = replayed(night, "--json")
    objects = [json.loads(line) for line in out]
    assert status == 0
    assert len(objects) == len(night) - 1
    assert [one["line"] for one in objects] == list(range(2, len(night) + 1))
    assert {tuple(one) for one in objects} == {("line", "at", "event", "commands", "difference", "stateDiffers")}
    assert objects[0]["event"]["kind"] == "configured"
    assert {one["difference"] for one in objects} == {None}
    assert err[-1].endswith(": decisions identical to the recorded ones")


def test_documents_are_shown_when_they_change(night: list[str], replayed: Replayed) -> None:
    _, out, _ = replayed(night, "--documents", "--json")
    shown = [document for line in out for document in json.loads(line).get("documents", [])]
    assert [document["state"] for document in shown][:1] == ["UPCOMING"]
    assert {document["state"] for document in shown} == {"UPCOMING", "ACTIVE:REGULAR"}
    assert all(one != other for one, other in pairwise(shown))
    _, out, _ = replayed(night, "--documents")
    assert len([line for line in out if line.startswith("    document {")]) == len(shown)


def changed(lines: list[str], change: Callable[[Any], bool]) -> tuple[list[str], int]:
    """Change the first line that the function finds and changes; return all, and its number."""
    for index, line in enumerate(lines):
        value = json.loads(line)
        if change(value):
            return [*lines[:index], json.dumps(value), *lines[index + 1 :]], index + 1
    raise AssertionError("nothing was changed")


def test_another_command_is_told_with_its_time_and_what_was_recorded(night: list[str], replayed: Replayed) -> None:
    def limit(line: Any) -> bool:
        for command in line.get("commands", []):
            if command["kind"] == "set_current_limit":
                command["limit_a"] = 7.5
                return True
        return False

    lines, number = changed(night, limit)
    status, out, _ = replayed(lines)
    assert status == 1
    assert out[-2].endswith("Z: decisions that differ from the recorded ones: 1")
    assert out[-1].startswith(f"the first in line {number}, 2025-06-1")
    assert out[-1].endswith(".limit_a: recorded was 7.5, now it is 16.0")
    assert len([line for line in out if line.startswith("  ! commands[")]) == 1


def test_a_command_more_or_less_is_told(night: list[str], replayed: Replayed) -> None:
    lines, _ = changed(night, lambda line: bool(line.pop("commands", None)))
    status, out, _ = replayed(lines)
    assert status == 1
    assert 'commands[0]: recorded was null, now it is {"kind": "note"' in out[-1]


def test_another_state_is_told_though_the_commands_are_the_same(night: list[str], replayed: Replayed) -> None:
    def state(line: Any) -> bool:
        return "at" in line and line.update(state="00000000") is None

    lines, number = changed(night, state)
    status, out, err = replayed(lines, "--json")
    assert status == 1
    assert [one["line"] for one in map(json.loads, out) if one["stateDiffers"] or one["difference"]] == [number]
    assert err[0].endswith(": commands identical to the recorded ones, states not")
    assert err[1].startswith(f"the first after line {number}, 2025-06-10T20:00:00Z, configured ")


def test_a_note_in_other_words_is_no_difference(night: list[str], replayed: Replayed) -> None:
    def words(line: Any) -> bool:
        notes = [command for command in line.get("commands", []) if command["kind"] == "note"]
        return bool(notes) and notes[0].update(message="in other words") is None

    lines, _ = changed(night, words)
    assert replayed(lines)[0] == 0


def test_what_a_power_cut_took_is_passed_over_and_said(
    night: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "night.jsonl.gz"
    files.append(path, night[:20])
    files.append(path, night[20:40])
    path.write_bytes(path.read_bytes()[:-5])
    files.append(path, night[40:50])
    files.append(path, night)
    status = main(["replay", str(path)])
    told = capsys.readouterr()
    assert status == 0
    passed_over = "what follows line 20 cannot be read, as after a power cut; going on from the next snapshot"
    assert told.err == f"chargerd: {path}: {passed_over}\n"
    assert told.out.splitlines()[-1].startswith(f"{19 + len(night) - 1} events in ")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "chargerd: /night.jsonl.gz:1: expected a JSON object, got: "),
        (["7"], 'chargerd: /night.jsonl.gz:1: expected an object with "format" and "state", or with "at" and "event"'),
        (
            ['{"at":"2026-01-14T12:00:00Z","event":{"kind":"time_passed","charger_id":"garage"}}'],
            "chargerd: /night.jsonl.gz:1: expected a snapshot of the state before the first event",
        ),
        (['{"format":7,"state":{}}'], "chargerd: /night.jsonl.gz:1: format: expected 1, got 7"),
    ],
    ids=["no JSON", "no object", "no snapshot", "too new"],
)
def test_a_faulty_line_is_named(lines: list[str], said: str, replayed: Replayed) -> None:
    status, out, err = replayed(lines)
    assert (status, out) == (1, [])
    assert err[0].startswith(said)


def test_a_fault_in_the_middle_is_named_after_what_comes_before_it(night: list[str], replayed: Replayed) -> None:
    status, out, err = replayed([*night[:5], '{"at":"noon","event":{}}'])
    assert status == 1
    assert err == ["chargerd: /night.jsonl.gz:6: Unable to extract tag using discriminator 'kind'"]
    assert len([line for line in out if line.startswith("2025")]) == 4


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == (
        f"chargerd: {tmp_path / 'none'}: expected a recording, got: No such file or directory\n"
    )


def test_without_a_file_it_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay"]) == 2
    assert "FILE" in capsys.readouterr().err


def test_an_empty_file_has_no_events(replayed: Replayed) -> None:
    assert replayed([])[:2] == (0, ["no events"])


def test_what_a_charger_says_cannot_steer_the_terminal(night: list[str], replayed: Replayed) -> None:
    line = (
        '{"at":"2025-06-10T20:00:00Z","event":{"kind":"charger_offline","charger_id":"garage","reason":"\\u001b[2J"}}'
    )
    _, out, _ = replayed([night[0], line])
    assert out[1] == "2025-06-10T20:00:00Z  charger_offline reason=\\x1b[2J"


def test_a_core_that_fails_is_told_with_the_event_and_where(
    night: list[str], replayed: Replayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(state: State, event: Event, now: datetime) -> Decision:
        if event.kind == "meter_sampled":
            raise AssertionError("an impossible state")
        return decide(state, event, now)

    monkeypatch.setattr("chargerd.recording.replay.decide", failing)
    status, out, err = replayed(night)
    assert status == 1
    assert ", meter_sampled measured_at=" in err[0]
    assert err[0].endswith(": the core fails over this event, and did not when it was recorded")
    assert err[-1] == "AssertionError: an impossible state"
    assert "start_transaction" in "".join(out)

    def undecided(line: Any) -> bool:
        return line.get("event", {}).get("kind") == "meter_sampled" and bool(line.pop("state"))

    _, _, err = replayed(changed(night, undecided)[0])
    assert err[0].endswith(": the core fails over this event, as it did when it was recorded")
