"""Keeps what is decided. It stands before the core, and neither delays nor fails a decision.

A decision is noted in memory and nothing more; a thread of its own spells, digests, compresses and writes what has
come together, every quarter of an hour, earlier only when that is much. A day of one charger that is sampled every
minute is 96 writes of less than a kilobyte. What a crash or a power cut takes is the last quarter of an hour.

The first line of a file is a snapshot, and so is the first of a process. One more follows whenever the state that is
decided on is not the one that was decided last, whatever the reason.
"""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import groupby
from pathlib import Path

import structlog

from chargerd.contract import Clock
from chargerd.core.decide import Decision, decide
from chargerd.core.events import Event
from chargerd.core.ids import ChargerId
from chargerd.core.model import State
from chargerd.journal import Once
from chargerd.recording import files
from chargerd.recording.lines import Why, dump_decision, dump_snapshot

log = structlog.get_logger("chargerd.recording")

PERIOD_S = 900.0
"""Seconds between two writes."""
MANY = 256
"""So many decisions, about 64 KB of lines, are written at once."""
TOO_MANY = 4096
"""So many are thrown away: the disk does not answer, and memory is for charging."""


@dataclass(slots=True)
class _Noted:
    """A decision as it waits to be written. ``decision`` is None until there is one, for good if the core fails."""

    before: State
    event: Event
    at: datetime
    decision: Decision | None = None


class Recorder:
    """Records the decisions of all chargers in a folder. Made by ``open``."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._noted: list[_Noted] = []
        self._thrown_away = False
        self._many = asyncio.Event()
        self._once = Once()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recording")
        # For the thread only: where each charger's last line went, and the state after it; None when that is lost.
        self._written: dict[ChargerId, tuple[Path, State] | None] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, clock: Clock) -> AsyncIterator["Recorder"]:
        """Record until the end of the block, however it ends, and write down what is left."""
        recorder = cls(folder, clock)
        try:
            yield recorder
        finally:
            await recorder.flush()
            recorder._thread.shutdown(wait=False)

    def decide(self, state: State, event: Event, now: datetime) -> Decision:
        """Decide as the core does, and note it. An event that the core fails over is noted too."""
        noted = _Noted(state, event, now)
        if len(self._noted) >= TOO_MANY:
            self._noted.clear()
            self._thrown_away = True
        self._noted.append(noted)
        if len(self._noted) >= MANY:
            self._many.set()
        noted.decision = decision = decide(state, event, now)
        return decision

    async def run(self) -> None:
        """Write from time to time, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._clock.real_seconds(PERIOD_S)):
                    await self._many.wait()
            await self.flush()

    async def flush(self) -> None:
        """Write what has been noted. What cannot be written is given up, and told once."""
        self._many.clear()
        noted, self._noted = self._noted, []
        gap, self._thrown_away = self._thrown_away, False
        if not noted:
            return
        today = self._clock.now().date()
        write = partial(self._write, noted, today, gap=gap)
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, write)
        except OSError as error:
            why = error.strerror or str(error)
            if self._once.changed("recording.failed", "", why):
                log.warning("recording.failed", message=_sentence(self._folder, why))
        except Exception as error:
            # A fault of ours, and none that a car must wait for.
            log.exception("recording.failed", message=_sentence(self._folder, str(error)))
        else:
            if self._once.over("recording.failed", ""):
                log.info("recording.recovered", message=f"{self._folder}: decisions are recorded again")

    def _write(self, noted: list[_Noted], today: date, *, gap: bool) -> None:
        if gap:
            self._written = dict.fromkeys(self._written)
        try:
            self._folder.mkdir(mode=0o750, exist_ok=True)
            files.prune(self._folder, today)
            # The sort is stable, so each charger's decisions stay in their order.
            for charger_id, of_charger in groupby(sorted(noted, key=_charger_of), _charger_of):
                for day, stretch in groupby(of_charger, lambda one: one.at.date()):
                    self._append(files.path_of(self._folder, charger_id, day), list(stretch))
        except BaseException:
            for one in noted:
                self._written[_charger_of(one)] = None
            raise

    def _append(self, path: Path, stretch: list[_Noted]) -> None:
        charger_id = _charger_of(stretch[0])
        why = self._why(charger_id, path)
        last = self._written.get(charger_id)
        state = None if last is None else last[1]
        lines = []
        for one in stretch:
            if state is not one.before:
                why = why or (Why.LOST if state is None else Why.REFUSED)
            if why is not None:
                lines.append(dump_snapshot(one.before, why))
            lines.append(dump_decision(one.before, one.event, one.at, one.decision))
            why, state = None, None if one.decision is None else one.decision.state
        files.append(path, lines)
        self._written[charger_id] = None if state is None else (path, state)

    def _why(self, charger_id: ChargerId, path: Path) -> Why | None:
        """Why a stretch has to begin with a snapshot whatever its state; None when it may go on."""
        if charger_id not in self._written:
            return Why.STARTED
        last = self._written[charger_id]
        return Why.DAY if last is not None and (last[0] != path or not path.exists()) else None


def _charger_of(one: _Noted) -> ChargerId:
    return one.before.charger.charger_id


def _sentence(folder: Path, why: str) -> str:
    return f"{folder}: decisions are not recorded: {why}; cars are charged all the same"
