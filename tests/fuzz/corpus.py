"""Valid frames of a charger in both versions, out of which broken ones are made."""

from typing import Any

NOW = "2026-01-14T23:00:00Z"
THEIRS = "@theirs"
"""Stands for the id of the daemon's latest request; put in when a frame is sent."""

Payload = dict[str, Any]

_SAMPLE_16 = {"value": "1234", "context": "Sample.Periodic", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
_METER_16: Payload = {"timestamp": NOW, "sampledValue": [_SAMPLE_16, {"value": "11.0", "measurand": "SoC"}]}
_REQUESTS_16: tuple[tuple[str, Payload], ...] = (
    ("BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "Box", "firmwareVersion": "1.0"}),
    ("Heartbeat", {}),
    ("Authorize", {"idTag": "04A2B3C4"}),
    ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Preparing", "timestamp": NOW}),
    ("StatusNotification", {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted", "info": "x"}),
    ("StatusNotification", {"connectorId": 0, "errorCode": "NoError", "status": "Available"}),
    ("StartTransaction", {"connectorId": 1, "idTag": "tag", "meterStart": 1000, "timestamp": NOW}),
    ("MeterValues", {"connectorId": 1, "transactionId": 17, "meterValue": [_METER_16, _METER_16]}),
    (
        "StopTransaction",
        {"transactionId": 17, "meterStop": 2000, "timestamp": NOW, "reason": "Local", "transactionData": [_METER_16]},
    ),
    ("DataTransfer", {"vendorId": "acme", "messageId": "m", "data": "d"}),
    ("FirmwareStatusNotification", {"status": "Installed"}),
    ("DiagnosticsStatusNotification", {"status": "Idle"}),
    ("SecurityEventNotification", {"type": "Tamper", "timestamp": NOW}),
)

_EVSE = {"id": 1, "connectorId": 1}
_SAMPLE_201 = {"value": 1.5, "unitOfMeasure": {"unit": "kWh", "multiplier": 0}, "context": "Sample.Periodic"}
_METER_201: Payload = {"timestamp": NOW, "sampledValue": [_SAMPLE_201]}
_EVENT_201: Payload = {
    "timestamp": NOW,
    "triggerReason": "ChargingStateChanged",
    "seqNo": 1,
    "transactionInfo": {"transactionId": "tx", "chargingState": "Charging"},
    "meterValue": [_METER_201],
}
_VARIABLE = {"component": {"name": "AlignedDataCtrlr"}, "variable": {"name": "Interval"}}
_REQUESTS_201: tuple[tuple[str, Payload], ...] = (
    ("BootNotification", {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Box"}}),
    ("Heartbeat", {}),
    ("Authorize", {"idToken": {"idToken": "04A2B3C4", "type": "ISO14443"}}),
    ("StatusNotification", {"timestamp": NOW, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}),
    ("StatusNotification", {"timestamp": NOW, "connectorStatus": "Faulted", "evseId": 1, "connectorId": 1}),
    ("TransactionEvent", {**_EVENT_201, "eventType": "Started", "evse": _EVSE}),
    ("TransactionEvent", {**_EVENT_201, "eventType": "Updated"}),
    ("TransactionEvent", {**_EVENT_201, "eventType": "Ended"}),
    ("MeterValues", {"evseId": 1, "meterValue": [_METER_201]}),
    ("DataTransfer", {"vendorId": "acme", "data": {"any": ["thing"]}}),
    ("SecurityEventNotification", {"type": "Tamper", "timestamp": NOW}),
    ("NotifyReport", {"requestId": 1, "generatedAt": NOW, "seqNo": 0, "reportData": [_VARIABLE]}),
    ("NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": {"requestedEnergyTransfer": "AC_three_phase"}}),
    ("FirmwareStatusNotification", {"status": "Installed", "requestId": 1}),
)

_ANSWERS: tuple[Payload, ...] = (
    {"status": "Accepted"},
    {"status": "Rejected", "statusInfo": {"reasonCode": "None"}},
    {"configurationKey": [{"key": "MeterValueSampleInterval", "readonly": False, "value": "60"}], "unknownKey": ["x"]},
    {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "900", **_VARIABLE}]},
    {"setVariableResult": [{"attributeStatus": "Rejected", **_VARIABLE}]},
)


def frames(version: str) -> tuple[list[Any], ...]:
    """Return what a charger of a version may send: requests, answers to the daemon's requests, and errors."""
    requests = _REQUESTS_16 if version == "1.6" else _REQUESTS_201
    calls = ([2, f"c{number}", action, payload] for number, (action, payload) in enumerate(requests))
    answers = ([3, THEIRS, payload] for payload in _ANSWERS)
    return (*calls, *answers, [4, THEIRS, "InternalError", "x", {}])
