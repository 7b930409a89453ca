"""What a person may have a charger asked: the actions of a central system, what they disturb, and what is secret. Pure.

OCPP 1.6 edition 2 sections 5 and 7 with the security whitepaper (edition 3), and OCPP 2.0.1 part 2.
"""

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from chargerd.contract import NotSent, OperatorRequest, Withheld
from chargerd_drivers.ocpp.fields import Json, listing, obj, text, word
from chargerd_drivers.ocpp.frames import Broken, encode_call, parse
from chargerd_drivers.ocpp.wire import Version, fault_in, known_action

ACTIONS: MappingProxyType[Version, tuple[str, ...]] = MappingProxyType(
    {
        "1.6": (
            *("CancelReservation", "CertificateSigned", "ChangeAvailability", "ChangeConfiguration", "ClearCache"),
            *("ClearChargingProfile", "DataTransfer", "DeleteCertificate", "ExtendedTriggerMessage"),
            *("GetCompositeSchedule", "GetConfiguration", "GetDiagnostics", "GetInstalledCertificateIds"),
            *("GetLocalListVersion", "GetLog", "InstallCertificate", "RemoteStartTransaction", "RemoteStopTransaction"),
            *("ReserveNow", "Reset", "SendLocalList", "SetChargingProfile", "SignedUpdateFirmware", "TriggerMessage"),
            *("UnlockConnector", "UpdateFirmware"),
        ),
        "2.0.1": (
            *("CancelReservation", "CertificateSigned", "ChangeAvailability", "ClearCache", "ClearChargingProfile"),
            *("ClearDisplayMessage", "ClearVariableMonitoring", "CostUpdated", "CustomerInformation", "DataTransfer"),
            *("DeleteCertificate", "GetBaseReport", "GetChargingProfiles", "GetCompositeSchedule"),
            *("GetDisplayMessages", "GetInstalledCertificateIds", "GetLocalListVersion", "GetLog"),
            *("GetMonitoringReport", "GetReport", "GetTransactionStatus", "GetVariables", "InstallCertificate"),
            *("PublishFirmware", "RequestStartTransaction", "RequestStopTransaction", "ReserveNow", "Reset"),
            *("SendLocalList", "SetChargingProfile", "SetDisplayMessage", "SetMonitoringBase", "SetMonitoringLevel"),
            *("SetNetworkProfile", "SetVariableMonitoring", "SetVariables", "TriggerMessage", "UnlockConnector"),
            *("UnpublishFirmware", "UpdateFirmware"),
        ),
    }
)
"""What a central system may send, in the standard's order of letters."""

_KEYS = frozenset(
    {
        *("authorizationkey", "authorizeremotetxrequests", "clockaligneddatainterval", "connectiontimeout"),
        *("connectorswitch3to1phasesupported", "freevend", "freevendenabled", "localauthorizeoffline"),
        *("metervaluesaligneddata", "metervaluesampleinterval", "metervaluessampleddata", "securityprofile"),
        *("stoptransactiononevsidedisconnect", "stoptransactiononinvalidid", "unlockconnectoronevsidedisconnect"),
    }
)
"""1.6: keys that decide how a running transaction is metered, kept alive or connected (section 9)."""
_COMPONENTS = frozenset(
    {"aligneddatactrlr", "authctrlr", "ocppcommctrlr", "sampleddatactrlr", "securityctrlr", "smartchargingctrlr"}
    | {"txctrlr"}
)
"""2.0.1: the same, by component (part 2, chapter 3 of the referenced components)."""

_BY_PLAN = "the plan has the say while a car is there and would undo it; change the target of the session instead"
_MAY_REBOOT = "it may start the charger anew, which ends what is being charged"

_DISTURBS = MappingProxyType[str, str](
    {
        "ChangeAvailability": "it takes the connector out of service",
        "ChangeConfiguration": "this key decides how the running visit is metered, kept alive or connected",
        "ClearChargingProfile": _BY_PLAN,
        "GetDiagnostics": "it may keep the charger busy or start it anew",
        "GetLog": "it may keep the charger busy or start it anew",
        "RemoteStartTransaction": _BY_PLAN,
        "RemoteStopTransaction": _BY_PLAN,
        "RequestStartTransaction": _BY_PLAN,
        "RequestStopTransaction": _BY_PLAN,
        "Reset": "it ends what is being charged",
        "SetChargingProfile": _BY_PLAN,
        "SetNetworkProfile": "it may cost the connection",
        "SetVariables": "this variable decides how the running visit is metered, kept alive or connected",
        "SignedUpdateFirmware": _MAY_REBOOT,
        "UnlockConnector": "it ends what is being charged and lets the cable go",
        "UpdateFirmware": _MAY_REBOOT,
    }
)
"""What would break a running visit, and why. What a payload may make harmless stands below."""


def _names_component(payload: Json) -> bool:
    wanted = listing(payload.get("setVariableData"))
    return any(word(obj(obj(one).get("component")).get("name")) in _COMPONENTS for one in wanted)


_ONLY_WHEN = MappingProxyType[str, Callable[[Json], bool]](
    {
        "ChangeAvailability": lambda payload: (
            "inoperative" in {word(payload.get("type")), word(payload.get("operationalStatus"))}
        ),
        "ChangeConfiguration": lambda payload: word(payload.get("key")) in _KEYS,
        "Reset": lambda payload: word(payload.get("type")) != "onidle",
        "SetVariables": _names_component,
    }
)


def examined(request: OperatorRequest, version: Version) -> str | NotSent:
    """Return the action in the standard's spelling, or why the request is not sent."""
    action = known_action(request.action, version)
    if action is None or action not in ACTIONS[version]:
        listed = ", ".join(ACTIONS[version])
        return NotSent(Withheld.UNKNOWN, f"OCPP {version} has no request {request.action[:50]!r}; it has {listed}")
    fault = _unsendable(request.payload) or fault_in(request.payload, action, "request", version)
    if fault is not None:
        path, _, message = fault.partition(": ")
        return NotSent(Withheld.INVALID, message, "" if path == "payload" else path)
    why = disturbed(action, request.payload)
    if why is not None and request.has_visit and not request.is_forced:
        return NotSent(Withheld.DISTURBING, f"a car is plugged in, and {action} is not sent: {why}")
    return action


def disturbed(action: str, payload: Json) -> str | None:
    """Say why a request could break a running visit; None when it cannot."""
    is_meant = _ONLY_WHEN.get(action)
    return _DISTURBS.get(action) if is_meant is None or is_meant(payload) else None


NOTHING_DONE = frozenset({"rejected", "notsupported", "notimplemented", "unknown", "unlockfailed"})
"""Status words of an answer after which all is as it was."""


def why_not(answer: Json) -> str:
    """Say in the charger's own words why it refused; "" where it gave none.

    2.0.1: statusInfo with reasonCode and additionalInfo. Some 1.6 boxes put an ``info`` beside the status (Schneider:
    "Load balancer is disabled").
    """
    info = obj(answer.get("statusInfo"))
    parts = (info.get("reasonCode"), info.get("additionalInfo"), answer.get("info"), answer.get("vendorErrorCode"))
    return ", ".join(dict.fromkeys(filter(None, map(text, parts))))


def _unsendable(payload: Json) -> str | None:
    """What no charger could read: NaN, numbers beyond range, deep nesting. Our own parser is the judge."""
    try:
        frame = parse(encode_call("", "Any", payload))[0]
    except RecursionError:
        return "payload: nested too deep"
    return f"payload: {frame.reason}" if isinstance(frame, Broken) else None


HIDDEN = "***"
_SECRET_KEY = re.compile(
    r"password|passwd|secret|certificate(chain)?$|^csr$|exirequest|ocsp|^idtag$|^idtoken$|^vpn$|^apn$|^data$",
    re.IGNORECASE,
)
_SECRET_SETTING = re.compile(
    r"authori[sz]ationkey|password|passwd|secret|psk|credential|token|apikey|\bpin\b", re.IGNORECASE
)
_SECRET_FRAME = re.compile(r"authori[sz]ationkey|password|passwd|secret|certificate|csr|psk|apikey", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def redacted(value: Any) -> Any:
    """Return a payload for the journal: without keys, passwords, certificates, card numbers and vendors' own data."""
    if isinstance(value, dict):
        setting = f"{text(value.get('key'))} {text(obj(value.get('variable')).get('name'))}"
        hidden = {"value", "attributeValue"} if _SECRET_SETTING.search(setting) else set()
        return {
            key: HIDDEN if key in hidden or _SECRET_KEY.search(key) else redacted(inner) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    return _USER_INFO.sub(HIDDEN, value) if isinstance(value, str) else value


def frame_for_log(frame: str) -> str:
    """Return a frame for the DEBUG log; of one that may hold a secret only its head."""
    return f"{frame.partition('{')[0][:100]}{HIDDEN}" if _SECRET_FRAME.search(frame) else frame
