"""Plans, runtimes and transports for tests that need a link and nothing real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from gateway import registry
from gateway.bus.outbox import Outbox, OutboxOptions, Parcel
from gateway.config.plan import LinkPlan, StreamOptions
from gateway.links.acceptor import Acceptor
from gateway.links.connector import Connector
from gateway.links.link import Link
from gateway.links.runtime import Runtime
from gateway.links.session import Session
from gateway.links.stream import stream_wires
from gateway.net.keepers import Keeper
from gateway.packet import Batch, Frames
from gateway.peer import Ended, Peer
from gateway.wires import Encoded


class TurnClock(Clock):
    """A clock whose ``advance`` is one turn of the reactor: what is asked for meanwhile comes in the next, as in the real one."""

    def advance(self, amount: float) -> None:
        self.rightNow += amount
        for call in [call for call in self.getDelayedCalls() if call.getTime() <= self.rightNow]:
            if call.active():
                self.calls.remove(call)
                call.called = 1
                call.func(*call.args, **call.kw)


def make_runtime(clock: Any = None, memory: int = 256 << 20, **options: Any) -> Runtime:
    """A runtime on a clock that stands still until it is advanced; what it logs is in ``runtime.lines``."""
    lines: list[str] = []
    log = Logger(namespace="test", observer=lambda event: lines.append(event["log_format"].format(**event)))
    stamp = 1_700_000_000_000_000_000
    runtime = Runtime(clock or Clock(), memory=memory, linger=2.0, log=log, wall=lambda: stamp, **options)
    runtime.lines = lines  # type: ignore[attr-defined]
    return runtime


def make_plan(name: str, framing: str = "lines", codec: str = "raw", verbatim: bool = False, **options: Any) -> LinkPlan:
    """A plan for a stream link; ``outbox`` may be a dict; options of the framing as ``framing_max=...``."""
    framing_options = {key.removeprefix("framing_"): options.pop(key) for key in list(options) if key.startswith("framing_")}
    if isinstance(options.get("outbox"), dict):
        options["outbox"] = OutboxOptions(**options["outbox"])
    chosen = StreamOptions(codec=registry.load("codec", codec).Options(), **options)
    return LinkPlan(name, "test", chosen, registry.load("framing", framing).Options(**framing_options), verbatim or framing == "raw")


class Nowhere:
    """A listener that nobody comes to but whom the test lets join."""

    def start(self) -> None:
        return

    def stop(self) -> Deferred[None]:
        return succeed(None)


def make_link(
    runtime: Runtime, name: str, *, hears: tuple[str, ...] = (), dial: Any = None, new_wire: Callable[[], Any] | None = None, **plan: Any
) -> Link:
    """A started link: a listener for whoever joins, or with a ``dial`` one far end that is kept."""
    made = make_plan(name, **plan)
    sessions: Any = Connector(dial) if dial is not None else Acceptor(lambda link, build: Nowhere(), str)
    link = Link(made, runtime, sessions, new_wire or stream_wires(made))
    link.rewire(hears)
    link.start()
    return link


class Wire(StringTransport):
    """A transport that takes everything until it is told to take no more than ``room`` bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.room: int | None = None
        self.pending = 0
        self.aborted = False
        self.reading = True

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.room is not None:
            self.room -= len(data)
            if self.room <= 0 and self.producer is not None:
                self.pending = -self.room
                self.producer.pauseProducing()

    def drain(self) -> None:
        """The peer has taken everything."""
        self.room, self.pending = None, 0
        if self.producer is not None:
            self.producer.resumeProducing()

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def abortConnection(self) -> None:
        self.aborted = True


class Channel:
    """A protocol of its own below a session, which keeps what it is asked; the test takes leave for it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.asked: list[tuple[Any, ...]] = []

    def goodbye(self, reason: str, too_slow: bool) -> None:
        self.asked.append(("goodbye", reason, too_slow))

    def written(self) -> None:
        self.asked.append(("written",))


class LinkCase(SynchronousTestCase):
    """A clock that stands still, a runtime on it, and what that has logged."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.runtime = make_runtime(self.clock)

    def said(self) -> str:
        return "\n".join(self.runtime.lines)  # type: ignore[attr-defined]

    def device(self, **options: Any) -> Link:
        """A link that keeps one far end, hears lan and web, and has just begun to dial."""
        self.dial = Dial()
        return make_link(self.runtime, "dev", dial=self.dial, hears=("lan", "web"), **options)


def lines(*texts: bytes, origin: str = "gps#1", topic: str = "gps", seq: int = 1, end: bytes = b"\n") -> Batch:
    """A batch as the framing lines makes it."""
    data = b"".join(text + end for text in texts)
    return Batch(topic, "run", seq, 0, origin, Frames(data, len(texts), delimiter=b"\n", strip=b"\r"))


def command(text: bytes, origin: str) -> Batch:
    """A line that a client of lan has sent."""
    return Batch("lan", "run", 1, 0, origin, Frames(text + b"\n", 1, (text,)))


class Producer:
    """A push producer that keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


def join(link: Link, peer: str = "10.0.0.1:1") -> tuple[Session, Wire]:
    """A connected session of a link, and its transport."""
    session, wire = link.new_session(Peer(False, name=peer)), Wire()
    session.connected(wire)
    return session, wire


def join_over(link: Link) -> tuple[Session, Wire, Channel]:
    """The same, over a protocol of its own."""
    session, wire = link.new_session(Peer(False, name="10.0.0.1:1")), Wire()
    channel = Channel(session)
    session.connected(wire, channel)
    return session, wire, channel


def deliver(session: Session, batch: Batch, data: bytes) -> None:
    """Give a session the bytes that it is to have of a batch."""
    session.write(Parcel(batch, Encoded(data, batch.count), session.wire.representation))


def outbox(session: Session) -> Outbox:
    """What waits for a session."""
    assert session.writer.outbox is not None
    return session.writer.outbox


def gone(text: str = "gone", clean: bool = False) -> Ended:
    """The end of a session."""
    return Ended("eof", text, clean)


class Dial:
    """A far end whose attempts end as the test says."""

    place = "/dev/x"
    resyncs = rests = False
    comes_back = True

    def attempt(self, link: Link) -> Deferred[Any]:
        self.trial: Deferred[Any] = Deferred()
        return self.trial

    def look_out(self, wake: Any) -> None:
        return

    def opened(self, link: Link, session: Session) -> None:
        return

    def ended(self, session: Session) -> None:
        return


def keeper(link: Link) -> Keeper:
    assert isinstance(link.how, Connector)
    return link.how.keeper
