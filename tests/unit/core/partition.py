"""Pieces of a partition's state: cars, policies, and what was told of them."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from chargerd.core import ledger
from chargerd.core.ids import PolicyId, SessionId, VehicleId
from chargerd.core.model import Car, ChargerFacts, Level, LevelSource, Session, Slot, State, VehicleFacts
from chargerd.core.policy import ChargerSpec, Policy, Site, VehicleSpec
from tests.support.home import GARAGE, utc

NOW = utc("10T22:00")


def spec(name: str = "car", **changes: Any) -> VehicleSpec:
    """A car of 60 kWh, of which nine tenths of what it draws reach the battery."""
    return replace(VehicleSpec(vehicle_id=VehicleId(name), battery_wh=60_000, charge_max_w=11_000), **changes)


def slot(
    name: str = "car",
    *,
    plugged_at: datetime | None = None,
    facts: VehicleFacts | None = None,
    vehicle: VehicleSpec | None = None,
    assumed: int | None = None,
    **session: Any,
) -> Slot:
    """A policy named after its car, with a visit that began at ``plugged_at``, or none."""
    policy_id = PolicyId(f"policy-{name}")
    begun = {} if plugged_at is None else {"ledger": ledger.opened(plugged_at)}
    visit = Session(
        session_id=SessionId(f"session-{name}"), policy_id=policy_id, plugged_in_at=plugged_at, **begun | session
    )
    policy = Policy(
        policy_id=policy_id,
        charger_id=GARAGE,
        vehicle_id=VehicleId(name),
        assumed_battery_level_at_plug_in=assumed,
    )
    return Slot(policy=policy, vehicle=vehicle or spec(name), facts=facts or VehicleFacts(), session=visit)


def state(*slots: Slot, facts: ChargerFacts | None = None, cars: tuple[Car, ...] = (), **changes: Any) -> State:
    """A partition with a charger of three times 16 A: 11 040 W."""
    made = State(at=NOW, site=Site(), charger=ChargerSpec(charger_id=GARAGE), slots=slots, cars=cars)
    return replace(made, facts=facts or ChargerFacts(), **changes)


def known(pct: float, *, wh: int = 0, source: LevelSource = LevelSource.VEHICLE, at: datetime = NOW) -> Level:
    """A level that was told when the visit had delivered so much."""
    return Level(pct=pct, session_wh=wh, at=at, source=source)
