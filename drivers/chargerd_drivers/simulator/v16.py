"""OCPP 1.6J: occurrences to requests, requests to answers."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from chargerd_drivers.simulator.behaviour import Meter
from chargerd_drivers.simulator.dialect import Handler, Host, Nameplate, composite, dispatch, read_profile
from chargerd_drivers.simulator.metering import Value, measured, shown_wh
from chargerd_drivers.simulator.occurrences import (
    Occurrence,
    Phase,
    PhaseChanged,
    Reading,
    Sampled,
    StopReason,
    Transaction,
    TransactionBegan,
    TransactionOver,
    Trigger,
)
from chargerd_drivers.simulator.outbox import Answer, Message, Payload
from chargerd_drivers.simulator.profiles import Profile, Purpose, Unit
from chargerd_drivers.simulator.schemas import spell_time
from chargerd_drivers.simulator.settings import ENERGY, ONLY_ID_KEY, Change
from chargerd_drivers.simulator.station import Station

CONNECTOR = 1
NO_ID = -1
"""The transaction id of a transaction whose start the central system never acknowledged."""

_CHANGES = {
    Change.DONE: "Accepted",
    Change.INVALID: "Rejected",
    Change.READ_ONLY: "Rejected",
    Change.UNKNOWN: "NotSupported",
}


class Dialect16:
    """A station that speaks OCPP 1.6."""

    def __init__(self, station: Station, nameplate: Nameplate, host: Host) -> None:
        self._station = station
        self._nameplate = nameplate
        self._host = host
        self._ids: dict[str, int] = {}
        self._unnumbered = ""
        self._fresh = True
        self._told = ""
        self._handlers: dict[str, Handler] = {
            "ChangeAvailability": self._change_availability,
            "ChangeConfiguration": self._change_configuration,
            "ClearCache": lambda _payload, _now: {"status": "Accepted"},
            "ClearChargingProfile": self._clear_profile,
            "DataTransfer": lambda _payload, _now: {"status": "UnknownVendorId"},
            "GetCompositeSchedule": self._composite,
            "GetConfiguration": self._get_configuration,
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "Reset": self._reset,
            "SetChargingProfile": self._set_profile,
            "TriggerMessage": self._trigger,
            "UnlockConnector": self._unlock,
        }

    # Requests

    def boot(self) -> Message:
        """Return the BootNotification."""
        payload = {
            "chargePointVendor": self._nameplate.vendor,
            "chargePointModel": self._nameplate.model,
            "chargePointSerialNumber": self._nameplate.serial,
            "firmwareVersion": self._nameplate.firmware,
        }
        return Message("BootNotification", lambda: payload)

    def greet(self) -> None:
        """Report the status; of the whole station too, after a boot."""
        if self._fresh:
            self._fresh = False
            self._send_status(0)
        self._send_status(CONNECTOR)

    def rebooted(self) -> None:
        """Remember that the next greeting follows a restart."""
        self._fresh = True

    def heartbeat(self) -> None:
        """Send a Heartbeat."""
        self._host.send(Message("Heartbeat", dict))

    def authorise(self, id_token: str, accepted: Callable[[], None]) -> None:
        """Send an Authorize."""

        def concluded(result: Payload) -> None:
            if _id_tag_status(result) == "Accepted":
                accepted()

        self._host.send(Message("Authorize", lambda: {"idTag": id_token[:20]}, concluded))

    def tell(self, occurrence: Occurrence) -> None:
        """Turn what happened into requests."""
        match occurrence:
            case PhaseChanged():
                if self._spelled(occurrence.phase) != self._told:
                    self._send_status(CONNECTOR, at=occurrence.reading.at, phase=occurrence.phase)
            case TransactionBegan():
                self._send_start(occurrence.reading, occurrence.transaction)
            case TransactionOver():
                if self._station.behaviour.statuses.available_first and not occurrence.plugged:
                    self._send_status(CONNECTOR, at=occurrence.reading.at, phase=Phase.AVAILABLE)
                self._send_stop(occurrence)
            case Sampled():
                self._send_sample(occurrence.reading, occurrence.trigger, occurrence.transaction)
            case _:
                pass

    def _send_status(
        self,
        connector: int,
        *,
        at: datetime | None = None,
        phase: Phase | None = None,
        asked_for: bool = False,
    ) -> None:
        station = self._station
        status = "Available" if station.operative else "Unavailable"
        if connector == CONNECTOR:
            status = self._told = self._spelled(phase or station.phase)
        payload = {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status,
            "timestamp": spell_time(at or self._host.now()),
        }
        self._host.send(Message("StatusNotification", lambda: payload, asked_for=asked_for))

    def _spelled(self, phase: Phase) -> str:
        habits = self._station.behaviour.statuses
        hidden = phase is Phase.PREPARING and not habits.preparing
        gone = habits.available_first and not self._station.plugged
        freed = phase is Phase.FINISHING and (habits.finishing_is_available or gone)
        return str(Phase.AVAILABLE if hidden or freed else phase)

    def _total(self, reading: Reading) -> int:
        habits = self._station.behaviour.meter
        return shown_wh(reading, habits) if habits.ends else 0

    def _send_start(self, reading: Reading, transaction: Transaction) -> None:
        payload = {
            "connectorId": CONNECTOR,
            "idTag": transaction.authorisation.id_token[:20],
            "meterStart": self._total(reading),
            "timestamp": spell_time(reading.at),
        }

        if self._station.behaviour.transactions.unnumbered_offline and not self._host.online:
            self._unnumbered = transaction.key

        def concluded(result: Payload) -> None:
            number = result.get("transactionId")
            if isinstance(number, int) and transaction.key != self._unnumbered:
                self._ids[transaction.key] = number
            if result and _id_tag_status(result) != "Accepted" and self._is_current(transaction):
                self._station.stop(self._host.now(), StopReason.DEAUTHORIZED)

        self._host.send(Message("StartTransaction", lambda: payload, concluded, lasting=True))

    def _send_stop(self, over: TransactionOver) -> None:
        key = over.transaction.key
        payload = {
            "meterStop": self._total(over.reading),
            "timestamp": spell_time(over.reading.at),
            "reason": str(over.reason),
        }

        def build() -> Payload:
            return {"transactionId": self._ids.get(key, NO_ID), **payload}

        def concluded(_: Payload) -> None:
            self._ids.pop(key, None)

        self._host.send(Message("StopTransaction", build, concluded, lasting=True))

    def _send_sample(self, reading: Reading, trigger: Trigger, transaction: Transaction | None) -> None:
        name = "MeterValuesAlignedData" if trigger is Trigger.CLOCK else "MeterValuesSampledData"
        habits = self._station.behaviour.meter
        if not habits.pushed and trigger is not Trigger.ASKED:
            return
        wanted = self._station.settings.members(name)
        values = measured(reading, wanted, report_soc=self._nameplate.report_soc, habits=habits, trigger=trigger)
        if not values:
            return
        sample = {
            "timestamp": spell_time(reading.at, fine=True),
            "sampledValue": [_spell_value(value, trigger, habits) for value in values],
        }

        def build() -> Payload:
            payload: Payload = {"connectorId": CONNECTOR, "meterValue": [sample]}
            if transaction is not None:
                payload["transactionId"] = self._ids.get(transaction.key, NO_ID) if habits.named else 0
            return payload

        self._host.send(
            Message(
                "MeterValues",
                build,
                lasting=transaction is not None,
                droppable=True,
                asked_for=trigger is Trigger.ASKED,
            )
        )

    # Answers

    def answer(self, action: str, payload: Payload, now: datetime) -> Answer:
        """Act on a request. Raises CallRefused."""
        return dispatch(self._handlers, action, payload, now)

    def _is_current(self, transaction: Transaction) -> bool:
        current = self._station.transaction
        return current is not None and current.key == transaction.key

    def _current_id(self) -> int | None:
        current = self._station.transaction
        return None if current is None else self._ids.get(current.key)

    def _remote_start(self, payload: Payload, now: datetime) -> Answer:
        station = self._station
        profile = None
        if "chargingProfile" in payload:
            profile = _read_profile(payload["chargingProfile"], connector=CONNECTOR)
            if profile.purpose is not Purpose.TX or not station.takes_profile(profile):
                return {"status": "Rejected"}
        if payload.get("connectorId", CONNECTOR) != CONNECTOR or not station.plugged:
            return {"status": "Rejected"}
        if station.settings.get(ONLY_ID_KEY) and payload["idTag"] != station.settings.text(ONLY_ID_KEY):
            return {"status": "Rejected"}
        if not station.behaviour.transactions.authorize_first:
            return _verdict(station.authorise(now, id_token=payload["idTag"], remote=True, profile=profile))
        answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()

        def concluded(result: Payload) -> None:
            accepted = _id_tag_status(result) == "Accepted"
            accepted = accepted and station.authorise(self._host.now(), id_token=payload["idTag"], remote=True)
            answer.set_result(_verdict(accepted))

        self._host.send(Message("Authorize", lambda: {"idTag": payload["idTag"]}, concluded))
        return answer

    def _remote_stop(self, payload: Payload, now: datetime) -> Payload:
        if payload["transactionId"] != self._current_id() or not self._station.behaviour.transactions.obeys_stop:
            return {"status": "Rejected"}
        return _verdict(self._station.stop(now, StopReason.REMOTE))

    def _set_profile(self, payload: Payload, now: datetime) -> Payload:
        data, connector = payload["csChargingProfiles"], payload["connectorId"]
        profile = _read_profile(data, connector=connector)
        if connector not in {0, CONNECTOR}:
            return {"status": "Rejected"}
        if profile.purpose is Purpose.STATION_MAX and connector != 0:
            return {"status": "Rejected"}
        if profile.purpose is Purpose.TX:
            known = self._current_id()
            if self._station.behaviour.limits.transaction_id and "transactionId" not in data:
                return {"status": "Rejected"}
            if connector == 0 or (known is not None and data.get("transactionId", known) != known):
                return {"status": "Rejected"}
        return _verdict(self._station.set_profile(now, profile))

    def _clear_profile(self, payload: Payload, now: datetime) -> Payload:
        def chosen(profile: Profile) -> bool:
            traits = {
                "id": profile.id,
                "connectorId": profile.evse,
                "chargingProfilePurpose": profile.purpose,
                "stackLevel": profile.stack_level,
            }
            return all(payload.get(key, own) == own for key, own in traits.items())

        return {"status": "Accepted" if self._station.clear_profiles(now, chosen) else "Unknown"}

    def _composite(self, payload: Payload, now: datetime) -> Payload:
        if payload["connectorId"] not in {0, CONNECTOR}:
            return {"status": "Rejected"}
        unit = Unit(payload.get("chargingRateUnit", Unit.AMPERE))
        periods = composite(self._station, now, duration_s=payload["duration"], unit=unit)
        return {
            "status": "Accepted",
            "connectorId": payload["connectorId"],
            "scheduleStart": spell_time(now),
            "chargingSchedule": {
                "duration": payload["duration"],
                "chargingRateUnit": str(unit),
                "chargingSchedulePeriod": periods,
            },
        }

    def _change_configuration(self, payload: Payload, now: datetime) -> Payload:
        setting = self._station.settings.get(payload["key"])
        if setting is None or not setting.shared:
            return {"status": "NotSupported"}
        return {"status": _CHANGES[self._station.configure(now, payload["key"], payload["value"])]}

    def _get_configuration(self, payload: Payload, _now: datetime) -> Answer:
        if self._station.behaviour.configuration.deadly_key in payload.get("key", ()):
            self._host.reboot(gently=False)
            return asyncio.get_running_loop().create_future()
        known = dict(self._station.settings.shared())
        wanted = payload.get("key") or list(known)
        return {
            "configurationKey": [
                {"key": key, "readonly": known[key].readonly, "value": known[key].value}
                for key in wanted
                if key in known
            ],
            "unknownKey": [key for key in wanted if key not in known],
        }

    def _trigger(self, payload: Payload, now: datetime) -> Payload:
        if payload.get("connectorId", CONNECTOR) not in {0, CONNECTOR}:
            return {"status": "Rejected"}
        match payload["requestedMessage"]:
            case "BootNotification":
                boot = self.boot()
                boot.asked_for = True
                self._host.send(boot)
            case "Heartbeat":
                self.heartbeat()
            case "StatusNotification":
                wanted = payload.get("connectorId")
                for connector in (0, CONNECTOR) if wanted is None else (wanted,):
                    self._send_status(connector, at=now, asked_for=True)
            case "MeterValues":
                self._station.advance(now)
                self._send_sample(self._station.reading, Trigger.ASKED, self._station.transaction)
            case _:
                return {"status": "NotImplemented"}
        return {"status": "Accepted"}

    def _reset(self, payload: Payload, now: datetime) -> Payload:
        soft = payload["type"] == "Soft"
        self._station.stop(now, StopReason.SOFT_RESET if soft else StopReason.HARD_RESET)
        self._host.reboot(gently=soft)
        return {"status": "Accepted"}

    def _change_availability(self, payload: Payload, now: datetime) -> Payload:
        if payload["connectorId"] not in {0, CONNECTOR}:
            return {"status": "Rejected"}
        done = self._station.set_operative(now, operative=payload["type"] == "Operative")
        return {"status": "Accepted" if done else "Scheduled"}

    def _unlock(self, payload: Payload, now: datetime) -> Payload:
        if payload["connectorId"] != CONNECTOR:
            return {"status": "NotSupported"}
        self._station.stop(now, StopReason.UNLOCK)
        return {"status": "Unlocked"}


def _verdict(accepted: bool) -> Payload:  # noqa: FBT001
    return {"status": "Accepted" if accepted else "Rejected"}


def _id_tag_status(result: Payload) -> str | None:
    info = result.get("idTagInfo")
    return info.get("status") if isinstance(info, dict) else None


def _read_profile(data: dict[str, Any], *, connector: int) -> Profile:
    purpose = Purpose(data["chargingProfilePurpose"])
    return read_profile(data, id_key="chargingProfileId", purpose=purpose, evse=connector)


def _spell_value(value: Value, trigger: Trigger, habits: Meter) -> Payload:
    number = str(int(value.value)) if value.value.is_integer() else str(value.value)
    if habits.comma:
        number = number.replace(".", ",")
    if habits.bare and value.measurand == ENERGY:
        return {"value": number}
    spelt: Payload = {
        "value": number,
        "context": str(trigger),
        "measurand": value.measurand,
        "location": "EV" if value.in_car else "Outlet",
    }
    if value.unit != "Hertz":
        spelt["unit"] = value.unit
    if value.phase is not None:
        spelt["phase"] = value.phase
    return spelt
