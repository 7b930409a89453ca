"""Sampled values of both versions to readings."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chargerd.contract import ChargerId, MeterSampled, PerPhase, SampleContext
from chargerd_drivers.ocpp.metering import last_register, readings, register

NOW = datetime(2026, 1, 14, 16, tzinfo=UTC)
AT = "2026-01-14T15:59:00Z"
GARAGE = ChargerId("garage")


def sample(*values: object, at: Any = AT) -> MeterSampled | None:
    found = readings(GARAGE, [{"timestamp": at, "sampledValue": list(values)}], NOW)
    return found[0] if found else None


def phases(measurand: str, *values: object, form: str = "L{}") -> list[dict[str, object]]:
    return [{"measurand": measurand, "phase": form.format(n), "value": value} for n, value in enumerate(values, 1)]


ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
CURRENT = "Current.Import"


@pytest.mark.parametrize(
    ("value", "register_wh"),
    [
        pytest.param({"value": "12345"}, 12345, id="nothing but a value is the register in Wh"),
        pytest.param({"value": 12345.4}, 12345.4, id="a number"),
        pytest.param({"value": "12,5", "unit": "kWh"}, 12500, id="decimal comma in kWh"),
        pytest.param({"value": "12.345", "unit": "KWH"}, 12345, id="unit in capitals"),
        pytest.param({"value": 7.2, "unitOfMeasure": {"unit": "kWh"}}, 7200, id="2.0.1 unit"),
        pytest.param({"value": 7.2, "unitOfMeasure": {"unit": "Wh", "multiplier": 3}}, 7200, id="2.0.1 multiplier"),
        pytest.param({"value": 7.2, "unitOfMeasure": {"multiplier": 3}}, 7200, id="2.0.1 multiplier without unit"),
        pytest.param({"value": 7200, "signedMeterValue": {"signedMeterData": "xx"}}, 7200, id="2.0.1 signature aside"),
        pytest.param({"value": "5", "unit": "varh"}, None, id="foreign unit"),
        pytest.param({"value": ""}, None, id="empty"),
        pytest.param({"value": "NaN"}, None, id="NaN"),
        pytest.param({"value": None}, None, id="null"),
        pytest.param({}, None, id="no value"),
        pytest.param({"value": "-1"}, None, id="negative"),
        pytest.param({"value": "1e30"}, None, id="absurd"),
        pytest.param({"value": "1", "unitOfMeasure": {"multiplier": 900}}, None, id="absurd multiplier"),
        pytest.param({"value": "AB34=", "format": "SignedData"}, None, id="signed data"),
        pytest.param({"value": "12", "measurand": "Energy.Active.Export.Register"}, None, id="export"),
        pytest.param({"value": "12", "measurand": "Energy.Active.Import.Interval"}, None, id="interval"),
        pytest.param({"value": "12", "measurand": "energy.active.import.register"}, 12, id="odd case"),
    ],
)
def test_the_energy_register_is_watt_hours_or_missing(value, register_wh) -> None:
    found = sample(value)
    assert (found.register_wh if found else None) == register_wh


@pytest.mark.parametrize(
    ("values", "power_w"),
    [
        pytest.param([{"measurand": POWER, "value": "7360", "unit": "W"}], 7360, id="total"),
        pytest.param([{"measurand": POWER, "value": "7.36", "unit": "kW"}], 7360, id="kW"),
        pytest.param(phases(POWER, 1000, 2000, 3000), 6000, id="sum of phases"),
        pytest.param(phases(POWER, 1000, 2000, 3000, form="L{}-N"), 6000, id="phases to neutral"),
        pytest.param([*phases(POWER, 1, 2, 3), {"measurand": POWER, "value": 9}], 9, id="total before phases"),
        pytest.param(phases(POWER, 1000), 1000, id="lone phase"),
        pytest.param([{"measurand": POWER, "phase": "N", "value": 5}], None, id="neutral is no phase"),
        pytest.param([{"measurand": POWER, "phase": "L1-L2", "value": 5}], None, id="line to line is no phase"),
        pytest.param([{"measurand": "Power.Offered", "value": 11000}], None, id="offered is not consumed"),
        pytest.param(
            [{"measurand": POWER, "value": 9, "location": "Inlet"}, {"measurand": POWER, "value": 7}], 7, id="outlet"
        ),
        pytest.param([{"measurand": POWER, "value": 9, "location": "Inlet"}], 9, id="inlet where there is no outlet"),
    ],
)
def test_power_is_the_total_over_the_phases(values, power_w) -> None:
    found = sample(*values)
    assert (found.power_w if found else None) == power_w


@pytest.mark.parametrize(
    ("values", "current_a"),
    [
        pytest.param(phases(CURRENT, "10", "11", "12"), PerPhase(10, 11, 12), id="three"),
        pytest.param(phases(CURRENT, 10, form="L{}-N"), PerPhase(10), id="one"),
        pytest.param([{"measurand": "Current.Import.L2", "value": 8}], PerPhase(0, 8, 0), id="phase as a suffix"),
        pytest.param([{"measurand": CURRENT, "value": 16}], PerPhase(16), id="no phase counts once"),
        pytest.param(
            [{"measurand": CURRENT, "value": 30}, *phases(CURRENT, 9, 10, 11)], PerPhase(9, 10, 11), id="both"
        ),
        pytest.param([{"measurand": CURRENT, "value": 6000, "unit": "mA"}], PerPhase(6), id="mA"),
        pytest.param([{"measurand": "Current.Offered", "value": 90}], None, id="offered is not drawn"),
        pytest.param(phases(CURRENT, "", "NaN"), None, id="garbage is missing"),
    ],
)
def test_currents_are_per_phase(values, current_a) -> None:
    found = sample(*values)
    assert (found.current_a if found else None) == current_a


@pytest.mark.parametrize(("value", "soc"), [("41", 41), ("0", 0), (100, 100), ("101", None), (-1, None), ("", None)])
def test_the_level_of_the_car_is_a_percentage_or_missing(value, soc) -> None:
    found = sample({"measurand": "SoC", "value": value, "unit": "Percent", "location": "EV"})
    assert (found.soc_pct if found else None) == soc


@pytest.mark.parametrize(
    ("spelled", "context"),
    [
        ("Sample.Periodic", SampleContext.PERIODIC),
        ("Sample.Clock", SampleContext.CLOCK),
        ("Transaction.Begin", SampleContext.BEGIN),
        ("Transaction.End", SampleContext.END),
        ("Trigger", SampleContext.TRIGGER),
        ("Interruption.Begin", SampleContext.PERIODIC),
        (None, SampleContext.PERIODIC),
    ],
)
def test_the_context_of_a_sample_is_kept(spelled, context) -> None:
    found = sample({"value": "1", "context": spelled})
    assert found is not None
    assert found.context is context


def test_the_end_register_wins_over_the_begin_register_in_one_element() -> None:
    found = sample({"value": "100", "context": "Transaction.Begin"}, {"value": "900", "context": "Transaction.End"})
    assert found is not None
    assert (found.register_wh, found.context) == (900, SampleContext.END)


def test_readings_are_sorted_by_their_time() -> None:
    elements = [{"timestamp": f"2026-01-14T15:{n:02}:00Z", "sampledValue": [{"value": n}]} for n in (30, 10, 20)]
    assert [found.register_wh for found in readings(GARAGE, elements, NOW)] == [10, 20, 30]


def test_a_single_object_stands_for_a_list_of_one() -> None:
    [found] = readings(GARAGE, {"timestamp": AT, "sampledValue": {"value": "5"}}, NOW)
    assert (found.register_wh, found.measured_at) == (5, datetime(2026, 1, 14, 15, 59, tzinfo=UTC))


@pytest.mark.parametrize(
    "raw", [None, [], [{}], [{"sampledValue": []}], "x", [[[]]], [{"sampledValue": [None, 1, "x"]}]]
)
def test_nothing_usable_gives_no_reading(raw) -> None:
    assert readings(GARAGE, raw, NOW) == ()


def test_an_absurd_time_is_unknown_and_the_value_is_kept() -> None:
    found = sample({"value": "5"}, at="1970-01-01T00:00:00Z")
    assert found is not None
    assert (found.measured_at, found.register_wh) == (None, 5)


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), ("100", 100), (100.4, 100.4), (-1, None), (None, None), ("x", None), (10**13, None)]
)
def test_a_plain_register_is_watt_hours_or_missing(value, expected) -> None:
    assert register(value) == expected


def test_the_register_of_the_wanted_context_is_preferred_to_the_newest() -> None:
    elements = [
        {"timestamp": "2026-01-14T15:00:00Z", "sampledValue": [{"value": 1, "context": "Transaction.Begin"}]},
        {"timestamp": "2026-01-14T15:15:00Z", "sampledValue": [{"value": 5}]},
        {"timestamp": "2026-01-14T15:30:00Z", "sampledValue": [{"measurand": "Power.Active.Import", "value": 5}]},
    ]
    found = readings(GARAGE, elements, NOW)
    assert last_register(found, SampleContext.BEGIN) == 1
    assert last_register(found, SampleContext.END) == 5
    assert last_register((), SampleContext.END) is None
