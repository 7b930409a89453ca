"""Prices from a CSV or JSON file that something else keeps up to date; it is read again whenever it changes."""

import asyncio
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints, ValidationInfo, WithJsonSchema, model_validator

from chargerd.config_types import Currency, Matching, fault
from chargerd.contract import Clock, PriceCurve, PriceSlot
from chargerd.errors import ChargingError
from chargerd.tariff.fees import FallibleSection
from chargerd.tariff.money import Unit, number_of, unit_of

_UNIT = Matching("([A-Z]{3}|ct|p|öre|øre)/(kWh|MWh)", "money per energy, as EUR/kWh or ct/kWh")


def _path(value: Any, info: ValidationInfo) -> Any:
    """Read a relative path from the folder of the configuration file."""
    if not isinstance(value, str):
        raise fault("expected the path of a file")
    folder = (info.context or {}).get("folder", Path())
    return Path(folder, value)


class FileOptions(FallibleSection):
    """The ``[tariff]`` section of prices in a file.

    A price of the file is turned into the unit of money per kWh before anything comes on top. ``slot_max_minutes``
    bounds the length of a slot whose end is not given.
    """

    kind: Literal["file"]
    path: Annotated[Path, BeforeValidator(_path), WithJsonSchema({"type": "string"})]
    unit: Annotated[str, Matching("([A-Z]{3}|ct|p|öre|øre)/(kWh|MWh)", "money per energy, as EUR/kWh or ct/kWh")] = (
        "EUR/kWh"
    )
    currency: Currency | None = None
    start_column: str = "start"
    price_column: str = "price"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    slot_max_minutes: int = Field(default=60, ge=1, le=1440)

    @model_validator(mode="after")
    def _one_currency(self) -> "FileOptions":
        try:
            unit_of(self.unit, self.currency)
        except ValueError:
            words = f"unit {self.unit} and currency {self.currency} contradict each other; leave currency out"
            raise fault(words) from None
        return self

    @property
    def label(self) -> str:
        """What the source is called."""
        return f"file {self.path} ({self.unit})"

    @property
    def priced_in(self) -> Unit:
        """What the numbers of the file stand for."""
        return unit_of(self.unit, self.currency)


@dataclass(frozen=True, slots=True)
class _Row:
    where: str
    start: datetime
    end: datetime | None
    price: Decimal | None


class FileTariff:
    """Knows what the file says."""

    def __init__(self, options: FileOptions, zone: ZoneInfo, clock: Clock) -> None:  # noqa: ARG002
        self._options = options
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._slots: tuple[PriceSlot, ...] = ()

    async def fetch(self, start: datetime, end: datetime) -> PriceCurve:
        """Return the slots of the file that overlap the stretch. Raises ChargingError naming file and line."""
        whole = PriceCurve(await asyncio.to_thread(self._read))
        return PriceCurve(whole.between(start, end), self._options.priced_in.currency, self._clock.now())

    def _read(self) -> tuple[PriceSlot, ...]:
        path = self._options.path
        try:
            status = path.stat()
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._slots = _slots(path.read_text(encoding="utf-8-sig"), self._options)
                self._seen = seen
        except OSError as error:
            raise ChargingError(f"{path}: expected a file of prices, got: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ChargingError(f"{path}: expected text in UTF-8, got: {error.reason} at byte {error.start}") from error
        return self._slots


def _slots(text: str, options: FileOptions) -> tuple[PriceSlot, ...]:
    rows = _json_rows(text, options) if options.path.suffix.lower() == ".json" else _csv_rows(text, options)
    ordered = sorted(rows, key=lambda row: row.start)
    found = []
    longest = timedelta(minutes=options.slot_max_minutes)
    length = longest
    for row, following in pairwise((*ordered, None)):
        assert row is not None
        if following is not None and following.start < (row.end or row.start + timedelta.resolution):
            _fail(following.where, f"expected a start after the slot of {row.where}, got {following.start.isoformat()}")
        if following is not None:
            length = min(following.start - row.start, longest)
        if row.price is not None:
            found.append(PriceSlot(row.start, row.end or row.start + length, options.priced_in.per_kwh(row.price)))
    return tuple(found)


def _csv_rows(text: str, options: FileOptions) -> Iterator[_Row]:
    reader = csv.DictReader(text.splitlines(), delimiter=options.delimiter)
    for column in (options.start_column, options.price_column):
        if column not in (reader.fieldnames or ()):
            columns = ", ".join(reader.fieldnames or ()) or "an empty file"
            _fail(f"{options.path}:1", f"expected a column {column!r}, got {columns}")
    try:
        for record in reader:
            where = f"{options.path}:{reader.line_num}"
            price = record[options.price_column]
            yield _Row(
                where,
                _time(where, record[options.start_column]),
                None,
                _price(where, price.strip()) if price and price.strip() else None,
            )
    except csv.Error as error:
        raise ChargingError(f"{options.path}:{reader.line_num}: expected CSV, got: {error}") from error


def _json_rows(text: str, options: FileOptions) -> Iterator[_Row]:
    try:
        entries = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except json.JSONDecodeError as error:
        raise ChargingError(f"{options.path}:{error.lineno}: expected JSON, got: {error.msg}") from error
    except RecursionError as error:
        raise ChargingError(f"{options.path}:1: expected a list of prices, got one nested too deeply") from error
    except ArithmeticError as error:
        raise ChargingError(f"{options.path}:1: expected JSON with numbers that can be calculated with") from error
    if not isinstance(entries, list):
        _fail(f"{options.path}:1", f"expected a list of objects, got {type(entries).__name__}")
    for number, entry in enumerate(entries, start=1):
        where = f"{options.path}: entry {number}"
        if not isinstance(entry, dict):
            _fail(where, f'expected an object with "start" and "price", got {entry!r}')
        start, price = _time(where, entry.get("start")), entry.get("price")
        end = None if entry.get("end") is None else _time(where, entry["end"])
        if end is not None and end <= start:
            _fail(where, f"expected an end after the start, got {entry['end']}")
        yield _Row(where, start, end, None if price is None else _price(where, price))


def _time(where: str, text: object) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip()) if isinstance(text, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        _fail(where, f"expected a start in RFC 3339 with its zone, as 2026-01-14T17:00Z, got {text!r}")
    return at.astimezone(UTC)


def _price(where: str, value: object) -> Decimal:
    price = number_of(value)
    if price is None or not price.is_finite():
        _fail(where, f"expected a price as a number with a decimal point, got {value!r}")
    return price


def _fail(where: str, what: str) -> NoReturn:
    raise ChargingError(f"{where}: {what}")
