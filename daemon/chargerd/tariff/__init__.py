"""Where prices come from: one small module per source behind one contract."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from chargerd.contract import Clock, TariffSource
from chargerd.tariff import awattar, energy_charts, entsoe, http_json, nord_pool, octopus, tibber
from chargerd.tariff.awattar import AwattarOptions
from chargerd.tariff.energy_charts import EnergyChartsOptions
from chargerd.tariff.entsoe import EntsoeOptions
from chargerd.tariff.feed import Feed, FeedTariff
from chargerd.tariff.file import FileOptions, FileTariff
from chargerd.tariff.fixed import FixedOptions, FixedTariff
from chargerd.tariff.http_json import HttpJsonOptions
from chargerd.tariff.nord_pool import NordPoolOptions
from chargerd.tariff.octopus import OctopusOptions
from chargerd.tariff.tibber import TibberOptions
from chargerd.tariff.time_of_use import TimeOfUseOptions, TimeOfUseTariff

FeedOptions = (
    AwattarOptions
    | EnergyChartsOptions
    | EntsoeOptions
    | HttpJsonOptions
    | NordPoolOptions
    | OctopusOptions
    | TibberOptions
)
TariffOptions = FixedOptions | TimeOfUseOptions | FileOptions | FeedOptions
"""A validated ``[tariff]`` section."""


@dataclass(frozen=True, slots=True)
class TariffKind:
    """One source of prices: the model of its section, what makes it, and how it is asked if it is in the network."""

    options: type[TariffOptions]
    create: Callable[[Any, ZoneInfo, Clock], TariffSource]
    feed: Feed | None = None


def _feed(options: type[TariffOptions], feed: Feed) -> TariffKind:
    return TariffKind(options, partial(FeedTariff, feed), feed)


TARIFFS: Mapping[str, TariffKind] = MappingProxyType(
    {
        "fixed": TariffKind(FixedOptions, FixedTariff),
        "time-of-use": TariffKind(TimeOfUseOptions, TimeOfUseTariff),
        "file": TariffKind(FileOptions, FileTariff),
        "energy-charts": _feed(EnergyChartsOptions, energy_charts.FEED),
        "awattar": _feed(AwattarOptions, awattar.FEED),
        "entsoe": _feed(EntsoeOptions, entsoe.FEED),
        "nord-pool": _feed(NordPoolOptions, nord_pool.FEED),
        "octopus": _feed(OctopusOptions, octopus.FEED),
        "tibber": _feed(TibberOptions, tibber.FEED),
        "http-json": _feed(HttpJsonOptions, http_json.FEED),
    }
)
"""``kind`` of the ``[tariff]`` section to what it stands for."""


def create_tariff(options: TariffOptions, zone: ZoneInfo, clock: Clock) -> TariffSource:
    """Make the source that a validated section describes; it opens nothing yet. ``zone`` is the site's.

    It tells its own prices: what comes on top is put there by ``fees.charged``.
    """
    return TARIFFS[options.kind].create(options, zone, clock)


def feed_label(options: TariffOptions) -> str:
    """What a source is called, and what of it is meant; no secret is in it. "" for one that cannot fail."""
    feed = TARIFFS[options.kind].feed
    if feed is not None:
        return feed.label(options)
    return options.label if isinstance(options, FileOptions) else ""


def example_prices() -> Path:
    """Return a CSV of real day-ahead prices in EUR/MWh (columns start_utc, price_eur_per_mwh), for demonstrations."""
    return Path(__file__).parent / "data" / "de-lu-2026-01.csv"
