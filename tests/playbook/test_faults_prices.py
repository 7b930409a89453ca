"""Nights with a calendar or a tariff of their own: clock changes, new years, prices that are missing or mad."""

from datetime import timedelta
from itertools import pairwise

import pytest

from chargerd.core.commands import SetCurrentLimit, StartTransaction, StopTransaction
from chargerd.plan.prices import PriceCurve
from tests.support.home import NIGHT, QUARTER, Home, prices, utc
from tests.support.reading import ON_TARGET, kwh_sum, near, rates, regular, short, spans

NOT_A_NUMBER = float("nan")
EVERY_TWO = timedelta(minutes=2)


def pauses(home: Home) -> int:
    """How often charging was paused or ended by us."""
    return len([limit for limit in home.sent(SetCurrentLimit) if limit.limit_a == 0]) + len(home.sent(StopTransaction))


def later(text: str, by: timedelta) -> str:
    return f"{utc(text) + by:%Y-%m-%dT%H:%M:%S}"


def quarters(home: Home) -> float:
    """Length of all blocks, in quarter hours."""
    lengths = [utc(block["endAt"][:19]) - utc(block["startAt"][:19]) for block in home.doc["blocks"]]
    return sum(lengths, timedelta(0)) / QUARTER


@pytest.mark.parametrize(
    ("plug_in", "quarters_of_day", "ready_by", "intervals"),
    [
        pytest.param("2025-10-25T20:15:00", 100, "2025-10-26T06:00:00", 39, id="autumn"),
        pytest.param("2026-03-28T21:15:00", 92, "2026-03-29T05:00:00", 31, id="spring"),
        pytest.param("2025-06-10T20:15:00", 96, "2025-06-11T05:00:00", 35, id="an-ordinary-night"),
    ],
)
def test_a_night_from_22_15_to_07_00_local_time_has_the_hours_that_it_has(
    plug_in: str, quarters_of_day: int, ready_by: str, intervals: int
) -> None:
    """S-16: two of the day's cheap hours are from 00:00 to 02:00 UTC, which in autumn are both called two o'clock."""
    midnight = later(plug_in, timedelta(hours=1, minutes=45))
    cheap_from = utc(ready_by).replace(hour=0)
    day = [cheap_from <= utc(midnight) + i * QUARTER < cheap_from + 8 * QUARTER for i in range(quarters_of_day)]
    curve = prices(midnight, [0.10 if cheap else 0.30 for cheap in day], QUARTER)
    home = Home(now=utc(plug_in), zone="Europe/Berlin", goal=65, curve=curve, sample_every=EVERY_TWO).plug()
    date = ready_by[8:10]
    assert home.target == regular(65, f"{ready_by}Z")
    assert spans(home.doc) == [("REGULAR", f"{date}T00:00:00", f"{date}T02:00:00")]
    assert home.outcome == ON_TARGET

    home.until(later(ready_by, timedelta(seconds=-1))).unplug().until(later(ready_by, timedelta(minutes=2)))
    doc = home.last
    assert doc["state"] == "SETTLED"
    starts = [entry["startAt"] for entry in doc["statistics"]["timeseries"]]
    assert len(starts) == len(set(starts)) == intervals
    assert starts[0] == f"{plug_in}Z"
    assert starts[-1] == f"{later(ready_by, -QUARTER)}Z"
    full = {f"{date}T00:00", f"{date}T00:15", f"{date}T00:30", f"{date}T00:45", f"{date}T01:00", f"{date}T01:15"}
    assert {start for start, rate in rates(doc).items() if rate > 10.9} >= full
    assert {start[:5] for start, rate in rates(doc).items() if rate} == {f"{date}T00", f"{date}T01"}
    assert kwh_sum(doc) == home.delivered_kwh == pytest.approx(20, abs=1)
    assert doc["target"]["latest"] == regular(65, f"{ready_by}Z")
    assert doc["outcome"]["latest"] == ON_TARGET
    assert home.errors() == []


@pytest.mark.parametrize("register", ["goes on", "begins at zero each day"])
def test_a_session_over_the_new_year_is_one_session(register: str) -> None:
    """S-17, with E07: a register that counts per day. At midnight the tariff drops the old year."""
    curve = prices("2025-12-31T18:00:00", [0.4] * 5 + [0.1, 0.1] + [0.4] * 10)
    home = Home(now=utc("2025-12-31T20:00:00"), goal=65, curve=curve)
    home.until("2025-12-31T22:15:00").plug()
    assert home.target == regular(65, "2026-01-01T07:00:00Z")
    assert spans(home.doc) == [("REGULAR", "31T23:00:00", "01T01:00:00")]

    home.until("2026-01-01T00:00:01")
    of_last_year = home.box.register - 100_000
    if register.startswith("begins"):
        home.box.register = 0.0
        home.sample()
    home.until("2026-01-01T00:05:00").reprice(prices("2026-01-01T00:00:00", [0.1] + [0.4] * 23))
    home.until("2026-01-01T00:31:00")
    assert home.settled == []
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert home.doc["pluggedInAt"] == "2025-12-31T22:15:00Z"
    assert spans(home.doc) == [("REGULAR", "31T23:00:00", "01T01:00:00")]
    around = [rates(home.doc)[start] for start in ("31T23:30", "31T23:45", "01T00:00", "01T00:15")]
    assert around == pytest.approx([11] * 4, abs=0.05)
    assert home.target == regular(65, "2026-01-01T07:00:00Z")
    assert home.outcome == ON_TARGET

    home.until("2026-01-01T06:50:00").unplug().until("2026-01-01T06:52:00")
    (stored,) = home.settled
    base = 0 if register.startswith("begins") else 100_000 + of_last_year
    delivered = (of_last_year + home.box.register - base) / 1000
    assert kwh_sum(stored.document) == pytest.approx(delivered, abs=0.01)
    assert len(stored.document["statistics"]["timeseries"]) == 35
    assert stored.document["outcome"]["latest"] == ON_TARGET
    assert home.errors() == []


NO_PRICES = [
    pytest.param(PriceCurve(), id="none-at-all"),
    pytest.param(prices("10T12:00", [0.4] * 10), id="none-since-plug-in"),
    pytest.param(prices("11T08:00", [0.1] * 10), id="none-before-ready-by"),
]


@pytest.mark.parametrize("curve", NO_PRICES)
def test_a_night_without_prices_has_a_plan_that_is_ready_in_time(curve: PriceCurve) -> None:
    """S-18"""
    home = Home(curve=curve, sample_every=EVERY_TWO).until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert quarters(home) == 4, "10 kWh at 11 kW, or a little less"
    assert all("10T22:15:00" <= start < end <= "11T07:00:00" for _, start, end in spans(home.doc))
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    assert home.error is None
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.last["statistics"]["aggregated"]["batteryTo"] >= 50
    assert home.last["outcome"]["latest"] == ON_TARGET
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.errors() == []


def test_a_plan_without_prices_gives_way_to_a_better_one_when_they_come() -> None:
    """S-18: they come at 22:20, and the cheapest hour is at 01:00."""
    home = Home(curve=PriceCurve()).until("10T22:15").plug().until("10T22:20").reprice(NIGHT).until("11T00:30")
    first = home.doc["blocks"][0]
    assert near(first["startAt"], "10T22:15:00")
    assert near(first["endAt"], "10T22:30:00"), "the quarter that was begun is finished"
    assert first["kwhSum"] == pytest.approx(2.75, abs=0.01)
    assert spans(home.doc)[1:] == [("REGULAR", "11T01:00:00", "11T01:45:00")]
    assert kwh_sum(home.doc) == first["kwhSum"]
    assert pauses(home) == 1
    home.until("11T06:50").unplug().until("11T06:52")
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.last["statistics"]["aggregated"]["batteryTo"] >= 50
    assert home.last["outcome"]["latest"] == ON_TARGET
    assert home.errors() == []


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(0.3, id="equal"),
        pytest.param(0.0, id="zero"),
        pytest.param(-0.1, id="negative"),
        pytest.param(300.0, id="a-thousand-times"),
        pytest.param(NOT_A_NUMBER, id="not-a-number"),
        pytest.param(float("inf"), id="infinite"),
    ],
)
def test_prices_that_are_all_the_same_make_one_block_at_once(value: float) -> None:
    """S-21: the earlier of equals comes first, and nothing is started or stopped for nothing."""
    home = Home(curve=prices("10T18:00", [value] * 15), sample_every=EVERY_TWO).until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert spans(home.doc) == [("REGULAR", "10T22:15:00", "10T23:15:00")]
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    home.until("11T06:50").unplug().until("11T06:52")
    assert len(home.sent(StartTransaction)) == 1
    assert pauses(home) == 1
    assert len(home.last["blocks"]) == 1
    assert home.last["statistics"]["aggregated"]["batteryTo"] >= 50
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.errors() == []


@pytest.mark.parametrize(
    ("hour", "value", "starts"),
    [
        pytest.param(7, 100.0, "11T02:00:00", id="a-thousand-times"),
        pytest.param(7, NOT_A_NUMBER, "11T02:00:00", id="not-a-number"),
        pytest.param(7, float("inf"), "11T02:00:00", id="infinite"),
        pytest.param(5, -300.0, "10T23:00:00", id="minus-a-thousand-times"),
        pytest.param(5, NOT_A_NUMBER, "11T01:00:00", id="not-a-number-where-it-was-dear"),
    ],
)
def test_one_mad_price_moves_the_block_and_nothing_else(hour: int, value: float, starts: str) -> None:
    """S-21: the seventh hour is the cheapest of the night, from 01:00."""
    values = [float(slot.price_per_kwh) for slot in NIGHT.slots]
    values[hour] = value
    home = Home(curve=prices("10T18:00", values)).until("10T22:15").plug()
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert [span[:2] for span in spans(home.doc)] == [("REGULAR", starts)]
    assert home.doc["blocks"][0]["kwhSum"] == pytest.approx(10, abs=0.01)
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    assert home.error is None


EVENING = prices("10T18:00", [0.40] * 6)
"""Hourly until midnight."""
SMALL_HOURS = [0.30] * 3 + [0.10, 0.11] + [0.30] * 5 + [0.12, 0.13] + [0.30] * 16
"""By the quarter from midnight on: cheap from 00:45 to 01:15 and from 02:30 to 03:00."""


def joined(*curves: PriceCurve) -> PriceCurve:
    return PriceCurve(tuple(slot for curve in curves for slot in curve.slots))


def on_quarters(home: Home) -> bool:
    return all(at[6:] in ("00:00", "15:00", "30:00", "45:00") for span in spans(home.doc) for at in span[1:])


def test_hourly_prices_go_over_into_quarter_hourly_ones() -> None:
    """S-22: today by the hour, tomorrow by the quarter."""
    curve = joined(EVENING, prices("11T00:00", SMALL_HOURS, QUARTER))
    home = Home(curve=curve, sample_every=EVERY_TWO).until("10T22:15").plug()
    assert spans(home.doc) == [("REGULAR", "11T00:45:00", "11T01:15:00"), ("REGULAR", "11T02:30:00", "11T03:00:00")]
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    home.until("11T06:50").unplug().until("11T06:52")
    assert home.errors() == []
    assert len(home.last["blocks"]) == 2
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.last["outcome"]["latest"] == ON_TARGET


def test_a_feed_that_changes_its_resolution_moves_the_plan_and_starts_nothing() -> None:
    """S-22: by the hour, by the quarter, and by the hour again, all for the same night."""
    hourly = joined(EVENING, prices("11T00:00", [0.24, 0.25, 0.22, 0.30, 0.30, 0.30, 0.30]))
    by_quarter = joined(EVENING, prices("11T00:00", SMALL_HOURS, QUARTER))
    home = Home(curve=hourly).until("10T22:15").plug()
    assert spans(home.doc) == [("REGULAR", "11T02:00:00", "11T03:00:00")]
    home.until("10T23:07").reprice(by_quarter)
    assert spans(home.doc) == [("REGULAR", "11T00:45:00", "11T01:15:00"), ("REGULAR", "11T02:30:00", "11T03:00:00")]
    home.until("10T23:13").reprice(hourly)
    assert spans(home.doc) == [("REGULAR", "11T02:00:00", "11T03:00:00")]
    assert home.outcome == ON_TARGET
    assert not home.sent(StartTransaction)
    assert home.errors() == []


@pytest.mark.parametrize("known", [6, 3, 1])
def test_quarters_that_were_left_out_leave_no_hole_in_the_plan(known: int) -> None:
    """S-22: a feed leaves a value out where it repeats; however few there are, the car is ready in time."""
    slots = prices("11T00:00", SMALL_HOURS, QUARTER).slots
    home = Home(curve=PriceCurve(tuple(slots[i] for i in range(0, 4 * known, 4)))).until("10T22:15").plug()
    assert quarters(home) == 4
    assert on_quarters(home)
    assert all(end <= "11T07:00:00" for _, _, end in spans(home.doc))
    assert home.target == regular()
    assert home.outcome == ON_TARGET
    assert home.error is None


def test_prices_with_borders_off_the_quarter_make_no_plan_off_the_quarter() -> None:
    """S-22: a feed whose hours begin at ten past."""
    home = Home(curve=prices("10T22:10", [0.4, 0.4, 0.1] + [0.4] * 6)).until("10T22:15").plug()
    assert home.doc["blocks"] != []
    assert on_quarters(home)
    assert all(one["endAt"] <= other["startAt"] for one, other in pairwise(home.doc["blocks"]))
    assert home.outcome == ON_TARGET


CHEAPER_LATER = prices(
    "10T18:00", [0.40, 0.40, 0.35, 0.35, 0.30, 0.30, 0.20, 0.10, 0.12, 0.15, 0.01, 0.01, 0.40, 0.40, 0.40]
)


def test_prices_that_fall_in_mid_block_end_it_once_and_keep_what_was() -> None:
    """S-23: at 01:10 the hours from 04:00 to 06:00 become the cheapest."""
    home = Home(goal=60).until("10T22:15").plug().until("11T01:10").reprice(CHEAPER_LATER).until("11T01:30")
    first, second = home.doc["blocks"]
    assert home.doc["state"] == "ACTIVE:REGULAR"
    assert first["startAt"] == "2025-06-11T01:00:00Z"
    assert "11T01:10:00" <= short(first["endAt"]) <= "11T01:15:01"
    assert short(second["startAt"]) == "11T04:00:00"
    assert "11T05:15:00" <= short(second["endAt"]) <= "11T05:30:00"
    assert first["kwhSum"] == kwh_sum(home.doc) == home.delivered_kwh
    assert pauses(home) == 1
    assert home.target == regular(60)
    assert home.outcome == ON_TARGET

    home.until("11T06:50").unplug().until("11T06:52")
    assert home.last["blocks"][0] == first
    assert len(home.last["blocks"]) == 2
    assert pauses(home) == 2, "in mid-block, and when the target was reached"
    assert kwh_sum(home.last) == home.delivered_kwh
    assert home.last["statistics"]["aggregated"]["batteryTo"] >= 60
    assert home.last["outcome"]["latest"] == ON_TARGET
    assert home.errors() == []


def test_prices_that_fall_and_rise_again_in_one_quarter_stop_nothing() -> None:
    """S-23: the new curve is taken back before the quarter is over."""
    home = Home(goal=60).until("10T22:15").plug().until("11T01:05").reprice(CHEAPER_LATER)
    home.until("11T01:10").reprice(NIGHT).until("11T02:30")
    assert pauses(home) == 0
    assert len(home.sent(StartTransaction)) == 1
    assert spans(home.doc) == [("REGULAR", "11T01:00:00", "11T02:45:00")]
    assert home.outcome == ON_TARGET
    assert home.errors() == []


def test_a_charger_that_takes_a_minute_to_stop_after_new_prices_is_no_error() -> None:
    """S-23"""
    home = Home(goal=60).until("10T22:15").plug().until("11T01:10").reprice(CHEAPER_LATER)
    home.box.obeys_stop = False
    home.until("11T01:16")
    home.box.limit_a = 0.0
    home.box.obeys_stop = True
    home.until("11T01:30")
    assert home.errors() == []
    assert [span[1] for span in spans(home.doc)] == ["11T01:00:00", "11T04:00:00"]
    assert near(home.doc["blocks"][0]["endAt"], "11T01:16:00", 61)
    assert home.doc["blocks"][0]["kwhSum"] == kwh_sum(home.doc) == home.delivered_kwh
