"""Parts of sentences about a charge: times, goals, attempts, and whose fault it is. Times are wall time at the site."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from chargerd.core.events import Failure
from chargerd.core.evidence import STOP_POWER_W
from chargerd.core.model import ImmediateTarget, Outcome, OutcomeState, RegularTarget, Slot, State, Want
from chargerd.core.outcome import is_at_ladders_end, judges_latest
from chargerd.core.planning import due
from chargerd.core.reason import Reason
from chargerd.core.refusal import Refuser, answer_of
from chargerd.plan.prices import PriceOrigin
from chargerd.plan.schedule import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is to be put into words."""

    state: State
    slot: Slot
    reason: Reason
    refuser: Refuser | None

    @property
    def car(self) -> str:
        """What the household calls the car."""
        return self.slot.vehicle.vehicle_id

    @property
    def charger(self) -> str:
        """What the household calls the charger."""
        return self.state.charger.charger_id

    def clock(self, at: datetime) -> str:
        """Wall time at the site, with the day where it is not today."""
        return wall_time(at, self.state.site.zone, self.state.at)


def wall_time(at: datetime, zone: str, now: datetime) -> str:
    """``07:00``, or ``07:00 on Wednesday`` when that is another day than now, or with the date when it is far away.

    An hour that the autumn change repeats is told with the name of its offset.
    """
    tz = ZoneInfo(zone)
    local = at.astimezone(tz)
    days = abs((local.date() - now.astimezone(tz).date()).days)
    if days == 0:
        return _time_of_day(local)
    return f"{_time_of_day(local)} on {local:%A}" if days < 7 else f"{_time_of_day(local)} on {local:%Y-%m-%d}"


def _time_of_day(local: datetime) -> str:
    is_repeated = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%H:%M} {local:%Z}" if is_repeated else f"{local:%H:%M}"


def coming(case: Case) -> str:
    """When charging is planned next, ``from 01:00 to 02:00 on Wednesday``; empty when it is not."""
    window = _next(case)
    if window is None:
        return ""
    tz = ZoneInfo(case.state.site.zone)
    start, end = window.start.astimezone(tz), window.end.astimezone(tz)
    begins = _time_of_day(start) if start.date() == end.date() else case.clock(window.start)
    return f"from {begins} to {case.clock(window.end)}"


def _next(case: Case) -> Window | None:
    return next((window for window in case.slot.session.plan if window.start > case.state.at), None)


def planned(case: Case) -> str:
    """What is due or planned next, as a sentence; empty when nothing is."""
    window, span = due(case.slot.session.plan, case.state.at), coming(case)
    if window is not None:
        return f"Charging is due until about {case.clock(window.end)}."
    return f"Charging is planned {span}." if span else ""


def until(case: Case) -> str:
    """When what is due ends."""
    window = due(case.slot.session.plan, case.state.at)
    assert window is not None
    return f"until about {case.clock(window.end)}"


def with_power(case: Case) -> str:
    """The power last measured, where it is any."""
    reading = case.state.facts.reading
    power_w = None if reading is None else reading.power_w
    return "" if power_w is None or power_w < STOP_POWER_W else f" at {power_w / 1000:.1f} kW"


def since_due(case: Case) -> str:
    """Since when reality differs from what is wanted."""
    return f"since {case.clock(case.state.control.unmet_since or case.state.at)}"


def prices(case: Case) -> str:
    """What waiting saves, as a sentence, or that another day's prices stand in; empty where nothing is known."""
    curve, window = case.state.prices, _next(case)
    chosen = None if window is None else curve.slot_at(window.start)
    if chosen is not None and chosen.origin is not PriceOrigin.SOURCE:
        since = curve.old_since
        missing = "are not told yet" if since is None else f"have been missing since {case.clock(since)}"
        return f"Prices of that time {missing}, so the plan goes by {_STAND_INS[chosen.origin]}."
    now, then = curve.at(case.state.at), None if chosen is None else chosen.price_per_kwh
    if now is None or then is None or round(then, 2) >= round(now, 2):
        return ""
    return f"Energy costs {now:.2f} {curve.currency} per kWh now and {then:.2f} then."


_STAND_INS = {
    PriceOrigin.REPEATED: "those of an earlier day",
    PriceOrigin.FALLBACK: "the price that is configured for this",
}


def goal(case: Case) -> str:
    """What is expected of the target, as a sentence; empty when there is none."""
    session = case.slot.session
    target, expected = session.targets.latest, session.outcome if judges_latest(session) else None
    match target:
        case None:
            return ""
        case ImmediateTarget(minimum_charge_target=level):
            about = "" if expected is None or expected.reached_at is None else case.clock(expected.reached_at)
            return f"{level} % will be reached at about {about}." if about else f"It charges up to {level} %."
        case RegularTarget():
            return _regular_goal(case, target, expected)
        case _:
            assert_never(target)


def _regular_goal(case: Case, target: RegularTarget, expected: Outcome | None) -> str:
    level, by = target.minimum_charge_target, case.clock(target.ready_by)
    if expected is None:
        return f"The target is {level} % by {by}."
    if expected.state is OutcomeState.ON_TARGET:
        return f"{level} % will be reached by {by}."
    then = "" if expected.reached_at is None else f"{level} % at about {case.clock(expected.reached_at)}"
    if target.ready_by <= case.state.at:
        return f"It will have {then}." if then else ""
    missed = f"{level} % will not be reached by {by}, but about {expected.level_pct_at_ready_by} %"
    return f"{missed}, and {then}." if then else f"{missed}."


def attempt(case: Case) -> str:
    """When it is tried again, as a sentence; empty while that is not known."""
    control = case.state.control
    if is_at_ladders_end(control):
        return "It is not tried again until something changes."
    if control.retry_at is None or control.retry_at <= case.state.at:
        return ""
    return f"It is tried again at {case.clock(control.retry_at)}."


def culprit(case: Case) -> str:
    """Who stands in the way, and how."""
    match case.refuser:
        case None:
            return "nobody knows yet why"
        case Refuser.NETWORK:
            return f"{case.charger} does not answer"
        case Refuser.AUTHORISATION:
            return f"{case.charger} does not accept the card that it is started with"
        case Refuser.VEHICLE:
            return f"{case.charger} offers current and {case.car} takes none"
        case Refuser.CHARGER:
            return _charger_fault(case)
        case _:
            assert_never(case.refuser)


def _charger_fault(case: Case) -> str:
    if case.state.facts.fault:
        return f"{case.charger} reports a fault, {case.state.facts.fault}"
    what = "start" if case.state.control.want is Want.CHARGE else "stop"
    match answer_of(case.state):
        case Failure.NOT_SUPPORTED:
            return f"{case.charger} cannot {what}"
        case Failure.REFUSED:
            return f"{case.charger} refuses to {what}"
        case _:
            return f"{case.charger} was asked to {what} and does not"
