"""A home with one charger and two cars, each with a policy of its own; both may be away."""

from dataclasses import dataclass, replace
from datetime import time
from typing import Any

from chargerd.core import document
from chargerd.core.commands import Command
from chargerd.core.events import AuthorizeRequested, Configured, VehicleReported
from chargerd.core.ids import PolicyId, ReplyTo, VehicleId
from chargerd.core.policy import DayTarget, Policy, VehicleSpec
from tests.support.home import GARAGE, POLICY, Home, utc

OTHER_POLICY = PolicyId("0b0e5f4e-3c1b-4c52-9a0e-6f3e6b1d2c11")
CAR, VAN = VehicleId("car"), VehicleId("van")


@dataclass
class TwoCars(Home):
    """``tokens`` are the cards of the two cars."""

    tokens: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    def configuration(self, *, restarted: bool = False) -> Configured:
        day = DayTarget(ready_by=time(6, 0), minimum_charge_target=80)
        other = Policy(
            policy_id=OTHER_POLICY,
            charger_id=GARAGE,
            vehicle_id=VAN,
            schedule=(day,) * 7,
            assumed_battery_level_at_plug_in=60,
        )
        car = replace(self.vehicle(), id_tokens=self.tokens[0])
        van = VehicleSpec(vehicle_id=VAN, battery_wh=80_000, charge_max_w=11_000, id_tokens=self.tokens[1])
        alone = super().configuration(restarted=restarted)
        return replace(alone, policies=(*alone.policies, other), vehicles=(car, van), followed=(CAR, VAN))

    @property
    def other(self) -> dict[str, Any]:
        """The van's current session document."""
        found = document.current(self.state, OTHER_POLICY)
        assert found is not None
        return found

    def shows(self, token: str) -> list[Command]:
        """Somebody holds a card to the charger."""
        return self.tell(AuthorizeRequested(charger_id=GARAGE, id_token=token, reply_to=ReplyTo("card")))

    def hears(self, vehicle: VehicleId, at: str | None = None, **told: Any) -> list[Command]:
        """A car's telemetry arrives; ``at`` is the car's own time."""
        measured_at = None if at is None else utc(at)
        return self.tell(VehicleReported(vehicle_id=vehicle, measured_at=measured_at, **told))


def policies_of(home: TwoCars) -> dict[PolicyId, str]:
    """Each policy with the state of its current session."""
    return {POLICY: home.doc["state"], OTHER_POLICY: home.other["state"]}
