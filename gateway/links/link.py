"""One section of the INI file, running: its sessions, what they say, and what they hear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred, gatherResults, succeed

from ..bus.numbering import Numbering
from ..bus.outbox import Outbox, Parcel
from ..config.plan import LinkPlan
from ..ledger import Ledger
from ..net.chance import token
from ..net.watch import Watch
from ..options import write_count
from ..packet import Batch, Fault, Frames
from ..peer import Ended, Peer
from ..wires import Event, Wire
from .events import Events
from .groups import Groups
from .owner import Terms
from .runtime import Runtime
from .session import Session
from .trace import Direction, Trace


class Sessions(Protocol):
    """How a link's sessions come: from a listener, from one far end that is kept, ..."""

    listens: bool
    """Whether others come to it, as many as they like."""
    wanting: bool
    """Whether its sessions are a reason to open what is open only while it is used."""

    @property
    def waiting(self) -> int:
        """Packets that wait although nobody is there."""

    def bind(self, link: Link) -> None:
        """Called once, when the link is made; raises ConfigError for what only shows now."""

    def start(self) -> None: ...
    def stop(self) -> Deferred[Any]:
        """Let none come any more; fires when that is done. The sessions that are there are the link's to close."""

    def opened(self, session: Session) -> None: ...
    def ended(self, session: Session, ended: Ended, unsent: Outbox | None) -> None:
        """A session is over; what nobody has written is dropped, told, or kept for the next."""

    def lost_boundary(self, session: Session, text: str) -> None:
        """The bytes from this peer make no sense any more."""

    def absent(self, batch: Batch) -> None:
        """Nobody is there for this batch."""


class Link(Events):
    """The owner of its sessions (`links.session.Owner`), and one hearer on the bus. It knows no other link.

    ``sessions`` says how they come, ``new_wire`` makes the conversation of each.
    """

    def __init__(self, plan: LinkPlan, runtime: Runtime, sessions: Sessions, new_wire: Callable[[], Wire]) -> None:
        self.run = token(runtime.chance)
        self.topic = plan.topic
        super().__init__(plan.name, self.topic, runtime, Numbering(self.run))
        self.options = options = plan.options
        self.runtime = runtime
        self.how = sessions
        self.new_wire = new_wire
        self.sessions: dict[Session, None] = {}
        self.ledger = Ledger()
        self.hears: tuple[str, ...] = ()
        self.terms = Terms(
            clock=runtime.reactor,
            wall=runtime.wall,
            watch=runtime.watch,
            linger=runtime.linger,
            stall_timeout=options.stall_timeout,
            outbox=options.outbox,
            memory=runtime.memory,
            gate=runtime.bus.gate(()),
            counters=self.counters,
            delays=self.ledger.delays,
            kept=not sessions.listens,
        )
        self._groups = Groups()
        self._next_session = 0
        self._subscription: Any = None
        self._want: Any = None
        self._trace = Trace(options.trace, options.trace_rate) if options.trace != "off" else None
        self._idle = Watch[Session](runtime.reactor, options.idle_timeout, self._look_idle, _failed_idle)
        self._stopping: Deferred[None] | None = None
        self._sent_topic = f"{self.topic}/$sent"
        sessions.bind(self)

    # Life

    def rewire(self, hears: Sequence[str]) -> None:
        """Hear what these filters match, and nothing else, from now on."""
        if self._subscription is not None:
            self._subscription.cancel()
        self.hears = tuple(hears)
        before, self.terms.gate = self.terms.gate, self.runtime.bus.gate(self.hears)
        for waiting in (self, *self.sessions):
            if before.open(waiting):
                self.terms.gate.close(waiting)
        self._subscription = self.runtime.bus.subscribe(self.hears, self.deliver, self.name) if self.hears else None

    def start(self) -> None:
        """Let sessions come; raises ListenError where that cannot be."""
        self.how.start()

    def stop(self) -> Deferred[Any]:
        """Hear and accept no more; end every session when its whole packets are written. Fires when all have ended."""
        self.rewire(())
        self._idle.stop()
        coming = self.how.stop()
        leaving: Deferred[None] = succeed(None)
        if self.sessions:
            leaving = self._stopping = Deferred()
            for session in list(self.sessions):
                session.close("the gateway stops")
        return gatherResults([coming, leaving], consumeErrors=True)

    def new_session(self, peer: Peer) -> Session:
        """A session for this peer, to be connected to its transport."""
        self._next_session += 1
        return Session(self, f"{self.name}#{self._next_session}", peer, self.topic_of(peer), self.new_wire())

    def topic_of(self, peer: Peer) -> str:
        """The topic that a peer publishes under."""
        return self.topic.replace("{client}", peer.identity) if "{client}" in self.topic else self.topic

    # What a session tells its owner

    def opened(self, session: Session) -> None:
        self.sessions[session] = None
        self.runtime.bus.enrol(session.id, session)
        self._groups.add(session)
        if self._want is None and self.how.wanting:
            self._want = self.runtime.demand.want(self.topic, self.hears)
        if self.options.idle_timeout:
            self._idle.add(session)
        try:
            self.how.opened(session)
        except Exception:  # a fault of ours: it costs this session and nobody else
            session.failed("opening")

    def heard(self, session: Session, event: Event, time: int) -> None:
        if isinstance(event, Fault):
            self.counters["lost_bytes"] += event.size
            self.report(event.event, event.text, session, times=event.times, level="each" if event.each else "warn")
            if event.fatal:
                self.how.lost_boundary(session, event.text)
        elif not session.peer.may_write:
            self._discard(session, event, session.peer.why)
        elif self._trace is None and not self.runtime.bus.heard(session.topic):
            self._discard(session, event, f"nobody hears {session.topic!r}")
        else:
            self._publish(session, event, time)

    def ended(self, session: Session, ended: Ended, unsent: Outbox | None) -> None:
        self.runtime.bus.dismiss(session.id)
        if session in self.sessions:
            del self.sessions[session]
            self._groups.remove(session)
            self._idle.forget(session)
            if not self.sessions and self._want is not None:
                self._want, want = None, self._want
                want.cancel()
            self.how.ended(session, ended, unsent)
        else:
            session.writer.empty("the session ended before it began", "ended")
        session.writer.account = self.ledger.end(session.writer.account)
        if not self.sessions and self._stopping is not None:
            stopping, self._stopping = self._stopping, None
            stopping.callback(None)

    # From the peers to the bus

    def _publish(self, session: Session, frames: Frames, time: int) -> None:
        if self._trace is not None:
            self._log_trace(session, "received", frames)
        counters = self.counters
        counters["packets_in"] += frames.count
        counters["bytes_in"] += len(frames.data)
        seq = self._numbers.take(session.topic, frames.count)
        self.runtime.bus.publish(Batch(session.topic, self.run, seq, time, session.id, frames))

    def _discard(self, session: Session, frames: Frames, why: str) -> None:
        size = len(frames.data)
        self.counters["unheard_bytes"] += size
        if not session.unheard:
            text = f"what it sends is discarded, {write_count(size, 'byte')} to begin with: {why}"
            self.report("unheard", text, session)
        session.unheard += size

    # From the bus to the peers

    def deliver(self, batch: Batch) -> None:
        """Encode once for each representation, and give it to each session but the one that it came from."""
        if not self.sessions:
            self.how.absent(batch)
            return
        origin, reached, written, refused = batch.origin, False, 0, set[int]()
        for group in self._groups:
            members = group.members
            if len(members) == 1 and members[0].id == origin:
                continue
            parcel = Parcel(batch, told=True)
            if group.representation is None:
                for session in members:
                    if session.id != origin:
                        reached = True
                        session.write(parcel)
                continue
            encoded = members[0].wire.encode(batch)
            if encoded.refused:
                self.report("unsayable_packets", encoded.refusal(batch.topic), times=len(encoded.refused))
                refused.update(index for index, _error in encoded.refused)
                for session in members:
                    if session.id != origin:
                        session.writer.account.refuse(len(encoded.refused))
            if not encoded.packets:
                continue
            parcel.encoded, parcel.representation = encoded, group.representation
            data, packets = encoded.data, encoded.packets
            group.came += packets
            for session in members:
                if session.id != origin:
                    reached = True
                    writer = session.writer
                    try:
                        if writer.clear:
                            writer.transport.write(data)
                            writer.account.written += packets
                            written += packets
                        else:
                            writer.queue(parcel)
                    except Exception:  # a fault of ours: it costs this session and nobody else
                        session.failed("writing")
                else:
                    session.writer.account.came -= packets
        self.counters["packets_out"] += written
        if written:
            self.ledger.delays.add(self.runtime.wall() - batch.time, written)
        if self._trace is not None or self.options.idle_timeout:
            self._written(batch)
        if reached:
            self.tell_sent(batch, refused)

    @property
    def is_sent_heard(self) -> bool:
        """Whether anybody hears LINK/$sent."""
        return self.runtime.bus.heard(self._sent_topic)

    def tell_sent(self, batch: Batch, refused: set[int]) -> None:
        """Let those who name LINK/$sent hear what was accepted for writing."""
        if self.is_sent_heard:
            frames = batch.frames.without(refused) if refused else batch.frames
            if frames.count:
                seq = self._numbers.take(self._sent_topic, frames.count)
                self.runtime.bus.publish(Batch(self._sent_topic, self.run, seq, self.runtime.wall(), batch.origin, frames))

    # What people see

    def accounts(self) -> dict[str, int]:
        """What became of every packet that was for this link: see `Ledger.total`."""
        live = ((writer.account, writer.shared, writer.waiting) for writer in (session.writer for session in self.sessions))
        return self.ledger.total(live, self.how.waiting)

    def _written(self, batch: Batch) -> None:
        for session in self.sessions:
            if session.id != batch.origin:
                session.moved = True
                self._log_trace(session, "write", batch.frames)

    def _log_trace(self, session: Session, direction: Direction, frames: Frames) -> None:
        if self._trace is not None:
            for text in self._trace.lines(direction, frames.payloads, self.runtime.reactor.seconds()):
                self.runtime.log.info("{text}", text=self.line(text, session.peer.name))
            self.counters["untraced_packets"] = self._trace.left_out

    def _look_idle(self, session: Session, now: float) -> bool:
        """End a session on which nothing has moved since the last look; so it takes up to twice the time."""
        moved, session.moved = session.moved, False
        if not moved:
            reason = f"nothing moved for {self.options.idle_timeout:g} s (idle_timeout)"
            self.report("idle", reason, session, level="")
            session.close(reason)
        return moved


def _failed_idle(session: Session) -> None:
    session.failed("ending it as idle")
