"""What the daemon records of a night, and that ``chargerd replay`` decides it the same, even after a kill -9."""

import json
from pathlib import Path
from typing import Any

import pytest
from house import Bay, chargerd, house

from chargerd.recording.files import read

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

GARAGE = Bay(id="garage", version="1.6", target=60, start_timeout_s=1800)
YARD = Bay(id="yard", version="2.0.1", target=60, start_timeout_s=1800)
SPEED = 600


def test_a_visit_in_which_the_daemon_is_killed_replays_identically(tmp_path: Path) -> None:
    recordings = tmp_path / "recording-rehearsal"

    def recorded(bay: Bay) -> bytes:
        return b"".join(line or b"" for path in recordings.glob(f"{bay.id}-*") for line in read(path))

    with house(tmp_path, GARAGE, YARD, speed=SPEED) as home:
        home.open()
        for simulator in home.simulators.values():
            simulator.do("plug")
        home.wait("charging is recorded", lambda: all(b'"charging.started"' in recorded(bay) for bay in home.bays))
        home.kill()
        home.start()
        home.wait_online()
        for simulator in home.simulators.values():
            simulator.do("unplug")
        settled = {bay.id: home.wait_settled(bay) for bay in home.bays}
        assert home.stop() == 0
    for bay in home.bays:
        events = [event for path in sorted(recordings.glob(f"{bay.id}-*")) for event in _replayed(path)]
        assert [event["event"]["kind"] for event in events].count("configured") == 2, "before the kill and after it"
        commands = [command for event in events for command in event["commands"]]
        assert {"start_transaction", "set_current_limit"} <= {command["kind"] for command in commands}
        assert settled[bay.id] in [command["document"] for command in commands if command["kind"] == "store_settled"]


def _replayed(path: Path) -> list[Any]:
    """Return what ``chargerd replay`` tells of a file, all of it as it was recorded."""
    ran = chargerd("replay", str(path), "--json")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("\n") == 1, "nothing was passed over"
    assert ran.stderr.endswith(": decisions identical to the recorded ones\n")
    return [json.loads(line) for line in ran.stdout.splitlines()]
