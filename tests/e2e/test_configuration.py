"""Faults in the configuration file, at the start and while the daemon runs."""

import signal
from pathlib import Path

import pytest
from house import Bay, House, chargerd, house

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

BAY = Bay(id="garage")
SYNTAX = (("[site]", "[site", "not TOML: "),)
MEANING = (
    ("[site]", "[site]\ncolour = 1", "site.colour: "),
    ("start_timeout_s = 180", 'start_timeout_s = "soon"', "charger[0].start_timeout_s: "),
    ('vehicle = "car-garage"', 'vehicle = "zeo"', "policy[0].vehicle: "),
)
"""Old text, new text, and what is said of it after file and line."""
Faults = tuple[tuple[str, str, str], ...]


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("faults", [SYNTAX, MEANING], ids=["syntax", "meaning"])
def test_every_fault_of_a_file_is_told_with_its_place_and_exit_78(tmp_path: Path, faults: Faults, command: str) -> None:
    with house(tmp_path, BAY) as home:
        _break(home, faults)
        ended = chargerd(command, "--config", str(home.config))
    assert ended.returncode == 78
    assert ended.stdout == ""
    lines = home.config.read_text().splitlines()
    told = ended.stderr.splitlines()
    assert len(told) == len(faults)
    for sentence, (_, broken, said) in zip(told, faults, strict=True):
        number = lines.index(broken.splitlines()[-1]) + 1
        # The end of a line that is missing something is the start of the next one to a reader of TOML.
        assert sentence.startswith((f"{home.config}:{number}: {said}", f"{home.config}:{number + 1}: {said}")), told


def test_a_file_of_quirks_is_read_by_check_and_what_is_wrong_in_it_is_told_with_its_key(tmp_path: Path) -> None:
    quirks = tmp_path / "my-quirks.toml"
    with house(tmp_path, BAY) as home:
        listen = f'listen = "127.0.0.1:{home.ocpp_port}"'
        home.config.write_text(home.config.read_text().replace(listen, f'{listen}\nquirks_file = "my-quirks.toml"'))
        number = home.config.read_text().splitlines().index('quirks_file = "my-quirks.toml"') + 1
        place = f"{home.config}:{number}: ocpp.quirks_file: {quirks}: "
        ended = chargerd("check", "--config", str(home.config))
        assert (ended.returncode, ended.stderr.startswith(f"{place}expected a file of quirks, got: ")) == (78, True)
        quirks.write_text('version = 1\n[[quirk]]\nvendor = "Acme"\nlimit_unit = "kW"\n')
        ended = chargerd("check", "--config", str(home.config))
        assert ended.returncode == 78
        assert ended.stderr.splitlines() == [
            f"{place}quirk.1.source: missing",
            f"{place}quirk.1.limit_unit: expected 'A' or 'W', got 'kW'",
        ]
        quirks.write_text('version = 1\n[[quirk]]\nvendor = "Acme"\nsource = "mine"\nlimit_unit = "W"\n')
        ended = chargerd("check", "--config", str(home.config))
        assert (ended.returncode, ended.stderr) == (0, "")
        assert f"quirks_file {quirks}" in ended.stdout


def test_a_reload_of_a_broken_file_changes_nothing_and_of_a_good_one_all(tmp_path: Path) -> None:
    with house(tmp_path, BAY) as home:
        good = home.config.read_text()
        home.start()
        before = home.session(BAY)
        assert before["target"]["latest"]["id"] == 1
        _break(home, MEANING[-1:])
        home.daemon.signal(signal.SIGHUP)
        told = home.wait_logged("config.rejected")
        assert "old configuration" in told["MESSAGE"]
        assert "policy[0].vehicle" in told["MESSAGE"]
        assert home.session(BAY) == before
        home.config.write_text(good.replace("minimum_charge_target = 60", "minimum_charge_target = 77"))
        home.daemon.signal(signal.SIGHUP)
        after = home.wait_session(BAY, "the new target", lambda shown: shown["target"] != before["target"])
        assert after["target"]["latest"] == before["target"]["latest"] | {"id": 2, "minimumChargeTarget": 77}
        assert home.wait_logged("config.reloaded")


def _break(home: House, faults: Faults) -> None:
    text = home.config.read_text()
    for old, new, _ in faults:
        assert text.count(old) == 1
        text = text.replace(old, new)
    home.config.write_text(text)
