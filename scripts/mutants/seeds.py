"""Play the whole program in a simulated world with one file changed: seeds and named settings of tests/sim, until one has a problem.

A run is the same, event by event, until it comes to a changed statement; so only those are played that come to it, first those that
have found most of the changes before.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import hypothesis  # noqa: F401  (loaded once, for all runs, as are the others)
import pydantic  # noqa: F401
import trustme  # noqa: F401
from twisted.internet import posixbase, ssl  # noqa: F401

from .forked import BROKEN, FAILED, PASSED, import_from, replaced, status
from .known import Outcome

SEEDS = range(1, 11)
SECONDS = 60.0
"""Of each seed, which makes its own setting."""
SCENARIO_SECONDS = 60.0
"""Of each named setting, played with the first seed."""
SLACK = 3
"""Seconds of CPU time that a run may take beside twice those that it took unchanged and watched, which is slower."""

_OUTCOMES = {PASSED: Outcome.SURVIVING, FAILED: Outcome.KILLED, BROKEN: Outcome.BROKEN}
_OUTCOMES |= dict.fromkeys((-signal.SIGPROF, -signal.SIGALRM), Outcome.KILLED)


class Seeds:
    """Runs in a copy of the checkout, in which files are changed and put back; as `trials.Tests`."""

    def __init__(self, copy: Path) -> None:
        self._copy = copy
        self._said = copy.parent / "said"
        self._seconds: list[float] = []
        """For each run the CPU time that it took unchanged."""
        self._reached: list[Mapping[str, list[int]]] = []
        """For each run the lines of each file that it came to."""

        self._finds: Counter[int] = Counter()
        """For each run how many changes it has found."""

    def run(self, path: str, source: str) -> Outcome:
        """What the runs make of this source in place of the file's own."""
        if not self._seconds:
            self._try_unchanged()
        lines = statement((self._copy / path).read_text(), source)
        runs = [run for run, reached in enumerate(self._reached) if not lines or not lines.isdisjoint(reached.get(path, ()))]
        runs.sort(key=lambda run: (-self._finds[run] / self._seconds[run], self._seconds[run]))
        if not runs:
            return Outcome.SURVIVING
        with replaced(self._copy / path, source):
            found = _OUTCOMES.get(status(lambda: self._play(runs), self._copy, self._said, path), Outcome.NOT_STARTED)
        self._finds.update(int(run) for run in re.findall(r"^run (\d+):", self.said(), re.MULTILINE))
        return found

    def digest(self, path: str) -> str:
        """It changes with the simulation, and with what is played of it."""
        files = [*sorted((self._copy / "tests" / "sim").glob("*.py")), Path(__file__)]
        return hashlib.sha256(b"".join([file.read_bytes() for file in files])).hexdigest()

    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def _try_unchanged(self) -> None:
        """Whether all runs pass, and what each of them comes to."""
        notes = self._copy.parent / "reached"
        if status(lambda: self._watch(notes), self._copy, self._said) != PASSED:
            raise SystemExit(f"{self.said()}\nA run fails without any change: mend that first.")
        self._seconds, self._reached = json.loads(notes.read_text())

    def _settings(self) -> list[tuple[int, Any]]:
        """In the child: seeds and settings of all runs."""
        setting = import_from(self._copy, "tests/sim/setting.py")
        named = [(SEEDS[0], replace(each, seconds=SCENARIO_SECONDS)) for each in setting.SCENARIOS.values()]
        return [(seed, setting.swarm(seed, SECONDS)) for seed in SEEDS] + named

    def _watch(self, notes: Path) -> int:
        """In the child: play all, and note which lines each comes to."""
        signal.alarm(0)
        play, seconds, reached = import_from(self._copy, "tests/sim/play.py").play, [], []
        for seed, setting in self._settings():
            lines: defaultdict[str, set[int]] = defaultdict(set)
            begin = time.process_time()
            sys.settrace(_watcher(f"{self._copy}/", lines))
            outcome = play(seed, setting)
            sys.settrace(None)
            if outcome.problem:
                print(f"seed {seed}, {setting}: {outcome.problem}", flush=True)
                return FAILED
            seconds.append(time.process_time() - begin)
            reached.append({path: sorted(found) for path, found in lines.items()})
        notes.write_text(json.dumps((seconds, reached)))
        return PASSED

    def _play(self, runs: list[int]) -> int:
        """In the child: play these, until one has a problem. It is ended by a signal when one does not come to its end."""
        signal.alarm(0)
        play, settings = import_from(self._copy, "tests/sim/play.py").play, self._settings()
        for run in runs:
            signal.setitimer(signal.ITIMER_PROF, SLACK + 2 * self._seconds[run])
            if problem := play(*settings[run]).problem:
                print(f"run {run}: {problem}", flush=True)
                return FAILED
        return PASSED


def _watcher(copy: str, lines: defaultdict[str, set[int]]) -> Any:
    """What notes the lines of the core that are come to."""

    def entered(frame: FrameType, event: str, argument: object) -> Any:
        file = frame.f_code.co_filename
        if not file.startswith(core):
            return None
        found = lines[file.removeprefix(copy)]

        def line(frame: FrameType, event: str, argument: object) -> Any:
            found.add(frame.f_lineno)
            return line

        return line(frame, event, argument)

    core = tuple(f"{copy}gateway/{folder}/" for folder in ("bus", "links", "wires", "framing"))
    return entered


def statement(original: str, changed: str) -> set[int]:
    """The lines of the statement that is changed; none where that is not inside a function, and so is come to when it is imported."""
    before, after = original.splitlines(), changed.splitlines()
    line = next((n for n, (old, new) in enumerate(zip(before, after, strict=False), 1) if old != new), len(before) + 1)
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found: set[int] = set()
    for function in [node for node in ast.walk(ast.parse(original)) if isinstance(node, functions)]:
        for node in [inner for statement in function.body for inner in ast.walk(statement) if isinstance(inner, ast.stmt)]:
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body and body[0].lineno > node.lineno else node.end_lineno or node.lineno
            if node.lineno <= line <= last and not isinstance(node, functions):
                found = set(range(node.lineno, last + 1))
    return found
