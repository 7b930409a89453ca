"""Identities in paths, passwords in headers, versions on offer."""

import base64

import pytest

from chargerd_drivers.ocpp.identity import (
    candidates,
    chosen,
    complaint,
    credentials,
    find,
    mended_request,
    offered_versions,
    printable,
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ocpp/CP1", ("CP1",)),
        ("/ocpp/CP1/", ("CP1",)),
        ("//ocpp//CP1", ("CP1",)),
        ("/CP1", ("CP1",)),
        ("/ocpp/CP1/SN1", ("CP1/SN1", "SN1", "CP1")),
        ("/ocpp/a%2Fb", ("a/b",)),
        ("/ocpp/100%25", ("100%",)),
        ("/ocpp/CP1?token=x#y", ("CP1",)),
        ("/ocpp", ()),
        ("/ocpp/", ()),
        ("/", ()),
        ("", ()),
        ("/ocpp/ocpp", ("ocpp",)),
        (
            "/ws://192.168.1.2:9000/CP_1/SERIAL",
            ("CP_1/SERIAL", "SERIAL", "CP_1"),
        ),
        ("ws://192.168.1.2:9000/ocpp/CP_1", ("CP_1",)),
        ("WSS://gateway/ocpp/", ()),
        ("/ocpp/B%C3%B6x", ("B\u00f6x",)),
        ("/ocpp/B%F6x", ("B\u00f6x",)),
    ],
)
def test_a_path_gives_its_possible_identities_most_likely_first(path, expected) -> None:
    assert candidates(path, "/ocpp") == expected


def test_an_identity_is_found_without_regard_to_case_and_composition() -> None:
    assert find(["box-a\u0308"], ["other", "Box-Ä"]) == "Box-Ä"
    assert find(["nobody"], ["Box"]) is None
    assert find(["SERIAL", "box"], ["Box"]) == "Box"


def test_a_strangers_name_is_fit_to_be_logged() -> None:
    assert printable("a\nb\x1b" + "c" * 100) == "a?b?" + "c" * 60


def header(user: bytes, password: bytes) -> str:
    return "Basic " + base64.b64encode(user + b":" + password).decode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (header(b"u", b"p:q"), (b"u", b"p:q")),
        (header(b"u", b"\xff"), (b"u", b"\xff")),
        ("basic " + base64.b64encode(b"u:p").decode(), (b"u", b"p")),
        ("Basic !!!", None),
        ("Basic " + base64.b64encode(b"nocolon").decode(), None),
        ("Bearer abc", None),
        ("", None),
        (None, None),
    ],
)
def test_credentials_are_bytes_or_nothing(value, expected) -> None:
    assert credentials(value) == expected


@pytest.mark.parametrize(
    ("data", "mended"),
    [
        (b"GET /ocpp/CP1 HTTP/1.1\r\nHost: a b\r\n", b"GET /ocpp/CP1 HTTP/1.1\r\nHost: a b\r\n"),
        (b"GET /ocpp/My Box HTTP/1.1\r\n", b"GET /ocpp/My%20Box HTTP/1.1\r\n"),
        (b"GET /ocpp/B\xc3\xb6x HTTP/1.1\n", b"GET /ocpp/B%C3%B6x HTTP/1.1\n"),
        (b"GET /a%20b*?x=[1]#z HTTP/1.1\r\n", b"GET /a%20b*?x=[1]#z HTTP/1.1\r\n"),
        (b"GET  HTTP/1.1\r\n", b"GET  HTTP/1.1\r\n"),
        (b"hello you there\r\n", b"hello you there\r\n"),
        (b"GET /no end", b"GET /no end"),
        (b"", b""),
    ],
)
def test_a_path_that_was_sent_as_it_was_typed_is_escaped(data, mended) -> None:
    assert mended_request(data) == mended


@pytest.mark.parametrize(
    ("given", "password", "wrong"),
    [
        pytest.param(header(b"CP1", b"secret"), b"secret", None, id="right"),
        pytest.param(header(b"cp1", b"secret"), b"secret", None, id="name in another case"),
        pytest.param(header(b"CP1", bytes.fromhex("00ff")), b"00ff", None, id="bytes for hexadecimal text"),
        pytest.param(header(b"CP1", b"00FF"), b"00ff", None, id="hexadecimal text in another case"),
        pytest.param(header(b"CP1", b"00ff"), bytes.fromhex("00ff"), None, id="text for bytes"),
        pytest.param(header(b"CP2", b"secret"), b"secret", "gave another user name than its identity", id="name"),
        pytest.param(header(b"", b"secret"), b"secret", "gave another user name than its identity", id="no name"),
        pytest.param(header(b"CP1", b"Secret"), b"secret", "gave a wrong password", id="case of the password"),
        pytest.param(header(b"CP1", b""), b"secret", "gave a wrong password", id="empty"),
        pytest.param(None, b"secret", "gave no password", id="none"),
    ],
)
def test_a_password_is_compared_as_bytes_and_what_is_wrong_is_said(given, password, wrong) -> None:
    assert complaint(given, identity="CP1", password=password) == wrong


def test_offered_versions_may_stand_on_several_lines() -> None:
    assert offered_versions(["ocpp2.1 , ocpp1.6", "", "OCPP2.0.1"]) == ("ocpp2.1", "ocpp1.6", "OCPP2.0.1")


@pytest.mark.parametrize(
    ("offered", "expected"),
    [(("ocpp1.6", "ocpp2.0.1"), "ocpp1.6"), (("ocpp2.0.1", "ocpp1.6"), "ocpp2.0.1"), (("ocpp1.5",), None), ((), None)],
)
def test_the_charger_has_the_choice_among_what_is_spoken(offered, expected) -> None:
    assert chosen(offered) == expected
