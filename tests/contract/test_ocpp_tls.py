"""Security profiles over real sockets: TLS beside no TLS, certificates of both ends, and what fails, in words."""

import asyncio
import shutil
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ocpp_rig import BOOT_201, GARAGE, Rig, running
from structlog.testing import capture_logs
from tls_rig import PASSWORD, chargers, fails, folder, logged, made, section, status_of, trusting
from websockets.exceptions import WebSocketException

from chargerd.cli.authority import Authority
from chargerd.clock import SystemClock, parse_clock
from chargerd.contract import ChargerId, ChargerOffline, ChargerOnline, ConfigError
from chargerd_drivers.ocpp.config import OcppCharger, OcppSection
from chargerd_drivers.ocpp.tls import Tls

__all__ = ["folder", "made"]


@pytest.mark.parametrize(
    ("profile", "over_tls", "shown", "password", "expected"),
    [
        pytest.param(0, False, None, PASSWORD, 101, id="0"),
        pytest.param(1, False, None, PASSWORD, 101, id="1"),
        pytest.param(1, False, None, None, 401, id="1 without a password"),
        pytest.param(1, True, None, PASSWORD, 101, id="1 over TLS, on the way to 2"),
        pytest.param(2, True, None, PASSWORD, 101, id="2"),
        pytest.param(2, True, None, None, 401, id="2 without a password"),
        pytest.param(2, True, None, b"guessed", 401, id="2 with a wrong password"),
        pytest.param(2, True, "CP1", None, 101, id="2 with a certificate, on the way to 3"),
        pytest.param(2, True, "CP2", None, 401, id="2 with another's certificate"),
        pytest.param(2, False, None, PASSWORD, 403, id="2 without TLS"),
        pytest.param(3, True, "CP1", None, 101, id="3"),
        pytest.param(3, True, "CP2", PASSWORD, 403, id="3 with another's certificate"),
        pytest.param(3, True, None, PASSWORD, 403, id="3 without a certificate"),
        pytest.param(3, False, None, PASSWORD, 403, id="3 without TLS"),
    ],
)
async def test_a_charger_is_let_in_with_its_security_profile_or_a_higher_one(
    folder, profile, over_tls, shown, password, expected
) -> None:
    tls = trusting(folder, shown) if over_tls else None
    with capture_logs() as logs:
        async with running(chargers(folder), **section(folder, security_profile=profile)) as rig:
            assert await status_of(rig, tls=tls, password=password) == expected
            if expected == 403:
                assert rig.driver.told(GARAGE)["logInRefused"]["count"] == 1
    assert len([log for log in logs if log["event"] == "ocpp.profile_refused"]) == (expected == 403)
    assert "secret" not in str([log for log in logs if log["event"] != "ocpp.frame"])


async def test_one_charger_may_be_asked_for_less_than_the_others(folder) -> None:
    mixed = {
        **chargers(folder),
        ChargerId("yard"): OcppCharger(identity="CP2", security_profile=0),
    }
    async with running(mixed, **section(folder, security_profile=2)) as rig:
        assert await status_of(rig, password=PASSWORD) == 403
        assert await status_of(rig, path="/ocpp/CP2") == 101


async def test_a_charger_that_goes_over_to_tls_and_back_is_the_same_charger(folder) -> None:
    async with running(chargers(folder), **section(folder)) as rig:
        for tls in (None, trusting(folder), None):
            async with rig.charger("2.0.1", tls=tls, password=PASSWORD) as charger:
                assert (await charger.call("BootNotification", BOOT_201))["status"] == "Accepted"
                assert (await rig.sink.take(ChargerOnline)).charger_id == GARAGE
            await rig.sink.take(ChargerOffline)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_what_a_charger_sends_at_once_behind_the_handshake_is_not_lost(folder, version) -> None:
    tls = trusting(folder)
    tls.maximum_version = version
    async with running(chargers(folder), **section(folder)) as rig:
        for _ in range(20):
            assert await status_of(rig, tls=tls, password=PASSWORD) == 101


async def test_the_port_without_tls_takes_tls_as_well_for_chargers_that_change_nothing_but_the_scheme(folder) -> None:
    own = section(folder, security_profile=2)
    async with running(chargers(folder), **own) as rig:
        for _ in range(5):
            assert await status_of(rig, tls=trusting(folder), password=PASSWORD, port=rig.port) == 101
            assert await status_of(rig, password=PASSWORD) == 403


async def test_who_says_nothing_on_the_port_for_both_or_hangs_up_costs_nobody_else_anything(folder) -> None:
    async with running(chargers(folder), **section(folder)) as rig:
        _, silent = await asyncio.open_connection("127.0.0.1", rig.port)
        _, gone = await asyncio.open_connection("127.0.0.1", rig.port)
        gone.close()
        assert await status_of(rig, password=PASSWORD) == 101
        silent.transport.abort()
        assert await status_of(rig, tls=trusting(folder), password=PASSWORD, port=rig.port) == 101


async def test_an_expired_root_is_told_with_address_and_remedy_and_the_charger_may_fall_back(folder, tmp_path) -> None:
    old = Authority(tmp_path / "old")
    long_ago = datetime(1990, 1, 1, tzinfo=UTC)
    old.create("old", long_ago)
    old.issue_gateway(("127.0.0.1",), long_ago)
    with capture_logs() as logs:
        async with running(chargers(folder), **section(tmp_path / "old")) as rig:
            await fails(rig, trusting(tmp_path / "old"))
            [warning] = await logged(logs, "ocpp.handshake_failed")
            assert await status_of(rig, password=PASSWORD) == 101
            [expired] = await logged(logs, "ocpp.certificate_expires")
    assert (warning["log_level"], warning["peer"]) == ("warning", "127.0.0.1")
    assert "certificate" in warning["message"]
    assert "expired" in warning["message"]
    assert expired["log_level"] == "error"


async def test_a_charger_that_was_not_given_the_root_is_told_of_once_with_what_to_do(folder) -> None:
    with capture_logs() as logs:
        async with running(chargers(folder), **section(folder)) as rig:
            for _ in range(3):
                await fails(rig, ssl.create_default_context())
            [warning] = await logged(logs, "ocpp.handshake_failed")
    assert "chargerd ca show" in warning["message"]
    assert "UNKNOWN_CA" in warning["message"]


@pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"])
async def test_the_ciphers_that_ocpp_asks_for_are_spoken(folder, cipher) -> None:
    context = trusting(folder)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    async with running(chargers(folder), **section(folder)) as rig:
        assert await status_of(rig, tls=context, password=PASSWORD) == 101


async def test_a_charger_without_tls_on_the_port_of_tls_is_told_so(folder) -> None:
    with capture_logs() as logs:
        async with running(chargers(folder), **section(folder)) as rig:
            with pytest.raises((OSError, EOFError, WebSocketException)):
                async with rig.charger(port=rig.port_tls):
                    pass
            [warning] = await logged(logs, "ocpp.handshake_failed")
    assert "it spoke without TLS" in warning["message"]


async def test_a_renewed_certificate_is_shown_without_a_restart_and_a_faulty_one_is_not(folder) -> None:
    with capture_logs() as logs:
        async with running(chargers(folder), **section(folder)) as rig:
            before = await serial(rig, folder)
            Authority(folder).issue_gateway((), SystemClock().now())
            assert await serial(rig, folder) != before
            [renewed] = await logged(logs, "ocpp.certificate_renewed")
            (folder / "gateway.pem").write_text("nothing")
            for _ in range(2):
                assert await status_of(rig, tls=trusting(folder), password=PASSWORD) == 101
    [rejected] = [log for log in logs if log["event"] == "ocpp.certificate_rejected"]
    assert (renewed["log_level"], rejected["log_level"]) == ("info", "error")


async def serial(rig: Rig, folder: Path) -> str:
    async with rig.charger(tls=trusting(folder), password=PASSWORD) as charger:
        found: str = charger.socket.transport.get_extra_info("peercert")["serialNumber"]
        return found


async def test_a_certificate_that_is_about_to_expire_is_warned_of_once_a_day(folder) -> None:
    until = Tls(OcppSection(**section(folder))).expires_at
    clock = parse_clock(f"{until - timedelta(days=29):%Y-%m-%dT%H:%M:%SZ}@{86400 * 200}")
    with capture_logs() as logs:
        async with running(clock=clock, **section(folder)):
            warnings = await logged(logs, "ocpp.certificate_expires", 3)
    assert {warning["log_level"] for warning in warnings[:3]} == {"warning"}
    assert f"expires on {until:%Y-%m-%d}" in warnings[0]["message"]


async def test_a_certificate_with_time_left_is_not_warned_of(folder) -> None:
    with capture_logs() as logs:
        async with running(chargers(folder), **section(folder)) as rig:
            assert await status_of(rig, tls=trusting(folder), password=PASSWORD) == 101
    assert not [log for log in logs if log["event"] == "ocpp.certificate_expires"]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param({"gateway.pem": None}, "cannot read .*gateway.pem: No such file", id="no certificate"),
        pytest.param({"gateway.pem": b"nothing"}, "no certificate in it", id="no PEM"),
        pytest.param({"gateway.key": None}, "No such file", id="no key"),
        pytest.param({"gateway.key": "charger-CP1.key"}, "is not the key of", id="another's key"),
        pytest.param(
            {"gateway.key": b"nothing"}, "expected certificates and a key without a password", id="no key PEM"
        ),
    ],
)
async def test_files_that_do_not_fit_are_a_fault_of_the_configuration(folder, broken, words) -> None:
    for name, content in broken.items():
        (folder / name).unlink()
        if isinstance(content, str):
            shutil.copy(folder / content, folder / name)
        elif content is not None:
            (folder / name).write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        async with running(**section(folder)):
            pass
