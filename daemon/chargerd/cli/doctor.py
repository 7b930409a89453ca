"""``chargerd doctor``: whether each charger is well, what is missing, and what a person can do about it."""

import argparse
from typing import Any

from chargerd.cli.client import Client, add_client_options
from chargerd.cli.command import Command, Status, failed
from chargerd.cli.doctor_charge import Trial
from chargerd.cli.doctor_checks import Finding, Verdict, examined
from chargerd.cli.sessions import print_json
from chargerd.cli.text import plain

Json = dict[str, Any]

_CHECK_WIDTH, _VERDICT_WIDTH = 15, 8


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("charger", nargs="?", metavar="CHARGER", help="name in the configuration; all when left out")
    parser.add_argument(
        "--test-charge",
        action="store_true",
        help="start, pause, resume and stop by hand with the car plugged in, judged by measured power; takes minutes, "
        "and leaves the charger as it was",
    )
    add_client_options(parser)


def _doctor(args: argparse.Namespace) -> int:
    client = Client.of(args)
    chargers = _chosen(client.get("/v1/chargers")["data"], args.charger)
    if args.test_charge and len(chargers) != 1:
        names = ", ".join(charger["id"] for charger in chargers)
        raise failed(Status.USAGE, f"doctor: name the charger to be tested: {names}")
    reports: list[tuple[Json, list[Finding]]] = []
    for charger in chargers:
        found: list[Finding] = []

        def say(finding: Finding, found: list[Finding] = found) -> None:
            found.append(finding)
            if not args.json:
                _print(finding)

        if not args.json:
            print(plain(charger["id"]), flush=True)
        if args.test_charge:
            Trial(client, charger["id"], say).run()
        else:
            for finding in _examined(client, charger):
                say(finding)
        reports.append((charger, found))
    if args.json:
        print_json({"data": [_report(charger, found) for charger, found in reports]})
    is_well = not any(finding.verdict is Verdict.PROBLEM for _, found in reports for finding in found)
    return Status.DONE if is_well else Status.FAILED


def _examined(client: Client, charger: Json) -> list[Finding]:
    paths = [f"/v1/policies/{policy_id}/session/explanation" for policy_id in charger["policyIds"]]
    return examined(charger, [client.get(path) for path in paths], client.now())


def _chosen(chargers: list[Json], wanted: str | None) -> list[Json]:
    chosen = [charger for charger in chargers if wanted in {None, charger["id"]}]
    if chosen:
        return chosen
    if not chargers:
        raise failed(Status.FAILED, "no charger is configured")
    names = ", ".join(charger["id"] for charger in chargers)
    raise failed(Status.USAGE, f"no charger is called {wanted}; there is {names}")


def _report(charger: Json, found: list[Finding]) -> Json:
    return {"id": charger["id"], "findings": [finding.document for finding in found]}


def _print(finding: Finding) -> None:
    verdict = "" if finding.verdict is Verdict.OK else str(finding.verdict)
    print(f"  {finding.check:<{_CHECK_WIDTH}} {verdict:<{_VERDICT_WIDTH}} {plain(finding.words)}", flush=True)
    if finding.remedy:
        print(f"  {'':<{_CHECK_WIDTH}} {'':<{_VERDICT_WIDTH}} -> {plain(finding.remedy)}", flush=True)


COMMANDS = {"doctor": Command(_add, _doctor)}
