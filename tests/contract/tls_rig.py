"""Certificates of a test's own, and chargers that come over TLS."""

import asyncio
import shutil
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID
from ocpp_rig import BOOT_16, GARAGE, PATIENCE_S, Rig
from websockets.exceptions import InvalidStatus

from chargerd.cli.authority import Authority
from chargerd.clock import SystemClock
from chargerd.contract import ChargerId
from chargerd_drivers.ocpp.config import OcppCharger

PASSWORD = b"secret"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A root, the gateway's certificate, and those of two chargers."""
    folder = tmp_path_factory.mktemp("tls")
    authority, now = Authority(folder), SystemClock().now()
    authority.create("home", now)
    authority.issue_gateway(("127.0.0.1", "gateway.local"), now)
    authority.issue_charger("CP1", now)
    authority.issue_charger("CP2", now)
    return folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    """The same, to be changed."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    (tmp_path / "password").write_bytes(PASSWORD)
    return tmp_path


def section(folder: Path, **more: Any) -> dict[str, Any]:
    files = {"tls_certificate_file": folder / "gateway.pem", "tls_key_file": folder / "gateway.key"}
    return {**files, "listen_tls": "127.0.0.1:0", "tls_client_ca_file": folder / "ca.pem", **more}


def trusting(folder: Path, charger: str | None = None) -> ssl.SSLContext:
    """What a charger has that was given the root, and its own certificate where one is named."""
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if charger is not None:
        context.load_cert_chain(folder / f"charger-{charger}.pem", folder / f"charger-{charger}.key")
    return context


def chargers(folder: Path) -> dict[ChargerId, OcppCharger]:
    return {GARAGE: OcppCharger(identity="CP1", password_file=folder / "password")}


async def status_of(rig: Rig, **how: Any) -> int:
    """Return the HTTP status with which a charger is let in or refused."""
    try:
        async with rig.charger(**how) as charger:
            assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"
    except InvalidStatus as refused:
        return refused.response.status_code
    return 101


async def fails(rig: Rig, context: ssl.SSLContext) -> None:
    """Dial as a charger does: asyncio would hang up without the alert that says why."""

    def dial() -> None:
        plain = socket.create_connection(("127.0.0.1", rig.port_tls or 0), PATIENCE_S)
        with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as line:
            line.sendall(b"GET /ocpp/CP1 HTTP/1.1\r\n\r\n")
            assert line.recv(1) == b""
            raise ConnectionResetError

    with pytest.raises(OSError):  # noqa: PT011  # of TLS or of the socket, as it comes
        await asyncio.to_thread(dial)


async def logged(logs: list[Any], event: str, count: int = 1) -> list[Any]:
    """Wait until an event was logged so many times."""
    async with asyncio.timeout(PATIENCE_S):
        while len(found := [log for log in logs if log["event"] == event]) < count:  # noqa: ASYNC110  # no Event
            await asyncio.sleep(0)
    return found


def foreign(folder: Path) -> tuple[Path, Path]:
    """Return a charger's certificate with its key, of a root that nobody knows."""
    authority, now = Authority(folder), SystemClock().now()
    authority.create("other", now)
    issued = authority.issue_charger("CP1", now)
    return issued.certificate, issued.key


def request_for(name: str, key: CertificateIssuerPrivateKeyTypes | None = None) -> str:
    """Return a certificate signing request, as a charger makes it."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    key = key or ec.generate_private_key(ec.SECP256R1())
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return asked.public_bytes(serialization.Encoding.PEM).decode()
