from chargerd_drivers.simulator.skew import shifted


def test_every_time_moves_however_deep_and_nothing_else_does() -> None:
    payload = {
        "timestamp": "2026-01-14T16:00:00Z",
        "note": "2026-01-14T16:00:00Z",
        "meterValue": [{"timestamp": "2026-01-14T16:00:00.250Z", "sampledValue": [{"value": "1"}]}],
    }
    assert shifted(payload, -600) == {
        "timestamp": "2026-01-14T15:50:00Z",
        "note": "2026-01-14T16:00:00Z",
        "meterValue": [{"timestamp": "2026-01-14T15:50:00.250Z", "sampledValue": [{"value": "1"}]}],
    }


def test_a_right_clock_changes_nothing() -> None:
    payload = {"timestamp": "2026-01-14T17:00:00+01:00"}
    assert shifted(payload, 0) is payload
