"""A house for end-to-end tests: the real daemon and real simulated chargers as processes, on one accelerated clock.

Nothing here sleeps: threads read what the processes write and what the API streams, and ``House.wait`` looks again
whenever one of them has news.
"""

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from chargerd.api.invariants import check, check_ledger, check_series
from chargerd.clock import ScaledClock, SystemClock, parse_clock

CHARGERD = str(Path(sys.executable).with_name("chargerd"))
PATIENCE_S = 40.0
"""Real seconds that a condition may take on a machine that is busy with other things."""
LOOK_AGAIN_S = 0.05
STOP_PATIENCE_S = 20.0
VERSIONS = ("1.6", "2.0.1")
SAMPLE_S = 60
"""Simulated seconds between two samples of a charger."""

FLAT = 'kind = "fixed"\nprice_per_kwh = 0.30'
CHEAP_NIGHT = (
    'kind = "time-of-use"\ndefault_price_per_kwh = 0.35\n'
    'window = [{ from = "00:00", to = "05:00", price_per_kwh = 0.20 }]'
)

Json = Any
T = TypeVar("T")


def at(text: str) -> datetime:
    """Read an RFC 3339 time."""
    return datetime.fromisoformat(text)


def seconds_between(earlier: str, later: str) -> float:
    return (at(later) - at(earlier)).total_seconds()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chargerd(*args: str, timeout_s: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    args_given = [CHARGERD, *args]
    return subprocess.run(args_given, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)


@dataclass(frozen=True, kw_only=True)
class Bay:
    """One charger with its car and its policy, as configured. Levels in percent; ``ready_by`` is UTC wall time."""

    id: str
    version: str = "1.6"
    level: int = 35
    assumed: int | None = None
    """The level that the policy assumes; None: the real one."""
    target: int = 60
    ready_by: str = "07:00"
    reserve: int = 0
    battery_kwh: float = 60.0
    tells_level: bool = False
    """The charger tells the car's level; else the daemon has to go by the policy's assumption."""
    start_timeout_s: int = 180
    stop_timeout_s: int = 120
    simulator: tuple[str, ...] = ()
    """More arguments of the simulator."""

    @property
    def identity(self) -> str:
        return f"BOX-{self.id}"

    @property
    def policy(self) -> str:
        """A UUID that spells the name."""
        return f"00000000-0000-4000-8000-{self.id.encode().hex():0>12.12}"

    @property
    def toml(self) -> str:
        source = "charger" if self.tells_level else "manual"
        return f"""
[[charger]]
id = "{self.id}"
driver = "ocpp"
identity = "{self.identity}"
start_timeout_s = {self.start_timeout_s}
stop_timeout_s = {self.stop_timeout_s}
[[vehicle]]
id = "car-{self.id}"
battery_kwh = {self.battery_kwh}
charge_max_kw = 11
efficiency = 0.92
level = {{ source = "{source}" }}
[[policy]]
id = "{self.policy}"
vehicle = "car-{self.id}"
charger = "{self.id}"
battery_reserve = {self.reserve}
assumed_battery_level_at_plug_in = {self.level if self.assumed is None else self.assumed}
schedule = {{ default = {{ ready_by = "{self.ready_by}", minimum_charge_target = {self.target} }} }}
"""


class Process:
    """A child whose output is read line by line as it comes. ``records`` are the lines that were JSON."""

    def __init__(self, args: list[str], name: str, news: threading.Condition) -> None:
        self.name = name
        self.lines: list[str] = []
        self.records: list[Json] = []
        self._news = news
        self._child = subprocess.Popen(
            args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self._child.stdout, self._child.stderr)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def ended(self) -> bool:
        return self._child.poll() is not None

    @property
    def pid(self) -> int:
        return self._child.pid

    def _read(self, stream: Any) -> None:
        for line in stream:
            with contextlib.suppress(ValueError):
                self.records.append(json.loads(line))
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()

    def tell(self, line: Json) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(line) + "\n")
        self._child.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    def wait(self, timeout_s: float = STOP_PATIENCE_S) -> int:
        """Wait for the end of the process and of its output."""
        code = self._child.wait(timeout_s)
        for reader in self._readers:
            reader.join(timeout_s)
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        return code

    def end(self) -> None:
        """End it for certain, whatever it does."""
        if not self.ended:
            self._child.terminate()
        try:
            self.wait(STOP_PATIENCE_S / 2)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self.wait()

    def tail(self, count: int) -> str:
        return "\n".join([f"--- {self.name}", *(line[:400] for line in self.lines[-count:])])


class Simulator:
    """A simulated charger with its car. ``events`` are its JSON lines, oldest first."""

    def __init__(self, process: Process, house: "House", bay: Bay) -> None:
        self.process = process
        self.bay = bay
        self._house = house

    @property
    def events(self) -> list[Json]:
        return list(self.process.records)

    def all(self, *names: str) -> list[Json]:
        return [event for event in self.events if event["event"] in names]

    def do(self, deed: str, **more: Json) -> None:
        """Plug, unplug, switch a fault ... at the charger, now or ``at`` a time."""
        self.process.tell({"do": deed, **more})

    def expect(self, name: str, *, after: int = 0, **members: Json) -> Json:
        """Wait for an event with these members, beyond the first ``after`` ones of its name, and return it."""

        def found() -> Json | None:
            fitting = [event for event in self.all(name) if members.items() <= event.items()]
            return fitting[after] if len(fitting) > after else None

        return self._house.wait(f"{self.bay.id}: event {name} {members or ''}", found)

    def report(self) -> Json:
        """Return how things stand at the charger now."""
        known = len(self.all("report"))
        self.do("report")
        return self.expect("report", after=known)


class Watcher:
    """Follows the API's event stream. ``changes`` are (topic, document), oldest first."""

    def __init__(self, port: int, news: threading.Condition) -> None:
        self.changes: list[tuple[str, Json]] = []
        self._news = news
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._connection.request("GET", "/v1/events")
        self._response = self._connection.getresponse()
        assert self._response.status == 200
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether the daemon ended the stream."""
        return not self._thread.is_alive()

    def _read(self) -> None:
        topic = ""
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            for raw in self._response:
                name, _, value = raw.decode().rstrip("\n").partition(": ")
                if name == "event":
                    topic = value
                elif name == "data":
                    with self._news:
                        self.changes.append((topic, json.loads(value)["document"]))
                        self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def close(self) -> None:
        if not self.over and self._connection.sock is not None:
            with contextlib.suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(STOP_PATIENCE_S)
        self._response.close()
        self._connection.close()


class House:
    """Everything of one test. Made by ``house``, which also cleans up."""

    def __init__(self, folder: Path, *, clock: ScaledClock, bays: tuple[Bay, ...], tariff: str) -> None:
        self.clock = clock
        self.bays = bays
        self.config = folder / "chargerd.toml"
        self.http_port = free_port()
        self.ocpp_port = free_port()
        self.simulators: dict[str, Simulator] = {}
        self.watchers: list[Watcher] = []
        self._news = threading.Condition()
        self._daemons: list[Process] = []
        self._processes: list[Process] = []
        self.config.write_text(self.toml(tariff))

    def toml(self, tariff: str, *, bays: tuple[Bay, ...] = ()) -> str:
        """Spell the configuration, with these bays in place of the house's own."""
        head = f"""[site]
timezone = "UTC"
[ocpp]
listen = "127.0.0.1:{self.ocpp_port}"
[http]
listen = "127.0.0.1:{self.http_port}"
[store]
url = "sqlite://{self.config.parent / "chargerd.db"}"
[tariff]
{tariff}
"""
        return head + "".join(bay.toml for bay in bays or self.bays)

    # Processes

    @property
    def daemon(self) -> Process:
        return self._daemons[-1]

    @property
    def log(self) -> list[Json]:
        """The journal of all runs of the daemon so far, oldest first."""
        return [entry for daemon in self._daemons for entry in daemon.records]

    def logged(self, event: str, **fields: Json) -> list[Json]:
        """Return the entries of a kind; fields without their prefix, as ``charger="garage"``."""
        wanted = {"CHARGERD_EVENT": event} | {f"CHARGERD_{key.upper()}": value for key, value in fields.items()}
        return [entry for entry in self.log if wanted.items() <= entry.items()]

    def wait_logged(self, event: str, **fields: Json) -> Json:
        """Wait for an entry; a document may be seen a moment before what is told of it."""
        return self.wait(f"{event} {fields} is told", lambda: self.logged(event, **fields))[0]

    def run(self, config: Path | None = None) -> Process:
        """Start a daemon and return at once."""
        args = [CHARGERD, "run", "--config", str(config or self.config), "--clock", self.clock.spelling]
        return self.spawn(args, f"daemon {len(self._processes) + 1}")

    def spawn(self, args: list[str], name: str) -> Process:
        """Start any process; it ends with the house."""
        process = Process(args, name, self._news)
        self._processes.append(process)
        return process

    def start(self) -> None:
        """Start the daemon, wait until it serves chargers and API, and follow its stream."""
        daemon = self.run()
        self._daemons.append(daemon)

        def serves() -> bool:
            assert not daemon.ended, "the daemon ended while it started"
            told = {entry["CHARGERD_EVENT"] for entry in daemon.records}
            return {"daemon.ready", "ocpp.listening"} <= told

        self.wait("the daemon serves", serves)
        self.watch()

    def watch(self) -> Watcher:
        watcher = Watcher(self.http_port, self._news)
        self.watchers.append(watcher)
        return watcher

    def stop(self, within_s: float = STOP_PATIENCE_S) -> int:
        """Stop the daemon as systemd does; return its exit code."""
        self.daemon.signal(signal.SIGTERM)
        return self.daemon.wait(within_s)

    def kill(self) -> None:
        """Let the daemon die without a word."""
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()

    def simulate(self, bay: Bay, *more: str) -> Simulator:
        """Start the charger of a bay and return at once."""
        args = [CHARGERD, "simulate", "charge-point", "--url", f"ws://127.0.0.1:{self.ocpp_port}/ocpp"]
        args += ["--identity", bay.identity, "--version", bay.version, "--level", str(bay.level)]
        args += ["--battery-kwh", str(bay.battery_kwh), "--clock", self.clock.spelling, *bay.simulator, *more]
        args += ["--report-soc"] if bay.tells_level else []
        self.simulators[bay.id] = Simulator(self.spawn(args, f"simulator {bay.id}"), self, bay)
        return self.simulators[bay.id]

    def open(self) -> None:
        """Start everything and wait until every charger is there."""
        for bay in self.bays:
            self.simulate(bay)
        self.start()
        self.wait_online()

    def wait_online(self) -> None:
        """Wait until every charger is connected and has told how things stand."""

        def there() -> bool:
            shown = [self.charger(bay) for bay in self.bays if bay.id in self.simulators]
            return all(charger["isOnline"] and charger["isPluggedIn"] is not None for charger in shown)

        self.wait("all chargers are there", there)

    def clean(self) -> None:
        """End every process and every thread."""
        for watcher in self.watchers:
            watcher.close()
        for process in self._processes:
            process.end()

    def check_quiet(self) -> None:
        """Nobody broke the protocol, and nobody stumbled over a fault of ours."""
        for simulator in self.simulators.values():
            assert simulator.all("schema-violation") == []
            assert [line for line in simulator.process.lines if "Traceback" in line] == []
        for daemon in self._daemons:
            assert len(daemon.records) == len(daemon.lines), f"not only entries: {daemon.lines}"
        assert [entry for entry in self.log if "CHARGERD_TRACEBACK" in entry] == []
        assert self.logged("library.log") == []

    def story(self) -> str:
        """Return what the processes said last."""
        return "\n".join(process.tail(60) for process in self._processes)

    # Waiting

    def wait(self, what: str, condition: Callable[[], T | None], patience_s: float = PATIENCE_S) -> T:
        """Look again and again until a condition holds, and return what it returned."""
        clock = SystemClock()
        until = clock.monotonic() + patience_s
        while not (found := condition()):
            assert clock.monotonic() < until, f"not within {patience_s:g} s: {what}"
            with self._news:
                self._news.wait(LOOK_AGAIN_S)
        return found

    def wait_session(self, bay: Bay, what: str, holds: Callable[[Json], bool]) -> Json:
        """Wait until the current document of a policy is as wanted; return it."""
        seen: Json = None

        def look() -> Json | None:
            nonlocal seen
            seen = self.session(bay)
            return seen if holds(seen) else None

        try:
            return self.wait(f"{bay.id}: {what}", look)
        except AssertionError as error:
            error.add_note(f"the document then: {json.dumps(seen)}")
            raise

    def now(self) -> str:
        return self.clock.now().isoformat().replace("+00:00", "Z")

    # The API

    def ask(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=PATIENCE_S)
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Json:
        status, answer = self.ask("GET", path)
        assert status == 200, f"GET {path}: {status} {answer}"
        return answer

    def charger(self, bay: Bay) -> Json:
        return self.get(f"/v1/chargers/{bay.id}")

    def session(self, bay: Bay) -> Json:
        """Return the current document, having checked that it is a sound one."""
        document = self.get(f"/v1/policies/{bay.policy}/session")
        broken = (*check(document), *check_series(document, now=self.clock.now()))
        assert not broken, f"{broken}: {json.dumps(document)}"
        return document

    def put_target(self, bay: Bay, **target: Json) -> Json:
        status, answer = self.ask("PUT", f"/v1/policies/{bay.policy}/session/target", target)
        assert status == 200, f"{status} {answer}"
        return answer

    def delete_target(self, bay: Bay) -> Json:
        status, answer = self.ask("DELETE", f"/v1/policies/{bay.policy}/session/target")
        assert status == 200, f"{status} {answer}"
        return answer

    def settled(self, bay: Bay) -> list[Json]:
        return self.get(f"/v1/sessions?policyId={bay.policy}")["data"]

    def wait_settled(self, bay: Bay) -> Json:
        """Wait for the one settled document of a policy; return it, having checked it and its ledger."""
        [document] = self.wait(f"{bay.id}: the session settles", lambda: self.settled(bay))
        ledger = self.get(f"/v1/sessions/{document['id']}/ledger")["data"]
        broken = (*check(document), *check_series(document), *check_ledger(document, ledger))
        assert not broken, f"{broken}: {json.dumps(document)}"
        return document

    def shown(self, bay: Bay) -> list[Json]:
        """Return every document of a policy's current session that was streamed, oldest first."""
        return [
            document
            for watcher in self.watchers
            for topic, document in list(watcher.changes)
            if topic == "session" and document["policyId"] == bay.policy
        ]

    def errors_shown(self, bay: Bay) -> list[str]:
        """Return every error that a resident could have seen, in the stream or in the journal, in order."""
        streamed = [document["error"]["latest"] for document in self.shown(bay)]
        logged = [entry["MESSAGE"] for entry in self.logged("session.error", charger=bay.id)]
        return [*logged, *(error["type"] for error in streamed if error is not None)]


@contextmanager
def house(
    folder: Path, *bays: Bay, start: str = "2026-01-14T18:00:00Z", speed: float = 120, tariff: str = FLAT
) -> Iterator[House]:
    """A house on an accelerated clock; nothing runs in it yet. Cleans up, and tells what was said when a test fails."""
    clock = parse_clock(f"{start}@{speed:g}")
    assert isinstance(clock, ScaledClock)
    home = House(folder, clock=clock, bays=bays, tariff=tariff)
    try:
        try:
            yield home
        finally:
            home.clean()
    except BaseException as error:
        error.add_note(f"it was {home.now()}\n{home.story()}")
        raise
    home.check_quiet()


def charged_in(simulator: Simulator) -> list[tuple[str, str]]:
    """Return when the simulator's meter ran, by its own account: (start, end) of each stretch of power."""
    stretches: list[tuple[str, str]] = []
    began: Json = None
    for event in simulator.events:
        if event["event"] == "charging":
            began = event
        elif began is not None and event["event"] in {"suspended", "transaction-ended", "unplugged"}:
            if event["registerWh"] > began["registerWh"]:
                stretches.append((began["at"], event["at"]))
            began = None
    return stretches


def energy_wh(simulator: Simulator) -> int:
    """Return the energy of the visit by the charger's own register."""
    return int(simulator.expect("unplugged")["sessionWh"])


def check_energy(document: Json, simulator: Simulator) -> None:
    """The document tells what the register counted."""
    wh = energy_wh(simulator)
    assert abs(document["statistics"]["aggregated"]["kwhSum"] * 1000 - wh) <= max(wh * 0.01, 10), (document, wh)


def check_inside_blocks(document: Json, simulator: Simulator) -> None:
    """All power flowed inside blocks, give or take one sample."""
    for start, end in charged_in(simulator):
        inside = any(
            seconds_between(block["startAt"], start) >= -SAMPLE_S and seconds_between(end, block["endAt"]) >= -SAMPLE_S
            for block in document["blocks"]
        )
        assert inside, f"power from {start} to {end} is in no block of {document['blocks']}"
