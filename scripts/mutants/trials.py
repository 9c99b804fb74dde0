"""Run the unit tests with one file changed: those that mirror it first, then those of its folder, then the others, until one fails.

Each run is a process of its own, forked from this one, in which Twisted and Hypothesis are loaded; so a change costs half a second.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import hypothesis
import pydantic  # noqa: F401  (loaded once, for all runs)
from twisted.trial.reporter import TreeReporter
from twisted.trial.runner import TestLoader, TestSuite, TrialRunner

from .known import Outcome

MEMORY = 2 << 30
"""Bytes of address space of one run: a change that collects without end fails, and the machine goes on."""

SLACK = 5
"""Seconds that a test file may take beside eight times what it takes without a change."""

_OURS = ("gateway", "scripts", "tests")
_WITHOUT_SHRINKING = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
_LONGEST_IMPORT = 30
_PASSED, _FAILED, _ERROR, _BROKEN = range(4)
_OUTCOMES = {_PASSED: Outcome.SURVIVING, _FAILED: Outcome.KILLED, -signal.SIGALRM: Outcome.KILLED, _BROKEN: Outcome.BROKEN}


class Tests:
    """Tests in a copy of the checkout, in which files are changed and put back; ``places``: for each folder of the program those to run."""

    def __init__(self, copy: Path, places: Mapping[str, Sequence[str]]) -> None:
        self._copy = copy
        self._said = copy.parent / "said"
        self._files = {folder: [file for place in named for file in _tests(copy, place)] for folder, named in places.items()}
        self._every = sorted({file for files in self._files.values() for file in files})
        self._seconds: dict[str, float] = {}

    def run(self, path: str, source: str) -> Outcome:
        """What the tests make of this source in place of the file's own."""
        if not self._seconds:
            self._try_unchanged()
        folder = _folder(path)
        mirrored, beside = f"tests/{folder}/test_{Path(path).name}", f"tests/{folder}/"
        order = sorted(self._files[folder], key=lambda file: (file != mirrored, not file.startswith(beside), self._seconds[file]))
        file = self._copy / path
        original = file.read_bytes()
        # By its time and size Python may take the bytecode of one change for that of another.
        Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
        file.write_text(source)
        try:
            return self._outcome(order, path)
        finally:
            file.write_bytes(original)

    def digest(self, path: str) -> str:
        """It changes with the tests for this file, and with what all tests share."""
        files = [*(self._copy / file for file in self._files[_folder(path)]), *sorted((self._copy / "tests").glob("*.py"))]
        return hashlib.sha256(b"".join([file.read_bytes() for file in files])).hexdigest()

    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def _try_unchanged(self) -> None:
        """Each test's time, and whether they pass at all."""
        if self._outcome(self._every) is not Outcome.SURVIVING:
            raise SystemExit(f"{self.said()}\nThe tests fail without any change: mend that first.")
        timings = [row.split() for row in self.said().splitlines() if row.startswith("SECONDS ")]
        self._seconds = {name: float(seconds) for _, name, seconds in timings}

    def _outcome(self, files: Sequence[str], changed: str = "") -> Outcome:
        child = os.fork()
        if not child:
            try:
                os._exit(self._exit_status(files, changed))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(_ERROR)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return _OUTCOMES.get(status, Outcome.NOT_STARTED)

    def _exit_status(self, files: Sequence[str], changed: str) -> int:
        """In the child. It raises what keeps tests from being started, and is ended by a signal when a test hangs."""
        said = os.open(self._said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        hypothesis.settings.register_profile("mutants", derandomize=True, deadline=None, database=None, phases=_WITHOUT_SHRINKING)
        hypothesis.settings.load_profile("mutants")
        sys.dont_write_bytecode = bool(changed)
        sys.path.insert(0, str(self._copy))
        for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
            del sys.modules[name]
        signal.alarm(_LONGEST_IMPORT)
        if changed:
            try:
                _import(changed, self._copy)
            except Exception:
                return _BROKEN
        for file in files:
            signal.alarm(round(SLACK + 8 * self._seconds.get(file, 30)))
            begin = time.monotonic()
            suite: TestSuite = TestLoader().loadModule(_import(file, self._copy))  # type: ignore[no-untyped-call]
            if not suite.countTestCases():
                raise ImportError(f"{file} has no test")
            # One folder each: what a file of tests has made there once, certificates for example, is there for the next file too.
            folder = self._copy.parent / f"trial-{file.replace('/', '-')}"
            runner = TrialRunner(TreeReporter, workingDirectory=str(folder), exitFirst=True)
            if not runner.run(suite).wasSuccessful():  # type: ignore[no-untyped-call]
                return _FAILED
            print(f"SECONDS {file} {time.monotonic() - begin}", flush=True)
        return _PASSED


def _folder(path: str) -> str:
    return Path(path).parent.name


def _tests(copy: Path, place: str) -> list[str]:
    """The files with tests in a folder, or this one."""
    found = [copy / place] if place.endswith(".py") else sorted((copy / place).glob("test_*.py"))
    return [str(file.relative_to(copy)) for file in found]


def _import(file: str, copy: Path) -> ModuleType:
    """A module of the copy, and not of the checkout in which this program runs."""
    module = importlib.import_module(file.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
    if not str(module.__file__).startswith(str(copy)):
        raise SystemExit(f"{module.__file__} is not in the copy")
    return module
