"""TLS for chargers (security profiles 2 and 3): the gateway's certificate, renewed while running, and what fails."""

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from chargerd.contract import Clock, ConfigError
from chargerd_drivers.ocpp.config import OcppSection
from chargerd_drivers.ocpp.expiry import expires_at

_log = structlog.get_logger("chargerd.ocpp")

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-GCM-SHA256:AES256-GCM-SHA384"
"""Of TLS 1.2; the last two are for chargers without elliptic curves, and must be spoken (OCPP 2.0.1, A00.FR.318)."""

_NOT_TRUSTED = "it does not trust this gateway's certificate; give it the root certificate (chargerd ca show)"
_REMEDIES = (
    ("CERTIFICATE_EXPIRED", "it takes this gateway's certificate, or its root, for expired; check its clock, or renew"),
    ("ALERT_UNKNOWN_CA", _NOT_TRUSTED),
    ("ALERT_BAD_CERTIFICATE", _NOT_TRUSTED),
    ("ALERT_CERTIFICATE_UNKNOWN", _NOT_TRUSTED),
    ("ALERT_ACCESS_DENIED", _NOT_TRUSTED),
    ("ALERT_DECRYPT_ERROR", _NOT_TRUSTED),
    ("CERTIFICATE_VERIFY_FAILED", "its own certificate is not good; issue a new one (chargerd ca issue)"),
    ("HTTP_REQUEST", "it spoke without TLS; set it to wss://, or to the port of listen"),
    ("WRONG_VERSION_NUMBER", "it spoke something else than TLS; set it to wss://, or to the port of listen"),
    ("UNSUPPORTED_PROTOCOL", "it speaks no TLS 1.2; renew its firmware, or set it to ws://"),
    ("VERSION_TOO_LOW", "it speaks no TLS 1.2; renew its firmware, or set it to ws://"),
    ("PROTOCOL_VERSION", "it speaks no TLS 1.2; renew its firmware, or set it to ws://"),
    ("NO_SHARED_CIPHER", "it has no cipher in common with this gateway; renew its firmware, or set it to ws://"),
    ("HANDSHAKE_FAILURE", "it has no cipher in common with this gateway; renew its firmware, or set it to ws://"),
)


WARNED_BEFORE = timedelta(days=30)
_DAY_S = 86400.0


async def watch_expiry(tls: "Tls", clock: Clock) -> None:
    """Warn once a day when the certificate is about to expire."""
    while True:
        tls.refresh()
        left = tls.expires_at - clock.now()
        if left < WARNED_BEFORE:
            ends = f"{tls.expires_at:%Y-%m-%d}"
            words = f"expires on {ends}" if left > timedelta(0) else f"expired on {ends}: chargers over TLS stay away"
            message = f"the certificate that chargers are shown {words}; renew it with chargerd ca issue"
            say = _log.warning if left > timedelta(0) else _log.error
            say("ocpp.certificate_expires", message=message, expires_at=ends)
        await clock.sleep(_DAY_S)


def remedy(error: OSError) -> str:
    """Say in words why a TLS handshake failed and what helps."""
    if not isinstance(error, ssl.SSLError):
        return "it hung up in the middle of the TLS handshake; it may not trust this gateway's certificate"
    reason = error.reason or "UNKNOWN"
    words = next((words for part, words in _REMEDIES if part in reason), "see the manual of its TLS settings")
    detail = f", {error.verify_message}" if isinstance(error, ssl.SSLCertVerificationError) else ""
    return f"{words} (certificate or TLS alert: {reason}{detail})"


@dataclass(frozen=True, slots=True)
class _Loaded:
    context: ssl.SSLContext
    expires_at: datetime
    stamps: tuple[tuple[int, ...], ...]


class Tls:
    """The certificate that the gateway shows. Files that changed are read anew for the next connection."""

    def __init__(self, section: OcppSection) -> None:
        assert section.tls_certificate_file is not None
        assert section.tls_key_file is not None
        self._certificate: Path = section.tls_certificate_file
        self._key: Path = section.tls_key_file
        self._client_ca = section.tls_client_ca_file
        self._loaded = self._load()
        self._rejected: tuple[tuple[int, ...], ...] = ()

    @property
    def expires_at(self) -> datetime:
        """When the certificate, or one that stands behind it in its file, expires."""
        return self._loaded.expires_at

    def refresh(self) -> ssl.SSLContext:
        """Return what the next connection is to be opened with. Files that do not fit change nothing."""
        stamps = self._stamps()
        if stamps not in (self._loaded.stamps, self._rejected):
            try:
                self._loaded = self._load()
            except ConfigError as error:
                self._rejected = stamps
                _log.error("ocpp.certificate_rejected", message=f"the old certificate stays in use: {error}")
            else:
                _log.info(
                    "ocpp.certificate_renewed",
                    message=f"a new certificate is shown to chargers; it expires on {self.expires_at:%Y-%m-%d}",
                )
        return self._loaded.context

    def _stamps(self) -> tuple[tuple[int, ...], ...]:
        return tuple(_stamp(path) for path in (self._certificate, self._key, self._client_ca) if path is not None)

    def _load(self) -> _Loaded:
        """Read the files. Raises ConfigError with what is wrong and what is expected."""
        stamps = self._stamps()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        try:
            until = expires_at(self._certificate.read_bytes())
            context.load_cert_chain(self._certificate, self._key, password=_no_password)
            if self._client_ca is not None:
                context.load_verify_locations(self._client_ca)
                context.verify_mode = ssl.CERT_OPTIONAL
        except (OSError, ValueError) as error:
            raise ConfigError((f"ocpp: TLS: {self._why(error)}",)) from error
        return _Loaded(context, until, stamps)

    def _why(self, error: OSError | ValueError) -> str:
        if isinstance(error, ssl.SSLError):
            if error.reason == "KEY_VALUES_MISMATCH":
                return f"tls_key_file {self._key} is not the key of tls_certificate_file {self._certificate}"
            return f"expected certificates and a key without a password, in PEM, got {error.reason or error}"
        if isinstance(error, OSError):
            return f"cannot read {error.filename or self._certificate}: {error.strerror or error}"
        return f"tls_certificate_file {self._certificate}: {error}"


def _no_password() -> bytes:
    """A key with a password would ask for it on a terminal that nobody sits at."""
    return b""


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino
