"""The way out of one session: straight to its transport while that takes everything, else through an outbox."""

from __future__ import annotations

from typing import Any, Protocol
from weakref import ref

from ..bus.outbox import Item, Outbox, Parcel, Verb, Verdict
from ..ledger import Account
from ..net.stall import Stall
from ..packet import Batch
from ..peer import Ended
from ..wires import Encoded, Wire
from .owner import Terms
from .state import WRITES, State

_BURST = 1 << 16


class Writing(Protocol):
    """What a writer asks of its session."""

    group: Any
    """Those who get the same bytes; ``came``: packets that were for each of them."""
    state: State
    why: Ended | None
    """Why it is being ended."""
    wire: Wire

    @property
    def terms(self) -> Terms: ...
    @property
    def open(self) -> bool:
        """Whether its transport is there."""

    def unsayable(self, batch: Batch, encoded: Encoded) -> None:
        """Packets of a batch cannot be written to the peer."""

    def dropped(self, packets: int, why: str, reason: str) -> None:
        """Packets for the peer were dropped; ``why`` is for people, ``reason`` one word for the ledger."""

    def overflowed(self, why: str) -> None:
        """There is no room for more, and the policy is to end the session."""

    def perform(self, verb: Verb) -> None:
        """Do what stands between packets."""

    def relieved(self) -> None:
        """All is written."""

    def failed(self, doing: str) -> None:
        """Called where an exception was caught."""

    def stalled(self, event: str, why: str) -> None:
        """The peer takes nothing any more, or has gone: the session is to end."""


class Writer:
    """It is the push producer of its Twisted transport. While that is *clear* (connected, and its queue empty, and so the outbox), a
    delivery is one write; else it waits in the outbox, which is made when it is first needed.
    """

    __slots__ = ("_of", "account", "clear", "outbox", "stall", "transport")

    def __init__(self, session: Writing) -> None:
        # Weak, so that all of an ended session goes at once, and not when the garbage collector comes.
        self._of = ref(session)
        self.account = Account()
        self.transport: Any = None
        self.outbox: Outbox | None = None
        self.stall: Stall | None = None
        self.clear = False

    @property
    def _session(self) -> Writing:
        session = self._of()
        assert session is not None  # who has the transport has the session
        return session

    @property
    def waiting(self) -> int:
        """Packets in the outbox."""
        return self.outbox.packets if self.outbox is not None else 0

    @property
    def _left_to_owner(self) -> bool:
        """Whether the far end has ended the session, or its loss has, and what comes meanwhile is for its owner to hold or to tell of."""
        session = self._session
        return session.terms.kept and session.why is not None and session.why.kind != "local" and session.state is not State.ENDED

    @property
    def shared(self) -> int:
        """Packets that were for each of its group, and are counted there."""
        group = self._session.group
        return int(group.came) if group is not None else 0

    @property
    def unaccounted(self) -> int:
        """Packets of which nobody knows what became: 0, or there is a fault in the program."""
        return self.account.open(self.waiting) + self.shared

    def open(self, transport: Any) -> None:
        """The transport is connected."""
        self.transport = transport
        self.clear = True
        transport.registerProducer(self, True)

    def close(self) -> None:
        """Nothing may be written any more; what the transport has still goes out."""
        self.clear = False
        self.transport.unregisterProducer()

    def write(self, parcel: Parcel) -> None:
        """Write this parcel now, or behind what waits."""
        if not self.clear:
            self.queue(parcel)
            return
        encoded = self._encoded(parcel)
        if encoded.packets:
            self.transport.write(encoded.data)
        self._wrote(parcel, encoded, self._session.terms.wall())

    def encode(self, batch: Batch) -> Encoded:
        """What the peer gets of a batch; what cannot be said is reported."""
        encoded = self._session.wire.encode(batch)
        if encoded.refused:
            self._session.unsayable(batch, encoded)
        return encoded

    def queue(self, item: Item) -> None:
        """Let this wait until the transport is clear; the policy says what happens when there is no room."""
        session = self._session
        if isinstance(item, Parcel) and session.state not in WRITES and not self._left_to_owner:
            session.dropped(item.packets, "the session is closing", "closing")
            return
        box = self.outbox
        if box is None:
            box = self.outbox = Outbox(session.terms.outbox, session.terms.memory, self.give_up)
        before = box.dropped_packets
        verdict = box.offer(item)
        if verdict is Verdict.BLOCK and box:
            session.terms.gate.close(session)
        elif box.dropped_packets != before:
            session.dropped(box.dropped_packets - before, "its outbox is full", "full")
            if verdict is Verdict.FULL:
                limits = session.terms.outbox
                limit = f"outbox full at {limits.bytes} bytes or {limits.packets} packets"
                session.overflowed(f"too slow: {limit} (outbox.when_full = disconnect)")

    def adopt(self, held: Outbox) -> None:
        """What was held for this session before it was there goes first. To be followed by `flush`."""
        held.give_up = self.give_up
        self.outbox = held

    def flush(self) -> None:
        """Write what waits, as far as the transport takes it."""
        box, session = self.outbox, self._session
        if box is None:
            return
        try:
            while box and self.clear:
                self._write_next(box)
        except Exception:  # a fault of ours: it costs this session, and what it came up at: the next session shall not meet it again
            box.settle()
            session.failed("writing")
        if box.relieved:
            session.terms.gate.open(session)

    def empty(self, why: str, reason: str) -> list[Parcel]:
        """Drop what waits; it is counted, and returned for whoever has to tell."""
        box = self.outbox
        if box is None:
            return []
        dropped = box.clear()
        self._session.dropped(sum(parcel.packets for parcel in dropped), why, reason)
        return dropped

    def give_up(self) -> None:
        """All outboxes together are over the limit, and this is the fullest."""
        session = self._session
        limit = session.terms.memory.limit
        why = f"all outboxes together are over [gateway] memory = {limit} bytes, and this is the fullest"
        self.empty(why, "memory")
        session.terms.gate.open(session)
        if session.terms.outbox.when_full == "disconnect" and session.state in WRITES:
            session.overflowed(why)

    # Twisted's push producer

    def pauseProducing(self) -> None:
        """Called by the transport, perhaps more than once: its queue is not empty any more."""
        self.clear = False
        self.watched().block(self._session.terms.clock.seconds(), self.transport)

    def resumeProducing(self) -> None:
        """Called by the transport: its queue is empty."""
        if not self._session.open:
            return
        self.clear = True
        if self.stall is not None:
            self.stall.unblock()
        self.flush()
        if self.clear:
            self._session.relieved()

    def stopProducing(self) -> None:
        """Called by the transport when it ends; the session's `lost` follows."""
        self.clear = False

    # Looking after it

    def watched(self) -> Stall:
        """What is known of the pauses of this session, which is looked after from now on."""
        if self.stall is None:
            self.stall = Stall()
        self._session.terms.watch.add(self)
        return self.stall

    def check(self, now: float) -> bool:
        """Look after a paused or blocked session; False when there is nothing to look after."""
        stall, session = self.stall, self._session
        if stall is None or not session.open:
            return False
        found = stall.look(now, self.transport, session.terms.stall_timeout, self.outbox.bytes if self.outbox else 0)
        if found is not None:
            session.stalled(found.event, found.text)
            return False
        return stall.lasts

    def _write_next(self, box: Outbox) -> None:
        items = box.take(_BURST)
        if isinstance(items[0], Verb):
            box.settle()
            self._session.perform(items[0])
        else:
            parcels = [item for item in items if isinstance(item, Parcel)]
            said = [self._encoded(parcel) for parcel in parcels]
            self.transport.write(b"".join([encoded.data for encoded in said]))
            now = self._session.terms.wall()
            for parcel, encoded in zip(parcels, said, strict=True):
                self._wrote(parcel, encoded, now)
            box.settle()

    def _wrote(self, parcel: Parcel, encoded: Encoded, now: int) -> None:
        account, terms = self.account, self._session.terms
        account.written += encoded.packets
        terms.counters["packets_out"] += encoded.packets
        if encoded is not parcel.encoded:
            counted = parcel.batch.count - parcel.packets  # by its link, as refused
            account.came += encoded.packets - parcel.packets
            account.refuse(len(encoded.refused) - counted)
        if encoded.packets:
            terms.delays.add(now - parcel.batch.time, encoded.packets)

    def _encoded(self, parcel: Parcel) -> Any:
        wanted = self._session.wire.representation
        if parcel.encoded is not None and wanted is not None and parcel.representation == wanted:
            return parcel.encoded
        return self.encode(parcel.batch)
