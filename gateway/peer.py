"""What is known of a peer when its session begins."""

from __future__ import annotations

from typing import NamedTuple


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


PLAIN = Peer(False)
