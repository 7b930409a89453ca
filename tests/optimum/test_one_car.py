"""The plan for one car costs what an independent solver finds to be the least."""

import csv
import os
import random
from pathlib import Path

import pytest

from chargerd.plan.optimum import Pace, Slice, Stage, Wish, cheapest
from tests.optimum.milp import least_cost

PRICES = Path(__file__).parent.parent / "data/energy-charts/de-lu-2025-10_2026-04-quarter-hourly.csv"
PROBLEMS = 2000 if "CHARGERD_LONG" in os.environ else 100
BATCHES = 20


def cost(slices: list[Slice], wish: Wish, chosen: tuple[int, ...]) -> float:
    """Charge in the chosen slices, in their order, until the need is met; what it costs."""
    pace, charged_s, total = Pace(wish.stages), 0.0, 0.0
    for number in chosen:
        if not ((number - 1 in chosen) or (number == 0 and wish.is_on)):
            total += wish.start_cost
        assert charged_s < pace.length_s, "no slice is chosen that is not needed"
        until_s = min(charged_s + slices[number].seconds, pace.length_s)
        total += slices[number].price * pace.kwh(charged_s, until_s)
        charged_s = until_s
    assert charged_s == pytest.approx(pace.length_s), "the need is met"
    return total


def problem(dice: random.Random, real: list[float]) -> tuple[list[Slice], Wish]:
    """A day or two of real prices, of hourly ones or of noise; a first and a last slice that are no whole quarters."""
    count = dice.choice([8, 24, 48, 64, 96])
    kind = dice.randrange(4)
    if kind < 2:
        first = dice.randrange(len(real) - count)
        prices = real[first : first + count]
    elif kind == 2:
        hours = [dice.choice([0.1, 0.2, 0.3, -0.05]) for _ in range(count // 4 + 1)]
        prices = [hours[index // 4] for index in range(count)]
    else:
        prices = [dice.uniform(-0.1, 0.5) for _ in range(count)]
    seconds = [900.0] * count
    seconds[0] = dice.choice([900.0, dice.uniform(1, 900)])
    seconds[-1] = dice.choice([900.0, dice.uniform(60, 900)])
    power_w = dice.choice([1380.0, 3680.0, 7360.0, 11_000.0])
    share = dice.choice([dice.uniform(0.01, 0.99), dice.uniform(0.01, 0.3)])
    stages = [Stage(power_w * sum(seconds) / 3600 * share, power_w)]
    if dice.random() < 0.2:
        stages = [Stage(stages[0].wh * 0.8, power_w), Stage(stages[0].wh * 0.1, power_w / 2)]
    wish = Wish(
        stages=tuple(stages),
        start_cost=dice.choice([0.0, 0.01, 0.05, 0.3, 2.0]),
        is_on=dice.random() < 0.3,
        run_min_s=dice.choice([0.0, 900.0, 1800.0]),
    )
    return [Slice(length, price) for length, price in zip(seconds, prices, strict=True)], wish


@pytest.fixture(scope="module")
def real() -> list[float]:
    with PRICES.open() as file:
        return [float(row["price_eur_per_mwh"]) / 1000 for row in csv.DictReader(file)]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_plan_costs_the_least_that_an_independent_solver_finds(batch: int, real: list[float]) -> None:
    for number in range(batch, PROBLEMS, BATCHES):
        slices, wish = problem(random.Random(number), real)
        least = least_cost(slices, wish)
        chosen = cheapest(slices, wish)
        assert least is not None, "to charge from the beginning on is always possible"
        found = cost(slices, wish, chosen)
        assert found <= least + 0.001 * abs(least) + 1e-6, f"problem {number}: {found} instead of {least}"
        assert found >= least - 0.001 * abs(least) - 1e-6, f"problem {number}: better than possible"
