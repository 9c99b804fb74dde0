"""What a session asks of its link, and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.gates import Gate
from gateway.bus.outbox import Memory, Outbox, OutboxOptions
from gateway.codecs import raw
from gateway.framing import lines
from gateway.ledger import Delays
from gateway.links.owner import Owner, Terms
from gateway.links.session import Session
from gateway.net.watch import Watch
from gateway.packet import Batch, Frames
from gateway.peer import PLAIN, Ended
from gateway.wires import Event
from gateway.wires._framed import Form, FramedWire

from ..building import Wire, gone


class Alone:
    """An owner without a link, a bus or a configuration."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.told: list[Any] = []
        self.terms = Terms(
            clock=self.clock,
            wall=lambda: 7,
            watch=Watch(self.clock, 1.0, lambda thing, now: thing.check(now), self.told.append),
            linger=1.0,
            stall_timeout=30.0,
            outbox=OutboxOptions(),
            memory=Memory(1 << 20),
            gate=Gate(()),
            counters=Counter(),
            delays=Delays(),
        )

    def opened(self, session: Session) -> None:
        self.told.append("opened")

    def heard(self, session: Session, event: Event, time: int) -> None:
        self.told.append((list(event.payloads) if isinstance(event, Frames) else event.event, time))

    def ended(self, session: Session, ended: Ended, unsent: Outbox | None) -> None:
        self.told.append(ended.text)

    def report(self, event: str, text: str, session: Session | None = None, *, times: int = 1, level: str = "warn") -> None:
        self.told.append(event)


class OwnerTests(SynchronousTestCase):
    def test_five_names(self) -> None:
        """A session lives with whoever has five names: it opens, reads, writes and ends, and leaves no timer."""
        owner = Alone()
        asked: Owner[Session] = owner
        form = Form(lambda: lines.Framer(lines.Options(max=4)), raw.Codec(raw.Options()))
        session, wire = Session(asked, "one", PLAIN, "topic", FramedWire(form)), Wire()
        session.connected(wire)
        session.received(b"a\ntoo long\n")
        session.answer(Batch("gps", "run", 1, 0, "", Frames(b"b\n", 1, delimiter=b"\n")))
        session.close("enough")
        session.lost(gone("closed"))
        self.assertEqual(owner.told, ["opened", ([b"a"], 7), ("oversize", 7), "enough"])
        self.assertEqual((wire.value(), owner.clock.getDelayedCalls()), (b"b\n", []))
