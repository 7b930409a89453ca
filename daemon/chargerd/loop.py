"""The loop: take an event, decide, commit, dispatch, sleep until the next deadline. One task owns the state.

State and pending commands are on disk before a command goes out. What could not be written is kept and tried again:
control goes on without a disk, but a user's request that could not be stored is refused. A clock that was set is told
to every partition before anything else is decided.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from math import floor

import structlog

from chargerd import timekeeper
from chargerd.contract import Clock, Commit, LogEntry, Store
from chargerd.core.away import may_hold
from chargerd.core.commands import (
    AnswerAuthorize,
    AnswerRequest,
    AnswerTransaction,
    ChargerAnswer,
    ChargerCommand,
    Command,
    Note,
    SetCurrentLimit,
    StartTransaction,
    StopTransaction,
    StoreSettled,
)
from chargerd.core.decide import Decision, decide, initial, next_deadline
from chargerd.core.events import (
    ClockStepped,
    Configured,
    Event,
    ImmediateStartRequested,
    OverrideCancelled,
    PricesUpdated,
    ScheduleOverrideRequested,
    TimePassed,
    VehicleReported,
)
from chargerd.core.ids import ChargerId, PolicyId, ReplyTo, VehicleId
from chargerd.core.model import State
from chargerd.core.session import visiting_slot
from chargerd.errors import StoreError
from chargerd.inbox import Inbox
from chargerd.timekeeper import Look, Step

log = structlog.get_logger("chargerd.loop")

RETRY_STORE_S = 5.0
"""Real seconds between attempts to write what could not be written."""

LOOK_AT_CLOCK_S = 10.0
"""Real seconds after which the clock is looked at, though nothing is due by it: it may have been set."""

Dispatch = Callable[[ChargerCommand], None]
Answer = Callable[[ChargerAnswer], Awaitable[None]]
Decide = Callable[[State, Event, datetime], Decision]
Decided = Callable[[State | None, State, tuple[Command, ...]], None]


class Loop:
    """Owns the state of all partitions."""

    def __init__(
        self,
        *,
        clock: Clock,
        store: Store,
        inbox: Inbox,
        dispatch: Dispatch,
        answer: Answer,
        write_note: Callable[[Note], None],
    ) -> None:
        self.states: dict[ChargerId, State] = {}
        """The last decided state of each partition; read-only for everybody else."""
        self.vehicles: tuple[VehicleId, ...] = ()
        """The vehicles that are configured, in their order."""
        self.store_problem = ""
        """What the store said when it last failed, "" when it works."""
        self.decide: Decide = decide
        """The core, or who stands before it and decides as it does."""
        self.decided: list[Decided] = []
        """Called after each decision with the state before, the state after, and what came of it."""
        self.clock_set: list[Callable[[], None]] = []
        """Called after the clock was set."""
        self._clock = clock
        self._store = store
        self._inbox = inbox
        self._dispatch = dispatch
        self._answer = answer
        self._write_note = write_note
        self._requests: dict[ReplyTo, asyncio.Future[str | None]] = {}
        self._unsaved: dict[ChargerId, Commit] = {}
        self._deadlines: list[tuple[datetime, ChargerId]] = []
        self._deadline_of: dict[ChargerId, datetime | None] = {}
        self._stopping = False
        self._look: Look | None = None

    def restore(self, states: Mapping[ChargerId, State]) -> None:
        """Continue from what the store kept. Call before ``run``."""
        self.states.update(states)

    def now(self) -> datetime:
        """The time that a decision would have."""
        wall, monotonic_s = self._clock.now(), self._clock.monotonic()
        if self._look is None:
            return timekeeper.first(wall, monotonic_s, known=self._known_at()).now
        return timekeeper.again(self._look, wall, monotonic_s, second=self._second())[0].now

    async def request(self, event: Event, reply_to: ReplyTo) -> str | None:
        """Post a request and wait for its answer: None when taken, else why not. Raises StoreError."""
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._requests[reply_to] = future
        try:
            await self._inbox.put(event)
            return await future
        finally:
            del self._requests[reply_to]

    async def run(self) -> None:
        """Decide until ``stop``, or until cancelled. A step that was begun is finished before a stop."""
        while not self._stopping:
            if await self._inbox.wait(self._patience()):
                await self.handle(await self._inbox.take())
            await self._keep_deadlines()
            await self._retry_store()

    def stop(self) -> None:
        """End ``run`` between two steps, so that what is on disk is what was decided last."""
        self._stopping = True
        self._inbox.wake()

    async def handle(self, event: Event) -> None:
        """Route one event to the partitions that it is about, and decide in each."""
        if isinstance(event, VehicleReported):
            event = replace(event, visits=self._visited_by(event.vehicle_id))
        elif isinstance(event, Configured):
            self.vehicles = tuple(vehicle.vehicle_id for vehicle in event.vehicles)
        for charger_id in self._routes(event):
            await self._step(charger_id, event)

    async def flush(self) -> None:
        """Write everything down, for a clean stop. Raises StoreError."""
        for charger_id, state in self.states.items():
            await self._store.commit(self._commit_of(charger_id, state, ()))
        self._unsaved.clear()

    def _routes(self, event: Event) -> Iterable[ChargerId]:
        match event:
            case PricesUpdated():
                return tuple(self.states)
            case ImmediateStartRequested() | ScheduleOverrideRequested() | OverrideCancelled():
                found = [name for name, state in self.states.items() if _has_policy(state, event.policy_id)]
                return self._or_refused(found, event.reply_to, "there is no such policy")
            case VehicleReported():
                found = [name for name, state in self.states.items() if _knows(state, event.vehicle_id)]
                return self._or_refused(found, event.reply_to, "nobody follows this vehicle")
            case Configured():
                return (event.charger_id,)
            case _:
                return (event.charger_id,) if event.charger_id in self.states else ()

    def _visited_by(self, vehicle_id: VehicleId) -> ChargerId | None:
        """The charger that holds a vehicle, else one that may."""
        holders = [name for name, state in self.states.items() if may_hold(state, vehicle_id)]
        certain = (name for name in holders if visiting_slot(self.states[name]) is not None)
        return next(certain, holders[0] if holders else None)

    def _or_refused(self, found: list[ChargerId], reply_to: ReplyTo | None, why: str) -> list[ChargerId]:
        if not found and reply_to is not None:
            self._reply(reply_to, why)
        return found

    async def _step(self, charger_id: ChargerId, event: Event) -> None:
        await self._decide(charger_id, event, await self._time())

    async def _decide(self, charger_id: ChargerId, event: Event, now: datetime) -> None:
        before = self.states.get(charger_id)
        if before is None:
            assert isinstance(event, Configured)
            base = initial(event, now)
        else:
            base = before
        decision = self.decide(base, event, now)
        if not await self._saved(charger_id, event, decision):
            return
        self.states[charger_id] = decision.state
        self._note_deadline(charger_id, decision.state)
        await self._carry_out(decision)
        for listener in self.decided:
            listener(before, decision.state, decision.commands)

    async def _time(self) -> datetime:
        """Look at the clock; where it was set, every partition is told first."""
        wall, monotonic_s = self._clock.now(), self._clock.monotonic()
        if self._look is None:
            known_at = self._known_at()
            self._look = timekeeper.first(wall, monotonic_s, known=known_at, second=self._second())
            if self._look.is_held:
                log.warning("clock.behind", message=f"the clock shows {_spelled(wall)}; {_HELD} {_spelled(known_at)}")
            return self._look.now
        self._look, step = timekeeper.again(self._look, wall, monotonic_s, second=self._second())
        if step is not None:
            await self._stepped(step)
        return self._look.now

    async def _stepped(self, step: Step) -> None:
        words = f"the clock was set from {_spelled(step.before)} to {_spelled(step.after)}"
        if step.was_off:
            log.info("clock.caught_up", message=f"{words}; time goes on from there")
        else:
            log.warning("clock.stepped", message=f"{words}; what it dated is dated anew")
            # Rounded down, so that nothing is dated later than now.
            by_s = floor((step.after - step.before).total_seconds())
            for charger_id in tuple(self.states):
                await self._decide(charger_id, ClockStepped(charger_id=charger_id, by_s=by_s), step.after)
        for listener in self.clock_set:
            listener()

    def _known_at(self) -> datetime | None:
        """The last time that the state knows."""
        return max((state.at for state in self.states.values()), default=None)

    def _second(self) -> float:
        """A real second in seconds of the clock."""
        return 1 / self._clock.real_seconds(1.0)

    async def _saved(self, charger_id: ChargerId, event: Event, decision: Decision) -> bool:
        """Write a decision down. False: it was a user's request, could not be written, and is not in force."""
        if not decision.durable:
            return True
        commit = self._commit_of(charger_id, decision.state, decision.commands)
        try:
            await self._store.commit(commit)
        except StoreError as error:
            reply_to = getattr(event, "reply_to", None)
            if reply_to in self._requests:
                self._fail(reply_to, error)
                return False
            self._storing_failed(error)
            self._unsaved[charger_id] = commit
        else:
            self._unsaved.pop(charger_id, None)
            self._storing_works()
        return True

    def _commit_of(self, charger_id: ChargerId, state: State, commands: tuple[Command, ...]) -> Commit:
        """What is to be written now, with what could not be written before."""
        waiting = self._unsaved.get(charger_id)
        settled = tuple(command for command in commands if isinstance(command, StoreSettled))
        entries = tuple(
            LogEntry(at=state.at, note=note)
            for note in commands
            if isinstance(note, Note) and note.session_id is not None
        )
        if waiting is not None:
            settled, entries = waiting.settled + settled, waiting.log + entries
        return Commit(charger_id=charger_id, state=state, settled=settled, log=entries)

    async def _retry_store(self) -> None:
        for charger_id, waiting in list(self._unsaved.items()):
            try:
                await self._store.commit(replace(waiting, state=self.states[charger_id]))
            except StoreError as error:
                self._storing_failed(error)
                return
            del self._unsaved[charger_id]
            self._storing_works()

    def _storing_failed(self, error: StoreError) -> None:
        if str(error) != self.store_problem:
            log.error("store.failed", message=f"{error}; going on from memory", error=str(error))
        self.store_problem = str(error)

    def _storing_works(self) -> None:
        if self.store_problem and not self._unsaved:
            log.info("store.recovered", message="the database can be written again; nothing was lost")
            self.store_problem = ""

    async def _carry_out(self, decision: Decision) -> None:
        for command in decision.commands:
            match command:
                case Note():
                    self._write_note(command)
                case AnswerRequest():
                    self._reply(command.reply_to, command.rejected)
                case AnswerAuthorize() | AnswerTransaction():
                    await self._answer(command)
                case StartTransaction() | StopTransaction() | SetCurrentLimit():
                    self._dispatch(command)
                case StoreSettled():
                    pass  # written with the commit

    def _reply(self, reply_to: ReplyTo, rejected: str | None) -> None:
        future = self._requests.get(reply_to)
        if future is not None and not future.done():
            future.set_result(rejected)

    def _fail(self, reply_to: ReplyTo, error: StoreError) -> None:
        future = self._requests[reply_to]
        if not future.done():
            future.set_exception(error)

    def _note_deadline(self, charger_id: ChargerId, state: State) -> None:
        deadline = next_deadline(state)
        if deadline is not None and deadline != self._deadline_of.get(charger_id):
            heapq.heappush(self._deadlines, (deadline, charger_id))
        self._deadline_of[charger_id] = deadline

    async def _keep_deadlines(self) -> None:
        """Decide where a deadline has come. Entries that a later decision moved are dropped."""
        now = await self._time()
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, charger_id = heapq.heappop(self._deadlines)
            if self._deadline_of.get(charger_id) == deadline:
                self._deadline_of[charger_id] = None
                await self._step(charger_id, TimePassed(charger_id=charger_id))

    def _patience(self) -> float:
        """Real seconds until something is due without an event, or the clock is to be looked at."""
        waits = [RETRY_STORE_S if self._unsaved else LOOK_AT_CLOCK_S]
        if self._deadlines:
            left = (self._deadlines[0][0] - self.now()).total_seconds()
            waits.append(max(self._clock.real_seconds(left), 0.0))
        return min(waits)


_HELD = "until it is set, time goes on from the last decision, at"


def _spelled(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _has_policy(state: State, policy_id: PolicyId) -> bool:
    return state.slot_of(policy_id) is not None


def _knows(state: State, vehicle_id: VehicleId) -> bool:
    """Tell whether a partition has a policy for a vehicle, or follows it."""
    known = (*(slot.vehicle for slot in state.slots), *(car.vehicle for car in state.cars))
    return any(vehicle.vehicle_id == vehicle_id for vehicle in known)
