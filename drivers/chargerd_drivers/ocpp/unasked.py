"""What chargers say unasked beside charging: read into small facts, kept within bounds, and told once per change.

Nothing here changes how cars are charged. OCPP 1.6 edition 2 sections 4.4, 4.5, the security whitepaper, and OCPP 2.0.1
part 2, blocks A, G, H, J, K, L, M, N and O; both versions spell what is read here alike.
"""

import json
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from chargerd_drivers.ocpp.fields import Json, integer, listing, obj, stamp, text, word

Level = Literal["debug", "info", "warning"]

MESSAGES_MAX, MESSAGES_BYTES_MAX = 400, 256 * 1024
"""Of every charger; the oldest go first. A full inventory of a large station has some hundred parts of 1 kB."""
AGAIN_AFTER = timedelta(hours=1)
"""The same thing told again so much later is worth telling again: somebody may be at the charger's lid once more."""
_CONDITIONS_MAX = 64
_WORDS_MAX = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that was said. ``topic`` is its place in the charger's document, ``members`` what stands there.

    ``members`` None: it is not so any more. ``about`` tells conditions of one topic apart. ``words`` is for the
    journal, after the charger's name; ``level`` how much it matters there.
    """

    topic: str
    members: Json | None
    words: str
    level: Level = "info"
    about: str = ""


@dataclass(slots=True)
class Hearsay:
    """What one charger has said since the daemon started. Holds a bounded amount, whatever it says."""

    facts: dict[str, Json] = field(default_factory=dict)
    _messages: deque[str] = field(default_factory=deque)
    _bytes: int = 0
    _told: OrderedDict[tuple[str, str], tuple[Json | None, datetime]] = field(default_factory=OrderedDict)

    @property
    def messages(self) -> tuple[Json, ...]:
        """The messages as they came, oldest first; the payload of one that was too large to be kept is None."""
        return tuple(json.loads(message) for message in self._messages)

    def take(self, action: str, payload: Json, now: datetime) -> tuple[Fact, ...]:
        """Keep a message; return what of it is news."""
        self._keep({"action": action, "at": stamp(now), "payload": payload})
        return tuple(fact for fact in facts(action, payload) if self._is_news(fact, now))

    def note(self, topic: str, members: Json, now: datetime) -> None:
        """Keep a fact for the charger's document, in place of the last one of its topic."""
        self.facts[topic] = {**members, "at": stamp(now)}

    def _is_news(self, fact: Fact, now: datetime) -> bool:
        if fact.members is None:
            self.facts.pop(fact.topic, None)
        else:
            self.note(fact.topic, fact.members, now)
        key = (fact.topic, fact.about)
        last = self._told.get(key)
        if last is not None and last[0] == fact.members and now - last[1] < AGAIN_AFTER:
            return False
        self._told[key] = (fact.members, now)
        self._told.move_to_end(key)
        if len(self._told) > _CONDITIONS_MAX:
            self._told.popitem(last=False)
        return True

    def _keep(self, message: Json) -> None:
        spelled = json.dumps(message)
        if len(spelled) > MESSAGES_BYTES_MAX // 4:
            spelled = json.dumps({**message, "payload": None})
        self._messages.append(spelled)
        self._bytes += len(spelled)
        while len(self._messages) > MESSAGES_MAX or self._bytes > MESSAGES_BYTES_MAX:
            self._bytes -= len(self._messages.popleft())


def facts(action: str, payload: Json) -> tuple[Fact, ...]:
    """Read a message; () for one that is only kept."""
    reader = _READERS.get(action)
    return () if reader is None else reader(payload)


def _firmware(payload: Json) -> tuple[Fact, ...]:
    status = _short(payload.get("status"))
    level: Level = "debug" if word(status) == "idle" else "warning" if _is_bad(status) else "info"
    members = _given(status=status, requestId=integer(payload.get("requestId")))
    return (Fact(topic="firmware", members=members, words=f"firmware update: {status}", level=level),)


def _published(payload: Json) -> tuple[Fact, ...]:
    status = _short(payload.get("status"))
    level: Level = "debug" if word(status) == "idle" else "warning" if _is_bad(status) else "info"
    members = _given(status=status, requestId=integer(payload.get("requestId")))
    return (Fact(topic="publishedFirmware", members=members, words=f"firmware to be passed on: {status}", level=level),)


def _log(payload: Json) -> tuple[Fact, ...]:
    status = _short(payload.get("status"))
    is_quiet = word(status) in {"idle", "uploading"}
    level: Level = "debug" if is_quiet else "warning" if _is_bad(status) else "info"
    members = _given(status=status, requestId=integer(payload.get("requestId")))
    return (Fact(topic="logUpload", members=members, words=f"upload of its log: {status}", level=level),)


def _is_bad(status: str) -> bool:
    """Every version has words of its own for what did not come off; all are spelled like this."""
    spelled = word(status)
    bad = ("fail", "invalid", "badmessage", "notsupported", "permissiondenied", "canceled", "mismatch")
    return any(part in spelled for part in bad)


_ROUTINE = frozenset(
    {"firmwareupdated", "settingsystemtime", "startupofthedevice", "resetorreboot"}
    | {"reconfigurationofsecurityparameters"}
)
"""Security events of an honest week (2.0.1 part 2, appendix 1); all others are worth a warning."""


def _security(payload: Json) -> tuple[Fact, ...]:
    kind, info = _short(payload.get("type")), _short(payload.get("techInfo"))
    level: Level = "info" if word(kind) in _ROUTINE else "warning"
    words = f"security event: {kind}, {info}" if info else f"security event: {kind}"
    return (Fact(topic="securityEvent", members=_given(type=kind, info=info), words=words, level=level, about=kind),)


def _reservation(payload: Json) -> tuple[Fact, ...]:
    status, number = _short(payload.get("reservationUpdateStatus")), integer(payload.get("reservationId"))
    members = _given(status=status, reservationId=number)
    return (Fact(topic="reservation", members=members, words=f"reservation {number}: {status}", about=str(number)),)


def _charging_limit(payload: Json) -> tuple[Fact, ...]:
    """An external system limits charging past us (K11 to K13): a resident sees it as a slower car."""
    limit = obj(payload.get("chargingLimit"))
    source = _short(limit.get("chargingLimitSource"))
    is_critical = limit.get("isGridCritical") is True
    words = f"its charging is limited by {source or 'another system'}"
    return (Fact(topic="chargingLimit", members={"source": source, "isGridCritical": is_critical}, words=words),)


def _limit_cleared(payload: Json) -> tuple[Fact, ...]:
    source = _short(payload.get("chargingLimitSource")) or "another system"
    return (Fact(topic="chargingLimit", members=None, words=f"its charging is not limited by {source} any more"),)


def _events(payload: Json) -> tuple[Fact, ...]:
    """What monitored variables say (N07). Only an alert is news for a person."""
    return tuple(_event(obj(one)) for one in listing(payload.get("eventData"))[:16])


def _event(one: Json) -> Fact:
    component = _short(obj(one.get("component")).get("name"))
    variable = _short(obj(one.get("variable")).get("name"))
    value, is_over = _short(one.get("actualValue")), one.get("cleared") is True
    level: Level = "info" if word(one.get("trigger")) == "alerting" else "debug"
    members = {"component": component, "variable": variable, "value": value, "isOver": is_over}
    words = f"{component} {variable} is {value}, which is no cause for an alert any more" if is_over else ""
    words = words or f"{component} {variable} is {value}"
    return Fact(topic="event", members=members, words=words, level=level, about=f"{component}/{variable}")


def _vendors_own(payload: Json) -> tuple[Fact, ...]:
    vendor, message = _short(payload.get("vendorId")), _short(payload.get("messageId"))
    words = f"data of {vendor or 'a vendor'} that is not understood: {message}"
    members = _given(vendorId=vendor, messageId=message)
    return (Fact(topic="dataTransfer", members=members, words=words, level="debug", about=f"{vendor}/{message}"),)


def _needs(payload: Json) -> tuple[Fact, ...]:
    """What a car says over ISO 15118 that it needs (K15)."""
    needs = obj(payload.get("chargingNeeds"))
    ac = obj(needs.get("acChargingParameters"))
    members = _given(
        departureTime=_short(needs.get("departureTime")),
        requestedEnergyTransfer=_short(needs.get("requestedEnergyTransfer")),
        energyAmountWh=integer(ac.get("energyAmount")),
    )
    return (Fact(topic="chargingNeeds", members=members, words="the car told what it needs", level="debug"),)


def _given(**members: object) -> Json:
    """Return the members that say something."""
    return {name: value for name, value in members.items() if value not in {None, ""}}


def _short(value: object) -> str:
    return text(value, length_max=_WORDS_MAX)


_READERS = MappingProxyType[str, Callable[[Json], tuple[Fact, ...]]](
    {
        "ClearedChargingLimit": _limit_cleared,
        "DataTransfer": _vendors_own,
        "DiagnosticsStatusNotification": _log,
        "FirmwareStatusNotification": _firmware,
        "LogStatusNotification": _log,
        "NotifyChargingLimit": _charging_limit,
        "NotifyEVChargingNeeds": _needs,
        "NotifyEvent": _events,
        "PublishFirmwareStatusNotification": _published,
        "ReservationStatusUpdate": _reservation,
        "SecurityEventNotification": _security,
        "SignedFirmwareStatusNotification": _firmware,
    }
)

KEPT = frozenset(_READERS) | frozenset(
    {
        *("Get15118EVCertificate", "GetCertificateStatus", "NotifyCustomerInformation", "NotifyDisplayMessages"),
        *("NotifyEVChargingSchedule", "NotifyMonitoringReport", "NotifyReport", "ReportChargingProfiles"),
        "SignCertificate",
    }
)
"""All that is said unasked and is not about charging."""
