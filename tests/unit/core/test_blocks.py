"""Blocks of charging that was seen."""

from dataclasses import replace

import pytest

from chargerd.core import blocks, ledger
from chargerd.core.ids import PolicyId, SessionId
from chargerd.core.ledger import Delta
from chargerd.core.model import Block, Quality, Session, Tentative
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import utc

PLUG = utc("10T22:00")
REGULAR, IMMEDIATE, RESERVE = BlockKind.REGULAR, BlockKind.IMMEDIATE_START, BlockKind.BATTERY_RESERVE

Span = tuple[str, str | None, int]


def session() -> Session:
    return Session(session_id=SessionId("s"), policy_id=PolicyId("p"), plugged_in_at=PLUG, ledger=ledger.opened(PLUG))


def delta(start: str, end: str, wh: int) -> Delta:
    return Delta(utc(f"10T{start}"), utc(f"10T{end}"), wh, Quality.MEASURED)


def credit(one: Session, *deltas: Delta, flowing: bool = True, began: str | None = None) -> Session:
    for stretch in deltas:
        one = replace(one, ledger=ledger.counted(one.ledger, stretch))
        one = blocks.credited(one, stretch, flowing=flowing, began_at=None if began is None else utc(f"10T{began}"))
        assert sum(block.wh for block in one.blocks) + one.loose_wh == one.ledger.total_wh
    return one


def close(one: Session, at: str) -> Session:
    return blocks.closed(one, utc(f"10T{at}"))


def settle(one: Session, left: str) -> Session:
    final = blocks.settled(replace(one, ledger=ledger.settled(one.ledger, utc(f"10T{left}"))), utc(f"10T{left}"))
    assert sum(block.wh for block in final.blocks) == final.ledger.total_wh
    return final


def spans(one: Session) -> list[Span]:
    """Start, end and energy of each block, times to the second."""
    return [
        (
            f"{block.started_at:%H:%M:%S}".removesuffix(":00"),
            None if block.ended_at is None else f"{block.ended_at:%H:%M:%S}".removesuffix(":00"),
            block.wh,
        )
        for block in one.blocks
    ]


def kinds(one: Session) -> list[BlockKind]:
    return [block.kind for block in one.blocks]


# Opening


def test_a_block_begins_when_the_charger_says_so() -> None:
    one = credit(session(), delta("22:00", "22:10", 100), began="22:09")
    assert one.blocks == (Block(kind=REGULAR, started_at=utc("10T22:09"), wh=100),)


@pytest.mark.parametrize("began", [None, "21:59", "22:00", "22:10", "22:11"])
def test_a_block_begins_with_the_stretch_where_nobody_says_when_in_it(began: str | None) -> None:
    assert spans(credit(session(), delta("22:00", "22:10", 100), began=began)) == [("22:00", None, 100)]


def test_charging_without_energy_yet_opens_an_empty_block() -> None:
    assert spans(credit(session(), delta("22:00", "22:01", 0))) == [("22:00", None, 0)]


def test_a_trickle_waits_for_the_next_block() -> None:
    one = credit(session(), delta("22:00", "23:00", 20), flowing=False)
    assert (one.loose_wh, one.blocks, one.flowed_until) == (20, (), None)
    one = credit(one, delta("23:00", "23:01", 180))
    assert (one.loose_wh, spans(one)) == (0, [("23:00", None, 200)])


def test_trickles_add_up() -> None:
    one = credit(session(), delta("22:00", "23:00", 20), delta("23:00", "23:30", 7), flowing=False)
    assert one.loose_wh == 27


def test_a_new_block_does_not_reach_into_the_last_one() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:10")
    one = credit(one, delta("22:05", "22:15", 50))
    assert spans(one) == [("22:00", "22:10", 125), ("22:10", None, 25)]


def test_energy_from_within_the_last_block_opens_no_new_one() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:10")
    assert spans(credit(one, delta("22:05", "22:10", 50))) == [("22:00", "22:10", 150)]
    assert spans(credit(one, delta("22:05", "22:10:01", 301))) == [("22:00", "22:10", 400), ("22:10", None, 1)]
    one = close(credit(one, delta("22:20", "22:30", 50)), "22:30")
    assert spans(credit(one, delta("22:24", "22:30", 9))) == [("22:00", "22:10", 100), ("22:20", "22:30", 59)]
    one = credit(one, delta("22:24", "22:36", 20))
    assert spans(one) == [("22:00", "22:10", 100), ("22:20", "22:30", 60), ("22:30", None, 10)]


def test_a_block_that_opens_after_a_change_of_purpose_begins_there() -> None:
    one = blocks.retyped(session(), RESERVE, utc("10T22:05"), goes_on=True)
    assert (one.kind, one.kind_since) == (RESERVE, utc("10T22:05"))
    one = credit(one, delta("22:00", "22:10", 100))
    assert (spans(one), kinds(one)) == ([("22:05", None, 100)], [RESERVE])


@pytest.mark.parametrize("changed", ["21:55", "22:00", "22:10", "22:15"])
def test_a_change_of_purpose_outside_the_stretch_does_not_move_its_block(changed: str) -> None:
    one = blocks.retyped(session(), RESERVE, utc(f"10T{changed}"), goes_on=True)
    assert spans(credit(one, delta("22:00", "22:10", 100))) == [("22:00", None, 100)]


def test_a_block_begins_at_the_latest_of_what_is_known() -> None:
    one = blocks.retyped(session(), RESERVE, utc("10T22:05"), goes_on=True)
    assert spans(credit(one, delta("22:00", "22:10", 100), began="22:08")) == [("22:08", None, 100)]
    assert spans(credit(one, delta("22:00", "22:10", 100), began="22:03")) == [("22:05", None, 100)]


# Going on


def test_energy_goes_into_the_blocks_that_its_time_overlaps() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:10")
    one = credit(one, delta("22:20", "22:30", 100))
    one = credit(one, delta("22:05", "22:25", 100))
    assert spans(one) == [("22:00", "22:10", 150), ("22:20", None, 150)]


def test_energy_from_before_a_running_block_waits() -> None:
    one = credit(session(), delta("22:20", "22:30", 100))
    one = credit(one, delta("22:00", "22:10", 8))
    assert (spans(one), one.loose_wh) == ([("22:20", None, 100)], 8)


def test_charging_was_seen_until_its_last_stretch_ended() -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    assert one.flowed_until == utc("10T22:10")
    assert credit(one, delta("22:05", "22:08", 10)).flowed_until == utc("10T22:10")
    assert credit(one, delta("22:10", "22:11", 0)).flowed_until == utc("10T22:11"), "though nothing was counted yet"
    assert credit(one, delta("22:10", "22:11", 1), flowing=False).flowed_until == utc("10T22:10")


@pytest.mark.parametrize(
    ("resumes", "expected"),
    [
        pytest.param("22:11:59", [("22:00", None, 200)], id="a-dip"),
        pytest.param("22:12", [("22:00", "22:10", 100), ("22:12", None, 100)], id="a-pause"),
    ],
)
def test_a_pause_of_two_minutes_between_stretches_splits_a_block(resumes: str, expected: list[Span]) -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    assert spans(credit(one, delta(resumes, "22:20", 100))) == expected


@pytest.mark.parametrize(
    ("quiet_until", "expected"),
    [
        pytest.param("22:11:59", [("22:00", None, 100)], id="a-dip"),
        pytest.param("22:12", [("22:00", "22:10", 100)], id="a-pause"),
    ],
)
def test_a_stretch_in_which_nothing_flowed_ends_a_block_where_charging_was_last_seen(
    quiet_until: str, expected: list[Span]
) -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    assert spans(credit(one, delta("22:10", quiet_until, 0), flowing=False)) == expected


def test_a_trickle_in_a_pause_that_ended_the_block_is_kept() -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    one = credit(one, delta("22:10", "22:20", 5), flowing=False)
    assert (spans(one), one.loose_wh) == ([("22:00", "22:10", 100)], 5)


def test_a_pause_in_the_past_does_not_end_the_running_block() -> None:
    one = credit(session(), delta("22:20", "22:21", 100))
    assert spans(credit(one, delta("22:19", "22:29", 0), flowing=False)) == [("22:20", None, 100)]
    assert spans(credit(one, delta("22:20", "22:29", 0), flowing=False)) == [("22:20", "22:21", 100)]


def test_a_block_that_was_opened_by_a_change_of_purpose_lasts_a_second_at_least() -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    one = blocks.retyped(one, IMMEDIATE, utc("10T22:11"), goes_on=True)
    one = credit(one, delta("22:11", "22:20", 9), flowing=False)
    assert spans(one) == [("22:00", "22:11", 100), ("22:11", "22:11:01", 9)]


def test_a_block_whose_charging_nobody_saw_is_not_ended_by_a_pause() -> None:
    one = replace(session(), blocks=(Block(kind=REGULAR, started_at=PLUG),))
    assert spans(credit(one, delta("22:00", "22:30", 0), flowing=False)) == [("22:00", None, 0)]


# Changes of purpose


def test_a_change_of_purpose_splits_a_running_block_there() -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    one = blocks.retyped(one, IMMEDIATE, utc("10T22:10"), goes_on=True)
    assert (spans(one), kinds(one)) == ([("22:00", "22:10", 100), ("22:10", None, 0)], [REGULAR, IMMEDIATE])
    assert blocks.retyped(one, IMMEDIATE, utc("10T22:11"), goes_on=True) == one


def test_a_change_of_purpose_at_the_very_start_only_renames_the_block() -> None:
    one = credit(session(), delta("22:00", "22:10", 0))
    one = blocks.retyped(one, IMMEDIATE, PLUG, goes_on=True)
    assert (spans(one), kinds(one)) == ([("22:00", None, 0)], [IMMEDIATE])
    one = credit(close(one, "22:10"), delta("22:20", "22:30", 5))
    one = blocks.retyped(one, REGULAR, utc("10T22:20"), goes_on=True)
    assert (spans(one), kinds(one)) == ([("22:00", "22:10", 0), ("22:20", None, 5)], [IMMEDIATE, REGULAR])


def test_a_change_of_purpose_within_the_first_second_leaves_no_block_without_length() -> None:
    one = credit(session(), delta("22:00", "22:10", 30))
    one = blocks.retyped(one, IMMEDIATE, PLUG.replace(microsecond=500_000), goes_on=True)
    assert kinds(one) == [IMMEDIATE]
    assert (one.blocks[0].wh, one.loose_wh) == (30, 0)


def test_a_block_that_is_being_stopped_keeps_its_purpose_to_its_end() -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    one = blocks.retyped(one, RESERVE, utc("10T22:10"), goes_on=False)
    one = credit(one, delta("22:10", "22:11", 5))
    assert (spans(one), kinds(one)) == ([("22:00", None, 105)], [REGULAR])
    assert one.kind is RESERVE
    one = blocks.retyped(one, RESERVE, utc("10T22:20"), goes_on=True)
    assert kinds(one) == [REGULAR, RESERVE]
    assert one.kind_since == utc("10T22:10"), "it changed then"


# Ending


def test_a_block_ends_where_it_is_said_and_others_stay_as_they_are() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:10")
    one = close(credit(one, delta("22:20", "22:30", 70)), "22:31")
    assert spans(one) == [("22:00", "22:10", 100), ("22:20", "22:31", 70)]
    assert close(one, "22:40") == one
    assert close(session(), "22:00") == session()


@pytest.mark.parametrize(
    ("at", "expected", "loose"),
    [
        pytest.param("22:20:01", [("22:20", "22:20:01", 70)], 0, id="a-second"),
        pytest.param("22:20", [], 70, id="no-length"),
        pytest.param("22:19", [], 70, id="before-it-began"),
    ],
)
def test_a_block_that_ends_before_it_lasted_a_second_never_was(at: str, expected: list[Span], loose: int) -> None:
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:10")
    one = close(credit(one, delta("22:20", "22:30", 70)), at)
    assert spans(one) == [("22:00", "22:10", 100), *expected]
    assert one.loose_wh == loose
    assert credit(one, delta("22:40", "22:50", 5)).loose_wh == 0


def test_a_block_is_running_until_it_has_an_end() -> None:
    assert blocks.running(session()) is None
    one = credit(session(), delta("22:00", "22:10", 100))
    assert blocks.running(one) == one.blocks[-1]
    assert blocks.running(close(one, "22:10")) is None


def test_a_pause_is_no_dip_any_more_two_minutes_after_charging_was_seen_to_stop() -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    assert blocks.ends_at(one, None) == utc("10T22:12")
    assert blocks.ends_at(one, utc("10T22:11")) == utc("10T22:13")
    assert blocks.ends_at(replace(one, flowed_until=None), None) is None
    assert blocks.ends_at(close(one, "22:10"), utc("10T22:11")) is None


@pytest.mark.parametrize(
    ("at", "lost", "ended"),
    [
        pytest.param("22:16", None, "22:16", id="the-meter-told-it"),
        pytest.param("22:16", "22:10", "22:10", id="lost-as-it-was-last-seen"),
        pytest.param("22:16", "22:12", "22:10", id="lost-meanwhile"),
        pytest.param("22:16", "22:09", "22:16", id="lost-before-it-was-last-seen"),
        pytest.param("22:15", "22:12", "22:15", id="seen-shortly-before"),
        pytest.param("22:15:01", "22:12", "22:10", id="not-seen-for-longer"),
    ],
)
def test_a_block_in_which_the_connection_was_lost_ends_where_charging_was_last_seen(
    at: str, lost: str | None, ended: str
) -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    one = blocks.stopped(one, utc(f"10T{at}"), lost_at=None if lost is None else utc(f"10T{lost}"))
    assert spans(one) == [("22:00", ended, 100)]


def test_a_block_whose_charging_nobody_saw_ends_where_it_is_said() -> None:
    one = replace(session(), blocks=(Block(kind=REGULAR, started_at=PLUG),))
    assert spans(blocks.stopped(one, utc("10T22:30"), lost_at=PLUG)) == [("22:00", "22:30", 0)]


# Settling


def denied(start: str, wh: int) -> Tentative:
    """What power told in a cell and the register did not."""
    return Tentative(utc(f"10T{start}"), utc(f"10T{start}"), wh, Quality.MEASURED)


def test_settling_gives_loose_energy_to_the_last_block() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:10")
    one = close(credit(one, delta("22:20", "22:30", 50)), "22:30")
    one = credit(one, delta("22:30", "23:10", 9), flowing=False)
    final = settle(one, "23:20")
    assert spans(final) == [("22:00", "22:10", 100), ("22:20", "22:30", 59)]
    assert final.loose_wh == 0


def test_settling_makes_a_block_of_what_only_trickled() -> None:
    one = credit(session(), delta("22:20", "22:40", 9), flowing=False)
    final = settle(one, "23:20")
    assert final.blocks == (Block(kind=REGULAR, started_at=utc("10T22:15"), ended_at=utc("10T22:45"), wh=9),)


def test_settling_makes_a_block_with_a_length_of_what_trickled_in_an_instant() -> None:
    one = credit(session(), delta("22:00", "22:00", 9), flowing=False)
    assert spans(settle(one, "22:00")) == [("21:59:59", "22:00", 9)]


def test_settling_without_energy_leaves_no_block() -> None:
    one = credit(session(), delta("22:00", "22:10", 0))
    assert settle(one, "22:20").blocks == ()


def test_settling_cuts_blocks_at_plug_out_and_drops_empty_ones() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:30")
    one = credit(one, delta("22:40", "22:41", 0))
    one = replace(one, plan=(Window(REGULAR, utc("10T23:00"), utc("10T23:15"), 5),))
    final = settle(one, "22:20")
    assert spans(final) == [("22:00", "22:20", 100)]
    assert final.plan == ()


def test_settling_ends_the_running_block_at_plug_out() -> None:
    assert spans(settle(credit(session(), delta("22:00", "22:10", 100)), "22:12")) == [("22:00", "22:12", 100)]


@pytest.mark.parametrize(
    ("left", "lost", "ended"),
    [
        pytest.param("22:16", "22:12", "22:10", id="lost-in-it"),
        pytest.param("22:15", "22:12", "22:15", id="seen-shortly-before"),
        pytest.param("22:16", "22:05", "22:16", id="lost-before-it-was-last-seen"),
    ],
)
def test_settling_ends_a_block_in_which_the_connection_was_lost_where_charging_was_last_seen(
    left: str, lost: str, ended: str
) -> None:
    one = credit(session(), delta("22:00", "22:10", 100))
    one = replace(one, ledger=ledger.settled(one.ledger, utc(f"10T{left}")))
    assert spans(blocks.settled(one, utc(f"10T{left}"), lost_at=utc(f"10T{lost}"))) == [("22:00", ended, 100)]


def test_settling_gives_what_flowed_in_a_block_after_plug_out_to_the_one_before() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:10")
    one = close(credit(one, delta("22:20", "22:21", 7)), "22:21")
    assert spans(settle(one, "22:15")) == [("22:00", "22:10", 107)]
    assert spans(settle(one, "22:20")) == [("22:00", "22:10", 107)]
    assert spans(settle(one, "22:20:01")) == [("22:00", "22:10", 100), ("22:20", "22:20:01", 7)]


def test_settling_takes_back_what_the_register_denied_from_the_block_that_power_told_it_of() -> None:
    """A past block that the register measured keeps its energy."""
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:10")
    one = close(credit(one, delta("22:20", "22:30", 300)), "22:30")
    late = replace(one, ledger=replace(one.ledger, excess=(denied("22:20", 40),)))
    assert spans(settle(late, "22:40")) == [("22:00", "22:10", 100), ("22:20", "22:30", 260)]
    early = replace(one, ledger=replace(one.ledger, excess=(denied("22:00", 1),)))
    assert spans(settle(early, "22:40")) == [("22:00", "22:10", 99), ("22:20", "22:30", 300)]


def test_settling_takes_what_was_denied_outside_of_blocks_from_nobody_else() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 100)), "22:10")
    one = credit(one, delta("22:20", "22:30", 9), flowing=False)
    one = replace(one, ledger=replace(one.ledger, excess=(denied("22:20", 9),)))
    assert spans(settle(one, "22:40")) == [("22:00", "22:10", 100)]


def test_settling_drops_a_block_of_which_nothing_is_left() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 2)), "22:10")
    one = close(credit(one, delta("22:20", "22:30", 300)), "22:30")
    one = replace(one, ledger=replace(one.ledger, excess=(denied("22:00", 2),)))
    assert spans(settle(one, "22:40")) == [("22:20", "22:30", 300)]


def test_settling_keeps_a_block_of_a_single_watt_hour() -> None:
    one = close(credit(session(), delta("22:00", "22:10", 1)), "22:10")
    one = close(credit(one, delta("22:20", "22:30", 300)), "22:30")
    assert spans(settle(one, "22:40")) == [("22:00", "22:10", 1), ("22:20", "22:30", 300)]
    one = replace(one, ledger=replace(one.ledger, excess=(denied("22:20", 100),)))
    assert spans(settle(one, "22:40")) == [("22:00", "22:10", 1), ("22:20", "22:30", 200)]


def test_settling_takes_what_was_denied_where_two_blocks_meet_from_the_second() -> None:
    one = credit(session(), delta("22:00", "22:10", 1000))
    one = credit(blocks.retyped(one, IMMEDIATE, utc("10T22:10"), goes_on=True), delta("22:10", "22:20", 500))
    final = settle(replace(one, ledger=replace(one.ledger, excess=(denied("22:10", 200),))), "22:20")
    assert spans(final) == [("22:00", "22:10", 1000), ("22:10", "22:20", 300)]


def test_settling_takes_no_more_from_a_block_than_it_holds() -> None:
    one = credit(session(), delta("22:00", "22:05", 300))
    one = credit(close(one, "22:05"), delta("22:20", "22:25", 500))
    one = credit(close(one, "22:25"), delta("22:40", "22:45", 100))
    final = settle(replace(one, ledger=replace(one.ledger, excess=(denied("22:00", 500),))), "22:50")
    assert spans(final) == [("22:20", "22:25", 400)]


def test_settling_takes_nothing_back_where_more_flowed_than_blocks_hold() -> None:
    one = credit(session(), delta("22:00", "22:05", 1000))
    one = credit(close(one, "22:05"), delta("22:20", "22:25", 500))
    one = credit(close(one, "22:25"), delta("22:30", "22:31", 150), flowing=False)
    final = settle(replace(one, ledger=replace(one.ledger, excess=(denied("22:00", 50),))), "22:50")
    assert spans(final) == [("22:00", "22:05", 1000), ("22:20", "22:25", 600)]


def test_a_stretch_over_two_blocks_is_split_by_the_time_that_it_lies_in_each() -> None:
    one = close(credit(session(), delta("22:00", "22:06", 600)), "22:06")
    one = close(credit(one, delta("22:07", "22:30", 2300)), "22:30")
    one = credit(one, delta("22:03", "22:10", 120))
    assert spans(one) == [("22:00", "22:06", 660), ("22:07", "22:30", 2360)]
