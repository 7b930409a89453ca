"""Chargers that take 45 s for each request, one at a time (Mennekes 4You): slow electronics, not a failure."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from house import CHEAP_NIGHT, Bay, House, charged_in, check_energy, check_inside_blocks, house, seconds_between
from slow_line import SlowLine, slow_line

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SPEED = 50
ANSWER_S, TIMEOUT_S = 45, 60
"""Simulated seconds; the timeout is the default one. In real time both are a fiftieth, which a busy machine keeps."""
LIMITED = (Bay(id="garage", version="1.6"), Bay(id="yard", version="2.0.1"))
PLAIN = ("--model", "Plain")
UNLIMITED = (
    Bay(id="carport", version="1.6", simulator=PLAIN),
    Bay(id="barn", version="2.0.1", simulator=PLAIN),
)
"""Chargers that take no limit: a pause is the end of a transaction, and going on is another one. What is learned of
them is kept by model, so theirs is another one."""


def test_a_charger_that_answers_everything_after_45_s_is_started_paused_resumed_and_stopped(tmp_path: Path) -> None:
    with (
        house(tmp_path, *LIMITED, *UNLIMITED, speed=SPEED, tariff=CHEAP_NIGHT) as home,
        ExitStack() as open_lines,
    ):
        spelled = home.config.read_text().replace("[ocpp]\n", f"[ocpp]\ncall_timeout_s = {TIMEOUT_S / SPEED}\n")
        home.config.write_text(spelled)
        home.start()
        lines = {bay.id: open_lines.enter_context(slow_line(_line(home, bay))) for bay in home.bays}
        for bay in home.bays:
            home.simulate(bay, "--url", lines[bay.id].url).do("plug")
        home.wait_online()
        for bay in home.bays:
            home.wait(f"{bay.id} is set up", lambda line=lines[bay.id]: line.idle)
        _charge(home, times=1)
        _pause(home)
        _charge(home, times=2)
        for simulator in home.simulators.values():
            simulator.do("unplug")
        for bay in home.bays:
            _check(home, bay, lines[bay.id])


def _line(home: House, bay: Bay) -> SlowLine:
    unsupported = frozenset({"SetChargingProfile"} if bay in UNLIMITED else ())
    return SlowLine(daemon_port=home.ocpp_port, delay_s=ANSWER_S / SPEED, unsupported=unsupported)


def _charge(home: House, *, times: int) -> None:
    """Have all cars charge at once, for the first or another time, and wait until the daemon knows that they do."""
    asked_at = home.now()
    for bay in home.bays:
        home.put_target(bay, type="IMMEDIATE_START", minimumChargeTarget=90)
    for bay in home.bays:
        began = home.simulators[bay.id].expect("charging", after=times - 1)
        assert seconds_between(asked_at, began["at"]) <= bay.start_timeout_s
    for bay in home.bays:
        home.wait(f"{bay.id} is seen to charge", lambda bay=bay: home.charger(bay)["isCharging"])


def _pause(home: House) -> None:
    """Go back to the policy, which waits for the night, and wait until no car draws any more."""
    asked_at = home.now()
    for bay in home.bays:
        home.delete_target(bay)
    for bay in home.bays:
        stopped = home.simulators[bay.id].expect("transaction-ended" if bay in UNLIMITED else "suspended")
        assert seconds_between(asked_at, stopped["at"]) <= bay.stop_timeout_s


def _check(home: House, bay: Bay, line: SlowLine) -> None:
    simulator = home.simulators[bay.id]
    document = home.wait_settled(bay)
    check_energy(document, simulator)
    check_inside_blocks(document, simulator)
    assert len(charged_in(simulator)) == 2
    assert len(simulator.all("transaction-started")) == (2 if bay in UNLIMITED else 1)
    assert home.errors_shown(bay) == []
    assert line.crossed == []
