"""What a driver, a store and a clock must be. Drivers import this module and nothing else of the daemon."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
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
    LimitStep,
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
    ChargerInstructed,
    ChargerOffline,
    ChargerOnline,
    ChargingRequested,
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
from chargerd.core.model import State
from chargerd.core.policy import ChargerSpec, Policy, Site, VehicleSpec
from chargerd.core.reason import Reason
from chargerd.core.refusal import Refuser
from chargerd.core.units import PerPhase
from chargerd.errors import ConfigError, DriverError, ProtocolViolation, Refused, StoreError, Unreachable
from chargerd.operating import (
    Document,
    Faulted,
    NotBegun,
    NotSent,
    OperatorAnswer,
    OperatorRequest,
    OperatorSide,
    Responded,
    SecurityRequest,
    Withheld,
)
from chargerd.plan.prices import PriceCurve, PriceOrigin, PriceRung, PriceSlot

__all__ = [
    "Activity",
    "AnswerAuthorize",
    "AnswerRequest",
    "AnswerTransaction",
    "Archive",
    "AuthorizeRequested",
    "Capabilities",
    "CapabilitiesChanged",
    "Change",
    "ChargerAnswer",
    "ChargerBooted",
    "ChargerCommand",
    "ChargerId",
    "ChargerInstructed",
    "ChargerOffline",
    "ChargerOnline",
    "ChargerSpec",
    "ChargingRequested",
    "Clock",
    "Command",
    "CommandFailed",
    "CommandId",
    "CommandSucceeded",
    "Commit",
    "ConfigError",
    "Configured",
    "Desk",
    "Document",
    "Driver",
    "DriverError",
    "DriverSpec",
    "Event",
    "Failure",
    "Faulted",
    "Health",
    "ImmediateStartRequested",
    "LimitStep",
    "LogEntry",
    "Memory",
    "MeterSampled",
    "NotBegun",
    "NotSent",
    "Note",
    "NoteLevel",
    "OperatorAnswer",
    "OperatorRequest",
    "OperatorSide",
    "OverrideCancelled",
    "Page",
    "PageQuery",
    "PerPhase",
    "Policy",
    "PolicyId",
    "PriceCache",
    "PriceCurve",
    "PriceOrigin",
    "PriceRung",
    "PriceSlot",
    "PricesUpdated",
    "ProtocolViolation",
    "Reason",
    "Refused",
    "Refuser",
    "ReplyTo",
    "Responded",
    "SampleContext",
    "ScheduleOverrideRequested",
    "SecurityRequest",
    "SessionId",
    "SetCurrentLimit",
    "Sink",
    "Site",
    "StartTransaction",
    "State",
    "StatusReported",
    "StopTransaction",
    "Store",
    "StoreError",
    "StoreSettled",
    "TariffSource",
    "TimePassed",
    "TransactionEnded",
    "TransactionId",
    "TransactionStarted",
    "Unreachable",
    "VehicleId",
    "VehicleReported",
    "VehicleSpec",
    "Withheld",
]


class Clock(Protocol):
    """The time, real or accelerated. All durations are in the clock's own seconds."""

    def now(self) -> datetime:
        """Aware UTC wall time."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back and go on while the machine sleeps, for durations inside one process."""
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


class Memory(Protocol):
    """What a driver keeps from one run to the next: small JSON objects by key. A key begins with the driver's kind."""

    async def recall(self, key: str) -> Document | None:
        """Return what was remembered last under a key, or None. Raises StoreError."""
        ...

    async def remember(self, key: str, document: Document) -> None:
        """Keep a document in place of the one before, durably, before returning. Raises StoreError."""
        ...


class Driver(Protocol):
    """One vendor protocol, for all chargers of its kind. Holds connection state only, never charging policy."""

    @property
    def operator(self) -> OperatorSide | None:
        """What a person may do beside charging; None where the protocol has no such thing."""
        ...

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

    ``create(section, chargers, clock, memory)`` takes the driver's own configuration section, its chargers' options by
    charger id (both validated by the two models below), the clock, and what it may keep for the next run; it opens
    nothing yet.
    ``section_type`` and ``charger_type`` are pydantic models with ``extra="forbid"``. ``faults(section, options)``
    yields the keys of a charger's options that do not fit the section, each with what is wrong; ``section_faults``
    those of the section itself that no model can tell, as what is wrong in a file that it names.
    """

    kind: str
    section_type: type[Any]
    charger_type: type[Any]
    create: Callable[[Any, Mapping[ChargerId, Any], Clock, Memory], AbstractAsyncContextManager[Driver]]
    faults: Callable[[Any, Any], Iterable[tuple[str, str]]] = lambda _section, _options: ()
    section_faults: Callable[[Any], Iterable[tuple[str, str]]] = lambda _section: ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A note with the time at which the core made it."""

    at: datetime
    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What is written in one transaction: a partition's new state, what settled in it, and its event log."""

    charger_id: ChargerId
    state: State
    settled: tuple[StoreSettled, ...] = ()
    log: tuple[LogEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """Which settled sessions, newest plug-out first. ``after`` and ``before`` are cursors and exclude each other.

    ``start`` and ``end`` bound the time of plug-out, half-open.
    """

    policy_id: PolicyId | None = None
    charger_id: ChargerId | None = None
    vehicle_id: VehicleId | None = None
    start: datetime | None = None
    end: datetime | None = None
    page_size: int = 50
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of settled documents, each the exact JSON text that was stored; None as a cursor means no such page."""

    documents: tuple[str, ...]
    after: str | None
    before: str | None


class Archive(Protocol):
    """What has settled, for reading."""

    async def settled(self, session_id: SessionId) -> str | None:
        """Return the exact JSON text of a settled session, or None."""
        ...

    async def page(self, query: PageQuery) -> Page:
        """Return a page of settled sessions. Raises ValueError for a cursor that is not one of ours."""
        ...

    async def ledger(self, session_id: SessionId) -> str | None:
        """Return the JSON array of a settled session's quarter hours, or None."""
        ...

    async def session_log(self, session_id: SessionId) -> tuple[LogEntry, ...]:
        """Return the event log of a session, settled or current, oldest first."""
        ...


class Store(Archive, Protocol):
    """Where state outlives the process. One writer."""

    async def load(self) -> dict[ChargerId, State]:
        """Return the last committed state of each partition."""
        ...

    async def commit(self, commit: Commit) -> None:
        """Write all of it or nothing, durably, before returning. Raises StoreError."""
        ...


class PriceCache(Protocol):
    """What sources of prices told, kept from one run to the next."""

    async def kept_prices(self, source: str) -> PriceCurve:
        """Return what was kept of a source; ``fetched_at`` is when it last told something. Raises StoreError."""
        ...

    async def keep_prices(self, source: str, curve: PriceCurve, *, start: datetime, end: datetime) -> None:
        """Keep the curve's prices of a stretch of time in place of those before, and forget what is older than the
        curve. Raises StoreError.
        """
        ...


class TariffSource(Protocol):
    """Where prices come from."""

    async def fetch(self, start: datetime, end: datetime) -> PriceCurve:
        """Return the prices known for a stretch of time, sorted, gaps where unknown. Raises ChargingError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One changed document. ``topic`` is "session", "settled", "charger" or "prices"; ``key`` the id it is about."""

    topic: str
    key: str
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the daemon itself is. ``ready`` once it listens and its store is open; ``problems`` in words."""

    ready: bool
    problems: tuple[str, ...]
    version: str
    started_at: datetime
    chargers_online: int
    chargers: int


class Desk(Protocol):
    """The running daemon as the API sees it: the state of this instant, and requests that are answered."""

    @property
    def archive(self) -> Archive:
        """What has settled."""
        ...

    def now(self) -> datetime:
        """The daemon's clock."""
        ...

    def policies(self) -> tuple[Policy, ...]:
        """All policies, in the order of the configuration."""
        ...

    def session(self, policy_id: PolicyId) -> Document | None:
        """The current session document of a policy; None when there is no such policy."""
        ...

    def explanation(self, policy_id: PolicyId) -> Document | None:
        """Why a policy's car is charging now, or is not; None when there is no such policy."""
        ...

    def chargers(self) -> tuple[Document, ...]:
        """All chargers, in the order of the configuration. Each has "id"."""
        ...

    def vehicles(self) -> tuple[Document, ...]:
        """All vehicles, in the order of the configuration. Each has "id"."""
        ...

    def prices(self) -> PriceCurve:
        """The price curve as it is known now."""
        ...

    def health(self) -> Health:
        """How the daemon is."""
        ...

    def pending(self) -> tuple[Document, ...]:
        """Devices that knocked and are not configured: see ``OperatorSide.pending``."""
        ...

    @property
    def configuration_file(self) -> str:
        """The path of the configuration on the daemon's machine."""
        ...

    def reload(self) -> tuple[str, ...]:
        """Read the configuration again. Return what is wrong with it: then the old one stays; () when it is taken."""
        ...

    def overview(self, charger_id: ChargerId) -> Document | None:
        """What may be asked of a charger by hand, and its latest messages; None where nothing may."""
        ...

    async def operate(self, request: OperatorRequest) -> OperatorAnswer | None:
        """Have a charger asked something, and wait for its answer; None when its driver takes no such requests.

        Whether a car is there is filled in. Raises Unreachable when no answer came.
        """
        ...

    async def secure(self, request: SecurityRequest) -> NotBegun | None:
        """Begin to raise a charger's security. None: begun; ``NotBegun`` also where its driver has no such thing.

        Whether a car is there is filled in.
        """
        ...

    def security(self, charger_id: ChargerId) -> Document | None:
        """See ``OperatorSide.security``; None where the driver has no such thing."""
        ...

    async def request(self, event: Event) -> str | None:
        """Post a request event and wait until it is decided and stored. None: taken; else why not, in words.

        Raises StoreError when it could not be stored: then it is not in force.
        """
        ...

    def changes(self) -> AbstractAsyncContextManager[AsyncIterator[Change]]:
        """Every changed document from now on; a reader that is too slow loses the oldest."""
        ...
