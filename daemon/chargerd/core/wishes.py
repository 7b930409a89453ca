"""What users ask of a session: charge now, another level or deadline, back to the policy."""

from datetime import datetime
from typing import assert_never

from chargerd.core import control, session, target
from chargerd.core.commands import AnswerRequest, Command
from chargerd.core.events import ImmediateStartRequested, OverrideCancelled, ScheduleOverrideRequested
from chargerd.core.frozen import replace
from chargerd.core.ids import ReplyTo
from chargerd.core.intake import retargeted
from chargerd.core.model import Slot, State, Targets

Wish = ImmediateStartRequested | ScheduleOverrideRequested | OverrideCancelled


def requested(state: State, event: Wish, now: datetime) -> tuple[State, tuple[Command, ...]]:
    """Take a wish, or say why not. One that was made before the wish in force changes nothing."""
    slot = state.slot_of(event.policy_id)
    if slot is None:
        return state, (_rejected(event.reply_to, "there is no such policy"),)
    targets, refusal = _wished(state, slot, event, now)
    if refusal:
        return state, (_rejected(event.reply_to, refusal),)
    if targets != slot.session.targets:
        state = control.encouraged(state)
    targets = replace(targets, issued_at=event.issued_at or now)
    state = session.with_slot(state, replace(slot, session=retargeted(slot.session, targets)))
    return state, (AnswerRequest(reply_to=event.reply_to),)


def _wished(state: State, slot: Slot, event: Wish, now: datetime) -> tuple[Targets, str]:
    """The targets as wished, or why they cannot be."""
    targets = slot.session.targets
    if targets.issued_at is not None and (event.issued_at or now) < targets.issued_at:
        return targets, "a newer wish is in force"
    match event:
        case OverrideCancelled():
            return target.reverted(targets, slot.policy, state.site.zone, now), ""
        case _ if not 1 <= event.minimum_charge_target <= 100:
            return targets, "minimumChargeTarget: expected 1 to 100"
        case ImmediateStartRequested():
            return target.immediate(targets, event.minimum_charge_target), ""
        case ScheduleOverrideRequested() if event.ready_by <= now:
            return targets, "readyBy: expected a time in the future"
        case ScheduleOverrideRequested():
            return target.overridden(targets, event.minimum_charge_target, event.ready_by), ""
        case _:
            assert_never(event)


def _rejected(reply_to: ReplyTo, why: str) -> AnswerRequest:
    return AnswerRequest(reply_to=reply_to, rejected=why)
