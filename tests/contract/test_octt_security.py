"""The OCTT cases of security for a central system, told by their purpose; see docs/ocpp.md."""

import ssl

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, running
from secure_rig import Box, home, secured, security, security_event, words
from structlog.testing import capture_logs
from tls_rig import PASSWORD, chargers, fails, folder, foreign, logged, made, section, trusting

from chargerd.contract import ChargerOnline
from chargerd_drivers.ocpp.wire import Version

__all__ = ["folder", "made"]

OLD = b"0123456789abcdef"
BOOTS = {"1.6": BOOT_16, "2.0.1": BOOT_201}


@pytest.mark.parametrize("version", BOOTS)
async def test_tc_086_a_04_tls_with_the_certificate_of_the_server(folder, version) -> None:
    """TC_086 and TC_A_04."""
    own, tls = section(folder, security_profile=2), trusting(folder)
    async with running(chargers(folder), **own) as rig, rig.charger(version, tls=tls, password=PASSWORD) as charger:
        assert charger.socket.transport.get_extra_info("ssl_object").version() in {"TLSv1.2", "TLSv1.3"}
        assert (await charger.call("BootNotification", BOOTS[version]))["status"] == "Accepted"
        assert (await rig.sink.take(ChargerOnline)).charger_id == GARAGE


@pytest.mark.parametrize("version", BOOTS)
async def test_tc_087_a_07_tls_with_the_certificates_of_both(folder, version) -> None:
    """TC_087 and TC_A_07."""
    own, tls = section(folder, security_profile=3), trusting(folder, "CP1")
    async with running(chargers(folder), **own) as rig, rig.charger(version, tls=tls) as charger:
        assert (await charger.call("BootNotification", BOOTS[version]))["status"] == "Accepted"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_tc_a_06_a_tls_version_that_is_too_low_is_refused(folder) -> None:
    context = trusting(folder)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with capture_logs() as logs:
        async with running(chargers(folder), **section(folder)) as rig:
            await fails(rig, context)
            [warning] = await logged(logs, "ocpp.handshake_failed")
    assert "it speaks no TLS 1.2" in warning["message"]


async def test_tc_a_08_a_certificate_of_the_station_that_is_not_good_is_refused(folder, tmp_path_factory) -> None:
    """Signed by nobody whom the gateway knows."""
    context = trusting(folder)
    context.load_cert_chain(*foreign(tmp_path_factory.mktemp("other")))
    with capture_logs() as logs:
        async with running(chargers(folder), **section(folder, security_profile=3)) as rig:
            await fails(rig, context)
            [warning] = await logged(logs, "ocpp.handshake_failed")
    assert "its own certificate is not good" in warning["message"]


@pytest.fixture
def old_file(folder):
    path = folder / "old"
    path.write_bytes(OLD)
    return path


async def _another_password(folder, old_file, version: Version) -> None:
    box = Box(version, folder, password=OLD, profile=1)
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, new_password=True)
        assert (upgrade["state"], security(rig)["profile"]) == ("DONE", 1)
    assert box.password == old_file.read_bytes().strip() != OLD


async def test_tc_073_another_password(folder, old_file) -> None:
    await _another_password(folder, old_file, "1.6")


async def test_tc_a_09_another_password(folder, old_file) -> None:
    await _another_password(folder, old_file, "2.0.1")


async def test_tc_a_10_a_password_that_the_station_refuses_and_the_old_one_opens_still(folder, old_file) -> None:
    box = Box("2.0.1", folder, password=OLD, profile=1, refuses=frozenset({"BasicAuthPassword"}))
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, new_password=True)
        async with rig.charger("2.0.1", password=OLD) as again:
            assert (await again.call("BootNotification", BOOT_201))["status"] == "Accepted"
    assert (upgrade["state"], old_file.read_bytes()) == ("FAILED", OLD)


@pytest.mark.parametrize("version", BOOTS)
async def test_tc_074_a_11_another_certificate_for_the_charger(folder, old_file, version) -> None:
    """TC_074 and TC_A_11."""
    box = Box(version, folder, password=OLD, profile=1)
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, new_certificate=True)
    assert upgrade["state"] == "DONE"
    trigger = "ExtendedTriggerMessage" if version == "1.6" else "TriggerMessage"
    assert box.actions(trigger, "CertificateSigned")[-2:] == [trigger, "CertificateSigned"]
    async with running(chargers(folder), **section(folder, security_profile=3)) as rig:
        tls = trusting(folder)
        tls.load_cert_chain(folder / "own.pem", folder / "own.key")
        async with rig.charger(version, tls=tls) as charger:
            assert (await charger.call("BootNotification", BOOTS[version]))["status"] == "Accepted"


@pytest.mark.parametrize("version", BOOTS)
async def test_tc_077_a_14_a_certificate_that_the_charger_does_not_take(folder, old_file, version) -> None:
    """TC_077 and TC_A_14: it says so, and tells a security event."""
    box = Box(version, folder, password=OLD, profile=1, refuses=frozenset({"CertificateSigned"}))
    with capture_logs() as logs:
        async with home(box, password_file=old_file) as rig:
            upgrade = await secured(rig, new_certificate=True)
            [warning, *_] = await logged(logs, "ocpp.told")
            assert rig.driver.told(GARAGE)["securityEvent"]["type"].startswith("InvalidCharg")
    assert "it has no certificate: it answered Rejected" in words(upgrade)
    assert (upgrade["state"], warning["log_level"]) == ("FAILED", "warning")


async def test_tc_078_a_charger_that_does_not_trust_the_certificate_of_the_server(folder) -> None:
    """It comes back without TLS, and tells a security event."""
    with capture_logs() as logs:
        async with running(chargers(folder), **section(folder)) as rig:
            await fails(rig, ssl.create_default_context())
            async with rig.charger(password=PASSWORD) as charger:
                await charger.call("BootNotification", BOOT_16)
                assert await charger.call(*security_event("InvalidCentralSystemCertificate")) == {}
            assert rig.driver.told(GARAGE)["securityEvent"]["type"] == "InvalidCentralSystemCertificate"
            [refused] = await logged(logs, "ocpp.handshake_failed")
    assert "chargerd ca show" in refused["message"]


@pytest.mark.parametrize("version", BOOTS)
@pytest.mark.parametrize("profile", [2, 3])
async def test_tc_083_a_19_another_security_profile(folder, old_file, version, profile) -> None:
    """TC_083 and TC_A_19."""
    box = Box(version, folder, password=OLD, profile=1)
    async with home(box, password_file=old_file) as rig:
        upgrade = await secured(rig, profile=profile)
        assert (upgrade["state"], security(rig)["profile"]) == ("DONE", profile), words(upgrade)
    assert set(box.statuses) == {101}
    told = ["SetNetworkProfile", "Reset"] if version == "2.0.1" else []
    assert box.actions("SetNetworkProfile", "Reset") == told
