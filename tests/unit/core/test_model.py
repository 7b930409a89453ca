"""What is taken for granted before anything is told: nothing, and the usual of a home."""

from dataclasses import MISSING, fields
from typing import Any

import pytest

from chargerd.core import model
from chargerd.core.events import Capabilities
from chargerd.core.policy import ChargerSpec, Policy, Site, VehicleSpec
from chargerd.plan.prices import PriceCurve
from chargerd.plan.schedule import BlockKind


def defaults(kind: type) -> dict[str, Any]:
    """The fields that need not be given, with what they are then."""
    return {field.name: field.default for field in fields(kind) if field.default is not MISSING}  # type: ignore[arg-type]


def unknown(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names)


@pytest.mark.parametrize(
    ("kind", "assumed"),
    [
        pytest.param(
            Site,
            {"name": "home", "zone": "UTC", "voltage_v": 230.0, "phases": 3, "main_fuse_a": None},
            id="site",
        ),
        pytest.param(
            ChargerSpec,
            {
                "evse_id": 1,
                "min_a": 6.0,
                "max_a": 16.0,
                "phases": 3,
                "start_timeout_s": 180.0,
                "stop_timeout_s": 120.0,
                "id_token": "chargerd",
            },
            id="charger",
        ),
        pytest.param(
            VehicleSpec,
            {
                "phases": 3,
                "efficiency": 0.9,
                "level_from_charger": False,
                "level_max_age_s": 3600.0,
                "id_tokens": (),
            },
            id="vehicle",
        ),
        pytest.param(
            Policy,
            {"battery_reserve": 0, "schedule": (None,) * 7, "assumed_battery_level_at_plug_in": None},
            id="policy",
        ),
    ],
)
def test_what_a_household_need_not_say_is_the_usual(kind: type, assumed: dict[str, Any]) -> None:
    assert defaults(kind) == assumed


@pytest.mark.parametrize(
    ("kind", "assumed"),
    [
        pytest.param(model.Interval, {"quality": model.Quality.MEASURED}, id="interval"),
        pytest.param(model.Reading, unknown("register_wh", "power_w", "soc_pct"), id="reading"),
        pytest.param(
            model.Ledger,
            unknown(
                "epoch_wh",
                "anchor_wh",
                "anchor_at",
                "dip_wh",
                "dip_at",
                "power_w",
                "power_at",
                "carry_since",
                "step_wh",
            )
            | dict.fromkeys(("cells", "excess", "denied", "pending", "tentative"), ())
            | dict.fromkeys(("total_wh", "epoch_counted_wh", "epoch_excess_wh", "carry_wh"), 0)
            | {"scale": 1.0},
            id="ledger",
        ),
        pytest.param(model.Block, {"ended_at": None, "wh": 0}, id="block"),
        pytest.param(
            model.Targets, unknown("scheduled", "override", "immediate", "issued_at") | {"next_id": 1}, id="targets"
        ),
        pytest.param(model.Level, {"doubted_pct": None}, id="level"),
        pytest.param(model.Outcome, unknown("level_pct_at_ready_by", "reached_at"), id="outcome"),
        pytest.param(model.SessionError, {"missing": ()}, id="error"),
        pytest.param(
            model.Session,
            unknown(
                "plugged_in_at",
                "level",
                "level_first",
                "level_from_pct",
                "flowed_until",
                "kind_since",
                "unplugged_at",
                "quiet_since",
                "outcome",
                "error",
            )
            | {"targets": model.Targets(), "ledger": model.Ledger(), "loose_wh": 0, "blocks": (), "plan": ()}
            | {"planned_w": 0.0, "kind": BlockKind.REGULAR, "car_is_full": False},
            id="session",
        ),
        pytest.param(
            model.Transaction,
            unknown("register_wh", "had_car", "ended_at") | {"key": "", "end_reason": ""},
            id="transaction",
        ),
        pytest.param(model.Lag, {"before_s": None}, id="lag"),
        pytest.param(model.InFlight, {"limit_a": None, "later": ()}, id="in-flight"),
        pytest.param(
            model.Asked, unknown("limit_a", "answered_at", "accepted", "failure") | {"detail": ""}, id="asked"
        ),
        pytest.param(
            model.VehicleFacts, unknown(*(field.name for field in fields(model.VehicleFacts))), id="vehicle-facts"
        ),
        pytest.param(model.Learned, unknown("power_w", "efficiency"), id="learned"),
        pytest.param(model.Slot, {"facts": model.VehicleFacts(), "learned": model.Learned()}, id="slot"),
        pytest.param(model.Car, {"facts": model.VehicleFacts(), "visit": None}, id="car"),
        pytest.param(
            model.State,
            unknown("guest", "action")
            | {"prices": PriceCurve(), "facts": model.ChargerFacts(), "control": model.Control()}
            | {"slots": (), "cars": (), "unattributed_wh": 0, "sessions_made": 0},
            id="state",
        ),
        pytest.param(Capabilities, unknown(*(field.name for field in fields(Capabilities))), id="capabilities"),
    ],
)
def test_what_was_not_told_is_not_known(kind: type, assumed: dict[str, Any]) -> None:
    assert defaults(kind) == assumed


def test_a_charger_of_which_nothing_is_known_is_asked_nothing() -> None:
    held = defaults(model.Control)
    assert {name: value for name, value in held.items() if value} == {"want": model.Want.FREE, "next_command_id": 1}


def test_a_charger_that_has_told_nothing_is_offline_with_nothing_plugged() -> None:
    told = defaults(model.ChargerFacts)
    assert {name: value for name, value in told.items() if value} == {
        "capabilities": Capabilities(),
        "register_scale": 1.0,
    }
