"""The machine's table: every kind of event in every state, with what comes of it. Every cell runs and must match.

A cell names the commands in their order, and the state's new name behind an arrow where it changed:
L16 and L0 a limit in A, S a start, X a stop of the transaction, A an answer, ! a settlement, . nothing;
+E and -E tell that an error came or went.
States are UP(COMING), REG(ULAR), RES(ERVE), NOW (an immediate start). Notes are left out. The columns:

upcoming  nothing plugged          offline   nothing plugged, no connection    waiting   plugged, no block is due
due       a start was asked for    charging  in a block                        paused    by a limit, between blocks
nostart   START_FAIL               nostop    STOP_FAIL                         gone      unplugged, not settled yet
guest     a car without a policy   missing   the charger cannot be started
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

import pytest

from chargerd.core.commands import (
    AnswerAuthorize,
    AnswerRequest,
    AnswerTransaction,
    Command,
    Note,
    SetCurrentLimit,
    StartTransaction,
    StopTransaction,
    StoreSettled,
)
from chargerd.core.decide import decide
from chargerd.core.document import state_name
from chargerd.core.events import (
    Activity,
    AuthorizeRequested,
    Capabilities,
    CapabilitiesChanged,
    ChargerBooted,
    ChargerInstructed,
    ChargerOffline,
    ChargerOnline,
    ChargingRequested,
    ClockStepped,
    CommandFailed,
    CommandSucceeded,
    Event,
    Failure,
    ImmediateStartRequested,
    MeterSampled,
    OverrideCancelled,
    PricesUpdated,
    ScheduleOverrideRequested,
    StatusReported,
    TimePassed,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.ids import CommandId, ReplyTo, TransactionId
from chargerd.core.model import State
from tests.support.home import CAR, GARAGE, NIGHT, POLICY, Home, prices

SHORT = {
    "UPCOMING": "UP",
    "ACTIVE:REGULAR": "REG",
    "ACTIVE:BATTERY_RESERVE": "RES",
    "ACTIVE:IMMEDIATE_START": "NOW",
}
REPLY = ReplyTo("r")
TWO_VALLEYS = prices("10T18:00", [0.4] * 6 + [0.1, 0.3, 0.1, 0.1, 0.1, 0.4, 0.4, 0.4])

TABLE = """
event               upcoming offline waiting     due   charging paused    nostart nostop      gone  guest missing
configured          .        .       .           .     .        .         .       .           .     .     .
process_restarted   .        .       .           .     .        .         .       .           .     .     .
time_passed         .        .       .           .     .        .         .       .           .     .     .
clock_stepped       .        .       .           .     .        .         .       .           .     .     .
prices_updated      .        .       .           .     .        .         .       .           .     .     .
charger_online      .        .       .           .     .        .         .       .           .     .     .
charger_offline     .        .       .           .     .        .         .       .           .     .     .
charger_booted      .        .       .           .     .        .         .       .           .     .     .
charger_instructed  .        .       .           .     .        .         .       .           .     .     .
capabilities        .        .       .           .     .        .         .       .           .     .     .-E
status_plugged      .>REG    .>REG   .           .     .        .         .       .           .     .     .
status_unplugged    .        .       .           .     .        .         .-E     .-E         .     .     .-E
status_charging     .        .       .           .     .        .         .       .           .     .     .
status_suspended    .        .       .           .     .        .         .       .-E         .     .     .
authorize_requested A        A       A           A     A        A         A       A           A     A     A
transaction_started A        A       A+L0        A+L16 A+L16    A+L0      A+L16   A           A     A     A
transaction_ended   A        A       A           A     A        A         A       A-E         A     A     A
meter_sampled_high  L0>REG   .>REG   L0          .     .        L0        .-E     .           L0    .     .
meter_sampled_low   .        .       .           .     .        .         .       .           .     .     .
vehicle_told_half   .        .       .           .     L0       .         .-E     .           .     .     .
vehicle_told_empty  A        A       A+L16+S>RES A>RES A>RES    A+L16>RES A>RES   A+L16>RES-E A     A     A>RES
command_succeeded   .        .       .           .     .        .         .       .           .     .     .
command_failed      .        .       .           .     .        .         .       .           .     .     .
immediate_start     A        A       A+L16+S>NOW A>NOW A>NOW    A+L16>NOW A>NOW   A+L16>NOW-E A     A     A>NOW
schedule_override   A        A       A+L16+S     A     A        A+L16     A       A+L16-E     A     A     A
override_cancelled  A        A       A           A     A        A         A       A           A     A     A
charging_stop       A  A  A  A  A  A  A  A  A  A+L0  A
charging_taken_back A  A  A  A  A  A  A  A  A  A  A
"""


def unable_to_start() -> Home:
    return Home().able(can_start=False, can_limit=False).until("10T22:15").plug()


def start_fails(until: str) -> Home:
    home = Home()
    home.box.obeys_start = False
    return home.until("10T22:15").plug().until(until)


def stop_fails() -> Home:
    home = Home().until("10T22:15").plug().until("11T01:30")
    home.box.obeys_stop = False
    return home.until("11T02:10")


STATES: dict[str, Callable[[], Home]] = {
    "upcoming": lambda: Home().until("10T20:01"),
    "offline": lambda: Home().until("10T20:01").offline(),
    "waiting": lambda: Home().until("10T22:15").plug().until("10T22:16"),
    "due": lambda: start_fails("11T01:00:30"),
    "charging": lambda: Home().until("10T22:15").plug().until("11T01:20"),
    "paused": lambda: Home(goal=80, curve=TWO_VALLEYS).until("10T22:15").plug().until("11T01:30"),
    "nostart": lambda: start_fails("11T01:10"),
    "nostop": stop_fails,
    "gone": lambda: Home().until("10T22:15").plug().until("10T22:30").unplug(),
    "guest": lambda: Home(managed=False).until("10T22:15").plug().start_box().until("10T22:30"),
    "missing": unable_to_start,
}


@cache
def home_in(name: str) -> Home:
    return STATES[name]()


def events(home: Home) -> dict[str, Event]:
    """One event of every kind, and more of those whose fields matter."""
    now, known = home.now, home.state.facts.transaction
    return {
        "configured": home.configuration(),
        "process_restarted": home.configuration(restarted=True),
        "time_passed": TimePassed(charger_id=GARAGE),
        "clock_stepped": ClockStepped(charger_id=GARAGE, by_s=1.0),
        "prices_updated": PricesUpdated(curve=NIGHT if home.curve is NIGHT else TWO_VALLEYS),
        "charger_online": ChargerOnline(charger_id=GARAGE, protocol="OCPP 1.6"),
        "charger_offline": ChargerOffline(charger_id=GARAGE),
        "charger_booted": ChargerBooted(charger_id=GARAGE, vendor="Acme"),
        "charger_instructed": ChargerInstructed(charger_id=GARAGE, action="Reset"),
        "capabilities": CapabilitiesChanged(charger_id=GARAGE, capabilities=Capabilities(can_limit=True)),
        "status_plugged": StatusReported(charger_id=GARAGE, plugged=True),
        "status_unplugged": StatusReported(charger_id=GARAGE, plugged=False, activity=Activity.IDLE),
        "status_charging": StatusReported(charger_id=GARAGE, activity=Activity.CHARGING),
        "status_suspended": StatusReported(charger_id=GARAGE, activity=Activity.SUSPENDED_EV),
        "authorize_requested": AuthorizeRequested(charger_id=GARAGE, id_token="card", reply_to=REPLY),
        "transaction_started": TransactionStarted(charger_id=GARAGE, reply_to=REPLY, measured_at=now),
        "transaction_ended": TransactionEnded(
            charger_id=GARAGE,
            reply_to=REPLY,
            transaction_id=TransactionId("0") if known is None else known.transaction_id,
        ),
        "meter_sampled_high": MeterSampled(charger_id=GARAGE, power_w=11_000.0),
        "meter_sampled_low": MeterSampled(charger_id=GARAGE, power_w=0.0),
        "vehicle_told_half": VehicleReported(vehicle_id=CAR, level_pct=50.0),
        "vehicle_told_empty": VehicleReported(vehicle_id=CAR, level_pct=5.0, reply_to=REPLY),
        "command_succeeded": CommandSucceeded(charger_id=GARAGE, command_id=CommandId(999)),
        "command_failed": CommandFailed(charger_id=GARAGE, command_id=CommandId(999), failure=Failure.REFUSED),
        "immediate_start": ImmediateStartRequested(policy_id=POLICY, minimum_charge_target=100, reply_to=REPLY),
        "schedule_override": ScheduleOverrideRequested(
            policy_id=POLICY, minimum_charge_target=100, ready_by=now + timedelta(minutes=30), reply_to=REPLY
        ),
        "override_cancelled": OverrideCancelled(policy_id=POLICY, reply_to=REPLY),
        "charging_taken_back": ChargingRequested(charger_id=GARAGE, start=None, reply_to=REPLY),
        "charging_stop": ChargingRequested(charger_id=GARAGE, start=False, reply_to=REPLY),
    }


def cell(command: Command) -> str:
    match command:
        case SetCurrentLimit():
            return f"L{command.limit_a:.0f}"
        case StartTransaction():
            return "S"
        case StopTransaction():
            return "X"
        case AnswerAuthorize() | AnswerTransaction() | AnswerRequest():
            return "A"
        case StoreSettled():
            return "!"
        case Note():
            return ""


def name_of(state: State) -> str:
    """The state's name in short."""
    return SHORT[state_name(state.slots[0].session)] if state.slots else "none" if state.guest is None else "guest"


def has_error(state: State) -> bool:
    return any(slot.session.error is not None for slot in state.slots)


def effect(home: Home, event: Event) -> str:
    decision = decide(home.state, event, home.now + timedelta(seconds=1))
    told = "+".join(filter(None, map(cell, decision.commands))) or "."
    before, after = name_of(home.state), name_of(decision.state)
    error = {(True, False): "-E", (False, True): "+E"}.get((has_error(home.state), has_error(decision.state)), "")
    return (told if before == after else f"{told}>{after}") + error


def cells() -> list[tuple[str, str, str]]:
    header, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return [(row[0], state, cell) for row in rows for state, cell in zip(header[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("event", "state", "expected"), [pytest.param(*c, id=f"{c[0]}-{c[1]}") for c in cells()])
def test_every_event_in_every_state(event: str, state: str, expected: str) -> None:
    home = home_in(state)
    assert effect(home, events(home)[event]) == expected


def test_the_table_is_complete() -> None:
    told = {(event, state) for event, state, _ in cells()}
    kinds = events(home_in("upcoming"))
    assert told == {(event, state) for event in kinds for state in STATES}
    assert {type(event) for event in kinds.values()} == set(Event.__args__)
