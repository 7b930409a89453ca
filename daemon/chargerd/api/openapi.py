"""OpenAPI 3.1: how errors are documented, and the finishing of what FastAPI generates."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel

from chargerd import __version__
from chargerd.api.problems import PROBLEM_JSON, ProblemDocument

DESCRIPTION = """\
Sessions, targets, chargers, vehicles and prices of a home that charges its cars with chargerd.

Names are camelCase, times RFC 3339 (UTC, ending in Z, in answers), energy kWh, power kW, levels percent, money decimal
strings. A *session* is one visit of a car, from before plug-in to plug-out. `timeseries[].kwh` is the mean charge rate
over its interval in **kW**, in spite of its name.
"""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document these statuses as problem documents, for the ``responses`` of a route."""
    return {status: {"model": ProblemDocument, "description": HTTPStatus(status).phrase} for status in statuses}


def operation_id(route: APIRoute) -> str:
    """Return what a generated client calls the operation."""
    return to_camel(route.name)


def install(app: FastAPI, *, with_token: bool) -> None:
    """Have the application describe itself."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _finished(app, with_token=with_token)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI documents this way of changing the schema


def _finished(app: FastAPI, *, with_token: bool) -> dict[str, Any]:
    schema = get_openapi(
        title="chargerd", version=__version__, description=DESCRIPTION, routes=app.routes, openapi_version="3.1.0"
    )
    _drop_titles(schema["paths"])
    _drop_titles(schema["components"])
    for name in _UNUSED:
        schema["components"]["schemas"].pop(name, None)
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            _finish(path, method, operation, with_token=with_token)
    if with_token:
        schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return schema


def _drop_titles(node: Any) -> None:
    """Remove the generated titles, which spell policyId as "Policyid". A member that is called title stays."""
    if isinstance(node, list):
        for item in node:
            _drop_titles(item)
    elif isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for value in node.values():
            _drop_titles(value)


def _finish(path: str, method: str, operation: dict[str, Any], *, with_token: bool) -> None:
    if with_token and path != "/healthz":
        operation["security"] = [{"token": []}]
        operation["responses"]["401"] = _described("The token is missing or wrong.")
    if method in {"put", "post"}:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    # FastAPI adds a 422 of its own wherever there is a parameter; a name in a path is never malformed, only unknown.
    operation["responses"] = {
        status: response for status, response in operation["responses"].items() if not _is_generated(response)
    }
    for status, response in operation["responses"].items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            response["content"] = dict.fromkeys((PROBLEM_JSON,), *response["content"].values())


def _is_generated(response: dict[str, Any]) -> bool:
    shown: Any = response.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(shown == {"$ref": "#/components/schemas/HTTPValidationError"})


def _described(description: str) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    return {"description": description, "content": {PROBLEM_JSON: {"schema": reference}}}


_UNUSED = ("HTTPValidationError", "ValidationError")

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "A name of this request, chosen by the client. Sent again within 24 hours, the request is not done "
    "again and gets the same answer; with another body it is refused with 422.",
}
