"""The journal goes to memory, so that it can be read and does not stand between a command's lines."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from chargerd import journal


@pytest.fixture(autouse=True)
def journal_text() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    journal.configure(stream, "json", "DEBUG")
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)
