"""A home on paper for playbooks: one charger, one car, and the core; time is given, nothing runs by itself.

The charger obeys at once unless a knob says otherwise. Every step is checked against the invariants.
"""

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
    ChargerOffline,
    ChargerOnline,
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
from tests.support.invariants import Watch

GARAGE = ChargerId("garage")
CAR = VehicleId("car")
POLICY = PolicyId("f47ac10b-58cc-4372-a567-0e02b2c3d479")
QUARTER = timedelta(minutes=15)


def utc(text: str) -> datetime:
    """Read ``2025-06-10T22:15:00``, or ``10T22:15`` for June 2025, as UTC."""
    if "-" not in text:
        text = f"2025-06-{text}"
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def prices(start: str, values: list[float]) -> PriceCurve:
    """Hourly prices from a time on."""
    first = utc(start)
    return PriceCurve(
        tuple(
            PriceSlot(first + timedelta(hours=i), first + timedelta(hours=i + 1), Decimal(str(value)))
            for i, value in enumerate(values)
        )
    )


NIGHT = prices("10T18:00", [0.40, 0.40, 0.35, 0.35, 0.30, 0.30, 0.20, 0.10, 0.12, 0.15, 0.20, 0.30, 0.40, 0.40, 0.40])
"""Dear in the evening, cheapest from 01:00 to 02:00 UTC of 2025-06-11, dear again at 06:00."""


@dataclass
class Box:
    """The charger's side of the story; fields are knobs."""

    watts: float = 11_000.0
    register: float = 100_000.0
    plugged: bool = False
    transaction: str | None = None
    limit_a: float = 16.0
    obeys_start: bool = True
    obeys_stop: bool = True
    car_takes: bool = True
    failure: Failure | None = None
    numbers: int = 700
    soc: float | None = None

    @property
    def flowing(self) -> float:
        """Power in W at this instant."""
        on = self.plugged and self.transaction is not None and self.limit_a >= 6 and self.car_takes
        return self.watts if on else 0.0


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
    watch: Watch = field(default_factory=Watch)
    asked: int = 0

    def __post_init__(self) -> None:
        configured = self.configuration()
        self.state = initial(configured, self.now)
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
            step = min(t for t in (self._next_sample(), next_deadline(self.state), end) if t is not None)
            self._advance(min(step, end))
            if self.now == self._sample_at():
                self.sample()
            deadline = next_deadline(replace(self.state, at=self.now - timedelta(microseconds=1)))
            if deadline is not None and deadline <= self.now:
                self.tell(TimePassed(charger_id=GARAGE))
        return self

    def sample(self) -> None:
        """Let the meter be read now."""
        self.tell(
            MeterSampled(
                charger_id=GARAGE,
                measured_at=self.now,
                register_wh=round(self.box.register),
                power_w=self.box.flowing,
                soc_pct=self.box.soc,
                transaction_id=None if self.box.transaction is None else TransactionId(self.box.transaction),
            )
        )

    def plug(self) -> "Home":
        self.box.plugged = True
        self.tell(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.EV_CONNECTED, fault=""))
        return self

    def unplug(self) -> "Home":
        self.box.plugged = False
        if self.box.transaction is not None:
            self._end_transaction("EVDisconnected")
        self.tell(StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE, fault=""))
        return self

    def start_box(self) -> "Home":
        """Have the box begin a transaction by itself, as an autostart box does."""
        self._begin_transaction()
        return self

    def offline(self) -> "Home":
        self.tell(ChargerOffline(charger_id=GARAGE, reason="test"))
        return self

    def online(self) -> "Home":
        self.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"))
        return self

    def restart(self) -> "Home":
        """The process dies and comes back with its state; the charger reconnects."""
        self.tell(self.configuration(restarted=True))
        self.tell(PricesUpdated(curve=self.curve))
        return self.online()

    def able(self, **capabilities: bool) -> "Home":
        self.tell(CapabilitiesChanged(charger_id=GARAGE, capabilities=Capabilities(**capabilities)))
        return self

    def boost(self, level: int) -> str | None:
        return self._ask(lambda to: ImmediateStartRequested(policy_id=POLICY, minimum_charge_target=level, reply_to=to))

    def override(self, level: int, ready_by: str) -> str | None:
        return self._ask(
            lambda to: ScheduleOverrideRequested(
                policy_id=POLICY, minimum_charge_target=level, ready_by=utc(ready_by), reply_to=to
            )
        )

    def cancel(self) -> str | None:
        return self._ask(lambda to: OverrideCancelled(policy_id=POLICY, reply_to=to))

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

    def _ask(self, make: Any) -> str | None:
        self.asked += 1
        reply_to = ReplyTo(f"test-{self.asked}")
        answers = [c for c in self.tell(make(reply_to)) if isinstance(c, AnswerRequest)]
        assert [a.reply_to for a in answers] == [reply_to]
        return answers[0].rejected

    def _advance(self, to: datetime) -> None:
        self.box.register += self.box.flowing * (to - self.now).total_seconds() / 3600
        self.now = to

    def _sample_at(self) -> datetime | None:
        if self.box.transaction is None:
            return None
        since = (self.now - utc("10T00:00")) % self.sample_every
        return self.now if not since else None

    def _next_sample(self) -> datetime | None:
        if self.box.transaction is None:
            return None
        since = (self.now - utc("10T00:00")) % self.sample_every
        return self.now + self.sample_every - since

    def _obey(self, command: Command) -> None:
        match command:
            case StartTransaction() | StopTransaction() | SetCurrentLimit() if self.box.failure is not None:
                self.tell(
                    CommandFailed(
                        charger_id=GARAGE, command_id=command.command_id, failure=self.box.failure, detail="no"
                    )
                )
            case StartTransaction():
                self.tell(CommandSucceeded(charger_id=GARAGE, command_id=command.command_id))
                if self.box.obeys_start and self.box.plugged and self.box.transaction is None:
                    self._begin_transaction()
            case StopTransaction():
                self.tell(CommandSucceeded(charger_id=GARAGE, command_id=command.command_id))
                if self.box.obeys_stop:
                    self._end_transaction("Remote")
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
        was = self.box.flowing
        self.box.limit_a = command.limit_a
        if was and not self.box.flowing:
            self.tell(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.SUSPENDED_EVSE))
        elif self.box.flowing and not was:
            self.tell(StatusReported(charger_id=GARAGE, plugged=True, activity=Activity.CHARGING))

    def _begin_transaction(self) -> None:
        self.box.transaction = "?"
        self.box.numbers += 1
        self.tell(
            TransactionStarted(
                charger_id=GARAGE,
                reply_to=ReplyTo(f"tx-{self.box.numbers}"),
                id_token="chargerd",
                register_wh=round(self.box.register),
                measured_at=self.now,
            )
        )
        activity = Activity.CHARGING if self.box.flowing else Activity.SUSPENDED_EV
        if self.box.limit_a < 6:
            activity = Activity.SUSPENDED_EVSE
        self.tell(StatusReported(charger_id=GARAGE, plugged=True, activity=activity))

    def _end_transaction(self, reason: str) -> None:
        assert self.box.transaction is not None
        ended, self.box.transaction = self.box.transaction, None
        self.tell(
            TransactionEnded(
                charger_id=GARAGE,
                reply_to=ReplyTo(f"end-{self.box.numbers}"),
                transaction_id=TransactionId(ended),
                reason=reason,
                register_wh=round(self.box.register),
                measured_at=self.now,
            )
        )
