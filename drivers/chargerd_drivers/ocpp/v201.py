"""OCPP 2.0.1 (part 2) payloads to events, and commands to requests. Pure."""

from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType

from ocpp.v201 import call, call_result, datatypes, enums

from chargerd.contract import (
    Activity,
    AnswerAuthorize,
    AnswerTransaction,
    AuthorizeRequested,
    ChargerAnswer,
    ChargerBooted,
    Event,
    MeterSampled,
    SampleContext,
    StartTransaction,
    StatusReported,
    StopTransaction,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)
from chargerd_drivers.ocpp import metering, profiles201
from chargerd_drivers.ocpp.dialect import PENDING_INTERVAL_S, Context, Reading, Request
from chargerd_drivers.ocpp.fields import Json, integer, moment, obj, stamp, text, word
from chargerd_drivers.ocpp.wire import Version, known_action, to_payload, to_request

VERSION: Version = "2.0.1"
PROTOCOL = "OCPP 2.0.1"
FORMAT_ERROR = "FormatViolation"
HELD_ERROR = "SecurityError"
RESTART: Request = to_request(call.Reset(type=enums.ResetEnumType.immediate))
BOOT_TRIGGER: Request | None = to_request(call.TriggerMessage(requested_message="BootNotification"))

limit_request = profiles201.limit_request
clear_request = profiles201.clear_request
clear_all_requests = profiles201.clear_all_requests

_ID_TOKEN_MAX = 36

_STATUS: dict[str, tuple[bool | None, Activity | None]] = {
    "available": (False, Activity.IDLE),
    "occupied": (True, None),
    "reserved": (False, None),
    "unavailable": (None, None),
}

_CHARGING_STATES = {
    "idle": Activity.IDLE,
    "evconnected": Activity.EV_CONNECTED,
    "charging": Activity.CHARGING,
    "suspendedev": Activity.SUSPENDED_EV,
    "suspendedevse": Activity.SUSPENDED_EVSE,
}

_ANSWERED_EMPTY = frozenset(
    {
        "ClearedChargingLimit",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
    }
)

_ANSWERED_ALWAYS = MappingProxyType[str, Json](
    {
        "Get15118EVCertificate": {"status": "Failed", "exiResponse": ""},
        "GetCertificateStatus": {"status": "Failed"},
        "NotifyEVChargingNeeds": {"status": "Rejected"},
        "NotifyEVChargingSchedule": {"status": "Accepted"},
        "SignCertificate": {"status": "Rejected"},
    }
)
"""What nobody here does, said in the words of each message: a CALLERROR would be sent again and again."""


def read(action: str, payload: Json, context: Context) -> Reading | None:
    """Translate a request of a charging station; None for an action that is not for a CSMS."""
    name = known_action(action, VERSION) or ""
    if name in _ANSWERED_EMPTY:
        return Reading(action=name, reply={})
    if name in _ANSWERED_ALWAYS:
        return Reading(action=name, reply=_ANSWERED_ALWAYS[name])
    handler = _HANDLERS.get(name)
    return None if handler is None else handler(payload, context)


def confirmation(reading: Reading, answer: ChargerAnswer) -> Json | None:
    """Return the payload that tells a station our decision; None when the answer does not fit the question."""
    match answer:
        case AnswerAuthorize() if reading.action == "Authorize":
            return _authorized(accepted=answer.accepted)
        case AnswerTransaction() if reading.action == "TransactionEvent":
            return reading.fallback
        case _:
            return None


def request(command: StartTransaction | StopTransaction, connector: int) -> Request:
    """Return what to send for a command."""
    match command:
        case StartTransaction():
            token = datatypes.IdTokenType(id_token=command.id_token[:_ID_TOKEN_MAX], type=enums.IdTokenEnumType.central)
            start = call.RequestStartTransaction(id_token=token, remote_start_id=command.command_id, evse_id=connector)
            return to_request(start)
        case StopTransaction():
            return to_request(call.RequestStopTransaction(transaction_id=command.transaction_id))


def hold(action: str, _payload: Json, now: datetime) -> Json | None:
    """Return the answer to a station that is not configured: all but its boot is refused (B02, B03).

    So it keeps what it has to tell of transactions until it is accepted.
    """
    if known_action(action, VERSION) != "BootNotification":
        return None
    return _registered(now, PENDING_INTERVAL_S, enums.RegistrationStatusEnumType.pending)


def _boot(payload: Json, context: Context) -> Reading:
    station = obj(payload.get("chargingStation"))
    booted = ChargerBooted(
        charger_id=context.charger_id,
        vendor=text(station.get("vendorName")),
        model=text(station.get("model")),
        serial=text(station.get("serialNumber")),
        firmware=text(station.get("firmwareVersion")),
    )
    reply = _registered(context.now, context.heartbeat_interval_s, enums.RegistrationStatusEnumType.accepted)
    return Reading(action="BootNotification", reply=reply, events=(booted,))


def _heartbeat(_payload: Json, context: Context) -> Reading:
    return Reading(action="Heartbeat", reply=to_payload(call_result.Heartbeat(current_time=stamp(context.now))))


def _data(_payload: Json, _context: Context) -> Reading:
    return Reading(action="DataTransfer", reply=_data_transfer())


def _status(payload: Json, context: Context) -> Reading:
    """StatusNotification (G01). It knows no charging; EVSE 0 is the whole station and tells nothing of the plug."""
    spelled = word(payload.get("connectorStatus"))
    evse = payload.get("evseId")
    is_ours = evse is None or integer(evse) == context.connector
    if not is_ours or (spelled not in _STATUS and spelled != "faulted"):
        return Reading(action="StatusNotification", reply={})
    plugged, activity = _STATUS.get(spelled, (None, None))
    reported = StatusReported(
        charger_id=context.charger_id,
        plugged=plugged,
        activity=activity,
        fault="Faulted" if spelled == "faulted" else "",
        measured_at=moment(payload.get("timestamp"), context.now),
    )
    return Reading(action="StatusNotification", reply={}, events=(reported,))


def _meter_values(payload: Json, context: Context) -> Reading:
    """MeterValues outside a transaction (J01)."""
    evse = payload.get("evseId")
    is_ours = evse is None or integer(evse) == context.connector
    if not is_ours:
        return Reading(action="MeterValues", reply={})
    elements = context.mend(payload.get("meterValue"), context.now)
    samples = metering.readings(context.charger_id, elements, context.now)
    return Reading(action="MeterValues", reply={}, events=samples)


def _authorize(payload: Json, context: Context) -> Reading:
    token = text(obj(payload.get("idToken")).get("idToken"))
    asked = AuthorizeRequested(charger_id=context.charger_id, id_token=token, reply_to=context.reply_to)
    return Reading(action="Authorize", reply=None, events=(asked,), fallback=_authorized(accepted=False))


def _transaction_event(payload: Json, context: Context) -> Reading:
    """TransactionEvent (E01 to E06). Only a beginning and an end take a decision.

    ``evse`` stands in the first event only, so the transactions of other EVSEs are remembered by their id.
    """
    accepted = enums.AuthorizationStatusEnumType.accepted
    fallback = _token_info(accepted) if payload.get("idToken") else {}
    transaction = obj(payload.get("transactionInfo"))
    transaction_id = TransactionId(text(transaction.get("transactionId")))
    evse_id = integer(obj(payload.get("evse")).get("id"))
    is_foreign = transaction_id in context.foreign if evse_id is None else evse_id != context.connector
    if is_foreign:
        return Reading(action="TransactionEvent", reply=fallback, foreign=transaction_id or None)
    kind = word(payload.get("eventType"))
    elements = context.mend(payload.get("meterValue"), context.now)
    samples = metering.readings(context.charger_id, elements, context.now, transaction_id=transaction_id or None)
    status = _transaction_status(payload, transaction, transaction_id, context)
    events = _ordered(kind, payload, transaction, samples, status, context)
    takes_decision = kind in {"started", "ended"}
    return Reading(
        action="TransactionEvent", reply=None if takes_decision else fallback, events=events, fallback=fallback
    )


def _ordered(
    kind: str,
    payload: Json,
    transaction: Json,
    samples: tuple[MeterSampled, ...],
    status: tuple[StatusReported, ...],
    context: Context,
) -> tuple[Event, ...]:
    transaction_id = TransactionId(text(transaction.get("transactionId")))
    measured_at = moment(payload.get("timestamp"), context.now)
    if kind == "started":
        started = TransactionStarted(
            charger_id=context.charger_id,
            reply_to=context.reply_to,
            transaction_id=transaction_id,
            id_token=text(obj(payload.get("idToken")).get("idToken")),
            register_wh=metering.last_register(samples, SampleContext.BEGIN),
            had_car=False if word(transaction.get("chargingState")) == "idle" else None,
            measured_at=measured_at,
        )
        return (started, *status, *samples)
    if kind == "ended":
        ended = TransactionEnded(
            charger_id=context.charger_id,
            reply_to=context.reply_to,
            transaction_id=transaction_id,
            reason=text(transaction.get("stoppedReason")),
            register_wh=metering.last_register(samples, SampleContext.END),
            measured_at=measured_at,
        )
        return (*samples, *status, ended)
    return (*status, *samples)


def _transaction_status(
    payload: Json, transaction: Json, transaction_id: TransactionId, context: Context
) -> tuple[StatusReported, ...]:
    """What an event tells of plug and activity. Unplugging is believed only when the trigger is EVDeparted.

    A transaction may end by EVDisconnected before the plug is out; its StatusNotification says when it is.
    """
    activity = _CHARGING_STATES.get(word(transaction.get("chargingState")))
    trigger = word(payload.get("triggerReason"))
    plugged: bool | None = None
    if trigger == "evdeparted":
        plugged = False
    elif trigger == "cablepluggedin" or activity not in {None, Activity.IDLE}:
        plugged = True
    if activity is None and plugged is None:
        return ()
    reported = StatusReported(
        charger_id=context.charger_id,
        plugged=plugged,
        activity=activity,
        transaction_id=transaction_id or None,
        measured_at=moment(payload.get("timestamp"), context.now),
    )
    return (reported,)


def _registered(now: datetime, interval_s: int, status: enums.RegistrationStatusEnumType) -> Json:
    return to_payload(call_result.BootNotification(current_time=stamp(now), interval=interval_s, status=status))


def _authorized(*, accepted: bool) -> Json:
    statuses = enums.AuthorizationStatusEnumType
    info = datatypes.IdTokenInfoType(status=statuses.accepted if accepted else statuses.invalid)
    return to_payload(call_result.Authorize(id_token_info=info))


def _token_info(status: enums.AuthorizationStatusEnumType) -> Json:
    return to_payload(call_result.TransactionEvent(id_token_info=datatypes.IdTokenInfoType(status=status)))


def _data_transfer() -> Json:
    return to_payload(call_result.DataTransfer(status=enums.DataTransferStatusEnumType.unknown_vendor_id))


_HANDLERS = MappingProxyType[str, Callable[[Json, Context], Reading]](
    {
        "Authorize": _authorize,
        "BootNotification": _boot,
        "DataTransfer": _data,
        "Heartbeat": _heartbeat,
        "MeterValues": _meter_values,
        "StatusNotification": _status,
        "TransactionEvent": _transaction_event,
    }
)
