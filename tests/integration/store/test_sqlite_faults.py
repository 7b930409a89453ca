"""What goes wrong with a file: missing, foreign, newer, held by another, full, and the process killed."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from visits import GARAGE, commit, ledger, partition

from chargerd.contract import StoreError
from chargerd.store import SqliteStore
from chargerd.store.migrate import migrate, shipped
from chargerd.store.sqlite import path_of

HERE = Path(__file__).parent


def url(path: Path) -> str:
    return f"sqlite://{path}/chargerd.db"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def why_not(url: str) -> str:
    with pytest.raises(StoreError) as caught:
        async with SqliteStore.open(url):
            pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("spelling", "path"),
    [
        pytest.param("sqlite:///var/lib/chargerd/chargerd.db", "/var/lib/chargerd/chargerd.db", id="three slashes"),
        pytest.param("sqlite:////var/lib/chargerd/chargerd.db", "/var/lib/chargerd/chargerd.db", id="four slashes"),
        pytest.param("sqlite://chargerd.db", "chargerd.db", id="relative"),
    ],
)
def test_a_url_names_the_file_after_its_two_slashes(spelling: str, path: str) -> None:
    assert str(path_of(spelling)) == path


@pytest.mark.parametrize("spelling", ["/var/lib/chargerd.db", "postgresql://host/db", "sqlite://", "sqlite:///"])
def test_a_url_that_names_no_file_is_refused(spelling: str) -> None:
    with pytest.raises(StoreError, match="expected sqlite:// and a path"):
        path_of(spelling)


async def test_the_database_is_written_ahead_flushed_and_held(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "locking_mode")
        found = [store._connection.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in pragmas]
        assert not (tmp_path / "chargerd.db-shm").exists()
    assert found == ["wal", 2, 1, "exclusive"]
    assert names(tmp_path) == ["chargerd.db"]


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    message = await why_not(f"sqlite://{tmp_path}/nowhere/chargerd.db")
    assert message == (
        f"{tmp_path}/nowhere/chargerd.db: expected a folder {tmp_path}/nowhere to keep the database in, got none; "
        "create it"
    )


async def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "chargerd.db").mkdir()
    message = await why_not(url(tmp_path))
    assert message.startswith(f"{tmp_path}/chargerd.db: expected a file that this user may read and write, got: ")


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    """Runs as nobody where the tests run as root, because root may write everywhere."""
    tmp_path.chmod(0o755)
    script = (
        "import asyncio, os, sys\n"
        "from chargerd.store import SqliteStore\n"
        "async def main():\n"
        "    async with SqliteStore.open(sys.argv[1]): pass\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: asyncio.run(main())\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    folder = Path("/proc") if os.getuid() else Path("/")
    done = subprocess.run(
        [sys.executable, "-c", script, f"sqlite://{folder}/chargerd.db"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(
        f"StoreError {path_of(f'sqlite://{folder}/chargerd.db')}: expected a file that this user"
    )


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "chargerd.db").write_text("dear diary, " * 100)
    assert "expected an SQLite database, or no file, got: " in await why_not(url(tmp_path))
    assert (tmp_path / "chargerd.db").read_text() == "dear diary, " * 100


async def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "chargerd.db")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    assert "got tables of another program" in await why_not(url(tmp_path))


async def test_a_database_newer_than_the_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit())
        newest = store._connection.execute("PRAGMA user_version").fetchone()[0]
        store._connection.execute(f"PRAGMA user_version = {newest + 1}")
    message = await why_not(url(tmp_path))
    assert f"expected a database of schema version {newest} or older, got {newest + 1}" in message
    with closing(sqlite3.connect(tmp_path / "chargerd.db")) as connection:
        assert connection.execute("SELECT count(*) FROM partition").fetchone() == (1,)


def test_shipped_migrations_are_numbered_without_a_gap() -> None:
    assert [number for number, _ in shipped()] == list(range(1, len(shipped()) + 1))


def test_migrations_run_once_in_order_and_are_remembered(tmp_path: Path) -> None:
    one, two = (1, "CREATE TABLE a (x); INSERT INTO a VALUES (1);"), (2, "ALTER TABLE a ADD y DEFAULT 2;")
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as connection:
        migrate(connection, tmp_path / "db", (one,))
        migrate(connection, tmp_path / "db", (one, two))
        migrate(connection, tmp_path / "db", (one, two))
        assert connection.execute("SELECT * FROM a").fetchall() == [(1, 2)]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    one, two = (1, "CREATE TABLE a (x);"), (2, "ALTER TABLE a ADD y; INSERT INTO nowhere VALUES (1);")
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as connection:
        migrate(connection, tmp_path / "db", (one,))
        with pytest.raises(StoreError, match="schema version 2, got: no such table: nowhere"):
            migrate(connection, tmp_path / "db", (one, two))
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert [row[1] for row in connection.execute("PRAGMA table_info(a)")] == ["x"]
        assert not connection.in_transaction


async def test_a_second_store_on_the_same_file_is_refused(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        assert "another process holds it" in await why_not(url(tmp_path))
        await store.commit(commit())


async def test_a_file_that_another_process_reads_is_refused(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)):
        pass
    script = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('BEGIN EXCLUSIVE')\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with _process(script, str(tmp_path / "chargerd.db")) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert "another process holds it" in await why_not(url(tmp_path))


def output_of(script: str, argument: str) -> bytes:
    return subprocess.run([sys.executable, "-c", script, argument], capture_output=True, check=True).stdout


async def test_another_process_cannot_read_while_the_store_is_open(tmp_path: Path) -> None:
    script = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], timeout=0)\n"
        "try: db.execute('SELECT count(*) FROM partition').fetchall()\n"
        "except sqlite3.OperationalError as error: print(error)\n"
    )
    async with SqliteStore.open(url(tmp_path)):
        said = output_of(script, str(tmp_path / "chargerd.db"))
    assert said == b"database is locked\n"


async def test_a_full_disk_is_told_and_the_next_commit_that_fits_works(tmp_path: Path) -> None:
    async with SqliteStore.open(url(tmp_path)) as store:
        await store.commit(commit(partition(made=1)))
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages + 3}").fetchall()
        with pytest.raises(
            StoreError, match=r"chargerd\.db: expected to write the state of charger garage, got: .*full"
        ):
            await store.commit(commit(partition(cells=ledger(*range(500)), made=2)))
        await store.commit(commit(partition(cells=ledger(900), made=3)))
        store._connection.execute("PRAGMA max_page_count = 1000000").fetchall()
        await store.commit(commit(partition(cells=ledger(*range(500)), made=4)))
        state = (await store.load())[GARAGE]
    assert state.sessions_made == 4
    assert state.slots[0].session.ledger.cells == ledger(*range(500))


@contextmanager
def _small_disk(path: Path) -> Iterator[Path]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("may not mount a file system here")
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


async def test_a_really_full_disk_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    with _small_disk(tmp_path) as disk:
        async with SqliteStore.open(url(disk)) as store:
            await store.commit(commit(partition(made=1)))
            with pytest.raises(StoreError, match="full"):
                await store.commit(commit(partition(cells=ledger(*range(5000)), made=2)))
            assert (await store.load())[GARAGE].sessions_made == 1
            await store.commit(commit(partition(cells=ledger(900), made=3)))
        async with SqliteStore.open(url(disk)) as store:
            state = (await store.load())[GARAGE]
    assert state.sessions_made == 3
    assert state.slots[0].session.ledger.cells == ledger(900)


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged = 0
    for _ in range(5):
        with _process(None, str(HERE / "endless_writer.py"), url(tmp_path)) as writer:
            assert writer.stdout is not None
            first = int(writer.stdout.readline())
            assert first >= acknowledged, "the writer goes on from what it found"
            lines = [writer.stdout.readline() for _ in range(20)]
            os.kill(writer.pid, signal.SIGKILL)
            # A line that the kill cut short was acknowledged by nobody.
            rest = [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
            acknowledged = int((lines + rest)[-1])
        with closing(sqlite3.connect(tmp_path / "chargerd.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            (kept,) = connection.execute("SELECT snapshot ->> 'sessions_made' FROM partition").fetchone()
            (settled,) = connection.execute("SELECT count(*) FROM settled").fetchone()
            (logged,) = connection.execute("SELECT count(*) FROM session_log").fetchone()
            (cells,) = connection.execute("SELECT count(*) FROM cell").fetchone()
        assert kept >= acknowledged
        assert (settled, logged, cells) == (kept, kept, kept), "all of a commit or nothing"


@contextmanager
def _process(script: str | None, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, *(["-c", script] if script else []), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()
