"""What the doctor makes of a charger's documents."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chargerd.cli.doctor_checks import Finding, Verdict, examined

Json = dict[str, Any]
NOW = datetime(2025, 6, 10, 20, tzinfo=UTC)
ABLE = dict.fromkeys(
    (
        *("canStart", "canStop", "canLimit", "limitUnit", "limitPurpose", "schedulePeriods", "zeroIsStop"),
        *("resumesAfterStop", "reportsEnergy", "reportsPower", "reportsSoc", "pushesSamples"),
    )
)


def charger(**changes: Any) -> Json:
    """A charger that is well."""
    return {
        "id": "garage",
        "isOnline": True,
        "protocol": "OCPP 1.6",
        "vendor": "Acme",
        "model": "Box",
        "firmware": "1.2",
        "serial": "S1",
        "fault": None,
        "isPluggedIn": False,
        "activity": "IDLE",
        "isCharging": False,
        "capabilities": {**ABLE, "canStart": True, "canStop": True, "canLimit": True},
        "missingCapabilities": [],
        "sampledAt": "2025-06-10T19:59:00Z",
        "sampledPower": 0,
        "registerWh": 120500,
        "clockOffset": 0,
        "lastFailure": None,
        "lastUpdated": "2025-06-10T19:59:30Z",
        "policyIds": [],
        "told": {},
    } | changes


def explanation(**changes: Any) -> Json:
    return {"words": "zoe waits for cheaper hours.", "error": None, "remedy": None} | changes


def found(document: Json, *explanations: Json) -> dict[str, Finding]:
    return {finding.check: finding for finding in examined(document, list(explanations), NOW)}


def test_a_charger_that_is_well_has_nothing_to_be_done() -> None:
    findings = found(charger(), explanation())
    assert {finding.verdict for finding in findings.values()} == {Verdict.OK}
    assert list(findings) == ["reached", "accepted", "plug", "start", "stop", "limit", "meter", "clock", "policy"]
    assert findings["accepted"].words == "OCPP 1.6 Acme Box, firmware 1.2, serial S1"
    assert not any(finding.remedy for finding in findings.values())


@pytest.mark.parametrize(
    ("changes", "check", "verdict", "words"),
    [
        ({"isOnline": False}, "reached", "PROBLEM", "not connected; last heard "),
        ({"isOnline": False, "lastUpdated": None}, "reached", "PROBLEM", "it has never connected"),
        ({"vendor": None, "model": None}, "accepted", "NOTE", "it has not told who it is since it connected"),
        ({"fault": "GroundFailure"}, "fault", "PROBLEM", "it reports GroundFailure"),
        ({"isPluggedIn": None, "activity": None}, "plug", "PROBLEM", "does not tell whether a car is plugged in"),
        ({"isPluggedIn": True, "activity": "CHARGING"}, "plug", "OK", "a car is plugged in; it says CHARGING"),
        ({"capabilities": ABLE}, "start", "UNKNOWN", "not tried yet; --test-charge tries it"),
        ({"capabilities": {**ABLE, "canStart": False}}, "start", "NOTE", "it is done another way"),
        (
            {"capabilities": {**ABLE, "canStop": False}, "missingCapabilities": ["stopCharging"]},
            "stop",
            "PROBLEM",
            "it says that it cannot do this",
        ),
        (
            {"capabilities": {**ABLE, "canLimit": True, "limitUnit": "A", "zeroIsStop": True, "schedulePeriods": 24}},
            "limit",
            "OK",
            "has been seen to work, in A, a limit of 0 ends the transaction, schedules of up to 24 periods",
        ),
        (
            {"capabilities": {**ABLE, "canStop": True, "resumesAfterStop": False}},
            "stop",
            "OK",
            "has been seen to work, but begins none again before the plug was out",
        ),
        ({"sampledAt": None, "sampledPower": None}, "meter", "UNKNOWN", "not read yet"),
        (
            {"capabilities": {**ABLE, "reportsEnergy": False, "reportsPower": False}},
            "meter",
            "PROBLEM",
            "it tells neither energy nor power",
        ),
        ({"sampledPower": 11_000}, "meter", "PROBLEM", "which cannot be"),
        ({"sampledPower": -1}, "meter", "PROBLEM", "which cannot be"),
        ({"registerWh": -1}, "meter", "PROBLEM", "which cannot be"),
        ({"registerWh": None}, "meter", "NOTE", "it tells no register, so energy is reckoned from power"),
        ({"sampledPower": None}, "meter", "NOTE", "it tells no power, so that is reckoned from the register"),
        (
            {"isCharging": True, "sampledAt": "2025-06-10T19:39:00Z"},
            "meter",
            "PROBLEM",
            "silent since though a car charges",
        ),
        ({"isCharging": True, "sampledAt": "2025-06-10T19:41:00Z"}, "meter", "OK", "register 120500 Wh, 0 kW at "),
        ({"clockOffset": None}, "clock", "UNKNOWN", "not known yet"),
        ({"clockOffset": 660}, "clock", "NOTE", "660 s behind; what it dates is corrected"),
        ({"clockOffset": -40}, "clock", "NOTE", "40 s ahead; what it dates is corrected"),
        (
            {"lastFailure": {"action": "START", "at": "2025-06-10T19:00:00Z", "failure": "REFUSED", "detail": "no"}},
            "refusal",
            "NOTE",
            ": no",
        ),
        (
            {"told": {"firmware": {"status": "Installing", "at": "2025-06-10T19:00:00Z"}}},
            "firmware",
            "NOTE",
            "Installing",
        ),
    ],
)
def test_each_thing_that_can_be_wrong_is_found_in_words(changes: Json, check: str, verdict: str, words: str) -> None:
    finding = found(charger(**changes), explanation())[check]
    assert (finding.verdict, words in finding.words) == (verdict, True), finding
    assert bool(finding.remedy) or finding.verdict is not Verdict.PROBLEM


def test_a_charger_that_is_gone_is_not_blamed_for_what_it_did_not_tell() -> None:
    findings = found(charger(isOnline=False, isPluggedIn=None, vendor=None, model=None))
    assert (findings["plug"].verdict, findings["accepted"].verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)


def test_what_a_policy_lacks_is_told_once_with_its_remedy() -> None:
    remedy = "Switch on remote control in the settings of garage, or give it another firmware."
    error = {"type": "MISSING_CAPABILITIES", "missingCapabilities": ["startCharging"]}
    told = explanation(words=f"garage cannot be started. {remedy}", error=error, remedy=remedy)
    finding = found(charger(), told)["policy"]
    assert finding == Finding(
        "policy", Verdict.PROBLEM, "MISSING_CAPABILITIES, startCharging: garage cannot be started.", remedy
    )
    assert finding.document["remedy"] == remedy


def test_a_charger_without_a_policy_is_told_to_be_only_measured() -> None:
    assert found(charger())["policy"].verdict is Verdict.NOTE
