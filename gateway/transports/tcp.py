"""``transport = tcp``: a listener for any number of clients, or a connection that is kept."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator
from twisted.internet.endpoints import HostnameEndpoint

from ..dialing import TIMEOUT, DialingLink
from ..direct import DirectReactor, tune_transport
from ..house import House
from ..link import Link as AnyLink
from ..listeners import tcp_listener
from ..listening import ListeningLink
from ..options import Address, TcpAddress
from ..plan import LinkPlan, StreamOptions
from ..reporting import reporter
from ..session import Session

IS_DEVICE = False


class Options(StreamOptions):
    """A TCP listener (``listen``) or a TCP client that reconnects for ever (``connect``)."""

    listen: TcpAddress | None = Field(None, description="HOST:PORT to listen on; IPv6 in brackets; port 0 takes a free one and prints it")
    connect: TcpAddress | None = Field(None, description="HOST:PORT to connect to, for ever, with back-off and jitter")
    tls: str | None = Field(None, description="the name of a [tls NAME] section")

    @model_validator(mode="after")
    def _one_place(self) -> Options:
        if (self.listen is None) == (self.connect is None):
            raise ValueError("give either listen = HOST:PORT or connect = HOST:PORT")
        if self.connect is not None and self.connect.port == 0:
            raise ValueError("connect: port 0 cannot be connected to")
        return self


class TCPListeningLink(ListeningLink):
    """A session for each client."""

    def __init__(self, plan: LinkPlan, house: House) -> None:
        super().__init__(plan, house)
        options: Any = plan.options
        report = reporter(house.notices, self.name, self.counters)
        self.listener = tcp_listener(house, self.name, options.listen, self.accepted, report, house.tls.get(options.tls))

    def peer_of(self, address: Any) -> str:
        return str(Address(address.host, address.port))


class ConnectingLink(DialingLink):
    """One session, with the server that it dials."""

    def __init__(self, plan: LinkPlan, house: House) -> None:
        options: Any = plan.options
        self._address: Address = options.connect
        super().__init__(plan, house, str(self._address), options.tls and self._address.host, house.tls.get(options.tls))

    def endpoint(self) -> Any:
        return HostnameEndpoint(DirectReactor(self.house.reactor), self._address.host, self._address.port, timeout=TIMEOUT)

    def joined(self, session: Session) -> None:
        tune_transport(session.transport)
        super().joined(session)


def Link(plan: LinkPlan, house: House) -> AnyLink:
    """The link for a plan."""
    options: Any = plan.options
    return TCPListeningLink(plan, house) if options.listen is not None else ConnectingLink(plan, house)
