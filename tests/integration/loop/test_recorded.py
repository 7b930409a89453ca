"""A night over the real loop and a real database is recorded, and decided once more from the recording alone."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from chargerd.core.commands import AnswerRequest, Note
from chargerd.core.events import Activity, Event, ImmediateStartRequested, StatusReported
from chargerd.core.ids import ReplyTo
from chargerd.errors import StoreError
from chargerd.recording.recorder import Recorder
from chargerd.recording.replay import Decided, Resumed, replay
from tests.integration.loop.test_loop import Rig, rig
from tests.support.home import GARAGE, POLICY, Home, utc
from tests.support.recorded import record_anew, replayed


@asynccontextmanager
async def recorded(folder: Path) -> AsyncIterator[Rig]:
    """A loop that is recorded, on what the database in the folder holds."""
    async with rig(folder) as home, Recorder.open(folder / "recording", home.clock) as recorder:
        home.loop.decide = recorder.decide
        home.loop.restore(await home.loop._store.load())
        yield home


def night() -> Home:
    """A home that lived through a night, and remembers what happened when."""
    home = Home().until("10T22:15").plug().until("10T23:00")
    home.boost(40)
    return home.until("11T05:00").unplug().until("11T06:00")


async def tell(home: Rig, history: list[tuple[datetime, Event]]) -> None:
    for at, event in history:
        home.clock.time = at
        await home.loop.handle(event)


def days(folder: Path) -> list[Path]:
    return sorted((folder / "recording").iterdir())


async def test_a_recorded_night_is_decided_the_same_once_more(tmp_path: Path) -> None:
    told = night()
    async with recorded(tmp_path) as home:
        await tell(home, told.history)
        last = home.loop.states[GARAGE]
    steps = [step for path in days(tmp_path) for step in replayed(path, compare="all")]
    assert [path.name for path in days(tmp_path)] == ["garage-2025-06-10.jsonl.gz", "garage-2025-06-11.jsonl.gz"]
    assert [(step.at, step.event) for step in steps] == told.history
    assert steps[-1].decision.state == last
    commands = [command for step in steps for command in step.decision.commands]
    assert commands == told.commands
    assert [note for note in commands if isinstance(note, Note)] == home.notes


async def test_a_daemon_that_was_killed_in_the_night_leaves_two_stories_that_both_replay(tmp_path: Path) -> None:
    told = night()
    middle = next(index for index, (at, _) in enumerate(told.history) if at >= utc("11T01:20"))
    async with recorded(tmp_path) as home:
        await tell(home, told.history[:middle])
    async with recorded(tmp_path) as home:
        await home.tell(told.configuration(restarted=True), at="11T01:20")
        await tell(home, told.history[middle:])
        last = home.loop.states[GARAGE]
    path = days(tmp_path)[1]
    assert [step.why for step in replay(path) if isinstance(step, Resumed)] == ["day", "started"]
    assert replayed(path, compare="all")[-1].decision.state == last


@pytest.mark.parametrize("seed", ["0", "1", "2"])
async def test_another_process_decides_the_same(tmp_path: Path, seed: str) -> None:
    async with recorded(tmp_path) as home:
        await tell(home, night().history)
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    for path in days(tmp_path):
        command = [sys.executable, "-m", "chargerd.cli.main", "replay", str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.endswith(": decisions identical to the recorded ones\n")


async def test_a_request_that_could_not_be_stored_is_replayed_as_what_it_was(tmp_path: Path) -> None:
    boost = ImmediateStartRequested(policy_id=POLICY, minimum_charge_target=70, reply_to=ReplyTo("me"))
    async with recorded(tmp_path) as home:
        await home.plugged()
        before = home.loop.states[GARAGE]
        home.store.full = True
        async with asyncio.TaskGroup() as group:
            running = group.create_task(home.loop.run())
            with pytest.raises(StoreError):
                await home.desk.request(boost)
            running.cancel()
        home.store.full = False
        await home.tell(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.EV_CONNECTED))
    [path] = days(tmp_path)
    assert [(step.why, step.state) for step in replay(path) if isinstance(step, Resumed)][1:] == [("refused", before)]
    assert any(
        isinstance(command, AnswerRequest)
        for step in replayed(path, compare="all")
        for command in step.decision.commands
    )


async def test_a_recording_that_is_recorded_anew_is_the_same(tmp_path: Path) -> None:
    async with recorded(tmp_path) as home:
        await tell(home, night().history)
    path = days(tmp_path)[0]
    before = list(replay(path))
    record_anew(path)
    assert list(replay(path)) == before
    assert len([step for step in before if isinstance(step, Decided)]) > 10
