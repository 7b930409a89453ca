"""Numbered SQL files, run in order and forward only; ``PRAGMA user_version`` is the number of the last one."""
