"""What is written when, with which snapshots, and what happens when it cannot be written."""

import asyncio
import errno
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from chargerd.core.decide import Decision, decide, initial
from chargerd.core.events import ChargerOnline, Event, MeterSampled
from chargerd.core.ids import ChargerId
from chargerd.core.model import State
from chargerd.recording import files
from chargerd.recording.recorder import MANY, TOO_MANY, Recorder
from chargerd.recording.replay import Decided, Resumed, replay
from tests.support.clocks import StillClock
from tests.support.home import GARAGE, Home, utc


class Hands(StillClock):
    """A clock that is set by hand, on which a quarter of an hour is over at once when it is let go."""

    def __init__(self) -> None:
        super().__init__(utc("10T22:15"))
        self.fast = False

    def real_seconds(self, seconds: float) -> float:
        assert seconds == 900
        return 0.001 if self.fast else 3600


class Rig:
    """A recorder and one charger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Hands()
        self.recorder = Recorder(folder, self.clock)
        self.state: State = initial(Home().configuration(), self.clock.time)

    def sample(self, *, after_s: float = 60) -> State:
        self.clock.time += timedelta(seconds=after_s)
        self.tell(MeterSampled(charger_id=GARAGE, measured_at=self.clock.time, register_wh=1000.0, power_w=0.0))
        return self.state

    def tell(self, event: Event) -> None:
        self.state = self.recorder.decide(self.state, event, self.clock.time).state

    def restart(self) -> None:
        self.recorder = Recorder(self.folder, self.clock)

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    def steps(self, name: str = "garage-2025-06-10.jsonl.gz") -> list[str]:
        """Return the story of a file: why it goes on from a snapshot, and "." for a decision that is the same."""
        words = []
        for step in replay(self.folder / name):
            match step:
                case Resumed():
                    words.append(str(step.why))
                case Decided():
                    words.append(step.difference or ("another state" if step.state_differs else "."))
                case _:
                    words.append("unread")
        return words


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "recording")


@pytest.fixture
def told() -> Iterator[list[Any]]:
    with capture_logs() as entries:
        yield entries


def test_a_decision_is_that_of_the_core(rig: Rig) -> None:
    event = ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6")
    assert rig.recorder.decide(rig.state, event, rig.clock.time) == decide(rig.state, event, rig.clock.time)


async def test_nothing_is_on_disk_until_it_is_time(rig: Rig) -> None:
    rig.sample()
    rig.sample()
    assert rig.files == []
    await rig.recorder.flush()
    assert rig.files == ["garage-2025-06-10.jsonl.gz"]
    assert rig.steps() == ["started", ".", "."]


async def test_a_file_goes_on_without_a_new_snapshot(rig: Rig) -> None:
    for _ in range(3):
        rig.sample()
        await rig.recorder.flush()
    assert rig.steps() == ["started", ".", ".", "."]


async def test_without_news_nothing_is_written(rig: Rig) -> None:
    await rig.recorder.flush()
    assert rig.files == []


async def until_written(rig: Rig, lines: int) -> None:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(rig.recorder.run())
        while not rig.files or len(rig.steps()) < lines:  # noqa: ASYNC110 - the disk has no event to wait for
            await asyncio.sleep(0.001)
        running.cancel()


async def test_it_is_time_after_a_quarter_of_an_hour_of_the_clock(rig: Rig) -> None:
    rig.clock.fast = True
    rig.sample()
    await until_written(rig, 2)
    assert rig.steps() == ["started", "."]


async def test_it_is_time_when_there_is_much(rig: Rig) -> None:
    for _ in range(MANY):
        rig.sample(after_s=1)
    await until_written(rig, 1 + MANY)
    assert rig.steps() == ["started", *["."] * MANY]


async def test_a_sample_is_about_a_quarter_of_a_kilobyte(rig: Rig) -> None:
    for _ in range(MANY):
        rig.sample(after_s=1)
    await rig.recorder.flush()
    raw = sum(len(line or b"") for line in files.read(rig.folder / rig.files[0]))
    assert raw < 64 * 1024


async def test_every_day_has_a_file_that_replays_alone(rig: Rig) -> None:
    rig.clock.time = utc("10T23:58")
    for _ in range(4):
        rig.sample()
    await rig.recorder.flush()
    assert rig.files == ["garage-2025-06-10.jsonl.gz", "garage-2025-06-11.jsonl.gz"]
    assert rig.steps() == ["started", "."]
    assert rig.steps("garage-2025-06-11.jsonl.gz") == ["day", ".", ".", "."]


async def test_a_clock_that_goes_back_a_day_makes_a_file_go_on_from_a_snapshot(rig: Rig) -> None:
    rig.clock.time = utc("10T23:59")
    rig.sample(after_s=30)
    rig.sample()
    rig.clock.time = utc("10T23:00")
    rig.sample()
    await rig.recorder.flush()
    assert rig.steps() == ["started", ".", "day", "."]
    assert rig.steps("garage-2025-06-11.jsonl.gz") == ["day", "."]


async def test_every_charger_has_files_of_its_own(rig: Rig) -> None:
    garage = rig.state
    yard = replace(garage, charger=replace(garage.charger, charger_id=ChargerId("yard")))
    for _ in range(2):
        for state in (garage, yard):
            event = MeterSampled(charger_id=state.charger.charger_id)
            rig.recorder.decide(state, event, rig.clock.time)
    await rig.recorder.flush()
    assert rig.files == ["garage-2025-06-10.jsonl.gz", "yard-2025-06-10.jsonl.gz"]
    assert rig.steps("yard-2025-06-10.jsonl.gz") == ["started", ".", "refused", "."]


async def test_a_new_process_goes_on_from_the_state_of_its_database(rig: Rig) -> None:
    kept = rig.sample()
    rig.sample()
    await rig.recorder.flush()
    rig.restart()
    rig.state = kept
    rig.sample()
    await rig.recorder.flush()
    assert rig.steps() == ["started", ".", ".", "started", "."]


async def test_a_decision_that_did_not_come_into_force_is_followed_by_a_snapshot(rig: Rig) -> None:
    kept = rig.sample()
    rig.sample()
    rig.state = kept
    rig.sample()
    await rig.recorder.flush()
    assert rig.steps() == ["started", ".", ".", "refused", "."]


async def test_a_file_that_was_removed_begins_anew(rig: Rig) -> None:
    rig.sample()
    await rig.recorder.flush()
    (rig.folder / rig.files[0]).unlink()
    rig.sample()
    await rig.recorder.flush()
    assert rig.steps() == ["day", "."]


async def test_an_event_that_the_core_fails_over_is_kept_whatever_ends_the_process(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(state: State, event: Event, now: datetime) -> Decision:
        raise AssertionError("an impossible state")

    async def process() -> None:
        async with Recorder.open(rig.folder, rig.clock) as rig.recorder:
            rig.sample()
            monkeypatch.setattr("chargerd.recording.recorder.decide", failing)
            rig.sample()

    with pytest.raises(AssertionError):
        await process()
    assert rig.steps() == ["started", ".", "the core failed over this event when it was recorded, and does not now"]


async def test_a_stop_writes_what_is_left(rig: Rig) -> None:
    async with Recorder.open(rig.folder, rig.clock) as rig.recorder:
        rig.sample()
    assert rig.steps() == ["started", "."]


class Disk:
    """Lets every write fail, until it does not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        self._append = files.append
        monkeypatch.setattr(files, "append", self.append)

    def append(self, path: Path, lines: list[str]) -> None:
        if self.error is not None:
            raise self.error
        self._append(path, lines)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def test_a_full_disk_is_told_once_and_so_is_its_end(rig: Rig, disk: Disk, told: list[Any]) -> None:
    disk.error = OSError(errno.ENOSPC, "No space left on device", str(rig.folder))
    for _ in range(3):
        rig.sample()
        await rig.recorder.flush()
    assert [(entry["event"], entry["log_level"]) for entry in told] == [("recording.failed", "warning")]
    assert told[0]["message"] == (
        f"{rig.folder}: decisions are not recorded: No space left on device; cars are charged all the same"
    )
    disk.error = None
    for _ in range(2):
        rig.sample()
        await rig.recorder.flush()
    assert [entry["event"] for entry in told] == ["recording.failed", "recording.recovered"]
    assert rig.steps() == ["lost", ".", "."]


async def test_what_was_written_before_the_disk_was_full_stays_and_the_gap_is_marked(rig: Rig, disk: Disk) -> None:
    rig.sample()
    await rig.recorder.flush()
    disk.error = OSError(errno.EROFS, "Read-only file system")
    rig.sample()
    await rig.recorder.flush()
    disk.error = None
    rig.sample()
    await rig.recorder.flush()
    assert rig.steps() == ["started", ".", "lost", "."]


async def test_a_folder_that_cannot_be_made_disturbs_nobody(tmp_path: Path, told: list[Any]) -> None:
    rig = Rig(tmp_path / "none" / "recording")
    rig.sample()
    await rig.recorder.flush()
    assert [entry["message"] for entry in told] == [
        f"{rig.folder}: decisions are not recorded: No such file or directory; cars are charged all the same"
    ]


async def test_a_fault_of_the_recording_disturbs_nobody(rig: Rig, disk: Disk, told: list[Any]) -> None:
    disk.error = TypeError("not JSON")
    rig.sample()
    await rig.recorder.flush()
    assert [(entry["event"], entry["exc_info"]) for entry in told] == [("recording.failed", True)]


async def test_what_a_disk_that_hangs_keeps_waiting_is_thrown_away(rig: Rig) -> None:
    rig.sample()
    await rig.recorder.flush()
    for _ in range(TOO_MANY + 1):
        rig.sample(after_s=0.1)
    assert len(rig.recorder._noted) == 1
    await rig.recorder.flush()
    assert rig.steps() == ["started", ".", "lost", "."]


async def test_the_oldest_days_are_removed(rig: Rig) -> None:
    for day in range(10, 15):
        rig.clock.time = utc(f"{day}T12:00")
        rig.sample()
        await rig.recorder.flush()
    assert [name[7:17] for name in rig.files] == ["2025-06-12", "2025-06-13", "2025-06-14"]
