"""What is known of a peer when its session begins, and how the session ended."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Peer(NamedTuple):
    """Who a peer is, as far as known, and what it may do."""

    secure: bool
    """Whether the connection is TLS."""
    identity: str = ""
    """The identity in its verified client certificate, which is a valid level of a topic; "" without one."""
    may_write: bool = True
    """Whether it may write. False for a plain connection to a TLS port, unless ``fallback_write = yes``."""
    why: str = ""
    """For the log: why it may not write, and what to do about it."""
    name: str = ""
    """For the log: its address or path, as ``10.0.0.7:5122`` or ``/dev/ttyUSB0``."""


PLAIN = Peer(False)


class Ended(NamedTuple):
    """How a session ended."""

    kind: Literal["eof", "reset", "timeout", "local", "error"]
    """The peer closed; the connection was cut; the peer took or said nothing for too long; we ended it; something failed."""
    text: str
    """For a person."""
    clean: bool = False
    """Whether it was the regular end of an output, after which what is left is the last packet."""
    code: int | None = None
    """The exit status of a process, the close code of a WebSocket."""
