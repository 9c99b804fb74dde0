"""Seeds: the same ones in each run of the tests, and some fresh ones."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from .play import Outcome, play
from .setting import FAULTS, KNOWN, SCENARIOS, swarm

ALWAYS = range(1, 41)
FRESH = 12
SECONDS = 360.0
FOUND: dict[int, str] = {}
"""Seeds that have found a fault of the program, each with what it was; they are played as they were found, for an hour."""


class SeedTests(SynchronousTestCase):
    def assert_lawful(self, outcome: Outcome) -> None:
        if outcome.problem:
            self.fail("\n".join((*outcome.recent[-200:], f"seed {outcome.seed}: {outcome.problem}", str(outcome.setting))))

    def test_always(self) -> None:
        """No law is broken in a fixed set of worlds."""
        for seed in ALWAYS:
            self.assert_lawful(play(seed, swarm(seed, SECONDS)))

    def test_fresh(self) -> None:
        """Nor in some that nobody has seen before; their seeds are printed."""
        seeds = [random.SystemRandom().randrange(1 << 31) for _ in range(FRESH)]
        print(f"fresh seeds, {SECONDS:g} s each: {' '.join(map(str, seeds))}")
        for seed in seeds:
            self.assert_lawful(play(seed, swarm(seed, SECONDS)))

    def test_scenarios(self) -> None:
        """Each named scenario can be played, and something is delivered in it."""
        for name, setting in SCENARIOS.items():
            outcome = play(1, replace(setting, seconds=120.0))
            self.assert_lawful(outcome)
            self.assertGreater(outcome.packets, 0, name)

    def test_found(self) -> None:
        """What a seed has found once stays mended."""
        for seed in FOUND:
            self.assert_lawful(play(seed, swarm(seed)))


class TraceTests(SynchronousTestCase):
    def test_same(self) -> None:
        """A seed and a setting give the same run, event by event; another seed gives another."""
        setting = swarm(7, 120.0)
        one, other = play(7, setting), play(7, setting)
        self.assertEqual((one.digest, one.events, one.packets), (other.digest, other.events, other.packets))
        self.assertNotEqual(play(8, setting).digest, one.digest)

    def test_hash_seeds(self) -> None:
        """So do two processes in which Python orders its sets differently."""
        code = "from tests.sim.play import play; from tests.sim.setting import swarm\n"
        code += "print([play(seed, swarm(seed, 60.0)).digest for seed in range(20, 30)])"
        traces = {
            subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": number}, capture_output=True, text=True, check=True).stdout
            for number in ("1", "2")
        }
        self.assertEqual(len(traces), 1)


class SettingTests(SynchronousTestCase):
    def test_swarm(self) -> None:
        """A seed always gives the same setting; over many seeds each fault that the program must stand is on at times, and off at times."""
        settings = [swarm(seed) for seed in range(200)]
        self.assertEqual(settings, [swarm(seed) for seed in range(200)])
        for fault in FAULTS:
            share = sum(fault in setting.faults for setting in settings)
            self.assertTrue(share == 0 if fault in KNOWN else 20 < share < 180, fault)

    def test_smaller(self) -> None:
        """Each smaller setting has less in it, and there is an end to it."""
        setting = swarm(11)
        for _ in range(200):
            smaller = [each for each in setting.smaller() if each != setting]
            if not smaller:
                break
            setting = smaller[-1]
        self.assertEqual((setting.faults, setting.readers, setting.far), (frozenset(), (), False))
