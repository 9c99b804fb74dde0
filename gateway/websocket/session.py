"""One WebSocket client as a session: its messages are packets, and its end is a closing handshake."""

from __future__ import annotations

from collections.abc import Sequence

from ..bus.outbox import Verb
from ..links.session import Session
from ..packet import Frames
from .frames import GOING_AWAY, TRY_AGAIN_LATER
from .protocol import HardenedProtocol


class WebSocketSession(Session):
    """Writes frames to the transport itself, as long as its protocol is open; the protocol tells it when that is over.

    While reading is paused nothing is read at all, so pings of the client are answered when it goes on; the client is not pinged then.
    """

    __slots__ = ("_goodbye", "protocol")

    protocol: HardenedProtocol
    _goodbye: str

    @property
    def excused(self) -> bool:
        """Whether silence means nothing now: reading is paused, or the client still has to take what was written."""
        return bool(self._paused_by) or not self.clear

    def received_messages(self, bodies: Sequence[bytes]) -> None:
        """Messages that came in one read: one packet each."""
        data = bodies[0] if len(bodies) == 1 else b"".join(bodies)
        if self.closing:
            self.came_late(len(data))
            return
        self.received_bytes += len(data)
        self.moved = True
        if not self.security.may_write:
            self.link.discard(self, len(data), self.security.why)
            return
        self.link.publish(self, Frames(data, len(bodies), bodies), self.link.runtime.wall())

    def came_late(self, size: int) -> None:
        """So many bytes came while the session was being ended: they are no packets any more."""
        self.received_bytes += size
        self.link.count("late_bytes", size)

    def close(self, reason: str) -> None:
        self._goodbye = reason
        super().close(reason)

    def close_too_slow(self, reason: str) -> None:
        """Drop what waits and say so (1013) behind what is already on its way; whoever does not read even that is cut."""
        if self._closing is None and not self.ended:
            self.link.closing(self, reason)
            self.protocol.send_close(TRY_AGAIN_LATER, reason)
            if self.outbox is not None:
                self.link.drop_outbox(self, self.outbox, reason)

    def perform(self, verb: Verb) -> None:
        if verb.name == "close":
            self.protocol.send_close(GOING_AWAY, self._goodbye)

    def resumeProducing(self) -> None:
        super().resumeProducing()
        if self.clear:
            self.protocol.written()

    # From the protocol

    def count(self, event: str) -> None:
        """Something happened that the link counts."""
        self.link.count(event)

    def failed(self, doing: str) -> None:
        """A fault of ours came up: it costs this session and nobody else."""
        self.link.failed(self, doing)

    def violated(self, code: int, reason: str) -> None:
        """The client broke the protocol or a limit, or there is no room for what it has begun (``TRY_AGAIN_LATER``)."""
        self.link.count("unfinished_messages" if code == TRY_AGAIN_LATER else "protocol_errors")
        self.link.say("protocol_error", self, f"closed with {code}: {reason}")

    def vanished(self, timeout: float) -> None:
        """The client did not answer a ping."""
        self.link.count("ping_timeouts")
        self.abort(f"no answer to a ping within {timeout:g} s (ping_timeout)")

    def sealed(self, reason: str) -> None:
        """Close was sent: nothing may follow it. The connection is cut if it has not ended after the linger time."""
        self.clear = False
        self.transport.unregisterProducer()
        if self._paused_by:
            self._unpause()  # its own Close is still to be read
        if self._closing is None:
            linger = self.link.runtime.linger
            self._closing = self.link.runtime.reactor.callLater(linger, self.abort, f"{reason}; cut after {linger:g} s")
        self.link.runtime.bus.unblock(self)
