"""A home on paper for playbooks: one charger, one car, and the core; time is given, nothing runs by itself.

The charger obeys at once unless a knob says otherwise. Every step is checked against the invariants.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from chargerd.core import document
from chargerd.core.commands import (
    AnswerRequest,
    AnswerTransaction,
    Command,
    Note,
    SetCurrentLimit,
    StartTransaction,
    StopTransaction,
    StoreSettled,
)
from chargerd.core.decide import decide, initial, next_deadline
from chargerd.core.events import (
    Activity,
    Capabilities,
    CapabilitiesChanged,
    ChargerBooted,
    ChargerOffline,
    ChargerOnline,
    ClockStepped,
    CommandFailed,
    CommandSucceeded,
    Configured,
    Event,
    Failure,
    ImmediateStartRequested,
    MeterSampled,
    OverrideCancelled,
    PricesUpdated,
    ScheduleOverrideRequested,
    StatusReported,
    TimePassed,
    TransactionEnded,
    TransactionStarted,
)
from chargerd.core.ids import ChargerId, PolicyId, ReplyTo, TransactionId, VehicleId
from chargerd.core.model import State
from chargerd.core.policy import ChargerSpec, DayTarget, Policy, Site, VehicleSpec
from chargerd.plan.prices import PriceCurve, PriceSlot
from tests.support.box import Box
from tests.support.invariants import Watch

GARAGE = ChargerId("garage")
CAR = VehicleId("car")
POLICY = PolicyId("f47ac10b-58cc-4372-a567-0e02b2c3d479")
QUARTER = timedelta(minutes=15)
RESTART_EVERY = 5
"""After so many steps of a story a restart is tried on the side."""


def utc(text: str) -> datetime:
    """Read ``2025-06-10T22:15:00``, or ``10T22:15`` for June 2025, as UTC."""
    if "-" not in text:
        text = f"2025-06-{text}"
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def prices(start: str, values: Sequence[float], step: timedelta = timedelta(hours=1)) -> PriceCurve:
    """Prices from a time on, one an hour or one a step."""
    first = utc(start)
    return PriceCurve(
        tuple(
            PriceSlot(first + i * step, first + (i + 1) * step, Decimal(str(value))) for i, value in enumerate(values)
        )
    )


NIGHT = prices("10T18:00", [0.40, 0.40, 0.35, 0.35, 0.30, 0.30, 0.20, 0.10, 0.12, 0.15, 0.20, 0.30, 0.40, 0.40, 0.40])
"""Dear in the evening, cheapest from 01:00 to 02:00 UTC of 2025-06-11, dear again at 06:00."""


@dataclass
class Home:
    """The core, the box, and the clock of the story."""

    now: datetime = field(default_factory=lambda: utc("10T20:00"))
    assumed: int | None = 35
    reserve: int = 20
    goal: int = 50
    ready_by: str = "07:00"
    battery_wh: float = 60_000.0
    charge_max_w: float = 11_000.0
    level_from_charger: bool = False
    zone: str = "UTC"
    managed: bool = True
    curve: PriceCurve = NIGHT
    sample_every: timedelta = timedelta(minutes=1)
    box: Box = field(default_factory=Box)
    commands: list[Command] = field(default_factory=list)
    settled: list[StoreSettled] = field(default_factory=list)
    history: list[tuple[datetime, Event]] = field(default_factory=list)
    state: State = field(init=False)
    watch: Watch = field(default_factory=lambda: Watch(restart_every=RESTART_EVERY))
    committed: State = field(init=False)
    asked: int = 0

    def __post_init__(self) -> None:
        configured = self.configuration()
        self.state = self.committed = initial(configured, self.now)
        self.tell(configured)
        self.tell(PricesUpdated(curve=self.curve))
        self.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"))
        self.tell(StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE, fault=""))

    def configuration(self, *, restarted: bool = False) -> Configured:
        """What the household configured."""
        return Configured(
            charger_id=GARAGE,
            site=Site(zone=self.zone),
            charger=ChargerSpec(charger_id=GARAGE),
            policies=(self.policy(),) if self.managed else (),
            vehicles=(self.vehicle(),),
            restarted=restarted,
        )

    def policy(self) -> Policy:
        day = DayTarget(ready_by=time.fromisoformat(self.ready_by), minimum_charge_target=self.goal)
        return Policy(
            policy_id=POLICY,
            charger_id=GARAGE,
            vehicle_id=CAR,
            battery_reserve=self.reserve,
            schedule=(day,) * 7,
            assumed_battery_level_at_plug_in=self.assumed,
        )

    def vehicle(self) -> VehicleSpec:
        return VehicleSpec(
            vehicle_id=CAR,
            battery_wh=self.battery_wh,
            charge_max_w=self.charge_max_w,
            level_from_charger=self.level_from_charger,
        )

    def tell(self, event: Event) -> list[Command]:
        """Give the core one event, then let the box answer its commands."""
        self.history.append((self.now, event))
        before = self.state
        decision = decide(before, event, self.now)
        self.state = decision.state
        if decision.durable:
            self.committed = decision.state
        self.commands.extend(decision.commands)
        self.settled.extend(c for c in decision.commands if isinstance(c, StoreSettled))
        self.watch.check(before, event, decision, self.now)
        for command in decision.commands:
            self._obey(command)
        return list(decision.commands)

    def until(self, text: str) -> "Home":
        """Let time pass; deadlines are kept and the meter is read."""
        end = utc(text)
        while self.now < end:
            times = (self._next_sample(), next_deadline(self.state), *(s.at for s in self.box.order[:1]), end)
            step = min(t for t in times if t is not None)
            self._advance(step)
            if self.now == self._sample_at():
                self.sample()
            deadline = next_deadline(replace(self.state, at=self.now - timedelta(microseconds=1)))
            if deadline is not None and deadline <= self.now:
                self.tell(TimePassed(charger_id=GARAGE))
        return self

    def sample(self) -> None:
        """Let the meter be read now."""
        known = self.box.transaction not in (None, "?")
        self._say(
            MeterSampled(
                charger_id=GARAGE,
                measured_at=self.now,
                register_wh=round(self.box.register),
                power_w=self.box.flowing,
                soc_pct=self.box.soc,
                transaction_id=TransactionId(str(self.box.transaction)) if known else None,
            )
        )

    def status(self, activity: Activity | None = None) -> "Home":
        """Have the box tell its plug and what goes on at it, or what it takes for that."""
        told = activity or self.box.activity
        self._say(StatusReported(charger_id=GARAGE, plugged=self.box.plugged, activity=told, fault=""))
        return self

    def plug(self) -> "Home":
        self.box.plugged = True
        self._say(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.EV_CONNECTED, fault=""))
        return self

    def unplug(self) -> "Home":
        self.box.plugged = self.box.barred = False
        if self.box.transaction is not None:
            self._end_transaction("EVDisconnected")
        self._say(StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE, fault=""))
        return self

    def start_box(self, id_token: str = "chargerd") -> "Home":
        """Have the box begin a transaction by itself, as an autostart box does."""
        self._begin_transaction(id_token)
        return self

    def stop_box(self, reason: str = "Local") -> "Home":
        """Have the box end its transaction by itself, as after a card or a button; the car stays plugged."""
        self._end_transaction(reason)
        return self

    def offline(self) -> "Home":
        self.box.connected = False
        self.tell(ChargerOffline(charger_id=GARAGE, reason="test"))
        return self

    def online(self) -> "Home":
        """The box connects, and tells what it kept for that."""
        self.box.connected = True
        self.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"))
        return self._drained()

    def dark(self) -> "Home":
        """The box loses its mains: nothing flows, and nothing is told any more."""
        self.box.powered = self.box.connected = False
        return self

    def boot(self) -> "Home":
        """The box has its mains again: it connects, tells who it is and what its plug does, then what it kept."""
        self.box.powered = self.box.connected = True
        self.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"))
        self.tell(ChargerBooted(charger_id=GARAGE, vendor="Acme", model="Box"))
        return self.status()._drained()

    def down_until(self, text: str) -> "Home":
        """No process runs: time passes, and what the box has to tell meets nobody."""
        self.box.connected = False
        end = utc(text)
        while self.now < end:
            self._advance(min(t for t in (self._next_sample(), end) if t is not None))
            if self.now == self._sample_at():
                self.sample()
        return self

    def crash(self) -> "Home":
        """The process is killed; what did not have to be on disk is lost."""
        return self.back_to(self.committed)

    def after_a_kill(self) -> dict[str, Any]:
        """The document that a process which is killed now would show once it and the charger are back; a look only."""
        state = decide(self.committed, self.configuration(restarted=True), self.now).state
        state = decide(state, PricesUpdated(curve=self.curve), self.now).state
        state = decide(state, ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"), self.now).state
        found = document.current(state, POLICY)
        assert found is not None
        return found

    def back_to(self, state: State) -> "Home":
        """The process dies, and all that is left is an older state; ``restart`` or ``revive`` goes on from it."""
        self.state = self.committed = state
        self.box.connected = False
        self.watch.went_back(state)
        return self

    def revive(self) -> "Home":
        """A new process begins with the state there is; no charger has connected yet."""
        self.tell(self.configuration(restarted=True))
        self.tell(PricesUpdated(curve=self.curve))
        return self

    def restart(self) -> "Home":
        """The process dies and comes back with its state; the charger reconnects."""
        return self.revive().online()

    def step_clock(self, by_s: float) -> "Home":
        """Somebody sets the clock: the time of day jumps, no time passes."""
        self.now += timedelta(seconds=by_s)
        self.tell(ClockStepped(charger_id=GARAGE, by_s=by_s))
        return self

    def reprice(self, curve: PriceCurve) -> "Home":
        """The tariff tells another curve."""
        self.curve = curve
        self.tell(PricesUpdated(curve=curve))
        return self

    def able(self, **capabilities: Any) -> "Home":
        self.tell(CapabilitiesChanged(charger_id=GARAGE, capabilities=Capabilities(**capabilities)))
        return self

    def boost(self, level: int, issued_at: str | None = None) -> str | None:
        return self._ask(
            lambda to: ImmediateStartRequested(
                policy_id=POLICY, minimum_charge_target=level, reply_to=to, issued_at=_issued(issued_at)
            )
        )

    def override(self, level: int, ready_by: str, issued_at: str | None = None) -> str | None:
        return self._ask(
            lambda to: ScheduleOverrideRequested(
                policy_id=POLICY,
                minimum_charge_target=level,
                ready_by=utc(ready_by),
                reply_to=to,
                issued_at=_issued(issued_at),
            )
        )

    def cancel(self, issued_at: str | None = None) -> str | None:
        return self._ask(lambda to: OverrideCancelled(policy_id=POLICY, reply_to=to, issued_at=_issued(issued_at)))

    @property
    def doc(self) -> dict[str, Any]:
        """The current session document."""
        found = document.current(self.state, POLICY)
        assert found is not None
        return found

    @property
    def error(self) -> Any:
        return self.doc["error"]["latest"]

    @property
    def outcome(self) -> Any:
        return self.doc["outcome"]["latest"]

    @property
    def target(self) -> Any:
        return self.doc["target"]["latest"]

    def sent(self, kind: type) -> list[Any]:
        """Commands of one kind so far."""
        return [command for command in self.commands if isinstance(command, kind)]

    def notes(self) -> list[str]:
        return [note.name for note in self.sent(Note)]

    def errors(self) -> list[str | None]:
        """Errors that were said so far, in their order; empty means that none ever flashed up."""
        return [note.error for note in self.sent(Note) if note.name == "session.error"]

    @property
    def last(self) -> dict[str, Any]:
        """The document that was settled last."""
        return self.settled[-1].document

    @property
    def delivered_kwh(self) -> float:
        """What the register counted since the story began, in kWh; a story that resets it counts for itself."""
        return (round(self.box.register) - 100_000) / 1000

    def _say(self, event: Event) -> None:
        """Something that the box tells: at once, or when it is connected again, or never."""
        if self.box.connected:
            self.tell(event)
        elif self.box.powered and isinstance(event, self.box.keeps):
            self.box.queue.append(event)

    def _drained(self) -> "Home":
        queued, self.box.queue = self.box.queue, []
        for event in queued:
            self.tell(event)
        return self

    def _ask(self, make: Any) -> str | None:
        self.asked += 1
        reply_to = ReplyTo(f"test-{self.asked}")
        answers = [c for c in self.tell(make(reply_to)) if isinstance(c, AnswerRequest)]
        assert [a.reply_to for a in answers] == [reply_to]
        return answers[0].rejected

    def _advance(self, to: datetime) -> None:
        while self.box.order and self.box.order[0].at <= to:
            step, *rest = self.box.order
            self._flow(step.at)
            self.box.order = tuple(rest)
            self._step(step.limit_a)
        self._flow(to)

    def _flow(self, to: datetime) -> None:
        self.box.register += self.box.flowing * (to - self.now).total_seconds() / 3600
        self.now = to

    def _sample_at(self) -> datetime | None:
        if self.box.transaction is None:
            return None
        since = (self.now - utc("10T00:00")) % self.sample_every
        return self.now if not since else None

    def _next_sample(self) -> datetime | None:
        if self.box.transaction is None or not self.box.powered:
            return None
        since = (self.now - utc("10T00:00")) % self.sample_every
        return self.now + self.sample_every - since

    def _obey(self, command: Command) -> None:
        refused = Failure.REFUSED if isinstance(command, self.box.refuses) else None
        failure = self.box.failure or refused
        match command:
            case StartTransaction() | StopTransaction() | SetCurrentLimit() if self.box.deaf:
                pass
            case StartTransaction() | StopTransaction() | SetCurrentLimit() if failure is not None:
                self.tell(CommandFailed(charger_id=GARAGE, command_id=command.command_id, failure=failure, detail="no"))
            case StartTransaction() if self.box.barred:
                failure = Failure.REFUSED
                self.tell(CommandFailed(charger_id=GARAGE, command_id=command.command_id, failure=failure))
            case StartTransaction():
                self.tell(CommandSucceeded(charger_id=GARAGE, command_id=command.command_id))
                if self.box.obeys_start and self.box.plugged and self.box.transaction is None:
                    self._begin_transaction()
            case StopTransaction() if self.box.transaction != command.transaction_id:
                self.tell(CommandFailed(charger_id=GARAGE, command_id=command.command_id, failure=Failure.REFUSED))
            case StopTransaction():
                self.tell(CommandSucceeded(charger_id=GARAGE, command_id=command.command_id))
                if self.box.obeys_stop:
                    self._end_transaction("Remote")
                    self.box.barred = self.box.ended_for_good
                    self.tell(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.FINISHING, fault=""))
            case SetCurrentLimit():
                self._limit(command)
            case AnswerTransaction():
                if self.box.transaction == "?":
                    self.box.transaction = command.transaction_id

    def _limit(self, command: SetCurrentLimit) -> None:
        self.tell(CommandSucceeded(charger_id=GARAGE, command_id=command.command_id))
        if command.limit_a == 0 and not self.box.obeys_stop:
            return
        self.box.order = command.later if self.box.follows else ()
        self._step(command.limit_a)

    def _step(self, limit_a: float) -> None:
        """Another limit is in force."""
        was = self.box.flowing
        self.box.limit_a = limit_a
        if limit_a == 0 and self.box.ends_at_zero and self.box.transaction is not None:
            self._end_transaction("Other")
            self._say(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.FINISHING))
        elif was and not self.box.flowing:
            self._say(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.SUSPENDED_EVSE))
        elif self.box.flowing and not was:
            self._say(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.CHARGING))

    def _begin_transaction(self, id_token: str = "chargerd") -> None:
        self.box.transaction = "?"
        self.box.numbers += 1
        self.box.sleeps = False
        self._say(
            TransactionStarted(
                charger_id=GARAGE,
                reply_to=ReplyTo(f"tx-{self.box.numbers}"),
                id_token=id_token,
                register_wh=round(self.box.register),
                measured_at=self.now,
            )
        )
        self._say(StatusReported(charger_id=GARAGE, plugged=True, activity=self.box.activity))

    def _end_transaction(self, reason: str) -> None:
        assert self.box.transaction is not None
        ended, self.box.transaction = self.box.transaction, None
        self._say(
            TransactionEnded(
                charger_id=GARAGE,
                reply_to=ReplyTo(f"end-{self.box.numbers}"),
                transaction_id=TransactionId(ended),
                reason=reason,
                register_wh=round(self.box.register),
                measured_at=self.now,
            )
        )


def _issued(text: str | None) -> datetime | None:
    return None if text is None else utc(text)
