"""Taking an event in: its facts into the state, its energy into ledger and blocks, and an answer to who asked."""

from datetime import datetime, timedelta

from chargerd.core import (
    abilities,
    away,
    control,
    energy,
    evidence,
    learned,
    level,
    register,
    session,
    shift,
    target,
    telemetry,
    whose,
)
from chargerd.core.commands import AnswerAuthorize, AnswerRequest, AnswerTransaction, Command
from chargerd.core.events import (
    Activity,
    AuthorizeRequested,
    ClockStepped,
    Configured,
    Failure,
    MeterSampled,
    SampleContext,
    StatusReported,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.frozen import replace
from chargerd.core.model import Car, ChargerFacts, Session, Slot, State, Targets, Transaction

Commands = tuple[Command, ...]

ANOTHER_DAY = timedelta(hours=12)
"""A clock that was wrong by so much looked the schedule up on another day."""
UNSEEN_VISIT_FROM_WH = 100.0
"""A transaction that was told only when it was over, and delivered so much, was a visit that nobody saw."""


def configured(state: State, event: Configured, lost_at: datetime, now: datetime) -> State:
    """Follow the configuration: keep the sessions of policies that stay, begin those of new ones, drop the rest.

    A policy that is taken away in mid-visit leaves the visit unmanaged. ``lost_at`` is when the process that is
    restarted was last heard of.
    """
    specs = {vehicle.vehicle_id: vehicle for vehicle in event.vehicles}
    known = {slot.policy.policy_id: slot for slot in state.slots}
    left = session.visiting_slot(state)
    state = replace(state, charger=event.charger, slots=(), cars=_followed(state, event))
    slots: list[Slot] = []
    for policy in event.policies:
        kept = known.get(policy.policy_id)
        spec = specs[policy.vehicle_id]
        if kept is None or kept.vehicle.vehicle_id != spec.vehicle_id:
            state, fresh = session.upcoming(state, policy, now)
            slots.append(Slot(policy=policy, vehicle=spec, session=fresh))
            continue
        targets = kept.session.targets
        if (kept.policy.schedule, state.site.zone) != (policy.schedule, event.site.zone):
            follow = target.scheduled if kept.session.plugged_in_at is None else target.edited
            targets = follow(targets, policy, event.site.zone, now)
        if kept.policy.battery_reserve != policy.battery_reserve:
            targets = target.renumbered(targets)
        car = learned.applied(spec, kept.learned)
        slots.append(replace(kept, policy=policy, vehicle=car, session=retargeted(kept.session, targets)))
    state = replace(state, site=event.site, slots=tuple(slots))
    if left is not None and session.visiting_slot(state) is None:
        state = replace(state, guest=session.as_guest(left.session))
    if not event.restarted:
        return state
    lost_at = lost_at if state.facts.heard_at is None else max(lost_at, state.facts.heard_at)
    offline = evidence.offline(state.facts, min(lost_at, now))
    return replace(state, facts=offline, control=control.restarted(state.control))


def _followed(state: State, event: Configured) -> tuple[Car, ...]:
    known = {car.vehicle.vehicle_id: car for car in state.cars}
    specs = [spec for spec in event.vehicles if spec.vehicle_id in event.followed]
    return tuple(
        replace(known[spec.vehicle_id], vehicle=spec) if spec.vehicle_id in known else Car(vehicle=spec)
        for spec in specs
    )


def retargeted(visited: Session, targets: Targets) -> Session:
    """A new wish is tried even with a car that has had enough so far."""
    return visited if targets == visited.targets else replace(visited, targets=targets, car_is_full=False)


def clock_stepped(state: State, event: ClockStepped, now: datetime) -> State:
    """Date anew what the wrong clock dated, by whole seconds: a visit's grid begins on one.

    Deadlines are true times, but one that was looked up on another day is not this day's.
    """
    by = timedelta(seconds=round(event.by_s))
    state = shift.moved(state, by, now)
    if state.control.later:
        state = control.limit_forgotten(state)  # its times are those of the wrong clock
    if abs(by) < ANOTHER_DAY:
        return state
    for slot in state.slots:
        is_plugged = slot.session.plugged_in_at is not None
        targets = target.redated(slot.session.targets, slot.policy, state.site.zone, now, is_plugged=is_plugged)
        state = session.with_slot(state, replace(slot, session=retargeted(slot.session, targets)))
    return state


def status(state: State, event: StatusReported, now: datetime) -> State:
    """Take a status; where it says that something changed at the cable, the ladder begins anew."""
    had = state.facts
    state = energy.quietened(replace(state, facts=evidence.status_told(had, event, now)), had)
    replugged = event.plugged is True and had.plugged is False
    lost = had.transaction is not None and state.facts.transaction is None
    mended = bool(had.fault) and not state.facts.fault
    if replugged or lost or mended:
        return control.asked_anew(state)
    is_news = state.facts.activity is not had.activity
    if is_news and state.facts.activity is Activity.EV_CONNECTED:
        return _ready(state, now)
    resumes = had.activity is Activity.SUSPENDED_EVSE and state.facts.activity is Activity.CHARGING
    return control.resumed(state) if resumes else state


def _ready(state: State, now: datetime) -> State:
    """A charger may be ready now for the start that it refused; the rungs taken count on."""
    waits = state.control.retry_at is not None and state.control.failure is Failure.REFUSED
    return replace(state, control=replace(state.control, retry_at=now)) if waits else state


def sampled(state: State, event: MeterSampled, now: datetime) -> State:
    """Count energy, judge charging, and credit the blocks, in this order."""
    facts, at = evidence.dated(state.facts, event.measured_at, now)
    state = replace(state, facts=facts)
    is_first = energy.is_first(state)
    state, counted = energy.counted(state, event, at, now)
    had = state.facts
    slope = None if counted is None else counted.slope
    facts = evidence.sampled(had, event, at=at, voltage_v=state.site.voltage_v, slope=slope)
    state = energy.unattributed(replace(state, facts=facts), had, is_first=is_first)
    state = energy.credited(state, counted, charging=facts.charging or had.charging)
    last_at = None if had.reading is None else had.reading.at
    state = abilities.sampled(state, event, at)
    return _unquiet(_taught(state, event, at=at, last_at=last_at), now)


def _taught(state: State, event: MeterSampled, *, at: datetime, last_at: datetime | None) -> State:
    """Learn of the car from a sample of its visit."""
    slot = session.visiting_slot(state)
    if slot is None:
        return state
    assert slot.session.plugged_in_at is not None
    if at < slot.session.plugged_in_at:
        return state
    slot = learned.from_sample(state, slot, event.power_w, at=at, last_at=last_at)
    if event.soc_pct is not None:
        slot = level.told_by_charger(slot, event.soc_pct, at)
    return session.with_slot(state, slot)


def _unquiet(state: State, now: datetime) -> State:
    """News of a visit whose car has left: its charger's queue has not drained yet."""
    visit = session.visit(state)
    if visit is None or visit.unplugged_at is None:
        return state
    return session.with_visit(state, lambda s: replace(s, quiet_since=now))


def token_shown(state: State, token: str, now: datetime) -> State:
    """Remember the card or EVCCID of whoever is at the charger; our own says nothing."""
    if not token or token == state.charger.id_token:
        return state
    return replace(state, facts=replace(state.facts, token=whose.spelled(token), token_at=now))


def authorized(state: State, event: AuthorizeRequested, now: datetime) -> tuple[State, Commands]:
    """Everybody who reaches the socket may charge; the token tells who it is."""
    answer = AnswerAuthorize(charger_id=event.charger_id, reply_to=event.reply_to, accepted=True)
    return token_shown(state, event.id_token, now), (answer,)


def transaction_started(state: State, event: TransactionStarted, now: datetime) -> tuple[State, Commands]:
    """Note a transaction, and count from its register."""
    facts, transaction_id = evidence.transaction_started(state.facts, event, now)
    state = token_shown(replace(state, facts=abilities.started(facts)), event.id_token, now)
    if event.register_wh is not None:
        sample = MeterSampled(charger_id=event.charger_id, measured_at=event.measured_at, register_wh=event.register_wh)
        state = sampled(state, sample, now)
    state = control.limit_forgotten(state)
    answer = AnswerTransaction(charger_id=event.charger_id, reply_to=event.reply_to, transaction_id=transaction_id)
    return state, (answer,)


def transaction_ended(state: State, event: TransactionEnded, now: datetime) -> tuple[State, Commands]:
    """Count up to its register; a transaction that nobody saw is a visit in the past."""
    state = _with_unseen_visit(state, event, now)
    if event.register_wh is not None:
        _, at = evidence.dated(state.facts, event.measured_at, now)
        sample = MeterSampled(charger_id=event.charger_id, register_wh=event.register_wh, context=SampleContext.END)
        is_first = energy.is_first(state)
        state, counted = energy.counted(state, sample, at, now)
        had = state.facts
        state = replace(state, facts=evidence.register_told(had, event.register_wh, at))
        state = energy.credited(energy.unattributed(state, had, is_first=is_first), counted, charging=had.charging)
    state = abilities.ended(state, event)
    had = state.facts
    state = energy.quietened(replace(state, facts=evidence.transaction_ended(had, event, now)), had)
    state = control.ended(state, now)
    answer = AnswerTransaction(
        charger_id=event.charger_id, reply_to=event.reply_to, transaction_id=event.transaction_id
    )
    return _unquiet(state, now), (answer,)


def _with_unseen_visit(state: State, event: TransactionEnded, now: datetime) -> State:
    """Open a visit for a transaction that began and ended while nobody heard, and that no status told of."""
    running, facts = state.facts.transaction, state.facts
    _, ended_at = evidence.dated(facts, event.measured_at, now)
    if session.visit(state) is not None or running is None or not evidence.is_end_of(running, event, ended_at):
        return state
    began_wh, ended_wh = running.register_wh, event.register_wh
    if not _is_unheard(facts, running, ended_at) or facts.plugged is True or began_wh is None or ended_wh is None:
        return state
    if (ended_wh - began_wh) * facts.register_scale < UNSEEN_VISIT_FROM_WH:
        return state
    state = session.opened(replace(state, facts=replace(facts, plugged_at=running.started_at)), now)
    state = session.with_visit(
        state, lambda s: replace(s, ledger=register.anchored(s.ledger, running.started_at, began_wh))
    )
    return replace(state, facts=replace(state.facts, plugged=False, plugged_at=ended_at, left_unseen=True))


def _is_unheard(facts: ChargerFacts, running: Transaction, ended_at: datetime) -> bool:
    """Tell whether nobody heard anything of a transaction: the charger was gone, or had never been here before."""
    if facts.lost_at is not None:
        return facts.lost_at <= running.started_at
    return facts.first_online_at is not None and ended_at <= facts.first_online_at


def vehicle_told(state: State, event: VehicleReported, now: datetime) -> tuple[State, Commands]:
    """Take telemetry: for the visits at this charger, and for those elsewhere."""
    at = telemetry.told_at(event, now)
    for slot in state.slots:
        if slot.vehicle.vehicle_id != event.vehicle_id:
            continue
        told = replace(slot, facts=telemetry.told(slot.facts, event, now))
        pct = event.level_pct
        if pct is not None and level.is_credible(told, pct, at, now):
            told = level.told_by_vehicle(told, pct, at)
        state = session.with_slot(state, told)
    state, settlements = away.reported(state, event, now)
    answers = () if event.reply_to is None else (AnswerRequest(reply_to=event.reply_to),)
    return state, (*settlements, *answers)
