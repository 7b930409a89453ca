"""The store in one SQLite file: one connection, in one thread, and no other process beside it.

Write-ahead log with ``synchronous=FULL``: a commit that returned outlives a power cut, at the price of one flush.
The exclusive lock is taken before the log is opened, so that nobody else writes and no shared memory file appears.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from itertools import groupby, takewhile
from pathlib import Path
from typing import TypeVar

from chargerd.contract import Commit, Document, LogEntry, Page, PageQuery
from chargerd.core.commands import StoreSettled
from chargerd.core.ids import ChargerId, SessionId
from chargerd.core.model import Interval, Quality, State
from chargerd.errors import StoreError
from chargerd.plan.prices import PriceCurve
from chargerd.store import codec, prices
from chargerd.store.cursor import Key, dump_cursor, load_cursor
from chargerd.store.migrate import migrate

_T = TypeVar("_T")

_PRAGMAS = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)
_LOCK_TIMEOUT_S = 1.0
_SCHEME = "sqlite://"
_FIND_SETTLED = (
    "SELECT session_id, policy_id, charger_id, vehicle_id, plugged_in_at, plugged_out_at, document, ledger"
    " FROM settled WHERE session_id = ?"
)
LOG_ENTRIES_MAX = 1000
"""Log entries that are kept of one session; a visit has some dozens, unless its charger has gone mad."""
_SHORTEN_LOG = (
    "DELETE FROM session_log WHERE session_id = ? AND id <="
    " (SELECT id FROM session_log WHERE session_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)"
)
_Row = tuple[str, str, str]


def path_of(url: str) -> Path:
    """Return the file that a store URL names: all that follows ``sqlite://``.

    ``sqlite:///var/lib/chargerd/chargerd.db`` is the file ``/var/lib/chargerd/chargerd.db``, and so is the spelling
    with four slashes; ``sqlite://chargerd.db`` is relative to the working directory. Raises StoreError.
    """
    scheme, path = url[: len(_SCHEME)], url[len(_SCHEME) :]
    if scheme != _SCHEME or not path.strip("/"):
        raise StoreError(
            f"store url {url!r}: expected sqlite:// and a path, as in sqlite:///var/lib/chargerd/chargerd.db"
        )
    return Path("/" + path.lstrip("/") if path.startswith("/") else path)


class SqliteStore:
    """The store of one daemon. Made by ``open``; every method runs in the store's own thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._opened: sqlite3.Connection | None = None
        self._written: dict[ChargerId, dict[SessionId, codec.Cells]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator["SqliteStore"]:
        """Open or create the database that a URL names (see ``path_of``), and close it at the end.

        Raises StoreError when the folder is missing, the file cannot be written, is not ours, is newer than this
        program, or is held by another process.
        """
        store = cls(path_of(url))
        try:
            await store._run("open the database", store._open)
            yield store
        finally:
            closing = store._thread.submit(store._close)
            store._thread.shutdown(wait=False)
            await asyncio.shield(asyncio.wrap_future(closing))

    async def load(self) -> dict[ChargerId, State]:
        """Return the last committed state of each partition; the price curve is empty. Raises StoreError."""
        return await self._run("read the state of all chargers", self._load)

    async def commit(self, commit: Commit) -> None:
        """Write all of it or nothing, durably, before returning. Raises StoreError; then the last commit stands."""
        expected = f"write the state of charger {commit.charger_id}"
        try:
            await self._run(expected, lambda: self._commit(commit))
        except (ValueError, OverflowError) as error:
            raise StoreError(f"{self._path}: expected to {expected}, got one that has no spelling: {error}") from error

    async def recall(self, key: str) -> Document | None:
        """Return what a driver remembered last under a key, or None. Raises StoreError."""

        def read() -> Document | None:
            row = self._connection.execute("SELECT document FROM memory WHERE key = ?", (key,)).fetchone()
            return None if row is None else codec.load_document(row[0])

        try:
            return await self._run(f"read what is remembered as {key}", read)
        except ValueError as error:
            raise StoreError(f"{self._path}: expected a JSON object remembered as {key}, got: {error}") from error

    async def remember(self, key: str, document: Document) -> None:
        """Keep a driver's document in place of the one before, durably, before returning. Raises StoreError."""
        text = codec.dump_document(document)

        def write() -> None:
            with _transaction(self._connection) as connection:
                connection.execute(
                    "INSERT INTO memory VALUES (?, ?) ON CONFLICT DO UPDATE SET document = excluded.document",
                    (key, text),
                )

        await self._run(f"remember {key}", write)

    async def kept_prices(self, source: str) -> PriceCurve:
        """Return what a source of prices told, as far as it was kept. Raises StoreError."""
        try:
            return await self._run(f"read prices of {source}", lambda: prices.read(self._connection, source))
        except ValueError as error:
            raise StoreError(f"{self._path}: expected prices of {source}, got what cannot be read: {error}") from error

    async def keep_prices(self, source: str, curve: PriceCurve, *, start: datetime, end: datetime) -> None:
        """Keep a source's prices of a stretch of time in place of those before. Raises StoreError."""

        def write() -> None:
            with _transaction(self._connection) as connection:
                prices.write(connection, source, curve, start, end)

        await self._run(f"keep prices of {source}", write)

    async def settled(self, session_id: SessionId) -> str | None:
        """Return the exact JSON text of a settled session, or None."""
        return await self._text("SELECT document FROM settled WHERE session_id = ?", session_id)

    async def ledger(self, session_id: SessionId) -> str | None:
        """Return the JSON array of a settled session's quarter hours, or None."""
        return await self._text("SELECT ledger FROM settled WHERE session_id = ?", session_id)

    async def page(self, query: PageQuery) -> Page:
        """Return a page of settled sessions, newest plug-out first.

        Raises ValueError for a cursor that is not one of ours, for two of them, and for a page size under 1.
        """
        return await self._run("read settled sessions", lambda: self._page(query))

    async def session_log(self, session_id: SessionId) -> tuple[LogEntry, ...]:
        """Return the event log of a session, settled or current, oldest first."""
        return await self._run("read a session's log", lambda: self._session_log(session_id))

    async def _text(self, sql: str, session_id: SessionId) -> str | None:
        def read() -> str | None:
            row = self._connection.execute(sql, (session_id,)).fetchone()
            return None if row is None else str(row[0])

        return await self._run("read a settled session", read)

    async def _run(self, expected: str, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self._path}: expected to {expected}, got: {error}") from error

    @property
    def _connection(self) -> sqlite3.Connection:
        assert self._opened is not None
        return self._opened

    def _open(self) -> None:
        folder = self._path.absolute().parent
        if not folder.is_dir():
            raise StoreError(f"{self._path}: expected a folder {folder} to keep the database in, got none; create it")
        try:
            self._opened = sqlite3.connect(
                self._path, timeout=_LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            for pragma in _PRAGMAS:
                self._opened.execute(pragma).fetchall()
            with _transaction(self._opened):
                pass
        except sqlite3.Error as error:
            raise StoreError(self._why_not_opened(error)) from error
        migrate(self._opened, self._path)

    def _why_not_opened(self, error: sqlite3.Error) -> str:
        expected = {
            sqlite3.SQLITE_BUSY: "to be its only user, but another process holds it (is a second chargerd running?)",
            sqlite3.SQLITE_CANTOPEN: "a file that this user may read and write",
            sqlite3.SQLITE_READONLY: "a file that this user may write",
            sqlite3.SQLITE_NOTADB: "an SQLite database, or no file",
        }
        # The low byte is the primary code, the rest says more.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return f"{self._path}: expected {expected.get(code, 'to open the database')}, got: {error}"

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def _load(self) -> dict[ChargerId, State]:
        written = self._read_cells()
        states = {}
        for charger_id, snapshot in self._connection.execute("SELECT charger_id, snapshot FROM partition").fetchall():
            try:
                states[ChargerId(charger_id)] = codec.join(snapshot, written.get(charger_id, {}))
            except ValueError as error:
                raise StoreError(
                    f"{self._path}: expected the state of charger {charger_id}, got what cannot be read: {error}"
                ) from error
        self._written = written
        return states

    def _read_cells(self) -> dict[ChargerId, dict[SessionId, codec.Cells]]:
        rows = self._connection.execute(
            "SELECT charger_id, session_id, start_at, end_at, wh, quality FROM cell"
            " ORDER BY charger_id, session_id, position"
        )
        found: dict[ChargerId, dict[SessionId, codec.Cells]] = {}
        for (charger_id, session_id), group in groupby(rows, key=lambda row: (row[0], row[1])):
            found.setdefault(charger_id, {})[session_id] = tuple(
                Interval(codec.load_time(start), codec.load_time(end), wh, Quality(quality))
                for _, _, start, end, wh, quality in group
            )
        return found

    def _commit(self, commit: Commit) -> None:
        snapshot, cells = codec.split(commit.state)
        with _transaction(self._connection) as connection:
            connection.execute(
                "INSERT INTO partition VALUES (?, ?) ON CONFLICT DO UPDATE SET snapshot = excluded.snapshot",
                (commit.charger_id, snapshot),
            )
            self._write_cells(commit.charger_id, cells)
            for settled in commit.settled:
                self._settle(settled)
            self._log(commit.log)
        self._written[commit.charger_id] = cells

    def _log(self, entries: tuple[LogEntry, ...]) -> None:
        """Add to the stories of sessions; of one that is told without end, the latest entries stay."""
        rows = [(entry.note.session_id, codec.dump_time(entry.at), codec.dump_note(entry.note)) for entry in entries]
        rows = [row for row in rows if row[0] is not None]
        self._connection.executemany("INSERT INTO session_log (session_id, at, note) VALUES (?, ?, ?)", rows)
        for session_id in {row[0] for row in rows}:
            self._connection.execute(_SHORTEN_LOG, (session_id, session_id, LOG_ENTRIES_MAX))

    def _write_cells(self, charger_id: ChargerId, cells: dict[SessionId, codec.Cells]) -> None:
        """Write the cells that are new or have grown; forget those of sessions that are over."""
        # Taken out until the commit has succeeded: after a failure nothing is taken for granted.
        written = self._written.pop(charger_id, None)
        if written is None:
            self._connection.execute("DELETE FROM cell WHERE charger_id = ?", (charger_id,))
            written = {}
        for session_id in written.keys() | cells.keys():
            before, after = written.get(session_id, ()), cells.get(session_id, ())
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
            if len(after) < len(before):
                self._connection.execute(
                    "DELETE FROM cell WHERE charger_id = ? AND session_id = ? AND position >= ?",
                    (charger_id, session_id, len(after)),
                )
            self._connection.executemany(
                "INSERT OR REPLACE INTO cell VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        charger_id,
                        session_id,
                        position,
                        codec.dump_time(cell.start),
                        codec.dump_time(cell.end),
                        cell.wh,
                        cell.quality.value,
                    )
                    for position, cell in enumerate(after[same:], start=same)
                ),
            )

    def _settle(self, settled: StoreSettled) -> None:
        row = (
            settled.session_id,
            settled.policy_id,
            settled.charger_id,
            settled.vehicle_id,
            codec.dump_time(settled.plugged_in_at),
            codec.dump_time(settled.plugged_out_at),
            codec.dump_document(settled.document),
            codec.dump_document(settled.ledger),
        )
        found = self._connection.execute(_FIND_SETTLED, (settled.session_id,)).fetchone()
        if found is None:
            self._connection.execute("INSERT INTO settled VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        elif found != row:
            raise StoreError(
                f"{self._path}: session {settled.session_id}: expected what was settled before, got other content; "
                "a settled session never changes"
            )

    def _session_log(self, session_id: SessionId) -> tuple[LogEntry, ...]:
        rows = self._connection.execute(
            "SELECT at, note FROM session_log WHERE session_id = ? ORDER BY id", (session_id,)
        )
        return tuple(LogEntry(at=codec.load_time(at), note=codec.load_note(note)) for at, note in rows)

    def _page(self, query: PageQuery) -> Page:
        if query.after is not None and query.before is not None:
            raise ValueError("cursors after and before: expected at most one of them, got both")
        if query.page_size < 1:
            raise ValueError(f"page size {query.page_size}: expected at least 1")
        if query.before is not None:
            found = self._beyond(query, load_cursor(query.before), newer=True, limit=query.page_size + 1)
            rows, more = found[: query.page_size][::-1], len(found) > query.page_size
            newer, older = more, bool(rows) and self._has(query, rows[-1], newer=False)
        else:
            start = None if query.after is None else load_cursor(query.after)
            found = self._beyond(query, start, newer=False, limit=query.page_size + 1)
            rows, more = found[: query.page_size], len(found) > query.page_size
            newer, older = bool(rows) and start is not None and self._has(query, rows[0], newer=True), more
        return Page(
            documents=tuple(document for _, _, document in rows),
            after=dump_cursor(rows[-1][:2]) if older else None,
            before=dump_cursor(rows[0][:2]) if newer else None,
        )

    def _has(self, query: PageQuery, row: _Row, *, newer: bool) -> bool:
        return bool(self._beyond(query, row[:2], newer=newer, limit=1))

    def _beyond(self, query: PageQuery, key: Key | None, *, newer: bool, limit: int) -> list[_Row]:
        """Return rows that match, from the one next to ``key`` on towards newer or older ones."""
        where = [(clause, value) for clause, value in _conditions(query) if value is not None]
        parameters: list[object] = [value for _, value in where]
        clauses = [clause for clause, _ in where]
        if key is not None:
            clauses.append(
                "(plugged_out_at, session_id) > (?, ?)" if newer else "(plugged_out_at, session_id) < (?, ?)"
            )
            parameters += key
        order = "ASC" if newer else "DESC"
        # Only literals of this file are put into the text; what was asked for goes in as parameters.
        sql = (
            "SELECT plugged_out_at, session_id, document FROM settled"  # noqa: S608
            f" WHERE {' AND '.join(clauses) or 'TRUE'} ORDER BY plugged_out_at {order}, session_id {order} LIMIT ?"
        )
        return self._connection.execute(sql, (*parameters, limit)).fetchall()


def _conditions(query: PageQuery) -> tuple[tuple[str, str | None], ...]:
    return (
        ("policy_id = ?", query.policy_id),
        ("charger_id = ?", query.charger_id),
        ("vehicle_id = ?", query.vehicle_id),
        ("plugged_out_at >= ?", None if query.start is None else codec.dump_time(query.start)),
        ("plugged_out_at < ?", None if query.end is None else codec.dump_time(query.end)),
    )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit what the block wrote, or nothing of it; the connection stays usable either way."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    finally:
        # A full disk may have rolled back already.
        if connection.in_transaction:
            connection.rollback()
