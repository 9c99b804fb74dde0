"""Run the unit tests with one file changed: those that mirror it first, then those of its folder, then the others, until one fails.

Each run is a process of its own, forked from this one, in which Twisted and Hypothesis are loaded; so a change costs half a second.
"""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import hypothesis
import pydantic  # noqa: F401  (loaded once, for all runs)
from twisted.trial.reporter import TreeReporter
from twisted.trial.runner import TestLoader, TestSuite, TrialRunner

from .forked import BROKEN, FAILED, PASSED, import_from, replaced, status
from .known import Outcome

SLACK = 5
"""Seconds that a test file may take beside eight times what it takes without a change."""

_WITHOUT_SHRINKING = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
_OUTCOMES = {PASSED: Outcome.SURVIVING, FAILED: Outcome.KILLED, -signal.SIGALRM: Outcome.KILLED, BROKEN: Outcome.BROKEN}


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
        with replaced(self._copy / path, source):
            return self._outcome(order, path)

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
        found = status(lambda: self._exit_status(files), self._copy, self._said, changed)
        return _OUTCOMES.get(found, Outcome.NOT_STARTED)

    def _exit_status(self, files: Sequence[str]) -> int:
        """In the child. It raises what keeps tests from being started, and is ended by a signal when a test hangs."""
        hypothesis.settings.register_profile("mutants", derandomize=True, deadline=None, database=None, phases=_WITHOUT_SHRINKING)
        hypothesis.settings.load_profile("mutants")
        for file in files:
            signal.alarm(round(SLACK + 8 * self._seconds.get(file, 30)))
            begin = time.monotonic()
            suite: TestSuite = TestLoader().loadModule(import_from(self._copy, file))  # type: ignore[no-untyped-call]
            if not suite.countTestCases():
                raise ImportError(f"{file} has no test")
            # One folder each: what a file of tests has made there once, certificates for example, is there for the next file too.
            folder = self._copy.parent / f"trial-{file.replace('/', '-')}"
            runner = TrialRunner(TreeReporter, workingDirectory=str(folder), exitFirst=True)
            if not runner.run(suite).wasSuccessful():  # type: ignore[no-untyped-call]
                return FAILED
            print(f"SECONDS {file} {time.monotonic() - begin}", flush=True)
        return PASSED


def _folder(path: str) -> str:
    return Path(path).parent.name


def _tests(copy: Path, place: str) -> list[str]:
    """The files with tests in a folder, or this one."""
    found = [copy / place] if place.endswith(".py") else sorted((copy / place).glob("test_*.py"))
    return [str(file.relative_to(copy)) for file in found]
