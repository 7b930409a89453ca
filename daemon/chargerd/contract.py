"""What a driver, a store and a clock must be. Drivers import this module and nothing else of the daemon."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chargerd.core.commands import (
    AnswerAuthorize,
    AnswerRequest,
    AnswerTransaction,
    ChargerAnswer,
    ChargerCommand,
    Command,
    Note,
    NoteLevel,
    SetCurrentLimit,
    StartTransaction,
    StopTransaction,
    StoreSettled,
)
from chargerd.core.events import (
    Activity,
    AuthorizeRequested,
    Capabilities,
    CapabilitiesChanged,
    ChargerBooted,
    ChargerOffline,
    ChargerOnline,
    CommandFailed,
    CommandSucceeded,
    Configured,
    Event,
    Failure,
    ImmediateStartRequested,
    MeterSampled,
    OverrideCancelled,
    PricesUpdated,
    SampleContext,
    ScheduleOverrideRequested,
    StatusReported,
    TimePassed,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.ids import ChargerId, CommandId, PolicyId, ReplyTo, SessionId, TransactionId, VehicleId
from chargerd.core.units import PerPhase
from chargerd.errors import DriverError, ProtocolViolation, Refused, Unreachable

__all__ = [
    "Activity",
    "AnswerAuthorize",
    "AnswerRequest",
    "AnswerTransaction",
    "AuthorizeRequested",
    "Capabilities",
    "CapabilitiesChanged",
    "ChargerAnswer",
    "ChargerBooted",
    "ChargerCommand",
    "ChargerId",
    "ChargerOffline",
    "ChargerOnline",
    "Clock",
    "Command",
    "CommandFailed",
    "CommandId",
    "CommandSucceeded",
    "Configured",
    "Driver",
    "DriverError",
    "DriverSpec",
    "Event",
    "Failure",
    "ImmediateStartRequested",
    "MeterSampled",
    "Note",
    "NoteLevel",
    "OverrideCancelled",
    "PerPhase",
    "PolicyId",
    "PricesUpdated",
    "ProtocolViolation",
    "Refused",
    "ReplyTo",
    "SampleContext",
    "ScheduleOverrideRequested",
    "SessionId",
    "SetCurrentLimit",
    "Sink",
    "StartTransaction",
    "StatusReported",
    "StopTransaction",
    "StoreSettled",
    "TimePassed",
    "TransactionEnded",
    "TransactionId",
    "TransactionStarted",
    "Unreachable",
    "VehicleId",
    "VehicleReported",
]


class Clock(Protocol):
    """The time, real or accelerated. All durations are in the clock's own seconds."""

    def now(self) -> datetime:
        """Aware UTC wall time."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for durations inside one process."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds of this clock."""
        ...

    def real_seconds(self, seconds: float) -> float:
        """How long that many seconds of this clock last for the machine; the same on a real clock."""
        ...


class Sink(Protocol):
    """Where a driver puts what happened."""

    async def put(self, event: Event) -> None:
        """Take one event. Waits while the inbox is full; never drops a plug, transaction or fault event."""
        ...


class Driver(Protocol):
    """One vendor protocol, for all chargers of its kind. Holds connection state only, never charging policy."""

    async def run(self, sink: Sink) -> None:
        """Serve until cancelled, reconnecting inside."""
        ...

    async def execute(self, command: ChargerCommand) -> None:
        """Return when the device confirmed.

        Raises Refused when it answered no, Unreachable without a connection or an answer in time.
        """
        ...

    async def answer(self, answer: ChargerAnswer) -> None:
        """Give a waiting charger its answer; an asker that is gone is no error."""
        ...


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """What a driver module exports as ``SPEC``.

    ``create(section, chargers, clock)`` takes the driver's own configuration section, its chargers' options by
    charger id (both validated by the two models below), and the clock; it opens nothing yet.
    ``section_type`` and ``charger_type`` are pydantic models with ``extra="forbid"``.
    """

    kind: str
    section_type: type[Any]
    charger_type: type[Any]
    create: Callable[[Any, Mapping[ChargerId, Any], Clock], AbstractAsyncContextManager[Driver]]
