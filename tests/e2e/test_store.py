"""The database: held by one daemon alone, and said clearly when it cannot be had."""

import json
from pathlib import Path

import pytest
from house import Bay, Process, house

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

BAY = Bay(id="garage")


def test_a_second_daemon_leaves_the_database_of_the_first_alone(tmp_path: Path) -> None:
    with house(tmp_path, BAY) as home:
        home.start()
        before = home.session(BAY)
        second = tmp_path / "second.toml"
        second.write_text(home.config.read_text())
        said = _refusal(home.run(second))
        assert str(tmp_path / "chargerd.db") in said
        assert "process" in said
        assert not home.daemon.ended
        assert home.session(BAY) == before
        home.put_target(BAY, type="IMMEDIATE_START", minimumChargeTarget=80)
        assert home.stop() == 0
        home.start()
        assert home.session(BAY)["target"]["latest"]["minimumChargeTarget"] == 80


@pytest.mark.parametrize("place", ["missing/chargerd.db", "file/chargerd.db"], ids=["missing folder", "a file for one"])
def test_a_database_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with house(tmp_path, BAY) as home:
        home.config.write_text(home.config.read_text().replace("/chargerd.db", f"/{place}"))
        assert str(tmp_path / place) in _refusal(home.run())


@pytest.mark.parametrize("content", [b"no database\n" * 200, b""], ids=["foreign file", "directory"])
def test_a_database_that_is_none_is_left_alone(tmp_path: Path, content: bytes) -> None:
    database = tmp_path / "chargerd.db-rehearsal"
    database.write_bytes(content) if content else database.mkdir()
    with house(tmp_path, BAY) as home:
        assert str(database) in _refusal(home.run())
    assert database.is_dir() or database.read_bytes() == content


def _refusal(daemon: Process) -> str:
    """Return what a daemon that ended with 1 said, which is one entry of the journal and nothing else."""
    assert daemon.wait() == 1
    [line] = daemon.lines
    entry = json.loads(line)
    assert entry["CHARGERD_EVENT"] == "store.unusable"
    assert entry["PRIORITY"] == 3
    return str(entry["MESSAGE"])
