"""What the charger told, and what its meter proves. Started and stopped are judged by physics."""

from datetime import datetime, timedelta

from chargerd.core import abilities
from chargerd.core.events import (
    Activity,
    ChargerBooted,
    MeterSampled,
    SampleContext,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
)
from chargerd.core.frozen import replace
from chargerd.core.ids import TransactionId
from chargerd.core.ledger import Delta
from chargerd.core.model import ChargerFacts, Lag, Reading, Transaction
from chargerd.core.units import power_from_current, utc

START_POWER_W = 300.0
"""Power over this is charging."""
STOP_POWER_W = 100.0
"""Power under this is none: meters show phantom watts."""
STOP_CURRENT_A = 0.5
"""Current per phase under this is none, where only currents are told."""
FIRST_SAMPLE = timedelta(seconds=20)
"""A sample so soon after something changed shows what was before."""
STOP_SAMPLES = 2
"""So many low samples in a row prove that charging stopped."""

QUEUE_DRAINED = timedelta(seconds=60)
"""A charger that has told nothing of the past for so long has emptied its queue."""
QUEUE_AT_MOST = timedelta(minutes=15)
RETOLD_AFTER = timedelta(minutes=2)
"""A sample that comes later than this tells of the past."""
START_BEFORE_PLUG = timedelta(minutes=5)
"""Some chargers tell of a transaction first and of the plug later (ABB Terra, EVBox Elvi)."""
STATUS_AGE_MAX = timedelta(hours=1)

LAG_WINDOW = timedelta(minutes=5)
PAST_AT_MOST = timedelta(days=7)
"""What a charger dates further back is a clock that was never set."""
LAG_LEAST_S = 30.0
"""A charger's clock that is off by less is taken as right."""

EV_DISCONNECTED = "EVDisconnected"
"""OCPP 1.6 and 2.0.1: the transaction ended with the plug. Believed of the past; now a status tells it."""

_NOT_FLOWING = tuple(activity for activity in Activity if activity is not Activity.CHARGING)
_EPOCH = utc(2020, 1, 1)


def dated(facts: ChargerFacts, measured_at: datetime | None, now: datetime) -> tuple[ChargerFacts, datetime]:
    """Say when something was, by the charger's corrected clock; never later than now.

    How far its clock is off is learned from the quickest message of the last minutes, once its queue is empty: old
    messages then tell of the past, and only a lag that all share is the clock's.
    """
    if measured_at is None or now - measured_at > PAST_AT_MOST:
        return facts, now
    lag_s = (now - measured_at).total_seconds()
    if is_drained(facts, now):
        facts = replace(facts, lag=_lagging(facts.lag, lag_s, now))
    elif lag_s - _offset_s(facts.lag) > QUEUE_DRAINED.total_seconds():
        facts = replace(facts, replayed_at=now)
    return facts, min(measured_at + timedelta(seconds=_offset_s(facts.lag)), now)


def _lagging(lag: Lag | None, lag_s: float, now: datetime) -> Lag:
    if lag is None or now < lag.since:
        return Lag(since=now, least_s=lag_s)
    if now - lag.since < LAG_WINDOW:
        return lag if lag_s >= lag.least_s else replace(lag, least_s=lag_s)
    return Lag(since=now, least_s=lag_s, before_s=lag.least_s)


def _offset_s(lag: Lag | None) -> float:
    """How far the charger's clock is behind ours in s, negative when it is ahead; believed once it has lasted."""
    if lag is None or lag.before_s is None:
        return 0.0
    least_s = min(lag.least_s, lag.before_s)
    return least_s if abs(least_s) >= LAG_LEAST_S else 0.0


def drains_at(facts: ChargerFacts) -> datetime | None:
    """When a charger that is connected has told what waited in its queue, as things stand."""
    if facts.online_since is None:
        return None
    quiet_since = facts.replayed_at or facts.online_since
    return min(quiet_since + QUEUE_DRAINED, facts.online_since + QUEUE_AT_MOST)


def is_drained(facts: ChargerFacts, now: datetime) -> bool:
    """Tell whether a charger has been connected for long enough to have told what waited in its queue."""
    at = drains_at(facts)
    return at is not None and now >= at


def is_retold(facts: ChargerFacts, now: datetime) -> bool:
    """Tell whether charging is known only from what a charger tells of the past, and it has more to tell."""
    if not facts.charging or facts.reading is None or now - facts.reading.at <= RETOLD_AFTER:
        return False
    return not is_drained(facts, now)


def _status_time(facts: ChargerFacts, at: datetime, now: datetime) -> datetime:
    """When a status began. One told again long after counts from now, unless we were not there to hear it."""
    unheard = facts.lost_at is not None and at >= facts.lost_at
    return at if unheard or now - at <= STATUS_AGE_MAX else now


def online(facts: ChargerFacts, protocol: str, now: datetime) -> ChargerFacts:
    """The connection is up."""
    return replace(
        facts,
        online=True,
        online_since=now,
        first_online_at=facts.first_online_at or now,
        protocol=protocol,
        heard_at=now,
        replayed_at=None,
    )


def offline(facts: ChargerFacts, lost_at: datetime) -> ChargerFacts:
    """The connection is gone; what flows meanwhile is unknown and is told by the register later."""
    return facts if not facts.online else replace(facts, online=False, online_since=None, lost_at=lost_at)


def booted(facts: ChargerFacts, event: ChargerBooted) -> ChargerFacts:
    """The charger told who it is."""
    facts = abilities.booted(facts, event)
    return replace(facts, vendor=event.vendor, model=event.model, serial=event.serial, firmware=event.firmware)


def status_told(facts: ChargerFacts, event: StatusReported, now: datetime) -> ChargerFacts:
    """Take a status. A word that nothing flows, or can flow, is proof until the meter proves otherwise."""
    facts, at = dated(facts, event.measured_at, now)
    if _is_history(facts, event, at):
        return replace(facts, heard_at=now)
    at = _status_time(facts, at, now)
    changes: dict[str, object] = {"heard_at": now}
    if event.fault is not None:
        changes["fault"] = event.fault
    if event.activity is not None and event.activity is not facts.activity:
        changes["activity"] = event.activity
        changes["activity_at"] = at
    if event.activity is not None:
        changes["waits_in"] = event.transaction_id if event.activity is Activity.EV_CONNECTED else None
    facts = replace(_plug_told(facts, plugged=event.plugged, at=at, now=now), **changes)  # type: ignore[arg-type]
    facts = adopted(_without_lost(facts, event, at), event.transaction_id, now)
    return stopped(facts, at) if event.plugged is False or event.activity in _NOT_FLOWING else facts


def _is_history(facts: ChargerFacts, event: StatusReported, at: datetime) -> bool:
    """Tell whether a status belongs to a transaction that is over (2.0.1: late events after Ended)."""
    last, running = facts.last_transaction, facts.transaction
    if event.transaction_id is None or last is None or last.transaction_id != event.transaction_id:
        return False
    is_running = running is not None and running.transaction_id == event.transaction_id
    return not is_running and last.ended_at is not None and at < last.ended_at


def _plug_told(facts: ChargerFacts, *, plugged: bool | None, at: datetime, now: datetime) -> ChargerFacts:
    if plugged is True:
        facts = replace(facts, present_at=now)
    if plugged is None or plugged is facts.plugged:
        return facts
    if plugged:
        return plugged_in(facts, at)
    left_at = _left_at(facts, at, now)
    return replace(
        facts,
        plugged=False,
        plugged_at=max(left_at, facts.plugged_at or left_at, _flowed_at(facts) or left_at),
        left_unseen=left_at < at,
        token="",
    )


def plugged_in(facts: ChargerFacts, at: datetime) -> ChargerFacts:
    """A car is there since then, or since a transaction that began shortly before it was told."""
    since = max(at, facts.plugged_at or at, _flowed_at(facts) or at)
    running = facts.transaction
    has_begun = running is not None and running.had_car is not False
    if running is not None and has_begun and facts.plugged_at is not None and running.started_at >= facts.plugged_at:
        since = max(min(since, running.started_at), since - START_BEFORE_PLUG)
    register_wh = None if facts.reading is None else facts.reading.register_wh
    return replace(facts, plugged=True, plugged_at=since, plug_wh=register_wh, left_unseen=False)


def _left_at(facts: ChargerFacts, at: datetime, now: datetime) -> datetime:
    """When a car left. One that left while nobody heard was there at the last evidence, and that is all we know."""
    present_at, online_since = facts.present_at, facts.online_since
    unseen = present_at is not None and online_since is not None and present_at < online_since
    if not unseen:
        return at
    assert present_at is not None
    assert online_since is not None
    if at < online_since:
        return at
    evidence = [present_at, facts.lost_at or present_at]
    if facts.last_transaction is not None and facts.last_transaction.ended_at is not None:
        evidence.append(facts.last_transaction.ended_at)
    return min(max(evidence), now)


def stopped(facts: ChargerFacts, at: datetime) -> ChargerFacts:
    """Charging is over, not before the meter last proved it."""
    if not facts.charging:
        return facts
    stopped_at = facts.stopped_at or max(at, _flowed_at(facts) or at)
    return replace(facts, charging=False, charging_since=None, stopped_at=stopped_at)


def _flowed_at(facts: ChargerFacts) -> datetime | None:
    """When charging was last proven. What the charger tells to have been before that, it dates wrongly."""
    if facts.charging and facts.stopped_at is None and facts.reading is not None:
        return facts.reading.at
    return facts.stopped_at


def sampled(
    facts: ChargerFacts, event: MeterSampled, *, at: datetime, voltage_v: float, slope: Delta | None
) -> ChargerFacts:
    """Judge from a sample whether charging is going on."""
    power = sample_power_w(facts, event, voltage_v, slope)
    last = facts.reading
    reading = Reading(
        at=at,
        register_wh=event.register_wh if event.register_wh is not None else (last.register_wh if last else None),
        power_w=power,
        soc_pct=event.soc_pct if event.soc_pct is not None else (last.soc_pct if last else None),
    )
    is_history = last is not None and at < last.at
    facts = facts if is_history else replace(facts, reading=reading, heard_at=at)
    if facts.plugged and facts.plug_wh is None:
        facts = replace(facts, plug_wh=event.register_wh)
    if event.context not in (SampleContext.BEGIN, SampleContext.END) and not is_history:
        facts = adopted(facts, event.transaction_id, at)
    if power is None or is_history or event.context is SampleContext.END or _is_overtaken(facts, at):
        return facts  # the last sample of a transaction tells what was, not what goes on
    if power > START_POWER_W:
        began = slope.start if slope is not None and event.power_w is None else at
        since = facts.charging_since or began
        if not facts.plugged:
            facts = replace(plugged_in(facts, since), plug_wh=facts.plug_wh if last is None else last.register_wh)
        return replace(facts, charging=True, charging_since=since, stopped_at=None, low_samples=0, present_at=at)
    if not _is_low(event, power):
        return replace(facts, low_samples=0, present_at=at)
    low = facts.low_samples + 1
    if not facts.charging:
        return replace(facts, low_samples=low)
    facts = replace(facts, low_samples=low, stopped_at=facts.stopped_at or at)
    return stopped(facts, at) if low >= STOP_SAMPLES else facts


def _is_low(event: MeterSampled, power_w: float) -> bool:
    if event.power_w is None and event.current_a is not None:
        return max(event.current_a.l1, event.current_a.l2, event.current_a.l3) < STOP_CURRENT_A
    return power_w < STOP_POWER_W


def register_told(facts: ChargerFacts, register_wh: float, at: datetime) -> ChargerFacts:
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


def sample_power_w(facts: ChargerFacts, event: MeterSampled, voltage_v: float, slope: Delta | None) -> float | None:
    """Active power in W: measured, else from the phase currents, else from the register's slope; None when unknown.

    The slope proves nothing about now when part of its stretch lies before charging stopped.
    """
    told_w = told_power_w(event, voltage_v)
    if told_w is not None:
        return told_w
    if slope is None or slope.end <= slope.start:
        return None
    if facts.stopped_at is not None and slope.start < facts.stopped_at:
        return None
    return slope.mean_w


def told_power_w(event: MeterSampled, voltage_v: float) -> float | None:
    """Active power in W that a sample tells: measured, else from the phase currents; None where it tells none."""
    if event.power_w is not None:
        return event.power_w
    return None if event.current_a is None else power_from_current(event.current_a, voltage_v)


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
    _, started_at = dated(facts, event.measured_at, now)
    key = f"{event.measured_at}|{event.register_wh}|{event.id_token}"
    for known in (facts.transaction, facts.last_transaction):
        if known is not None and event.measured_at is not None and known.key == key and event.transaction_id is None:
            return facts, known.transaction_id
        if (
            known is not None
            and known.transaction_id == event.transaction_id
            and not _is_used_again(known, key, started_at)
        ):
            return facts, known.transaction_id
    number = facts.last_transaction_number
    if event.transaction_id is None:
        number = max(number + 1, int((now - _EPOCH).total_seconds()))
    transaction_id = event.transaction_id or TransactionId(str(number))
    facts, started_at = dated(facts, event.measured_at, now)
    transaction = Transaction(
        transaction_id=transaction_id,
        started_at=started_at,
        key=key,
        register_wh=event.register_wh,
        had_car=event.had_car,
    )
    return replace(facts, transaction=transaction, last_transaction_number=number, heard_at=now), transaction_id


def _is_used_again(known: Transaction, key: str, started_at: datetime) -> bool:
    """Tell whether a start is another transaction's, of a charger that begins its numbers anew with each boot.

    Nothing is said of one that was never told to begin: its start may still wait in the charger's queue.
    """
    return known.key not in ("", key) and started_at > (known.ended_at or known.started_at)


def is_end_of(running: Transaction, event: TransactionEnded, at: datetime) -> bool:
    """Tell whether an end is that of a transaction: it names it, or names none and came after its start."""
    if not event.transaction_id:
        return at >= running.started_at
    return event.transaction_id == running.transaction_id


def transaction_ended(facts: ChargerFacts, event: TransactionEnded, now: datetime) -> ChargerFacts:
    """Note the end of a transaction; one that we do not know ends nothing else, one told again changes nothing.

    A car that left while nobody heard was there at least until its transaction ended.
    """
    running = facts.transaction
    facts, at = dated(facts, event.measured_at, now)
    if running is not None and not is_end_of(running, event, at):
        return replace(facts, heard_at=now)
    last = facts.last_transaction
    if running is not None or last is None or event.transaction_id not in ("", last.transaction_id):
        last = running or Transaction(transaction_id=event.transaction_id, started_at=now)
        last = replace(last, ended_at=at, end_reason=event.reason)
    facts = replace(facts, transaction=None, last_transaction=last, heard_at=now)
    if facts.plugged is False and facts.left_unseen and facts.plugged_at is not None and at > facts.plugged_at:
        facts = replace(facts, plugged_at=at)
    facts = stopped(facts, at)
    if facts.plugged and event.reason == EV_DISCONNECTED and facts.online_since and at < facts.online_since:
        return _plug_told(facts, plugged=False, at=at, now=now)
    return facts
