"""What is remembered of a charger from one connection to the next."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chargerd.contract import Capabilities, ChargerId
from chargerd_drivers.ocpp.budget import Budget
from chargerd_drivers.ocpp.config import OcppCharger
from chargerd_drivers.ocpp.entry import Entry
from chargerd_drivers.ocpp.lessons import Lessons
from chargerd_drivers.ocpp.passwords import Passwords
from chargerd_drivers.ocpp.registers import Registers
from chargerd_drivers.ocpp.unasked import Hearsay

_FOREIGN_MAX = 64
_SECRET_MIN = 8
"""A shorter password may be a word that stands in other places, too."""
_BOOTS_MAX = 3
BOOTS_WITHIN_S = 300.0


class Authority(Protocol):
    """Who signs certificates: ``chargerd_drivers.ocpp.certificates.Signer``."""

    def sign(self, request: str, *, identity: str, now: datetime) -> str:
        """Return a certificate with its root behind it, in PEM. Raises ValueError with what is wrong, in words."""
        ...


@dataclass(slots=True)
class Station:
    """One configured charger. Holds no policy: what it can do, what it says, and transactions that are not ours.

    ``signer`` signs its requests for certificates, None: nobody does. ``entry`` is how its newest connection came in.
    ``news`` is set when it came, went, or was given a certificate. ``told`` is what the core was last told that it can
    do, None when that is void. ``stalls`` counts the probes that got no answer, ``drops`` the connections that soon
    broke, in a row, and ``deaf`` those that were given up because no command got an answer. ``refused_writes`` are
    settings with values that it answered no to. ``named_connections`` are those whose URL holds its identity.
    """

    charger_id: ChargerId
    options: OcppCharger
    lessons: Lessons
    passwords: Passwords = field(default_factory=Passwords)
    signer: Authority | None = None
    entry: Entry | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    told: Capabilities | None = Capabilities()
    foreign: dict[str, None] = field(default_factory=dict)
    boots: deque[float] = field(default_factory=lambda: deque(maxlen=_BOOTS_MAX))
    stalls: Counter[str] = field(default_factory=Counter)
    hearsay: Hearsay = field(default_factory=Hearsay)
    budget: Budget = field(default_factory=Budget)
    registers: Registers = field(default_factory=Registers)
    connections: int = 0
    drops: int = 0
    deaf: int = 0
    refused_writes: set[str] = field(default_factory=set)
    named_connections: int = 0
    refused_log_ins: int = 0
    _spare_transaction_id: int = 0

    def remember_foreign(self, transaction_id: str) -> None:
        """Keep in mind that a transaction runs on another connector; the oldest are forgotten."""
        self.foreign[transaction_id] = None
        if transaction_id == str(self._spare_transaction_id):
            self._spare_transaction_id += 1
        while len(self.foreign) > _FOREIGN_MAX:
            del self.foreign[next(iter(self.foreign))]

    def without_secrets(self, words: str) -> str:
        """Return words of a charger fit for a log: some repeat the password that they refuse."""
        for secret in self.passwords.accepted:
            if len(secret) >= _SECRET_MIN:
                words = words.replace(secret.decode("utf-8", errors="replace"), "***")
        return words

    def refuse_log_in(self, *, address: str, why: str, now: datetime) -> None:
        """Note a log-in under this identity that was refused, for the charger's document."""
        self.refused_log_ins += 1
        self.hearsay.note("logInRefused", {"address": address, "why": why, "count": self.refused_log_ins}, now)

    def spare_transaction_id(self, now: datetime) -> int:
        """Return an id for a 1.6 transaction that is not ours: seconds since 1970, far above the ids we count."""
        self._spare_transaction_id = max(self._spare_transaction_id, int(now.timestamp()))
        return self._spare_transaction_id

    def booted(self, monotonic_s: float) -> None:
        """Note a boot, in seconds of the domain clock."""
        self.boots.append(monotonic_s)

    @property
    def keeps_booting(self) -> bool:
        """Whether it started three times within five minutes: then something we ask for may be what kills it."""
        return len(self.boots) == _BOOTS_MAX and self.boots[-1] - self.boots[0] < BOOTS_WITHIN_S
