"""Run the test suite with trial; the last line is ``N passed, N failed``.

``python -m scripts.run_tests [--without-peers] [NAME ...]``: names as trial takes them (``tests.bus.test_bus``); without one, all tests.
A skip or a todo counts as failed, because it has proved nothing; so does a run without any test. Exit status 0: nothing failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import unittest
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from twisted.trial.reporter import TreeReporter
from twisted.trial.runner import TestLoader, TrialRunner
from twisted.trial.unittest import TestSuite

PEERS = "tests.integration.peers"


class Outcome(NamedTuple):
    """How many tests passed, and how many did not."""

    passed: int
    failed: int

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def tests_outside(package: str, suite: unittest.TestSuite | unittest.TestCase) -> Iterator[unittest.TestCase]:
    """The tests of a suite that are not in this package, one by one."""
    if isinstance(suite, unittest.TestSuite):
        for test in suite:
            yield from tests_outside(package, test)
    elif not suite.id().startswith(f"{package}."):
        yield suite


def outcome(reporter: TreeReporter) -> Outcome:
    """Count the results. A test that failed in two ways counts once; a run without any test is one failure."""
    unproven: list[tuple[Any, ...]] = [*reporter.skips, *reporter.expectedFailures, *reporter.unexpectedSuccesses]
    failed = {row[0].id() for row in [*reporter.failures, *reporter.errors, *unproven]}
    return Outcome(reporter.successes, len(failed) or int(not reporter.successes))


def run(names: Sequence[str], with_peers: bool = True) -> Outcome:
    """Run these tests in a temporary working directory, and print each on standard output."""
    suite = TestLoader().loadByNames(list(names), recurse=True)
    if not with_peers:
        suite = TestSuite(tests_outside(PEERS, suite))
    with tempfile.TemporaryDirectory(prefix="gateway-tests-") as folder:
        reporter = TrialRunner(TreeReporter, workingDirectory=str(Path(folder, "trial"))).run(suite)
    assert isinstance(reporter, TreeReporter)
    return outcome(reporter)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.run_tests", description="Run the tests and count them.")
    parser.add_argument("--without-peers", action="store_true", help=f"leave {PEERS} out")
    parser.add_argument("names", nargs="*", default=["tests"], metavar="NAME")
    asked = parser.parse_args(arguments)
    result = run(asked.names, not asked.without_peers)
    print(result)
    return min(result.failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
