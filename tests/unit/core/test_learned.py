"""What visits teach about a car at a charger."""

from dataclasses import replace
from datetime import datetime
from math import exp
from typing import Any

import pytest

from chargerd.core import learned
from chargerd.core.events import Capabilities
from chargerd.core.model import ChargerFacts, Control, Learned, Ledger, LevelSource, Slot, Want
from tests.support.home import utc
from tests.unit.core.partition import NOW, known, slot, spec, state

SINCE = utc("10T21:30")
VEHICLE, CHARGER, ASSUMED = LevelSource.VEHICLE, LevelSource.CHARGER, LevelSource.ASSUMED


def learn(
    one: Slot,
    power_w: float | None = 10_000,
    *,
    at: datetime = NOW,
    last_at: datetime | None = None,
    facts: dict[str, Any] | None = None,
    **control: Any,
) -> float | None:
    """The power learned from a sample at full limit, while charging goes on."""
    charging = replace(ChargerFacts(charging=True, charging_since=SINCE), **facts or {})
    steered = replace(Control(want=Want.CHARGE, limit_a=16), **control)
    whole = state(one, facts=charging, control=steered)
    return learned.from_sample(whole, one, power_w, at=at, last_at=last_at).learned.power_w


def taught(power_w: float | None) -> Slot:
    return replace(slot(plugged_at=SINCE), learned=Learned(power_w=power_w, efficiency=0.8))


def test_the_first_power_seen_is_the_power() -> None:
    assert learn(taught(None)) == 10_000
    assert learn(taught(None), facts={"capabilities": Capabilities(can_limit=True)}) == 10_000


@pytest.mark.parametrize(
    ("last", "stands_for_s"),
    [
        pytest.param("10T21:59", 60, id="a-minute"),
        pytest.param("10T21:55", 300, id="five-minutes"),
        pytest.param("10T21:50", 300, id="five-minutes-at-most"),
        pytest.param(None, 300, id="nobody-knows"),
        pytest.param("10T22:01", 0, id="turned-round"),
    ],
)
def test_a_sample_counts_for_the_time_since_the_last_one(last: str | None, stands_for_s: float) -> None:
    expected = 8000 + (1 - exp(-stands_for_s / 600)) * 2000
    assert learn(taught(8000), last_at=None if last is None else utc(last)) == pytest.approx(expected)


@pytest.mark.parametrize(("power_w", "learns"), [(1000, True), (999, False)])
def test_less_than_any_car_charges_at_teaches_nothing(power_w: float, learns: bool) -> None:
    assert learn(taught(None), power_w) == (power_w if learns else None)


def test_ten_minutes_of_a_power_move_what_was_known_by_two_thirds() -> None:
    one = taught(8000)
    for minute in range(10):
        last_at, at = utc(f"10T22:{minute:02}"), utc(f"10T22:{minute + 1:02}")
        one = replace(one, learned=Learned(power_w=learn(one, 11_000, at=at, last_at=last_at)))
    assert one.learned.power_w == pytest.approx(8000 + 3000 * 0.632, abs=1)


@pytest.mark.parametrize(
    ("at", "expected"),
    [pytest.param("10T21:31:59", 8000, id="too-early"), pytest.param("10T21:32", 10_000, id="after-two-minutes")],
)
def test_a_car_takes_two_minutes_to_reach_its_power(at: str, expected: float) -> None:
    found = learn(taught(8000), 8000 + 2000 / (1 - exp(-0.5)), at=utc(at))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pct", "taper"),
    [
        pytest.param(79.9, False, id="flat"),
        pytest.param(80, True, id="tapers"),
        pytest.param(None, False, id="unknown"),
    ],
)
def test_what_a_battery_takes_over_80_percent_says_nothing(pct: float | None, taper: bool) -> None:
    one = replace(taught(None), session=replace(taught(None).session, level=None if pct is None else known(pct)))
    assert (learn(one) is None) is taper


@pytest.mark.parametrize(
    ("facts", "control"),
    [
        pytest.param({"charging": False}, {}, id="not-charging"),
        pytest.param({"charging_since": None}, {}, id="nobody-knows-since-when"),
        pytest.param({}, {"want": Want.HOLD}, id="held-back"),
        pytest.param({}, {"want": Want.FREE}, id="not-ours"),
        pytest.param({}, {"limit_a": 10.0}, id="limited"),
        pytest.param({}, {"limit_a": None}, id="limit-unknown"),
        pytest.param({"capabilities": Capabilities(can_limit=True)}, {"limit_a": 10.0}, id="limited-for-sure"),
    ],
)
def test_nothing_is_learned_but_from_free_charging(facts: dict[str, Any], control: dict[str, Any]) -> None:
    assert learn(taught(8000), facts=facts, **control) == 8000


def test_a_charger_that_cannot_limit_holds_nothing_back() -> None:
    assert learn(taught(None), facts={"capabilities": Capabilities(can_limit=False)}, limit_a=None) == 10_000


def test_a_sample_without_power_teaches_nothing() -> None:
    assert learn(taught(8000), None) == 8000


def test_power_that_was_learned_leaves_the_efficiency_alone() -> None:
    whole = state(taught(None), facts=ChargerFacts(charging=True, charging_since=SINCE), control=FULL)
    after = learned.from_sample(whole, taught(None), 9000, at=NOW, last_at=None)
    assert after.learned == Learned(power_w=9000, efficiency=0.8)


FULL = Control(want=Want.CHARGE, limit_a=16)


def visited(
    gained: float,
    wh: int,
    *,
    source: LevelSource = VEHICLE,
    first: LevelSource = VEHICLE,
    was: float = 0.9,
) -> float | None:
    """The efficiency learned from a visit that gained so many percent points of 60 kWh with so much energy."""
    one = slot(plugged_at=SINCE, vehicle=spec(efficiency=was))
    one = replace(one, learned=Learned(power_w=7000))
    session = replace(
        one.session,
        level_first=known(20, wh=1000, source=first),
        level=known(20 + gained, wh=1000 + wh, source=source),
        ledger=Ledger(total_wh=90_000),
    )
    after = learned.from_visit(one, session)
    assert after.learned.power_w == 7000
    if after.learned.efficiency is not None:
        assert after.vehicle == replace(one.vehicle, efficiency=after.learned.efficiency)
    else:
        assert after == one
    return after.learned.efficiency


def test_a_visit_moves_the_efficiency_by_a_third_of_the_way() -> None:
    assert visited(50, 37_500) == pytest.approx(0.9 + 0.3 * (0.8 - 0.9)), "30 kWh of 37.5"
    assert visited(50, 37_500, source=CHARGER, first=CHARGER) == pytest.approx(0.87)


@pytest.mark.parametrize(
    ("gained", "wh", "learns"),
    [
        pytest.param(15, 10_000, True, id="fifteen-points"),
        pytest.param(14.9, 10_000, False, id="fewer"),
        pytest.param(35, 30_000, True, id="seven-tenths"),
        pytest.param(35, 30_100, False, id="less-than-seven-tenths"),
        pytest.param(35, 20_000, True, id="five-percent-more-than-all"),
        pytest.param(35, 19_900, False, id="more-than-that"),
        pytest.param(20, 0, False, id="no-energy"),
        pytest.param(20, -100, False, id="less-than-none"),
    ],
)
def test_what_a_visit_must_show_to_teach_anything(gained: float, wh: int, learns: bool) -> None:
    assert (visited(gained, wh) is not None) is learns


def test_no_car_stores_more_than_it_draws() -> None:
    assert visited(35, 20_000, was=1.0) == 1
    assert visited(35, 20_100, was=0.99) == 1
    assert visited(35, 20_300, was=0.97) == pytest.approx(0.97 + 0.3 * (21 / 20.3 - 0.97))


@pytest.mark.parametrize(
    ("first", "last"), [(ASSUMED, ASSUMED), (VEHICLE, CHARGER), (CHARGER, VEHICLE), (ASSUMED, VEHICLE)]
)
def test_two_levels_of_one_real_source_are_needed(first: LevelSource, last: LevelSource) -> None:
    assert visited(50, 37_500, first=first, source=last) is None


def test_a_visit_without_levels_teaches_nothing() -> None:
    one = slot(plugged_at=SINCE)
    assert learned.from_visit(one, one.session) == one
    assert learned.from_visit(one, replace(one.session, level=known(50))) == one
    assert learned.from_visit(one, replace(one.session, level_first=known(50))) == one


def test_a_vehicle_is_as_it_was_learned_or_as_it_was_configured() -> None:
    assert learned.applied(spec(), Learned(power_w=7000)) == spec()
    assert learned.applied(spec(), Learned(efficiency=0.8)) == spec(efficiency=0.8)
