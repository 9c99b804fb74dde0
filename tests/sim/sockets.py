"""The network of a simulated run: connections with bounded buffers, delays, losses, ends and faults.

What the program has are `SimSocket`s, in place of those of the module ``socket``; what its peers have are `Peer`s.
"""

from __future__ import annotations

import errno
import os
import select
import socket as real
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from .reactor import Handle, SimReactor
from .world import BrokenError, World

_USER_TIMEOUT = 60.0
"""Seconds after which a system ends a connection whose peer acknowledges nothing (net/sockets.py asks for that)."""


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))  # Python makes BlockingIOError and its like of it


class End:
    """One end of a connection: what has arrived for it, and what is under way to the other."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.world = network.world
        self.other: End | None = None
        self.capacity = 1 << 16
        """Bytes that may be under way to it, or wait for it."""
        self.delay = 0.0
        """Seconds that bytes need to come here."""
        self.queued = 0
        self.vanished = False
        self._under_way: deque[tuple[bytes, str]] = deque()
        self._arrives: Any = None

    def room(self) -> int:
        return self.capacity - self.queued

    def send_to(self, data: bytes, sort: str = "data") -> None:
        """Something leaves for this end: data, or its end: ``eof``, ``reset``, ``timeout``."""
        self.queued += len(data)
        if not self.delay and not self._under_way and not self.vanished:
            self.arrived(data, sort)
            return
        self._under_way.append((data, sort))
        if self._arrives is None and not self.vanished:
            self._arrives = self.world.at(self.delay, self._arrive)

    def vanish(self) -> None:
        """Nothing arrives here any more, and nobody is told."""
        self.vanished = True

    def discard(self) -> None:
        """What is under way will never arrive."""
        for data, _sort in self._under_way:
            self.queued -= len(data)
        self._under_way.clear()

    def _arrive(self) -> None:
        self._arrives = None
        if self.vanished:
            return
        waiting, self._under_way = self._under_way, deque()
        for data, sort in waiting:
            self.arrived(data, sort)

    def taken(self, size: int) -> None:
        """So many bytes have been read here: there is room again."""
        full = self.queued >= self.capacity
        self.queued -= size
        if (full or self.queued * 3 < self.capacity * 2) and self.other is not None:
            self.other.has_room()

    def arrived(self, data: bytes, sort: str) -> None:
        raise NotImplementedError

    def has_room(self) -> None:
        """The other end has room again."""


class Peer(End):
    """The end of a client or a server in the simulated world. Whoever is behind it sets ``on_data`` and ``on_end``."""

    def __init__(self, network: Network, name: str) -> None:
        super().__init__(network)
        self.name = name
        self.on_data: Callable[[bytes], None] = lambda data: None
        self.on_end: Callable[[str], None] = lambda kind: None
        self.on_open: Callable[[], None] = lambda: None
        self.reading = True
        self.ended = False
        self.opened = False
        self._unread: list[bytes] = []

    def arrived(self, data: bytes, sort: str) -> None:
        if self.ended:
            self.taken(len(data))
        elif sort != "data":
            if sort != "eof":
                self.ended = True
                if self.other is not None:
                    self.network.forget(self)
            self.on_end(sort)
        elif self.reading:
            self.taken(len(data))
            self._give(data)
        else:
            self._unread.append(data)

    def opens(self) -> None:
        """The connection is made."""
        if not self.ended and not self.vanished:
            self.opened = True
            self.on_open()

    def send(self, data: bytes) -> None:
        """Bytes for the program; a peer's own kernel takes them all."""
        if not self.ended and self.other is not None and not self.vanished and data:
            self.other.send_to(data)

    def pause(self) -> None:
        """Read nothing any more, until `resume`."""
        self.reading = False

    def resume(self) -> None:
        self.reading = True
        while self._unread and self.reading and not self.ended:
            data = self._unread.pop(0)
            self.taken(len(data))
            self._give(data)

    def _give(self, data: bytes) -> None:
        try:
            self.on_data(data)
        except BrokenError as broken:  # the program's own call stack is no place for it
            self.world.alarm(str(broken))

    def shut(self) -> None:
        """Send no more, but go on reading."""
        if not self.ended and self.other is not None and not self.vanished:
            self.other.send_to(b"", "eof")

    def close(self) -> None:
        """Close both directions: what comes still is answered by a reset."""
        if not self.ended:
            self.shut()
            self.ended = True
            self.network.forget(self)

    def reset(self) -> None:
        """End the connection by force."""
        if not self.ended:
            self.ended = True
            self.network.forget(self)
            if self.other is not None and not self.vanished:
                self.other.send_to(b"", "reset")

    def lose_path(self) -> None:
        """The network between them is gone, without a word; after a while the program's system notices."""
        if self.vanished or self.ended:
            return
        self.vanish()
        if isinstance(self.other, SimSocket):
            self.other.vanish()
            self.other.times_out_in(_USER_TIMEOUT)


class SimSocket(End, Handle):
    """What stands in the place of ``socket.socket``."""

    def __init__(self, network: Network, family: int = real.AF_INET, kind: int = real.SOCK_STREAM, proto: int = 0) -> None:
        End.__init__(self, network)
        Handle.__init__(self, network.reactor)
        self.family = family
        self.type = kind
        self.proto = proto
        self.state = "new"
        self.address: Any = ("0.0.0.0", 0)
        self.peer_address: Any = None
        self._refused = False
        self._buffer = bytearray()
        self._eof = False
        self._failed = 0
        self._backlog: deque[Peer | SimSocket] = deque()
        self._limit = 0
        self._shut = False

    def __repr__(self) -> str:
        return f"<{self.state} {self.address} of {self.peer_address or 'nobody'}, descriptor {self.descriptor}>"

    # As the module socket has it

    def fileno(self) -> int:
        return self.descriptor if self.state != "closed" else -1

    def setblocking(self, blocking: bool) -> None:
        """None of these ever waits."""

    def setsockopt(self, *options: Any) -> None:
        """None of these changes anything here."""

    def getsockopt(self, level: int, option: int, size: int = 0) -> Any:
        if option == real.SO_ERROR:
            number, self._failed = self._failed, 0
            return number
        return bytes(size) if size else 0

    def __enter__(self) -> SimSocket:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def bind(self, address: Any) -> None:
        self.address = self.network.bind(self, address)

    def listen(self, backlog: int = 128) -> None:
        self.state = "listening"
        self._limit = backlog

    def accept(self) -> tuple[SimSocket, Any]:
        network = self.network
        if not self._backlog:
            raise _error(errno.EAGAIN)
        if network.short_of_files and not self._refused:
            self._refused = True  # the next one has the descriptor that Twisted keeps for this, to accept and to close
            raise _error(errno.EMFILE)
        self._refused = False
        client = self._backlog.popleft()
        self.readable = bool(self._backlog)
        accepted = SimSocket(network, self.family)
        accepted.state = "connected"
        accepted.address = self.address
        accepted.peer_address = "" if self.family == real.AF_UNIX else network.address_of(client)
        accepted.other, client.other = client, accepted
        accepted.capacity, accepted.delay = network.buffer(), client.delay
        accepted.writable = True
        if isinstance(client, SimSocket):
            client.connected()
        else:
            network.accepted(client)
        return accepted, accepted.peer_address

    def connect(self, address: Any) -> None:
        number = self.connect_ex(address)
        if number:
            raise _error(number)

    def connect_ex(self, address: Any) -> int:
        if self.state == "connected":
            return errno.EISCONN
        if self._failed:
            number, self._failed = self._failed, 0
            return number
        if self.state == "connecting":
            return errno.EALREADY
        self.state = "connecting"
        self.peer_address = address
        return self.network.dial(self, address)

    def recv(self, size: int, flags: int = 0) -> bytes:
        self.world.work += 1
        if self._buffer:
            if size > 1 and self.network.is_short_read():
                size = 1 + int(self.network.pick() * min(size, len(self._buffer)))
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            self.taken(len(data))
            self._look()
            return data
        if self._failed:
            number, self._failed = self._failed, 0
            self._look()
            raise _error(number)
        if self._eof:
            return b""
        raise _error(errno.EAGAIN)

    def send(self, data: Any, flags: int = 0) -> int:
        network, other = self.network, self.other
        self.world.work += 1
        if self._failed:
            raise _error(self._failed)
        if other is None or self._shut or self.state != "connected":
            raise _error(errno.EPIPE)
        size = min(len(data), other.capacity - other.queued)
        if size <= 0:
            self.writable = False
            self.changed()
            raise _error(errno.EAGAIN)
        if size > 1 and network.is_short_send():
            size = 1 + int(network.pick() * (size - 1))
        if size < len(data):
            data = bytes(data[:size])
            self.writable = other.queued + size < other.capacity
            self.changed()
        self.world.note("sent", self.descriptor, size)
        if isinstance(other, Peer) and other.ended and not other.vanished:
            self.fail(errno.ECONNRESET)  # nobody is there any more: its system answers with a reset
            return size
        other.send_to(data if type(data) is bytes else bytes(data))
        return size

    def shutdown(self, how: int) -> None:
        if self.state != "connected" or self._failed:
            raise _error(errno.ENOTCONN)
        if how != real.SHUT_RD and not self._shut and self.other is not None:
            self._shut = True
            self.other.send_to(b"", "eof")

    def close(self) -> None:
        if self.state == "closed":
            return
        if self.state == "listening":
            self.network.unbind(self)
            for client in self._backlog:
                client.send_to(b"", "reset")
        elif self.state == "connected" and self.other is not None:
            self.world.note("close", self.descriptor)
            if self._buffer:
                # As RFC 2525, 2.17 has it: whoever closes beside unread bytes resets, and what is under way is lost.
                self.other.discard()
                self.other.send_to(b"", "reset")
            elif not self._shut and not self._failed:
                self.other.send_to(b"", "eof")
            self._shut = True
        self.state = "closed"
        self._buffer.clear()
        self.released()

    def getsockname(self) -> Any:
        return self.address

    def getpeername(self) -> Any:
        if self.state != "connected" or self.peer_address is None:
            raise _error(errno.ENOTCONN)
        return self.peer_address

    def detach(self) -> int:
        number = self.fileno()
        self.close()
        return number

    # In the network

    def arrived(self, data: bytes, sort: str) -> None:
        if self.state == "closed":
            self.queued -= len(data)
            if data and isinstance(self.other, Peer) and not self.other.ended:
                self.other.discard()
                self.other.send_to(b"", "reset")
        elif sort == "data":
            self._buffer += data
            self._look()
        elif sort == "eof":
            self._eof = True
            self._look()
        else:
            self.fail(errno.ECONNRESET if sort == "reset" else errno.ETIMEDOUT)

    def has_room(self) -> None:
        if self.state == "connected" and not self.writable:
            self.writable = True
            self.changed()

    def connected(self) -> None:
        """Its dialing has come to a good end."""
        self.state = "connected"
        self.writable = True
        self.changed()

    def fail(self, number: int) -> None:
        """The connection has failed."""
        if self.state != "closed":
            self._failed = number
            self.hung = True
            self._shut = True
            self.readable = self.writable = True
            self.changed()

    def times_out_in(self, seconds: float) -> None:
        self.world.at(seconds, self._time_out)

    def _time_out(self) -> None:
        if self.state == "connected":
            self.fail(errno.ETIMEDOUT)

    def comes(self, client: Peer | SimSocket) -> bool:
        """Somebody wants to connect; False: the backlog is full."""
        if len(self._backlog) >= self._limit:
            return False
        self._backlog.append(client)
        self.readable = True
        self.changed()
        return True

    def _look(self) -> None:
        readable = bool(self._buffer or self._eof or self._failed)
        if readable != self.readable:
            self.readable = readable
            self.changed()


class Network:
    """Who listens where, and who dials whom. Faults are probabilities, or switched on and off by the scenario."""

    def __init__(self, world: World, reactor: SimReactor) -> None:
        self.world = world
        self.reactor = reactor
        self.short_reads = 0.0
        self.short_sends = 0.0
        self.short_of_files = False
        self.delays: Callable[[Random], float] = lambda chance: 0.0
        self.buffers: tuple[int, ...] = (1 << 16,)
        self.listening: dict[Any, SimSocket] = {}
        self.servers: dict[Any, Callable[[Peer], None]] = {}
        """Servers of the simulated world: for each address who is told of a client."""
        self.on_accept: Callable[[Peer], None] = lambda peer: None
        self._chance = world.chance("network")
        self.pick = self._chance.random
        self._ports = 40000
        self._names: dict[Peer | SimSocket, Any] = {}

    def is_short_read(self) -> bool:
        return bool(self.short_reads) and self.pick() < self.short_reads

    def is_short_send(self) -> bool:
        return bool(self.short_sends) and self.pick() < self.short_sends

    def buffer(self) -> int:
        return self._chance.choice(self.buffers)

    # For the program

    def bind(self, sock: SimSocket, address: Any) -> Any:
        if sock.family == real.AF_UNIX:
            place = os.fsdecode(address)
            if place in self.listening:
                raise _error(errno.EADDRINUSE)
            with open(place, "xb"):
                os.chmod(place, 0o600)
        else:
            host, port, *_ = address
            if not port:
                self._ports += 1
                port = self._ports
            place = (host, port)
            if place in self.listening:
                raise _error(errno.EADDRINUSE)
        self.listening[place] = sock
        return place

    def unbind(self, sock: SimSocket) -> None:
        self.listening.pop(sock.address, None)

    def dial(self, sock: SimSocket, address: Any) -> int:
        self._ports += 1
        sock.address = ("127.0.0.1", self._ports)
        sock.capacity, sock.delay = self.buffer(), self.delays(self._chance)
        place = os.fsdecode(address) if sock.family == real.AF_UNIX else (address[0], address[1])
        self.world.at(sock.delay, self._dialed, sock, place)
        return errno.EINPROGRESS

    def _dialed(self, sock: SimSocket, place: Any) -> None:
        if sock.state == "closed":
            return
        if place in self.servers:
            peer = Peer(self, f"server {place}")
            peer.capacity, peer.delay = self.buffer(), sock.delay
            peer.other, sock.other = sock, peer
            sock.connected()
            peer.opened = True
            self.servers[place](peer)
        elif place in self.listening:
            if not self.listening[place].comes(sock):
                self.world.at(1.0, self._dialed, sock, place)
        else:
            sock.fail(errno.ECONNREFUSED)

    # For its peers

    def connect(self, peer: Peer, place: Any) -> None:
        """A client of the simulated world dials the program; it is told through ``on_open`` or ``on_end``."""
        self._ports += 1
        self._names[peer] = ("127.0.0.1", self._ports)
        peer.capacity, peer.delay = self.buffer(), self.delays(self._chance)
        self.world.at(peer.delay, self._connect, peer, place, 0)

    def _connect(self, peer: Peer, place: Any, tries: int) -> None:
        if peer.ended:
            return
        listening = self.listening.get(place)
        if listening is None:
            peer.ended = True
            self.forget(peer)
            peer.on_end("refused")
        elif not listening.comes(peer):
            # The system drops the request, and the client's repeats it.
            self.world.at(1.0 * 2**tries, self._connect, peer, place, min(tries + 1, 6))

    def accepted(self, peer: Peer) -> None:
        self.on_accept(peer)
        self.world.at(peer.delay, peer.opens)
        if peer.ended and peer.other is not None:  # it gave up while it waited
            peer.other.send_to(b"", "eof")

    def address_of(self, client: Peer | SimSocket) -> Any:
        return client.address if isinstance(client, SimSocket) else self._names.get(client, ("127.0.0.1", 1))

    def forget(self, peer: Peer) -> None:
        self._names.pop(peer, None)


class SocketModule:
    """Stands in the place of the module ``socket`` for Twisted and for the program."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def socket(self, family: int = real.AF_INET, kind: int = real.SOCK_STREAM, proto: int = 0) -> Any:
        if kind != real.SOCK_STREAM:
            return real.socket(family, kind, proto)
        return SimSocket(self._network, family, kind, proto)

    def __getattr__(self, name: str) -> Any:
        return getattr(real, name)


class SelectModule:
    """Stands in the place of the module ``select`` for the program: it knows the simulated descriptors."""

    def __init__(self, reactor: SimReactor) -> None:
        self._reactor = reactor

    def poll(self) -> _Poll:
        return _Poll(self._reactor)

    def __getattr__(self, name: str) -> Any:
        return getattr(select, name)


class _Poll:
    def __init__(self, reactor: SimReactor) -> None:
        self._reactor = reactor
        self._watched: list[int] = []

    def register(self, descriptor: int, events: int = 0) -> None:
        self._watched.append(descriptor)

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        found = []
        for descriptor in self._watched:
            handle = self._reactor.handle_of(descriptor)
            if handle is None:
                found.append((descriptor, select.POLLNVAL))
            elif handle.hung:
                found.append((descriptor, select.POLLHUP))
        return found
