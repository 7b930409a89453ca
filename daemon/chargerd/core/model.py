"""The state: frozen values. One State is one partition: a charger, its policies and cars, and the visit going on.

A decision sees one partition and the small shared facts of the site (its zone, its prices), so its cost does not
grow with the number of chargers. Only what cannot be derived from facts is kept.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chargerd.core.commands import LimitStep
from chargerd.core.events import Activity, Capabilities, Failure
from chargerd.core.ids import CommandId, PolicyId, SessionId, TransactionId
from chargerd.core.policy import ChargerSpec, Policy, Site, VehicleSpec
from chargerd.plan.prices import PriceCurve
from chargerd.plan.schedule import BlockKind, Window


class Quality(StrEnum):
    """How an interval's energy became known; the worst of its parts counts."""

    MEASURED = "measured"
    """From register samples less than five minutes apart."""
    INTERPOLATED = "interpolated"
    """From register samples further apart; the total is measured, its place in time is not."""
    RECOVERED = "recovered"
    """From the register after a time without connection or without the daemon."""
    ESTIMATED = "estimated"
    """Integrated from power, where no register moves."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One cell of a session's grid: half-open, energy in integer Wh."""

    start: datetime
    end: datetime
    wh: int
    quality: Quality = Quality.MEASURED


@dataclass(frozen=True, slots=True)
class Tentative:
    """Energy counted from power alone in one cell; ``quality`` is what the cell had before."""

    start: datetime
    end: datetime
    wh: int
    quality: Quality


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One sample of a charger's meter."""

    at: datetime
    register_wh: float | None = None
    power_w: float | None = None
    soc_pct: float | None = None


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The truth about energy: register differences, placed on the session's grid.

    ``cells`` are contiguous from plug-in and end on clock quarters; settlement cuts the last one at plug-out.
    ``epoch_wh`` is the register where counting began, ``epoch_counted_wh`` what was counted since, of which
    ``epoch_excess_wh`` is more than the register has confirmed; ``excess`` is where, of all epochs, and
    ``denied`` what settlement has taken back of it.
    ``anchor_wh`` is the last register reading that was counted, ``anchor_at`` its time; None before the first.
    ``dip_*`` keep a reading below it until the next one tells a fault from a new beginning, ``pending`` those that
    wait for what the charger has to tell of a time without connection. ``power_*`` is the last power told,
    ``carry_wh`` what was integrated from it since ``carry_since`` and not counted, ``tentative`` what was counted from
    it since the register last moved. ``scale`` makes Wh of what the register shows, ``step_wh`` is the least that it
    was seen to move by.
    """

    cells: tuple[Interval, ...] = ()
    total_wh: int = 0
    scale: float = 1.0
    epoch_wh: float | None = None
    epoch_counted_wh: int = 0
    epoch_excess_wh: int = 0
    excess: tuple[Tentative, ...] = ()
    denied: tuple[Tentative, ...] = ()
    anchor_wh: float | None = None
    anchor_at: datetime | None = None
    dip_wh: float | None = None
    dip_at: datetime | None = None
    pending: tuple[Reading, ...] = ()
    power_w: float | None = None
    power_at: datetime | None = None
    carry_wh: float = 0.0
    carry_since: datetime | None = None
    step_wh: float | None = None
    tentative: tuple[Tentative, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Block:
    """A stretch of charging that was seen. ``ended_at`` is None while it runs."""

    kind: BlockKind
    started_at: datetime
    ended_at: datetime | None = None
    wh: int = 0


@dataclass(frozen=True, kw_only=True)
class RegularTarget:
    """A level by a time. ``from_policy`` is False for a user's override."""

    target_id: int
    from_policy: bool
    minimum_charge_target: int
    ready_by: datetime


@dataclass(frozen=True, kw_only=True)
class ImmediateTarget:
    """A level as soon as possible."""

    target_id: int
    minimum_charge_target: int


Target = RegularTarget | ImmediateTarget


@dataclass(frozen=True, kw_only=True)
class Targets:
    """What a session charges towards. ``immediate`` goes before ``override``, that before ``scheduled``.

    ``scheduled`` is the policy's own, None while no day of its schedule has a deadline. ``issued_at`` is when the
    last wish was made; an older one that comes late changes nothing.
    """

    scheduled: RegularTarget | None = None
    override: RegularTarget | None = None
    immediate: ImmediateTarget | None = None
    next_id: int = 1
    issued_at: datetime | None = None

    @property
    def regular(self) -> RegularTarget | None:
        """The REGULAR target in force, or in force again once an immediate start is over."""
        return self.override or self.scheduled

    @property
    def latest(self) -> Target | None:
        """The target in force."""
        return self.immediate or self.regular


class LevelSource(StrEnum):
    """Where a battery level came from."""

    VEHICLE = "vehicle"
    CHARGER = "charger"
    ASSUMED = "assumed"


@dataclass(frozen=True, kw_only=True)
class Level:
    """A battery level known at one point of the session; what flowed since is added to it.

    ``pct`` 0 to 100. ``session_wh`` is the session's delivered energy at that point. ``doubted_pct`` is a level that
    jumped and was not believed; a second one like it is.
    """

    pct: float
    session_wh: int
    at: datetime
    source: LevelSource
    doubted_pct: float | None = None


class OutcomeState(StrEnum):
    """Whether the target will be met."""

    ON_TARGET = "ON_TARGET"
    OFF_TARGET = "OFF_TARGET"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is expected of the target named. ``state`` and ``level_pct_at_ready_by`` are for REGULAR targets only."""

    target_id: int
    state: OutcomeState | None
    level_pct_at_ready_by: int | None = None
    reached_at: datetime | None = None


class ErrorKind(StrEnum):
    """What has gone wrong with charge control."""

    START_FAIL = "START_FAIL"
    STOP_FAIL = "STOP_FAIL"
    MISSING_CAPABILITIES = "MISSING_CAPABILITIES"


@dataclass(frozen=True, kw_only=True)
class SessionError:
    """An active error; ``missing`` is for MISSING_CAPABILITIES only."""

    kind: ErrorKind
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Session:
    """One visit, from before plug-in to its settlement. UPCOMING while ``plugged_in_at`` is None.

    ``policy_id`` is None for an unmanaged visit, which is only measured. ``blocks`` is what was seen, ``plan`` what
    is due or to come. ``unplugged_at`` is the first evidence of plug-out; ``quiet_since`` the last thing that the
    charger said after it. ``car_is_full`` says that the car takes nothing though current is offered.
    ``kind`` is what the session charges for at present, ``kind_since`` since when. ``planned_w`` is the power that
    the plan counts on, ``level_first`` the first level that a real source told, ``flowed_until`` the end of the last
    stretch in which charging was seen.
    """

    session_id: SessionId
    policy_id: PolicyId | None
    plugged_in_at: datetime | None = None
    targets: Targets = Targets()
    ledger: Ledger = Ledger()
    loose_wh: int = 0
    blocks: tuple[Block, ...] = ()
    plan: tuple[Window, ...] = ()
    planned_w: float = 0.0
    level: Level | None = None
    level_first: Level | None = None
    level_from_pct: float | None = None
    flowed_until: datetime | None = None
    kind: BlockKind = BlockKind.REGULAR
    kind_since: datetime | None = None
    car_is_full: bool = False
    unplugged_at: datetime | None = None
    quiet_since: datetime | None = None
    outcome: Outcome | None = None
    error: SessionError | None = None


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """An OCPP transaction as far as the core needs it. ``key`` recognises the same start told twice.

    ``register_wh`` is the meter at its start, ``had_car`` False when it began before a car was there. ``ended_at`` is
    None while it runs, ``end_reason`` the charger's word for why it ended.
    """

    transaction_id: TransactionId
    started_at: datetime
    key: str = ""
    register_wh: float | None = None
    had_car: bool | None = None
    ended_at: datetime | None = None
    end_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Lag:
    """The least time that messages took, in s by both clocks: in the window since ``since``, and in the one before."""

    since: datetime
    least_s: float
    before_s: float | None = None


class Want(StrEnum):
    """What should be happening at the cable."""

    FREE = "FREE"
    """Nothing is asked: no car, no policy, or no means to control it."""
    CHARGE = "CHARGE"
    HOLD = "HOLD"


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """A command whose outcome is not known yet; ``later`` is the standing order that goes with a limit."""

    command_id: CommandId
    action: str
    sent_at: datetime
    limit_a: float | None = None
    later: tuple[LimitStep, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The last command and what became of it; ``accepted`` None: no answer yet, or none in time.

    ``failure`` says how it failed, ``detail`` holds the charger's own word.
    """

    action: str
    sent_at: datetime
    limit_a: float | None = None
    answered_at: datetime | None = None
    accepted: bool | None = None
    failure: Failure | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Control:
    """The ladder of attempts towards what is wanted.

    ``unmet_since`` is since when reality differs from ``want``, ``commanded_at`` when the first command of this
    stretch went out. ``attempts`` counts them, ``retry_at`` is when the next is due; None with attempts made means
    that the ladder is at its end. Until ``listen_until`` nothing is asked: facts come first.
    ``limit_a`` is the limit that the charger last confirmed or took up by its standing order, None when unknown, in
    force since ``limited_at``; ``limit_refused`` keeps one that was not taken from being sent again and again;
    ``limit_again_at`` is when one that got no answer is sent anew. ``unheeded`` counts the limits in a row that were
    accepted and had no effect, ``resumed`` says that a pause ended since the last one was sent. ``holds_down`` is True
    from a pause of ours on, until a limit over 0 is confirmed; ``held_at`` is when we last held a car back that has not
    charged since. ``refusal`` and ``failure`` keep the last no of this stretch, ``last`` the last command. ``later`` is
    the charger's standing order, ``opened_for`` the visit that got a transaction for it, ``told`` when limits were.
    """

    want: Want = Want.FREE
    unmet_since: datetime | None = None
    commanded_at: datetime | None = None
    attempts: int = 0
    retry_at: datetime | None = None
    listen_until: datetime | None = None
    in_flight: tuple[InFlight, ...] = ()
    next_command_id: int = 1
    limit_a: float | None = None
    limited_at: datetime | None = None
    limit_refused: bool = False
    limit_again_at: datetime | None = None
    resumed: bool = False
    unheeded: int = 0
    later: tuple[LimitStep, ...] = ()
    told: tuple[datetime, ...] = ()
    opened_for: SessionId | None = None
    holds_down: bool = False
    held_at: datetime | None = None
    refusal: str = ""
    failure: Failure | None = None
    last: Asked | None = None


class ActionState(StrEnum):
    """What became of a request by hand."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, kw_only=True)
class Action:
    """The last request by hand to start (CHARGE) or stop (HOLD); its id counts up per charger.

    It is for the visit of ``session_id`` only.
    """

    action_id: int
    session_id: SessionId
    want: Want
    state: ActionState
    requested_at: datetime


@dataclass(frozen=True, kw_only=True)
class ChargerFacts:
    """What the charger last told, and what its meter proves.

    ``first_online_at`` is when the charger first connected, ``lost_at`` when the last connection was lost,
    ``replayed_at`` when something from the past was last told over this one, ``lag`` how far its clock is off.
    ``charging`` is judged by physics: True once power or the register moves, False after two low samples or the
    charger's word that it stopped. ``charging_since`` is when that began; ``stopped_at`` when it last ended.
    ``plugged_at`` and ``activity_at`` are when ``plugged`` and ``activity`` last changed, ``plug_wh`` the register at
    plug-in, ``present_at`` the last evidence of a car; ``left_unseen`` says that it left while nobody heard.
    ``token`` is the last card or EVCCID presented, in lower case, and ``token_at`` when. ``waits_in`` is a transaction
    that has a car and no more (2.0.1). ``low_samples`` counts consecutive samples without power,
    ``register_scale`` makes Wh of what the meter shows. ``zero_stops`` counts the transactions that this firmware ended
    at a limit of 0, ``outlived_zero`` says that one went on under it; ``dead_stops`` counts the starts that it refused
    behind a stop of ours. See ``abilities``.
    """

    online: bool = False
    online_since: datetime | None = None
    first_online_at: datetime | None = None
    lost_at: datetime | None = None
    replayed_at: datetime | None = None
    lag: Lag | None = None
    protocol: str = ""
    vendor: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    capabilities: Capabilities = Capabilities()
    plugged: bool | None = None
    plugged_at: datetime | None = None
    plug_wh: float | None = None
    present_at: datetime | None = None
    left_unseen: bool = False
    token: str = ""
    token_at: datetime | None = None
    activity: Activity | None = None
    activity_at: datetime | None = None
    fault: str = ""
    reading: Reading | None = None
    register_scale: float = 1.0
    charging: bool = False
    charging_since: datetime | None = None
    stopped_at: datetime | None = None
    low_samples: int = 0
    transaction: Transaction | None = None
    last_transaction: Transaction | None = None
    last_transaction_number: int = 0
    waits_in: TransactionId | None = None
    zero_stops: int = 0
    outlived_zero: bool = False
    dead_stops: int = 0
    heard_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class VehicleFacts:
    """What a vehicle's own telemetry, or its owner, last told; None where nothing was said.

    ``level_pct`` was true at ``level_at``; ``doubted_pct`` is one that jumped and was not believed. ``plugged``,
    ``charging``, ``power_w`` and ``at_home`` were true at ``told_at``, ``plugged`` since ``plugged_at``.
    ``limit_pct`` is the level at which the car stops by itself.
    """

    level_pct: float | None = None
    level_at: datetime | None = None
    doubted_pct: float | None = None
    limit_pct: float | None = None
    plugged: bool | None = None
    plugged_at: datetime | None = None
    charging: bool | None = None
    power_w: float | None = None
    at_home: bool | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What visits taught about a car at a charger: None until it was seen.

    ``power_w`` is the real power at the full limit, ``efficiency`` the real share of grid energy in the battery.
    """

    power_w: float | None = None
    efficiency: float | None = None


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One policy with its vehicle and its one current session."""

    policy: Policy
    vehicle: VehicleSpec
    facts: VehicleFacts = VehicleFacts()
    learned: Learned = Learned()
    session: Session


@dataclass(frozen=True, kw_only=True)
class Car:
    """A vehicle whose visits elsewhere this partition keeps; ``visit`` is the one going on."""

    vehicle: VehicleSpec
    facts: VehicleFacts = VehicleFacts()
    visit: Session | None = None


@dataclass(frozen=True, kw_only=True)
class State:
    """One partition. ``at`` is the time of the last decision; ``sessions_made`` makes session ids unique.

    ``guest`` is the visit of a car that no policy is for. ``prices`` is shared by all partitions. Each vehicle is
    followed by one partition, in its ``cars``. ``unattributed_wh`` is energy that flowed in no visit.
    """

    at: datetime
    site: Site
    charger: ChargerSpec
    prices: PriceCurve = PriceCurve()
    facts: ChargerFacts = ChargerFacts()
    control: Control = Control()
    slots: tuple[Slot, ...] = ()
    guest: Session | None = None
    cars: tuple[Car, ...] = ()
    action: Action | None = None
    unattributed_wh: int = 0
    sessions_made: int = 0

    def slot_of(self, policy_id: PolicyId | None) -> Slot | None:
        """The slot of a policy; None where this partition does not have it."""
        return next((slot for slot in self.slots if slot.policy.policy_id == policy_id), None)
