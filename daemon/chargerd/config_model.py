"""The configuration as the rest of the daemon sees it: validated, frozen, paths absolute."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chargerd.config_sections import HttpSection
from chargerd.core.policy import ChargerSpec, Policy, Site, VehicleSpec
from chargerd.tariff import TariffOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerEntry:
    """One charger: its facts for the core, the kind of its driver, and the driver's own options for it."""

    spec: ChargerSpec
    driver: str
    options: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One configuration file.

    ``driver_sections`` holds the validated section of each driver that a charger uses or that the file names, by
    its kind. ``store_url`` names an absolute path.
    """

    site: Site
    chargers: tuple[ChargerEntry, ...]
    vehicles: tuple[VehicleSpec, ...]
    policies: tuple[Policy, ...]
    driver_sections: Mapping[str, Any]
    tariff: TariffOptions
    http: HttpSection
    store_url: str
