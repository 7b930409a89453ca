"""Lost connections, nonsense on the OCPP port, and strangers: told in the journal, and nobody else is disturbed."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import VERSIONS, Bay, House, check_energy, check_inside_blocks, house, seconds_between
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import ClientConnection, connect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SPEED = 120
DROPPING = tuple(
    Bay(id=f"bay{version[0]}", version=version, level=35, target=37, start_timeout_s=1800,
        simulator=("--fault", "drop-socket=200", "--away", "150"))
    for version in VERSIONS
)  # fmt: skip


def test_a_cut_connection_in_a_transaction_costs_no_energy_and_starts_nothing_twice(tmp_path: Path) -> None:
    with house(tmp_path, *DROPPING, speed=SPEED) as home:
        home.open()
        for simulator in home.simulators.values():
            simulator.do("plug")
        for bay in DROPPING:
            home.simulators[bay.id].expect("offline")
            home.simulators[bay.id].expect("suspended", by="EVSE")
            home.simulators[bay.id].do("unplug")
        for bay in DROPPING:
            simulator = home.simulators[bay.id]
            document = home.wait_settled(bay)
            check_energy(document, simulator)
            check_inside_blocks(document, simulator)
            assert len(document["blocks"]) == 1
            assert len(simulator.all("transaction-started")) == 1
            assert len(home.logged("transaction.started", charger=bay.id)) == 1
            assert len(home.logged("charger.offline", charger=bay.id)) == 1
            assert len(home.logged("charger.online", charger=bay.id)) == 2
            assert home.errors_shown(bay) == []


GARAGE = Bay(id="garage", version="1.6", level=35, target=38, start_timeout_s=1800)
EMPTY = Bay(id="empty", version="1.6")


def test_nonsense_on_the_ocpp_port_is_told_and_disturbs_no_other_charger(tmp_path: Path) -> None:
    (tmp_path / "quiet").mkdir()
    (tmp_path / "loud").mkdir()
    with (
        house(tmp_path / "quiet", GARAGE, EMPTY, speed=SPEED) as quiet,
        house(tmp_path / "loud", GARAGE, EMPTY, speed=SPEED) as loud,
        contextlib.ExitStack() as connections,
    ):
        for home in (quiet, loud):
            home.simulate(GARAGE)
            home.start()
            home.wait_online()
            home.simulators[GARAGE.id].do("plug")
        for nuisance in NUISANCES:
            nuisance(loud, connections)
        assert len(loud.simulators[GARAGE.id].all("suspended")) == 0, "the nuisances came too late to disturb"
        documents = []
        for home in (quiet, loud):
            home.simulators[GARAGE.id].expect("suspended", by="EVSE")
            home.simulators[GARAGE.id].do("unplug")
            documents.append(home.wait_settled(GARAGE))
            check_energy(documents[-1], home.simulators[GARAGE.id])
            assert home.errors_shown(GARAGE) == []
            assert len(home.simulators[GARAGE.id].all("online")) == 1
        assert _shape(documents[0]) == _shape(documents[1])
        assert abs(_kwh(documents[0]) - _kwh(documents[1])) <= 0.5
        assert loud.session(EMPTY)["state"] == "UPCOMING"
        odd = [entry for entry in loud.log if entry["PRIORITY"] <= 4 and entry["CHARGERD_EVENT"] != "charger.offline"]
        others = [entry for entry in odd if not entry["CHARGERD_EVENT"].startswith("ocpp.")]
        mute = [(entry["CHARGERD_CHARGER"], entry.get("CHARGERD_ERROR")) for entry in others]
        assert set(mute) <= {(EMPTY.id, "MISSING_CAPABILITIES")}, "it never tells whether a car is there"
        assert [entry for entry in odd if entry["MESSAGE"].count(" ") < 3] == [], "these are no sentences"


def _shape(document: dict[str, Any]) -> tuple[Any, ...]:
    """What two nights on one plan have in common."""
    return (
        [block["type"] for block in document["blocks"]],
        document["statistics"]["aggregated"]["batteryFrom"],
        document["statistics"]["aggregated"]["batteryTo"],
        document["target"],
        document["outcome"],
        [round(seconds_between(block["startAt"], block["endAt"]) / 300) for block in document["blocks"]],
    )


def _kwh(document: dict[str, Any]) -> float:
    return float(document["statistics"]["aggregated"]["kwhSum"])


@pytest.mark.parametrize("first", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET /ocpp/BOX-empty HTTP/1.1\r\nHost: h\r\n\r\n"],
                         ids=["TLS", "no upgrade"])  # fmt: skip
def test_a_handshake_that_fails_is_told(tmp_path: Path, first: bytes) -> None:
    with house(tmp_path, EMPTY) as home:
        home.start()
        _say(home, first)
        home.wait("it is told", lambda: [e for e in home.log if e["CHARGERD_EVENT"] not in USUAL], patience_s=2)


USUAL = {"session.state", "session.target", "daemon.ready", "ocpp.listening"}


# The nuisances: each waits until its kind is in the journal, where it gets there.


def _garbage(home: House, connections: contextlib.ExitStack) -> None:
    caller = connections.enter_context(_calling(home, EMPTY.identity, "ocpp1.6"))
    caller.send("garbage {")
    caller.send(b"\x00\xff\xfe")
    caller.send("[2,[],{}]")
    home.wait_logged("ocpp.broken_frame", charger=EMPTY.id)


def _huge(home: House, connections: contextlib.ExitStack) -> None:
    known = len(home.logged("ocpp.broken_frame"))
    caller = connections.enter_context(_calling(home, EMPTY.identity, "ocpp1.6"))
    caller.send("x" * 200_000)
    caller.send('[2,"1","Heartbeat",{"padding":"' + "y" * 200_000 + '"}]')
    told = home.wait("the huge frame is told", lambda: home.logged("ocpp.broken_frame")[known:])[0]
    assert len(str(told)) < 2000
    assert '"currentTime"' in _answer(caller)


def _unknown(home: House, connections: contextlib.ExitStack) -> None:
    caller = connections.enter_context(_calling(home, "NEIGHBOUR", "ocpp1.6"))
    caller.send("garbage {")
    caller.send('[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]')
    assert '"Pending"' in _answer(caller)
    told = home.wait_logged("ocpp.unknown_pending")
    assert "NEIGHBOUR" in str(told)
    assert "chargerd adopt NEIGHBOUR" in str(told)


def _wrong_version(home: House, _connections: contextlib.ExitStack) -> None:
    with pytest.raises(InvalidHandshake), _calling(home, EMPTY.identity, "ocpp1.5"):
        pass
    told = str(home.wait_logged("ocpp.subprotocol_refused"))
    assert "ocpp1.5" in told
    assert "ocpp1.6" in told


def _http(home: House, _connections: contextlib.ExitStack) -> None:
    request = f"GET /ocpp/{EMPTY.identity} HTTP/1.1\r\nHost: there\r\n\r\n".encode()
    for nonsense in (request, b"POST / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\r\n" * 3000):
        _say(home, nonsense)


def _say(home: House, nonsense: bytes) -> None:
    """Send bytes to the OCPP port, and listen until it hangs up."""
    with socket.create_connection(("127.0.0.1", home.ocpp_port), timeout=30) as caller:
        caller.sendall(nonsense)
        caller.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while caller.recv(4096):
                pass


def _half_open(home: House, connections: contextlib.ExitStack) -> None:
    for start in (b"", b"GET /ocpp/", b"GET /ocpp/BOX-empty HTTP/1.1\r\nUpgrade: websocket\r\n"):
        caller = connections.enter_context(socket.create_connection(("127.0.0.1", home.ocpp_port)))
        caller.sendall(start)


NUISANCES: tuple[Callable[[House, contextlib.ExitStack], None], ...] = (
    _half_open,
    _garbage,
    _huge,
    _unknown,
    _wrong_version,
    _http,
)


@contextlib.contextmanager
def _calling(home: House, identity: str, version: str) -> Iterator[ClientConnection]:
    url = f"ws://127.0.0.1:{home.ocpp_port}/ocpp/{identity}"
    with connect(url, subprotocols=[version], compression=None, proxy=None, close_timeout=1) as caller:  # type: ignore[list-item]
        yield caller


def _answer(caller: ClientConnection) -> str:
    """Return the answer to the call with id 1, past what the daemon asks of its own."""
    while True:
        frame = caller.recv(timeout=30)
        if isinstance(frame, str) and frame.startswith('[3,"1"'):
            return frame
