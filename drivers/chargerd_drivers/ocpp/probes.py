"""The journal of the set-up's CALLs: what made a charger fall over is left out the next time.

Written before a CALL that this model has never survived, so that it is known even if the power goes with the charger.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace

from chargerd.contract import Clock, Refused, Unreachable
from chargerd_drivers.ocpp.dialect import Request
from chargerd_drivers.ocpp.fields import Json
from chargerd_drivers.ocpp.lessons import Lessons

Send = Callable[[Request], Awaitable[Json]]
"""Sends one CALL and returns the payload of its CALLRESULT. Raises Refused or Unreachable."""

_STALLS_MAX = 2


class Probes:
    """The probes of one connection. ``stalls`` counts, over connections, those that got no answer."""

    def __init__(self, lessons: Lessons, clock: Clock, send: Send, stalls: Counter[str]) -> None:
        self._lessons = lessons
        self._clock = clock
        self._send = send
        self._stalls = stalls
        self._under_way: str | None = None
        self._survived: list[str] = []

    def leaves_out(self, probe: str) -> bool:
        """Whether a probe is too dangerous for this charger."""
        return self._lessons.knowledge.leaves_out(probe, self._clock.now())

    async def begin(self) -> None:
        """Look at how the last set-up ended: a probe that was never over is taken for the cause."""
        probing = self._lessons.knowledge.probing
        if probing is not None:
            await self._lessons.keep(self._lessons.knowledge.fallen(probing, self._clock.now()))

    async def send(self, probe: str, request: Request) -> Json:
        """Send one CALL. Raises Refused, also for one that is left out, and Unreachable."""
        if self.leaves_out(probe):
            msg = f"{probe}: left out, the charger was gone after it"
            raise Refused(msg)
        await self._note(probe)
        self._under_way = probe
        try:
            answer = await self._send(request)
        except Refused:
            self._passed(probe)
            raise
        except Unreachable as unreachable:
            if unreachable.timed_out:
                await self._stalled(probe)
            raise
        self._passed(probe)
        return answer

    async def end(self) -> None:
        """Write down what was survived."""
        known = self._lessons.knowledge
        for probe in self._survived:
            known = known.survived(probe)
        self._survived.clear()
        await self._lessons.keep(replace(known, probing=None))

    async def fell(self) -> str | None:
        """The charger is gone, or began anew. Return the probe that was under way, None for none."""
        probe, self._under_way = self._under_way, None
        if probe is not None:
            await self.end()
            await self._lessons.keep(self._lessons.knowledge.fallen(probe, self._clock.now()))
        return probe

    async def _note(self, probe: str) -> None:
        known = self._lessons.knowledge
        if probe in known.passed or probe in self._survived:
            return
        for survived in self._survived:
            known = known.survived(survived)
        self._survived.clear()
        await self._lessons.keep(replace(known, probing=probe))

    def _passed(self, probe: str) -> None:
        self._under_way = None
        self._stalls.pop(probe, None)
        if probe not in self._lessons.knowledge.passed and probe not in self._survived:
            self._survived.append(probe)

    async def _stalled(self, probe: str) -> None:
        """One lost answer is chance; two in a row, and the probe keeps all that comes after it from being asked."""
        self._under_way = None
        self._stalls[probe] += 1
        await self.end()
        if self._stalls[probe] >= _STALLS_MAX:
            await self._lessons.keep(self._lessons.knowledge.fallen(probe, self._clock.now()))
