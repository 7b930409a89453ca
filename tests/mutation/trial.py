"""One trial: a process forked before the code under test was imported imports it with a fault, and runs the tests.

Nothing of a trial outlives its process, so a fault may be anywhere: in a function, a constant, a default or an enum.
A test process ends at the first failure, which is all that needs to be known.
"""

import importlib.abc
import importlib.util
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from importlib.machinery import ModuleSpec
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn, Self

import coverage
import pytest
from hypothesis import settings
from hypothesis.errors import HypothesisException

SEARCHES = "tests/property/"
"""Where the searches are: the second line, which runs only when all else has passed."""
_MEMORY_MAX = 3 << 30
_IMPORT_CPU_S = 20.0
_EXAMPLES_MAX = 40
_QUIET = (
    "--assert=plain",
    "-o",
    "addopts=",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-p",
    "no:terminal",
    "--timeout=0",
)


class Verdict(IntEnum):
    """What became of a fault; also the exit status of its process."""

    SURVIVED = 0
    KILLED = 64
    KILLED_BY_SEARCH = 65
    TIMED_OUT = 66
    NO_CODE = 67


@dataclass
class Known:
    """What a run without a fault tells: the tests in the order of their length, and which of them run which line."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, set[str]]] = field(default_factory=dict)

    def to_json(self) -> str:
        """Spell it for another process."""
        lines = {module: {line: sorted(tests) for line, tests in by.items()} for module, by in self.lines.items()}
        return json.dumps([self.seconds, lines])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what another process found."""
        seconds, lines = json.loads(text)
        return cls(
            seconds, {module: {int(line): set(tests) for line, tests in by.items()} for module, by in lines.items()}
        )

    def tests_of(self, module: str, lines: Iterable[int]) -> dict[str, float]:
        """The tests that run any of these lines, short ones first, with their CPU time in s.

        A line that runs on import may matter to any test.
        """
        found = {test for line in lines for test in self.lines[module].get(line, ())}
        chosen = self.seconds if "" in found else {test: s for test, s in self.seconds.items() if test in found}
        return dict(sorted(chosen.items(), key=lambda item: item[1]))


def forked(work: Callable[[], int]) -> int:
    """Do work in a process of its own, quietly, within bounds of memory; tell its process id."""
    pid = os.fork()
    if pid == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
        _ended(work())
    return pid


def verdict_of(status: int) -> Verdict:
    """Read the status that ``os.wait`` gave. A process that the system ended ran out of its time or memory."""
    if os.WIFSIGNALED(status):
        return Verdict.TIMED_OUT if os.WTERMSIG(status) == signal.SIGPROF else Verdict.KILLED
    code = os.WEXITSTATUS(status)
    return Verdict(code) if code in (Verdict.SURVIVED, Verdict.KILLED_BY_SEARCH, Verdict.NO_CODE) else Verdict.KILLED


def tried(name: str, path: Path, source: str, tests: dict[str, float]) -> int:
    """Run tests with a module that has this source; each within the CPU seconds given."""
    if not tests:
        return Verdict.SURVIVED
    try:
        code = compile(source, path, "exec")
    except SyntaxError:
        return Verdict.NO_CODE
    sys.meta_path.insert(0, _Faulty(name, path, code))
    signal.setitimer(signal.ITIMER_PROF, _IMPORT_CPU_S)
    files = sorted({test.partition("::")[0] for test in tests})
    return int(pytest.main([*_QUIET, *files], plugins=[_Trial(tests)]))


def observed(tests: list[str], source_root: Path, modules: Iterable[str]) -> Known:
    """Run all tests without a fault and note what each runs. Raises ``RuntimeError`` when one fails."""
    known = Known()
    watch = coverage.Coverage(data_file=None, config_file=False, include=[str(source_root / "*")])
    watch.start()
    failed = pytest.main([*_QUIET, *tests], plugins=[_Observation(known, watch)])
    watch.stop()
    if failed:
        raise RuntimeError("the tests fail without any fault")
    data = watch.get_data()
    for module in modules:
        lines = data.contexts_by_lineno(str(source_root / module))
        known.lines[module] = {line: set(contexts) for line, contexts in lines.items()}
    return known


def warmed_up() -> None:
    """Import what every trial needs, and nothing of ours; searches are the same each time, and never in a hurry."""
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
    settings.load_profile("mutants")
    pytest.main([*_QUIET, "--collect-only", "tests/__init__.py"])


def _ended(code: int) -> NoReturn:
    os._exit(code)


class _Faulty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from other code than its file's."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


class _Trial:
    """Runs chosen tests in their order, each within its time, and ends the process at the first failure."""

    def __init__(self, tests: dict[str, float]) -> None:
        self._tests = tests

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        rank = {test: number for number, test in enumerate(self._tests)}
        items[:] = sorted((item for item in items if item.nodeid in rank), key=lambda item: rank[item.nodeid])
        for item in items:
            _hurried(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        signal.setitimer(signal.ITIMER_PROF, self._tests[item.nodeid])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            _ended(Verdict.KILLED)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            _ended(Verdict.KILLED)


def _hurried(item: pytest.Item) -> None:
    """A search that has found its first failure need not look for the smallest one, nor go on for long without any."""
    search = getattr(getattr(item, "obj", None), "hypothesis", None)
    if search is None:
        return
    test, verdict, examples = search.inner_test, Verdict.KILLED, count()
    if item.nodeid.startswith(SEARCHES):
        verdict = Verdict.KILLED_BY_SEARCH

    def once(*args: Any, **kwargs: Any) -> None:
        if next(examples) == _EXAMPLES_MAX:
            pytest.skip("enough")
        try:
            test(*args, **kwargs)
        except HypothesisException:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the test has failed
            _ended(verdict)

    search.inner_test = once


class _Observation:
    """Notes which lines each test runs, and how long it takes."""

    def __init__(self, known: Known, watch: coverage.Coverage) -> None:
        self._known, self._watch = known, watch

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        _forgotten_caches(item)
        self._watch.switch_context(item.nodeid)
        result = yield
        self._watch.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._known.seconds[report.nodeid] = self._known.seconds.get(report.nodeid, 0.0) + report.duration


def _forgotten_caches(item: pytest.Item) -> None:
    """What a module's tests share is made anew for each, so that it counts as run by each."""
    module = getattr(item, "module", None)
    for thing in vars(module).values() if module is not None else ():
        if callable(getattr(thing, "cache_clear", None)):
            thing.cache_clear()
