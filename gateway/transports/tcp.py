"""``transport = tcp``: a listener for any number of clients, or a connection that is kept."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator
from twisted.internet.endpoints import HostnameEndpoint

from ..config.plan import LinkPlan, StreamOptions
from ..links.acceptor import Acceptor, server_factory
from ..links.connector import Connector
from ..links.dial import TIMEOUT, StreamDial
from ..links.link import Link
from ..links.runtime import Runtime
from ..links.stream import stream_wires
from ..net.building import Build, name_of
from ..net.direct import DirectReactor
from ..net.listeners import Listener, tcp_listener
from ..net.probes import tune_transport
from ..options import Address, TcpAddress

IS_DEVICE = False
PLACES = {"listen": "listens", "connect": "connects"}
IMPLIED_BY = ("listen", "connect")
ALSO_CALLED = ("tls", "ssl", "socket")


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


def make_link(plan: LinkPlan, runtime: Runtime) -> Link:
    """A session for each client of a listener, or one with the server that is dialed."""
    options: Any = plan.options
    tls = runtime.tls[options.tls] if options.tls else None
    if options.listen is not None:
        return Link(plan, runtime, Acceptor(lambda link, build: _listener(link, build, options.listen, tls), name_of), stream_wires(plan))
    address: Address = options.connect

    def endpoint() -> HostnameEndpoint:
        return HostnameEndpoint(DirectReactor(runtime.reactor), address.host, address.port, timeout=TIMEOUT)

    dial = StreamDial(str(address), endpoint, host=address.host, tls=tls, tune=tune_transport)
    return Link(plan, runtime, Connector(dial), stream_wires(plan))


def _listener(link: Link, build: Build, address: Address, tls: Any) -> Listener:
    return tcp_listener(link.name, address, server_factory(link, build, tls), link.runtime.reactor, link.runtime.log)
