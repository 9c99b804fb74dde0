"""What a paused Twisted transport cannot notice itself: that its peer takes nothing, or has gone."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..options import write_count
from .probes import peer_reset, pending


class Found(NamedTuple):
    """A reason to end a session: a counter's name, and a sentence."""

    event: str
    text: str


class Stall:
    """Since when one session has been blocked (its peer has not taken all), and whether reading is paused."""

    __slots__ = ("_blocked_since", "_left", "_paused")

    def __init__(self) -> None:
        self._blocked_since: float | None = None
        self._paused = False
        self._left = 0

    @property
    def lasts(self) -> bool:
        """Whether there is anything to look at."""
        return self._blocked_since is not None or self._paused

    def block(self, now: float, transport: Any) -> None:
        """The transport holds bytes back. A second call before `unblock` changes nothing."""
        if self._blocked_since is None:
            self._blocked_since, self._left = now, pending(transport)

    def unblock(self) -> None:
        """The peer has taken all."""
        self._blocked_since = None

    def pause(self) -> None:
        """Reading is paused."""
        self._paused = True

    def unpause(self) -> None:
        """Reading goes on."""
        self._paused = False

    def look(self, now: float, transport: Any, timeout: float, waiting: int) -> Found | None:
        """What is wrong by now, if anything. ``timeout``: seconds for which a peer may take none of the waiting bytes; 0 no limit."""
        if self._blocked_since is not None and timeout:
            left = pending(transport)
            before, self._left = self._left, left
            if left < before:  # only that: what TLS itself answers makes it grow, at the peer's will
                self._blocked_since = now
            elif now - self._blocked_since >= timeout:
                text = f"took no byte for {timeout:g} s while {write_count(left + waiting, 'byte')} waited (stall_timeout)"
                return Found("stalled", text)
        if self._paused and peer_reset(transport):
            return Found("vanished", "vanished while it was paused")
        return None
