"""How a charger came in: over TLS or without, and by what it showed that it is the one."""

from dataclasses import dataclass
from enum import Enum, auto

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers

from chargerd_drivers.ocpp.identity import canonical, complaint
from chargerd_drivers.ocpp.knock import common_name, is_secured


class Proof(Enum):
    """By what a charger showed that it is the one."""

    NONE = auto()
    PASSWORD = auto()
    CERTIFICATE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a connection was let in with."""

    is_over_tls: bool
    proof: Proof


def entered(connection: ServerConnection, *, identity: str, password: bytes | None) -> Entry:
    """Look at a connection that was let in. ``password`` None: none is asked for."""
    assert connection.request is not None
    name, proof = common_name(connection), Proof.NONE
    if name is not None and canonical(name) == canonical(identity):
        proof = Proof.CERTIFICATE
    elif password is not None:
        given = authorization(connection.request.headers)
        proof = Proof.PASSWORD if complaint(given, identity=identity, password=password) is None else Proof.NONE
    return Entry(is_over_tls=is_secured(connection), proof=proof)


def authorization(headers: Headers) -> str | None:
    """Return the first of the Authorization headers."""
    return next(iter(headers.get_all("Authorization")), None)
