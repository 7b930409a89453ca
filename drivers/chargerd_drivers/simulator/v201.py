"""OCPP 2.0.1: occurrences to requests. What the central system asks is answered in ``v201_answers``.

The power path counts as closed when a car is plugged in and somebody is authorised: that starts a transaction
(TxStartPoint PowerPathClosed), unless the station has another start point.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from chargerd_drivers.simulator.behaviour import StartPoint
from chargerd_drivers.simulator.dialect import Host, Nameplate
from chargerd_drivers.simulator.metering import Value, measured
from chargerd_drivers.simulator.occurrences import (
    Authorisation,
    AuthorisationLapsed,
    Authorised,
    Occurrence,
    Phase,
    PhaseChanged,
    PluggedIn,
    Reading,
    Sampled,
    StopReason,
    Transaction,
    TransactionBegan,
    TransactionOver,
    Trigger,
    Unplugged,
)
from chargerd_drivers.simulator.outbox import Answer, Message, Payload
from chargerd_drivers.simulator.schemas import spell_time
from chargerd_drivers.simulator.station import Station
from chargerd_drivers.simulator.v201_answers import EVSE, Answers

_CHARGING_STATES = {
    Phase.CHARGING: "Charging",
    Phase.SUSPENDED_EV: "SuspendedEV",
    Phase.SUSPENDED_EVSE: "SuspendedEVSE",
}
_STATUSES = {Phase.AVAILABLE: "Available", Phase.UNAVAILABLE: "Unavailable"}
"""Every other phase is Occupied."""

_ENDS = {
    StopReason.REMOTE: ("RemoteStop", "Remote"),
    StopReason.LOCAL: ("StopAuthorized", "Local"),
    StopReason.EV_DISCONNECTED: ("EVCommunicationLost", "EVDisconnected"),
    StopReason.DEAUTHORIZED: ("Deauthorized", "DeAuthorized"),
    StopReason.SOFT_RESET: ("ResetCommand", "Reboot"),
    StopReason.HARD_RESET: ("ResetCommand", "ImmediateReset"),
    StopReason.UNLOCK: ("UnlockCommand", "Other"),
    StopReason.OTHER: ("ChargingStateChanged", "Other"),
}
"""(triggerReason, stoppedReason) of a transaction's end."""

_MEASURANDS = {
    Trigger.BEGIN: "TxStartedMeasurands",
    Trigger.PERIODIC: "MeterValuesSampledData",
    Trigger.CLOCK: "MeterValuesAlignedData",
    Trigger.ASKED: "MeterValuesSampledData",
    Trigger.CHANGE: "MeterValuesSampledData",
    Trigger.END: "TxEndedMeasurands",
}


@dataclass(slots=True)
class _Told:
    """What the central system has been told of the transaction that goes on, and the samples kept for its end."""

    key: str
    seq_no: int = 0
    state: str = "EVConnected"
    where_told: bool = False
    kept: list[Payload] = field(default_factory=list)


class Dialect201:
    """A station that speaks OCPP 2.0.1."""

    def __init__(self, station: Station, nameplate: Nameplate, host: Host) -> None:
        self._station = station
        self._habits = station.behaviour
        self._nameplate = nameplate
        self._host = host
        self._told: _Told | None = None
        self._status = "Available"
        self._boot_reason = "PowerUp"
        self._answers = Answers(station, host, self)

    def boot(self) -> Message:
        """Return the BootNotification."""
        payload = {
            "reason": self._boot_reason,
            "chargingStation": {
                "vendorName": self._nameplate.vendor,
                "model": self._nameplate.model,
                "serialNumber": self._nameplate.serial,
                "firmwareVersion": self._nameplate.firmware,
            },
        }
        return Message("BootNotification", lambda: payload)

    def greet(self) -> None:
        """Report the connector's status."""
        self._status = self._spelled(self._station.phase)
        self.send_status()

    def rebooted(self) -> None:
        """Remember that the next boot was asked for by the central system."""
        self._boot_reason = "RemoteReset"

    def heartbeat(self) -> None:
        """Send a Heartbeat."""
        self._host.send(Message("Heartbeat", dict))

    def authorise(self, id_token: str, accepted: Callable[[], None]) -> None:
        """Send an Authorize."""

        def concluded(result: Payload) -> None:
            if _token_status(result) == "Accepted":
                accepted()

        payload = {"idToken": _spell_token(id_token, remote=False)}
        self._host.send(Message("Authorize", lambda: payload, concluded))

    def answer(self, action: str, payload: Payload, now: datetime) -> Answer:
        """Act on a request. Raises CallRefused."""
        return self._answers.answer(action, payload, now)

    @property
    def transaction_id(self) -> str | None:
        """Return the id of the transaction that the central system knows of."""
        return None if self._told is None else self._told.key

    def tell(self, occurrence: Occurrence) -> None:
        """Turn what happened into requests."""
        match occurrence:
            case (
                Authorised()
                | AuthorisationLapsed()
                | PluggedIn()
                | TransactionBegan()
                | TransactionOver()
                | Unplugged()
            ):
                self._tell_transaction(occurrence)
            case PhaseChanged(reading=reading, phase=phase, transaction=transaction):
                if transaction is not None:
                    self._tell_state(_CHARGING_STATES[phase], reading, transaction)
                elif phase is not Phase.FINISHING or self._status != "Available":
                    self._tell_status(self._spelled(phase), reading.at)
            case Sampled(reading=reading, trigger=trigger, transaction=transaction):
                if not self._habits.meter.pushed:
                    return
                if transaction is None:
                    self.send_meter_values(reading, trigger)
                else:
                    reason = "MeterValueClock" if trigger is Trigger.CLOCK else "MeterValuePeriodic"
                    self.send_updated(reading, reason=reason, trigger=trigger)
            case _:
                pass

    def _tell_transaction(self, occurrence: Occurrence) -> None:
        """Begin, go on with or end what OCPP 2.0.1 calls a transaction: the start point says when it begins."""
        start_point, told = self._habits.transactions.start_point, self._told
        match occurrence:
            case PluggedIn(reading=reading):
                if told is not None:
                    told.state = "EVConnected"
                    self.send_updated(reading, reason="CablePluggedIn", trigger=Trigger.CHANGE)
                elif start_point is StartPoint.EV_CONNECTED:
                    self._send_started(reading, str(uuid.uuid4()), reason="CablePluggedIn")
            case Authorised(reading=reading, authorisation=authorisation) if start_point is StartPoint.AUTHORIZED:
                state = "EVConnected" if self._station.plugged else "Idle"
                reason = _authorised_by(authorisation)
                self._send_started(reading, str(uuid.uuid4()), reason=reason, state=state, by=authorisation)
            case AuthorisationLapsed(reading=reading) if told is not None:
                self._send_ended(reading, "EVConnectTimeout", "Timeout")
            case TransactionBegan(reading=reading, transaction=transaction):
                by = transaction.authorisation
                reason = "CablePluggedIn" if transaction.plugged_last else _authorised_by(by)
                if told is None and start_point is not StartPoint.ENERGY_TRANSFER:
                    self._send_started(reading, transaction.key, reason=reason, by=by)
                elif told is not None and start_point is not StartPoint.AUTHORIZED:
                    self.send_updated(reading, reason=_authorised_by(by), trigger=Trigger.CHANGE, by=by)
            case TransactionOver(reading=reading, reason=reason, plugged=plugged):
                self._tell_over(reading, reason, plugged=plugged)
            case Unplugged(reading=reading) if told is not None:
                told.state = "Idle"
                self._send_ended(reading, *_ENDS[StopReason.EV_DISCONNECTED])

    def _tell_over(self, reading: Reading, reason: StopReason, *, plugged: bool) -> None:
        if not plugged:
            self._tell_status("Available", reading.at)
        if self._told is not None:
            self._told.state = "EVConnected" if plugged else "Idle"
            trigger, stopped = _ENDS[reason]
            if plugged and self._habits.transactions.until_unplug:
                self.send_updated(reading, reason=trigger, trigger=Trigger.CHANGE)
            else:
                self._send_ended(reading, trigger, stopped)
        self._answers.transaction_over()

    # Status

    def _spelled(self, phase: Phase) -> str:
        freed = phase is Phase.FINISHING and self._habits.statuses.finishing_is_available
        return "Available" if freed else _STATUSES.get(phase, "Occupied")

    def _tell_status(self, status: str, at: datetime) -> None:
        if status != self._status:
            self._status = status
            self.send_status(at=at)

    def send_status(self, *, at: datetime | None = None, asked_for: bool = False) -> None:
        """Send a StatusNotification."""
        payload = {
            "timestamp": spell_time(at or self._host.now()),
            "connectorStatus": self._status,
            "evseId": EVSE,
            "connectorId": 1,
        }
        self._host.send(Message("StatusNotification", lambda: payload, asked_for=asked_for))

    # Transactions

    def _tell_state(self, state: str, reading: Reading, transaction: Transaction) -> None:
        if self._told is None and state == "Charging":
            by = transaction.authorisation
            self._send_started(reading, transaction.key, reason="ChargingStateChanged", state=state, by=by)
        elif self._told is not None and state != self._told.state:
            self._told.state = state
            self.send_updated(reading, reason="ChargingStateChanged", trigger=Trigger.CHANGE)

    def _send_started(
        self, reading: Reading, key: str, *, reason: str, state: str = "EVConnected", by: Authorisation | None = None
    ) -> None:
        self._told = _Told(key, state=state)
        event = self._event("Started", reading, Trigger.BEGIN)
        event["triggerReason"] = reason
        if self._station.plugged and not self._habits.transactions.evse_late:
            self._say_where(event)
        self._send_event(event, by=by)

    def send_updated(self, reading: Reading, *, reason: str, trigger: Trigger, by: Authorisation | None = None) -> None:
        """Send an Updated event, if the central system knows of the transaction."""
        if self._told is None:
            return
        sample_only = reason in {"MeterValuePeriodic", "MeterValueClock"}
        sample = self._sample(reading, trigger)
        if sample_only and (sample is None or self._habits.meter.with_end):
            self._told.kept += [] if sample is None else [sample]
            return
        event = self._event("Updated", reading, trigger)
        event["triggerReason"] = reason
        if self._station.plugged and not self._told.where_told:
            self._say_where(event)
        self._send_event(event, by=by, droppable=sample_only, asked_for=trigger is Trigger.ASKED)

    def _say_where(self, event: Payload) -> None:
        assert self._told is not None
        event["evse"] = {"id": EVSE, "connectorId": 1}
        self._told.where_told = True

    def _send_ended(self, reading: Reading, trigger: str, stopped: str) -> None:
        event = self._event("Ended", reading, Trigger.END)
        event["triggerReason"], event["transactionInfo"]["stoppedReason"] = trigger, stopped
        self._told = None
        self._send_event(event)

    def _event(self, kind: str, reading: Reading, trigger: Trigger) -> Payload:
        assert self._told is not None
        event: Payload = {
            "eventType": kind,
            "timestamp": spell_time(reading.at),
            "seqNo": self._told.seq_no,
            "transactionInfo": {"transactionId": self._told.key, "chargingState": self._told.state},
        }
        self._told.seq_no += 1
        if not self._host.online:
            event["offline"] = True
        samples = [*self._told.kept, self._sample(reading, trigger)] if trigger is Trigger.END else []
        if not self._habits.meter.with_end:
            samples = [self._sample(reading, trigger)]
        if sampled := [sample for sample in samples if sample is not None]:
            event["meterValue"] = sampled
        return event

    def _send_event(
        self, event: Payload, *, by: Authorisation | None = None, droppable: bool = False, asked_for: bool = False
    ) -> None:
        """Send an event; one that says by whom ends the charging when he is refused."""
        message = Message("TransactionEvent", lambda: event, lasting=True, droppable=droppable, asked_for=asked_for)
        if by is not None:
            event["idToken"] = _spell_token(by.id_token, remote=by.remote)
            if by.remote_start_id is not None and self._habits.transactions.start_named:
                event["transactionInfo"]["remoteStartId"] = by.remote_start_id
            message.on_result = self._concluded(event["transactionInfo"]["transactionId"])
        self._host.send(message)

    def _concluded(self, key: str) -> Callable[[Payload], None]:
        def concluded(result: Payload) -> None:
            refused = _token_status(result) not in {None, "Accepted"}
            if refused and self.transaction_id == key:
                self._station.stop(self._host.now(), StopReason.DEAUTHORIZED)

        return concluded

    # Samples

    def send_meter_values(self, reading: Reading, trigger: Trigger) -> None:
        """Send a MeterValues, as outside transactions."""
        sample = self._sample(reading, trigger)
        if sample is not None:
            payload = {"evseId": EVSE, "meterValue": [sample]}
            self._host.send(Message("MeterValues", lambda: payload, asked_for=trigger is Trigger.ASKED, droppable=True))

    def _sample(self, reading: Reading, trigger: Trigger) -> Payload | None:
        wanted, habits = self._station.settings.members(_MEASURANDS[trigger]), self._habits.meter
        values = measured(reading, wanted, report_soc=self._nameplate.report_soc, habits=habits, trigger=trigger)
        if not values:
            return None
        return {
            "timestamp": spell_time(reading.at, fine=True),
            "sampledValue": [_spell_value(value, trigger) for value in values],
        }


def _authorised_by(authorisation: Authorisation) -> str:
    return "RemoteStart" if authorisation.remote else "Authorized"


def _spell_token(id_token: str, *, remote: bool) -> Payload:
    if not id_token:
        return {"idToken": "", "type": "NoAuthorization"}
    return {"idToken": id_token[:36], "type": "Central" if remote else "ISO14443"}


def _token_status(result: Payload) -> str | None:
    info = result.get("idTokenInfo")
    return info.get("status") if isinstance(info, dict) else None


def _spell_value(value: Value, trigger: Trigger) -> Payload:
    spelt: Payload = {
        "value": value.value,
        "context": str(trigger),
        "measurand": value.measurand,
        "location": "EV" if value.in_car else "Outlet",
        "unitOfMeasure": {"unit": value.unit, **({"multiplier": value.multiplier} if value.multiplier else {})},
    }
    if value.phase is not None:
        spelt["phase"] = value.phase
    return spelt
