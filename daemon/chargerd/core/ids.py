"""Names of things, kept apart by type so that one is never passed for another."""

from typing import NewType

ChargerId = NewType("ChargerId", str)
"""The user's name of a charger in the configuration, for example ``garage``."""

PolicyId = NewType("PolicyId", str)
"""UUID of a policy, in its canonical lower-case spelling."""

VehicleId = NewType("VehicleId", str)
"""The user's name of a vehicle in the configuration."""

SessionId = NewType("SessionId", str)
"""UUID of a session (one visit). Derived from state, never random, so that a replay gives the same."""

TransactionId = NewType("TransactionId", str)
"""OCPP transaction id. 1.6 integers are carried as their decimal spelling, 2.0.1 strings as they are."""

CommandId = NewType("CommandId", int)
"""Counts up per charger; an outcome names the command it belongs to."""

ReplyTo = NewType("ReplyTo", str)
"""Names a waiting asker (a charger's CALL, an HTTP request); its answer is a command carrying the same value."""
