"""Events without any world behind them: whatever comes, in whatever order, a decision is made and the rules hold."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chargerd.core.decide import decide, initial
from chargerd.core.events import (
    Activity,
    AuthorizeRequested,
    Capabilities,
    CapabilitiesChanged,
    ChargerBooted,
    ChargerOffline,
    ChargerOnline,
    CommandFailed,
    CommandSucceeded,
    Configured,
    Event,
    Failure,
    ImmediateStartRequested,
    MeterSampled,
    OverrideCancelled,
    PricesUpdated,
    SampleContext,
    ScheduleOverrideRequested,
    StatusReported,
    TimePassed,
    TransactionEnded,
    TransactionStarted,
    VehicleReported,
)
from chargerd.core.ids import CommandId, PolicyId, ReplyTo, TransactionId, VehicleId
from chargerd.core.units import PerPhase
from tests.property.rules import Rules
from tests.property.things import CURVES, OTHER_CAR, OTHER_POLICY, Household, Setup
from tests.property.world import World
from tests.support.home import CAR, GARAGE, POLICY, utc

START = utc("10T20:00")

_garage = st.just(GARAGE)
_reply = st.just(ReplyTo("r"))
_times = st.one_of(st.none(), st.integers(-7200, 50_000).map(lambda second: START + timedelta(seconds=second)))
_ids = st.sampled_from(("1", "2", "171748800")).map(TransactionId)
_maybe_id = st.one_of(st.none(), _ids)
_registers = st.one_of(st.none(), st.integers(0, 30_000))
_powers = st.one_of(st.none(), st.floats(-100, 12_000))
_flags = st.sampled_from((None, False, True))
_policies = st.sampled_from((POLICY, OTHER_POLICY, PolicyId("nobody")))
_levels = st.integers(-1, 102)
_households = st.builds(
    Household,
    goal=st.integers(1, 100),
    ready_by=st.sampled_from(("00:00", "02:30", "07:00", "23:59")),
    reserve=st.integers(0, 100),
    scheduled=st.booleans(),
    managed=st.booleans(),
)


def _configured(household: Household, setup: Setup, restarted: bool) -> Configured:
    return World(setup, household).configuration(restarted=restarted)


_setups = st.builds(
    Setup,
    assumed=st.sampled_from((None, 0, 35, 100)),
    two_policies=st.booleans(),
    zone=st.sampled_from(("UTC", "Australia/Lord_Howe")),
    tells_soc=st.booleans(),
)
configurations = st.builds(_configured, _households, _setups, st.booleans())

anything: st.SearchStrategy[Event] = st.one_of(
    configurations,
    st.builds(TimePassed, charger_id=_garage),
    st.builds(PricesUpdated, curve=st.sampled_from(CURVES)),
    st.builds(ChargerOnline, charger_id=_garage, protocol=st.just("OCPP 2.0.1")),
    st.builds(ChargerOffline, charger_id=_garage),
    st.builds(ChargerBooted, charger_id=_garage),
    st.builds(
        CapabilitiesChanged,
        charger_id=_garage,
        capabilities=st.builds(
            Capabilities,
            can_start=_flags,
            can_stop=_flags,
            can_limit=_flags,
            schedule_periods=st.sampled_from((None, 1, 3, 24)),
            zero_is_stop=_flags,
            resumes_after_stop=_flags,
        ),
    ),
    st.builds(
        StatusReported,
        charger_id=_garage,
        plugged=_flags,
        activity=st.sampled_from((None, *Activity)),
        fault=st.sampled_from((None, "", "x")),
        transaction_id=_maybe_id,
        measured_at=_times,
    ),
    st.builds(AuthorizeRequested, charger_id=_garage, id_token=st.just("card"), reply_to=_reply),
    st.builds(
        TransactionStarted,
        charger_id=_garage,
        reply_to=_reply,
        transaction_id=_maybe_id,
        register_wh=_registers,
        measured_at=_times,
    ),
    st.builds(
        TransactionEnded,
        charger_id=_garage,
        reply_to=_reply,
        transaction_id=_ids,
        register_wh=_registers,
        measured_at=_times,
    ),
    st.builds(
        MeterSampled,
        charger_id=_garage,
        measured_at=_times,
        register_wh=_registers,
        power_w=_powers,
        current_a=st.one_of(st.none(), st.builds(PerPhase, l1=st.floats(-1, 32))),
        soc_pct=st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)),
        transaction_id=_maybe_id,
        context=st.sampled_from(SampleContext),
    ),
    st.builds(
        VehicleReported,
        vehicle_id=st.sampled_from((CAR, OTHER_CAR, VehicleId("nobody"))),
        level_pct=st.one_of(st.floats(0, 100), st.floats(allow_nan=True, allow_infinity=True)),
        measured_at=_times,
        reply_to=st.one_of(st.none(), _reply),
    ),
    st.builds(CommandSucceeded, charger_id=_garage, command_id=st.integers(0, 20).map(CommandId)),
    st.builds(
        CommandFailed,
        charger_id=_garage,
        command_id=st.integers(0, 20).map(CommandId),
        failure=st.sampled_from(Failure),
    ),
    st.builds(ImmediateStartRequested, policy_id=_policies, minimum_charge_target=_levels, reply_to=_reply),
    st.builds(
        ScheduleOverrideRequested,
        policy_id=_policies,
        minimum_charge_target=_levels,
        ready_by=_times.map(lambda time: time or START),
        reply_to=_reply,
    ),
    st.builds(OverrideCancelled, policy_id=_policies, reply_to=_reply),
)

gaps = st.one_of(st.just(0.0), st.floats(0, 3), st.integers(0, 900).map(float), st.integers(0, 20_000).map(float))


@given(configurations, st.lists(st.tuples(gaps, anything), max_size=40))
def test_a_decision_is_made_for_any_event_in_any_state(first: Configured, history: list[tuple[float, Event]]) -> None:
    now, rules = START, Rules()
    state = initial(first, now)
    for gap, event in [(0.0, first), *history]:
        now += timedelta(seconds=gap)
        rules.stimulated(now)
        decision = decide(state, event, now)
        rules.check(state, event, decision, now)
        state = decision.state
