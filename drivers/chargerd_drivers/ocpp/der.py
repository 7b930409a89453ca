"""What the standard library does not read out of certificates: their elements as they stand in DER (X.690). Pure."""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_VERSION = 0xA0


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, its content, and the whole of it."""

    tag: int
    content: bytes
    whole: bytes


def certificates_in(pem: bytes) -> tuple[bytes, ...]:
    """Return the certificates of a file in their order, each in PEM of its own."""
    return tuple(_PEM.findall(pem))


def fields_of(certificate: bytes) -> list[Element]:
    """Return what is signed in a certificate (PEM), without its version (RFC 5280, 4.1). Raises ValueError.

    Serial number, signature algorithm, issuer, validity, subject, public key.
    """
    try:
        whole = next(elements(ssl.PEM_cert_to_DER_cert(certificate.decode("ascii"))))
        signed = next(elements(whole.content))
        fields = [one for one in elements(signed.content) if one.tag != _VERSION]
        _ = fields[5]
    except (IndexError, StopIteration, ValueError) as error:
        msg = "a certificate in it is damaged"
        raise ValueError(msg) from error
    return fields


def elements(der: bytes) -> Iterator[Element]:
    """Yield the elements that stand side by side. Raises IndexError for bytes that are none."""
    at = 0
    while at < len(der):
        begin, tag, length, start = at, der[at], der[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[at + 2 : start], "big")
        at = start + length
        yield Element(tag, der[start:at], der[begin:at])
