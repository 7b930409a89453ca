"""Where state, settled sessions and their event log outlive the process."""

from chargerd.store.sqlite import SqliteStore

__all__ = ["SqliteStore"]
