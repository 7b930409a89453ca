"""What the central system can configure: one store, under OCPP 1.6 key names and 2.0.1 variable names."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from chargerd_drivers.simulator.behaviour import Behaviour
from chargerd_drivers.simulator.profiles import Unit

MEASURANDS = frozenset(
    {
        "Energy.Active.Import.Register",
        "Power.Active.Import",
        "Power.Offered",
        "Current.Import",
        "Current.Offered",
        "Voltage",
        "Frequency",
        "SoC",
    }
)
"""What this station can be asked for. SoC is accepted by every one and sent by few, as real AC stations do."""

ENERGY = "Energy.Active.Import.Register"

ONLY_ID_KEY = "PlugAndChargeIdentifier"
"""The 1.6 key under which Alfen Eve tells the only id tag that it takes."""


class Kind(StrEnum):
    """How a value is checked."""

    COUNT = "integer"
    FLAG = "boolean"
    MEASURANDS = "MemberList"
    TEXT = "string"


class Change(StrEnum):
    """What became of a change."""

    DONE = "DONE"
    INVALID = "INVALID"
    READ_ONLY = "READ_ONLY"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``shared`` is False for those that only OCPP 2.0.1 knows."""

    value: str
    kind: Kind = Kind.TEXT
    readonly: bool = False
    shared: bool = True


def _fixed(value: str, kind: Kind = Kind.TEXT) -> Setting:
    return Setting(value, kind, readonly=True)


FACTORY = {
    "HeartbeatInterval": Setting("300", Kind.COUNT),
    "MeterValueSampleInterval": Setting("60", Kind.COUNT),
    "MeterValuesSampledData": Setting(ENERGY, Kind.MEASURANDS),
    "StopTxnSampledData": Setting("", Kind.MEASURANDS),
    "ClockAlignedDataInterval": Setting("0", Kind.COUNT),
    "MeterValuesAlignedData": Setting(ENERGY, Kind.MEASURANDS),
    "StopTxnAlignedData": Setting("", Kind.MEASURANDS),
    "ConnectionTimeOut": Setting("60", Kind.COUNT),
    "TransactionMessageAttempts": Setting("3", Kind.COUNT),
    "TransactionMessageRetryInterval": Setting("60", Kind.COUNT),
    "ResetRetries": Setting("1", Kind.COUNT),
    "WebSocketPingInterval": Setting("20", Kind.COUNT),
    "AuthorizeRemoteTxRequests": _fixed("false", Kind.FLAG),
    "AllowOfflineTxForUnknownId": _fixed("true", Kind.FLAG),
    "LocalAuthorizeOffline": _fixed("true", Kind.FLAG),
    "LocalPreAuthorize": _fixed("false", Kind.FLAG),
    "StopTransactionOnEVSideDisconnect": _fixed("true", Kind.FLAG),
    "StopTransactionOnInvalidId": _fixed("true", Kind.FLAG),
    "UnlockConnectorOnEVSideDisconnect": _fixed("true", Kind.FLAG),
    "GetConfigurationMaxKeys": _fixed("50", Kind.COUNT),
    "SecurityProfile": Setting("0", Kind.COUNT),
    "NetworkConfigurationPriority": Setting("0", shared=False),
    "NumberOfConnectors": _fixed("1", Kind.COUNT),
    "ConnectorPhaseRotation": _fixed("1.RST"),
    "SupportedFeatureProfiles": _fixed("Core,RemoteTrigger,SmartCharging"),
    "MaxChargingProfilesInstalled": _fixed("10", Kind.COUNT),
    "TxStartedMeasurands": Setting(ENERGY, Kind.MEASURANDS, shared=False),
    "TxEndedMeasurands": Setting(ENERGY, Kind.MEASURANDS, shared=False),
    "Enabled": Setting("true", Kind.FLAG, readonly=True, shared=False),
}

VARIABLES = {
    ("OCPPCommCtrlr", "HeartbeatInterval", ""): "HeartbeatInterval",
    ("OCPPCommCtrlr", "WebSocketPingInterval", ""): "WebSocketPingInterval",
    ("OCPPCommCtrlr", "NetworkConfigurationPriority", ""): "NetworkConfigurationPriority",
    ("SecurityCtrlr", "SecurityProfile", ""): "SecurityProfile",
    ("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"): "TransactionMessageAttempts",
    ("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"): "TransactionMessageRetryInterval",
    ("OCPPCommCtrlr", "ResetRetries", ""): "ResetRetries",
    ("SampledDataCtrlr", "TxUpdatedInterval", ""): "MeterValueSampleInterval",
    ("SampledDataCtrlr", "TxUpdatedMeasurands", ""): "MeterValuesSampledData",
    ("SampledDataCtrlr", "TxStartedMeasurands", ""): "TxStartedMeasurands",
    ("SampledDataCtrlr", "TxEndedMeasurands", ""): "TxEndedMeasurands",
    ("SampledDataCtrlr", "Enabled", ""): "Enabled",
    ("AlignedDataCtrlr", "Interval", ""): "ClockAlignedDataInterval",
    ("AlignedDataCtrlr", "Measurands", ""): "MeterValuesAlignedData",
    ("AlignedDataCtrlr", "Enabled", ""): "Enabled",
    ("TxCtrlr", "EVConnectionTimeOut", ""): "ConnectionTimeOut",
    ("TxCtrlr", "StopTxOnEVSideDisconnect", ""): "StopTransactionOnEVSideDisconnect",
    ("TxCtrlr", "StopTxOnInvalidId", ""): "StopTransactionOnInvalidId",
    ("TxCtrlr", "TxStartPoint", ""): "TxStartPoint",
    ("TxCtrlr", "TxStopPoint", ""): "TxStopPoint",
    ("AuthCtrlr", "AuthorizeRemoteStart", ""): "AuthorizeRemoteTxRequests",
    ("SmartChargingCtrlr", "Enabled", ""): "Enabled",
    ("SmartChargingCtrlr", "RateUnit", ""): "RateUnit",
    ("SmartChargingCtrlr", "ProfileStackLevel", ""): "ChargeProfileMaxStackLevel",
    ("SmartChargingCtrlr", "PeriodsPerSchedule", ""): "ChargingScheduleMaxPeriods",
    ("SmartChargingCtrlr", "Entries", "ChargingProfiles"): "MaxChargingProfilesInstalled",
    ("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"): "ItemsPerMessage",
    ("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables"): "ItemsPerMessage",
    ("Connector", "SupplyPhases", ""): "PhasesUsed",
}
"""(component, variable, variable instance) of OCPP 2.0.1 to the setting behind it."""


class Settings:
    """The values, with the factory's to begin with, and how the station behaves, which nobody can change."""

    def __init__(self, *, phases: int, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or Behaviour()
        self._settings = {**FACTORY, **_built_in(phases, self.behaviour)}

    def get(self, name: str) -> Setting | None:
        """Return a setting, None when there is none of that name."""
        return self._settings.get(name)

    def text(self, name: str) -> str:
        """Return the value of a setting that is there."""
        return self._settings[name].value

    def count(self, name: str) -> int:
        """Return the value of a setting that is a number."""
        return int(self._settings[name].value)

    def members(self, name: str) -> tuple[str, ...]:
        """Return the value of a setting that is a list."""
        return tuple(member.strip() for member in self._settings[name].value.split(",") if member.strip())

    def shared(self) -> Iterator[tuple[str, Setting]]:
        """Return what OCPP 1.6 knows."""
        return ((name, setting) for name, setting in self._settings.items() if setting.shared)

    def change(self, name: str, value: str) -> Change:
        """Change a setting, if the value fits it."""
        setting = self._settings.get(name)
        if setting is None:
            return Change.UNKNOWN
        if setting.readonly:
            return Change.READ_ONLY
        if not _fits(setting.kind, value):
            return Change.INVALID
        self._settings[name] = Setting(value, setting.kind, shared=setting.shared)
        return Change.DONE


def _built_in(phases: int, behaviour: Behaviour) -> dict[str, Setting]:
    """Return what a station says of its own hardware and habits."""
    limits, only_id = behaviour.limits, behaviour.transactions.only_id
    units = [unit for unit in Unit if unit in limits.units]
    words = ",".join("Current" if unit is Unit.AMPERE else "Power" for unit in units)
    settings = {
        "PhasesUsed": Setting(str(phases), Kind.COUNT, readonly=True, shared=False),
        "ChargeProfileMaxStackLevel": _fixed(str(limits.stack_level_max), Kind.COUNT),
        "ChargingScheduleMaxPeriods": _fixed(str(limits.periods_max), Kind.COUNT),
        "ChargingScheduleAllowedChargingRateUnit": _fixed(words),
        "RateUnit": Setting(",".join(units), Kind.MEASURANDS, readonly=True, shared=False),
    }
    items_max = str(behaviour.configuration.items_max)
    settings["ItemsPerMessage"] = Setting(items_max, Kind.COUNT, readonly=True, shared=False)
    stop_points = "EVConnected" if behaviour.transactions.until_unplug else "Authorized,EVConnected"
    settings["TxStartPoint"] = Setting(behaviour.transactions.start_point, readonly=True, shared=False)
    settings["TxStopPoint"] = Setting(stop_points, readonly=True, shared=False)
    if only_id is not None:
        settings[ONLY_ID_KEY] = Setting(only_id)
    if behaviour.meter.interval_s is not None:
        settings["MeterValueSampleInterval"] = _fixed(str(behaviour.meter.interval_s), Kind.COUNT)
        settings["ClockAlignedDataInterval"] = _fixed("0", Kind.COUNT)
    return settings


def _fits(kind: Kind, value: str) -> bool:
    match kind:
        case Kind.COUNT:
            return value.isascii() and value.isdigit() and len(value) < 10
        case Kind.FLAG:
            return value.lower() in {"true", "false"}
        case Kind.MEASURANDS:
            return all(member.strip() in MEASURANDS for member in value.split(",") if value)
        case Kind.TEXT:
            return True
