"""What a Twisted transport has not sent, whether its peer is still there, and a half close."""

from __future__ import annotations

from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import ITCPTransport

from .sockets import hung_up, tune


def below_tls(transport: Any) -> Any:
    """The transport that holds the file descriptor, below any TLS."""
    while not isinstance(transport, FileDescriptor) and getattr(transport, "transport", None) is not None:
        transport = transport.transport
    return transport


def tune_transport(transport: Any) -> None:
    """`tune` the socket of a connected TCP transport, below TLS too."""
    tune(below_tls(transport).socket)


def half_close(transport: Any, secure: bool) -> None:
    """Send all that is queued and then the end, but go on reading.

    To close outright beside unread input resets the connection, and the peer loses what was sent last. TLS waits for the peer's own end
    anyway, and what is not a socket has no such trouble: those are closed.
    """
    if secure or not ITCPTransport.providedBy(transport):
        transport.loseConnection()
    else:
        transport.loseWriteConnection()


def pending(transport: Any) -> int:
    """Bytes that the transport has queued and the kernel, or with a serial port the hardware, has not taken."""
    wire = below_tls(transport)
    if isinstance(wire, FileDescriptor):
        in_hardware = getattr(wire, "in_hardware", None)
        return len(wire.dataBuffer) - wire.offset + wire._tempDataLen + (in_hardware() if in_hardware is not None else 0)
    return int(getattr(wire, "pending", 0))


def peer_reset(transport: Any) -> bool:
    """Whether the connection has been reset or timed out while reading is paused, when Twisted cannot know.

    A peer that has only closed its side does not count: what it sent before may still have to be read.
    """
    wire = below_tls(transport)
    return isinstance(wire, FileDescriptor) and hung_up(wire.fileno())
