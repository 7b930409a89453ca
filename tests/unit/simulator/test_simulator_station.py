from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargerd_drivers.simulator.faults import Fault, FaultSpec
from chargerd_drivers.simulator.occurrences import (
    NetworkLost,
    Phase,
    PhaseChanged,
    Sampled,
    StopReason,
    TransactionBegan,
    TransactionOver,
    Trigger,
)
from chargerd_drivers.simulator.physics import Car, Outlet, Physics
from chargerd_drivers.simulator.profiles import Period, Profile, Purpose, Schedule, Unit
from chargerd_drivers.simulator.settings import Change, Settings
from chargerd_drivers.simulator.station import Station

START = datetime(2026, 1, 14, 16, 7, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def make_station(*, limit_pct: float = 100.0) -> Station:
    physics = Physics(outlet=Outlet(), car=Car(limit_pct=limit_pct), stored_wh=21_000, register_wh=1_234_567)
    return Station(physics, now=START, settings=Settings(phases=3))


def charging_station() -> Station:
    station = make_station()
    station.plug(START)
    assert station.authorise(START, id_token="card")
    return station


def limit(current_a: float, *, purpose: Purpose = Purpose.TX) -> Profile:
    schedule = Schedule(unit=Unit.AMPERE, periods=(Period(start_s=0, limit=current_a),))
    return Profile(id=1, stack_level=0, purpose=purpose, schedule=schedule)


def phases(station: Station) -> list[Phase]:
    return [occurrence.phase for occurrence in station.drain() if isinstance(occurrence, PhaseChanged)]


def test_a_visit_passes_through_the_phases_in_order() -> None:
    station = charging_station()
    station.set_profile(after(60), limit(0))
    station.set_profile(after(120), limit(16))
    station.stop(after(180), StopReason.REMOTE)
    station.unplug(after(240))
    assert phases(station) == [
        Phase.PREPARING,
        Phase.CHARGING,
        Phase.SUSPENDED_EVSE,
        Phase.CHARGING,
        Phase.FINISHING,
        Phase.AVAILABLE,
    ]


def test_unplugging_ends_the_transaction_first() -> None:
    station = charging_station()
    station.drain()
    station.unplug(after(60))
    kinds = [type(occurrence).__name__ for occurrence in station.drain()]
    assert kinds == ["Sampled", "TransactionOver", "PhaseChanged", "Unplugged", "PhaseChanged"]


def test_a_full_car_suspends_by_itself_at_the_instant_it_is_full() -> None:
    station = make_station(limit_pct=40)
    station.plug(START)
    station.authorise(START, id_token="card")
    station.drain()
    station.advance(after(7200))
    suspended = [occurrence for occurrence in station.drain() if isinstance(occurrence, PhaseChanged)]
    assert [change.phase for change in suspended] == [Phase.SUSPENDED_EV]
    expected_s = 3600 * 3000 / (0.92 * 11_000)
    assert (suspended[0].reading.at - START).total_seconds() == pytest.approx(expected_s, abs=7)


def test_samples_fall_on_their_interval_however_late_the_wake_up() -> None:
    station = charging_station()
    station.advance(after(200))
    samples = [occurrence.reading for occurrence in station.drain() if isinstance(occurrence, Sampled)]
    assert [(reading.at - START).total_seconds() for reading in samples] == [60, 120, 180]
    assert [reading.register_wh - samples[0].register_wh for reading in samples] == pytest.approx([0, 183, 366], abs=1)


def test_no_samples_without_a_transaction() -> None:
    station = make_station()
    station.plug(START)
    station.advance(after(600))
    assert not [occurrence for occurrence in station.drain() if isinstance(occurrence, Sampled)]


def test_clock_aligned_samples_fall_on_the_quarter_hours_even_without_a_car() -> None:
    station = make_station()
    station.configure(START, "ClockAlignedDataInterval", "900")
    station.advance(after(3600))
    samples = [occurrence for occurrence in station.drain() if isinstance(occurrence, Sampled)]
    assert [sample.reading.at.minute for sample in samples] == [15, 30, 45, 0]
    assert {sample.trigger for sample in samples} == {Trigger.CLOCK}


def test_a_transaction_profile_goes_with_its_transaction() -> None:
    station = charging_station()
    station.set_profile(START, limit(8))
    station.stop(after(60), StopReason.REMOTE)
    assert station.limit_a == 16
    station.authorise(after(61), id_token="card")
    station.advance(after(120))
    assert station.physics.power_w == pytest.approx(11_000)


def test_a_default_profile_holds_for_the_next_transaction_from_its_first_second() -> None:
    station = make_station()
    station.set_profile(START, limit(0, purpose=Purpose.TX_DEFAULT))
    station.plug(START)
    station.authorise(START, id_token="card")
    assert phases(station) == [Phase.PREPARING, Phase.SUSPENDED_EVSE]


def test_a_transaction_profile_needs_a_transaction() -> None:
    assert not make_station().set_profile(START, limit(8))


def test_a_profile_of_too_high_a_level_is_refused() -> None:
    profile = Profile(id=1, stack_level=11, purpose=Purpose.TX_DEFAULT, schedule=limit(8).schedule)
    assert not make_station().set_profile(START, profile)


def test_a_schedule_s_periods_take_effect_at_their_instants() -> None:
    station = charging_station()
    schedule = Schedule(
        unit=Unit.AMPERE, periods=(Period(start_s=0, limit=0), Period(start_s=3600, limit=16)), start=START
    )
    station.set_profile(START, Profile(id=1, stack_level=0, purpose=Purpose.TX, schedule=schedule))
    station.advance(after(3600))
    assert station.session_wh == 0
    station.advance(after(7200))
    assert station.session_wh == pytest.approx(11_000, abs=20)


def test_a_card_before_the_car_waits_for_the_time_allowed() -> None:
    station = make_station()
    station.authorise(START, id_token="card")
    station.plug(after(59))
    assert station.transaction is not None
    assert station.transaction.plugged_last


def test_a_card_long_before_the_car_is_forgotten() -> None:
    station = make_station()
    station.authorise(START, id_token="card")
    station.plug(after(61))
    assert station.transaction is None
    assert station.phase is Phase.PREPARING


def test_a_second_start_is_refused_while_charging() -> None:
    assert not charging_station().authorise(after(1), id_token="other")


def test_out_of_service_waits_for_the_end_of_the_transaction() -> None:
    station = charging_station()
    assert not station.set_operative(after(10), operative=False)
    assert station.phase is Phase.CHARGING
    station.stop(after(20), StopReason.LOCAL)
    assert station.phase is Phase.UNAVAILABLE
    assert station.set_operative(after(30), operative=True)
    assert station.phase is Phase.FINISHING


def test_accept_start_do_nothing_accepts_and_does_nothing() -> None:
    station = make_station()
    station.set_fault(START, FaultSpec(Fault.ACCEPT_START_DO_NOTHING), on=True)
    station.plug(START)
    assert station.authorise(START, id_token="card", remote=True)
    assert station.set_profile(START, limit(16))
    station.advance(after(600))
    assert station.transaction is None
    assert station.session_wh == 0


def test_a_local_start_works_in_spite_of_accept_start_do_nothing() -> None:
    station = make_station()
    station.set_fault(START, FaultSpec(Fault.ACCEPT_START_DO_NOTHING), on=True)
    station.plug(START)
    station.authorise(START, id_token="card", remote=True)
    station.authorise(after(60), id_token="")
    assert station.phase is Phase.CHARGING


def test_after_clearing_accept_start_do_nothing_the_next_start_works() -> None:
    station = make_station()
    spec = FaultSpec(Fault.ACCEPT_START_DO_NOTHING)
    station.set_fault(START, spec, on=True)
    station.plug(START)
    station.authorise(START, id_token="card", remote=True)
    station.set_fault(after(60), spec, on=False)
    station.advance(after(120))
    assert station.transaction is None
    station.authorise(after(121), id_token="card", remote=True)
    assert station.phase is Phase.CHARGING


def test_ignore_stop_goes_on_until_it_is_cleared() -> None:
    station = charging_station()
    spec = FaultSpec(Fault.IGNORE_STOP)
    station.set_fault(after(10), spec, on=True)
    assert station.set_profile(after(20), limit(0))
    assert station.stop(after(30), StopReason.REMOTE)
    station.advance(after(600))
    assert station.physics.power_w == 11_000
    station.set_fault(after(600), spec, on=False)
    assert station.phase is Phase.SUSPENDED_EVSE
    assert station.physics.power_w == 0


def test_ignore_stop_still_obeys_a_limit_that_lets_current_flow() -> None:
    station = charging_station()
    station.set_fault(after(10), FaultSpec(Fault.IGNORE_STOP), on=True)
    station.set_profile(after(20), limit(8))
    assert station.physics.power_w == pytest.approx(8 * 3 * 230)
    station.set_profile(after(30), limit(0))
    assert station.physics.power_w == pytest.approx(8 * 3 * 230)


def test_no_power_starts_a_transaction_that_draws_nothing() -> None:
    station = make_station()
    station.set_fault(START, FaultSpec(Fault.NO_POWER), on=True)
    station.plug(START)
    station.authorise(START, id_token="card", remote=True)
    station.advance(after(600))
    assert station.phase is Phase.SUSPENDED_EV
    assert station.session_wh == 0
    station.set_fault(after(600), FaultSpec(Fault.NO_POWER), on=False)
    assert station.phase is Phase.CHARGING


def test_drop_socket_strikes_once_so_long_after_the_start() -> None:
    station = make_station()
    station.set_fault(START, FaultSpec(Fault.DROP_SOCKET, 300), on=True)
    station.plug(after(100))
    station.authorise(after(200), id_token="card")
    station.advance(after(2000))
    lost = [occurrence for occurrence in station.drain() if isinstance(occurrence, NetworkLost)]
    assert [occurrence.reading.at for occurrence in lost] == [after(500)]


def test_a_reboot_forgets_the_transaction_and_keeps_the_register() -> None:
    station = charging_station()
    station.advance(after(3600))
    register_wh = station.reading.register_wh
    station.drain()
    station.reboot(after(3600))
    over = [occurrence for occurrence in station.drain() if isinstance(occurrence, TransactionOver)]
    assert [occurrence.reason for occurrence in over] == [StopReason.HARD_RESET]
    assert station.phase is Phase.PREPARING
    assert station.reading.register_wh == register_wh


def test_a_clock_set_back_changes_nothing() -> None:
    station = charging_station()
    station.advance(after(600))
    before = station.reading
    station.advance(after(300))
    assert station.reading == before


@pytest.mark.parametrize(
    ("name", "value", "change"),
    [
        ("MeterValueSampleInterval", "10", Change.DONE),
        ("MeterValueSampleInterval", "-1", Change.INVALID),
        ("MeterValueSampleInterval", "often", Change.INVALID),
        ("MeterValuesSampledData", "Power.Active.Import, SoC", Change.DONE),
        ("MeterValuesSampledData", "Power.Of.Thought", Change.INVALID),
        ("MeterValuesSampledData", "", Change.DONE),
        ("NumberOfConnectors", "2", Change.READ_ONLY),
        ("NoSuchKey", "1", Change.UNKNOWN),
    ],
)
def test_a_setting_takes_what_fits_it(name: str, value: str, change: Change) -> None:
    station = make_station()
    assert station.configure(START, name, value) is change
    setting = station.settings.get(name)
    assert (setting is not None and setting.value == value) is (change is Change.DONE)


deeds = st.sampled_from(["plug", "unplug", "start", "stop", "limit 0", "limit 8", "fault on", "fault off", "reboot"])


@given(st.lists(st.tuples(deeds, st.floats(0, 5000)), max_size=25))
def test_whatever_happens_power_needs_a_transaction_and_the_meter_only_rises(
    history: list[tuple[str, float]],
) -> None:
    station = make_station()
    now = START
    register_wh = station.reading.register_wh
    open_transactions = 0
    for deed, seconds in history:
        now += timedelta(seconds=seconds)
        match deed:
            case "plug":
                station.plug(now)
            case "unplug":
                station.unplug(now)
            case "start":
                station.authorise(now, id_token="card", remote=True)
            case "stop":
                station.stop(now, StopReason.REMOTE)
            case "limit 0" | "limit 8":
                station.set_profile(now, limit(float(deed[-1]), purpose=Purpose.TX_DEFAULT))
            case "reboot":
                station.reboot(now)
            case _:
                station.set_fault(now, FaultSpec(Fault.IGNORE_STOP), on=deed.endswith("on"))
        for occurrence in station.drain():
            open_transactions += isinstance(occurrence, TransactionBegan)
            open_transactions -= isinstance(occurrence, TransactionOver)
            assert open_transactions in {0, 1}
            assert occurrence.reading.register_wh >= register_wh
            register_wh = occurrence.reading.register_wh
        assert (station.transaction is not None) == bool(open_transactions)
        assert station.transaction is not None or station.physics.power_w == 0
