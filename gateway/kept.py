"""A link with one far end that is kept connected: a device, a capture, a server that it dials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from twisted.internet.defer import Deferred

from .house import House
from .keepers import Keeper
from .link import Link
from .outbox import Item, Outbox, Verdict
from .packet import Batch
from .plan import LinkPlan
from .session import Session


class KeptLink(Link, ABC):
    """A transport gives `place` (for the log) and `attempt`; the session that an attempt connects ends in `left`, and is tried again."""

    many = False

    def __init__(self, plan: LinkPlan, house: House) -> None:
        super().__init__(plan, house)
        self.keeper = Keeper(f"[{self.name}] {self.place()}", self.attempt, house.reactor, house.log, on_waiting=self.waiting)
        self._held: Outbox | None = None
        self._held_back: set[str] = set()
        self._encode_held = self.encoder(self.representation)

    @abstractmethod
    def place(self) -> str:
        """Where the far end is, as the user wrote it."""

    @abstractmethod
    def attempt(self) -> Deferred[Any]:
        """Open or dial; fires when a session is connected, fails with a readable reason."""

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
        if held is not None:
            # What was held while it was away goes first, from the same queue.
            session.outbox = held
            held.give_up = session.give_up
            session.clear = False
        super().joined(session)
        self._release()

    def abandoned(self, session: Session, box: Outbox) -> None:
        if self.options.when_absent == "drop" or session.closing or self.keeper.state == "stopped":
            super().abandoned(session, box)
            return
        # What was not under way yet waits for the next session; what was is cut, and never sent again.
        box.give_up = self._forget_held
        self._held = box

    def left(self, session: Session, reason: str) -> None:
        super().left(session, reason)
        self.keeper.lost(reason)

    def absent(self, batch: Batch) -> None:
        if self.options.when_absent == "drop":
            super().absent(batch)
            return
        data = self._encode_held(batch)
        if not data:
            return
        held = self._held
        if held is None:
            held = self._held = self.new_outbox(self._forget_held)
        dropped = held.dropped_packets
        verdict = held.offer(Item(data, batch.run, batch.seq, batch.count, batch.origin))
        if verdict is Verdict.BLOCK and self.house.bus.pause(batch.origin, self):
            self._held_back.add(batch.origin)
        self._tell_dropped(held.dropped_packets - dropped)

    def _release(self) -> None:
        held_back, self._held_back = self._held_back, set()
        for origin in held_back:
            self.house.bus.resume(origin, self)

    def _forget_held(self) -> None:
        held = self._held
        if held is not None:
            packets = held.packets
            held.clear()
            self._tell_dropped(packets)
        self._release()

    def _tell_dropped(self, packets: int) -> None:
        if packets:
            self.count("dropped_packets", packets)
            self.house.notices.say(f"{self.name} held", f"[{self.name}] absent, and its outbox is full: {packets} packets dropped")
