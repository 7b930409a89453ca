"""Times, columns and bars for people."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from chargerd.cli.session_text import error_text, outcome_text, session_text
from chargerd.cli.targets import ready_by
from chargerd.cli.text import bar, energy, moment, percent, plain, table

NOW = datetime(2026, 1, 14, 16, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _terminal_in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-01-14T18:30:00Z", "Wed 19:30"),
        ("2026-01-09T18:30:00Z", "Fri 19:30"),
        ("2026-01-01T18:30:00Z", "2026-01-01 19:30"),
        (None, "-"),
    ],
)
def test_a_moment_is_local_and_as_short_as_it_is_clear(text: str | None, shown: str) -> None:
    assert moment(text, NOW) == shown


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("18:00", "2026-01-14T17:00:00Z"),
        ("17:00", "2026-01-15T16:00:00Z"),
        ("7:00", "2026-01-15T06:00:00Z"),
        ("2026-01-15T07:00:00+01:00", "2026-01-15T06:00:00Z"),
        ("2026-01-15T06:00Z", "2026-01-15T06:00:00Z"),
    ],
    ids=["later today", "this very minute is past", "tomorrow", "RFC 3339", "without seconds"],
)
def test_ready_by_is_the_next_such_time(text: str, at: str) -> None:
    assert ready_by(text, NOW) == datetime.fromisoformat(at)


def test_ready_by_is_right_on_the_night_when_summer_time_begins() -> None:
    evening = datetime(2026, 3, 28, 21, 0, tzinfo=UTC)
    assert ready_by("07:00", evening) == datetime(2026, 3, 29, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["25:00", "7:60", "soon", "2026-01-15T07:00:00", ""])
def test_ready_by_refuses_what_is_not_clear(text: str) -> None:
    with pytest.raises(ValueError, match="--ready-by"):
        ready_by(text, NOW)


@pytest.mark.parametrize(
    ("value", "largest", "shown"),
    [(4, 4, "████"), (2, 4, "██"), (0.001, 4, "▏"), (0, 4, ""), (-1, 4, ""), (1, 0, ""), (9, 4, "████")],
)
def test_a_bar_is_a_share_of_its_width(value: float, largest: float, shown: str) -> None:
    assert bar(value, largest, 4) == shown


def test_columns_are_aligned_and_leave_no_blanks_behind() -> None:
    assert table([("a", "1"), ("bbb", "22")], indent=" ", right=frozenset({1})) == " a     1\n bbb  22"
    assert table([("a", ""), ("bbb", "x")]) == "a\nbbb  x"
    assert table([]) == ""


def test_what_is_not_known_is_a_dash() -> None:
    assert (percent(None), energy(None), plain(None), plain("")) == ("-", "-", "-", "-")
    assert (percent(0), energy(0), plain(0)) == ("0 %", "0.0 kWh", "0")


def document(**changes: object) -> dict[str, object]:
    return {
        "policyId": None,
        "state": "UPCOMING",
        "pluggedInAt": None,
        "pluggedOutAt": None,
        "blocks": [],
        "statistics": {"aggregated": None, "timeseries": []},
        "target": {"latest": None},
        "outcome": {"latest": None},
        "error": {"latest": None},
    } | changes


def test_a_session_without_anything_is_still_a_text() -> None:
    assert session_text(document(), "zoe at garage", NOW).splitlines() == [
        "zoe at garage  UPCOMING, waiting for the car",
        "  battery  -",
        "  target   -",
        "  outcome  -",
    ]


def test_missing_capabilities_are_named() -> None:
    error = {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["startCharging", "stopCharging"]}
    assert error_text(document(error={"latest": error})) == "MISSING_CAPABILITIES: startCharging, stopCharging"


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        ({"type": "IMMEDIATE_START", "targetId": 2, "minimumChargeTargetReachedAt": None}, "not known when"),
        (
            {
                "type": "REGULAR",
                "targetId": 1,
                "state": "OFF_TARGET",
                "batteryLevelAtReadyBy": 35,
                "minimumChargeTargetReachedAt": None,
            },
            "OFF TARGET: 35 % at the deadline, target not known when",
        ),
    ],
)
def test_an_outcome_without_a_projection_says_so(outcome: dict[str, object], shown: str) -> None:
    assert outcome_text(document(outcome={"latest": outcome}), NOW) == shown
