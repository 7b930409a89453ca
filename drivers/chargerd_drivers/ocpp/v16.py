"""OCPP 1.6 (edition 2, section 6 and 7) payloads to events, and commands to requests. Pure; 1.6 words end here."""

from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType

from ocpp.v16 import call, call_result, datatypes, enums

from chargerd.contract import (
    Activity,
    AnswerAuthorize,
    AnswerTransaction,
    AuthorizeRequested,
    ChargerAnswer,
    ChargerBooted,
    StartTransaction,
    StatusReported,
    StopTransaction,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)
from chargerd_drivers.ocpp import metering, profiles16
from chargerd_drivers.ocpp.dialect import PENDING_INTERVAL_S, Context, Reading, Request
from chargerd_drivers.ocpp.fields import Json, integer, moment, stamp, text, word
from chargerd_drivers.ocpp.wire import Version, known_action, to_payload, to_request

VERSION: Version = "1.6"
PROTOCOL = "OCPP 1.6"
FORMAT_ERROR = "FormationViolation"
HELD_ERROR = "NotSupported"
RESTART: Request = to_request(call.Reset(type=enums.ResetType.soft))
BOOT_TRIGGER: Request | None = None
"""Nobody is asked to boot: there are chargers that reboot at a request that comes before their boot was answered."""

limit_request = profiles16.limit_request
clear_request = profiles16.clear_request
clear_all_requests = profiles16.clear_all_requests

_ID_TAG_MAX = 20

_STATUS: dict[str, tuple[bool | None, Activity | None]] = {
    "available": (False, Activity.IDLE),
    "preparing": (True, Activity.EV_CONNECTED),
    "charging": (True, Activity.CHARGING),
    "suspendedev": (True, Activity.SUSPENDED_EV),
    "suspendedevse": (True, Activity.SUSPENDED_EVSE),
    "finishing": (True, Activity.FINISHING),
    "occupied": (True, None),  # the word of OCPP 1.5, still sent by old firmware
    "reserved": (False, None),
    "unavailable": (None, None),
}

_ANSWERED_EMPTY = frozenset(
    {
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "SecurityEventNotification",
        "SignedFirmwareStatusNotification",
    }
)


def read(action: str, payload: Json, context: Context) -> Reading | None:
    """Translate a request of a charge point; None for an action that is not for a central system."""
    name = known_action(action, VERSION) or ""
    if name in _ANSWERED_EMPTY:
        return Reading(action=name, reply={})
    handler = _HANDLERS.get(name)
    return None if handler is None else handler(payload, context)


def confirmation(reading: Reading, answer: ChargerAnswer) -> Json | None:
    """Return the payload that tells a charge point our decision; None when the answer does not fit the question."""
    match answer:
        case AnswerAuthorize() if reading.action == "Authorize":
            return _authorized(accepted=answer.accepted)
        case AnswerTransaction() if reading.action == "StartTransaction":
            transaction_id = integer(answer.transaction_id)
            return None if transaction_id is None else _started(transaction_id, enums.AuthorizationStatus.accepted)
        case AnswerTransaction():
            return reading.fallback
        case _:
            return None


def request(command: StartTransaction | StopTransaction, connector: int) -> Request:
    """Return what to send for a command. Raises ProtocolViolation by LOCAL for a transaction id that is no integer."""
    match command:
        case StartTransaction():
            tag = command.id_token[:_ID_TAG_MAX]
            return to_request(call.RemoteStartTransaction(id_tag=tag, connector_id=connector))
        case StopTransaction():
            return to_request(call.RemoteStopTransaction(transaction_id=profiles16.given_id(command.transaction_id)))


def hold(action: str, _payload: Json, now: datetime) -> Json | None:
    """Return the answer to a charge point that is not configured: nothing is taken, nothing is authorised."""
    match known_action(action, VERSION):
        case "BootNotification":
            return _registered(now, PENDING_INTERVAL_S, enums.RegistrationStatus.pending)
        case "Heartbeat":
            return to_payload(call_result.Heartbeat(current_time=stamp(now)))
        case "Authorize":
            return _authorized(accepted=False)
        case "StartTransaction":
            return _started(0, enums.AuthorizationStatus.invalid)
        case "StopTransaction" | "StatusNotification" | "MeterValues":
            return {}
        case "DataTransfer":
            return _data_transfer()
        case name:
            return {} if name in _ANSWERED_EMPTY else None


def _is_ours(payload: Json, context: Context) -> bool:
    """A message without a connector is taken for the one we control."""
    return payload.get("connectorId") is None or integer(payload["connectorId"]) == context.connector


def _transaction(value: object) -> TransactionId | None:
    """0 and -1 are what Wallbox and Alfen send for "none"."""
    transaction_id = integer(value)
    return TransactionId(str(transaction_id)) if transaction_id is not None and transaction_id > 0 else None


def _boot(payload: Json, context: Context) -> Reading:
    booted = ChargerBooted(
        charger_id=context.charger_id,
        vendor=text(payload.get("chargePointVendor")),
        model=text(payload.get("chargePointModel")),
        serial=text(payload.get("chargePointSerialNumber")) or text(payload.get("chargeBoxSerialNumber")),
        firmware=text(payload.get("firmwareVersion")),
    )
    reply = _registered(context.now, context.heartbeat_interval_s, enums.RegistrationStatus.accepted)
    return Reading(action="BootNotification", reply=reply, events=(booted,))


def _heartbeat(_payload: Json, context: Context) -> Reading:
    return Reading(action="Heartbeat", reply=to_payload(call_result.Heartbeat(current_time=stamp(context.now))))


def _data(_payload: Json, _context: Context) -> Reading:
    return Reading(action="DataTransfer", reply=_data_transfer())


def _certificate(_payload: Json, _context: Context) -> Reading:
    """SignCertificate (security whitepaper A02): nobody here signs one."""
    return Reading(action="SignCertificate", reply={"status": "Rejected"})


def _status(payload: Json, context: Context) -> Reading:
    """StatusNotification (section 4.9). Connector 0 is the whole charge point and tells nothing of the plug."""
    spelled = word(payload.get("status"))
    plugged, activity = _STATUS.get(spelled, (None, None))
    if not _is_ours(payload, context) or (spelled not in _STATUS and spelled != "faulted"):
        return Reading(action="StatusNotification", reply={})
    reported = StatusReported(
        charger_id=context.charger_id,
        plugged=plugged,
        activity=activity,
        fault=_fault(payload) if spelled == "faulted" else "",
        measured_at=moment(payload.get("timestamp"), context.now),
    )
    return Reading(action="StatusNotification", reply={}, events=(reported,))


def _fault(payload: Json) -> str:
    code = text(payload.get("errorCode"))
    parts = ["" if word(code) == "noerror" else code, text(payload.get("vendorErrorCode")), text(payload.get("info"))]
    return ": ".join(part for part in parts if part) or "Faulted"


def _meter_values(payload: Json, context: Context) -> Reading:
    """MeterValues (section 4.7)."""
    if not _is_ours(payload, context):
        return Reading(action="MeterValues", reply={})
    samples = metering.readings(
        context.charger_id,
        context.mend(payload.get("meterValue"), context.now),
        context.now,
        transaction_id=_transaction(payload.get("transactionId")),
    )
    return Reading(action="MeterValues", reply={}, events=samples)


def _authorize(payload: Json, context: Context) -> Reading:
    asked = AuthorizeRequested(
        charger_id=context.charger_id, id_token=text(payload.get("idTag")), reply_to=context.reply_to
    )
    return Reading(action="Authorize", reply=None, events=(asked,), fallback=_authorized(accepted=False))


def _start(payload: Json, context: Context) -> Reading:
    """StartTransaction (section 4.8). The one on a connector that is not ours gets an id and is forgotten."""
    if not _is_ours(payload, context):
        reply = _started(context.spare_transaction_id, enums.AuthorizationStatus.accepted)
        return Reading(action="StartTransaction", reply=reply, foreign=str(context.spare_transaction_id))
    started = TransactionStarted(
        charger_id=context.charger_id,
        reply_to=context.reply_to,
        id_token=text(payload.get("idTag")),
        register_wh=metering.register(payload.get("meterStart")),
        measured_at=moment(payload.get("timestamp"), context.now),
    )
    return Reading(action="StartTransaction", reply=None, events=(started,))


def _stop(payload: Json, context: Context) -> Reading:
    """StopTransaction (section 4.10). Its samples come before the end that they lead up to.

    Any id is passed on: chargers repeat a stop for ever until it is confirmed, also one that nobody knows. One
    that never got the answer to its start says 0 or -1 (Wallbox, Alfen), which is "" outside.
    """
    accepted = to_payload(call_result.StopTransaction(id_tag_info=_tag_info(enums.AuthorizationStatus.accepted)))
    transaction_id = _transaction(payload.get("transactionId"))
    if transaction_id in context.foreign:
        return Reading(action="StopTransaction", reply=accepted)
    samples = metering.readings(
        context.charger_id,
        context.mend(payload.get("transactionData"), context.now),
        context.now,
        transaction_id=transaction_id,
    )
    ended = TransactionEnded(
        charger_id=context.charger_id,
        reply_to=context.reply_to,
        transaction_id=transaction_id or TransactionId(""),
        reason=text(payload.get("reason")),
        register_wh=metering.register(payload.get("meterStop")),
        measured_at=moment(payload.get("timestamp"), context.now),
    )
    return Reading(action="StopTransaction", reply=None, events=(*samples, ended), fallback=accepted)


def _registered(now: datetime, interval_s: int, status: enums.RegistrationStatus) -> Json:
    return to_payload(call_result.BootNotification(current_time=stamp(now), interval=interval_s, status=status))


def _authorized(*, accepted: bool) -> Json:
    statuses = enums.AuthorizationStatus
    return to_payload(call_result.Authorize(id_tag_info=_tag_info(statuses.accepted if accepted else statuses.invalid)))


def _started(transaction_id: int, status: enums.AuthorizationStatus) -> Json:
    return to_payload(call_result.StartTransaction(transaction_id=transaction_id, id_tag_info=_tag_info(status)))


def _tag_info(status: enums.AuthorizationStatus) -> datatypes.IdTagInfo:
    return datatypes.IdTagInfo(status=status)


def _data_transfer() -> Json:
    return to_payload(call_result.DataTransfer(status=enums.DataTransferStatus.unknown_vendor_id))


_HANDLERS = MappingProxyType[str, Callable[[Json, Context], Reading]](
    {
        "Authorize": _authorize,
        "BootNotification": _boot,
        "DataTransfer": _data,
        "Heartbeat": _heartbeat,
        "MeterValues": _meter_values,
        "SignCertificate": _certificate,
        "StartTransaction": _start,
        "StatusNotification": _status,
        "StopTransaction": _stop,
    }
)
