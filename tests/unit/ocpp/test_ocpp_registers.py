"""Registers made of intervals, and of phases whose total stands still."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chargerd_drivers.ocpp.registers import Registers

NOW = datetime(2026, 1, 14, 16, tzinfo=UTC)
REGISTER = "Energy.Active.Import.Register"
INTERVAL = "Energy.Active.Import.Interval"


def element(minute: int | None, *values: dict[str, Any]) -> dict[str, Any]:
    time = {} if minute is None else {"timestamp": (NOW + timedelta(minutes=minute)).isoformat()}
    return {**time, "sampledValue": list(values)}


def value(amount: Any, measurand: str = INTERVAL, **more: Any) -> dict[str, Any]:
    return {"value": str(amount), "measurand": measurand, **more}


def told(registers: Registers, *elements: Any) -> list[float]:
    """The registers that a message shows once it is mended."""
    mended = registers.mended(list(elements), NOW)
    values = [one for each in mended for one in each["sampledValue"] if one.get("measurand") == REGISTER]
    return [float(one["value"]) for one in values]


def test_intervals_are_added_up_in_the_order_of_their_times_each_once() -> None:
    registers = Registers()
    assert told(registers, element(2, value(20)), element(1, value(10))) == [10, 30]
    assert told(registers, element(2, value(20)), element(3, value(1, unit="kWh"))) == [1030]
    assert told(registers, element(None, value(5)), element(4, value(-5))) == [1035, 1035]


def test_intervals_of_another_context_tell_the_same_energy_again() -> None:
    registers = Registers()
    assert told(registers, element(1, value(10, context="Sample.Periodic"))) == [10]
    assert told(registers, element(15, value(150, context="Sample.Clock"))) == []
    assert told(registers, element(16, value(10, context="Sample.Periodic"))) == [20]


def test_intervals_of_the_phases_are_summed_unless_there_is_a_total() -> None:
    registers = Registers()
    parts = [value(10, phase=f"L{phase}") for phase in (1, 2, 3)]
    assert told(registers, element(1, *parts)) == [30]
    assert told(registers, element(2, *parts, value(31))) == [61]


def test_intervals_go_on_from_the_register_with_which_a_transaction_began() -> None:
    registers = Registers()
    registers.begun(5000)
    assert told(registers, element(1, value(10))) == [5010]
    registers.begun(5000)
    assert told(registers, element(2, value(10))) == [5020]


def test_intervals_beside_a_register_count_for_nothing_ever_after() -> None:
    registers = Registers()
    assert told(registers, element(1, value(10), value(500, REGISTER))) == [500]
    assert told(registers, element(2, value(10))) == []


def phases(*amounts: float, total: float | None = None) -> list[dict[str, Any]]:
    parts = [value(amount, REGISTER, phase=f"L{phase}") for phase, amount in enumerate(amounts, 1)]
    return parts if total is None else [*parts, value(total, REGISTER)]


def test_phases_go_on_from_a_total_that_stands_still_without_a_leap() -> None:
    registers, soc = Registers(), value(50, "SoC")
    seen = [
        told(registers, element(minute, *phases(*(40 * minute,) * 3, total=9000), soc))[-1] for minute in range(1, 5)
    ]
    assert seen == [9000, 9120, 9240, 9360]
    assert told(registers, element(5, *phases(200, 200, 200, total=9001))) == [9480]
    assert registers.mended(element(6, *phases(240, 240, 240, total=9001), soc), NOW)[0]["sampledValue"][0] == soc


def test_phases_beside_a_total_that_moves_are_left_alone() -> None:
    registers = Registers()
    for minute in range(1, 5):
        assert told(registers, element(minute, *phases(*(40 * minute,) * 3, total=9000 + 120 * minute)))[-1] == (
            9000 + 120 * minute
        )
    assert told(registers, element(9, *phases(1))) == [1]


@pytest.mark.parametrize("nonsense", [None, 5, "x", [None], [{"sampledValue": 7}], {"sampledValue": None}])
def test_nonsense_is_no_obstacle(nonsense: Any) -> None:
    assert all(isinstance(each["sampledValue"], list) for each in Registers().mended(nonsense, NOW))
