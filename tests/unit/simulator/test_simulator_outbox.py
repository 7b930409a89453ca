import asyncio

import pytest

from chargerd_drivers.simulator import outbox as box
from chargerd_drivers.simulator.outbox import Message, Outbox


def message(action: str, *, lasting: bool = False, droppable: bool = False, asked_for: bool = False) -> Message:
    return Message(action, dict, lasting=lasting, droppable=droppable, asked_for=asked_for)


async def actions(outbox: Outbox) -> list[str]:
    names = []
    while len(outbox):
        first = await outbox.next()
        names.append(first.action)
        outbox.done(first)
    return names


async def test_requests_leave_in_their_order() -> None:
    outbox = Outbox()
    for name in ("A", "B", "C"):
        outbox.put(message(name))
    assert await actions(outbox) == ["A", "B", "C"]


async def test_a_request_stays_until_it_is_done() -> None:
    outbox = Outbox()
    outbox.put(message("A"))
    assert await outbox.next() is await outbox.next()


async def test_a_lost_connection_takes_what_does_not_last() -> None:
    outbox = Outbox()
    for name, lasting in (("A", True), ("B", False), ("C", True)):
        outbox.put(message(name, lasting=lasting))
    outbox.forget_volatile()
    assert await actions(outbox) == ["A", "C"]


async def test_before_it_is_accepted_only_what_was_asked_for_leaves() -> None:
    outbox = Outbox()
    outbox.put(message("A", lasting=True))
    outbox.put(message("B", asked_for=True))
    assert (await outbox.next(asked_for_only=True)).action == "B"


async def test_a_full_box_gives_up_its_oldest_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box, "_SIZE_MAX", 3)
    outbox = Outbox()
    outbox.put(message("Start", lasting=True))
    outbox.put(message("Sample 1", lasting=True, droppable=True))
    outbox.put(message("Sample 2", lasting=True, droppable=True))
    outbox.put(message("Stop", lasting=True))
    assert await actions(outbox) == ["Start", "Sample 2", "Stop"]


async def test_waiting_ends_when_something_is_put_in() -> None:
    outbox = Outbox()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(outbox.next())
        await asyncio.sleep(0)
        assert not waiting.done()
        outbox.put(message("A"))
    assert waiting.result().action == "A"
