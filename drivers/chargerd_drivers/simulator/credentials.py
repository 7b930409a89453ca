"""What a station comes in with, and how the central system changes it: password, security profile, certificates.

OCPP 1.6 security whitepaper A01, A02, A05 and M05, and the same of OCPP 2.0.1. What is told is kept for this run only.
As with real ones, a 1.6 station cannot be lowered again, and takes ``wss://`` for ``ws://`` in the address that it has.
"""

import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chargerd_drivers.simulator.address import Address, show_certificate
from chargerd_drivers.simulator.outbox import Message, Payload
from chargerd_drivers.simulator.settings import Change, Settings

_LENGTH_MIN, _LENGTH_MAX = 16, 40
PROFILE, NETWORKS = "SecurityProfile", "NetworkConfigurationPriority"
_ACCEPTED: Payload = {"status": "Accepted"}
_REJECTED: Payload = {"status": "Rejected"}
_SIGN = frozenset({"SignChargePointCertificate", "SignChargingStationCertificate"})


class Credentials:
    """Acts on the requests that are about security. ``redial`` hangs up and dials anew, ``send`` queues a request."""

    def __init__(
        self, address: Address, settings: Settings, *, redial: Callable[[], None], send: Callable[[Message], None]
    ) -> None:
        self.address = address
        self._settings = settings
        self._redial = redial
        self._send = send
        self._key = b""
        self._networks: dict[int, dict[str, Any]] = {}
        profile = 2 if address.url.startswith("wss:") else int(address.password is not None)
        settings.change(PROFILE, str(profile))

    def answer(self, action: str, payload: Payload) -> Payload | None:
        """Act on a request and return the answer; None for one that is not about security."""
        match action:
            case "ChangeConfiguration" if payload["key"] in {"AuthorizationKey", PROFILE}:
                given, key = payload["value"], payload["key"]
                status = self._take_password(given) if key == "AuthorizationKey" else self._take_profile(given)
                return {"status": status}
            case "SetVariables" if _is_about_security(payload):
                return {"setVariableResult": [self._set_variable(item) for item in payload["setVariableData"]]}
            case "SetNetworkProfile":
                self._networks[payload["configurationSlot"]] = payload["connectionData"]
                return _ACCEPTED
            case "InstallCertificate":
                self.address = replace(self.address, root=payload["certificate"])
                return _ACCEPTED
            case "GetInstalledCertificateIds":
                return {"status": "NotFound"}
            case "TriggerMessage" | "ExtendedTriggerMessage" if payload["requestedMessage"] in _SIGN:
                return self._ask_for_certificate()
            case "CertificateSigned":
                return _ACCEPTED if self._take_certificate(payload["certificateChain"]) else _REJECTED
            case _:
                return None

    def rebooted(self) -> None:
        """Go by the first of the network profiles (2.0.1)."""
        slot = self._settings.text(NETWORKS).partition(",")[0]
        network = self._networks.get(int(slot)) if slot.isdigit() else None
        if network is not None:
            self.address = replace(self.address, url=network["ocppCsmsUrl"])
            self._settings.change(PROFILE, str(network["securityProfile"]))

    @property
    def _profile(self) -> int:
        return self._settings.count(PROFILE)

    def _set_variable(self, item: Payload) -> Payload:
        result: Payload = {key: item[key] for key in ("attributeType", "component", "variable") if key in item}
        is_password = item["variable"]["name"] == "BasicAuthPassword"
        status = self._take_password(item["attributeValue"]) if is_password else "Rejected"
        return {**result, "attributeStatus": status}

    def _take_password(self, password: str) -> str:
        if not _LENGTH_MIN <= len(password) <= _LENGTH_MAX:
            return "Rejected"
        self.address = replace(self.address, password=password)
        if self._profile in {1, 2}:
            self._redial()
        return "Accepted"

    def _take_profile(self, value: str) -> str:
        """1.6: never a lower one, and only one for which everything is there."""
        wanted = int(value) if value in {"0", "1", "2", "3"} else -1
        has = {1: self.address.password, 2: self.address.root, 3: self.address.certificate}
        if wanted < self._profile or (wanted > 0 and not has[wanted]):
            return "Rejected"
        if self._settings.change(PROFILE, value) is not Change.DONE:
            return "Rejected"
        if wanted >= 2:
            self.address = replace(self.address, url=self.address.url.replace("ws:", "wss:", 1))
        self._redial()
        return "Accepted"

    def _ask_for_certificate(self) -> Payload:
        try:
            from chargerd_drivers.simulator.certificate_request import make  # noqa: PLC0415  # only here it is needed
        except ImportError:
            return _REJECTED
        self._key, request = make(self.address.identity)
        self._send(Message("SignCertificate", lambda: {"csr": request}, asked_for=True))
        return _ACCEPTED

    def _take_certificate(self, chain: str) -> bool:
        certificate = (chain, self._key.decode("ascii"))
        try:
            show_certificate(ssl.create_default_context(), certificate)
        except (ssl.SSLError, ValueError):
            return False
        self.address = replace(self.address, certificate=certificate)
        return True


def _is_about_security(payload: Payload) -> bool:
    names = [item["variable"]["name"] for item in payload["setVariableData"]]
    return bool(names) and all(name in {"BasicAuthPassword", PROFILE} for name in names)
