"""Random histories: whatever happens in whatever order, the rules hold, a replay is equal, a restart is seamless."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings

from chargerd.core import document
from chargerd.core.commands import StartTransaction
from chargerd.core.decide import decide, next_deadline
from chargerd.core.events import ChargerOnline, MeterSampled, PricesUpdated, TimePassed
from chargerd.core.model import State
from tests.property.acts import Act, histories, play, setups
from tests.property.things import Setup
from tests.property.world import World
from tests.support.home import GARAGE


@given(setups, histories())
def test_the_rules_hold_in_every_history(setup: Setup, acts: list[Act]) -> None:
    world = World(setup)
    for act in acts:
        play(world, [act])
        check_restart(world)
    if world.honest and setup.tells_register:
        assert world.rules.total_wh(world.state) <= world.box.delivered_wh + 2 * len(world.rules.settled) + 2


@settings(max_examples=max(settings().max_examples // 5, 120))
@given(setups, histories())
def test_a_replay_of_a_history_gives_the_same_state_and_the_same_commands(setup: Setup, acts: list[Act]) -> None:
    world = play(World(setup), acts)
    state, commands = world.first, []
    for now, event in world.history:
        decision = decide(state, event, now)
        state = decision.state
        commands.extend(decision.commands)
    assert state == world.state
    assert commands == world.commands


def documents(state: State) -> dict[str, Any]:
    """All current session documents of a state."""
    return {slot.policy.policy_id: document.current(state, slot.policy.policy_id) for slot in state.slots}


def check_restart(world: World) -> None:
    """A restart now would show the same documents, as they stand or planned anew, and would not start what charges."""
    now = world.now
    before = decide(world.state, TimePassed(charger_id=GARAGE), now).state
    if not before.facts.online:
        return
    state = decide(world.state, world.configuration(restarted=True), now).state
    state = decide(state, PricesUpdated(curve=world.curve), now).state
    state = decide(state, ChargerOnline(charger_id=GARAGE, protocol="OCPP"), now).state
    shown = without_hope(documents(state))
    assert shown in (without_hope(documents(before)), without_hope(documents(world.state))), "I10"
    if not before.facts.charging:
        return
    watts = 11_000.0
    for second in (5, 10, 15, 60, 125):
        at = now + timedelta(seconds=second)
        deadline = next_deadline(state)
        while deadline is not None and deadline <= at:
            decision = decide(state, TimePassed(charger_id=GARAGE), deadline)
            state, deadline = decision.state, next_deadline(decision.state)
            assert not any(isinstance(command, StartTransaction) for command in decision.commands)
        decision = decide(state, MeterSampled(charger_id=GARAGE, power_w=watts), at)
        assert not any(isinstance(command, StartTransaction) for command in decision.commands)
        state = decision.state


def without_hope(shown: dict[str, Any]) -> dict[str, Any]:
    """While START_FAIL holds, a ladder that was at its end begins anew, and with it the hope to reach the target."""
    for doc in shown.values():
        if doc["error"]["latest"] == {"type": "START_FAIL"} and doc["outcome"]["latest"] is not None:
            doc["outcome"]["latest"].pop("minimumChargeTargetReachedAt")
    return shown
