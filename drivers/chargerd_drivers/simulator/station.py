"""The charging station as both protocol versions see it: plug, authorisation, transaction, limits, samples.

Synchronous and without a clock of its own: each method takes ``now``, first lets everything happen that was due
before, at its own instant, and then acts. What happened is collected as occurrences and taken with ``drain``.

Phases: Available without a car; Preparing with one; Charging, SuspendedEVSE (no current offered) and SuspendedEV
(the car takes none) in a transaction; Finishing after it until the car leaves, or until the next one begins;
Unavailable when taken out of service.
"""

import math
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto

from chargerd_drivers.simulator import physics as laws
from chargerd_drivers.simulator import timetable
from chargerd_drivers.simulator.faults import DROP_AFTER_S, Fault, FaultSpec
from chargerd_drivers.simulator.limits import Holdings
from chargerd_drivers.simulator.occurrences import (
    Authorisation,
    AuthorisationLapsed,
    Authorised,
    LimitChanged,
    NetworkLost,
    Occurrence,
    Phase,
    PhaseChanged,
    PluggedIn,
    Reading,
    Sampled,
    StopReason,
    Transaction,
    TransactionBegan,
    TransactionOver,
    Trigger,
    Unplugged,
    reading,
)
from chargerd_drivers.simulator.physics import CURRENT_MIN_A, Physics
from chargerd_drivers.simulator.profiles import Profile, Purpose, Wiring
from chargerd_drivers.simulator.settings import Change, Settings

END_AFTER_S = 1.0
"""How long a transaction lasts that begins under a limit of 0, where that ends it (Huawei SCharger)."""


class Due(Enum):
    """What some stations and cars do by themselves after a while."""

    END = auto()
    READY_AGAIN = auto()
    SLEEP = auto()


class Station:
    """One station with one EVSE and one connector."""

    def __init__(self, physics: Physics, *, now: datetime, settings: Settings) -> None:
        self.settings = settings
        self.physics = physics
        self.behaviour = settings.behaviour
        self.wiring = Wiring(phases=physics.outlet.phases, voltage_v=physics.outlet.voltage_v)
        self.holdings = Holdings(self.behaviour.limits, settings=settings, wiring=self.wiring)
        self.transaction: Transaction | None = None
        self.limit_a = physics.outlet.current_max_a
        self.phase = Phase.AVAILABLE
        self.register_at_plug_in_wh = int(physics.register_wh)
        self._at = now
        self._authorisation: Authorisation | None = None
        self._finishing = False
        self._locked = False
        self._asleep = False
        self._due: dict[Due, datetime] = {}
        self._operative = True
        self._operative_wanted = True
        self._faults: set[Fault] = set()
        self._drop_after_s = DROP_AFTER_S
        self._start_profile: Profile | None = None
        self._sampled_at = now
        self._occurrences: list[Occurrence] = []

    # What can be seen

    @property
    def reading(self) -> Reading:
        """What the meter shows."""
        return reading(self.physics, self._at, visit_wh=self.session_wh)

    @property
    def session_wh(self) -> int:
        """Energy in Wh since the last plug-in."""
        return int(self.physics.register_wh) - self.register_at_plug_in_wh

    @property
    def plugged(self) -> bool:
        """Whether a car is connected."""
        return self.physics.plugged

    @property
    def operative(self) -> bool:
        """Whether the station is in service."""
        return self._operative

    @property
    def can_start(self) -> bool:
        """Whether an authorisation would be of use: in service, and nobody is charging or about to."""
        return self._operative and not self._locked and self.transaction is None and self._authorisation is None

    def has_fault(self, fault: Fault) -> bool:
        """Whether a fault is switched on."""
        return fault in self._faults

    def drain(self) -> list[Occurrence]:
        """Take what happened since the last time, in order."""
        taken, self._occurrences = self._occurrences, []
        return taken

    # Time

    def next_due(self) -> datetime | None:
        """Return the next instant at which something happens by itself."""
        return _first(
            self._sample_due(),
            timetable.next_aligned(self.settings, self._at),
            self._drop_due(),
            self._physics_due(),
            self._authorisation.until if self._authorisation else None,
            self.holdings.next_change(self._at, tx_start=self._tx_start),
            *(max(at, self._at) for at in self._due.values()),
        )

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due by ``now``, each at its own instant. A clock set back is waited out."""
        while (due := self.next_due()) is not None and due <= now:
            sample, drop = self._sample_due(), self._drop_due()
            aligned = timetable.next_aligned(self.settings, self._at)
            self._integrate(due)
            self._settle()
            if sample is not None and sample <= due:
                self._sampled_at = self._at
                self._sample(Trigger.PERIODIC)
            if aligned is not None and aligned <= due:
                self._sample(Trigger.CLOCK)
            if drop is not None and drop <= due:
                self._faults.discard(Fault.DROP_SOCKET)
                self._note(NetworkLost(reading=self.reading))
            if self._authorisation is not None and self._authorisation.until <= due:
                self._authorisation = None
                self._note(AuthorisationLapsed(reading=self.reading))
            for event in [event for event, at in self._due.items() if at <= due]:
                del self._due[event]
                self._happen(event)
        self._integrate(now)
        self._settle()

    # What people do

    def plug(self, now: datetime, *, level_pct: float | None = None) -> None:
        """Plug the car in; a level replaces the one it left with. Nothing happens when it is in already."""
        self.advance(now)
        if self.plugged:
            return
        self.physics = laws.plug(self.physics, level_pct=level_pct)
        self.register_at_plug_in_wh = int(self.physics.register_wh)
        self._note(PluggedIn(reading=self.reading))
        if self._operative:
            self._enter(Phase.PREPARING)
        autostart = self.behaviour.transactions.autostart
        if autostart is not None and self.can_start:
            self._authorisation = Authorisation(id_token=autostart, remote=False, until=self._at)
        self._settle(plugged_last=True)

    def unplug(self, now: datetime) -> None:
        """Take the car away; that ends the transaction."""
        self.advance(now)
        if not self.plugged:
            return
        self.physics = laws.unplug(self.physics)
        if self.transaction is not None:
            self._end(StopReason.EV_DISCONNECTED)
            self._enter(Phase.FINISHING)
        self._finishing = self._locked = self._asleep = False
        self._due.clear()
        self._note(Unplugged(reading=self.reading))
        self._settle()

    def authorise(
        self,
        now: datetime,
        *,
        id_token: str,
        remote: bool = False,
        remote_start_id: int | None = None,
        profile: Profile | None = None,
    ) -> bool:
        """Let somebody charge, now or when the car comes within the time allowed. False: not possible now."""
        self.advance(now)
        if not self.can_start:
            return False
        if remote and self.has_fault(Fault.ACCEPT_START_DO_NOTHING):
            return True
        until = self._at + timedelta(seconds=max(self.settings.count("ConnectionTimeOut"), 1))
        self._authorisation = Authorisation(
            id_token=id_token, remote=remote, until=until, remote_start_id=remote_start_id
        )
        self._start_profile = profile
        self._note(Authorised(reading=self.reading, authorisation=self._authorisation))
        self._settle()
        return True

    def stop(self, now: datetime, reason: StopReason) -> bool:
        """End the transaction. False: there is none."""
        self.advance(now)
        if self.transaction is None:
            return False
        resets = reason in {StopReason.SOFT_RESET, StopReason.HARD_RESET}
        if resets and self.behaviour.transactions.survives_restart:
            return False
        if reason is StopReason.REMOTE and self.has_fault(Fault.IGNORE_STOP):
            return True
        self._end(reason)
        self._settle()
        return True

    # What the central system sets

    def set_profile(self, now: datetime, profile: Profile) -> bool:
        """Install a profile. False: it does not fit (no transaction for a TxProfile, level or periods too many)."""
        self.advance(now)
        if not self.takes_profile(profile):
            return False
        if profile.purpose is Purpose.TX and self.transaction is None:
            return self.has_fault(Fault.ACCEPT_START_DO_NOTHING)
        installed = self.holdings.install(profile)
        self._settle()
        return installed

    def takes_profile(self, profile: Profile) -> bool:
        """Whether a profile is within what the station can do."""
        return self.holdings.takes(profile, plugged=self.plugged)

    def clear_profiles(self, now: datetime, chosen: Callable[[Profile], bool]) -> int:
        """Remove the profiles chosen, and say how many they were."""
        self.advance(now)
        cleared = self.holdings.clear(chosen)
        self._settle()
        return cleared

    def went_offline(self, now: datetime) -> None:
        """Go on without the central system."""
        self.advance(now)
        self.holdings.offline()
        self._settle()

    def configure(self, now: datetime, name: str, value: str) -> Change:
        """Change a setting; a new interval counts from the last sample."""
        self.advance(now)
        return Change.DONE if self.behaviour.configuration.feigned else self.settings.change(name, value)

    def set_operative(self, now: datetime, *, operative: bool) -> bool:
        """Take the station out of service or back. False: later, when the transaction is over."""
        self.advance(now)
        self._operative_wanted = operative
        self._settle()
        return self._operative == operative

    def reboot(self, now: datetime) -> None:
        """Start anew: authorisation and transaction profiles are gone, the register and other profiles are kept."""
        self.advance(now)
        if self.transaction is not None and not self.behaviour.transactions.survives_restart:
            self._end(StopReason.HARD_RESET)
        self._authorisation = None
        self._finishing = self._locked = False
        self.holdings.restarted()
        self._settle()

    def set_fault(self, now: datetime, spec: FaultSpec, *, on: bool) -> None:
        """Switch a fault on or off, with effect from now."""
        self.advance(now)
        if on:
            self._faults.add(spec.fault)
        else:
            self._faults.discard(spec.fault)
        if spec.fault is Fault.DROP_SOCKET:
            self._drop_after_s = spec.after_s
        self._settle()

    # Inside

    @property
    def _tx_start(self) -> datetime | None:
        return self.transaction.begun if self.transaction else None

    def _note(self, occurrence: Occurrence) -> None:
        self._occurrences.append(occurrence)

    def _sample(self, trigger: Trigger) -> None:
        self._note(Sampled(reading=self.reading, trigger=trigger, transaction=self.transaction))

    def _sample_due(self) -> datetime | None:
        interval_s = self.settings.count("MeterValueSampleInterval")
        if self.transaction is None or interval_s == 0:
            return None
        return max(self._sampled_at + timedelta(seconds=interval_s), self._at)

    def _drop_due(self) -> datetime | None:
        if self.transaction is None or not self.has_fault(Fault.DROP_SOCKET):
            return None
        return max(self.transaction.begun + timedelta(seconds=self._drop_after_s), self._at)

    def _physics_due(self) -> datetime | None:
        seconds = laws.seconds_to_change(self.physics)
        return None if seconds is None else self._at + timedelta(milliseconds=max(math.ceil(seconds * 1000), 1))

    def _integrate(self, until: datetime) -> None:
        if until > self._at:
            self.physics = laws.advance(self.physics, (until - self._at).total_seconds())
            self._at = until

    def _limit(self) -> float:
        """Return the limit that holds.

        In a transaction a station that ignores stops keeps the last limit that let current flow, and one that does
        nothing on a start keeps the last that did not.
        """
        built_in_a = self.physics.outlet.current_max_a
        wanted_a = self.holdings.limit_a(self._at, tx_start=self._tx_start)
        limit_a = built_in_a if wanted_a is None else min(max(wanted_a, 0.0), built_in_a)
        if self.transaction is not None:
            stops = limit_a < CURRENT_MIN_A <= self.limit_a
            resumes = self.limit_a < CURRENT_MIN_A <= limit_a
            if (stops and self.has_fault(Fault.IGNORE_STOP)) or (
                resumes and self.has_fault(Fault.ACCEPT_START_DO_NOTHING)
            ):
                return self.limit_a
        return limit_a

    def _settle(self, *, plugged_last: bool = False) -> None:
        """Bring transaction, limit, pilot and phase in line with the facts."""
        if self.transaction is None:
            self._operative = self._operative_wanted
        if self._authorisation is not None and self.plugged and self._operative:
            self._begin(self._authorisation, plugged_last=plugged_last)
        limit_a = self._limit()
        if self.transaction is not None and self.limit_a < CURRENT_MIN_A <= limit_a:
            self.holdings.resumed()
            limit_a = self._limit()
        if self.behaviour.limits.zero_stops and limit_a < CURRENT_MIN_A and self._is_settled_in:
            self._end(StopReason.OTHER)
            limit_a = self._limit()
        offered_a = limit_a if self.transaction is not None else 0.0
        if offered_a != self.physics.offered_a:
            self.physics = laws.offer(self.physics, offered_a)
        self._plan_sleep()
        willing = not self._asleep and not self.has_fault(Fault.NO_POWER)
        if willing != self.physics.willing:
            self.physics = laws.set_willing(self.physics, willing=willing)
        if limit_a != self.limit_a:
            self.limit_a = limit_a
            self._note(LimitChanged(reading=self.reading, limit_a=limit_a))
        self._enter(self._phase_now())

    def _enter(self, phase: Phase) -> None:
        if phase is not self.phase:
            self.phase = phase
            self._note(PhaseChanged(reading=self.reading, phase=phase, transaction=self.transaction))

    def _phase_now(self) -> Phase:
        if self.transaction is not None:
            if self.physics.pilot_a == 0:
                return Phase.SUSPENDED_EVSE
            pretends = self._asleep and self.behaviour.vehicle.sleep_is_charging
            return Phase.CHARGING if self.physics.car_wants or pretends else Phase.SUSPENDED_EV
        if not self._operative:
            return Phase.UNAVAILABLE
        if not self.plugged:
            return Phase.AVAILABLE
        return Phase.FINISHING if self._finishing else Phase.PREPARING

    def _begin(self, authorisation: Authorisation, *, plugged_last: bool) -> None:
        self.transaction = Transaction(
            key=str(uuid.uuid4()), begun=self._at, authorisation=authorisation, plugged_last=plugged_last
        )
        self._authorisation = None
        self._finishing = self._asleep = False
        self._due.clear()
        self._sampled_at = self._at
        self.holdings.begun()
        if self._start_profile is not None:
            self.holdings.install(self._start_profile)
            self._start_profile = None
        self._plan_end(remote=authorisation.remote)
        self._note(TransactionBegan(reading=self.reading, transaction=self.transaction))

    def _end(self, reason: StopReason) -> None:
        assert self.transaction is not None
        over, self.transaction = self.transaction, None
        self.holdings.ended()
        self.physics = laws.offer(self.physics, 0.0)
        self._finishing = True
        self._locked = self._locked or self.behaviour.transactions.stop_is_terminal
        self._due.clear()
        if self.behaviour.statuses.finishing_s is not None:
            self._due[Due.READY_AGAIN] = self._at + timedelta(seconds=self.behaviour.statuses.finishing_s)
        self._note(TransactionOver(reading=self.reading, transaction=over, reason=reason, plugged=self.plugged))

    # What only some do

    @property
    def _is_settled_in(self) -> bool:
        """Whether a transaction goes on whose end is not planned yet."""
        return self.transaction is not None and Due.END not in self._due

    def _plan_end(self, *, remote: bool) -> None:
        """See to it that a transaction ends by itself, where this station is one that does that."""
        if self.behaviour.limits.zero_stops and self._limit() < CURRENT_MIN_A:
            self._locked = True
            self._due[Due.END] = self._at + timedelta(seconds=END_AFTER_S)
        elif remote and self.behaviour.transactions.lasts_s is not None:
            self._due[Due.END] = self._at + timedelta(seconds=self.behaviour.transactions.lasts_s)

    def _plan_sleep(self) -> None:
        """See to it that a car that is paused falls asleep, if it is one that does."""
        sleeps_after_s = self.behaviour.vehicle.sleeps_after_s
        if sleeps_after_s is None or self.transaction is None or self._asleep:
            return
        if self.physics.pilot_a > 0:
            self._due.pop(Due.SLEEP, None)
        else:
            self._due.setdefault(Due.SLEEP, self._at + timedelta(seconds=sleeps_after_s))

    def _happen(self, event: Due) -> None:
        match event:
            case Due.END if self.transaction is not None:
                self._end(StopReason.OTHER)
            case Due.READY_AGAIN:
                self._finishing = False
            case Due.SLEEP:
                self._asleep = True
            case _:
                pass
        self._settle()


def _first(*instants: datetime | None) -> datetime | None:
    return min((at for at in instants if at is not None), default=None)
