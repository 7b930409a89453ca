"""What has been going on at a charger since it connected, and what that teaches. Pure; times are monotonic seconds."""

from dataclasses import dataclass, replace

from chargerd.contract import (
    Activity,
    Capabilities,
    Event,
    MeterSampled,
    SampleContext,
    StatusReported,
    TransactionEnded,
)

ASKED_WITHIN_S = 20.0
"""A sample so soon after it was asked for was not pushed, whatever its context says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One plug stay, as far as it was seen.

    ``charging_at`` is when charging began, ``pushed_at`` when a sample last came unasked, ``asked_at`` when one was
    last asked for.
    """

    plugged: bool | None = None
    activity: Activity | None = None
    charging_at: float | None = None
    pushed_at: float | None = None
    asked_at: float | None = None
    has_sampled: bool = False


def after(course: Course, event: Event, now_s: float) -> Course:
    """Return what is known after an event of the charger."""
    match event:
        case StatusReported():
            return _after_status(course, event, now_s)
        case TransactionEnded():
            return replace(course, charging_at=None)
        case MeterSampled():
            pushed_at = now_s if _is_pushed(course, event, now_s) else course.pushed_at
            return replace(course, pushed_at=pushed_at, has_sampled=True)
        case _:
            return course


def _is_pushed(course: Course, sample: MeterSampled, now_s: float) -> bool:
    by_itself = course.asked_at is None or now_s - course.asked_at > ASKED_WITHIN_S
    return by_itself and sample.context in {SampleContext.PERIODIC, SampleContext.CLOCK}


def _after_status(course: Course, event: StatusReported, now_s: float) -> Course:
    if event.plugged is False:
        return Course(
            plugged=False,
            activity=event.activity,
            pushed_at=course.pushed_at,
            asked_at=course.asked_at,
            has_sampled=course.has_sampled,
        )
    activity = event.activity or course.activity
    charging_at = course.charging_at if activity is Activity.CHARGING else None
    if activity is Activity.CHARGING and charging_at is None:
        charging_at = now_s
    plugged = course.plugged if event.plugged is None else event.plugged
    return replace(course, plugged=plugged, activity=activity, charging_at=charging_at)


def from_event(known: Capabilities, course: Course, event: Event, now_s: float) -> Capabilities:
    """What an event teaches, given what was before it."""
    if isinstance(event, MeterSampled) and _is_pushed(course, event, now_s):
        return replace(known, pushes_samples=True)
    return known
