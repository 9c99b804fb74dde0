"""Plays one seed: the same seed and setting give the same run, event by event."""

from __future__ import annotations

import time
import traceback
from typing import NamedTuple

from . import laws, liveness
from .gateway import simulated
from .scene import Scene
from .setting import Setting
from .world import BEGIN, BrokenError

_OURS = "the simulation itself failed"


class Outcome(NamedTuple):
    """What became of a run. ``problem`` is "" when every law held."""

    seed: int
    setting: Setting
    problem: str
    seconds: float
    """How much was simulated."""
    events: int
    digest: int
    cpu: float
    packets: int
    """Delivered to readers."""
    recent: tuple[str, ...] = ()
    """For a failure: what happened last."""


def play(seed: int, setting: Setting) -> Outcome:
    """Run it to its end, or to the first law that does not hold."""
    began = time.process_time()
    with simulated(seed) as sim:
        world = sim.world
        problem, scene = "", None
        try:
            scene = Scene(sim, setting)
            end = BEGIN + setting.seconds
            while world.now < end and sim.stopping is None:
                world.run(min(world.now + 1.0, end))
                laws.look(scene)
                liveness.look(scene)
            laws.look_at_end(scene)
        except BrokenError as broken:
            problem = str(broken)
        except Exception:
            problem = f"{_OURS}:\n{traceback.format_exc()}"
        packets = sum(counted.got for counted in scene.counted.values()) if scene is not None else 0
        recent = _recent(sim) if problem else ()
        cpu = time.process_time() - began
        return Outcome(seed, setting, problem, world.now - BEGIN, world.events, world.digest, cpu, packets, recent)


def _recent(sim: object) -> tuple[str, ...]:
    world = sim.world  # type: ignore[attr-defined]
    happened = [(at, f"{at - BEGIN:.6f} {what} {who} {size}") for at, what, who, size in world.recent]
    said = [(float(text.split(" ", 1)[0]), f"{float(text.split(' ', 1)[0]) - BEGIN:.6f} LOG {text.split(' ', 1)[1]}") for text in world.log]
    first = happened[0][0] if happened else 0.0
    return tuple(text for at, text in sorted([*happened, *(row for row in said if row[0] >= first)], key=lambda row: row[0]))


def shrink(outcome: Outcome, tries: int = 60) -> Outcome:
    """A smaller setting that fails at the same seed, too: less time, fewer faults, fewer clients."""
    best = outcome
    if outcome.problem.startswith(_OURS):
        return best
    while tries > 0:
        for setting in best.setting.smaller():
            if setting == best.setting:
                continue
            tries -= 1
            found = play(outcome.seed, setting)
            if found.problem and not found.problem.startswith(_OURS):
                best = found
                break
            if tries <= 0:
                return best
        else:
            return best
    return best
