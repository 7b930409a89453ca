"""Units of prices: money per kWh or per MWh, in whole or in minor units."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_MINOR = {"ct": "EUR", "c": "EUR", "cent": "EUR", "p": "GBP", "öre": "SEK", "øre": "NOK"}
"""Minor units, a hundred to the whole one, and the currency that they are of unless another is named."""
_UNIT = re.compile(r"\s*(?P<money>[^\W\d]+)\s*/\s*(?P<energy>kWh|MWh)\s*", re.IGNORECASE)

_PER_EURO = {
    "SEK": 11, "NOK": 11, "DKK": 8, "ISK": 150, "PLN": 5, "CZK": 25, "HUF": 400, "RON": 5, "BGN": 2, "RSD": 120,
    "TRY": 50, "UAH": 50, "JPY": 170,
}  # fmt: skip
"""Roughly how many units are worth one euro; one where nothing is said. It only tells an outlier from a price."""
_MOST_EUR_PER_KWH = 10
_DIGITS_MOST = 20
"""A number with more digits before or behind the point is none of money, and to calculate with it may fail."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number stands for: divided by ``divisor`` it is whole units of ``currency`` per kWh."""

    currency: str
    divisor: int

    def per_kwh(self, number: Decimal) -> Decimal:
        """Turn a number of this unit into whole units of money per kWh."""
        return number / self.divisor


def unit_of(text: str, currency: str | None = None) -> Unit:
    """Read a unit as people and feeds write it: EUR/MWh, Eur / MWh, ct/kWh, p/kWh, öre/kWh, SEK/kWh.

    ``currency`` says whose minor unit it is, where that may be asked. Raises ValueError with what was expected.
    """
    match = _UNIT.fullmatch(text)
    money = match["money"] if match else ""
    is_minor = money.lower() in _MINOR
    if match is None or not (is_minor or re.fullmatch("[A-Za-z]{3}", money)):
        raise ValueError(f"expected a unit of price, as EUR/MWh or ct/kWh, got {text!r}")
    whole = _MINOR[money.lower()] if is_minor else money.upper()
    if currency is not None and not is_minor and currency != whole:
        raise ValueError(f"expected prices in {currency}, got {text!r}")
    divisor = (1000 if match["energy"].lower() == "mwh" else 1) * (100 if is_minor else 1)
    return Unit(currency or whole, divisor)


def number_of(value: object) -> Decimal | None:
    """Read a number, or a text that is one; None for anything else, and for one that no price can be."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) <= _DIGITS_MOST:
        return number
    return None if number and number.adjusted() > 0 else Decimal(0)


def most_per_kwh(currency: str) -> int:
    """The price per kWh that no market has reached, about 10 EUR: what is beyond it, to either side, is a mistake."""
    return _MOST_EUR_PER_KWH * _PER_EURO.get(currency, 1)
