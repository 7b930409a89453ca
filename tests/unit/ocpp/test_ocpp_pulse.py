"""What is tried of pings where connections keep breaking."""

import pytest

from chargerd_drivers.ocpp.pulse import is_short, tuned


@pytest.mark.parametrize(
    ("configured_s", "steps"),
    [(30.0, [20.0, 0.0, 30.0, 20.0]), (60.0, [40.0, 0.0, 60.0, 40.0])],
    ids=["as shipped", "seldom"],
)
def test_pings_become_more_frequent_then_stop_then_begin_again(configured_s, steps) -> None:
    found, interval_s = [], configured_s
    for _ in steps:
        interval_s = tuned(interval_s, configured_s)
        found.append(interval_s)
    assert found == steps


def test_where_none_were_configured_some_are_tried() -> None:
    assert tuned(0.0, 0.0) == 30.0
    assert tuned(30.0, 0.0) == 20.0
    assert tuned(20.0, 0.0) == 0.0


def test_a_connection_that_outlived_several_pings_was_not_broken_by_one() -> None:
    assert is_short(45.0, 30.0)
    assert not is_short(120.0, 30.0)
    assert is_short(100.0, 0.0)
