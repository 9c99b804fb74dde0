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
    "tiny": "buffers of half a kB in the network",
    "junk": "JSON clients who say at times what is no JSON",
    "unheard": "clients of a link that nobody hears, and who speak all the same",
}
"""Each with what it does. Swarm testing: a seed switches some of them on, and others off."""

KNOWN: dict[str, str] = {
    "head": "the rest of a packet whose beginning nobody has read is given out as a packet",
    "flap": "a node that is there again when the wait for it begins is tried only after the grown back-off",
    "cut": "what lies in the system's send queue when a path dies is lost, and counted as written",
}
"""Faults that are switched off, each with the reason: the program does not stand them yet."""

READERS = ("lan", "raw", "web", "secure", "local", "json")
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
    witnesses: tuple[str, ...] = ()
    """Links to which a good client comes, who stays: what it gets, and when, can be foretold."""
    hurry: float = 1.0
    """How many times faster clients and faults come and go."""
    outbox_packets: int = 1_000_000
    stall: float = 30.0
    idle: float = 0.0
    sessions: int = 1000
    trace: str = "off"
    while_used: bool = False
    command_size: int = 0
    """Bytes that make a command longer."""
    away: float = 1.0
    """How many times longer clients stay away."""
    device_outbox: int = 65536
    trace_rate: int = 0

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
        for place in range(len(self.witnesses)):
            yield replace(self, witnesses=self.witnesses[:place] + self.witnesses[place + 1 :])
        for name in (
            "hurry",
            "outbox_packets",
            "stall",
            "idle",
            "sessions",
            "trace",
            "while_used",
            "command_size",
            "away",
            "device_outbox",
            "trace_rate",
        ):
            yield replace(self, **{name: getattr(Setting, name)})

    def __str__(self) -> str:
        there = f"{self.devices} device(s) each {self.every:g} s, readers {' '.join(self.readers) or 'none'}{', a far end' * self.far}"
        rules = f"{self.when_full} at {self.outbox}, absent {self.when_absent}, memory {self.memory}"
        names = (
            "witnesses",
            "hurry",
            "outbox_packets",
            "stall",
            "idle",
            "sessions",
            "trace",
            "while_used",
            "command_size",
            "away",
            "device_outbox",
            "trace_rate",
        )
        rest = "".join(f"; {name} {getattr(self, name)}" for name in names if getattr(self, name) != getattr(Setting, name))
        return f"{self.seconds:g} s; {there}; {self.commands:g} commands/s; {rules}{rest}; {' '.join(sorted(self.faults)) or 'no faults'}"


def swarm(seed: int, seconds: float = 3600.0) -> Setting:
    """What this seed is about."""
    chance = Random(f"setting {seed}")
    few = chance.random()
    faults = frozenset(fault for fault in FAULTS if fault not in KNOWN and chance.random() < few)
    devices = chance.choice((1, 1, 1, 2, 3))
    readers = tuple(chance.choice(READERS) for _ in range(chance.choice((1, 2, 3, 3, 4))))
    every = chance.choice((0.1, 0.3, 1.0, 1.0, 3.0, 10.0)) * devices
    if {"secure", "web", "json"} & {*readers}:
        every = max(every, 1.0)
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
        witnesses=tuple(link for link in dict.fromkeys(readers) if chance.random() < 0.5),
        hurry=1.0 if "secure" in readers else chance.choice((1.0,) * 9 + (10.0,)),  # TLS handshakes cost most of all
        outbox_packets=chance.choice((1_000_000, 1_000_000, 8)),
        stall=chance.choice((30.0, 30.0, 3.0)),
        idle=chance.choice((0.0, 0.0, 0.0, 4.0)),
        sessions=chance.choice((1000, 1000, 2)),
        trace=chance.choice(("off",) * 9 + ("text", "hex", "hexdump")),
        while_used=chance.random() < 0.2,
        command_size=chance.choice((0, 0, 400)),
        away=chance.choice((1.0, 1.0, 10.0)),
        device_outbox=chance.choice((65536, 65536, 2000)),
    )


STEADY = Setting(readers=("lan", "lan", "lan"), faults=frozenset(("short", "delay", "reset")), outbox=1 << 20, memory=1 << 28)
"""One device at 10 packets/s and three readers that come, leave and reset: the yardstick for speed."""

_FULL = replace(
    STEADY,
    faults=frozenset(("stuck", "tiny", "delay", "flood")),
    readers=("lan", "lan", "web", "secure", "json", "raw"),
    witnesses=("lan", "json"),
    outbox=1500,
    outbox_packets=30,
    longest=200,
    hurry=20.0,
    commands=0.2,
)

SCENARIOS: dict[str, Setting] = {
    "steady": STEADY,
    "replug": replace(STEADY, faults=frozenset(("unplug", "elsewhere", "pieces")), when_absent="hold", commands=0.2),
    "slow": replace(STEADY, faults=frozenset(("stuck", "small", "vanish")), outbox=2048, when_full="drop-oldest", longest=300),
    "blocked": replace(STEADY, faults=frozenset(("xoff", "stuck")), commands=1.0, when_full="block", readers=("lan", "web", "secure")),
    "far": replace(STEADY, faults=frozenset(("away", "names")), far=True, when_absent="hold"),
    **{f"full, {policy}": replace(_FULL, when_full=policy) for policy in POLICIES},
    "good": replace(STEADY, faults=frozenset(), witnesses=READERS, commands=0.3, hurry=5.0),
    "answers": replace(STEADY, faults=frozenset(("unplug",)), readers=("json", "lan"), witnesses=("json",), commands=2.0, hurry=20.0),
    "held": replace(
        STEADY,
        faults=frozenset(("unplug", "xoff")),
        witnesses=("json", "lan"),
        when_absent="hold",
        when_full="block",
        commands=3.0,
        hurry=20.0,
    ),
    "held, full": replace(
        STEADY,
        faults=frozenset(("unplug", "xoff")),
        witnesses=("json", "lan"),
        when_absent="hold",
        when_full="block",
        commands=3.0,
        command_size=400,
        hurry=20.0,
        device_outbox=3000,
    ),
    "lost": replace(
        STEADY, faults=frozenset(("unplug", "xoff")), witnesses=("json", "lan", "json"), commands=3.0, command_size=400, hurry=20.0
    ),
    "memory": replace(_FULL, memory=8000, outbox=1 << 20, outbox_packets=1_000_000, when_full="block"),
    "memory, too slow": replace(_FULL, memory=8000, outbox=1 << 20, outbox_packets=1_000_000),
    "stalled": replace(_FULL, stall=2.0, hurry=10.0, when_full="drop-newest", faults=frozenset(("stuck", "tiny", "vanish", "flood"))),
    "idle": replace(STEADY, faults=frozenset(), idle=2.0, every=6.0, readers=("lan", "web", "raw"), commands=0.1),
    "not idle": replace(STEADY, faults=frozenset(), idle=2.0, witnesses=("lan", "web"), commands=0.1),
    "crowded": replace(STEADY, faults=frozenset(), sessions=2, readers=("lan", "lan", "lan", "lan", "web", "web", "web"), hurry=20.0),
    "traced": replace(STEADY, trace="text", commands=1.0, witnesses=("lan",)),
    "traced by rate": replace(STEADY, trace="hexdump", trace_rate=5),
    "used": replace(STEADY, faults=frozenset(("unplug", "shut")), while_used=True, readers=("lan", "json"), commands=0.3, hurry=30.0),
    "unused": replace(STEADY, faults=frozenset(), while_used=True, readers=("raw", "lan"), hurry=30.0, away=12.0),
    "nonsense": replace(STEADY, faults=frozenset(("junk", "unheard")), readers=("json", "raw"), witnesses=("json", "raw"), commands=0.5),
    "far, held": replace(
        STEADY,
        faults=frozenset(("away", "tiny", "flood")),
        far=True,
        when_absent="hold",
        outbox=4000,
        when_full="block",
        hurry=10.0,
        longest=300,
    ),
    "far, dropped": replace(STEADY, faults=frozenset(("away", "names", "xoff")), far=True, witnesses=("json",), hurry=10.0, commands=1.0),
}
"""By name, for ``make sim SCENARIO=...``; without one each seed makes its own."""
