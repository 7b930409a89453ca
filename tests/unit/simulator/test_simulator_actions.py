from datetime import UTC, datetime

import pytest

from chargerd_drivers.simulator.actions import Action, parse_action
from chargerd_drivers.simulator.faults import Fault, FaultSpec, parse_fault
from chargerd_drivers.simulator.schemas import call_fault, is_known, parse_time, result_fault, spell_time


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ('{"do":"plug","level":35}', Action(do="plug", level_pct=35)),
        ('{"do":"unplug"}', Action(do="unplug")),
        (
            '{"do":"fault","name":"drop-socket=20","on":true}',
            Action(do="fault", fault=FaultSpec(Fault.DROP_SOCKET, 20)),
        ),
        (
            '{"do":"fault","name":"ignore-stop","on":false}',
            Action(do="fault", fault=FaultSpec(Fault.IGNORE_STOP), on=False),
        ),
        ('{"do":"drop","away":60}', Action(do="drop", away_s=60)),
        (
            '{"do":"start","at":"2026-01-14T17:00:00+01:00"}',
            Action(do="start", at=datetime(2026, 1, 14, 16, tzinfo=UTC)),
        ),
    ],
    ids=["plug", "unplug", "drop-socket", "fault off", "drop", "at"],
)
def test_a_control_line_is_read(line: str, action: Action) -> None:
    assert parse_action(line) == action


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("plug", "Expecting value"),
        ('{"do":"explode"}', "one of plug"),
        ('["do"]', "one of plug"),
        ('{"do":"plug","levle":35}', "unknown key 'levle'"),
        ('{"do":"plug","level":135}', "0 to 100"),
        ('{"do":"plug","at":"2026-01-14T17:00:00"}', "expected a zone"),
        ('{"do":"plug","at":5}', "RFC 3339"),
        ('{"do":"fault","name":"gremlin"}', "expected one of accept-start"),
        ('{"do":"fault","name":"ignore-stop","on":"yes"}', "true or false"),
    ],
    ids=range(9),
)
def test_a_wrong_control_line_says_what_was_expected(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_action(line)


@pytest.mark.parametrize("text", ["", "gremlin", "ignore-stop=5", "drop-socket=-1", "drop-socket=soon"])
def test_a_wrong_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|only"):
        parse_fault(text)


def test_times_are_spelled_in_utc_to_the_second_or_the_millisecond() -> None:
    at = parse_time("2026-01-14T17:00:00.1239+01:00")
    assert spell_time(at) == "2026-01-14T16:00:00Z"
    assert spell_time(at, fine=True) == "2026-01-14T16:00:00.123Z"


def test_a_fractional_limit_of_one_decimal_fits_the_1_6_schema() -> None:
    def payload(limit: float) -> dict[str, object]:
        period = {"startPeriod": 0, "limit": limit}
        return {
            "connectorId": 1,
            "csChargingProfiles": {
                "chargingProfileId": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxDefaultProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]},
            },
        }

    assert call_fault("1.6", "SetChargingProfile", payload(6.3)) is None
    assert call_fault("1.6", "SetChargingProfile", payload(6.55)) is not None


def test_an_answer_with_a_time_that_is_none_is_a_violation() -> None:
    assert result_fault("1.6", "Heartbeat", {"currentTime": "2026-01-14T16:00:00Z"}) is None
    assert "banana" in str(result_fault("1.6", "Heartbeat", {"currentTime": "banana"}))


@pytest.mark.parametrize(
    ("version", "action", "known"),
    [
        ("1.6", "RemoteStartTransaction", True),
        ("2.0.1", "RemoteStartTransaction", False),
        ("2.0.1", "RequestStartTransaction", True),
        ("1.6", "../../v201/schemas/GetReportRequest", False),
    ],
)
def test_an_action_belongs_to_its_version(version: str, action: str, known: bool) -> None:
    assert is_known(version, action) is known
