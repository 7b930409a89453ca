"""``chargerd adopt``: who knocked and is held off, and letting one of them in by a block in the configuration."""

import argparse
import json
import os
import re
import shutil
import unicodedata
from pathlib import Path
from typing import Any

from chargerd.cli.client import Client, add_client_options
from chargerd.cli.command import Command, Failed, Status, failed
from chargerd.cli.sessions import print_json
from chargerd.cli.text import moment, plain, table

Json = Any
NAME_MAX = 64


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("identity", nargs="?", metavar="IDENTITY", help="whom to let in; left out: list who knocked")
    parser.add_argument("--id", metavar="NAME", help="your name for it, as garage; else made from its identity")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration, when it is not the daemon's")
    add_client_options(parser)


def _adopt(args: argparse.Namespace) -> int:
    client = Client.of(args)
    answer = client.get("/v1/pending-chargers")
    if args.identity is None:
        if args.json:
            print_json(answer)
        else:
            _list(answer["data"], client)
        return Status.DONE
    knocked = _who(answer["data"], args.identity)
    charger_id = args.id or name_of(knocked["identity"])
    path = args.config or Path(answer["configurationFile"])
    _write(path, block(knocked, charger_id))
    client.post("/v1/configuration/reload", {})
    if args.json:
        print_json({"id": charger_id, "identity": knocked["identity"], "configurationFile": str(path)})
    else:
        print(plain(f"{knocked['identity']} is {charger_id} now, in {path}, with 6 to 16 A on 3 phases."))
        print("Look at these, and give it a [[policy]]: until then it is measured and not controlled.")
    return Status.DONE


def _list(knocked: list[Json], client: Client) -> None:
    if not knocked:
        print("Nobody has knocked who is not in the configuration.")
        return
    now = client.now()
    rows: list[tuple[str, ...]] = [("IDENTITY", "ADDRESS", "MODEL", "PROTOCOL", "SEEN")]
    rows += [
        (
            plain(one["identity"]),
            plain(one.get("address")),
            plain(" ".join(filter(None, (one.get("vendor"), one.get("model"))))),
            plain(one.get("protocol")),
            moment(one.get("seenAt"), now),
        )
        for one in knocked
    ]
    print(table(rows))


def _who(knocked: list[Json], wanted: str) -> Json:
    for one in knocked:
        if _folded(one["identity"]) == _folded(wanted):
            return one
    known = ", ".join(one["identity"] for one in knocked) or "nobody"
    words = f"{wanted} has not knocked since the daemon started; who has: {known}"
    raise failed(Status.FAILED, plain(words))


def _folded(identity: str) -> str:
    return unicodedata.normalize("NFC", identity).casefold()


def name_of(identity: str) -> str:
    """Make a charger's name of its identity: letters, digits, hyphens and underscores."""
    name = re.sub(r"[^A-Za-z0-9_]+", "-", unicodedata.normalize("NFKD", identity)).strip("-_").lower()
    return name[:NAME_MAX] or "charger"


def block(knocked: Json, charger_id: str) -> str:
    """Return what is put at the end of the configuration; a JSON text is a TOML text as well.

    What a stranger calls itself must not stand for a variable of the environment.
    """
    keys = {"id": charger_id, "driver": knocked["driver"], "identity": knocked["identity"]}
    lines = [f"{key} = {json.dumps(value)}".replace("${", "$${") for key, value in keys.items()]
    return "\n".join(["", "[[charger]]", *lines, ""])


def _write(path: Path, addition: str) -> None:
    """Put the addition behind the file, if it is still a good one with it, at once and as a whole."""
    path = path.resolve()
    fresh = path.with_name(f"{path.name}.new")
    try:
        before = path.read_text(encoding="utf-8")
        shutil.copy(path, fresh)
        _keep_owner(path, fresh)
        known = _faults(fresh)
        fresh.write_text(before.rstrip("\n") + "\n" + addition, encoding="utf-8")
        found = _faults(fresh)
        new = [one.replace(str(fresh), str(path), 1) for one in found if one not in known]
        if new:
            fresh.unlink()
            raise Failed(Status.CONFIG, *new)
        fresh.replace(path)
    except OSError as error:
        why = error.strerror or str(error)
        words = f"adopt: cannot write {path}: {why}. Put these lines at its end, and reload the daemon (SIGHUP):"
        raise Failed(Status.FAILED, f"chargerd: {words}", *addition.strip().splitlines()) from error


def _keep_owner(path: Path, fresh: Path) -> None:
    status = path.stat()
    if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(fresh, status.st_uid, status.st_gid)


def _faults(path: Path) -> tuple[str, ...]:
    """Return what is wrong with a file. What the daemon's surroundings have and these lack is wrong before as well."""
    from chargerd.config import load_config  # noqa: PLC0415  # a list of who knocked needs none of it
    from chargerd.errors import ConfigError  # noqa: PLC0415  # likewise

    try:
        load_config(path)
    except ConfigError as error:
        return error.problems
    return ()


COMMANDS = {"adopt": Command(_add, _adopt)}
