"""A private certificate authority in one folder: its root, the gateway's certificate, and those of chargers.

The only module that imports ``cryptography``. RSA, because every TLS stack in a charger has it. Certificates are valid
from 1970 on: a charger without a battery clock begins there, and learns the time from the very server it is to trust.
"""

import ipaddress
import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_LIFE = timedelta(days=20 * 365)
LEAF_LIFE = timedelta(days=5 * 365)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
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
        subject = _named(name)
        built = (
            _built(subject, subject, key, now + ROOT_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(self.certificate, _pem(built))
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
        root_key = _read_key(self.key)
        key = _read_key(key_file) if key_file.exists() else _new_key(key_file, _LEAF_BITS)
        subject = _named(names[0])
        until = min(now + LEAF_LIFE, root.not_valid_after_utc)
        builder = (
            _built(subject, root.subject, key, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        )
        if purpose == ExtendedKeyUsageOID.SERVER_AUTH:
            builder = builder.add_extension(x509.SubjectAlternativeName([_san(name) for name in names]), critical=False)
        _write(certificate, _pem(builder.sign(root_key, hashes.SHA256())) + _pem(root))
        return _issued(certificate, key_file)


def _named(name: str) -> x509.Name:
    """Raises ValueError for a name of more than 64 characters, which no certificate can hold (RFC 5280, A.1)."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _built(subject: x509.Name, issuer: x509.Name, key: RSAPrivateKey, until: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGINNING)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


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


def _read_key(path: Path) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        msg = f"{path}: expected an RSA key"
        raise TypeError(msg)
    return key


def _pem(certificate: x509.Certificate) -> bytes:
    return ssl.DER_cert_to_PEM_cert(certificate.public_bytes(serialization.Encoding.DER)).encode()


def _write(path: Path, content: bytes) -> None:
    """Put a whole new file in the place of the old one: the daemon may read it at any time."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)
