"""``chargerd explain``: why a car is charging now, or is not."""

import argparse
import textwrap
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chargerd.cli.client import Client, add_client_options, choose_policy, label
from chargerd.cli.command import Command, Status
from chargerd.cli.price_text import rung_text
from chargerd.cli.session_text import error_text, target_text
from chargerd.cli.sessions import add_policy, print_json
from chargerd.cli.text import MISSING, clock_time, moment, percent, plain, table

WIDTH = 100

Json = dict[str, Any]


def explanation_text(document: Json, title: str, now: datetime) -> str:
    """Return the words, and under them what they rest on; what is null is left out or a dash."""
    charging = {True: "charging", False: "not charging", None: "not known whether it is charging"}
    head = f"{title}  {plain(document['reason'])}, {charging[document['isCharging']]}"
    words = textwrap.wrap(plain(document["words"]), WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join([head, *(f"  {line}" for line in words), "", table(_facts(document, now), indent="  ")])


def _facts(document: Json, now: datetime) -> Iterator[tuple[str, str]]:
    yield "target", target_text({"target": {"latest": document["target"]}}, now)
    yield "next", _next(document["next"], now)
    yield "plan", _plan(document["plan"])
    yield "prices", _prices(document["plan"], now)
    evidence = document["evidence"]
    yield "charger", _charger(evidence, now)
    yield "plug", _plug(evidence, now)
    yield "meter", _meter(evidence, now)
    yield "battery", _battery(evidence, now)
    yield "command", _command(document["lastCommand"], now)
    if document["attempts"] is not None:
        yield "attempts", _attempts(document["attempts"], now)
    if document["refusedBy"] is not None:
        yield "refused by", plain(document["refusedBy"])
    if document["error"] is not None:
        yield "error", error_text({"error": {"latest": document["error"]}})


def _next(block: Json | None, now: datetime) -> str:
    if block is None:
        return MISSING
    return f"{moment(block['startAt'], now)} - {clock_time(block['endAt'])}, {plain(block['type'])}"


def _plan(plan: Json) -> str:
    missing = "not known how much is missing" if plan["missingKwh"] is None else f"{plan['missingKwh']:.1f} kWh missing"
    power = f"{plan['powerW'] / 1000:.1f} kW ({plain(plan['powerSource']).lower()})"
    return f"{missing}, at {power}"


def _prices(plan: Json, now: datetime) -> str:
    known = plain(plan["prices"]).lower().replace("_", " ")
    return f"{known}; {rung_text(plan['priceRung'], plan['pricesOldSince'], now)}"


def _charger(evidence: Json, now: datetime) -> str:
    online = "online" if evidence["isOnline"] else "OFFLINE"
    said = f"{online}{_since(evidence['isOnlineSince'], now)}"
    if evidence["activity"] is not None:
        said += f"; says {plain(evidence['activity'])}{_since(evidence['activitySince'], now)}"
    return said if evidence["fault"] is None else f"{said}; FAULT {plain(evidence['fault'])}"


def _plug(evidence: Json, now: datetime) -> str:
    if evidence["isPluggedIn"] is None:
        return MISSING
    said = "plugged in" if evidence["isPluggedIn"] else "not plugged in"
    said += _since(evidence["isPluggedInSince"], now)
    if evidence["transactionId"] is not None:
        said += f"; transaction {plain(evidence['transactionId'])}"
    return f"{said}; a card or an id of the car was shown" if evidence["isTokenShown"] else said


def _meter(evidence: Json, now: datetime) -> str:
    if evidence["sampledAt"] is None:
        return MISSING
    power = MISSING if evidence["powerW"] is None else f"{evidence['powerW']} W"
    register = "" if evidence["registerWh"] is None else f", register {evidence['registerWh']} Wh"
    said = f"{power}{register}, read {moment(evidence['sampledAt'], now)}"
    if evidence["chargingSince"] is not None:
        return f"{said}; charging since {moment(evidence['chargingSince'], now)}"
    stopped = evidence["stoppedAt"]
    return said if stopped is None else f"{said}; stopped {moment(stopped, now)}"


def _battery(evidence: Json, now: datetime) -> str:
    level = percent(evidence["batteryLevel"])
    source = evidence["batteryLevelSource"]
    if source is None:
        return level
    if evidence["batteryLevelToldAt"] is None:
        return f"{level}, {plain(source).lower()}"
    return f"{level}, told by the {plain(source).lower()} {moment(evidence['batteryLevelToldAt'], now)}"


def _command(command: Json | None, now: datetime) -> str:
    if command is None:
        return MISSING
    limit = "" if command["limitA"] is None else f" {command['limitA']:g} A"
    said = f"{plain(command['action'])}{limit}, sent {moment(command['sentAt'], now)}: {plain(command['answer'])}"
    return said if command["detail"] is None else f"{said} ({plain(command['detail'])})"


def _attempts(attempts: Json, now: datetime) -> str:
    following = "" if attempts["nextAt"] is None else f", the next one {moment(attempts['nextAt'], now)}"
    return f"{attempts['made']} made{following}"


def _since(at: str | None, now: datetime) -> str:
    return "" if at is None else f" since {moment(at, now)}"


def _add_explain(parser: argparse.ArgumentParser) -> None:
    add_policy(parser)
    add_client_options(parser)


def _explain(args: argparse.Namespace) -> int:
    client = Client.of(args)
    policy = choose_policy(client.get("/v1/policies")["data"], args.policy)
    document = client.get(f"/v1/policies/{policy['id']}/session/explanation")
    if args.json:
        print_json(document)
    else:
        print(explanation_text(document, label(policy), client.now()))
    return Status.DONE


COMMANDS = {"explain": Command(_add_explain, _explain)}
