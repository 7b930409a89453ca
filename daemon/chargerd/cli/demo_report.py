"""What a finished night was worth: energy, readiness, cost, and what charging at plug-in would have cost."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chargerd.cli.demo_home import ZONE, DemoCar
from chargerd.plan.cost import Flow, energy_cost, steady_flow
from chargerd.plan.prices import PriceCurve

Json = dict[str, Any]

REGISTER_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One settled session, the prices of its time, and what was seen from outside.

    ``register_wh`` is what the simulator's own register says, ``ready_at`` when the document first showed the wanted
    level, None when it never did.
    """

    car: DemoCar
    document: Json
    ledger: list[Json]
    prices: PriceCurve
    register_wh: int
    ready_at: datetime | None

    @property
    def flows(self) -> list[Flow]:
        """The ledger's quarter hours."""
        return [
            Flow(datetime.fromisoformat(row["startAt"]), datetime.fromisoformat(row["endAt"]), row["wh"])
            for row in self.ledger
        ]

    @property
    def ready_by(self) -> datetime:
        """When the car was wanted."""
        plugged = datetime.fromisoformat(self.document["pluggedInAt"]).astimezone(ZONE)
        morning = plugged.date() + timedelta(days=1)
        return datetime.combine(morning, self.car.ready_by, ZONE).astimezone(UTC)

    @property
    def cost(self) -> Decimal | None:
        """What it cost."""
        return energy_cost(self.flows, self.prices)

    @property
    def cost_at_plug_in(self) -> Decimal | None:
        """What the same energy would have cost from plug-in on, at the power it charged with."""
        powers = [flow.wh / ((flow.end - flow.start).total_seconds() / 3600) for flow in self.flows]
        total_wh = sum(flow.wh for flow in self.flows)
        if not total_wh:
            return Decimal(0)
        start = datetime.fromisoformat(self.document["pluggedInAt"])
        return energy_cost([steady_flow(start, total_wh, max(powers))], self.prices)

    @property
    def faults(self) -> list[str]:
        """What is not as it should be, in words."""
        total_wh = self.document["statistics"]["aggregated"]["kwhSum"] * 1000
        found = []
        if abs(total_wh - self.register_wh) > max(self.register_wh * REGISTER_TOLERANCE, 1):
            found.append(f"the document says {total_wh:.0f} Wh, the charger's register {self.register_wh} Wh")
        if self.ready_at is None or self.ready_at > self.ready_by:
            found.append(f"{self.car.goal} % was not reached by {self.ready_by.astimezone(ZONE):%H:%M}")
        return found


def report(night: Night) -> str:
    """A few lines for people."""
    totals = night.document["statistics"]["aggregated"]
    ready_at = night.ready_at
    ready = "not ready in time" if ready_at is None else f"ready at {ready_at.astimezone(ZONE):%H:%M}"
    levels = f"{totals['batteryFrom']} % -> {totals['batteryTo']} %"
    lines = [
        f"{night.car.charger}, {night.car.vehicle}: SETTLED",
        f"  {levels}, {totals['kwhSum']:.1f} kWh, {ready}, wanted by {night.ready_by.astimezone(ZONE):%H:%M}",
        f"  {_costs(night)}",
        f"  the charger's own register: {night.register_wh / 1000:.3f} kWh",
        *(f"  FAULT: {fault}" for fault in night.faults),
    ]
    return "\n".join(lines)


def _costs(night: Night) -> str:
    cost, at_plug_in = night.cost, night.cost_at_plug_in
    if cost is None or at_plug_in is None:
        return "the cost is not known: prices are missing"
    less = f" ({(at_plug_in - cost) / at_plug_in * 100:.0f} % less)" if at_plug_in > 0 else ""
    currency = night.prices.currency
    return f"cost {cost:.2f} {currency}; charging at plug-in would have cost {at_plug_in:.2f} {currency}{less}"
