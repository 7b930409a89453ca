"""The published examples, lived through: each story is played in the core, and gives the document of the example.

Where an example contradicts itself, the numbers are our own, and the docstring says which. The published series
leave entries out; here they are whole.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.home import Home, prices

EXAMPLES = Path(__file__).parents[1] / "unit" / "api" / "examples"


def example(number: int) -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{number}.json").read_text())


def shape(value: Any) -> Any:
    """Keys and their order, at every depth; of a list, what its first item is like."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def evening() -> Home:
    """Nobody is home yet."""
    return Home().until("10T20:30")


def test_the_first_example_waits_for_the_car() -> None:
    assert evening().doc == example(1)


def test_the_fourth_example_is_told_to_charge_at_once_before_the_car_is_there() -> None:
    home = evening()
    home.boost(70)
    assert home.doc == example(4)


def test_the_fifth_example_wants_more_by_a_later_time() -> None:
    home = evening()
    home.override(90, "11T08:00")
    assert home.doc == example(5)


def test_the_second_example_charges_its_reserve_and_then_by_price() -> None:
    """Its reserve block lies hours after the plug-in, with a level that is over the reserve, its target is reached
    while more is planned, and its series has twice the energy of its sum: level, times and energies are our own.
    """
    curve = prices("10T22:00", [0.4, 0.4, 0.4, 0.1, 0.15, 0.4, 0.12, 0.4, 0.4, 0.4])
    home = Home(assumed=14, curve=curve, goal=50, battery_wh=90_000).until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:BATTERY_RESERVE"
    home.until("11T02:30")
    doc, told = home.doc, example(2)
    assert shape(doc) == shape(told)
    for part in ("policyId", "state", "pluggedInAt", "pluggedOutAt", "target", "outcome", "error"):
        assert doc[part] == told[part], part
    reserve, running, coming = doc["blocks"]
    assert [block["type"] for block in doc["blocks"]] == [block["type"] for block in told["blocks"]]
    assert reserve["startAt"] == doc["pluggedInAt"], "at once, whatever the price"
    assert running["startAt"] == "2025-06-11T01:00:00Z"
    assert running["endAt"] > "2025-06-11T02:30:00Z", "in progress"
    assert coming["startAt"] == "2025-06-11T04:00:00Z"
    aggregated = doc["statistics"]["aggregated"]
    assert aggregated["kwhSum"] == pytest.approx(reserve["kwhSum"] + running["kwhSum"])
    assert aggregated["batteryFrom"] == 14
    assert coming["kwhSum"] > 0
    series = doc["statistics"]["timeseries"]
    assert series[0]["startAt"] == doc["pluggedInAt"]
    assert series[-1]["startAt"] == "2025-06-11T02:15:00Z", "what has elapsed, and no more"
    assert sum(entry["kwh"] for entry in series) / 4 == pytest.approx(aggregated["kwhSum"])


def test_the_sixth_example_does_not_start() -> None:
    """To the letter, but for the whole series, and for the time at which the target is reached: what takes from 01:15
    to 04:30 cannot be made up from 07:00 to 09:30.
    """
    curve = prices("10T22:00", [0.4, 0.4, 0.4, 0.1, 0.1, 0.1, 0.1, 0.4, 0.4, 0.4])
    home = Home(curve=curve, charge_max_w=10_000 / 3.25 / 0.95)
    home.box.obeys_start = False
    home.until("10T22:15").plug().until("11T01:15")
    doc, told = home.doc, example(6)
    quarters = [home.now - timedelta(minutes=15 * back) for back in range(12, 0, -1)]
    told["statistics"]["timeseries"] = [
        {"startAt": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "kwh": 0} for start in quarters
    ]
    told["outcome"]["latest"]["minimumChargeTargetReachedAt"] = "2025-06-11T10:15:00Z"
    assert doc == told


def third() -> Home:
    """Cheap from 00:00 to 03:45 and from 05:00 on; at 03:45 the user cannot wait any more."""
    cheap = dict.fromkeys((0, 1, 2, 3, 5, 6), 0.1)
    curve = prices("09T21:00", [cheap.get((21 + hour) % 24, 0.4) for hour in range(12)])
    home = Home(
        now=Home().now - timedelta(days=1), curve=curve, assumed=22, goal=85, charge_max_w=7_400, ready_by="07:30"
    )
    home.box.watts = 7_000.0
    return home.until("09T21:45").plug()


def test_the_third_examples_night_has_a_burst_of_immediate_charging_between_two_stretches_by_price() -> None:
    """The narrative: its override is still in force at the end though its target was reached, its series and its sums
    differ. Here the override is reached, and what was in force before comes back.
    """
    home = third().until("10T03:45")
    now = home.doc["statistics"]["aggregated"]["batteryTo"]
    home.boost(now + 3)
    home.until("10T07:20").unplug().until("10T07:25")
    doc, told = home.settled[0].document, example(3)
    assert list(doc) == list(told)
    assert doc["pluggedInAt"] == told["pluggedInAt"]
    assert doc["pluggedOutAt"] == told["pluggedOutAt"]
    assert shape(doc["statistics"]) == shape(told["statistics"])
    assert shape(doc["blocks"]) == shape(told["blocks"])
    kinds = [block["type"] for block in doc["blocks"]]
    assert kinds.count("IMMEDIATE_START") == 1
    burst = kinds.index("IMMEDIATE_START")
    assert doc["blocks"][burst]["startAt"] == "2025-06-10T03:45:00Z"
    assert "REGULAR" in kinds[:burst]
    assert "REGULAR" in kinds[burst + 1 :]
    total = doc["statistics"]["aggregated"]["kwhSum"]
    assert sum(block["kwhSum"] for block in doc["blocks"]) == pytest.approx(total)
    assert doc["target"]["latest"]["type"] == "REGULAR"
    assert doc["outcome"]["latest"]["targetId"] == doc["target"]["latest"]["id"] == 1
    assert doc["error"]["latest"] is None
    series = doc["statistics"]["timeseries"]
    assert series[0]["startAt"] == doc["pluggedInAt"]
    assert series[-1]["startAt"] == "2025-06-10T07:15:00Z"
    assert 0 in [entry["kwh"] for entry in series], "idle stretches are told"


def test_the_third_examples_override_is_kept_where_the_car_leaves_first() -> None:
    home = third().until("10T03:45")
    home.boost(100)
    home.until("10T04:15").unplug().until("10T04:20")
    doc, told = home.settled[0].document, example(3)
    assert shape(doc) == shape(told)
    assert doc["target"]["latest"] == {"id": 2, "type": "IMMEDIATE_START", "minimumChargeTarget": 100}
    assert doc["outcome"]["latest"]["type"] == "IMMEDIATE_START"
    assert doc["outcome"]["latest"]["targetId"] == 2
    home.until("10T20:00")
    assert home.doc["target"]["latest"]["source"] == "POLICY", "the next session begins with the policy's"
