"""How a charger comes in, and raising that: a person asks, it goes on by itself, and tells what it does."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from chargerd.api.context import Context, ContextOf, answer
from chargerd.api.openapi import problems
from chargerd.api.problems import Problem, not_found
from chargerd.api.resources import ChargerSecurity, SecurityWish
from chargerd.api.routes_operator import who
from chargerd.api.routes_site import ChargerPath, charger_of
from chargerd.contract import ChargerId, Document, SecurityRequest

router = APIRouter(prefix="/v1", tags=["operator"])

Force = Annotated[bool, Query(description="Begin though the car that is plugged in may be disturbed.")]


@router.get("/chargers/{chargerId}/security", response_model=ChargerSecurity, responses=problems(404))
async def get_charger_security(context: ContextOf, charger_id: ChargerPath) -> Response:
    """How a charger comes in, and what became of the last request to raise its security."""
    return answer(_security(context, charger_id))


@router.post(
    "/chargers/{chargerId}/security",
    response_model=ChargerSecurity,
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(400, 404, 409, 413, 422),
)
async def secure_charger(
    context: ContextOf,
    request: Request,
    charger_id: ChargerPath,
    body: Annotated[SecurityWish, Body()],
    *,
    force: Force = False,
) -> Response:
    """Begin to give a charger a password, TLS, or a certificate of its own; GET tells how it goes on.

    409 says what stands in the way; then nothing was done. What opens to the charger now is good until it has come in
    with the new. Takes minutes, for the charger may start anew.
    """
    _security(context, charger_id)
    withheld = await context.desk.secure(
        SecurityRequest(
            charger_id=ChargerId(charger_id),
            asked_by=who(request),
            profile=body.profile,
            new_password=body.new_password,
            new_certificate=body.new_certificate,
            is_trusting=body.certificates_installed,
            interface=body.interface,
            is_forced=force,
        )
    )
    if withheld is not None:
        more = ". To begin all the same: ?force=true, or --force" if withheld.is_forcible else ""
        raise Problem(HTTPStatus.CONFLICT, f"{withheld.detail}{more}")
    begun = answer(_security(context, charger_id))
    begun.status_code = HTTPStatus.ACCEPTED
    return begun


def _security(context: Context, charger_id: str) -> Document:
    charger_of(context, charger_id)
    document = context.desk.security(ChargerId(charger_id))
    if document is None:
        raise not_found("security of charger", charger_id)
    return document
