"""A link with one far end that is kept connected: a device, a capture, a server that it dials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure

from ..bus.outbox import Item, Outbox, Verdict
from ..config.plan import LinkPlan
from ..net.endings import event_of
from ..net.keepers import Keeper
from ..packet import Batch, Frames
from ..peer import PLAIN, Peer
from .link import Link
from .reporting import reporter
from .runtime import Runtime
from .session import Session
from .stream import StreamProtocol

_MOST_TOLD = 1000
"""Sessions whose events are numbered before those that have gone are forgotten."""


class KeptLink(Link, ABC):
    """A transport gives `place` (for the log) and `attempt`; the session that an attempt connects ends in `left`, and is tried again."""

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        super().__init__(plan, runtime)
        self.keeper = Keeper(f"[{self.name}] {self.place()}", self.attempt, runtime.reactor, runtime.log, on_waiting=self.waiting)
        self._held: Outbox | None = None
        self._refused = 0
        self._events_told: dict[str, int] = {}
        self._encode_held = self.encoder(self.representation)

    @abstractmethod
    def place(self) -> str:
        """Where the far end is, as the user wrote it."""

    @abstractmethod
    def attempt(self) -> Deferred[Any]:
        """Open or dial; fires when a session is connected (with words about it, or None), fails with a readable reason."""

    def waiting(self, begins: bool) -> None:
        """A wait for the next attempt begins or ends: a device may look out for its node meanwhile, and call ``keeper.wake()``."""

    def start(self) -> None:
        super().start()
        self.keeper.start()

    def stop(self) -> Deferred[None]:
        self.keeper.stop()
        if self._held is not None:
            self._forget_held()
        return super().stop()

    def joined(self, session: Session) -> None:
        held, self._held = self._held, None
        if held:
            # What was held while it was away goes first, from the same queue.
            session.outbox = held
            held.give_up = session.give_up
            session.clear = False
            self.count("packets_out", held.packets)
        super().joined(session)
        self.runtime.bus.unblock(self)
        for item in held or ():
            if item.batch is not None:
                self.tell_sent(item.batch)
        if self._refused > 1:
            text = f"[{self.name}] {self._refused} packets in all were refused while it was absent"
            self.runtime.log.info("{text}", text=text)
        self._refused = 0

    def abandoned(self, session: Session, box: Outbox) -> None:
        if self.options.when_absent == "hold" and not session.closing and self.keeper.state != "stopped":
            # What was not under way yet waits for the next session; what was is cut, and never sent again.
            box.give_up = self._forget_held
            self._held = box
            return
        lost: Counter[str] = Counter()
        for item in self.drop_outbox(session, box, "the session ended"):
            lost[item.origin] += item.packets
        for origin, packets in lost.items():
            self._tell_refused(origin, packets, "lost")

    def arrived(self, session: Session) -> None:
        """The keeper says when the far end is there, and when it is not: one line for each."""

    def departed(self, session: Session, reason: str) -> None:
        """See `arrived`."""

    def left(self, session: Session, reason: str) -> None:
        super().left(session, reason)
        self.keeper.lost(reason)

    def absent(self, batch: Batch) -> None:
        """The far end is away: refuse the batch, and tell whoever sent it; or hold it, within the outbox."""
        if self.options.when_absent == "drop":
            self.count("refused_packets", batch.count)
            if not self._refused:
                who = self.runtime.bus.peer(batch.origin)
                text = f"[{self.name}] absent: {batch.count} packets from {who} refused, and what follows until it is back"
                self.runtime.log.warn("{text} (when_absent = drop)", text=text)
            self._refused += batch.count
            self._tell_refused(batch.origin, batch.count, "absent")
            return
        self._skipped = set()
        data = self._encode_held(batch)
        if data:
            told = self.sayable(batch) if self.runtime.bus.heard(self._sent_topic) else None
            self._hold(Item(data, batch.count, batch.origin, told))

    def _hold(self, item: Item) -> None:
        held = self._held
        if held is None:
            held = self._held = self.new_outbox(self._forget_held)
        dropped = held.dropped_packets
        verdict = held.offer(item)
        if self._held is held:
            if verdict is Verdict.BLOCK:
                self.runtime.bus.block(self, self.plan.hears)
            self._tell_dropped(held.dropped_packets - dropped)

    def _tell_refused(self, origin: str, packets: int, reason: str) -> None:
        """Tell a sender, if it has a way to hear it, that what it sent was not written."""
        if origin:
            event = {"event": "refused", "link": self.name, "packets": packets, "reason": reason}
            words = f"{self.name}: {packets} packets refused: {reason}".encode()
            frames = Frames(words, 1, (words,))
            seq = self._number_event(origin)
            self.runtime.bus.publish(Batch(f"{self.topic}/$events", self.run, seq, self.runtime.wall(), "", frames, origin, [event]))

    def _number_event(self, address: str) -> int:
        """The number of an event that is for one session alone: counted for each, so that nobody misses what was for another."""
        told = self._events_told
        if len(told) >= _MOST_TOLD:
            told = self._events_told = {id: count for id, count in told.items() if self.runtime.bus.knows(id)}
        told[address] = seq = told.get(address, 0) + 1
        return seq

    def _forget_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            packets = held.packets
            held.clear()
            self._tell_dropped(packets)
        self.runtime.bus.unblock(self)

    def _tell_dropped(self, packets: int) -> None:
        if packets:
            self.count("dropped_packets", packets)
            self.runtime.notices.say(f"{self.name} held", f"[{self.name}] absent, and its outbox is full: {packets} packets dropped")


TIMEOUT = 10.0


class _Dialed(ClientFactory):
    noisy = False

    def __init__(self, build: Any) -> None:
        self._build = build

    def buildProtocol(self, addr: Any) -> Any:
        return self._build(addr, PLAIN)


class DialingLink(KeptLink):
    """Connects to ``place``; with ``tls`` a session begins only after the far end has proved who it is, and never in clear."""

    def __init__(self, plan: LinkPlan, runtime: Runtime, place: str, host: str, tls: Any = None) -> None:
        self._place = place
        self._host = host
        self._tls = tls
        super().__init__(plan, runtime)

    def place(self) -> str:
        return self._place

    @abstractmethod
    def endpoint(self) -> Any:
        """A Twisted endpoint for one attempt: names are resolved again each time."""

    def attempt(self) -> Deferred[Any]:
        done: Deferred[None] = Deferred(lambda _: give_up())
        connected: list[Any] = []

        def give_up() -> None:
            dialed.cancel()
            for protocol in connected:  # TCP is there, its TLS handshake is not
                protocol.transport.abortConnection()

        def build(addr: IAddress, security: Peer) -> IProtocol | None:
            if done.called:
                return None
            protocol = StreamProtocol(Session(self, self._place, security))
            self.runtime.reactor.callLater(0, _fire, done)
            return protocol

        def failed(reason: Failure) -> None:
            if not done.called and not isinstance(reason.value, CancelledError):
                if event := event_of(reason):
                    self.count(event)
                done.errback(reason)

        factory: Any = _Dialed(build)
        if self._tls is not None:
            from ..tls.handshake import client_factory

            factory = client_factory(
                build,
                self._tls,
                self._host,
                report=reporter(self.runtime.notices, self.name, self.counters),
                reactor=self.runtime.reactor,
                failed=failed,
            )
        dialed = self.endpoint().connect(factory)
        dialed.addCallbacks(connected.append, failed)
        return done


def _fire(done: Deferred[None]) -> None:
    if not done.called:
        done.callback(None)
