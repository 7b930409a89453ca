"""The loop over a real database: what is on disk when, and what happens when the disk says no."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from chargerd.contract import ChargerId, Commit, Document, OperatorAnswer, OperatorRequest, Responded
from chargerd.core.commands import ChargerAnswer, ChargerCommand, Note, SetCurrentLimit, StartTransaction
from chargerd.core.events import (
    Activity,
    ChargerOnline,
    CommandSucceeded,
    Event,
    ImmediateStartRequested,
    MeterSampled,
    PricesUpdated,
    StatusReported,
    TransactionStarted,
)
from chargerd.core.ids import PolicyId, ReplyTo
from chargerd.desk import DaemonDesk
from chargerd.errors import StoreError
from chargerd.inbox import Inbox
from chargerd.loop import Loop
from chargerd.store.sqlite import SqliteStore
from tests.support.home import GARAGE, NIGHT, POLICY, Home, utc


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = utc("10T22:15")

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def real_seconds(self, seconds: float) -> float:
        return min(seconds, 0.001)


class Watched:
    """The real store, with a diary, and a switch that makes it fail as a full disk does."""

    def __init__(self, store: SqliteStore, diary: list[str]) -> None:
        self._store = store
        self._diary = diary
        self.full = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def commit(self, commit: Commit) -> None:
        if self.full:
            msg = "database or disk is full"
            raise StoreError(msg)
        await self._store.commit(commit)
        self._diary.append("commit")


class Rig:
    """A loop over a real database, stepped by hand."""

    def __init__(self, store: SqliteStore) -> None:
        self.diary: list[str] = []
        self.commands: list[ChargerCommand] = []
        self.commanded = asyncio.Event()
        self.notes: list[Note] = []
        self.store = Watched(store, self.diary)
        self.clock = Hands()
        self.inbox = Inbox()
        self.loop = Loop(
            clock=self.clock,
            store=self.store,  # type: ignore[arg-type]
            inbox=self.inbox,
            dispatch=self._dispatch,
            answer=self._answer,
            write_note=self.notes.append,
        )
        self.operated: list[OperatorRequest] = []
        self.desk = DaemonDesk(loop=self.loop, archive=store, clock=self.clock, rim=self, keeper=self)

    def _dispatch(self, command: ChargerCommand) -> None:
        self.diary.append(command.kind)
        self.commands.append(command)
        if len(self.commands) == 2:
            self.commanded.set()

    async def operate(self, request: OperatorRequest) -> OperatorAnswer:
        self.operated.append(request)
        return Responded({})

    def told(self, _charger_id: ChargerId) -> Document:
        return {"firmware": {"status": "Installed", "at": "2025-06-10T22:15:00Z"}}

    def pending(self) -> tuple[Document, ...]:
        return ({"identity": "NEW-1", "driver": "ocpp"},)

    configuration_file = "/etc/chargerd/chargerd.toml"

    def reload(self) -> tuple[str, ...]:
        return ("nothing is right",)

    def overview(self, _charger_id: ChargerId) -> Document | None:
        return None

    def last_failure(self, _charger_id: ChargerId) -> Document | None:
        return None

    async def _answer(self, answer: ChargerAnswer) -> None:
        self.diary.append(answer.kind)

    async def tell(self, *events: Event, at: str | None = None) -> None:
        if at is not None:
            self.clock.time = utc(at)
        for event in events:
            await self.loop.handle(event)

    async def obey(self) -> None:
        """Confirm all commands that are under way."""
        for flight in self.loop.states[GARAGE].control.in_flight:
            await self.loop.handle(CommandSucceeded(charger_id=GARAGE, command_id=flight.command_id))

    async def plugged(self) -> None:
        await self.tell(
            replace(Home().configuration(), restarted=True),
            PricesUpdated(curve=NIGHT),
            ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"),
            StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.EV_CONNECTED),
        )


@asynccontextmanager
async def rig(folder: Path) -> AsyncIterator[Rig]:
    async with SqliteStore.open(f"sqlite://{folder / 'chargerd.db'}") as store:
        yield Rig(store)


def started() -> TransactionStarted:
    return TransactionStarted(charger_id=GARAGE, reply_to=ReplyTo("tx"), register_wh=1000)


async def test_state_is_on_disk_before_a_command_goes_out(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.plugged()
        home.diary.clear()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(home.loop.run())
            home.clock.time = utc("11T01:00")
            await home.commanded.wait()
            running.cancel()
        assert [type(command) for command in home.commands] == [SetCurrentLimit, StartTransaction]
        assert home.diary[:3] == ["commit", "set_current_limit", "start_transaction"]


async def test_a_transaction_is_on_disk_before_the_charger_is_answered(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.plugged()
        home.diary.clear()
        await home.tell(started())
        assert home.diary[:2] == ["commit", "answer_transaction"]
    async with SqliteStore.open(f"sqlite://{tmp_path / 'chargerd.db'}") as store:
        state = (await store.load())[GARAGE]
        assert state.facts.transaction is not None


async def test_samples_alone_write_nothing_until_the_quarter_is_over(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.plugged()
        await home.tell(started(), at="11T01:00")
        await home.tell(MeterSampled(charger_id=GARAGE, register_wh=1180, power_w=11_000.0), at="11T01:01")
        await home.obey()
        await home.tell(MeterSampled(charger_id=GARAGE, register_wh=2100, power_w=11_000.0), at="11T01:06")
        home.diary.clear()  # the start has lasted, the ladder is over
        for minute in range(7, 15):
            register = 1000 + 183 * minute
            await home.tell(
                MeterSampled(charger_id=GARAGE, register_wh=register, power_w=11_000.0), at=f"11T01:{minute:02}"
            )
        assert home.diary == []
        await home.tell(MeterSampled(charger_id=GARAGE, register_wh=3750, power_w=11_000.0), at="11T01:15")
        assert home.diary == ["commit"]


async def test_control_goes_on_when_the_disk_is_full_and_nothing_is_lost_after_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.plugged()
        home.store.full = True
        await home.tell(started(), at="11T01:00:20")
        assert "answer_transaction" in home.diary, "the charger is answered all the same"
        assert home.desk.health().problems[-1] == "database or disk is full"
        home.store.full = False
        await home.loop._retry_store()
        assert "database or disk is full" not in home.desk.health().problems
    async with SqliteStore.open(f"sqlite://{tmp_path / 'chargerd.db'}") as store:
        state = (await store.load())[GARAGE]
        assert state.facts.transaction is not None
        log = await store.session_log(state.slots[0].session.session_id)
        assert "transaction.started" in [entry.note.name for entry in log]


async def test_a_request_that_cannot_be_stored_is_refused_and_not_in_force(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.plugged()
        home.store.full = True
        boost = ImmediateStartRequested(policy_id=POLICY, minimum_charge_target=70, reply_to=ReplyTo("me"))
        async with asyncio.TaskGroup() as group:
            running = group.create_task(home.loop.run())
            with pytest.raises(StoreError):
                await home.desk.request(boost)
            running.cancel()
        session = home.desk.session(POLICY)
        assert session is not None
        assert session["target"]["latest"]["type"] == "REGULAR"


async def test_the_desk_explains_a_session_and_knows_no_other(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.plugged()
        told = home.desk.explanation(POLICY)
        assert told is not None
        assert told["reason"] == "WAITING_FOR_CHEAPER_HOURS"
        assert home.desk.explanation(PolicyId("nobody")) is None


async def test_a_request_about_nobody_is_answered_with_the_reason(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.plugged()
        nobody = ImmediateStartRequested(policy_id=PolicyId("nobody"), minimum_charge_target=70, reply_to=ReplyTo("me"))
        async with asyncio.TaskGroup() as group:
            running = group.create_task(home.loop.run())
            assert await home.desk.request(nobody) == "there is no such policy"
            running.cancel()


async def test_a_reader_is_told_of_changed_documents_only(tmp_path: Path) -> None:
    async with rig(tmp_path) as home:
        await home.plugged()
        async with home.desk.changes() as changes:
            await home.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"))
            await home.tell(StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE), at="10T22:20")
            told = {change.topic: change.document for change in [await anext(changes), await anext(changes)]}
            assert told["charger"]["isPluggedIn"] is False
            assert told["session"]["pluggedInAt"] == "2025-06-10T22:15:00Z"
