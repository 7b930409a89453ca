"""Which source of the battery level counts, and which does not."""

from dataclasses import replace

import pytest

from chargerd.core import level
from chargerd.core.ids import ChargerId, PolicyId, SessionId
from chargerd.core.model import Ledger, LevelSource, Session, Slot, VehicleFacts
from chargerd.core.policy import Policy
from tests.support.home import CAR, Home, utc

NOW = utc("10T22:00")


def slot(*, assumed: int | None = 35, facts: VehicleFacts | None = None, plugged: bool = True) -> Slot:
    home = Home(level_from_charger=True)
    policy = Policy(
        policy_id=PolicyId("p"),
        charger_id=ChargerId("c"),
        vehicle_id=CAR,
        assumed_battery_level_at_plug_in=assumed,
    )
    session = Session(session_id=SessionId("s"), policy_id=PolicyId("p"), plugged_in_at=NOW if plugged else None)
    made = Slot(policy=policy, vehicle=home.vehicle(), facts=facts or VehicleFacts(), session=session)
    known = level.at_plug_in(made, NOW)
    from_pct = None if known is None else known.pct
    return replace(made, session=replace(session, level=known, level_from_pct=from_pct))


def charged(one: Slot, wh: int) -> Slot:
    return replace(one, session=replace(one.session, ledger=Ledger(total_wh=wh)))


@pytest.mark.parametrize(
    ("told_at", "expected"),
    [pytest.param("10T21:30", 77.0, id="fresh"), pytest.param("10T20:00", 35.0, id="stale")],
)
def test_fresh_telemetry_goes_before_the_assumption(told_at: str, expected: float) -> None:
    one = slot(facts=VehicleFacts(level_pct=77.0, level_at=utc(told_at)))
    assert level.level_pct(one.session, one.vehicle) == expected


def test_nothing_known_is_unknown_and_not_zero() -> None:
    one = slot(assumed=None)
    assert level.level_pct(one.session, one.vehicle) is None


def test_delivered_energy_raises_the_level_up_to_full() -> None:
    one = charged(slot(), 20_000)
    assert level.level_pct(one.session, one.vehicle) == pytest.approx(65)
    one = charged(slot(), 90_000)
    assert level.level_pct(one.session, one.vehicle) == 100


def test_the_vehicles_word_replaces_the_assumption_from_the_start() -> None:
    one = level.told_by_vehicle(charged(slot(), 20_000), 60.0, NOW)
    assert one.session.level_from_pct == pytest.approx(30)
    again = level.told_by_vehicle(charged(one, 40_000), 88.0, NOW)
    assert again.session.level_from_pct == pytest.approx(30), "what was at plug-in does not change twice"


def test_the_vehicles_word_before_plug_in_is_kept_for_it() -> None:
    one = level.told_by_vehicle(slot(plugged=False), 60.0, NOW)
    assert one.facts.level_pct == 60.0
    assert one.session.level == slot(plugged=False).session.level


@pytest.mark.parametrize("soc", [0.0, 101.0, 65_535.0])
def test_an_impossible_soc_is_ignored(soc: float) -> None:
    assert level.told_by_charger(slot(), soc, NOW) == slot()


def test_the_chargers_soc_serves_where_the_vehicle_is_silent() -> None:
    one = level.told_by_charger(slot(), 55.0, NOW)
    assert one.session.level is not None
    assert one.session.level.source is LevelSource.CHARGER


def test_the_chargers_soc_does_not_overrule_the_vehicle() -> None:
    one = level.told_by_vehicle(slot(), 60.0, NOW)
    assert level.told_by_charger(one, 80.0, NOW) == one
    later = utc("11T00:00")
    stale = level.told_by_charger(one, 80.0, later).session.level
    assert stale is not None
    assert stale.source is LevelSource.CHARGER


def test_a_soc_that_jumps_without_energy_is_ignored() -> None:
    one = level.told_by_charger(slot(), 55.0, NOW)
    doubted = level.told_by_charger(one, 95.0, NOW)
    assert level.level_pct(doubted.session, doubted.vehicle) == 55.0
    other = level.told_by_charger(doubted, 11.0, NOW)
    assert level.level_pct(other.session, other.vehicle) == 55.0


def test_a_soc_that_is_told_again_is_believed_after_a_wrong_first_one() -> None:
    one = level.told_by_charger(level.told_by_charger(slot(), 90.0, NOW), 30.0, NOW)
    assert level.level_pct(one.session, one.vehicle) == 90.0
    one = level.told_by_charger(one, 31.0, NOW)
    assert level.level_pct(one.session, one.vehicle) == 31.0


def test_a_soc_of_a_car_that_is_not_trusted_to_the_charger_is_ignored() -> None:
    one = replace(slot(), vehicle=replace(slot().vehicle, level_from_charger=False))
    assert level.told_by_charger(one, 55.0, NOW) == one


def test_a_level_is_never_shown_before_it_is_reached() -> None:
    assert level.shown_pct(49.999) == 49
    assert level.shown_pct(49.9999999) == 50
