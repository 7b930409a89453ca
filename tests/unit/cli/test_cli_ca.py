"""``chargerd ca``: certificates of the household's own."""

import json
import stat
import sys
from pathlib import Path

import pytest

from chargerd.cli.main import main


def ca(folder: Path, *argv: str) -> int:
    return main(["ca", *argv, "--folder", str(folder)])


def keys(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.key")}


def test_a_root_a_gateway_and_a_charger_are_made_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "tls"
    assert ca(folder, "init") == 0
    assert ca(folder, "issue", "192.168.1.10", "gateway.local") == 0
    assert 'tls_certificate_file = "' in capsys.readouterr().out
    assert ca(folder, "issue", "--charger", "DE*BMW/1") == 0
    capsys.readouterr()
    assert ca(folder, "show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [one["names"] for one in shown["data"]] == [
        ["chargerd home CA"],
        ["192.168.1.10", "gateway.local"],
        ["DE*BMW/1"],
    ]
    assert ca(folder, "show", "--pem") == 0
    assert capsys.readouterr().out == (folder / "ca.pem").read_text()
    assert ca(folder, "show") == 0
    assert shown["fingerprint"] in capsys.readouterr().out


def test_keys_are_for_their_owner_only_and_are_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ca(tmp_path, "init")
    ca(tmp_path, "issue", "10.0.0.1")
    ca(tmp_path, "issue", "--charger", "CP1")
    before = keys(tmp_path)
    assert len(before) == 3
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in before} == {0o600}
    assert ca(tmp_path, "init") == 1
    assert "is there already, and no key is ever overwritten" in capsys.readouterr().err
    assert ca(tmp_path, "issue") == 0
    assert ca(tmp_path, "issue", "--charger", "CP1") == 0
    assert keys(tmp_path) == before


def test_a_renewed_certificate_has_the_names_of_the_last_one_or_new_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ca(tmp_path, "init")
    ca(tmp_path, "issue", "10.0.0.1", "gateway.local")
    first = (tmp_path / "gateway.pem").read_text()
    capsys.readouterr()
    assert ca(tmp_path, "issue") == 0
    assert "is for 10.0.0.1, gateway.local," in capsys.readouterr().out
    assert (tmp_path / "gateway.pem").read_text() != first
    assert ca(tmp_path, "issue", "::1") == 0
    assert "is for ::1," in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        pytest.param(("issue", "10.0.0.1"), 1, "first: chargerd ca init", id="no root to issue with"),
        pytest.param(("show",), 1, "there is no root certificate", id="no root to show"),
        pytest.param((), 2, "ACTION", id="nothing to do"),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], status: int, words: str
) -> None:
    assert (ca(tmp_path, *argv) if argv else main(["ca"])) == status
    assert words in capsys.readouterr().err


def test_names_that_cannot_be_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ca(tmp_path, "init")
    assert ca(tmp_path, "issue") == 2
    assert ca(tmp_path, "issue", "--charger", "x" * 65) == 1
    assert "64" in capsys.readouterr().err


def test_without_the_package_it_is_said_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.delitem(sys.modules, "chargerd.cli.authority", raising=False)
    assert ca(tmp_path, "init") == 1
    assert "pip install 'chargerd[ca]'" in capsys.readouterr().err
