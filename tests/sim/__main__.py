"""``python -m tests.sim``: play seeds until one fails or the time is over. See docs/testing.md."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from .play import Outcome, play, shrink
from .setting import SCENARIOS, Setting, swarm


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description="Play the whole program in a simulated world, by seed.")
    parser.add_argument("--seed", type=int, help="this one (and those after it with --seeds)")
    parser.add_argument("--seeds", type=int, help="how many; without it, until one fails")
    parser.add_argument("--hours", type=float, default=1.0, help="how long each is, in simulated hours")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), help="this setting for each seed; without it each seed makes its own")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--traces", type=Path, metavar="FILE", help="write a line for each seed with its trace, to compare two runs")
    asked = parser.parse_args(arguments)
    first = random.SystemRandom().randrange(1 << 31) if asked.seed is None else asked.seed
    count = asked.seeds if asked.seeds is not None else 1 if asked.seed is not None else sys.maxsize
    began = time.monotonic()
    played = failed = 0
    simulated = cpu = 0.0
    try:
        for outcome in _outcomes(first, count, asked):
            played += 1
            if asked.traces:
                with asked.traces.open("a") as file:
                    file.write(f"{outcome.seed} {outcome.events} {outcome.digest & (1 << 64) - 1:016x}\n")
            simulated += outcome.seconds
            cpu += outcome.cpu
            if outcome.problem:
                failed += 1
                _tell(outcome)
                if asked.seeds is None:
                    break
            elif count == 1:
                print(f"seed {outcome.seed}: {outcome.setting}")
                print(f"{outcome.events} events, {outcome.packets} packets, trace {outcome.digest & (1 << 64) - 1:016x}")
    except KeyboardInterrupt:
        print()
    spent = time.monotonic() - began
    pace = f"{simulated / 3600:.1f} h simulated in {spent:.0f} s, {simulated / max(cpu, 1e-9):.0f} times real time a process"
    print(f"{played} seeds from {first}, {failed} failed; {pace}")
    return min(failed, 1)


def _outcomes(first: int, count: int, asked: argparse.Namespace) -> Iterator[Outcome]:
    seconds = asked.hours * 3600

    def setting(seed: int) -> Setting:
        return replace(SCENARIOS[asked.scenario], seconds=seconds) if asked.scenario else swarm(seed, seconds)

    if asked.processes == 1:
        for seed in range(first, first + count):
            yield play(seed, setting(seed))
        return
    with ProcessPoolExecutor(asked.processes) as pool:
        ahead: list[object] = []
        seed = first
        while seed < first + count or ahead:
            while seed < first + count and len(ahead) < 2 * asked.processes:
                ahead.append(pool.submit(play, seed, setting(seed)))
                seed += 1
            yield ahead.pop(0).result()  # type: ignore[attr-defined]


def _tell(outcome: Outcome) -> None:
    print(f"seed {outcome.seed} FAILED after {outcome.seconds:.3f} s: {outcome.problem}\n  {outcome.setting}", flush=True)
    small = shrink(outcome)
    print(*small.recent[-1000:], sep="\n")
    print(f"shrunk: {small.problem}\n  {small.setting}\n  again: SEED={small.seed} make sim", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
