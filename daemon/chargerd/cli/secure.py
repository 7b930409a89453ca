"""``chargerd secure``: a password, TLS, or a certificate for a charger, without locking it out."""

import argparse
import threading
from typing import Any
from urllib.parse import quote

from chargerd.cli.client import Client, add_client_options
from chargerd.cli.command import Command, Status, failed
from chargerd.cli.sessions import print_json
from chargerd.cli.text import plain

Json = Any
LOOK_S = 1.0
_IN_WORDS = {
    0: "without a password that is asked for",
    1: "with a password, not over TLS (security profile 1)",
    2: "over TLS, with a password (security profile 2)",
    3: "over TLS, with a certificate of its own (security profile 3)",
}


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("charger", metavar="CHARGER", help="name of the charger in the configuration")
    wish = parser.add_argument_group("what it is to have; nothing: show how it comes in")
    wish.add_argument(
        "--profile", type=int, choices=(1, 2, 3), help="1: a password, 2: and TLS, 3: TLS and a certificate"
    )
    wish.add_argument("--new-password", action="store_true", help="make a password and give it to the charger")
    wish.add_argument("--new-certificate", action="store_true", help="have the charger ask for a certificate; sign it")
    how = parser.add_argument_group("how")
    how.add_argument(
        "--certificates-installed",
        action="store_true",
        help="you gave it the root, and for profile 3 its certificate, in its own settings",
    )
    how.add_argument("--interface", default="Wired0", help="OCPP 2.0.1: its network, Wired0 (default) or Wireless0")
    how.add_argument("--force", action="store_true", help="begin though the car that is plugged in may be disturbed")
    add_client_options(parser)


def _secure(args: argparse.Namespace) -> int:
    client, path = Client.of(args), f"/v1/chargers/{quote(args.charger, safe='')}/security"
    if args.profile is None and not args.new_password and not args.new_certificate:
        found = client.get(path)
        if args.json:
            print_json(found)
        else:
            _show(args.charger, found)
        return Status.DONE
    wish = {
        "profile": args.profile,
        "newPassword": args.new_password,
        "newCertificate": args.new_certificate,
        "certificatesInstalled": args.certificates_installed,
        "interface": args.interface,
    }
    begun = client.post(path + ("?force=true" if args.force else ""), wish)
    ended = _follow(client, path, begun, quiet=args.json)
    upgrade = ended["upgrade"]
    if args.json:
        print_json(ended)
    elif upgrade["advice"]:
        print(plain(upgrade["advice"]))
    if upgrade["state"] == "DONE":
        return Status.DONE
    raise failed(Status.FAILED, plain(f"{args.charger}: {upgrade['steps'][-1]['words']}"))


def _follow(client: Client, path: str, found: Json, *, quiet: bool) -> Json:
    """Print each step as it is done; an interrupt ends this, and not what goes on in the daemon."""
    shown, pause = 0, threading.Event()
    while True:
        upgrade = found["upgrade"]
        for step in [] if quiet else upgrade["steps"][shown:]:
            print(plain(step["words"]), flush=True)
        shown = len(upgrade["steps"])
        if upgrade["endedAt"] is not None:
            return found
        pause.wait(LOOK_S)
        found = client.get(path)


def _show(charger: str, found: Json) -> None:
    profile, upgrade = found["profile"], found["upgrade"]
    print(plain(f"{charger} comes in {_IN_WORDS[profile]}." if profile is not None else f"{charger} is not connected."))
    if upgrade is None:
        return
    print(f"The last upgrade began at {upgrade['startedAt']}: {upgrade['state']}.")
    for step in upgrade["steps"]:
        print(plain(f"  {step['at']}  {step['words']}"))
    if upgrade["advice"]:
        print(plain(f"  {upgrade['advice']}"))


COMMANDS = {"secure": Command(_add, _secure)}
