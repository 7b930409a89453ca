"""The state comes back exactly as it was committed, whatever it was."""

import math
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from any_state import states
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from visits import EVENING, GARAGE, commit, ledger, partition

from chargerd.contract import Commit, PriceCurve, StoreError
from chargerd.core.ids import ChargerId
from chargerd.core.model import Interval, Quality, State
from chargerd.plan.grid import QUARTER
from chargerd.store import SqliteStore


def url(path: Path) -> str:
    return f"sqlite://{path}/chargerd.db"


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Read a database that nobody holds."""
    with closing(sqlite3.connect(path / "chargerd.db")) as connection:
        return connection.execute(sql).fetchall()


async def reopened(path: Path) -> dict[ChargerId, State]:
    async with SqliteStore.open(url(path)) as store:
        return await store.load()


async def test_a_new_store_is_empty(tmp_path: Path) -> None:
    assert await reopened(tmp_path) == {}


async def test_a_state_comes_back_with_its_cells_and_without_its_prices(tmp_path: Path) -> None:
    state = partition(cells=ledger(900, 1200, 0))
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(state))
        assert await store.load() == {GARAGE: replace(state, prices=PriceCurve())}
    assert await reopened(tmp_path) == {GARAGE: replace(state, prices=PriceCurve())}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=st.lists(st.tuples(st.sampled_from(["garage", "yard"]), states()), min_size=1, max_size=3))
async def test_any_history_of_states_ends_in_the_last_one_of_each_charger(history: list[tuple[str, State]]) -> None:
    expected = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        async with SqliteStore.open(url(path)) as store:
            for charger, state in history:
                await store.commit(Commit(charger_id=ChargerId(charger), state=state))
                expected[ChargerId(charger)] = replace(state, prices=PriceCurve())
        assert await reopened(path) == expected


async def test_only_the_cells_that_changed_are_written(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(900, 1200, 100))))
        connection = store._connection
        before = connection.total_changes
        await store.commit(commit(partition(cells=ledger(900, 1200, 250))))
        grown = connection.total_changes - before
        await store.commit(commit(partition(cells=ledger(900, 1200, 250, 30))))
        added = connection.total_changes - before - grown
    assert (grown, added) == (2, 2), "the snapshot's row and one cell each"


async def test_only_the_cells_that_changed_are_written_after_a_restart_too(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(900, 1200, 100))))
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.load()
        before = store._connection.total_changes
        await store.commit(commit(partition(cells=ledger(900, 1200, 250))))
        assert store._connection.total_changes - before == 2


async def test_a_ledger_that_was_rewritten_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    recovered = (Interval(EVENING, EVENING + QUARTER, 2200, Quality.RECOVERED),)
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(900, 1200, 100))))
        await store.commit(commit(partition(cells=recovered)))
    (state,) = (await reopened(tmp_path)).values()
    assert state.slots[0].session.ledger.cells == recovered


async def test_the_cells_of_a_session_that_is_over_are_removed(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(900, 1200))))
        await store.commit(commit(partition(session_id="visit-2")))
    assert rows(tmp_path, "SELECT * FROM cell") == []


async def test_cells_of_one_charger_survive_a_commit_of_another(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(900))))
        await store.commit(commit(partition(charger=ChargerId("yard"))))
    (cells,) = rows(tmp_path, "SELECT charger_id, count(*) FROM cell GROUP BY charger_id")
    assert cells == ("garage", 1)


async def test_a_commit_before_the_first_load_does_not_mix_old_cells_with_new_ones(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(900, 1200, 100))))
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(50))))
    (state,) = (await reopened(tmp_path)).values()
    assert state.slots[0].session.ledger.cells == ledger(50)


async def test_the_snapshot_stays_small_however_long_the_visit(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(*range(960)))))
    ((size,),) = rows(tmp_path, "SELECT length(snapshot) FROM partition")
    assert isinstance(size, int)
    assert size < 4000


async def test_a_charger_that_talks_in_broken_unicode_can_still_be_stored(tmp_path: Path) -> None:
    state = partition(cells=ledger(1))
    odd = replace(state, facts=replace(state.facts, vendor="ACME\ud800"))
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(odd))
    (loaded,) = (await reopened(tmp_path)).values()
    assert loaded.facts.vendor == "ACME?"


async def test_a_state_that_holds_no_number_can_still_be_loaded(tmp_path: Path) -> None:
    state = partition()
    odd = replace(state, charger=replace(state.charger, max_a=float("nan")))
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(odd))
    (loaded,) = (await reopened(tmp_path)).values()
    assert math.isnan(loaded.charger.max_a)


async def test_energy_beyond_all_measure_is_refused_and_the_next_commit_works(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(cells=ledger(900))))
        with pytest.raises(StoreError, match="got one that has no spelling"):
            await store.commit(commit(partition(cells=ledger(900, 10**30))))
        await store.commit(commit(partition(cells=ledger(950))))
    (state,) = (await reopened(tmp_path)).values()
    assert state.slots[0].session.ledger.cells == ledger(950)


async def test_a_snapshot_that_cannot_be_read_is_named_with_its_charger(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit())
    with closing(sqlite3.connect(tmp_path / "chargerd.db")) as connection, connection:
        connection.execute("""UPDATE partition SET snapshot = '{"at": "noon"}'""")
    async with SqliteStore.open(url(tmp_path)) as store:
        with pytest.raises(StoreError, match=r"chargerd\.db: expected the state of charger garage"):
            await store.load()
