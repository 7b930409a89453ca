"""Who may connect, in which version, and what strangers are told, over a real socket."""

import asyncio
from pathlib import Path

import pytest
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, running
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from chargerd.contract import ChargerId, ChargerOffline, ChargerOnline, ConfigError, DriverError
from chargerd_drivers.ocpp.config import OcppCharger, OcppSection
from chargerd_drivers.ocpp.driver import OcppDriver
from chargerd_drivers.ocpp.server import Stranger


def password_file(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "password"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        pytest.param(("ocpp1.6",), "ocpp1.6", id="1.6"),
        pytest.param(("ocpp2.0.1",), "ocpp2.0.1", id="2.0.1"),
        pytest.param(("OCPP1.6",), "OCPP1.6", id="capitals are answered as they came"),
        pytest.param(("ocpp1.6", "ocpp2.0.1"), "ocpp1.6", id="the first one spoken wins"),
        pytest.param(("ocpp2.1", "ocpp2.0.1", "ocpp1.6"), "ocpp2.0.1", id="one not spoken is passed over"),
        pytest.param((), None, id="no header is 1.6 without a header"),
    ],
)
async def test_the_first_offered_version_that_is_spoken_is_taken(offered, expected) -> None:
    async with running() as rig, rig.charger(offered=offered) as charger:
        assert charger.socket.subprotocol == expected
        payload = BOOT_201 if expected == "ocpp2.0.1" else BOOT_16
        assert (await charger.call("BootNotification", payload))["status"] == "Accepted"
        protocol = "OCPP 2.0.1" if expected == "ocpp2.0.1" else "OCPP 1.6"
        assert (await rig.sink.take(ChargerOnline)).protocol == protocol


async def test_a_version_that_is_not_spoken_is_refused_with_words_and_a_warning() -> None:
    with capture_logs() as logs:
        async with running() as rig:
            with pytest.raises(InvalidStatus) as refused:
                async with rig.charger("9.9"):
                    pass
    assert refused.value.response.status_code == 400
    assert b"ocpp2.0.1, ocpp1.6" in (refused.value.response.body or b"")
    [warning] = [log for log in logs if log["event"] == "ocpp.subprotocol_refused"]
    assert (warning["log_level"], warning["identity"]) == ("warning", "CP1")
    assert warning["message"] == "the charger 'CP1' at 127.0.0.1 offers ocpp9.9; spoken here: ocpp2.0.1, ocpp1.6"
    assert warning["peer"] == "127.0.0.1"


@pytest.mark.parametrize(
    "path",
    ["/ocpp/CP1/", "//CP1", "/ocpp//CP1", "/CP1", "/ocpp/1.6/CP1", "/ocpp/CP1/SN123", "/ocpp/cp1", "/ocpp/CP%31?x=1"],
)
async def test_a_configured_charger_is_found_in_an_oddly_spelled_path(path) -> None:
    async with running() as rig, rig.charger(path=path) as charger:
        assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"


async def test_an_identity_with_escaped_characters_is_compared_decoded_and_without_case() -> None:
    chargers = {GARAGE: OcppCharger(identity="DE*Bmw/Ä 1")}
    async with running(chargers) as rig, rig.charger(path="/ocpp/de%2ABMW%2FA%CC%88%201") as charger:
        assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"


async def test_a_stranger_is_held_pending_and_nothing_of_it_is_told() -> None:
    with capture_logs() as logs:
        async with running() as rig:
            for _ in range(2):
                async with rig.charger(path="/ocpp/NEW-1") as charger:
                    answer = await charger.call("BootNotification", BOOT_16)
                    assert (answer["status"], answer["interval"]) == ("Pending", 60)
                    assert await charger.call("StatusNotification", {"connectorId": 1, "status": "Charging"}) == {}
                    tag = await charger.call("Authorize", {"idTag": "x"})
                    assert tag == {"idTagInfo": {"status": "Invalid"}}
                    start = await charger.call("StartTransaction", {"connectorId": 1, "idTag": "x", "meterStart": 0})
                    assert start == {"transactionId": 0, "idTagInfo": {"status": "Invalid"}}
                    unknown = await charger.answer_to(await charger.ask("Fancy", {}))
                    assert unknown[:3] == [4, unknown[1], "NotSupported"]
            assert rig.driver.known == (Stranger("NEW-1", "127.0.0.1"),)
            assert rig.sink.seen == []
    warnings = [log for log in logs if log["event"] == "ocpp.unknown_pending"]
    assert len(warnings) == 1
    assert 'identity = "NEW-1"' in warnings[0]["message"]


async def test_a_stranger_that_speaks_2_0_1_is_held_pending_too() -> None:
    async with running() as rig, rig.charger("2.0.1", "/ocpp/NEW-2") as charger:
        assert (await charger.call("BootNotification", BOOT_201))["status"] == "Pending"
        event = {"eventType": "Started", "idToken": {"idToken": "x", "type": "Central"}}
        assert await charger.call("TransactionEvent", event) == {"idTokenInfo": {"status": "Invalid"}}


@pytest.mark.parametrize(
    ("accept_unknown", "path"), [("reject", "/ocpp/NEW-1"), ("pending", "/ocpp/"), ("pending", "/")]
)
async def test_a_stranger_that_is_not_wanted_or_has_no_name_gets_404(accept_unknown, path) -> None:
    with capture_logs() as logs:
        async with running(accept_unknown=accept_unknown) as rig:
            with pytest.raises(InvalidStatus) as refused:
                async with rig.charger(path=path):
                    pass
            assert rig.driver.known == ()
    assert refused.value.response.status_code == 404
    assert "ocpp.unknown_refused" in [log["event"] for log in logs]


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        pytest.param(b"secret\n", b"secret", id="a line end in the file is not part of it"),
        pytest.param(b"s\xc3\xa9:cret", b"s\xc3\xa9:cret", id="colon and accents"),
        pytest.param(b"ff00" * 10, b"\xff\x00" * 10, id="the bytes that hexadecimal text stands for"),
        pytest.param(b"ff00" * 10, b"ff00" * 10, id="hexadecimal text as it is"),
        pytest.param(b"\xff\x00\x80\x81", b"\xff\x00\x80\x81", id="bytes that are no UTF-8"),
    ],
)
async def test_the_right_password_opens(tmp_path, stored, given) -> None:
    chargers = {GARAGE: OcppCharger(identity="CP1", password_file=password_file(tmp_path, stored))}
    async with running(chargers) as rig, rig.charger(password=given, user="cp1") as charger:
        assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"


@pytest.mark.parametrize(
    ("user", "given"),
    [
        pytest.param("CP1", None, id="no password"),
        pytest.param("CP1", b"wrong", id="wrong password"),
        pytest.param("CP2", b"secret", id="another's name"),
        pytest.param("CP1", b"", id="empty password"),
    ],
)
async def test_a_wrong_password_is_refused_and_logged_once_without_the_secret(tmp_path, user, given) -> None:
    chargers = {GARAGE: OcppCharger(identity="CP1", password_file=password_file(tmp_path, b"secret"))}
    with capture_logs() as logs:
        async with running(chargers) as rig:
            for _ in range(3):
                with pytest.raises(InvalidStatus) as refused:
                    async with rig.charger(password=given, user=user):
                        pass
                assert refused.value.response.status_code == 401
    warnings = [log for log in logs if log["event"] == "ocpp.password_refused"]
    assert len(warnings) == 1
    assert warnings[0]["charger"] == GARAGE
    assert "wrong" not in str(logs)
    assert "secret" not in str(logs)


@pytest.mark.parametrize("content", [None, b"\n"], ids=["missing", "empty"])
async def test_a_password_file_without_a_password_is_a_fault_of_the_configuration(tmp_path, content) -> None:
    path = tmp_path / "nothing" if content is None else password_file(tmp_path, content)
    driver = OcppDriver(
        OcppSection(), {GARAGE: OcppCharger(identity="CP1", password_file=path)}, clock=None, memory=None
    )
    with pytest.raises(ConfigError, match="garage: password_file"):
        async with driver:
            pass


async def test_the_newest_connection_wins_and_the_old_one_is_closed() -> None:
    async with running() as rig, rig.charger() as old:
        await old.call("BootNotification", BOOT_16)
        await rig.sink.take(ChargerOnline)
        async with rig.charger() as new:
            await old.closed()
            await new.call("BootNotification", BOOT_16)
            kinds = [type(event) for event in rig.sink.seen if isinstance(event, ChargerOnline | ChargerOffline)]
            assert kinds == [ChargerOnline, ChargerOffline, ChargerOnline]
        assert "newer" in next(event.reason for event in rig.sink.seen if isinstance(event, ChargerOffline))


async def test_two_chargers_are_served_side_by_side() -> None:
    chargers = {GARAGE: OcppCharger(identity="CP1"), ChargerId("yard"): OcppCharger(identity="CP2")}
    async with running(chargers) as rig, rig.charger() as one, rig.charger("2.0.1", "/ocpp/CP2") as two:
        await one.call("BootNotification", BOOT_16)
        await two.call("BootNotification", BOOT_201)
        online = {(await rig.sink.take(ChargerOnline)).charger_id for _ in range(2)}
        assert online == {"garage", "yard"}


def test_two_chargers_of_the_same_identity_are_a_fault_of_the_configuration() -> None:
    chargers = {GARAGE: OcppCharger(identity="CP1"), ChargerId("yard"): OcppCharger(identity="cp1")}
    with pytest.raises(ConfigError, match="same identity"):
        OcppDriver(OcppSection(), chargers, clock=None, memory=None)


async def test_a_port_that_is_taken_is_a_driver_error() -> None:
    async with running() as rig:
        second = OcppDriver(OcppSection(listen=f"127.0.0.1:{rig.port}"), {}, clock=None, memory=None)
        async with second:
            with pytest.raises(DriverError, match="cannot listen"):
                async with asyncio.timeout(5):
                    await second.run(rig.sink)
