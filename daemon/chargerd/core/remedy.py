"""What a person can do about a charge that does not go as it should."""

from chargerd.core.abilities import begins_anew
from chargerd.core.events import Activity
from chargerd.core.explain_phrases import Case
from chargerd.core.level import has_source
from chargerd.core.planning import missing_capabilities
from chargerd.core.reason import Reason
from chargerd.core.refusal import Refuser
from chargerd.core.session import visiting_slot
from chargerd.core.whose import owner


def remedy(case: Case) -> str | None:
    """One sentence; None when nothing is wrong, or nothing can be done."""
    said = _of_reason(case)
    if said is None and case.state.facts.fault:
        return f"Look at {case.charger}, which reports a fault: {case.state.facts.fault}."
    return said


def is_without_level(case: Case) -> bool:
    """Nothing can be expected to tell the level of the car, and its policy assumes none."""
    return not has_source(case.slot, case.state.at)


def _of_reason(case: Case) -> str | None:
    match case.reason:
        case Reason.CHARGER_OFFLINE:
            return f"See whether {case.charger} has power and a network, and is set to the address of this daemon."
        case Reason.MISSING_CAPABILITIES:
            return _missing(case)
        case Reason.ANOTHER_CAR:
            return _another(case)
        case Reason.LEVEL_UNKNOWN:
            waits = case.slot.vehicle.level_from_charger
            return None if waits else f"Tell the level of {case.car}, or wake it so that it tells it."
        case Reason.CAR_FULL:
            return f"To charge further, raise the limit in {case.car} itself."
        case Reason.START_FAILED:
            return _start_failed(case)
        case Reason.STOP_FAILED:
            return f"See whether a schedule or an app of {case.charger} itself is on; pull the plug to stop it now."
        case _:
            return None


def _another(case: Case) -> str | None:
    """A policy's own car that is known to be there is nothing wrong."""
    there = visiting_slot(case.state)
    if there is not None and owner(case.state, there.session.plugged_in_at or case.state.at).is_certain:
        return None
    way = (
        f"show its card at {case.charger}" if case.slot.vehicle.id_tokens else "add its id_tokens to the configuration"
    )
    return f"If it is {case.car} after all, {way}."


def _missing(case: Case) -> str:
    if set(missing_capabilities(case.state, case.slot)) - {"chargeState"}:
        return f"Switch on remote control in the settings of {case.charger}, or give it another firmware."
    if is_without_level(case):
        return f"Tell the level of {case.car}, or set assumed_battery_level_at_plug_in in its policy."
    return f"Switch on status and meter reports in the settings of {case.charger}."


def _start_failed(case: Case) -> str:
    if case.state.facts.activity is Activity.FINISHING and not begins_anew(case.state.facts):
        return f"Pull the plug of {case.car} and plug it in anew: {case.charger} begins no other charge before that."
    match case.refuser:
        case Refuser.NETWORK:
            return f"See whether {case.charger} has a network, or switch it off and on."
        case Refuser.VEHICLE:
            return f"Wake {case.car} or plug it in anew, and look for a timer or a limit of its own."
        case Refuser.AUTHORISATION:
            return f"Set {case.charger} to free charging, or add the card of the configuration to its list."
        case _:
            return f"Look at {case.charger}: see what it shows, or switch it off and on."
