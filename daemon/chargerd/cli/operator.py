"""``chargerd ocpp``: one request to a charger, for diagnosis."""

import argparse
import json
import sys
from typing import Any
from urllib.parse import quote

from chargerd.cli.client import Client, add_client_options
from chargerd.cli.command import Command, Status, failed
from chargerd.cli.sessions import print_json
from chargerd.cli.text import plain

ANSWER_TIMEOUT_S = 1300.0
"""Longer than the daemon may wait for the charger's answer; an interrupt ends it sooner."""


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("charger", metavar="CHARGER", help="name of the charger in the configuration")
    parser.add_argument("action", metavar="ACTION", help="for example GetConfiguration, Reset; a wrong one lists all")
    parser.add_argument("payload", nargs="?", metavar="JSON", default="{}", help="its payload, - for standard input")
    parser.add_argument("--force", action="store_true", help="send it though it may disturb the car that is plugged in")
    add_client_options(parser)


def _ocpp(args: argparse.Namespace) -> int:
    path = f"/v1/chargers/{quote(args.charger, safe='')}/ocpp/{quote(args.action, safe='')}"
    query = "?force=true" if args.force else ""
    answer = Client.of(args).post(path + query, _payload(args.payload), timeout_s=ANSWER_TIMEOUT_S)
    error = answer.get("error")
    if args.json:
        print_json(answer)
    elif error is None:
        print(json.dumps(answer["response"], indent=2))
    if error is None:
        return Status.DONE
    words = f"{error['code']} {error['description']}".rstrip()
    raise failed(Status.FAILED, plain(f"{args.charger} answered with an error: {words}"))


def _payload(text: str) -> Any:
    try:
        payload = json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as fault:
        raise failed(Status.USAGE, f"ocpp: the payload is no JSON: {fault}") from fault
    if not isinstance(payload, dict):
        raise failed(Status.USAGE, "ocpp: the payload is to be a JSON object, for example {}")
    return payload


COMMANDS = {"ocpp": Command(_add, _ocpp)}
