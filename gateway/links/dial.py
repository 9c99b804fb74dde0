"""Dialing a server: TCP or UNIX, in clear or with TLS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.python.failure import Failure

from ..net.building import InClear
from ..net.endings import event_of
from ..peer import Peer
from .link import Link
from .session import Session
from .stream import StreamProtocol

TIMEOUT = 10.0


class StreamDial:
    """Connects to ``place``; with ``tls`` a session begins only after ``host`` has proved who it is, and never in clear.

    ``endpoint()`` gives a Twisted endpoint for one attempt: names are resolved again each time. ``tune(transport)`` is called with each
    transport that is connected.
    """

    resyncs = False
    rests = False
    comes_back = True

    def __init__(
        self, place: str, endpoint: Callable[[], Any], *, host: str = "", tls: Any = None, tune: Callable[[Any], None] | None = None
    ) -> None:
        self.place = place
        self._endpoint = endpoint
        self._host = host
        self._tls = tls
        self._tune = tune

    def attempt(self, link: Link) -> Deferred[Any]:
        done: Deferred[None] = Deferred(lambda _: give_up())
        connected: list[Any] = []

        def give_up() -> None:
            dialed.cancel()
            for protocol in connected:  # TCP is there, its TLS handshake is not
                protocol.transport.abortConnection()

        def build(addr: IAddress, peer: Peer) -> IProtocol | None:
            if done.called:
                return None
            protocol = StreamProtocol(link.new_session(peer._replace(name=self.place)))
            link.runtime.reactor.callLater(0, _fire, done)
            return protocol

        def failed(reason: Failure) -> None:
            if not done.called:
                if event := event_of(reason):
                    link.report(event, reason.getErrorMessage(), peer=self.place, level="")
                done.errback(reason)

        factory: Any = InClear(build, link.report)
        if self._tls is not None:
            from ..tls.handshake import client_factory

            factory = client_factory(build, self._tls, self._host, report=link.report, reactor=link.runtime.reactor, failed=failed)
        dialed = self._endpoint().connect(factory)
        dialed.addCallbacks(connected.append, failed)
        return done

    def look_out(self, wake: Callable[[], None] | None) -> None:
        """A server gives no sign of its return."""

    def opened(self, link: Link, session: Session) -> None:
        if self._tune is not None:
            self._tune(session.writer.transport)

    def ended(self, session: Session) -> None:
        """Nothing is left of it."""


def _fire(done: Deferred[None]) -> None:
    if not done.called:
        done.callback(None)
