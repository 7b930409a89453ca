"""Mutated frames on one connection of a running daemon: ``python -m tests.fuzz``."""
