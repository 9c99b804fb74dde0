from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from scripts.mutants.known import Known, Mutant, Outcome, equivalents

MUTANT = Mutant("gateway/a.py", 3, "a < b => a <= b", "a <= b")


class KnownTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = Path(self.mktemp()) / "results"

    def test_kept(self) -> None:
        """A later run knows what this one has found out; a change of the file makes it another mutant."""
        Known(self.file).add(MUTANT, "tests", Outcome.KILLED)
        self.assertEqual(Known(self.file).get(MUTANT, "tests"), Outcome.KILLED)
        self.assertIsNone(Known(self.file).get(MUTANT._replace(source="c; a <= b"), "tests"))

    def test_survivor(self) -> None:
        """A survivor is tried again when a test has changed; a mutant that was killed is not."""
        known = Known(self.file)
        known.add(MUTANT, "tests", Outcome.SURVIVING)
        self.assertEqual(known.get(MUTANT, "tests"), Outcome.SURVIVING)
        self.assertIsNone(known.get(MUTANT, "more-tests"))
        known.add(MUTANT, "more-tests", Outcome.KILLED)
        self.assertEqual(Known(self.file).get(MUTANT, "still-more-tests"), Outcome.KILLED)


class EquivalentTests(SynchronousTestCase):
    def test_read(self) -> None:
        """Changes stand below their file, and a reason below all that it is for."""
        found = equivalents("# A remark.\na.py\n  b => c\n  d => e\n      One.\n  f =>\n      Two.\n\ng.py\n  b => c\n      Three.\n")
        expected = {("a.py", "b => c"): "One.", ("a.py", "d => e"): "One.", ("a.py", "f =>"): "Two.", ("g.py", "b => c"): "Three."}
        self.assertEqual(found, expected)

    def test_reason(self) -> None:
        """A change without a reason is refused."""
        with self.assertRaisesRegex(ValueError, "no reason stands below: b => c"):
            equivalents("a.py\n  b => c\n")
