"""The OCPP driver: all chargers that speak OCPP 1.6J or 2.0.1, on one listener."""

import asyncio
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import quote

import structlog
from websockets.asyncio.server import ServerConnection

from chargerd.contract import (
    ChargerAnswer,
    ChargerCommand,
    ChargerId,
    ChargerOffline,
    Clock,
    ConfigError,
    Document,
    DriverSpec,
    Event,
    Memory,
    NotBegun,
    OperatorAnswer,
    OperatorRequest,
    OperatorSide,
    SecurityRequest,
    Sink,
    Unreachable,
)
from chargerd_drivers.ocpp.budget import Budget
from chargerd_drivers.ocpp.config import OcppCharger, OcppSection, faults
from chargerd_drivers.ocpp.dialect import Dialect
from chargerd_drivers.ocpp.entry import Proof, entered
from chargerd_drivers.ocpp.fields import stamp
from chargerd_drivers.ocpp.guide import Guide
from chargerd_drivers.ocpp.identity import canonical
from chargerd_drivers.ocpp.lessons import Lessons, Library
from chargerd_drivers.ocpp.link import Link
from chargerd_drivers.ocpp.passwords import Passwords
from chargerd_drivers.ocpp.quirks import presets, section_faults
from chargerd_drivers.ocpp.readiness import Surroundings
from chargerd_drivers.ocpp.server import Listener, Ports, Stranger
from chargerd_drivers.ocpp.station import Authority, Station
from chargerd_drivers.ocpp.tls import Tls

_log = structlog.get_logger("chargerd.ocpp")

_REPLACED = "replaced by a newer connection"


class OcppDriver:
    """See ``chargerd.contract.Driver``. Entering the context reads passwords and memory; ``run`` opens the port."""

    def __init__(
        self, section: OcppSection, chargers: Mapping[ChargerId, OcppCharger], clock: Clock, memory: Memory
    ) -> None:
        self._section = section
        self._clock = clock
        self._library = library = Library(memory)
        self._stations = {
            options.identity: Station(
                charger_id=charger_id,
                options=options,
                lessons=Lessons(charger_id, library),
                budget=Budget(section.messages_per_s),
            )
            for charger_id, options in chargers.items()
        }
        if len({canonical(identity) for identity in self._stations}) != len(chargers):
            msg = "charger.identity: two OCPP chargers have the same identity (case does not tell them apart)"
            raise ConfigError((msg,))
        self._links: dict[ChargerId, Link] = {}
        self._listener = Listener(section, self._stations, clock, self._serve)
        self._outlet: _Outlet | None = None
        self._ports: asyncio.Future[Ports] | None = None
        self._tls: Tls | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._guides = {
            station.charger_id: Guide(
                station, library=library, clock=clock, link=partial(self._links.get, station.charger_id)
            )
            for station in self._stations.values()
        }

    async def __aenter__(self) -> Self:
        """Read files of quirks and passwords, and recall what was learned. Raises ConfigError for a faulty file."""
        self._library.preset = presets(self._section.quirks_file)
        signer = _signer(self._section)
        for station in self._stations.values():
            station.signer = signer
            station.passwords = _passwords(station, self._section)
            await station.lessons.open()
            await self._guides[station.charger_id].open()
        self._tls = None if self._section.listen_tls is None else Tls(self._section)
        self._ports = asyncio.get_running_loop().create_future()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to be closed: ``run`` closes what it opened."""
        if self._ports is not None:
            self._ports.cancel()

    @property
    def known(self) -> tuple[Stranger, ...]:
        """Chargers that knocked, are not configured, and are held Pending."""
        return self._listener.known

    def pending(self) -> tuple[Document, ...]:
        """See ``chargerd.contract.OperatorSide``."""
        return tuple(
            {
                "identity": one.identity,
                "driver": SPEC.kind,
                "address": one.address,
                "protocol": one.protocol,
                "vendor": one.vendor or None,
                "model": one.model or None,
                "seenAt": stamp(one.seen_at),
            }
            for one in self.known
        )

    async def ports(self) -> Ports:
        """Wait until the driver listens, and return the bound TCP ports."""
        assert self._ports is not None, "enter the driver first"
        return await asyncio.shield(self._ports)

    async def run(self, sink: Sink) -> None:
        """Serve until cancelled. Raises DriverError when a port cannot be opened."""
        assert self._ports is not None, "enter the driver first"
        outlet = self._outlet = _Outlet(sink)
        async with self._listener.listening(self._tls) as ports, asyncio.TaskGroup() as tasks:
            try:
                self._tasks = tasks
                self._guide(Surroundings(section=self._section, port=ports.plain, port_tls=ports.tls, tls=self._tls))
                if not self._ports.done():
                    self._ports.set_result(ports)
                await asyncio.get_running_loop().create_future()
            finally:
                outlet.is_open, self._tasks = False, None

    def _guide(self, around: Surroundings) -> None:
        """Let security be raised, and go on with what a restart cut off."""
        assert self._tasks is not None, "running"
        for guide in self._guides.values():
            guide.around = around
            if guide.is_interrupted:
                self._tasks.create_task(guide.run())

    async def execute(self, command: ChargerCommand) -> None:
        """Return when the charger accepted. Raises Refused or Unreachable."""
        link = self._links.get(command.charger_id)
        if link is None:
            msg = f"{command.charger_id}: not connected"
            raise Unreachable(msg)
        await link.execute(command)

    @property
    def operator(self) -> OperatorSide:
        """OCPP has requests for every purpose."""
        return self

    async def ask(self, request: OperatorRequest) -> OperatorAnswer:
        """See ``chargerd.contract.OperatorSide``."""
        link = self._links.get(request.charger_id)
        if link is None:
            msg = f"{request.charger_id}: not connected"
            raise Unreachable(msg)
        return await link.operate(request)

    def told(self, charger_id: ChargerId) -> Document:
        """See ``chargerd.contract.OperatorSide``."""
        return dict(self._station(charger_id).hearsay.facts)

    def overview(self, charger_id: ChargerId) -> Document:
        """See ``chargerd.contract.OperatorSide``."""
        link = self._links.get(charger_id)
        actions = None if link is None else list(link.actions)
        return {"actions": actions, "messages": list(self._station(charger_id).hearsay.messages)}

    def _station(self, charger_id: ChargerId) -> Station:
        return next(station for station in self._stations.values() if station.charger_id == charger_id)

    async def secure(self, request: SecurityRequest) -> NotBegun | None:
        """See ``chargerd.contract.OperatorSide``."""
        if self._tasks is None:
            return NotBegun("chargers are not served right now")
        guide = self._guides[request.charger_id]
        withheld = await guide.begin(request)
        if withheld is None:
            self._tasks.create_task(guide.run())
        return withheld

    def security(self, charger_id: ChargerId) -> Document:
        """See ``chargerd.contract.OperatorSide``."""
        return self._guides[charger_id].document

    async def answer(self, answer: ChargerAnswer) -> None:
        """Give a waiting charger its answer; one that is gone is no error."""
        link = self._links.get(answer.charger_id)
        if link is not None:
            link.answer(answer)

    async def _serve(self, station: Station, socket: ServerConnection, dialect: Dialect) -> None:
        """Serve one connection. The newest of a charger wins: half-open old ones last for minutes."""
        outlet = self._outlet
        if outlet is None:
            return
        charger_id = station.charger_id
        station.entry = entered(socket, identity=station.options.identity, passwords=station.passwords)
        self._promote(station)
        link = Link(station, socket, dialect, section=self._section, clock=self._clock)
        old = self._links.get(charger_id)
        self._links[charger_id] = link
        if old is not None:
            old.retire(_REPLACED)
            await _tell_offline(outlet, old, _REPLACED)
        station.news.set()
        reason = "connection dropped"
        try:
            reason = await link.run(outlet)
        finally:
            _log.debug("ocpp.offline", charger=charger_id, reason=reason)
            if self._links.get(charger_id) is link:
                del self._links[charger_id]
                station.news.set()
                await _tell_offline(outlet, link, reason)

    def _promote(self, station: Station) -> None:
        """A charger came in with its new password: the old one is good no more."""
        if station.entry is None or station.entry.proof is not Proof.NEW_PASSWORD:
            return
        name = station.charger_id
        try:
            station.passwords.promote()
        except OSError as error:
            words = f"{name} came in with its new password; the old one stays good, for {error.filename} is not written"
            _log.error("ocpp.password_not_kept", message=f"{words}: {error.strerror}", charger=name)
        else:
            words = f"{name} came in with its new password, which alone is good from now on"
            _log.info("ocpp.password_changed", message=words, charger=name)


class _Outlet:
    """The sink, until the driver stops: then nobody may be left to empty it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.is_open = True

    async def put(self, event: Event) -> None:
        if self.is_open:
            await self._sink.put(event)


async def _tell_offline(outlet: _Outlet, link: Link, reason: str) -> None:
    if link.is_online:
        await outlet.put(ChargerOffline(charger_id=link.station.charger_id, reason=reason))


def _passwords(station: Station, section: OcppSection) -> Passwords:
    """Read what opens to a charger. Raises ConfigError."""
    path, name = station.options.password_file, station.charger_id
    if path is None and section.password_folder is not None:
        path = section.password_folder / f"{quote(name, safe='')}.password"
    passwords = Passwords(path)
    try:
        passwords.open(must_exist=station.options.password_file is not None)
    except ConfigError as error:
        raise ConfigError(tuple(f"charger {name}: password_file: {one}" for one in error.problems)) from error
    profile = station.options.profile(section)
    if profile in {1, 2} and passwords.current is None:
        msg = f"charger {name}: security_profile {profile} asks for a password, and {path} is not there"
        raise ConfigError((f"{msg}; without it first: chargerd secure {name} --profile {profile}",))
    return passwords


def _signer(section: OcppSection) -> Authority | None:
    """Return who signs certificates; None where nobody may. Raises ConfigError."""
    if section.tls_ca_key_file is None or section.tls_client_ca_file is None:
        return None
    try:
        from chargerd_drivers.ocpp.certificates import Signer  # noqa: PLC0415  # the daemon's machine may lack it
    except ImportError as error:
        msg = "ocpp.tls_ca_key_file: signing needs the package cryptography, as pip install 'chargerd[ca]' brings it"
        raise ConfigError((msg,)) from error
    signer = Signer(section.tls_client_ca_file, section.tls_ca_key_file)
    try:
        signer.check()
    except ValueError as error:
        msg = f"ocpp.tls_ca_key_file: {error}"
        raise ConfigError((msg,)) from error
    return signer


SPEC = DriverSpec(
    kind="ocpp",
    section_type=OcppSection,
    charger_type=OcppCharger,
    create=OcppDriver,
    faults=faults,
    section_faults=section_faults,
)
