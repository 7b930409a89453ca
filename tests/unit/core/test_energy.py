"""From samples to watt-hours: in the visit's ledger, in its blocks, or in no visit at all."""

from dataclasses import replace
from typing import Any

import pytest

from chargerd.core import energy, ledger
from chargerd.core.events import MeterSampled
from chargerd.core.ids import SessionId
from chargerd.core.ledger import Delta
from chargerd.core.model import ChargerFacts, Ledger, Quality, Reading, Session, State
from chargerd.core.policy import ChargerSpec, Site
from chargerd.core.register import Counted
from chargerd.core.units import PerPhase
from tests.support.home import GARAGE, utc
from tests.unit.core.partition import slot, state

PLUG = utc("10T22:00")
LONG_AGO = ChargerFacts(online=True, online_since=utc("10T12:00"), plugged=True, plugged_at=PLUG)
MEASURED, INTERPOLATED, RECOVERED, ESTIMATED = Quality
GUEST = Session(session_id=SessionId("g"), policy_id=None, plugged_in_at=PLUG, ledger=ledger.opened(PLUG))


def visiting(facts: ChargerFacts = LONG_AGO, account: Ledger | None = None, **session: Any) -> State:
    if account is not None:
        session["ledger"] = account
    return state(slot(plugged_at=PLUG, **session), facts=facts)


def account_of(whole: State) -> Ledger:
    return whole.slots[0].session.ledger


def sample(
    whole: State,
    at: str,
    register_wh: float | None = None,
    power_w: float | None = None,
    *,
    amps: PerPhase | None = None,
    now: str | None = None,
) -> tuple[State, Counted | None]:
    event = MeterSampled(charger_id=GARAGE, register_wh=register_wh, power_w=power_w, current_a=amps)
    return energy.counted(whole, event, utc(f"10T{at}"), utc(f"10T{now or at}"))


def feed(whole: State, *readings: tuple[Any, ...]) -> State:
    for reading in readings:
        whole, _ = sample(whole, *reading)
    return whole


# In the visit's ledger


def test_a_sample_counts_in_the_visit_that_goes_on() -> None:
    whole, counted = sample(feed(visiting(), ("22:01", 1000)), "22:02", 1100)
    assert account_of(whole).total_wh == 100
    assert counted is not None
    assert counted.ledger == account_of(whole)
    assert counted.pieces == (Delta(utc("10T22:01"), utc("10T22:02"), 100, MEASURED),)


def test_a_sample_counts_in_the_visit_of_a_guest() -> None:
    whole = feed(state(guest=GUEST, facts=LONG_AGO), ("22:01", 1000), ("22:02", 1100))
    assert whole.guest is not None
    assert whole.guest.ledger.total_wh == 100


def test_a_sample_without_a_visit_counts_nowhere() -> None:
    whole = state(slot(), facts=LONG_AGO)
    assert sample(whole, "22:01", 1000) == (whole, None)


def test_power_of_the_phase_currents_serves_where_none_is_told() -> None:
    whole = feed(visiting(), ("22:00", None, 6900))
    whole, _ = sample(whole, "22:01", amps=PerPhase(10, 10, 10))
    assert account_of(whole).total_wh == 115
    whole, _ = sample(whole, "22:02", None, 0, amps=PerPhase(10, 10, 10))
    assert account_of(whole).power_w == 0, "power told goes before"


def test_currents_flow_at_the_voltage_of_the_site() -> None:
    whole = replace(visiting(), site=Site(voltage_v=120))
    whole, _ = sample(whole, "22:00", amps=PerPhase(10, 0, 0))
    assert account_of(whole).power_w == 1200


def test_the_cable_carries_what_the_charger_is_configured_for() -> None:
    whole = replace(state(), charger=ChargerSpec(charger_id=GARAGE, max_a=32, phases=1), site=Site(voltage_v=240))
    assert energy.line_w(whole) == 7680
    assert energy.line_w(state()) == 11_040


@pytest.mark.parametrize(
    ("rise", "total_wh"), [pytest.param(1762, 1762, id="can-be"), pytest.param(1763, 0, id="cannot-be")]
)
def test_a_register_is_held_against_what_the_cable_carries(rise: float, total_wh: int) -> None:
    assert account_of(feed(visiting(), ("22:01", 1000), ("22:02", 1000 + rise))).total_wh == total_wh


@pytest.mark.parametrize(
    ("online_since", "quality"),
    [
        pytest.param("10T22:01", MEASURED, id="connected-since-then"),
        pytest.param("10T22:01:01", RECOVERED, id="lost-since"),
    ],
)
def test_energy_over_a_lost_connection_is_recovered(online_since: str, quality: Quality) -> None:
    whole = feed(visiting(), ("22:01", 1000))
    whole = replace(whole, facts=replace(whole.facts, online_since=utc(online_since)))
    whole, _ = sample(whole, "22:03", 1200)
    assert account_of(whole).cells[0].quality is quality


def test_energy_told_by_a_charger_that_is_not_connected_is_recovered() -> None:
    whole = feed(visiting(), ("22:01", 1000))
    whole = replace(whole, facts=replace(whole.facts, online_since=None))
    whole, _ = sample(whole, "22:03", 1200)
    assert account_of(whole).cells[0].quality is RECOVERED


def test_power_before_a_lost_connection_does_not_bridge_it() -> None:
    whole = feed(visiting(), ("22:01", None, 6000))
    whole = replace(whole, facts=replace(whole.facts, online_since=utc("10T22:02")))
    assert account_of(feed(whole, ("22:03", None, 6000))).total_wh == 0
    assert account_of(feed(visiting(replace(LONG_AGO, online_since=PLUG)), ("22:01", None, 0))).power_at is not None


def test_a_reading_after_a_gap_waits_until_the_queue_of_the_charger_is_empty() -> None:
    whole = feed(visiting(), ("22:01", 1000, 6000))
    whole = replace(whole, facts=replace(whole.facts, online_since=utc("10T22:29:30")))
    whole, counted = sample(whole, "22:30", 3000, 0)
    assert counted is not None
    assert (counted.pieces, account_of(whole).total_wh) == ((), 0)
    assert energy.drained(whole, utc("10T22:30:29")) == whole
    whole = energy.drained(whole, utc("10T22:30:30"))
    assert account_of(whole).total_wh == 2000
    assert account_of(whole).pending == ()


@pytest.mark.parametrize(
    ("online_since", "at", "waits"),
    [
        pytest.param("10T22:29:30", "22:30", True, id="connected-again-in-the-visit"),
        pytest.param("10T22:30", "22:30", True, id="connected-just-then"),
        pytest.param("10T22:30:01", "22:30", False, id="kept-from-before-the-connection"),
        pytest.param("10T22:00:01", "22:00:50", True, id="since-shortly-after-plug-in"),
        pytest.param("10T22:00", "22:00:50", False, id="since-plug-in"),
        pytest.param(None, "22:30", False, id="not-connected"),
    ],
)
def test_a_reading_waits_if_the_charger_may_have_kept_others_of_the_visit(
    online_since: str | None, at: str, waits: bool
) -> None:
    whole = visiting(replace(LONG_AGO, online_since=None if online_since is None else utc(online_since)))
    whole, _ = sample(whole, at, 500)
    assert bool(account_of(whole).pending) is waits


def test_a_reading_that_lets_one_go_which_waited_is_not_recovered_itself() -> None:
    """The connection was there since the one that waited; by power alone nothing else tells of it."""
    whole = feed(visiting(), ("22:01", None, 6000))
    whole = replace(whole, facts=replace(whole.facts, online_since=utc("10T22:29:30")))
    whole = feed(whole, ("22:30", None, 6000), ("22:31", None, 6000))
    assert account_of(whole).total_wh == 100


def test_a_reading_from_before_plug_in_is_the_base_while_the_queue_is_told() -> None:
    whole = visiting(replace(LONG_AGO, online_since=utc("10T22:09:30")))
    whole, counted = sample(whole, "21:50", 700, now="22:10")
    assert counted is None
    assert (account_of(whole).anchor_wh, account_of(whole).anchor_at) == (700, PLUG)
    assert sample(whole, "21:55", None, 6000, now="22:10") == (whole, None), "power of then is not the visit's"
    whole, _ = sample(whole, "22:00", 800, now="22:10")
    assert account_of(whole).total_wh == 100, "one of plug-in is"


def test_a_guest_has_a_base_too() -> None:
    whole = state(guest=GUEST, facts=replace(LONG_AGO, online_since=utc("10T22:09:30")))
    whole, _ = sample(whole, "21:50", 700, now="22:10")
    assert whole.guest is not None
    assert whole.guest.ledger.anchor_wh == 700


def test_a_reading_dated_a_little_before_plug_in_is_of_plug_in_once_the_queue_is_empty() -> None:
    whole, counted = sample(visiting(), "21:59:58", 700, 6000, now="22:00:10")
    assert counted is not None
    assert (account_of(whole).anchor_at, account_of(whole).power_at) == (PLUG, PLUG)


def test_the_unit_of_a_register_is_remembered_for_the_next_visit() -> None:
    whole = feed(visiting(), ("22:00", 700, 11_000), ("22:05", 700.9, 11_000))
    assert whole.facts.register_scale == 1000
    assert account_of(whole).scale == 1000
    same = feed(visiting(), ("22:00", 700, 11_000), ("22:05", 1600, 11_000))
    assert same.facts == LONG_AGO


# In blocks


def result(start: str, end: str, *whs: int) -> Counted:
    """One piece with energy, or as many as there are, all over the same time."""
    pieces = tuple(Delta(utc(f"10T{start}"), utc(f"10T{end}"), wh, MEASURED) for wh in whs)
    return Counted(ledger.opened(PLUG), pieces)


@pytest.mark.parametrize(
    ("wh", "charging", "flows"),
    [
        pytest.param(100, True, True, id="goes-on"),
        pytest.param(99, True, False, id="stand-by-after-charging"),
        pytest.param(300, False, True, id="was-charging"),
        pytest.param(299, False, False, id="trickle"),
    ],
)
def test_power_proves_that_charging_went_on(wh: int, charging: bool, flows: bool) -> None:
    whole = energy.credited(visiting(), result("22:00", "23:00", wh), charging=charging)
    session = whole.slots[0].session
    assert bool(session.blocks) is flows
    assert session.loose_wh == (0 if flows else wh)


def test_a_block_begins_when_the_charger_said_that_it_charges() -> None:
    whole = visiting(replace(LONG_AGO, activity_at=utc("10T22:07")))
    whole = energy.credited(whole, result("22:00", "22:10", 500, 200), charging=True)
    (block,) = whole.slots[0].session.blocks
    assert (block.started_at, block.wh) == (utc("10T22:07"), 700)


def test_without_a_policy_there_are_no_blocks() -> None:
    guest = state(guest=GUEST)
    assert energy.credited(guest, result("22:00", "22:10", 500), charging=True) == guest
    assert energy.credited(visiting(), None, charging=True) == visiting()


def test_what_waited_is_put_into_blocks_once_the_queue_is_empty() -> None:
    whole = feed(visiting(), ("22:01", 1000, 6000))
    whole = replace(whole, facts=replace(whole.facts, online_since=utc("10T22:29:30")))
    whole = energy.drained(feed(whole, ("22:30", 3000, 0)), utc("10T22:31"))
    (block,) = whole.slots[0].session.blocks
    assert (block.started_at, block.ended_at, block.wh) == (utc("10T22:01"), utc("10T22:21"), 2000)


def test_what_waited_trickles_or_flows_by_what_goes_on() -> None:
    whole = feed(visiting(), ("22:00", 1000))
    whole = replace(whole, facts=replace(whole.facts, online_since=utc("10T22:59:30")))
    whole = feed(whole, ("23:00", 1200))
    assert energy.drained(whole, utc("10T23:01")).slots[0].session.loose_wh == 200
    whole = replace(whole, facts=replace(whole.facts, charging=True))
    assert energy.drained(whole, utc("10T23:01")).slots[0].session.loose_wh == 0


@pytest.mark.parametrize(
    ("now", "drains"), [pytest.param("10T22:19:59", False, id="not-yet"), pytest.param("10T22:20", True, id="settles")]
)
def test_what_waits_is_counted_before_the_visit_is_settled(now: str, drains: bool) -> None:
    """The car has left, and the charger, whose queue nobody has heard, has been gone for ten minutes."""
    waiting = replace(ledger.opened(PLUG), anchor_wh=0, anchor_at=PLUG, epoch_wh=0.0)
    waiting = replace(waiting, pending=(Reading(at=utc("10T22:10"), register_wh=500),))
    whole = visiting(ChargerFacts(plugged=False), waiting, unplugged_at=utc("10T22:10"), quiet_since=utc("10T22:10"))
    assert account_of(energy.drained(whole, utc(now))).total_wh == (500 if drains else 0)


def test_nothing_waits_in_a_visit_without_such_readings() -> None:
    assert energy.drained(visiting(), utc("10T23:00")) == visiting()
    assert energy.drained(state(), utc("10T23:00")) == state()


# In no visit


def between(
    last: Reading | None,
    new: Reading | None,
    whole: State | None = None,
    *,
    is_first: bool = True,
    scale: float = 1.0,
) -> int:
    """What flowed in no visit between two readings."""
    whole = whole or state(slot())
    had = replace(whole.facts, reading=last)
    whole = replace(whole, facts=replace(whole.facts, reading=new, register_scale=scale), unattributed_wh=1000)
    return energy.unattributed(whole, had, is_first=is_first).unattributed_wh - 1000


EIGHT = Reading(at=utc("10T20:00"), register_wh=5000)
NINE = Reading(at=utc("10T21:00"), register_wh=5300)


def test_energy_that_flows_while_no_visit_goes_on_is_kept_account_of() -> None:
    assert between(EIGHT, NINE) == 300
    assert between(EIGHT, NINE, state(facts=ChargerFacts(plugged=False))) == 300
    kwh = replace(EIGHT, register_wh=5.0), replace(NINE, register_wh=5.3)
    assert between(*kwh, scale=1000.0) == 300
    assert between(replace(EIGHT, register_wh=5000.6), NINE) == 299, "to the nearest"
    assert between(EIGHT, replace(NINE, register_wh=5300.6)) == 301


def test_energy_from_before_the_first_reading_of_a_visit_is_not_the_visits() -> None:
    ten = Reading(at=utc("10T22:01"), register_wh=5300)
    assert between(EIGHT, ten, visiting()) == 300
    assert between(replace(EIGHT, at=utc("10T21:59:59")), ten, visiting()) == 300
    assert between(replace(EIGHT, at=PLUG), ten, visiting()) == 0, "it was read in the visit"
    assert between(EIGHT, ten, visiting(), is_first=False) == 0, "the visit has counted it"


def test_energy_of_a_car_whose_visit_is_about_to_begin_is_not_lost_to_nobody() -> None:
    assert between(EIGHT, NINE, state(slot(), facts=LONG_AGO)) == 0


@pytest.mark.parametrize(
    ("last", "new"),
    [
        pytest.param(None, NINE, id="nothing-before"),
        pytest.param(EIGHT, None, id="nothing-now"),
        pytest.param(NINE, replace(EIGHT, register_wh=5600), id="turned-round"),
        pytest.param(EIGHT, replace(NINE, at=EIGHT.at), id="of-the-same-instant"),
        pytest.param(replace(EIGHT, register_wh=None), NINE, id="no-register-before"),
        pytest.param(EIGHT, replace(NINE, register_wh=None), id="no-register-now"),
        pytest.param(EIGHT, replace(NINE, register_wh=4000), id="fell"),
        pytest.param(EIGHT, replace(NINE, register_wh=5000.4), id="nothing-flowed"),
    ],
)
def test_what_tells_of_no_energy_counts_nothing(last: Reading | None, new: Reading | None) -> None:
    assert between(last, new) == 0


@pytest.mark.parametrize(
    ("rise", "wh"),
    [
        pytest.param(1, 1, id="the-least"),
        pytest.param(27_596, 27_596, id="all-that-can-be"),
        pytest.param(27_597, 0, id="more-than-can-be"),
    ],
)
def test_what_flowed_in_no_visit_is_what_can_have_flowed(rise: float, wh: int) -> None:
    """11 040 W for two hours, a fifth and 1100 Wh on top."""
    assert between(EIGHT, Reading(at=utc("10T22:00"), register_wh=5000 + rise)) == wh


def test_a_register_is_first_where_no_visit_has_counted_yet() -> None:
    assert energy.is_first(state())
    assert energy.is_first(visiting())
    assert not energy.is_first(feed(visiting(), ("22:01", 1000)))
