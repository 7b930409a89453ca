"""No other choice of slices is cheaper: all of them are tried."""

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargerd.plan.optimum import Pace, Slice, Stage, Wish, cheapest, cheapest_run

PRICES = st.sampled_from([-0.1, 0.0, 0.1, 0.2, 0.3, 0.31, 9.0])


def cost(slices: Sequence[Slice], wish: Wish, chosen: Sequence[int]) -> float | None:
    """Charge in the chosen slices until the need is met; None where they are too few, too many, or a run is short."""
    pace, charged_s, total = Pace(wish.stages), 0.0, 0.0
    run_min_s = min(wish.run_min_s, pace.length_s)
    run_s, last = (run_min_s, -1) if wish.is_on else (0.0, -2)
    for number in chosen:
        if charged_s >= pace.length_s - 1e-6:
            return None
        if number != last + 1:
            if last >= 0 and run_s < run_min_s - 1e-6:
                return None
            total, run_s = total + wish.start_cost, 0.0
        until_s = min(charged_s + slices[number].seconds, pace.length_s)
        total += slices[number].price * pace.kwh(charged_s, until_s)
        run_s, charged_s, last = run_s + until_s - charged_s, until_s, number
    return total if charged_s >= pace.length_s - 1e-6 and run_s >= run_min_s - 1e-6 else None


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Slice], Wish]:
    prices = draw(st.lists(PRICES, min_size=2, max_size=9))
    seconds = [900.0] * len(prices)
    seconds[0] = draw(st.sampled_from([900.0, 60.0, 500.0]))
    seconds[-1] = draw(st.sampled_from([900.0, 300.0]))
    parts = draw(
        st.lists(st.tuples(st.integers(50, 4000), st.sampled_from([4000.0, 11_000.0])), min_size=1, max_size=2)
    )
    wish = Wish(
        stages=tuple(Stage(wh, power_w) for wh, power_w in parts),
        start_cost=draw(st.sampled_from([0.0, 0.02, 1.0])),
        is_on=draw(st.booleans()),
        run_min_s=draw(st.sampled_from([0.0, 900.0, 1800.0])),
    )
    return [Slice(length, price) for length, price in zip(seconds, prices, strict=True)], wish


@settings(max_examples=150)
@given(problems())
def test_no_other_choice_is_cheaper(problem: tuple[list[Slice], Wish]) -> None:
    slices, wish = problem
    chosen = cheapest(slices, wish)
    if Pace(wish.stages).length_s >= sum(piece.seconds for piece in slices):
        assert chosen == tuple(range(len(slices)))
        return
    found = cost(slices, wish, chosen)
    every = (pick for count in range(1, len(slices) + 1) for pick in combinations(range(len(slices)), count))
    costs = [paid for pick in every if (paid := cost(slices, wish, pick)) is not None]
    assert found == pytest.approx(min(costs), abs=1e-6)


def test_charging_in_one_go_takes_the_cheapest_stretch() -> None:
    slices = [Slice(900.0, price) for price in (0.1, 0.5, 0.3, 0.2, 0.2, 0.6)]
    wish = Wish(stages=(Stage(5000.0, 8000.0),))
    assert cheapest_run(slices, wish) == (2, 3, 4)
    assert cheapest_run(slices, Wish(stages=(Stage(50_000.0, 8000.0),))) == (0, 1, 2, 3, 4, 5)


def test_a_slower_end_of_charging_costs_by_its_time() -> None:
    """2 kWh at 8 kW, then half a kWh at 2 kW: a quarter hour each."""
    slices = [Slice(900.0, price) for price in (0.2, 0.4, 0.1)]
    wish = Wish(stages=(Stage(2000.0, 8000.0), Stage(500.0, 2000.0)))
    assert Pace(wish.stages).kwh(450.0, 1350.0) == pytest.approx(1.25)
    assert cheapest(slices, wish) == (0, 2)
