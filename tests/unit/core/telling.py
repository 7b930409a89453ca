"""What a charger tells: samples of its meter and words about its plug, told to its facts."""

from chargerd.core import evidence
from chargerd.core.events import Activity, MeterSampled, SampleContext, StatusReported
from chargerd.core.ids import TransactionId
from chargerd.core.ledger import Delta
from chargerd.core.model import ChargerFacts, Quality, Transaction
from chargerd.core.units import PerPhase
from tests.support.home import GARAGE, utc

NOW = utc("10T22:00")
FRESH = ChargerFacts(online=True, online_since=utc("10T12:00"))
"""A charger that has been connected for long, of which nothing else is known."""


def sample(
    facts: ChargerFacts,
    at: str = "10T22:00",
    *,
    power: float | None = None,
    amps: PerPhase | None = None,
    register: float | None = None,
    soc: float | None = None,
    slope: Delta | None = None,
    transaction: str | None = None,
    context: SampleContext = SampleContext.PERIODIC,
) -> ChargerFacts:
    event = MeterSampled(
        charger_id=GARAGE,
        power_w=power,
        current_a=amps,
        register_wh=register,
        soc_pct=soc,
        transaction_id=None if transaction is None else TransactionId(transaction),
        context=context,
    )
    return evidence.sampled(facts, event, at=utc(at), voltage_v=230, slope=slope)


def risen(start: str, end: str, wh: int) -> Delta:
    return Delta(utc(start), utc(end), wh, Quality.MEASURED)


def status(
    facts: ChargerFacts,
    now: str = "10T22:00",
    *,
    plugged: bool | None = None,
    activity: Activity | None = None,
    fault: str | None = None,
    transaction: str | None = None,
    measured: str | None = None,
) -> ChargerFacts:
    event = StatusReported(
        charger_id=GARAGE,
        plugged=plugged,
        activity=activity,
        fault=fault,
        transaction_id=None if transaction is None else TransactionId(transaction),
        measured_at=None if measured is None else utc(measured),
    )
    return evidence.status_told(facts, event, utc(now))


def charging(since: str = "10T21:00", last: str = "10T21:59") -> ChargerFacts:
    return sample(sample(FRESH, since, power=9000), last, power=9000)


def running(number: str = "7", started: str = "10T21:00") -> Transaction:
    return Transaction(transaction_id=TransactionId(number), started_at=utc(started))
