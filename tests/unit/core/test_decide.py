"""When the state changes by itself next, and what a decision makes of a step that is no single module's."""

from dataclasses import replace
from typing import Any

import pytest

from chargerd.core import ledger
from chargerd.core.commands import LimitStep
from chargerd.core.decide import decide, initial, next_deadline
from chargerd.core.events import (
    Activity,
    Capabilities,
    CapabilitiesChanged,
    ChargerBooted,
    ChargerOffline,
    ChargerOnline,
    Configured,
    Event,
    MeterSampled,
    PricesUpdated,
    TimePassed,
)
from chargerd.core.ids import CommandId, SessionId
from chargerd.core.model import (
    Block,
    Car,
    ChargerFacts,
    Control,
    ErrorKind,
    ImmediateTarget,
    InFlight,
    Outcome,
    OutcomeState,
    Reading,
    RegularTarget,
    Session,
    SessionError,
    Slot,
    State,
    Targets,
    VehicleFacts,
    Want,
)
from chargerd.core.policy import Site
from chargerd.plan.schedule import BlockKind, Window
from tests.support.home import GARAGE, NIGHT, utc
from tests.unit.core.partition import NOW, known, slot, spec, state
from tests.unit.core.telling import running

PLUG = utc("10T20:00")
CONNECTED: dict[str, Any] = {"online": True, "online_since": utc("10T12:00"), "plugged": True, "plugged_at": PLUG}
GUEST = Session(session_id=SessionId("g"), policy_id=None, plugged_in_at=PLUG, ledger=ledger.opened(PLUG))
SOON = utc("10T22:07")
"""Before the next quarter, at which a visit is looked at in any case."""


def at_cable(*slots: Slot, ladder: Control | None = None, guest: Session | None = None, **facts: Any) -> State:
    facts = CONNECTED | facts
    return state(*slots, facts=ChargerFacts(**facts), control=ladder or Control(), guest=guest)


def visited(**changes: Any) -> Slot:
    begun: dict[str, Any] = {"ledger": ledger.covered(ledger.opened(PLUG), NOW), "level": known(40)}
    return slot(plugged_at=PLUG, **begun | changes)


PAST = Block(kind=BlockKind.REGULAR, started_at=PLUG, ended_at=utc("10T20:30"), wh=1000)
SUSPENDED: dict[str, Any] = {
    "ladder": Control(want=Want.CHARGE, limit_a=16),
    "activity": Activity.SUSPENDED_EV,
    "activity_at": utc("10T21:00"),
    "transaction": running(),
}
"""A car that has charged and takes nothing of what it is offered."""


def window(start: str, end: str) -> Window:
    return Window(kind=BlockKind.REGULAR, start=utc(start), end=utc(end), wh=5000)


def goal(ready_by: str = "11T07:00", number: int = 1, *, level: int = 80) -> RegularTarget:
    return RegularTarget(target_id=number, from_policy=True, minimum_charge_target=level, ready_by=utc(ready_by))


def steps(*times: str) -> tuple[LimitStep, ...]:
    return tuple(LimitStep(at=utc(time), limit_a=16) for time in times)


# The next deadline


@pytest.mark.parametrize(
    ("whole", "at"),
    [
        pytest.param(state(), None, id="nothing-is-waited-for"),
        pytest.param(state(slot()), None, id="no-deadline"),
        pytest.param(at_cable(guest=GUEST), "10T22:15", id="the-quarter-of-a-visit"),
        pytest.param(at_cable(visited()), "10T22:15", id="the-quarter-of-a-policys-visit"),
        pytest.param(
            state(control=Control(in_flight=(InFlight(command_id=CommandId(1), action="", sent_at=NOW),))),
            "10T22:02",
            id="an-answer",
        ),
        pytest.param(state(control=Control(retry_at=SOON)), "10T22:07", id="another-attempt"),
        pytest.param(state(control=Control(listen_until=SOON)), "10T22:07", id="facts"),
        pytest.param(state(control=Control(limit_again_at=SOON)), "10T22:07", id="a-limit-again"),
        pytest.param(state(control=Control(later=steps("10T22:07", "10T22:09"))), "10T22:07", id="a-standing-order"),
        pytest.param(
            state(control=Control(later=steps("10T21:00", "10T22:09"))), None, id="only-its-first-step-that-is-known"
        ),
        pytest.param(
            at_cable(visited(), ladder=Control(want=Want.CHARGE, unmet_since=NOW)), "10T22:03", id="a-start-that-fails"
        ),
        pytest.param(
            at_cable(visited(plan=(window("10T22:00", "10T23:00"),), blocks=(PAST,)), **SUSPENDED),
            "10T22:10",
            id="a-car-that-has-had-enough",
        ),
        pytest.param(state(facts=ChargerFacts(first_online_at=NOW)), "10T22:05", id="a-silent-charger"),
        pytest.param(
            at_cable(visited(), online=False, online_since=None, lost_at=utc("09T22:07")), "10T22:07", id="given-up"
        ),
        pytest.param(
            replace(state(), cars=(Car(vehicle=spec(), visit=GUEST, facts=VehicleFacts(told_at=utc("09T22:07"))),)),
            "10T22:07",
            id="a-silent-car",
        ),
        pytest.param(state(slot(targets=Targets(scheduled=goal("10T22:07")))), "10T22:07", id="ready-by"),
        pytest.param(
            state(slot("a"), slot("b", targets=Targets(override=goal("10T22:07")))), "10T22:07", id="ready-by-of-any"
        ),
        pytest.param(at_cable(visited(plan=(window("10T22:07", "10T23:00"),))), "10T22:07", id="a-window-begins"),
        pytest.param(at_cable(visited(plan=(window("10T21:00", "10T22:07"),))), "10T22:07", id="a-window-ends"),
        pytest.param(
            at_cable(visited(unplugged_at=NOW, quiet_since=NOW), plugged=False, plugged_at=NOW),
            "10T22:01",
            id="settlement",
        ),
        pytest.param(
            at_cable(
                visited(ledger=replace(ledger.opened(PLUG), pending=(Reading(at=NOW),))),
                online_since=utc("10T21:59:30"),
            ),
            "10T22:00:30",
            id="a-queue-that-readings-wait-for",
        ),
        pytest.param(at_cable(visited(), online_since=utc("10T21:59:30")), "10T22:15", id="no-reading-waits"),
        pytest.param(
            at_cable(visited(), online_since=utc("10T21:59:30"), charging=True),
            "10T22:00:30",
            id="a-queue-while-charging",
        ),
        pytest.param(
            at_cable(visited(blocks=(Block(kind=BlockKind.REGULAR, started_at=PLUG),)), stopped_at=utc("10T21:59")),
            "10T22:01",
            id="the-end-of-a-block",
        ),
        pytest.param(state(facts=ChargerFacts(plugged=True, plugged_at=NOW)), "10T22:01", id="whose-car-it-is"),
        pytest.param(state(facts=ChargerFacts(plugged=True)), None, id="of-a-car-that-came-nobody-knows-when"),
        pytest.param(state(facts=ChargerFacts(plugged=False, plugged_at=NOW)), None, id="no-car"),
    ],
)
def test_the_state_changes_by_itself_at_the_first_of_its_deadlines(whole: State, at: str | None) -> None:
    assert next_deadline(whole) == (None if at is None else utc(at))


@pytest.mark.parametrize(
    ("retry", "at"),
    [("10T21:59", "10T22:05"), ("10T22:00", "10T22:05"), ("10T22:00:01", "10T22:00:01")],
    ids=["past", "now", "next"],
)
def test_a_deadline_is_after_the_last_decision(retry: str, at: str) -> None:
    ladder = Control(retry_at=utc(retry), listen_until=utc("10T22:05"))
    assert next_deadline(state(control=ladder)) == utc(at)


# A decision


def decided(whole: State, event: Event | None = None, now: str = "10T22:00") -> State:
    return decide(whole, event or TimePassed(charger_id=GARAGE), utc(now)).state


def visit_of(whole: State) -> Session:
    (its,) = whole.slots
    return its.session


def test_a_new_partition_knows_only_its_configuration() -> None:
    whole = state()
    event = Configured(charger_id=GARAGE, site=Site(name="here"), charger=whole.charger)
    assert initial(event, NOW) == replace(whole, site=Site(name="here"))


def test_facts_are_taken_as_told() -> None:
    assert decided(state(), PricesUpdated(curve=NIGHT)).prices == NIGHT
    able = Capabilities(can_limit=False)
    assert decided(state(), CapabilitiesChanged(charger_id=GARAGE, capabilities=able)).facts.capabilities == able
    booted = decided(state(), ChargerBooted(charger_id=GARAGE, vendor="Acme")).facts
    assert booted.vendor == "Acme"
    online = decided(state(), ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"))
    assert (online.facts.online, online.facts.protocol, online.facts.online_since) == (True, "OCPP 1.6", NOW)
    assert online.control.listen_until is not None
    offline = decided(online, ChargerOffline(charger_id=GARAGE), "10T22:05").facts
    assert (offline.online, offline.lost_at) == (False, utc("10T22:05"))
    assert decided(state(), now="10T22:05").at == utc("10T22:05")


@pytest.mark.parametrize(
    ("now", "full"), [("10T22:09:59", False), ("10T22:10", True)], ids=["not-yet", "ten-minutes-offered"]
)
def test_a_car_that_takes_nothing_for_so_long_has_had_enough(now: str, full: bool) -> None:
    at_once = ImmediateTarget(target_id=1, minimum_charge_target=80)
    its = visited(plan=(window("10T22:00", "10T23:00"),), blocks=(PAST,), targets=Targets(immediate=at_once))
    after = decided(at_cable(its, **SUSPENDED), now=now)
    assert visit_of(after).car_is_full is full
    assert visit_of(decided(after, now="10T22:11")).car_is_full is full, "a plan made anew begins anew"


@pytest.mark.parametrize("charging", [True, False])
def test_a_car_that_charges_has_not_had_enough(charging: bool) -> None:
    whole = at_cable(visited(car_is_full=True), charging=charging, charging_since=PLUG if charging else None)
    assert visit_of(decided(whole)).car_is_full is not charging
    assert decided(at_cable(guest=GUEST, charging=True)).guest is not None, "a guest is never full"


BLOCK = Block(kind=BlockKind.REGULAR, started_at=utc("10T21:00"), wh=1000)


@pytest.mark.parametrize(
    ("now", "facts", "pending", "ended"),
    [
        pytest.param("10T22:01:59", {}, False, None, id="a-dip"),
        pytest.param("10T22:02", {}, False, "10T22:00", id="no-dip"),
        pytest.param("10T22:02", {"charging": True}, False, None, id="it-charges"),
        pytest.param("10T22:02", {"online_since": utc("10T22:01:30")}, True, None, id="a-reading-waits"),
        pytest.param("10T22:20", {"lost_at": utc("10T21:55")}, False, "10T21:50", id="the-connection-was-lost-in-it"),
    ],
)
def test_a_block_ends_once_its_pause_is_no_dip(
    now: str, facts: dict[str, Any], pending: bool, ended: str | None
) -> None:
    account = ledger.covered(replace(ledger.opened(PLUG), total_wh=1000), NOW)
    account = replace(account, pending=(Reading(at=utc("10T22:01:40"), register_wh=1.0),) if pending else ())
    its = visited(blocks=(BLOCK,), ledger=account, flowed_until=utc("10T21:50"))
    (block, *_) = visit_of(decided(at_cable(its, **{"stopped_at": NOW} | facts), now=now)).blocks
    assert block.ended_at == (None if ended is None else utc(ended))


def test_the_grid_of_a_visit_grows_with_time() -> None:
    assert visit_of(decided(at_cable(visited()), now="10T22:50")).ledger.cells[-1].end == utc("10T23:00")


def sample(power: float = 9000) -> MeterSampled:
    return MeterSampled(charger_id=GARAGE, power_w=power)


def test_a_sample_of_no_visit_is_taken_and_power_begins_one() -> None:
    assert decided(at_cable(plugged=False), sample(0)).facts.reading == Reading(at=NOW, power_w=0)
    begun = visit_of(decided(at_cable(slot(assumed=20), plugged=None, plugged_at=None), sample()))
    assert begun.plugged_in_at == NOW
    left = visited(unplugged_at=utc("10T21:30"), quiet_since=utc("10T21:59"))
    over = decided(at_cable(left, plugged=False, plugged_at=utc("10T21:30")), sample(0))
    assert visit_of(over).plugged_in_at is None, "and with the last one the visit is settled"


def test_a_sample_that_makes_nothing_stale_leaves_the_plan() -> None:
    plan = (window("10T23:00", "11T03:00"),)
    its = visited(plan=plan, planned_w=10_450, targets=Targets(scheduled=goal(), next_id=2))
    assert visit_of(decided(at_cable(its), sample(0))).plan is plan
    assert visit_of(decided(at_cable(its))).plan != plan, "anything else makes it anew"
    stale = replace(its, session=replace(its.session, planned_w=5000))
    assert visit_of(decided(at_cable(stale), sample(0))).plan != plan


UNHEARD: dict[str, Any] = {"charging": True, "charging_since": PLUG, "online_since": utc("10T21:59:50")}
"""It charged when the connection was lost, and its meter has told nothing since."""


def edited(its: Slot) -> Slot:
    return replace(its, policy=replace(its.policy, battery_reserve=90))


@pytest.mark.parametrize(
    ("its", "facts", "kept"),
    [
        pytest.param(visited(plan=(window("10T21:00", "11T03:00"),)), UNHEARD, True, id="goes-on"),
        pytest.param(visited(plan=(window("10T23:00", "11T03:00"),)), UNHEARD, False, id="nothing-is-due"),
        pytest.param(visited(plan=(window("10T21:00", "11T03:00"),)), {}, False, id="it-does-not-charge"),
    ],
)
def test_a_plan_is_not_made_anew_before_the_meter_has_told_what_was_delivered(
    its: Slot, facts: dict[str, Any], kept: bool
) -> None:
    its = replace(its, session=replace(its.session, targets=Targets(scheduled=goal(), next_id=2)))
    assert (visit_of(decided(at_cable(its, **facts))).plan == its.session.plan) is kept


def test_another_wish_is_planned_for_at_once_all_the_same() -> None:
    its = visited(plan=(window("10T21:00", "11T03:00"),), targets=Targets(scheduled=goal("10T22:00"), next_id=2))
    its = replace(its, session=replace(its.session, level=known(90)))
    after = visit_of(decided(at_cable(its, **UNHEARD)))
    assert after.targets.scheduled is None, "it was reached"
    assert after.plan == ()


def test_a_policy_that_was_edited_is_planned_for_at_once_all_the_same() -> None:
    its = visited(plan=(window("10T21:00", "11T03:00"),))
    policy = replace(its.policy, battery_reserve=90)
    whole = at_cable(its, **UNHEARD)
    event = Configured(
        charger_id=GARAGE, site=whole.site, charger=whole.charger, policies=(policy,), vehicles=(its.vehicle,)
    )
    assert visit_of(decided(whole, event)).plan[0].kind is BlockKind.BATTERY_RESERVE
    assert visit_of(decided(whole)).plan == its.session.plan


# Errors and outcomes

OLD = Outcome(target_id=1, state=OutcomeState.OFF_TARGET, level_pct_at_ready_by=1)


@pytest.mark.parametrize(
    ("changes", "facts", "kept"),
    [
        pytest.param({}, {}, False, id="open"),
        pytest.param({"unplugged_at": utc("10T21:59:30")}, {"plugged": False, "plugged_at": PLUG}, True, id="left"),
        pytest.param({"plan": (window("10T21:00", "11T03:00"),)}, UNHEARD, True, id="unheard"),
    ],
)
def test_an_outcome_is_judged_while_all_is_known(changes: dict[str, Any], facts: dict[str, Any], kept: bool) -> None:
    targets = Targets(scheduled=goal(), next_id=2)
    its = visited(targets=targets, outcome=OLD, **changes)
    assert (visit_of(decided(at_cable(its, **facts))).outcome == OLD) is kept
    other = replace(OLD, target_id=9)
    its = visited(targets=targets, outcome=other, **changes)
    after = visit_of(decided(at_cable(its, **facts))).outcome
    assert after is not None
    assert after.target_id == 1, "one of another target is not kept"


def test_what_the_charger_cannot_do_is_told_before_a_car_comes_and_no_longer_than_it_holds() -> None:
    unable = Capabilities(can_start=False, can_limit=False)
    error = SessionError(kind=ErrorKind.MISSING_CAPABILITIES, missing=("startCharging",))
    whole = at_cable(slot(assumed=20), plugged=False, plugged_at=PLUG)
    after = decided(whole, CapabilitiesChanged(charger_id=GARAGE, capabilities=unable))
    assert visit_of(after).error == error
    assert visit_of(decided(after, CapabilitiesChanged(charger_id=GARAGE, capabilities=Capabilities()))).error is None


def test_an_error_of_the_visit_comes_and_goes() -> None:
    unable = Capabilities(can_start=False, can_limit=False)
    after = decided(at_cable(visited()), CapabilitiesChanged(charger_id=GARAGE, capabilities=unable))
    assert visit_of(after).error == SessionError(kind=ErrorKind.MISSING_CAPABILITIES, missing=("startCharging",))
    assert visit_of(decided(after, CapabilitiesChanged(charger_id=GARAGE, capabilities=Capabilities()))).error is None


def test_only_what_a_sample_tells_again_need_not_be_on_disk() -> None:
    still = at_cable(visited(planned_w=10_450), activity=Activity.SUSPENDED_EV, capabilities=Capabilities())
    still = decided(decided(still, sample(0)), sample(0))
    assert not decide(still, sample(0), utc("10T22:00:10")).durable
    assert decide(still, ChargerOffline(charger_id=GARAGE), utc("10T22:00:10")).durable
