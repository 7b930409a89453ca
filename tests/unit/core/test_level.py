"""Which source of the battery level counts, and which does not."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chargerd.core import level
from chargerd.core.model import Level, LevelSource, Session, Slot, VehicleFacts
from tests.support.home import utc
from tests.unit.core import partition
from tests.unit.core.partition import NOW, known, spec

VEHICLE, CHARGER, ASSUMED = LevelSource.VEHICLE, LevelSource.CHARGER, LevelSource.ASSUMED
SIX_KWH = 6_667
"""Energy at the meter that raises the level by ten points."""


def slot(*, assumed: int | None = 35, facts: VehicleFacts | None = None, plugged: bool = True) -> Slot:
    """A car at plug-in; its charger's SoC is trusted."""
    made = partition.slot(
        plugged_at=NOW if plugged else None, facts=facts, vehicle=spec(level_from_charger=True), assumed=assumed
    )
    at_first = level.at_plug_in(made, NOW)
    from_pct = None if at_first is None else at_first.pct
    return replace(made, session=replace(made.session, level=at_first, level_from_pct=from_pct))


def charged(one: Slot, wh: int) -> Slot:
    return replace(one, session=replace(one.session, ledger=replace(one.session.ledger, total_wh=wh)))


def pct(one: Slot) -> float | None:
    return level.level_pct(one.session, one.vehicle)


def by_vehicle(one: Slot, *pcts: float, at: datetime = NOW) -> Slot:
    for told in pcts:
        one = level.told_by_vehicle(one, told, at)
    return one


def by_charger(one: Slot, *pcts: float, at: datetime = NOW) -> Slot:
    for told in pcts:
        one = level.told_by_charger(one, told, at)
    return one


# Arithmetic


def test_nothing_known_is_unknown_and_not_zero() -> None:
    assert pct(slot(assumed=None)) is None


def test_delivered_energy_raises_the_level_up_to_full() -> None:
    assert pct(charged(slot(), 20_000)) == pytest.approx(65)
    assert pct(charged(slot(), 90_000)) == 100
    later = replace(slot().session, level=known(35, wh=15_000))
    assert pct(charged(replace(slot(), session=later), 20_000)) == pytest.approx(42.5), "what flowed since"


def test_energy_at_the_meter_and_points_in_the_battery() -> None:
    assert level.gained_pct(10_000, spec()) == pytest.approx(15)
    assert level.needed_wh(20, 35, spec()) == 10_000
    assert level.needed_wh(35, 35, spec()) == level.needed_wh(35, 20, spec()) == 0
    assert level.needed_wh(20, 20.001, spec()) == 1


@pytest.mark.parametrize(("exact", "shown"), [(49.999, 49), (49.999_999_9, 50), (50.0, 50), (0.0, 0), (100.0, 100)])
def test_a_level_is_never_shown_before_it_is_reached(exact: float, shown: int) -> None:
    assert level.shown_pct(exact) == shown


# At plug-in


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param("10T21:00", Level(pct=77, session_wh=0, at=utc("10T21:00"), source=VEHICLE), id="an-hour-old"),
        pytest.param("10T20:59:59", Level(pct=35, session_wh=0, at=NOW, source=ASSUMED), id="stale"),
        pytest.param(None, Level(pct=35, session_wh=0, at=NOW, source=ASSUMED), id="undated"),
    ],
)
def test_fresh_telemetry_goes_before_the_assumption(told: str | None, expected: Level) -> None:
    facts = VehicleFacts(level_pct=77, level_at=None if told is None else utc(told))
    assert level.at_plug_in(slot(facts=facts), NOW) == expected


def test_without_telemetry_and_without_an_assumption_there_is_no_level() -> None:
    assert level.at_plug_in(slot(assumed=None, facts=VehicleFacts(level_at=NOW)), NOW) is None
    assert level.at_plug_in(slot(assumed=0), NOW) == Level(pct=0, session_wh=0, at=NOW, source=ASSUMED)


@pytest.mark.parametrize(
    ("told_pct", "at", "credible"),
    [
        pytest.param(0, "10T22:00", True, id="empty"),
        pytest.param(100, "10T22:00", True, id="full"),
        pytest.param(-0.1, "10T22:00", False, id="less-than-empty"),
        pytest.param(100.1, "10T22:00", False, id="more-than-full"),
        pytest.param(65_535, "10T22:00", False, id="no-value"),
        pytest.param(50, "10T21:30", True, id="as-old-as-the-last"),
        pytest.param(50, "10T21:29:59", False, id="overtaken"),
    ],
)
def test_what_a_vehicle_says_can_be_true_of_now(told_pct: float, at: str, credible: bool) -> None:
    one = slot(facts=VehicleFacts(level_at=utc("10T21:30")))
    assert level.is_credible(one, told_pct, utc(at), NOW) is credible


@pytest.mark.parametrize(("at", "credible"), [("10T21:00", True), ("10T20:59:59", False)])
def test_a_level_is_good_for_an_hour(at: str, credible: bool) -> None:
    assert level.is_credible(slot(), 50, utc(at), NOW) is credible


@pytest.mark.parametrize(
    ("car", "assumed", "session", "facts", "found"),
    [
        pytest.param({}, None, {}, {}, False, id="nothing"),
        pytest.param({"level_from_charger": True}, None, {}, {}, True, id="the-chargers-soc"),
        pytest.param({}, 0, {}, {}, True, id="an-assumption"),
        pytest.param({}, None, {"level": known(50)}, {}, True, id="a-level-in-the-visit"),
        pytest.param({}, None, {}, {"level_at": NOW - timedelta(days=7)}, True, id="telemetry-of-a-week-ago"),
        pytest.param({}, None, {}, {"level_at": NOW - timedelta(days=7, seconds=1)}, False, id="silent-telemetry"),
    ],
)
def test_what_can_be_expected_to_tell_a_level(
    car: dict[str, Any], assumed: int | None, session: dict[str, Any], facts: dict[str, Any], found: bool
) -> None:
    one = partition.slot(vehicle=spec(**car), assumed=assumed, facts=VehicleFacts(**facts), **session)
    assert level.has_source(one, NOW) is found


# The vehicle's word


def test_the_vehicles_word_replaces_the_assumption_from_the_start() -> None:
    one = by_vehicle(charged(slot(), 20_000), 60)
    assert one.session.level == Level(pct=60, session_wh=20_000, at=NOW, source=VEHICLE)
    assert one.session.level_from_pct == pytest.approx(30)
    assert one.session.level_first == one.session.level
    again = by_vehicle(charged(one, 40_000), 88)
    assert again.session.level_from_pct == pytest.approx(30), "what was at plug-in does not change twice"
    assert again.session.level_first == one.session.level
    assert pct(again) == 88


def test_what_was_at_plug_in_is_not_less_than_empty() -> None:
    assert by_vehicle(charged(slot(), 20_000), 10).session.level_from_pct == 0


def test_the_vehicles_word_tells_what_was_at_plug_in_where_nothing_was_known() -> None:
    one = by_vehicle(charged(slot(assumed=None), 20_000), 60)
    assert one.session.level_from_pct == pytest.approx(30)
    known_at_once = replace(slot(assumed=None).session, level_from_pct=12.0)
    one = by_vehicle(charged(replace(slot(), session=known_at_once), 20_000), 60)
    assert one.session.level_from_pct == pytest.approx(30)
    nobody_said = replace(slot().session, level=known(50), level_from_pct=None)
    one = by_vehicle(charged(replace(slot(), session=nobody_said), 20_000), 60)
    assert one.session.level_from_pct == pytest.approx(30)


@pytest.mark.parametrize("changes", [{"plugged_in_at": None}, {"unplugged_at": NOW}], ids=["before", "after"])
def test_the_vehicles_word_outside_a_visit_is_kept_for_the_next(changes: dict[str, Any]) -> None:
    one = slot()
    one = replace(one, session=replace(one.session, level=known(20), **changes))
    told = by_vehicle(one, 60)
    assert (told.facts.level_pct, told.facts.level_at) == (60, NOW)
    assert told.session == one.session, "a jump while driving is none"


@pytest.mark.parametrize(
    ("told", "believed"),
    [
        pytest.param(60, True, id="thirty-points-up"),
        pytest.param(60.1, False, id="more"),
        pytest.param(0.1, True, id="down"),
    ],
)
def test_a_vehicles_level_that_jumps_without_energy_is_doubted(told: float, believed: bool) -> None:
    one = by_vehicle(by_vehicle(slot(), 30), told)
    assert pct(one) == (told if believed else 30)
    assert one.facts.doubted_pct == (None if believed else told)
    assert one.facts.level_pct == (told if believed else 30)


def test_a_vehicles_level_that_falls_too_far_is_doubted() -> None:
    assert pct(by_vehicle(slot(), 80, 50)) == 50
    assert pct(by_vehicle(slot(), 80, 49.9)) == 80


def test_energy_that_flowed_explains_a_jump() -> None:
    one = charged(by_vehicle(slot(), 30), 4 * SIX_KWH)
    assert pct(by_vehicle(one, 95)) == 95
    assert pct(by_vehicle(one, 30)) == pytest.approx(70, abs=0.1), "it should be at 70"


@pytest.mark.parametrize(
    ("again", "believed"),
    [
        pytest.param(90, True, id="the-same"),
        pytest.param(100, True, id="ten-points-more"),
        pytest.param(80, True, id="ten-points-less"),
        pytest.param(79.9, False, id="another-one"),
    ],
)
def test_a_vehicles_level_that_is_told_again_is_believed(again: float, believed: bool) -> None:
    one = by_vehicle(slot(), 30, 90, again)
    assert pct(one) == (again if believed else 30)
    assert one.facts.doubted_pct == (None if believed else again)


def test_an_assumption_is_no_reason_to_doubt_a_vehicle() -> None:
    assert pct(by_vehicle(slot(), 95)) == 95
    assert pct(by_vehicle(slot(assumed=None), 95)) == 95


def test_zero_told_once_is_a_fault_of_the_telemetry() -> None:
    one = slot(facts=VehicleFacts(level_pct=20, level_at=utc("10T20:00")))
    assert pct(by_vehicle(one, 0)) == 35
    assert by_vehicle(one, 0).facts.level_pct == 20
    assert pct(by_vehicle(one, 0, 0)) == 0
    assert pct(by_vehicle(slot(), 80, 0, 0)) == 0, "a jump that is told twice"


# The charger's SoC


def test_the_chargers_soc_serves_where_the_vehicle_is_silent() -> None:
    assert by_charger(slot(), 55).session.level == Level(pct=55, session_wh=0, at=NOW, source=CHARGER)
    assert by_charger(slot(assumed=None), 55).session.level_from_pct == 55


@pytest.mark.parametrize("soc", [0.0, -1.0, 100.1, 65_535.0])
def test_an_impossible_soc_is_ignored(soc: float) -> None:
    assert by_charger(slot(), soc) == slot()


@pytest.mark.parametrize("soc", [0.5, 100.0])
def test_a_soc_from_nearly_empty_to_full_is_taken(soc: float) -> None:
    assert pct(by_charger(slot(), soc)) == soc


def test_a_soc_of_a_car_that_is_not_trusted_to_the_charger_is_ignored() -> None:
    one = replace(slot(), vehicle=spec())
    assert by_charger(one, 55) == one


@pytest.mark.parametrize(("at", "overrules"), [("10T23:00", False), ("10T23:00:01", True)])
def test_the_chargers_soc_does_not_overrule_a_vehicle_that_told_its_level_lately(at: str, overrules: bool) -> None:
    one = by_vehicle(slot(), 60)
    assert pct(by_charger(one, 80, at=utc(at))) == (80 if overrules else 60)
    assert pct(by_charger(one, 99, at=utc("11T00:00"))) == 99, "that is no jump: it is another source"


@pytest.mark.parametrize(
    ("soc", "believed"),
    [(85, True), (85.1, False), (25, True), (24.9, False)],
)
def test_a_soc_that_jumps_without_energy_is_doubted(soc: float, believed: bool) -> None:
    one = by_charger(slot(), 55, soc)
    assert pct(one) == (soc if believed else 55)
    assert one.session.level is not None
    assert one.session.level.doubted_pct == (None if believed else soc)


@pytest.mark.parametrize(
    ("again", "believed"),
    [(20, True), (30, True), (10, True), (9.9, False), (30.1, False)],
)
def test_a_soc_that_is_told_again_is_believed_after_a_wrong_first_one(again: float, believed: bool) -> None:
    one = by_charger(slot(), 90, 20, again)
    assert pct(one) == (again if believed else 90)


def test_a_soc_is_expected_to_rise_with_what_flows() -> None:
    one = charged(by_charger(slot(), 30), 4 * SIX_KWH)
    assert pct(by_charger(one, 95)) == 95
    assert pct(by_charger(one, 30)) == pytest.approx(70, abs=0.1)


def test_each_source_tells_what_the_visit_began_with() -> None:
    """Two levels of one source are needed to learn from; the first of each begins anew."""
    one = charged(by_charger(slot(), 40), SIX_KWH)
    first = one.session.level_first
    one = charged(by_charger(one, 52), 2 * SIX_KWH)
    assert one.session.level_first == first
    one = by_vehicle(one, 61)
    assert one.session.level_first == one.session.level == Level(pct=61, session_wh=2 * SIX_KWH, at=NOW, source=VEHICLE)
    assert one.session.level_from_pct == 40, "told by a real source"


def test_a_level_is_taken_from_an_instant_on() -> None:
    visit: Session = charged(slot(), 500).session
    anchored = level.anchored(visit, spec(), 44, NOW, CHARGER)
    assert level.level_pct(anchored, spec()) == 44


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        pytest.param(49.9, 49, id="rounded-down"),
        pytest.param(49.999_998_95, 49, id="more-than-a-millionth-below"),
        pytest.param(49.999_999_05, 50, id="a-millionth-below-is-rounding"),
        pytest.param(50.0, 50, id="whole"),
        pytest.param(0.0, 0, id="empty"),
    ],
)
def test_a_level_is_shown_once_it_is_reached(exact: float, shown: int) -> None:
    assert level.shown_pct(exact) == shown
