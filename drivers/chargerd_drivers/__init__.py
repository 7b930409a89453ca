"""Drivers: each translates one vendor protocol into events and commands, and knows only the contract."""

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from chargerd.contract import ConfigError, DriverSpec

DRIVERS: Mapping[str, str] = MappingProxyType({"ocpp": "chargerd_drivers.ocpp.driver"})
"""Driver kind, as in ``driver = "ocpp"`` of the configuration, to the module that exports its ``SPEC``."""


def load(kind: str) -> DriverSpec:
    """Import the driver of a kind. Raises ConfigError for a kind that is not in the table."""
    if kind not in DRIVERS:
        msg = f"driver {kind!r}: unknown, allowed are {', '.join(sorted(DRIVERS))}"
        raise ConfigError((msg,))
    spec = importlib.import_module(DRIVERS[kind]).SPEC
    assert isinstance(spec, DriverSpec), kind
    assert spec.kind == kind, (spec.kind, kind)
    return spec
