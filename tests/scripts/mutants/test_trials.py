from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from scripts.mutants import trials
from scripts.mutants.known import Outcome
from scripts.mutants.trials import Tests

PATH = "gateway/bus/less.py"
SOURCE = "def is_less(a, b):\n    return a < b\n"
TEST = """\
import unittest
from gateway.bus.less import is_less
class LessTests(unittest.TestCase):
    def test_less(self):
        self.assertTrue(is_less(1, 2))
        self.assertFalse(is_less(2, 1))
"""


class TrialTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.copy = Path(self.mktemp()).absolute() / "checkout"
        for name in ("gateway/__init__.py", "gateway/bus/__init__.py", "tests/__init__.py", "tests/bus/__init__.py"):
            self.write(name, "")
        self.write(PATH, SOURCE)
        self.write("tests/bus/test_less.py", TEST)

    def write(self, name: str, text: str) -> None:
        (self.copy / name).parent.mkdir(parents=True, exist_ok=True)
        (self.copy / name).write_text(text)

    def trials(self) -> Tests:
        return Tests(self.copy, {"bus": ["tests/bus"]})

    def test_outcomes(self) -> None:
        """What a test notices is killed, what none notices survives, what cannot be imported is broken; the file is put back."""
        tests = self.trials()
        self.assertEqual(tests.run(PATH, SOURCE.replace("<", ">")), Outcome.KILLED)
        self.assertEqual(tests.run(PATH, SOURCE.replace("<", "<=")), Outcome.SURVIVING)
        self.assertEqual(tests.run(PATH, SOURCE + "raise ValueError"), Outcome.BROKEN)
        self.assertEqual((self.copy / PATH).read_text(), SOURCE)

    def test_not_started(self) -> None:
        """Tests that cannot be imported have killed nothing."""
        tests = self.trials()
        self.assertEqual(tests.run(PATH, SOURCE.replace("is_less", "renamed")), Outcome.NOT_STARTED)
        self.assertIn("cannot import name 'is_less'", tests.said())

    def test_hang(self) -> None:
        """A test that does not end is ended, and has killed the mutant."""
        self.patch(trials, "SLACK", 1)
        self.assertEqual(self.trials().run(PATH, "def is_less(a, b):\n    while True: pass\n"), Outcome.KILLED)

    def test_unchanged(self) -> None:
        """Nothing is tried where the tests fail without a change, or where there is none."""
        for text in (TEST.replace("(2, 1)", "(1, 2)"), ""):
            self.write("tests/bus/test_less.py", text)
            with self.assertRaisesRegex(SystemExit, "The tests fail without any change"):
                self.trials().run(PATH, SOURCE)

    def test_digest(self) -> None:
        """What is known of survivors holds until a test changes."""
        before = self.trials().digest(PATH)
        self.assertEqual(self.trials().digest(PATH), before)
        self.write("tests/bus/test_less.py", TEST + "# More.\n")
        self.assertNotEqual(self.trials().digest(PATH), before)
