"""Carries commands out over one connection: each in the ways that this charger may take, and what that teaches.

Accepted is all that is known here; whether it had an effect is told by the meter, to the core.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace

from chargerd.contract import (
    AuthorizeRequested,
    ChargerCommand,
    Clock,
    Event,
    MeterSampled,
    Refused,
    SampleContext,
    SetCurrentLimit,
    StartTransaction,
    StatusReported,
    StopTransaction,
    TransactionEnded,
    TransactionStarted,
    Unreachable,
)
from chargerd_drivers.ocpp import by_hand, course, learning
from chargerd_drivers.ocpp.calls import CallError
from chargerd_drivers.ocpp.course import Course
from chargerd_drivers.ocpp.dialect import Dialect, Request
from chargerd_drivers.ocpp.fields import Json, listing, obj, text, word
from chargerd_drivers.ocpp.knowledge import Knowledge
from chargerd_drivers.ocpp.phases import Phases
from chargerd_drivers.ocpp.skew import Skew
from chargerd_drivers.ocpp.station import Station
from chargerd_drivers.ocpp.ways import CALLS_MAX, Attempt, Way, attempts, limit, put_back, taken

Call = Callable[[Request], Awaitable[Json]]
"""Sends one CALL and returns the payload of its CALLRESULT. Raises Refused or Unreachable."""
Learn = Callable[[Knowledge], Awaitable[None]]
"""Takes what was learned, keeps it, and tells the core when it makes a difference to it."""

CLEARING = "ClearChargingProfile"
_CARDS_MAX = 16
"""Cards that were presented last; one of them is no constant of the charger's."""
_TOKEN_KEYS = ("PlugAndChargeIdentifier",)
"""Settings that hold the id token with which a charger begins transactions of its own (Alfen)."""


class Orders:
    """The commands of one connection."""

    def __init__(self, station: Station, dialect: Dialect, clock: Clock, *, call: Call, learn: Learn) -> None:
        self.station = self._station = station
        self._dialect = dialect
        self.clock = self._clock = clock
        self._call = call
        self._learn = learn
        self._course = Course()
        self._skew = Skew()
        self._refused: set[Way] = set()
        self._has_cleared = False
        self._has_read_token = False
        self._authorised: deque[str] = deque(maxlen=_CARDS_MAX)
        self._starts_unheeded = 0
        self._last_token: str | None = None
        self._is_configured = True
        self._had_transaction = False
        self._phases = Phases()

    @property
    def course(self) -> Course:
        """What has been going on since the charger connected."""
        return self._course

    def asked_meter(self) -> None:
        """Note that the meter was asked for: what comes now is no push."""
        self._course = replace(self._course, asked_at=self._clock.monotonic())

    async def execute(self, command: ChargerCommand) -> None:
        """Return when the charger accepted. Raises Refused, or Unreachable."""
        match command:
            case SetCurrentLimit():
                await self._limit(command)
            case StartTransaction():
                await self._start(command)
            case StopTransaction():
                await self._stop(command)

    async def saw(self, event: Event) -> None:
        """Take note of what the charger told."""
        now_s, known = self._clock.monotonic(), self._station.lessons.knowledge
        capabilities = known.capabilities
        if isinstance(event, MeterSampled):
            capabilities = learning.from_sample(capabilities, event)
        capabilities = course.from_event(capabilities, self._course, event, now_s)
        before, self._course = self._course, course.after(self._course, event, now_s)
        is_transactional = isinstance(event, TransactionStarted | TransactionEnded)
        if is_transactional or before.plugged is not self._course.plugged:
            self._had_transaction = is_transactional  # after one, a start may be refused until the plug was out
            self._refused.clear()  # Wallbox takes no profile while nothing is plugged in
        if before.plugged is not self._course.plugged:
            self._phases.forget()
        if isinstance(event, StatusReported) or (
            isinstance(event, MeterSampled) and event.context is not SampleContext.BEGIN
        ):
            self._skew.saw(event.measured_at, self._clock.now())
        await self._learn(replace(known, capabilities=capabilities))
        if isinstance(event, AuthorizeRequested):
            self._authorised.append(event.id_token)
        if isinstance(event, TransactionStarted):
            self._station.registers.begun(event.register_wh or 0.0)
            await self._saw_start(event)

    async def misread(self, event: Event) -> bool:
        """Whether a sample shows that the last limit in W does not mean what was ordered, and is to be ordered anew."""
        if not isinstance(event, MeterSampled) or not self._station.registers.names_phases:
            return False
        now_s, known = self._clock.monotonic(), self._station.lessons.knowledge
        self._phases.saw(event)
        is_misread = self._phases.differ() if known.taste.by_phases_in_use else self._phases.exceeds(event, now_s)
        if is_misread:
            self._phases.reported()
            await self._learn(replace(known, taste=replace(known.taste, by_phases_in_use=True)))
        return is_misread

    async def _limit(self, command: SetCurrentLimit) -> None:
        in_transaction = command.transaction_id is not None
        low_first = self._dialect.VERSION != "1.6"
        await self.adopt(self._call)
        known = self._station.lessons.knowledge
        if command.unheeded:
            self._phases.forget()
            starves = command.limit_a > 0
            taste = put_back(known.taste, in_transaction=in_transaction, low_first=low_first, starves=starves)
            known = replace(known, taste=taste)
            await self._learn(known)
        if known.taste.by_phases_in_use and self._phases.count is not None:
            command = replace(command, phases=self._phases.count)
        failed: list[Attempt] = []
        refusals: list[Refused] = []
        for attempt in attempts(known.taste, command, refused=frozenset(self._refused), low_first=low_first):
            try:
                await self._say(command, attempt)
            except Refused as refused:
                failed.append(attempt)
                refusals.append(refused)
                if attempt.periods_max == 1:
                    self._refused.add(attempt.way)
                if _is_action_unknown(refused):
                    break
            else:
                self._refused.clear()
                await self._limited(command, attempt, tuple(failed))
                return
        await self._refuse(command, refusals)

    async def _say(self, command: SetCurrentLimit, attempt: Attempt) -> None:
        said = limit(command, attempt, now=self._clock.now(), skew_s=self._skew.seconds)
        if attempt.clears:
            await _is_cleared(self._call, self._dialect.clear_request(attempt.way.purpose))
        await self._ask(self._dialect.limit_request(said, self._station.options.connector))

    async def _limited(self, command: SetCurrentLimit, attempt: Attempt, failed: tuple[Attempt, ...]) -> None:
        known = self._station.lessons.knowledge
        self._phases.said(command, attempt.way.unit, self._clock.monotonic())
        taste = taken(known.taste, attempt, failed, in_transaction=command.transaction_id is not None)
        capabilities = learning.from_command(known.capabilities, command, is_supported=True)
        await self._learn(replace(known, taste=taste, capabilities=capabilities, rejected_limits=0))

    async def adopt(self, call: Call) -> None:
        """Clear what former central systems left, once in a charger's life: it may outrank whatever we say.

        Part of the set-up; where that has not come to it, part of the first limit, for later it would clear our own.
        """
        personal, known = self._station.lessons.personal, self._station.lessons.knowledge
        if personal.is_adopted or self._has_cleared or known.leaves_out(CLEARING, self._clock.now()):
            return
        self._has_cleared = True
        for request in self._dialect.clear_all_requests():
            if not await _is_cleared(call, request):
                return
        await self._station.lessons.keep_personal(replace(self._station.lessons.personal, is_adopted=True))

    async def _start(self, command: StartTransaction) -> None:
        """Start with the configured token, or with one that the charger is known to want."""
        refusals: list[Refused] = []
        tried: list[str] = []
        while len(tried) < CALLS_MAX and (token := await self._token(command, tried)) is not None:
            tried.append(token)
            try:
                await self._request(replace(command, id_token=token))
            except Refused as refused:
                refusals.append(refused)
                if _is_action_unknown(refused):
                    break
            else:
                await self._started(command, token, is_proven=bool(refusals))
                return
        await self._refuse(command, refusals)

    async def _started(self, command: StartTransaction, token: str, *, is_proven: bool) -> None:
        """A token that was accepted where others were refused is the one to begin with from now on."""
        known = self._station.lessons.knowledge
        capabilities = learning.from_command(known.capabilities, command, is_supported=True)
        await self._learn(replace(known, capabilities=capabilities, rejected_starts=0))
        self._starts_unheeded += 1
        self._last_token, self._is_configured = token, token == command.id_token
        if is_proven:
            await self._keep_token()

    async def _token(self, command: StartTransaction, tried: list[str]) -> str | None:
        """Return the next token to try. Starts that were accepted and ignored make another one the first."""
        personal, known = self._station.lessons.personal, self._station.lessons.knowledge
        wanted = (personal.id_token, known.id_token, command.id_token, personal.seen_token)
        tokens = list(dict.fromkeys(token for token in wanted if token))
        turn = self._starts_unheeded % len(tokens)
        rest = [token for token in (*tokens[turn:], *tokens[:turn]) if token not in tried]
        if rest:
            return rest[0]
        read = await self._read_token()
        return read if read not in tried else None

    async def _read_token(self) -> str | None:
        """Read the setting that holds the charger's own token, once per connection."""
        if self._has_read_token or self._dialect.VERSION != "1.6":
            return None
        self._has_read_token = True
        try:
            answer = await self._call(("GetConfiguration", {"key": list(_TOKEN_KEYS)}))
        except Refused:
            return None
        found = (text(obj(entry).get("value"), length_max=20) for entry in listing(answer.get("configurationKey")))
        return next((value for value in found if value), None)

    async def _saw_start(self, event: TransactionStarted) -> None:
        """Learn from the token that a transaction began with, when nobody presented it."""
        if event.id_token and event.id_token == self._last_token:
            await self._keep_token()
        elif event.id_token and event.id_token not in self._authorised:
            personal = self._station.lessons.personal
            await self._station.lessons.keep_personal(replace(personal, seen_token=event.id_token))
        self._starts_unheeded, self._last_token = 0, None

    async def _keep_token(self) -> None:
        personal = self._station.lessons.personal
        token = None if self._is_configured else self._last_token
        await self._station.lessons.keep_personal(replace(personal, id_token=token))

    async def _stop(self, command: StopTransaction) -> None:
        try:
            await self._request(command)
        except Refused as refused:
            await self._refuse(command, [refused])
        known = self._station.lessons.knowledge
        capabilities = learning.from_command(known.capabilities, command, is_supported=True)
        await self._learn(replace(known, capabilities=capabilities))

    async def _request(self, command: StartTransaction | StopTransaction) -> None:
        await self._ask(self._dialect.request(command, self._station.options.connector))

    async def _ask(self, request: Request) -> None:
        action, _ = request
        answer = await self._call(request)
        status = word(answer.get("status"))
        if status != "accepted":
            said = f"{self._station.charger_id}: {action} expected Accepted, got {answer.get('status')!r}"[:200]
            why = by_hand.why_not(answer)
            raise Refused(f"{said}: {why}" if why else said, supported=status not in {"notsupported", "notimplemented"})

    async def _refuse(self, command: ChargerCommand, refusals: list[Refused]) -> None:
        """Learn from refusals and raise the one that says most. Only "I cannot do this at all" teaches at once."""
        known = self._station.lessons.knowledge
        if all(not refused.supported for refused in refusals):
            capabilities = learning.from_command(known.capabilities, command, is_supported=False)
            await self._learn(replace(known, capabilities=capabilities))
            raise refusals[-1]
        if isinstance(command, SetCurrentLimit):
            await self._learn(known.rejected(limits=1))
        elif isinstance(command, StartTransaction) and not self._had_transaction:
            await self._learn(known.rejected(starts=1))
        raise next(refused for refused in reversed(refusals) if refused.supported)


async def _is_cleared(call: Call, request: Request) -> bool:
    """Tell whether there was an answer; one that knows of no profile, or of no such action, is as good as any."""
    try:
        await call(request)
    except Refused:
        return True
    except Unreachable as unreachable:
        if not unreachable.timed_out:
            raise
        return False
    return True


def _is_action_unknown(refused: Refused) -> bool:
    """Whether the charger does not know such an action at all: then another form of it makes no difference."""
    return isinstance(refused, CallError) and not refused.supported
