"""OCPP 2.0.1: what the central system asks, and the answers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from chargerd_drivers.simulator.dialect import Handler, Host, composite, dispatch, read_profile
from chargerd_drivers.simulator.faults import Fault
from chargerd_drivers.simulator.link import CallRefused
from chargerd_drivers.simulator.occurrences import Reading, StopReason, Trigger
from chargerd_drivers.simulator.outbox import Answer, Message, Payload
from chargerd_drivers.simulator.profiles import Profile, Purpose, Unit
from chargerd_drivers.simulator.schemas import spell_time
from chargerd_drivers.simulator.settings import VARIABLES, Change, Kind
from chargerd_drivers.simulator.station import Station

EVSE = 1

_PURPOSES = {
    "ChargingStationMaxProfile": Purpose.STATION_MAX,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}
_CHANGES = {
    Change.DONE: "Accepted",
    Change.INVALID: "Rejected",
    Change.READ_ONLY: "Rejected",
    Change.UNKNOWN: "UnknownVariable",
}
_COMPONENTS = frozenset(component for component, _, _ in VARIABLES)
_REPORT_PART = 10


class Sender(Protocol):
    """What can be sent on demand."""

    @property
    def transaction_id(self) -> str | None:
        """Return the id of the transaction that the central system knows of."""
        ...

    def boot(self) -> Message:
        """Return the BootNotification."""
        ...

    def heartbeat(self) -> None:
        """Send a Heartbeat."""
        ...

    def send_status(self, *, at: datetime | None = None, asked_for: bool = False) -> None:
        """Send a StatusNotification."""
        ...

    def send_meter_values(self, reading: Reading, trigger: Trigger) -> None:
        """Send a MeterValues."""
        ...

    def send_updated(self, reading: Reading, *, reason: str, trigger: Trigger) -> None:
        """Send an Updated event."""
        ...


class Answers:
    """Acts on the central system's requests."""

    def __init__(self, station: Station, host: Host, sender: Sender) -> None:
        self._station = station
        self._host = host
        self._sender = sender
        self._reset_when_over = False
        self._handlers: dict[str, Handler] = {
            "ChangeAvailability": self._change_availability,
            "ClearCache": lambda _payload, _now: {"status": "Accepted"},
            "ClearChargingProfile": self._clear_profile,
            "DataTransfer": lambda _payload, _now: {"status": "UnknownVendorId"},
            "GetBaseReport": self._base_report,
            "GetCompositeSchedule": self._composite,
            "GetTransactionStatus": self._transaction_status,
            "GetVariables": self._get_variables,
            "RequestStartTransaction": self._request_start,
            "RequestStopTransaction": self._request_stop,
            "Reset": self._reset,
            "SetChargingProfile": self._set_profile,
            "SetVariables": self._set_variables,
            "TriggerMessage": self._trigger,
            "UnlockConnector": self._unlock,
        }

    def answer(self, action: str, payload: Payload, now: datetime) -> Answer:
        """Act on a request. Raises CallRefused."""
        return dispatch(self._handlers, action, payload, now)

    def transaction_over(self) -> None:
        """Restart now, if that was put off until the transaction's end."""
        if self._reset_when_over:
            self._reset_when_over = False
            self._host.reboot(gently=True)

    # Transactions

    def _request_start(self, payload: Payload, now: datetime) -> Payload:
        station = self._station
        if payload.get("evseId", EVSE) != EVSE:
            return _rejected("UnknownEvse")
        profile = None
        if "chargingProfile" in payload:
            profile = _read_profile(payload["chargingProfile"], evse=EVSE)
            if profile is None or profile.purpose is not Purpose.TX or not station.takes_profile(profile):
                return _rejected("InvalidProfile")
        accepted = station.authorise(
            now,
            id_token=payload["idToken"]["idToken"],
            remote=True,
            remote_start_id=payload["remoteStartId"],
            profile=profile,
        )
        return {"status": "Accepted"} if accepted else _rejected("TxInProgress")

    def _request_stop(self, payload: Payload, now: datetime) -> Payload:
        if self._station.transaction is None or self._sender.transaction_id != payload["transactionId"]:
            return _rejected("TxNotFound")
        if not self._station.behaviour.transactions.obeys_stop:
            return _rejected("InternalError")
        self._station.stop(now, StopReason.REMOTE)
        return {"status": "Accepted"}

    def _transaction_status(self, payload: Payload, _now: datetime) -> Payload:
        waiting = {"messagesInQueue": self._host.transaction_messages_wait}
        if "transactionId" not in payload:
            return waiting
        return {"ongoingIndicator": self._sender.transaction_id == payload["transactionId"], **waiting}

    # Profiles

    def _set_profile(self, payload: Payload, now: datetime) -> Payload:
        data, evse = payload["chargingProfile"], payload["evseId"]
        if evse not in {0, EVSE}:
            return _rejected("UnknownEvse")
        profile = _read_profile(data, evse=evse)
        if profile is None or (profile.purpose is Purpose.STATION_MAX and evse != 0):
            return _rejected("InvalidProfile")
        if profile.purpose is Purpose.TX and (fault := self._tx_profile_fault(data, profile)) is not None:
            return _rejected(fault)
        accepted = self._station.set_profile(now, profile)
        return {"status": "Accepted"} if accepted else _rejected("InvalidProfile")

    def _tx_profile_fault(self, data: dict[str, Any], profile: Profile) -> str | None:
        current = self._station.transaction
        if profile.evse == 0 or "transactionId" not in data:
            return "InvalidValue"
        if current is None:
            ignored = self._station.has_fault(Fault.ACCEPT_START_DO_NOTHING)
            return None if ignored else "TxNotFound"
        if data["transactionId"] != self._sender.transaction_id:
            return "TxNotFound"
        same_level = (
            old.purpose is Purpose.TX and old.stack_level == profile.stack_level and old.id != profile.id
            for old in self._station.holdings.profiles
        )
        return "DuplicateProfile" if any(same_level) else None

    def _clear_profile(self, payload: Payload, now: datetime) -> Payload:
        criteria = payload.get("chargingProfileCriteria", {})
        purpose = criteria.get("chargingProfilePurpose")

        def chosen(profile: Profile) -> bool:
            if "chargingProfileId" in payload:
                return bool(payload["chargingProfileId"] == profile.id)
            return (
                criteria.get("evseId", profile.evse) == profile.evse
                and (purpose is None or _PURPOSES.get(purpose) is profile.purpose)
                and criteria.get("stackLevel", profile.stack_level) == profile.stack_level
            )

        return {"status": "Accepted" if self._station.clear_profiles(now, chosen) else "Unknown"}

    def _composite(self, payload: Payload, now: datetime) -> Payload:
        if payload["evseId"] not in {0, EVSE}:
            return _rejected("UnknownEvse")
        unit = Unit(payload.get("chargingRateUnit", Unit.AMPERE))
        return {
            "status": "Accepted",
            "schedule": {
                "evseId": payload["evseId"],
                "duration": payload["duration"],
                "scheduleStart": spell_time(now),
                "chargingRateUnit": str(unit),
                "chargingSchedulePeriod": composite(self._station, now, duration_s=payload["duration"], unit=unit),
            },
        }

    # Variables

    def _check_items(self, items: list[Payload]) -> None:
        if len(items) > self._station.behaviour.configuration.items_max:
            raise CallRefused("OccurrenceConstraintViolation", "more items than ItemsPerMessage")

    def _set_variables(self, payload: Payload, now: datetime) -> Payload:
        self._check_items(payload["setVariableData"])
        return {"setVariableResult": [self._set_variable(item, now) for item in payload["setVariableData"]]}

    def _set_variable(self, item: Payload, now: datetime) -> Payload:
        result = _echo(item)
        status, name = _find(item)
        if name is not None:
            status = _CHANGES[self._station.configure(now, name, item["attributeValue"])]
        return {**result, "attributeStatus": status}

    def _get_variables(self, payload: Payload, _now: datetime) -> Payload:
        self._check_items(payload["getVariableData"])
        return {"getVariableResult": [self._get_variable(item) for item in payload["getVariableData"]]}

    def _get_variable(self, item: Payload) -> Payload:
        status, name = _find(item)
        result = {**_echo(item), "attributeStatus": status}
        if name is not None:
            result["attributeValue"] = self._station.settings.text(name)
        return result

    def _base_report(self, payload: Payload, _now: datetime) -> Payload:
        if payload["reportBase"] == "SummaryInventory":
            return {"status": "NotSupported"}
        entries = [self._report_entry(*place, name) for place, name in VARIABLES.items()]
        parts = [entries[start : start + _REPORT_PART] for start in range(0, len(entries), _REPORT_PART)]
        for number, part in enumerate(parts):
            report = {
                "requestId": payload["requestId"],
                "generatedAt": spell_time(self._host.now()),
                "seqNo": number,
                "tbc": number < len(parts) - 1 or self._station.behaviour.configuration.endless_report,
                "reportData": part,
            }
            self._host.send(Message("NotifyReport", _constant(report), asked_for=True))
        return {"status": "Accepted"}

    def _report_entry(self, component: str, variable: str, instance: str, name: str) -> Payload:
        setting = self._station.settings.get(name)
        assert setting is not None
        kind = "SequenceList" if setting.kind is Kind.MEASURANDS else str(setting.kind)
        return {
            "component": {"name": component},
            "variable": {"name": variable, **({"instance": instance} if instance else {})},
            "variableAttribute": [
                {"value": setting.value, "mutability": "ReadOnly" if setting.readonly else "ReadWrite"}
            ],
            "variableCharacteristics": {"dataType": kind, "supportsMonitoring": False},
        }

    # The rest

    def _trigger(self, payload: Payload, now: datetime) -> Payload:
        station = self._station
        if payload.get("evse", {}).get("id", EVSE) not in {0, EVSE}:
            return {"status": "Rejected"}
        station.advance(now)
        match payload["requestedMessage"]:
            case "BootNotification":
                boot = self._sender.boot()
                boot.asked_for = True
                self._host.send(boot)
            case "Heartbeat":
                self._sender.heartbeat()
            case "StatusNotification":
                self._sender.send_status(at=now, asked_for=True)
            case "MeterValues":
                self._sender.send_meter_values(station.reading, Trigger.ASKED)
            case "TransactionEvent":
                if self._sender.transaction_id is None:
                    return {"status": "Rejected"}
                self._sender.send_updated(station.reading, reason="Trigger", trigger=Trigger.ASKED)
            case _:
                return {"status": "NotImplemented"}
        return {"status": "Accepted"}

    def _reset(self, payload: Payload, now: datetime) -> Payload:
        if "evseId" in payload:
            return _rejected("UnsupportedRequest")
        if payload["type"] == "OnIdle" and self._station.transaction is not None:
            self._reset_when_over = True
            return {"status": "Scheduled"}
        self._station.stop(now, StopReason.HARD_RESET)
        self._host.reboot(gently=True)
        return {"status": "Accepted"}

    def _change_availability(self, payload: Payload, now: datetime) -> Payload:
        if payload.get("evse", {}).get("id", EVSE) not in {0, EVSE}:
            return {"status": "Rejected"}
        done = self._station.set_operative(now, operative=payload["operationalStatus"] == "Operative")
        return {"status": "Accepted" if done else "Scheduled"}

    def _unlock(self, payload: Payload, _now: datetime) -> Payload:
        if payload["evseId"] != EVSE or payload["connectorId"] != 1:
            return {"status": "UnknownConnector"}
        ongoing = self._station.transaction is not None
        return {"status": "OngoingAuthorizedTransaction" if ongoing else "Unlocked"}


def _constant(payload: Payload) -> Callable[[], Payload]:
    return lambda: payload


def _rejected(reason: str) -> Payload:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}


def _read_profile(data: dict[str, Any], *, evse: int) -> Profile | None:
    purpose = _PURPOSES.get(data["chargingProfilePurpose"])
    return None if purpose is None else read_profile(data, id_key="id", purpose=purpose, evse=evse)


def _echo(item: Payload) -> Payload:
    return {key: item[key] for key in ("attributeType", "component", "variable") if key in item}


def _find(item: Payload) -> tuple[str, str | None]:
    """Return the status of a look-up, and the setting's name if there is one."""
    component, variable = item["component"]["name"], item["variable"]["name"]
    name = VARIABLES.get((component, variable, item["variable"].get("instance", "")))
    if component not in _COMPONENTS:
        return "UnknownComponent", None
    if name is None:
        return "UnknownVariable", None
    if item.get("attributeType", "Actual") != "Actual":
        return "NotSupportedAttributeType", None
    return "Accepted", name
