"""Identities in paths, passwords in headers, versions on offer."""

import base64

import pytest

from chargerd_drivers.ocpp.identity import (
    candidates,
    chosen,
    credentials,
    find,
    is_admitted,
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
            ("ws:/192.168.1.2:9000/CP_1/SERIAL", "SERIAL", "CP_1", "192.168.1.2:9000", "ws:"),
        ),
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
    ("given", "password", "admitted"),
    [
        pytest.param(header(b"CP1", b"secret"), b"secret", True, id="right"),
        pytest.param(header(b"cp1", b"secret"), b"secret", True, id="name in another case"),
        pytest.param(header(b"CP1", bytes.fromhex("00ff")), b"00ff", True, id="bytes for hexadecimal text"),
        pytest.param(header(b"CP1", b"00ff"), b"00ff", True, id="hexadecimal text"),
        pytest.param(header(b"CP1", b"00ff"), bytes.fromhex("00ff"), False, id="text for bytes"),
        pytest.param(header(b"CP2", b"secret"), b"secret", False, id="another's name"),
        pytest.param(header(b"CP1", b"Secret"), b"secret", False, id="case of the password"),
        pytest.param(header(b"CP1", b""), b"secret", False, id="empty"),
        pytest.param(None, b"secret", False, id="none"),
    ],
)
def test_a_password_is_compared_as_bytes(given, password, admitted) -> None:
    assert is_admitted(given, identity="CP1", password=password) is admitted


def test_offered_versions_may_stand_on_several_lines() -> None:
    assert offered_versions(["ocpp2.1 , ocpp1.6", "", "OCPP2.0.1"]) == ("ocpp2.1", "ocpp1.6", "OCPP2.0.1")


@pytest.mark.parametrize(
    ("offered", "expected"),
    [(("ocpp1.6", "ocpp2.0.1"), "ocpp1.6"), (("ocpp2.0.1", "ocpp1.6"), "ocpp2.0.1"), (("ocpp1.5",), None), ((), None)],
)
def test_the_charger_has_the_choice_among_what_is_spoken(offered, expected) -> None:
    assert chosen(offered) == expected
