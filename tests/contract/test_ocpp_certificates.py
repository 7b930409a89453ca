"""Certificates that chargers ask for: signed by the household's own authority, or refused, in words."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from ocpp_rig import GARAGE, ScriptedCharger, boot, running
from structlog.testing import capture_logs
from tls_rig import PASSWORD, chargers, folder, logged, made, request_for, section, status_of, trusting

from chargerd.contract import ConfigError
from chargerd_drivers.ocpp.config import OcppSection
from chargerd_drivers.ocpp.wire import Version, fault_in

__all__ = ["folder", "made"]

VERSIONS: tuple[Version, ...] = ("1.6", "2.0.1")
ACCEPTED = {"status": "Accepted"}
WITH_SHA1 = """\
-----BEGIN CERTIFICATE REQUEST-----
MIHHMHACAQAwDjEMMAoGA1UEAwwDQ1AxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEsQa8PohudgnH6NdCy5nBwKH00saUxaKnkt/juiQyTzkvdX3/NNy0vRlZxlkg
Rj8CFJYXXZdbNGsQ3sFFdQEIY6AAMAkGByqGSM49BAEDSAAwRQIhANZXbieHZ8rj
WbdJ7pORyqqV108ti06Lk8MZ/ZOqyhVeAiBV8yGl3vuduR1itxY0slk9sIyGsyyb
zx9gyA5Du2N8/g==
-----END CERTIFICATE REQUEST-----
"""
"""Of CP1, made with openssl req -sha1, which cryptography makes no more."""


def signing(folder: Path, **more: Any) -> dict[str, Any]:
    return section(folder, tls_ca_key_file=folder / "ca.key", **more)


async def asked(charger: ScriptedCharger, request: str, version: Version, **more: str) -> dict[str, Any]:
    answer = await charger.call("SignCertificate", {"csr": request, **more})
    assert fault_in(answer, "SignCertificate", "answer", version) is None
    return answer


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_request_is_signed_and_the_certificate_lets_the_charger_in(folder, version) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    async with running(chargers(folder), **signing(folder)) as rig:
        async with rig.charger(version, password=PASSWORD) as charger:
            await boot(charger, version)
            assert await asked(charger, request_for("cp1", key).replace("\n", "\\n"), version) == ACCEPTED
            message_id, action, payload = await charger.request()
            assert (action, fault_in(payload, action, "request", version)) == ("CertificateSigned", None)
            assert payload.get("certificateType") == (None if version == "1.6" else "ChargingStationCertificate")
            await charger.reply(message_id, ACCEPTED)
            await charger.call("Heartbeat", {})
        assert rig.driver.told(GARAGE)["certificateRequest"]["status"] == "Installed"
        (folder / "charger-new.pem").write_text(payload["certificateChain"])
        (folder / "charger-new.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        assert await status_of(rig, tls=trusting(folder, "new")) == 101
    leaf, root = x509.load_pem_x509_certificates(payload["certificateChain"].encode())
    leaf.verify_directly_issued_by(root)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("request_", "words"),
    [
        pytest.param(lambda: request_for("CP2"), "it is for CP2, and the charger's identity is CP1", id="another's"),
        pytest.param(
            lambda: request_for("CP1", rsa.generate_private_key(65537, 1024)), "has 1024 bits", id="a weak RSA key"
        ),
        pytest.param(
            lambda: request_for("CP1", ec.generate_private_key(ec.SECP192R1())), "has 192 bits", id="a weak curve"
        ),
        pytest.param(lambda: WITH_SHA1, "signed with sha1, which is weak", id="a weak hash"),
        pytest.param(lambda: "garbage", "can be read", id="garbage"),
        pytest.param(lambda: "", "can be read", id="nothing"),
        pytest.param(
            lambda: request_for("CP1").replace("A", "B"), "", id="damaged"
        ),
    ],
)  # fmt: skip
async def test_a_request_that_is_not_good_is_refused_with_what_is_wrong(folder, version, request_, words) -> None:
    with capture_logs() as logs:
        async with running(chargers(folder), **signing(folder)) as rig, rig.charger(version, password=PASSWORD) as one:
            await boot(one, version)
            answer = await asked(one, request_(), version)
            assert (await asked(one, request_(), version))["status"] == "Rejected"
            assert not one.requests
            told = rig.driver.told(GARAGE)["certificateRequest"]
    assert (answer["status"], told["status"]) == ("Rejected", "Rejected")
    assert words in told["why"]
    if version == "2.0.1":
        assert answer["statusInfo"] == {"reasonCode": "InvalidCSR", "additionalInfo": told["why"]}
    warnings = [log["message"] for log in logs if log["event"] == "ocpp.certificate_refused"]
    assert warnings[0] == f"garage asked for a certificate and was refused: {told['why']}"


@pytest.mark.parametrize(
    ("given", "password", "more", "words"),
    [
        pytest.param({}, PASSWORD, {}, "chargerd ca issue --charger", id="no key"),
        pytest.param({"key": True}, None, {}, "came in without a password", id="no password"),
        pytest.param(
            {"key": True}, PASSWORD, {"certificateType": "V2GCertificate"}, "for cars (V2G) are not", id="of a car"
        ),
    ],
)
async def test_nothing_is_signed_where_it_is_not_allowed(folder, given, password, more, words) -> None:
    own = signing(folder) if given else section(folder)
    async with (
        running(chargers(folder) if password else None, **own) as rig,
        rig.charger("2.0.1", password=password) as charger,
    ):
        await boot(charger, "2.0.1")
        answer = await asked(charger, request_for("CP1"), "2.0.1", **more)
    assert answer["statusInfo"]["reasonCode"] == "NotEnabled"
    assert words in answer["statusInfo"]["additionalInfo"]


async def test_one_certificate_is_on_its_way_at_a_time_and_one_that_is_not_taken_is_told(folder) -> None:
    with capture_logs() as logs:
        async with running(chargers(folder), **signing(folder)) as rig, rig.charger(password=PASSWORD) as charger:
            await boot(charger)
            assert await asked(charger, request_for("CP1"), "1.6") == ACCEPTED
            assert (await asked(charger, request_for("CP1"), "1.6"))["status"] == "Rejected"
            message_id, _, _ = await charger.request("CertificateSigned")
            await charger.reply(message_id, {"status": "Rejected"})
            [warning] = await logged(logs, "ocpp.certificate_not_taken")
            assert await asked(charger, request_for("CP1"), "1.6") == ACCEPTED
    assert "did not take it: it answered Rejected" in warning["message"]
    assert "BEGIN" not in str(logs)


@pytest.mark.parametrize(
    ("key", "words"), [("gateway.key", "is not the key of"), ("gateway.pem", "expected an RSA key"), ("none", "cannot")]
)
async def test_a_key_of_the_authority_that_does_not_fit_is_a_fault_of_the_configuration(folder, key, words) -> None:
    with pytest.raises(ConfigError, match=words):
        async with running(chargers(folder), **section(folder, tls_ca_key_file=folder / key)):
            pass


def test_a_key_without_the_certificate_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ValueError, match="expected tls_client_ca_file beside it"):
        OcppSection(tls_ca_key_file="ca.key")
