"""Chargers, vehicles and prices."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from chargerd.api.context import Context, ContextOf, answer
from chargerd.api.openapi import problems
from chargerd.api.problems import Problem, not_found, unprocessable
from chargerd.api.resources import (
    Charger,
    ChargeStateRequest,
    ChargingAction,
    ChargingRequest,
    Listing,
    PendingChargers,
    Prices,
    Vehicle,
)
from chargerd.api.values import Instant, rfc3339
from chargerd.api.views import prices_document
from chargerd.contract import ChargerId, ChargingRequested, Document, VehicleId, VehicleReported

AHEAD_MOST = timedelta(minutes=5)
"""How far the clock of whoever reports a car may be ahead of ours."""
BACK_MOST = timedelta(days=7)
"""How old a report may be."""

_REPORTED = ("batteryLevel", "isPluggedIn", "isCharging", "chargeRate", "chargeLimit", "isAtHome")

router = APIRouter(prefix="/v1", tags=["site"])

ChargerPath = Annotated[str, Path(alias="chargerId", description="Name of the charger in the configuration.")]
VehiclePath = Annotated[str, Path(alias="vehicleId", description="Name of the vehicle in the configuration.")]


@router.get("/chargers", response_model=Listing[Charger])
async def list_chargers(context: ContextOf) -> Response:
    """All chargers as they are now, in the order of the configuration."""
    return answer({"data": list(context.desk.chargers())})


@router.get("/pending-chargers", response_model=PendingChargers)
async def list_pending_chargers(context: ContextOf) -> Response:
    """Chargers that knocked since the daemon started, are not in the configuration, and are held off."""
    desk = context.desk
    return answer({"data": list(desk.pending()), "configurationFile": desk.configuration_file})


@router.get("/chargers/{chargerId}", response_model=Charger, responses=problems(404))
async def getcharger_of(context: ContextOf, charger_id: ChargerPath) -> Response:
    """One charger as it is now."""
    return answer(charger_of(context, charger_id))


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
    if charger_of(context, charger_id)["policyIds"]:
        detail = "a policy holds this charger; change the target of its session instead"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
    await context.post(
        ChargingRequested(charger_id=ChargerId(charger_id), start=body.action == "START", reply_to=context.reply_to())
    )
    action = answer(charger_of(context, charger_id)["action"])
    action.status_code = HTTPStatus.ACCEPTED
    return action


@router.delete("/chargers/{chargerId}/charging", response_model=Charger, responses=problems(404, 409, 422, 503, 507))
async def take_charging_back(context: ContextOf, charger_id: ChargerPath) -> Response:
    """Take a start or stop by hand back: the car is left free to charge. The answer is the charger as it is then."""
    if charger_of(context, charger_id)["policyIds"]:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "a policy holds this charger; nothing is asked of it by hand")
    await context.post(ChargingRequested(charger_id=ChargerId(charger_id), start=None, reply_to=context.reply_to()))
    return answer(charger_of(context, charger_id))


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
    """Tell what the car tells of itself, or what somebody read off it. The answer is the vehicle as known then."""
    _vehicle(context, vehicle_id)
    await context.post(
        VehicleReported(
            vehicle_id=VehicleId(vehicle_id),
            level_pct=body.battery_level,
            limit_pct=body.charge_limit,
            plugged=body.is_plugged_in,
            charging=body.is_charging,
            power_w=None if body.charge_rate is None else body.charge_rate * 1000,
            at_home=body.is_at_home,
            measured_at=_told_at(context, body),
            reply_to=context.reply_to(),
        )
    )
    return answer(_vehicle(context, vehicle_id))


def _told_at(context: Context, body: ChargeStateRequest) -> datetime:
    """When a report was true. Raises Problem for one that tells nothing, or of a time that cannot be meant."""
    if not body.model_fields_set - {"last_updated"}:
        raise unprocessable(("body", f"expected at least one of {', '.join(_REPORTED)}"))
    now = context.desk.now()
    at = body.last_updated or now
    if at > now + AHEAD_MOST:
        raise unprocessable(("body.lastUpdated", f"must not be in the future; it is {rfc3339(now)} now"))
    if at < now - BACK_MOST:
        raise unprocessable(("body.lastUpdated", f"must be within {BACK_MOST.days} days; it is {rfc3339(now)} now"))
    return at


@router.get("/prices", response_model=Prices, responses=problems(422))
async def get_prices(
    context: ContextOf,
    start: Annotated[Instant | None, Query(alias="from", description="Leave out what ends by this time.")] = None,
    end: Annotated[Instant | None, Query(alias="to", description="Leave out what starts at or after this.")] = None,
) -> Response:
    """The price curve as it is known now; slots that overlap the stretch are given whole."""
    return answer(prices_document(context.desk.prices(), context.desk.now(), start=start, end=end))


def charger_of(context: Context, charger_id: str) -> Document:
    """Return a charger as it is now. Raises Problem when there is none."""
    for charger in context.desk.chargers():
        if charger["id"] == charger_id:
            return charger
    raise not_found("charger", charger_id)


def _vehicle(context: Context, vehicle_id: str) -> Document:
    for vehicle in context.desk.vehicles():
        if vehicle["id"] == vehicle_id:
            return vehicle
    raise not_found("vehicle", vehicle_id)
