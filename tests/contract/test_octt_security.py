"""The OCTT cases of TLS for a central system, told by their purpose; see docs/ocpp.md."""

import ssl

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, running
from structlog.testing import capture_logs
from tls_rig import PASSWORD, chargers, fails, folder, foreign, logged, made, section, trusting

from chargerd.contract import ChargerOnline

__all__ = ["folder", "made"]

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
