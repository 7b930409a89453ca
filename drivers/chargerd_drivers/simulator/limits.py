"""The charging profiles that a station holds, and how it understands them: see ``behaviour.Limits``.

A station that behaves as it should takes what fits and does what the profiles say, connected or not.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chargerd_drivers.simulator import profiles as stacking
from chargerd_drivers.simulator.behaviour import Limits
from chargerd_drivers.simulator.profiles import Period, Profile, Purpose, Schedule, Unit, Wiring
from chargerd_drivers.simulator.settings import Settings

STALE_ID = 4711


class Holdings:
    """The profiles of one station. ``free``: no limit is heeded before the next one is set."""

    def __init__(self, habits: Limits, *, settings: Settings, wiring: Wiring) -> None:
        self.profiles: tuple[Profile, ...] = ()
        self._habits = habits
        self._settings = settings
        self._wiring = wiring
        self._at_begin: tuple[Profile, ...] = ()
        self._free = False
        self._first = habits.first_free
        self._burned = False
        if habits.stale_a is not None:
            self.profiles = (_stale(habits.stale_a, habits.stack_level_max),)

    def takes(self, profile: Profile, *, plugged: bool) -> bool:
        """Whether a profile is one that the station can do anything with."""
        habits = self._habits
        if profile.purpose not in habits.purposes or profile.schedule.unit not in habits.units:
            return False
        if (habits.needs_car and not plugged) or not (habits.absolute or profile.relative):
            return False
        return (
            0 <= profile.stack_level <= self._settings.count("ChargeProfileMaxStackLevel")
            and 1 <= len(profile.schedule.periods) <= self._settings.count("ChargingScheduleMaxPeriods")
            and len(stacking.install(self.profiles, profile)) <= self._settings.count("MaxChargingProfilesInstalled")
        )

    def install(self, profile: Profile) -> bool:
        """Put a profile in. False: one like it is there, and this station replaces none."""
        if not self._habits.replaces and profile.purpose is Purpose.TX:
            self._burned = self._burned or len(stacking.install(self.profiles, profile)) <= len(self.profiles)
            if self._burned:
                return False
        self._free = False
        self.profiles = stacking.install(self.profiles, self._understood(profile))
        return True

    def clear(self, chosen: Callable[[Profile], bool]) -> int:
        """Remove the profiles chosen, and say how many they were."""
        if not self._habits.clears:
            return 0
        kept = tuple(profile for profile in self.profiles if not chosen(profile))
        cleared = len(self.profiles) - len(kept)
        self.profiles = kept
        return cleared

    def begun(self) -> None:
        """A transaction begins."""
        self._at_begin = self.profiles
        self._free = self._first

    def ended(self) -> None:
        """A transaction is over, and with it what was for it alone."""
        self.profiles = tuple(profile for profile in self.profiles if profile.purpose is not Purpose.TX)
        self._free = self._first = self._burned = False

    def resumed(self) -> None:
        """A pause is over."""
        self._free = self._free or self._habits.resumes_free

    def offline(self) -> None:
        """The connection is gone."""
        if self._habits.offline_free:
            self.profiles = ()

    def restarted(self) -> None:
        """The station starts anew; default profiles outlive that."""
        self._first = self._habits.first_free
        if self._habits.forgets:
            self.profiles = ()

    def limit_a(self, now: datetime, *, tx_start: datetime | None) -> float | None:
        """Return the limit per phase in A that holds now; None when nothing limits."""
        if self._free:
            return None
        return stacking.limit_a(self._heeded(tx_start), now, tx_start=tx_start, wiring=self._wiring)

    def next_change(self, now: datetime, *, tx_start: datetime | None) -> datetime | None:
        """Return the first instant after ``now`` at which the limit may change by itself."""
        return stacking.next_change(self._heeded(tx_start), now, tx_start=tx_start)

    def _heeded(self, tx_start: datetime | None) -> tuple[Profile, ...]:
        deaf = self._habits.deaf
        if tx_start is None or not deaf:
            return self.profiles
        fresh = (profile for profile in self.profiles if profile.purpose not in deaf)
        return (*fresh, *(profile for profile in self._at_begin if profile.purpose in deaf))

    def _understood(self, profile: Profile) -> Profile:
        habits, schedule = self._habits, profile.schedule
        if habits.amperes_are_watts:
            schedule = replace(schedule, unit=Unit.WATT)
        if habits.first_period_only:
            schedule = replace(schedule, periods=schedule.periods[:1])
        if habits.start_ignored:
            schedule = replace(schedule, start=None)
        return replace(profile, schedule=schedule)


def _stale(limit_a: float, stack_level: int) -> Profile:
    schedule = Schedule(unit=Unit.AMPERE, periods=(Period(start_s=0, limit=limit_a),))
    return Profile(id=STALE_ID, stack_level=stack_level, purpose=Purpose.TX_DEFAULT, schedule=schedule)
