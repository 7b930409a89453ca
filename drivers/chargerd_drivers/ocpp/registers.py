"""Registers that a charger does not tell, made of what it tells instead: one meter is remembered between samples.

- Energy per interval and no register (OCPP 1.6 section 7.31, Energy.Active.Import.Interval): the intervals are added
  up, each once by its time, of one context only, for clock-aligned and periodic ones tell of the same energy.
- A register of all phases that stands still while those of the phases move (BMW/Delta): the phases go on from it.
"""

from datetime import datetime
from typing import Any

from chargerd_drivers.ocpp.fields import Json, listing, moment, obj
from chargerd_drivers.ocpp.metering import CURRENT, ENERGY, INTERVAL, Value, value_of

FROZEN_FROM_WH = 100.0
"""A total that missed so much of what its phases counted is frozen, or so coarse that the phases tell better."""


class Registers:
    """The meter of one charger. ``names_phases`` tells that it tells currents of other phases than the first."""

    def __init__(self) -> None:
        self.names_phases = False
        self._has_register = False
        self._interval_context: object = None
        self._interval_at: datetime | None = None
        self._interval_wh = 0.0
        self._base: tuple[float, float] | None = None
        self._is_frozen = False

    def mended(self, elements: object, now: datetime) -> list[Json]:
        """Return the elements of a meterValue, oldest first, with their sampled values mended."""
        dated = [(moment(element.get("timestamp"), now), element) for element in map(obj, listing(elements))]
        dated.sort(key=lambda pair: pair[0] or now)
        return [element | {"sampledValue": self._values(element, at)} for at, element in dated]

    def begun(self, register_wh: float) -> None:
        """A transaction begins with the register so high in Wh: intervals go on from it."""
        self._interval_wh = max(self._interval_wh, register_wh)

    def _values(self, element: Json, at: datetime | None) -> list[Any]:
        raw = listing(element.get("sampledValue"))
        read = [(one, value_of(one)) for one in raw]
        values = [value for _, value in read if value is not None and value.at_outlet]
        self.names_phases |= any(value.measurand == CURRENT and value.phase > 1 for value in values)
        totals = [value for value in values if value.measurand == ENERGY and value.phase == 0]
        parts = {value.phase: value.value for value in values if value.measurand == ENERGY and value.phase > 0}
        self._has_register = self._has_register or bool(totals or parts)
        if not self._has_register:
            return [*raw, *self._added_up([value for value in values if value.measurand == INTERVAL], at)]
        if not totals or len(parts) < 2:
            return raw
        told_wh = self._gone_on(totals[0].value, sum(parts.values()))
        if told_wh is None:
            return raw
        rest = [one for one, value in read if value is None or value.measurand != ENERGY]
        return [*rest, _register(told_wh, totals[0])]

    def _added_up(self, intervals: list[Value], at: datetime | None) -> list[Json]:
        if not intervals or (at is not None and self._interval_at is not None and at <= self._interval_at):
            return []
        context = self._interval_context or intervals[0].context
        counted = [value for value in intervals if value.context == context]
        if not counted:
            return []
        self._interval_context, self._interval_at = context, at or self._interval_at
        total = [value.value for value in counted if value.phase == 0]
        self._interval_wh += max(total[0] if total else sum(value.value for value in counted), 0.0)
        return [_register(self._interval_wh, counted[0])]

    def _gone_on(self, total_wh: float, parts_wh: float) -> float | None:
        """Return what the total would be if it moved as its phases do; None while it does."""
        if self._base is None or (not self._is_frozen and total_wh != self._base[0]):
            self._base = (total_wh, parts_wh)
            return None
        moved_wh = parts_wh - self._base[1]
        self._is_frozen = self._is_frozen or moved_wh >= FROZEN_FROM_WH
        return self._base[0] + moved_wh if self._is_frozen else None


def _register(wh: float, like: Value) -> Json:
    return {"value": str(round(wh, 1)), "measurand": ENERGY, "unit": "Wh", "context": like.context_said}
