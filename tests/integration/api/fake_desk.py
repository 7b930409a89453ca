"""A desk and an archive in memory: the plain reading of their protocols, with knobs for what can go wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from chargerd.api.values import rfc3339
from chargerd.contract import (
    Change,
    ChargerId,
    Document,
    Event,
    Health,
    ImmediateStartRequested,
    LogEntry,
    NotBegun,
    Note,
    OperatorAnswer,
    OperatorRequest,
    OverrideCancelled,
    Page,
    PageQuery,
    Policy,
    PolicyId,
    PriceCurve,
    PriceSlot,
    Responded,
    ScheduleOverrideRequested,
    SecurityRequest,
    SessionId,
    VehicleId,
    VehicleReported,
)
from chargerd.core.policy import DayTarget

EXAMPLES = Path(__file__).parents[2] / "unit" / "api" / "examples"
NOW = datetime(2025, 6, 10, 20, 0, tzinfo=UTC)
POLICY = PolicyId("f47ac10b-58cc-4372-a567-0e02b2c3d479")
SETTLED = SessionId("c3d4e5f6-a7b8-4012-9def-012345678902")
UNMANAGED = SessionId("d1e2f3a4-b5c6-7890-abcd-ef0123456789")
CURRENT = SessionId("00000000-0000-4000-8000-000000000001")
LEDGER = '[{"startAt":"2025-06-09T21:45:00Z","endAt":"2025-06-09T22:00:00Z","wh":0,"quality":"measured"}]'


def example(number: int) -> Document:
    return json.loads((EXAMPLES / f"{number}.json").read_text())


def explanation(policy_id: str = POLICY) -> Document:
    """A start that was refused, with everything that an explanation can hold."""
    return {
        "policyId": policy_id,
        "at": "2025-06-11T01:01:00Z",
        "isCharging": False,
        "isWanted": True,
        "reason": "START_FAILED",
        "words": "zoe should have been charging since 01:00, and nothing flows: garage refuses to start. It is tried "
        "again at 01:06. Look at garage: see what it shows, or switch it off and on.",
        "target": example(1)["target"]["latest"],
        "next": {"startAt": "2025-06-11T01:00:00Z", "endAt": "2025-06-11T02:00:00Z", "type": "REGULAR"},
        "plan": {
            "prices": "PARTLY_KNOWN",
            "priceRung": "REPEATED",
            "pricesOldSince": "2025-06-10T11:00:00Z",
            "powerW": 10450,
            "powerSource": "CONFIGURED",
            "missingKwh": 10.0,
        },
        "evidence": {
            "isOnline": True,
            "isOnlineSince": "2025-06-10T20:00:00Z",
            "isPluggedIn": True,
            "isPluggedInSince": "2025-06-10T22:15:00Z",
            "activity": "SUSPENDED_EVSE",
            "activitySince": "2025-06-10T22:16:00Z",
            "powerW": 0,
            "registerWh": 100000,
            "sampledAt": "2025-06-11T01:00:00Z",
            "chargingSince": None,
            "stoppedAt": "2025-06-10T22:16:00Z",
            "batteryLevel": 35,
            "batteryLevelSource": "VEHICLE",
            "batteryLevelToldAt": "2025-06-10T22:00:00Z",
            "transactionId": "77",
            "fault": "GroundFailure",
            "isTokenShown": True,
        },
        "lastCommand": {
            "action": "SET_LIMIT",
            "limitA": 16.0,
            "sentAt": "2025-06-11T01:00:00Z",
            "answer": "REFUSED",
            "answeredAt": "2025-06-11T01:00:01Z",
            "detail": "garage: SetChargingProfile expected Accepted, got 'Rejected'",
        },
        "attempts": {"made": 2, "nextAt": "2025-06-11T01:06:00Z"},
        "refusedBy": "CHARGER",
        "error": {"type": "START_FAIL"},
        "remedy": "Look at garage: see what it shows, or switch it off and on.",
    }


def policy(policy_id: str = POLICY, *, charger: str = "garage", vehicle: str = "zoe") -> Policy:
    weekday = DayTarget(ready_by=time(7), minimum_charge_target=50)
    return Policy(
        policy_id=PolicyId(policy_id),
        charger_id=ChargerId(charger),
        vehicle_id=VehicleId(vehicle),
        battery_reserve=20,
        schedule=(weekday, weekday, weekday, weekday, weekday, None, None),
    )


def note(message: str) -> LogEntry:
    said = Note(name="session.state", message=message, charger_id=ChargerId("garage"), session_id=SETTLED)
    return LogEntry(at=NOW, note=said)


@dataclass
class FakeArchive:
    # The text has spaces and an order of its own, so that a re-serialised answer would be seen.
    texts: dict[str, str] = field(
        default_factory=lambda: {
            UNMANAGED: json.dumps(example(7), indent=1),
            SETTLED: json.dumps(example(3), indent=1),
        }
    )
    logs: dict[str, tuple[LogEntry, ...]] = field(
        default_factory=lambda: {SETTLED: (note("plugged in"), note("settled")), CURRENT: (note("waiting"),)}
    )
    asked: list[PageQuery] = field(default_factory=list)
    fault: Exception | None = None

    async def settled(self, session_id: SessionId) -> str | None:
        if self.fault is not None:
            raise self.fault
        return self.texts.get(session_id)

    async def page(self, query: PageQuery) -> Page:
        self.asked.append(query)
        texts = list(self.texts.values())
        cursor = query.after or query.before or "0"
        if not cursor.isdigit():
            msg = "no such cursor"
            raise ValueError(msg)
        first = int(cursor) if query.before is None else max(int(cursor) - query.page_size, 0)
        last = first + query.page_size
        return Page(
            documents=tuple(texts[first:last]),
            after=str(last) if last < len(texts) else None,
            before=str(first) if first else None,
        )

    async def ledger(self, session_id: SessionId) -> str | None:
        return LEDGER if session_id in self.texts else None

    async def session_log(self, session_id: SessionId) -> tuple[LogEntry, ...]:
        return self.logs.get(session_id, ())


@dataclass
class FakeDesk:
    configured: tuple[Policy, ...] = (policy(),)
    time: datetime = NOW
    archive: FakeArchive = field(default_factory=FakeArchive)
    requests: list[Event] = field(default_factory=list)
    operated: list[OperatorRequest] = field(default_factory=list)
    secured: list[SecurityRequest] = field(default_factory=list)
    securities: list[Document] = field(default_factory=list)
    """What ``security`` answers, one after the other; the last one again and again."""
    withheld: NotBegun | None = None
    overviews: dict[str, Document] = field(default_factory=dict)
    knocked: tuple[Document, ...] = ()
    faults: tuple[str, ...] = ()
    reloads: int = 0
    configuration_file: str = "/etc/chargerd/chargerd.toml"
    answer: OperatorAnswer | Exception | None = Responded({"status": "Accepted"})
    refusal: str | None = None
    fault: Exception | None = None
    gate: asyncio.Event | None = None
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    is_ready: bool = True
    problems: tuple[str, ...] = ()
    curve: PriceCurve = PriceCurve()
    sessions: dict[str, Document] = field(default_factory=dict)
    explanations: dict[str, Document] = field(default_factory=dict)
    level: int = 35
    listeners: list[asyncio.Queue[Change | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for one in self.configured:
            self.sessions.setdefault(one.policy_id, example(1) | {"policyId": one.policy_id})
            self.explanations.setdefault(one.policy_id, explanation(one.policy_id))
        if not self.curve.slots:
            slots = tuple(
                PriceSlot(NOW + timedelta(hours=hour), NOW + timedelta(hours=hour + 1), Decimal(price))
                for hour, price in enumerate(("0.1026", "-0.0100", "0.0000001"))
            )
            self.curve = PriceCurve(slots=slots, fetched_at=NOW)

    def now(self) -> datetime:
        return self.time

    def policies(self) -> tuple[Policy, ...]:
        return self.configured

    def session(self, policy_id: PolicyId) -> Document | None:
        return self.sessions.get(policy_id)

    def explanation(self, policy_id: PolicyId) -> Document | None:
        return self.explanations.get(policy_id)

    def chargers(self) -> tuple[Document, ...]:
        return tuple(
            {
                "id": name,
                "driver": "ocpp",
                "isOnline": True,
                "protocol": "OCPP 1.6",
                "vendor": "ACME",
                "model": "Box",
                "firmware": "1.2",
                "isPluggedIn": True,
                "isCharging": True,
                "chargeRate": 7.4,
                "powerDeliveryState": "PLUGGED_IN:CHARGING",
                "registerWh": 120500,
                "currentLimit": 16,
                "transactionId": "77",
                "fault": None,
                "activity": "CHARGING",
                "sampledAt": rfc3339(NOW),
                "sampledPower": 7.4,
                "serial": None,
                "capabilities": {"canStart": True, "canStop": None, "canLimit": True, "limitUnit": "A"},
                "missingCapabilities": [],
                "clockOffset": 0,
                "lastFailure": None,
                "told": {},
                "policyIds": [one.policy_id for one in self.configured if one.charger_id == name],
                "lastUpdated": rfc3339(NOW),
            }
            for name in dict.fromkeys(one.charger_id for one in self.configured)
        )

    def vehicles(self) -> tuple[Document, ...]:
        return tuple(
            {
                "id": name,
                "batteryCapacity": 52,
                "batteryLevel": self.level,
                "isPluggedIn": True,
                "isCharging": False,
                "chargeLimit": 80,
                "isAtHome": True,
                "at": "garage",
                "lastUpdated": rfc3339(NOW),
            }
            for name in dict.fromkeys(one.vehicle_id for one in self.configured)
        )

    def prices(self) -> PriceCurve:
        return self.curve

    def health(self) -> Health:
        return Health(
            ready=self.is_ready,
            problems=self.problems,
            version="0.1.0",
            started_at=NOW,
            chargers_online=1,
            chargers=1,
        )

    def pending(self) -> tuple[Document, ...]:
        return self.knocked

    def reload(self) -> tuple[str, ...]:
        self.reloads += 1
        return self.faults

    def overview(self, charger_id: ChargerId) -> Document | None:
        return self.overviews.get(charger_id)

    def security(self, charger_id: ChargerId) -> Document | None:
        if not self.securities:
            return None
        return self.securities[0] if len(self.securities) == 1 else self.securities.pop(0)

    async def secure(self, request: SecurityRequest) -> NotBegun | None:
        self.secured.append(request)
        return self.withheld

    async def operate(self, request: OperatorRequest) -> OperatorAnswer | None:
        self.operated.append(request)
        self.waiting.set()
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def request(self, event: Event) -> str | None:
        self.waiting.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.requests.append(event)
        if self.refusal is None:
            self._apply(event)
        return self.refusal

    def _apply(self, event: Event) -> None:
        match event:
            case ImmediateStartRequested():
                target = {"id": 2, "type": "IMMEDIATE_START", "minimumChargeTarget": event.minimum_charge_target}
                self._set(event.policy_id, target)
            case ScheduleOverrideRequested():
                target = example(5)["target"]["latest"] | {
                    "minimumChargeTarget": event.minimum_charge_target,
                    "readyBy": rfc3339(event.ready_by),
                }
                self._set(event.policy_id, target)
            case OverrideCancelled():
                self._set(event.policy_id, example(1)["target"]["latest"])
            case VehicleReported(level_pct=float(level)):
                self.level = round(level)

    def _set(self, policy_id: PolicyId, target: Document) -> None:
        document = deepcopy(self.sessions[policy_id])
        document["target"]["latest"] = target
        self.sessions[policy_id] = document
        self.tell(Change(topic="session", key=policy_id, document=document))

    def tell(self, change: Change | None) -> None:
        for queue in self.listeners:
            queue.put_nowait(change)

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[Change]]:
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self.listeners.append(queue)
        try:
            yield _drain(queue)
        finally:
            self.listeners.remove(queue)


async def _drain(queue: asyncio.Queue[Change | None]) -> AsyncIterator[Change]:
    while (change := await queue.get()) is not None:
        yield change
