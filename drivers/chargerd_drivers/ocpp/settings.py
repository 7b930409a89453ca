"""Which settings matter, how they are asked for and written, and what their values mean. Pure, for both versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ocpp.v16 import call as call16
from ocpp.v201 import call as call201
from ocpp.v201 import datatypes

from chargerd_drivers.ocpp import metering
from chargerd_drivers.ocpp.dialect import Request
from chargerd_drivers.ocpp.fields import Json, integer, listing, number, obj, text, word
from chargerd_drivers.ocpp.ways import Unit
from chargerd_drivers.ocpp.wire import Version, to_request

Key = str | tuple[str, str]
"""1.6: a configuration key; 2.0.1: component and variable."""

ALIGNED_INTERVAL_S = 900
"""The quarter-hour grid of prices and statistics."""
ITEMS_MAX = 4
"""Variables in one message (2.0.1), and no more than the station says that it takes."""
_VALUE_MAX = 2500

_SAMPLED = (metering.ENERGY, metering.POWER, metering.CURRENT, metering.SOC)
_ALIGNED = (metering.ENERGY, metering.POWER)

MEASURANDS: Mapping[Version, Key] = {
    "1.6": "MeterValuesSampledData",
    "2.0.1": ("SampledDataCtrlr", "TxUpdatedMeasurands"),
}
INTERVAL: Mapping[Version, Key] = {
    "1.6": "MeterValueSampleInterval",
    "2.0.1": ("SampledDataCtrlr", "TxUpdatedInterval"),
}
_UNITS: Mapping[Version, Key] = {
    "1.6": "ChargingScheduleAllowedChargingRateUnit",
    "2.0.1": ("SmartChargingCtrlr", "RateUnit"),
}
_LEVEL: Mapping[Version, Key] = {
    "1.6": "ChargeProfileMaxStackLevel",
    "2.0.1": ("SmartChargingCtrlr", "ProfileStackLevel"),
}
_PERIODS: Mapping[Version, Key] = {
    "1.6": "ChargingScheduleMaxPeriods",
    "2.0.1": ("SmartChargingCtrlr", "PeriodsPerSchedule"),
}
_STOP_POINT: Key = ("TxCtrlr", "TxStopPoint")

_UNIT_WORDS = {
    "a": Unit.AMPERE,
    "amps": Unit.AMPERE,
    "current": Unit.AMPERE,
    "w": Unit.WATT,
    "watts": Unit.WATT,
    "power": Unit.WATT,
}
"""Words of 1.6 section 9.4 (Current, Power) and of what chargers say instead."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value to be brought about: a number, or a list of measurands, the most important one first."""

    key: Key
    value: str = ""
    measurands: tuple[str, ...] = ()

    def is_met(self, value: str) -> bool:
        """Whether a value is as good as the one wanted: a list may hold more, a number be spelled with a fraction."""
        if not self.measurands:
            return number(value) == number(self.value)
        return {name.casefold() for name in names_in(value)} >= {name.casefold() for name in self.measurands}


@dataclass(frozen=True, slots=True)
class Found:
    """What a charger said about a setting; ``value`` None: nothing. ``key`` is as the charger spells it."""

    key: Key
    value: str | None = None
    is_read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFacts:
    """What settings tell of limits; () and None where they tell nothing. ``zero_is_stop`` is never False here."""

    units: tuple[Unit, ...] = ()
    stack_level_max: int | None = None
    periods_max: int | None = None
    zero_is_stop: bool | None = None


def settings(version: Version, sample_interval_s: int) -> tuple[Setting, ...]:
    """Return what a charger of this version should have (1.6 section 9; 2.0.1 part 2 appendix, chapter 3)."""
    aligned: tuple[Key, Key] = ("ClockAlignedDataInterval", "MeterValuesAlignedData")
    if version != "1.6":
        aligned = (("AlignedDataCtrlr", "Interval"), ("AlignedDataCtrlr", "Measurands"))
    return (
        Setting(INTERVAL[version], str(sample_interval_s)),
        Setting(MEASURANDS[version], measurands=_SAMPLED),
        Setting(aligned[0], str(ALIGNED_INTERVAL_S)),
        Setting(aligned[1], measurands=_ALIGNED),
    )


def limit_keys(version: Version) -> tuple[Key, ...]:
    """Return the settings that tell how limits may be said."""
    keys = (_UNITS[version], _LEVEL[version], _PERIODS[version])
    return keys if version == "1.6" else (*keys, _STOP_POINT)


def limit_facts(found: Mapping[Key, Found], version: Version) -> LimitFacts:
    """Return what the values of these settings mean."""

    def value(key: Key) -> str:
        said = found.get(lookup(key))
        return "" if said is None or said.value is None else said.value

    units = (_UNIT_WORDS.get(word(name)) for name in names_in(value(_UNITS[version])))
    level, periods = integer(value(_LEVEL[version])), integer(value(_PERIODS[version]))
    stops = {word(name) for name in names_in(value(_STOP_POINT))}
    return LimitFacts(
        units=tuple(sorted({unit for unit in units if unit is not None})),
        stack_level_max=level if level is not None and 0 <= level < 1000 else None,
        periods_max=periods if periods is not None and periods > 0 else None,
        zero_is_stop=True if {"powerpathclosed", "energytransfer"} & stops else None,
    )


def names_in(value: str) -> tuple[str, ...]:
    """Return the parts of a list of words."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def lookup(key: Key) -> Key:
    """Return a key as it is looked up: chargers spell keys in their own case."""
    return key.casefold() if isinstance(key, str) else (key[0].casefold(), key[1].casefold())


def spelled(key: Key) -> str:
    """Return a key for people."""
    return key if isinstance(key, str) else ".".join(key)


def read_request(keys: Sequence[Key], instance: str | None = None) -> Request:
    """Return what asks for settings of one version. ``instance`` is that of a 2.0.1 variable."""
    names = [key for key in keys if isinstance(key, str)]
    if names:
        return to_request(call16.GetConfiguration(key=names))
    wanted = [
        datatypes.GetVariableDataType(
            component=datatypes.ComponentType(name=key[0]),
            variable=datatypes.VariableType(name=key[1], instance=instance),
        )
        for key in keys
    ]
    return to_request(call201.GetVariables(get_variable_data=wanted))


def items_request() -> Request:
    """Return what asks a 2.0.1 station how many variables one message may ask for: a question for one variable."""
    return read_request([("DeviceDataCtrlr", "ItemsPerMessage")], instance="GetVariables")


def write_request(key: Key, value: str) -> Request:
    """One variable per message: some stations take no more, and a refusal then concerns that one alone."""
    if isinstance(key, str):
        return to_request(call16.ChangeConfiguration(key=key, value=value))
    wanted = datatypes.SetVariableDataType(
        attribute_value=value,
        component=datatypes.ComponentType(name=key[0]),
        variable=datatypes.VariableType(name=key[1]),
    )
    return to_request(call201.SetVariables(set_variable_data=[wanted]))


def batches(keys: Sequence[Key], items_max: int) -> list[tuple[Key, ...]]:
    """Split what is asked for into messages."""
    return [tuple(keys[start : start + items_max]) for start in range(0, len(keys), items_max)]


def found_in(answer: Json) -> dict[Key, Found]:
    """Return what an answer tells of settings, by looked-up key. Values may be numbers and booleans; null is none."""
    found: dict[Key, Found] = {}
    for entry in map(obj, listing(answer.get("configurationKey"))):
        name = text(entry.get("key"))
        is_read_only = entry.get("readonly") is True or word(entry.get("readonly")) == "true"
        found[lookup(name)] = Found(name, _value(entry.get("value")), is_read_only)
    for entry in map(obj, listing(answer.get("getVariableResult"))):
        named = (text(obj(entry.get("component")).get("name")), text(obj(entry.get("variable")).get("name")))
        is_known = word(entry.get("attributeStatus")) == "accepted"
        found[lookup(named)] = Found(named, _value(entry.get("attributeValue")) if is_known else None)
    return found


def _value(raw: object) -> str | None:
    if raw is None:
        return None
    return str(raw).lower() if isinstance(raw, bool) else text(raw, length_max=_VALUE_MAX)


def written(answer: Json) -> bool:
    """Whether a write was accepted; in force after a reboot is as good, for it is looked at after each."""
    results = listing(answer.get("setVariableResult"))
    status = word(obj(results[0]).get("attributeStatus")) if results else word(answer.get("status"))
    return status in {"accepted", "rebootrequired"}
