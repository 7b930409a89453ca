"""Dates read out of certificates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargerd.cli.authority import Authority
from chargerd_drivers.ocpp.certificates import LEAF_LIFE
from chargerd_drivers.ocpp.expiry import expires_at

NOW = datetime(2026, 1, 14, 16, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize("now", [NOW, datetime(2047, 1, 1, tzinfo=UTC)], ids=["two digits of the year", "four digits"])
def test_the_first_to_expire_of_a_file_counts(tmp_path: Path, now: datetime) -> None:
    authority = Authority(tmp_path)
    root = authority.create("home", now)
    leaf = authority.issue_gateway(("10.0.0.1",), now)
    assert expires_at(root.certificate.read_bytes()) == root.expires_at
    assert expires_at(leaf.certificate.read_bytes()) == leaf.expires_at == now + LEAF_LIFE
    both = root.certificate.read_bytes() + leaf.certificate.read_bytes()
    assert expires_at(both) == leaf.expires_at


def test_a_leaf_does_not_outlive_its_root(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    root = authority.create("home", NOW)
    late = root.expires_at - timedelta(days=10)
    assert authority.issue_gateway(("10.0.0.1",), late).expires_at == root.expires_at


DAMAGED = b"-----BEGIN CERTIFICATE-----\nMAMwAQ==\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("pem", "words"), [(b"", "no certificate"), (b"garbage", "no certificate"), (DAMAGED, "damaged")]
)
def test_what_is_no_certificate_is_said_to_be_none(pem: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        expires_at(pem)
