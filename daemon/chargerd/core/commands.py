"""Everything the core can ask for. Commands state a wanted end, so repeating one is harmless.

Commands for a charger carry an id from a counter in the state; each outcome returns as CommandSucceeded or
CommandFailed with that id. Answers carry the ``reply_to`` of the event that asked.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from chargerd.core.ids import ChargerId, CommandId, PolicyId, ReplyTo, SessionId, TransactionId, VehicleId


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTransaction:
    """Have the charger begin a transaction (OCPP 1.6 RemoteStartTransaction, 2.0.1 RequestStartTransaction)."""

    charger_id: ChargerId
    command_id: CommandId
    id_token: str
    kind: Literal["start_transaction"] = "start_transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTransaction:
    """Have the charger end a transaction (OCPP 1.6 RemoteStopTransaction, 2.0.1 RequestStopTransaction)."""

    charger_id: ChargerId
    command_id: CommandId
    transaction_id: TransactionId
    kind: Literal["stop_transaction"] = "stop_transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStep:
    """From ``at`` on this much may flow per phase, in A; 0 pauses."""

    at: datetime
    limit_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCurrentLimit:
    """Let this much flow per phase, in A; 0 pauses. ``transaction_id`` is the running one, None when there is none.

    ``later`` are the steps that the charger is to take by itself should nobody tell it anything more, oldest first, the
    last one for good; there are fewer of them than ``Capabilities.schedule_periods``. ``unheeded`` tells that the last
    such limit was accepted and the meter has shown no effect since: then it is to be said another way. ``phases`` and
    ``voltage_v`` (a phase to neutral) are what a charger is told by that takes no current but a power over all phases.
    """

    charger_id: ChargerId
    command_id: CommandId
    limit_a: float
    transaction_id: TransactionId | None = None
    later: tuple[LimitStep, ...] = ()
    unheeded: bool = False
    phases: int = 3
    voltage_v: float = 230.0
    kind: Literal["set_current_limit"] = "set_current_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAuthorize:
    """Answer a waiting AuthorizeRequested."""

    charger_id: ChargerId
    reply_to: ReplyTo
    accepted: bool
    kind: Literal["answer_authorize"] = "answer_authorize"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTransaction:
    """Answer a waiting TransactionStarted or TransactionEnded. ``transaction_id`` is ours to give in OCPP 1.6."""

    charger_id: ChargerId
    reply_to: ReplyTo
    transaction_id: TransactionId
    kind: Literal["answer_transaction"] = "answer_transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest:
    """Answer a user's request. ``rejected`` says in words why not; None means that it was taken."""

    reply_to: ReplyTo
    rejected: str | None = None
    kind: Literal["answer_request"] = "answer_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettled:
    """Keep this settled document for ever; it never changes again. ``charger_id`` is None for a visit elsewhere.

    ``document`` is the JSON object of the session, ``ledger`` its quarter hours as
    ``{"startAt", "endAt", "wh", "quality"}``, both ready for JSON.
    """

    session_id: SessionId
    policy_id: PolicyId | None
    charger_id: ChargerId | None
    vehicle_id: VehicleId | None
    plugged_in_at: datetime
    plugged_out_at: datetime
    document: dict[str, Any]
    ledger: tuple[dict[str, Any], ...]
    kind: Literal["store_settled"] = "store_settled"


class NoteLevel(StrEnum):
    """INFO = what a resident would notice, WARNING = odd but handled, ERROR = a person must act."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One entry for the journal, and for the session's event log where it has a session.

    ``name`` is the stable name of the kind of event (``CHARGERD_EVENT``), for example ``session.state``.
    """

    name: str
    message: str
    level: NoteLevel = NoteLevel.INFO
    charger_id: ChargerId | None = None
    policy_id: PolicyId | None = None
    session_id: SessionId | None = None
    transaction_id: TransactionId | None = None
    error: str | None = None
    kind: Literal["note"] = "note"


ChargerCommand = StartTransaction | StopTransaction | SetCurrentLimit
ChargerAnswer = AnswerAuthorize | AnswerTransaction
Command = ChargerCommand | ChargerAnswer | AnswerRequest | StoreSettled | Note
