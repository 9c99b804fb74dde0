"""What the system's sockets and descriptors are asked. Nothing else imports ``socket`` or ``select`` but Twisted."""

from __future__ import annotations

import select
import socket
import struct
from typing import Any

KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 30, 10, 3

Socket = socket.socket
LookupFailed = socket.gaierror


def tune(sock: Socket, user_timeout: float = 60.0) -> None:
    """Send small packets at once, and have the kernel end a connection whose peer answers nothing for a minute."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL),
        ("TCP_KEEPCNT", KEEPALIVE_COUNT),
        ("TCP_USER_TIMEOUT", int(user_timeout * 1000)),
    ):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def hung_up(descriptor: int) -> bool:
    """Whether the other end has gone or reset, or there is no such descriptor. An end that has only been half closed is still there."""
    poll = select.poll()
    try:
        poll.register(descriptor, 0)
        events = poll.poll(0)
    except (OSError, ValueError):
        return True
    return bool(events and events[0][1] & (select.POLLERR | select.POLLHUP | select.POLLNVAL))


def ready(descriptor: int, seconds: float, *, to_write: bool = False) -> bool:
    """Wait until it can be read (or written), or the time is over; whether it can. Only for threads."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT if to_write else select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def try_unix(path: str) -> Socket:
    """Connect to a UNIX socket, without waiting. Raises OSError: ConnectionRefusedError when nobody listens there any more."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)  # its backlog may be full
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock


def peer_pid(sock: Any) -> int:
    """The process that listens on the UNIX socket that this one is connected to; 0 where the system does not say. Raises OSError."""
    if not hasattr(socket, "SO_PEERCRED"):
        return 0
    return int(struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))[0])


def machine_name() -> str:
    """What this machine calls itself, in lower case."""
    return socket.gethostname().lower()


def is_own_address(address: str) -> bool:
    """Whether an IP address is one of this machine's: only to such a one does the system route from the same address. Sends nothing."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
            return str(probe.getsockname()[0]).partition("%")[0] == address.partition("%")[0]
    except OSError:  # no route, or no such address family
        return False
