"""A visit from plug-in to settlement: whose it is, when it began and ended, and what it is settled with."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from chargerd.core import ledger, session, target
from chargerd.core.commands import StoreSettled
from chargerd.core.ids import ChargerId, PolicyId, SessionId
from chargerd.core.ledger import Delta
from chargerd.core.model import (
    Block,
    ChargerFacts,
    ErrorKind,
    ImmediateTarget,
    Ledger,
    LevelSource,
    Outcome,
    OutcomeState,
    Quality,
    Reading,
    RegularTarget,
    Session,
    SessionError,
    Slot,
    State,
    Targets,
    VehicleFacts,
)
from chargerd.core.policy import DayTarget
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import GARAGE, utc
from tests.unit.core.partition import known, slot, spec, state
from tests.unit.core.telling import running

PLUG = utc("10T20:00")
LEFT = utc("10T22:00")
CONNECTED: dict[str, Any] = {"online": True, "online_since": utc("10T12:00")}
GUEST = Session(session_id=SessionId("guest"), policy_id=None, plugged_in_at=PLUG, ledger=ledger.opened(PLUG))
AT_SEVEN = (DayTarget(ready_by=time(7), minimum_charge_target=80),) * 7


def drawn(wh: int = 3000, start: str = "10T20:30", end: str = "10T21:00") -> Ledger:
    """The ledger of a visit since 20:00 that took up so much."""
    return ledger.counted(ledger.opened(PLUG), Delta(utc(start), utc(end), wh, Quality.MEASURED))


def at_cable(*slots: Slot, guest: Session | None = None, **facts: Any) -> State:
    return state(*slots, facts=ChargerFacts(**CONNECTED | facts), guest=guest)


def visited(**changes: Any) -> Slot:
    """A policy whose car has been there since 20:00."""
    return slot(plugged_at=PLUG, **changes)


def followed(whole: State, now: str = "10T22:00") -> State:
    after, commands = session.followed(whole, utc(now))
    assert commands == ()
    return after


def settled(whole: State, now: str) -> tuple[State, StoreSettled | None]:
    after, commands = session.followed(whole, utc(now))
    if not commands:
        return after, None
    (store,) = commands
    assert isinstance(store, StoreSettled)
    return after, store


def visit(whole: State) -> Session:
    found = session.visit(whole)
    assert found is not None
    return found


# Names


def test_each_session_has_a_name_of_its_own() -> None:
    whole, policy, now = state(), PolicyId("a"), utc("10T22:00")
    after, name = session.new_id(whole, policy, now)
    assert after == replace(whole, sessions_made=1)
    assert session.new_id(whole, policy, now)[1] == name, "the same in a replay"
    other = replace(whole, charger=replace(whole.charger, charger_id=ChargerId("other")))
    others = [
        session.new_id(after, policy, now)[1],
        session.new_id(whole, None, now)[1],
        session.new_id(whole, policy, utc("10T22:01"))[1],
        session.new_id(other, policy, now)[1],
    ]
    assert len({name, *others}) == 5


def test_the_next_session_of_a_policy_waits_with_the_targets_of_its_schedule() -> None:
    policy = replace(slot().policy, schedule=AT_SEVEN)
    whole, made = session.upcoming(state(), policy, utc("10T22:00"))
    goal = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=80, ready_by=utc("11T07:00"))
    assert made == Session(
        session_id=made.session_id, policy_id=policy.policy_id, targets=Targets(scheduled=goal, next_id=2)
    )
    assert session.new_id(state(), policy.policy_id, utc("10T22:00")) == (whole, made.session_id)


def test_a_slot_goes_back_to_its_place() -> None:
    a, b, changed = slot("a"), slot("b"), slot("b", loose_wh=1)
    assert session.with_slot(state(a, b), changed).slots == (a, changed)
    assert session.with_slot(state(b), changed).slots == (changed,)
    assert session.visiting_slot(state(a, b)) is None
    assert session.visiting_slot(state(a, slot("b", plugged_at=PLUG))) == slot("b", plugged_at=PLUG)


# Plug-in


def test_a_visit_begins_when_a_car_is_there() -> None:
    whole = at_cable(slot("a"), slot("b"), plugged=False, plugged_at=PLUG)
    assert followed(whole) == whole
    unknown = at_cable(slot("a"))
    assert followed(unknown) == unknown, "nobody said"


@pytest.mark.parametrize(
    ("plugged_at", "began"),
    [
        pytest.param("10T21:50", "10T21:50", id="before"),
        pytest.param("10T22:05", "10T22:00", id="by-a-clock-that-was-ahead"),
        pytest.param(None, "10T22:00", id="nobody-knows-when"),
    ],
)
@pytest.mark.parametrize("slots", [(slot(),), ()], ids=["of-a-policy", "of-a-guest"])
def test_it_began_at_plug_in_and_not_later_than_now(
    plugged_at: str | None, began: str, slots: tuple[Slot, ...]
) -> None:
    since = None if plugged_at is None else utc(plugged_at)
    after = followed(at_cable(*slots, plugged=True, plugged_at=since))
    assert visit(after).plugged_in_at == utc(began)
    assert visit(after).ledger == ledger.opened(utc(began))
    assert (after.guest is None) is bool(slots)


def test_it_begins_on_a_whole_second() -> None:
    after = followed(at_cable(slot(), plugged=True, plugged_at=utc("10T21:50:00.700")))
    assert visit(after).plugged_in_at == utc("10T21:50")


@pytest.mark.parametrize(
    ("facts", "from_wh"),
    [
        pytest.param({"plug_wh": 500.0, "reading": Reading(at=utc("10T21:50"))}, 500.0, id="read"),
        pytest.param({"plug_wh": 500.0, "reading": Reading(at=utc("10T12:00"))}, 500.0, id="at-once"),
        pytest.param({"plug_wh": 500.0, "reading": Reading(at=utc("10T11:59:59"))}, None, id="before-it-was-gone"),
        pytest.param({"plug_wh": 500.0}, None, id="never-read"),
        pytest.param({"reading": Reading(at=utc("10T21:50"))}, None, id="not-at-plug-in"),
        pytest.param(
            {"plug_wh": 500.0, "reading": Reading(at=utc("10T21:50")), "online_since": None}, None, id="not-connected"
        ),
    ],
)
def test_it_counts_from_the_register_at_plug_in_where_that_was_heard(
    facts: dict[str, Any], from_wh: float | None
) -> None:
    after = followed(at_cable(slot(), plugged=True, plugged_at=utc("10T21:55"), register_scale=1000.0, **facts))
    account = visit(after).ledger
    assert (account.anchor_wh, account.epoch_wh) == (from_wh, from_wh)
    assert account.anchor_at == (None if from_wh is None else utc("10T21:55"))
    assert account.scale == 1000


def test_a_policys_visit_is_its_upcoming_session() -> None:
    goal = RegularTarget(target_id=4, from_policy=True, minimum_charge_target=80, ready_by=utc("11T07:00"))
    its = slot(targets=Targets(scheduled=goal, next_id=5), assumed=35)
    after = followed(at_cable(its, plugged=True, plugged_at=LEFT))
    assumed = known(35, source=LevelSource.ASSUMED, at=LEFT)
    assert visit(after) == replace(
        its.session, plugged_in_at=LEFT, ledger=ledger.opened(LEFT), level=assumed, level_from_pct=35
    )
    assert after.sessions_made == 0


def test_a_level_told_before_plug_in_is_the_first_that_a_real_source_told() -> None:
    its = slot(facts=VehicleFacts(level_pct=40, level_at=utc("10T21:30")), assumed=35)
    begun = visit(followed(at_cable(its, plugged=True, plugged_at=LEFT)))
    assert begun.level == begun.level_first == known(40, at=utc("10T21:30"))
    assert begun.level_from_pct == 40


def test_a_guest_gets_a_session_of_its_own() -> None:
    after = followed(at_cable(plugged=True, plugged_at=LEFT))
    assert after.guest == Session(
        session_id=session.new_id(state(), None, LEFT)[1],
        policy_id=None,
        plugged_in_at=LEFT,
        ledger=ledger.opened(LEFT),
    )
    assert after.sessions_made == 1


@pytest.mark.parametrize(
    ("now", "opens"),
    [pytest.param("10T22:00:59", False, id="awaited"), pytest.param("10T22:01", True, id="not-any-more")],
)
def test_where_several_cars_may_have_come_the_visit_waits_for_evidence(now: str, opens: bool) -> None:
    whole = at_cable(slot("a"), slot("b"), plugged=True, plugged_at=LEFT)
    assert (session.visit(followed(whole, now)) is not None) is opens
    undated = at_cable(slot("a"), slot("b"), plugged=True)
    assert session.visit(followed(undated, now)) is None, "it may just have come"


# Whose it is


def holds_a_card(name: str, **changes: Any) -> Slot:
    return slot(name, vehicle=spec(name, id_tokens=(name,)), **changes)


def test_a_visit_goes_over_to_the_policy_that_the_card_names() -> None:
    """With all that was seen; the first policy waits anew."""
    block = Block(kind=BlockKind.REGULAR, started_at=utc("10T20:30"), ended_at=utc("10T21:00"), wh=2900)
    first = holds_a_card(
        "a",
        plugged_at=PLUG,
        ledger=drawn(),
        blocks=(block,),
        flowed_until=utc("10T21:00"),
        level=known(77),
        error=SessionError(kind=ErrorKind.START_FAIL),
    )
    second = holds_a_card("b", assumed=20, outcome=Outcome(target_id=1, state=OutcomeState.ON_TARGET))
    whole = at_cable(first, second, plugged=True, plugged_at=PLUG, token="b", token_at=PLUG)
    after = followed(whole)
    assert session.visiting_slot(after) == after.slots[1]
    assert after.slots[1].session == replace(
        second.session,
        plugged_in_at=PLUG,
        ledger=drawn(),
        blocks=(block,),
        loose_wh=100,
        flowed_until=utc("10T21:00"),
        level=known(20, source=LevelSource.ASSUMED, at=LEFT),
        level_from_pct=20,
    )
    assert after.slots[0].session == session.upcoming(state(), first.policy, LEFT)[1]
    assert followed(after) == after, "and stays there"


def test_a_guest_that_shows_the_card_of_a_policy_is_no_guest_any_more() -> None:
    whole = at_cable(holds_a_card("a"), guest=GUEST, plugged=True, plugged_at=PLUG, token="a", token_at=PLUG)
    after = followed(whole)
    assert after.guest is None
    assert (visit(after).session_id, visit(after).plugged_in_at) == ("session-a", PLUG)
    assert after.sessions_made == 0


def test_a_visit_whose_card_nobody_has_is_a_guests() -> None:
    first = holds_a_card("a", plugged_at=PLUG, ledger=drawn())
    whole = at_cable(first, plugged=True, plugged_at=PLUG, token="stranger", token_at=PLUG)
    after = followed(whole)
    assert after.guest == session.as_guest(first.session)
    assert session.visiting_slot(after) is None
    assert followed(after) == after


def test_a_card_that_says_what_is_known_changes_nothing() -> None:
    whole = at_cable(holds_a_card("a", plugged_at=PLUG), plugged=True, plugged_at=PLUG, token="a", token_at=PLUG)
    assert followed(whole) == whole
    guest = at_cable(guest=GUEST, plugged=True, plugged_at=PLUG, token="a", token_at=PLUG)
    assert followed(guest) == guest


def test_a_visit_that_nothing_is_said_of_stays_where_it_is() -> None:
    """The first policy would be the default."""
    whole = at_cable(slot("a"), slot("b", plugged_at=PLUG), plugged=True, plugged_at=PLUG)
    assert followed(whole) == whole


def test_of_a_guest_only_what_flows_counts() -> None:
    goal = ImmediateTarget(target_id=1, minimum_charge_target=80)
    visited = Session(
        session_id=SessionId("s"),
        policy_id=PolicyId("p"),
        plugged_in_at=PLUG,
        targets=Targets(immediate=goal),
        ledger=drawn(),
        loose_wh=7,
        blocks=(Block(kind=BlockKind.REGULAR, started_at=PLUG),),
        plan=(Window(kind=BlockKind.REGULAR, start=PLUG, end=LEFT, wh=1),),
        level=known(40),
        level_first=known(30),
        level_from_pct=30,
        flowed_until=utc("10T21:00"),
        car_is_full=True,
        unplugged_at=LEFT,
        quiet_since=LEFT,
        outcome=Outcome(target_id=1, state=None),
        error=SessionError(kind=ErrorKind.START_FAIL),
    )
    assert session.as_guest(visited) == Session(
        session_id=SessionId("s"),
        policy_id=None,
        plugged_in_at=PLUG,
        ledger=drawn(),
        flowed_until=utc("10T21:00"),
        unplugged_at=LEFT,
        quiet_since=LEFT,
    )


# Plug-out


def test_a_guests_visit_ends_with_its_plug_too() -> None:
    after = followed(at_cable(guest=GUEST, **gone("10T20:04")), "10T20:05")
    assert after.guest == replace(GUEST, unplugged_at=utc("10T20:04"), quiet_since=utc("10T20:05"))


def gone(left: str | None = "10T22:00", **facts: Any) -> dict[str, Any]:
    return {"plugged": False, "plugged_at": None if left is None else utc(left)} | facts


@pytest.mark.parametrize(
    ("left", "at"),
    [
        pytest.param("10T20:04", "10T20:04", id="then"),
        pytest.param("10T19:00", "10T20:00", id="not-before-plug-in"),
        pytest.param(None, "10T20:05", id="nobody-knows-when"),
    ],
)
def test_a_visit_ends_with_its_plug(left: str | None, at: str) -> None:
    after = followed(at_cable(visited(), **gone(left)), "10T20:05")
    assert visit(after) == replace(visited().session, unplugged_at=utc(at), quiet_since=utc("10T20:05"))


@pytest.mark.parametrize(
    ("left", "at"),
    [pytest.param("10T21:58", "10T21:59", id="earlier"), pytest.param("10T22:00", "10T22:00", id="later")],
)
def test_later_evidence_of_its_end_is_better(left: str, at: str) -> None:
    its = visited(unplugged_at=utc("10T21:59"), quiet_since=utc("10T21:59:30"))
    after = followed(at_cable(its, **gone(left)), "10T22:00:10")
    assert (visit(after).unplugged_at, visit(after).quiet_since) == (utc(at), utc("10T21:59:30"))


def test_a_plug_that_returns_before_it_is_settled_changes_nothing() -> None:
    its = visited(unplugged_at=LEFT, quiet_since=LEFT)
    after = followed(at_cable(its, plugged=True, plugged_at=utc("10T22:00:30")), "10T22:00:30")
    assert visit(after) == visited().session


@pytest.mark.parametrize(
    ("facts", "quiet", "at"),
    [
        pytest.param({}, "10T22:00:20", "10T22:01:20", id="a-minute-without-news"),
        pytest.param({}, None, "10T22:01", id="nothing-told-since"),
        pytest.param({}, "10T22:09:30", "10T22:10", id="ten-minutes-at-most"),
        pytest.param({"transaction": running()}, "10T22:00", "10T22:10", id="a-transaction-is-open"),
        pytest.param({"online_since": utc("10T22:03")}, "10T22:00", "10T22:04", id="its-queue-drains"),
        pytest.param({"online_since": utc("10T22:30")}, "10T22:30", "10T22:31", id="long-after"),
        pytest.param(
            {"online_since": utc("10T22:30"), "transaction": running()}, "10T22:30", "10T22:31", id="and-an-open-one"
        ),
        pytest.param({"online_since": None}, "10T22:00", "10T22:01", id="nobody-knows-since-when"),
        pytest.param(
            {"online": False, "online_since": None, "lost_at": utc("10T21:00")},
            "10T22:00",
            "10T22:10",
            id="gone-before",
        ),
        pytest.param(
            {"online": False, "online_since": None, "lost_at": utc("10T22:05")}, "10T22:00", "10T22:15", id="gone-since"
        ),
        pytest.param({"online": False, "online_since": None}, "10T22:00", "10T22:10", id="never-there"),
    ],
)
def test_it_is_settled_once_the_charger_has_told_what_it_had_to(
    facts: dict[str, Any], quiet: str | None, at: str
) -> None:
    its = visited(unplugged_at=LEFT, quiet_since=None if quiet is None else utc(quiet))
    whole = at_cable(its, **gone(**facts))
    assert session.settles_at(whole, its.session) == utc(at)
    assert settled(whole, (utc(at) - timedelta(seconds=1)).strftime("%dT%H:%M:%S"))[1] is None
    assert settled(whole, utc(at).strftime("%dT%H:%M:%S"))[1] is not None


# Settlement


def done(
    its: Slot | None, now: str = "10T22:10", guest: Session | None = None, **facts: Any
) -> tuple[State, StoreSettled]:
    slots = () if its is None else (its,)
    after, store = settled(at_cable(*slots, guest=guest, **gone(**facts)), now)
    assert store is not None
    return after, store


def test_a_settled_visit_goes_to_the_archive_and_the_next_session_waits() -> None:
    its = visited(ledger=drawn(), unplugged_at=LEFT, error=SessionError(kind=ErrorKind.START_FAIL))
    after, store = done(its, transaction=running())
    assert (store.session_id, store.policy_id) == ("session-car", "policy-car")
    assert (store.charger_id, store.vehicle_id) == (GARAGE, "car")
    assert (store.plugged_in_at, store.plugged_out_at) == (PLUG, LEFT)
    assert store.document["state"] == "SETTLED"
    assert store.document["error"] == {"latest": None}
    assert sum(row["wh"] for row in store.ledger) == 3000
    assert after.slots[0].session == session.upcoming(state(), its.policy, utc("10T22:10"))[1]
    assert after.facts.transaction is None, "one whose end nobody told is over as well"


def test_a_guests_visit_is_settled_without_a_policy() -> None:
    after, store = done(None, guest=replace(GUEST, unplugged_at=LEFT))
    assert (store.policy_id, store.vehicle_id, store.charger_id) == (None, None, GARAGE)
    assert (after.guest, after.sessions_made) == (None, 0)


@pytest.mark.parametrize(
    ("left", "wh", "at"),
    [
        pytest.param("10T22:00:00.900", 0, "10T22:00:00", id="whole-seconds"),
        pytest.param("10T20:00:00.900", 0, "10T20:00:00", id="not-before-plug-in"),
        pytest.param("10T20:00:00.900", 10, "10T20:00:01", id="what-flowed-took-a-second"),
        pytest.param("10T20:00:02", 10, "10T20:00:02", id="or-longer"),
    ],
)
def test_a_visit_ends_on_a_whole_second(left: str, wh: int, at: str) -> None:
    its = visited(unplugged_at=utc(left), ledger=drawn(wh, "10T20:00", "10T20:00:00.900"))
    _, store = done(its, left=left)
    assert store.plugged_out_at == utc(at)
    assert store.document["statistics"]["aggregated"]["kwhSum"] == wh / 1000


def test_a_block_in_which_the_connection_was_lost_ends_where_charging_was_last_seen() -> None:
    block = Block(kind=BlockKind.REGULAR, started_at=utc("10T20:30"), wh=3000)
    its = visited(ledger=drawn(), unplugged_at=LEFT, blocks=(block,), flowed_until=utc("10T21:00"))
    _, store = done(its, lost_at=utc("10T21:10"))
    assert store.document["blocks"][0]["endAt"] == "2025-06-10T21:00:00Z"
    _, store = done(its, lost_at=utc("10T20:10"))
    assert store.document["blocks"][0]["endAt"] == "2025-06-10T22:00:00Z"


def test_what_a_visit_teaches_is_kept_for_the_next() -> None:
    levels = {"level_first": known(40), "level": known(64, wh=20_000)}
    after, _ = done(visited(ledger=drawn(20_000), unplugged_at=LEFT, **levels))
    assert after.slots[0].learned.efficiency == pytest.approx(0.846)


# A charger that is gone


@pytest.mark.parametrize(
    ("changes", "facts", "at"),
    [
        pytest.param({}, {"lost_at": LEFT}, "11T22:00", id="for-a-day"),
        pytest.param({"unplugged_at": LEFT}, {"lost_at": LEFT}, None, id="its-car-has-left"),
        pytest.param({}, {"lost_at": LEFT, "online": True}, None, id="it-is-back"),
        pytest.param({}, {}, None, id="nobody-knows-since-when"),
    ],
)
def test_a_charger_that_is_gone_is_given_up_a_day_later(
    changes: dict[str, Any], facts: dict[str, Any], at: str | None
) -> None:
    whole = at_cable(visited(**changes), **{"online": False, "online_since": None} | facts)
    assert session.given_up_at(whole) == (None if at is None else utc(at))
    assert session.given_up_at(at_cable(slot(), online=False, lost_at=LEFT)) is None, "there is no visit"


def test_a_car_at_a_charger_that_was_given_up_left_when_that_was_last_connected() -> None:
    facts: dict[str, Any] = {
        "online": False,
        "online_since": None,
        "lost_at": LEFT,
        "plugged": True,
        "plugged_at": PLUG,
    }
    whole = at_cable(visited(), charging=True, transaction=running(), **facts)
    assert followed(whole, "11T21:59:59") == whole
    after, store = settled(whole, "11T22:00")
    assert store is not None
    assert store.plugged_out_at == LEFT
    told = after.facts
    assert (told.plugged, told.plugged_at, told.left_unseen) == (False, LEFT, True)
    assert (told.charging, told.transaction) == (False, None)


# Targets


def goal(ready_by: str = "11T07:00", number: int = 1, *, own: bool = False, level: int = 80) -> RegularTarget:
    return RegularTarget(target_id=number, from_policy=not own, minimum_charge_target=level, ready_by=utc(ready_by))


def rolled(its: Slot, now: str) -> Session:
    its = replace(its, policy=replace(its.policy, schedule=AT_SEVEN))
    return session.rolled(state(its), utc(now)).slots[0].session


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param("11T06:59:59", goal(), id="before"),
        pytest.param("11T07:00", goal("12T07:00"), id="at-it"),
        pytest.param("13T08:00", goal("14T07:00"), id="days-later"),
    ],
)
def test_a_deadline_rolls_on_while_nothing_is_plugged_in(now: str, expected: RegularTarget) -> None:
    assert rolled(slot(targets=Targets(scheduled=goal(), next_id=2)), now).targets == Targets(
        scheduled=expected, next_id=2
    )


def test_a_policys_target_comes_once_its_schedule_has_one() -> None:
    assert rolled(slot(), "10T22:00").targets == Targets(scheduled=goal(), next_id=2)


def test_a_deadline_to_come_is_not_looked_up_again() -> None:
    """The schedule would have an earlier one."""
    waiting = slot(targets=Targets(scheduled=goal("15T07:00"), next_id=2))
    assert rolled(waiting, "10T22:00").targets.scheduled == goal("15T07:00")


@pytest.mark.parametrize(
    ("now", "kept"), [pytest.param("11T05:59:59", True, id="before"), pytest.param("11T06:00", False, id="at-it")]
)
def test_an_override_ends_with_its_deadline_while_nothing_is_plugged_in(now: str, kept: bool) -> None:
    own = goal("11T06:00", 2, own=True)
    targets = Targets(scheduled=goal(), override=own, next_id=3)
    assert rolled(slot(targets=targets), now).targets == replace(targets, override=own if kept else None)


@pytest.mark.parametrize(
    ("pct", "over"),
    [
        pytest.param(None, False, id="level-unknown"),
        pytest.param(79.9, False, id="not-quite"),
        pytest.param(80, True, id="reached"),
    ],
)
def test_an_immediate_start_ends_when_its_level_is_reached(pct: float | None, over: bool) -> None:
    at_once = ImmediateTarget(target_id=2, minimum_charge_target=80)
    targets = Targets(scheduled=goal(), immediate=at_once, next_id=3)
    its = visited(targets=targets, level=None if pct is None else known(pct), car_is_full=True)
    assert rolled(its, "10T22:00").targets.immediate == (None if over else at_once)
    assert rolled(its, "11T08:00").targets.scheduled == goal(), "it goes before the deadline"


@pytest.mark.parametrize(
    ("pct", "now", "full", "next_one"),
    [
        pytest.param(79.9, "11T08:00", False, False, id="not-quite"),
        pytest.param(80, "11T06:59:59", False, False, id="reached-before-it"),
        pytest.param(80, "11T07:00", False, True, id="reached-at-it"),
        pytest.param(80, "11T08:00", False, True, id="reached-late"),
        pytest.param(60, "11T08:00", True, True, id="takes-no-more"),
        pytest.param(None, "11T08:00", False, False, id="level-unknown"),
        pytest.param(None, "11T08:00", True, True, id="level-unknown-and-takes-no-more"),
    ],
)
def test_the_next_deadline_takes_over_once_this_one_is_past_and_its_level_reached(
    pct: float | None, now: str, full: bool, next_one: bool
) -> None:
    targets = Targets(scheduled=goal(), next_id=2)
    its = visited(targets=targets, level=None if pct is None else known(pct), car_is_full=full)
    after = rolled(its, now)
    expected = Targets(scheduled=goal("12T07:00", 2), next_id=3) if next_one else targets
    assert after.targets == expected
    assert after.car_is_full is (full and not next_one), "the next one is tried anew"


def test_a_car_that_has_left_is_judged_by_the_target_that_was_in_force() -> None:
    targets = Targets(scheduled=goal(), next_id=2)
    assert rolled(visited(targets=targets, level=known(90), unplugged_at=LEFT), "11T08:00").targets == targets


def test_where_no_target_is_in_force_none_rolls_on() -> None:
    its = visited(level=known(90))
    assert session.rolled(state(its), utc("11T08:00")) == state(its)
    assert target.scheduled(Targets(), its.policy, "UTC", LEFT) == Targets()
