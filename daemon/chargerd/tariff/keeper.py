"""Prices as the daemon goes by them: asked for when they are due, kept for the next start, filled where nobody told.

A source in the network is left alone while it owes nothing (``pace``); any other is looked at each time, for that costs
nothing. What was told is kept in the store, before anything comes on top of it, so that a start without network has
prices and changed fees count at once.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from chargerd.contract import Clock, PriceCache, PriceCurve
from chargerd.errors import ChargingError, FeedError, StoreError
from chargerd.journal import Once
from chargerd.plan.grid import QUARTER, quarter_floor
from chargerd.plan.prices import PriceRung
from chargerd.tariff import TARIFFS, TariffOptions, create_tariff, feed_label
from chargerd.tariff.fees import FallibleSection, charged
from chargerd.tariff.ladder import DAYS_BACK, Ladder
from chargerd.tariff.pace import Asked, complete_until, next_asking, old_since
from chargerd.tariff.slots import merged

log = structlog.get_logger("chargerd.tariff")

BACK, AHEAD = timedelta(days=2), timedelta(days=3)
"""The curve reaches so far into the past and the future."""
LOOK_S = 900.0
"""Seconds between two looks at the most: the curve moves on, and a file may have changed."""
_KEPT = timedelta(days=DAYS_BACK + 2)


class PriceKeeper:
    """Keeps the prices of one ``[tariff]`` section. ``luck`` gives numbers from 0 to 1, to spread askings."""

    def __init__(
        self,
        options: TariffOptions,
        zone: ZoneInfo,
        clock: Clock,
        cache: PriceCache,
        *,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self._options = options
        self._zone = zone
        self._cache = cache
        self._luck = luck
        self._source = create_tariff(options, zone, clock)
        feed = TARIFFS[options.kind].feed
        self._label = feed_label(options)
        self._market = None if feed is None else feed.market(options, zone)
        self._told = PriceCurve()
        self._asked: Asked | None = None
        self._is_open = False
        self._once = Once()
        self._rung: PriceRung | None = None

    async def known(self, now: datetime) -> PriceCurve:
        """Return the curve by what is known, without asking a source in the network."""
        await self._open(now)
        if self._market is None:
            await self._ask(now)
        return self._curve(now)

    async def look(self, now: datetime) -> PriceCurve:
        """Ask the source, where that is due, and return the curve."""
        await self._open(now)
        if self._market is None or next_asking(self._market, self._known_until, self._asked, now) <= now:
            await self._ask(now)
        return self._curve(now)

    def patience_s(self, now: datetime) -> float:
        """Seconds until it is worth looking again."""
        if self._market is None:
            return LOOK_S
        due = next_asking(self._market, self._known_until, self._asked, now)
        return min(max((due - now).total_seconds(), 1.0), LOOK_S)

    @property
    def _known_until(self) -> datetime | None:
        return self._told.slots[-1].end if self._told.slots else None

    async def _open(self, now: datetime) -> None:
        """Read what was kept, once."""
        if self._is_open or not self._label:
            return
        self._is_open = True
        try:
            kept = await self._cache.kept_prices(self._label)
        except StoreError as error:
            log.warning("tariff.not_kept", message=f"{error}; prices are asked for anew")
            return
        self._told = replace(kept, slots=tuple(slot for slot in kept.slots if slot.end > now - _KEPT))

    async def _ask(self, now: datetime) -> None:
        failures = 0 if self._asked is None else self._asked.failures
        try:
            fresh = await self._source.fetch(*self._wanted(now))
            self._check(fresh, now)
        except ChargingError as error:
            pause_s = error.retry_after_s if isinstance(error, FeedError) else 0.0
            self._asked = Asked(now, self._luck(), failures + 1, pause_s)
            if self._once.changed("tariff.failed", "", str(error)):
                log.warning("tariff.failed", message=f"{error}; charging goes on by the prices that are known")
            return
        self._asked = Asked(now, self._luck())
        if self._once.over("tariff.failed", ""):
            log.info("tariff.recovered", message=f"{self._label}: it tells prices again")
        if not self._label:
            self._told = fresh
        elif fresh.slots:
            await self._keep(fresh, now)

    def _wanted(self, now: datetime) -> tuple[datetime, datetime]:
        """What to ask for: all that a local source has, else today, with what is published of tomorrow.

        Where nothing of today is known, yesterday is asked for too, which may have to stand in one day.
        """
        if self._market is None:
            return now - BACK, now + AHEAD
        until = self._known_until
        since = now if until is not None and until > now else now - timedelta(days=1)
        local = since.astimezone(self._market.zone)
        start = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        return start, complete_until(self._market, now)

    def _check(self, fresh: PriceCurve, now: datetime) -> None:
        """A source that answers, and has never told a price of the present, is no better than one that does not."""
        until = max((curve.slots[-1].end for curve in (fresh, self._told) if curve.slots), default=None)
        if self._market is not None and (until is None or until <= now):
            raise FeedError(f"{self._label}: expected prices of today, got none")

    async def _keep(self, fresh: PriceCurve, now: datetime) -> None:
        known = self._told.slots if self._told.currency == fresh.currency else ()
        slots = merged([slot for slot in known if slot.end > now - _KEPT], fresh.slots)
        is_news = slots != self._told.slots
        self._told = replace(fresh, slots=slots)
        if not is_news:
            return
        try:
            await self._cache.keep_prices(self._label, self._told, start=fresh.slots[0].start, end=fresh.slots[-1].end)
        except StoreError as error:
            if self._once.changed("tariff.not_kept", "", str(error)):
                log.warning("tariff.not_kept", message=f"{error}; prices are in memory only")
        else:
            self._once.over("tariff.not_kept", "")

    def _curve(self, now: datetime) -> PriceCurve:
        if not isinstance(self._options, FallibleSection):
            return charged(self._told, self._options, self._zone)
        ladder = Ladder(self._told.slots, self._zone, self._options.fallback_price_per_kwh)
        at = quarter_floor(now)
        slots = ladder.filled(at - BACK, at + AHEAD, now)
        curve = replace(self._told, slots=slots, old_since=self._old_since(now))
        self._tell_rung(curve, now)
        return charged(curve, self._options, self._zone)

    def _old_since(self, now: datetime) -> datetime | None:
        until = self._known_until
        if self._market is not None:
            return old_since(self._market, until, now)
        return until if until is not None and until <= now else None

    def _tell_rung(self, curve: PriceCurve, now: datetime) -> None:
        """Say once by what charging goes, and again when that is something else."""
        at = quarter_floor(now)
        rung = curve.rung(at, at + QUARTER)
        is_first_look = self._asked is None
        if rung is self._rung or (is_first_look and rung is not PriceRung.FRESH):
            return
        self._rung = rung
        level = log.info if rung is PriceRung.FRESH else log.warning
        level("tariff.rung", message=f"{self._label}: {self._words(rung, curve)}", rung=str(rung))

    def _words(self, rung: PriceRung, curve: PriceCurve) -> str:
        since = "" if curve.old_since is None else f", which it has owed since {self._clock(curve.old_since)}"
        match rung:
            case PriceRung.FRESH:
                until = "" if self._known_until is None else f" until {self._clock(self._known_until)}"
                return f"prices are known{until}"
            case PriceRung.CACHED:
                return f"it has not told newer prices{since}; charging goes by those that it told before"
            case PriceRung.REPEATED:
                return f"it has not told today's prices{since}; charging goes by those of an earlier day"
            case PriceRung.FALLBACK:
                return f"it has not told today's prices{since}; charging goes by fallback_price_per_kwh"
            case _:
                return f"it has not told today's prices{since}; charging goes by the time wanted alone"

    def _clock(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M}"
