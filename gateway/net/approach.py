"""The stage before a session: a connection of which it is not known yet what it asks for, or who it is.

It has one place among those that wait and one deadline. A connection that passes gives its transport to the protocol that comes next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IProtocol

from .admission import Admission, Ticket, source_of
from .linger import Closable, linger_close


class Approach:
    """One connection that waits, from now until `leave`.

    It takes a place in ``admission`` for its source, the address ``host``; ``evicted()`` is called when a newer connection gets that place,
    and must end this one. A connection that we made ourselves needs no place: it has no ``admission``.
    """

    __slots__ = ("_clock", "_ticket", "_timer", "began", "waits")

    def __init__(self, clock: Any, admission: Admission | None = None, host: str = "", evicted: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._timer: IDelayedCall | None = None
        self.began: float = clock.seconds()
        self.waits = True
        """False from `leave` on."""
        self._ticket: Ticket | None = admission.enter(source_of(host), evicted) if admission is not None else None

    def expect(self, within: float, late: Callable[[], None]) -> None:
        """Call ``late()`` if it still waits ``within`` seconds after it began. This replaces the deadline that was set before."""
        self._cancel()
        if self.waits:
            self._timer = self._clock.callLater(max(0.0, self.began + within - self._clock.seconds()), late)

    def leave(self) -> None:
        """Give up place and deadline: the connection has passed, or has ended. A further call does no harm."""
        self._cancel()
        self.waits = False
        if self._ticket is not None:
            self._ticket.leave()
            self._ticket = None

    def close(self, transport: Closable, linger: float, end: Callable[[], None] | None = None) -> None:
        """Leave, and end the connection as `linger_close` does. Its ``connectionLost`` must call `leave`, which cancels the cut."""
        self.leave()
        self._timer = linger_close(transport, self._clock, linger, end)

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


def hand_over(transport: Any, protocol: IProtocol, rest: bytes = b"") -> None:
    """Make ``protocol`` the one that ``transport`` feeds, connect it, and give it ``rest``, which has been read already.

    From then on the transport, a socket's or that of TLS, calls ``protocol`` and nobody else. A protocol that closes as soon as it is
    connected does not get the rest.
    """
    if hasattr(transport, "wrappedProtocol"):  # a TLS transport is a protocol too: its ``protocol`` would be of no effect
        transport.wrappedProtocol = protocol
    else:
        transport.protocol = protocol
    protocol.makeConnection(transport)
    if rest and not transport.disconnecting:
        protocol.dataReceived(rest)
