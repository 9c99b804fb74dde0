"""What comes from a WebSocket client, as far as Autobahn does not have to see it.

Autobahn costs microseconds a frame, and copies all that it was given for each frame in it: one read of tiny frames would hold the
reactor for a tenth of a second. So it is given one frame at a time, and only those that are long, fragmented, closing or wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from autobahn.twisted.websocket import WebSocketServerProtocol

from .frames import CLOSE, POLICY_VIOLATION, TRY_AGAIN_LATER, is_awaited, middle_fragment, pong, size_at, take_fragmented, take_short

MOST_PONGS = 16
"""Pings of one read that are answered, the latest ones (RFC 6455, section 5.5.3)."""
_PIECE = 50
"""Bytes that a piece of a message costs besides its own."""


class Limits(Protocol):
    """What all clients of a link share."""

    max_message: int
    max_fragments: int
    max_unfinished: int
    unfinished: int
    """Bytes of their unfinished messages, all together."""


class Reader(Protocol):
    """Who the messages are for."""

    @property
    def clear(self) -> bool:
        """Whether anything may be written to its transport now."""

    def received_messages(self, bodies: Sequence[bytes]) -> None:
        """The whole messages of one read."""

    def came_late(self, size: int) -> None:
        """So many bytes came while the session was being ended."""

    def failed(self, doing: str) -> None:
        """A fault of ours came up: it costs this client and nobody else."""


class Inbound(WebSocketServerProtocol):
    """Reads messages into the session, and answers pings."""

    transport: Any
    factory: Limits
    session: Reader
    heard = True
    """Whether anything came since the last look of the pulse."""

    def __init__(self) -> None:
        super().__init__()
        self._pong: bytes | None = None
        self._fragments = 0
        self._unfinished = 0
        self._head = b""
        self._due = 0
        self._bodies: list[bytes] = []
        self._pings: list[bytes] = []

    @property
    def open(self) -> bool:
        """Whether data frames may be written: the handshake is done, and no Close was sent."""
        return bool(self.state == self.STATE_OPEN)

    def dataReceived(self, data: bytes) -> None:
        if self.failedByMe or self.state == self.STATE_CLOSED:
            # What stands behind a violation or a Close is neither parsed nor kept: it could be of any size.
            self.session.came_late(len(data))
            return
        self.heard = True
        if self.state == self.STATE_CONNECTING:
            self._dataReceived(data)
            return
        if not self.open:
            self._forget()
        try:
            self._read(self._head + data if self._head else data)
            self._give()
        except Exception:  # a fault of ours: it costs this session and nobody else
            self.session.failed("reading")
        if self._unfinished and self.factory.unfinished > self.factory.max_unfinished and self.open:
            text = f"the unfinished messages of all clients are over {self.factory.max_unfinished} bytes (4 x max_message, at least 64 MiB)"
            self._fail_connection(TRY_AGAIN_LATER, text)
        if not self.open:
            self._forget()

    def abandon(self) -> None:
        """Nothing more will come: keep nothing of what came."""
        self._forget()
        self._head = b""
        self._bodies, self._pings = [], []

    def written(self) -> None:
        """The session's transport is clear again: give the pong that had to wait."""
        payload, self._pong = self._pong, None
        if payload is not None and self.open:
            self.transport.write(pong(payload))

    def _read(self, data: bytes) -> None:
        """Take the frames one after the other; after our own Close nothing but the peer's is looked for."""
        self._head = b""
        end = len(data)
        position = min(self._due, end)
        if position:
            self._due -= position
            if self.open:
                self._dataReceived(data[:position])
            else:
                self.session.came_late(position)
        while position < end and not self.failedByMe and self.state != self.STATE_CLOSED:
            if self.open:
                position = self._take_short(data, position)
                if position == end or self.failedByMe:
                    return
                found = None if self.inside_message else take_fragmented(data, position, self.factory.max_message)
                if found is not None:
                    body, pings, position = found
                    self._bodies.append(body)
                    self._pings += pings
                    continue
            size = size_at(data, position)
            if size is None or (position + size > end and is_awaited(data, position)):
                self._head = data[position:]
                return
            if self.open or data[position] == CLOSE:
                self._dataReceived(data[position : position + size])
            else:
                self.session.came_late(min(size, end - position))
            position += size
            self._due = max(0, position - end)

    def _take_short(self, data: bytes, position: int) -> int:
        inside = self.inside_message
        bodies, pings, position = take_short(data, position, inside, self.factory.max_message)
        self._pings += pings
        if inside and bodies:
            self._fragments += len(bodies) - 1
            self._dataReceived(middle_fragment(b"".join(bodies)))
        else:
            self._bodies += bodies
        return position

    def _give(self) -> None:
        """Publish the messages of this read, and answer its pings."""
        if self._bodies:
            bodies, self._bodies = self._bodies, []
            self.session.received_messages(bodies)
        if self._pings:
            pings, self._pings = self._pings[-MOST_PONGS:], []
            if self.session.clear and self.open:
                self.transport.write(b"".join(map(pong, pings)))
            else:
                # Whoever pings and does not read gets one pong, the latest, and not a queue of them.
                self._pong = pings[-1]

    def _forget(self) -> None:
        """Keep nothing of what has come and was no whole message."""
        self._finished()
        self.data = b""
        self._pong = None
        # Autobahn does the same where a frame ends, and annotates the attributes as if it did not.
        self.current_frame = self.current_frame_masker = self.frame_data = self.control_frame_data = None  # type: ignore[assignment]
        self.inside_message = False
        self.message_data = []

    def _finished(self) -> None:
        self.factory.unfinished -= self._unfinished
        self._unfinished = self._fragments = 0

    # From Autobahn

    def processData(self) -> bool:
        if self.failedByMe:
            self.data = b""
            return False
        return bool(super().processData())

    def onMessageFrameBegin(self, length: int) -> None:
        self._fragments += 1
        if self._fragments > self.factory.max_fragments:
            self._fail_connection(POLICY_VIOLATION, f"a message of more than {self.factory.max_fragments} fragments")
        super().onMessageFrameBegin(length)

    def onMessageFrameData(self, payload: bytes) -> None:
        super().onMessageFrameData(payload)
        if not self.failedByMe:
            self._unfinished += len(payload) + _PIECE
            self.factory.unfinished += len(payload) + _PIECE

    def onMessageEnd(self) -> None:
        self._finished()
        if not self.failedByMe:
            self._bodies.append(b"".join(self.message_data))
        self.message_data = []
