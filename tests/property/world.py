"""A world for random histories: a charger with moods, a car with a battery, a household that changes its mind.

Like the home of the playbooks, but commands may meet any fate, the wire loses and delays, and messages of a charger
that is offline wait in its queue. Every step is judged by the rules.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

from chargerd.core.commands import (
    AnswerTransaction,
    ChargerCommand,
    Command,
    SetCurrentLimit,
    StartTransaction,
    StopTransaction,
)
from chargerd.core.decide import decide, initial, next_deadline
from chargerd.core.events import (
    Activity,
    Capabilities,
    CapabilitiesChanged,
    ChargerOffline,
    ChargerOnline,
    ClockStepped,
    CommandFailed,
    CommandSucceeded,
    Configured,
    Event,
    Failure,
    MeterSampled,
    PricesUpdated,
    StatusReported,
    TimePassed,
    TransactionEnded,
    TransactionStarted,
)
from chargerd.core.ids import PolicyId, ReplyTo, TransactionId, VehicleId
from chargerd.core.model import State
from chargerd.core.policy import ChargerSpec, DayTarget, Policy, Site, VehicleSpec
from chargerd.plan.prices import PriceCurve
from tests.property.rules import Rules
from tests.property.things import (
    BATTERY_WH,
    CAR_TOKEN,
    EFFICIENCY,
    OTHER_CAR,
    OTHER_POLICY,
    OTHER_TOKEN,
    Box,
    Fate,
    Household,
    Setup,
)
from tests.support.home import CAR, GARAGE, NIGHT, POLICY, utc

_FAILURES = {
    Fate.REFUSED: Failure.REFUSED,
    Fate.NOT_SUPPORTED: Failure.NOT_SUPPORTED,
    Fate.TIMED_OUT: Failure.TIMED_OUT,
    Fate.LATE: Failure.TIMED_OUT,
}
_DONE = (Fate.OBEYED, Fate.LATE, Fate.FLAPPING)


@dataclass
class World:
    """The core, the box, and the wire between them."""

    setup: Setup = field(default_factory=Setup)
    household: Household = field(default_factory=Household)
    box: Box = field(default_factory=Box)
    fate: Fate = Fate.OBEYED
    online: bool = True
    honest: bool = True
    mistaken: bool = False
    curve: PriceCurve = NIGHT
    now: datetime = field(init=False)
    state: State = field(init=False)
    first: State = field(init=False)
    rules: Rules = field(default_factory=Rules)
    history: list[tuple[datetime, Event]] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    waiting: deque[Event] = field(default_factory=deque)
    queue: list[Event] = field(default_factory=list)
    replies: int = 0
    deciding: bool = False

    def __post_init__(self) -> None:
        self.now = utc(self.setup.start)
        configured = self.configuration()
        self.first = self.state = initial(configured, self.now)
        self.tell(configured, PricesUpdated(curve=self.curve))
        self.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP"), self.status())
        if self.setup.periods is not None:
            self.tell(self.able())

    def able(
        self, *, start: bool | None = None, stop: bool | None = None, limit: bool | None = None
    ) -> CapabilitiesChanged:
        """What the charger says that it can do."""
        periods = self.setup.periods
        pauses = None if periods is None else False
        can = Capabilities(
            can_start=start, can_stop=stop, can_limit=limit, schedule_periods=periods, zero_is_stop=pauses
        )
        return CapabilitiesChanged(charger_id=GARAGE, capabilities=can)

    # The household

    def configuration(self, *, restarted: bool = False) -> Configured:
        house, zone = self.household, self.setup.zone
        mine = self._policy(POLICY, CAR)
        other = replace(self._policy(OTHER_POLICY, OTHER_CAR), assumed_battery_level_at_plug_in=None)
        policies = (mine,) if house.managed else ()
        return Configured(
            charger_id=GARAGE,
            site=Site(zone=zone),
            charger=ChargerSpec(charger_id=GARAGE),
            policies=(*policies, other) if self.setup.two_policies else policies,
            vehicles=(self._vehicle(CAR, CAR_TOKEN), self._vehicle(OTHER_CAR, OTHER_TOKEN)),
            followed=(CAR, OTHER_CAR),
            restarted=restarted,
        )

    def _policy(self, policy_id: PolicyId, vehicle_id: VehicleId) -> Policy:
        house = self.household
        day = DayTarget(ready_by=time.fromisoformat(house.ready_by), minimum_charge_target=house.goal)
        return Policy(
            policy_id=policy_id,
            charger_id=GARAGE,
            vehicle_id=vehicle_id,
            battery_reserve=house.reserve,
            schedule=(day if house.scheduled else None,) * 7,
            assumed_battery_level_at_plug_in=self.setup.assumed,
        )

    def _vehicle(self, vehicle_id: VehicleId, token: str) -> VehicleSpec:
        return VehicleSpec(
            vehicle_id=vehicle_id,
            battery_wh=BATTERY_WH,
            charge_max_w=11_000.0,
            efficiency=EFFICIENCY,
            level_from_charger=self.setup.tells_soc,
            id_tokens=(token,) if self.setup.tokens else (),
        )

    # The core

    def tell(self, *events: Event) -> None:
        """Give the core events, and let the box react, in the order in which things happen."""
        self.waiting.extend(events)
        if self.deciding:
            return
        self.deciding = True
        while self.waiting:
            event = self.waiting.popleft()
            self.history.append((self.now, event))
            before = self.state
            decision = decide(before, event, self.now)
            self.state = decision.state
            self.commands.extend(decision.commands)
            self.rules.check(before, event, decision, self.now)
            for command in decision.commands:
                self._meet(command)
        self.deciding = False

    def reply_to(self) -> ReplyTo:
        self.replies += 1
        return ReplyTo(f"reply-{self.replies}")

    def restart(self) -> None:
        """The process dies and comes back with its state; the charger reconnects."""
        self.rules.stimulated(self.now)
        self.online = True
        self.tell(self.configuration(restarted=True), PricesUpdated(curve=self.curve))
        self.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP"))
        self._drain()

    def connect(self, *, up: bool, loses_queue: bool = False) -> None:
        """Have the connection come or go; what the charger has to tell meanwhile waits in its queue."""
        self.rules.stimulated(self.now)
        if loses_queue:
            self.queue.clear()
        self.online = up
        if up:
            self.tell(ChargerOnline(charger_id=GARAGE, protocol="OCPP"))
            self._drain()
        else:
            self.tell(ChargerOffline(charger_id=GARAGE, reason="test"))

    def _drain(self) -> None:
        queued, self.queue = self.queue, []
        self.tell(*queued)

    def say(self, *events: Event) -> None:
        """Something that the charger tells: at once, or when it is connected again."""
        if self.online:
            self.tell(*events)
        else:
            self.queue.extend(events)

    # Time

    def step_clock(self, by_s: float) -> None:
        """The time of day jumps, and no time passes. The charger's clock, which it got from us, follows."""
        by = timedelta(seconds=by_s)
        self.now += by
        self.queue = [_redated(event, by) for event in self.queue]
        self.box.order = tuple(replace(step, at=step.at + by) for step in self.box.order)
        self.tell(ClockStepped(charger_id=GARAGE, by_s=by_s))

    def let_pass(self, seconds: float, *, asleep: bool = False) -> None:
        """Let time pass; deadlines are kept and the meter is read, unless the process sleeps."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            deadline = None if asleep else next_deadline(self.state)
            sample_at = None if asleep else self._next_sample()
            times = (sample_at, deadline, *(step.at for step in self.box.order[:1]), end)
            step = max(min(t for t in times if t is not None), self.now)
            self._advance(step)
            if step == sample_at:
                self.sample()
            if step == deadline:
                self.tell(TimePassed(charger_id=GARAGE))
        if asleep:
            self.tell(TimePassed(charger_id=GARAGE))

    def _advance(self, to: datetime) -> None:
        self._flow(to)
        while self.box.order and self.box.order[0].at <= to:
            limit_a = self.box.order[0].limit_a
            self.box.order = self.box.order[1:]
            self._limit(limit_a, self.say)

    def _flow(self, to: datetime) -> None:
        box = self.box
        was = box.flowing
        wh = was * (to - self.now).total_seconds() / 3600
        room = max(BATTERY_WH - box.level_wh, 0.0) / EFFICIENCY
        wh = min(wh, room)
        box.register += wh
        box.delivered_wh += wh
        box.level_wh += wh * EFFICIENCY
        self.now = to
        if was and wh == room:
            box.level_wh = BATTERY_WH
            self.say_status()

    def _next_sample(self) -> datetime | None:
        if self.box.transaction is None:
            return None
        every = timedelta(seconds=self.setup.sample_every_s)
        return self.now + every - (self.now - utc("10T00:00")) % every

    # The charger's side

    def sample(self) -> None:
        """Let the meter be read now."""
        box, setup = self.box, self.setup
        numbered = setup.numbers_samples and box.transaction is not None
        event = MeterSampled(
            charger_id=GARAGE,
            measured_at=self.now,
            register_wh=round(box.register) if setup.tells_register else None,
            power_w=box.flowing if setup.tells_power else None,
            soc_pct=box.level_wh / BATTERY_WH * 100 if setup.tells_soc else None,
            transaction_id=TransactionId(str(box.transaction)) if numbered else None,
        )
        self.say(event)
        if self.fate is Fate.FLAPPING and box.transaction is not None and box.flowing:
            self.end_transaction("Other")

    def status(self, activity: Activity | None = None) -> StatusReported:
        told = activity or (self.box.activity if self.setup.tells_activity else None)
        return StatusReported(
            charger_id=GARAGE, plugged=self.box.plugged, activity=told, fault="", measured_at=self.now
        )

    def say_status(self) -> None:
        self.say(self.status())

    def plug(self) -> None:
        self.rules.stimulated(self.now)
        self.box.plugged = True
        self.say_status()
        if self.setup.autostart:
            self.begin_transaction()

    def unplug(self, *, tells_end_first: bool = True) -> None:
        self.rules.stimulated(self.now)
        self.box.plugged = False
        if not tells_end_first:
            self.say_status()
        self.end_transaction("EVDisconnected")
        if tells_end_first:
            self.say_status()

    def begin_transaction(self) -> None:
        box = self.box
        if box.transaction is not None:
            return
        box.numbers += 1
        box.transaction = f"own-{box.numbers}" if self.setup.own_ids or not self.online else "?"
        self.say(
            TransactionStarted(
                charger_id=GARAGE,
                reply_to=self.reply_to(),
                transaction_id=None if box.transaction == "?" else TransactionId(box.transaction),
                id_token="chargerd",
                register_wh=round(box.register) if self.setup.tells_register else None,
                measured_at=self.now,
            )
        )
        self.say_status()

    def end_transaction(self, reason: str) -> None:
        box = self.box
        if box.transaction is None:
            return
        ended, box.transaction = box.transaction, None
        self.say(
            TransactionEnded(
                charger_id=GARAGE,
                reply_to=self.reply_to(),
                transaction_id=TransactionId(ended),
                reason=reason,
                register_wh=round(box.register) if self.setup.tells_register else None,
                measured_at=self.now,
            )
        )

    def _meet(self, command: Command) -> None:
        match command:
            case StartTransaction() | StopTransaction() | SetCurrentLimit():
                if self.fate in _DONE:
                    self.waiting.append(self._outcome(command))
                    self._carry_out(command)
                elif self.fate is not Fate.SILENT:
                    self.waiting.append(self._outcome(command))
            case AnswerTransaction():
                if self.box.transaction == "?":
                    self.box.transaction = command.transaction_id
            case _:
                pass

    def _outcome(self, command: ChargerCommand) -> Event:
        failure = _FAILURES.get(self.fate)
        if failure is None:
            return CommandSucceeded(charger_id=GARAGE, command_id=command.command_id)
        return CommandFailed(charger_id=GARAGE, command_id=command.command_id, failure=failure, detail="no")

    def _carry_out(self, command: ChargerCommand) -> None:
        box = self.box
        match command:
            case StartTransaction():
                if box.plugged and box.transaction is None:
                    self.begin_transaction()
            case StopTransaction():
                if box.transaction == command.transaction_id:
                    self.end_transaction("Remote")
                    if self.setup.tells_activity:
                        self.waiting.append(self.status(Activity.FINISHING))
            case SetCurrentLimit():
                box.order = command.later if self.setup.follows else ()
                self._limit(command.limit_a, self.waiting.append)

    def _limit(self, limit_a: float, say: Callable[[Event], None]) -> None:
        was, self.box.limit_a = self.box.flowing, limit_a
        if bool(was) is not bool(self.box.flowing):
            say(self.status())


def _redated(event: Event, by: timedelta) -> Event:
    measured_at = getattr(event, "measured_at", None)
    return event if measured_at is None else replace(event, measured_at=measured_at + by)  # type: ignore[call-arg]
