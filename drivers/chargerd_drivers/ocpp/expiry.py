"""When certificates expire: the one date that the standard library does not read out of them (RFC 5280, 4.1). Pure."""

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18


def expires_at(pem: bytes) -> datetime:
    """Return when the first of a file's certificates expires. Raises ValueError when there is none to be read."""
    found = [_not_after(ssl.PEM_cert_to_DER_cert(block.decode("ascii"))) for block in _PEM.findall(pem)]
    if not found:
        msg = "no certificate in it"
        raise ValueError(msg)
    return min(found)


def _not_after(der: bytes) -> datetime:
    try:
        _, certificate = next(_elements(der))
        _, signed = next(_elements(certificate))
        fields = [content for tag, content in _elements(signed) if tag != _VERSION]
        _, (tag, until) = _elements(fields[3])
    except (IndexError, StopIteration, ValueError) as error:
        msg = "a certificate in it is damaged"
        raise ValueError(msg) from error
    spelled = until.decode("ascii")
    if tag == _UTC_TIME:
        spelled = ("20" if spelled < "5" else "19") + spelled
    return datetime.strptime(spelled, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of the elements that stand side by side."""
    at = 0
    while at < len(der):
        tag, length, start = der[at], der[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[at + 2 : start], "big")
        at = start + length
        yield tag, der[start:at]
