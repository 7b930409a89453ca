"""``Idempotency-Key``: the same request sent twice is done once and answered twice alike.

Kept in memory, bounded by number and age. An answer of 5xx is not kept, since such a request was not taken.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from chargerd.api.problems import Problem

_LIFETIME = timedelta(hours=24)
_CAPACITY = 256

Key = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it went out."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(slots=True)
class Claim:
    """The right to answer one request; ``answer`` is set when that has been done before."""

    digest: bytes
    at: datetime
    answer: Answer | None = None

    def settle(self, answer: Answer) -> None:
        """Keep the answer, unless it says that the request was not taken."""
        if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self.answer = answer


class Idempotency:
    """The answers of the last 24 hours by method, path and key, at most 256."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._claims: OrderedDict[Key, Claim] = OrderedDict()

    @contextmanager
    def claim(self, method: str, path: str, key: bytes, body: bytes) -> Iterator[Claim]:
        """Take the key for the time of one request.

        Raises Problem when another body came with this key, or the first request is still being worked on.
        """
        slot = (method, path, key)
        digest = hashlib.sha256(body).digest()
        known = self._known(slot)
        if known is not None:
            _agree(known, digest)
            self._claims.move_to_end(slot)
            yield known
            return
        claim = self._claims[slot] = Claim(digest, self._now())
        try:
            yield claim
        finally:
            if claim.answer is None:
                del self._claims[slot]
            self._trim()

    def _known(self, slot: Key) -> Claim | None:
        known = self._claims.get(slot)
        if known is not None and known.answer is not None and self._now() - known.at > _LIFETIME:
            del self._claims[slot]
            return None
        return known

    def _trim(self) -> None:
        answered = [slot for slot, claim in self._claims.items() if claim.answer is not None]
        for slot in answered[: max(len(self._claims) - _CAPACITY, 0)]:
            del self._claims[slot]


def _agree(known: Claim, digest: bytes) -> None:
    if known.digest != digest:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Idempotency-Key: it was used before with another body")
    if known.answer is None:
        raise Problem(HTTPStatus.CONFLICT, "Idempotency-Key: the first request with it is still being worked on")
