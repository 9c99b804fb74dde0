"""One live peer of a link: what it says becomes events for its owner, what it hears is written or waits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from ..bus.outbox import Parcel, Verb
from ..net.probes import half_close, pending
from ..options import write_count
from ..packet import Batch
from ..peer import Ended, Peer
from ..wires import Encoded, Wire
from .intake import Intake
from .owner import Channel, Owner, Terms
from .state import HALF_CLOSED, NEXT, READS, WRITES, State
from .writer import Writer

CLOSE = Verb("close")


class Session:
    """Reading, pausing and ending of one peer; `Writer` writes. Reading is paused by tokens, so that two reasons can."""

    __slots__ = (
        *("channel", "group", "id", "owner", "peer", "state", "topic", "why", "wire", "writer"),
        *("moved", "received_bytes", "unheard"),
        *("_intake", "_paused_by", "_timer", "__weakref__"),
    )

    def __init__(self, owner: Owner[Session], id: str, peer: Peer, topic: str, wire: Wire) -> None:
        self.owner = owner
        self.id = id
        self.peer = peer
        self.topic = topic
        self.wire = wire
        self.writer = Writer(self)
        self.channel: Channel | None = None
        self.group: Any = None
        self.state = State.NEW
        self.why: Ended | None = None
        self.moved = True
        self.unheard = 0
        self.received_bytes = 0
        self._intake: Intake | None = None
        self._paused_by: set[object] | None = None
        self._timer: Any = None

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.name} {self.state.value}>"

    @property
    def name(self) -> str:
        return self.peer.name

    @property
    def terms(self) -> Terms:
        return self.owner.terms

    @property
    def open(self) -> bool:
        """Whether its transport is there."""
        return self.state is not State.ENDED and self.writer.transport is not None

    @property
    def clear(self) -> bool:
        """Whether its peer has taken all that was written."""
        return self.writer.clear

    @property
    def paused(self) -> bool:
        """Whether nothing is read from it now."""
        return bool(self._paused_by)

    # The beginning and the end

    def connected(self, transport: Any, channel: Channel | None = None) -> None:
        """The transport is open: packets may flow from now on."""
        if not self._enter(State.OPEN):  # it was ended before it began
            transport.abortConnection()
            return
        self.channel = channel
        self.writer.open(transport)
        self.owner.opened(self)
        if self._paused_by:
            self.writer.watched().pause()
            transport.pauseProducing()
        self.writer.flush()

    def close(self, reason: str, kind: Literal["local", "eof"] = "local") -> None:
        """End the session when the whole packets in its outbox are written; cut it after the linger time."""
        if self.state is State.NEW:
            self.abort(reason)
        elif self._begin_to_end(reason, kind):
            if self.writer.outbox:
                self.writer.queue(CLOSE)
            else:
                self.perform(CLOSE)

    def sealed(self, reason: str) -> None:
        """Its channel has said goodbye: nothing may be written any more; what comes is read on, since its answer is among it."""
        self._begin_to_end(reason)
        self.writer.close()
        self._read_on()
        self.terms.gate.open(self)

    def abort(self, reason: str, kind: Literal["error", "timeout"] = "error") -> None:
        """End the session now; what waits is dropped and counted."""
        if not self._enter(State.CUT):
            return
        self.why = Ended(kind if self.why is None else self.why.kind, reason)
        self.writer.clear = False
        if self.writer.transport is None:
            self.lost(self.why)
        else:
            self.writer.transport.abortConnection()

    def lost(self, ended: Ended) -> None:
        """The transport has ended."""
        if self.state is State.ENDED:
            return
        self.writer.clear = False
        self._finish(ended.clean)
        self._enter(State.ENDED)
        self._cancel_timer()
        if self.writer.transport is not None and (unsent := pending(self.writer.transport)):
            self.owner.report("unsent_bytes", "", self, times=unsent, level="")
        self.terms.gate.open(self)
        self.terms.watch.forget(self.writer)
        self.owner.ended(self, self.why or ended, self.writer.outbox)
        self.writer.outbox = self.channel = self._timer = None  # they point back at it

    def perform(self, verb: Verb) -> None:
        """Do what a verb asks, in order with the data."""
        if verb != CLOSE or self.why is None:
            return
        if self.channel is not None:
            self.channel.goodbye(self.why.text, too_slow=False)
            return
        self.writer.close()
        # Read on, and discard, until the peer closes too: unread input would turn our end into a reset that overtakes what we sent.
        self._read_on()
        if self.received_bytes and self.state is State.CLOSING:
            half_close(self.writer.transport, self.peer.secure)
        else:
            self.writer.transport.loseConnection()

    def failed(self, doing: str) -> None:
        """Called where an exception was caught: it costs this session and nobody else."""
        self.dropped(self.writer.unaccounted, "an internal error", "error")
        self.owner.report("failures", f"failed while {doing}", self, level="failure")
        self.abort(f"an internal error while {doing}")

    def _enter(self, state: State) -> bool:
        if state not in NEXT[self.state]:
            return False
        self.state = state
        return True

    def _begin_to_end(self, reason: str, kind: Literal["local", "eof"] = "local") -> bool:
        if not self._enter(State.LEAVING if self.state is State.SHUT else State.CLOSING):
            return False
        self.why = Ended(kind, reason)
        self._cancel_timer()
        self._timer = self.terms.clock.callLater(self.terms.linger, self.abort, f"{reason}; cut after {self.terms.linger:g} s")
        return True

    def _cancel_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    # From the peer

    def received(self, data: bytes) -> None:
        """Bytes of a stream."""
        if self._takes(len(data)):
            self._reading().feed(data)

    def received_messages(self, bodies: Sequence[bytes]) -> None:
        """Messages that came in one read."""
        if self._takes(sum(map(len, bodies))):
            self._reading().feed(bodies)

    def came_late(self, size: int) -> None:
        """Bytes that came while it was being ended: they go nowhere, and are counted."""
        self.received_bytes += size
        self.terms.counters["late_bytes"] += size

    def input_ended(self) -> None:
        """The peer has said that it sends no more. One that asked something may still hear the answer, for a while."""
        self._finish(clean=False)
        if self.state is State.CLOSING:
            self._enter(State.LEAVING)
            if not self.writer.outbox:  # else its close is still to come, behind what waits
                self.writer.transport.loseConnection()
        elif self._enter(State.SHUT):
            why = "closed by the peer"
            if self.received_bytes:
                self._timer = self.terms.clock.callLater(HALF_CLOSED, self.close, why, "eof")
            else:
                self.close(why, "eof")

    def rewind(self) -> None:
        """What comes next is the beginning of something new, on the same transport; what is left is the last packet of the old."""
        self._finish(clean=True)

    def _takes(self, size: int) -> bool:
        self.moved = True
        if self.state not in READS:
            self.came_late(size)
            return False
        self.received_bytes += size
        return True

    def _reading(self) -> Intake:
        if self._intake is None:
            hear = partial(self.owner.heard, self)
            self._intake = Intake(self.wire, self.terms.clock, self.terms.wall, hear, partial(self.failed, "reading"))
        return self._intake

    def _finish(self, clean: bool) -> None:
        intake, self._intake = self._intake, None
        if intake is not None:
            intake.finish(clean)

    # Back-pressure upon the peer

    def pause(self, token: object) -> None:
        """Read nothing more until every token that paused has resumed; but one that is ending is read on (`perform`)."""
        if self.state not in WRITES:
            return
        first = not self._paused_by
        self._paused_by = {token} if self._paused_by is None else self._paused_by | {token}
        if first and self.open:
            self.writer.watched().pause()
            self.writer.transport.pauseProducing()

    def resume(self, token: object) -> None:
        """Take one token back; the last one lets reading go on."""
        paused_by = self._paused_by
        if paused_by and token in paused_by:
            paused_by.discard(token)
            if not paused_by:
                self._read_on()

    def _read_on(self) -> None:
        was_paused, self._paused_by = self._paused_by is not None, None
        if was_paused and self.open:
            self.writer.watched().unpause()
            self.writer.transport.resumeProducing()

    # To the peer

    def accepts(self, topic: str) -> bool:
        """Whether it has a way to hear what is of this topic, for it alone."""
        return self.wire.says(topic)

    def answer(self, batch: Batch) -> None:
        """Take a batch that is for this session alone."""
        self.write(Parcel(batch))

    def write(self, parcel: Parcel) -> None:
        """Write this, now or when there is room."""
        self.writer.account.came += parcel.packets
        try:
            self.writer.write(parcel)
        except Exception:  # a fault of ours: it costs this session and nobody else
            self.failed("writing")

    def unsayable(self, batch: Batch, encoded: Encoded) -> None:
        """Packets of a batch cannot be written to the peer."""
        self.owner.report("unsayable_packets", encoded.refusal(batch.topic), self, times=len(encoded.refused))

    def dropped(self, packets: int, why: str, reason: str) -> None:
        """Packets for the peer were dropped; ``why`` is for people, ``reason`` one word for the ledger."""
        if packets:
            self.writer.account.drop(reason, packets)
            self.owner.report("dropped_packets", f"{write_count(packets, 'packet')} dropped: {why}", self, times=packets)

    def overflowed(self, why: str) -> None:
        """There is no room for more, and the policy is to end the session."""
        self.owner.report("slow_disconnects", why, self, level="")
        if self.channel is None:
            self.abort(why)
        elif self._begin_to_end(why):
            self.channel.goodbye(why, too_slow=True)
            self.writer.empty(why, "slow")

    def relieved(self) -> None:
        """All is written."""
        if self.channel is not None:
            self.channel.written()

    def stalled(self, event: str, why: str) -> None:
        """Its peer takes nothing any more, or has gone."""
        self.owner.report(event, why, self, level="")
        self.abort(why, "timeout")
