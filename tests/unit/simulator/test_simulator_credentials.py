"""What a simulated station takes of its own security, and what it refuses, as the standards have it."""

from typing import Any

import pytest

from chargerd_drivers.simulator.address import Address, trust
from chargerd_drivers.simulator.credentials import NETWORKS, PROFILE, Credentials
from chargerd_drivers.simulator.outbox import Message
from chargerd_drivers.simulator.settings import Settings

NEW = "0123456789abcdef"
ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}


class Box:
    def __init__(self, **address: Any) -> None:
        self.settings = Settings(phases=3)
        self.redials = 0
        self.sent: list[Message] = []
        given = {"url": "ws://host:1/ocpp", "identity": "CP1", "version": "1.6", **address}
        self.of = Credentials(Address(**given), self.settings, redial=self._redial, send=self.sent.append)

    def _redial(self) -> None:
        self.redials += 1

    def change(self, key: str, value: str) -> Any:
        return self.of.answer("ChangeConfiguration", {"key": key, "value": value})


def test_a_password_is_kept_and_used_at_once_only_where_one_is_in_use() -> None:
    box, guarded = Box(), Box(password="x" * 16)
    assert box.change("AuthorizationKey", NEW) == guarded.change("AuthorizationKey", NEW) == ACCEPTED
    assert (box.redials, guarded.redials) == (0, 1)
    assert guarded.of.address.headers["Authorization"].startswith("Basic ")
    assert box.change("AuthorizationKey", "short") == REJECTED


def test_a_profile_is_taken_only_upwards_and_with_what_it_needs() -> None:
    box = Box()
    assert box.change(PROFILE, "1") == REJECTED
    box.change("AuthorizationKey", NEW)
    assert [box.change(PROFILE, value) for value in ("1", "0", "x", "2")] == [ACCEPTED, REJECTED, REJECTED, REJECTED]
    assert box.of.answer("InstallCertificate", {"certificate": "PEM"}) == ACCEPTED
    assert box.of.answer("GetInstalledCertificateIds", {}) == {"status": "NotFound"}
    assert [box.change(PROFILE, value) for value in ("2", "3")] == [ACCEPTED, REJECTED]
    assert (box.settings.text(PROFILE), box.of.address.url, box.redials) == ("2", "wss://host:1/ocpp", 2)


def test_a_network_profile_counts_after_a_restart_and_when_it_is_the_first() -> None:
    box = Box(version="2.0.1")
    data = {"ocppCsmsUrl": "wss://other:2/ocpp", "securityProfile": 2}
    assert box.of.answer("SetNetworkProfile", {"configurationSlot": 1, "connectionData": data}) == ACCEPTED
    box.of.rebooted()
    assert box.of.address.url == "ws://host:1/ocpp"
    box.settings.change(NETWORKS, "1,0")
    box.of.rebooted()
    assert (box.of.address.url, box.settings.text(PROFILE)) == ("wss://other:2/ocpp", "2")


def test_the_profile_of_a_2_0_1_station_is_not_set_by_its_variable() -> None:
    item = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": PROFILE}, "attributeValue": "3"}
    answer = Box(version="2.0.1").of.answer("SetVariables", {"setVariableData": [item]})
    assert answer is not None
    assert answer["setVariableResult"][0]["attributeStatus"] == "Rejected"


def test_it_asks_for_a_certificate_and_takes_none_that_is_not_its_own() -> None:
    box = Box()
    asked = box.of.answer("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})
    [message] = box.sent
    assert (asked, message.action) == (ACCEPTED, "SignCertificate")
    assert message.build()["csr"].startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert box.of.answer("CertificateSigned", {"certificateChain": "nothing"}) == REJECTED


@pytest.mark.parametrize("action", ["Reset", "GetConfiguration"])
def test_what_is_not_about_security_is_left_to_the_station(action: str) -> None:
    assert Box().of.answer(action, {}) is None


def test_an_address_without_tls_is_dialled_without() -> None:
    assert trust(Address(url="ws://host", identity="CP1", version="1.6")) is None
