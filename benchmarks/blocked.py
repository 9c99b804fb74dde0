"""How long one publish holds the reactor while a thousand readers have no room (``outbox.when_full = block``)."""

from __future__ import annotations

import statistics
import time
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from gateway.bus.outbox import OutboxOptions
from gateway.config.plan import LinkPlan, StreamOptions
from gateway.links.acceptor import Acceptor
from gateway.links.link import Link
from gateway.links.runtime import Runtime
from gateway.links.stream import stream_wires
from gateway.packet import Batch, Frames
from gateway.peer import PLAIN
from gateway.registry import load

READERS = 1000
GOAL = 10.0
"""Milliseconds."""


class Nowhere:
    """A listener to whom nobody comes."""

    def start(self) -> None:
        return

    def stop(self) -> Deferred[Any]:
        return succeed(None)


class Full:
    """A transport that takes one write, and has room for no more."""

    pending = 1
    producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self.producer = producer

    def write(self, data: bytes) -> None:
        self.producer.pauseProducing()

    def pauseProducing(self) -> None:
        return

    def resumeProducing(self) -> None:
        return


def link(runtime: Runtime, name: str, hears: tuple[str, ...], sessions: int) -> None:
    """A link with so many sessions."""
    options = StreamOptions(codec=load("codec", "raw").Options(), outbox=OutboxOptions(bytes=100, when_full="block"))
    plan = LinkPlan(name, "test", options, load("framing", "lines").Options(), False)
    made = Link(plan, runtime, Acceptor(lambda link, build: Nowhere(), str), stream_wires(plan))
    made.rewire(hears)
    for _ in range(sessions):
        made.new_session(PLAIN).connected(Full())


def longest() -> float:
    """The longest of ten publishes, in ms: among them the one at which all the readers run out of room."""
    runtime = Runtime(Clock(), memory=256 << 20, linger=2.0)
    link(runtime, "readers", ("gps",), READERS)
    link(runtime, "gps", (), 1)
    times = []
    for seq in range(10):
        batch = Batch("gps", "run", seq, 0, "", Frames(bytes(60) + b"\n", 1, delimiter=b"\n"))
        began = time.perf_counter()
        runtime.bus.publish(batch)
        times.append((time.perf_counter() - began) * 1000)
    return max(times)


def measure(rounds: int) -> bool:
    """Print the line of the table; whether the goal is reached."""
    found = [longest() for _ in range(rounds)]
    middle = statistics.median(found)
    print(
        f"| blocked | {READERS} | a publish | - | {middle:.1f} ms [{min(found):.1f} - {max(found):.1f}] | - | {GOAL:g} ms |"
        f" {'reached' if middle <= GOAL else 'NOT REACHED'} |",
        flush=True,
    )
    return middle <= GOAL
