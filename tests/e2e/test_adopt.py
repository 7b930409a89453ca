"""A stranger knocks, is adopted, and is a charger of the home from then on, while the others go on."""

import json
import signal
from pathlib import Path

import pytest
from house import Bay, chargerd, house

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

KNOWN = Bay(id="garage")
STRANGER = Bay(id="yard", version="2.0.1")


def test_an_adopted_charger_is_there_at_once_and_after_a_restart(tmp_path: Path) -> None:
    with house(tmp_path, KNOWN) as home:
        home.open()
        visited = home.session(KNOWN)
        home.simulate(STRANGER)
        home.wait_logged("ocpp.unknown_pending")
        api = ("--url", f"http://127.0.0.1:{home.http_port}")
        home.wait("it said who it is", lambda: [one for one in _pending(api) if one["vendor"]])
        assert [one["identity"] for one in _pending(api)] == [STRANGER.identity]
        ended = chargerd("adopt", STRANGER.identity.lower(), "--id", "yard", *api)
        assert (ended.returncode, ended.stderr) == (0, "")
        home.wait_logged("charger.online", charger="yard")
        home.wait("the known one is back", lambda: home.charger(KNOWN)["isOnline"])
        assert home.session(KNOWN)["target"] == visited["target"]
        assert home.stop() == 0
        home.start()
        home.wait("it is there after a restart", lambda: home.charger(STRANGER)["isOnline"])


def test_a_reload_that_takes_a_charger_out_or_opens_what_cannot_be_leaves_the_daemon_running(tmp_path: Path) -> None:
    with house(tmp_path, KNOWN, STRANGER) as home:
        home.start()
        good = home.config.read_text()
        home.config.write_text(good.replace('identity = "BOX-yard"', 'identity = "BOX-yard"\npassword_file = "none"'))
        home.daemon.signal(signal.SIGHUP)
        assert "none" in home.wait_logged("config.rejected")["MESSAGE"]
        home.wait("the old one is in force", lambda: len(home.logged("daemon.ready")) == 2)
        home.config.write_text(home.toml('kind = "fixed"\nprice_per_kwh = 0.3', bays=(KNOWN,)))
        home.daemon.signal(signal.SIGHUP)
        home.wait("the new one is in force", lambda: len(home.logged("daemon.ready")) == 3)
        assert [one["id"] for one in home.get("/v1/chargers")["data"]] == ["garage"]
        assert home.stop() == 0


def _pending(api: tuple[str, ...]) -> list[dict[str, str]]:
    ended = chargerd("adopt", "--json", *api)
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, str]] = json.loads(ended.stdout)["data"]
    return found
