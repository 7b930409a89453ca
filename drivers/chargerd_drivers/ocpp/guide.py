"""The guided upgrade of a charger's security: told step by step, confirmed by how it comes in, and taken back if not.

Nothing of it happens unasked. What the charger was told is good beside what it had until it has come in with the new; a
restart of the daemon at any moment finds both on disk and goes on waiting.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

import structlog

from chargerd.contract import Clock, Document, DriverError, NotBegun, Refused, SecurityRequest, Unreachable
from chargerd_drivers.ocpp import security
from chargerd_drivers.ocpp.by_hand import why_not
from chargerd_drivers.ocpp.dialect import Request
from chargerd_drivers.ocpp.entry import Entry, Proof
from chargerd_drivers.ocpp.fields import Json
from chargerd_drivers.ocpp.lessons import Library
from chargerd_drivers.ocpp.link import Link
from chargerd_drivers.ocpp.readiness import Surroundings, completed, obstacle
from chargerd_drivers.ocpp.signing import CERTIFICATE_TOPIC
from chargerd_drivers.ocpp.station import Station
from chargerd_drivers.ocpp.upgrade import Stage, Upgrade, load
from chargerd_drivers.ocpp.wire import Version

_log = structlog.get_logger("chargerd.ocpp")

RETURN_S = 900.0
"""Clock seconds within which a charger is to come in anew: some start for minutes."""
_GRACE_S = 30.0
"""So long is waited for it to leave by itself, as 1.6 has it; then its connection is closed."""
_FALLBACK_S = 120.0
"""When it came back as it was, it may still try the new way for so long."""
_CERTIFICATE_S = 300.0
"""Small chargers take minutes to make a key."""
_ATTEMPTS = 3
_TAKEN = frozenset({"accepted", "rebootrequired", "scheduled"})

_ROOT_BY_HAND = "give it that in its own settings (chargerd ca show --pem), and ask with --certificates-installed"
_PROFILES = {1: "its password", 2: "TLS and its password", 3: "TLS and its certificate"}


class Guide:
    """Raises the security of one charger, one request at a time. ``link`` is its newest connection, None: none."""

    def __init__(self, station: Station, *, library: Library, clock: Clock, link: Callable[[], Link | None]) -> None:
        self._station = station
        self._library = library
        self._clock = clock
        self._link = link
        self._log = _log.bind(charger=station.charger_id)
        self._key = f"ocpp/security/{station.charger_id}"
        self._upgrade: Upgrade | None = None
        self._request: SecurityRequest | None = None
        self._is_busy = False
        self._needs_reset = False
        self._mark = 0
        self._slots: tuple[int, ...] = ()
        self.around: Surroundings | None = None

    async def open(self) -> None:
        """Recall the last upgrade."""
        self._upgrade = load(await self._library.recall(self._key))

    @property
    def document(self) -> Document:
        """How the charger comes in now, and its last upgrade."""
        entry = self._station.entry if self._link() is not None else None
        return {
            "profile": None if entry is None else entry.profile,
            "isOverTls": None if entry is None else entry.is_over_tls,
            "hasPassword": self._station.passwords.current is not None,
            "upgrade": None if self._upgrade is None else self._upgrade.document,
        }

    async def begin(self, request: SecurityRequest) -> NotBegun | None:
        """Take a request, for ``run``; or say why not."""
        link = self._link()
        if self._is_busy:
            return NotBegun("its security is being raised already")
        if link is None or not link.is_online or self.around is None:
            return NotBegun("it is not connected")
        request = completed(request, self._station)
        withheld = obstacle(request, self._station, self.around)
        if withheld is not None:
            return withheld
        self._is_busy, self._request, self._needs_reset, self._slots = True, request, False, ()
        self._upgrade = Upgrade.of(request, self._clock.now())
        words = f"{self._station.charger_id}: its security is raised, as {request.asked_by} asked"
        self._log.info("ocpp.secure", message=words, profile=request.profile, new_password=request.new_password)
        await self._keep()
        return None

    @property
    def is_interrupted(self) -> bool:
        """Whether the daemon ended in the middle of one."""
        return self._upgrade is not None and not self._upgrade.is_over

    async def run(self) -> None:
        """Carry out what was begun, or go on after a restart; returns when it is over."""
        assert self._upgrade is not None, "begun"
        self._is_busy = True
        try:
            if self._request is None:
                is_done = await self._resume()
            else:
                is_done = await self._carry_out(self._request)
        except DriverError as error:
            await self._step(str(error).removeprefix(f"{self._station.charger_id}: "))
            is_done = False
        finally:
            self._is_busy, self._request = False, None
        if not is_done:
            await self._roll_back()
        await self._end(Stage.DONE if is_done else Stage.FAILED)

    async def _resume(self) -> bool:
        assert self._upgrade is not None, "begun"
        self._upgrade.password_given |= self._station.passwords.pending is not None
        is_password_due = self._upgrade.new_password and not self._upgrade.password_given
        if self._upgrade.stage is Stage.PREPARING or is_password_due:
            raise Refused("the daemon was started anew before that was changed; ask again")
        if self._upgrade.profile is None and not self._upgrade.new_password:
            raise Refused("the daemon was started anew, and whether it took a certificate is not known; ask again")
        await self._step("the daemon was started anew in the middle; it waits for the charger to come in with the new")
        self._mark = -1
        return await self._returned(RETURN_S)

    async def _carry_out(self, request: SecurityRequest) -> bool:
        link = self._link()
        if link is None:
            raise Unreachable("it went away before anything was changed")
        version, wanted = link.version, request.profile or 0
        if wanted >= 2 and not request.is_trusting:
            await self._give_root(version)
        if request.new_certificate:
            await self._give_certificate(version)
        self._mark = self._station.connections
        if request.new_password:
            await self._give_password(version)
        if request.profile is not None:
            await self._raise_profile(version, request)
        if request.profile is None and not request.new_password:
            return True
        return await self._comes_back(version)

    async def _give_root(self, version: Version) -> None:
        assert self.around is not None, "begun"
        root = self.around.root()
        if root is None:
            await self._step("this gateway's certificate is a public authority's, whose root the charger is to know")
            return
        with contextlib.suppress(Refused):
            if root.is_among(security.hashes_in(await self._ask(security.roots_request(version)))):
                await self._step("it has the root of this gateway's certificate")
                return
        await self._changing()
        what = f"the root certificate; {_ROOT_BY_HAND}"
        self._must_be_taken(await self._asked(security.install_request(version, root.pem), what), what)
        await self._step("it took the root of this gateway's certificate")

    async def _give_certificate(self, version: Version) -> None:
        await self._changing()
        facts = self._station.hearsay.facts
        before = facts.get(CERTIFICATE_TOPIC)
        what = "to ask for a certificate"
        self._must_be_taken(await self._asked(security.sign_request(version), what), what)
        is_told = await self._until(lambda: facts.get(CERTIFICATE_TOPIC) is not before, _CERTIFICATE_S)
        outcome = facts.get(CERTIFICATE_TOPIC) or {}
        if not is_told:
            raise Refused(f"it was told to ask for a certificate, and did not within {_CERTIFICATE_S:.0f} s")
        if outcome.get("status") != "Installed":
            raise Refused(f"it has no certificate: {outcome.get('why')}")
        await self._step("it asked for a certificate, and took the one that was signed for it")

    async def _give_password(self, version: Version) -> None:
        passwords = self._station.passwords
        is_fresh = passwords.pending is None
        try:
            fresh = passwords.propose()
        except OSError as error:
            msg = f"the new password cannot be written to {error.filename or passwords.path}: {error.strerror}"
            raise Refused(msg) from error
        assert self._upgrade is not None, "begun"
        self._upgrade.password_given = True
        await self._changing()
        try:
            answer = await self._asked(security.password_request(version, fresh), "the new password")
            self._must_be_taken(answer, "the new password")
        except Refused:
            if is_fresh:
                with contextlib.suppress(OSError):
                    passwords.withdraw()
            raise
        old = "no password, as before," if passwords.current is None else "the old one"
        await self._step(f"it took a new password; {old} is good as well until it has come in with it")

    async def _raise_profile(self, version: Version, request: SecurityRequest) -> None:
        wanted = request.profile
        assert wanted is not None, "asked for"
        try:
            has = security.profile_in(await self._ask(security.read_profile_request(version)), version)
        except Refused:
            has = None
        if has is not None and has >= wanted:
            await self._step(f"it says that security profile {has} is set already")
            return
        await self._changing()
        self._mark = self._station.connections
        if version != "1.6":
            await self._set_network(request)
            return
        what = f"security profile {wanted}"
        try:
            self._must_be_taken(await self._asked(security.profile_request(wanted), what), what)
        except Refused:
            if wanted != 1 or not request.new_password:
                raise
            await self._step("it does not know security profiles, so that it may go by the password alone")
            return
        await self._step(f"it took security profile {wanted}, and is to come in anew with it")

    async def _set_network(self, request: SecurityRequest) -> None:
        """2.0.1: a network profile in a free slot comes first, what was used stays behind it, to fall back on."""
        entry, wanted = self._station.entry, request.profile
        assert entry is not None, "it was connected"
        assert wanted is not None, "asked for"
        assert self.around is not None, "begun"
        used = security.slots_in(await self._asked(security.read_slots_request(), "to say which networks it uses"))
        if not used:
            raise Refused("it does not say which network profiles it uses (NetworkConfigurationPriority)")
        url = self.around.url(entry, over_tls=wanted >= 2)
        slot = await self._write_network(security.free_slots(used), url, request)
        self._slots = used
        answer = await self._asked(security.slots_request((slot, *used)), "the order of its network profiles")
        self._must_be_taken(answer, "the order of its network profiles")
        self._needs_reset = True
        await self._step(f"it took a network profile for {url} in slot {slot}; the others stay behind it")

    async def _write_network(self, slots: tuple[int, ...], url: str, request: SecurityRequest) -> int:
        """Write it into the first slot that takes it; how many there are is not told."""
        assert request.profile is not None, "asked for"
        why = "no slot is free"
        for slot in slots:
            network = security.network_request(slot, url=url, profile=request.profile, interface=request.interface)
            try:
                answer = await self._ask(network)
            except Refused as error:
                why = str(error)
                continue
            if security.status_of(answer) == "accepted":
                return slot
            why = f"{security.status_of(answer)} {why_not(answer)}".strip()
        raise Refused(f"it refused a network profile for {url}: {why}")

    async def _comes_back(self, version: Version) -> bool:
        if not self._needs_reset:
            if await self._returned(_GRACE_S):
                return True
            link = self._link()
            if link is not None and self._station.connections == self._mark:
                await self._step("it stays, so its connection is closed, for it to come in anew")
                await link.close("come in anew")
            if await self._returned(RETURN_S):
                return True
        if self._link() is None:
            return False
        self._mark = self._station.connections
        is_at_once = self._request is not None and self._request.is_forced
        with contextlib.suppress(Unreachable):
            what = "to start anew"
            self._must_be_taken(await self._asked(security.reset_request(version, is_at_once=is_at_once), what), what)
        await self._step("it is to start anew")
        return await self._returned(RETURN_S)

    async def _roll_back(self) -> None:
        """Nothing that opened before was closed, so that this end has nothing to take back; the charger's may have."""
        if self._slots and self._link() is not None:
            with contextlib.suppress(DriverError):
                await self._ask(security.slots_request(self._slots))
                await self._step("the network profiles that it had are the first again")

    async def _end(self, stage: Stage) -> None:
        assert self._upgrade is not None, "begun"
        name, entry = self._station.charger_id, self._station.entry
        if stage is Stage.DONE:
            assert entry is not None, "it came in"
            words = f"it comes in with security profile {entry.profile} now: {_PROFILES.get(entry.profile, 'nothing')}"
            if self._upgrade.profile is None and not self._upgrade.new_password:
                words = "it has its new certificate"
            advice = self._advice_when_done(entry)
        else:
            words, advice = "its security is not what was asked for", self._advice_when_failed()
        await self._step(words)
        self._upgrade.end(stage, advice, self._clock.now())
        say = self._log.info if stage is Stage.DONE else self._log.error
        say(
            "ocpp.secured" if stage is Stage.DONE else "ocpp.secure_failed",
            message=f"{name}: {words}. {advice}".strip(),
        )
        await self._keep()

    def _advice_when_done(self, entry: Entry) -> str:
        passwords, parts = self._station.passwords, list[str]()
        profile = self._station.options.security_profile
        if self._upgrade is not None and self._upgrade.new_password:
            parts.append(f"Its password is in {passwords.path}; keep a copy of it.")
        if self._upgrade is not None and self._upgrade.profile is not None and (profile or 0) < entry.profile:
            parts.append(
                f"To refuse it with less from now on, set security_profile = {entry.profile} in its [[charger]] block."
            )
        return " ".join(parts)

    def _advice_when_failed(self) -> str:
        passwords, link = self._station.passwords, self._link()
        parts = ["What opened before opens still."]
        if passwords.pending is not None:
            parts.append("The new password opens as well, should it come with it later.")
        if link is None:
            parts.append(
                "It has not come back: start it anew, and look at its own settings and at logInRefused"
                " (chargerd doctor); it may call with TLS or without."
            )
        else:
            parts.append("It is connected; nothing has to be done. To try again, ask again.")
        return " ".join(parts)

    # What it comes in with

    def _is_reached(self) -> bool:
        station, upgrade = self._station, self._upgrade
        entry = station.entry
        if upgrade is None or entry is None or self._link() is None or station.connections <= self._mark:
            return False
        came_with_new = station.passwords.pending is None or entry.proof is Proof.NEW_PASSWORD
        return (came_with_new or not upgrade.new_password) and entry.profile >= (upgrade.profile or 0)

    async def _returned(self, seconds: float) -> bool:
        """Wait for it to come in with what it was told; not for long when it came back with what it had."""
        until, is_back = self._clock.monotonic() + seconds, False
        while not self._is_reached():
            if not is_back and self._station.connections > self._mark and self._link() is not None:
                is_back, until = True, min(until, self._clock.monotonic() + _FALLBACK_S)
                await self._step("it came in as before; it may still come with the new")
            left_s = until - self._clock.monotonic()
            if left_s <= 0:
                return False
            await self._news(left_s)
        return True

    async def _until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        until = self._clock.monotonic() + seconds
        while not is_so():
            left_s = until - self._clock.monotonic()
            if left_s <= 0:
                return False
            await self._news(left_s)
        return True

    async def _news(self, seconds: float) -> None:
        self._station.news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._clock.real_seconds(seconds)):
                await self._station.news.wait()

    # What it is asked

    async def _ask(self, request: Request) -> Json:
        """Send a request; again over the next connection when this one ends, for some leave in the middle."""
        for _ in range(_ATTEMPTS):
            link = self._link()
            if link is None:
                await self._until(lambda: self._link() is not None, RETURN_S)
                link = self._link()
            if link is None:
                break
            await link.settled()
            try:
                return await link.ask(request)
            except Unreachable as error:
                if error.timed_out:
                    raise
                await self._until(partial(self._is_replaced, link), _GRACE_S)
        msg = f"{request[0]} could not be sent: it is not connected"
        raise Unreachable(msg)

    def _is_replaced(self, link: Link) -> bool:
        return self._link() is not link

    async def _asked(self, request: Request, what: str) -> Json:
        """Send a request, and say in a refusal what was refused."""
        try:
            return await self._ask(request)
        except Refused as error:
            raise Refused(f"it refused {what}: {error}", supported=error.supported) from error

    def _must_be_taken(self, answer: Json, what: str) -> None:
        """Raises Refused for an answer that is no yes."""
        status = security.status_of(answer)
        if status not in _TAKEN:
            reason = why_not(answer)
            raise Refused(f"it refused {what}: {status}" + (f" ({reason})" if reason else ""))
        self._needs_reset = self._needs_reset or status == "rebootrequired"

    async def _changing(self) -> None:
        assert self._upgrade is not None, "begun"
        self._upgrade.stage = Stage.CHANGING
        await self._keep()

    async def _step(self, words: str) -> None:
        assert self._upgrade is not None, "begun"
        words = self._station.without_secrets(words)
        self._upgrade.step(words, self._clock.now())
        self._log.info("ocpp.secure", message=f"{self._station.charger_id}: {words}")
        await self._keep()

    async def _keep(self) -> None:
        assert self._upgrade is not None, "begun"
        await self._library.remember(self._key, self._upgrade.kept)
