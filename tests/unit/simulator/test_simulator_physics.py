import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargerd_drivers.simulator import physics as laws
from chargerd_drivers.simulator.behaviour import Meter
from chargerd_drivers.simulator.metering import measured
from chargerd_drivers.simulator.occurrences import Trigger, reading
from chargerd_drivers.simulator.physics import Car, Outlet, Physics

HOUR = 3600.0


def connection(
    *, level_pct: float = 35.0, limit_pct: float = 100.0, phases: int = 3, power_max_w: float = 11_000.0
) -> Physics:
    car = Car(limit_pct=limit_pct, power_max_w=power_max_w)
    return Physics(
        outlet=Outlet(phases=phases),
        car=car,
        stored_wh=car.battery_wh * level_pct / 100,
        register_wh=1_234_567.25,
    )


def charging(current_a: float = 16.0, **more: float) -> Physics:
    return laws.advance(laws.offer(laws.plug(connection(**more)), current_a), 10)


def test_gives_the_offered_current_on_all_phases() -> None:
    assert charging(10.0).power_w == pytest.approx(10 * 3 * 230)
    assert charging(10.0).current_a == pytest.approx(10)


def test_a_single_phase_outlet_gives_a_third() -> None:
    assert charging(10.0, phases=1).power_w == pytest.approx(2300)


def test_a_single_phase_car_draws_a_third_on_three_phases_too() -> None:
    physics = connection()
    physics = replace(physics, car=replace(physics.car, phases=1))
    drawn = laws.advance(laws.offer(laws.plug(physics), 10), 10)
    assert drawn.power_w == pytest.approx(2300)
    assert drawn.current_a == pytest.approx(10)
    shown = reading(drawn, datetime(2026, 1, 14, tzinfo=UTC), visit_wh=0)
    currents = measured(shown, ["Current.Import"], report_soc=False, habits=Meter(), trigger=Trigger.PERIODIC)
    assert [(value.phase, value.value) for value in currents] == [("L1", 10), ("L2", 0), ("L3", 0)]


def test_the_car_takes_no_more_than_it_can() -> None:
    assert charging(32.0, power_max_w=7400).power_w == pytest.approx(7400)


def test_the_outlet_grants_no_more_than_is_built_in() -> None:
    assert charging(32.0, power_max_w=22_000).power_w == pytest.approx(16 * 3 * 230)


@pytest.mark.parametrize(
    ("current_a", "flows"), [(0.0, False), (5.9, False), (6.0, True)], ids=["none", "5.9 A", "6 A"]
)
def test_under_6_a_nothing_flows(current_a: float, flows: bool) -> None:
    after = laws.advance(charging(current_a), HOUR)
    assert (after.register_wh > connection().register_wh) is flows


def test_nothing_flows_without_a_car() -> None:
    after = laws.advance(laws.offer(connection(), 16), HOUR)
    assert after.register_wh == connection().register_wh


def test_an_unwilling_car_draws_nothing() -> None:
    assert laws.set_willing(charging(), willing=False).power_w == 0


def test_power_comes_a_few_seconds_after_the_contactor_closed() -> None:
    closed = laws.offer(laws.plug(connection()), 16)
    powers = [laws.advance(closed, seconds).power_w for seconds in (0, 2.9, 3, 5.9, 6)]
    assert powers == [0, 0, 5500, 5500, 11_000]


def test_a_resumed_car_ramps_up_again() -> None:
    resumed = laws.offer(laws.offer(charging(), 0), 16)
    assert resumed.power_w == 0
    assert laws.advance(resumed, 6).power_w == 11_000


def test_a_changed_limit_takes_effect_without_a_new_ramp() -> None:
    assert laws.offer(charging(16.0), 8).power_w == pytest.approx(8 * 3 * 230)


def test_the_register_times_the_efficiency_is_what_the_battery_gained() -> None:
    before = charging(level_pct=70)
    after = laws.advance(before, 2 * HOUR)
    drawn_wh = after.register_wh - before.register_wh
    assert after.stored_wh - before.stored_wh == pytest.approx(0.92 * drawn_wh)
    assert drawn_wh > 10_000


@pytest.mark.parametrize(("level_pct", "share"), [(79.9, 1.0), (80.0, 1.0), (90.0, 0.6), (99.99, 0.2)], ids=str)
def test_the_car_tapers_linearly_from_80_to_a_fifth_at_100(level_pct: float, share: float) -> None:
    assert charging(level_pct=level_pct).power_w == pytest.approx(share * 11_000, rel=0.01)


def test_a_low_limit_delays_the_taper() -> None:
    assert charging(6.0, level_pct=85).power_w == pytest.approx(6 * 3 * 230)


def test_the_car_stops_at_its_own_limit_and_wants_no_more() -> None:
    after = laws.advance(charging(limit_pct=60), 10 * HOUR)
    assert after.level_pct == 60
    assert after.power_w == 0
    assert not after.car_wants


def test_the_car_stops_at_100_after_a_finite_time() -> None:
    before = charging(level_pct=79)
    seconds = laws.seconds_to_change(before)
    assert seconds is not None
    assert laws.advance(before, seconds - 1).level_pct < 100
    assert laws.advance(before, seconds + 0.001).level_pct == 100


def test_the_time_to_the_car_s_limit_is_what_the_formula_says() -> None:
    seconds = laws.seconds_to_change(charging(limit_pct=50, level_pct=40))
    whole_s = 3600 * 6000 / (0.92 * 11_000)
    assert seconds == pytest.approx(whole_s, abs=7)


def test_a_level_over_the_car_s_limit_draws_nothing() -> None:
    assert charging(level_pct=90, limit_pct=80).power_w == 0


def test_the_taper_s_closed_form_agrees_with_small_steps() -> None:
    whole = laws.advance(charging(level_pct=78), HOUR)
    stepped = charging(level_pct=78)
    for _ in range(3600):
        power_w = stepped.power_w
        stepped = replace(
            stepped,
            stored_wh=stepped.stored_wh + 0.92 * power_w / 3600,
            register_wh=stepped.register_wh + power_w / 3600,
        )
    assert whole.register_wh == pytest.approx(stepped.register_wh, abs=3)


deeds = st.one_of(
    st.tuples(st.just("offer"), st.floats(0, 40)),
    st.tuples(st.just("advance"), st.floats(0, 20_000)),
    st.tuples(st.just("plug"), st.floats(0, 100)),
    st.tuples(st.just("unplug"), st.just(0.0)),
    st.tuples(st.just("willing"), st.sampled_from([0.0, 1.0])),
)


def do(physics: Physics, deed: str, amount: float) -> Physics:
    match deed:
        case "offer":
            return laws.offer(physics, amount)
        case "advance":
            return laws.advance(physics, amount)
        case "plug":
            return physics if physics.plugged else laws.plug(physics, level_pct=amount)
        case "willing":
            return laws.set_willing(physics, willing=bool(amount))
        case _:
            return laws.unplug(physics)


@given(st.lists(deeds, max_size=30), st.floats(20, 100))
def test_whatever_happens_the_register_never_falls_and_the_level_never_passes_the_limit(
    history: list[tuple[str, float]], limit_pct: float
) -> None:
    physics = connection(limit_pct=limit_pct)
    for deed, amount in history:
        after = do(physics, deed, amount)
        assert after.register_wh >= physics.register_wh
        if deed == "advance":
            gained_wh = after.stored_wh - physics.stored_wh
            drawn_wh = after.register_wh - physics.register_wh
            assert math.isclose(gained_wh, 0.92 * drawn_wh, abs_tol=1e-3)
            assert gained_wh == 0 or after.level_pct <= limit_pct + 1e-9
            assert drawn_wh <= 11_000 * amount / 3600 + 1e-3
        physics = after


@given(st.lists(st.floats(0.001, 4000), min_size=2, max_size=12), st.floats(0, 100), st.floats(6, 16))
def test_many_short_steps_give_what_one_long_step_gives(steps: list[float], level_pct: float, current_a: float) -> None:
    start = laws.offer(laws.plug(connection(level_pct=level_pct)), current_a)
    stepped = start
    for seconds in steps:
        stepped = laws.advance(stepped, seconds)
    whole = laws.advance(start, sum(steps))
    assert stepped.register_wh == pytest.approx(whole.register_wh, abs=0.01)
    assert stepped.stored_wh == pytest.approx(whole.stored_wh, abs=0.01)
