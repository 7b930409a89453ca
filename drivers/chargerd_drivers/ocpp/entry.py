"""How a charger came in: over TLS or without, and by what it showed that it is the one."""

from dataclasses import dataclass
from enum import Enum, auto

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers

from chargerd_drivers.ocpp.config import SecurityProfile
from chargerd_drivers.ocpp.identity import canonical, complaint
from chargerd_drivers.ocpp.knock import common_name, is_secured
from chargerd_drivers.ocpp.passwords import Passwords


class Proof(Enum):
    """By what a charger showed that it is the one."""

    NONE = auto()
    PASSWORD = auto()
    NEW_PASSWORD = auto()
    """The one that was to take the place of its password."""
    CERTIFICATE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a connection was let in with. ``host`` and ``path`` are those by which the charger called, "" unknown.

    ``path`` is without the identity at its end.
    """

    is_over_tls: bool
    proof: Proof
    host: str = ""
    path: str = ""

    @property
    def profile(self) -> SecurityProfile:
        """The security profile that this amounts to."""
        if self.is_over_tls and self.proof is Proof.CERTIFICATE:
            return 3
        if self.proof is Proof.NONE:
            return 0
        return 2 if self.is_over_tls else 1


def entered(connection: ServerConnection, *, identity: str, passwords: Passwords) -> Entry:
    """Look at a connection that was let in."""
    request = connection.request
    assert request is not None
    name, given, proof = common_name(connection), authorization(request.headers), Proof.NONE
    if name is not None and canonical(name) == canonical(identity):
        proof = Proof.CERTIFICATE
    elif _fits(given, identity, passwords.pending):
        proof = Proof.NEW_PASSWORD
    elif _fits(given, identity, passwords.current):
        proof = Proof.PASSWORD
    return Entry(
        is_over_tls=is_secured(connection),
        proof=proof,
        host=_host(next(iter(request.headers.get_all("Host")), "")),
        path=request.path.partition("?")[0].rstrip("/").rpartition("/")[0],
    )


def _fits(given: str | None, identity: str, password: bytes | None) -> bool:
    return password is not None and complaint(given, identity=identity, password=password) is None


def _host(header: str) -> str:
    """Return the name or address of a Host header, an IPv6 address in its brackets (RFC 9110, 7.2)."""
    name, colon, port = header.strip().rpartition(":")
    return name if colon and port.isdigit() else header.strip()


def authorization(headers: Headers) -> str | None:
    """Return the first of the Authorization headers."""
    return next(iter(headers.get_all("Authorization")), None)
