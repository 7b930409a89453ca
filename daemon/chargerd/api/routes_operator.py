"""Requests that a person sends to a charger in its own protocol.

Whoever holds the daemon's token is the operator; without a token only this machine reaches the API, and whoever is on
it is.
"""

import asyncio
import json
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response

from chargerd.api.context import Context, ContextOf, answer_text
from chargerd.api.openapi import problems
from chargerd.api.problems import Problem, not_found, unprocessable
from chargerd.api.resources import OcppOverview, OperatorResult
from chargerd.api.routes_site import ChargerPath, charger_of
from chargerd.contract import ChargerId, Faulted, NotSent, OperatorAnswer, OperatorRequest, Responded, Withheld
from chargerd.errors import Unreachable

ANSWER_TIMEOUT_S = 1250.0
"""A driver gives up by itself, at the latest after twice its longest time limit; real seconds."""

router = APIRouter(prefix="/v1", tags=["operator"])

ActionPath = Annotated[
    str, Path(description="Name of the request in the charger's protocol, for example GetConfiguration or Reset.")
]
Payload = Annotated[
    dict[str, Any] | None,
    Body(description="The request's payload, as the charger's version of OCPP defines it; {} when left out."),
]
Force = Annotated[bool, Query(description="Send it though it may disturb the car that is plugged in.")]


@router.get("/chargers/{chargerId}/ocpp", response_model=OcppOverview, responses=problems(404))
async def get_ocpp_overview(context: ContextOf, charger_id: ChargerPath) -> Response:
    """Which requests a charger may be sent by hand, and what it said unasked that is not about charging."""
    charger_of(context, charger_id)
    overview = context.desk.overview(ChargerId(charger_id))
    if overview is None:
        raise not_found("OCPP connection of charger", charger_id)
    return _ascii(overview)


def _ascii(document: dict[str, Any]) -> Response:
    """A charger's text may hold halves of characters, which UTF-8 cannot spell."""
    return answer_text(json.dumps(document, allow_nan=False, separators=(",", ":")))


def _addressed(context: ContextOf, request: Request, charger_id: ChargerPath, action: ActionPath) -> OperatorRequest:
    charger_of(context, charger_id)
    return OperatorRequest(charger_id=ChargerId(charger_id), action=action, payload={}, asked_by=who(request))


@router.post(
    "/chargers/{chargerId}/ocpp/{action}",
    response_model=OperatorResult,
    responses=problems(400, 404, 409, 413, 422, 503, 504),
)
async def send_ocpp_request(
    context: ContextOf,
    addressed: Annotated[OperatorRequest, Depends(_addressed)],
    payload: Payload = None,
    *,
    force: Force = False,
) -> Response:
    """Send one request to a charger, in its turn among the daemon's own, and wait for the answer.

    404 names the requests that there are, 409 says what it would disturb, 422 what breaks the schema; 504 means that
    no answer came, so that it may have been done. Every request is told in the journal, without its secrets.
    """
    asked = replace(addressed, payload=payload or {}, is_forced=force)
    return _ascii(_told(await _asked(context, asked), asked.charger_id))


def who(request: Request) -> str:
    """Return who asks, for the journal."""
    host = "somebody" if request.client is None else request.client.host
    return f"{host}, with the token" if "authorization" in request.headers else f"{host}, without a token"


async def _asked(context: Context, asked: OperatorRequest) -> OperatorAnswer | None:
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S) as limit:
            with context.closing.hastening(limit):
                return await context.desk.operate(asked)
    except Unreachable as fault:
        raise Problem(HTTPStatus.GATEWAY_TIMEOUT, str(fault)) from fault
    except TimeoutError as fault:
        detail = "the daemon stops; whether the charger did it is not known"
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"}) from fault


def _told(result: OperatorAnswer | None, charger_id: str) -> dict[str, Any]:
    match result:
        case Responded(payload):
            return {"response": payload}
        case Faulted(code, description):
            return {"error": {"code": code, "description": description}}
        case NotSent(Withheld.UNKNOWN, detail):
            raise Problem(HTTPStatus.NOT_FOUND, detail)
        case NotSent(Withheld.INVALID, detail, path):
            raise unprocessable((f"body.{path}" if path else "body", detail))
        case NotSent(_, detail):
            raise Problem(HTTPStatus.CONFLICT, f"{detail}. To send it all the same: ?force=true, or --force")
        case _:
            raise not_found("OCPP connection of charger", charger_id)
