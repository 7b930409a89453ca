"""The WebSocket listener: who may come in, in which version, and what strangers are told."""

import asyncio
import contextlib
import math
import shlex
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from types import MappingProxyType
from uuid import uuid4

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from chargerd.contract import Clock, DriverError
from chargerd_drivers.ocpp import v16, v201
from chargerd_drivers.ocpp.budget import Budget
from chargerd_drivers.ocpp.config import OcppSection
from chargerd_drivers.ocpp.dialect import Dialect
from chargerd_drivers.ocpp.entry import authorization
from chargerd_drivers.ocpp.fields import obj, text
from chargerd_drivers.ocpp.frames import Call, encode_call, encode_fault, encode_result, parse
from chargerd_drivers.ocpp.identity import (
    SUBPROTOCOLS,
    candidates,
    canonical,
    chosen,
    complaint,
    find,
    offered_versions,
    printable,
)
from chargerd_drivers.ocpp.knock import Door, common_name, is_secured, peer_of
from chargerd_drivers.ocpp.logins import Logins
from chargerd_drivers.ocpp.station import Station
from chargerd_drivers.ocpp.tls import Tls, watch_expiry
from chargerd_drivers.ocpp.wire import known_action

_log = structlog.get_logger("chargerd.ocpp")

DIALECTS: Mapping[str, Dialect] = MappingProxyType({"1.6": v16, "2.0.1": v201})
_SPOKEN = "ocpp2.0.1, ocpp1.6"
_POLICY_VIOLATION = 1008
_CLOSE_TIMEOUT_S = 2.0
_OPEN_TIMEOUT_S = 20.0
_WAITING_MAX = 4
"""Frames of one connection that wait to be read; each may be as large as a message."""
_SHUTDOWN_TIMEOUT_S = 3.0
_PROBE_INTERVAL_S = 30.0
_STRANGERS_MAX = 32
_REPEAT_AFTER_S = 3600.0
_LOGGED_MAX = 256

Serve = Callable[[Station, ServerConnection, Dialect], Awaitable[None]]
"""Serves the connection of a configured charger until it ends."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """A charger that knocked and is not configured. ``address`` is where it called from, ``seen_at`` when it last did.

    ``vendor`` and ``model`` are what it said when it booted; "" when it did not.
    """

    identity: str
    address: str
    protocol: str
    seen_at: datetime
    vendor: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that are listened on; ``tls`` is None without TLS."""

    plain: int
    tls: int | None


class Listener:
    """Lets chargers in. ``stations`` are the configured ones, by identity."""

    def __init__(self, section: OcppSection, stations: Mapping[str, Station], clock: Clock, serve_link: Serve) -> None:
        self._section = section
        self._stations = stations
        self._clock = clock
        self._serve_link = serve_link
        self._strangers: OrderedDict[str, Stranger] = OrderedDict()
        self._strangers_connected = 0
        self._serving: set[asyncio.Task[None]] = set()
        self._logins = Logins()
        self._logged: OrderedDict[tuple[str, str], float] = OrderedDict()

    @property
    def known(self) -> tuple[Stranger, ...]:
        """Strangers that knocked and are held Pending, oldest first."""
        return tuple(self._strangers.values())

    @contextlib.asynccontextmanager
    async def listening(self, tls: Tls | None) -> AsyncIterator[Ports]:
        """Listen until the end of the block; yields the bound ports. Raises DriverError when one is not free."""
        async with _tasks() as tasks, contextlib.AsyncExitStack() as stack:
            door = Door(
                tell=self._tell_failed,
                interval_s=self._section.ping_interval_s or _PROBE_INTERVAL_S,
                spawn=tasks.create_task,
            )
            both = replace(door, tls=tls, is_for_both=True)
            port = await stack.enter_async_context(self._open(self._section.address, both))
            message = f"chargers are served on {self._section.listen}"
            _log.info("ocpp.listening", message=message, port=port)
            port_tls = None
            if tls is not None and self._section.address_tls is not None:
                opened = self._open(self._section.address_tls, replace(door, tls=tls))
                port_tls = await stack.enter_async_context(opened)
                message = f"chargers are served over TLS on {self._section.listen_tls}"
                _log.info("ocpp.listening_tls", message=message, port=port_tls, expires_at=str(tls.expires_at.date()))
                expiry = tasks.create_task(watch_expiry(tls, self._clock))
                stack.callback(expiry.cancel)
            yield Ports(port, port_tls)

    @contextlib.asynccontextmanager
    async def _open(self, address: tuple[str | None, int], door: Door) -> AsyncIterator[int]:
        host, port = address
        try:
            server = await serve(
                self._serve,
                host,
                port,
                process_request=self._admit,
                select_subprotocol=self._select,
                compression=None,
                max_size=self._section.message_bytes_max,
                max_queue=_WAITING_MAX,
                open_timeout=_OPEN_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
                ping_interval=None,
                server_header=None,
                create_connection=door.connection_type(),
            )
        except OSError as error:
            msg = f"ocpp: cannot listen on {host or '*'}:{port}: {error.strerror or error}"
            raise DriverError(msg) from error
        try:
            yield _port(server)
        finally:
            server.close()
            await self._closed(server)

    def _tell_failed(self, peer: str, what: str) -> None:
        self._warn("ocpp.handshake_failed", {"peer": peer, "identity": ""}, what)

    async def _closed(self, server: Server) -> None:
        """Wait for the connections to end; one that hangs in a full inbox is cut off."""
        try:
            async with asyncio.timeout(_SHUTDOWN_TIMEOUT_S):
                await server.wait_closed()
        except TimeoutError:
            for task in tuple(self._serving):
                task.cancel()
            await server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Decide on a handshake: None lets it in."""
        names = candidates(request.path, self._section.path)
        station = self._station(names)
        name = names[0] if names else ""
        caller = {
            "peer": peer_of(connection.transport),
            "identity": printable(name if station is None else station.options.identity),
            "path": request.path[:200],
        }
        offered = offered_versions(request.headers.get_all("Sec-WebSocket-Protocol"))
        if offered and chosen(offered) is None:
            offer = printable(",".join(offered))
            self._warn("ocpp.subprotocol_refused", caller, f"offers {offer}; spoken here: {_SPOKEN}")
            return connection.respond(HTTPStatus.BAD_REQUEST, f"Spoken here: {_SPOKEN}\n")
        if station is None:
            return self._admit_stranger(connection, caller)
        refusal = self._refusal(connection, request.headers, station, caller)
        if refusal is None:
            self._over(caller["identity"], caller["peer"])
        return refusal

    def _refusal(
        self, connection: ServerConnection, headers: Headers, station: Station, caller: dict[str, str]
    ) -> Response | None:
        """Hold a configured charger's log-in against its password; None when it is right or none is asked for."""
        identity, profile = station.options.identity, station.options.profile(self._section)
        name = common_name(connection)
        if name is not None and canonical(name) == canonical(identity):
            return None
        caller["charger"] = station.charger_id
        wanting = _wanting(profile, name, is_over_tls=is_secured(connection))
        if wanting is not None:
            self._refused(station, caller, "ocpp.profile_refused", wanting)
            return connection.respond(HTTPStatus.FORBIDDEN, f"Security profile {profile}: {wanting}\n")
        if station.passwords.current is None:
            return None
        now_s, who = asyncio.get_running_loop().time(), (caller["peer"], canonical(identity))
        wait_s = self._logins.wait_s(*who, now_s)
        if wait_s > 0:
            self._refused(station, caller, "ocpp.password_limited", "gave too many wrong passwords and has to wait")
            response = connection.respond(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong passwords\n")
            response.headers["Retry-After"] = str(math.ceil(wait_s))
            return response
        given = authorization(headers)
        complaints = [complaint(given, identity=identity, password=one) for one in station.passwords.accepted]
        wrong = complaints[0]
        if wrong is None or None in complaints:
            return None
        if given is not None:  # without one it is no guess; many clients ask first whether a password is wanted
            self._logins.failed(*who, now_s)
        self._refused(station, caller, "ocpp.password_refused", wrong)
        response = connection.respond(HTTPStatus.UNAUTHORIZED, "Wrong or missing password\n")
        response.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        return response

    def _refused(self, station: Station, caller: Mapping[str, str], event: str, why: str) -> None:
        station.refuse_log_in(address=caller["peer"], why=why, now=self._clock.now())
        self._warn(event, caller, why)

    def _admit_stranger(self, connection: ServerConnection, caller: dict[str, str]) -> Response | None:
        if not caller["identity"] or self._section.accept_unknown == "reject":
            self._warn("ocpp.unknown_refused", caller, "is not in the configuration and was turned away")
            return connection.respond(HTTPStatus.NOT_FOUND, "Unknown charger\n")
        if self._strangers_connected >= _STRANGERS_MAX:
            self._warn("ocpp.too_many_strangers", caller, "is one unknown charger too many and was turned away")
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Too many unknown chargers\n")
        return None

    def _station(self, names: tuple[str, ...]) -> Station | None:
        """Return who is meant. No name at all (Grizzl-E 5) is the only charger, unless that is here by its name."""
        if not names and len(self._stations) == 1:
            only = next(iter(self._stations.values()))
            return None if only.named_connections else only
        identity = find(names, self._stations)
        return None if identity is None else self._stations[identity]

    def _select(self, _connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        """Take the first one offered that we speak; without any the reply names none (Grizzl-E 5)."""
        name = chosen(offered)
        return None if name is None else Subprotocol(name)

    async def _serve(self, connection: ServerConnection) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            await self._route(connection)
        finally:
            self._serving.discard(task)

    async def _route(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        dialect = DIALECTS[SUBPROTOCOLS[(connection.subprotocol or "ocpp1.6").casefold()]]
        names = candidates(connection.request.path, self._section.path)
        station = self._station(names)
        if station is not None:
            station.named_connections += bool(names)
            try:
                await self._serve_link(station, connection, dialect)
            finally:
                station.named_connections -= bool(names)
            return
        if not names:
            await connection.close(_POLICY_VIOLATION, "no identity")
            return
        self._strangers_connected += 1
        try:
            address, now = peer_of(connection.transport), self._clock.now()
            await self._hold(connection, dialect, Stranger(printable(names[0]), address, dialect.PROTOCOL, now))
        finally:
            self._strangers_connected -= 1

    async def _hold(self, connection: ServerConnection, dialect: Dialect, stranger: Stranger) -> None:
        """Keep a stranger Pending (1.6 section 4.2, 2.0.1 B02): answer it, take nothing, ask who it is."""
        self._remember(stranger)
        budget, is_asked = Budget(), False
        with contextlib.suppress(ConnectionClosed):
            while True:
                message = await connection.recv()
                frames = parse(message)
                await self._clock.sleep(budget.spend(len(frames), len(message), self._clock.monotonic()))
                for frame in frames:
                    if not isinstance(frame, Call):
                        continue
                    stranger = self._introduced(stranger, frame, dialect)
                    await connection.send(_held(frame, dialect, self._clock.now()))
                    if not is_asked and not _is_boot(frame, dialect) and dialect.BOOT_TRIGGER is not None:
                        await connection.send(encode_call(str(uuid4()), *dialect.BOOT_TRIGGER))
                    is_asked = True

    def _introduced(self, stranger: Stranger, call: Call, dialect: Dialect) -> Stranger:
        """Take what a boot says about who it is, for whoever is to recognise the charger in a list."""
        if not _is_boot(call, dialect):
            return stranger
        station = obj(call.payload.get("chargingStation"))
        vendor = text(call.payload.get("chargePointVendor") or station.get("vendorName"), length_max=50)
        model = text(call.payload.get("chargePointModel") or station.get("model"), length_max=50)
        told = replace(stranger, vendor=printable(vendor), model=printable(model), seen_at=self._clock.now())
        self._strangers[canonical(stranger.identity)] = told
        return told

    def _remember(self, stranger: Stranger) -> None:
        key = canonical(stranger.identity)
        if key not in self._strangers:
            remedy = f"to let it in: chargerd adopt {shlex.quote(stranger.identity)}"
            _log.warning(
                "ocpp.unknown_pending",
                message=f"unknown charger {stranger.identity!r} at {stranger.address} is held off: {remedy}",
                identity=stranger.identity,
                peer=stranger.address,
            )
        self._strangers[key] = stranger
        while len(self._strangers) > _STRANGERS_MAX:
            self._strangers.popitem(last=False)

    def _over(self, *who: str) -> None:
        """A charger got in: what is refused from now on is news."""
        for key in [key for key in self._logged if key[1] in who]:
            del self._logged[key]

    def _warn(self, event: str, caller: Mapping[str, str], complaint: str) -> None:
        """Log a refusal, the same one again after an hour, for chargers redial every few seconds."""
        now_s = asyncio.get_running_loop().time()
        key = (event, caller["identity"] or caller["peer"])
        if now_s - self._logged.get(key, -_REPEAT_AFTER_S) < _REPEAT_AFTER_S:
            return
        self._logged[key] = now_s
        self._logged.move_to_end(key)
        while len(self._logged) > _LOGGED_MAX:
            self._logged.popitem(last=False)
        name = f"the charger {caller['identity']!r}" if caller["identity"] else "somebody"
        who = f"{name} at {caller['peer']}"
        _log.warning(event, message=f"{who} {complaint}", **caller)


@contextlib.asynccontextmanager
async def _tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """Own the tasks of the block; an error of the block itself comes out as it is, and not as a group of one."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except ExceptionGroup as group:
        if len(group.exceptions) == 1:
            raise group.exceptions[0] from None
        raise


def _is_boot(call: Call, dialect: Dialect) -> bool:
    return known_action(call.action, dialect.VERSION) == "BootNotification"


def _held(call: Call, dialect: Dialect, now: datetime) -> str:
    payload = dialect.hold(call.action, call.payload, now)
    if payload is None:
        return encode_fault(call.message_id, dialect.HELD_ERROR, "this charger is not configured yet")
    return encode_result(call.message_id, payload)


def _wanting(profile: int, name: str | None, *, is_over_tls: bool) -> str | None:
    """Say what a connection lacks of a security profile, before its password is looked at."""
    if profile >= 2 and not is_over_tls:
        return f"came without TLS, and security profile {profile} asks for it; set it to wss:// and listen_tls's port"
    if profile == 3:
        return "showed no certificate" if name is None else "showed a certificate of another name than its identity"
    return None


def _port(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])
