"""What is done for a connection besides commands: set-up, questions for the meter, and learning from how it ended."""

import contextlib
from dataclasses import replace
from functools import partial

import structlog

from chargerd.contract import Refused, Unreachable
from chargerd_drivers.ocpp import learning, pulse
from chargerd_drivers.ocpp.config import OcppSection
from chargerd_drivers.ocpp.dialect import Dialect
from chargerd_drivers.ocpp.fields import Json
from chargerd_drivers.ocpp.knowledge import Model
from chargerd_drivers.ocpp.orders import CLEARING, Call, Learn, Orders
from chargerd_drivers.ocpp.polling import Polling
from chargerd_drivers.ocpp.probes import Probes
from chargerd_drivers.ocpp.setup import Setup, meter_trigger
from chargerd_drivers.ocpp.station import BOOTS_WITHIN_S

_log = structlog.get_logger("chargerd.ocpp")


class Upkeep:
    """The upkeep of one connection."""

    def __init__(self, orders: Orders, dialect: Dialect, section: OcppSection, *, call: Call, learn: Learn) -> None:
        self._orders = orders
        self._station = orders.station
        self._dialect = dialect
        self._section = section
        self._call = call
        self._learn = learn
        self._log = _log.bind(charger=self._station.charger_id)
        self._probes = Probes(self._station.lessons, orders.clock, call, self._station.stalls)
        self._interval_s: float = section.sample_interval_s
        self._polling = Polling(orders, ask=self._ask_meter, learn=learn)
        self._is_polling = False
        learned_s = self._station.lessons.knowledge.ping_interval_s
        self.ping_interval_s = section.ping_interval_s if learned_s is None else learned_s

    async def recall(self, model: Model | None) -> None:
        """Recall what is known of a charger, by what it says that it is. The core is told of it."""
        lessons = self._station.lessons
        if await lessons.open(model):
            self._station.told = None
        await self._probes.begin()
        await self._learn(lessons.knowledge.given_another_chance())

    async def set_up(self) -> None:
        """Bring the charger's settings about, and ask how things stand. One that keeps booting comes to rest first."""
        station, known = self._station, self._station.lessons.knowledge
        setup = Setup(
            self._probes,
            station,
            version=self._dialect.VERSION,
            sample_interval_s=self._section.sample_interval_s,
        )
        try:
            if station.keeps_booting:
                self._log.warning(
                    "ocpp.setup_skipped",
                    message=f"{station.charger_id} booted three times in 5 minutes; its settings wait until it rests",
                )
                await setup.ask_state()
                await self._probes.end()
                await self._orders.clock.sleep(BOOTS_WITHIN_S)
            if not known.minimal_setup:
                outcome = await setup.configure()
                self._interval_s = max(outcome.interval_s or 0.0, self._section.sample_interval_s)
                await self._learn(learning.from_settings(station.lessons.knowledge, outcome))
                await self._orders.adopt(partial(self._probes.send, CLEARING))
            await setup.ask_state()
            await self._probes.end()
        except Unreachable as unreachable:
            self._log.debug("ocpp.setup_cut_short", reason=str(unreachable))

    async def fell(self) -> bool:
        """The charger is gone, or began anew. Tell whether a probe was under way: that is left out from now on."""
        probe = await self._probes.fell()
        if probe is not None:
            self._log.info("ocpp.fell", message=f"{self._station.charger_id} was gone after: {probe}")
        return probe is not None

    async def ended(self, age_s: float, *, is_broken: bool) -> None:
        """Learn from a connection that is over: broken by a probe, or soon and again and again, by pings or without."""
        has_fallen = await self.fell()
        configured_s = self._section.ping_interval_s
        if not pulse.is_short(age_s, configured_s):
            self._station.drops = 0
        elif is_broken and not has_fallen:
            self._station.drops += 1
        if self._station.drops < pulse.DROPS_MAX:
            return
        self._station.drops = 0
        interval_s = pulse.tuned(self.ping_interval_s, configured_s)
        self._log.info(
            "ocpp.pings_tuned",
            message=f"{self._station.charger_id} broke {pulse.DROPS_MAX} connections in a row; pings are changed",
            interval_s=interval_s,
        )
        await self._learn(replace(self._station.lessons.knowledge, ping_interval_s=interval_s))

    def begins_polling(self) -> bool:
        """Whether it charges, and nobody looks yet whether it tells its meter: from now on ``poll`` does."""
        begins = self._orders.course.charging_at is not None and not self._is_polling
        self._is_polling |= begins
        return begins

    async def poll(self) -> None:
        """Ask for the meter while it charges and tells nothing."""
        try:
            with contextlib.suppress(Unreachable):
                await self._polling.run(self._interval_s)
        finally:
            self._is_polling = False

    async def _ask_meter(self) -> Json:
        """Trigger the meter's message. Raises Refused, also where this charger is known to take no such trigger."""
        trigger = meter_trigger(self._dialect.VERSION, self._station.options.connector)
        message = trigger[1]["requestedMessage"]
        if self._station.lessons.knowledge.skips_name(message):
            msg = f"{self._station.charger_id}: takes no trigger for {message}"
            raise Refused(msg)
        return await self._call(trigger)
