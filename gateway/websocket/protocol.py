"""Autobahn's server protocol with its gaps closed, as one session's way to its transport.

Autobahn does the opening handshake, the control frames, fragmented messages and the checks on all that a client sends. What it sends to
many is encoded elsewhere and written by the session. The guards below override private methods of Autobahn 26.10.2: the version is
pinned exactly, and each guard has its test. Autobahn's timers, pings, compression, HTTP pages and origin checks are not used at all.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.types import ConnectionRequest
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from ..net.endings import event_of, in_words
from ..net.probes import half_close
from ..peer import Peer
from .frames import MESSAGE_TOO_BIG, PING, PROTOCOL_ERROR
from .inbound import Inbound, Reader

LEAST_UNFINISHED = 64 << 20
"""What the unfinished messages of all clients of a link may take, if four times ``max_message`` is not more."""

_LONGEST_REASON = 123
_UNUSED: deque[Any] = deque()


class Conversation(Reader, Protocol):
    """What a protocol tells its session, and asks of it."""

    protocol: HardenedProtocol
    security: Peer

    @property
    def excused(self) -> bool:
        """Whether its silence means nothing now."""

    def connected(self, transport: Any) -> None: ...
    def lost(self, reason: str, clean: bool) -> None: ...

    def count(self, event: str) -> None:
        """Something happened that its link counts."""

    def violated(self, code: int, reason: str) -> None:
        """The client broke the protocol or a limit, or there is no room for what it has begun."""

    def vanished(self, timeout: float) -> None:
        """The client did not answer a ping."""

    def sealed(self, reason: str) -> None:
        """Close was sent: nothing may follow it."""


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
        self.max_message = max_message
        # One byte a fragment would cost fifty bytes of memory each; the Autobahn test suite sends no more than 65536 in 16 MiB.
        self.max_fragments = 1024 + max_message // 64
        self.max_unfinished = max(LEAST_UNFINISHED, 4 * max_message)
        self.unfinished = 0
        self.traffic = TrafficStats()
        # Autobahn copies its options into each protocol that has not got them; here they are attributes of the link's own class.
        options = {name: getattr(self, name) for name in HardenedProtocol.CONFIG_ATTRS}
        options["perMessageCompressionAccept"] = staticmethod(self.perMessageCompressionAccept)
        self._class: type[HardenedProtocol] = type("LinkProtocol", (HardenedProtocol,), options)

    def build(self, session: Conversation) -> HardenedProtocol:
        """The protocol of one session."""
        return self._class(session, self)


class HardenedProtocol(Inbound):
    """One WebSocket. The session may write to the transport as long as it is `open`."""

    factory: HardenedFactory
    session: Conversation
    log = _Silence()
    heard_at = 0.0
    pinged_at: float | None = None

    def __init__(self, session: Conversation, factory: HardenedFactory) -> None:
        super().__init__()
        self.session = session
        self.factory = factory
        session.protocol = self

    # From the transport

    def connectionMade(self) -> None:
        self._connectionMade()
        self.trafficStats = self.factory.traffic
        self.send_queue = _UNUSED

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost_because = in_words(reason)
        if event := event_of(reason):
            self.session.count(event)
        self._connectionLost(reason)  # type: ignore[arg-type]  # Autobahn says str and means Failure
        self.abandon()
        # Whatever points back at this is taken away, so that all of it goes at once and not when the garbage collector comes.
        self.is_closed = None
        del self.session.protocol

    # Violations

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
        if was_open:
            self._give()
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
