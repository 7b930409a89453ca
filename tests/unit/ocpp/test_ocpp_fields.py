"""Reading oddly typed JSON fields."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chargerd_drivers.ocpp.fields import integer, listing, moment, number, obj, stamp, text, word

NOW = datetime(2026, 1, 14, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, 12.0),
        (12.5, 12.5),
        ("12.5", 12.5),
        (" 12.0 ", 12.0),
        ("12,5", 12.5),
        ("1.2E4", 12000.0),
        ("-3", -3.0),
        (".5", 0.5),
        ("", None),
        ("NaN", None),
        ("inf", None),
        ("1,234.5", None),
        ("1_000", None),
        ("0x10", None),
        ("١٢", None),
        (True, None),
        (None, None),
        ([1], None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ("1e999", None),
    ],
    ids=repr,
)
def test_a_number_is_finite_or_missing(value, expected) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        ("7", 7),
        (" 7 ", 7),
        (7.0, 7),
        ("7.0", 7),
        (7.5, None),
        (True, None),
        ("", None),
        (None, None),
        ({}, None),
        (2**63 - 1, 2**63 - 1),
        (str(2**63 - 1), 2**63 - 1),
        (10**30, None),
        ("9" * 5000, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_integer_is_whole_or_missing(value, expected) -> None:
    assert integer(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-14T15:00:00Z", datetime(2026, 1, 14, 15, tzinfo=UTC)),
        ("2026-01-14T15:00:00.123456Z", datetime(2026, 1, 14, 15, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-14T15:00:00.123Z", datetime(2026, 1, 14, 15, 0, 0, 123000, tzinfo=UTC)),
        ("2026-01-14T16:00:00+01:00", datetime(2026, 1, 14, 15, tzinfo=UTC)),
        ("2026-01-14T15:00:00", datetime(2026, 1, 14, 15, tzinfo=UTC)),
        ("2026-01-15T15:59:59Z", datetime(2026, 1, 15, 15, 59, 59, tzinfo=UTC)),
        ("2026-01-15T16:00:01Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("2019-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("banana", None),
        ("", None),
        (None, None),
        ({}, None),
    ],
)
def test_a_charger_time_is_utc_and_plausible_or_missing(value, expected) -> None:
    assert moment(value, NOW) == expected


def test_a_time_is_spelled_in_utc_without_fraction() -> None:
    at = datetime(2026, 1, 14, 17, 0, 0, 999999, tzinfo=timezone(timedelta(hours=1)))
    assert stamp(at) == "2026-01-14T16:00:00Z"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a\x00b\n", "ab"), (5, "5"), (True, ""), (None, ""), ({}, ""), ("x" * 300, "x" * 255), (" a ", "a")],
)
def test_text_is_printable_and_bounded(value, expected) -> None:
    assert text(value) == expected


def test_words_are_compared_without_case_and_separators() -> None:
    assert word("Suspended_EV") == word("suspendedEV") == word("Suspended-EV ") == "suspendedev"


def test_single_values_become_lists_and_null_becomes_none_at_all() -> None:
    assert (listing({"a": 1}), listing([1]), listing(None)) == ([{"a": 1}], [1], [])
    assert (obj({"a": 1}), obj([1]), obj(None)) == ({"a": 1}, {}, {})
