"""The physics of one outlet and the car on it: pilot, contactor, ramp, taper, battery and meter.

Pure: every function takes a value and gives a new one. The draw is piecewise constant (ramp stages, full power)
or exponential (taper), so ``advance`` is exact, and two short steps give what one long step gives.

Source of the 6 A minimum and of the meaning of the pilot: IEC 61851-1. The other figures are those of a common
car: see the constants.
"""

import math
from dataclasses import dataclass, replace

CURRENT_MIN_A = 6.0
"""The least current a pilot can offer (IEC 61851-1); below it nothing may flow."""

TAPER_FROM_PCT = 80.0
"""Up to this level the battery takes the car's full power."""

TAPER_END_SHARE = 0.2
"""Share of the car's full power that the battery takes at 100 %; linear in the level in between."""

RAMP_STAGES = ((3.0, 0.0), (6.0, 0.5))
"""(until, share): seconds after the contactor closed, and the share of the power drawn until then; then all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """What is built in: phases (1 or 3), phase-to-neutral voltage in V, greatest current per phase in A."""

    phases: int = 3
    voltage_v: float = 230.0
    current_max_a: float = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """A car: battery in Wh, AC power in W on its phases, own limit in percent, share of grid energy stored."""

    battery_wh: float = 60_000.0
    power_max_w: float = 11_000.0
    phases: int = 3
    limit_pct: float = 100.0
    efficiency: float = 0.92


@dataclass(frozen=True, slots=True, kw_only=True)
class Physics:
    """The state. ``closed_s`` is the time since the contactor closed, None while it is open.

    ``offered_a`` is the current per phase that the outlet would grant now, 0 when it grants none.
    ``willing`` is False for a car that takes no power whatever is offered.
    """

    outlet: Outlet
    car: Car
    stored_wh: float
    register_wh: float
    plugged: bool = False
    offered_a: float = 0.0
    willing: bool = True
    closed_s: float | None = None

    @property
    def level_pct(self) -> float:
        """The battery's level in percent, 0 to 100."""
        return 100 * self.stored_wh / self.car.battery_wh

    @property
    def pilot_a(self) -> float:
        """The current per phase that the pilot announces: 0 or at least 6 A, never over what is built in."""
        current_a = min(self.offered_a, self.outlet.current_max_a)
        return current_a if self.plugged and current_a >= CURRENT_MIN_A else 0.0

    @property
    def car_wants(self) -> bool:
        """Whether the car would charge if it were offered a current."""
        return self.plugged and self.willing and self.stored_wh < _full_wh(self)

    @property
    def power_w(self) -> float:
        """Active power drawn from the grid, over all phases."""
        if self.closed_s is None:
            return 0.0
        return _share(self.closed_s) * min(_supply_w(self), _acceptance_w(self, self.stored_wh))

    @property
    def phases(self) -> int:
        """Phases that both outlet and car have: L1, or L1 to L3."""
        return min(self.outlet.phases, self.car.phases)

    @property
    def current_a(self) -> float:
        """Current drawn on each phase in use."""
        return self.power_w / self.outlet.voltage_v / self.phases


def plug(physics: Physics, *, level_pct: float | None = None) -> Physics:
    """Connect the car; a level replaces the one it left with."""
    stored_wh = physics.stored_wh if level_pct is None else physics.car.battery_wh * level_pct / 100
    return _switch(replace(physics, plugged=True, stored_wh=stored_wh))


def unplug(physics: Physics) -> Physics:
    """Take the cable out."""
    return _switch(replace(physics, plugged=False))


def offer(physics: Physics, current_a: float) -> Physics:
    """Grant a current per phase; below 6 A that is none."""
    return _switch(replace(physics, offered_a=current_a))


def set_willing(physics: Physics, *, willing: bool) -> Physics:
    """Make the car take power, or refuse it."""
    return _switch(replace(physics, willing=willing))


def advance(physics: Physics, seconds: float) -> Physics:
    """Let time pass with nobody touching anything."""
    left_s = seconds
    while left_s > 0 and physics.closed_s is not None:
        segment_s, end_wh = _segment(physics, physics.closed_s)
        whole = left_s >= segment_s
        step_s = segment_s if whole else left_s
        stored_wh = end_wh if whole and end_wh is not None else _stored_after(physics, physics.closed_s, step_s)
        stored_wh = max(stored_wh, physics.stored_wh)
        drawn_wh = (stored_wh - physics.stored_wh) / physics.car.efficiency
        physics = _switch(
            replace(
                physics,
                stored_wh=stored_wh,
                register_wh=physics.register_wh + drawn_wh,
                closed_s=_stage_end(physics.closed_s, step_s),
            )
        )
        left_s -= step_s
    return physics


def seconds_to_change(physics: Physics) -> float | None:
    """Time until the next ramp stage or until the car is full; None when nothing will happen by itself."""
    if physics.closed_s is None:
        return None
    for until_s, _ in RAMP_STAGES:
        if physics.closed_s < until_s:
            return until_s - physics.closed_s
    total_s = 0.0
    ahead = physics
    while ahead.closed_s is not None:
        segment_s, end_wh = _segment(ahead, ahead.closed_s)
        total_s += segment_s
        ahead = _switch(replace(ahead, stored_wh=ahead.stored_wh if end_wh is None else end_wh))
    return total_s


def _switch(physics: Physics) -> Physics:
    """Close or open the contactor, as pilot and car agree."""
    closed = physics.pilot_a > 0 and physics.car_wants
    if closed == (physics.closed_s is not None):
        return physics
    return replace(physics, closed_s=0.0 if closed else None)


def _share(closed_s: float) -> float:
    return next((share for until_s, share in RAMP_STAGES if closed_s < until_s), 1.0)


def _stage_end(closed_s: float, step_s: float) -> float:
    """Time since closing after a step; lands on a stage's end exactly, so that no stage is entered twice."""
    after_s = closed_s + step_s
    return next((until_s for until_s, _ in RAMP_STAGES if abs(after_s - until_s) < 1e-9), after_s)


def _supply_w(physics: Physics) -> float:
    return physics.pilot_a * physics.phases * physics.outlet.voltage_v


def _full_wh(physics: Physics) -> float:
    return physics.car.battery_wh * min(physics.car.limit_pct, 100.0) / 100


def _acceptance_w(physics: Physics, stored_wh: float) -> float:
    """Power in W that the car takes from the grid at most with so much in its battery."""
    above = max(100 * stored_wh / physics.car.battery_wh - TAPER_FROM_PCT, 0.0)
    return physics.car.power_max_w * (1 - (1 - TAPER_END_SHARE) * above / (100 - TAPER_FROM_PCT))


def _knee_wh(physics: Physics) -> float:
    """Stored energy at which the car's acceptance falls below what is offered."""
    share = min(_supply_w(physics) / physics.car.power_max_w, 1.0)
    above = (1 - share) / (1 - TAPER_END_SHARE) * (100 - TAPER_FROM_PCT)
    return physics.car.battery_wh * min(TAPER_FROM_PCT + above, 100.0) / 100


def _decay(physics: Physics, share: float) -> tuple[float, float]:
    """Return the taper's rate per hour, and the stored energy at which its straight line would reach no power."""
    slope = (1 - TAPER_END_SHARE) / (100 - TAPER_FROM_PCT) * 100 / physics.car.battery_wh
    zero_wh = physics.car.battery_wh * (TAPER_FROM_PCT + (100 - TAPER_FROM_PCT) / (1 - TAPER_END_SHARE)) / 100
    return share * physics.car.efficiency * physics.car.power_max_w * slope, zero_wh


def _segment(physics: Physics, closed_s: float) -> tuple[float, float | None]:
    """Seconds for which one formula holds, and the stored energy at its end when a level ends it."""
    share = _share(closed_s)
    stage_s = next((until_s - closed_s for until_s, _ in RAMP_STAGES if closed_s < until_s), math.inf)
    if share == 0:
        return stage_s, None
    knee_wh, full_wh = _knee_wh(physics), _full_wh(physics)
    if physics.stored_wh < knee_wh:
        end_wh = min(knee_wh, full_wh)
        level_s = 3600 * (end_wh - physics.stored_wh) / (physics.car.efficiency * physics.power_w)
    else:
        end_wh = full_wh
        rate, zero_wh = _decay(physics, share)
        level_s = 3600 * math.log((zero_wh - physics.stored_wh) / (zero_wh - end_wh)) / rate
    return (level_s, end_wh) if level_s <= stage_s else (stage_s, None)


def _stored_after(physics: Physics, closed_s: float, seconds: float) -> float:
    """Stored energy after a time within one segment."""
    hours = seconds / 3600
    share = _share(closed_s)
    if physics.stored_wh < _knee_wh(physics):
        return physics.stored_wh + physics.car.efficiency * physics.power_w * hours
    rate, zero_wh = _decay(physics, share)
    return zero_wh - (zero_wh - physics.stored_wh) * math.exp(-rate * hours)
