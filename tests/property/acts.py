"""What can happen in a random history, as data: a history is a list of acts, so that a failing one shrinks and reads.

Each act is a name and its arguments; ``play`` looks the name up in ``ACTS``.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from chargerd.core.events import (
    Activity,
    AuthorizeRequested,
    ChargerBooted,
    CommandFailed,
    CommandSucceeded,
    Failure,
    ImmediateStartRequested,
    MeterSampled,
    OverrideCancelled,
    PricesUpdated,
    ScheduleOverrideRequested,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.ids import CommandId, TransactionId
from tests.property.things import CAR_TOKEN, CURVES, OTHER_CAR, Fate, Setup
from tests.property.world import World
from tests.support.home import CAR, GARAGE, POLICY

Act = tuple[Any, ...]


def play(world: World, acts: Sequence[Act]) -> World:
    """Let a history happen."""
    for name, *arguments in acts:
        ACTS[name](world, *arguments)
    return world


def let_pass(world: World, seconds: float) -> None:
    world.let_pass(seconds)


def oversleep(world: World, seconds: float) -> None:
    world.let_pass(seconds, asleep=True)


def plug(world: World) -> None:
    if not world.box.plugged:
        world.plug()


def unplug(world: World, *, tells_end_first: bool) -> None:
    if world.box.plugged:
        world.unplug(tells_end_first=tells_end_first)


def replug(world: World, seconds: float) -> None:
    unplug(world, tells_end_first=True)
    world.let_pass(seconds)
    plug(world)


def status(world: World, activity: Activity | None, plugged: bool | None, age_s: float | None) -> None:
    """The charger says something about the cable, true or not."""
    world.rules.stimulated(world.now)
    measured_at = None if age_s is None else world.now - timedelta(seconds=age_s)
    if plugged is not None:
        world.honest = False
    world.say(StatusReported(charger_id=GARAGE, plugged=plugged, activity=activity, measured_at=measured_at))


def fault(world: World, text: str) -> None:
    world.say(StatusReported(charger_id=GARAGE, fault=text))


def sample(world: World, power_w: float | None, register: str, age_s: float | None, soc: float | None) -> None:
    """One sample, true or not."""
    world.rules.stimulated(world.now)
    true_wh = round(world.box.register)
    told = {"true": true_wh, "none": None, "zero": 0, "jump": true_wh + 50_000, "back": true_wh - 300}[register]
    world.honest = world.honest and register in ("true", "none") and not age_s
    measured_at = None if age_s is None else world.now - timedelta(seconds=age_s)
    world.say(MeterSampled(charger_id=GARAGE, measured_at=measured_at, register_wh=told, power_w=power_w, soc_pct=soc))


def true_sample(world: World) -> None:
    world.sample()


def register_reset(world: World) -> None:
    world.box.register = 0.0


def box_starts(world: World) -> None:
    world.rules.stimulated(world.now)
    if world.box.plugged:
        world.begin_transaction()


def box_stops(world: World) -> None:
    world.rules.stimulated(world.now)
    world.end_transaction("Local")


def stray_transaction(world: World, started: bool, transaction_id: str) -> None:
    """A message about a transaction that never was, or that was told before."""
    world.rules.stimulated(world.now)
    world.honest = False
    if started:
        told = TransactionStarted(
            charger_id=GARAGE, reply_to=world.reply_to(), transaction_id=TransactionId(transaction_id), register_wh=5
        )
        world.say(told)
    else:
        world.say(
            TransactionEnded(charger_id=GARAGE, reply_to=world.reply_to(), transaction_id=TransactionId(transaction_id))
        )


def told_again(world: World, back: int) -> None:
    """The charger tells one of its last messages once more."""
    world.rules.stimulated(world.now)
    kinds = (TransactionStarted, TransactionEnded, MeterSampled, StatusReported)
    told = [event for _, event in world.history if isinstance(event, kinds)]
    if len(told) >= back:
        world.honest = False
        world.say(told[-back])


def stray_outcome(world: World, command_id: int, ok: bool) -> None:
    told: CommandSucceeded | CommandFailed = CommandSucceeded(charger_id=GARAGE, command_id=CommandId(command_id))
    if not ok:
        told = CommandFailed(charger_id=GARAGE, command_id=CommandId(command_id), failure=Failure.REFUSED)
    world.tell(told)


def fate(world: World, which: Fate) -> None:
    world.fate = which


def goes_offline(world: World) -> None:
    world.connect(up=False)


def comes_online(world: World, loses_queue: bool) -> None:
    world.connect(up=True, loses_queue=loses_queue)


def boots(world: World) -> None:
    world.box.limit_a = 16.0
    world.tell(ChargerBooted(charger_id=GARAGE, vendor="Acme", model="Box"))
    world.connect(up=True)
    world.say_status()


def restart(world: World) -> None:
    world.restart()


def configure(world: World, change: dict[str, Any]) -> None:
    world.rules.stimulated(world.now)
    world.household = replace(world.household, **change)
    world.tell(world.configuration())


def new_prices(world: World, which: int) -> None:
    world.rules.stimulated(world.now)
    world.curve = CURVES[which]
    world.tell(PricesUpdated(curve=world.curve))


def boost(world: World, level: int) -> None:
    world.rules.stimulated(world.now)
    world.tell(ImmediateStartRequested(policy_id=POLICY, minimum_charge_target=level, reply_to=world.reply_to()))


def override(world: World, level: int, minutes: int) -> None:
    world.rules.stimulated(world.now)
    ready_by = world.now + timedelta(minutes=minutes)
    world.tell(
        ScheduleOverrideRequested(
            policy_id=POLICY, minimum_charge_target=level, ready_by=ready_by, reply_to=world.reply_to()
        )
    )


def cancel(world: World) -> None:
    world.rules.stimulated(world.now)
    world.tell(OverrideCancelled(policy_id=POLICY, reply_to=world.reply_to()))


def vehicle_tells(world: World, level: float, age_s: float | None) -> None:
    world.rules.stimulated(world.now)
    measured_at = None if age_s is None else world.now - timedelta(seconds=age_s)
    world.tell(VehicleReported(vehicle_id=CAR, level_pct=level, measured_at=measured_at))


def vehicle_is(world: World, other: bool, told: dict[str, Any], age_s: float | None) -> None:
    """Telemetry of the one or the other car, true or not."""
    world.rules.stimulated(world.now)
    world.mistaken = world.mistaken or other or told.get("plugged") is False or told.get("at_home") is False
    measured_at = None if age_s is None else world.now - timedelta(seconds=age_s)
    world.tell(VehicleReported(vehicle_id=OTHER_CAR if other else CAR, measured_at=measured_at, **told))


def clock_steps(world: World, by_s: float) -> None:
    """Somebody sets the clock of the machine; the charger's stays."""
    world.rules.stimulated(world.now)
    world.step_clock(by_s)


def able(world: World, start: bool | None, stop: bool | None, limit: bool | None) -> None:
    world.rules.stimulated(world.now)
    world.tell(world.able(start=start, stop=stop, limit=limit))


def car_takes(world: World, takes: bool) -> None:
    world.rules.stimulated(world.now)
    if world.box.car_takes is not takes:
        world.box.car_takes = takes
        world.say_status()


def card(world: World, token: str) -> None:
    world.rules.stimulated(world.now)
    world.mistaken = world.mistaken or token != CAR_TOKEN
    world.tell(AuthorizeRequested(charger_id=GARAGE, id_token=token, reply_to=world.reply_to()))


ACTS: dict[str, Callable[..., None]] = {
    "let_pass": let_pass,
    "oversleep": oversleep,
    "plug": plug,
    "unplug": lambda world, first: unplug(world, tells_end_first=first),
    "replug": replug,
    "status": status,
    "fault": fault,
    "sample": sample,
    "true_sample": true_sample,
    "register_reset": register_reset,
    "box_starts": box_starts,
    "box_stops": box_stops,
    "stray_transaction": stray_transaction,
    "told_again": told_again,
    "stray_outcome": stray_outcome,
    "fate": fate,
    "goes_offline": goes_offline,
    "comes_online": comes_online,
    "boots": boots,
    "restart": restart,
    "configure": configure,
    "new_prices": new_prices,
    "boost": boost,
    "override": override,
    "cancel": cancel,
    "vehicle_tells": vehicle_tells,
    "able": able,
    "car_takes": car_takes,
    "card": card,
    "vehicle_is": vehicle_is,
    "clock_steps": clock_steps,
}

_some = st.sampled_from
_maybe = _some((None, False, True))
_ages = _some((None, 0, 30, 300, 2400, 7200, -60))
_levels = _some((0, 1, 20, 36, 50, 60, 80, 100, 101))
_short = st.tuples(st.just("let_pass"), _some((0.4, 1, 9, 11, 46, 61, 125, 200, 610)))
_long = st.tuples(st.just("let_pass"), _some((1800, 3600, 7200, 10_800)))

passing = st.one_of(_short, _short, _long)

events = st.one_of(
    st.tuples(st.just("oversleep"), _some((30, 400, 5000, 30_000))),
    st.tuples(st.just("plug")),
    st.tuples(st.just("unplug"), st.booleans()),
    st.tuples(st.just("replug"), _some((1, 10, 70, 900))),
    st.tuples(st.just("status"), _some((None, *Activity)), _maybe, _ages),
    st.tuples(st.just("status"), _some(tuple(Activity)), st.none(), st.none()),
    st.tuples(st.just("fault"), _some(("", "GroundFailure"))),
    st.tuples(
        st.just("sample"),
        _some((None, 0.0, 50.0, 200.0, 400.0, 11_000.0, -20.0)),
        _some(("true", "none", "zero", "jump", "back")),
        _ages,
        _some((None, 0.0, 1.0, 40.0, 90.0, 100.0, 65535.0)),
    ),
    st.tuples(st.just("true_sample")),
    st.tuples(st.just("register_reset")),
    st.tuples(st.just("box_starts")),
    st.tuples(st.just("box_stops")),
    st.tuples(st.just("stray_transaction"), st.booleans(), _some(("999", "own-1"))),
    st.tuples(st.just("told_again"), st.integers(1, 6)),
    st.tuples(st.just("stray_outcome"), st.integers(1, 12), st.booleans()),
    st.tuples(st.just("fate"), _some(tuple(Fate))),
    st.tuples(st.just("goes_offline")),
    st.tuples(st.just("comes_online"), st.booleans()),
    st.tuples(st.just("boots")),
    st.tuples(st.just("restart")),
    st.tuples(
        st.just("configure"),
        _some(
            (
                {"goal": 90},
                {"goal": 50},
                {"reserve": 0},
                {"reserve": 60},
                {"ready_by": "05:10"},
                {"ready_by": "22:40"},
                {"scheduled": False},
                {"scheduled": True},
                {"managed": False},
                {"managed": True},
            )
        ),
    ),
    st.tuples(st.just("new_prices"), st.integers(0, len(CURVES) - 1)),
    st.tuples(st.just("boost"), _levels),
    st.tuples(st.just("override"), _levels, _some((-5, 0, 3, 45, 130, 600))),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("vehicle_tells"), _some((-5.0, 0.0, 10.0, 35.0, 49.9, 50.0, 80.0, 100.0, 65535.0)), _ages),
    st.tuples(st.just("able"), _maybe, _maybe, _maybe),
    st.tuples(st.just("car_takes"), st.booleans()),
    st.tuples(st.just("card"), _some((CAR_TOKEN, "04:ff", "unknown"))),
    st.tuples(
        st.just("vehicle_is"),
        st.booleans(),
        _some(
            (
                {"plugged": True},
                {"plugged": False},
                {"charging": True, "power_w": 45_000.0, "at_home": False},
                {"charging": True, "level_pct": 40.0},
                {"charging": False, "plugged": False, "level_pct": 62.0},
                {"at_home": True},
                {"limit_pct": 45.0},
            )
        ),
        _ages,
    ),
    st.tuples(st.just("clock_steps"), _some((3600.0, -3600.0, 40.0, -61.5, 86_400.0 * 200))),
)

beginnings = st.one_of(
    st.just([("let_pass", 61), ("plug",)]),
    st.just([("let_pass", 61), ("plug",), ("boost", 80), ("let_pass", 610)]),
    st.just([("let_pass", 8100), ("plug",), ("let_pass", 10_800)]),
    st.just([]),
)
"""Histories that are already somewhere, so that few acts reach far."""


def histories(size: int = 24) -> st.SearchStrategy[list[Act]]:
    """Lists of acts with time between them."""
    steps = st.lists(st.one_of(events, events, passing), max_size=size)
    return st.builds(lambda first, rest: [*first, *rest], beginnings, steps)


setups = st.builds(
    Setup,
    own_ids=st.booleans(),
    sample_every_s=_some((120, 60, 170)),
    tells_power=_some((True, True, False)),
    tells_register=_some((True, True, True, False)),
    tells_activity=_some((True, True, False)),
    tells_soc=st.booleans(),
    numbers_samples=st.booleans(),
    autostart=st.booleans(),
    assumed=_some((35, 35, 5, 90, None)),
    two_policies=_some((False, False, True)),
    tokens=st.booleans(),
    zone=_some(("UTC", "Europe/Berlin", "America/St_Johns")),
    start=_some(("10T20:00", "10T22:07:13", "11T05:30")),
    periods=_some((None, None, 24, 4, 2)),
    follows=st.booleans(),
)
