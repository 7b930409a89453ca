"""The phases that a car draws on, learned from currents, and what W are to a charger that divides them by these.

A limit in W is over all phases, and most chargers divide it by three, whatever the car (OCPP 1.6 errata 3.34). Some
divide it by the phases in use: then a car on one phase is let draw three times the limit, until it is said over one.
"""

from chargerd.contract import MeterSampled, PerPhase, SetCurrentLimit
from chargerd_drivers.ocpp.ways import Unit

ACTIVE_FROM_A = 1.0
"""A phase with less carries none of a car's charging: meters show phantom currents."""
EXCESS = 1.15
SHOWS_AFTER_S = 20.0
"""A sample so soon after a limit shows what was before."""


class Phases:
    """What is known of the car that is there. ``count`` is None before two samples in a row agreed."""

    def __init__(self) -> None:
        self.count: int | None = None
        self._seen: int | None = None
        self._said: SetCurrentLimit | None = None
        self._said_at = 0.0

    def forget(self) -> None:
        """Another car may be there, or none."""
        self.count = self._seen = None

    def said(self, command: SetCurrentLimit, unit: Unit, now_s: float) -> None:
        """A limit was accepted, over ``phases`` of the command."""
        self._said = command if unit is Unit.WATT and command.limit_a > 0 else None
        self._said_at = now_s

    def reported(self) -> None:
        """It is known that the last limit is to be ordered anew; that is said once."""
        self._said = None

    def saw(self, sample: MeterSampled) -> None:
        """Count the phases of a sample whose currents name theirs; one without current tells nothing."""
        if sample.current_a is None:
            return
        seen = sum(current_a > ACTIVE_FROM_A for current_a in _each(sample.current_a))
        if seen and seen == self._seen:
            self.count = seen
        self._seen = seen or self._seen

    def exceeds(self, sample: MeterSampled, now_s: float) -> bool:
        """Whether a car on fewer phases draws more on each than the limit in W allows it."""
        said = self._said
        if said is None or self.count is None or sample.current_a is None or now_s - self._said_at <= SHOWS_AFTER_S:
            return False
        return self.count < said.phases and max(_each(sample.current_a)) > said.limit_a * EXCESS

    def differ(self) -> bool:
        """Whether the last limit in W was said over other phases than those in use."""
        return self._said is not None and self.count is not None and self.count != self._said.phases


def _each(current_a: PerPhase) -> tuple[float, float, float]:
    return current_a.l1, current_a.l2, current_a.l3
