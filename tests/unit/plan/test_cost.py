"""What a night cost, to the cent."""

from decimal import Decimal

from chargerd.plan.cost import Flow, energy_cost, steady_flow
from tests.support.home import prices, utc

CURVE = prices("10T22:00", [0.30, 0.10])


def test_energy_costs_the_price_of_its_time() -> None:
    flows = [Flow(utc("10T22:00"), utc("10T22:15"), 1000), Flow(utc("10T23:00"), utc("10T23:15"), 2000)]
    assert energy_cost(flows, CURVE) == Decimal("0.5")


def test_a_flow_over_two_prices_is_split_by_time() -> None:
    cost = energy_cost([steady_flow(utc("10T22:30"), 4000, 4000)], CURVE)
    assert cost is not None
    assert round(cost, 6) == Decimal("0.8")


def test_a_price_that_is_not_known_makes_the_cost_unknown() -> None:
    assert energy_cost([Flow(utc("10T23:30"), utc("11T00:30"), 1000)], CURVE) is None


def test_nothing_costs_nothing_at_any_time() -> None:
    assert energy_cost([Flow(utc("12T00:00"), utc("12T00:15"), 0)], CURVE) == 0
