"""Visits elsewhere, as the vehicle's own telemetry tells them."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chargerd.core import away, ledger
from chargerd.core.commands import StoreSettled
from chargerd.core.events import VehicleReported
from chargerd.core.ids import SessionId, VehicleId
from chargerd.core.model import Car, ChargerFacts, Session, State, VehicleFacts
from tests.support.home import GARAGE, utc
from tests.unit.core.partition import known, slot, spec, state

CAR, OTHER = VehicleId("car"), VehicleId("other")
GUEST = Session(session_id=SessionId("g"), policy_id=None, plugged_in_at=utc("10T21:00"))


def world(**changes: Any) -> State:
    """A charger with the policy of another car, that follows our car's visits elsewhere."""
    return state(slot("other"), cars=(Car(vehicle=spec("third")), Car(vehicle=spec())), **changes)


def tell(whole: State, at: str, *, now: str | None = None, **told: Any) -> tuple[State, StoreSettled | None]:
    event = VehicleReported(vehicle_id=CAR, measured_at=utc(at), **told)
    whole, commands = away.reported(whole, event, utc(now or at))
    assert len(commands) <= 1
    for command in commands:
        assert isinstance(command, StoreSettled)
        return whole, command
    return whole, None


def opened(whole: State, at: str = "10T22:00", **told: Any) -> State:
    """It charges elsewhere since then."""
    return tell(whole, at, **{"charging": True, "at_home": False} | told)[0]


def visit_of(whole: State) -> Session | None:
    return whole.cars[1].visit


def began(whole: State) -> datetime | None:
    visit = visit_of(whole)
    return None if visit is None else visit.plugged_in_at


def settle(whole: State, now: str) -> tuple[State, list[StoreSettled]]:
    whole, commands = away.followed(whole, utc(now))
    return whole, [command for command in commands if isinstance(command, StoreSettled)]


def wh_of(store: StoreSettled | None) -> int:
    assert store is not None
    return sum(row["wh"] for row in store.ledger)


# Beginning


def test_a_car_that_charges_elsewhere_has_a_visit_there() -> None:
    whole = opened(world())
    visit = visit_of(whole)
    assert visit is not None
    assert (visit.policy_id, visit.plugged_in_at, visit.ledger.total_wh) == (None, utc("10T22:00"), 0)
    assert whole.sessions_made == 1
    assert whole.cars[0] == world().cars[0], "no other car has one"
    assert visit.session_id not in {s.session.session_id for s in whole.slots}


def test_a_visit_began_when_the_car_was_plugged_in() -> None:
    whole, _ = tell(world(), "10T21:40", plugged=True, at_home=False)
    assert visit_of(whole) is None, "it does not charge yet"
    assert began(opened(whole)) == utc("10T21:40")
    whole, _ = tell(whole, "10T21:45", plugged=False)
    assert began(opened(whole)) == utc("10T22:00"), "that plug was out again"
    assert began(opened(world(), plugged=True)) == utc("10T22:00")


def test_a_visit_begins_on_a_whole_second() -> None:
    event = VehicleReported(
        vehicle_id=CAR, measured_at=utc("10T22:00").replace(microsecond=700_000), charging=True, at_home=False
    )
    whole, _ = away.reported(world(), event, utc("10T22:01"))
    assert began(whole) == utc("10T22:00")


def test_a_visit_ends_on_a_whole_second() -> None:
    _, store = tell(opened(world()), "10T22:10:00.700", plugged=False)
    assert store is not None
    assert store.plugged_out_at == utc("10T22:10")


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"charging": False, "at_home": False}, id="not-charging"),
        pytest.param({"plugged": True, "at_home": False}, id="no-word-of-charging"),
        pytest.param({"charging": True, "at_home": True}, id="at-home"),
        pytest.param({"charging": True, "visits": GARAGE}, id="at-a-charger-of-ours"),
    ],
)
def test_what_is_no_visit_elsewhere(told: dict[str, Any]) -> None:
    assert visit_of(tell(world(), "10T22:00", **told)[0]) is None


@pytest.mark.parametrize(
    ("changes", "elsewhere"),
    [
        pytest.param({}, True, id="nobody-is-plugged-in"),
        pytest.param({"facts": ChargerFacts(plugged=False)}, True, id="unplugged"),
        pytest.param({"facts": ChargerFacts(plugged=True)}, False, id="somebody-is-plugged-in"),
        pytest.param({"guest": GUEST}, False, id="a-guest"),
        pytest.param({"slots": (slot("other", plugged_at=utc("10T21:00")),)}, True, id="another-car"),
        pytest.param({"slots": (slot("car", plugged_at=utc("10T21:00")),)}, False, id="the-car"),
        pytest.param(
            {"slots": (slot("other", plugged_at=utc("10T21:00")),), "guest": GUEST},
            True,
            id="another-car-though-a-guest-was",
        ),
    ],
)
def test_a_car_that_does_not_tell_where_it_is_charges_elsewhere_if_it_cannot_be_here(
    changes: dict[str, Any], elsewhere: bool
) -> None:
    whole = replace(world(), **changes)
    assert away.may_hold(whole, CAR) is not elsewhere
    assert (visit_of(tell(whole, "10T22:00", charging=True)[0]) is not None) is elsewhere
    assert visit_of(opened(whole)) is not None, "its own word that it is away goes before"


def test_the_visit_of_a_car_that_is_not_followed_here_is_somebody_elses() -> None:
    event = VehicleReported(vehicle_id=OTHER, charging=True, at_home=False)
    assert away.reported(world(), event, utc("10T22:00")) == (world(), ())


@pytest.mark.parametrize(("at", "ends"), [("10T22:09:59", False), ("10T22:10", True)])
def test_a_report_that_was_overtaken_says_nothing(at: str, ends: bool) -> None:
    before, _ = tell(opened(world()), "10T22:10", charging=True, level_pct=40.0)
    whole, store = tell(before, at, now="10T22:20", plugged=False, level_pct=60.0)
    assert (store is not None) is ends
    assert (whole == before) is not ends


# Energy


def test_energy_is_integrated_from_the_power_told() -> None:
    whole = opened(world(), power_w=6000.0)
    whole, _ = tell(whole, "10T22:10", power_w=6000.0)
    whole, store = tell(whole, "10T22:20", power_w=0.0, plugged=False)
    assert wh_of(store) == 1500
    assert store is not None
    assert [(row["wh"], row["quality"]) for row in store.ledger] == [(1250, "estimated"), (250, "estimated")]


def test_a_car_that_stops_charging_draws_nothing_though_it_tells_no_power() -> None:
    whole = opened(world(), power_w=6000.0, plugged=True)
    whole, _ = tell(whole, "10T22:10", charging=False)
    whole, store = tell(whole, "10T22:20", plugged=False)
    assert wh_of(store) == 500, "half of the stretch in which it stopped"


def test_levels_are_those_that_the_car_told() -> None:
    whole = opened(world(), level_pct=40.0)
    assert (visit := visit_of(whole)) is not None
    assert visit.level == visit.level_first == known(40)
    assert (visit := visit_of(tell(whole, "10T22:10", level_pct=43.0, power_w=9000)[0])) is not None
    assert (visit.level, visit.level_first) == (known(43, at=utc("10T22:10")), known(40))


def test_power_that_is_told_later_counts_from_then() -> None:
    whole = opened(world())
    whole, _ = tell(whole, "10T22:10", power_w=6000.0)
    whole, store = tell(whole, "10T22:20", power_w=6000.0, plugged=False)
    assert wh_of(store) == 1000


def test_where_no_power_is_told_energy_follows_from_the_level_that_rose() -> None:
    whole = opened(world(), level_pct=40.0)
    whole, _ = tell(whole, "10T22:10", level_pct=43.0)
    whole, store = tell(whole, "10T22:20", level_pct=46.0, charging=False)
    assert wh_of(store) == 4000, "six points of 60 kWh, a tenth lost"
    assert store is not None
    assert [row["wh"] for row in store.ledger] == [3000, 1000]
    assert {row["quality"] for row in store.ledger} == {"estimated"}


def test_a_level_told_beside_power_counts_nothing_twice() -> None:
    whole = opened(world(), level_pct=40.0, power_w=6000.0)
    whole, store = tell(whole, "10T22:10", level_pct=60.0, power_w=6000.0, plugged=False)
    assert wh_of(store) == 1000


def test_a_level_alone_begins_to_count_with_the_second_one() -> None:
    whole = opened(world())
    whole, _ = tell(whole, "10T22:10", level_pct=43.0)
    whole, store = tell(whole, "10T22:20", level_pct=46.0, plugged=False)
    assert wh_of(store) == 2000


def test_a_car_that_tells_its_power_late_drew_nothing_that_is_known_before() -> None:
    whole = opened(world(), plugged=True)
    whole, _ = tell(whole, "10T22:10", charging=False)
    whole, _ = tell(whole, "10T22:20", charging=True, power_w=6000.0)
    assert wh_of(tell(whole, "10T22:30", power_w=6000.0, plugged=False)[1]) == 1000


def test_a_car_may_be_charged_from_empty_to_full() -> None:
    whole = opened(world(), level_pct=0.0)
    whole, store = tell(whole, "10T22:10", level_pct=100.0, plugged=False)
    assert wh_of(store) == 66_667
    assert store is not None
    assert store.document["statistics"]["aggregated"]["batteryTo"] == 100


@pytest.mark.parametrize("pct", [65_535.0, 100.1, -1.0, 0.0], ids=["no-value", "over", "under", "asleep"])
def test_a_level_that_cannot_be_counts_nothing(pct: float) -> None:
    whole = opened(world(), level_pct=40.0)
    whole, _ = tell(whole, "10T22:10", level_pct=pct)
    whole, store = tell(whole, "10T22:20", level_pct=43.0, plugged=False)
    assert wh_of(store) == 2000
    assert store is not None
    assert store.document["statistics"]["aggregated"] == {"kwhSum": 2.0, "batteryFrom": 40, "batteryTo": 43}


def test_a_car_that_reports_each_half_hour_has_charged_all_the_same() -> None:
    whole = opened(world(), level_pct=40.0, power_w=11_000.0)
    whole, _ = tell(whole, "10T22:30", level_pct=48.0, power_w=11_000.0)
    whole, store = tell(whole, "10T23:00", level_pct=56.0, power_w=11_000.0, plugged=False)
    assert wh_of(store) == pytest.approx(11_000, rel=0.1), "11 kW for an hour, and 16 points"


@pytest.mark.parametrize(
    ("at", "wh"), [pytest.param("10T23:00", 11_000, id="an-hour"), pytest.param("10T23:00:01", 0, id="longer")]
)
def test_telemetry_that_is_silent_for_longer_than_an_hour_leaves_a_gap(at: str, wh: int) -> None:
    whole = opened(world(), power_w=11_000.0)
    assert wh_of(tell(whole, at, power_w=11_000.0, plugged=False)[1]) == wh


def test_power_that_was_told_in_another_visit_says_nothing_of_this_one() -> None:
    whole = opened(world(), power_w=7000.0, plugged=True)
    whole, first = tell(whole, "10T22:10", power_w=7000.0, charging=False, plugged=False)
    assert first is not None
    whole = opened(whole, "10T23:00", plugged=True)
    assert wh_of(tell(whole, "10T23:10", charging=True, plugged=False)[1]) == 0
    whole, _ = tell(whole, "10T23:10", charging=True)
    assert wh_of(tell(whole, "10T23:20", charging=True, plugged=False)[1]) == 0


def test_the_fastest_public_charger_is_believed() -> None:
    whole = opened(world(), power_w=400_000.0)
    assert wh_of(tell(whole, "10T22:06", power_w=400_000.0, plugged=False)[1]) == 40_000


# Ending


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        pytest.param({"at_home": True}, True, id="home"),
        pytest.param({"plugged": False}, True, id="unplugged"),
        pytest.param({"charging": False}, True, id="not-charging-and-no-word-of-a-plug"),
        pytest.param({"charging": False, "plugged": True}, False, id="plugged-and-not-charging"),
        pytest.param({"charging": True}, False, id="goes-on"),
        pytest.param({"visits": GARAGE}, False, id="away-by-its-own-word"),
    ],
)
def test_what_ends_a_visit_elsewhere(told: dict[str, Any], ends: bool) -> None:
    whole, store = tell(opened(world()), "10T22:10", **told)
    assert (store is not None) is ends
    assert (visit_of(whole) is None) is ends


def test_a_car_of_which_nobody_knows_where_it_is_ends_its_visit_where_a_charger_of_ours_holds_it() -> None:
    whole, _ = tell(world(), "10T22:00", charging=True)
    assert tell(whole, "10T22:10", charging=True, visits=GARAGE)[1] is not None
    here = replace(whole, facts=ChargerFacts(plugged=True))
    assert tell(here, "10T22:10", charging=True)[1] is not None


def test_a_visit_elsewhere_goes_out_as_an_unmanaged_session() -> None:
    whole = opened(world(), level_pct=40.0, power_w=6000.0, plugged=True)
    visit = visit_of(whole)
    assert visit is not None
    whole, store = tell(whole, "10T22:10", level_pct=41.0, power_w=6000.0, plugged=False)
    assert store is not None
    assert (store.session_id, store.policy_id, store.charger_id) == (visit.session_id, None, None)
    assert (store.vehicle_id, store.plugged_in_at, store.plugged_out_at) == (CAR, utc("10T22:00"), utc("10T22:10"))
    doc = store.document
    assert (doc["state"], doc["policyId"], doc["blocks"]) == ("SETTLED", None, [])
    assert (doc["target"], doc["outcome"]) == ({"latest": None}, {"latest": None})
    assert doc["statistics"]["aggregated"] == {"kwhSum": 1.0, "batteryFrom": 40, "batteryTo": 41}
    assert doc["statistics"]["timeseries"] == [{"startAt": "2025-06-10T22:00:00Z", "kwh": 6.0}]
    assert visit_of(opened(whole, "10T22:20")) is not None, "and the next may begin"


def test_a_visit_that_nothing_was_seen_of_is_none() -> None:
    assert tell(opened(world()), "10T22:00", now="10T22:05", plugged=False)[1] is None
    assert tell(opened(world()), "10T22:00:01", now="10T22:05", plugged=False)[1] is not None


@pytest.mark.parametrize(("now", "ends"), [("11T22:09:59", False), ("11T22:10", True)])
def test_a_day_of_silence_ends_a_visit_when_it_was_last_told_of(now: str, ends: bool) -> None:
    whole, _ = tell(opened(world()), "10T22:10", charging=True)
    assert away.silent_at(whole) == (utc("11T22:10"),)
    after, stores = settle(whole, now)
    assert [store.plugged_out_at for store in stores] == ([utc("10T22:10")] if ends else [])
    assert (after == whole) is not ends


def test_silence_ends_all_visits_that_it_ends() -> None:
    visit, facts = replace(GUEST, ledger=ledger.opened(utc("10T21:00"))), VehicleFacts(told_at=utc("10T22:10"))
    both = tuple(Car(vehicle=spec(name), facts=facts, visit=visit) for name in "ab")
    after, stores = settle(replace(world(), cars=both), "11T22:10")
    assert [store.vehicle_id for store in stores] == ["a", "b"]
    assert away.silent_at(after) == ()


def test_nothing_ends_where_no_visit_goes_on() -> None:
    whole, _ = tell(world(), "10T22:00", charging=False)
    assert settle(whole, "12T22:00") == (whole, [])
    assert away.silent_at(whole) == ()
    untold = replace(world(), cars=(Car(vehicle=spec(), visit=GUEST),))
    assert settle(untold, "12T22:00") == (untold, [])
    assert away.silent_at(untold) == ()


def at_home(whole: State, plugged_at: str, name: str = "car") -> State:
    """A car is plugged in at our charger."""
    return replace(whole, slots=(slot(name, plugged_at=utc(plugged_at)),))


def test_a_plug_in_at_home_ends_a_visit_elsewhere_when_it_was_last_told_of() -> None:
    whole, _ = tell(opened(world()), "10T22:10", charging=True)
    after, stores = settle(at_home(whole, "10T23:00"), "10T23:00")
    assert visit_of(after) is None
    assert [store.plugged_out_at for store in stores] == [utc("10T22:10")]
    for plugged_at in ("10T23:00", "10T22:05"):
        other = at_home(whole, plugged_at, "other")
        assert settle(other, "10T23:00") == (other, []), "it is another car"


@pytest.mark.parametrize(
    ("plugged_at", "same"),
    [
        pytest.param("10T22:15", True, id="told-a-quarter-hour-before"),
        pytest.param("10T22:15:01", False, id="earlier"),
        pytest.param("10T21:30", True, id="told-after-it"),
    ],
)
def test_a_visit_that_began_with_a_plug_in_at_home_is_that_plug_in(plugged_at: str, same: bool) -> None:
    whole, _ = tell(opened(world()), "10T22:10", charging=True)
    after, stores = settle(at_home(whole, plugged_at), "10T22:20")
    assert visit_of(after) is None
    assert (stores == []) is same


def test_a_visit_of_which_only_the_beginning_was_told_is_the_plug_in_at_home() -> None:
    after, stores = settle(at_home(opened(world()), "10T23:00"), "10T23:00")
    assert (visit_of(after), stores) == (None, [])


def test_a_visit_covers_its_time_up_to_the_last_report() -> None:
    whole, _ = tell(opened(world()), "10T22:40", charging=True)
    visit = visit_of(whole)
    assert visit is not None
    assert visit.ledger.cells[-1].end == utc("10T22:45")
    assert visit.ledger.cells[0].end - visit.ledger.cells[0].start == timedelta(minutes=15)
