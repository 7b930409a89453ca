"""How long the searches go on: a short one by default, a long one with CHARGERD_LONG=1, both repeatable; a long one
that takes another way each time with CHARGERD_LONG=random."""

import os

import pytest
from hypothesis import settings

LONG = os.environ.get("CHARGERD_LONG", "")

settings.register_profile("dev", max_examples=120, derandomize=True, deadline=None)
settings.register_profile("1", max_examples=10_000, derandomize=True, deadline=None)
settings.register_profile("random", max_examples=10_000, deadline=None)
settings.load_profile(LONG or "dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A long search takes as long as it takes."""
    for item in items:
        if LONG and "tests/property" in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(0))
