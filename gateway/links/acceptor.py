"""Sessions that come from a listener: one for each client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Factory

from ..bus.outbox import Outbox
from ..net.building import Build, InClear
from ..options import write_count
from ..packet import Batch
from ..peer import Ended, Peer
from .link import Link
from .session import Session
from .stream import StreamProtocol


def server_factory(link: Link, build: Build, tls: Any = None) -> Factory:
    """A factory for accepted connections: plain, or with the guards of a [tls NAME] section before it."""
    if tls is None:
        return InClear(build, link.report)
    from ..tls.handshake import server_factory as secured  # OpenSSL is for those who use it

    runtime = link.runtime
    return secured(build, tls, report=link.report, reactor=runtime.reactor, admission=runtime.admission)


class Listening(Protocol):
    """What an acceptor asks of its listener."""

    def start(self) -> None:
        """Listen; raises ListenError where that cannot be."""

    def stop(self) -> Deferred[Any]:
        """Accept no more."""


class Acceptor:
    """``listen(link, build)`` makes the listener, which is to call ``build(address, peer)`` for each connection.

    ``name_of(address)`` is what people call a client.
    """

    listens = True
    wanting = True
    waiting = 0
    link: Link
    _stopped = False

    def __init__(self, listen: Callable[[Link, Build], Listening], name_of: Callable[[Any], str]) -> None:
        self._listen = listen
        self._name_of = name_of

    def bind(self, link: Link) -> None:
        self.link = link
        self.listener = self._listen(link, self.accepted)

    def start(self) -> None:
        self.listener.start()

    def stop(self) -> Deferred[Any]:
        self._stopped = True
        return self.listener.stop()

    def accepted(self, address: IAddress, peer: Peer) -> IProtocol | None:
        """A protocol for a client; None when there are too many, or when it accepts no more."""
        if self._stopped:
            return None
        known = peer._replace(name=self._name_of(address))
        return StreamProtocol(self.link.new_session(known)) if admits(self.link, known.name) else None

    def opened(self, session: Session) -> None:
        named = f" as {session.peer.identity}" if session.peer.identity else ""
        self.link.report("connected", f"connected{named}", session, level="info")

    def ended(self, session: Session, ended: Ended, unsent: Outbox | None) -> None:
        session.writer.empty("the session ended", "ended")
        lost = f", {write_count(session.writer.account.lost, 'packet')} for it dropped" if session.writer.account.lost else ""
        sent = f"it sent {write_count(session.received_bytes, 'byte')}"
        self.link.report("disconnected", f"gone: {ended.text}; {sent}{lost}", session, level="info")

    def lost_boundary(self, session: Session, text: str) -> None:
        session.abort(text)

    def absent(self, batch: Batch) -> None:
        """A listener without clients misses nobody."""


def admits(link: Link, peer: str) -> bool:
    """Whether there is room for one session more; one that is refused is reported."""
    limit = link.options.max_sessions
    room = len(link.sessions) < limit
    if not room:
        there = f"there {'is' if limit == 1 else 'are'} {write_count(limit, 'session')}"
        link.report("refused_sessions", f"refused, {there} (max_sessions)", peer=peer)
    return room
