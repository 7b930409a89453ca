"""What commands, settings and samples teach about a charger's capabilities. Pure."""

from dataclasses import replace

from chargerd.contract import (
    Capabilities,
    ChargerCommand,
    MeterSampled,
    SetCurrentLimit,
    StartTransaction,
    StopTransaction,
)
from chargerd_drivers.ocpp import metering
from chargerd_drivers.ocpp.knowledge import Knowledge
from chargerd_drivers.ocpp.setup import Outcome


def from_command(known: Capabilities, command: ChargerCommand, *, is_supported: bool) -> Capabilities:
    """A command was accepted, or the charger said that it does not know such a thing at all."""
    match command:
        case StartTransaction():
            return replace(known, can_start=is_supported)
        case StopTransaction():
            return replace(known, can_stop=is_supported)
        case SetCurrentLimit():
            return replace(known, can_limit=is_supported)


def from_measurands(known: Capabilities, measurands: tuple[str, ...]) -> Capabilities:
    """The charger samples these during a transaction. What was seen with our own eyes stays."""
    names = {name.casefold() for name in measurands}
    return replace(
        known,
        reports_energy=metering.ENERGY.casefold() in names or known.reports_energy is True,
        reports_power=metering.POWER.casefold() in names or known.reports_power is True,
        reports_soc=metering.SOC.casefold() in names or known.reports_soc is True,
    )


def from_settings(known: Knowledge, outcome: Outcome) -> Knowledge:
    """What the settings say. A charger that rejected several periods takes one, whatever its settings say."""
    limits, taste = outcome.limits, known.taste
    periods = [count for count in (taste.periods_max, limits.periods_max) if count is not None]
    taste = replace(
        taste,
        units=limits.units or taste.units,
        stack_level_max=taste.stack_level_max if limits.stack_level_max is None else limits.stack_level_max,
        periods_max=min(periods, default=None),
    )
    capabilities = known.capabilities
    if capabilities.zero_is_stop is None:
        capabilities = replace(capabilities, zero_is_stop=limits.zero_is_stop)
    if outcome.measurands is not None:
        capabilities = from_measurands(capabilities, outcome.measurands)
    return replace(known, taste=taste, capabilities=capabilities)


def from_sample(known: Capabilities, sample: MeterSampled) -> Capabilities:
    """A sample came in. What is absent from one may be in the next."""
    return replace(
        known,
        reports_energy=True if sample.register_wh is not None else known.reports_energy,
        reports_power=True if sample.power_w is not None else known.reports_power,
        reports_soc=True if sample.soc_pct is not None else known.reports_soc,
    )
