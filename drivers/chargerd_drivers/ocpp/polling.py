"""Asks a charger that charges, and tells nothing of its meter by itself, from time to time. Times are of its clock."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from chargerd.contract import Refused, Unreachable
from chargerd_drivers.ocpp.fields import Json, word
from chargerd_drivers.ocpp.knowledge import Knowledge
from chargerd_drivers.ocpp.orders import Orders

POLL_MIN_S = 30.0
_REFUSALS_MAX = 2


class Polling:
    """The questions of one connection. ``ask`` triggers the meter's message; refused twice, it is asked no more."""

    def __init__(
        self, orders: Orders, *, ask: Callable[[], Awaitable[Json]], learn: Callable[[Knowledge], Awaitable[None]]
    ) -> None:
        self._station = orders.station
        self._orders = orders
        self._clock = orders.clock
        self._ask = ask
        self._learn = learn
        self._refusals = 0

    async def run(self, interval_s: float) -> None:
        """Ask while charging goes on without a sample for two intervals. Raises Unreachable."""
        while self._refusals < _REFUSALS_MAX and (wait_s := self._wait_s(interval_s)) is not None:
            if wait_s > 0:
                await self._clock.sleep(wait_s)
                continue
            self._orders.asked_meter()
            await self._poll()
            await self._clock.sleep(max(interval_s, POLL_MIN_S))

    def _wait_s(self, interval_s: float) -> float | None:
        """Return how long to wait still; None when charging is over. One that is known not to push is asked sooner."""
        course = self._orders.course
        if course.charging_at is None:
            return None
        never_pushes = self._station.lessons.knowledge.capabilities.pushes_samples is False
        last_at = max(course.charging_at, course.pushed_at or course.charging_at)
        return last_at + interval_s * (1 if never_pushes else 2) - self._clock.monotonic()

    async def _poll(self) -> None:
        """Whatever the answer, nothing is pushed; where it is no, and there never was a sample, nothing is metered."""
        try:
            is_accepted = word((await self._ask()).get("status")) == "accepted"
        except Refused:
            is_accepted = False
        except Unreachable as unreachable:
            if not unreachable.timed_out:
                raise
            return
        known = self._station.lessons.knowledge
        if is_accepted:
            self._refusals = 0
            await self._learn(replace(known, capabilities=replace(known.capabilities, pushes_samples=False)))
            return
        self._refusals += 1
        if self._refusals == _REFUSALS_MAX and not self._orders.course.has_sampled:
            honest = replace(known.capabilities, pushes_samples=False, reports_energy=False, reports_power=False)
            await self._learn(replace(known, capabilities=honest))
