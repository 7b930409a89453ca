"""A partition with one policy, by hand, for stories about the store."""

from datetime import datetime, timedelta
from decimal import Decimal

from chargerd.contract import Commit, LogEntry, PriceCurve, PriceSlot
from chargerd.core.commands import Note, StoreSettled
from chargerd.core.ids import ChargerId, PolicyId, SessionId, VehicleId
from chargerd.core.model import Interval, Ledger, Session, Slot, State
from chargerd.core.policy import ChargerSpec, Policy, Site, VehicleSpec
from chargerd.core.units import utc
from chargerd.plan.grid import QUARTER

GARAGE = ChargerId("garage")
POLICY = PolicyId("6f0a1c52-6d3e-4a6e-9a0f-0d8f6b1f2a01")
CAR = VehicleId("car")
EVENING = utc(2026, 1, 14, 17)


def partition(
    *, cells: tuple[Interval, ...] = (), session_id: str = "visit-1", charger: ChargerId = GARAGE, made: int = 0
) -> State:
    """A charger with one policy, whose current session has this ledger."""
    session = Session(
        session_id=SessionId(session_id),
        policy_id=POLICY,
        plugged_in_at=EVENING if cells else None,
        ledger=Ledger(cells=cells, total_wh=sum(cell.wh for cell in cells)),
    )
    return State(
        at=EVENING,
        site=Site(zone="Europe/Berlin"),
        charger=ChargerSpec(charger_id=charger),
        prices=PriceCurve((PriceSlot(EVENING, EVENING + QUARTER, Decimal("0.2785")),), fetched_at=EVENING),
        slots=(
            Slot(
                policy=Policy(policy_id=POLICY, charger_id=charger, vehicle_id=CAR),
                vehicle=VehicleSpec(vehicle_id=CAR, battery_wh=58000, charge_max_w=11000),
                session=session,
            ),
        ),
        sessions_made=made,
    )


def ledger(*energies_wh: int) -> tuple[Interval, ...]:
    """Quarter hours from the evening on."""
    return tuple(Interval(EVENING + i * QUARTER, EVENING + (i + 1) * QUARTER, wh) for i, wh in enumerate(energies_wh))


def settled(
    session_id: str,
    *,
    out: datetime = EVENING + timedelta(hours=14),
    policy: PolicyId | None = POLICY,
    charger: ChargerId = GARAGE,
    vehicle: VehicleId | None = CAR,
    kwh: float = 7.4,
) -> StoreSettled:
    """A session that is over."""
    return StoreSettled(
        session_id=SessionId(session_id),
        policy_id=policy,
        charger_id=charger,
        vehicle_id=vehicle,
        plugged_in_at=EVENING,
        plugged_out_at=out,
        document={"id": session_id, "note": "Straße", "statistics": {"aggregated": {"kwhSum": kwh}}},
        ledger=(
            {"startAt": "2026-01-14T17:00:00Z", "endAt": "2026-01-14T17:15:00Z", "wh": 7400, "quality": "measured"},
        ),
    )


def commit(
    state: State | None = None, *, settled: tuple[StoreSettled, ...] = (), log: tuple[LogEntry, ...] = ()
) -> Commit:
    """What the loop would write."""
    state = state or partition()
    return Commit(charger_id=state.charger.charger_id, state=state, settled=settled, log=log)


def entry(message: str, *, session_id: str | None = "visit-1", seconds: int = 0) -> LogEntry:
    """A note of a session."""
    note = Note(
        name="session.state",
        message=message,
        charger_id=GARAGE,
        session_id=SessionId(session_id) if session_id else None,
    )
    return LogEntry(at=EVENING + timedelta(seconds=seconds), note=note)
