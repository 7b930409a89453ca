"""Policies, their current session, and its target."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from chargerd.api.context import Context, ContextOf, answer
from chargerd.api.documents import CurrentSession
from chargerd.api.explanation import Explanation
from chargerd.api.openapi import problems
from chargerd.api.problems import unprocessable
from chargerd.api.resources import ImmediateStartRequest, Listing, PolicyResource, RegularRequest, TargetRequest
from chargerd.api.values import rfc3339
from chargerd.api.views import policy_document
from chargerd.contract import (
    Event,
    ImmediateStartRequested,
    OverrideCancelled,
    PolicyId,
    ScheduleOverrideRequested,
)

HORIZON = timedelta(days=14)
"""How far ahead a user may set a deadline."""

router = APIRouter(prefix="/v1/policies", tags=["policies"])

PolicyPath = Annotated[str, Path(alias="policyId", description="UUID of the policy.")]


@router.get("", response_model=Listing[PolicyResource])
async def list_policies(context: ContextOf) -> Response:
    """All policies, in the order of the configuration."""
    return answer({"data": [policy_document(policy) for policy in context.desk.policies()]})


@router.get("/{policyId}", response_model=PolicyResource, responses=problems(404))
async def get_policy(context: ContextOf, policy_id: PolicyPath) -> Response:
    """One policy as it is configured."""
    return answer(policy_document(context.policy(policy_id)))


@router.get("/{policyId}/session", response_model=CurrentSession, responses=problems(404))
async def get_current_session(context: ContextOf, policy_id: PolicyPath) -> Response:
    """The one current session of a policy: UPCOMING or ACTIVE:*."""
    return answer(context.session(context.policy(policy_id)))


@router.get("/{policyId}/session/explanation", response_model=Explanation, responses=problems(404))
async def explain_session(context: ContextOf, policy_id: PolicyPath) -> Response:
    """Why the car is charging now, or is not: evidence, last command and answer, and who refused."""
    return answer(context.explanation(context.policy(policy_id)))


@router.put(
    "/{policyId}/session/target", response_model=CurrentSession, responses=problems(400, 404, 409, 413, 422, 503, 507)
)
async def set_target(context: ContextOf, policy_id: PolicyPath, target: Annotated[TargetRequest, Body()]) -> Response:
    """Charge at once, or to another level by another time, for this session only.

    The answer is the session document with the new target in force and its outcome.
    """
    policy = context.policy(policy_id)
    await context.post(_event(context, policy.policy_id, target))
    return answer(context.session(policy))


@router.delete("/{policyId}/session/target", response_model=CurrentSession, responses=problems(404, 409, 503, 507))
async def cancel_target(context: ContextOf, policy_id: PolicyPath) -> Response:
    """Take an override back; the policy's own target is in force again. The answer is the session document."""
    policy = context.policy(policy_id)
    await context.post(OverrideCancelled(policy_id=policy.policy_id, reply_to=context.reply_to()))
    return answer(context.session(policy))


def _event(context: Context, policy_id: PolicyId, target: RegularRequest | ImmediateStartRequest) -> Event:
    if isinstance(target, ImmediateStartRequest):
        return ImmediateStartRequested(
            policy_id=policy_id,
            minimum_charge_target=target.minimum_charge_target,
            reply_to=context.reply_to(),
        )
    now = context.desk.now()
    if target.ready_by <= now:
        raise unprocessable(("body.readyBy", f"must be in the future; it is {rfc3339(now)} now"))
    if target.ready_by > now + HORIZON:
        raise unprocessable(("body.readyBy", f"must be within {HORIZON.days} days; it is {rfc3339(now)} now"))
    return ScheduleOverrideRequested(
        policy_id=policy_id,
        minimum_charge_target=target.minimum_charge_target,
        ready_by=target.ready_by,
        reply_to=context.reply_to(),
    )
