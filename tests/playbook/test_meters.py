"""Meters whose power and register do not agree, for samples come late, rarely, or not at all."""

from datetime import timedelta

import pytest

from chargerd.core.events import MeterSampled
from tests.support.home import GARAGE, Home, prices, utc


def test_power_told_before_a_stop_is_not_carried_on_to_the_next_transaction() -> None:
    home = Home(assumed=10, goal=60).until("10T20:00").plug().until("10T20:30")
    home.stop_box("Local").until("10T20:36").start_box().until("10T20:36:20")
    home.sample()
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == home.delivered_kwh
    home.until("10T21:00")
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == home.delivered_kwh


def test_a_meter_that_was_read_seconds_before_a_pause_and_seven_minutes_after_gains_nothing() -> None:
    home = Home(
        sample_every=timedelta(seconds=439), goal=80, curve=prices("10T18:00", [0.4] * 6 + [0.1, 0.4, 0.1, 0.4])
    )
    home.until("10T22:15").plug().until("11T01:40")
    assert not home.state.facts.charging
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == home.delivered_kwh


def test_a_clock_that_is_learned_to_be_late_makes_no_frozen_register_of_one_that_counts() -> None:
    """The lag is believed from one sample to the next, which then seem to lie five minutes apart."""
    home = Home(assumed=10, goal=60).until("10T20:00").plug()
    for second in range(60, 1500, 20):
        at = utc("10T20:00") + timedelta(seconds=second)
        home._advance(at)
        late = timedelta(minutes=5) if second > 240 else timedelta(0)
        home.tell(
            MeterSampled(
                charger_id=GARAGE, measured_at=at - late, register_wh=round(home.box.register), power_w=home.box.flowing
            )
        )
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == pytest.approx(home.delivered_kwh, abs=0.002)


def test_a_register_that_freezes_after_it_has_counted_is_left_for_power_all_the_same() -> None:
    home = Home(assumed=10, goal=60).until("10T20:00").plug().until("10T20:20")
    frozen_wh = round(home.box.register)
    for minute in range(21, 60):
        at = utc("10T20:00") + timedelta(minutes=minute)
        home._advance(at)
        home.tell(MeterSampled(charger_id=GARAGE, measured_at=at, register_wh=frozen_wh, power_w=home.box.flowing))
    assert home.doc["statistics"]["aggregated"]["kwhSum"] == pytest.approx(home.delivered_kwh, abs=0.05)


def test_a_register_that_begins_anew_with_the_next_transaction_is_believed_at_once() -> None:
    home = Home(assumed=10, goal=60, sample_every=timedelta(minutes=2)).until("10T20:01").plug().until("10T20:11:11")
    home.stop_box("Local")
    before_wh = home.box.register
    home.box.register = 0.0
    home._advance(utc("10T20:17:51"))
    home.start_box().until("10T20:46")
    assert home.doc["statistics"]["aggregated"]["kwhSum"] * 1000 == round(before_wh) - 100_000 + round(
        home.box.register
    )
