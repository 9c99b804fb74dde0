"""Bound addresses: what is listened on, tried again when the address is not there yet."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import Factory, ServerFactory

from .direct import DirectPort, DirectUNIXPort
from .errors import GatewayError
from .house import House
from .keepers import Backoff, Keeper
from .options import Address
from .security import PLAIN, Security

BACKLOG = 1024
Build = Callable[[IAddress, Security], IProtocol | None]


class ListenError(GatewayError):
    """An address that cannot be had, in one line; the program does not start."""


class _NotThereYetError(ListenError):
    """An address that this machine does not have, and may have later."""


class Door(ServerFactory):
    """Builds a protocol for each connection that is accepted in clear."""

    noisy = False

    def __init__(self, build: Build) -> None:
        self._build = build

    def buildProtocol(self, addr: Any) -> Any:
        return self._build(addr, PLAIN)


class Listener:
    """Listens at one place; ``open_port(factory)`` returns the Twisted port, already listening, or raises CannotListenError."""

    def __init__(self, house: House, name: str, place: str, open_port: Callable[[Factory], Any], build: Build, tls: Any = None) -> None:
        self._house = house
        self._name = name
        self._place = place
        self._open_port = open_port
        self._factory = server_factory(house, name, build, tls)
        self._port: Any = None
        self._keeper = Keeper(f"[{name}] {place}", self._attempt, house.reactor, house.log, Backoff(1.0))

    @property
    def address(self) -> Any:
        """The address that was bound, with the port that was chosen for 0; None while there is none."""
        return self._port.getHost() if self._port is not None else None

    def start(self) -> None:
        """Listen; raises ListenError when the address is in use or not permitted. One that does not exist yet is tried again."""
        try:
            self._listen()
        except _NotThereYetError:
            self._keeper.start()

    def stop(self) -> Deferred[Any]:
        """Accept no more."""
        self._keeper.stop()
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening) if port is not None else succeed(None)

    def _attempt(self) -> Deferred[None]:
        self._listen()
        return succeed(None)

    def _listen(self) -> None:
        try:
            self._port = self._open_port(self._factory)
        except CannotListenError as error:
            number = getattr(error.socketError, "errno", None)
            if number == errno.EADDRNOTAVAIL:
                raise _NotThereYetError("is not an address of this machine (yet)") from None
            raise ListenError(f"[{self._name}] cannot listen on {self._place}: {_cause(number, error)}") from None
        host = self._port.getHost()
        bound = str(Address(host.host, host.port)) if hasattr(host, "port") else self._place
        self._house.log.info("[{name}] listening on {bound}", name=self._name, bound=bound)


def server_factory(house: House, name: str, build: Build, tls: Any) -> Any:
    """A factory for accepted connections: plain, or with the guards of a [tls NAME] section before it."""
    if tls is None:
        return Door(build)
    from .tls.handshake import server_factory as secured

    return secured(build, tls, link=name, reactor=house.reactor, admission=house.admission, notices=house.notices)


def tcp_listener(house: House, name: str, address: Address, build: Build, tls: Any = None) -> Listener:
    """A listener on a TCP address."""

    def open_port(factory: Factory) -> DirectPort:
        port = DirectPort(address.port, factory, BACKLOG, _numeric(address.host), house.reactor)
        port.startListening()
        return port

    return Listener(house, name, str(address), open_port, build, tls)


def unix_listener(house: House, name: str, path: str, mode: int, build: Build, tls: Any = None) -> Listener:
    """A listener on a UNIX socket that never has wider permissions than ``mode``; a dead one in its place is removed, a live one not."""

    def open_port(factory: Factory) -> DirectUNIXPort:
        _remove_dead_socket(name, path)
        port = DirectUNIXPort(path.encode(), factory, BACKLOG, mode, house.reactor)
        before = os.umask(0o777 & ~mode)
        try:
            port.startListening()
        finally:
            os.umask(before)
        return port

    return Listener(house, name, path, open_port, build, tls)


def _numeric(host: str) -> str:
    """A host name as the first address that it has; an address as it is."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][4][0])
    except OSError:
        return host


def _remove_dead_socket(name: str, path: str) -> None:
    try:
        kind = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise ListenError(f"[{name}] cannot listen on {path}: there is something that is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            os.unlink(path)
            return
    raise ListenError(f"[{name}] cannot listen on {path}: another program listens there")


def _cause(number: int | None, error: CannotListenError) -> str:
    if number == errno.EADDRINUSE:
        return "the address is in use by another program"
    if number == errno.EACCES:
        return "permission denied (a port below 1024 needs root or CAP_NET_BIND_SERVICE)"
    return str(error.socketError)
