"""Several cars at one charger: told apart by card, by EVCCID or by their own telemetry; a guest is nobody's."""

from dataclasses import replace

import pytest

from chargerd.core.commands import SetCurrentLimit, StartTransaction
from chargerd.core.document import vehicles
from chargerd.core.events import AuthorizeRequested
from chargerd.core.ids import ReplyTo
from tests.support.home import GARAGE, Home, VehicleSpec
from tests.support.two_cars import CAR, OTHER_POLICY, VAN, TwoCars

CARDS = (("04:A2:B3:C4",), ("04ffee11", "aa-bb-cc-dd-ee-ff"))


@pytest.mark.parametrize("shown", ["04A2B3C4", "04:a2:b3:c4", "04-A2-B3-C4"])
def test_a_card_that_was_shown_before_the_plug_says_whose_car_it_is(shown: str) -> None:
    home = TwoCars(tokens=CARDS).until("10T22:10")
    home.shows(shown)
    home.until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.other["state"] == "UPCOMING"


def test_an_evccid_that_comes_with_the_transaction_says_whose_car_it_is() -> None:
    home = TwoCars(tokens=CARDS).until("10T22:15").plug()
    assert home.doc["state"] == home.other["state"] == "UPCOMING", "a minute is left for evidence"
    home.until("10T22:15:20").start_box("AA:BB:CC:DD:EE:FF")
    assert home.doc["state"] == "UPCOMING"
    assert home.other["state"] == "ACTIVE:REGULAR"
    assert home.other["pluggedInAt"] == "2025-06-10T22:15:00Z"


def test_what_flowed_while_nobody_knew_whose_car_it_was_is_counted() -> None:
    home = TwoCars(tokens=CARDS).until("10T22:15").plug().start_box("chargerd").until("10T22:15:30")
    assert home.doc["state"] == home.other["state"] == "UPCOMING"
    home.sample()
    home.shows("04ffee11")
    home.until("10T22:18").unplug().until("10T22:25")
    (visit,) = home.settled
    assert visit.policy_id == OTHER_POLICY
    assert visit.document["statistics"]["aggregated"]["kwhSum"] * 1000 == round(home.box.register) - 100_000


def test_the_first_policy_holds_a_car_that_nothing_tells_of() -> None:
    home = TwoCars().until("10T22:15").plug().until("10T22:15:59")
    assert home.doc["state"] == "UPCOMING"
    home.until("10T22:16")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    assert home.other["state"] == "UPCOMING"


def test_a_car_that_says_that_it_was_plugged_in_is_the_one() -> None:
    home = TwoCars().until("10T22:15").plug().until("10T22:15:30")
    home.hears(VAN, plugged=True, at_home=True, level_pct=55.0)
    assert home.doc["state"] == "UPCOMING"
    assert home.other["state"] == "ACTIVE:REGULAR"
    assert home.other["statistics"]["aggregated"]["batteryFrom"] == 55


def test_a_car_that_is_known_to_be_elsewhere_is_not_the_one() -> None:
    home = TwoCars().until("10T22:15").plug().until("10T22:20")
    assert home.doc["state"] == "ACTIVE:REGULAR"
    home.until("10T22:26")
    home.hears(CAR, plugged=False, at_home=False)
    assert home.doc["state"] == "ACTIVE:REGULAR", "the van is only what is left, and has not said a word"
    home.hears(VAN, plugged=True)
    assert home.doc["state"] == "UPCOMING"
    assert home.other["state"] == "ACTIVE:REGULAR"
    assert home.other["pluggedInAt"] == "2025-06-10T22:15:00Z"


def test_a_visit_that_turns_out_to_be_the_other_cars_is_handed_over_with_its_energy() -> None:
    home = TwoCars(reserve=50, tokens=CARDS).until("10T22:15").plug().until("10T22:30")
    assert home.doc["state"] == "ACTIVE:BATTERY_RESERVE"
    before = home.doc["statistics"]["aggregated"]["kwhSum"]
    assert before > 2
    home.shows("04ffee11")
    assert home.doc["state"] == "UPCOMING"
    assert home.doc["statistics"] == {"aggregated": None, "timeseries": []}
    assert home.doc["target"]["latest"]["id"] == 1
    assert home.other["statistics"]["aggregated"]["kwhSum"] == before
    assert "session.handed_over" in home.notes()
    home.until("11T05:55").unplug().until("11T06:05")
    (visit,) = home.settled
    assert visit.policy_id == OTHER_POLICY
    assert visit.vehicle_id == VAN
    total = visit.document["statistics"]["aggregated"]["kwhSum"]
    assert total * 1000 == round(home.box.register) - 100_000
    assert sum(block["kwhSum"] for block in visit.document["blocks"]) == pytest.approx(total)


def test_a_card_of_nobody_is_a_guests_where_all_cars_have_cards() -> None:
    home = TwoCars(tokens=CARDS).until("10T22:10")
    home.shows("0badcafe")
    home.until("10T22:15").plug().start_box("0badcafe").until("10T23:00")
    assert home.doc["state"] == home.other["state"] == "UPCOMING"
    assert not [limit for limit in home.sent(SetCurrentLimit) if limit.limit_a == 0], "a guest is free to charge"
    home.unplug().until("10T23:05")
    (visit,) = home.settled
    assert visit.policy_id is None
    assert visit.vehicle_id is None
    assert visit.document["blocks"] == []
    assert visit.document["statistics"]["aggregated"]["kwhSum"] == 8.25


def test_any_card_will_do_where_a_car_has_none() -> None:
    home = TwoCars(tokens=((), ("04ffee11",))).until("10T22:15").plug().start_box("whoever").until("10T22:16")
    assert home.doc["state"] == "ACTIVE:REGULAR"


def test_a_card_does_for_one_visit() -> None:
    home = TwoCars(tokens=CARDS).until("10T22:10")
    home.shows("04ffee11")
    home.until("10T22:15").plug().until("10T22:17").unplug().until("10T22:20")
    assert [visit.policy_id for visit in home.settled] == [OTHER_POLICY]
    home.plug().until("10T22:21")
    assert home.doc["state"] == "ACTIVE:REGULAR", "nobody showed a card this time: it is the first policy's"


def test_a_card_from_an_hour_ago_says_nothing() -> None:
    home = TwoCars(tokens=CARDS).until("10T21:10")
    home.shows("04ffee11")
    home.until("10T22:15").plug().until("10T22:16")
    assert home.other["state"] == "UPCOMING"


class Alone(Home):
    """One car with a card of its own."""

    def vehicle(self) -> VehicleSpec:
        car = super().vehicle()
        return VehicleSpec(
            vehicle_id=car.vehicle_id,
            battery_wh=car.battery_wh,
            charge_max_w=car.charge_max_w,
            id_tokens=("04a2b3c4",),
        )


def test_a_guest_at_the_only_cars_charger_is_measured_and_the_policy_goes_on_waiting() -> None:
    home = Alone().until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:REGULAR", "there is only one car to wait for"
    home.start_box("0badcafe")
    assert home.doc["state"] == "UPCOMING"
    home.until("11T01:30")
    assert not home.sent(StartTransaction)
    home.unplug().until("11T01:35")
    (visit,) = home.settled
    assert visit.policy_id is None
    assert visit.document["statistics"]["aggregated"]["kwhSum"] * 1000 == round(home.box.register) - 100_000


def test_a_guest_that_turns_out_to_be_the_car_after_all_is_the_policys() -> None:
    home = Alone().until("10T22:15").plug().start_box("0badcafe").until("10T22:30")
    assert home.doc["state"] == "UPCOMING"
    home.tell(AuthorizeRequested(charger_id=GARAGE, id_token="04A2B3C4", reply_to=ReplyTo("card")))
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-06-10T22:15:00Z"
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == 2.75
    home.until("11T06:50").unplug().until("11T06:55")
    (visit,) = home.settled
    assert visit.document["statistics"]["aggregated"]["kwhSum"] * 1000 == round(home.box.register) - 100_000


def test_the_vehicles_tell_where_they_are() -> None:
    home = TwoCars().until("10T22:00")
    home.hears(CAR, level_pct=40.0, plugged=False, at_home=False)
    assert [(car["id"], car["batteryLevel"], car["isPluggedIn"], car["at"]) for car in vehicles(home.state)] == [
        ("car", 40, False, None),
        ("van", None, None, None),
    ]
    home.until("10T22:15").plug().until("10T22:16")
    car = next(car for car in vehicles(home.state) if car["id"] == "car")
    assert (car["isPluggedIn"], car["isAtHome"], car["at"], car["isCharging"]) == (True, True, "garage", False)
    home.tell(replace(home.configuration(), policies=()))
    assert [car["id"] for car in vehicles(home.state)] == ["car", "van"], "followed without a policy"
