"""What counts as charging, and what the charger's words about its plug are worth."""

from dataclasses import replace

import pytest

from chargerd.core import evidence
from chargerd.core.events import Activity, ChargerBooted, SampleContext
from chargerd.core.model import ChargerFacts, Reading
from chargerd.core.units import PerPhase
from tests.support.home import GARAGE, utc
from tests.unit.core.telling import FRESH, NOW, charging, risen, running, sample, status

# The meter


@pytest.mark.parametrize(
    ("power", "flows"), [pytest.param(300, False, id="not-yet"), pytest.param(300.1, True, id="charging")]
)
def test_power_over_the_threshold_is_charging(power: float, flows: bool) -> None:
    facts = sample(FRESH, power=power)
    assert facts.charging is flows
    assert facts.charging_since == (NOW if flows else None)
    assert facts.present_at == NOW, "power under it still comes of a car"


def test_two_low_samples_in_a_row_end_charging_at_the_first() -> None:
    facts = sample(FRESH, power=9000)
    facts = sample(facts, "10T22:01", power=50)
    assert facts.charging, "one low sample is a dip"
    assert facts.stopped_at == utc("10T22:01")
    facts = sample(facts, "10T22:02", power=50)
    assert not facts.charging
    assert (facts.charging_since, facts.stopped_at) == (None, utc("10T22:01"))
    facts = sample(facts, "10T22:03", power=0)
    assert (facts.low_samples, facts.stopped_at) == (3, utc("10T22:01"))
    assert facts.present_at == NOW, "no power proves no car"


def test_charging_that_goes_on_forgets_a_dip() -> None:
    facts = sample(sample(sample(FRESH, power=9000), "10T22:01", power=0), "10T22:02", power=9000)
    assert (facts.stopped_at, facts.low_samples, facts.charging_since) == (None, 0, NOW)
    assert sample(facts, "10T22:03", power=0).charging


@pytest.mark.parametrize(
    ("power", "low"), [pytest.param(99.9, 1, id="none"), pytest.param(100, 0, id="neither-none-nor-charging")]
)
def test_power_between_the_thresholds_is_no_proof_of_either(power: float, low: int) -> None:
    assert sample(FRESH, power=power).low_samples == low
    facts = sample(sample(FRESH, power=9000), "10T22:01", power=0)
    facts = sample(facts, "10T22:02", power=power)
    assert facts.charging is (low == 0)
    assert facts.low_samples == 2 * low


@pytest.mark.parametrize(
    ("amps", "low"),
    [
        pytest.param(PerPhase(0.49, 0.4, 0.4), 1, id="all-under-half-an-ampere"),
        pytest.param(PerPhase(0.5, 0, 0), 0, id="first-phase"),
        pytest.param(PerPhase(0, 0.5, 0), 0, id="second-phase"),
        pytest.param(PerPhase(0, 0, 0.5), 0, id="third-phase"),
    ],
)
def test_where_only_currents_are_told_each_phase_counts(amps: PerPhase, low: int) -> None:
    assert sample(FRESH, amps=amps).low_samples == low
    assert sample(FRESH, power=250, amps=PerPhase()).low_samples == 0, "power told goes before"


def test_phase_currents_serve_where_power_is_not_told() -> None:
    facts = sample(FRESH, amps=PerPhase(10, 10, 10))
    assert facts.charging
    assert facts.reading == Reading(at=NOW, power_w=6900)


def test_power_told_goes_before_currents_and_these_before_the_register() -> None:
    slope = risen("10T21:50", "10T22:00", 2000)
    facts = sample(FRESH, power=5000, amps=PerPhase(10, 10, 10), slope=slope)
    assert facts.reading is not None
    assert (facts.reading.power_w, facts.charging_since) == (5000, NOW)
    facts = sample(FRESH, amps=PerPhase(10, 10, 10), slope=slope)
    assert facts.reading is not None
    assert facts.reading.power_w == 6900


def test_the_register_serves_where_nothing_else_is_told() -> None:
    facts = sample(FRESH, slope=risen("10T21:50", "10T22:00", 1000))
    assert facts.charging
    assert facts.charging_since == utc("10T21:50"), "it moved since then"
    assert facts.reading is not None
    assert facts.reading.power_w == 6000
    facts = sample(facts, "10T22:01", slope=risen("10T22:00", "10T22:01", 0))
    facts = sample(facts, "10T22:02", slope=risen("10T22:01", "10T22:02", 0))
    assert not facts.charging


@pytest.mark.parametrize(
    ("stopped", "charges"),
    [pytest.param("10T21:50", True, id="stopped-before"), pytest.param("10T21:50:01", False, id="stopped-in-it")],
)
def test_a_register_difference_from_before_the_stop_proves_nothing(stopped: str, charges: bool) -> None:
    facts = replace(FRESH, stopped_at=utc(stopped))
    assert sample(facts, slope=risen("10T21:50", "10T22:00", 1000)).charging is charges


def test_a_register_difference_of_an_instant_proves_nothing() -> None:
    facts = sample(FRESH, slope=risen("10T22:00", "10T22:00", 1000))
    assert (facts.charging, facts.low_samples, facts.present_at) == (False, 0, None)
    assert sample(FRESH).reading == Reading(at=NOW)


def test_a_reading_keeps_what_the_next_sample_does_not_tell() -> None:
    facts = sample(FRESH, register=5.5, soc=40, power=0)
    facts = sample(facts, "10T22:01", power=100)
    assert facts.reading == Reading(at=utc("10T22:01"), register_wh=5.5, power_w=100, soc_pct=40)
    facts = sample(facts, "10T22:02", register=6, soc=41)
    assert facts.reading == Reading(at=utc("10T22:02"), register_wh=6, soc_pct=41)
    assert facts.heard_at == utc("10T22:02")


def test_an_older_sample_than_the_last_is_history() -> None:
    facts = sample(FRESH, power=0)
    assert sample(facts, "10T21:59:59", power=11_000) == facts
    assert sample(facts, "10T22:00", power=11_000).charging, "one of the same instant is not"


def test_power_without_a_plug_is_a_plug_that_nobody_told_of() -> None:
    facts = sample(FRESH, "10T21:00", register=500, power=0)
    assert facts.plugged is None
    facts = sample(facts, "10T21:30", register=510, power=9000)
    assert (facts.plugged, facts.plugged_at) == (True, utc("10T21:30"))
    assert facts.plug_wh == 500, "the register before it"
    facts = sample(replace(FRESH, plug_wh=70), register=80, power=9000)
    assert facts.plug_wh == 70


def test_power_at_a_plug_that_is_known_leaves_it_as_it_is() -> None:
    facts = status(sample(FRESH, "10T21:00", register=500, power=0), "10T21:30", plugged=True)
    charging_now = sample(facts, "10T21:40", register=600, power=9000)
    assert (charging_now.plugged_at, charging_now.plug_wh) == (utc("10T21:30"), 500)


def test_the_first_register_told_with_a_car_is_that_of_plug_in_where_nothing_was_known() -> None:
    facts = sample(sample(status(FRESH, plugged=True), "10T22:01", power=0), "10T22:02", register=90, power=0)
    assert facts.plug_wh == 90
    assert sample(facts, "10T22:03", register=95, power=0).plug_wh == 90
    assert sample(FRESH, register=90, power=0).plug_wh is None, "nothing is plugged in"


@pytest.mark.parametrize(
    ("at", "charges"), [pytest.param("10T22:00", False, id="before"), pytest.param("10T22:00:01", True, id="after")]
)
def test_a_sample_from_before_plug_out_does_not_bring_the_car_back(at: str, charges: bool) -> None:
    facts = replace(FRESH, plugged=False, plugged_at=NOW)
    assert sample(facts, at, power=11_000).plugged is charges
    facts = replace(FRESH, plugged=True, plugged_at=NOW)
    assert sample(facts, at, power=11_000).charging, "a plug-in is no plug-out"
    assert sample(replace(FRESH, plugged=False), at, power=11_000).charging, "nobody said when"


@pytest.mark.parametrize(
    ("at", "charges"), [pytest.param("10T22:00", False, id="before"), pytest.param("10T22:00:01", True, id="after")]
)
def test_a_sample_from_before_the_charger_said_that_nothing_flows_proves_nothing(at: str, charges: bool) -> None:
    facts = replace(FRESH, activity=Activity.SUSPENDED_EV, activity_at=NOW)
    assert sample(facts, at, power=11_000).charging is charges
    facts = replace(FRESH, activity=Activity.CHARGING, activity_at=NOW)
    assert sample(facts, at, power=11_000).charging
    facts = replace(FRESH, activity=Activity.SUSPENDED_EV)
    assert sample(facts, at, power=11_000).charging, "nobody said when"


def test_the_last_sample_of_a_transaction_tells_what_was_and_not_what_goes_on() -> None:
    facts = sample(FRESH, power=9000, context=SampleContext.END, transaction="8")
    assert not facts.charging
    assert facts.transaction is None
    assert facts.reading == Reading(at=NOW, power_w=9000)


def test_the_first_sample_of_a_transaction_does_not_name_it() -> None:
    facts = sample(FRESH, power=9000, context=SampleContext.BEGIN, transaction="8")
    assert facts.transaction is None
    assert facts.charging


def test_a_register_reading_without_a_sample_is_kept_for_the_next_visit() -> None:
    told = evidence.register_told(FRESH, 90, NOW)
    assert told.reading == Reading(at=NOW, register_wh=90)
    told = replace(told, reading=Reading(at=NOW, register_wh=90, soc_pct=5))
    again = evidence.register_told(told, 95, utc("10T22:01"))
    assert again.reading == Reading(at=utc("10T22:01"), register_wh=95, soc_pct=5)
    assert evidence.register_told(again, 80, NOW) == again
    same_instant = evidence.register_told(again, 96, utc("10T22:01")).reading
    assert same_instant is not None
    assert same_instant.register_wh == 96


# The plug


def test_a_plug_is_in_since_it_was_told_and_stays_so() -> None:
    facts = status(replace(FRESH, left_unseen=True), plugged=True)
    assert (facts.plugged, facts.plugged_at, facts.present_at, facts.left_unseen) == (True, NOW, NOW, False)
    again = status(facts, "10T22:30", plugged=True)
    assert (again.plugged_at, again.present_at) == (NOW, utc("10T22:30"))
    silent = status(facts, "10T22:30", fault="")
    assert (silent.plugged, silent.present_at) == (True, NOW)


def test_a_plug_in_is_not_before_the_last_plug_out_nor_before_what_flowed_last() -> None:
    facts = replace(FRESH, plugged=False, plugged_at=utc("10T21:30"))
    assert status(facts, plugged=True, measured="10T21:20").plugged_at == utc("10T21:30")
    facts = replace(facts, stopped_at=utc("10T21:40"))
    assert status(facts, plugged=True, measured="10T21:20").plugged_at == utc("10T21:40")
    assert status(facts, plugged=True, measured="10T21:50").plugged_at == utc("10T21:50")
    idle = sample(replace(FRESH, plugged=False, plugged_at=utc("10T21:00")), "10T21:45", power=0)
    assert status(idle, plugged=True, measured="10T21:40").plugged_at == utc("10T21:40"), "nothing flowed"


@pytest.mark.parametrize(
    ("started", "plugged_in"),
    [
        pytest.param("10T21:58", "10T21:58", id="shortly-before"),
        pytest.param("10T21:54", "10T21:55", id="no-more-than-five-minutes"),
        pytest.param("10T21:00", "10T21:55", id="as-old-as-the-last-plug-out"),
        pytest.param("10T20:59", "10T22:00", id="from-before-the-last-plug-out"),
        pytest.param("10T22:01", "10T22:00", id="later"),
    ],
)
def test_a_transaction_told_shortly_before_the_plug_began_with_it(started: str, plugged_in: str) -> None:
    """ABB Terra and EVBox Elvi say Available until then."""
    facts = replace(FRESH, plugged=False, plugged_at=utc("10T21:00"), transaction=running(started=started))
    assert status(facts, plugged=True).plugged_at == utc(plugged_in)


def test_a_transaction_says_nothing_of_a_plug_that_was_never_seen_out() -> None:
    assert status(replace(FRESH, transaction=running(started="10T21:58")), plugged=True).plugged_at == NOW


def test_a_plug_in_takes_the_register_that_was_told_last() -> None:
    assert status(sample(FRESH, register=700, power=0), "10T22:10", plugged=True).plug_wh == 700
    assert status(FRESH, plugged=True).plug_wh is None


def test_a_plug_out_ends_charging_and_forgets_the_card() -> None:
    facts = status(replace(charging(), token="card"), plugged=False)
    assert (facts.plugged, facts.plugged_at, facts.token, facts.left_unseen) == (False, NOW, "", False)
    assert (facts.charging, facts.stopped_at) == (False, NOW)


def test_a_plug_out_is_not_before_plug_in_nor_before_what_flowed_last() -> None:
    facts = status(FRESH, "10T21:30", plugged=True)
    assert status(facts, plugged=False, measured="10T21:20").plugged_at == utc("10T21:30")
    assert status(facts, plugged=False, measured="10T21:40").plugged_at == utc("10T21:40")
    facts = status(charging(), plugged=False, measured="10T21:40")
    assert (facts.plugged_at, facts.stopped_at) == (utc("10T21:59"), utc("10T21:59"))
    facts = sample(sample(charging(), power=0), "10T22:01", power=200)
    assert status(facts, "10T22:02", plugged=False, measured="10T21:40").plugged_at == NOW, "it was seen to stop then"
    unseen = replace(FRESH, plugged=True, plugged_at=utc("10T21:00"), charging=True)
    assert status(unseen, plugged=False, measured="10T21:40").stopped_at == utc("10T21:40")


@pytest.mark.parametrize(
    ("lost", "ended", "left"),
    [
        pytest.param("10T20:30", None, "10T20:30", id="when-the-connection-was-lost"),
        pytest.param(None, None, "10T20:00", id="when-it-was-last-there"),
        pytest.param("10T19:00", None, "10T20:00", id="when-it-was-last-there-though-lost-before"),
        pytest.param("10T20:30", "10T20:40", "10T20:40", id="when-its-transaction-ended"),
        pytest.param("10T20:30", "10T20:10", "10T20:30", id="when-lost-after-its-transaction"),
        pytest.param("10T20:30", "10T22:30", "10T22:00", id="not-later-than-now"),
    ],
)
def test_a_car_that_left_unheard_was_there_at_the_last_evidence(lost: str | None, ended: str | None, left: str) -> None:
    last = None if ended is None else replace(running(), ended_at=utc(ended))
    facts = ChargerFacts(
        online=True,
        online_since=utc("10T21:50"),
        plugged=True,
        plugged_at=utc("10T19:00"),
        present_at=utc("10T20:00"),
        lost_at=None if lost is None else utc(lost),
        last_transaction=last,
    )
    facts = status(facts, plugged=False)
    assert facts.plugged_at == utc(left)
    assert facts.left_unseen is (left != "10T22:00")


def test_a_transaction_that_goes_on_says_nothing_of_when_the_car_left() -> None:
    facts = ChargerFacts(plugged=True, present_at=utc("10T20:00"), online_since=utc("10T21:50"))
    facts = status(replace(facts, last_transaction=running()), plugged=False)
    assert facts.plugged_at == utc("10T20:00")


def test_a_charger_that_was_there_and_says_when_the_car_left_is_believed() -> None:
    facts = ChargerFacts(plugged=True, present_at=utc("10T20:00"), online_since=utc("10T21:50"))
    told = status(facts, plugged=False, measured="10T21:30")
    assert (told.plugged_at, told.left_unseen) == (utc("10T21:30"), False)
    told = status(facts, plugged=False, measured="10T21:50")
    assert (told.plugged_at, told.left_unseen) == (utc("10T20:00"), True), "of the present connection it is told anew"
    seen = replace(facts, present_at=utc("10T21:50"))
    assert status(seen, plugged=False).plugged_at == NOW, "it was seen over this connection"
    assert status(replace(facts, online_since=None), plugged=False).plugged_at == NOW
    assert status(replace(facts, present_at=None), plugged=False).plugged_at == NOW


# What the charger says of the cable


def test_a_status_tells_what_it_tells_and_no_more() -> None:
    facts = status(FRESH, activity=Activity.CHARGING, fault="GroundFailure")
    assert (facts.activity, facts.activity_at, facts.fault, facts.heard_at) == (
        Activity.CHARGING,
        NOW,
        "GroundFailure",
        NOW,
    )
    again = status(facts, "10T22:10", activity=Activity.CHARGING)
    assert (again.activity_at, again.fault, again.heard_at) == (NOW, "GroundFailure", utc("10T22:10"))
    assert status(again, "10T22:11", fault="").fault == ""
    assert status(again, "10T22:11", plugged=True).activity is Activity.CHARGING


@pytest.mark.parametrize(
    ("measured", "lost", "expected"),
    [
        pytest.param(None, None, "10T22:00", id="no-time-means-now"),
        pytest.param("10T21:59", None, "10T21:59", id="recent-is-taken"),
        pytest.param("10T21:00", None, "10T21:00", id="an-hour-old"),
        pytest.param("10T20:59:59", None, "10T22:00", id="told-again-counts-from-now"),
        pytest.param("10T22:01", None, "10T22:00", id="the-future-means-now"),
        pytest.param("10T20:00", "10T20:00", "10T20:00", id="old-but-nobody-was-there-to-hear-it"),
        pytest.param("10T19:59:59", "10T20:00", "10T22:00", id="old-and-heard-before"),
    ],
)
def test_when_a_status_began(measured: str | None, lost: str | None, expected: str) -> None:
    facts = replace(FRESH, lost_at=None if lost is None else utc(lost))
    assert status(facts, activity=Activity.FINISHING, measured=measured).activity_at == utc(expected)


@pytest.mark.parametrize("activity", [a for a in Activity if a is not Activity.CHARGING])
def test_a_word_that_nothing_flows_ends_charging_until_the_meter_proves_otherwise(activity: Activity) -> None:
    facts = status(charging(), activity=activity)
    assert (facts.charging, facts.charging_since, facts.stopped_at) == (False, None, NOW)
    assert sample(facts, "10T22:02", power=11_000).charging


def test_a_word_that_something_flows_proves_nothing() -> None:
    assert not status(FRESH, activity=Activity.CHARGING).charging
    assert status(charging(), activity=Activity.CHARGING).charging
    assert status(charging(), fault="x").charging


def test_charging_did_not_end_before_the_meter_last_proved_it() -> None:
    assert status(charging(), activity=Activity.SUSPENDED_EV, measured="10T21:30").stopped_at == utc("10T21:59")
    low = sample(charging(), power=0)
    assert status(low, "10T22:01", activity=Activity.SUSPENDED_EV).stopped_at == NOW, "the meter told it first"
    idle = replace(FRESH, stopped_at=utc("10T20:00"))
    assert status(idle, activity=Activity.SUSPENDED_EV).stopped_at == utc("10T20:00")


# The connection


def test_a_connection_is_up_and_then_gone() -> None:
    facts = evidence.online(replace(ChargerFacts(), replayed_at=NOW), "OCPP 1.6", NOW)
    assert (facts.online, facts.online_since, facts.protocol, facts.heard_at) == (True, NOW, "OCPP 1.6", NOW)
    assert facts.replayed_at is None, "nothing old was told over this one"
    assert facts.first_online_at == NOW
    assert evidence.online(facts, "OCPP 1.6", utc("10T22:30")).first_online_at == NOW, "the first time"
    lost = evidence.offline(facts, utc("10T22:10"))
    assert (lost.online, lost.online_since, lost.lost_at) == (False, None, utc("10T22:10"))
    assert evidence.offline(lost, utc("10T22:20")) == lost, "it was lost once"


def test_a_charger_tells_who_it_is() -> None:
    event = ChargerBooted(charger_id=GARAGE, vendor="Acme", model="Box", serial="1", firmware="2.0")
    facts = evidence.booted(FRESH, event)
    assert (facts.vendor, facts.model, facts.serial, facts.firmware) == ("Acme", "Box", "1", "2.0")
