"""Whether a charger would trust this gateway, found out without one."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargerd.cli.authority import Authority
from chargerd_drivers.ocpp.trust import Root, root_in, why_untrusted

NOW = datetime(2026, 1, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("tls")
    authority = Authority(made)
    authority.create("home", NOW)
    authority.issue_gateway(("192.168.1.10", "gateway.local", "::1"), NOW)
    return made


def serving(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "gateway.pem", folder / "gateway.key")
    return context


def root_of(folder: Path) -> Root:
    found = root_in((folder / "gateway.pem").read_bytes())
    assert found is not None
    return found


def test_the_root_is_the_last_of_the_file(folder: Path) -> None:
    assert root_of(folder).pem == (folder / "ca.pem").read_text()


def test_a_file_without_a_root_at_its_end_is_of_a_public_authority(folder: Path) -> None:
    leaf, _ = (folder / "gateway.pem").read_bytes().split(b"-----END CERTIFICATE-----\n", 1)
    assert root_in(leaf + b"-----END CERTIFICATE-----\n") is None
    assert root_in(b"") is None


@pytest.mark.parametrize("host", ["192.168.1.10", "gateway.local", "[::1]"])
def test_a_name_that_is_in_the_certificate_is_trusted(folder: Path, host: str) -> None:
    assert why_untrusted(serving(folder), root_of(folder), host) is None


@pytest.mark.parametrize("host", ["192.168.1.11", "other.local"])
def test_a_name_that_is_not_in_the_certificate_is_told(folder: Path, host: str) -> None:
    assert "mismatch" in (why_untrusted(serving(folder), root_of(folder), host) or "").casefold()


def test_another_root_is_not_trusted(folder: Path, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    other.create("other", NOW)
    fault = why_untrusted(serving(folder), Root(other.certificate.read_text()), "gateway.local")
    assert "certificate" in (fault or "")
    assert why_untrusted(serving(folder), None, "gateway.local") is not None


@pytest.mark.parametrize(
    "hashes", [None, [], {}, {"hashAlgorithm": "MD5"}, {"hashAlgorithm": "SHA256", "issuerNameHash": 7}]
)
def test_hashes_that_say_nothing_are_not_those_of_the_root(folder: Path, hashes: object) -> None:
    assert not root_of(folder).is_among([hashes])
