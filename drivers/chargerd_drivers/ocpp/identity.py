"""Who is calling: the identity in the URL (OCPP-J 1.6 section 3.1.1) and the HTTP basic password. Pure."""

import base64
import binascii
import hmac
import unicodedata
from collections.abc import Iterable
from itertools import product
from urllib.parse import quote_from_bytes, unquote_to_bytes

SUBPROTOCOLS = {"ocpp1.6": "1.6", "ocpp2.0.1": "2.0.1"}
"""WebSocket subprotocol in lower case to OCPP version."""

_NAME_MAX = 64
_SCHEMES = frozenset({"ws:", "wss:", "http:", "https:"})
_URL_SAFE = "!#$%&'()*+,/:;=?@[]-._~"
"""What stays as it is in a path: reserved characters of RFC 3986, and the sign that escapes others."""


def canonical(identity: str) -> str:
    """Return the spelling under which identities are compared: composed characters, without regard to case."""
    return unicodedata.normalize("NFC", identity.strip()).casefold()


def candidates(raw_path: str, prefix: str) -> tuple[str, ...]:
    """Return what the path of a URL may mean as an identity, most likely first; () for a path that names nobody.

    EN+ appends its serial number, others a version in front, some send the whole URL of the server, slashes double up,
    an identity may itself hold an escaped slash: so the whole rest of the path comes first, then its segments from the
    last to the first.
    """
    path = raw_path.partition("?")[0].partition("#")[0]
    segments = [segment for segment in path.split("/") if segment]
    if segments and segments[0].casefold() in _SCHEMES:
        segments = segments[2:]
    wanted = [segment for segment in prefix.split("/") if segment]
    if segments[: len(wanted)] == wanted:
        segments = segments[len(wanted) :]
    if not segments:
        return ()
    decoded = [_decoded(segment) for segment in segments]
    return tuple(dict.fromkeys(["/".join(decoded), *reversed(decoded)]))


def _decoded(segment: str) -> str:
    raw = unquote_to_bytes(segment)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def mended_request(data: bytes) -> bytes:
    """Escape what a request line may not hold (RFC 9112 section 3.2): spaces and letters beyond ASCII in the path.

    ``data`` begins with the line; identities are typed by people, and some chargers send them as they were typed.
    """
    line, end, rest = data.partition(b"\n")
    method, space, target = line.partition(b" ")
    path, last_space, protocol = target.rpartition(b" ")
    if not end or not protocol.startswith(b"HTTP/"):
        return data
    return method + space + quote_from_bytes(path, _URL_SAFE).encode() + last_space + protocol + end + rest


def find(names: Iterable[str], known: Iterable[str]) -> str | None:
    """Return the configured identity that one of the names means, in its configured spelling."""
    by_canonical = {canonical(identity): identity for identity in known}
    return next((by_canonical[canonical(name)] for name in names if canonical(name) in by_canonical), None)


def printable(name: str) -> str:
    """Return a stranger's name fit for a log and a list."""
    return "".join(char if char.isprintable() else "?" for char in name)[:_NAME_MAX]


def credentials(header: str | None) -> tuple[bytes, bytes] | None:
    """Return user and password of an Authorization header as bytes; None without a readable one.

    Passwords may be any bytes: a 1.6 AuthorizationKey is 20 of them.
    """
    scheme, _, token = (header or "").strip().partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(token.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


def complaint(header: str | None, *, identity: str, password: bytes) -> str | None:
    """Return what is wrong with an Authorization header, in words; None when it fits.

    The user is the identity, whatever its case. A password of hexadecimal digits and the bytes that these stand for
    are the same password, whichever of the two is configured (security whitepaper, A00.FR.204).
    """
    given = credentials(header)
    if given is None:
        return "gave no password"
    user, secret = given
    named = [one.encode() for one in (canonical(user.decode("utf-8", errors="replace")), canonical(identity))]
    if not hmac.compare_digest(*named):
        return "gave another user name than its identity"
    matches = [hmac.compare_digest(*pair) for pair in product(_spellings(secret), _spellings(password))]
    return None if any(matches) else "gave a wrong password"


def _spellings(password: bytes) -> tuple[bytes, ...]:
    try:
        return password, binascii.unhexlify(password)
    except binascii.Error:
        return (password,)


def offered_versions(headers: Iterable[str]) -> tuple[str, ...]:
    """Return all offered subprotocols, over all header lines, in the order and spelling of the charger."""
    return tuple(part.strip() for line in headers for part in line.split(",") if part.strip())


def chosen(offered: Iterable[str]) -> str | None:
    """Return the first offered subprotocol that is spoken here, in the charger's own spelling."""
    return next((name for name in offered if name.casefold() in SUBPROTOCOLS), None)
