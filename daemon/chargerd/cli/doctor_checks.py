"""What a charger's documents say of its health: one finding for each thing that has to be right. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chargerd.cli.text import moment

Json = dict[str, Any]

POWER_MOST_KW = 50.0
"""No charger of a home gives more; what shows more is not a meter in W."""
SILENT_AFTER_S = 1200.0
"""A charger whose car charges tells its meter at least every quarter of an hour."""


class Verdict(StrEnum):
    """How a check came out."""

    OK = "OK"
    NOTE = "NOTE"
    """Good to know; nothing has to be done."""
    UNKNOWN = "UNKNOWN"
    PROBLEM = "PROBLEM"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found; ``remedy`` is what a person can do, "" when there is nothing to do."""

    check: str
    verdict: Verdict
    words: str
    remedy: str = ""

    @property
    def document(self) -> Json:
        """The finding for a program."""
        return {"check": self.check, "verdict": str(self.verdict), "words": self.words, "remedy": self.remedy or None}


def examined(charger: Json, explanations: list[Json], now: datetime) -> list[Finding]:
    """Return the findings in the order in which a person would look. ``explanations`` are those of its policies."""
    found = [_reached(charger, now), _accepted(charger)]
    if charger.get("fault"):
        found.append(_problem("fault", f"it reports {charger['fault']}", f"Look at {charger['id']} and its cable."))
    found.append(_plug(charger))
    found += [_ability(charger, *ability) for ability in _ABILITIES]
    found += [_meter(charger, now), _clock(charger)]
    found += _policies(explanations)
    failure = charger.get("lastFailure")
    if failure:
        when = moment(failure["at"], now)
        found.append(Finding("refusal", Verdict.NOTE, f"{failure['action']} at {when}: {failure['detail']}"))
    return [*found, *_told(charger, now)]


def _problem(check: str, words: str, remedy: str) -> Finding:
    return Finding(check, Verdict.PROBLEM, words, remedy)


def _reached(charger: Json, now: datetime) -> Finding:
    if charger["isOnline"]:
        return Finding("reached", Verdict.OK, f"connected, last heard {moment(charger['lastUpdated'], now)}")
    remedy = f"See whether {charger['id']} has power and a network, and is set to the address of this daemon."
    if charger["lastUpdated"] is None:
        return _problem("reached", "it has never connected", remedy)
    return _problem("reached", f"not connected; last heard {moment(charger['lastUpdated'], now)}", remedy)


def _accepted(charger: Json) -> Finding:
    names = [charger.get(name) for name in ("protocol", "vendor", "model")]
    words = " ".join(name for name in names if name)
    for name in ("firmware", "serial"):
        words += f", {name} {charger[name]}" if charger.get(name) else ""
    if charger.get("vendor") or charger.get("model"):
        return Finding("accepted", Verdict.OK, words)
    if not charger["isOnline"]:
        return Finding("accepted", Verdict.UNKNOWN, words or "it has not told who it is")
    said = f"{words}; it has not told who it is since it connected"
    return Finding("accepted", Verdict.NOTE, said, f"Switch {charger['id']} off and on, so that it tells.")


def _plug(charger: Json) -> Finding:
    plugged = charger["isPluggedIn"]
    if plugged is not None:
        words = "a car is plugged in" if plugged else "no car is plugged in"
        activity = charger.get("activity")
        return Finding("plug", Verdict.OK, f"{words}; it says {activity}" if activity else words)
    if not charger["isOnline"]:
        return Finding("plug", Verdict.UNKNOWN, "not told yet")
    remedy = f"Switch on status reports in the settings of {charger['id']}, or set connector to the one it has."
    return _problem("plug", "it does not tell whether a car is plugged in", remedy)


_ABILITIES = (("start", "canStart", "startCharging"), ("stop", "canStop", "stopCharging"), ("limit", "canLimit", None))


def _ability(charger: Json, check: str, name: str, missing: str | None) -> Finding:
    able = charger["capabilities"].get(name)
    if able:
        return Finding(check, Verdict.OK, "has been seen to work" + _details(charger, check))
    if able is None:
        return Finding(check, Verdict.UNKNOWN, "not tried yet; --test-charge tries it with a car plugged in")
    if missing in charger["missingCapabilities"]:
        remedy = f"Switch on remote control in the settings of {charger['id']}, or give it another firmware."
        return _problem(check, "it says that it cannot do this", remedy)
    return Finding(check, Verdict.NOTE, "it says that it cannot do this; it is done another way")


def _details(charger: Json, check: str) -> str:
    able = charger["capabilities"]
    if check == "limit":
        parts = [able.get("limitUnit") and f"in {able['limitUnit']}", able.get("limitPurpose")]
        parts += ["a limit of 0 ends the transaction"] if able.get("zeroIsStop") else []
        parts += [f"schedules of up to {able['schedulePeriods']} periods"] if able.get("schedulePeriods") else []
        return "".join(f", {part}" for part in parts if part)
    resumes = able.get("resumesAfterStop") if check == "stop" else None
    return ", but begins none again before the plug was out" if resumes is False else ""


def _meter(charger: Json, now: datetime) -> Finding:
    able, sampled_at, power = charger["capabilities"], charger["sampledAt"], charger["sampledPower"]
    switch_on = f"Switch on meter reports (energy register and power) in the settings of {charger['id']}."
    if able.get("reportsEnergy") is False and able.get("reportsPower") is False:
        return _problem("meter", "it tells neither energy nor power", switch_on)
    if sampled_at is None:
        return Finding("meter", Verdict.UNKNOWN, "not read yet; most chargers tell it while a car charges")
    register = charger["registerWh"]
    shown = [] if register is None else [f"register {register} Wh"]
    shown += [] if power is None else [f"{power:g} kW"]
    words = f"{', '.join(shown) or 'read'} at {moment(sampled_at, now)}"
    if (power is not None and not 0 <= power <= POWER_MOST_KW) or (register is not None and register < 0):
        return _problem("meter", f"{words}, which cannot be", f"Look at how {charger['id']} is wired and set up.")
    age_s = (now - datetime.fromisoformat(sampled_at)).total_seconds()
    if charger["isCharging"] and age_s > SILENT_AFTER_S:
        return _problem("meter", f"{words}, and silent since though a car charges", switch_on)
    if register is None:
        return Finding("meter", Verdict.NOTE, f"{words}; it tells no register, so energy is reckoned from power")
    if power is None:
        return Finding("meter", Verdict.NOTE, f"{words}; it tells no power, so that is reckoned from the register")
    return Finding("meter", Verdict.OK, words)


def _clock(charger: Json) -> Finding:
    offset_s = charger["clockOffset"]
    if offset_s is None:
        return Finding("clock", Verdict.UNKNOWN, "not known yet")
    if offset_s == 0:
        return Finding("clock", Verdict.OK, "right")
    words = f"{abs(offset_s)} s {'behind' if offset_s > 0 else 'ahead'}; what it dates is corrected"
    return Finding("clock", Verdict.NOTE, words)


def _policies(explanations: list[Json]) -> Iterator[Finding]:
    if not explanations:
        yield Finding("policy", Verdict.NOTE, "no policy holds it: visits are measured, starts and stops are by hand")
    for told in explanations:
        error = told["error"]
        if error is None:
            yield Finding("policy", Verdict.OK, f"nothing is wrong: {told['words']}")
            continue
        missing = error.get("missingCapabilities")
        kind = f"{error['type']}, {', '.join(missing)}" if missing else error["type"]
        words = f"{kind}: {told['words']}"
        # The words of an explanation end with the remedy that it has.
        remedy = told["remedy"] or ""
        yield _problem("policy", words.removesuffix(remedy).rstrip(), remedy)


def _told(charger: Json, now: datetime) -> Iterator[Finding]:
    for topic, fact in charger["told"].items():
        if topic in {"firmware", "securityEvent", "chargingLimit", "logUpload", "certificateRequest"}:
            said = ", ".join(f"{name} {value}" for name, value in fact.items() if name != "at")
            yield Finding(topic, Verdict.NOTE, f"{said}, at {moment(fact['at'], now)}")
