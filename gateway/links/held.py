"""What is for a far end that is away: refused, and those who sent it are told; or held for its return."""

from __future__ import annotations

from collections import Counter

from ..bus.outbox import Outbox, Parcel, Verdict
from ..options import write_count
from ..packet import Batch
from .link import Link
from .session import Session


class Held:
    """The packets that wait while nobody is there, within the link's outbox; only with ``when_absent = hold``."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._box: Outbox | None = None
        self._account = link.ledger.absent
        self._refused = 0
        self._given_up = False

    @property
    def holds(self) -> bool:
        return self._link.options.when_absent == "hold" and not self._given_up

    def take(self, batch: Batch) -> None:
        """Hold a batch, or refuse it."""
        if self.holds:
            self._hold(Parcel(batch))
        else:
            self._refuse(batch)

    @property
    def waiting(self) -> int:
        """Packets that are held."""
        return self._box.packets if self._box is not None else 0

    def keep(self, session: Session, box: Outbox) -> None:
        """Hold what a session has left unwritten."""
        box.forget_verbs()
        session.writer.account.move(box.packets, self._account)
        box.give_up = self._give_up
        self._box = box
        if box.over:
            self._link.terms.gate.close(self._link)

    def drop(self, session: Session, why: str) -> None:
        """What a session has left unwritten is dropped, and those who sent it are told."""
        lost: Counter[str] = Counter()
        for parcel in session.writer.empty(why, "ended"):
            lost[parcel.batch.origin] += parcel.packets
        for origin, packets in lost.items():
            self._tell(origin, packets, "lost")

    def hand_over(self, session: Session) -> None:
        """The far end is there: what was held goes to it first, and is heard under LINK/$sent."""
        link, box = self._link, self._box
        self._box = None
        if box is not None:
            session.writer.adopt(box)
            self._account.move(box.packets, session.writer.account)
            if box.over:  # whoever waits for room waits on: the session opens the gate when there is some
                link.terms.gate.close(session)
            for parcel in box:
                if isinstance(parcel, Parcel) and not parcel.told:
                    parcel.told = True
                    # What cannot be written is reported when it is; a wire with a state of its own is asked once, and then.
                    ask = link.is_sent_heard and session.wire.representation is not None
                    refused = session.wire.encode(parcel.batch).refused if ask else ()
                    link.tell_sent(parcel.batch, {index for index, _error in refused})
        link.terms.gate.open(link)
        if self._refused > 1:
            text = f"{write_count(self._refused, 'packet')} in all were refused while it was absent"
            link.runtime.log.info("{text}", text=link.line(text))
        self._refused = 0

    def give_up(self) -> None:
        """The far end will never come back: from now on all that is for it is refused."""
        self._given_up = True
        self.forget("its far end has come to its end", "ended")

    def forget(self, why: str, reason: str) -> None:
        """Drop what is held: nobody is waited for any more."""
        if self._box is not None:
            self._give_up(why, reason)

    def _hold(self, parcel: Parcel) -> None:
        link, box = self._link, self._box
        if box is None:
            box = self._box = Outbox(link.options.outbox, link.runtime.memory, self._give_up)
        before = box.dropped_packets
        self._account.came += parcel.packets
        verdict = box.offer(parcel)
        if verdict is Verdict.BLOCK and self._box is box:
            link.terms.gate.close(link)
        self._dropped(box.dropped_packets - before, "its outbox is full", "full")

    def _refuse(self, batch: Batch) -> None:
        link, packets = self._link, write_count(batch.count, "packet")
        text = f"absent: {packets} from {link.runtime.bus.name(batch.origin)} refused, and what follows until it is back"
        link.report("refused_packets", f"{text} (when_absent = drop)", times=batch.count, level="" if self._refused else "warn")
        self._refused += batch.count
        self._account.came += batch.count
        self._account.refused += batch.count
        self._tell(batch.origin, batch.count, "absent")

    def _tell(self, origin: str, packets: int, reason: str) -> None:
        if origin:
            text = f"{self._link.name}: {write_count(packets, 'packet')} refused: {reason}"
            self._link.tell(origin, "refused", text, packets=packets, reason=reason)

    def _give_up(
        self, why: str = "all outboxes together are over [gateway] memory, and this is the fullest", reason: str = "memory"
    ) -> None:
        box, self._box = self._box, None
        if box is not None:
            self._dropped(sum(parcel.packets for parcel in box.clear()), why, reason)
        self._link.terms.gate.open(self._link)

    def _dropped(self, packets: int, why: str, reason: str) -> None:
        self._account.drop(reason, packets)
        if packets:
            self._link.report("dropped_packets", f"absent: {write_count(packets, 'packet')} dropped: {why}", times=packets)
