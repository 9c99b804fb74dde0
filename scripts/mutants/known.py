"""What is known of mutants: from earlier runs, and from people."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Outcome(StrEnum):
    """What became of a change: killed also by a hang; broken when the changed file cannot even be imported, which no test has noticed."""

    KILLED = "killed"
    SURVIVING = "surviving"
    BROKEN = "broken"
    EQUIVALENT = "equivalent"
    NOT_STARTED = "not started"
    LEFT = "left"


class Mutant(NamedTuple):
    path: str
    line: int
    change: str
    source: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.change}"

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.path}\n{self.source}".encode()).hexdigest()


class Known:
    """What earlier runs have found out. A kill holds while the file stays as it is, the rest also only while the tests (a digest) do."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(exist_ok=True)
        rows = [row.split() for row in file.read_text().splitlines()] if file.exists() else []
        self._outcomes = {digest: (outcome, with_tests) for digest, outcome, with_tests in rows}

    def get(self, mutant: Mutant, tests: str) -> Outcome | None:
        outcome, with_tests = self._outcomes.get(mutant.digest, ("", ""))
        return Outcome(outcome) if outcome in (Outcome.KILLED, Outcome.BROKEN) or (outcome and with_tests == tests) else None

    def add(self, mutant: Mutant, tests: str, outcome: Outcome) -> None:
        self._outcomes[mutant.digest] = outcome, tests
        with self._file.open("a") as file:
            file.write(f"{mutant.digest} {outcome} {tests}\n")


def equivalents(text: str) -> dict[tuple[str, str], str]:
    """File and change of each mutant that is known to change nothing, and why: see the head of ``tests/equivalent_mutants.txt``."""
    known: dict[tuple[str, str], str] = {}
    path = ""
    without: list[tuple[str, str]] = []
    for row in text.splitlines():
        if row.startswith("      "):
            known.update(dict.fromkeys(without, row.strip()))
            without = []
        elif row.startswith("  "):
            without.append((path, row.strip()))
        elif row and not row.startswith("#"):
            path = row
    if without:
        raise ValueError(f"no reason stands below: {without[-1][1]}")
    return known
