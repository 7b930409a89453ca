"""``make mutants``: put small faults into the core and the plan, one at a time, and list those that no test notices.

Runs in a copy of the tree, so that work goes on meanwhile. ``ARGS`` restricts it: parts of module names such as
``core/ledger``, ``--again`` for what survived the last time or was not tried, ``--jobs`` for the number of processes,
``--seconds`` for the time that a fault may take: one that no test noticed by then counts as having survived.

Faults are tried in an order that has nothing to do with where they are, so those of a run that was stopped are a fair
sample of all.
"""

import argparse
import json
import math
import os
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any

from tests.mutation import trial
from tests.mutation.changes import words_of
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trial import Verdict, forked, killer, tried, verdict_of
from tests.mutation.watch import ON_IMPORT, Watch, watched

SOURCE = Path("daemon/chargerd")
PACKAGES = ("core", "plan")
TESTS = ("tests/unit/core", "tests/unit/plan", "tests/playbook", "tests/property")
EQUIVALENT = Path("tests/mutation/equivalent.txt")
TRIED = Path("../tried.txt")
"""What became of each fault, as it was found: a run that was stopped goes on with ``--again``."""
LIMIT_TIMES, LIMIT_LEAST_S = 5, 1.0
"""A test may take so many times its usual time, and no less than this."""
SHORT_S = 0.1
"""What is shorter runs before the searches: it notices nearly all that is noticed."""


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
    if not asked.again:
        TRIED.unlink(missing_ok=True)
    trial.warmed_up()
    tests = _tests(mutants, sources, asked.seconds)
    verdicts = _verdicts(mutants, sources, tests, asked.jobs)
    survivors = [(mutant, limits) for mutant, limits in zip(mutants, tests, strict=True) if not verdicts[mutant]]
    for mutant, limits in survivors:
        seen = "" if limits else ", and makes no difference in any test"
        print(f"\n{SOURCE / mutant.module}:{mutant.line} {mutant.name}{seen}\n{mutant.diff(sources[mutant.module])}")
    _table(verdicts)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = spent.ru_utime + spent.ru_stime
    print(f"{(time.perf_counter() - begun) / 60:.0f} minutes, {cpu_s / 60:.0f} minutes of processor time")
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", default=[""], help="parts of module names, such as core/ledger")
    parser.add_argument("--again", action="store_true", help="only what survived the last time or was not tried")
    parser.add_argument("--seconds", type=float, default=math.inf, help="CPU seconds of tests that a fault may take")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    return parser.parse_args()


def _chosen(asked: argparse.Namespace, sources: dict[str, str]) -> list[Mutant]:
    """The faults asked for, without those that are known to change nothing."""
    words = words_of(sources.values())
    every = [mutant for module, source in sources.items() for mutant in mutants_of(module, source, words)]
    equivalent = {line.partition("  # ")[0] for line in EQUIVALENT.read_text().splitlines() if not line.startswith("#")}
    for gone in sorted(equivalent - {mutant.name for mutant in every} - {""}):
        print(f"{EQUIVALENT}: there is no such fault any more: {gone}")
    last = _last() if asked.again else {}
    chosen = (
        mutant
        for mutant in every
        if any(part in mutant.module for part in asked.modules)
        and mutant.name not in equivalent
        and last.get(mutant.name, "SURVIVED") == "SURVIVED"
    )
    return sorted(chosen, key=lambda mutant: sha256(mutant.name.encode()).digest())


def _last() -> dict[str, str]:
    """What became of each fault the last time, by its name."""
    lines = (line.partition(" ") for line in TRIED.read_text().splitlines())
    return {name: verdict for verdict, _, name in lines}


def _tests(mutants: list[Mutant], sources: dict[str, str], seconds_most: float) -> list[dict[str, float]]:
    """For each fault the tests that could notice it, short ones first, with their limits in seconds."""
    seconds, failing = _told(lambda: trial.timed(TESTS))
    for test in failing:
        print(f"fails without any fault, so it is left out: {test}", flush=True)
    different, disturbed = _told(lambda: _watched(mutants, sources))
    if set(disturbed) - set(failing):
        sys.exit(f"these fail when they are watched: {disturbed}")
    ordered = sorted(seconds, key=lambda test: _rank(seconds, test))
    limits = {test: max(LIMIT_TIMES * seconds[test], LIMIT_LEAST_S) for test in ordered}
    module, source = next(iter(sources.items()))
    if verdict_of(os.waitpid(forked(partial(tried, _name(module), source, limits)), 0)[1]) is not Verdict.SURVIVED:
        sys.exit("the tests fail when the short ones run first")
    print(f"{len(mutants)} faults, {len(limits)} tests", flush=True)
    found = [set(different.get(str(number), ())) for number in range(len(mutants))]
    first = {test: limits[test] for test in _within(ordered, seconds, seconds_most)}
    return [
        first
        if ON_IMPORT in some
        else {test: limits[test] for test in _within([t for t in ordered if t in some], seconds, seconds_most)}
        for some in found
    ]


def _within(tests: list[str], seconds: dict[str, float], seconds_most: float) -> list[str]:
    """The first of these tests that take no longer together, or one."""
    spent = accumulate(seconds[test] for test in tests)
    return [test for test, until in zip(tests, spent, strict=True) if until <= seconds_most] or tests[:1]


def _rank(seconds: dict[str, float], test: str) -> float:
    """Short tests come first, then the searches, then what takes longer."""
    return SHORT_S if test.startswith(trial.SEARCHES) and seconds[test] > SHORT_S else seconds[test]


def _watched(mutants: list[Mutant], sources: dict[str, str]) -> tuple[dict[int, list[str]], list[str]]:
    watch = Watch()
    numbered: dict[str, dict[int, Mutant]] = {}
    for number, mutant in enumerate(mutants):
        numbered.setdefault(mutant.module, {})[number] = mutant
    codes = {_name(module): watched(sources[module], some) for module, some in numbered.items()}
    failed = trial.watched(TESTS, codes, watch)
    return {number: sorted(tests) for number, tests in watch.different.items()}, failed


def _told(work: Callable[[], tuple[Any, list[str]]]) -> tuple[Any, list[str]]:
    """Do work in a process of its own, and have what it found and which tests failed."""
    file = Path("found.json")
    file.unlink(missing_ok=True)
    os.waitpid(forked(lambda: file.write_text(json.dumps(work())) and 0), 0)
    found, failed = json.loads(file.read_text())
    return found, failed


def _verdicts(
    mutants: list[Mutant], sources: dict[str, str], tests: list[dict[str, float]], jobs: int
) -> dict[Mutant, Verdict]:
    """Try faults, some at a time, first with the tests that noticed others of the same function; tell survivors."""
    verdicts: dict[Mutant, Verdict] = {}
    running: dict[int, Mutant] = {}
    killers: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)

    def await_one() -> None:
        pid, status = os.wait()
        mutant, test = running.pop(pid), killer(pid)
        if test is not None and not test.startswith(trial.SEARCHES):
            killers[mutant.module, mutant.where][test] = None
        verdicts[mutant] = verdict_of(status)
        assert verdicts[mutant] is not Verdict.NO_CODE, mutant.name
        told.write(f"{verdicts[mutant].name} {mutant.name}\n")
        if verdicts[mutant] is Verdict.SURVIVED:
            print(f"{len(verdicts)}/{len(mutants)} survived: {mutant.module}:{mutant.line}", flush=True)

    with TRIED.open("a", buffering=1) as told:
        for mutant, limits in zip(mutants, tests, strict=True):
            if len(running) == jobs:
                await_one()
            likely = {test: limits[test] for test in killers[mutant.module, mutant.where] if test in limits}
            work = partial(tried, _name(mutant.module), mutant.applied(sources[mutant.module]), likely | limits)
            running[forked(work)] = mutant
        while running:
            await_one()
    return verdicts


def _name(module: str) -> str:
    return f"chargerd.{module.removesuffix('.py').replace('/', '.')}"


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
