from __future__ import annotations

import os
import signal
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from scripts.mutants.forked import BROKEN, ERROR, FAILED, import_from, replaced, status


class ForkedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.copy = Path(self.mktemp()).absolute() / "copy"
        self.copy.mkdir(parents=True)
        self.said = self.copy.parent / "said"

    def test_status(self) -> None:
        """What the work gives, an exception and a signal can be told apart; what was printed is kept."""

        def raises() -> int:
            raise ValueError("a reason")

        def ends() -> int:
            os.kill(os.getpid(), signal.SIGPROF)
            return 0

        self.assertEqual(status(lambda: FAILED, self.copy, self.said), FAILED)
        self.assertEqual(status(ends, self.copy, self.said), -signal.SIGPROF)
        self.assertEqual(status(raises, self.copy, self.said), ERROR)
        self.assertIn("a reason", self.said.read_text())

    def test_broken(self) -> None:
        """Where the changed file cannot be imported nothing is done."""
        (self.copy / "changed_one.py").write_text("raise ValueError")
        self.assertEqual(status(lambda: FAILED, self.copy, self.said, "changed_one.py"), BROKEN)

    def test_of_the_copy(self) -> None:
        """A module that comes from somewhere else is no module of the copy."""
        with self.assertRaisesRegex(SystemExit, "is not in the copy"):
            import_from(self.copy, "gateway/errors.py")

    def test_replaced(self) -> None:
        """Whatever happens, a file has its own text again."""
        file = self.copy / "a.py"
        file.write_text("a")
        with self.assertRaises(KeyError), replaced(file, "b"):
            self.assertEqual(file.read_text(), "b")
            raise KeyError
        self.assertEqual(file.read_text(), "a")
