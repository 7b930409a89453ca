"""Where a station dials, as whom, and by what it is known and trusts."""

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to dial and as whom. ``version`` is "1.6" or "2.0.1".

    ``root`` is what is trusted over TLS, in PEM, None: what this machine trusts. ``certificate`` is the station's own
    and its key, in PEM; who shows one gives no password.
    """

    url: str
    identity: str
    version: str
    password: str | None = None
    root: str | None = None
    certificate: tuple[str, str] | None = None

    @property
    def full_url(self) -> str:
        """The URL with the identity at its end."""
        return f"{self.url.rstrip('/')}/{quote(self.identity, safe='')}"

    @property
    def headers(self) -> dict[str, str]:
        """HTTP Basic authentication (OCPP security profiles 1 and 2), if there is a password."""
        if self.password is None or (self.certificate is not None and self.url.startswith("wss:")):
            return {}
        token = base64.b64encode(f"{self.identity}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}


def trust(address: Address) -> ssl.SSLContext | None:
    """Return how to dial over TLS; None for an address without."""
    if not address.url.startswith("wss:"):
        return None
    context = ssl.create_default_context(cadata=address.root)
    if address.certificate is not None:
        show_certificate(context, address.certificate)
    return context


def show_certificate(context: ssl.SSLContext, certificate: tuple[str, str]) -> None:
    """Have a context show a certificate with its key, both in PEM: ``ssl`` reads files only. Raises SSLError."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "own.pem"
        path.touch(mode=0o600)
        path.write_text("\n".join(certificate), encoding="ascii")
        context.load_cert_chain(path)
