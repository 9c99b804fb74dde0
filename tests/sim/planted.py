"""Faults planted into the program, one of each kind: the simulation must find each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet.abstract import FileDescriptor

from gateway.bus.outbox import Memory, Outbox, Parcel
from gateway.links.link import Link
from gateway.links.runtime import Runtime
from gateway.links.session import Session
from gateway.links.stream import StreamProtocol
from gateway.net.direct import DirectServer
from gateway.net.watch import Watch
from gateway.ports.ttyport import TtyPort
from gateway.wires._framed import FramedWire


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The program with this fault, until the end."""
    owner, attribute, make = PLANTED[name]
    before = owner.__dict__.get(attribute)
    setattr(owner, attribute, make(getattr(owner, attribute)))
    try:
        yield
    finally:
        if before is None:
            delattr(owner, attribute)
        else:
            setattr(owner, attribute, before)


def _partial_write(real: Any) -> Any:
    def write(self: Any, data: bytes) -> None:
        if self.dataBuffer or self._tempDataLen or not self.connected or self._writeDisconnected:
            FileDescriptor.write(self, data)
            return
        try:
            self.send_now(data)  # and if that was not all, the rest is forgotten
        except OSError:
            FileDescriptor.write(self, data)

    return write


def _every(count: int, otherwise: Callable[..., Any]) -> Callable[[Any], Any]:
    """The real thing, but each so many times ``otherwise(real, *arguments)``."""

    def make(real: Any) -> Any:
        calls = 0

        def faulty(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            return otherwise(real, *arguments) if calls % count == 0 else real(*arguments)

        return faulty

    return make


def _twice(real: Any, *arguments: Any) -> Any:
    real(*arguments)
    return real(*arguments)


def _not(real: Any, *arguments: Any) -> None:
    """Leave it out."""


def _swap(real: Any, box: Outbox, limit: int) -> Any:
    if len(box._items) > 1 and all(isinstance(item, Parcel) for item in box._items):
        box._items[0], box._items[1] = box._items[1], box._items[0]
    return real(box, limit)


def _uncounted(real: Any, box: Outbox) -> None:
    before = box.dropped_packets
    real(box)
    box.dropped_packets = before


def _torn(real: Any, wire: FramedWire, data: bytes, now: float) -> Any:
    return real(wire, data[:-1], now) if len(data) > 2 else real(wire, data, now)


def _kept(real: Any, protocol: StreamProtocol, reason: Any) -> None:
    """The link is not told that the connection has ended."""


def _spins(real: Any, runtime: Runtime, *arguments: Any, **options: Any) -> None:
    real(runtime, *arguments, **options)

    def again() -> None:
        runtime.reactor.callLater(0, again)

    runtime.reactor.callLater(100.0, again)


def _raises(real: Any, *arguments: Any) -> Any:
    raise RuntimeError("planted")


PLANTED: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "a partial write is lost": (DirectServer, "write", _partial_write),
    "a batch is delivered twice": (Link, "deliver", _every(50, _twice)),
    "a batch is not delivered": (Link, "deliver", _every(50, _not)),
    "an outbox counts wrong": (Outbox, "_count", _every(5, _not)),
    "a drop is not counted": (Outbox, "_drop_oldest", lambda real: lambda box: _uncounted(real, box)),
    "order is swapped": (Outbox, "take", lambda real: lambda box, limit: _swap(real, box, limit)),
    "a timer is leaked": (Session, "_cancel_timer", lambda real: lambda session: None),
    "a session is kept": (StreamProtocol, "connectionLost", _every(2, _kept)),
    "memory is not given back": (Memory, "leave", _every(3, _not)),
    "a byte is lost at reading": (FramedWire, "feed", _every(100, _torn)),
    "a watch is never stopped": (Watch, "stop", lambda real: lambda watch: None),
    "a port is not closed": (TtyPort, "connectionLost", _every(1, _not)),
    "the program goes round in circles": (Runtime, "__init__", lambda real: lambda *a, **k: _spins(real, *a, **k)),
    "a callback raises": (Session, "resume", _every(3, _raises)),
}
"""Each with the class, the method, and what makes the faulty one of it."""
