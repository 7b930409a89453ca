"""Visits elsewhere: a vehicle whose own telemetry shows it charging where none of our chargers is.

NONE       not charging elsewhere; left by telemetry that says charging, away from home or where no charger of ours
           can hold the car.
OBSERVED   charging elsewhere, kept to ourselves; left by telemetry that says unplugged, not charging or at home, by a
           day of silence, and by a plug-in at one of our chargers.
Then the unmanaged session goes out as StoreSettled; a visit that was in truth the one at home is dropped.
Energy is integrated from the power told; where none is told, it follows from the level that rose.
"""

from datetime import datetime, timedelta

from chargerd.core import ledger, level, register
from chargerd.core.commands import Command
from chargerd.core.events import VehicleReported
from chargerd.core.frozen import replace
from chargerd.core.ids import VehicleId
from chargerd.core.meter import Meter
from chargerd.core.model import Car, Ledger, LevelSource, Quality, Session, Slot, State
from chargerd.core.session import new_id, stored, visiting_slot
from chargerd.core.telemetry import told, told_at, with_level
from chargerd.core.units import whole_second

SILENT_FOR = timedelta(hours=24)
"""A visit that nothing was told of for so long has ended when it was last told of."""
SAME_PLUG = timedelta(minutes=15)
"""A visit that began so shortly before, or after, a plug-in at home is that plug-in, told by the car."""
TOLD_WITHIN = timedelta(hours=1)
"""Telemetry comes every few minutes, or every half hour from cars that save their battery."""
POWER_MAX_W = 400_000.0
"""Power that the fastest public charger gives."""

Commands = tuple[Command, ...]


def may_hold(state: State, vehicle_id: VehicleId) -> bool:
    """Tell whether this charger holds a vehicle, or may: a guest is nobody's car as far as we know."""
    slot = visiting_slot(state)
    if slot is not None:
        return slot.vehicle.vehicle_id == vehicle_id
    return state.facts.plugged is True or state.guest is not None


def reported(state: State, event: VehicleReported, now: datetime) -> tuple[State, Commands]:
    """Take telemetry of a vehicle that this partition follows."""
    car = next((car for car in state.cars if car.vehicle.vehicle_id == event.vehicle_id), None)
    if car is None:
        return state, ()
    at = told_at(event, now)
    if car.facts.told_at is not None and at < car.facts.told_at:
        return state, ()
    facts, pct = told(car.facts, event, now), event.level_pct
    if pct is not None and 0 <= pct <= 100:
        facts, believed = with_level(facts, pct, at)
        pct = pct if believed else None
    else:
        pct = None
    car = replace(car, facts=facts)
    is_home = car.facts.at_home is True or (
        car.facts.at_home is None and (event.visits is not None or may_hold(state, event.vehicle_id))
    )
    charging = car.facts.charging is True
    if car.visit is None:
        opens = charging and not is_home
        return _opened(_with_car(state, car), car, at, event.power_w) if opens else _with_car(state, car), ()
    car = replace(car, visit=_observed(car, car.visit, pct, at))
    if is_home or car.facts.plugged is False or (car.facts.plugged is None and not charging):
        return settled(state, car, at)
    return _with_car(state, car), ()


def followed(state: State, now: datetime) -> tuple[State, Commands]:
    """End visits that silence, or a plug-in at home, has ended."""
    commands: list[Command] = []
    for car in state.cars:
        if car.visit is None or car.facts.told_at is None:
            continue
        slot = visiting_slot(state)
        here = slot if slot is not None and slot.vehicle.vehicle_id == car.vehicle.vehicle_id else None
        if here is not None and _is_same_plug(here, car.visit):
            state = _with_car(state, replace(car, visit=None))
        elif here is not None or now >= car.facts.told_at + SILENT_FOR:
            state, stores = settled(state, car, car.facts.told_at)
            commands.extend(stores)
    return state, tuple(commands)


def silent_at(state: State) -> tuple[datetime, ...]:
    """When visits end by silence."""
    return tuple(
        car.facts.told_at + SILENT_FOR for car in state.cars if car.visit is not None and car.facts.told_at is not None
    )


def _is_same_plug(slot: Slot, visit: Session) -> bool:
    plugged_in_at, began_at = slot.session.plugged_in_at, visit.plugged_in_at
    assert plugged_in_at is not None
    assert began_at is not None
    return began_at >= plugged_in_at - SAME_PLUG


def _opened(state: State, car: Car, at: datetime, power_w: float | None) -> State:
    """Power that was told in another visit says nothing of this one."""
    facts = replace(car.facts, power_w=power_w)
    began_at = whole_second((facts.plugged_at if facts.plugged else None) or at)
    state, session_id = new_id(state, None, at)
    account = _powered(ledger.opened(began_at), power_w, at)
    visit = Session(session_id=session_id, policy_id=None, plugged_in_at=began_at, ledger=account)
    if facts.level_pct is not None:
        visit = level.anchored(visit, car.vehicle, facts.level_pct, at, LevelSource.VEHICLE)
    return _with_car(state, replace(car, facts=facts, visit=visit))


def _powered(account: Ledger, power_w: float | None, at: datetime) -> Ledger:
    """Integrate the power told; the first one only begins."""
    if power_w is None:
        return account
    sample = Meter(at=at, power_w=power_w, power_max_w=POWER_MAX_W, integrated_within=TOLD_WITHIN)
    return register.sampled(account, sample).ledger


def _observed(car: Car, visit: Session, pct: float | None, at: datetime) -> Session:
    told_w = car.facts.power_w
    power_w = 0.0 if told_w is not None and car.facts.charging is False else told_w
    account = _powered(ledger.covered(visit.ledger, at), power_w, at)
    known = visit.level
    if pct is not None and known is not None and told_w is None:
        wh = level.needed_wh(known.pct, pct, car.vehicle)
        account = ledger.counted(account, ledger.Delta(known.at, at, wh, Quality.ESTIMATED))
    visit = replace(visit, ledger=account)
    if pct is not None:
        visit = level.anchored(visit, car.vehicle, pct, at, LevelSource.VEHICLE)
    return visit


def settled(state: State, car: Car, left_at: datetime) -> tuple[State, Commands]:
    """The visit is over; one that nothing was seen of is none."""
    visit = car.visit
    assert visit is not None
    assert visit.plugged_in_at is not None
    state, left_at = _with_car(state, replace(car, visit=None)), whole_second(left_at)
    if left_at <= visit.plugged_in_at:
        return state, ()
    final = replace(visit, ledger=ledger.settled(visit.ledger, left_at))
    return state, (stored(final, left_at, vehicle=car.vehicle),)


def _with_car(state: State, car: Car) -> State:
    same = car.vehicle.vehicle_id
    return replace(state, cars=tuple(car if c.vehicle.vehicle_id == same else c for c in state.cars))
