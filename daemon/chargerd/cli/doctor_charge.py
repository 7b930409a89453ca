"""``--test-charge``: start, pause, resume and stop by hand with the car plugged in, judged by measured power.

The charger is left as it was. Only what can be taken back for certain is tried: a transaction that was open before is
not ended, for some chargers begin no other before the plug was out.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from chargerd.cli.client import Client
from chargerd.cli.command import Failed, Status, failed
from chargerd.cli.doctor_checks import Finding, Verdict

Json = dict[str, Any]
Say = Callable[[Finding], None]

GIVES_UP_AFTER = timedelta(minutes=30)
"""By the daemon's clock; it judges a start or stop within minutes."""
MEASURED_WITHIN = timedelta(minutes=5)
"""By the daemon's clock, for the meter to tell what has come about."""
FLOWS_FROM_KW = 0.3
"""Meters show phantom watts; the daemon draws the line at the same power."""
ANSWER_TIMEOUT_S = 150.0
"""Real seconds that a charger's answer may take: its turn, and the answer itself."""
UNPLUG = "Unplug the car and plug it in anew."
ENDS_WITHIN = timedelta(minutes=3)
"""A transaction that was asked to end has ended by then."""


_PAUSE_AND_RESUME = (("pause", "STOP"), ("resume", "START"))
_ALL = (("start", "START"), *_PAUSE_AND_RESUME, ("stop", "STOP"))


class Trial:
    """One run over one charger. ``say`` is called with each finding as soon as there is one."""

    def __init__(self, client: Client, charger_id: str, say: Say) -> None:
        self._client = client
        self._id = charger_id
        self._path = f"/v1/chargers/{quote(charger_id, safe='')}"
        self._say = say

    def run(self) -> None:
        """Try everything, until something does not come off. Raises Failed when it cannot be tried."""
        before = self._client.get(self._path)
        self._check(before)
        try:
            steps = _PAUSE_AND_RESUME if before["isCharging"] else _ALL
            all(self._asked(check, action) for check, action in steps)
        finally:
            self._restore(before)

    def _check(self, charger: Json) -> None:
        if charger["policyIds"]:
            car = "the car's name"
            raise failed(
                Status.FAILED,
                f"a policy holds {self._id}, so it is not started and stopped by hand. Take the policy out of the file "
                "for the test (SIGHUP reads it again) and put it back afterwards; or watch a real charge: chargerd "
                f"boost with {car}, then chargerd explain",
            )
        if not charger["isOnline"]:
            raise failed(Status.FAILED, f"{self._id} is not connected; chargerd doctor {self._id} says more")
        if charger["isPluggedIn"] is not True:
            raise failed(Status.FAILED, f"plug a car in at {self._id} first, one that wants to charge")

    def _asked(self, check: str, action: str) -> bool:
        asked = self._client.post(f"{self._path}/charging", {"action": action})
        judged = self._until(lambda charger: charger["action"]["id"] != asked["id"] or _is_judged(charger))
        state = judged["action"]["state"]
        if state == "CONFIRMED":
            return self._measured(check, asked, flows=action == "START")
        failure = judged["lastFailure"]
        refused = f": {failure['detail']}" if failure and failure["at"] >= asked["createdAt"] else ""
        shown = _shown(judged)
        words = f"did not come about ({state}), {shown}{refused}"
        self._say(Finding(check, Verdict.PROBLEM, words, self._remedy(check)))
        return False

    def _measured(self, check: str, asked: Json, *, flows: bool) -> bool:
        """Hear what the meter says of it; that nothing flows the daemon also believes by the charger's word."""

        def tells(charger: Json) -> bool:
            is_fresh = charger["sampledAt"] is not None and charger["sampledAt"] > asked["createdAt"]
            return is_fresh and charger["sampledPower"] is not None and _flows(charger) is flows

        self._have_meter_read(asked)
        charger = self._until(tells, within=MEASURED_WITHIN)
        took = f"{_seconds(asked['createdAt'], charger['sampledAt'])} s after it was asked for"
        if tells(charger):
            self._say(Finding(check, Verdict.OK, f"came about: {_shown(charger)}, {took}"))
            return True
        if charger["sampledAt"] is not None and charger["sampledAt"] > asked["createdAt"] and _flows(charger):
            words = f"did not come about, though the charger says so: {_shown(charger)}, {took}"
            self._say(Finding(check, Verdict.PROBLEM, words, self._remedy(check)))
            return False
        self._say(Finding(check, Verdict.NOTE, "came about by the charger's word; its meter tells nothing meanwhile"))
        return True

    def _have_meter_read(self, asked: Json) -> None:
        """Ask for the meter: some chargers tell it only every quarter of an hour. A refusal is no matter."""
        charger = self._client.get(self._path)
        is_fresh = charger["sampledAt"] is not None and charger["sampledAt"] > asked["createdAt"]
        if not is_fresh and _ending(charger["protocol"], "0") is not None:
            with contextlib.suppress(Failed):
                payload = {"requestedMessage": "MeterValues"}
                self._client.post(f"{self._path}/ocpp/TriggerMessage", payload, timeout_s=ANSWER_TIMEOUT_S)

    def _remedy(self, check: str) -> str:
        if check in {"pause", "stop", "stop again"}:
            return f"See whether a schedule or an app of {self._id} itself is on."
        return f"See whether the car has a timer or is full, and {self._id} is set to free charging."

    def _end(self, number: str, protocol: str | None) -> None:
        """End the transaction that the test began, once nothing flows in it."""
        request = _ending(protocol, number)
        if request is None:
            return
        action, payload = request
        answer = self._client.post(f"{self._path}/ocpp/{action}?force=true", payload, timeout_s=ANSWER_TIMEOUT_S)
        ended = self._until(lambda charger: charger["transactionId"] != number, within=ENDS_WITHIN)
        if ended["transactionId"] != number:
            self._say(Finding("end", Verdict.OK, f"transaction {number} ended when it was asked to"))
            return
        said = (answer.get("response") or {}).get("status") or (answer.get("error") or {}).get("code")
        words = f"transaction {number} goes on; {action} was answered {said}"
        self._say(Finding("end", Verdict.PROBLEM, words, f"See whether {self._id} is set to be controlled remotely."))

    def _restore(self, before: Json) -> None:
        """Leave the charger as it was, also after a failure or an interrupt."""
        try:
            finding = self._restored(before)
        except Failed as fault:
            words = f"{self._id} could not be left as it was: {fault.lines[0]}"
            finding = Finding("restore", Verdict.PROBLEM, words, UNPLUG)
        self._say(finding)

    def _restored(self, before: Json) -> Finding:
        was_charging = before["isCharging"] is True
        now = self._client.get(self._path)
        if was_charging and not now["isCharging"]:
            self._asked("go on", "START")
        elif not was_charging and not _is_stopped_by_hand(now):
            self._asked("stop again", "STOP")
        if not was_charging and before["transactionId"] is None and now["transactionId"] is not None:
            self._end(now["transactionId"], now["protocol"])
        now = self._client.get(self._path)
        if (now["isCharging"] is True) is not was_charging:
            words = f"{self._id} is {'charging' if now['isCharging'] else 'not charging'}, which it was not before"
            return Finding("restore", Verdict.PROBLEM, words, UNPLUG)
        if not was_charging and now["transactionId"] not in {None, before["transactionId"]}:
            words = f"{self._id} stays stopped by hand, for the transaction that was begun is still open"
            return Finding("restore", Verdict.NOTE, words, UNPLUG)
        if not _is_stopped_by_hand(before):
            self._client.delete(f"{self._path}/charging")
        return Finding("restore", Verdict.OK, f"left as it was, {'charging' if was_charging else 'not charging'}")

    def _until(self, holds: Callable[[Json], bool], within: timedelta = GIVES_UP_AFTER) -> Json:
        """Follow the charger until something holds or it took too long; return the document of then."""
        until = self._client.now() + within
        latest: Json = {}
        for latest in self._documents():
            if holds(latest) or self._client.now() > until:
                break
        return latest

    def _documents(self) -> Iterator[Json]:
        """The charger as it is, whenever something changed, and now and then."""
        latest: Json | None = None
        for change in self._client.changes():
            if change is not None and change[0] == "charger" and change[1]["key"] == self._id:
                latest = change[1]["document"]
            if latest is not None:
                yield latest


def _flows(charger: Json) -> bool:
    return charger["sampledPower"] is not None and charger["sampledPower"] >= FLOWS_FROM_KW


def _shown(charger: Json) -> str:
    power = charger["sampledPower"]
    return "no power was told" if power is None else f"{power:g} kW were measured"


def _is_judged(charger: Json) -> bool:
    return bool(charger["action"]["state"] != "PENDING")


def _is_stopped_by_hand(charger: Json) -> bool:
    action: Json | None = charger["action"]
    return action is not None and (action["kind"], action["state"]) == ("STOP", "CONFIRMED")


def _ending(protocol: str | None, number: str) -> tuple[str, Json] | None:
    """The request that ends a transaction; None in a protocol that has none."""
    match protocol:
        case "OCPP 1.6":
            return "RemoteStopTransaction", {"transactionId": int(number)}
        case "OCPP 2.0.1":
            return "RequestStopTransaction", {"transactionId": number}
        case _:
            return None


def _seconds(earlier: str, later: str | None) -> str:
    if later is None:
        return "?"
    return f"{max((datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds(), 0):.0f}"
