"""The FastAPI application: routes over a desk. It posts request events and reads state; it decides nothing."""

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware

from chargerd.api import (
    openapi,
    problems,
    routes_daemon,
    routes_operator,
    routes_policies,
    routes_security,
    routes_sessions,
    routes_site,
)
from chargerd.api.boundary import Boundary
from chargerd.api.closing import Closing
from chargerd.api.context import Context
from chargerd.api.idempotency import Idempotency
from chargerd.api.stream import KEEP_ALIVE_S
from chargerd.contract import Desk

_NO_TELEMETRY = TelemetryConfig(tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False)


def create_app(desk: Desk, *, token: bytes | None, keep_alive_s: float = KEEP_ALIVE_S) -> FastAPI:
    """Return the application.

    With a ``token``, every route but /healthz wants it as a bearer token. ``keep_alive_s`` is how long an event
    stream may be silent, in real seconds.
    """
    context = Context(desk=desk, closing=Closing(), keep_alive_s=keep_alive_s)
    boundary = Middleware(
        Boundary,
        token=token or None,
        idempotency=Idempotency(desk.now),
        closing=context.closing,
    )
    app = FastAPI(
        title="chargerd",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[boundary],
        generate_unique_id_function=openapi.operation_id,
        telemetry=_NO_TELEMETRY,
    )
    app.state.context = context
    for module in (routes_policies, routes_sessions, routes_site, routes_operator, routes_security, routes_daemon):
        app.include_router(module.router)
    problems.install(app)
    openapi.install(app, with_token=bool(token))
    return app
