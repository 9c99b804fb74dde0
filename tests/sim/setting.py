"""What is in a simulated run: devices, links, clients, faults. The seed chooses them, and a failure is shrunk to fewer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

FAULTS = {
    "short": "reads and sends that move only a part of what they could",
    "delay": "a network that takes up to 50 ms",
    "small": "buffers of 2 kB in the network",
    "pieces": "packets and commands in pieces",
    "reset": "clients that end by a reset",
    "shut": "clients that end only their own direction, and read on",
    "vanish": "clients whose network is lost without a word",
    "stuck": "clients that stop reading for a while, or for good",
    "unplug": "a device that is unplugged, also in the middle of a byte, and comes back",
    "elsewhere": "a device that comes back under another name",
    "slow": "clients that read a little now and then",
    "baud": "a device that speaks at another rate for a while: what comes is garbage",
    "noise": "bytes that are damaged on the line",
    "xoff": "a device that takes nothing for a while",
    "flood": "a device that says more at once than its line's buffer holds",
    "echo": "a device that repeats what it is told",
    "files": "times in which the program has no descriptor left",
    "wall": "a wall clock that jumps",
    "away": "a far end that comes and goes, and takes nothing at times",
    "names": "names with no address at times, with several, or late",
    "head": "a device that is in the middle of a packet when its port is opened",
    "flap": "a device that is back a moment after it was unplugged, again and again",
    "cut": "a far end that is gone without a word, and must have everything when it is back",
    "term": "TERM in the middle of it all",
    "usr2": "an operator who asks for a report",
}
"""Each with what it does. Swarm testing: a seed switches some of them on, and others off."""

KNOWN: dict[str, str] = {
    "head": "the rest of a packet whose beginning nobody has read is given out as a packet",
    "flap": "a node that is there again when the wait for it begins is tried only after the grown back-off",
    "cut": "what lies in the system's send queue when a path dies is lost, and counted as written",
}
"""Faults that are switched off, each with the reason: the program does not stand them yet."""

READERS = ("lan", "raw", "web", "secure", "local")
POLICIES = ("disconnect", "drop-oldest", "drop-newest", "block")


@dataclass(frozen=True)
class Setting:
    """Seconds, counts and choices of one run."""

    seconds: float = 3600.0
    devices: int = 1
    every: float = 0.1
    """Seconds between two packets of a device."""
    longest: int = 60
    readers: tuple[str, ...] = ("lan", "lan", "lan")
    """For each client the link that it comes to."""
    far: bool = False
    """Whether there is a far end that is dialed."""
    commands: float = 0.02
    when_full: str = "disconnect"
    when_absent: str = "drop"
    outbox: int = 16384
    memory: int = 1 << 20
    faults: frozenset[str] = field(default_factory=frozenset)

    def smaller(self) -> Iterator[Setting]:
        """Settings with a little less in them, those that leave out most first."""
        for share in (0.1, 0.5, 0.9):
            yield replace(self, seconds=max(1.0, round(self.seconds * share, 3)))
        for fault in sorted(self.faults):
            yield replace(self, faults=self.faults - {fault})
        for place in range(len(self.readers)):
            yield replace(self, readers=self.readers[:place] + self.readers[place + 1 :])
        if self.devices > 1:
            yield replace(self, devices=1)
        if self.far:
            yield replace(self, far=False)
        if self.commands:
            yield replace(self, commands=0.0)

    def __str__(self) -> str:
        there = f"{self.devices} device(s) each {self.every:g} s, readers {' '.join(self.readers) or 'none'}{', a far end' * self.far}"
        rules = f"{self.when_full} at {self.outbox}, absent {self.when_absent}, memory {self.memory}"
        return f"{self.seconds:g} s; {there}; {self.commands:g} commands/s; {rules}; {' '.join(sorted(self.faults)) or 'no faults'}"


def swarm(seed: int, seconds: float = 3600.0) -> Setting:
    """What this seed is about."""
    chance = Random(f"setting {seed}")
    few = chance.random()
    faults = frozenset(fault for fault in FAULTS if fault not in KNOWN and chance.random() < few)
    devices = chance.choice((1, 1, 1, 2, 3))
    readers = tuple(chance.choice(READERS) for _ in range(chance.choice((1, 2, 3, 3, 4))))
    every = chance.choice((0.1, 0.3, 1.0, 1.0, 3.0)) * devices
    if "secure" in readers or "web" in readers:
        every = max(every, 0.3)
    return Setting(
        seconds=seconds,
        devices=devices,
        every=every,
        longest=chance.choice((10, 60, 60, 300, 1000)),
        readers=readers,
        far=chance.random() < 0.3,
        commands=chance.choice((0.0, 0.02, 0.02, 0.2)),
        when_full=chance.choice(POLICIES),
        when_absent=chance.choice(("drop", "hold")),
        outbox=chance.choice((2048, 16384, 16384, 1 << 20)),
        memory=chance.choice((65536, 1 << 20, 1 << 28)),
        faults=faults,
    )


STEADY = Setting(readers=("lan", "lan", "lan"), faults=frozenset(("short", "delay", "reset")), outbox=1 << 20, memory=1 << 28)
"""One device at 10 packets/s and three readers that come, leave and reset: the yardstick for speed."""

SCENARIOS: dict[str, Setting] = {
    "steady": STEADY,
    "replug": replace(STEADY, faults=frozenset(("unplug", "elsewhere", "pieces")), when_absent="hold", commands=0.2),
    "slow": replace(STEADY, faults=frozenset(("stuck", "small", "vanish")), outbox=2048, when_full="drop-oldest", longest=300),
    "blocked": replace(STEADY, faults=frozenset(("xoff", "stuck")), commands=1.0, when_full="block", readers=("lan", "web", "secure")),
    "far": replace(STEADY, faults=frozenset(("away", "names")), far=True, when_absent="hold"),
}
"""By name, for ``make sim SCENARIO=...``; without one each seed makes its own."""
