"""What the charger told, and what its meter proves. Started and stopped are judged by physics."""

from dataclasses import replace
from datetime import datetime, timedelta

from chargerd.core.events import (
    Activity,
    ChargerBooted,
    MeterSampled,
    SampleContext,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
)
from chargerd.core.ids import TransactionId
from chargerd.core.ledger import Delta
from chargerd.core.model import ChargerFacts, Reading, Transaction
from chargerd.core.units import power_from_current, utc

START_POWER_W = 300.0
"""Power over this is charging."""
STOP_POWER_W = 100.0
"""Power under this is none: meters show phantom watts."""
STOP_SAMPLES = 2
"""So many low samples in a row prove that charging stopped."""

QUEUE_DRAINED = timedelta(minutes=5)
CLOCK_WRONG = timedelta(minutes=15)
STATUS_AGE_MAX = timedelta(hours=1)

_NOT_FLOWING = tuple(activity for activity in Activity if activity is not Activity.CHARGING)
_EPOCH = utc(2020, 1, 1)


def sample_time(facts: ChargerFacts, measured_at: datetime | None, now: datetime) -> datetime:
    """When a sample was taken. Never later than now.

    A charger that has been connected for a while has emptied its queue: a sample that is old then tells of a wrong
    clock, not of the past.
    """
    if measured_at is None or measured_at > now:
        return now
    return now if is_drained(facts, now) and now - measured_at > CLOCK_WRONG else measured_at


def is_drained(facts: ChargerFacts, now: datetime) -> bool:
    """Tell whether a charger has been connected for long enough to have told what waited in its queue."""
    return facts.online_since is not None and now - facts.online_since > QUEUE_DRAINED


def status_time(measured_at: datetime | None, now: datetime) -> datetime:
    """When a status began. One told again long after counts from now."""
    if measured_at is None or measured_at > now or now - measured_at > STATUS_AGE_MAX:
        return now
    return measured_at


def online(facts: ChargerFacts, protocol: str, now: datetime) -> ChargerFacts:
    """The connection is up."""
    return replace(facts, online=True, online_since=now, offline_since=None, protocol=protocol, heard_at=now)


def offline(facts: ChargerFacts, now: datetime) -> ChargerFacts:
    """The connection is gone; what flows meanwhile is unknown and is told by the register later."""
    return facts if not facts.online else replace(facts, online=False, online_since=None, offline_since=now)


def booted(facts: ChargerFacts, event: ChargerBooted) -> ChargerFacts:
    """The charger told who it is."""
    return replace(facts, vendor=event.vendor, model=event.model, serial=event.serial, firmware=event.firmware)


def status_told(facts: ChargerFacts, event: StatusReported, now: datetime) -> ChargerFacts:
    """Take a status. A word that nothing flows, or can flow, is proof until the meter proves otherwise."""
    at = status_time(event.measured_at, now)
    changes: dict[str, object] = {"heard_at": now}
    if event.plugged is not None and event.plugged is not facts.plugged:
        changes["plugged"] = event.plugged
        changes["plugged_at"] = max(at, facts.plugged_at or at, _flowed_at(facts) or at)
    if event.fault is not None:
        changes["fault"] = event.fault
    if event.activity is not None and event.activity is not facts.activity:
        changes["activity"] = event.activity
        changes["activity_at"] = at
    facts = replace(facts, **changes)  # type: ignore[arg-type]
    facts = adopted(_without_lost(facts, event, at), event.transaction_id, now)
    return stopped(facts, at) if event.plugged is False or event.activity in _NOT_FLOWING else facts


def stopped(facts: ChargerFacts, at: datetime) -> ChargerFacts:
    """Charging is over, not before the meter last proved it."""
    if not facts.charging:
        return facts
    stopped_at = facts.stopped_at or max(at, _flowed_at(facts) or at)
    return replace(facts, charging=False, charging_since=None, stopped_at=stopped_at, low_samples=STOP_SAMPLES)


def _flowed_at(facts: ChargerFacts) -> datetime | None:
    """When charging was last proven. What the charger tells to have been before that, it dates wrongly."""
    if facts.charging and facts.stopped_at is None and facts.reading is not None:
        return facts.reading.at
    return facts.stopped_at


def sampled(
    facts: ChargerFacts, event: MeterSampled, *, at: datetime, voltage_v: float, delta: Delta | None
) -> ChargerFacts:
    """Judge from a sample whether charging is going on."""
    power = sample_power_w(facts, event, voltage_v, delta)
    last = facts.reading
    reading = Reading(
        at=at,
        register_wh=event.register_wh if event.register_wh is not None else (last.register_wh if last else None),
        power_w=power,
        soc_pct=event.soc_pct if event.soc_pct is not None else (last.soc_pct if last else None),
    )
    is_history = last is not None and at < last.at
    facts = facts if is_history else replace(facts, reading=reading, heard_at=at)
    if event.context not in (SampleContext.BEGIN, SampleContext.END):
        facts = adopted(facts, event.transaction_id, at)
    if power is None or is_history or event.context is SampleContext.END or _is_overtaken(facts, at):
        return facts  # the last sample of a transaction tells what was, not what goes on
    if power > START_POWER_W:
        began = delta.start if delta is not None and event.power_w is None else at
        since = facts.charging_since or began
        facts = (
            facts if facts.plugged else replace(facts, plugged=True, plugged_at=max(since, facts.plugged_at or since))
        )
        return replace(facts, charging=True, charging_since=since, stopped_at=None, low_samples=0)
    if power >= STOP_POWER_W:
        return replace(facts, low_samples=0)
    low = facts.low_samples + 1
    if not facts.charging:
        return replace(facts, low_samples=low)
    facts = replace(facts, low_samples=low, stopped_at=facts.stopped_at or at)
    return stopped(facts, at) if low >= STOP_SAMPLES else facts


def register_told(facts: ChargerFacts, register_wh: int, at: datetime) -> ChargerFacts:
    """Keep a register reading that came without a sample: the next visit counts from it."""
    last = facts.reading
    if last is None:
        return replace(facts, reading=Reading(at=at, register_wh=register_wh))
    return facts if at < last.at else replace(facts, reading=replace(last, at=at, register_wh=register_wh))


def _is_overtaken(facts: ChargerFacts, at: datetime) -> bool:
    """A sample from before the charger said that nothing flows, or that the car left, proves nothing about now."""
    unplugged = facts.plugged is False and facts.plugged_at is not None and at <= facts.plugged_at
    quiet = facts.activity in _NOT_FLOWING and facts.activity_at is not None and at <= facts.activity_at
    return unplugged or quiet


def sample_power_w(facts: ChargerFacts, event: MeterSampled, voltage_v: float, delta: Delta | None) -> float | None:
    """Active power in W: measured, else from the phase currents, else from the register's slope; None when unknown.

    The slope proves nothing about now when part of its stretch lies before charging stopped.
    """
    if event.power_w is not None:
        return event.power_w
    if event.current_a is not None:
        return power_from_current(event.current_a, voltage_v)
    if delta is None or delta.end <= delta.start:
        return None
    if facts.stopped_at is not None and delta.start < facts.stopped_at:
        return None
    return delta.mean_w


def adopted(facts: ChargerFacts, transaction_id: TransactionId | None, at: datetime) -> ChargerFacts:
    """Take over a transaction that the charger names and we do not know: its start was told to nobody."""
    if transaction_id is None or (facts.transaction and facts.transaction.transaction_id == transaction_id):
        return facts
    if facts.last_transaction is not None and facts.last_transaction.transaction_id == transaction_id:
        return facts
    return replace(facts, transaction=Transaction(transaction_id=transaction_id, started_at=at))


def _without_lost(facts: ChargerFacts, event: StatusReported, at: datetime) -> ChargerFacts:
    """A charger that has a car but names no transaction has none: after a power cut its end may be told to nobody.

    OCPP 1.6 says Preparing only then; 2.0.1 tells EVConnected with the transaction that it belongs to. Should it run
    after all, the next sample that names it brings it back.
    """
    running = facts.transaction
    idle = event.activity is Activity.EV_CONNECTED and event.transaction_id is None
    if running is None or not idle or at <= running.started_at:
        return facts
    return replace(facts, transaction=None)


def transaction_started(
    facts: ChargerFacts, event: TransactionStarted, now: datetime
) -> tuple[ChargerFacts, TransactionId]:
    """Note a transaction, and the id to answer with. The same start told twice gets the same id.

    Our own ids are seconds since 2020 or one more than the last, whichever is greater: they rise even when the
    database was lost, and stay below 2^31 until 2088.
    """
    key = f"{event.measured_at}|{event.register_wh}|{event.id_token}"
    for known in (facts.transaction, facts.last_transaction):
        if known is not None and event.measured_at is not None and known.key == key and event.transaction_id is None:
            return facts, known.transaction_id
        if known is not None and known.transaction_id == event.transaction_id:
            return facts, known.transaction_id
    number = facts.last_transaction_number
    if event.transaction_id is None:
        number = max(number + 1, int((now - _EPOCH).total_seconds()))
    transaction_id = event.transaction_id or TransactionId(str(number))
    started_at = sample_time(facts, event.measured_at, now)
    transaction = Transaction(transaction_id=transaction_id, started_at=started_at, key=key)
    return replace(facts, transaction=transaction, last_transaction_number=number, heard_at=now), transaction_id


def transaction_ended(facts: ChargerFacts, event: TransactionEnded, now: datetime) -> ChargerFacts:
    """Note the end of a transaction; one that we do not know ends nothing else."""
    running = facts.transaction
    if running is not None and running.transaction_id != event.transaction_id:
        return replace(facts, heard_at=now)
    ended = running or Transaction(transaction_id=event.transaction_id, started_at=now)
    facts = replace(facts, transaction=None, last_transaction=ended, heard_at=now)
    return stopped(facts, sample_time(facts, event.measured_at, now))
