"""Why a car is charging, or is not, in one to three sentences that a resident understands.

What happens and why comes first, then what follows, then what to do where something is wrong.
"""

from collections.abc import Callable

from chargerd.core import whose
from chargerd.core.control import car_is_full_at
from chargerd.core.explain_phrases import (
    Case,
    attempt,
    coming,
    culprit,
    goal,
    planned,
    prices,
    since_due,
    until,
    with_power,
)
from chargerd.core.failing import fails_at
from chargerd.core.level import level_pct, shown_pct
from chargerd.core.model import RegularTarget
from chargerd.core.planning import missing_capabilities
from chargerd.core.reason import Reason
from chargerd.core.remedy import is_without_level, remedy
from chargerd.core.session import visiting_slot

SENTENCES_MOST = 3

Sentences = tuple[str, ...]


def words(case: Case) -> str:
    """Say it; the most important sentence first, and the remedy last."""
    said = [sentence for sentence in _SENTENCES[case.reason](case) if sentence]
    cure = remedy(case)
    if cure is not None:
        said = [*said[: SENTENCES_MOST - 1], cure]
    return " ".join(said[:SENTENCES_MOST])


def _offline(case: Case) -> Sentences:
    facts, lost_at = case.state.facts, case.state.facts.lost_at
    since = "is not connected" if lost_at is None else f"has not been connected since {case.clock(lost_at)}"
    if case.slot.session.plugged_in_at is None:
        return (f"{case.charger} {since}, so nobody can tell whether a car is plugged in.",)
    heard = "It was charging when it was last heard." if facts.charging else planned(case)
    return f"{case.charger} {since}, so nobody can tell or change what {case.car} does.", heard


def _missing(case: Case) -> Sentences:
    level = f"nothing tells the battery level of {case.car} and its policy assumes none"
    lacks = {
        "chargeState": level if is_without_level(case) else f"{case.charger} does not tell what goes on at it",
        "startCharging": f"{case.charger} cannot be started",
        "stopCharging": f"{case.charger} cannot be stopped",
    }
    causes = " and ".join(lacks[name] for name in missing_capabilities(case.state, case.slot))
    if case.slot.session.plugged_in_at is None:
        return (f"The charging of {case.car} cannot be controlled, because {causes}.",)
    return (
        f"The charging of {case.car} cannot be controlled, because {causes}.",
        "It is left free to charge, and what flows is measured.",
    )


def _left(case: Case) -> Sentences:
    return (
        f"{case.car} was unplugged at {case.clock(case.slot.session.unplugged_at or case.state.at)}.",
        f"Its session is settled once {case.charger} has told all of it.",
    )


def _another(case: Case) -> Sentences:
    other = visiting_slot(case.state)
    if other is None:
        return (f"The car that is plugged in at {case.charger} is taken for another one than {case.car}.",)
    return (f"{other.vehicle.vehicle_id} is plugged in at {case.charger}, not {case.car}.",)


def _awaited(case: Case) -> Sentences:
    plugged_in_at = case.state.facts.plugged_at or case.state.at
    policy_id = whose.owner(case.state, plugged_in_at).policy_id
    named = (slot.vehicle.vehicle_id for slot in case.state.slots if slot.policy.policy_id == policy_id)
    default = next(named, "another car")
    return (
        f"A car was plugged in at {case.charger}, and it is not known yet whose it is.",
        f"Without a card or a word of the car it is taken for {default} within a minute.",
    )


def _plug_unknown(case: Case) -> Sentences:
    return (f"{case.charger} is connected and has not told yet whether a car is plugged in.",)


def _not_plugged_in(case: Case) -> Sentences:
    target = case.slot.session.targets.latest
    nothing = f"No car is plugged in at {case.charger}."
    if target is None:
        return (nothing,)
    by = f"by {case.clock(target.ready_by)}" if isinstance(target, RegularTarget) else "at once"
    return nothing, f"Once {case.car} is, it is charged to {target.minimum_charge_target} % {by}."


def _as_planned(case: Case) -> Sentences:
    goes_on = coming(case)
    return (
        f"{case.car} is charging as planned{with_power(case)}, {until(case)}.",
        goal(case),
        f"Charging goes on {goes_on}." if goes_on else "",
    )


def _reserve(case: Case) -> Sentences:
    floor = case.slot.policy.battery_reserve
    below = f"{case.car} is below its battery reserve of {floor} %"
    return f"{below}, so it is charging right away{with_power(case)}, whatever the price, {until(case)}.", goal(case)


def _level_unknown(case: Case) -> Sentences:
    unknown = f"Nobody knows the battery level of {case.car}"
    return (
        f"{unknown}, so it counts as empty and is charging right away{with_power(case)}.",
        "As soon as a level is told, the plan is made anew.",
    )


def _now(case: Case) -> Sentences:
    return f"{case.car} is charging right away{with_power(case)}, because somebody asked for it.", goal(case)


def _late(case: Case) -> Sentences:
    target = case.slot.session.targets.latest
    assert isinstance(target, RegularTarget)
    missed = f"{case.car} was to have {target.minimum_charge_target} % by {case.clock(target.ready_by)} and has not"
    return f"{missed}, so it goes on charging{with_power(case)}.", goal(case)


def _pauses(case: Case) -> Sentences:
    full_at, since = car_is_full_at(case.state), case.state.facts.activity_at
    assert full_at is not None
    assert since is not None
    return (
        f"{case.car} has taken nothing of what {case.charger} offers since {case.clock(since)}.",
        f"If that lasts until {case.clock(full_at)}, it is taken as full.",
    )


def _starting(case: Case) -> Sentences:
    is_due = f"{case.car} should have been charging {since_due(case)}"
    if case.refuser is not None:
        return f"{is_due}, and nothing flows yet: {culprit(case)}.", attempt(case)
    at = fails_at(case.state) or case.state.at
    return f"{is_due}, and is being started.", f"It has until {case.clock(at)} to begin."


def _start_failed(case: Case) -> Sentences:
    is_due = f"{case.car} should have been charging {since_due(case)}"
    return f"{is_due}, and nothing flows: {culprit(case)}.", attempt(case)


def _stopping(case: Case) -> Sentences:
    is_to_wait = f"{case.car} should have been waiting {since_due(case)}"
    if case.refuser is not None:
        return f"{is_to_wait}, and is charging{with_power(case)}: {culprit(case)}.", attempt(case)
    return f"{is_to_wait}, and is being stopped.", planned(case)


def _stop_failed(case: Case) -> Sentences:
    is_to_wait = f"{case.car} should have been waiting {since_due(case)}"
    return f"{is_to_wait}, and is charging{with_power(case)}: {culprit(case)}.", attempt(case)


def _reached(case: Case) -> Sentences:
    target = case.slot.session.targets.latest
    assert target is not None
    done = f"{case.car} has reached its target of {target.minimum_charge_target} %"
    if isinstance(target, RegularTarget):
        return (f"{done}, so nothing more is charged before {case.clock(target.ready_by)}.",)
    return (f"{done}.",)


def _full(case: Case) -> Sentences:
    pct, target = level_pct(case.slot.session, case.slot.vehicle), case.slot.session.targets.latest
    battery = "" if pct is None else f"Its battery is at about {shown_pct(pct)} %"
    wanted = "" if target is None else f", and its target is {target.minimum_charge_target} %"
    return (
        f"{case.car} takes no more: it is full, or at a limit of its own.",
        f"{battery}{wanted}." if battery else "",
    )


def _no_target(case: Case) -> Sentences:
    floor = case.slot.policy.battery_reserve
    only = f"only its battery reserve of {floor} % is charged" if floor else "nothing is charged"
    return (f"No day of the schedule of {case.car} has a deadline, so {only}.",)


def _waiting(case: Case) -> Sentences:
    return (
        f"{case.car} waits for cheaper hours: charging is planned {coming(case)}.",
        prices(case),
        goal(case),
    )


_SENTENCES: dict[Reason, Callable[[Case], Sentences]] = {
    Reason.CHARGER_OFFLINE: _offline,
    Reason.MISSING_CAPABILITIES: _missing,
    Reason.CAR_LEFT: _left,
    Reason.ANOTHER_CAR: _another,
    Reason.WAITING_FOR_CAR_IDENTITY: _awaited,
    Reason.PLUG_UNKNOWN: _plug_unknown,
    Reason.NOT_PLUGGED_IN: _not_plugged_in,
    Reason.CHARGING_AS_PLANNED: _as_planned,
    Reason.CHARGING_RESERVE: _reserve,
    Reason.LEVEL_UNKNOWN: _level_unknown,
    Reason.CHARGING_NOW: _now,
    Reason.CHARGING_LATE: _late,
    Reason.CAR_PAUSES: _pauses,
    Reason.STARTING: _starting,
    Reason.START_FAILED: _start_failed,
    Reason.STOPPING: _stopping,
    Reason.STOP_FAILED: _stop_failed,
    Reason.TARGET_REACHED: _reached,
    Reason.CAR_FULL: _full,
    Reason.NO_TARGET: _no_target,
    Reason.WAITING_FOR_CHEAPER_HOURS: _waiting,
}
