"""Every recording that is kept is decided as it was recorded; and what a test can ask of one beyond that."""

from pathlib import Path

import pytest

from chargerd.core.commands import StartTransaction, StoreSettled
from chargerd.recording import files
from chargerd.recording.lines import Why, dump_decision, dump_snapshot
from chargerd.recording.replay import Decided, Resumed, replay
from tests.support.recorded import RECORDINGS, record_anew, replayed


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.jsonl*")), ids=lambda path: path.name)
def test_a_kept_recording_is_decided_as_it_was(path: Path) -> None:
    assert replayed(path)


def test_a_daemon_that_was_killed_in_the_night_finishes_what_it_planned() -> None:
    steps = replayed(RECORDINGS / "killed-in-the-night.jsonl.gz")
    settled = [command for step in steps for command in step.decision.commands if isinstance(command, StoreSettled)]
    [document] = [command.document for command in settled]
    assert document["outcome"]["latest"]["state"] == "ON_TARGET"
    assert document["statistics"]["aggregated"]["batteryTo"] == 60
    assert document["error"]["latest"] is None


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A recording whose last command, and the state after it, are others than the core's: as before a fix."""
    steps = list(replay(RECORDINGS / "killed-in-the-night.jsonl.gz"))
    first = steps[0]
    assert isinstance(first, Resumed)
    lines = [dump_snapshot(first.state, Why.STARTED)]
    for step in steps:
        if isinstance(step, Decided):
            lines.append(dump_decision(step.before, step.event, step.at, step.decision))
            if any(isinstance(command, StartTransaction) for command in step.decision.commands):
                break
    last = lines.pop().replace('"kind":"start_transaction"', '"kind":"stop_transaction"')
    path = tmp_path / "wrong.jsonl.gz"
    files.append(path, [*lines, last.replace('"state":"', '"state":"not ')])
    return path


def test_a_difference_is_told_with_its_place_and_the_way_to_record_anew(wrong: Path) -> None:
    with pytest.raises(
        AssertionError, match=r": 1 of \d+ decisions .* recorded was \"stop_transaction\".*\. If that is"
    ):
        replayed(wrong)
    assert replayed(wrong, compare="nothing")


def test_recorded_anew_it_is_right(wrong: Path) -> None:
    record_anew(wrong)
    assert replayed(wrong, compare="all")


def test_a_state_that_is_kept_in_another_way_counts_only_where_it_is_asked_for(wrong: Path) -> None:
    record_anew(wrong)
    lines = [(line or b"").decode() for line in files.read(wrong)]
    wrong.unlink()
    files.append(wrong, [line.replace('"state":"', '"state":"not ') for line in lines])
    assert replayed(wrong)
    with pytest.raises(AssertionError, match="another state"):
        replayed(wrong, compare="all")
