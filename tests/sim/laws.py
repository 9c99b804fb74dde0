"""What must hold in every run, whatever happens: looked at each simulated second, and at the end."""

from __future__ import annotations

from . import waits
from .books import Books
from .gateway import STOPS_IN
from .scene import Scene
from .world import BrokenError

BUSY = 20_000
"""Things done in one second: more, and the program goes round in circles."""
WORK = 400
"""Reads and sends of one turn."""


def look(scene: Scene) -> None:
    """The laws that hold at any time. Raises BrokenError."""
    sim = scene.sim
    if sim.world.alarms:
        raise BrokenError(sim.world.alarms[0])
    if sim.world.events - scene.events_before > BUSY:
        raise BrokenError(f"{sim.world.events - scene.events_before} things were done in a second: it goes round in circles")
    scene.events_before = sim.world.events
    if sim.world.longest_turn > WORK:
        raise BrokenError(f"one turn had {sim.world.longest_turn} reads and sends, more than {WORK}")
    memory = sim.service.runtime.memory
    if memory.used > max(memory.limit, 0):
        raise BrokenError(f"the outboxes hold {memory.used} bytes, and may hold {memory.limit}")
    for name, link in sim.links.items():
        accounts = scene.accounts[name] = link.accounts()
        if accounts["unaccounted"]:
            raise BrokenError(f"[{name}] {accounts['unaccounted']} packets are unaccounted for: {accounts}")
        for session in link.sessions:
            if session.writer.unaccounted:
                raise BrokenError(f"{session!r}: {session.writer.unaccounted} packets are unaccounted for")
    _explained(scene)
    waits.look(scene)
    if scene.books is None:
        scene.books = Books(scene)
    scene.books.look()


def _explained(scene: Scene) -> None:
    """What readers missed between others, a counter explains."""
    for name, counted in scene.counted.items():
        counters = scene.sim.links[name].counters
        if counted.gaps > counters["dropped_packets"]:
            raise BrokenError(
                f"readers of {name} missed {counted.gaps} packets between others; it counts {counters['dropped_packets']} as dropped"
            )


def look_at_end(scene: Scene) -> None:
    """Nothing is left, some seconds after TERM."""
    sim = scene.sim
    for client in scene.clients:
        client.stays_away = True
    sim.term()
    done: list[object] = []
    sim.stopping.addBoth(done.append)
    until = sim.world.now + STOPS_IN
    while not done and sim.world.now < until:
        sim.world.run(min(until, sim.world.now + 0.01))
    look(scene)
    left = {name: list(link.sessions) for name, link in sim.links.items() if link.sessions}
    if not done:
        raise BrokenError(f"{STOPS_IN:g} s after TERM the program has not stopped")
    if left:
        raise BrokenError(f"the program has stopped, and there are sessions: {left}")
    if timers := sim.reactor.getDelayedCalls():
        raise BrokenError(f"the program has stopped, and there are timers: {[str(timer.args[0]) for timer in timers]}")
    if handles := sim.reactor.open_descriptors():
        raise BrokenError(f"the program has stopped, and there are descriptors: {handles}")
    if sim.service.runtime.memory.used:
        raise BrokenError(f"after the end the outboxes are charged {sim.service.runtime.memory.used} bytes")
