"""States of every shape, built from the annotations of the model, so that a new field is tested the day it appears."""

import types
import typing
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

from hypothesis import strategies as st

from chargerd.core.model import Interval, Quality, Session, State
from chargerd.core.units import utc

TIMES = st.timedeltas(timedelta(0), timedelta(days=36500)).map(lambda since: utc(2000, 1, 1) + since)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    datetime: TIMES,
    time: st.times().map(lambda value: value.replace(microsecond=0, fold=0)),
    date: st.dates(),
    str: TEXTS,
    bool: st.booleans(),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-100, max_value=100),
    type(None): st.none(),
}


def values(wanted: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation."""
    if hasattr(wanted, "__supertype__"):
        return values(wanted.__supertype__)
    if wanted in SCALARS:
        return SCALARS[wanted]
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return st.sampled_from(wanted)
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _dataclass(wanted)
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        return st.one_of([values(argument) for argument in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    raise AssertionError(f"no strategy for {wanted}")


@cache
def _dataclass(wanted: type) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(wanted)
    return st.deferred(lambda: st.builds(wanted, **{field.name: values(hints[field.name]) for field in fields(wanted)}))


CELLS = st.lists(
    st.builds(Interval, start=TIMES, end=TIMES, wh=st.integers(-(2**40), 2**40), quality=st.sampled_from(Quality)),
    max_size=6,
).map(tuple)


@st.composite
def states(draw: st.DrawFn) -> State:
    """A state whose sessions have ids of their own, as the model promises."""
    state: State = draw(values(State))
    number = iter(range(99))

    def renamed(session: Session) -> Session:
        ledger = replace(session.ledger, cells=draw(CELLS))
        return replace(session, session_id=f"session-{next(number)}", ledger=ledger)

    slots = tuple(replace(slot, session=renamed(slot.session)) for slot in state.slots)
    cars = tuple(replace(car, visit=renamed(car.visit) if car.visit else None) for car in state.cars)
    return replace(state, slots=slots, cars=cars, guest=renamed(state.guest) if state.guest else None)
