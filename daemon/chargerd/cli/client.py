"""The running daemon through its HTTP API, with nothing but the standard library."""

import argparse
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any

from chargerd.cli.command import Status, failed
from chargerd.cli.text import plain

DEFAULT_URL = "http://127.0.0.1:8480"
TIMEOUT_S = 40
"""Longer than the daemon takes to give up on a decision."""

Json = Any


def add_client_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command that talks to the daemon takes."""
    group = parser.add_argument_group("daemon")
    group.add_argument(
        "--url",
        default=os.environ.get("CHARGERD_URL", DEFAULT_URL),
        help="where the daemon listens (default %(default)s; environment CHARGERD_URL)",
    )
    group.add_argument(
        "--token-file",
        type=Path,
        default=os.environ.get("CHARGERD_TOKEN_FILE"),
        metavar="FILE",
        help="file that holds the daemon's token (environment CHARGERD_TOKEN_FILE)",
    )
    group.add_argument("--json", action="store_true", help="print the API's answer as it is")


class Client:
    """One daemon."""

    def __init__(self, url: str, token: str | None = None) -> None:
        if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
            raise failed(Status.USAGE, f"--url {url}: expected http:// or https://")
        self._url = url.rstrip("/")
        self._token = token
        # No proxy: the daemon is on this machine or in this house.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Client":
        """Return the client that the options of the command name."""
        if args.token_file is None:
            return cls(args.url)
        try:
            return cls(args.url, Path(args.token_file).read_text().strip())
        except (OSError, UnicodeDecodeError) as fault:
            raise failed(Status.FAILED, f"--token-file {args.token_file}: {fault}") from fault

    def get(self, path: str, **query: str | int | None) -> Json:
        """Return the answer to a GET; parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path + (f"?{urllib.parse.urlencode(given)}" if given else ""))

    def put(self, path: str, body: Json) -> Json:
        """Return the answer to a PUT."""
        return self._ask("PUT", path, json.dumps(body).encode())

    def post(self, path: str, body: Json, *, timeout_s: float = TIMEOUT_S) -> Json:
        """Return the answer to a POST, for which may be waited so long."""
        return self._ask("POST", path, json.dumps(body).encode(), timeout_s=timeout_s)

    def delete(self, path: str) -> Json:
        """Return the answer to a DELETE."""
        return self._ask("DELETE", path)

    def changes(self) -> Iterator[tuple[str, Json] | None]:
        """Follow the event stream: topic and data of each document, all there are first; None when nothing is new.

        Ends when the daemon does.
        """
        headers = {"Accept": "text/event-stream", **self._authorization()}
        request = urllib.request.Request(self._url + "/v1/events", None, headers)  # noqa: S310 - looked at when made
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                topic = ""
                for line in response:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name == "event":
                        topic = value
                    elif name == "data":
                        yield topic, json.loads(value)
                    elif name == "":
                        yield None
        except (OSError, HTTPException, ValueError) as fault:
            raise failed(Status.UNREACHABLE, f"the daemon at {self._url} is gone: {plain(str(fault))}") from fault

    def _authorization(self) -> dict[str, str]:
        return {} if self._token is None else {"Authorization": f"Bearer {self._token}"}

    def readiness(self) -> Json:
        """Return how the daemon is, also when it is not ready."""
        return self._ask("GET", "/readyz", unready_is_fine=True)

    def now(self) -> datetime:
        """Return the daemon's time, which may be an accelerated one."""
        return datetime.fromisoformat(self.readiness()["now"])

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        unready_is_fine: bool = False,
        timeout_s: float = TIMEOUT_S,
    ) -> Json:
        headers = {"Accept": "application/json", **self._authorization()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        # The scheme was looked at when the client was made.
        request = urllib.request.Request(self._url + path, body, headers, method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=timeout_s) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as answer:
            with answer:
                return self._refused(answer.code, answer.read(), unready_is_fine=unready_is_fine)
        except (OSError, HTTPException, ValueError) as fault:
            reason = getattr(fault, "reason", None) or fault
            reason = getattr(reason, "strerror", None) or reason
            raise failed(Status.UNREACHABLE, f"no daemon at {self._url}: {plain(str(reason).strip())}") from fault

    def _refused(self, status: int, body: bytes, *, unready_is_fine: bool) -> Json:
        try:
            problem = json.loads(body)
        except ValueError:
            problem = {}
        if not isinstance(problem, dict):
            problem = {}
        if unready_is_fine and status == HTTPStatus.SERVICE_UNAVAILABLE and "now" in problem:
            return problem
        if status == HTTPStatus.UNAUTHORIZED:
            raise failed(Status.FAILED, "the daemon wants its token: give --token-file, or set CHARGERD_TOKEN_FILE")
        raise failed(Status.FAILED, plain(problem.get("detail") or f"the daemon answered {status}"))


def choose_policy(policies: list[Json], wanted: str | None) -> Json:
    """Return the policy that is meant: by id, a prefix of it, or the name of its vehicle or charger.

    None is the only one there is. Fails with the choice there is when none or several fit.
    """
    if wanted is None:
        fitting = policies
        complaint = "there are several policies, name one" if policies else "there is no policy"
    else:
        fitting = _fitting(policies, wanted)
        complaint = f"{wanted} fits several policies" if fitting else f"no policy is called {wanted}"
    if len(fitting) == 1:
        return fitting[0]
    choice = "; ".join(f"{one['id']} ({label(one)})" for one in fitting or policies)
    raise failed(Status.USAGE, f"{complaint}: {choice}" if choice else complaint)


def _fitting(policies: list[Json], wanted: str) -> list[Json]:
    named = [one for one in policies if wanted in {one["id"], one["vehicleId"], one["chargerId"]}]
    return named or [one for one in policies if one["id"].startswith(wanted.lower())]


def label(policy: Json) -> str:
    """Return what a resident calls a policy."""
    return f"{policy['vehicleId']} at {policy['chargerId']}"
