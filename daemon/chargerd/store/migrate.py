"""Brings a database up to this program's schema: numbered files, forward only, each in one transaction."""

import sqlite3
from importlib.resources import files
from pathlib import Path

from chargerd.errors import StoreError

Migration = tuple[int, str]
"""The version that a script leads to, and the script."""


def shipped() -> tuple[Migration, ...]:
    """Return the migrations of this program, oldest first."""
    found = (entry for entry in files("chargerd.store").joinpath("migrations").iterdir() if entry.name.endswith(".sql"))
    return tuple(sorted((int(entry.name.split("_")[0]), entry.read_text(encoding="utf-8")) for entry in found))


def migrate(connection: sqlite3.Connection, path: Path, migrations: tuple[Migration, ...] | None = None) -> None:
    """Run what is missing. Raises StoreError for a database that is newer than the program, and for a script's fault.

    A script that fails leaves the database as it was before that script.
    """
    migrations = shipped() if migrations is None else migrations
    newest = migrations[-1][0]
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > newest:
        raise StoreError(
            f"{path}: expected a database of schema version {newest} or older, got {version}: "
            "it was written by a newer chargerd; install that version again, or restore an older copy of the file"
        )
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
        raise StoreError(f"{path}: expected a database of chargerd or an empty one, got tables of another program")
    for number, script in migrations:
        if number > version:
            _run(connection, path, number, script)


def _run(connection: sqlite3.Connection, path: Path, number: int, script: str) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n;PRAGMA user_version = {number:d};\nCOMMIT;")
    except sqlite3.Error as error:
        raise StoreError(f"{path}: expected to bring the database to schema version {number}, got: {error}") from error
    finally:
        if connection.in_transaction:
            connection.rollback()
