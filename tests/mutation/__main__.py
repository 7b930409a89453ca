"""``make mutants``: put small faults into the core and the plan, one at a time, and list those that no test notices.

Runs in a copy of the tree, so that work goes on meanwhile. ``ARGS`` restricts it: parts of module names such as
``core/ledger``, ``--again`` for what survived the last time, ``--jobs`` for the number of processes.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path

from tests.mutation.changes import words_of
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trial import Known, Verdict, forked, observed, tried, verdict_of, warmed_up

SOURCE = Path("daemon/chargerd").resolve()
PACKAGES = ("core", "plan")
TESTS = ["tests/unit/core", "tests/unit/plan", "tests/playbook", "tests/property"]
EQUIVALENT = Path("tests/mutation/equivalent.txt")
RESULT = Path("../mutants.json")
LIMIT_TIMES, LIMIT_LEAST_S = 5, 1.0
"""A test may take so many times its usual time, and no less than this."""


def main() -> int:
    """Try all faults asked for, and report."""
    asked = _asked()
    begun = time.perf_counter()
    sources = {
        path.relative_to(SOURCE).as_posix(): path.read_text()
        for package in PACKAGES
        for path in sorted((SOURCE / package).glob("*.py"))
    }
    mutants = _chosen(asked, sources)
    warmed_up()
    known = _known(sources)
    print(f"{len(mutants)} faults, {len(known.seconds)} tests", flush=True)
    verdicts = _verdicts(mutants, sources, known, asked.jobs)
    survivors = [mutant for mutant in mutants if verdicts[mutant] is Verdict.SURVIVED]
    for mutant in survivors:
        print(f"\ndaemon/chargerd/{mutant.module}:{mutant.line} {mutant.name}\n{mutant.diff(sources[mutant.module])}")
    _table(verdicts)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = spent.ru_utime + spent.ru_stime
    print(f"{(time.perf_counter() - begun) / 60:.0f} minutes, {cpu_s / 60:.0f} minutes of processor time")
    RESULT.write_text(json.dumps([mutant.name for mutant in survivors], indent=1))
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", default=[""], help="parts of module names, such as core/ledger")
    parser.add_argument("--again", action="store_true", help="only what survived the last time")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    return parser.parse_args()


def _chosen(asked: argparse.Namespace, sources: dict[str, str]) -> list[Mutant]:
    """The faults asked for, without those that are known to change nothing."""
    words = words_of(sources.values())
    every = [mutant for module, source in sources.items() for mutant in mutants_of(module, source, words)]
    equivalent = {line.partition("  # ")[0] for line in EQUIVALENT.read_text().splitlines() if not line.startswith("#")}
    for gone in sorted(equivalent - {mutant.name for mutant in every} - {""}):
        print(f"{EQUIVALENT}: there is no such fault any more: {gone}")
    last = set(json.loads(RESULT.read_text())) if asked.again else None
    return [
        mutant
        for mutant in every
        if any(part in mutant.module for part in asked.modules)
        and mutant.name not in equivalent
        and (last is None or mutant.name in last)
    ]


def _known(sources: dict[str, str]) -> Known:
    """Run the tests without a fault, once to watch them and once as in a trial."""
    file = Path("known.json")
    watching = forked(lambda: file.write_text(observed(TESTS, SOURCE, sources).to_json()) and 0)
    if os.waitpid(watching, 0)[1] != 0:
        sys.exit("the tests fail without any fault; see make test")
    known = Known.from_json(file.read_text())
    module = next(iter(sources))
    plain = forked(lambda: tried(_name(module), SOURCE / module, sources[module], _limits(known.seconds)))
    if verdict_of(os.waitpid(plain, 0)[1]) is not Verdict.SURVIVED:
        sys.exit("the tests fail in a trial without any fault")
    return known


def _verdicts(mutants: list[Mutant], sources: dict[str, str], known: Known, jobs: int) -> dict[Mutant, Verdict]:
    """Try faults, some at a time; say where it stands."""
    verdicts: dict[Mutant, Verdict] = {}
    running: dict[int, Mutant] = {}

    def await_one() -> None:
        pid, status = os.wait()
        mutant = running.pop(pid)
        verdicts[mutant] = verdict_of(status)
        assert verdicts[mutant] is not Verdict.NO_CODE, mutant.name
        if verdicts[mutant] is Verdict.SURVIVED:
            print(f"{len(verdicts)}/{len(mutants)} survived: {mutant.module}:{mutant.line}", flush=True)

    for mutant in mutants:
        if len(running) == jobs:
            await_one()
        source, tests = mutant.applied(sources[mutant.module]), known.tests_of(mutant.module, mutant.statement)
        work = partial(tried, _name(mutant.module), SOURCE / mutant.module, source, _limits(tests))
        running[forked(work)] = mutant
    while running:
        await_one()
    return verdicts


def _name(module: str) -> str:
    return f"chargerd.{module.removesuffix('.py').replace('/', '.')}"


def _limits(seconds: dict[str, float]) -> dict[str, float]:
    return {test: max(LIMIT_TIMES * usual, LIMIT_LEAST_S) for test, usual in seconds.items()}


def _table(verdicts: dict[Mutant, Verdict]) -> None:
    """How many faults of each module came to which end."""
    row = "{:<24}{:>8}{:>8}{:>11}{:>11}{:>10}{:>8}"
    print("\n" + row.format("", "faults", "killed", "by search", "timed out", "survived", "killed"))
    for module in [*sorted({mutant.module for mutant in verdicts}), ""]:
        ends = Counter(verdict for mutant, verdict in verdicts.items() if module in {"", mutant.module})
        count = sum(ends.values())
        share = f"{100 * (count - ends[Verdict.SURVIVED]) / count:.1f} %" if count else ""
        numbers = [ends[verdict] for verdict in (Verdict.KILLED, Verdict.KILLED_BY_SEARCH, Verdict.TIMED_OUT)]
        print(row.format(module or "all", count, *numbers, ends[Verdict.SURVIVED], share))


if __name__ == "__main__":
    sys.exit(main())
