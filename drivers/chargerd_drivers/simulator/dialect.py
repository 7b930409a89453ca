"""What both protocol versions have in common: who the station is, what a dialect offers, profiles off the wire."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol

from chargerd_drivers.simulator.link import CallRefused
from chargerd_drivers.simulator.occurrences import Occurrence
from chargerd_drivers.simulator.outbox import Answer, Message, Payload
from chargerd_drivers.simulator.profiles import RECURRENCE, Period, Profile, Purpose, Schedule, Unit
from chargerd_drivers.simulator.schemas import parse_time
from chargerd_drivers.simulator.station import Station


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameplate:
    """What the station says about itself. ``report_soc``: it can read the car's level."""

    vendor: str
    model: str
    firmware: str
    serial: str
    report_soc: bool = False


class Host(Protocol):
    """What a dialect may ask of the process around it."""

    def now(self) -> datetime:
        """Return the time."""
        ...

    @property
    def online(self) -> bool:
        """Whether the central system can be reached."""
        ...

    @property
    def transaction_messages_wait(self) -> bool:
        """Whether requests about transactions are still to be sent."""
        ...

    def send(self, message: Message) -> None:
        """Queue a request; while offline only those that last."""
        ...

    def reboot(self, *, gently: bool) -> None:
        """Restart the station."""
        ...


SPAN_MAX_S = 10**9
LIMIT_MAX = 10**9

Handler = Callable[[Payload, datetime], Answer]


class Dialect(Protocol):
    """One protocol version. The dialect puts its own requests into the host's outbox."""

    def boot(self) -> Message:
        """Return the BootNotification."""
        ...

    def greet(self) -> None:
        """Say how things stand, after a boot or when the network is back."""
        ...

    def rebooted(self) -> None:
        """Remember that the next greeting follows a restart."""
        ...

    def heartbeat(self) -> None:
        """Send a sign of life."""
        ...

    def authorise(self, id_token: str, accepted: Callable[[], None]) -> None:
        """Ask whether somebody may charge."""
        ...

    def tell(self, occurrence: Occurrence) -> None:
        """Turn what happened into requests."""
        ...

    def answer(self, action: str, payload: Payload, now: datetime) -> Answer:
        """Act on a request. Raises CallRefused."""
        ...


def dispatch(handlers: dict[str, Handler], action: str, payload: Payload, now: datetime) -> Answer:
    """Find the handler of an action; the protocol has the action, but this station may not."""
    handler = handlers.get(action)
    if handler is None:
        raise CallRefused("NotSupported", f"this station does not support {action}")
    return handler(payload, now)


def read_profile(data: dict[str, Any], *, id_key: str, purpose: Purpose, evse: int) -> Profile:
    """Read a profile whose payload fits the schema. Raises CallRefused for what the schema cannot say."""
    schedule = data["chargingSchedule"]
    schedule = schedule[0] if isinstance(schedule, list) else schedule
    spans = (schedule.get("duration"), *(period["startPeriod"] for period in schedule["chargingSchedulePeriod"]))
    if not all(span is None or 0 <= span <= SPAN_MAX_S for span in spans):
        raise CallRefused("PropertyConstraintViolation", f"expected times from 0 to {SPAN_MAX_S} s")
    if not all(abs(period["limit"]) <= LIMIT_MAX for period in schedule["chargingSchedulePeriod"]):
        raise CallRefused("PropertyConstraintViolation", f"expected limits up to {LIMIT_MAX}")
    periods = tuple(
        Period(start_s=period["startPeriod"], limit=float(period["limit"]))
        for period in schedule["chargingSchedulePeriod"]
    )
    if not periods or periods[0].start_s != 0:
        raise CallRefused("PropertyConstraintViolation", "the first period must start at 0")
    if any(later.start_s <= earlier.start_s for earlier, later in pairwise(periods)):
        raise CallRefused("PropertyConstraintViolation", "the periods must be in order of time")
    kind = data["chargingProfileKind"]
    if kind == "Recurring" and data.get("recurrencyKind") not in RECURRENCE:
        raise CallRefused("PropertyConstraintViolation", "a recurring profile needs its recurrencyKind")
    return Profile(
        id=data[id_key],
        stack_level=data["stackLevel"],
        purpose=purpose,
        evse=evse,
        relative=kind == "Relative",
        recurrence=RECURRENCE[data["recurrencyKind"]] if kind == "Recurring" else None,
        valid_from=_time(data.get("validFrom")),
        valid_to=_time(data.get("validTo")),
        schedule=Schedule(
            unit=Unit(schedule["chargingRateUnit"]),
            periods=periods,
            start=_time(schedule.get("startSchedule")),
            duration_s=schedule.get("duration"),
        ),
    )


def composite(station: Station, now: datetime, *, duration_s: int, unit: Unit) -> list[Payload]:
    """Return the periods of the limit that will hold from now on, in ``unit``, to a tenth."""
    if not 0 <= duration_s <= SPAN_MAX_S:
        raise CallRefused("PropertyConstraintViolation", f"duration: expected 0 to {SPAN_MAX_S} s")
    begun = station.transaction.begun if station.transaction else now
    end = now + timedelta(seconds=duration_s)
    periods: list[Payload] = []
    at: datetime | None = now
    while at is not None and (at < end or at == now):
        wanted_a = station.holdings.limit_a(at, tx_start=begun)
        built_in_a = station.physics.outlet.current_max_a
        limit = station.wiring.limit(built_in_a if wanted_a is None else min(wanted_a, built_in_a), unit)
        if not periods or periods[-1]["limit"] != round(limit, 1):
            periods.append({"startPeriod": int((at - now).total_seconds()), "limit": round(limit, 1)})
        at = station.holdings.next_change(at, tx_start=begun)
    return periods


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)
