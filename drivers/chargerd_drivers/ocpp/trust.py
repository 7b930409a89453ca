"""Whether a charger will trust this gateway: its root, how chargers name that, and the handshake tried beforehand."""

import contextlib
import hashlib
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

from chargerd_drivers.ocpp.der import certificates_in, elements, fields_of
from chargerd_drivers.ocpp.fields import Json, obj, text, word

_ROUNDS_MAX = 10
_DIGESTS = frozenset({"sha256", "sha384", "sha512"})


@dataclass(frozen=True, slots=True)
class Root:
    """A root certificate, in PEM, as chargers are given it."""

    pem: str

    def is_among(self, hashes: Iterable[object]) -> bool:
        """Tell whether it is one of the CertificateHashData that a charger lists (1.6 whitepaper, 2.0.1 part 2)."""
        return any(self._is(obj(one)) for one in hashes)

    def _is(self, hashes: Json) -> bool:
        serial, _, issuer, _, _, key = fields_of(self.pem.encode())[:6]
        digest = word(hashes.get("hashAlgorithm"))
        if digest not in _DIGESTS:
            return False
        _, bits = elements(key.content)
        own = {
            "issuerNameHash": hashlib.new(digest, issuer.whole).hexdigest(),
            "issuerKeyHash": hashlib.new(digest, bits.content[1:]).hexdigest(),
        }
        given_serial = text(hashes.get("serialNumber")).casefold().lstrip("0")
        is_same = all(text(hashes.get(name)).casefold() == value for name, value in own.items())
        return is_same and given_serial == serial.content.hex().lstrip("0")


def root_in(chain: bytes) -> Root | None:
    """Return the root at the end of a file of certificates; None where it is a public authority's, left out."""
    found = certificates_in(chain)
    if not found:
        return None
    fields = fields_of(found[-1])
    is_root = fields[2].whole == fields[4].whole
    return Root(found[-1].decode("ascii") + "\n") if is_root else None


def why_untrusted(server: ssl.SSLContext, root: Root | None, host: str) -> str | None:
    """Shake hands as a charger would that trusts this root and calls this name. Return what is wrong, None: nothing.

    ``root`` None: those that this machine trusts.
    """
    client = ssl.create_default_context(cadata=None if root is None else root.pem)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    calling = client.wrap_bio(back, there, server_hostname=host.strip("[]"))
    called = server.wrap_bio(there, back, server_side=True)
    try:
        for _ in range(_ROUNDS_MAX):
            for side in (calling, called):
                with contextlib.suppress(ssl.SSLWantReadError):
                    side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except ssl.SSLError as error:
        return error.reason or str(error)
    return None
