"""What a charger is asked and told once it is online: what to sample and how often, then how things stand.

Everything is read first and only differences are written. A step that fails is logged and left out; a charger that
does not answer at all is left in peace until it connects again.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from ocpp.v16 import call as call16
from ocpp.v201 import call as call201
from ocpp.v201 import datatypes

from chargerd.contract import ChargerId, DriverError, Refused, Unreachable
from chargerd_drivers.ocpp import metering
from chargerd_drivers.ocpp.dialect import Request
from chargerd_drivers.ocpp.fields import Json, listing, obj, text, word
from chargerd_drivers.ocpp.wire import Version, to_request

_log = structlog.get_logger("chargerd.ocpp")

Send = Callable[[Request], Awaitable[Json]]
"""Sends one CALL and returns the payload of its CALLRESULT. Raises Refused or Unreachable."""

_VALUE_MAX = 2500
ALIGNED_INTERVAL_S = 900
"""The quarter-hour grid of prices and statistics."""

_SAMPLED = (
    (metering.ENERGY, metering.POWER, metering.CURRENT, metering.SOC),
    (metering.ENERGY, metering.POWER, metering.CURRENT),
    (metering.ENERGY, metering.POWER),
    (metering.ENERGY,),
)
_ALIGNED = ((metering.ENERGY, metering.POWER), (metering.ENERGY,))

Key = str | tuple[str, str]
"""1.6: a configuration key; 2.0.1: component and variable."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value to be brought about. ``wishes`` are tried in order until one is accepted."""

    key: Key
    wishes: tuple[str, ...]

    @property
    def is_list(self) -> bool:
        """Whether the value is a list of measurands, in which more than asked for is as good."""
        return metering.ENERGY in self.wishes[-1]


@dataclass(frozen=True, slots=True)
class Found:
    """What a charger said about a setting; ``value`` None: nothing."""

    value: str | None
    is_read_only: bool = False


class Setup:
    """One run of the set-up over one connection."""

    def __init__(self, *, charger_id: ChargerId, connector: int, version: Version, sample_interval_s: int) -> None:
        self._log = _log.bind(charger=charger_id)
        self._connector = connector
        self._version = version
        self._settings = settings(version, sample_interval_s)

    async def configure(self, send: Send) -> tuple[str, ...] | None:
        """Bring the settings about. Return the measurands sampled during a transaction, None when unknown."""
        try:
            found = await self._read(send)
        except Refused as refused:
            self._log.info("ocpp.setup_unread", message=f"settings cannot be read: {refused}")
            found = {}
        sampled: tuple[str, ...] | None = None
        for setting in self._settings:
            value = await self._bring_about(send, setting, found.get(_lookup(setting.key), Found(None)))
            if value is not None and setting.key in {"MeterValuesSampledData", _TX_MEASURANDS}:
                sampled = tuple(part.strip() for part in value.split(","))
        return sampled

    async def ask_state(self, send: Send) -> None:
        """Have the charger tell its status and meter. A refusal is normal; then it tells when something changes."""
        for request in triggers(self._version, self._connector):
            try:
                status = word((await send(request)).get("status"))
            except Refused as refused:
                status = str(refused)
            if status != "accepted":
                self._log.debug("ocpp.trigger_refused", message=request[1]["requestedMessage"], detail=status)

    async def _read(self, send: Send) -> dict[Key, Found]:
        keys = [setting.key for setting in self._settings]
        answer = await send(_read_request(keys))
        found: dict[Key, Found] = {}
        for entry in map(obj, listing(answer.get("configurationKey"))):
            value = None if entry.get("value") is None else text(entry["value"], length_max=_VALUE_MAX)
            is_read_only = entry.get("readonly") is True or word(entry.get("readonly")) == "true"
            found[_lookup(text(entry.get("key")))] = Found(value, is_read_only)
        for entry in map(obj, listing(answer.get("getVariableResult"))):
            named = (text(obj(entry.get("component")).get("name")), text(obj(entry.get("variable")).get("name")))
            is_known = word(entry.get("attributeStatus")) == "accepted"
            value = text(entry.get("attributeValue"), length_max=_VALUE_MAX)
            found[_lookup(named)] = Found(value if is_known else None)
        return found

    async def _bring_about(self, send: Send, setting: Setting, found: Found) -> str | None:
        """Return the value in force, None when unknown."""
        if found.value is not None and (found.is_read_only or _is_met(setting, found.value)):
            return found.value
        for wish in setting.wishes:
            try:
                status = _written(await send(_write_request(setting.key, wish)))
            except Unreachable:
                raise
            except DriverError as error:
                self._log.info(
                    "ocpp.setting_refused", message=f"setting {setting.key} was refused: {error}", value=wish
                )
                return found.value
            if status in {"accepted", "rebootrequired"}:
                self._log.debug("ocpp.setting_written", key=setting.key, value=wish, was=found.value, status=status)
                return wish
        self._log.info(
            "ocpp.setting_refused", message=f"setting {setting.key} was refused: {status}", value=setting.wishes[-1]
        )
        return found.value


_TX_MEASURANDS = ("SampledDataCtrlr", "TxUpdatedMeasurands")


def settings(version: Version, sample_interval_s: int) -> tuple[Setting, ...]:
    """Return what a charger of this version should have (1.6 section 9; 2.0.1 part 2 appendix, chapter 3)."""
    sampled = tuple(",".join(names) for names in _SAMPLED)
    aligned = tuple(",".join(names) for names in _ALIGNED)
    keys: Sequence[Key] = (
        ("MeterValueSampleInterval", "MeterValuesSampledData", "ClockAlignedDataInterval", "MeterValuesAlignedData")
        if version == "1.6"
        else (
            ("SampledDataCtrlr", "TxUpdatedInterval"),
            _TX_MEASURANDS,
            ("AlignedDataCtrlr", "Interval"),
            ("AlignedDataCtrlr", "Measurands"),
        )
    )
    wishes = ((str(sample_interval_s),), sampled, (str(ALIGNED_INTERVAL_S),), aligned)
    return tuple(Setting(key, wish) for key, wish in zip(keys, wishes, strict=True))


def triggers(version: Version, connector: int) -> tuple[Request, ...]:
    """Return the TriggerMessage requests that make a charger tell how things stand. Never a BootNotification."""
    if version == "1.6":
        return tuple(
            to_request(call16.TriggerMessage(requested_message=message, connector_id=connector))
            for message in ("StatusNotification", "MeterValues")
        )
    evse = datatypes.EVSEType(id=connector)
    outlet = datatypes.EVSEType(id=connector, connector_id=1)
    return (
        to_request(call201.TriggerMessage(requested_message="StatusNotification", evse=outlet)),
        to_request(call201.TriggerMessage(requested_message="TransactionEvent", evse=evse)),
        to_request(call201.TriggerMessage(requested_message="MeterValues", evse=evse)),
    )


def _lookup(key: Key) -> Key:
    """Chargers spell keys in their own case."""
    return key.casefold() if isinstance(key, str) else (key[0].casefold(), key[1].casefold())


def _is_met(setting: Setting, value: str) -> bool:
    if not setting.is_list:
        return value.partition(".")[0] == setting.wishes[0]
    have = {part.strip().casefold() for part in value.split(",")}
    return have >= {part.casefold() for part in setting.wishes[0].split(",")}


def _read_request(keys: Sequence[Key]) -> Request:
    names = [key for key in keys if isinstance(key, str)]
    if names:
        return to_request(call16.GetConfiguration(key=names))
    wanted = [
        datatypes.GetVariableDataType(
            component=datatypes.ComponentType(name=key[0]), variable=datatypes.VariableType(name=key[1])
        )
        for key in keys
    ]
    return to_request(call201.GetVariables(get_variable_data=wanted))


def _write_request(key: Key, value: str) -> Request:
    """One variable per message: some stations take no more, and a refusal then concerns that one alone."""
    if isinstance(key, str):
        return to_request(call16.ChangeConfiguration(key=key, value=value))
    wanted = datatypes.SetVariableDataType(
        attribute_value=value,
        component=datatypes.ComponentType(name=key[0]),
        variable=datatypes.VariableType(name=key[1]),
    )
    return to_request(call201.SetVariables(set_variable_data=[wanted]))


def _written(answer: Json) -> str:
    results = listing(answer.get("setVariableResult"))
    return word(obj(results[0]).get("attributeStatus")) if results else word(answer.get("status"))
