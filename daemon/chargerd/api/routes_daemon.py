"""The daemon itself: its health, and the stream of everything that changes."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from chargerd.api.context import STREAMS_LIMIT, ContextOf, answer
from chargerd.api.openapi import problems
from chargerd.api.problems import Problem
from chargerd.api.resources import Alive, Readiness, Reloaded
from chargerd.api.stream import EventStream
from chargerd.api.views import health_document

router = APIRouter(tags=["daemon"])


@router.get(
    "/v1/events",
    status_code=200,
    response_class=EventStream,
    responses={200: {"description": "An endless text/event-stream."}, **problems(503)},
)
async def stream_events(context: ContextOf) -> Response:
    """Every changed document as a server-sent event.

    `event` is session, settled, charger or prices; `data` is a JSON object of `key` (the id it is about) and
    `document`. A new stream begins with all current documents, so a client that lost its connection just reconnects.
    """
    if context.open_streams >= STREAMS_LIMIT:
        detail = f"{STREAMS_LIMIT} event streams are open already"
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "60"})
    return EventStream(context)


@router.post("/v1/configuration/reload", response_model=Reloaded, responses=problems(409, 422, 503))
async def reload_configuration(context: ContextOf) -> Response:
    """Read the configuration again, as SIGHUP does. 422 says what is wrong with it: then the old one stays in force."""
    faults = context.desk.reload()
    if faults:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(faults))
    return answer({"status": "TAKEN"})


@router.get("/healthz", response_model=Alive)
async def alive() -> Response:
    """200 as long as the daemon's loop answers. Needs no token."""
    return answer({"status": "ok"})


@router.get("/readyz", response_model=Readiness, responses=problems(503))
async def ready(context: ContextOf) -> Response:
    """200 once the daemon listens and its store is open; until then 503 with the same members."""
    document = health_document(context.desk.health(), context.desk.now())
    if document["ready"]:
        return answer(document)
    detail = "; ".join(document["problems"]) or "the daemon is still starting"
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"}, **document).response()
