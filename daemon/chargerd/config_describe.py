"""What a configuration will do, in a resident's words."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from chargerd.config_model import ChargerEntry, Config
from chargerd.config_sections import HttpSection
from chargerd.config_types import DAYS
from chargerd.core.policy import ChargerSpec, DayTarget, Policy, Site, VehicleSpec
from chargerd.core.units import power_w
from chargerd.core.whose import ASK_FOR
from chargerd.tariff import TariffOptions, feed_label
from chargerd.tariff.fees import FallibleSection
from chargerd.tariff.file import FileOptions
from chargerd.tariff.fixed import FixedOptions
from chargerd.tariff.time_of_use import TimeOfUseOptions
from chargerd.tariff.windows import TimeOfDayPrices


def describe(config: Config) -> str:
    """Return a few lines for people: who is charged where, by when, at which prices, and who may connect."""
    return "\n".join(
        [
            _site(config.site),
            *(_charger(entry, config.site) for entry in config.chargers),
            *_shared_fuse(config),
            *(line for policy in config.policies for line in _policy(policy, config)),
            *_shared_chargers(config),
            *_without_policy(config),
            *_tariff(config.tariff),
            *(f"Driver {kind}: {_options(section)}." for kind, section in config.driver_sections.items()),
            _http(config.http),
            f"Kept in {config.store_url.removeprefix('sqlite://')}.",
        ]
    )


def _site(site: Site) -> str:
    fuse = f", main fuse {site.main_fuse_a:g} A" if site.main_fuse_a is not None else ""
    return f"Site {site.name}: {_phases(site.phases)} at {site.voltage_v:g} V{fuse}; times of day are in {site.zone}."


def _charger(entry: ChargerEntry, site: Site) -> str:
    spec = entry.spec
    strongest = power_w(spec.max_a, phases=spec.phases, voltage_v=site.voltage_v) / 1000
    return (
        f"Charger {spec.charger_id}: {spec.min_a:g} to {spec.max_a:g} A on {_phases(spec.phases)}, "
        f"at most {strongest:.1f} kW; {entry.driver}, {_options(entry.options)}."
    )


def _shared_fuse(config: Config) -> Iterator[str]:
    fuse, together = config.site.main_fuse_a, sum(entry.spec.max_a for entry in config.chargers)
    if fuse is not None and together > fuse:
        yield f"  Note: together the chargers may draw {together:g} A per phase, more than the main fuse of {fuse:g} A."


def _policy(policy: Policy, config: Config) -> Iterator[str]:
    vehicle = next(vehicle for vehicle in config.vehicles if vehicle.vehicle_id == policy.vehicle_id)
    charger = next(entry.spec for entry in config.chargers if entry.spec.charger_id == policy.charger_id)
    yield (
        f"Policy {policy.policy_id}: charges {vehicle.vehicle_id} ({vehicle.battery_wh / 1000:g} kWh, "
        f"at most {_strongest(vehicle, charger, config.site):.1f} kW) at {charger.charger_id}."
    )
    for days, target in _weekdays(policy.schedule):
        if target is None:
            yield f"  {days}: no deadline."
        else:
            yield f"  {days}: at least {target.minimum_charge_target} % by {target.ready_by:%H:%M}."
    if policy.battery_reserve:
        yield f"  Up to {policy.battery_reserve} % is charged at once, whatever it costs."
    yield f"  {_level(policy, vehicle)}"


def _level(policy: Policy, vehicle: VehicleSpec) -> str:
    source = "the charger" if vehicle.level_from_charger else "you"
    assumed = policy.assumed_battery_level_at_plug_in
    if assumed is None:
        return f"The battery level comes from {source}; while it is not known, the car is not controlled."
    return f"The battery level comes from {source}; when it is not known, {assumed} % is taken at plug-in."


def _weekdays(schedule: tuple[DayTarget | None, ...]) -> Iterator[tuple[str, DayTarget | None]]:
    for target, group in groupby(zip(DAYS, schedule, strict=True), key=lambda pair: pair[1]):
        names = [day.capitalize() for day, _ in group]
        if len(names) == len(DAYS):
            yield "Every day", target
        else:
            yield (names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"), target


def _shared_chargers(config: Config) -> Iterator[str]:
    """Say how cars that share a charger are told apart, where their cards alone cannot tell."""
    tokens = {vehicle.vehicle_id: vehicle.id_tokens for vehicle in config.vehicles}
    for entry in config.chargers:
        charger_id = entry.spec.charger_id
        sharing = [policy.vehicle_id for policy in config.policies if policy.charger_id == charger_id]
        unknown = [vehicle_id for vehicle_id in sharing if not tokens[vehicle_id]]
        if len(sharing) > 1 and unknown:
            yield (
                f"  Note: {_named(sharing)} share {charger_id}, and {_named(unknown)} {_have(unknown)} no id_tokens. "
                "They are told apart by card or EVCCID, else by a car's own report that it was plugged in; "
                f"without either, {sharing[0]} is taken after {ASK_FOR.total_seconds():g} s."
            )


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _have(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _without_policy(config: Config) -> Iterator[str]:
    managed = {policy.charger_id for policy in config.policies}
    for entry in config.chargers:
        if entry.spec.charger_id not in managed:
            yield f"Charger {entry.spec.charger_id} has no policy: what flows there is measured and not controlled."
    if not config.chargers:
        yield "No charger is configured: nothing is controlled."


def _tariff(tariff: TariffOptions) -> Iterator[str]:
    yield from _prices(tariff)
    if tariff.network is not None:
        yield f"  Network charges on top: {tariff.network.default_price_per_kwh} per kWh, except:"
        yield from (f"    {line}." for line in _windows(tariff.network))
    if tariff.add_per_kwh:
        yield f"  Fees on top: {tariff.add_per_kwh} per kWh."
    if tariff.multiply != 1:
        yield f"  Taxes: all of it times {tariff.multiply}."
    if isinstance(tariff, FallibleSection):
        price = tariff.fallback_price_per_kwh
        then = "the time wanted alone counts" if price is None else f"a kWh counts as {price}"
        yield f"  Where it fails, prices of an earlier day stand in; without them {then}."


def _prices(tariff: TariffOptions) -> Iterator[str]:
    match tariff:
        case FixedOptions():
            yield f"Tariff: {tariff.price_per_kwh} {tariff.currency} per kWh at all times."
        case TimeOfUseOptions():
            yield f"Tariff: {tariff.default_price_per_kwh} {tariff.currency} per kWh, except:"
            yield from (f"  {line} {tariff.currency}." for line in _windows(tariff))
        case FileOptions():
            money = tariff.priced_in.currency
            yield f"Tariff: prices in {money} per kWh from {tariff.path}, read again when it changes."
        case _:
            yield f"Tariff: prices of {feed_label(tariff)}, asked for over the network once they are published."


def _windows(prices: TimeOfDayPrices) -> Iterator[str]:
    for window in prices.window:
        days = "" if set(window.days) == set(DAYS) else f" on {', '.join(window.days)}"
        seasons = ", ".join(f"{season.start:%m-%d} to {season.end:%m-%d}" for season in window.seasons)
        when = f" from {seasons}" if seasons else ""
        yield f"{window.start:%H:%M} to {window.end:%H:%M}{days}{when}: {window.price_per_kwh}"


def _http(http: HttpSection) -> str:
    guard = f"with the token in {http.token_file}" if http.token_file else "without a token, from this machine only"
    return f"API: http://{http.listen}/, {guard}."


def _strongest(vehicle: VehicleSpec, charger: ChargerSpec, site: Site) -> float:
    phases = min(vehicle.phases, charger.phases)
    return min(vehicle.charge_max_w, power_w(charger.max_a, phases=phases, voltage_v=site.voltage_v)) / 1000


def _options(options: Any) -> str:
    """Name what tells where a device is and what the file sets; defaults of the rest are in the driver's manual."""
    always = {"listen", "path", "url", "identity", "connector"}
    known = options.model_dump(exclude_none=True).items()
    told = (f"{key} {value}" for key, value in known if key in always or key in options.model_fields_set)
    return ", ".join(told) or "as it is by default"


def _phases(count: int) -> str:
    return "1 phase" if count == 1 else f"{count} phases"
