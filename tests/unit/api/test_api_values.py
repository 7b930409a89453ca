"""Times as the API reads and writes them."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from chargerd.api.values import parse_time, rfc3339
from chargerd.api.views import prices_document
from chargerd.contract import PriceCurve, PriceSlot


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-06-11T07:00:00Z", datetime(2025, 6, 11, 7, tzinfo=UTC)),
        ("2025-06-11t07:00:00z", datetime(2025, 6, 11, 7, tzinfo=UTC)),
        ("2025-06-11 07:00:00Z", datetime(2025, 6, 11, 7, tzinfo=UTC)),
        ("2025-06-11T07:00:00.25+02:00", datetime(2025, 6, 11, 5, 0, 0, 250000, tzinfo=UTC)),
        ("2025-06-11T07:00:00.123456789Z", datetime(2025, 6, 11, 7, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_reads_rfc_3339_in_any_zone_as_utc(text: str, at: datetime) -> None:
    assert parse_time(text) == at
    assert parse_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "2025-06-11", "07:00", "2025-06-11T07:00Z", "2025-06-11T07:00:00", "20250611T070000Z", "2025-W24-3T07:00:00Z"],
)
def test_refuses_other_spellings_of_a_time(text: str) -> None:
    with pytest.raises(ValueError, match="RFC 3339 time with a zone"):
        parse_time(text)


@pytest.mark.parametrize("text", ["2025-13-01T00:00:00Z", "2025-06-11T24:30:00Z", "9999-12-31T23:59:59-23:00"])
def test_refuses_a_time_that_does_not_exist(text: str) -> None:
    with pytest.raises(ValueError, match="no such time"):
        parse_time(text)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2025, 6, 11, 9, tzinfo=timezone(timedelta(hours=2))), "2025-06-11T07:00:00Z"),
        (datetime(2025, 6, 11, 7, 0, 0, 250000, tzinfo=UTC), "2025-06-11T07:00:00.250000Z"),
    ],
)
def test_writes_utc_ending_in_z(at: datetime, text: str) -> None:
    assert rfc3339(at) == text


def test_a_curve_that_was_never_fetched_says_so() -> None:
    start = datetime(2025, 6, 11, tzinfo=UTC)
    curve = PriceCurve(slots=(PriceSlot(start, start + timedelta(hours=1), Decimal("1E+2")),), currency="CZK")
    document = prices_document(curve, start)
    assert (document["currency"], document["fetchedAt"]) == ("CZK", None)
    assert (document["rung"], document["oldSince"]) == ("FRESH", None)
    assert document["data"][0]["pricePerKwh"] == "100"
    assert document["data"][0]["origin"] == "SOURCE"
    assert prices_document(curve, start - timedelta(hours=1))["rung"] == "UNKNOWN"
