"""``chargerd target`` and ``chargerd boost``: a user's wish for this session."""

import argparse
import re
from datetime import datetime, time, timedelta
from typing import Any

from chargerd.cli.client import Client, add_client_options, choose_policy
from chargerd.cli.command import Command, Status, failed
from chargerd.cli.sessions import add_policy, show_session


def ready_by(text: str, now: datetime) -> datetime:
    """Read a deadline: RFC 3339 with a zone, or the next HH:MM in the terminal's local time after ``now``.

    Raises ValueError with a sentence.
    """
    if re.fullmatch(r"\d{1,2}:\d{2}", text, re.ASCII):
        return _next(_time_of_day(text), now)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        msg = f"--ready-by {text}: expected a time of day such as 07:00, or a time such as 2026-01-15T07:00:00Z"
        raise ValueError(msg)
    return at


def _time_of_day(text: str) -> time:
    hours, minutes = (int(part) for part in text.split(":"))
    try:
        return time(hours, minutes)
    except ValueError as fault:
        msg = f"--ready-by {text}: there is no such time of day"
        raise ValueError(msg) from fault


def _next(wanted: time, now: datetime) -> datetime:
    # Naive local time picks its own offset in astimezone(), so a night with a clock change comes out right.
    today = now.astimezone().date()
    for days in (0, 1, 2):
        at = datetime.combine(today + timedelta(days=days), wanted).astimezone()
        if at > now:
            return at
    raise AssertionError("one of three days lies ahead")


def _add_target(parser: argparse.ArgumentParser) -> None:
    add_policy(parser)
    parser.add_argument("--level", type=_level, metavar="N", help="level in percent, 1 to 100; else as it is now")
    parser.add_argument(
        "--ready-by", metavar="TIME", help="07:00 (the next one, local time) or RFC 3339; else as it is now"
    )
    # The positional is POLICY too; this switch goes back to what the policy says.
    parser.add_argument("--policy", action="store_true", dest="back", help="go back to the policy's own target")
    add_client_options(parser)


def _target(args: argparse.Namespace) -> int:
    changes = args.level is not None or args.ready_by is not None
    if changes == args.back:
        raise failed(Status.USAGE, "target: give --level, --ready-by or both; or --policy and neither of them")
    client = Client.of(args)
    policy = choose_policy(client.get("/v1/policies")["data"], args.policy)
    path = f"/v1/policies/{policy['id']}/session/target"
    document = client.delete(path) if args.back else client.put(path, _wish(client, args, policy))
    show_session(client, args, policy, document)
    return Status.DONE


def _wish(client: Client, args: argparse.Namespace, policy: Any) -> dict[str, Any]:
    level, deadline = args.level, args.ready_by
    if deadline is not None:
        try:
            deadline = ready_by(deadline, client.now()).isoformat()
        except ValueError as fault:
            raise failed(Status.USAGE, str(fault)) from fault
    if level is None or deadline is None:
        present = client.get(f"/v1/policies/{policy['id']}/session")["target"]["latest"]
        if present is None or present["type"] != "REGULAR":
            raise failed(Status.USAGE, "target: no schedule is in force now, so give both --level and --ready-by")
        level = present["minimumChargeTarget"] if level is None else level
        deadline = present["readyBy"] if deadline is None else deadline
    return {"type": "REGULAR", "minimumChargeTarget": level, "readyBy": deadline}


def _add_boost(parser: argparse.ArgumentParser) -> None:
    add_policy(parser)
    parser.add_argument(
        "--level", type=_level, default=100, metavar="N", help="percent, 1 to 100 (default %(default)s)"
    )
    add_client_options(parser)


def _boost(args: argparse.Namespace) -> int:
    client = Client.of(args)
    policy = choose_policy(client.get("/v1/policies")["data"], args.policy)
    wish = {"type": "IMMEDIATE_START", "minimumChargeTarget": args.level}
    show_session(client, args, policy, client.put(f"/v1/policies/{policy['id']}/session/target", wish))
    return Status.DONE


def _level(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        msg = f"{text!r}: expected a whole number from 1 to 100"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


COMMANDS = {"target": Command(_add_target, _target), "boost": Command(_add_boost, _boost)}
