"""The outermost layer of the HTTP API: closing, token, body size, idempotency, and the last resort for faults.

Written against ASGI directly, because a stream of events has to pass through it unbuffered.
"""

import hmac
from collections.abc import MutableMapping
from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chargerd.api.closing import Closing
from chargerd.api.idempotency import Answer, Idempotency
from chargerd.api.problems import Problem, closing, internal

BODY_LIMIT = 64 * 1024
"""No request of this API needs more, in bytes."""

_OPEN_PATHS = frozenset({"/healthz"})
_KEPT_METHODS = frozenset({"PUT", "POST"})
_KEY_LIMIT = 255

_log = structlog.get_logger("chargerd.api")


class Boundary:
    """Everything that holds for all routes alike."""

    def __init__(self, app: ASGIApp, *, token: bytes | None, idempotency: Idempotency, closing: Closing) -> None:
        self._app = app
        self._token = token
        self._idempotency = idempotency
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = _Started(send)
        try:
            await self._serve(scope, receive, started)
        except Problem as problem:
            await _answer(problem, scope, receive, started)
        except Exception:
            _log.exception("api.fault", message="a request failed", method=scope["method"], path=scope["path"])
            if started.begun:
                # The head is out: breaking the connection is the only way left to say that this answer is no good.
                raise
            await _answer(internal(), scope, receive, started)
        _log.debug("api.request", method=scope["method"], path=scope["path"], status=started.status)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        self._admit(scope["path"], headers)
        if scope["method"] not in _KEPT_METHODS:
            await self._app(scope, receive, send)
            return
        body = await _body(headers, receive)
        if body is None:
            return
        key = headers.get(b"idempotency-key")
        if key is None:
            await self._app(scope, _replay(body, receive), send)
            return
        await self._serve_once(key, body, scope, receive, send)

    def _admit(self, path: str, headers: MutableMapping[bytes, bytes]) -> None:
        if path in _OPEN_PATHS:
            return
        if self._token is not None:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._token):
                raise Problem(
                    HTTPStatus.UNAUTHORIZED,
                    "this daemon wants its token: Authorization: Bearer …",
                    headers={"WWW-Authenticate": "Bearer"},
                )
        if self._closing.begun:
            raise closing()

    async def _serve_once(self, key: bytes, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        if not 0 < len(key) <= _KEY_LIMIT:
            raise Problem(HTTPStatus.BAD_REQUEST, f"Idempotency-Key: expected 1 to {_KEY_LIMIT} characters")
        with self._idempotency.claim(scope["method"], scope["path"], key, body) as claim:
            if claim.answer is None:
                recorder = _Recorder()
                await self._app(scope, _replay(body, receive), recorder)
                claim.settle(recorder.answer)
                await _send(recorder.answer, send)
            else:
                await _send(claim.answer, send, replayed=True)


class _Started:
    """A send that remembers whether the head of the answer has gone out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self.status = message["status"]
        await self._send(message)


class _Recorder:
    """A send that keeps the answer."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: tuple[tuple[bytes, bytes], ...] = ()
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = tuple((bytes(name), bytes(value)) for name, value in message["headers"])
        else:
            self._body += message.get("body", b"")

    @property
    def answer(self) -> Answer:
        return Answer(self._status, self._headers, self._body)


async def _send(answer: Answer, send: Send, *, replayed: bool = False) -> None:
    headers = [*answer.headers, (b"idempotency-replayed", b"true")] if replayed else [*answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _answer(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    await problem.response()(scope, receive, send)


async def _body(headers: MutableMapping[bytes, bytes], receive: Receive) -> bytes | None:
    """Read the whole body; None when the client left meanwhile."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > BODY_LIMIT:
        raise _too_large()
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += bytes(message.get("body", b""))
        if len(body) > BODY_LIMIT:
            raise _too_large()
        if not message.get("more_body", False):
            return body


def _too_large() -> Problem:
    # The rest of the body stays unread, so the connection cannot be used again.
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {BODY_LIMIT} bytes", headers={"Connection": "close"})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read to the application, then what the client does next."""
    pending = [body]

    async def replayed() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return replayed
