"""Where prices come from: one small module per source behind one contract."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from chargerd.contract import Clock, TariffSource
from chargerd.tariff.file import FileOptions, FileTariff
from chargerd.tariff.fixed import FixedOptions, FixedTariff
from chargerd.tariff.time_of_use import TimeOfUseOptions, TimeOfUseTariff

TariffOptions = FixedOptions | TimeOfUseOptions | FileOptions
"""A validated ``[tariff]`` section."""


@dataclass(frozen=True, slots=True)
class TariffKind:
    """One source of prices: the model of its section, and what makes it."""

    options: type[TariffOptions]
    create: Callable[[Any, ZoneInfo, Clock], TariffSource]


TARIFFS: Mapping[str, TariffKind] = MappingProxyType(
    {
        "fixed": TariffKind(FixedOptions, FixedTariff),
        "time-of-use": TariffKind(TimeOfUseOptions, TimeOfUseTariff),
        "file": TariffKind(FileOptions, FileTariff),
    }
)
"""``kind`` of the ``[tariff]`` section to what it stands for."""


def create_tariff(options: TariffOptions, zone: ZoneInfo, clock: Clock) -> TariffSource:
    """Make the source that a validated section describes; it opens nothing yet. ``zone`` is the site's."""
    return TARIFFS[options.kind].create(options, zone, clock)


def example_prices() -> Path:
    """Return a CSV of real day-ahead prices in EUR/MWh (columns start_utc, price_eur_per_mwh), for demonstrations."""
    return Path(__file__).parent / "data" / "de-lu-2026-01.csv"
