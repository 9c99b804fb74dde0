"""Addresses that are listened on; one that does not exist yet is tried again."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IResolutionReceiver
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from ..errors import GatewayError
from ..options import Address
from .direct import DirectPort, DirectUNIXPort
from .endings import in_words, unknown_host
from .holders import port_holder, socket_holder
from .hosts import addresses_of, is_address
from .keepers import Backoff, Keeper
from .sockets import try_unix

BACKLOG = 1024


class ListenError(GatewayError):
    """An address that cannot be listened on: why, and what to do. Raised at the start it names the link, and the program does not start."""


class _NotThereYetError(ListenError):
    """An address that this machine does not have yet, or a name that has no address yet."""


class Listener:
    """Listens at one place. ``open_port(host)`` returns the Twisted port, already listening, or raises CannotListenError or
    ListenError. ``host``, if there is one, may be a name: it is resolved anew at each try.

    ``announce`` logs what was bound, if that is more than one line of this link.
    """

    def __init__(
        self,
        name: str,
        place: str,
        open_port: Callable[[str], Any],
        reactor: Any,
        log: Any,
        host: str = "",
        announce: Callable[[str], None] | None = None,
    ) -> None:
        self._name = name
        self._place = place
        self._open_port = open_port
        self._reactor = reactor
        self._log = log
        self._host = host
        self._announce = announce or self._log_bound
        self._port: Any = None
        self._first: Deferred[None] | None = None
        self._keeper = Keeper(f"[{name}] {place}", self._attempt, reactor, log, Backoff(1.0))

    @property
    def address(self) -> Any:
        """The address that was bound, with the port that was chosen for 0; None while there is none."""
        return self._port.getHost() if self._port is not None else None

    def start(self) -> None:
        """Listen; raises ListenError when the address is in use or not permitted.

        One that does not exist yet is tried again, and so is a name that a name server has to resolve.
        """
        try:
            self._first = self._attempt()
        except _NotThereYetError:
            self._keeper.start()
        except ListenError as error:
            raise ListenError(f"[{self._name}] cannot listen on {self._place}: {error}") from None
        else:
            self._first.addErrback(self._wait)

    def stop(self) -> Deferred[Any]:
        """Accept no more connections; fires when the port is closed."""
        self._keeper.stop()
        if self._first is not None:
            self._first.cancel()
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening) if port is not None else succeed(None)

    def _wait(self, reason: Failure) -> None:
        if not reason.check(CancelledError):
            self._keeper.start()

    def _attempt(self) -> Deferred[None]:
        """Listen at once where this machine knows the address itself, else when the name is resolved."""
        known = [self._host] if not self._host or is_address(self._host) else addresses_of(self._host)
        if known:
            self._listen(known[0])
            return succeed(None)
        return _resolve(self._reactor, self._host).addCallback(self._listen)

    def _listen(self, host: str) -> None:
        try:
            self._port = self._open_port(host)
        except CannotListenError as error:
            raise _listen_error(error.socketError, self._place, host, error.port) from None
        except OSError as error:
            raise _listen_error(error, self._place, host, 0) from None
        bound = self._port.getHost()
        self._announce(str(Address(bound.host, bound.port)) if hasattr(bound, "port") else self._place)

    def _log_bound(self, bound: str) -> None:
        self._log.info("[{name}] listening on {bound}", name=self._name, bound=bound)


def _resolve(reactor: Any, host: str) -> Deferred[str]:
    """The first address of a name, resolved without blocking the reactor."""
    found: Deferred[str] = Deferred()

    @implementer(IResolutionReceiver)
    class Receiver:
        @staticmethod
        def resolutionBegan(resolution: Any) -> None:
            """Keep no hold on it: the system's own look-up cannot be interrupted."""

        @staticmethod
        def addressResolved(address: Any) -> None:
            if not found.called:
                found.callback(address.host)

        @staticmethod
        def resolutionComplete() -> None:
            if not found.called:
                found.errback(_NotThereYetError(unknown_host(host)))

    reactor.nameResolver.resolveHostName(Receiver, host)
    return found


def tcp_listener(
    name: str, address: Address, factory: Factory, reactor: Any, log: Any, announce: Callable[[str], None] | None = None
) -> Listener:
    """A listener on a TCP address."""

    def open_port(host: str) -> DirectPort:
        port = DirectPort(address.port, factory, BACKLOG, host, reactor)
        port.startListening()
        return port

    return Listener(name, str(address), open_port, reactor, log, address.host, announce)


def unix_listener(name: str, path: str, mode: int, factory: Factory, reactor: Any, log: Any) -> Listener:
    """A listener on a UNIX socket that never has wider permissions than ``mode``. A dead socket in its place is removed, a live one not."""

    def open_port(host: str) -> DirectUNIXPort:
        _remove_dead_socket(path)
        port = DirectUNIXPort(path.encode(), factory, BACKLOG, mode, reactor)
        before = os.umask(0o777 & ~mode)
        try:
            port.startListening()
        finally:
            os.umask(before)
        return port

    return Listener(name, path, open_port, reactor, log)


def _remove_dead_socket(path: str) -> None:
    try:
        kind = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise ListenError("what is there is not a socket: remove it, or choose another path")
    try:
        with try_unix(path) as probe:
            who = socket_holder(probe)
    except ConnectionRefusedError:
        os.unlink(path)
        return
    except OSError:  # it is alive, but refuses us
        who = ""
    raise ListenError(_in_use("the socket", who, f"sudo ss -lxp src {path}", "path"))


def _in_use(what: str, who: str, command: str, key: str) -> str:
    by = who or f"another program, which this user cannot see ({command} names it)"
    return f"{what} is in use by {by}: stop it, or choose another {key}"


def _listen_error(error: Any, place: str, host: str, port: Any) -> ListenError:
    """Why a place cannot be listened on, and what to do. ``host`` is "" for a UNIX socket."""
    number = getattr(error, "errno", None)
    folder = os.path.dirname(os.path.abspath(place))
    if number == errno.EADDRNOTAVAIL:
        return _NotThereYetError("is not an address of this machine (yet)")
    if number == errno.EADDRINUSE and host:
        return ListenError(_in_use("the address", port_holder(host, port), f"sudo ss -ltnp sport = :{port}", "port"))
    if number in (errno.EACCES, errno.EPERM):
        advice = f"this user needs write permission on {folder}"
        if host:
            advice = "a port below 1024 needs root or CAP_NET_BIND_SERVICE: choose a higher one, or start as root (twistd --uid)"
        return ListenError(f"permission denied: {advice}")
    if number in (errno.ENOENT, errno.ENOTDIR):
        return ListenError(f"there is no folder {folder}: create it, or choose another path")
    if number == errno.EROFS:
        return ListenError(f"{folder} is read-only: choose another path")
    return ListenError(in_words(Failure(error)) if isinstance(error, Exception) else str(error))
