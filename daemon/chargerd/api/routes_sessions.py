"""Settled sessions, served as the exact text that was stored, with their ledger and event log."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from chargerd.api.context import ContextOf, answer, answer_text
from chargerd.api.documents import SettledSession, compact
from chargerd.api.openapi import problems
from chargerd.api.problems import not_found, unprocessable
from chargerd.api.resources import LedgerEntry, Listing, LogLine, SettledSessions
from chargerd.api.values import Instant
from chargerd.api.views import log_document
from chargerd.contract import ChargerId, PageQuery, PolicyId, SessionId, VehicleId

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

SessionPath = Annotated[str, Path(alias="sessionId", description="UUID of the session.")]


@router.get("", response_model=SettledSessions, responses=problems(422, 503))
async def list_settled_sessions(  # noqa: PLR0913, PLR0917 - one parameter per query parameter
    context: ContextOf,
    policy_id: Annotated[str | None, Query(alias="policyId", description="Only of this policy.")] = None,
    charger_id: Annotated[str | None, Query(alias="chargerId", description="Only at this charger.")] = None,
    vehicle_id: Annotated[str | None, Query(alias="vehicleId", description="Only of this vehicle.")] = None,
    start: Annotated[Instant | None, Query(alias="from", description="Plugged out at or after this time.")] = None,
    end: Annotated[Instant | None, Query(alias="to", description="Plugged out before this time.")] = None,
    page_size: Annotated[int, Query(alias="pageSize", ge=1, le=200, description="How many at most.")] = 50,
    after: Annotated[str | None, Query(description="Cursor of an answer, for the older sessions.")] = None,
    before: Annotated[str | None, Query(description="Cursor of an answer, for the newer sessions.")] = None,
) -> Response:
    """Settled sessions, newest plug-out first. `after` and `before` exclude each other."""
    if after is not None and before is not None:
        raise unprocessable(("query.before", "it excludes `after`; give one of the two"))
    query = PageQuery(
        policy_id=None if policy_id is None else PolicyId(policy_id.lower()),
        charger_id=None if charger_id is None else ChargerId(charger_id),
        vehicle_id=None if vehicle_id is None else VehicleId(vehicle_id),
        start=start,
        end=end,
        page_size=page_size,
        after=after,
        before=before,
    )
    try:
        page = await context.desk.archive.page(query)
    except ValueError as fault:
        name = "before" if after is None else "after"
        raise unprocessable((f"query.{name}", "it is not a cursor of this API")) from fault
    pagination = compact({"after": page.after, "before": page.before})
    return answer_text(f'{{"data":[{",".join(page.documents)}],"pagination":{pagination}}}')


@router.get("/{sessionId}", response_model=SettledSession, responses=problems(404, 503))
async def get_settled_session(context: ContextOf, session_id: SessionPath) -> Response:
    """One settled session; it never changes again."""
    text = await context.desk.archive.settled(SessionId(session_id.lower()))
    if text is None:
        raise not_found("settled session", session_id)
    return answer_text(text)


@router.get("/{sessionId}/ledger", response_model=Listing[LedgerEntry], responses=problems(404, 503))
async def get_ledger(context: ContextOf, session_id: SessionPath) -> Response:
    """The energy of a settled session by quarter hour, in Wh, with its quality."""
    text = await context.desk.archive.ledger(SessionId(session_id.lower()))
    if text is None:
        raise not_found("settled session", session_id)
    return answer_text(f'{{"data":{text}}}')


@router.get("/{sessionId}/events", response_model=Listing[LogLine], responses=problems(404, 503))
async def get_session_events(context: ContextOf, session_id: SessionPath) -> Response:
    """What happened during a session, settled or current, oldest first."""
    wanted = SessionId(session_id.lower())
    entries = await context.desk.archive.session_log(wanted)
    if not entries and await context.desk.archive.settled(wanted) is None:
        raise not_found("session", session_id)
    return answer({"data": [log_document(entry) for entry in entries]})
