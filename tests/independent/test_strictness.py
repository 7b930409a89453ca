"""The independent client notices what is wrong: else its silence in a night would prove nothing."""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from tests.independent.independent_client import arguments, needs_node
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

pytestmark = needs_node

CLOCK = "2026-01-14T22:45:00Z@1@1"
PATIENCE_S = 20.0
BOOT = {"currentTime": "2026-01-14T22:45:00Z", "interval": 300, "status": "Accepted"}
TRIGGER = {"requestedMessage": "StatusNotification"}
PERIOD = {"startPeriod": 0, "limit": 6.3}
SCHEDULE = {"chargingRateUnit": "A", "chargingSchedulePeriod": [PERIOD], "startSchedule": "2026-01-14T22:45:00Z"}
TRAITS = {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Absolute"}
PROFILE_16 = {"chargingProfileId": 1, **TRAITS, "chargingSchedule": SCHEDULE}
PROFILE_201 = {"id": 1, **TRAITS, "chargingSchedule": [{"id": 1, **SCHEDULE}]}


def limit_16(**changed: Any) -> list[Any]:
    schedule = SCHEDULE | {"chargingSchedulePeriod": [PERIOD | changed]}
    profile = PROFILE_16 | {"chargingSchedule": schedule}
    return [2, "a", "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}]


def limit_201(**changed: Any) -> list[Any]:
    return [2, "a", "SetChargingProfile", {"evseId": 1, "chargingProfile": PROFILE_201 | changed}]


def start(**payload: Any) -> list[Any]:
    return [2, "a", "RemoteStartTransaction", payload]


RIGHT = {
    "1.6": ([2, "a", "TriggerMessage", TRIGGER], limit_16(), start(idTag="x" * 20)),
    "2.0.1": ([2, "a", "TriggerMessage", TRIGGER], limit_201()),
}
WRONG_BOOTS = {
    "without a time": {"interval": 300, "status": "Accepted"},
    "with a time without a zone": BOOT | {"currentTime": "2026-01-14T22:45:00"},
    "with an interval as text": BOOT | {"interval": "300"},
    "with a status of its own": BOOT | {"status": "Fine"},
    "with more than there is": BOOT | {"vendor": "chargerd"},
}
WRONG_REQUESTS = {
    "1.6: a limit of two decimals": ("1.6", [limit_16(limit=6.35)]),
    "1.6: a limit as text": ("1.6", [limit_16(limit="6")]),
    "1.6: an id tag that is too long": ("1.6", [start(idTag="x" * 21)]),
    "1.6: a start without an id tag": ("1.6", [start(connectorId=1)]),
    "1.6: a trigger for nothing": ("1.6", [[2, "a", "TriggerMessage", {"requestedMessage": "Weather"}]]),
    "2.0.1: one schedule, not a list": ("2.0.1", [limit_201(chargingSchedule={"id": 1, **SCHEDULE})]),
    "2.0.1: a purpose of 1.6": ("2.0.1", [limit_201(chargingProfilePurpose="ChargePointMaxProfile")]),
    "2.0.1: a request of 1.6": ("2.0.1", [start(idTag="x")]),
    "an id that is too long": ("1.6", [[2, "a" * 37, "TriggerMessage", TRIGGER]]),
    "an answer to nobody": ("1.6", [[3, "a", {}]]),
    "no OCPP-J": ("1.6", ["hello"]),
}


@pytest.mark.parametrize("version", RIGHT)
async def test_what_is_right_passes(version: str) -> None:
    assert await played(version, requests=RIGHT[version]) == (0, None)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("answer", WRONG_BOOTS.values(), ids=WRONG_BOOTS.keys())
async def test_a_wrong_answer_ends_the_client_with_the_frame(answer: Mapping[str, Any], version: str) -> None:
    code, violation = await played(version, boot=answer)
    assert code == 1
    assert violation is not None
    assert "BootNotification" in violation["what"] or "RFC 3339" in violation["what"]
    assert violation["frame"]


async def test_an_error_for_an_answer_ends_the_client() -> None:
    code, violation = await played("1.6", boot=None)
    assert code == 1
    assert violation is not None
    assert "InternalError" in violation["what"]


@pytest.mark.parametrize(("version", "requests"), WRONG_REQUESTS.values(), ids=WRONG_REQUESTS.keys())
async def test_a_wrong_request_ends_the_client_with_the_frame(version: str, requests: list[Any]) -> None:
    code, violation = await played(version, requests=requests)
    assert code == 1
    assert violation is not None
    assert violation["frame"]


async def test_two_requests_at_once_end_the_client() -> None:
    both = [[2, message_id, "TriggerMessage", TRIGGER] for message_id in "ab"]
    assert (await played("1.6", requests=both)) == (0, None)
    code, violation = await played("1.6", requests=both, at_once=2)
    assert code == 1
    assert violation is not None
    assert "second CALL" in violation["what"]


async def played(
    version: str, *, boot: Mapping[str, Any] | None = BOOT, requests: Sequence[Any] = (), at_once: int = 1
) -> tuple[int, dict[str, Any] | None]:
    """Play a central system that answers the boot so and then sends these frames; return how the client ended.

    ``at_once`` is how many are sent together; the next ones follow when one was answered.
    """

    async def central(socket: ServerConnection) -> None:
        to_send = list(requests)
        is_greeted = False
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                frame = json.loads(message)
                if frame[0] == 2:
                    await socket.send(json.dumps(_answer(frame, boot)))
                    if frame[2] != "StatusNotification" or is_greeted:
                        continue
                    is_greeted = True
                together = to_send[:at_once]
                del to_send[:at_once]
                for sent in together:
                    await socket.send(json.dumps(sent))

    protocol = Subprotocol(f"ocpp{version}")
    async with serve(central, "127.0.0.1", 0, subprotocols=[protocol], compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        return await _run(arguments(f"ws://127.0.0.1:{port}/ocpp", version, CLOCK), expected=len(requests))


def _answer(frame: list[Any], boot: Mapping[str, Any] | None) -> list[Any]:
    if frame[2] != "BootNotification":
        return [3, frame[1], {}]
    return [4, frame[1], "InternalError", "", {}] if boot is None else [3, frame[1], boot]


async def _run(args: list[str], *, expected: int) -> tuple[int, dict[str, Any] | None]:
    """Run the client until it has been asked so often, then have it quit; one that finds a fault ends by itself."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*args, stdin=pipe, stdout=pipe)
    assert child.stdin is not None
    assert child.stdout is not None
    violation = None
    asked = 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for line in child.stdout:
                record = json.loads(line)
                asked += record["event"] == "asked"
                if record["event"] == "violation":
                    violation = record
                elif record["event"] == "asked" and asked == expected:
                    child.stdin.write(b'{"do":"quit"}\n')
            return await child.wait(), violation
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
