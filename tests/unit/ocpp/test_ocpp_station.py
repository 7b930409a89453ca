"""What is remembered of a charger between connections, and what is learned about it."""

from datetime import UTC, datetime

from chargerd.contract import (
    Capabilities,
    ChargerId,
    CommandId,
    MeterSampled,
    SetCurrentLimit,
    StartTransaction,
    StopTransaction,
    TransactionId,
)
from chargerd_drivers.ocpp import learning
from chargerd_drivers.ocpp.config import OcppCharger
from chargerd_drivers.ocpp.lessons import Lessons, Library
from chargerd_drivers.ocpp.metering import ENERGY, POWER
from chargerd_drivers.ocpp.shape import Shapes
from chargerd_drivers.ocpp.station import Station

NOW = datetime(2026, 1, 14, 16, tzinfo=UTC)
GARAGE = ChargerId("garage")


def station() -> Station:
    lessons = Lessons(GARAGE, Library(None))
    return Station(charger_id=GARAGE, options=OcppCharger(identity="CP1"), lessons=lessons)


def test_three_boots_within_five_minutes_are_too_many() -> None:
    box = station()
    for monotonic_s, keeps_booting in ((0, False), (100, False), (299, True), (401, False)):
        box.booted(monotonic_s)
        assert box.keeps_booting is keeps_booting


def test_only_the_latest_foreign_transactions_are_remembered() -> None:
    box = station()
    for number in range(100):
        box.remember_foreign(str(number))
    assert len(box.foreign) == 64
    assert "99" in box.foreign
    assert "0" not in box.foreign


def test_a_spare_transaction_id_is_given_once() -> None:
    box = station()
    first = box.spare_transaction_id(NOW)
    assert box.spare_transaction_id(NOW) == first, "nothing was given yet"
    box.remember_foreign(str(first))
    assert box.spare_transaction_id(NOW) == first + 1


def test_commands_teach_what_a_charger_can_do() -> None:
    known = Capabilities()
    start = StartTransaction(charger_id=GARAGE, command_id=CommandId(1), id_token="x")
    stop = StopTransaction(charger_id=GARAGE, command_id=CommandId(1), transaction_id=TransactionId("1"))
    limit = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(1), limit_a=6)
    known = learning.from_command(known, start, is_supported=True)
    known = learning.from_command(known, stop, is_supported=True)
    known = learning.from_command(known, limit, is_supported=False)
    assert known == Capabilities(can_start=True, can_stop=True, can_limit=False)


def test_what_was_seen_outweighs_what_is_configured() -> None:
    seen = learning.from_sample(Capabilities(), MeterSampled(charger_id=GARAGE, soc_pct=40))
    assert seen == Capabilities(reports_soc=True)
    configured = learning.from_measurands(seen, (ENERGY, POWER.upper()))
    assert configured == Capabilities(reports_energy=True, reports_power=True, reports_soc=True)


def test_a_shape_is_held_against_the_schema_once() -> None:
    shapes = Shapes("1.6")
    assert shapes.fault("Heartbeat", {}) is None
    assert "transactionId" in (shapes.fault("StopTransaction", {"transactionId": "1", "meterStop": 1}) or "")
    assert shapes.fault("StopTransaction", {"transactionId": "2", "meterStop": 9}) is None
    assert shapes.fault("StopTransaction", {"transactionId": None}) is not None
