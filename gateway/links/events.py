"""What a link counts, and what it says of its peers in the log."""

from __future__ import annotations

from collections import Counter

from ..bus.outbox import Item, Outbox
from ..options import write_count
from ..packet import Fault
from .runtime import Runtime
from .session import Session


class Bookkeeping:
    """``counters`` holds everything that happened by name; what a peer can cause often is said rate-limited by link and kind."""

    def __init__(self, name: str, runtime: Runtime) -> None:
        self.name = name
        self.runtime = runtime
        self.counters: Counter[str] = Counter()

    def count(self, event: str, by: int = 1) -> None:
        self.counters[event] += by

    def line(self, session: Session, text: str) -> str:
        """A log line that names the link and the peer."""
        return f"[{self.name}] {session.peer}: {text}"

    def say(self, key: str, session: Session, text: str, level: str = "warn") -> None:
        """Log what a peer caused."""
        self.runtime.notices.say(f"{self.name} {key}", self.line(session, text), level)

    def arrived(self, session: Session) -> None:
        """A session has begun."""
        named = f" as {session.security.identity}" if session.security.identity else ""
        self.say("arrived", session, f"connected{named}", "info")

    def departed(self, session: Session, reason: str) -> None:
        """A session has ended."""
        lost = f", {write_count(session.dropped, 'packet')} for it dropped" if session.dropped else ""
        self.say("departed", session, f"gone: {reason}; it sent {write_count(session.received_bytes, 'byte')}{lost}", "info")

    def refused(self, peer: str, sessions: int) -> None:
        """A session was one too many."""
        there = f"{'there is' if sessions == 1 else 'there are'} {write_count(sessions, 'session')} (max_sessions)"
        self.runtime.notices.say(f"{self.name} full", f"[{self.name}] {peer}: refused, {there}")

    def fault(self, session: Session, fault: Fault) -> None:
        """A framer found something wrong."""
        self.count(fault.event, fault.times)
        self.count("lost_bytes", fault.size)
        self.say(fault.event, session, fault.text)

    def drop(self, session: Session, packets: int, why: str) -> None:
        """Packets for a session were dropped."""
        if packets:
            session.dropped += packets
            self.count("dropped_packets", packets)
            self.say("dropped", session, f"{write_count(packets, 'packet')} dropped: {why}")

    def drop_outbox(self, session: Session, box: Outbox, why: str) -> list[Item]:
        """Empty an outbox; what was in it is counted, and returned."""
        packets = box.packets
        dropped = box.clear()
        self.drop(session, packets, why)
        return dropped

    def unsent(self, session: Session, size: int) -> None:
        """A session ended with so many bytes under way that its peer never took."""
        if size:
            self.count("unsent_bytes", size)

    def closing(self, session: Session, reason: str) -> None:
        """A session is being ended from our side: the reason is said when it has gone."""
        session.why = reason

    def failed(self, session: Session, doing: str) -> None:
        """Called where an exception was caught: it is logged, and the session that it came up in ends."""
        self.count("failures")
        self.runtime.notices.failed(f"{self.name} {doing}", self.line(session, f"failed while {doing}"))
        session.abort(f"an internal error while {doing}")
