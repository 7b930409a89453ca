"""Certificates as they are made here: those of ``chargerd ca``, and those that chargers ask for (SignCertificate).

The one module of the drivers that imports ``cryptography``; it is imported where it is needed, for the daemon does
without unless chargers may have certificates signed. Certificates are valid from 1970 on: a charger without a battery
clock begins there, and learns the time from the very server it is to trust.
"""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chargerd_drivers.ocpp.identity import canonical, printable

LEAF_LIFE = timedelta(days=5 * 365)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_RSA_BITS_MIN, _CURVE_BITS_MIN = 2048, 224
"""OCPP security whitepaper, A00.FR.502 and 503; 2.0.1 part 2, A00.FR.502."""
_WEAK_HASHES = (hashes.MD5, hashes.SHA1)

PublicKey = RSAPublicKey | EllipticCurvePublicKey


def named(name: str) -> x509.Name:
    """Return a subject. Raises ValueError for a name of more than 64 characters (RFC 5280, A.1)."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def built(subject: x509.Name, issuer: x509.Name, key: PublicKey, until: datetime) -> x509.CertificateBuilder:
    """Return what all certificates have in common."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGINNING)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def usage(key: PublicKey, *, signs_certificates: bool) -> x509.KeyUsage:
    """Return what a key may be used for."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates and isinstance(key, RSAPublicKey),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def leaf(
    subject: x509.Name, key: PublicKey, *, root: x509.Certificate, now: datetime, purpose: x509.ObjectIdentifier
) -> x509.CertificateBuilder:
    """Return the certificate of a machine, to be signed by the root; it does not outlive that."""
    issuer = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        built(subject, root.subject, key, min(now + LEAF_LIFE, root.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(key, signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
    )


def read_key(path: Path) -> RSAPrivateKey:
    """Return a private key. Raises OSError, ValueError, and TypeError for one that is no RSA key or has a password."""
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        msg = f"{path}: expected an RSA key"
        raise TypeError(msg)
    return key


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as text."""
    return ssl.DER_cert_to_PEM_cert(certificate.public_bytes(serialization.Encoding.DER)).encode()


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs what chargers ask for. ``certificates`` holds that of ``key``; both files are read for each request."""

    certificates: Path
    key: Path

    def check(self) -> None:
        """Raises ValueError, in words, for files with which nothing can be signed."""
        self._root()

    def sign(self, request: str, *, identity: str, now: datetime) -> str:
        """Return a certificate with its root behind it, in PEM. Raises ValueError with what is wrong, in words.

        The common name that is asked for must be the identity, whatever its case: by that name profile 3 lets in.
        """
        asked = _read_request(request)
        key = _strong_key(asked)
        names = [str(part.value) for part in asked.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if [canonical(name) for name in names] != [canonical(identity)]:
            wanted = ", ".join(printable(name) for name in names) or "nobody"
            msg = f"it is for {wanted}, and the charger's identity is {identity}"
            raise ValueError(msg)
        root, root_key = self._root()
        builder = leaf(asked.subject, key, root=root, now=now, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
        return (pem(builder.sign(root_key, hashes.SHA256())) + pem(root)).decode("ascii")

    def _root(self) -> tuple[x509.Certificate, RSAPrivateKey]:
        try:
            key = read_key(self.key)
            known = x509.load_pem_x509_certificates(self.certificates.read_bytes())
        except OSError as error:
            msg = f"cannot read {error.filename}: {error.strerror}"
            raise ValueError(msg) from error
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:
            msg = f"{self.key}: expected an RSA key without a password, as chargerd ca init makes it"
            raise ValueError(msg) from error
        for root in known:
            if root.public_key() == key.public_key():
                return root, key
        msg = f"{self.key} is not the key of {self.certificates}"
        raise ValueError(msg)


def _read_request(request: str) -> x509.CertificateSigningRequest:
    """Read PEM. Some chargers write the ends of lines as they stand in C."""
    try:
        asked = x509.load_pem_x509_csr(request.replace("\\n", "\n").encode())
        digest = asked.signature_hash_algorithm
        fault = f"it is signed with {digest.name}, which is weak" if isinstance(digest, _WEAK_HASHES) else ""
        if not fault and not asked.is_signature_valid:
            fault = "it is not signed with its own key"
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        msg = "it is no certificate signing request that can be read"
        raise ValueError(msg) from error
    if fault:
        raise ValueError(fault)
    return asked


def _strong_key(asked: x509.CertificateSigningRequest) -> PublicKey:
    key, fault = asked.public_key(), ""
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        fault = "its key is neither RSA nor of an elliptic curve"
    elif key.key_size < (bits := _RSA_BITS_MIN if isinstance(key, RSAPublicKey) else _CURVE_BITS_MIN):
        fault = f"its key has {key.key_size} bits, expected {bits} at least"
    if fault or not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        raise ValueError(fault)
    return key
