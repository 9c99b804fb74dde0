"""A link that dials a server and stays connected."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure

from .house import House
from .kept import KeptLink
from .plan import LinkPlan
from .reasons import event_of
from .reporting import reporter
from .security import PLAIN, Security
from .session import Session
from .stream import StreamProtocol

TIMEOUT = 10.0


class _Dialed(ClientFactory):
    noisy = False

    def __init__(self, build: Any) -> None:
        self._build = build

    def buildProtocol(self, addr: Any) -> Any:
        return self._build(addr, PLAIN)


class DialingLink(KeptLink):
    """Connects to ``place``; with ``tls`` a session begins only after the far end has proved who it is, and never in clear."""

    def __init__(self, plan: LinkPlan, house: House, place: str, host: str, tls: Any = None) -> None:
        self._place = place
        self._host = host
        self._tls = tls
        super().__init__(plan, house)

    def place(self) -> str:
        return self._place

    @abstractmethod
    def endpoint(self) -> Any:
        """A Twisted endpoint for one attempt: names are resolved again each time."""

    def attempt(self) -> Deferred[Any]:
        done: Deferred[None] = Deferred(lambda _: give_up())
        connected: list[Any] = []

        def give_up() -> None:
            dialed.cancel()
            for protocol in connected:  # TCP is there, its TLS handshake is not
                protocol.transport.abortConnection()

        def build(addr: IAddress, security: Security) -> IProtocol | None:
            if done.called:
                return None
            protocol = StreamProtocol(Session(self, self._place, security))
            self.house.reactor.callLater(0, _fire, done)
            return protocol

        def failed(reason: Failure) -> None:
            if not done.called and not isinstance(reason.value, CancelledError):
                if event := event_of(reason):
                    self.count(event)
                done.errback(reason)

        factory: Any = _Dialed(build)
        if self._tls is not None:
            from .tls.handshake import client_factory

            factory = client_factory(
                build,
                self._tls,
                self._host,
                report=reporter(self.house.notices, self.name, self.counters),
                reactor=self.house.reactor,
                failed=failed,
            )
        dialed = self.endpoint().connect(factory)
        dialed.addCallbacks(connected.append, failed)
        return done


def _fire(done: Deferred[None]) -> None:
    if not done.called:
        done.callback(None)
