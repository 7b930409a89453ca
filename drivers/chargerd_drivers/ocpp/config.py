"""The configuration of the OCPP driver: the ``[ocpp]`` section and the options of each charger."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from chargerd_drivers.ocpp.budget import FRAMES_PER_S

SecurityProfile = Literal[0, 1, 2, 3]
"""OCPP security whitepaper, section 2: 1 a password, 2 a password over TLS, 3 a client's certificate."""

_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\[\]\s]*):(?P<port>[0-9]{1,5})")


class OcppSection(BaseModel):
    """Where chargers call in, and what they are told about intervals.

    ``heartbeat_interval_s`` and ``sample_interval_s`` are what chargers are asked for, in their own time;
    ``call_timeout_s`` is in real seconds (slow chargers answer after up to a minute). ``ping_interval_s``, in real
    seconds too, is how often a connection is pinged, 0 for never; it is tuned where connections keep breaking.
    ``quirks_file`` holds what you know of your chargers, in the form of the shipped ``config/quirks.toml``.
    ``security_profile`` is what is asked of every charger at least, unless its own says otherwise. ``listen`` is
    without TLS, ``listen_tls`` with it; both stay open, so that no charger is locked out on the way from one to the
    other. The certificate is shown there, and ``tls_client_ca_file`` tells whose certificates chargers may show.
    ``tls_ca_key_file`` is the key of one of these: with it, requests of chargers for a certificate are signed.
    ``password_folder`` is where passwords are kept that the daemon gives to chargers without a ``password_file``.
    ``messages_per_s`` is how fast each charger is read at most, beyond a burst of 20 s of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = "0.0.0.0:8887"
    path: str = "/ocpp"
    security_profile: SecurityProfile = 0
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None
    tls_client_ca_file: Path | None = None
    tls_ca_key_file: Path | None = None
    listen_tls: str | None = None
    password_folder: Path | None = None
    accept_unknown: Literal["pending", "reject"] = "pending"
    heartbeat_interval_s: int = Field(default=300, ge=10, le=86400)
    sample_interval_s: int = Field(default=60, ge=5, le=3600)
    call_timeout_s: float = Field(default=60, gt=0, le=600)
    answer_timeout_s: float = Field(default=20, gt=0, le=60)
    message_bytes_max: int = Field(default=4 * 1024 * 1024, ge=65536)
    messages_per_s: float = Field(default=FRAMES_PER_S, ge=1, le=100_000)
    ping_interval_s: float = Field(default=30, ge=0, le=3600)
    quirks_file: Path | None = None

    @field_validator("listen", "listen_tls")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        match = None if value is None else _LISTEN.fullmatch(value)
        if value is not None and (match is None or int(match["port"]) > 65535):
            msg = "expected host:port with port 0 to 65535, an IPv6 address in brackets, for example [::]:8887"
            raise ValueError(msg)
        return value

    @field_validator("listen_tls")
    @classmethod
    def _has_certificate(cls, value: str | None, known: ValidationInfo) -> str | None:
        if value is not None and not (known.data.get("tls_certificate_file") and known.data.get("tls_key_file")):
            msg = "expected tls_certificate_file and tls_key_file beside it; chargerd ca issue makes both"
            raise ValueError(msg)
        return value

    @field_validator("tls_ca_key_file")
    @classmethod
    def _has_certificate_too(cls, value: Path | None, known: ValidationInfo) -> Path | None:
        if value is not None and not known.data.get("tls_client_ca_file"):
            msg = "expected tls_client_ca_file beside it, with the certificate of this key"
            raise ValueError(msg)
        return value

    @field_validator("password_folder")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            msg = 'expected a path that begins with "/", for example /var/lib/chargerd/passwords'
            raise ValueError(msg)
        return value

    @field_validator("path")
    @classmethod
    def _rooted(cls, value: str) -> str:
        if not value.startswith("/"):
            msg = 'expected a path that begins with "/"'
            raise ValueError(msg)
        return "/" + value.strip("/")

    @property
    def address(self) -> tuple[str | None, int]:
        """Where to listen without TLS: host, None for all interfaces; port, 0 lets the system choose one."""
        return _address(self.listen)

    @property
    def address_tls(self) -> tuple[str | None, int] | None:
        """Where to listen for TLS; None without it."""
        return None if self.listen_tls is None else _address(self.listen_tls)


def _address(listen: str) -> tuple[str | None, int]:
    host, _, port = listen.rpartition(":")
    return host.strip("[]") or None, int(port)


class OcppCharger(BaseModel):
    """One charger that speaks OCPP.

    ``identity`` is the last part of the URL in the charger's own settings. ``connector`` is the connector (1.6)
    or EVSE (2.0.1) that is controlled. ``password_file`` holds the HTTP basic password (OCPP security profile 1); None
    means that none is asked for until ``chargerd secure`` gives it one. ``security_profile`` is what is asked of this
    charger at least; None: of all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: str = Field(min_length=1, max_length=255)
    connector: int = Field(default=1, ge=1)
    password_file: Path | None = None
    security_profile: SecurityProfile | None = None

    def profile(self, section: OcppSection) -> SecurityProfile:
        """Return the security profile that is asked of this charger at least."""
        return section.security_profile if self.security_profile is None else self.security_profile


def faults(section: OcppSection, charger: OcppCharger) -> Iterator[tuple[str, str]]:
    """Yield the keys of a charger that the section does not fit, each with what is expected."""
    profile = charger.profile(section)
    if profile in {1, 2} and charger.password_file is None and section.password_folder is None:
        yield "password_file", f"missing, and security_profile {profile} asks for a password"
    if profile >= 2 and section.listen_tls is None:
        yield "security_profile", f"{profile} is over TLS, expected [ocpp] listen_tls, for example 0.0.0.0:8888"
    if profile == 3 and section.tls_client_ca_file is None:
        yield "security_profile", "3 is with certificates of chargers, expected [ocpp] tls_client_ca_file"
