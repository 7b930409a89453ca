"""How snapshots and decisions are spelled, and what is said of a line that is neither."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargerd.core.commands import Note, SetCurrentLimit
from chargerd.core.decide import Decision
from chargerd.core.events import ChargerOffline, Event, MeterSampled, PricesUpdated, TimePassed
from chargerd.core.ids import ChargerId, CommandId
from chargerd.core.model import State
from chargerd.core.policy import ChargerSpec, Site
from chargerd.core.units import PerPhase, utc
from chargerd.plan.grid import QUARTER
from chargerd.plan.prices import PriceCurve, PriceSlot
from chargerd.recording.lines import (
    Recorded,
    Snapshot,
    Why,
    command_json,
    digest,
    dump_decision,
    dump_snapshot,
    essence,
    load,
)
from tests.integration.store.any_state import states, values

GARAGE = ChargerId("garage")
NOON = utc(2026, 1, 14, 12)
STATE = State(at=NOON, site=Site(), charger=ChargerSpec(charger_id=GARAGE))


def curve(first: int, count: int, price: str = "0.30") -> PriceCurve:
    starts = [NOON + index * QUARTER for index in range(first, first + count)]
    return PriceCurve(tuple(PriceSlot(start, start + QUARTER, Decimal(price)) for start in starts), fetched_at=NOON)


def there_and_back(before: State, event: Event, decision: Decision | None = None) -> Recorded:
    found = load(dump_decision(before, event, NOON, decision).encode(), before.prices)
    assert isinstance(found, Recorded)
    return found


@settings(deadline=None)
@given(event=values(Event))
def test_an_event_of_any_kind_comes_back_as_it_was(event: Event) -> None:
    assert there_and_back(STATE, event).event == event


@settings(deadline=None)
@given(state=states(), why=st.sampled_from(Why))
def test_a_state_of_any_shape_comes_back_whole(state: State, why: Why) -> None:
    found = load(dump_snapshot(state, why).encode(), PriceCurve())
    assert isinstance(found, Snapshot)
    assert (found.state, found.why) == (state, why)
    assert digest(found.state) == digest(state)


@pytest.mark.parametrize("register", [1180, 1180.0, 1180.25], ids=str)
def test_a_number_stays_what_it_was_whatever_it_is_declared_to_be(register: float) -> None:
    event = MeterSampled(charger_id=GARAGE, register_wh=register, current_a=PerPhase(register, register, 0))
    found = there_and_back(STATE, event).event
    assert repr(found) == repr(event)
    state = replace(STATE, charger=replace(STATE.charger, max_a=register))
    snapshot = load(dump_snapshot(state, Why.DAY).encode(), PriceCurve())
    assert isinstance(snapshot, Snapshot)
    assert repr(snapshot.state.charger) == repr(state.charger)


def test_a_decision_keeps_its_time_to_the_microsecond_its_commands_and_a_digest() -> None:
    at = NOON + timedelta(microseconds=1)
    command = SetCurrentLimit(charger_id=GARAGE, command_id=CommandId(3), limit_a=6.0)
    text = dump_decision(STATE, TimePassed(charger_id=GARAGE), at, Decision(STATE, (command,), durable=True))
    assert json.loads(text) == {
        "at": "2026-01-14T12:00:00.000001Z",
        "event": {"kind": "time_passed", "charger_id": "garage"},
        "commands": [{"kind": "set_current_limit", "charger_id": "garage", "command_id": 3, "limit_a": 6.0}],
        "state": digest(STATE),
    }
    assert " " not in text


def test_without_commands_there_is_no_list_and_without_a_decision_no_digest() -> None:
    event = TimePassed(charger_id=GARAGE)
    assert there_and_back(STATE, event, Decision(STATE, (), durable=False)).commands == ()
    assert there_and_back(STATE, event).digest is None


def test_what_no_text_can_hold_is_kept_all_the_same() -> None:
    event = there_and_back(STATE, MeterSampled(charger_id=GARAGE, power_w=float("inf"))).event
    assert isinstance(event, MeterSampled)
    assert event.power_w == float("inf")
    odd = ChargerOffline(charger_id=GARAGE, reason="\ud800")
    assert there_and_back(STATE, odd).event == odd


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (curve(0, 480), curve(1, 480), [1, 480]),
        (curve(0, 480), curve(0, 480), [0, 480]),
        (curve(0, 96), curve(0, 192), [0, 96]),
        (curve(0, 96), curve(48, 24), [48, 72]),
        (curve(0, 96), curve(0, 96, "0.31"), None),
        (curve(48, 96), curve(0, 192), None),
        (curve(0, 96), curve(0, 0), None),
        (curve(0, 0), curve(0, 96), None),
    ],
    ids=["slides", "stays", "grows", "shrinks", "changes", "begins earlier", "is emptied", "is the first"],
)
def test_a_curve_is_spelled_as_what_it_adds(old: PriceCurve, new: PriceCurve, kept: object) -> None:
    before = replace(STATE, prices=old)
    text = dump_decision(before, PricesUpdated(curve=new), NOON, None)
    assert json.loads(text)["event"]["curve"].get("kept") == kept
    assert there_and_back(before, PricesUpdated(curve=new)).event == PricesUpdated(curve=new)


def test_a_curve_that_lost_a_slot_and_got_one_takes_little_room() -> None:
    text = dump_decision(replace(STATE, prices=curve(0, 480)), PricesUpdated(curve=curve(1, 480)), NOON, None)
    assert len(text) < 300


def test_a_digest_tells_states_apart_and_does_not_ask_for_prices_and_defaults() -> None:
    assert digest(STATE) == digest(replace(STATE, prices=curve(0, 96)))
    assert digest(STATE) != digest(replace(STATE, at=NOON + QUARTER))
    assert "sessions_made" not in dump_snapshot(STATE, Why.STARTED), "a later program may have more fields"


def test_a_note_may_say_the_same_in_better_words() -> None:
    note = Note(name="charger.online", message="garage is connected")
    better = replace(note, message="garage is here")
    assert essence(command_json(note)) == essence(command_json(better))
    assert essence(command_json(note)) != essence(command_json(replace(note, name="charger.offline")))


DECIDED = {"at": "2026-01-14T12:00:00Z", "event": {"kind": "time_passed", "charger_id": "garage"}}
PRICES = {"kind": "prices_updated", "curve": {"slots": []}}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "expected a JSON object"),
        (b"[" * 100_000, "expected a JSON object"),
        (b"\xff", "expected a JSON object"),
        (b"7", 'expected an object with "format" and "state", or with "at" and "event"'),
        ({"at": "now"}, 'expected an object with "format" and "state", or with "at" and "event"'),
        ({"format": 2}, "format: expected 1, got 2; a newer chargerd can read it"),
        ({"format": 1, "why": "fun", "state": {}}, "why: expected one of started, day, refused, lost, got 'fun'"),
        ({"format": 1, "why": "day"}, "Input should be a dictionary or an instance of State"),
        ({"format": 1, "why": "day", "state": {"at": "noon"}}, "at: Input should be a valid datetime"),
        (DECIDED | {"at": "noon"}, "at: expected an RFC 3339 time, got 'noon'"),
        (DECIDED | {"at": "2026-01-14T12:00:00"}, "at: expected an RFC 3339 time, got '2026-01-14T12:00:00'"),
        (DECIDED | {"event": {"kind": "fun"}}, "Input tag 'fun' found using 'kind' does not match"),
        (DECIDED | {"event": {"kind": "time_passed"}}, "time_passed.charger_id: Field required"),
        (DECIDED | {"event": 7}, "Input should be a valid dictionary"),
        (DECIDED | {"commands": [7]}, "commands: expected a list of objects"),
        (DECIDED | {"state": 7}, "state: expected the eight digits of a digest"),
        (DECIDED | {"event": PRICES | {"curve": {"kept": [0]}}}, "event.curve.kept: expected two numbers"),
        (
            DECIDED | {"event": PRICES | {"curve": {"kept": [0, 9]}}},
            "event.curve.kept: expected a stretch of the 0 slots before, got [0, 9]",
        ),
    ],
    ids=str,
)
def test_a_line_that_cannot_be_read_is_told_with_what_was_expected(line: object, said: str) -> None:
    text = line if isinstance(line, bytes) else json.dumps(line).encode()
    with pytest.raises(ValueError, match=r".+") as caught:
        load(text, PriceCurve())
    assert said in str(caught.value)
