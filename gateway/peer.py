"""What is known of a peer when its session begins."""

from __future__ import annotations

from typing import NamedTuple


class Peer(NamedTuple):
    """How far a peer can be trusted."""

    secure: bool
    """Whether it speaks TLS."""
    identity: str = ""
    """The identity in its verified client certificate, fit to be a level of a topic; "" without one."""
    may_write: bool = True
    """False for a plain session on a TLS port, unless ``fallback_write = yes``."""
    why: str = ""
    """Why it may not write, and what to do about it, for the log."""


PLAIN = Peer(False)
