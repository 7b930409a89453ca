"""What the routes share: the desk, and a way to post a request that always ends."""

import asyncio
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from typing import Annotated, cast

from fastapi import Depends, Request, Response

from chargerd.api.closing import Closing
from chargerd.api.documents import compact
from chargerd.api.problems import Problem, not_found
from chargerd.contract import Desk, Document, Event, Policy, PolicyId, ReplyTo, StoreError
from chargerd.errors import ChargingError

DECISION_TIMEOUT_S = 30.0
"""How long a request may wait for its decision, in real seconds."""

STREAMS_LIMIT = 32
"""How many event streams may be open at once."""


@dataclass(slots=True)
class Context:
    """One per application."""

    desk: Desk
    closing: Closing
    keep_alive_s: float
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))
    open_streams: int = 0
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def reply_to(self) -> ReplyTo:
        """Return a name for a waiting asker that no other process or request has."""
        return ReplyTo(f"http-{self.nonce}-{next(self._numbers)}")

    def policy(self, policy_id: str) -> Policy:
        """Return a policy by its id in any spelling of letters. Raises Problem when there is none."""
        wanted = PolicyId(policy_id.lower())
        for policy in self.desk.policies():
            if policy.policy_id == wanted:
                return policy
        raise not_found("policy", policy_id)

    def session(self, policy: Policy) -> Document:
        """Return the current session document of a policy."""
        document = self.desk.session(policy.policy_id)
        if document is None:
            raise not_found("session of policy", policy.policy_id)
        return document

    def explanation(self, policy: Policy) -> Document:
        """Return why the car of a policy is charging now, or is not."""
        document = self.desk.explanation(policy.policy_id)
        if document is None:
            raise not_found("session of policy", policy.policy_id)
        return document

    async def post(self, event: Event) -> None:
        """Have an event decided and stored. Raises Problem: 409 refused, 507 not stored, 503 not decided."""
        try:
            async with asyncio.timeout(DECISION_TIMEOUT_S) as limit:
                with self.closing.hastening(limit):
                    refusal = await self.desk.request(event)
        except StoreError as fault:
            detail = "it could not be stored, so it is not in force; is the disk full?"
            raise Problem(HTTPStatus.INSUFFICIENT_STORAGE, detail) from fault
        except TimeoutError as fault:
            reason = "the daemon stops" if self.closing.begun else f"no decision within {DECISION_TIMEOUT_S:g} s"
            detail = f"{reason}; read the session to see whether it came into force"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "5"}) from fault
        except ChargingError as fault:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(fault), headers={"Retry-After": "5"}) from fault
        if refusal is not None:
            raise Problem(HTTPStatus.CONFLICT, refusal)


def _context(request: Request) -> Context:
    return cast("Context", request.app.state.context)


ContextOf = Annotated[Context, Depends(_context)]
"""The application's context, as a parameter of a route."""


def answer(document: object) -> Response:
    """Return a document as an HTTP answer. Every answer is of this instant, so none may be cached."""
    return answer_text(compact(document))


def answer_text(text: str) -> Response:
    """Return JSON text as it is."""
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})
