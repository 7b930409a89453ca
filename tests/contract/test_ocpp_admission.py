"""Who may connect, in which version, and what strangers are told, over a real socket."""

import asyncio
from pathlib import Path

import pytest
from ocpp_lines import raw_charger
from ocpp_rig import BOOT_16, BOOT_201, GARAGE, Rig, running
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from chargerd.contract import ChargerId, ChargerOffline, ChargerOnline, ConfigError, DriverError
from chargerd_drivers.ocpp.config import OcppCharger, OcppSection
from chargerd_drivers.ocpp.driver import OcppDriver

TWO = {GARAGE: OcppCharger(identity="CP1"), ChargerId("yard"): OcppCharger(identity="CP2")}
LOGIN_FAILURES_MAX = 10


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
    [
        *(
            "/ocpp/CP1/",
            "//CP1",
            "/ocpp//CP1",
            "/CP1",
            "/ocpp/1.6/CP1",
            "/ocpp/CP1/SN123",
            "/ocpp/cp1",
            "/ocpp/CP%31?x=1",
        ),
        *("/ws://192.168.1.2:9000/CP1/SERIAL", "/ws://gateway/ocpp/CP1"),
    ],
)
async def test_a_configured_charger_is_found_in_an_oddly_spelled_path(path) -> None:
    async with running(TWO) as rig, rig.charger(path=path) as charger:
        assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"


async def test_an_identity_with_escaped_characters_is_compared_decoded_and_without_case() -> None:
    chargers = {GARAGE: OcppCharger(identity="DE*Bmw/Ä 1")}
    async with running(chargers) as rig, rig.charger(path="/ocpp/de%2ABMW%2FA%CC%88%201") as charger:
        assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"


@pytest.mark.parametrize(
    ("identity", "line"),
    [
        pytest.param("My Box", b"/ocpp/My Box", id="space"),
        pytest.param("Böx*1", "/ocpp/Böx*1".encode(), id="UTF-8"),
        pytest.param("Böx*1", "/ocpp/Böx*1".encode("latin-1"), id="Latin-1"),
    ],
)
async def test_an_identity_that_is_sent_as_it_was_typed_is_understood(identity, line) -> None:
    async with (
        running({GARAGE: OcppCharger(identity=identity)}, accept_unknown="reject") as rig,
        raw_charger(rig.port, line),
    ):
        pass


@pytest.mark.parametrize("path", ["/", "/ocpp", "/ocpp/"])
async def test_who_gives_no_name_is_the_only_charger_of_the_home(path) -> None:
    async with running() as rig, rig.charger(path=path) as charger, rig.charger(path=path) as again:
        await charger.closed()
        assert (await again.call("BootNotification", BOOT_16))["status"] == "Accepted"


async def test_who_gives_no_name_does_not_push_out_a_charger_that_gave_its_name() -> None:
    async with running() as rig, rig.charger() as charger:
        with pytest.raises(InvalidStatus) as refused:
            async with rig.charger(path="/"):
                pass
        assert refused.value.response.status_code == 404
        assert "currentTime" in await charger.call("Heartbeat", {})


async def test_a_short_probe_in_one_version_leaves_nothing_for_the_other() -> None:
    """FoxESS A-series: 1.6 without a message, closed after 3 s, then 2.0.1."""
    with capture_logs() as logs:
        async with running() as rig:
            async with rig.charger("1.6"):
                pass
            async with rig.charger("2.0.1") as charger:
                assert (await charger.call("BootNotification", BOOT_201))["status"] == "Accepted"
                online = [event for event in rig.sink.seen if isinstance(event, ChargerOnline)]
                assert [event.protocol for event in online] == ["OCPP 2.0.1"]
                status = {"timestamp": "2026-01-14T16:00:00Z", "evseId": 1, "connectorId": 1}
                assert await charger.call("StatusNotification", {**status, "connectorStatus": "Occupied"}) == {}
    assert not [log for log in logs if log["event"] == "ocpp.odd_payload"]


async def test_compression_is_not_negotiated_and_a_frame_with_it_costs_only_its_connection() -> None:
    async with running() as rig:
        async with rig.charger(compression="deflate") as charger:
            assert "Sec-WebSocket-Extensions" not in charger.socket.response.headers
            charger.socket.transport.write(bytes([0x80 | 0x40 | 0x01, 0x80, 0, 0, 0, 0]))
            await charger.closed()
            assert charger.socket.close_code == 1002
        async with rig.charger() as charger:
            assert "currentTime" in await charger.call("Heartbeat", {})


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
            [stranger] = rig.driver.pending()
            told = (
                stranger["identity"],
                stranger["address"],
                stranger["protocol"],
                stranger["vendor"],
                stranger["model"],
            )
            assert told == ("NEW-1", "127.0.0.1", "OCPP 1.6", "Acme", "Box")
            assert rig.sink.seen == []
    warnings = [log for log in logs if log["event"] == "ocpp.unknown_pending"]
    assert len(warnings) == 1
    assert "chargerd adopt NEW-1" in warnings[0]["message"]


async def test_a_stranger_that_speaks_2_0_1_is_held_pending_too() -> None:
    async with running() as rig, rig.charger("2.0.1", "/ocpp/NEW-2") as charger:
        assert (await charger.call("BootNotification", BOOT_201))["status"] == "Pending"
        [stranger] = rig.driver.pending()
        assert (stranger["vendor"], stranger["model"], stranger["driver"]) == ("Acme", "Box", "ocpp")


@pytest.mark.parametrize(
    ("accept_unknown", "path"), [("reject", "/ocpp/NEW-1"), ("pending", "/ocpp/"), ("pending", "/")]
)
async def test_a_stranger_that_is_not_wanted_or_has_no_name_gets_404(accept_unknown, path) -> None:
    with capture_logs() as logs:
        async with running(TWO, accept_unknown=accept_unknown) as rig:
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
        pytest.param(b"\xff\x00" * 10, b"FF00" * 10, id="hexadecimal text for bytes"),
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
        pytest.param("CP1", b"guessed", id="wrong password"),
        pytest.param("CP2", b"secret", id="another's name"),
        pytest.param("SN123", b"secret", id="serial number for a name"),
        pytest.param("", b"secret", id="no name"),
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
    assert "guessed" not in str(logs)
    assert "secret" not in str(logs)


@pytest.mark.parametrize(("user", "given"), [("CP1", b"x"), ("SN123", b"x"), ("", b""), ("CP1", None)])
async def test_without_a_password_in_the_configuration_none_is_looked_at(user, given) -> None:
    async with running() as rig, rig.charger(password=given, user=user) as charger:
        assert (await charger.call("BootNotification", BOOT_16))["status"] == "Accepted"


async def test_wrong_passwords_are_counted_and_then_turned_away_while_another_charger_gets_in(tmp_path) -> None:
    chargers = {
        GARAGE: OcppCharger(identity="CP1", password_file=password_file(tmp_path, b"secret")),
        ChargerId("yard"): OcppCharger(identity="CP2", password_file=password_file(tmp_path, b"secret")),
    }
    with capture_logs() as logs:
        async with running(chargers) as rig:
            answers = [await refusal(rig, b"wrong") for _ in range(LOGIN_FAILURES_MAX + 5)]
            assert [answer.status_code for answer in answers] == [401] * LOGIN_FAILURES_MAX + [429] * 5
            assert 1 <= int(answers[-1].headers["Retry-After"]) <= 11
            assert (await refusal(rig, b"secret")).status_code == 429
            fact = rig.driver.told(GARAGE)["logInRefused"]
            assert (fact["address"], fact["count"]) == ("127.0.0.1", LOGIN_FAILURES_MAX + 6)
            assert fact["why"] == "gave too many wrong passwords and has to wait"
            async with rig.charger(path="/ocpp/CP2", user="CP2", password=b"secret") as other:
                assert "currentTime" in await other.call("Heartbeat", {})
            assert "logInRefused" not in rig.driver.told(ChargerId("yard"))
    told = [log["event"] for log in logs if log["event"].startswith("ocpp.password")]
    assert told == ["ocpp.password_refused", "ocpp.password_limited"]


async def test_a_wrong_password_is_news_again_after_the_charger_got_in(tmp_path) -> None:
    chargers = {GARAGE: OcppCharger(identity="CP1", password_file=password_file(tmp_path, b"secret"))}
    with capture_logs() as logs:
        async with running(chargers) as rig:
            for _ in range(2):
                await refusal(rig, b"wrong")
                await refusal(rig, b"wrong")
                async with rig.charger(password=b"secret"):
                    pass
    assert [log["event"] for log in logs if log["event"].startswith("ocpp.password")] == ["ocpp.password_refused"] * 2


async def refusal(rig: Rig, password: bytes) -> Response:
    with pytest.raises(InvalidStatus) as refused:
        async with rig.charger(password=password):
            pass
    return refused.value.response


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
