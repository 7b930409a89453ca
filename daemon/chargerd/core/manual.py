"""Starting and stopping by hand, at a charger that no policy holds.

PENDING    asked for; left by evidence of the meter, by the charger's timeout, by a newer request or by plug-out.
CONFIRMED  the meter proved it. A stop stays in force until the car leaves or a start is asked for.
FAILED     it did not come about in time; nothing more is tried.
CANCELLED  a newer request or the car's leaving made it void, or it was taken back: the car is left free to charge.
"""

from datetime import datetime

from chargerd.core.events import ChargingRequested
from chargerd.core.frozen import replace
from chargerd.core.model import Action, ActionState, State, Want


def requested(state: State, event: ChargingRequested, now: datetime) -> tuple[State, str | None]:
    """Take a request, or say why not."""
    if state.slots:
        return state, "a policy holds this charger; change its target instead"
    if event.start is None:
        return _taken_back(state), None
    if state.guest is None or state.guest.unplugged_at is not None:
        return state, "nothing is plugged in"
    made = Action(
        action_id=1 if state.action is None else state.action.action_id + 1,
        session_id=state.guest.session_id,
        want=Want.CHARGE if event.start else Want.HOLD,
        state=ActionState.PENDING,
        requested_at=now,
    )
    return replace(state, action=made), None


def _taken_back(state: State) -> State:
    """Nothing is asked any more; one that failed stays what it is."""
    if state.action is None or state.action.state is ActionState.FAILED:
        return state
    return replace(state, action=replace(state.action, state=ActionState.CANCELLED))


def wanted(state: State) -> Want:
    """What a request by hand wants of the cable now."""
    action = state.action
    guest = state.guest
    if action is None or guest is None or guest.unplugged_at is not None or guest.session_id != action.session_id:
        return Want.FREE
    in_force = action.state is ActionState.PENDING
    kept = action.state is ActionState.CONFIRMED and action.want is Want.HOLD
    return action.want if in_force or kept else Want.FREE


def judged(state: State, *, fails_at: datetime | None, now: datetime) -> State:
    """Judge a pending request by what the meter proves. ``fails_at`` is when the lag behind it is too long."""
    action = state.action
    if action is None or action.state is not ActionState.PENDING:
        return state
    if wanted(state) is Want.FREE:
        return replace(state, action=replace(action, state=ActionState.CANCELLED))
    if state.facts.charging is (action.want is Want.CHARGE):
        return replace(state, action=replace(action, state=ActionState.CONFIRMED))
    if fails_at is not None and now >= fails_at:
        return replace(state, action=replace(action, state=ActionState.FAILED))
    return state
