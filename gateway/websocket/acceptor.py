"""Sessions that come to a path of a front: one for each WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol

from ..bus.outbox import Outbox
from ..http.front import Front
from ..links.acceptor import Acceptor, admits
from ..links.link import Link
from ..links.session import Session
from ..net.report import Report
from ..peer import Ended, Peer
from .protocol import HardenedFactory, HardenedProtocol
from .pulse import Pulse


class Path(Acceptor):
    """A route of a front (`http.front.Route`), and how the sessions of its link come. ``front_of(link)`` finds the front."""

    def __init__(self, options: Any, codec: str, front_of: Callable[[Link], Front]) -> None:
        self._options = options
        self._front_of = front_of
        self.codec = codec
        self.path: str = options.path
        self.page: bool = options.page
        self.origins: tuple[str, ...] = options.origins
        self.subprotocols: tuple[str, ...] = options.subprotocols

    def bind(self, link: Link) -> None:
        self.link = link
        self.name = link.name
        clock, options = link.runtime.reactor, self._options
        self.factory = HardenedFactory(options.max_message, clock)
        self._pulse = Pulse[HardenedProtocol](clock, options.ping_interval, options.ping_timeout, _failed)
        self.front = self._front_of(link)
        self.front.add(self, self.path, options.tls)
        self.listener = self.front.listener

    @property
    def report(self) -> Report:
        return self.link.report

    def start(self) -> None:
        self.front.open(self.path)

    def stop(self) -> Deferred[Any]:
        return self.front.close(self.path)

    def refusal(self, peer: str) -> str:
        if admits(self.link, peer):
            return ""
        return f"there is no room for one more session (max_sessions = {self.link.options.max_sessions})"

    def hears(self, peer: Peer) -> bool:
        return peer.may_write and self.link.runtime.bus.heard(self.link.topic_of(peer))

    def upgrade(self, peer: Peer) -> IProtocol:
        return self.factory.build(self.link.new_session(peer))

    def opened(self, session: Session) -> None:
        super().opened(session)
        if isinstance(session.channel, HardenedProtocol):
            self._pulse.add(session.channel)

    def ended(self, session: Session, ended: Ended, unsent: Outbox | None) -> None:
        super().ended(session, ended, unsent)
        if isinstance(session.channel, HardenedProtocol):
            self._pulse.forget(session.channel)


def _failed(protocol: HardenedProtocol) -> None:
    protocol.session.failed("looking whether its peer is still there")
