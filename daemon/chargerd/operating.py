"""What a person may ask of a charger beside charging, in the charger's own protocol. Part of the contract."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from chargerd.core.ids import ChargerId

Document = dict[str, Any]
"""A JSON object as the API shows it: camelCase keys, RFC 3339 times ending in Z."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRequest:
    """A person has a charger asked something in its own protocol's words.

    ``asked_by`` is for the journal. ``has_visit`` tells that a car is there: then what would disturb its charging is
    withheld unless ``is_forced``.
    """

    charger_id: ChargerId
    action: str
    payload: Document
    asked_by: str
    has_visit: bool = False
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Responded:
    """What the charger answered; that may be a refusal in its own words."""

    payload: Document


@dataclass(frozen=True, slots=True)
class Faulted:
    """The charger answered with an error (OCPP CALLERROR)."""

    code: str
    description: str


class Withheld(StrEnum):
    """Why a request was not sent."""

    UNKNOWN = "UNKNOWN"
    """The charger's protocol has no such request; the detail lists those that it has."""
    INVALID = "INVALID"
    """The payload breaks the protocol's schema; the detail says where and how."""
    DISTURBING = "DISTURBING"
    """It would disturb the car that is there."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request was not sent; ``detail`` says why in words. ``path`` is where in an invalid payload, "" its root."""

    why: Withheld
    detail: str
    path: str = ""


OperatorAnswer = Responded | Faulted | NotSent


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityRequest:
    """A person has a charger's security raised, step by step, so that it is not locked out.

    ``profile`` is the OCPP security profile, 1 to 3; None leaves it as it is. ``new_password`` and ``new_certificate``
    give it those. ``is_trusting``: it was given the root, and for profile 3 its certificate, by hand. ``interface`` is
    the network interface over which it is to call, in the protocol's words. The rest is as for ``OperatorRequest``.
    """

    charger_id: ChargerId
    asked_by: str
    profile: Literal[1, 2, 3] | None = None
    new_password: bool = False
    new_certificate: bool = False
    is_trusting: bool = False
    interface: str = "Wired0"
    has_visit: bool = False
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class NotBegun:
    """Nothing was done; ``detail`` says why in words. ``is_forcible``: it would be done if it were forced."""

    detail: str
    is_forcible: bool = False


class OperatorSide(Protocol):
    """What a driver lets a person do and see beside charging."""

    async def ask(self, request: OperatorRequest) -> OperatorAnswer:
        """Send a request in its turn among our own, and return what came of it.

        Raises Unreachable without a connection or an answer in time.
        """
        ...

    async def secure(self, request: SecurityRequest) -> NotBegun | None:
        """Begin to raise a charger's security, which goes on by itself; None: begun, see ``security``."""
        ...

    def security(self, charger_id: ChargerId) -> Document:
        """How a charger comes in ("profile", null while it is not connected), and its last "upgrade", null: none."""
        ...

    def pending(self) -> tuple[Document, ...]:
        """Devices that knocked and are not configured, oldest first: "identity", "driver", and what is known."""
        ...

    def told(self, charger_id: ChargerId) -> Document:
        """What a charger told of itself beside charging, by topic, each with "at"; {} when it told nothing."""
        ...

    def overview(self, charger_id: ChargerId) -> Document:
        """Which requests a charger takes ("actions", null while it is not connected), and its latest "messages"."""
        ...
