"""What must happen within a time: a device that is there is opened, one that is gone is noticed, timers do not pile up."""

from __future__ import annotations

from .scene import Scene
from .world import BrokenError

OPENED_IN, OPENED_AGAIN_IN = 5.0, 45.0
"""Seconds: a node that comes is looked for four times a second; a port that the program has closed itself waits for its back-off."""
NOTICED_IN = 3.0
TIMERS, TIMERS_EACH = 20, 4
"""The most timers of a program, and of each session and link more."""


def look(scene: Scene) -> None:
    """Raises BrokenError."""
    sim = scene.sim
    now = sim.world.now
    if sim.stopping is not None:
        return
    for device in scene.devices:
        uart = device.uart
        since = now - uart.changed_at
        kept = uart.is_there and not scene.setting.while_used
        if kept and uart.tty is None and since > OPENED_IN and now - uart.left_at > OPENED_AGAIN_IN:
            raise BrokenError(f"{device.name} has been there for {since:.0f} s, and is not open")
        if uart.tty is not None and uart.tty.hung and since > NOTICED_IN:
            raise BrokenError(f"{device.name} was unplugged {since:.0f} s ago, and its port is still open")
    if int(now) % 30 == 0:
        timers = len(sim.reactor.getDelayedCalls())
        most = TIMERS + TIMERS_EACH * (len(sim.links) + sum(len(link.sessions) for link in sim.links.values()))
        if timers > most:
            raise BrokenError(f"there are {timers} timers, and should be at most {most}")
