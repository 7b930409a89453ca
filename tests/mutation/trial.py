"""Runs of the tests, each in a process forked before the code under test was imported.

In a trial one module is imported with a fault. Nothing of it outlives its process, so the fault may be anywhere: in
a function, a constant, a default or an enum. The process ends at the first failure: more need not be known.
"""

import importlib.abc
import importlib.util
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterable
from enum import IntEnum
from functools import wraps
from importlib.machinery import ModuleSpec
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

import pytest
from hypothesis import settings
from hypothesis.errors import HypothesisException

from tests.mutation.watch import Watch

SEARCHES = "tests/property/"
"""Where the searches are: the second line."""
_EXAMPLES_MAX = 40
_MEMORY_MAX = 3 << 30
_IMPORT_CPU_S = 20.0
_QUIET = ("--assert=plain", "-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:terminal")


class Verdict(IntEnum):
    """What became of a fault; also the exit status of its process."""

    SURVIVED = 0
    KILLED = 64
    KILLED_BY_SEARCH = 65
    TIMED_OUT = 66
    NO_CODE = 67


def warmed_up() -> None:
    """Import what every run needs, and nothing of ours; searches are the same each time, and never in a hurry."""
    settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
    settings.load_profile("mutants")
    _run_pytest(["--collect-only", "--noconftest", "tests/__init__.py"], _Imported({}))
    assert "chargerd" not in sys.modules, "a fault would come too late"


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


def killer(pid: int) -> str | None:
    """The test that ended a process, once; None when none did."""
    file = _killers_file(pid)
    if not file.exists():
        return None
    test = file.read_text()
    file.unlink()
    return test


def tried(name: str, source: str, limits: dict[str, float]) -> int:
    """Run tests with a module that has this source, each within its CPU seconds, in this order."""
    if not limits:
        return Verdict.SURVIVED
    try:
        code = compile(source, name, "exec")
    except SyntaxError:
        return Verdict.NO_CODE
    signal.setitimer(signal.ITIMER_PROF, _IMPORT_CPU_S)
    return _run_pytest(sorted({test.partition("::")[0] for test in limits}), _Imported({name: code}), _Trial(limits))


def timed(tests: Iterable[str]) -> tuple[dict[str, float], list[str]]:
    """Run all tests without a fault: the CPU seconds of those that pass, and those that fail."""
    return _observed(tests, _Observation(), _Imported({}))


def watched(tests: Iterable[str], codes: dict[str, CodeType], watch: Watch) -> list[str]:
    """Run all tests with modules that tell a watch what happens in which test; name the tests that fail."""
    return _observed(tests, _Observation(watch), _Imported(codes, watch.names()))[1]


def _observed(
    tests: Iterable[str], observation: "_Observation", imported: "_Imported"
) -> tuple[dict[str, float], list[str]]:
    _run_pytest(tests, imported, observation)
    failed = observation.failed
    return {test: s for test, s in observation.seconds.items() if test not in failed}, sorted(failed)


def _run_pytest(args: Iterable[str], imported: "_Imported", *plugins: object) -> int:
    sys.meta_path.insert(0, imported)
    return int(pytest.main([*_QUIET, "--timeout=0", *args], plugins=list(plugins)))


def _ended(code: int, test: str = "") -> NoReturn:
    if test:
        _killers_file(os.getpid()).write_text(test)
    os._exit(code)


def _killers_file(pid: int) -> Path:
    return Path(f"killer-{pid}")


class _Imported(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports some modules from other code than their files'."""

    def __init__(self, codes: dict[str, CodeType], names: dict[str, object] | None = None) -> None:
        self._codes, self._names = codes, names or {}

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname in self._codes else None

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(self._names)
        exec(self._codes[module.__name__], module.__dict__)


class _Trial:
    """Runs chosen tests in their order, each within its time, and ends the process at the first failure."""

    def __init__(self, limits: dict[str, float]) -> None:
        self._limits = limits

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        rank = {test: number for number, test in enumerate(self._limits)}
        items[:] = sorted((item for item in items if item.nodeid in rank), key=lambda item: rank[item.nodeid])
        for item in items:
            _hurried(item)
            _shortened(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        signal.setitimer(signal.ITIMER_PROF, self._limits[item.nodeid])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            _ended(Verdict.KILLED)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            _ended(Verdict.KILLED, report.nodeid)


def _shortened(item: pytest.Item) -> None:
    """A search need not go on for long."""
    examples = count()

    def short(test: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        if next(examples) == _EXAMPLES_MAX:
            pytest.skip("enough")
        test(*args, **kwargs)

    _wrap_search(item, short)


def _hurried(item: pytest.Item) -> None:
    """A search that has found a failure need not look for the smallest one."""
    verdict = Verdict.KILLED_BY_SEARCH if item.nodeid.startswith(SEARCHES) else Verdict.KILLED

    def failing_once(test: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        try:
            test(*args, **kwargs)
        except HypothesisException:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the test has failed
            _ended(verdict, item.nodeid)

    _wrap_search(item, failing_once)


def _wrap_search(item: pytest.Item, wrapper: Callable[..., None]) -> None:
    search = getattr(getattr(item, "obj", None), "hypothesis", None)
    if search is not None:
        test = search.inner_test
        search.inner_test = wraps(test)(lambda *args, **kwargs: wrapper(test, *args, **kwargs))


class _Observation:
    """Notes how long each test takes and whether it fails, and tells a watch which one runs."""

    def __init__(self, watch: Watch | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()
        self._watch = watch

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            _shortened(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        _forget_shared(item)
        if self._watch is not None:
            self._watch.begin(item.nodeid)
        begun = time.process_time()
        done = yield
        self.seconds[item.nodeid] = time.process_time() - begun
        return done

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


def _forget_shared(item: pytest.Item) -> None:
    """What a module's tests share is made anew for each, so that it counts as run by each."""
    module = getattr(item, "module", None)
    for thing in vars(module).values() if module is not None else ():
        if callable(getattr(thing, "cache_clear", None)):
            thing.cache_clear()
