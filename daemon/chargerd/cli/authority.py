"""A private certificate authority in one folder: its root, the gateway's certificate, and those of chargers.

RSA, because every TLS stack in a charger has it. With the OCPP driver's ``certificates``, the only module that imports
``cryptography``.
"""

import ipaddress
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chargerd_drivers.ocpp.certificates import built, leaf, named, pem, read_key, usage

ROOT_LIFE = timedelta(days=20 * 365)
_ROOT_BITS, _LEAF_BITS = 3072, 2048


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key, where they are, for whom, and until when."""

    certificate: Path
    key: Path
    names: tuple[str, ...]
    expires_at: datetime


class Authority:
    """The authority of a folder. Keys are readable by their owner only, and no key is ever overwritten."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "ca.pem"
        self.key = folder / "ca.key"
        self._folder = folder

    @property
    def exists(self) -> bool:
        """Whether there is a root certificate."""
        return self.certificate.exists()

    def create(self, name: str, now: datetime) -> Issued:
        """Make a root. Raises FileExistsError when there is one."""
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        key = _new_key(self.key, _ROOT_BITS)
        subject, public = named(name), key.public_key()
        root = (
            built(subject, subject, public, now + ROOT_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage(public, signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(self.certificate, pem(root))
        return _issued(self.certificate, self.key)

    def issue_gateway(self, names: tuple[str, ...], now: datetime) -> Issued:
        """Make the gateway's certificate for its names and addresses, or renew it with the key that it has.

        Without names those of the last one are taken. Raises FileNotFoundError without a root or a last one.
        """
        certificate, key = self._folder / "gateway.pem", self._folder / "gateway.key"
        names = names or _issued(certificate, key).names
        return self._issue(certificate, key, names, now, ExtendedKeyUsageOID.SERVER_AUTH)

    def issue_charger(self, identity: str, now: datetime) -> Issued:
        """Make a charger's certificate, or renew it; its common name is the identity."""
        stem = f"charger-{quote(identity, safe='')}"
        certificate, key = self._folder / f"{stem}.pem", self._folder / f"{stem}.key"
        return self._issue(certificate, key, (identity,), now, ExtendedKeyUsageOID.CLIENT_AUTH)

    def issued(self) -> tuple[Issued, ...]:
        """Return all that was issued, the root first."""
        found = sorted(self._folder.glob("charger-*.pem"))
        files = [self.certificate, self._folder / "gateway.pem", *found]
        return tuple(_issued(file, file.with_suffix(".key")) for file in files if file.exists())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the root, as chargers show it."""
        digest = x509.load_pem_x509_certificate(self.certificate.read_bytes()).fingerprint(hashes.SHA256())
        return digest.hex(":").upper()

    def _issue(
        self, certificate: Path, key_file: Path, names: tuple[str, ...], now: datetime, purpose: x509.ObjectIdentifier
    ) -> Issued:
        root = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        root_key = read_key(self.key)
        key = read_key(key_file) if key_file.exists() else _new_key(key_file, _LEAF_BITS)
        builder = leaf(named(names[0]), key.public_key(), root=root, now=now, purpose=purpose)
        if purpose == ExtendedKeyUsageOID.SERVER_AUTH:
            builder = builder.add_extension(x509.SubjectAlternativeName([_san(name) for name in names]), critical=False)
        _write(certificate, pem(builder.sign(root_key, hashes.SHA256())) + pem(root))
        return _issued(certificate, key_file)


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode())


def _issued(certificate: Path, key: Path) -> Issued:
    read = x509.load_pem_x509_certificate(certificate.read_bytes())
    try:
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        spelled = tuple(str(name.value) for name in names)
    except x509.ExtensionNotFound:
        spelled = tuple(str(part.value) for part in read.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    return Issued(certificate, key, spelled, read.not_valid_after_utc)


def _new_key(path: Path, bits: int) -> RSAPrivateKey:
    key = generate_private_key(public_exponent=65537, key_size=bits)
    spelled = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123  # by descriptor
        file.write(spelled)
    return key


def _write(path: Path, content: bytes) -> None:
    """Put a whole new file in the place of the old one: the daemon may read it at any time."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)
