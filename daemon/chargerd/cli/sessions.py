"""``chargerd status``, ``session`` and ``sessions``."""

import argparse
import json
from datetime import datetime
from typing import Any

from chargerd.cli.client import Client, add_client_options, choose_policy, label
from chargerd.cli.command import Command, Status
from chargerd.cli.price_text import prices_line
from chargerd.cli.session_text import battery_text, error_text, outcome_text, session_text, target_text
from chargerd.cli.text import MISSING, energy, moment, plain, table

PAGE_LIMIT = 200


def add_policy(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a policy."""
    parser.add_argument(
        "policy",
        nargs="?",
        metavar="POLICY",
        help="the policy: its vehicle, its charger, or the start of its id; may be left out when there is only one",
    )


def print_json(value: Any) -> None:
    """Print an answer of the API for a program."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _status(args: argparse.Namespace) -> int:
    client = Client.of(args)
    daemon = client.readiness()
    policies = client.get("/v1/policies")["data"]
    sessions = [client.get(f"/v1/policies/{policy['id']}/session") for policy in policies]
    prices = client.get("/v1/prices", **{"from": daemon["now"]})
    if args.json:
        print_json({"daemon": daemon, "policies": policies, "sessions": sessions, "prices": prices})
    else:
        _print_status(daemon, policies, sessions, prices)
    return Status.DONE if daemon["ready"] else Status.FAILED


def _print_status(daemon: Any, policies: list[Any], sessions: list[Any], prices: Any) -> None:
    now = datetime.fromisoformat(daemon["now"])
    ready = "ready" if daemon["ready"] else "NOT READY"
    online = f"{daemon['chargersOnline']} of {daemon['chargers']} chargers online"
    print(f"chargerd {plain(daemon['version'])} {ready} since {moment(daemon['startedAt'], now)}, {online}")
    for problem in daemon["problems"]:
        print(f"! {plain(problem)}")
    print(prices_line(prices, now))
    if not policies:
        return
    rows = [("POLICY", "STATE", "BATTERY", "TARGET", "OUTCOME", "ERROR")]
    rows += [
        (
            label(policy),
            plain(document["state"]),
            battery_text(document),
            target_text(document, now),
            outcome_text(document, now),
            error_text(document),
        )
        for policy, document in zip(policies, sessions, strict=True)
    ]
    print(f"\n{table(rows)}")


def _session(args: argparse.Namespace) -> int:
    client = Client.of(args)
    policy = choose_policy(client.get("/v1/policies")["data"], args.policy)
    show_session(client, args, policy, client.get(f"/v1/policies/{policy['id']}/session"))
    return Status.DONE


def show_session(client: Client, args: argparse.Namespace, policy: Any, document: Any) -> None:
    """Print a session document, for a program or for a person."""
    if args.json:
        print_json(document)
    else:
        print(session_text(document, label(policy), client.now()))


def _add_sessions(parser: argparse.ArgumentParser) -> None:
    add_policy(parser)
    parser.add_argument("--limit", type=_limit, default=20, metavar="N", help="how many at most (default %(default)s)")
    add_client_options(parser)


def _sessions(args: argparse.Namespace) -> int:
    client = Client.of(args)
    policies = client.get("/v1/policies")["data"]
    wanted = None if args.policy is None else choose_policy(policies, args.policy)["id"]
    data: list[Any] = []
    cursor: str | None = None
    while True:
        size = min(args.limit - len(data), PAGE_LIMIT)
        page = client.get("/v1/sessions", policyId=wanted, pageSize=size, after=cursor)
        data += page["data"]
        cursor = page["pagination"]["after"]
        if cursor is None or len(data) >= args.limit:
            break
    if args.json:
        print_json({"data": data})
    elif data:
        _print_sessions(client, {policy["id"]: label(policy) for policy in policies}, data)
    else:
        print("no session has settled yet")
    return Status.DONE


def _print_sessions(client: Client, labels: dict[str, str], data: list[Any]) -> None:
    now = client.now()
    rows = [("PLUGGED IN", "OUT", "ENERGY", "BATTERY", "OUTCOME", "POLICY", "ID")]
    rows += [
        (
            moment(session["pluggedInAt"], now),
            moment(session["pluggedOutAt"], now),
            energy(session["statistics"]["aggregated"]["kwhSum"]),
            battery_text(session),
            outcome_text(session, now),
            MISSING if session["policyId"] is None else labels.get(session["policyId"], session["policyId"][:8]),
            session["id"],
        )
        for session in data
    ]
    print(table(rows, right=frozenset({2})))


def _limit(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        msg = f"{text!r}: expected a whole number from 1"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _add_session(parser: argparse.ArgumentParser) -> None:
    add_policy(parser)
    add_client_options(parser)


COMMANDS = {
    "status": Command(add_client_options, _status),
    "session": Command(_add_session, _session),
    "sessions": Command(_add_sessions, _sessions),
}
