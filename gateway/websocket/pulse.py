"""Pings for all WebSockets of a link, in one sweep: no timer and no random number for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from twisted.internet.interfaces import IReactorTime

from ..net.watch import Watch


class Pulsed(Protocol):
    """A peer whose silence is watched."""

    heard: bool
    """Whether it has sent anything since the last look; the peer sets it."""
    heard_at: float
    pinged_at: float | None

    @property
    def excused(self) -> bool:
        """Whether it cannot be expected to answer: we have paused reading, or what was written before still waits for it."""

    def ping(self) -> None: ...

    def unanswered(self, timeout: float) -> None:
        """End it: it has not answered a ping within ``timeout`` seconds."""


Who = TypeVar("Who", bound=Pulsed)


class Pulse(Generic[Who]):
    """Pings each peer that was silent for ``interval`` seconds, and ends it if it then stays silent for ``timeout``; any byte counts.

    It looks four times in the shorter of the two, so it is late by at most a quarter of that, and never early. An interval of 0 turns it
    off, a timeout of 0 ends nobody. ``failed(peer)`` is called where an exception was caught; the other peers are looked at all the same.
    """

    def __init__(self, clock: IReactorTime, interval: float, timeout: float, failed: Callable[[Who], None]) -> None:
        self._interval = interval
        self._timeout = timeout
        self._watch = Watch[Who](clock, min(interval, timeout or interval) / 4, self._look, failed)

    def add(self, peer: Who) -> None:
        """Ping this one too."""
        if self._interval:
            self._watch.add(peer)

    def forget(self, peer: Who) -> None:
        """It has gone."""
        self._watch.forget(peer)

    def _look(self, peer: Who, now: float) -> bool:
        if peer.heard or peer.excused:
            peer.heard, peer.heard_at, peer.pinged_at = False, now, None
        elif peer.pinged_at is not None:
            if self._timeout and now - peer.pinged_at >= self._timeout:
                peer.unanswered(self._timeout)
                return False
        elif now - peer.heard_at >= self._interval:
            peer.pinged_at = now
            peer.ping()
        return True
