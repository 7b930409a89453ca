"""Whatever happened before: once the charger obeys and the car takes what is offered, the target is reached in time."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chargerd.core.abilities import can_pause
from chargerd.core.level import level_pct, needed_wh
from chargerd.core.model import RegularTarget, Slot
from chargerd.core.planning import car_limit_pct, missing_capabilities, planning_power_w
from chargerd.core.session import visiting_slot
from tests.property.acts import Act, able, car_takes, configure, histories, override, play, plug, setups
from tests.property.things import BATTERY_WH, Fate, Setup
from tests.property.world import World

QUARTER = timedelta(minutes=15)
"""The slack of the promise. Each example lives through hours, so there are fewer of them."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What must have come about, and by when."""

    level_pct: int
    by: datetime


@settings(max_examples=max(settings().max_examples // 10, 40))
@given(setups, histories(16), st.one_of(st.none(), st.tuples(st.sampled_from((60, 80)), st.sampled_from((40, 300)))))
def test_the_target_is_reached_by_its_time_else_as_soon_as_possible(
    setup: Setup, acts: list[Act], wish: tuple[int, int] | None
) -> None:
    setup = replace(setup, tells_register=True, sample_every_s=170, zone="UTC")
    world = obedient(play(World(setup), acts))
    if wish is not None:
        override(world, *wish)
    slot = visiting_slot(world.state)
    if slot is None and world.mistaken:
        return  # what was told of the cars says that it is a guest's
    assert slot is not None
    if missing_capabilities(world.state, slot) or slot.session.car_is_full:
        return
    if level_pct(slot.session, slot.vehicle) is None:
        world.let_pass(700)
    if level_pct(slot_of(world).session, slot_of(world).vehicle) is None:
        return
    promise = promised(world)
    world.let_pass(max((promise.by - world.now).total_seconds(), 1))
    assert level_of(world) >= promise.level_pct - 0.1, f"{level_of(world)} % of {promise}"


@settings(max_examples=max(settings().max_examples // 10, 40))
@given(setups, histories(8), st.sampled_from((2, 4, 24)))
def test_a_gateway_that_dies_leaves_a_plan_by_which_the_target_is_reached(
    setup: Setup, acts: list[Act], periods: int
) -> None:
    setup = replace(setup, tells_register=True, sample_every_s=170, zone="UTC", periods=periods, follows=True)
    world = obedient(play(World(setup), acts))
    world.let_pass(300)
    slot = visiting_slot(world.state)
    if slot is None or missing_capabilities(world.state, slot) or slot.session.car_is_full:
        return
    known = level_pct(slot.session, slot.vehicle) is not None
    if not known or not isinstance(slot.session.targets.latest, RegularTarget) or not can_pause(world.state):
        return
    promise, true_pct = promised(world), world.box.level_wh / BATTERY_WH * 100
    short_pct = promise.level_pct - level_of(world)
    world.connect(up=False)
    world.let_pass(max((promise.by - world.now).total_seconds(), 1))
    reached = world.box.level_wh / BATTERY_WH * 100
    assert reached >= min(true_pct + short_pct, 100) - 0.1, f"{reached} % from {true_pct} % on, {promise}"


def obedient(world: World) -> World:
    """From now on all goes as it should: a charger that is connected and obeys, a car that has room and takes it."""
    world.fate = Fate.OBEYED
    world.let_pass(1)
    able(world, None, None, None)
    configure(world, {"managed": True, "scheduled": True, "ready_by": f"{world.now + timedelta(hours=5):%H:%M}"})
    world.connect(up=True)
    if world.state.guest is not None or not world.setup.tells_activity:
        plug(world)
        world.let_pass(1)
        world.unplug()
        world.let_pass(1300)
    plug(world)
    world.say_status()
    world.let_pass(61)
    world.sample()
    slot = visiting_slot(world.state)
    if slot is not None:
        pct = level_pct(slot.session, slot.vehicle)
        world.box.level_wh = (0.35 if pct is None else pct / 100) * BATTERY_WH
    car_takes(world, takes=True)
    world.say_status()
    return world


def promised(world: World) -> Promise:
    """The level of the target in force by its time, or by the time that it takes at the least."""
    slot = slot_of(world)
    target = slot.session.targets.latest
    assert target is not None
    wanted = min(target.minimum_charge_target, int(car_limit_pct(slot)))
    wh = needed_wh(level_of(world), wanted, slot.vehicle)
    soonest = world.now + timedelta(hours=wh / planning_power_w(world.state, slot))
    by = max(soonest, target.ready_by) if isinstance(target, RegularTarget) else soonest
    return Promise(wanted, by + QUARTER)


def slot_of(world: World) -> Slot:
    slot = visiting_slot(world.state)
    assert slot is not None
    return slot


def level_of(world: World) -> float:
    pct = level_pct(slot_of(world).session, slot_of(world).vehicle)
    assert pct is not None
    return pct
