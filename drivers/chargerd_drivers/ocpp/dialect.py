"""What the two versions have in common: the shape of a translated message, and what a version must be able to do."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chargerd.contract import ChargerAnswer, ChargerId, Event, ReplyTo, StartTransaction, StopTransaction
from chargerd_drivers.ocpp.fields import Json
from chargerd_drivers.ocpp.ways import Limit, Purpose
from chargerd_drivers.ocpp.wire import Version

Request = tuple[str, Json]
"""Action and payload of a CALL that we send."""

PENDING_INTERVAL_S = 60
"""When a charger that is held Pending asks again."""


def _as_told(elements: object, _now: datetime) -> object:
    return elements


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a translation needs to know besides the payload.

    ``reply_to`` names this message, should it need a decision. ``foreign`` holds the transactions of other connectors
    of the same charger. ``spare_transaction_id`` is given to a transaction that we do not control. ``mend`` makes of
    the elements of a meterValue, and the time now, what they are to be read as.
    """

    charger_id: ChargerId
    connector: int
    now: datetime
    reply_to: ReplyTo
    heartbeat_interval_s: int = 300
    foreign: AbstractSet[str] = frozenset()
    spare_transaction_id: int = 0
    mend: Callable[[object, datetime], object] = _as_told


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A request of a charger, translated.

    ``reply`` is the answer to give at once; None means that it takes a decision. ``fallback`` is the answer when no
    decision came; None means that the version has no harmless one. ``foreign`` is a transaction id to remember as
    another connector's.
    """

    action: str
    reply: Json | None
    events: tuple[Event, ...] = ()
    fallback: Json | None = None
    foreign: str | None = None


class Dialect(Protocol):
    """One version of OCPP: pure translation. The modules ``v16`` and ``v201`` are this.

    ``RESTART`` ends transactions in an orderly way and starts the charger anew. ``HELD_ERROR`` is the code of the error
    by which what ``hold`` has no answer to is refused, ``BOOT_TRIGGER`` asks for a boot; None where nobody is asked.
    """

    VERSION: Version
    PROTOCOL: str
    FORMAT_ERROR: str
    RESTART: Request
    HELD_ERROR: str
    BOOT_TRIGGER: Request | None

    def read(self, action: str, payload: Json, context: Context) -> Reading | None:
        """Translate a request of a charger; None for an action that is not for a central system."""
        ...

    def confirmation(self, reading: Reading, answer: ChargerAnswer) -> Json | None:
        """Return the payload that tells a charger our decision; None when the answer does not fit the question."""
        ...

    def request(self, command: StartTransaction | StopTransaction, connector: int) -> Request:
        """Return what to send for a command."""
        ...

    def limit_request(self, limit: Limit, connector: int) -> Request:
        """Return what says a limit in the way that it holds."""
        ...

    def clear_request(self, purpose: Purpose) -> Request:
        """Return what takes our own profile of a purpose away."""
        ...

    def clear_all_requests(self) -> tuple[Request, ...]:
        """Return what takes away every profile that there is."""
        ...

    def hold(self, action: str, payload: Json, now: datetime, /) -> Json | None:
        """Return the answer to a charger that is not configured: nothing of it is taken, nothing is authorised."""
        ...
