"""The options of TCP sockets: small packets at once, and a kernel that notices dead peers."""

from __future__ import annotations

import socket
from typing import Any

from .probes import below_tls

KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 30, 10, 3


def tune(sock: socket.socket, user_timeout: float = 60.0) -> None:
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


def tune_transport(transport: Any) -> None:
    """`tune` the socket of a connected TCP transport, below TLS too."""
    tune(below_tls(transport).socket)
