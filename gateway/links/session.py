"""One live peer of a link: what it sends becomes packets on the bus, what it hears goes to its transport or waits in its outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..bus.outbox import Item, Outbox, Verb, Verdict
from ..net.probes import half_close, pending
from ..net.stall import Stall
from ..packet import Batch, Frames
from ..peer import PLAIN, Peer
from .intake import Intake

if TYPE_CHECKING:
    from .link import Link

_BURST = 1 << 16
HALF_CLOSED = 5.0
"""Seconds that a peer which has closed its sending side goes on hearing: ``echo '?' | nc -N HOST PORT`` gets its answer."""

_PEER = ("id", "link", "peer", "representation", "security", "topic", "transport", "why")
_STATE = ("clear", "dropped", "ended", "moved", "outbox", "received_bytes", "unheard")
_OWN = ("_aborted", "_closing", "_half_closed", "_heard_all", "_intake", "_paused_by", "_stall")


class Session:
    """Reading, writing, pausing and ending of one peer.

    It is the push producer of its Twisted transport. While that is *clear* (connected, its queue empty, no outbox), a delivery is one
    write; else it waits in the outbox, which is made when it is first needed. Reading is paused by tokens, so that two reasons can.
    """

    __slots__ = (*_PEER, *_STATE, *_OWN, "__weakref__")

    def __init__(self, link: Link, peer: str, security: Peer = PLAIN) -> None:
        self.link = link
        self.peer = peer
        self.security = security
        self.id = link.next_id()
        self.topic = link.topic_of(security)
        self.representation: Any = link.representation
        self.transport: Any = None
        self.outbox: Outbox | None = None
        self.clear = False
        self.ended = False
        self.moved = False
        self.unheard = 0
        self.why = ""
        self.dropped = 0
        self.received_bytes = 0
        self._intake: Intake | None = None
        self._paused_by: set[object] | None = None
        self._stall: Stall | None = None
        self._closing: Any = None
        self._half_closed: Any = None
        self._heard_all = False
        self._aborted = False

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.peer}>"

    # The beginning and the end

    def connected(self, transport: Any) -> None:
        """The transport is open: packets may flow from now on."""
        self.transport = transport
        self.clear = self.moved = True
        transport.registerProducer(self, True)
        self.link.joined(self)
        if self._paused_by:
            self._watched().pause()
            transport.pauseProducing()
        if self.outbox and not self.ended:
            self.resumeProducing()

    def close(self, reason: str) -> None:
        """End the session when the whole packets in its outbox are written; cut it after the linger time."""
        if self.ended or self._aborted or self._closing is not None:
            return
        linger = self.link.runtime.linger
        self._closing = self.link.runtime.reactor.callLater(linger, self.abort, f"{reason}; cut after {linger:g} s")
        self.why = reason
        if self.outbox and not self.clear:
            self.outbox.offer(Item(Verb("close")))
        else:
            self.perform(Verb("close"))

    def abort(self, reason: str) -> None:
        """End the session now; what waits is dropped and counted."""
        if self.ended or self._aborted:
            return
        self._aborted = True
        self.why = reason
        self.clear = False
        if self.transport is None:
            self.lost(reason, clean=False)
        elif hasattr(self.transport, "abortConnection"):
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    def lost(self, reason: str, clean: bool) -> None:
        """The transport has ended. ``clean``: a regular end of output, after which the rest is a packet (``on_tail = auto``)."""
        if self.ended:
            return
        reason = self.why or reason
        self._finish(clean)
        self.ended = True
        self.clear = False
        for timer in (self._closing, self._half_closed):
            if timer is not None and timer.active():
                timer.cancel()
        if self.transport is not None:
            self.link.unsent(self, pending(self.transport))
        if self.outbox:
            self.link.abandoned(self, self.outbox)
        self.link.runtime.bus.unblock(self)
        self.link.runtime.watch.forget(self)
        self.link.left(self, reason)

    def perform(self, verb: Verb) -> None:
        """Do what a verb asks, in order with the data: ``close`` here; a transport's own session may know more."""
        if verb.name == "close":
            self.clear = False
            self.transport.unregisterProducer()
            # Read on, and discard, until the peer closes too: unread input would turn our end into a reset that overtakes what we sent.
            if self._paused_by:
                self._unpause()
            if self.received_bytes and not self._heard_all:
                half_close(self.transport, self.security.secure)
            else:
                self.transport.loseConnection()

    @property
    def closing(self) -> bool:
        """Whether the session is being ended from our side."""
        return self._closing is not None

    # From the peer

    def received(self, data: bytes) -> None:
        """Bytes of a stream."""
        self.received_bytes += len(data)
        self.moved = True
        if self._closing is not None:
            self.link.count("late_bytes", len(data))
            return
        if not self.security.may_write:
            self.link.discard(self, len(data), self.security.why)
            return
        if self._intake is None:
            self._intake = Intake(self.link.new_framer(), self.link.runtime.reactor, self.link.runtime.wall, self._take, self._failed)
        # Also while nobody hears it: where a packet starts is known to a framer only that has seen all.
        self._intake.feed(data)

    def input_ended(self) -> None:
        """The peer has said that it sends no more. One that asked something may still hear the answer, for a while."""
        self._finish(clean=False)
        self._heard_all = True
        if self._closing is not None:
            if not self.outbox:  # else its close is still to come, behind what waits
                self.transport.loseConnection()
        elif self.received_bytes:
            self._half_closed = self.link.runtime.reactor.callLater(HALF_CLOSED, self.close, "closed by the peer")
        else:
            self.close("closed by the peer")

    def _finish(self, clean: bool) -> None:
        intake, self._intake = self._intake, None
        if intake is not None:
            tail = self.link.on_tail
            intake.finish(clean if tail == "auto" else tail == "emit")

    def _failed(self) -> None:
        self.link.failed(self, "reading")

    def _take(self, frames: Frames, time: int) -> None:
        if frames.count:
            self.link.publish(self, frames, time)
        for fault in frames.faults:
            self.link.fault(self, fault)
            if fault.fatal:
                self.link.boundary_lost(self, fault.text)

    # Back-pressure upon the peer

    def pause(self, token: object) -> None:
        """Read nothing more until every token that paused has resumed."""
        if self._paused_by is None:
            self._paused_by = set()
        first = not self._paused_by
        self._paused_by.add(token)
        if first and self.transport is not None and not self.ended:
            self._watched().pause()
            self.transport.pauseProducing()

    def resume(self, token: object) -> None:
        """Take one token back; the last one lets reading go on."""
        paused_by = self._paused_by
        if not paused_by or token not in paused_by:
            return
        paused_by.discard(token)
        if not paused_by:
            self._unpause()

    def _unpause(self) -> None:
        self._paused_by = None
        if self.transport is not None and not self.ended:
            self._watched().unpause()
            self.transport.resumeProducing()

    # To the peer

    def deliver(self, batch: Batch, data: bytes) -> None:
        """Write these encoded packets, or queue them behind what waits. With a representation of None they are for it to encode."""
        if self.clear:
            self.transport.write(data)
        else:
            self._queue(Item(data, batch.count, batch.origin))

    def answer(self, batch: Batch) -> None:
        """Take a batch that is for this session alone, if it has a way to say it."""
        data = self.link.encode_answer(self, batch)
        if data is not None:
            self.deliver(batch, data)

    def _queue(self, item: Item) -> None:
        if self.ended or self._aborted or self._closing is not None:
            self.link.drop(self, item.packets, "the session is closing")
            return
        box = self.outbox
        if box is None:
            box = self.outbox = self.link.new_outbox(self.give_up)
        dropped = box.dropped_packets
        verdict = box.offer(item)
        if verdict is Verdict.BLOCK and box:
            self.link.runtime.bus.block(self, self.link.plan.hears)
        elif box.dropped_packets != dropped:
            self.link.drop(self, box.dropped_packets - dropped, "its outbox is full")
            if verdict is Verdict.FULL:
                self.link.too_slow(self)

    def give_up(self) -> None:
        """All outboxes together are over the limit, and this is the fullest."""
        box = self.outbox
        if box is None:
            return
        limit = self.link.runtime.memory.limit
        self.link.drop_outbox(self, box, f"all outboxes together are over [gateway] memory = {limit} bytes, and this is the fullest")
        self.link.runtime.bus.unblock(self)
        if self.link.options.outbox.when_full == "disconnect":
            self.abort("over the memory of all outboxes")

    def pauseProducing(self) -> None:
        """Called by the transport, perhaps more than once: its queue is not empty any more."""
        self.clear = False
        self._watched().block(self.link.now(), self.transport)

    def resumeProducing(self) -> None:
        """Called by the transport: its queue is empty."""
        if self.ended:
            return
        box = self.outbox
        self.clear = True
        if self._stall is not None:
            self._stall.unblock()
        while box and self.clear:
            items = box.take(_BURST)
            body = items[0].body
            if isinstance(body, Verb):
                self.perform(body)
                continue
            self.transport.write(body if len(items) == 1 else b"".join([item.body for item in items]))  # type: ignore[misc]
        if box:
            self.clear = False
        if box is None or box.relieved:
            self.link.runtime.bus.unblock(self)

    def stopProducing(self) -> None:
        """Called by the transport when it ends; `lost` follows."""
        self.clear = False

    def check(self, now: float) -> bool:
        """Look after a paused or blocked session; False when there is nothing to look after."""
        if self.ended or self._stall is None:
            return False
        waiting = self.outbox.bytes if self.outbox else 0
        found = self._stall.look(now, self.transport, self.link.stall_timeout, waiting)
        if found is None:
            return self._stall.lasts
        self.link.count(found.event)
        self.abort(found.text)
        return False

    def _watched(self) -> Stall:
        """The stall of this session, which is looked after from now on."""
        if self._stall is None:
            self._stall = Stall()
        self.link.runtime.watch.add(self)
        return self._stall
