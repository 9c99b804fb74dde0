from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from scripts.mutants import seeds
from scripts.mutants.known import Outcome
from scripts.mutants.seeds import Seeds

PATH = "gateway/bus/less.py"
SOURCE = """\
def is_less(a, b):
    return a < b

def is_more(a, b):
    return a > b
"""
SETTING = """\
from dataclasses import dataclass

@dataclass(frozen=True)
class Setting:
    seconds: float = 1.0
    numbers: tuple = (1, 2)

def swarm(seed, seconds):
    return Setting(seconds)

SCENARIOS = {"equal": Setting(numbers=(2, 2))}
"""
PLAY = """\
from collections import namedtuple
from gateway.bus.less import is_less
Outcome = namedtuple("Outcome", "problem")

def play(seed, setting):
    a, b = setting.numbers
    return Outcome("" if is_less(a, b) == (a != b) else f"is_less{setting.numbers}")
"""


class SeedsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.copy = Path(self.mktemp()).absolute() / "checkout"
        for name in ("gateway/__init__.py", "gateway/bus/__init__.py", "tests/__init__.py", "tests/sim/__init__.py"):
            self.write(name, "")
        self.write(PATH, SOURCE)
        self.write("tests/sim/setting.py", SETTING)
        self.write("tests/sim/play.py", PLAY)

    def write(self, name: str, text: str) -> None:
        (self.copy / name).parent.mkdir(parents=True, exist_ok=True)
        (self.copy / name).write_text(text)

    def test_outcomes(self) -> None:
        """What a seed or a named setting finds is killed, what none finds survives, what cannot be imported is broken."""
        runs = Seeds(self.copy)
        self.assertEqual(runs.run(PATH, SOURCE.replace("a < b", "a > b")), Outcome.KILLED)
        self.assertEqual(runs.run(PATH, SOURCE.replace("a < b", "a <= b")), Outcome.KILLED)
        self.assertIn("is_less(2, 2)", runs.said())
        self.assertEqual(runs.run(PATH, SOURCE.replace("a < b", "a != b")), Outcome.SURVIVING)
        self.assertEqual(runs.run(PATH, SOURCE + "raise ValueError"), Outcome.BROKEN)
        self.assertEqual((self.copy / PATH).read_text(), SOURCE)

    def test_not_reached(self) -> None:
        """A change that no run comes to survives, and nothing is played for it."""
        runs = Seeds(self.copy)
        runs.run(PATH, SOURCE.replace("a < b", "a > b"))
        said = runs.said()
        self.assertEqual(runs.run(PATH, SOURCE.replace("return a > b", "raise SystemExit")), Outcome.SURVIVING)
        self.assertEqual(runs.said(), said)

    def test_hang(self) -> None:
        """A run that does not come to its end is ended, and has found the change."""
        self.patch(seeds, "SLACK", 0.5)
        self.assertEqual(Seeds(self.copy).run(PATH, SOURCE.replace("return a < b", "while True: pass")), Outcome.KILLED)

    def test_unchanged(self) -> None:
        """Nothing is tried where a run has a problem without a change."""
        self.write("tests/sim/play.py", PLAY.replace("a != b", "a == b"))
        with self.assertRaisesRegex(SystemExit, "A run fails without any change"):
            Seeds(self.copy).run(PATH, SOURCE)

    def test_digest(self) -> None:
        """What is known of survivors holds until the simulation changes."""
        before = Seeds(self.copy).digest(PATH)
        self.assertEqual(Seeds(self.copy).digest(PATH), before)
        self.write("tests/sim/play.py", PLAY + "# More.\n")
        self.assertNotEqual(Seeds(self.copy).digest(PATH), before)

    def test_statement(self) -> None:
        """What has to be reached is the changed statement, or the head of one with others in it; outside of functions nothing."""
        source = "A = 1\ndef f(a):\n    if a and (\n        a > 1\n    ):\n        return (\n            a\n        )\n    return 0\n"
        for before, after, lines in (
            ("A = 1", "A = 2", set()),
            ("a > 1", "a > 2", {3, 4, 5}),
            ("            a", "            not a", {6, 7, 8}),
            ("return 0", "return 1", {9}),
            ("f(a)", "f(a=1)", set()),
        ):
            self.assertEqual(seeds.statement(source, source.replace(before, after)), lines)
