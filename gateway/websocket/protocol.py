"""Autobahn's server protocol with its gaps closed, as one session's way to its transport.

Autobahn does the opening handshake, the control frames, fragmented messages and the checks on all that a client sends. What it sends to
many is encoded elsewhere and written by the session. The guards below override private methods of Autobahn 26.10.2: the version is
pinned exactly, and each guard has its test. Autobahn's timers, pings, compression, HTTP pages and origin checks are not used at all.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.types import ConnectionRequest
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from ..links.session import Session
from ..net.endings import event_of, how_ended
from ..net.probes import half_close
from ..peer import Ended
from .frames import GOING_AWAY, MESSAGE_TOO_BIG, PING, PROTOCOL_ERROR, TRY_AGAIN_LATER
from .inbound import Inbound

LEAST_UNFINISHED = 64 << 20
"""What the unfinished messages of all clients of a link may take, if four times ``max_message`` is not more."""

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

    def build(self, session: Session) -> HardenedProtocol:
        """The protocol of one session."""
        return self._class(session, self)


class HardenedProtocol(Inbound):
    """One WebSocket. The session may write to the transport as long as it is `open`."""

    factory: HardenedFactory
    session: Session
    log = _Silence()
    heard_at = 0.0
    pinged_at: float | None = None

    def __init__(self, session: Session, factory: HardenedFactory) -> None:
        super().__init__()
        self.session = session
        self.factory = factory

    # From the transport

    def connectionMade(self) -> None:
        self._connectionMade()
        self.trafficStats = self.factory.traffic
        self.send_queue = _UNUSED

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost = how_ended(reason)
        if event := event_of(reason):
            self.session.owner.report(event, self._lost.text, self.session, level="")
        self._connectionLost(reason)  # type: ignore[arg-type]  # Autobahn says str and means Failure
        self.abandon()
        # Whatever points back at this is taken away, so that all of it goes at once and not when the garbage collector comes.
        self.is_closed = None

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
        event = "unfinished_messages" if code == TRY_AGAIN_LATER else "protocol_errors"
        self.session.owner.report(event, f"closed with {code}: {reason}", self.session)
        self.send_close(code, reason)
        half_close(self.transport, self.session.peer.secure)

    # The end

    def goodbye(self, reason: str, too_slow: bool) -> None:
        """The session takes leave: with "try again later" of whoever was too slow, else because it goes away."""
        self.send_close(TRY_AGAIN_LATER if too_slow else GOING_AWAY, reason)

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
        said = wasClean and not self.closedByMe
        ended = Ended("eof", self._said_goodbye(), code=self.remoteCloseCode) if said else self._lost
        self.session.lost(ended._replace(clean=wasClean))

    # To the peer

    def onConnect(self, request: ConnectionRequest) -> str | None:
        # The front has left at most one, which both sides know.
        return request.protocols[0] if request.protocols else None

    def _onOpen(self) -> None:
        # Autobahn keeps the head and what it made of it.
        kept = vars(self)
        for name in [name for name in kept if name.startswith("http_")]:
            del kept[name]
        self.session.connected(self.transport, self)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        self.transport.write(data)

    # The pulse

    @property
    def excused(self) -> bool:
        """Whether its silence means nothing now: nothing is read from it, or it still has to take what was written."""
        return self.session.paused or not self.session.clear

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        if self.open:
            self.transport.write(PING)

    def unanswered(self, timeout: float) -> None:
        """The ping was not answered."""
        text = f"no answer to a ping within {timeout:g} s (ping_timeout)"
        self.session.owner.report("ping_timeouts", text, self.session, level="")
        self.session.abort(text, "timeout")
