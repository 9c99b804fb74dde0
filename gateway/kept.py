"""A link with one far end that is kept connected: a device, a capture, a server that it dials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import Any

from twisted.internet.defer import Deferred

from .house import House
from .keepers import Keeper
from .link import Link
from .outbox import Item, Outbox, Verdict
from .packet import Batch, Frames
from .plan import LinkPlan
from .session import Session

_MOST_TOLD = 1000
"""Sessions whose events are numbered before those that have gone are forgotten."""


class KeptLink(Link, ABC):
    """A transport gives `place` (for the log) and `attempt`; the session that an attempt connects ends in `left`, and is tried again."""

    def __init__(self, plan: LinkPlan, house: House) -> None:
        super().__init__(plan, house)
        self.keeper = Keeper(f"[{self.name}] {self.place()}", self.attempt, house.reactor, house.log, on_waiting=self.waiting)
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
        self.house.bus.unblock(self)
        for item in held or ():
            if item.batch is not None:
                self.tell_sent(item.batch)
        if self._refused > 1:
            text = f"[{self.name}] {self._refused} packets in all were refused while it was absent"
            self.house.log.info("{text}", text=text)
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
                who = self.house.bus.peer(batch.origin)
                text = f"[{self.name}] absent: {batch.count} packets from {who} refused, and what follows until it is back"
                self.house.log.warn("{text} (when_absent = drop)", text=text)
            self._refused += batch.count
            self._tell_refused(batch.origin, batch.count, "absent")
            return
        self._skipped = set()
        data = self._encode_held(batch)
        if data:
            told = self.sayable(batch) if self.house.bus.heard(self._sent_topic) else None
            self._hold(Item(data, batch.count, batch.origin, told))

    def _hold(self, item: Item) -> None:
        held = self._held
        if held is None:
            held = self._held = self.new_outbox(self._forget_held)
        dropped = held.dropped_packets
        verdict = held.offer(item)
        if self._held is held:
            if verdict is Verdict.BLOCK:
                self.house.bus.block(self, self.plan.hears)
            self._tell_dropped(held.dropped_packets - dropped)

    def _tell_refused(self, origin: str, packets: int, reason: str) -> None:
        """Tell a sender, if it has a way to hear it, that what it sent was not written."""
        if origin:
            event = {"event": "refused", "link": self.name, "packets": packets, "reason": reason}
            words = f"{self.name}: {packets} packets refused: {reason}".encode()
            frames = Frames(words, 1, (words,))
            seq = self._number_event(origin)
            self.house.bus.publish(Batch(f"{self.topic}/$events", self.run, seq, self.house.wall(), "", frames, origin, [event]))

    def _number_event(self, address: str) -> int:
        """The number of an event that is for one session alone: counted for each, so that nobody misses what was for another."""
        told = self._events_told
        if len(told) >= _MOST_TOLD:
            told = self._events_told = {id: count for id, count in told.items() if self.house.bus.knows(id)}
        told[address] = seq = told.get(address, 0) + 1
        return seq

    def _forget_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            packets = held.packets
            held.clear()
            self._tell_dropped(packets)
        self.house.bus.unblock(self)

    def _tell_dropped(self, packets: int) -> None:
        if packets:
            self.count("dropped_packets", packets)
            self.house.notices.say(f"{self.name} held", f"[{self.name}] absent, and its outbox is full: {packets} packets dropped")
