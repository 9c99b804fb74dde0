"""Autobahn's server protocol with its gaps closed, as one session's way to its transport.

Autobahn does the opening handshake, the control frames, fragmented messages and the checks on all that a client sends. What it sends to
many is encoded elsewhere and written by the session. The guards below override private methods of Autobahn 26.10.2: the version is
pinned exactly, and each guard has its test. Autobahn's timers, pings, compression, HTTP pages and origin checks are not used at all.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.types import ConnectionRequest
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from ..direct import half_close
from ..stream import why
from .frames import PING, take_messages

if TYPE_CHECKING:
    from .session import WebSocketSession

GOING_AWAY, PROTOCOL_ERROR, POLICY_VIOLATION, MESSAGE_TOO_BIG, TRY_AGAIN_LATER = 1001, 1002, 1008, 1009, 1013
"""Close codes (RFC 6455, section 7.4.1; 1013 from the IANA registry)."""

_LONGEST_REASON = 123
_UNUSED: deque[Any] = deque()


class _Silence:
    """Takes the place of Autobahn's log: a peer could fill the disk through it. What matters is said through the link."""

    def debug(self, *args: Any, **fields: Any) -> None:
        return

    info = warn = error = debug


class HardenedFactory(WebSocketServerFactory):
    """The options of one link's protocols."""

    noisy = False

    def __init__(self, max_message: int, reactor: Any) -> None:
        super().__init__(server=None, reactor=reactor)
        self.setProtocolOptions(
            versions=[13],
            webStatus=False,
            failByDrop=False,
            maxFramePayloadSize=max_message,
            maxMessagePayloadSize=max_message,
            # Autobahn's timers fire up to a second early and follow the wall clock: the front, the pulse and the session have their own.
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            autoPingInterval=0,
            # The front has checked the origin.
            allowedOrigins=["*"],
            allowNullOrigin=True,
        )
        # One byte a fragment would cost fifty bytes of memory each; the Autobahn test suite sends no more than 65536 in 16 MiB.
        self.max_fragments = 1024 + max_message // 64
        self.traffic = TrafficStats()
        # Autobahn copies its options into each protocol that has not got them; here they are attributes of the link's own class.
        options = {name: getattr(self, name) for name in HardenedProtocol.CONFIG_ATTRS}
        options["perMessageCompressionAccept"] = staticmethod(self.perMessageCompressionAccept)
        self._class: type[HardenedProtocol] = type("LinkProtocol", (HardenedProtocol,), options)

    def build(self, session: WebSocketSession) -> HardenedProtocol:
        """The protocol of one session."""
        return self._class(session, self)


class HardenedProtocol(WebSocketServerProtocol):
    """One WebSocket. The session may write to the transport as long as it is `open`."""

    log = _Silence()
    transport: Any
    factory: HardenedFactory
    heard = True
    """Whether anything came since the last look of the pulse."""
    heard_at = 0.0
    pinged_at: float | None = None

    def __init__(self, session: WebSocketSession, factory: HardenedFactory) -> None:
        super().__init__()
        self.session = session
        self.factory = factory
        session.protocol = self
        self._pong: bytes | None = None
        self._fragments = 0

    @property
    def open(self) -> bool:
        """Whether data frames may be written: the handshake is done, and no Close was sent."""
        return bool(self.state == self.STATE_OPEN)

    # From the transport

    def connectionMade(self) -> None:
        self._connectionMade()
        self.trafficStats = self.factory.traffic
        self.send_queue = _UNUSED

    def dataReceived(self, data: bytes) -> None:
        if self.failedByMe or self.state == self.STATE_CLOSED:
            # What stands behind a violation or a Close is neither parsed nor kept: it could be of any size.
            return
        self.heard = True
        if self.state == self.STATE_OPEN and not self.data and self.current_frame is None and not self.inside_message:
            bodies, taken = take_messages(data)
            if bodies:
                self.session.received_messages(bodies)
            if taken == len(data):
                return
            if taken:
                data = data[taken:]
        self._dataReceived(data)
        if self.failedByMe:
            self.data = b""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost_because = why(reason)
        self._connectionLost(reason)  # type: ignore[arg-type]  # Autobahn says str and means Failure

    # Guards on what comes

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

    def onMessageEnd(self) -> None:
        self._fragments = 0
        if not self.failedByMe:
            self.session.received_messages([b"".join(self.message_data)])
        self.message_data = []

    def onPing(self, payload: bytes) -> None:
        if not self.open:
            return
        if self.session.clear:
            self.sendPong(payload)
        else:
            # Whoever pings and does not read gets one pong, the latest (RFC 6455, section 5.5.3), and not a queue of them.
            self._pong = payload

    def written(self) -> None:
        """The session's transport is clear again: give the pong that had to wait."""
        payload, self._pong = self._pong, None
        if payload is not None and self.open:
            self.sendPong(payload)

    def _max_message_size_exceeded(self, msg_size: int, max_msg_size: int, reason: str) -> None:
        self._fail_connection(MESSAGE_TOO_BIG, f"a message of {msg_size} bytes or more; the limit is max_message = {max_msg_size} bytes")

    def _protocol_violation(self, reason: str) -> bool:
        super()._protocol_violation(reason)
        return True

    def _invalid_payload(self, reason: str) -> bool:
        super()._invalid_payload(reason)
        return True

    def _fail_connection(self, code: int = PROTOCOL_ERROR, reason: str = "") -> None:
        if self.failedByMe or self.state == self.STATE_CLOSED:
            return
        self.failedByMe = True
        self.session.violated(code, reason)
        self.send_close(code, reason)
        half_close(self.transport, self.session.security.secure)

    # The end

    def send_close(self, code: int, reason: str) -> None:
        """Send Close, after which nothing more is written; the reason is cut to what fits (123 bytes)."""
        cut = reason.encode()[:_LONGEST_REASON].decode(errors="ignore").encode()
        self.sendCloseFrame(code=code, reasonUtf8=cut)

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        was_open = self.open
        super().sendCloseFrame(code, reasonUtf8, isReply)
        if was_open:
            self.session.sealed(self._said_goodbye() if isReply else (reasonUtf8 or b"").decode())

    def _said_goodbye(self) -> str:
        code = "" if self.remoteCloseCode is None else f" with {self.remoteCloseCode}"
        return f"closed by the peer{code}"

    def unregisterProducer(self) -> None:
        # The session is the producer, and has taken itself off when Close was sent.
        return

    def _closeConnection(self, abort: bool = False) -> None:
        # A reset could overtake what the peer has not read yet. The session cuts whoever does not go.
        if abort and not self.wasClean:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.session.lost(self._said_goodbye() if wasClean and not self.closedByMe else self._lost_because, wasClean)

    # To the peer

    def onConnect(self, request: ConnectionRequest) -> str | None:
        # The front has left at most one, which both sides know.
        return request.protocols[0] if request.protocols else None

    def _onOpen(self) -> None:
        # Autobahn keeps the head and what it made of it.
        kept = vars(self)
        for name in [name for name in kept if name.startswith("http_")]:
            del kept[name]
        self.session.connected(self.transport)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        self.transport.write(data)

    # The pulse

    @property
    def excused(self) -> bool:
        """Whether its silence means nothing now."""
        return self.session.excused

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        if self.open:
            self.transport.write(PING)

    def unanswered(self, timeout: float) -> None:
        """The ping was not answered."""
        self.session.vanished(timeout)
