"""What has been going on at a charger since it connected, and what that teaches. Pure; times are monotonic seconds."""

from dataclasses import dataclass, replace

from chargerd.contract import (
    Activity,
    Capabilities,
    Event,
    MeterSampled,
    SampleContext,
    SetCurrentLimit,
    StatusReported,
    TransactionEnded,
    TransactionId,
    TransactionStarted,
)

ASKED_WITHIN_S = 20.0
"""A sample so soon after it was asked for was not pushed, whatever its context says."""
ZERO_ENDS_WITHIN_S = 60.0
"""A transaction that ends so soon after a limit of 0 was ended by it."""
ZERO_ENDS_MIN = 2
"""A transaction may end by chance soon after a pause; not so often."""
STARTS_REFUSED_MIN = 2
_OWN_REASONS = frozenset({"", "other"})
"""Words, in lower case, for an end that nobody asked for; with any other it had another cause."""
_BY_US = "remote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One plug stay, as far as it was seen.

    ``zero_at`` is when a limit of 0 was accepted in ``zero_in``. ``was_stopped`` tells that the last transaction since
    the plug is in was ended by us, ``starts_refused`` how often another one was refused since. ``charging_at`` is when
    charging began, ``pushed_at`` when a sample last came unasked, ``asked_at`` when one was last asked for.
    """

    plugged: bool | None = None
    activity: Activity | None = None
    zero_at: float | None = None
    zero_in: TransactionId | None = None
    was_stopped: bool = False
    starts_refused: int = 0
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
            return replace(
                course,
                zero_at=None,
                zero_in=None,
                was_stopped=event.reason.casefold() == _BY_US,
                charging_at=None,
                starts_refused=0,
            )
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


def after_limit(course: Course, command: SetCurrentLimit, now_s: float) -> Course:
    """A limit was accepted."""
    if command.limit_a == 0 and command.transaction_id is not None:
        return replace(course, zero_at=now_s, zero_in=command.transaction_id)
    return replace(course, zero_at=None, zero_in=None)


def ends_by_zero(course: Course, event: Event, now_s: float) -> bool:
    """Whether an event is the end of a transaction that a limit of 0 brought about."""
    if not isinstance(event, TransactionEnded) or course.zero_at is None or event.transaction_id != course.zero_in:
        return False
    return event.reason.casefold() in _OWN_REASONS and now_s - course.zero_at <= ZERO_ENDS_WITHIN_S


def outlives_zero(course: Course, command: SetCurrentLimit, now_s: float) -> bool:
    """Whether an accepted limit shows that the transaction outlived one of 0."""
    same = course.zero_at is not None and course.zero_in == command.transaction_id
    return same and command.limit_a > 0 and now_s - (course.zero_at or 0.0) > ZERO_ENDS_WITHIN_S


def from_event(known: Capabilities, course: Course, event: Event, now_s: float) -> Capabilities:
    """What an event teaches, given what was before it."""
    match event:
        case TransactionStarted() if course.was_stopped and course.plugged:
            return replace(known, resumes_after_stop=True)
        case MeterSampled() if _is_pushed(course, event, now_s):
            return replace(known, pushes_samples=True)
        case _:
            return known


def after_refused_start(course: Course) -> Course:
    """A start was refused."""
    return replace(course, starts_refused=course.starts_refused + 1)


def from_refused_start(known: Capabilities, course: Course) -> Capabilities:
    """A start was refused after a stop of ours: in Finishing there is no other transaction before replugging.

    2.0.1 has no such status (BMW/Delta): there two refusals while the plug is in tell the same.
    """
    is_over = course.activity is Activity.FINISHING
    is_barred = course.plugged is True and course.starts_refused >= STARTS_REFUSED_MIN
    if course.was_stopped and (is_over or is_barred):
        return replace(known, resumes_after_stop=False)
    return known
