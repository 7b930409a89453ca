"""A clock that was set: everything that the wrong clock dated is dated anew, so that no time was gained or lost.

Deadlines of the household (ready-by), prices and the configuration are true times and stay. The plan and the outcome
are made anew by the decision that follows.
"""

from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from chargerd.core import ledger
from chargerd.core.frozen import replace
from chargerd.core.model import Ledger, Outcome, State, Targets
from chargerd.core.policy import ChargerSpec, Policy, Site, VehicleSpec
from chargerd.plan.prices import PriceCurve
from chargerd.plan.schedule import Window

_TRUE_TIMES = (Outcome, Window, PriceCurve, Site, ChargerSpec, Policy, VehicleSpec)

T = TypeVar("T")


def moved(state: State, by: timedelta, now: datetime) -> State:
    """Move all that was dated by this clock; the charger's clock is to be learned anew."""
    state = _moved(state, by)
    return replace(state, at=now, facts=replace(state.facts, lag=None))


def _moved(value: T, by: timedelta) -> T:
    found: Any = value
    if isinstance(found, datetime):
        found = found + by
    elif isinstance(found, Ledger):
        found = ledger.moved(found, by) if found.cells else found
    elif isinstance(found, Targets):
        found = replace(found, issued_at=_moved(found.issued_at, by))
    elif isinstance(found, tuple):
        found = tuple(_moved(item, by) for item in found)
    elif is_dataclass(found) and not isinstance(found, (*_TRUE_TIMES, type)):
        found = replace(found, **{field.name: _moved(getattr(found, field.name), by) for field in fields(found)})
    return found  # type: ignore[no-any-return]
