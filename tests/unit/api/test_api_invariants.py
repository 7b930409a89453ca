"""The checker finds each broken rule, and nothing wrong with the examples."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chargerd.api.invariants import check, check_ledger, check_series

Document = dict[str, Any]


def load(number: int) -> Document:
    return json.loads((Path(__file__).parent / "examples" / f"{number}.json").read_text())


@pytest.mark.parametrize("number", range(1, 8))
def test_the_examples_are_sound(number: int) -> None:
    assert check(load(number)) == ()


def put(*path: str | int, to: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        node: Any = document
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = to

    return change


ZERO = {"kwhSum": 0, "batteryFrom": 35, "batteryTo": 35}
BLOCK = {"type": "REGULAR", "kwhSum": 1.0, "startAt": "2025-06-11T01:00:00Z", "endAt": "2025-06-11T02:00:00Z"}
OUTCOME = load(2)["outcome"]["latest"]
BACKWARD = {"endAt": "2025-06-10T23:00:00Z"}
LATE = {"endAt": "2025-06-10T08:00:00Z"}


@pytest.mark.parametrize(
    ("number", "change", "broken"),
    [
        (1, put("pluggedInAt", to="2025-06-10T22:15:00Z"), "UPCOMING: pluggedInAt is not null"),
        (1, put("blocks", to=[BLOCK]), "UPCOMING: blocks is not empty"),
        (1, put("statistics", "aggregated", to=ZERO), "UPCOMING: statistics are not empty"),
        (1, put("outcome", "latest", to=OUTCOME), "UPCOMING: outcome is not null"),
        (2, put("pluggedInAt", to=None), "ACTIVE: pluggedInAt is null"),
        (2, put("statistics", "aggregated", to=None), "plugged in: aggregated is null"),
        (2, put("statistics", "aggregated", "kwhSum", to=-1), "aggregated: kwhSum is negative"),
        (2, put("pluggedInAt", to="2025-06-10T22:00:00Z"), "series: it does not start at pluggedInAt"),
        (
            2,
            put("statistics", "timeseries", 1, "startAt", to="2025-06-11T00:00:00Z"),
            "series: not strictly increasing",
        ),
        (2, put("blocks", 0, "endAt", to="2025-06-10T23:00:00Z"), "blocks: one does not end after its start"),
        (2, put("blocks", 0, "endAt", to="2025-06-11T01:01:00Z"), "blocks: unsorted or overlapping"),
        (2, put("outcome", "latest", "targetId", to=2), "outcome: it judges another target than the latest"),
        (
            2,
            put("target", "latest", to=load(4)["target"]["latest"]),
            "outcome: it judges another target than the latest",
        ),
        (2, put("outcome", "latest", "batteryLevelAtReadyBy", to=50), "outcome: ON_TARGET with a projection"),
        (
            6,
            put("outcome", "latest", "batteryLevelAtReadyBy", to=None),
            "outcome: OFF_TARGET without batteryLevelAtReadyBy",
        ),
        (3, put("pluggedOutAt", to="2025-06-09T21:00:00Z"), "SETTLED: pluggedOutAt is before pluggedInAt"),
        (3, put("blocks", 2, "endAt", to="2025-06-10T08:00:00Z"), "SETTLED: a block ends after pluggedOutAt"),
        (3, put("error", "latest", to={"type": "STOP_FAIL"}), "SETTLED: error is not null"),
        (3, put("blocks", 2, "kwhSum", to=9.3), "SETTLED: 33.300 kWh in blocks, 33.2 kWh in all"),
        (7, put("blocks", to=[BLOCK]), "unmanaged: blocks, target or outcome are there"),
        (7, put("pluggedOutAt", to="2025-06-10T15:00:00Z"), "series: an entry starts after pluggedOutAt"),
    ],
)
def test_a_broken_rule_is_named(number: int, change: Callable[[Document], None], broken: str) -> None:
    document = load(number)
    change(document)
    assert broken in check(document)


def test_the_order_of_the_keys_is_part_of_the_shape() -> None:
    document = load(1)
    document = {"state": document.pop("state"), **document}
    assert check(document) == ("keys: their order differs from the published one",)


def whole() -> tuple[Document, list[dict[str, Any]]]:
    """A settled visit of 40 minutes, plugged in at 22:10: a short first and a short last interval."""
    document = load(7)
    document["pluggedInAt"], document["pluggedOutAt"] = "2025-06-10T22:10:00Z", "2025-06-10T22:50:00Z"
    cells = [("22:10", "22:15", 0), ("22:15", "22:30", 1000), ("22:30", "22:45", 2000), ("22:45", "22:50", 500)]
    document["statistics"] = {
        "aggregated": {"kwhSum": 3.5, "batteryFrom": 30, "batteryTo": 36},
        "timeseries": [
            {"startAt": "2025-06-10T22:10:00Z", "kwh": 0},
            {"startAt": "2025-06-10T22:15:00Z", "kwh": 4.0},
            {"startAt": "2025-06-10T22:30:00Z", "kwh": 8.0},
            {"startAt": "2025-06-10T22:45:00Z", "kwh": 6.0},
        ],
    }
    ledger = [
        {"startAt": f"2025-06-10T{start}:00Z", "endAt": f"2025-06-10T{end}:00Z", "wh": wh, "quality": "measured"}
        for start, end, wh in cells
    ]
    return document, ledger


def test_a_whole_visit_agrees_with_its_grid_its_sums_and_its_ledger() -> None:
    document, ledger = whole()
    assert check(document) == check_series(document) == check_ledger(document, ledger) == ()


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (
            put("statistics", "timeseries", 1, "startAt", to="2025-06-10T22:16:00Z"),
            "series: an entry after the first is not on a clock quarter",
        ),
        (
            put("statistics", "timeseries", 3, "startAt", to="2025-06-10T23:00:00Z"),
            "series: a quarter is left out or told twice",
        ),
        (
            put("statistics", "timeseries", 1, "kwh", to=5.0),
            "series: 3.750 kWh under the curve, 3.5 kWh in all",
        ),
    ],
)
def test_a_series_off_its_grid_or_its_sum_is_named(change: Callable[[Document], None], broken: str) -> None:
    document, _ = whole()
    change(document)
    assert broken in check_series(document)


def test_an_entry_of_the_future_is_named() -> None:
    document, _ = whole()
    assert check_series(document, now=datetime(2025, 6, 10, 22, 40, tzinfo=UTC)) == (
        "series: an entry has not begun yet",
    )


def test_an_upcoming_session_has_no_series_to_check() -> None:
    assert check_series(load(1)) == ()


def test_a_ledger_that_disagrees_is_named() -> None:
    document, ledger = whole()
    assert check_ledger(document, ledger[:-1]) == (
        "ledger: 3000 Wh, the document says 3.5 kWh",
        "ledger: its quarter hours are not those of the series",
    )
