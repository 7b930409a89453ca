"""OCPP 2.0.1: occurrences to requests. What the central system asks is answered in ``v201_answers``.

The power path counts as closed when a car is plugged in and somebody is authorised: that starts a transaction
(TxStartPoint PowerPathClosed).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from chargerd_drivers.simulator.dialect import Host, Nameplate
from chargerd_drivers.simulator.metering import Value, measured
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
    kept: list[Payload] = field(default_factory=list)


class Dialect201:
    """A station that speaks OCPP 2.0.1."""

    def __init__(self, station: Station, nameplate: Nameplate, host: Host) -> None:
        self._station = station
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

    def tell(self, occurrence: Occurrence) -> None:
        """Turn what happened into requests."""
        match occurrence:
            case TransactionBegan(reading=reading, transaction=transaction):
                self._send_started(reading, transaction)
            case TransactionOver():
                if not occurrence.plugged:
                    self._tell_status("Available", occurrence.reading.at)
                self._send_ended(occurrence)
                self._answers.transaction_over()
            case PhaseChanged(reading=reading, phase=phase, transaction=transaction):
                if transaction is not None:
                    self._tell_state(_CHARGING_STATES[phase], reading, transaction)
                elif phase is not Phase.FINISHING or self._status != "Available":
                    self._tell_status(self._spelled(phase), reading.at)
            case Sampled(reading=reading, trigger=trigger, transaction=transaction):
                if not self._station.behaviour.meter.pushed:
                    return
                if transaction is None:
                    self.send_meter_values(reading, trigger)
                else:
                    reason = "MeterValueClock" if trigger is Trigger.CLOCK else "MeterValuePeriodic"
                    self.send_updated(reading, transaction, reason=reason, trigger=trigger)
            case _:
                pass

    # Status

    def _spelled(self, phase: Phase) -> str:
        freed = phase is Phase.FINISHING and self._station.behaviour.statuses.finishing_is_available
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
        if self._told is not None and state != self._told.state:
            self._told.state = state
            self.send_updated(reading, transaction, reason="ChargingStateChanged", trigger=Trigger.CHANGE)

    def _send_started(self, reading: Reading, transaction: Transaction) -> None:
        self._told = _Told(transaction.key)
        authorisation = transaction.authorisation
        reason = "RemoteStart" if authorisation.remote else "Authorized"
        extra: Payload = {
            "evse": {"id": EVSE, "connectorId": 1},
            "idToken": _spell_token(authorisation.id_token, remote=authorisation.remote),
        }
        info: Payload = {}
        if authorisation.remote_start_id is not None:
            info["remoteStartId"] = authorisation.remote_start_id

        def concluded(result: Payload) -> None:
            current = self._station.transaction
            refused = _token_status(result) not in {None, "Accepted"}
            if refused and current is not None and current.key == transaction.key:
                self._station.stop(self._host.now(), StopReason.DEAUTHORIZED)

        event = self._event("Started", reading, Trigger.BEGIN)
        event["triggerReason"] = "CablePluggedIn" if transaction.plugged_last else reason
        event["transactionInfo"].update(info)
        self._send_event({**event, **extra}, on_result=concluded)

    def send_updated(self, reading: Reading, transaction: Transaction, *, reason: str, trigger: Trigger) -> None:
        """Send an Updated event, if the central system knows of the transaction."""
        if self._told is None or self._told.key != transaction.key:
            return
        sample_only = reason in {"MeterValuePeriodic", "MeterValueClock"}
        if sample_only and self._station.behaviour.meter.with_end:
            self._told.kept += [sample for sample in (self._sample(reading, trigger),) if sample is not None]
            return
        if sample_only and self._sample(reading, trigger) is None:
            return
        event = self._event("Updated", reading, trigger)
        event["triggerReason"] = reason
        self._send_event(event, droppable=sample_only, asked_for=trigger is Trigger.ASKED)

    def _send_ended(self, over: TransactionOver) -> None:
        if self._told is None:
            return
        self._told.state = "EVConnected" if over.plugged else "Idle"
        event = self._event("Ended", over.reading, Trigger.END)
        event["triggerReason"], event["transactionInfo"]["stoppedReason"] = _ENDS[over.reason]
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
        if not self._station.behaviour.meter.with_end:
            samples = [self._sample(reading, trigger)]
        if sampled := [sample for sample in samples if sample is not None]:
            event["meterValue"] = sampled
        return event

    def _send_event(
        self,
        event: Payload,
        *,
        on_result: Callable[[Payload], None] | None = None,
        droppable: bool = False,
        asked_for: bool = False,
    ) -> None:
        message = Message("TransactionEvent", lambda: event, lasting=True, droppable=droppable, asked_for=asked_for)
        if on_result is not None:
            message.on_result = on_result
        self._host.send(message)

    # Samples

    def send_meter_values(self, reading: Reading, trigger: Trigger) -> None:
        """Send a MeterValues, as outside transactions."""
        sample = self._sample(reading, trigger)
        if sample is not None:
            payload = {"evseId": EVSE, "meterValue": [sample]}
            self._host.send(Message("MeterValues", lambda: payload, asked_for=trigger is Trigger.ASKED, droppable=True))

    def _sample(self, reading: Reading, trigger: Trigger) -> Payload | None:
        wanted, habits = self._station.settings.members(_MEASURANDS[trigger]), self._station.behaviour.meter
        values = measured(reading, wanted, report_soc=self._nameplate.report_soc, habits=habits, trigger=trigger)
        if not values:
            return None
        return {
            "timestamp": spell_time(reading.at, fine=True),
            "sampledValue": [_spell_value(value, trigger) for value in values],
        }


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
