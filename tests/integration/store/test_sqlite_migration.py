"""A database of an older program is brought up to date, and what was going on in it goes on."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.home import POLICY, utc
from visits import EVENING, GARAGE, commit, settled

from chargerd.contract import PageQuery
from chargerd.core import document
from chargerd.core.commands import StoreSettled
from chargerd.core.decide import Decision, decide
from chargerd.core.events import (
    ChargerOnline,
    Configured,
    Event,
    MeterSampled,
    StatusReported,
    TransactionEnded,
    VehicleReported,
)
from chargerd.core.ids import ChargerId, ReplyTo, SessionId, TransactionId, VehicleId
from chargerd.core.model import Car, Ledger, Session, State
from chargerd.store import SqliteStore, codec
from chargerd.store.migrate import shipped

FIXTURE = Path(__file__).parents[2] / "fixtures" / "schema-1.sql"
YARD = ChargerId("yard")
OLD_NIGHT = SessionId("e582d4e6-9f73-579b-8170-da2667850d28")


@asynccontextmanager
async def old_store(folder: Path) -> AsyncIterator[SqliteStore]:
    """A store over the database that the older program left."""
    with closing(sqlite3.connect(folder / "chargerd.db")) as connection:
        connection.executescript(FIXTURE.read_text(encoding="utf-8"))
    async with SqliteStore.open(f"sqlite://{folder}/chargerd.db") as store:
        yield store


class Partition:
    """A state that goes on from the store."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.settled: list[StoreSettled] = []

    def tell(self, at: str, event: Event) -> Decision:
        decision = decide(self.state, event, utc(at))
        self.state = decision.state
        self.settled += [command for command in decision.commands if isinstance(command, StoreSettled)]
        return decision

    def restarted(self, at: str) -> None:
        state = self.state
        self.tell(
            at,
            Configured(
                charger_id=state.charger.charger_id,
                site=state.site,
                charger=state.charger,
                policies=tuple(slot.policy for slot in state.slots),
                vehicles=tuple(slot.vehicle for slot in state.slots),
                restarted=True,
            ),
        )


async def test_what_settled_before_the_migration_is_there_to_the_byte(tmp_path: Path) -> None:
    async with old_store(tmp_path) as store:
        text = await store.settled(OLD_NIGHT)
        log = await store.session_log(OLD_NIGHT)
        page = await store.page(PageQuery(charger_id=GARAGE))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(FIXTURE.read_text(encoding="utf-8"))
        ((before,),) = connection.execute("SELECT document FROM settled").fetchall()
    assert text == before
    assert page.documents == (before,)
    assert len(log) == 3


async def test_the_migrated_table_has_its_index_and_its_key(tmp_path: Path) -> None:
    async with old_store(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "chargerd.db")) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM settled ORDER BY plugged_out_at").fetchall()
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO settled SELECT * FROM settled")
    assert version == shipped()[-1][0]
    assert "settled_by_plug_out" in plan[0][3]


async def test_a_visit_of_the_older_program_goes_on_to_its_end(tmp_path: Path) -> None:
    """3.667 kWh were counted by 01:20, at 113750 Wh; then came a dip. The charger goes on, to 119250 Wh at 01:50."""
    async with old_store(tmp_path) as store:
        garage = Partition((await store.load())[GARAGE])
    assert garage.state.slots[0].session.ledger.total_wh == 3667
    garage.restarted("12T01:21")
    garage.tell("12T01:21:10", ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"))
    for minute in range(22, 51):
        register_wh = round(113_750 + (minute - 20) * 11_000 / 60)
        garage.tell(f"12T01:{minute}", MeterSampled(charger_id=GARAGE, register_wh=register_wh, power_w=11_000.0))
    shown = document.current(garage.state, POLICY)
    assert shown is not None
    assert shown["pluggedInAt"] == "2025-06-11T22:15:00Z"
    assert shown["statistics"]["aggregated"]["kwhSum"] == 9.167
    assert shown["blocks"][0]["startAt"] == "2025-06-12T01:00:00Z"
    transaction = TransactionId("171853200")
    garage.tell(
        "12T01:52",
        TransactionEnded(
            charger_id=GARAGE,
            reply_to=ReplyTo("end"),
            transaction_id=transaction,
            register_wh=119_250.0,
            reason="Local",
        ),
    )
    garage.tell("12T01:52", StatusReported(charger_id=GARAGE, plugged=False))
    garage.tell("12T01:54", StatusReported(charger_id=GARAGE, plugged=False))
    (night,) = garage.settled
    assert night.document["statistics"]["aggregated"]["kwhSum"] == 9.167
    assert sum(row["wh"] for row in night.ledger) == 9167


async def test_a_guest_at_a_charger_that_was_lost_is_given_up_a_day_after_that(tmp_path: Path) -> None:
    """When the older program lost it is known still, though the field has another name now."""
    async with old_store(tmp_path) as store:
        yard = Partition((await store.load())[YARD])
    assert yard.state.facts.lost_at == utc("12T00:50")
    yard.restarted("12T01:21")
    yard.tell("13T00:51", VehicleReported(vehicle_id=VehicleId("nobody")))
    (guest,) = yard.settled
    assert guest.document["pluggedOutAt"] == "2025-06-12T00:50:00Z"
    assert guest.document["statistics"]["aggregated"]["kwhSum"] == 3.36


async def test_a_migrated_state_is_stored_as_a_new_one(tmp_path: Path) -> None:
    async with old_store(tmp_path) as store:
        for state in (await store.load()).values():
            await store.commit(commit(state))
        before = await store.load()
    async with SqliteStore.open(f"sqlite://{tmp_path}/chargerd.db") as store:
        assert await store.load() == before


@pytest.mark.parametrize(
    "text", ['{"offline_since":1}', '{"facts":{"offline_since":null}}', '{"facts":"offline_since"}']
)
def test_what_only_looks_like_an_old_snapshot_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec.join(text, {})


async def test_a_visit_elsewhere_is_found_by_its_vehicle_and_at_no_charger(tmp_path: Path) -> None:
    elsewhere = replace(settled("elsewhere", policy=None), charger_id=None)
    async with old_store(tmp_path) as store:
        await store.commit(commit(settled=(elsewhere, settled("at-home", out=EVENING + timedelta(hours=9)))))
        await store.commit(commit(settled=(elsewhere,)))
        found = [
            [json.loads(text)["id"] for text in (await store.page(query)).documents]
            for query in (
                PageQuery(vehicle_id=elsewhere.vehicle_id, start=EVENING),
                PageQuery(charger_id=GARAGE, start=EVENING),
                PageQuery(policy_id=POLICY, start=EVENING),
            )
        ]
    assert found == [["elsewhere", "at-home"], ["at-home"], []]


async def test_the_cells_of_a_visit_elsewhere_have_rows_of_their_own(tmp_path: Path) -> None:
    async with old_store(tmp_path) as store:
        state = (await store.load())[GARAGE]
        account = Ledger(cells=state.slots[0].session.ledger.cells, total_wh=3667)
        visit = Session(session_id=SessionId("elsewhere"), policy_id=None, plugged_in_at=EVENING, ledger=account)
        state = replace(
            state, cars=(Car(vehicle=state.slots[0].vehicle, visit=visit), Car(vehicle=state.slots[0].vehicle))
        )
        snapshot, cells = codec.split(state)
        await store.commit(commit(state))
        assert await store.load() == {GARAGE: state, YARD: (await store.load())[YARD]}
    assert cells["elsewhere"] == account.cells
    assert json.loads(snapshot)["cars"][0]["visit"]["ledger"]["cells"] == []
