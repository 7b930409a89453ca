"""START_FAIL, STOP_FAIL and MISSING_CAPABILITIES: when a lag behind what is wanted becomes an error, to the second."""

from typing import Any

import pytest

from chargerd.core import failing
from chargerd.core.events import Activity, Capabilities
from chargerd.core.model import ChargerFacts, Control, ErrorKind, Reading, SessionError, State, Want
from tests.support.home import utc
from tests.unit.core.partition import known, slot, state

NOW = utc("10T22:00")
PLUGGED: dict[str, Any] = {"plugged": True, "online": True}
START_FAIL, STOP_FAIL = SessionError(kind=ErrorKind.START_FAIL), SessionError(kind=ErrorKind.STOP_FAIL)
CHARGE = Control(want=Want.CHARGE, unmet_since=NOW)
HOLD = Control(want=Want.HOLD, unmet_since=NOW)


def lagging(control: Control, *, said: SessionError | None = None, left: bool = False, **facts: Any) -> State:
    """A charger at which something else goes on than is wanted, and the error said so far."""
    unplugged_at = NOW if left else None
    its = slot(plugged_at=utc("10T20:00"), level=known(40), error=said, unplugged_at=unplugged_at)
    return state(its, facts=ChargerFacts(**PLUGGED | facts), control=control)


def says(at: str = "10T22:00", *, read: str | None = None, power: float | None = 0, **facts: Any) -> dict[str, Any]:
    """The charger says that it charges, its meter was read at that time."""
    reading = None if read is None else Reading(at=utc(read), power_w=power)
    return {"activity": Activity.CHARGING, "activity_at": utc(at), "reading": reading} | facts


def flows(read: str = "10T22:01", **facts: Any) -> dict[str, Any]:
    return {"charging": True, "reading": Reading(at=utc(read), power_w=9000)} | facts


# When


@pytest.mark.parametrize(
    ("control", "at"),
    [
        pytest.param(Control(want=Want.CHARGE), None, id="no-lag"),
        pytest.param(Control(want=Want.CHARGE, commanded_at=NOW), None, id="no-lag-any-more"),
        pytest.param(CHARGE, "22:03", id="charging-is-due"),
        pytest.param(
            Control(want=Want.CHARGE, unmet_since=NOW, commanded_at=utc("10T22:01")), "22:04", id="it-was-asked-for"
        ),
        pytest.param(HOLD, "22:02", id="it-should-stop"),
        pytest.param(
            Control(want=Want.HOLD, unmet_since=NOW, commanded_at=utc("10T22:01")), "22:02", id="it-was-asked-to-stop"
        ),
    ],
)
def test_a_lag_becomes_an_error_when_the_chargers_timeout_is_over(control: Control, at: str | None) -> None:
    assert failing.fails_at(lagging(control)) == (None if at is None else utc(f"10T{at}"))


@pytest.mark.parametrize(
    ("facts", "at"),
    [
        pytest.param(says(), "22:16", id="never-read"),
        pytest.param(says(read="10T21:59"), "22:16", id="not-read-since"),
        pytest.param(says(read="10T22:00:20"), "22:16", id="read-too-soon"),
        pytest.param(says(read="10T22:00:21"), "22:03", id="read"),
        pytest.param(says(read="10T22:05", power=None), "22:16", id="read-without-power"),
        pytest.param(says("10T21:47"), "22:03", id="its-word-ends-with-the-timeout"),
        pytest.param(says("10T21:47:01"), "22:03:01", id="and-after-it"),
        pytest.param(says("10T20:00"), "22:03", id="an-old-word"),
        pytest.param({"activity": Activity.CHARGING}, "22:03", id="nobody-knows-since-when"),
        pytest.param(says() | {"activity": Activity.SUSPENDED_EV}, "22:03", id="says-that-nothing-flows"),
        pytest.param({}, "22:03", id="says-nothing"),
        pytest.param(says(online=False, lost_at=utc("10T22:05")), "22:08", id="gone"),
        pytest.param(says(online=False, lost_at=utc("10T22:15")), "22:16", id="gone-late"),
        pytest.param(says(online=False, lost_at=utc("10T21:50")), "22:03", id="gone-before"),
        pytest.param(says(online=False), "22:16", id="never-there"),
        pytest.param(says(lost_at=utc("10T21:50")), "22:16", id="back-again"),
    ],
)
def test_a_chargers_word_that_it_charges_stands_until_its_meter_is_read(facts: dict[str, Any], at: str) -> None:
    assert failing.fails_at(lagging(CHARGE, **facts)) == utc(f"10T{at}")
    assert failing.fails_at(lagging(HOLD, **facts)) == utc("10T22:02"), "it is no excuse for not stopping"


# Which


@pytest.mark.parametrize(
    ("now", "error"),
    [("10T22:02:59", None), ("10T22:03", START_FAIL), ("10T22:10", START_FAIL)],
    ids=["before", "at", "after"],
)
def test_a_start_has_failed_once_its_time_is_over(now: str, error: SessionError | None) -> None:
    assert failing.error_of(lagging(CHARGE), utc(now)) == error


@pytest.mark.parametrize(
    ("now", "error"),
    [("10T22:01:59", None), ("10T22:02", STOP_FAIL), ("10T22:10", STOP_FAIL)],
    ids=["before", "at", "after"],
)
def test_a_stop_has_failed_once_its_time_is_over(now: str, error: SessionError | None) -> None:
    assert failing.error_of(lagging(HOLD, **flows()), utc(now)) == error


@pytest.mark.parametrize(
    ("facts", "fails"),
    [
        pytest.param(flows("10T22:00:01"), True, id="seen-since"),
        pytest.param(flows("10T22:00"), False, id="seen-before"),
        pytest.param(flows() | {"reading": None}, False, id="never-seen"),
        pytest.param(flows(low_samples=1), False, id="may-have-stopped"),
        pytest.param(flows(charging=False), False, id="has-stopped"),
    ],
)
def test_a_stop_has_failed_only_where_the_meter_shows_it(facts: dict[str, Any], fails: bool) -> None:
    assert failing.error_of(lagging(HOLD, **facts), utc("10T22:10")) == (STOP_FAIL if fails else None)
    assert failing.error_of(lagging(CHARGE, **facts), utc("10T22:10")) == START_FAIL


@pytest.mark.parametrize(
    ("control", "said", "facts", "error"),
    [
        pytest.param(CHARGE, START_FAIL, {}, START_FAIL, id="a-start-that-fails"),
        pytest.param(HOLD, STOP_FAIL, flows(low_samples=1), STOP_FAIL, id="a-stop-that-fails"),
        pytest.param(HOLD, STOP_FAIL, {}, None, id="it-has-stopped"),
        pytest.param(Control(want=Want.CHARGE), START_FAIL, flows(), None, id="it-has-started"),
        pytest.param(Control(want=Want.HOLD), STOP_FAIL, flows(), None, id="there-is-no-lag"),
        pytest.param(HOLD, START_FAIL, flows(), None, id="another-wish"),
        pytest.param(CHARGE, STOP_FAIL, flows(), None, id="another-wish-again"),
    ],
)
def test_an_error_lasts_as_long_as_its_condition(
    control: Control, said: SessionError, facts: dict[str, Any], error: SessionError | None
) -> None:
    whole = lagging(control, said=said, **facts)
    assert failing.error_of(whole, utc("10T22:01")) == error, "without its time running anew"


def test_there_is_no_error_where_no_car_of_a_policy_is() -> None:
    late = utc("10T22:10")
    assert failing.error_of(state(facts=ChargerFacts(**PLUGGED), control=CHARGE), late) is None
    assert failing.error_of(state(slot(), facts=ChargerFacts(**PLUGGED), control=CHARGE), late) is None
    assert failing.error_of(lagging(CHARGE, said=START_FAIL, left=True), late) is None


@pytest.mark.parametrize("control", [Control(), CHARGE, HOLD], ids=["nothing-fails", "a-start-fails", "a-stop-fails"])
def test_what_the_charger_cannot_do_is_told_before_what_it_did_not(control: Control) -> None:
    facts = flows(capabilities=Capabilities(can_start=False, can_stop=False, can_limit=False))
    error = SessionError(kind=ErrorKind.MISSING_CAPABILITIES, missing=("startCharging", "stopCharging"))
    whole = lagging(control, said=START_FAIL, **facts)
    assert failing.error_of(whole, utc("10T22:10")) == error
    assert failing.missing_error(whole, whole.slots[0]) == error
    assert failing.error_of(lagging(control, left=True, **facts), utc("10T22:10")) is None, "the car has left"


def test_nothing_is_missing_where_all_can_be_tried() -> None:
    whole = lagging(Control())
    assert failing.missing_error(whole, whole.slots[0]) is None
