"""Chargers, vehicles and prices."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from chargerd.api.context import Context, ContextOf, answer
from chargerd.api.openapi import problems
from chargerd.api.problems import Problem, not_found
from chargerd.api.resources import (
    Charger,
    ChargeStateRequest,
    ChargingAction,
    ChargingRequest,
    Listing,
    Prices,
    Vehicle,
)
from chargerd.api.values import Instant
from chargerd.api.views import prices_document
from chargerd.contract import ChargerId, ChargingRequested, Document, VehicleId, VehicleReported

router = APIRouter(prefix="/v1", tags=["site"])

ChargerPath = Annotated[str, Path(alias="chargerId", description="Name of the charger in the configuration.")]
VehiclePath = Annotated[str, Path(alias="vehicleId", description="Name of the vehicle in the configuration.")]


@router.get("/chargers", response_model=Listing[Charger])
async def list_chargers(context: ContextOf) -> Response:
    """All chargers as they are now, in the order of the configuration."""
    return answer({"data": list(context.desk.chargers())})


@router.get("/chargers/{chargerId}", response_model=Charger, responses=problems(404))
async def get_charger(context: ContextOf, charger_id: ChargerPath) -> Response:
    """One charger as it is now."""
    return answer(_charger(context, charger_id))


@router.post(
    "/chargers/{chargerId}/charging",
    response_model=ChargingAction,
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(400, 404, 409, 413, 422, 503, 507),
)
async def request_charging(
    context: ContextOf, charger_id: ChargerPath, body: Annotated[ChargingRequest, Body()]
) -> Response:
    """Start or stop by hand; 422 while a policy holds the charger. The charger's ``action`` tells what became of it."""
    if _charger(context, charger_id)["policyIds"]:
        detail = "a policy holds this charger; change the target of its session instead"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    await context.post(
        ChargingRequested(charger_id=ChargerId(charger_id), start=body.action == "START", reply_to=context.reply_to())
    )
    action = answer(_charger(context, charger_id)["action"])
    action.status_code = HTTPStatus.ACCEPTED
    return action


@router.get("/vehicles", response_model=Listing[Vehicle])
async def list_vehicles(context: ContextOf) -> Response:
    """All vehicles, in the order of the configuration."""
    return answer({"data": list(context.desk.vehicles())})


@router.get("/vehicles/{vehicleId}", response_model=Vehicle, responses=problems(404))
async def get_vehicle(context: ContextOf, vehicle_id: VehiclePath) -> Response:
    """One vehicle as it is known now."""
    return answer(_vehicle(context, vehicle_id))


@router.put(
    "/vehicles/{vehicleId}/charge-state", response_model=Vehicle, responses=problems(400, 404, 409, 413, 422, 503, 507)
)
async def report_charge_state(
    context: ContextOf, vehicle_id: VehiclePath, body: Annotated[ChargeStateRequest, Body()]
) -> Response:
    """Tell the battery level that somebody read off the car. The answer is the vehicle as it is known then."""
    _vehicle(context, vehicle_id)
    await context.post(
        VehicleReported(
            vehicle_id=VehicleId(vehicle_id),
            level_pct=body.battery_level,
            measured_at=context.desk.now(),
            reply_to=context.reply_to(),
        )
    )
    return answer(_vehicle(context, vehicle_id))


@router.get("/prices", response_model=Prices, responses=problems(422))
async def get_prices(
    context: ContextOf,
    start: Annotated[Instant | None, Query(alias="from", description="Leave out what ends by this time.")] = None,
    end: Annotated[Instant | None, Query(alias="to", description="Leave out what starts at or after this.")] = None,
) -> Response:
    """The price curve as it is known now; slots that overlap the stretch are given whole."""
    return answer(prices_document(context.desk.prices(), start, end))


def _charger(context: Context, charger_id: str) -> Document:
    for charger in context.desk.chargers():
        if charger["id"] == charger_id:
            return charger
    raise not_found("charger", charger_id)


def _vehicle(context: Context, vehicle_id: str) -> Document:
    for vehicle in context.desk.vehicles():
        if vehicle["id"] == vehicle_id:
            return vehicle
    raise not_found("vehicle", vehicle_id)
