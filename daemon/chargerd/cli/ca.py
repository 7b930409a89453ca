"""``chargerd ca``: certificates of the household's own, for chargers over TLS."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from chargerd.cli.command import Command, Status, failed
from chargerd.clock import SystemClock

if TYPE_CHECKING:
    from chargerd.cli.authority import Authority, Issued

FOLDER = Path("/etc/chargerd/tls")


def _add(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="do", metavar="ACTION", required=True)
    init = actions.add_parser("init", help="make the root certificate, once; chargers are given it")
    init.add_argument("--name", default="chargerd home CA", help="name in the root certificate")
    issue = actions.add_parser("issue", help="make or renew the gateway's certificate, or that of a charger")
    issue.add_argument(
        "names", nargs="*", metavar="NAME", help="names and addresses by which chargers call the gateway; the last ones"
    )
    issue.add_argument("--charger", metavar="IDENTITY", help="make one for this charger instead (security profile 3)")
    show = actions.add_parser("show", help="list the certificates; --pem prints the root, to be given to chargers")
    show.add_argument("--pem", action="store_true", help="print the root certificate")
    show.add_argument("--json", action="store_true", help="print them as JSON")
    for action in (init, issue, show):
        action.add_argument("--folder", type=Path, default=FOLDER, help=f"where they are kept, default {FOLDER}")


def _ca(args: argparse.Namespace) -> int:
    try:
        from chargerd.cli.authority import Authority  # noqa: PLC0415  # the daemon's machine may lack cryptography
    except ImportError as error:
        words = "ca needs the package cryptography, as pip install 'chargerd[ca]' brings it, here or elsewhere"
        raise failed(Status.FAILED, words) from error
    authority = Authority(args.folder)
    try:
        return {"init": _init, "issue": _issue, "show": _show}[args.do](authority, args)
    except FileExistsError as error:
        words = f"ca: {error.filename} is there already, and no key is ever overwritten"
        raise failed(Status.FAILED, words) from error
    except (OSError, ValueError, TypeError) as error:
        raise failed(Status.FAILED, f"ca: {error}") from error


def _init(authority: "Authority", args: argparse.Namespace) -> int:
    made = authority.create(args.name, SystemClock().now())
    print(f"{made.certificate} is the root certificate, until {made.expires_at:%Y-%m-%d}. Give it to your chargers.")
    print(f"{made.key} is its key. Whoever has it can pass for your gateway; keep a copy in a safe place.")
    return Status.DONE


def _issue(authority: "Authority", args: argparse.Namespace) -> int:
    if not authority.exists:
        raise failed(Status.FAILED, f"ca: there is no root certificate in {args.folder} yet; first: chargerd ca init")
    now = SystemClock().now()
    if args.charger is not None:
        made = authority.issue_charger(args.charger, now)
        print(
            f"{made.certificate} and {made.key} are for the charger {args.charger}, until {made.expires_at:%Y-%m-%d}."
        )
        print(f'With tls_client_ca_file = "{authority.certificate}", security profile 3 lets it in.')
        return Status.DONE
    if not args.names and not (args.folder / "gateway.pem").exists():
        raise failed(Status.USAGE, "ca: name the gateway as chargers call it, for example 192.168.1.10 gateway.local")
    made = authority.issue_gateway(tuple(args.names), now)
    print(f"{made.certificate} is for {', '.join(made.names)}, until {made.expires_at:%Y-%m-%d}. In [ocpp]:")
    print(f'listen_tls = "0.0.0.0:8888"\ntls_certificate_file = "{made.certificate}"\ntls_key_file = "{made.key}"')
    print("The daemon's user must be able to read the key. A renewed certificate is used without a restart.")
    return Status.DONE


def _show(authority: "Authority", args: argparse.Namespace) -> int:
    if not authority.exists:
        raise failed(Status.FAILED, f"ca: there is no root certificate in {args.folder}")
    if args.pem:
        print(authority.certificate.read_text(encoding="ascii"), end="")
    elif args.json:
        print(json.dumps({"fingerprint": authority.fingerprint, "data": [_told(one) for one in authority.issued()]}))
    else:
        for one in authority.issued():
            print(f"{one.certificate}  {', '.join(one.names)}  until {one.expires_at:%Y-%m-%d}")
        print(f"SHA-256 of the root: {authority.fingerprint}")
    return Status.DONE


def _told(one: "Issued") -> dict[str, object]:
    return {
        "certificate": str(one.certificate),
        "key": str(one.key),
        "names": list(one.names),
        "expiresAt": f"{one.expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }


COMMANDS = {"ca": Command(_add, _ca)}
