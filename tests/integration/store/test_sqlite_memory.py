"""What drivers keep from one run to the next."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chargerd.contract import StoreError
from chargerd.store import SqliteStore


def url(path: Path) -> str:
    return f"sqlite://{path}/chargerd.db"


async def test_what_is_remembered_last_is_recalled_by_the_next_run(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        assert await store.recall("ocpp/charger/garage") is None
        await store.remember("ocpp/charger/garage", {"adopted": False})
        await store.remember("ocpp/charger/garage", {"adopted": True, "vendor": "Köln \ud800"})
        await store.remember("ocpp/charger/yard", {})
    async with SqliteStore.open(url(tmp_path)) as store:
        assert await store.recall("ocpp/charger/garage") == {"adopted": True, "vendor": "Köln ?"}
        assert await store.recall("ocpp/charger/yard") == {}


@pytest.mark.parametrize("text", ["", "[1]", "{"])
async def test_what_is_no_object_is_told_as_a_fault_of_the_store(tmp_path: Path, text: str) -> None:
    async with SqliteStore.open(url(tmp_path)):
        pass
    with closing(sqlite3.connect(tmp_path / "chargerd.db")) as connection, connection:
        connection.execute("INSERT INTO memory VALUES ('key', ?)", (text,))
    async with SqliteStore.open(url(tmp_path)) as store:
        with pytest.raises(StoreError, match="remembered as key"):
            await store.recall("key")
