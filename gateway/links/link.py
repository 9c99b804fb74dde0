"""One section of the INI file, running: its sessions, what they say, and what they hear."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from typing import Any

from twisted.internet.defer import Deferred, succeed

from ..bus.numbering import Numbering
from ..bus.outbox import Outbox
from ..config.plan import LinkPlan
from ..errors import CodecError
from ..framing import Framer
from ..net.idle import Idle
from ..packet import Batch, Frames
from ..peer import Peer
from ..registry import make_codec, make_framer
from ..wires._framed import StreamEncoder, decoded
from .events import Bookkeeping
from .groups import Encoder, Groups
from .runtime import Runtime
from .session import Session
from .trace import Direction, Trace


class Link(Bookkeeping):
    """What is the same for every transport. A transport's own link opens sessions, and may say how it encodes."""

    wants = True
    """Whether its sessions are a reason to open what is open only while it is used."""

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        super().__init__(plan.name, runtime)
        self.plan = plan
        self.options = plan.options
        self.topic = plan.topic
        self.sessions: dict[Session, None] = {}
        self.codec = make_codec(plan.options.codec)
        self.stall_timeout = plan.options.stall_timeout
        self.representation: Hashable = "stream"
        self.on_tail: str = getattr(plan.options, "on_tail", "auto")
        self.now: Callable[[], float] = runtime.reactor.seconds
        self.run = secrets.token_hex(4)
        self._groups = Groups(lambda representation: self.encoder(representation))
        self._numbers = Numbering(self.run)
        self._next_session = 0
        self._subscription: Any = None
        self._want: Any = None
        self._reads_fields = not self.codec.verbatim
        self._trace = Trace(self.options.trace, self.options.trace_rate) if self.options.trace != "off" else None
        self._idle = Idle(
            runtime.reactor,
            self.options.idle_timeout,
            self.sessions,
            self._end_idle,
            lambda session: self.failed(session, "ending it as idle"),
        )
        self._stopping: Deferred[None] | None = None
        self._skipped: set[int] = set()
        self._sent_topic = f"{self.topic}/$sent"

    # Life

    def start(self) -> None:
        """Hear what the plan says. A transport's link opens its device or listener besides."""
        if self.plan.hears:
            self._subscription = self.runtime.bus.subscribe(self.plan.hears, self.deliver, self.name)

    def stop(self) -> Deferred[None]:
        """Hear and accept no more; end every session when its whole packets are written. Fires when all have ended."""
        if self._subscription is not None:
            self._subscription.cancel()
            self._subscription = None
        self._idle.stop()
        if not self.sessions:
            return succeed(None)
        stopping = self._stopping = Deferred[None]()
        for session in list(self.sessions):
            session.close("the gateway stops")
        return stopping

    def next_id(self) -> str:
        """A new session's id."""
        self._next_session += 1
        return f"{self.name}#{self._next_session}"

    def topic_of(self, security: Peer) -> str:
        """The topic that a session publishes under."""
        return self.topic.replace("{client}", security.identity) if "{client}" in self.topic else self.topic

    def joined(self, session: Session) -> None:
        """A session is open."""
        self.sessions[session] = None
        self.runtime.bus.enrol(session.id, session)
        self._groups.add(session)
        self.count("sessions")
        self.arrived(session)
        if self._want is None:
            self._want = self.runtime.demand.want(self.topic, self.plan.hears) if self.wants else None
        self._idle.start()

    def left(self, session: Session, reason: str) -> None:
        """A session has ended, for whatever reason."""
        self.runtime.bus.dismiss(session.id)
        if session not in self.sessions:
            return
        del self.sessions[session]
        self.departed(session, reason)
        self._groups.remove(session)
        if not self.sessions:
            if self._want is not None:
                self._want, want = None, self._want
                want.cancel()
            if self._stopping is not None:
                self._stopping.callback(None)
                self._stopping = None

    def full(self) -> bool:
        """Whether one more session would be too many; counts the one that is refused."""
        if len(self.sessions) < self.options.max_sessions:
            return False
        self.count("refused_sessions")
        return True

    # From the peers to the bus

    def discard(self, session: Session, size: int, why: str) -> None:
        """What a session said goes nowhere: it is counted, and told once a session."""
        self.counters["unheard_bytes"] += size
        if not session.unheard:
            self.say("unheard", session, f"what it sends is discarded, {size} bytes to begin with: {why}")
        session.unheard += size

    def publish(self, session: Session, frames: Frames, time: int) -> None:
        """Number what a session said, and give it to whoever hears it. ``time``: when its last byte was read, ns since the epoch."""
        topic = session.topic
        if self._trace is None and not self.runtime.bus.heard(topic):
            self.discard(session, len(frames.data), f"nobody hears {topic!r}")
            return
        fields = None
        if self._reads_fields:
            frames, fields = decoded(frames, self.codec, self.options.on_bad, lambda error, count: self._unreadable(session, error, count))
            if not frames.count:
                return
        if self._trace is not None:
            self._log_trace(session, "received", frames)
        counters = self.counters
        counters["packets_in"] += frames.count
        counters["bytes_in"] += len(frames.data)
        seq = self._numbers.take(topic, frames.count)
        self.runtime.bus.publish(Batch(topic, self.run, seq, time, session.id, frames, "", fields))

    def _unreadable(self, session: Session, error: CodecError, count: int) -> None:
        self.count("bad_packets", count)
        if self.options.on_bad == "log":
            self.runtime.log.warn("{text}", text=self.line(session, f"unreadable packet dropped: {error}"))
        else:
            done = "forwarded" if self.options.on_bad == "forward" else "dropped"
            packets = "unreadable packet" if count == 1 else f"{count} unreadable packets"
            self.say("bad_packet", session, f"{packets} {done}: {error}")

    def boundary_lost(self, session: Session, text: str) -> None:
        """A fault that a stream does not survive: the session ends (a serial link finds the next boundary instead)."""
        session.abort(text)

    # From the bus to the peers

    def encoder(self, representation: Hashable) -> Encoder:
        """A function from a batch to its bytes in this representation; asked once for each group of sessions."""
        if self.plan.verbatim:
            return lambda batch: batch.frames.data
        return StreamEncoder(self.new_framer(), self.codec, self._unsayable)

    def _unsayable(self, batch: Batch, index: int, error: CodecError) -> None:
        self._skipped.add(index)
        self.count("unsayable_packets")
        self.runtime.notices.say(f"{self.name} unsayable", f"[{self.name}] a packet of {batch.topic} cannot be written here: {error}")

    def deliver(self, batch: Batch) -> None:
        """Encode once for each group, and give it to each session but the one that it came from."""
        if not self.sessions:
            self.absent(batch)
            return
        origin, reached = batch.origin, 0
        self._skipped, said = set(), 0
        for group in self._groups:
            members = group.members
            data = group.encode(batch) if members else b""
            if data or group.own:
                before = reached
                for session in members:
                    if session.id != origin:
                        try:
                            session.deliver(batch, data)
                        except Exception:  # a fault of ours: it costs this session and nobody else
                            self.failed(session, "writing")
                        reached += 1
                said += (batch.count - len(self._skipped)) * (reached - before)
        self.counters["packets_out"] += said
        if self._trace is not None or self.options.idle_timeout:
            self._written(batch)
        if reached:
            self.tell_sent(self.sayable(batch))

    def sayable(self, batch: Batch) -> Batch:
        """The batch that was encoded last, without the packets that could not be."""
        if not self._skipped:
            return batch
        kept = [index for index in range(batch.count) if index not in self._skipped]
        payloads = [batch.payloads[index] for index in kept]
        fields = batch.fields and [batch.fields[index] for index in kept]
        frames = Frames(b"".join(payloads), len(payloads), payloads)
        return Batch(batch.topic, batch.run, batch.seq, batch.time, batch.origin, frames, "", fields)

    def tell_sent(self, batch: Batch) -> None:
        """Let those who name LINK/$sent hear what was accepted for writing."""
        if batch.count and self.runtime.bus.heard(self._sent_topic):
            seq = self._numbers.take(self._sent_topic, batch.count)
            self.runtime.bus.publish(
                Batch(self._sent_topic, self.run, seq, self.runtime.wall(), batch.origin, batch.frames, "", batch.fields)
            )

    def encode_answer(self, session: Session, batch: Batch) -> bytes | None:
        """What a batch for one session alone looks like to it; None if it has no way to say it apart from the data."""
        if "/$" in batch.topic and not getattr(self.codec, "says_topic", False):
            self.count("untold_events", batch.count)
            return None
        return self._groups.encoder_of(session)(batch)

    def absent(self, batch: Batch) -> None:
        """Nobody is here for a batch. A link with many peers misses none."""

    def new_framer(self) -> Framer:
        """A framer for one direction of one session's stream."""
        if self.plan.framing is None:
            raise TypeError(f"[{self.name}] speaks in messages, which need no framing")
        return make_framer(self.plan.framing)

    def new_outbox(self, give_up: Callable[[], None]) -> Outbox:
        """The queue for one slow session."""
        return Outbox(self.options.outbox, self.runtime.memory, give_up)

    def abandoned(self, session: Session, box: Outbox) -> None:
        """A session ended with something in its outbox."""
        self.drop_outbox(session, box, "the session ended")

    def too_slow(self, session: Session) -> None:
        """A session's outbox is full and the policy is to end it."""
        self.count("slow_disconnects")
        limits = self.options.outbox
        session.abort(f"too slow: outbox full at {limits.bytes} bytes or {limits.packets} packets (outbox.when_full = disconnect)")

    # What people see

    def _written(self, batch: Batch) -> None:
        for session in self.sessions:
            if session.id != batch.origin:
                session.moved = True
                self._log_trace(session, "write", batch.frames)

    def _log_trace(self, session: Session, direction: Direction, frames: Frames) -> None:
        if self._trace is not None:
            for text in self._trace.lines(direction, frames.payloads, self.now()):
                self.runtime.log.info("{text}", text=self.line(session, text))
            self.counters["untraced_packets"] = self._trace.left_out

    def _end_idle(self, session: Session) -> None:
        self.count("idle")
        session.close(f"nothing moved for {self.options.idle_timeout:g} s (idle_timeout)")
