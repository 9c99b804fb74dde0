from __future__ import annotations

from io import StringIO
from typing import Any

from twisted.trial.reporter import TreeReporter
from twisted.trial.runner import ErrorHolder
from twisted.trial.unittest import SynchronousTestCase, TestSuite, Todo

from scripts import run_tests


class Example(SynchronousTestCase):
    """A case that trial does not find, because no method's name begins with ``test``."""

    def passes(self) -> None:
        pass

    def fails(self) -> None:
        self.fail("for example")


class RunTestsTests(SynchronousTestCase):
    def outcome(self, *tests: Any) -> str:
        reporter = TreeReporter(StringIO())
        TestSuite(tests).run(reporter)
        return str(run_tests.outcome(reporter))

    def test_counts(self) -> None:
        """Passed and failed tests are counted, and written as in the last line."""
        self.assertEqual(self.outcome(Example("passes"), Example("passes"), Example("fails")), "2 passed, 1 failed")
        self.assertEqual(self.outcome(Example("passes")), "1 passed, 0 failed")

    def test_unproven(self) -> None:
        """A skip, and a todo that fails or passes, count as failed."""
        reporter = TreeReporter(StringIO())
        reporter.addSkip(Example("fails"), "for example")
        self.assertEqual(str(run_tests.outcome(reporter)), "0 passed, 1 failed")
        reporter = TreeReporter(StringIO())
        reporter.addExpectedFailure(Example("fails"), "for example", Todo("later"))
        reporter.addUnexpectedSuccess(Example("passes"), Todo("later"))
        self.assertEqual(str(run_tests.outcome(reporter)), "0 passed, 2 failed")

    def test_once(self) -> None:
        """A test that fails in two ways counts once."""
        reporter = TreeReporter(StringIO())
        for _ in range(2):
            reporter.addError(Example("fails"), (ValueError, ValueError("for example"), None))
        self.assertEqual(str(run_tests.outcome(reporter)), "0 passed, 1 failed")

    def test_nothing(self) -> None:
        """A run without any test counts as failed."""
        self.assertEqual(self.outcome(), "0 passed, 1 failed")

    def test_broken_module(self) -> None:
        """A module that cannot be imported counts as failed."""
        broken = ErrorHolder("tests.broken", (ImportError, ImportError("for example"), None))
        self.assertEqual(self.outcome(Example("passes"), broken), "1 passed, 1 failed")

    def test_leave_out(self) -> None:
        """The tests of a package are left out wherever they are in the suite, and no others."""
        inside: Any
        outside: Any
        inside, outside = ErrorHolder("tests.a.b.X.test", None), ErrorHolder("tests.abc.X.test", None)
        suite = TestSuite([TestSuite([inside, outside]), Example("passes")])
        self.assertEqual([test.id() for test in run_tests.tests_outside("tests.a", suite)], [outside.id(), Example("passes").id()])
