"""Blocks of charging that was seen."""

from dataclasses import replace

from chargerd.core import blocks, ledger
from chargerd.core.ids import PolicyId, SessionId
from chargerd.core.ledger import Delta
from chargerd.core.model import Block, Quality, Session
from chargerd.plan.schedule import BlockKind
from tests.support.home import utc

PLUG = utc("10T22:00")


def session() -> Session:
    return Session(session_id=SessionId("s"), policy_id=PolicyId("p"), plugged_in_at=PLUG, ledger=ledger.opened(PLUG))


def delta(start: str, end: str, wh: int) -> Delta:
    return Delta(utc(start), utc(end), wh, Quality.MEASURED)


def credit(one: Session, *deltas: Delta, charging: bool = True, began: str | None = None) -> Session:
    for stretch in deltas:
        one = replace(one, ledger=ledger.counted(one.ledger, stretch))
        one = blocks.credited(one, stretch, charging=charging, began_at=None if began is None else utc(began))
    return one


def test_a_block_begins_when_the_charger_says_so() -> None:
    one = credit(session(), delta("10T22:00", "10T22:10", 100), began="10T22:09")
    assert one.blocks == (Block(kind=BlockKind.REGULAR, started_at=utc("10T22:09"), wh=100),)


def test_a_block_begins_with_the_stretch_where_nobody_says_when() -> None:
    one = credit(session(), delta("10T22:00", "10T22:10", 100))
    assert one.blocks[0].started_at == PLUG


def test_charging_without_energy_yet_opens_an_empty_block() -> None:
    one = credit(session(), delta("10T22:00", "10T22:01", 0))
    assert one.blocks[0].wh == 0


def test_a_trickle_waits_for_the_next_block() -> None:
    one = credit(session(), delta("10T22:00", "10T23:00", 20), charging=False)
    assert one.loose_wh == 20
    one = credit(one, delta("10T23:00", "10T23:01", 180))
    assert one.loose_wh == 0
    assert one.blocks[0].wh == 200


def test_a_new_block_does_not_reach_into_the_last_one() -> None:
    one = blocks.closed(credit(session(), delta("10T22:00", "10T22:10", 100)), utc("10T22:10"))
    one = credit(one, delta("10T22:05", "10T22:15", 50))
    assert one.blocks[1].started_at == utc("10T22:10")
    assert [block.wh for block in one.blocks] == [125, 25]


def test_a_change_of_purpose_splits_a_running_block_there() -> None:
    one = credit(session(), delta("10T22:00", "10T22:10", 100))
    one = blocks.retyped(one, BlockKind.IMMEDIATE_START, utc("10T22:10"), goes_on=True)
    assert [(b.kind, b.ended_at) for b in one.blocks] == [
        (BlockKind.REGULAR, utc("10T22:10")),
        (BlockKind.IMMEDIATE_START, None),
    ]
    assert blocks.retyped(one, BlockKind.IMMEDIATE_START, utc("10T22:11"), goes_on=True) == one


def test_a_change_of_purpose_at_the_very_start_only_renames_the_block() -> None:
    one = credit(session(), delta("10T22:00", "10T22:10", 0))
    one = blocks.retyped(one, BlockKind.IMMEDIATE_START, PLUG, goes_on=True)
    assert [(b.kind, b.ended_at) for b in one.blocks] == [(BlockKind.IMMEDIATE_START, None)]


def test_a_block_that_opens_after_a_change_of_purpose_begins_there() -> None:
    one = blocks.retyped(session(), BlockKind.BATTERY_RESERVE, utc("10T22:05"), goes_on=True)
    one = credit(one, delta("10T22:00", "10T22:10", 100))
    assert one.blocks[0].started_at == utc("10T22:05")


def test_a_block_that_is_being_stopped_keeps_its_purpose_to_its_end() -> None:
    one = credit(session(), delta("10T22:00", "10T22:10", 100))
    one = blocks.retyped(one, BlockKind.BATTERY_RESERVE, utc("10T22:10"), goes_on=False)
    one = credit(one, delta("10T22:10", "10T22:11", 5))
    assert [(b.kind, b.wh) for b in one.blocks] == [(BlockKind.REGULAR, 105)]
    one = blocks.retyped(one, BlockKind.BATTERY_RESERVE, utc("10T22:20"), goes_on=True)
    assert [b.kind for b in one.blocks] == [BlockKind.REGULAR, BlockKind.BATTERY_RESERVE]


def test_closing_without_a_running_block_changes_nothing() -> None:
    assert blocks.closed(session(), PLUG) == session()


def test_settling_gives_loose_energy_to_the_last_block() -> None:
    one = blocks.closed(credit(session(), delta("10T22:00", "10T22:10", 100)), utc("10T22:10"))
    one = credit(one, delta("10T22:10", "10T23:10", 9), charging=False)
    final = blocks.settled(one, utc("10T23:20"))
    assert [block.wh for block in final.blocks] == [109]


def test_settling_makes_a_block_of_what_only_trickled() -> None:
    one = credit(session(), delta("10T22:20", "10T22:40", 9), charging=False)
    final = blocks.settled(one, utc("10T23:20"))
    assert final.blocks == (Block(kind=BlockKind.REGULAR, started_at=utc("10T22:15"), ended_at=utc("10T22:45"), wh=9),)


def test_settling_cuts_blocks_at_plug_out_and_drops_empty_ones() -> None:
    one = credit(session(), delta("10T22:00", "10T22:10", 100))
    one = blocks.closed(one, utc("10T22:30"))
    one = credit(one, delta("10T22:40", "10T22:41", 0))
    final = blocks.settled(one, utc("10T22:20"))
    assert final.blocks == (Block(kind=BlockKind.REGULAR, started_at=PLUG, ended_at=utc("10T22:20"), wh=100),)
