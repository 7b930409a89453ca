"""Errors as RFC 9457 problem documents: the exception, its shape in OpenAPI, and what foreign errors become."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from chargerd.api.documents import compact
from chargerd.errors import ChargingError, StoreError

PROBLEM_JSON = "application/problem+json"


class Issue(BaseModel):
    """One thing that is wrong with a request."""

    path: str = Field(description="Where, for example `body.readyBy` or `query.pageSize`.")
    message: str = Field(description="What is wrong there, and what is allowed.")


class ProblemDocument(BaseModel):
    """What went wrong, as RFC 9457 says it."""

    type: str = Field(description="Kind of problem; about:blank means that the status says it all.")
    title: str = Field(description="Short name of the kind of problem.")
    status: int = Field(description="The HTTP status again.")
    detail: str | None = Field(default=None, description="What happened this time, in a sentence.")
    issues: list[Issue] | None = Field(default=None, description="422: everything that is wrong with the request.")


class Problem(ChargingError):
    """An answer that is not 2xx. ``members`` are further members of the problem document."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail or status.phrase)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.members = members

    def response(self) -> Response:
        """Return the problem as an HTTP answer."""
        document: dict[str, Any] = {"type": "about:blank", "title": self.status.phrase, "status": int(self.status)}
        if self.detail is not None:
            document["detail"] = self.detail
        return Response(compact(document | self.members), self.status, headers=self.headers, media_type=PROBLEM_JSON)


def not_found(what: str, name: str) -> Problem:
    """There is no such thing."""
    return Problem(HTTPStatus.NOT_FOUND, f"there is no {what} {name!r}")


def unprocessable(*issues: tuple[str, str]) -> Problem:
    """Understood, and wrong: pairs of a path and a message."""
    listed = [{"path": path, "message": message} for path, message in issues]
    detail = "; ".join(f"{path}: {message}" for path, message in issues)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, issues=listed)


def closing() -> Problem:
    """The daemon is on its way down."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the daemon is stopping", headers={"Retry-After": "5"})


def internal() -> Problem:
    """Something of ours broke; the journal says what."""
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault inside the daemon; its journal has the details")


def install(app: FastAPI) -> None:
    """Give every foreign error its problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(StoreError, _on_store)


async def _on_problem(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Problem)
    return fault.response()


async def _on_http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    details = {
        HTTPStatus.NOT_FOUND: f"there is nothing at {request.url.path}",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible at {request.url.path}",
        HTTPStatus.BAD_REQUEST: "the body is not readable as JSON",
    }
    status = HTTPStatus(fault.status_code)
    headers = dict(fault.headers) if fault.headers else None
    return Problem(status, details.get(status), headers=headers).response()


async def _on_invalid(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)
    errors: Sequence[Any] = fault.errors()
    for error in errors:
        if error["type"] == "json_invalid":
            detail = f"the body is not JSON: {error['ctx']['error']} at character {error['loc'][-1]}"
            return Problem(HTTPStatus.BAD_REQUEST, detail).response()
    return unprocessable(*(_issue(error) for error in errors)).response()


def _issue(error: Any) -> tuple[str, str]:
    # In a discriminated body the tag stands between "body" and the key; a caller never wrote it.
    steps = [str(step) for step in error["loc"] if step not in {"REGULAR", "IMMEDIATE_START"}]
    if error["type"] == "union_tag_not_found":
        return ".".join([*steps, "type"]), "this key is missing; REGULAR or IMMEDIATE_START"
    if error["type"] == "union_tag_invalid":
        return ".".join([*steps, "type"]), "expected REGULAR or IMMEDIATE_START"
    message = str(error["msg"]).removeprefix("Value error, ")
    return ".".join(steps), message


async def _on_store(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, StoreError)
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "the database cannot be read at present", headers={"Retry-After": "60"}
    ).response()
