"""A charger's own security, as the standards have it: it is told a password, a profile, certificates, and obeys."""

import asyncio
import contextlib
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, KeptMemory, Rig, ScriptedCharger, running
from tls_rig import request_for, section
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chargerd.clock import parse_clock
from chargerd.contract import ChargerId, Document, SecurityRequest
from chargerd_drivers.ocpp.config import OcppCharger
from chargerd_drivers.ocpp.wire import Version, fault_in

ACCEPTED = {"status": "Accepted"}
SPEED = 200
PATIENCE_S = 20.0
Json = dict[str, Any]


class Leaves(Exception):
    """The charger ends its connection and comes in anew."""


@dataclass
class Box:
    """One charger. ``refuses`` are keys and requests that it rejects, ``ignores`` those that it accepts and forgets.

    ``stays``: it does not come in anew by itself. ``asked`` are all requests that it got.
    """

    version: Version
    folder: Path
    password: bytes | None = None
    profile: int = 0
    refuses: frozenset[str] = frozenset()
    ignores: frozenset[str] = frozenset()
    reboot_required: frozenset[str] = frozenset()
    stays: bool = False
    is_gone: bool = False
    lists_root: bool = False
    name: str = "CP1"
    root: str = ""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    networks: dict[int, Json] = field(default_factory=dict)
    priority: str = "1"
    says: tuple[tuple[str, Json], ...] = ()
    """What it says after each boot, whatever the answer is."""
    asked: list[tuple[str, Json]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    _owed: list[tuple[str, Json]] = field(default_factory=list)

    async def live(self, rig: Rig) -> None:
        """Come in again and again."""
        while True:
            if self.is_gone:
                await asyncio.Event().wait()
            try:
                async with self._connected(rig) as charger:
                    self.statuses.append(101)
                    await charger.call("BootNotification", BOOT_16 if self.version == "1.6" else BOOT_201)
                    for said in self.says:
                        await charger.answer_to(await charger.ask(*said))
                    await self._serve(charger)
            except InvalidStatus as refused:
                self.statuses.append(refused.response.status_code)
            except (OSError, ConnectionClosed, Leaves):
                pass
            await asyncio.sleep(0.005)

    @contextlib.asynccontextmanager
    async def _connected(self, rig: Rig) -> AsyncIterator[ScriptedCharger]:
        is_told_where = self.profile >= 2 and int(self.priority[0]) in self.networks
        port = rig.port_tls if is_told_where else rig.port
        tls = None if self.profile < 2 else self._trust()
        password = self.password if self.profile in {1, 2} else None
        async with rig.charger(self.version, tls=tls, password=password, port=port) as charger:
            yield charger

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.root or None)
        if self.profile == 3:
            context.load_cert_chain(self.folder / "own.pem", self.folder / "own.key")
        return context

    async def _serve(self, charger: ScriptedCharger) -> None:
        while True:
            while not charger.requests:
                await charger._pump()
            message_id, action, payload = charger.requests.popleft()
            assert fault_in(payload, action, "request", self.version) is None
            self.asked.append((action, payload))
            handler = getattr(self, f"_{action}", None)
            if handler is None:
                await charger.refuse(message_id, "NotSupported")
                continue
            answer, leaves = ({"status": "Rejected"}, False) if action in self.refuses else handler(payload)
            assert fault_in(answer, action, "answer", self.version) is None, answer
            if action == "CertificateSigned" and action in self.refuses:
                owner = "ChargePoint" if self.version == "1.6" else "ChargingStation"
                self._owed.append(security_event(f"Invalid{owner}Certificate"))
            await charger.reply(message_id, answer)
            while self._owed:
                await charger.call(*self._owed.pop(0))
            if leaves and not self.stays:
                raise Leaves

    # 1.6

    def _GetConfiguration(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802  # the standard's name
        known = {"SecurityProfile": self.profile}
        found = [{"key": k, "readonly": False, "value": str(known[k])} for k in payload["key"] if k in known]
        return {"configurationKey": found, "unknownKey": [k for k in payload["key"] if k not in known]}, False

    def _ChangeConfiguration(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        status, leaves = self._set(payload["key"], payload["value"])
        return {"status": status}, leaves

    def _set(self, key: str, value: str) -> tuple[str, bool]:
        if key not in {"AuthorizationKey", "BasicAuthPassword", "SecurityProfile", "NetworkConfigurationPriority"}:
            return ("NotSupported" if self.version == "1.6" else "UnknownVariable"), False
        if key in self.refuses or (key == "SecurityProfile" and int(value) < self.profile):
            return "Rejected", False
        status = "RebootRequired" if key in self.reboot_required else "Accepted"
        if key in self.ignores:
            return status, True
        if key == "SecurityProfile":
            self.profile = int(value)
        elif key == "NetworkConfigurationPriority":
            self.priority = value
            return status, False
        else:
            self.password = value.encode()
            return status, self.profile in {1, 2} and status == "Accepted"
        return status, status == "Accepted"

    def _ExtendedTriggerMessage(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        self._owed.append(("SignCertificate", {"csr": request_for(self.name, self.key)}))
        return ACCEPTED, False

    # 2.0.1

    def _GetVariables(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        known = {"SecurityProfile": str(self.profile), "NetworkConfigurationPriority": self.priority}
        found = []
        for one in payload["getVariableData"]:
            value = known.get(one["variable"]["name"])
            status: Json = {"attributeStatus": "UnknownVariable" if value is None else "Accepted"}
            found.append({**one, **status, **({} if value is None else {"attributeValue": value})})
        return {"getVariableResult": found}, False

    def _SetVariables(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        [one] = payload["setVariableData"]
        status, leaves = self._set(one["variable"]["name"], one.pop("attributeValue"))
        return {"setVariableResult": [{**one, "attributeStatus": status}]}, leaves

    def _SetNetworkProfile(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        self.networks[payload["configurationSlot"]] = payload["connectionData"]
        return ACCEPTED, False

    def _Reset(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        network = self.networks.get(int(self.priority[0]))
        if network is not None and "Reset" not in self.ignores:
            self.profile = network["securityProfile"]
        self.reboot_required = frozenset()
        return ACCEPTED, True

    def _TriggerMessage(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        if payload["requestedMessage"] != "SignChargingStationCertificate":
            return {"status": "NotImplemented"}, False
        asked = {"csr": request_for(self.name, self.key), "certificateType": "ChargingStationCertificate"}
        self._owed.append(("SignCertificate", asked))
        return ACCEPTED, False

    # Both

    def _InstallCertificate(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        self.root = payload["certificate"]
        return ACCEPTED, False

    def _GetInstalledCertificateIds(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        if not self.lists_root:
            return {"status": "NotFound"}, False
        kind = "CSMSRootCertificate"
        return {
            "status": "Accepted",
            "certificateHashDataChain": [
                {"certificateType": kind, "certificateHashData": hashed(self.root)},
            ],
        }, False

    def _CertificateSigned(self, payload: Json) -> tuple[Json, bool]:  # noqa: N802
        (self.folder / "own.pem").write_text(payload["certificateChain"])
        kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (self.folder / "own.key").write_bytes(self.key.private_bytes(serialization.Encoding.PEM, kind, plain))
        return ACCEPTED, False

    def actions(self, *names: str) -> list[str]:
        """Return which of these it was asked, in their order."""
        return [action for action, _ in self.asked if action in names]


@contextlib.asynccontextmanager
async def home(
    box: Box,
    *,
    password_file: Path | None = None,
    memory: KeptMemory | None = None,
    own: Json | None = None,
) -> AsyncIterator[Rig]:
    """Run a driver that this charger comes to, and wait for it. Passwords are kept in the folder's ``passwords``."""
    options = {GARAGE: OcppCharger(identity="CP1", password_file=password_file)}
    more = section(box.folder, tls_ca_key_file=box.folder / "ca.key", password_folder=box.folder / "passwords")
    clock = parse_clock(f"2026-01-14T16:00:00Z@{SPEED}")
    own = {**more, **(own or {})}
    async with running(options, clock=clock, memory=memory, **own) as rig, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(box.live(rig))
        await until(lambda: security(rig)["profile"] is not None and rig.driver._links[GARAGE].is_online)
        yield rig
        task.cancel()


def hashed(root: str) -> Json:
    """Return the CertificateHashData of a root with an RSA key, as cryptography has it."""
    certificate = x509.load_pem_x509_certificate(root.encode())
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    bits = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": hashlib.sha256(certificate.issuer.public_bytes()).hexdigest(),
        "issuerKeyHash": hashlib.sha256(bits).hexdigest().upper(),
        "serialNumber": f"{certificate.serial_number:x}",
    }


def security_event(kind: str) -> tuple[str, Json]:
    return "SecurityEventNotification", {"type": kind, "timestamp": "2026-01-14T16:00:00Z"}


def security(rig: Rig, charger: ChargerId = GARAGE) -> Document:
    return rig.driver.security(charger)


async def until(is_so: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110  # what the driver shows is polled, as over the API
            await asyncio.sleep(0.002)


def wish(**more: Any) -> SecurityRequest:
    return SecurityRequest(charger_id=GARAGE, asked_by="me", **more)


async def secured(rig: Rig, **more: Any) -> Json:
    """Have the security raised, wait for the end of it, and return what became of it."""
    withheld = await rig.driver.secure(wish(**more))
    assert withheld is None, withheld
    await until(lambda: security(rig)["upgrade"]["endedAt"] is not None)
    upgrade: Json = json.loads(json.dumps(security(rig)["upgrade"]))
    return upgrade


def words(upgrade: Json) -> str:
    return "\n".join(step["words"] for step in upgrade["steps"]) + "\n" + str(upgrade["advice"])
