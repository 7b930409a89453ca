"""A charger of the home is given a password, TLS and a certificate of its own, and is there after each and a crash."""

from pathlib import Path

import pytest
from house import FLAT, VERSIONS, Bay, House, chargerd, free_port, house

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_charger_is_made_secure_step_by_step_and_stays_through_a_crash(tmp_path: Path, version: str) -> None:
    box, tls = Bay(id="garage", version=version), tmp_path / "tls"
    for action in (("init",), ("issue", "127.0.0.1")):
        assert chargerd("ca", *action, "--folder", str(tls)).returncode == 0
    with house(tmp_path, box, speed=150) as home:
        home.config.write_text(home.toml(FLAT).replace("[http]", _security(tmp_path, tls) + "[http]"))
        home.start()
        home.simulate(box)
        home.wait("it is there", lambda: home.get("/v1/chargers/garage")["isOnline"])
        assert "It comes in".casefold() in _secure(home, "--profile", "1").casefold()
        assert _profile(home) == 1
        _secure(home, "--profile", "2")
        assert _profile(home) == 2
        home.kill()
        home.start()
        home.wait("it is back by TLS and its password", lambda: _profile(home) == 2)
        _secure(home, "--profile", "3")
        assert _profile(home) == 3
        told = [entry["MESSAGE"] for entry in home.logged("ocpp.secured")]
        password = (tmp_path / "passwords" / "garage.password").read_text().strip()
        assert len(told) == 3
        assert not [line for line in home.log if password in str(line)]


def _security(folder: Path, tls: Path) -> str:
    return f"""listen_tls = "127.0.0.1:{free_port()}"
tls_certificate_file = "{tls / "gateway.pem"}"
tls_key_file = "{tls / "gateway.key"}"
tls_client_ca_file = "{tls / "ca.pem"}"
tls_ca_key_file = "{tls / "ca.key"}"
password_folder = "{folder / "passwords"}"
"""


def _secure(home: House, *wish: str) -> str:
    ended = chargerd("secure", "garage", *wish, "--url", f"http://127.0.0.1:{home.http_port}")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    return ended.stdout


def _profile(home: House) -> int | None:
    profile: int | None = home.get("/v1/chargers/garage/security")["profile"]
    return profile
