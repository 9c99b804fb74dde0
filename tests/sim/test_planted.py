"""The simulation finds what it is there for."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from .planted import PLANTED, planted
from .play import play, shrink
from .setting import KNOWN, STEADY

BUSY = replace(
    STEADY,
    seconds=240.0,
    readers=("lan", "lan", "raw", "secure"),
    commands=1.0,
    when_full="drop-oldest",
    outbox=2048,
    longest=300,
    faults=frozenset(("short", "delay", "small", "stuck", "reset", "unplug", "xoff", "shut")),
)
QUIET = replace(BUSY, seconds=100.0, readers=("lan", "web"), faults=frozenset())
SETTINGS = (BUSY, replace(BUSY, when_full="block"), QUIET)


KNOWN_SETTINGS = {
    "head": replace(QUIET, faults=frozenset(("head", "unplug")), seconds=3600.0),
    "flap": replace(QUIET, faults=frozenset(("flap",)), seconds=600.0),
    "cut": replace(QUIET, faults=frozenset(("cut", "away", "delay")), far=True, when_absent="hold", seconds=3600.0),
}
"""For each fault that the program does not stand yet a setting that shows it."""


class PlantedTests(SynchronousTestCase):
    def found(self, name: str) -> str:
        """What the first of a few runs has found."""
        with planted(name):
            for seed in range(1, 5):
                for setting in SETTINGS:
                    if problem := play(seed, setting).problem:
                        return problem
        return ""

    def test_each(self) -> None:
        """A planted fault of each kind is found by a few seeds, and never as a fault of the simulation itself."""
        missed = []
        for name in PLANTED:
            problem = self.found(name)
            if not problem or problem.startswith("the simulation itself"):
                missed.append(f"{name}: {problem or 'not found'}")
        self.assertEqual(missed, [])

    def test_healthy(self) -> None:
        """The program as it is breaks no law in the same runs."""
        for seed in range(1, 5):
            for setting in SETTINGS:
                self.assertEqual(play(seed, setting).problem, "", (seed, setting))

    def test_known(self) -> None:
        """Faults that are switched off, because the program does not stand them yet, are found when they are switched on."""
        self.assertEqual(set(KNOWN_SETTINGS), set(KNOWN))
        for fault, setting in KNOWN_SETTINGS.items():
            self.assertTrue(any(play(seed, setting).problem for seed in range(1, 4)), fault)
            self.assertEqual(play(1, replace(setting, faults=setting.faults - {fault})).problem, "", fault)

    def test_shrunk(self) -> None:
        """A failure is shrunk: the smaller setting has less time or fewer faults, and fails too."""
        with planted("order is swapped"):
            outcome = next(found for seed in range(1, 5) if (found := play(seed, BUSY)).problem)
            small = shrink(outcome, tries=12)
        self.assertTrue(small.problem)
        self.assertLess(small.setting.seconds + len(small.setting.faults), outcome.setting.seconds + len(outcome.setting.faults))
        self.assertTrue(small.recent)
