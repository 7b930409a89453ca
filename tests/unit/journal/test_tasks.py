"""A bare task is kept alive, and its failure is in the journal."""

import asyncio

import pytest
from structlog.testing import capture_logs

from chargerd.tasks import spawn


async def test_the_result_is_there_for_who_waits() -> None:
    async def work() -> int:
        return 7

    assert await spawn(work(), name="work") == 7


async def test_a_failure_is_told_with_the_name_of_the_task() -> None:
    async def work() -> None:
        msg = "lost"
        raise ValueError(msg)

    with capture_logs() as entries:
        task = spawn(work(), name="poll")
        await asyncio.wait([task])
        with pytest.raises(ValueError, match="lost"):
            task.result()
    assert [(entry["event"], entry["task"], entry["log_level"]) for entry in entries] == [
        ("task.failed", "poll", "error")
    ]


async def test_being_cancelled_is_no_failure() -> None:
    with capture_logs() as entries:
        task = spawn(asyncio.Event().wait(), name="wait")
        task.cancel()
        await asyncio.wait([task])
    assert (task.cancelled(), entries) == (True, [])
