"""The queue in front of the loop: bounded, and it drops nothing but what a newer sample tells as well."""

import asyncio

from chargerd.core.events import ChargerOffline, Event, MeterSampled, StatusReported
from chargerd.core.ids import ChargerId
from chargerd.inbox import Inbox

GARAGE, YARD = ChargerId("garage"), ChargerId("yard")


def sample(register: int, charger: ChargerId = GARAGE) -> MeterSampled:
    return MeterSampled(charger_id=charger, register_wh=register)


def plug(charger: ChargerId = GARAGE) -> StatusReported:
    return StatusReported(charger_id=charger, plugged=True)


async def drained(inbox: Inbox) -> list[Event]:
    return [await inbox.take() for _ in range(len(inbox))]


async def test_events_come_out_in_the_order_in_which_they_went_in() -> None:
    inbox = Inbox()
    for event in (sample(1), plug(), sample(2)):
        await inbox.put(event)
    assert await drained(inbox) == [sample(1), plug(), sample(2)]
    assert inbox.coalesced == 0


async def test_a_full_inbox_keeps_the_newest_sample_of_each_charger() -> None:
    inbox = Inbox(capacity=3)
    for event in (plug(), sample(1), sample(1, YARD)):
        await inbox.put(event)
    await inbox.put(sample(2))
    assert await drained(inbox) == [plug(), sample(1, YARD), sample(2)]
    assert inbox.coalesced == 1


async def test_a_sample_is_not_replaced_past_another_event_nor_by_one_that_tells_less() -> None:
    inbox = Inbox(capacity=2)
    for event in (sample(1), plug()):
        await inbox.put(event)
    assert not inbox._coalesce(sample(2)), "a plug lies between them"
    assert await drained(inbox) == [sample(1), plug()]
    for event in (MeterSampled(charger_id=GARAGE, register_wh=1, soc_pct=50.0), plug(YARD)):
        await inbox.put(event)
    assert not inbox._coalesce(sample(2)), "the older one knows the level"


async def test_everything_else_waits_for_room() -> None:
    inbox = Inbox(capacity=1)
    await inbox.put(plug())
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(inbox.put(ChargerOffline(charger_id=GARAGE)))
        sampling = group.create_task(inbox.put(sample(1)))
        await asyncio.sleep(0)
        assert not waiting.done()
        assert not sampling.done(), "without an older sample there is nothing to coalesce"
        taken = [await inbox.take()]
        while len(taken) < 3:
            assert await inbox.wait(5)
            taken.append(await inbox.take())
    assert sorted(event.kind for event in taken) == ["charger_offline", "meter_sampled", "status_reported"]


async def test_a_charger_that_talks_without_end_waits_and_delays_no_other() -> None:
    inbox = Inbox(share=2)
    for _ in range(2):
        await inbox.put(plug())
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(inbox.put(ChargerOffline(charger_id=GARAGE)))
        await asyncio.sleep(0)
        assert not waiting.done()
        await inbox.put(plug(YARD))
        assert await inbox.take() == plug()
    assert await drained(inbox) == [plug(), plug(YARD), ChargerOffline(charger_id=GARAGE)]
    for event in (sample(1), plug(YARD), sample(2), sample(3)):
        await inbox.put(event)
    assert await drained(inbox) == [sample(1), plug(YARD), sample(3)], "of a full share the newest sample stays"


async def test_waiting_ends_with_an_event_or_with_the_time() -> None:
    inbox = Inbox()
    assert not await inbox.wait(0.001)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(inbox.wait(None))
        await asyncio.sleep(0)
        await inbox.put(plug())
    assert waiting.result()
