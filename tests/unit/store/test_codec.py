"""How states, times and cursors are spelled in the database."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargerd.core.ids import ChargerId, PolicyId, SessionId
from chargerd.core.model import Interval, Ledger, Session, State
from chargerd.core.policy import ChargerSpec, Site
from chargerd.core.units import utc
from chargerd.plan.grid import QUARTER
from chargerd.plan.prices import PriceCurve, PriceSlot
from chargerd.store.codec import dump_document, dump_time, join, load_time, split
from chargerd.store.cursor import dump_cursor, load_cursor

NOON = utc(2026, 1, 14, 12)
CELLS = (Interval(NOON, NOON + QUARTER, 1200), Interval(NOON + QUARTER, NOON + 2 * QUARTER, 7))
GUEST = Session(session_id=SessionId("guest"), policy_id=None, ledger=Ledger(cells=CELLS, total_wh=1207))
STATE = State(
    at=NOON,
    site=Site(),
    charger=ChargerSpec(charger_id=ChargerId("garage")),
    prices=PriceCurve((PriceSlot(NOON, NOON + QUARTER, Decimal("0.3")),)),
    guest=GUEST,
)
TIMES = st.timedeltas(timedelta(0), timedelta(days=36500)).map(lambda since: utc(2000, 1, 1) + since)


def test_a_snapshot_holds_neither_prices_nor_cells() -> None:
    snapshot, cells = split(STATE)
    assert json.loads(snapshot)["prices"]["slots"] == []
    assert json.loads(snapshot)["guest"]["ledger"]["cells"] == []
    assert cells == {"guest": CELLS}
    assert STATE.guest is GUEST, "the state itself is untouched"


def test_a_snapshot_and_its_cells_make_the_state_again() -> None:
    assert join(*split(STATE)) == replace(STATE, prices=PriceCurve())


def test_a_snapshot_is_plain_json_with_times_in_utc() -> None:
    snapshot, _ = split(STATE)
    assert snapshot.startswith('{"at":"2026-01-14T12:00:00Z","site":{"name":"home","zone":"UTC",')


def test_a_snapshot_of_an_older_program_gets_the_defaults_of_new_fields() -> None:
    snapshot = json.loads(split(STATE)[0])
    del snapshot["control"], snapshot["sessions_made"]
    assert join(json.dumps(snapshot), {}).sessions_made == 0


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"at": "noon"}', "\x00"])
def test_what_is_no_snapshot_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        join(text, {})


def test_a_document_has_no_spaces_and_keeps_its_order_and_letters() -> None:
    assert dump_document({"b": [1, 2.5, None], "a": "Straße"}) == '{"b":[1,2.5,null],"a":"Straße"}'


def test_a_document_may_hold_no_infinity() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump_document({"kwh": float("inf")})


@given(one=TIMES, other=TIMES)
def test_the_order_of_spelled_times_is_the_order_of_times(one: datetime, other: datetime) -> None:
    assert (dump_time(one) < dump_time(other)) == (one < other)
    assert load_time(dump_time(one)) == one


def test_a_time_of_another_zone_is_spelled_in_utc() -> None:
    local = datetime(2026, 1, 14, 13, tzinfo=timezone(timedelta(hours=1)))
    assert dump_time(local) == "2026-01-14T12:00:00.000000Z"
    assert load_time(dump_time(local)).tzinfo is UTC


@given(at=TIMES, session_id=st.text(min_size=1).filter(lambda text: text.isprintable()))
def test_a_cursor_gives_back_what_it_was_made_of_and_is_safe_in_a_url(at: datetime, session_id: str) -> None:
    cursor = dump_cursor((dump_time(at), session_id))
    assert load_cursor(cursor) == (dump_time(at), session_id)
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_policies_and_chargers_keep_their_names() -> None:
    session = replace(GUEST, policy_id=PolicyId("p"), ledger=Ledger())
    assert join(*split(replace(STATE, guest=session))).guest == session
