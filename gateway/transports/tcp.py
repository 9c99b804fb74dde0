"""``transport = tcp``: a listener for any number of clients, or a connection that is kept."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator
from twisted.internet.endpoints import HostnameEndpoint

from ..config.plan import LinkPlan, StreamOptions
from ..links.acceptor import ListeningLink, server_factory
from ..links.connector import TIMEOUT, DialingLink
from ..links.link import Link as AnyLink
from ..links.runtime import Runtime
from ..links.session import Session
from ..net.direct import DirectReactor
from ..net.listeners import tcp_listener
from ..net.sockets import tune_transport
from ..options import Address, TcpAddress

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

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        super().__init__(plan, runtime)
        options: Any = plan.options
        factory = server_factory(self, self.accepted, runtime.tls.get(options.tls))
        self.listener = tcp_listener(self.name, options.listen, factory, runtime.reactor, runtime.log)

    def peer_of(self, address: Any) -> str:
        return str(Address(address.host, address.port))


class ConnectingLink(DialingLink):
    """One session, with the server that it dials."""

    def __init__(self, plan: LinkPlan, runtime: Runtime) -> None:
        options: Any = plan.options
        self._address: Address = options.connect
        super().__init__(plan, runtime, str(self._address), options.tls and self._address.host, runtime.tls.get(options.tls))

    def endpoint(self) -> Any:
        return HostnameEndpoint(DirectReactor(self.runtime.reactor), self._address.host, self._address.port, timeout=TIMEOUT)

    def joined(self, session: Session) -> None:
        tune_transport(session.transport)
        super().joined(session)


def Link(plan: LinkPlan, runtime: Runtime) -> AnyLink:
    """The link for a plan."""
    options: Any = plan.options
    return TCPListeningLink(plan, runtime) if options.listen is not None else ConnectingLink(plan, runtime)
