"""The one place that starts a task outside a TaskGroup: it keeps a reference and reports how the task ended.

Prefer a TaskGroup; this is for work that must outlive the cancellation of the one who started it.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

_log = structlog.get_logger("chargerd.tasks")

# The loop itself keeps weak references only; a task that nobody else holds may vanish in the middle of its work.
_running: set[asyncio.Task[Any]] = set()

T = TypeVar("T")


def spawn(work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
    """Start a task. An exception of its own is logged when it ends; cancellation is not."""
    task = asyncio.create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if task.cancelled():
        return
    fault = task.exception()
    if fault is not None:
        _log.error("task.failed", message=f"the task {task.get_name()} failed", task=task.get_name(), exc_info=fault)
