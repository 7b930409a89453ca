"""Whose car is plugged in: by card or EVCCID, by the cars' own telemetry, else the first policy's of the charger.

One policy at a charger is the simple case: its car it is, until something says otherwise. A car that nothing ties to
a policy is a guest: its visit is observed, not controlled, and the policies go on waiting.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chargerd.core.ids import PolicyId
from chargerd.core.model import Slot, State

TOKEN_BEFORE_PLUG = timedelta(minutes=10)
"""A card is shown before the plug goes in, or after."""
PLUG_TOLD_BEFORE = timedelta(minutes=10)
"""Telemetry may date a plug-in by so much before the charger does."""
ELSEWHERE_AFTER = timedelta(minutes=10)
"""A car that says so long after the plug-in that it is not plugged in is not the one that is."""
ASK_FOR = timedelta(seconds=60)
"""So long is waited for evidence where more than one car may have come; then the first one it is."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose car it is: a policy's, or a guest's (None). ``is_certain`` says that evidence tells, not the default."""

    policy_id: PolicyId | None
    is_certain: bool


def spelled(token: str) -> str:
    """A token without regard to case and to the separators that readers put between bytes."""
    return "".join(sign for sign in token.casefold() if sign.isalnum())


def owner(state: State, plugged_in_at: datetime) -> Owner:
    """Say whose car has been plugged in since then, as far as is known now."""
    shown = _shown_token(state, plugged_in_at)
    if shown:
        holder = next((slot for slot in state.slots if shown in map(spelled, slot.vehicle.id_tokens)), None)
        if holder is not None:
            return Owner(holder.policy.policy_id, is_certain=True)
        if all(slot.vehicle.id_tokens for slot in state.slots):
            return Owner(None, is_certain=True)
    here = [slot for slot in state.slots if _says_plugged_in(slot, plugged_in_at)]
    if len(here) == 1:
        return Owner(here[0].policy.policy_id, is_certain=True)
    maybe = [slot for slot in here or state.slots if not _is_elsewhere(slot, plugged_in_at)]
    if not maybe:
        return Owner(None, is_certain=True)
    return Owner(maybe[0].policy.policy_id, is_certain=False)


def is_awaited(state: State, plugged_in_at: datetime, now: datetime) -> bool:
    """Tell whether evidence is still waited for: several cars may have come."""
    several = len(state.slots) > 1
    return several and now < plugged_in_at + ASK_FOR and not owner(state, plugged_in_at).is_certain


def _shown_token(state: State, plugged_in_at: datetime) -> str:
    facts = state.facts
    if facts.token_at is None or facts.token_at < plugged_in_at - TOKEN_BEFORE_PLUG:
        return ""
    return facts.token


def _says_plugged_in(slot: Slot, plugged_in_at: datetime) -> bool:
    facts = slot.facts
    since = facts.plugged_at if facts.plugged and facts.at_home is not False else None
    return since is not None and since >= plugged_in_at - PLUG_TOLD_BEFORE


def _is_elsewhere(slot: Slot, plugged_in_at: datetime) -> bool:
    facts = slot.facts
    if facts.told_at is None or facts.told_at < plugged_in_at + ELSEWHERE_AFTER:
        return False
    return facts.plugged is False or facts.at_home is False
