"""What the plan counts on, what is missing for one, what is needed, and when a plan is made anew."""

from dataclasses import replace
from typing import Any

import pytest

from chargerd.core import planning
from chargerd.core.events import Capabilities
from chargerd.core.model import (
    Block,
    ChargerFacts,
    Control,
    ImmediateTarget,
    Learned,
    Reading,
    RegularTarget,
    Session,
    Slot,
    Targets,
    VehicleFacts,
)
from chargerd.core.policy import ChargerSpec, Site
from chargerd.plan.schedule import BlockKind, Need, Window
from tests.support.home import GARAGE, prices, utc
from tests.unit.core.partition import NOW, known, slot, spec, state

REGULAR, RESERVE, IMMEDIATE = BlockKind.REGULAR, BlockKind.BATTERY_RESERVE, BlockKind.IMMEDIATE_START
READY_BY = utc("11T07:00")
SCHEDULED = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=50, ready_by=READY_BY)
PLUGGED = ChargerFacts(online=True, online_since=utc("10T12:00"), plugged=True)


def car(*, reserve: int = 20, level: float | None = 30, facts: VehicleFacts | None = None, **session: Any) -> Slot:
    """A car plugged in at 22:00 with a level."""
    session = {"targets": Targets(scheduled=SCHEDULED), "level": None if level is None else known(level)} | session
    made = slot(plugged_at=NOW, facts=facts, **session)
    return replace(made, policy=replace(made.policy, battery_reserve=reserve))


def window(start: str, end: str, kind: BlockKind = REGULAR, wh: int = 1000) -> Window:
    return Window(kind, utc(start), utc(end), wh)


# Power


@pytest.mark.parametrize(
    ("charger", "vehicle", "power_w"),
    [
        pytest.param({}, {}, 11_000 * 0.95, id="as-much-as-the-car-takes"),
        pytest.param({}, {"charge_max_w": 22_000}, 11_040 * 0.95, id="as-much-as-the-charger-gives"),
        pytest.param({"phases": 1}, {}, 3_680 * 0.95, id="charger-of-one-phase"),
        pytest.param({}, {"phases": 1}, 3_680 * 0.95, id="car-of-one-phase"),
        pytest.param({"max_a": 10.0, "phases": 1}, {"phases": 3}, 2_300 * 0.95, id="ten-amperes"),
    ],
)
def test_power_is_what_charger_and_car_are_configured_for(charger: Any, vehicle: Any, power_w: float) -> None:
    whole = state(charger=ChargerSpec(charger_id=GARAGE, **charger))
    assert planning.planning_power_w(whole, slot(vehicle=spec(**vehicle))) == pytest.approx(power_w)


@pytest.mark.parametrize(
    ("learned_w", "power_w"),
    [
        pytest.param(7_000.0, 7_000 * 0.98, id="as-learned"),
        pytest.param(11_500.0, 11_500 * 0.98, id="a-little-more-than-rated"),
        pytest.param(20_000.0, 11_040 * 1.05 * 0.98, id="no-more-than-the-cable-carries"),
    ],
)
def test_power_that_was_learned_goes_before_what_is_configured(learned_w: float, power_w: float) -> None:
    taught = replace(slot(), learned=Learned(power_w=learned_w))
    assert planning.planning_power_w(state(), taught) == pytest.approx(power_w)


def test_power_flows_at_the_voltage_of_the_site() -> None:
    whole = state(site=Site(voltage_v=120))
    assert planning.planning_power_w(whole, slot()) == pytest.approx(16 * 3 * 120 * 0.95)
    taught = replace(slot(), learned=Learned(power_w=9_000.0))
    assert planning.planning_power_w(whole, taught) == pytest.approx(16 * 3 * 120 * 1.05 * 0.98)


# What is missing


@pytest.mark.parametrize(
    ("able", "missing"),
    [
        pytest.param({}, (), id="nothing-known"),
        pytest.param({"can_start": False}, (), id="a-limit-starts"),
        pytest.param({"can_stop": False}, (), id="a-limit-stops"),
        pytest.param({"can_limit": False}, (), id="transactions-do"),
        pytest.param({"can_start": False, "can_limit": False}, ("startCharging",), id="no-start"),
        pytest.param({"can_stop": False, "can_limit": False}, ("stopCharging",), id="no-stop"),
        pytest.param({"reports_energy": False}, (), id="power-alone"),
        pytest.param({"reports_power": False}, (), id="energy-alone"),
        pytest.param({"reports_energy": False, "reports_power": False}, ("chargeState",), id="no-meter"),
        pytest.param(
            dict.fromkeys(("can_start", "can_stop", "can_limit", "reports_energy", "reports_power"), False),
            ("chargeState", "startCharging", "stopCharging"),
            id="nothing-at-all",
        ),
    ],
)
def test_what_a_charger_cannot_do_is_missing(able: dict[str, bool], missing: tuple[str, ...]) -> None:
    whole = state(facts=replace(PLUGGED, capabilities=Capabilities(**able)))
    assert planning.missing_capabilities(whole, car()) == missing


@pytest.mark.parametrize(
    ("assumed", "missing"), [pytest.param(35, (), id="assumed"), pytest.param(None, ("chargeState",), id="unknown")]
)
def test_a_level_from_nowhere_is_missing(assumed: int | None, missing: tuple[str, ...]) -> None:
    assert planning.missing_capabilities(state(facts=PLUGGED), slot(assumed=assumed)) == missing


@pytest.mark.parametrize(
    ("plugged", "connected", "at", "missing"),
    [
        pytest.param(None, "10T22:00", "10T22:04:59", (), id="it-has-five-minutes"),
        pytest.param(None, "10T22:00", "10T22:05", ("chargeState",), id="and-no-more"),
        pytest.param(False, "10T22:00", "10T22:05", (), id="it-has-told"),
        pytest.param(None, None, "10T22:05", (), id="it-was-never-there"),
    ],
)
def test_a_plug_that_is_never_told_is_missing(
    plugged: bool | None, connected: str | None, at: str, missing: tuple[str, ...]
) -> None:
    first = None if connected is None else utc(connected)
    whole = state(facts=replace(PLUGGED, plugged=plugged, first_online_at=first))
    assert planning.missing_capabilities(replace(whole, at=utc(at)), car()) == missing
    assert planning.silent_at(whole) == (utc("10T22:05") if plugged is None and first else None)


# What is needed


@pytest.mark.parametrize(
    ("one", "needs"),
    [
        pytest.param(
            car(level=30),
            (Need(kind=RESERVE, wh=0), Need(kind=REGULAR, wh=13_333, ready_by=READY_BY)),
            id="above-the-reserve",
        ),
        pytest.param(
            car(level=11),
            (Need(kind=RESERVE, wh=6_000), Need(kind=REGULAR, wh=20_000, ready_by=READY_BY)),
            id="below-the-reserve",
        ),
        pytest.param(
            car(level=None),
            (Need(kind=RESERVE, wh=13_333), Need(kind=REGULAR, wh=20_000, ready_by=READY_BY)),
            id="unknown-counts-as-empty",
        ),
        pytest.param(
            car(level=30, facts=VehicleFacts(limit_pct=39.0)),
            (Need(kind=RESERVE, wh=0), Need(kind=REGULAR, wh=6_000, ready_by=READY_BY)),
            id="up-to-the-limit-of-the-car",
        ),
        pytest.param(car(level=11, targets=Targets()), (Need(kind=RESERVE, wh=6_000),), id="reserve-alone"),
        pytest.param(
            car(level=11, targets=Targets(immediate=ImmediateTarget(target_id=2, minimum_charge_target=20))),
            (Need(kind=IMMEDIATE, wh=6_000),),
            id="at-once",
        ),
        pytest.param(
            car(
                level=11,
                facts=VehicleFacts(limit_pct=15.5),
                targets=Targets(immediate=ImmediateTarget(target_id=2, minimum_charge_target=20)),
            ),
            (Need(kind=IMMEDIATE, wh=3_000),),
            id="at-once-up-to-the-limit-of-the-car",
        ),
        pytest.param(car(level=11, car_is_full=True), (), id="a-full-car-needs-nothing"),
    ],
)
def test_needs_are_the_reserve_first_and_then_the_target(one: Slot, needs: tuple[Need, ...]) -> None:
    assert planning.needs(one) == needs


@pytest.mark.parametrize(
    ("level", "kind"),
    [
        pytest.param(19.9, RESERVE, id="below"),
        pytest.param(20.0, REGULAR, id="reached"),
        pytest.param(None, RESERVE, id="unknown-counts-as-empty"),
    ],
)
def test_the_reserve_is_the_purpose_until_it_is_reached(level: float | None, kind: BlockKind) -> None:
    assert planning.purpose(car(level=level)) is kind
    boost = Targets(scheduled=SCHEDULED, immediate=ImmediateTarget(target_id=2, minimum_charge_target=80))
    assert planning.purpose(car(level=level, targets=boost)) is IMMEDIATE


@pytest.mark.parametrize("level", [None, 0.0])
def test_without_a_reserve_every_level_is_above_it(level: float | None) -> None:
    assert planning.purpose(car(level=level, reserve=0)) is REGULAR


# The plan


def test_the_window_that_is_due_holds_now() -> None:
    plan = (window("10T22:00", "10T22:15"), window("10T23:00", "10T23:30"))
    at = {text: planning.due(plan, utc(text)) for text in ("10T21:59", "10T22:00", "10T22:14", "10T22:15", "10T23:29")}
    assert list(at.values()) == [None, plan[0], plan[0], None, plan[1]]


def planned(one: Slot, at: str = "10T22:00", **facts: Any) -> Session:
    """The session after planning, with energy that is cheapest from 23:00 to midnight."""
    curve = prices("10T22:00", [0.30, 0.10, 0.30, 0.30])
    whole = state(one, facts=replace(PLUGGED, **facts), prices=curve)
    return planning.replanned(replace(whole, at=utc(at)), one, utc(at))


CHEAP = window("10T23:00", "11T00:00", wh=8_000)
HOUR = replace(car(level=38), vehicle=spec(charge_max_w=10_000))
"""Eight kWh are to be charged, at 9500 W."""


def test_a_plan_is_made_for_what_is_needed_at_the_power_that_is_counted_on() -> None:
    session = planned(HOUR)
    assert (session.plan, session.kind, session.planned_w) == ((CHEAP,), REGULAR, 9_500)


def test_a_car_that_left_needs_no_plan() -> None:
    left = replace(HOUR, session=replace(HOUR.session, plan=(CHEAP,), unplugged_at=NOW, planned_w=7.0))
    assert planned(left).plan == ()
    assert planned(left).planned_w == 7.0, "nothing else changes"


def test_what_cannot_be_controlled_is_not_planned() -> None:
    able = Capabilities(can_start=False, can_limit=False)
    assert planned(HOUR, capabilities=able).plan == ()


def running(kind: BlockKind = REGULAR) -> Slot:
    """A window that began at 21:30 and has half of its energy to come."""
    return replace(HOUR, session=replace(HOUR.session, plan=(window("10T21:30", "10T22:30", kind),)))


def test_charging_that_goes_on_is_not_broken_off_within_its_quarter() -> None:
    assert planned(running(), "10T22:05", charging=True).plan[0] == window("10T21:30", "10T22:15", wh=1583)
    assert planned(running(), "10T22:05").plan == (CHEAP,), "nothing goes on"
    assert planned(HOUR, "10T22:05", charging=True).plan == (CHEAP,), "nothing was due"
    assert planned(running(RESERVE), "10T22:05", charging=True).plan == (CHEAP,), "that reserve is reached"


def test_a_window_that_was_due_still_began_when_it_did() -> None:
    low = car(level=11, plan=(window("10T21:30", "10T22:30", RESERVE),))
    assert (planned(low, "10T22:05").plan[0].kind, planned(low, "10T22:05").plan[0].start) == (RESERVE, utc("10T21:30"))
    other = car(level=11, plan=(window("10T21:30", "10T22:30", REGULAR),))
    assert planned(other, "10T22:05").plan[0].start == utc("10T22:05"), "it is another one"
    assert planned(car(level=11), "10T22:05").plan[0].start == utc("10T22:05"), "none was due"


def test_a_window_that_goes_on_stands_there_once_with_those_to_come() -> None:
    low = replace(car(level=11, plan=(window("10T21:30", "10T22:30", RESERVE),)), vehicle=spec(charge_max_w=10_000))
    reserve, *regular = planned(low, "10T22:00").plan
    assert reserve == window("10T21:30", "10T22:45", RESERVE, 6_000)
    assert [(part.kind, part.start) for part in regular] == [(REGULAR, utc("10T22:45"))]


@pytest.mark.parametrize(
    ("needed", "kinds"),
    [
        pytest.param(11, (REGULAR, RESERVE), id="charging-goes-on-for-something-else"),
        pytest.param(60, (REGULAR,), id="charging-is-to-stop"),
    ],
)
def test_a_running_block_ends_where_charging_goes_on_for_something_else(needed: int, kinds: Any) -> None:
    begun = Block(kind=REGULAR, started_at=NOW, wh=5)
    session = planned(car(level=needed, blocks=(begun,)), "10T22:05")
    assert tuple(block.kind for block in session.blocks) == kinds
    assert session.kind is (RESERVE if needed == 11 else REGULAR)


def test_a_running_block_of_the_reserve_that_is_to_stop_keeps_its_kind() -> None:
    begun = Block(kind=RESERVE, started_at=NOW, wh=5)
    session = planned(car(level=60, kind=RESERVE, blocks=(begun,)), "10T22:05")
    assert (session.kind, session.kind_since, session.blocks) == (REGULAR, utc("10T22:05"), (begun,))


def test_a_car_that_told_no_limit_stops_when_it_is_full() -> None:
    assert planning.car_limit_pct(car()) == 100
    assert planning.car_limit_pct(car(facts=VehicleFacts(limit_pct=80.0))) == 80


# When it is stale


def stale(at: str = "10T22:00", power_w: float = 10_450.0, **session: Any) -> bool:
    one = car(**{"level": 30, "planned_w": power_w, "plan": (CHEAP,)} | session)
    return planning.is_stale(state(one), one, utc(at))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, False, id="as-planned"),
        pytest.param({"power_w": 10_450 / 1.0499}, False, id="a-little-more-power"),
        pytest.param({"power_w": 10_450 / 1.0501}, True, id="more-power"),
        pytest.param({"power_w": 11_000.0}, False, id="a-twentieth-less-power"),
        pytest.param({"power_w": 10_450 / 0.9501}, False, id="a-little-less-power"),
        pytest.param({"power_w": 10_450 / 0.9499}, True, id="less-power"),
        pytest.param({"kind": RESERVE}, True, id="reserve-reached"),
        pytest.param({"at": "10T23:59:59"}, False, id="window-not-over"),
        pytest.param({"at": "11T00:00"}, True, id="window-over"),
        pytest.param({"level": 50}, True, id="target-reached"),
        pytest.param({"level": 50, "plan": ()}, False, id="target-reached-and-nothing-planned"),
    ],
)
def test_a_sample_makes_a_plan_stale_where_it_changes_what_it_rests_on(changes: Any, expected: bool) -> None:
    assert stale(**changes) is expected


# What was not heard yet


@pytest.mark.parametrize(
    ("charging", "read", "control", "unheard"),
    [
        pytest.param(True, "10T21:59:59", {}, True, id="nothing-over-this-connection"),
        pytest.param(True, None, {}, True, id="nothing-at-all"),
        pytest.param(True, "10T22:00", {}, False, id="heard"),
        pytest.param(False, "10T21:59:59", {}, False, id="nothing-flows"),
        pytest.param(True, None, {"unmet_since": utc("10T22:07:01")}, True, id="lags-for-less-than-the-timeout"),
        pytest.param(True, None, {"unmet_since": utc("10T22:07")}, False, id="lags-for-so-long"),
        pytest.param(
            True,
            None,
            {"unmet_since": utc("10T22:00"), "commanded_at": utc("10T22:08")},
            True,
            id="since-the-first-command",
        ),
    ],
)
def test_charging_that_was_not_heard_of_leaves_the_plan_alone(
    charging: bool, read: str | None, control: Any, unheard: bool
) -> None:
    reading = None if read is None else Reading(at=utc(read), register_wh=5.0)
    facts = replace(PLUGGED, online_since=utc("10T22:00"), charging=charging, reading=reading)
    whole = state(car(), facts=facts, control=Control(**control))
    assert planning.is_unheard(whole, utc("10T22:10")) is unheard
    lost = replace(whole, facts=replace(facts, online_since=None))
    assert planning.is_unheard(lost, utc("10T22:10")) is (charging and control.get("unmet_since") != utc("10T22:07"))
