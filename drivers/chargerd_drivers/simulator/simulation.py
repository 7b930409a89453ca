"""The station in time: what is due when, what comes in, what goes out."""

import asyncio
import heapq
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import NoReturn

from chargerd.contract import Clock
from chargerd_drivers.simulator.actions import Action
from chargerd_drivers.simulator.address import Address
from chargerd_drivers.simulator.credentials import Credentials
from chargerd_drivers.simulator.dialect import Dialect, Nameplate
from chargerd_drivers.simulator.journal import Journal
from chargerd_drivers.simulator.link import Link
from chargerd_drivers.simulator.occurrences import NetworkLost, StopReason
from chargerd_drivers.simulator.outbox import Answer, Message, Outbox, Payload
from chargerd_drivers.simulator.station import Station
from chargerd_drivers.simulator.v16 import Dialect16
from chargerd_drivers.simulator.v201 import Dialect201

log = logging.getLogger(__name__)

AWAY_S = 60.0
_FAREWELL_TIMEOUT_S = 3.0
_WAIT_MIN_S = 0.001


class Simulation:
    """One charger with its car, its connection and the people around it.

    Everything runs in one event loop and nothing here waits, so there is no state half changed: each entry lets
    all happen that was due before, acts, and passes on what came of it.
    """

    def __init__(
        self,
        *,
        station: Station,
        address: Address,
        nameplate: Nameplate,
        clock: Clock,
        write: Callable[[str], None] | None,
    ) -> None:
        self._station = station
        self._clock = clock
        self._journal = Journal(write)
        self._outbox = Outbox()
        self._dialect: Dialect = (Dialect16 if address.version == "1.6" else Dialect201)(station, nameplate, self)
        self.link = Link(address, clock=clock, outbox=self._outbox, settings=station.settings, peer=self)
        self._credentials = Credentials(address, station.settings, redial=self.link.redial, send=self.send)
        self._actions: list[tuple[datetime, int, Action]] = []
        self._order = count()
        self._heartbeat_due: datetime | None = None
        self._input_over = False
        self._wake = asyncio.Event()
        self.id_token: str | None = None
        self.away_s = AWAY_S
        self.done = asyncio.Event()

    # Time

    async def tick(self) -> NoReturn:
        """Wake at each instant at which something is due, and when something came in between."""
        while True:
            self._wake.clear()
            self._pump()
            due = self._next_due()
            wait_s = None
            if due is not None:
                wait_s = self._clock.real_seconds((due - self._clock.now()).total_seconds())
            with suppress(TimeoutError):
                async with asyncio.timeout(None if wait_s is None else max(wait_s, _WAIT_MIN_S)):
                    await self._wake.wait()

    def _next_due(self) -> datetime | None:
        instants = (
            self._station.next_due(),
            self._heartbeat_due,
            self._actions[0][0] if self._actions else None,
        )
        return min((at for at in instants if at is not None), default=None)

    def _pump(self) -> None:
        """Let everything happen that is due by now, in order of time."""
        now = self._clock.now()
        while (due := self._next_due()) is not None and due <= now:
            self._station.advance(due)
            self._drain()
            if self._actions and self._actions[0][0] <= due:
                _, _, action = heapq.heappop(self._actions)
                self._perform(action, due)
                self._drain()
            if self._heartbeat_due is not None and self._heartbeat_due <= due:
                self._dialect.heartbeat()
                self._plan_heartbeat(now)
        self._station.advance(now)
        self._drain()
        self._finish_if_idle()

    def _plan_heartbeat(self, now: datetime) -> None:
        interval_s = self._station.settings.count("HeartbeatInterval")
        self._heartbeat_due = now + timedelta(seconds=interval_s) if interval_s > 0 else None

    def _drain(self) -> None:
        for occurrence in self._station.drain():
            self._journal.occurrence(occurrence, self._station)
            self._dialect.tell(occurrence)
            if isinstance(occurrence, NetworkLost):
                log.warning("fault drop-socket: the connection is cut for %g s", self.away_s)
                self.link.drop(away_s=self.away_s)

    # People

    def schedule(self, action: Action) -> None:
        """Do something at its time, or now."""
        at = action.at or self._clock.now()
        heapq.heappush(self._actions, (at, next(self._order), action))
        self._wake.set()

    def end_input(self, *, stay: bool) -> None:
        """Finish when nothing is left to do, because nobody can ask for more; or ``stay``."""
        self._input_over = not stay
        self._wake.set()

    def _finish_if_idle(self) -> None:
        if self._input_over and not self._actions:
            self.done.set()

    def _perform(self, action: Action, at: datetime) -> None:
        station = self._station
        done = True
        match action.do:
            case "plug":
                done = not station.plugged
                station.plug(at, level_pct=action.level_pct)
            case "unplug":
                done = station.plugged
                station.unplug(at)
            case "start":
                done = self._press_start(at)
            case "stop":
                done = station.stop(at, StopReason.LOCAL)
            case "fault" if action.fault is not None:
                station.set_fault(at, action.fault, on=action.on)
            case "drop":
                self.link.drop(away_s=self.away_s if action.away_s is None else action.away_s)
            case "report":
                self._journal.report(station, online=self.online)
            case "quit":
                self.done.set()
        log.info("%s: %s", action.do, "done" if done else "nothing to do, as things stand")

    def _press_start(self, at: datetime) -> bool:
        """Press the button, or present the card if there is one."""
        id_token = self.id_token
        if id_token is None or not self.online:
            return self._station.authorise(at, id_token=id_token or "")
        if not self._station.can_start:
            return False

        def accepted() -> None:
            self._station.authorise(self._clock.now(), id_token=id_token)

        self._dialect.authorise(id_token, accepted)
        return True

    # Host of the dialect

    def now(self) -> datetime:
        """Return the time."""
        return self._clock.now()

    @property
    def online(self) -> bool:
        """Whether the central system can be reached and has accepted the station."""
        return self.link.online

    @property
    def transaction_messages_wait(self) -> bool:
        """Whether requests about transactions are still to be sent."""
        return self._outbox.has_lasting

    def send(self, message: Message) -> None:
        """Queue a request; while offline only those that last, or that the central system asked for."""
        if self.online or message.lasting or message.asked_for:
            self._outbox.put(message)

    def reboot(self, *, gently: bool) -> None:
        """Restart the station."""
        self.link.reboot(gently=gently)

    async def farewell(self) -> None:
        """Wait a moment until everything is sent."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_TIMEOUT_S):
                while self.online and len(self._outbox):
                    await self._outbox.change()

    # Peer of the link

    def boot(self) -> Message:
        """Return the BootNotification."""
        return self._dialect.boot()

    def answer(self, action: str, payload: Payload) -> Answer:
        """Act on a request. Raises CallRefused."""
        self._pump()
        try:
            answer = self._credentials.answer(action, payload)
            return self._dialect.answer(action, payload, self._clock.now()) if answer is None else answer
        finally:
            self.link.address = self._credentials.address
            self._drain()
            self._wake.set()

    def concluded(self, message: Message, result: Payload) -> None:
        """Act on an answer."""
        self._pump()
        message.on_result(result)
        self._drain()
        self._wake.set()

    def went_online(self) -> None:
        """Greet, after what waits to be told from before."""
        self._pump()
        self._journal.event("online", self._station.reading)
        self._dialect.greet()
        self._plan_heartbeat(self._clock.now())
        self._wake.set()

    def went_offline(self, reason: str) -> None:
        """Go on alone."""
        self._pump()
        self._station.went_offline(self._clock.now())
        self._drain()
        self._heartbeat_due = None
        self._journal.event("offline", self._station.reading, reason=reason)
        self._wake.set()

    def rebooted(self) -> None:
        """Start anew."""
        self._pump()
        self._station.reboot(self._clock.now())
        self._drain()
        self._dialect.rebooted()
        self._credentials.rebooted()
        self.link.address = self._credentials.address
        self._wake.set()

    def violated(self, *, by: str, action: str, fault: str) -> None:
        """Say loudly that somebody broke the protocol."""
        log.error("PROTOCOL VIOLATION by %s: %s: %s", by, action, fault)
        self._journal.event("schema-violation", self._station.reading, by=by, action=action, fault=fault)
