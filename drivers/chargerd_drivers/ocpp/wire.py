"""The one place that touches the ``ocpp`` package: its message classes, its JSON schemas, its list of actions.

Only the package's data is used. Its ChargePoint (ocpp 2.1.0) is not: one malformed frame ends its receive loop, a
caller learns of a disconnect only by its timeout, and NaN passes as a meter value.
"""

import json
from decimal import Decimal
from typing import Any, Literal, Protocol

from jsonschema.exceptions import ValidationError
from ocpp.charge_point import remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.messages import MessageType, get_validator
from ocpp.v16.enums import Action as Action16
from ocpp.v201.enums import Action as Action201

from chargerd.contract import ProtocolViolation
from chargerd_drivers.ocpp.fields import Json

Version = Literal["1.6", "2.0.1"]
Direction = Literal["request", "answer"]

_ACTIONS: dict[Version, dict[str, str]] = {
    "1.6": {str(action.value).casefold(): str(action.value) for action in Action16},
    "2.0.1": {str(action.value).casefold(): str(action.value) for action in Action201},
}
_MESSAGE_TYPES = {"request": MessageType.Call, "answer": MessageType.CallResult}


class Validator(Protocol):
    """What the package's schemas are wrapped in."""

    def validate(self, payload: Json) -> None:
        """Raise jsonschema's ValidationError for a payload that breaks the schema."""
        ...


def known_action(action: str, version: Version) -> str | None:
    """Return an action in the standard's spelling, whatever its case; None when this version has no such action."""
    return _ACTIONS[version].get(action.casefold())


def to_payload(message: Any) -> Json:
    """Turn a message object of the ``ocpp`` package into the JSON object that goes on the wire."""
    plain = snake_to_camel_case(remove_nones(serialize_as_dict(message)))
    payload: Json = json.loads(json.dumps(plain))
    return payload


def to_request(message: Any) -> tuple[str, Json]:
    """Turn a request object of the ``ocpp`` package into its action and payload."""
    return type(message).__name__, to_payload(message)


def fault_in(payload: Json, action: str, direction: Direction, version: Version) -> str | None:
    """Say what breaks the version's schema; None when nothing does or there is no schema.

    Numbers are compared as decimals, for limits must be multiples of 0.1 and 6.3 is none in binary.
    """
    try:
        validator: Validator = get_validator(_MESSAGE_TYPES[direction], action, version, parse_float=Decimal)
    except OSError:
        return None
    try:
        validator.validate(json.loads(json.dumps(payload), parse_float=Decimal))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.absolute_path)
        return f"{where or 'payload'}: {error.message}"[:200]
    return None


def check_sent(payload: Json, action: str, direction: Direction, version: Version) -> None:
    """Refuse to send what breaks the schema. Raises ProtocolViolation by LOCAL."""
    fault = fault_in(payload, action, direction, version)
    if fault is not None:
        msg = f"{action} {direction} to be sent breaks OCPP {version}: {fault}"
        raise ProtocolViolation(msg, by="LOCAL")
