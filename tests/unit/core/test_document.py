"""Documents, whole: the session's blocks, goal and errors, the charger's facts, and what cars tell of themselves."""

from dataclasses import replace
from typing import Any

import pytest

from chargerd.core import document, ledger
from chargerd.core.ids import PolicyId, SessionId, TransactionId
from chargerd.core.model import (
    Action,
    ActionState,
    Block,
    Car,
    ChargerFacts,
    Control,
    ErrorKind,
    ImmediateTarget,
    Interval,
    Ledger,
    Outcome,
    OutcomeState,
    Quality,
    Reading,
    RegularTarget,
    Session,
    SessionError,
    State,
    Targets,
    Transaction,
    VehicleFacts,
    Want,
)
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import utc
from tests.unit.core.partition import known, slot, spec, state

PLUG, NOW = utc("10T21:00"), utc("10T22:00")
REGULAR, RESERVE, IMMEDIATE = BlockKind.REGULAR, BlockKind.BATTERY_RESERVE, BlockKind.IMMEDIATE_START
SCHEDULED = RegularTarget(target_id=1, from_policy=True, minimum_charge_target=50, ready_by=utc("11T07:00"))
BOOST = ImmediateTarget(target_id=3, minimum_charge_target=80)


def visiting(facts: ChargerFacts | None = None, **session: Any) -> State:
    return state(slot(plugged_at=PLUG, **session), facts=facts or ChargerFacts(online=True, plugged=True))


def shown(whole: State) -> dict[str, Any]:
    found = document.current(whole, whole.slots[0].policy.policy_id)
    assert found is not None
    return found


# The session's blocks


def seen(start: str, end: str | None, wh: int, kind: BlockKind = REGULAR) -> Block:
    return Block(kind=kind, started_at=utc(start), ended_at=None if end is None else utc(end), wh=wh)


def planned(start: str, end: str, wh: int = 1000, kind: BlockKind = REGULAR) -> Window:
    return Window(kind, utc(start), utc(end), wh)


FIRST = seen("10T21:00", "10T21:20", 3000, RESERVE)
STOPPED = ChargerFacts(online=True, plugged=True, stopped_at=utc("10T21:58"))


@pytest.mark.parametrize(
    ("blocks", "plan", "facts", "told"),
    [
        pytest.param((), (), None, [], id="nothing"),
        pytest.param((FIRST,), (), None, [("BATTERY_RESERVE", 3, "21:00", "21:20")], id="past"),
        pytest.param((replace(FIRST, wh=0),), (), None, [], id="past-without-energy"),
        pytest.param((replace(FIRST, wh=1),), (), None, [("BATTERY_RESERVE", 0.001, "21:00", "21:20")], id="one-Wh"),
        pytest.param(
            (seen("10T21:45", None, 2000),),
            (planned("10T21:45", "10T22:30"),),
            None,
            [("REGULAR", 2, "21:45", "22:30")],
            id="running-as-long-as-its-window",
        ),
        pytest.param(
            (seen("10T21:45", None, 2000),),
            (planned("10T23:00", "10T23:30", 500),),
            None,
            [("REGULAR", 2, "21:45", "22:00"), ("REGULAR", 0.5, "23:00", "23:30")],
            id="running-until-now-without-one",
        ),
        pytest.param(
            (seen("10T21:45", None, 2000),),
            (),
            STOPPED,
            [("REGULAR", 2, "21:45", "21:58")],
            id="running-until-it-stopped",
        ),
        pytest.param(
            (seen("10T21:58", None, 5),), (), STOPPED, [("REGULAR", 0.005, "21:58", "21:58:01")], id="at-least-a-second"
        ),
        pytest.param(
            (FIRST,),
            (planned("10T21:30", "10T22:30"), planned("10T23:00", "10T23:15", 250, IMMEDIATE)),
            None,
            [
                ("BATTERY_RESERVE", 3, "21:00", "21:20"),
                ("REGULAR", 0, "21:30", "22:30"),
                ("IMMEDIATE_START", 0.25, "23:00", "23:15"),
            ],
            id="due-and-nothing-delivered",
        ),
        pytest.param(
            (FIRST, seen("10T21:30", "10T21:40", 1000)),
            (planned("10T21:00", "10T22:30"),),
            None,
            [
                ("BATTERY_RESERVE", 3, "21:00", "21:20"),
                ("REGULAR", 1, "21:30", "21:40"),
                ("REGULAR", 0, "21:40", "22:30"),
            ],
            id="due-since-the-last-one-ended",
        ),
        pytest.param(
            (),
            (planned("10T22:00", "10T22:15"), planned("10T22:15", "10T22:30", 9)),
            None,
            [("REGULAR", 0, "22:00", "22:15"), ("REGULAR", 0.009, "22:15", "22:30")],
            id="due-from-now",
        ),
    ],
)
def test_blocks_are_past_running_and_planned(
    blocks: tuple[Block, ...], plan: tuple[Window, ...], facts: ChargerFacts | None, told: list[tuple[Any, ...]]
) -> None:
    found = shown(visiting(facts, blocks=blocks, plan=plan))["blocks"]
    assert [list(block) for block in found] == [["type", "kwhSum", "startAt", "endAt"]] * len(told)
    times = [(block["startAt"][11:-1], block["endAt"][11:-1]) for block in found]
    short = [tuple(time.removesuffix(":00") if time.count(":") == 2 else time for time in pair) for pair in times]
    assert [(b["type"], b["kwhSum"], *pair) for b, pair in zip(found, short, strict=True)] == told


def test_a_session_that_awaits_its_car_shows_its_target_alone() -> None:
    awaited = slot(
        targets=Targets(scheduled=SCHEDULED),
        plan=(planned("10T23:00", "10T23:15"),),
        outcome=Outcome(target_id=1, state=OutcomeState.ON_TARGET),
        blocks=(FIRST,),
    )
    awaited = replace(awaited, policy=replace(awaited.policy, battery_reserve=20))
    assert shown(state(awaited)) == {
        "policyId": "policy-car",
        "state": "UPCOMING",
        "pluggedInAt": None,
        "pluggedOutAt": None,
        "blocks": [],
        "statistics": {"aggregated": None, "timeseries": []},
        "target": {
            "latest": {
                "id": 1,
                "type": "REGULAR",
                "source": "POLICY",
                "batteryReserve": 20,
                "minimumChargeTarget": 50,
                "readyBy": "2025-06-11T07:00:00Z",
            }
        },
        "outcome": {"latest": None},
        "error": {"latest": None},
    }


@pytest.mark.parametrize(("kind", "name"), [(kind, f"ACTIVE:{kind.value}") for kind in BlockKind])
def test_a_session_with_a_car_shows_since_when_and_what_it_does(kind: BlockKind, name: str) -> None:
    found = shown(visiting(kind=kind))
    assert (found["state"], found["pluggedInAt"], found["pluggedOutAt"]) == (name, "2025-06-10T21:00:00Z", None)


def test_a_policy_that_is_not_here_has_no_document() -> None:
    assert document.current(visiting(), PolicyId("policy-van")) is None


# Its statistics, goal and errors


def test_only_quarters_that_are_over_are_shown() -> None:
    cells = (
        Interval(PLUG, utc("10T21:15"), 2750),
        Interval(utc("10T21:15"), utc("10T22:00"), 0),
        Interval(utc("10T22:00"), utc("10T22:15"), 100),
    )
    account = Ledger(cells=cells, total_wh=2850)
    found = shown(visiting(ledger=account, level=known(40), level_from_pct=39.9))["statistics"]
    assert found == {
        "aggregated": {"kwhSum": 2.85, "batteryFrom": 39, "batteryTo": 44},
        "timeseries": [
            {"startAt": "2025-06-10T21:00:00Z", "kwh": 11.0},
            {"startAt": "2025-06-10T21:15:00Z", "kwh": 0},
        ],
    }
    unknown = shown(visiting(ledger=account))["statistics"]["aggregated"]
    assert unknown == {"kwhSum": 2.85, "batteryFrom": None, "batteryTo": None}


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        pytest.param(None, None, id="none-yet"),
        pytest.param(
            Outcome(target_id=1, state=OutcomeState.OFF_TARGET, level_pct_at_ready_by=40, reached_at=utc("11T08:00")),
            {
                "type": "REGULAR",
                "targetId": 1,
                "state": "OFF_TARGET",
                "batteryLevelAtReadyBy": 40,
                "minimumChargeTargetReachedAt": "2025-06-11T08:00:00Z",
            },
            id="off-target",
        ),
        pytest.param(
            Outcome(target_id=1, state=OutcomeState.ON_TARGET),
            {
                "type": "REGULAR",
                "targetId": 1,
                "state": "ON_TARGET",
                "batteryLevelAtReadyBy": None,
                "minimumChargeTargetReachedAt": None,
            },
            id="on-target",
        ),
        pytest.param(
            Outcome(target_id=3, state=None, reached_at=utc("11T00:00")),
            {"type": "IMMEDIATE_START", "targetId": 3, "minimumChargeTargetReachedAt": "2025-06-11T00:00:00Z"},
            id="at-once",
        ),
    ],
)
def test_an_outcome_is_shown_as_its_kind(outcome: Outcome | None, told: dict[str, Any] | None) -> None:
    assert shown(visiting(outcome=outcome, targets=Targets(scheduled=SCHEDULED)))["outcome"] == {"latest": told}


def test_without_a_target_there_is_no_outcome() -> None:
    stale = Outcome(target_id=1, state=OutcomeState.ON_TARGET)
    found = shown(visiting(outcome=stale))
    assert (found["target"], found["outcome"]) == ({"latest": None}, {"latest": None})


def test_a_target_of_the_user_says_so_and_one_at_once_has_no_deadline() -> None:
    override = replace(SCHEDULED, target_id=2, from_policy=False)
    assert shown(visiting(targets=Targets(scheduled=SCHEDULED, override=override)))["target"]["latest"] == {
        "id": 2,
        "type": "REGULAR",
        "source": "USER_OVERRIDE",
        "batteryReserve": 0,
        "minimumChargeTarget": 50,
        "readyBy": "2025-06-11T07:00:00Z",
    }
    assert shown(visiting(targets=Targets(override=override, immediate=BOOST)))["target"]["latest"] == {
        "id": 3,
        "type": "IMMEDIATE_START",
        "minimumChargeTarget": 80,
    }


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(SessionError(kind=ErrorKind.START_FAIL), {"type": "START_FAIL"}, id="start"),
        pytest.param(SessionError(kind=ErrorKind.STOP_FAIL), {"type": "STOP_FAIL"}, id="stop"),
        pytest.param(
            SessionError(kind=ErrorKind.MISSING_CAPABILITIES, missing=("startCharging", "stopCharging")),
            {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["startCharging", "stopCharging"]},
            id="missing",
        ),
    ],
)
def test_an_error_is_shown_with_what_is_missing(error: SessionError | None, told: dict[str, Any] | None) -> None:
    assert shown(visiting(error=error))["error"] == {"latest": told}


# A settled one


def test_a_visit_that_is_settled_shows_what_was_seen() -> None:
    cells = (Interval(PLUG, utc("10T21:15"), 2750, Quality.RECOVERED), Interval(utc("10T21:15"), NOW, 250))
    final = Session(
        session_id=SessionId("s"),
        policy_id=PolicyId("p"),
        plugged_in_at=PLUG,
        ledger=Ledger(cells=cells, total_wh=3000),
        blocks=(FIRST,),
        targets=Targets(immediate=BOOST),
        outcome=Outcome(target_id=3, state=None),
        level=known(44.5, wh=3000),
        level_from_pct=40.0,
        error=SessionError(kind=ErrorKind.START_FAIL),
    )
    assert document.settled(final, NOW, vehicle=spec(), battery_reserve=20) == {
        "id": "s",
        "policyId": "p",
        "state": "SETTLED",
        "pluggedInAt": "2025-06-10T21:00:00Z",
        "pluggedOutAt": "2025-06-10T22:00:00Z",
        "blocks": [
            {
                "type": "BATTERY_RESERVE",
                "kwhSum": 3,
                "startAt": "2025-06-10T21:00:00Z",
                "endAt": "2025-06-10T21:20:00Z",
            }
        ],
        "statistics": {
            "aggregated": {"kwhSum": 3, "batteryFrom": 40, "batteryTo": 44},
            "timeseries": [
                {"startAt": "2025-06-10T21:00:00Z", "kwh": 11.0},
                {"startAt": "2025-06-10T21:15:00Z", "kwh": 0.333},
            ],
        },
        "target": {"latest": {"id": 3, "type": "IMMEDIATE_START", "minimumChargeTarget": 80}},
        "outcome": {"latest": {"type": "IMMEDIATE_START", "targetId": 3, "minimumChargeTargetReachedAt": None}},
        "error": {"latest": None},
    }
    assert document.ledger_rows(final.ledger) == (
        {"startAt": "2025-06-10T21:00:00Z", "endAt": "2025-06-10T21:15:00Z", "wh": 2750, "quality": "recovered"},
        {"startAt": "2025-06-10T21:15:00Z", "endAt": "2025-06-10T22:00:00Z", "wh": 250, "quality": "measured"},
    )


def test_the_visit_of_a_car_that_nobody_knows_has_no_level() -> None:
    guest = Session(session_id=SessionId("g"), policy_id=None, plugged_in_at=PLUG, ledger=ledger.opened(PLUG))
    told = document.settled(replace(guest, level=known(40)), NOW, vehicle=None, battery_reserve=0)
    assert told["statistics"]["aggregated"] == {"kwhSum": 0, "batteryFrom": None, "batteryTo": None}
    assert (told["blocks"], told["target"], told["outcome"]) == ([], {"latest": None}, {"latest": None})


# A charger


def test_a_charger_that_has_told_nothing_shows_nothing() -> None:
    assert document.charger(state(slot("car"), slot("van"))) == {
        "id": "garage",
        "isOnline": False,
        "protocol": None,
        "vendor": None,
        "model": None,
        "firmware": None,
        "isPluggedIn": None,
        "isCharging": False,
        "chargeRate": None,
        "powerDeliveryState": "UNKNOWN",
        "fault": None,
        "registerWh": None,
        "currentLimit": None,
        "transactionId": None,
        "action": None,
        "policyIds": ["policy-car", "policy-van"],
        "lastUpdated": None,
    }


TOLD = ChargerFacts(
    online=True,
    protocol="OCPP 1.6",
    vendor="Acme",
    model="Box",
    serial="1",
    firmware="2.0",
    plugged=True,
    fault="GroundFailure",
    charging=True,
    reading=Reading(at=PLUG, power_w=7234.5678, register_wh=1234.6),
    transaction=Transaction(transaction_id=TransactionId("7"), started_at=PLUG),
    heard_at=PLUG,
)


def test_a_charger_shows_all_that_it_has_told() -> None:
    assert document.charger(state(facts=TOLD, control=Control(limit_a=13.0))) == {
        "id": "garage",
        "isOnline": True,
        "protocol": "OCPP 1.6",
        "vendor": "Acme",
        "model": "Box",
        "firmware": "2.0",
        "isPluggedIn": True,
        "isCharging": True,
        "chargeRate": 7.235,
        "powerDeliveryState": "PLUGGED_IN:FAULT",
        "fault": "GroundFailure",
        "registerWh": 1235,
        "currentLimit": 13.0,
        "transactionId": "7",
        "action": None,
        "policyIds": [],
        "lastUpdated": "2025-06-10T21:00:00Z",
    }


@pytest.mark.parametrize(
    ("reading", "rate", "register"),
    [
        pytest.param(None, 0.0, None, id="no-sample"),
        pytest.param(Reading(at=PLUG, register_wh=5.0), 0.0, 5, id="no-power"),
        pytest.param(Reading(at=PLUG, power_w=9000.0), 9.0, None, id="no-register"),
    ],
)
def test_what_a_meter_does_not_tell_is_not_shown(reading: Reading | None, rate: float, register: int | None) -> None:
    told = document.charger(state(facts=replace(TOLD, reading=reading)))
    assert (told["chargeRate"], told["registerWh"]) == (rate, register)


@pytest.mark.parametrize(
    ("want", "became", "told"),
    [
        pytest.param(Want.CHARGE, ActionState.PENDING, ("START", "PENDING", None), id="start"),
        pytest.param(Want.HOLD, ActionState.CONFIRMED, ("STOP", "CONFIRMED", None), id="stop"),
        pytest.param(Want.HOLD, ActionState.FAILED, ("STOP", "FAILED", "NO_RESPONSE"), id="failed"),
    ],
)
def test_the_last_request_by_hand_is_shown(want: Want, became: ActionState, told: tuple[Any, ...]) -> None:
    action = Action(action_id=4, session_id=SessionId("g"), want=want, state=became, requested_at=PLUG)
    kind, name, reason = told
    assert document.charger(state(action=action))["action"] == {
        "id": 4,
        "kind": kind,
        "state": name,
        "createdAt": "2025-06-10T21:00:00Z",
        "failureReason": reason,
    }


# Cars

HEARD = VehicleFacts(
    level_pct=41.7,
    level_at=utc("10T20:00"),
    limit_pct=80.9,
    plugged=True,
    charging=False,
    at_home=False,
    told_at=utc("10T20:30"),
)
TELLS = {
    "id": "car",
    "batteryCapacity": 60,
    "batteryLevel": 41,
    "isPluggedIn": True,
    "isCharging": False,
    "chargeLimit": 80,
    "isAtHome": False,
    "at": None,
    "lastUpdated": "2025-06-10T20:30:00Z",
}


def test_a_car_is_shown_by_what_it_tells_while_it_is_not_here() -> None:
    assert document.vehicles(state(slot(facts=HEARD))) == (TELLS,)


def test_a_car_that_visits_is_shown_by_what_is_seen_of_it() -> None:
    here = slot(facts=HEARD, plugged_at=PLUG, level=known(50, at=utc("10T21:30")))
    assert document.vehicles(state(here, facts=ChargerFacts(charging=True))) == (
        TELLS
        | {
            "batteryLevel": 50,
            "isCharging": True,
            "isAtHome": True,
            "at": "garage",
            "lastUpdated": "2025-06-10T21:30:00Z",
        },
    )


def test_a_car_that_is_only_followed_is_shown_after_those_with_a_policy() -> None:
    cars = (Car(vehicle=spec("car"), facts=HEARD), Car(vehicle=spec("van"), facts=HEARD), Car(vehicle=spec("bus")))
    unheard = dict.fromkeys(TELLS) | {"id": "bus", "batteryCapacity": 60}
    shown_cars = document.vehicles(state(slot(facts=HEARD), cars=cars))
    assert shown_cars == (TELLS, TELLS | {"id": "van"}, unheard)
    assert [list(car) for car in shown_cars] == [list(TELLS)] * 3


@pytest.mark.parametrize(
    ("level_at", "told_at", "updated"),
    [
        pytest.param(None, None, None, id="never"),
        pytest.param("10T20:00", None, "20:00", id="level-alone"),
        pytest.param(None, "10T20:30", "20:30", id="words-alone"),
        pytest.param("10T20:45", "10T20:30", "20:45", id="the-later-of-both"),
    ],
)
def test_a_car_was_updated_when_it_told_anything_last(
    level_at: str | None, told_at: str | None, updated: str | None
) -> None:
    facts = VehicleFacts(level_at=level_at and utc(level_at), told_at=told_at and utc(told_at))  # type: ignore[arg-type]
    expected = None if updated is None else f"2025-06-10T{updated}:00Z"
    (told,) = document.vehicles(state(slot(facts=facts)))
    assert told["lastUpdated"] == expected
    (here,) = document.vehicles(state(slot(facts=facts, plugged_at=PLUG)))
    assert here["lastUpdated"] == expected
    (earlier,) = document.vehicles(state(slot(facts=facts, plugged_at=PLUG, level=known(50, at=utc("10T19:00")))))
    assert earlier["lastUpdated"] == ("2025-06-10T19:00:00Z" if told_at is None and level_at is None else expected)


@pytest.mark.parametrize(
    ("plugged_at", "level", "told", "updated"),
    [
        pytest.param(None, None, 41, "2025-06-10T20:00:00Z", id="not-here"),
        pytest.param(PLUG, None, None, "2025-06-10T20:00:00Z", id="here-and-no-level"),
        pytest.param(PLUG, known(50.5, at=PLUG), 50, "2025-06-10T21:00:00Z", id="here"),
    ],
)
def test_a_policys_car_has_the_level_of_its_visit(plugged_at: Any, level: Any, told: int, updated: str) -> None:
    assert document.vehicle(slot(facts=HEARD, plugged_at=plugged_at, level=level)) == {
        "id": "car",
        "batteryCapacity": 60,
        "batteryLevel": told,
        "isPluggedIn": plugged_at is not None,
        "lastUpdated": updated,
    }
