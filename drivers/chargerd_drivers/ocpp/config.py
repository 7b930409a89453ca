"""The configuration of the OCPP driver: the ``[ocpp]`` section and the options of each charger."""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from chargerd_drivers.ocpp.budget import FRAMES_PER_S

_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\[\]\s]*):(?P<port>[0-9]{1,5})")


class OcppSection(BaseModel):
    """Where chargers call in, and what they are told about intervals.

    ``heartbeat_interval_s`` and ``sample_interval_s`` are what chargers are asked for, in their own time;
    ``call_timeout_s`` is in real seconds (slow chargers answer after up to a minute). ``ping_interval_s``, in real
    seconds too, is how often a connection is pinged, 0 for never; it is tuned where connections keep breaking.
    ``quirks_file`` holds what you know of your chargers, in the form of the shipped ``config/quirks.toml``.
    ``messages_per_s`` is how fast each charger is read at most, beyond a burst of 20 s of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = "0.0.0.0:8887"
    path: str = "/ocpp"
    accept_unknown: Literal["pending", "reject"] = "pending"
    heartbeat_interval_s: int = Field(default=300, ge=10, le=86400)
    sample_interval_s: int = Field(default=60, ge=5, le=3600)
    call_timeout_s: float = Field(default=60, gt=0, le=600)
    answer_timeout_s: float = Field(default=20, gt=0, le=60)
    message_bytes_max: int = Field(default=4 * 1024 * 1024, ge=65536)
    messages_per_s: float = Field(default=FRAMES_PER_S, ge=1, le=100_000)
    ping_interval_s: float = Field(default=30, ge=0, le=3600)
    quirks_file: Path | None = None

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        match = _LISTEN.fullmatch(value)
        if match is None or int(match["port"]) > 65535:
            msg = "expected host:port with port 0 to 65535, an IPv6 address in brackets, for example [::]:8887"
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
    def host(self) -> str | None:
        """Address to listen on, without brackets; None means all interfaces."""
        return self.listen.rpartition(":")[0].strip("[]") or None

    @property
    def port(self) -> int:
        """TCP port to listen on; 0 lets the system choose one."""
        return int(self.listen.rpartition(":")[2])


class OcppCharger(BaseModel):
    """One charger that speaks OCPP.

    ``identity`` is the last part of the URL in the charger's own settings. ``connector`` is the connector (1.6)
    or EVSE (2.0.1) that is controlled. ``password_file`` holds the HTTP basic password (OCPP security profile 1);
    None means that none is asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: str = Field(min_length=1, max_length=255)
    connector: int = Field(default=1, ge=1)
    password_file: Path | None = None
