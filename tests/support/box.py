"""The charger of a playbook: what it does with what it is told; fields are knobs."""

from dataclasses import dataclass, field

from chargerd.core.commands import LimitStep
from chargerd.core.events import Activity, Event, Failure, TransactionEnded, TransactionStarted


@dataclass
class Box:
    """The charger's side of the story; fields are knobs.

    ``powered`` False: nothing flows and nothing is told. ``connected`` False: what is of a kind in ``keeps`` waits in
    ``queue``, the rest is lost. ``refuses`` are kinds of commands answered with no; a ``deaf`` box answers none.
    While the car ``sleeps`` it takes nothing before the next transaction begins.
    A box that ``follows`` takes the steps of ``order`` by itself. One that ``ends_at_zero`` ends its transaction at a
    limit of 0; once ``ended_for_good`` by a stop it is ``barred``: it
    begins no other before the plug was out.
    """

    watts: float = 11_000.0
    register: float = 100_000.0
    plugged: bool = False
    transaction: str | None = None
    limit_a: float = 16.0
    obeys_start: bool = True
    obeys_stop: bool = True
    car_takes: bool = True
    failure: Failure | None = None
    numbers: int = 700
    soc: float | None = None
    powered: bool = True
    connected: bool = True
    keeps: tuple[type, ...] = (TransactionStarted, TransactionEnded)
    queue: list[Event] = field(default_factory=list)
    refuses: tuple[type, ...] = ()
    deaf: bool = False
    sleeps: bool = False
    follows: bool = False
    order: tuple[LimitStep, ...] = ()
    ends_at_zero: bool = False
    ended_for_good: bool = False
    barred: bool = False

    @property
    def flowing(self) -> float:
        """Power in W at this instant."""
        willing = self.car_takes and not self.sleeps
        on = self.powered and self.plugged and self.transaction is not None and self.limit_a >= 6 and willing
        return self.watts if on else 0.0

    @property
    def activity(self) -> Activity:
        """What an honest charger says of this."""
        if not self.plugged:
            return Activity.IDLE
        if self.transaction is None:
            return Activity.EV_CONNECTED
        if self.limit_a < 6:
            return Activity.SUSPENDED_EVSE
        return Activity.CHARGING if self.flowing else Activity.SUSPENDED_EV
