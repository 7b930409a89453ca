"""The SQL of prices that were told. Rows of a source never overlap."""

import sqlite3
from datetime import datetime
from decimal import Decimal, InvalidOperation

from chargerd.plan.prices import PriceCurve, PriceSlot
from chargerd.store.codec import dump_time, load_time


def read(connection: sqlite3.Connection, source: str) -> PriceCurve:
    """Return what was kept of a source, in the currency in which it told prices last. Raises ValueError."""
    rows = connection.execute(
        "SELECT start_at, end_at, price_per_kwh, currency, told_at FROM price WHERE source = ? ORDER BY start_at",
        (source,),
    ).fetchall()
    if not rows:
        return PriceCurve()
    _, _, _, currency, told_at = max(rows, key=lambda row: row[4])
    slots = (
        PriceSlot(load_time(start), load_time(end), _decimal(price))
        for start, end, price, money, _ in rows
        if money == currency
    )
    return PriceCurve(tuple(slots), currency, load_time(told_at))


def write(connection: sqlite3.Connection, source: str, curve: PriceCurve, start: datetime, end: datetime) -> None:
    """Replace what is kept of a stretch of time by the curve's slots there, and forget what is older than the curve."""
    at = dump_time(curve.fetched_at or end)
    connection.execute(
        "DELETE FROM price WHERE source = ? AND start_at < ? AND end_at > ?", (source, dump_time(end), dump_time(start))
    )
    connection.executemany(
        "INSERT OR REPLACE INTO price VALUES (?, ?, ?, ?, ?, ?)",
        (
            (source, dump_time(slot.start), dump_time(slot.end), str(slot.price_per_kwh), curve.currency, at)
            for slot in curve.between(start, end)
        ),
    )
    if curve.slots:
        connection.execute("DELETE FROM price WHERE end_at <= ?", (dump_time(curve.slots[0].start),))


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"expected a price, got {text!r}") from error
