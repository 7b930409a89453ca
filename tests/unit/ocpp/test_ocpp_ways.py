"""Ways to say a limit: their order, their form on the wire in both versions, and what trying them teaches."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chargerd.contract import ChargerId, CommandId, LimitStep, ProtocolViolation, SetCurrentLimit, TransactionId
from chargerd_drivers.ocpp import v16, v201
from chargerd_drivers.ocpp.ways import (
    CALLS_MAX,
    Attempt,
    Kind,
    Purpose,
    Taste,
    Unit,
    Way,
    attempts,
    ladder,
    limit,
    put_back,
    taken,
)
from chargerd_drivers.ocpp.wire import fault_in

NOW = datetime(2026, 1, 14, 16, tzinfo=UTC)
IDLE = SetCurrentLimit(charger_id=ChargerId("garage"), command_id=CommandId(1), limit_a=16)
IN_TX = replace(IDLE, transaction_id=TransactionId("17"))
TX, DEFAULT, STATION = (Way(purpose=purpose) for purpose in Purpose)
NIGHT = (LimitStep(at=NOW + timedelta(hours=1), limit_a=0), LimitStep(at=NOW + timedelta(hours=5), limit_a=16))
NONE: frozenset[Way] = frozenset()


def tried(taste: Taste, command: SetCurrentLimit, *, refused=NONE, low_first=False) -> list[Way]:
    return [attempt.way for attempt in attempts(taste, command, refused=refused, low_first=low_first)]


def said(command: SetCurrentLimit, attempt: Attempt, *, skew_s: float = 0.0, dialect=v16, connector: int = 1):
    action, payload = dialect.limit_request(limit(command, attempt, now=NOW, skew_s=skew_s), connector)
    assert action == "SetChargingProfile"
    assert fault_in(payload, action, "request", dialect.VERSION) is None
    return payload


def periods(payload) -> list[tuple[int, float]]:
    profile = payload["csChargingProfiles"]
    return [(one["startPeriod"], one["limit"]) for one in profile["chargingSchedule"]["chargingSchedulePeriod"]]


def test_a_transaction_is_limited_by_its_own_profile_then_by_the_default_then_in_w_then_relative() -> None:
    assert tried(Taste(), IN_TX) == [
        TX,
        DEFAULT,
        replace(TX, unit=Unit.WATT),
        replace(TX, kind=Kind.RELATIVE),
    ]


def test_without_a_transaction_there_is_no_profile_for_one() -> None:
    found = ladder(Taste(), in_transaction=False, refused=NONE, low_first=False)
    assert found[0] == DEFAULT
    assert STATION in found
    assert not [way for way in found if way.purpose is Purpose.TX]
    assert replace(STATION, kind=Kind.RELATIVE) not in found


def test_the_highest_stack_level_comes_first_in_1_6_and_level_0_in_2_0_1() -> None:
    taste = Taste(stack_level_max=8)
    assert [way.stack_level for way in tried(taste, IN_TX)][:3] == [8, 8, 0]
    assert [way.stack_level for way in tried(taste, IN_TX, low_first=True)][:3] == [0, 0, 8]


def test_a_unit_that_is_not_listed_is_tried_last() -> None:
    found = ladder(Taste(units=(Unit.WATT,)), in_transaction=True, refused=NONE, low_first=False)
    assert found[0] == replace(TX, unit=Unit.WATT)
    assert [way.unit for way in found].index(Unit.AMPERE) >= 4


def test_what_is_known_of_a_charger_is_tried_first_and_what_was_accepted_idle_is_a_hint_for_a_transaction() -> None:
    relative_w = Way(purpose=Purpose.TX_DEFAULT, unit=Unit.WATT, kind=Kind.RELATIVE)
    assert tried(Taste(in_transaction=relative_w), IN_TX)[0] == relative_w
    assert tried(Taste(idle=relative_w), IN_TX)[0] == replace(relative_w, purpose=Purpose.TX)
    assert tried(Taste(in_transaction=relative_w), IDLE)[0] == relative_w


def test_a_preset_purpose_and_kind_are_begun_with() -> None:
    found = tried(Taste(purpose=Purpose.TX_DEFAULT, kind=Kind.RELATIVE, unit=Unit.WATT), IN_TX)
    assert found[0] == Way(purpose=Purpose.TX_DEFAULT, unit=Unit.WATT, kind=Kind.RELATIVE)


def test_refused_ways_are_left_out_until_all_were_refused() -> None:
    everything = frozenset(ladder(Taste(), in_transaction=True, refused=NONE, low_first=False))
    first = frozenset(tried(Taste(), IN_TX))
    assert not first & set(tried(Taste(), IN_TX, refused=first))
    assert tried(Taste(), IN_TX, refused=everything) == tried(Taste(), IN_TX)


@pytest.mark.parametrize("low_first", [False, True])
@pytest.mark.parametrize("command", [IN_TX, replace(IN_TX, limit_a=9.5, later=NIGHT), IDLE])
def test_no_command_takes_more_calls_than_it_may(command, low_first) -> None:
    for taste in (Taste(), Taste(in_transaction=TX, idle=DEFAULT, stack_level_max=3), Taste(clears_first=True)):
        found = attempts(taste, command, refused=NONE, low_first=low_first)
        assert 0 < sum(attempt.calls for attempt in found) <= CALLS_MAX


def test_a_way_without_effect_goes_behind_all_others_and_alone_is_begun_with_again() -> None:
    taste = put_back(Taste(in_transaction=TX), in_transaction=True, low_first=False)
    assert tried(taste, IN_TX)[0] == DEFAULT
    found = ladder(taste, in_transaction=True, refused=NONE, low_first=False)
    assert found[-1] == TX
    rest = tuple(way for way in found if way != TX)
    taste = put_back(
        replace(taste, in_transaction=rest[-1], unheeded=(TX, *rest[:-1])), in_transaction=True, low_first=False
    )
    assert taste.unheeded == (rest[-1],)
    assert put_back(Taste(), in_transaction=True, low_first=False) == Taste()


def test_several_periods_are_tried_before_one_and_what_made_the_difference_is_learned() -> None:
    many, one, *_ = attempts(Taste(in_transaction=TX), replace(IN_TX, later=NIGHT), refused=NONE, low_first=False)
    assert (many.periods_max, one.periods_max, many.way, one.way) == (None, 1, TX, TX)
    learned = taken(Taste(), one, (many,), in_transaction=True)
    assert (learned.periods_max, learned.in_transaction) == (1, TX)
    other_way = replace(one, way=DEFAULT)
    assert taken(Taste(), other_way, (many, one), in_transaction=True).periods_max is None


def test_a_limit_with_a_fraction_is_tried_without_it_and_that_is_learned() -> None:
    found = attempts(Taste(in_transaction=TX), replace(IN_TX, limit_a=9.5), refused=NONE, low_first=False)
    assert [(attempt.way, attempt.whole) for attempt in found[:3]] == [(TX, False), (DEFAULT, False), (TX, True)]
    learned = taken(Taste(in_transaction=TX), found[2], found[:2], in_transaction=True)
    assert learned.whole
    assert attempts(learned, replace(IN_TX, limit_a=9.5), refused=NONE, low_first=False)[0].whole


def test_a_profile_that_cannot_be_replaced_is_cleared_first_and_that_is_learned() -> None:
    found = attempts(Taste(in_transaction=TX), IN_TX, refused=NONE, low_first=True)
    assert [(attempt.way, attempt.clears) for attempt in found[:2]] == [(TX, False), (TX, True)]
    assert taken(Taste(in_transaction=TX), found[1], found[:1], in_transaction=True).clears_first


def test_a_limit_without_a_transaction_is_an_open_ended_default_in_force_since_a_minute_ago() -> None:
    payload = said(replace(IDLE, limit_a=0.1 + 0.2), Attempt(way=DEFAULT))
    assert payload == {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "startSchedule": "2026-01-14T15:59:00Z",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0.3}],
            },
        },
    }


def test_a_limit_in_2_0_1_names_its_transaction() -> None:
    command = replace(IN_TX, limit_a=6.25, transaction_id=TransactionId("tx"))
    profile = said(command, Attempt(way=TX), dialect=v201)["chargingProfile"]
    [schedule] = profile["chargingSchedule"]
    assert (profile["chargingProfilePurpose"], profile["transactionId"]) == ("TxProfile", "tx")
    assert schedule["startSchedule"] == "2026-01-14T15:59:00Z"
    assert "duration" not in schedule
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 6.2}]


@pytest.mark.parametrize("dialect", [v16, v201], ids=["1.6", "2.0.1"])
@pytest.mark.parametrize("limit_a", [0, 6, 6.55, 10.000000001, 32])
def test_every_way_keeps_to_the_schema(dialect, limit_a) -> None:
    for command in (IDLE, IN_TX):
        in_transaction = command.transaction_id is not None
        for way in ladder(Taste(stack_level_max=3), in_transaction=in_transaction, refused=NONE, low_first=False):
            said(replace(command, limit_a=limit_a, later=NIGHT), Attempt(way=way, periods_max=3), dialect=dialect)
            for request in (dialect.clear_request(way.purpose), *dialect.clear_all_requests()):
                assert fault_in(request[1], request[0], "request", dialect.VERSION) is None


@pytest.mark.parametrize(("phases", "watts"), [(3, 11040), (1, 3680)])
def test_watts_are_over_all_phases_of_the_charger(phases, watts) -> None:
    payload = said(replace(IN_TX, phases=phases), Attempt(way=replace(TX, unit=Unit.WATT)))
    [period] = payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
    assert period["limit"] == watts
    assert period.get("numberPhases") == (None if phases == 3 else 1)


def test_a_relative_schedule_has_no_start() -> None:
    schedule = said(IN_TX, Attempt(way=replace(TX, kind=Kind.RELATIVE)))["csChargingProfiles"]["chargingSchedule"]
    assert "startSchedule" not in schedule


@pytest.mark.parametrize(("dialect", "key"), [(v16, "connectorId"), (v201, "evseId")])
def test_a_limit_of_the_whole_station_is_set_on_all_of_it(dialect, key) -> None:
    assert said(IN_TX, Attempt(way=STATION), dialect=dialect, connector=2)[key] == 0


def test_steps_become_periods_from_the_start_and_no_more_than_fit() -> None:
    command = replace(IN_TX, later=NIGHT)
    assert periods(said(command, Attempt(way=TX, periods_max=None))) == [(0, 16), (3660, 0), (18060, 16)]
    assert periods(said(command, Attempt(way=TX, periods_max=2))) == [(0, 16), (3660, 0)]
    assert periods(said(command, Attempt(way=TX))) == [(0, 16)]


def test_a_clock_that_is_behind_sees_a_schedule_that_has_begun_and_steps_at_their_time() -> None:
    payload = said(replace(IN_TX, later=NIGHT), Attempt(way=TX, periods_max=None), skew_s=-660.0)
    assert payload["csChargingProfiles"]["chargingSchedule"]["startSchedule"] == "2026-01-14T15:48:00Z"
    assert periods(payload)[1][0] == 3660, "it starts 11 minutes early, and is read by a clock 11 minutes behind"


def test_a_clock_that_is_ahead_still_sees_it_begun_and_one_in_another_zone_moves_no_step() -> None:
    ahead = said(replace(IN_TX, later=NIGHT), Attempt(way=TX, periods_max=None), skew_s=600.0)
    assert ahead["csChargingProfiles"]["chargingSchedule"]["startSchedule"] == "2026-01-14T15:59:00Z"
    assert periods(ahead)[1][0] == 4260
    zone = said(replace(IN_TX, later=NIGHT), Attempt(way=TX, periods_max=None), skew_s=3600.0)
    assert periods(zone)[1][0] == 3660


def test_a_transaction_id_that_is_no_integer_is_our_own_fault() -> None:
    with pytest.raises(ProtocolViolation):
        said(replace(IN_TX, transaction_id=TransactionId("tx")), Attempt(way=TX))
